/* study_figures.h - the figures of a study's runs: means over seeds, and how they compare with what was
 * published; and the files that say so. */
#ifndef CAELUM_STUDY_STUDY_FIGURES_H
#define CAELUM_STUDY_STUDY_FIGURES_H

#include "base/path.h"
#include "report/page.h"
#include "study/study_file.h"

/* A figure over the seeds that have it: mean and population deviation. n = 0: none has. */
struct spread {
    double mean, deviation;
    size_t n;
};

/* One training. */
struct study_seed {
    uint64_t seed;
    const char *command;
    char state[300];              /* "trained", "not run", "12 of 50 epochs", "another training: ..." */
    bool trained;                 /* and measured: all figures are there */
    double value[FIGURES];        /* NaN: none */
    struct caelum_epoch *history; /* [epochs] */
    size_t epochs, threads, best_epoch;
};

/* A run with all its seeds. */
struct study_result {
    const struct study_run *run;
    const caelum_net *net; /* NULL: could not be loaded */
    char sheet[PATH_SIZE]; /* path of the contact sheet of the first seed, or "" */
    struct study_seed *seed;
    size_t seeds, trained;
    size_t epochs; /* asked for */
    struct spread figure[FIGURES];
};

/* A published figure or a claim, and how ours compare; the texts of figures and sections point into the
 * study. */
enum { VERDICT_TEXT = 1200 }; /* bytes of its sentence, at most */
struct study_verdict {
    size_t section, run;                     /* run: of a reference */
    const struct study_reference *reference; /* NULL: it is a claim */
    const struct study_claim *claim;
    enum page_mark mark; /* PAGE_OPEN: not run or measured yet, or nothing can be judged */
    char text[VERDICT_TEXT];
};

enum { STUDY_PCA = 32 };

/* What the report is made of. */
struct study_results {
    const struct study *study;
    bool quick, generated;       /* a quick pass; some of the data are generated pictures */
    char data[4 * PATH_SIZE];    /* "cifar-10, 60,000 pictures of 32 x 32: 48,000 / 6,000 / 6,000" */
    char machine[400];           /* kernels and build */
    struct study_result *result; /* one for each run of the study */
    double pca_numbers[STUDY_PCA], pca_mse[STUDY_PCA]; /* the curve that networks are compared with */
    size_t pca_count;
    double grey[FIGURES]; /* of a grey picture on the colorizers' data; NaN: not measured */
    struct study_verdict *verdict;
    size_t verdicts;
};

/* Adds the figures that every study has to study->figure. */
void study_figures_begin(struct study *study);
/* The figure of that key, or study->figures. */
size_t study_figure(const struct study *study, const char *key);
/* The figure that a run of this task is judged by. */
size_t study_main_figure(const struct study *study, enum caelum_task task);
/* Fills in those that the study file derives from others. */
void study_derive(const struct study *study, double value[FIGURES]);

/* Fills result->figure from its seeds. */
void study_spread(struct study_result *result);
/* Pearson's correlation of log x and log y; NaN for less than 3 points or where one of them is constant. */
double study_correlation(const double *x, const double *y, size_t n);

/* "0.003661", "4,911", or "–" for a NaN. text: [48]. */
const char *figure_text(const struct figure_kind *kind, double value, char text[48]);
/* "0.003661 ± 0.000082"; the spread is left out for one seed, and for figures with few digits. */
const char *spread_text(const struct figure_kind *kind, const struct spread *spread, char text[96]);
/* "0.0039", "≥ 0.02". text: [96]. */
const char *published_text(const struct study *study, const struct study_reference *reference, char text[96]);

/* Why figures of this study can't be held against published ones, which is so for those of a quick pass and
 * of generated pictures; NULL if they can. */
const char *study_notice(const struct study_results *results);

/* Fills results->verdict, section by section, to be freed with mem_free: for each published figure how ours
 * compares, for each claim on two runs whether it is so here, where a difference within the seeds' spread is
 * open. */
int study_judge(struct study_results *results, struct caelum_error *err);

/* DIR/index.html, one file that loads nothing; and DIR/study.md, the same without charts and pictures. */
int study_page_write(const struct study_results *results, const char *dir, struct caelum_error *err);

/* DIR/results.json: all of it. */
int study_json_write(const struct study_results *results, const char *dir, struct caelum_error *err);

#endif
