/* chart.h - line charts as SVG or PNG (cairo). */
#ifndef CAELUM_REPORT_CHART_H
#define CAELUM_REPORT_CHART_H

#include "base/error.h"

/* One line; points with a NaN or, on a logarithmic axis, a value <= 0 are gaps. */
struct chart_series {
    const char *name;
    const double *x, *y; /* [n], x ascending; borrowed until return */
    size_t n;
};

/* A horizontal line to compare with. */
struct chart_reference {
    const char *name;
    double y;
};

struct chart {
    const char *title, *x_label, *y_label;
    bool log_y;
    const struct chart_series *series;
    size_t series_count; /* at most 8 */
    const struct chart_reference *references;
    size_t reference_count;
};

/* Writes the chart to `path`, as SVG if it ends in ".svg", else as PNG; whole or not at all. Same input,
 * same bytes on one machine. */
int chart_write(const struct chart *chart, const char *path, struct caelum_error *err);

#endif
