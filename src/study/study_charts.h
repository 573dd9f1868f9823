/* study_charts.h - what the pages about studies and comparisons draw: networks, and the validation curves of
 * runs side by side. */
#ifndef CAELUM_STUDY_STUDY_CHARTS_H
#define CAELUM_STUDY_STUDY_CHARTS_H

#include "base/error.h"

#include <stdio.h>

/* <figure> of a page: boxes from left to right, the input first, as high as the tensor's rows, as wide as its
 * channels. The bottleneck is marked. Skips (save, add, concat) are arcs. id: unique in the page. */
void network_write(FILE *to, const caelum_net *net, const char *title, const char *id);

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
