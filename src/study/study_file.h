/* study_file.h - a study file, parsed: which trainings there are, which sections of the report show them,
 * and which published figures to compare with. docs/studies.md describes the text. */
#ifndef CAELUM_STUDY_STUDY_FILE_H
#define CAELUM_STUDY_STUDY_FILE_H

#include "base/mem.h"

/* Most runs of a study, seeds of a run, references of an entry, bytes of a source and of a claim's words. */
enum { STUDY_RUNS = 256, STUDY_SEEDS = 32, STUDY_REFERENCES = 8, STUDY_WORDS = 500 };

/* `run NAME NET KEY=VALUE...` */
struct study_run {
    const char *name;                      /* letters, digits, '.', '_', '-'; at most 63 */
    const char *net;                       /* as written */
    const char *data;                      /* as written; NULL: the data of the whole study */
    struct caelum_train_settings settings; /* only what caelum_train_set sets */
    uint64_t seed[STUDY_SEEDS];
    size_t seeds;
    size_t line;
};

/* Figures of one training: those below, the metrics of both tasks (caelum_figures), and those that the study
 * file derives from them; at most FIGURES. */
enum {
    FIGURE_PARAMETERS,
    FIGURE_LATENT,
    FIGURE_BOTTLENECK,
    FIGURE_PCA,
    FIGURE_SECONDS,
    FIGURE_RATE,
    FIGURES_OWN
};
enum { FIGURES = 48 };

struct figure_kind {
    const char *key; /* in files and references: "mse" */
    char title[64];  /* in tables: "MSE" */
    const char *format;
    int better;    /* -1: lower, 1: higher, 0: neither */
    size_t of;     /* `figure KEY = FACTOR * OF`: the figure that it is derived from; */
    double factor; /* 0: it is derived from none */
};

/* A published figure, or a bound of one. */
struct study_reference {
    size_t figure; /* of the study */
    char relation; /* '=', '<' (at most) or '>' (at least) */
    double value;
};

/* A run where a section shows it: its own place, or `also NAME`. */
struct study_entry {
    size_t section, run;
    struct study_reference reference[STUDY_REFERENCES];
    size_t references;
};

/* `claim A < B "words"`: what was said of two runs' errors; to be held against ours. */
struct study_claim {
    size_t section, left, right; /* runs */
    bool less;                   /* '<': the left one's error is lower; else '>=': it is not */
    const char *words;
};

/* `show WHAT [RUN]`: a figure of the report. */
enum study_figure { STUDY_NETWORK, STUDY_CURVES, STUDY_SHEET, STUDY_LATENT };
struct study_show {
    size_t section;
    enum study_figure figure;
    size_t run; /* of STUDY_NETWORK and STUDY_SHEET */
};

/* `section NAME "TITLE"`, and `about "WORDS"`: what it asks. */
struct study_section {
    const char *name, *title;
    const char *about; /* or NULL */
};

/* Arrays in the order of the file. */
struct study {
    struct mem_group memory;
    char *file, *text;  /* the path; the text, cut into words that the rest points into */
    const char *title;  /* the file's name if it has none */
    const char *source; /* whose figures the references are: "the study" */
    struct figure_kind figure[FIGURES];
    size_t figures;
    struct study_run *run;
    struct study_section *section;
    struct study_entry *entry;
    struct study_claim *claim;
    struct study_show *show;
    size_t runs, sections, entries, claims, shows;
};

/* Parses a file. CAELUM_EIO, CAELUM_EFORMAT ("file:line:column: ..."), CAELUM_ERESOURCE. */
int study_file_load(struct study **study, const char *path, struct caelum_error *err);
void study_file_close(struct study **study);

#endif
