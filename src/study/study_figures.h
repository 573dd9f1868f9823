/* study_figures.h - the figures of a study's runs: what each is called, means over seeds, and how they stand
 * to what was published. The report's every sentence and cell comes from here. */
#ifndef CAELUM_STUDY_STUDY_FIGURES_H
#define CAELUM_STUDY_STUDY_FIGURES_H

#include "study/study_file.h"

/* Figures of one training, in the order of tables. */
enum figure {
    FIGURE_MSE,
    FIGURE_LOSS, /* to colorize 8 uv_mse_float, a supposed scale (docs/studies.md); to reconstruct mse */
    FIGURE_ACCURACY,
    FIGURE_PSNR,
    FIGURE_SSIM,
    FIGURE_MAE,
    FIGURE_UV_MSE,
    FIGURE_R2,
    FIGURE_RGB_MSE,
    FIGURE_COLORFULNESS,
    FIGURE_PARAMETERS,
    FIGURE_LATENT,
    FIGURE_BOTTLENECK,
    FIGURE_PCA, /* MSE of PCA with as many numbers as the bottleneck */
    FIGURE_SECONDS,
    FIGURE_RATE,
    FIGURES
};

struct figure_kind {
    const char *key;   /* in files and references: "mse" */
    const char *title; /* in tables: "MSE" */
    const char *format;
    int better;       /* -1: lower, 1: higher, 0: neither */
    double tolerance; /* share of a published value within which ours counts as the same */
};
extern const struct figure_kind figure_kinds[FIGURES];

/* The figure of that key, or FIGURES. */
enum figure figure_find(const char *key);

/* A figure over the seeds that have it: mean and population deviation. n = 0: none has. */
struct spread {
    double mean, deviation, low, high;
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
};

/* Fills result->figure from its seeds. */
void study_spread(struct study_result *result);

/* "0.003661", or "-" for a NaN. text: [48]. */
const char *figure_text(enum figure figure, double value, char text[48]);
/* "0.003661 +- 0.000082" with a true plus-minus; the spread is left out for one seed. */
const char *spread_text(enum figure figure, const struct spread *spread, char text[96]);

/* "0.0039", ">= 0.02" with a true sign. text: [96]. */
const char *published_text(const struct study_reference *reference, char text[96]);

/* OPEN: no run yet, no such figure, or no figures to judge by. */
enum verdict { VERDICT_OPEN, VERDICT_YES, VERDICT_NO };
enum { VERDICT_TEXT = 1200 }; /* bytes of a verdict's sentence, at most */

/* Whether figures of this study can be held against published ones: not those of a quick pass, nor those of
 * generated pictures. */
bool study_judges(const struct study_results *results);

/* How ours stands to a published figure, and a sentence that says so. text: [VERDICT_TEXT]. */
enum verdict study_judge_reference(const struct study_results *results, const struct study_result *result,
                                   const struct study_reference *reference, char *text, size_t size);

/* The same for a claim on two runs. A difference within the seeds' spread is OPEN. */
enum verdict study_judge_claim(const struct study_results *results, const struct study_claim *claim,
                               char *text, size_t size);

#endif
