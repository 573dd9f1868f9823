/* study_figures.h - the figures of a study's runs: means over seeds, and how they compare with what was
 * published. */
#ifndef CAELUM_STUDY_STUDY_FIGURES_H
#define CAELUM_STUDY_STUDY_FIGURES_H

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
    const char *name, *command;
    const char *state;            /* "trained", "not run", "12 of 50 epochs", "another training: ..." */
    bool trained;                 /* and measured: all figures are there */
    double value[FIGURES];        /* NaN: none */
    struct caelum_epoch *history; /* [epochs] */
    size_t epochs, threads, best_epoch;
};

/* A run with all its seeds. */
struct study_result {
    const struct study_run *run;
    const caelum_net *net; /* NULL: could not be loaded */
    const char *sheet;     /* path of the contact sheet of the first seed, or NULL */
    struct study_seed *seed;
    size_t seeds, trained;
    size_t epochs; /* asked for */
    struct spread figure[FIGURES];
};

/* A point of the curve that trained networks are held against. */
struct study_pca {
    double numbers, mse;
};

/* A published figure or a claim, and how ours compare; the texts of figures and sections point into the
 * study. */
struct study_verdict {
    size_t section, run;                     /* run: of a reference */
    const struct study_reference *reference; /* NULL: it is a claim */
    const struct study_claim *claim;
    enum page_mark mark;
    char *text; /* a sentence */
};

/* What the report is made of. */
struct study_results {
    const struct study *study;
    bool quick, generated;       /* a quick pass; some of the data are generated pictures */
    const char *data;            /* "cifar-10, 60,000 pictures of 32 x 32: 48,000 / 6,000 / 6,000" */
    const char *machine;         /* kernels and build */
    struct study_result *result; /* one for each run of the study */
    struct study_pca *pca;
    size_t pca_count;
    double grey[FIGURES]; /* of a grey picture on the colorizers' data; NaN: not measured */
    struct study_verdict *verdict;
    size_t verdicts;
};

/* Adds the figures that every study has to study->figure. */
void study_figures_begin(struct study *study);
/* The figure of that key, or study->figures. */
size_t study_figure(const struct study *study, const char *key);
/* The figure that a run is judged by: the main one of its task. */
size_t study_main_figure(const struct study *study, const struct study_run *run);
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

enum { VERDICT_TEXT = 1200 }; /* bytes of a verdict's sentence, at most */
/* How ours compares with a published figure, and a sentence that says so. PAGE_OPEN: not run or measured yet,
 * or nothing can be judged. text: [VERDICT_TEXT]. */
enum page_mark study_judge_reference(const struct study_results *results, size_t run,
                                     const struct study_reference *reference, char *text, size_t size);
/* The same for a claim on two runs. A difference within the seeds' spread is open. */
enum page_mark study_judge_claim(const struct study_results *results, const struct study_claim *claim,
                                 char *text, size_t size);
/* Fills results->verdict, section by section. */
int study_judge(struct study_results *results, struct caelum_error *err);
void study_verdicts_free(struct study_results *results);

#endif
