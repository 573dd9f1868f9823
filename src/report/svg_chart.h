/* svg_chart.h - charts as <svg> elements of a page, or as files: text is text, colors are the page's. */
#ifndef CAELUM_REPORT_SVG_CHART_H
#define CAELUM_REPORT_SVG_CHART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Colors that the page has; a series names one of them. */
enum { SVG_COLORS = 8 };

/* A line, or with `points` separate marks, each with its own name beside it. A NaN, or what a logarithmic
 * axis can't show, is a gap. Borrowed until return. */
struct svg_series {
    const char *name;         /* stands at the end of a line */
    const double *x, *y;      /* [n] */
    const double *low, *high; /* [n]: a band around the line; NULL: none */
    size_t n;
    const char *const *point_names; /* [n]: at most 64 marks instead of a line */
    const size_t *point_colors;     /* [n]: of the marks */
    size_t color;                   /* of a line, below SVG_COLORS */
    bool dashed;                    /* a line to compare with, in grey */
};

/* Part of a page, which gives the colors; or a file of its own, with a light style in it. */
enum svg_kind { SVG_INLINE, SVG_FILE };

struct svg_chart {
    enum svg_kind kind;
    const char *title, *description; /* description: what a reader who can't see it is told */
    const char *x_label, *y_label;
    bool log_x, log_y;               /* the axis says so */
    const struct svg_series *series; /* at most 16 */
    size_t count;
    const char *id; /* unique in the page */
};

void svg_chart_write(FILE *to, const struct svg_chart *chart);

#endif
