/* curves.c - see curves.h. */
#include "study/curves.h"

#include "base/mem.h"
#include "report/svg_chart.h"

#include <math.h>

/* Fills [4][epochs]: epoch, mean, lowest, highest. */
static void fill(const struct curves_run *run, bool accuracy, double *values) {
    for (size_t e = 0; e < run->epochs; e++) {
        double sum = 0, low = INFINITY, high = -INFINITY;
        for (size_t i = 0; i < run->seeds; i++) {
            const struct caelum_epoch *at = &run->history[i][e];
            const double v = accuracy ? at->val_accuracy : at->val_loss;
            sum += v, low = fmin(low, v), high = fmax(high, v);
        }
        values[e] = (double)(e + 1);
        values[run->epochs + e] = sum / (double)run->seeds;
        values[2 * run->epochs + e] = low;
        values[3 * run->epochs + e] = high;
    }
}

int curves_write(FILE *to, const char *path, const struct curves_run *runs, size_t count, bool accuracy,
                 const char *id, struct caelum_error *err) {
    struct svg_series series[CURVES_RUNS];
    double *memory = NULL;
    size_t n = 0, all = 1;
    for (size_t r = 0; r < count; r++) all += 4 * runs[r].epochs;
    CHECK(mem_alloc(&memory, all, sizeof *memory, err));
    double *at = memory;
    for (size_t r = 0; r < count && n < CURVES_RUNS; r++) {
        const size_t epochs = runs[r].epochs;
        const bool band = runs[r].seeds > 1;
        if (epochs == 0) continue;
        fill(&runs[r], accuracy, at);
        series[n++] = (struct svg_series){.name = runs[r].name,
                                          .color = runs[r].color,
                                          .x = at,
                                          .y = at + epochs,
                                          .low = band ? at + 2 * epochs : NULL,
                                          .high = band ? at + 3 * epochs : NULL,
                                          .n = epochs};
        at += 4 * epochs;
    }
    const struct svg_chart chart = {
        .title = accuracy ? "Validation accuracy by epoch" : "Validation loss by epoch",
        .description = "A line for each run: the mean over its seeds; the band is their range.",
        .x_label = "epoch",
        .y_label = accuracy ? "share of pixels whose largest channel agrees" : "loss",
        .log_y = !accuracy,
        .series = series,
        .count = n,
        .id = id};
    int result = CAELUM_OK;
    if (!to)
        result = svg_chart_write(&chart, path, err);
    else if (n > 0)
        svg_figure_write(to, &chart,
                         count <= CURVES_RUNS ? NULL : "At most 16 runs are drawn, the first ones.");
    mem_free(&memory);
    return result;
}
