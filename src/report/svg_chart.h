/* svg_chart.h - charts as <svg> elements of a page, or as files: text is text, colors are the page's. */
#ifndef CAELUM_REPORT_SVG_CHART_H
#define CAELUM_REPORT_SVG_CHART_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Colors that the page has; a series names one of them. */
enum { SVG_COLORS = 8 };

/* A line, or with `point_names` separate marks, which have numbers. A NaN, or what a logarithmic
 * axis can't show, is a gap. Borrowed until return. */
struct svg_series {
    const char *name;         /* shown at the end of a line; marks have none */
    const double *x, *y;      /* [n] */
    const double *low, *high; /* [n]: a band around the line; NULL: none */
    size_t n;
    const char *const *point_names; /* [n]: at most 64 marks instead of a line */
    const size_t *point_colors;     /* [n]: of the marks */
    size_t color;                   /* of a line, below SVG_COLORS */
    bool dashed;                    /* a line to compare with, in grey */
};

struct svg_chart {
    const char *title, *description; /* description: what a reader who can't see it is told */
    const char *x_label, *y_label;
    bool log_x, log_y;               /* the axis says so */
    bool parts_x;                    /* ticks of x need not be whole numbers */
    const struct svg_series *series; /* at most 16 */
    size_t count;
    const char *id; /* unique in the page */
};

/* An SVG file: the chart with a style sheet in it. Whole or not at all; the same chart
 * gives the same bytes. */
int svg_chart_write(const struct svg_chart *chart, const char *path, struct caelum_error *err);

/* <figure> of a page: the chart as wide as a page and as narrow as a telephone, one of which is shown, and
 * the list of names. caption: text, or NULL. */
void svg_figure_write(FILE *to, const struct svg_chart *chart, const char *caption);

#endif
