/* curves.h - the validation curves of runs, side by side. */
#ifndef CAELUM_STUDY_CURVES_H
#define CAELUM_STUDY_CURVES_H

#include "base/error.h"

#include <stdio.h>

enum { CURVES_RUNS = 16, CURVES_SEEDS = 32 }; /* at most; what is more is left out */

/* A run's trainings, one a seed: their mean is drawn, and their range as a band. */
struct curves_run {
    const char *name;
    size_t color, seeds, epochs; /* epochs: of the shortest; 0: nothing is drawn */
    const struct caelum_epoch *history[CURVES_SEEDS];
};

/* Accuracy or loss by epoch, as a figure of the page `to` with an id that is unique in it; or, where `to` is
 * NULL, as the file at `path`. */
int curves_write(FILE *to, const char *path, const struct curves_run *runs, size_t count, bool accuracy,
                 const char *id, struct caelum_error *err);

#endif
