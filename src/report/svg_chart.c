/* svg_chart.c - lines are named at their ends instead of in a legend, the names moved apart where lines end
 * close together. */
#include "report/svg_chart.h"

#include "base/number.h"
#include "report/html.h"

#include <math.h>
#include <string.h>

static const double width = 620, height = 360, left = 62, top = 40, bottom = 48;

enum { MOST = 16, POINTS = 64, LINE = 15 };

/* Ranges of the axes, as logarithms where the axis is logarithmic. */
struct frame {
    const struct svg_chart *chart;
    double x0, x1, y0, y1;
    double right; /* margin: as wide as the longest name */
};

static double scaled(bool logarithmic, double v) {
    return logarithmic ? (v > 0 ? log10(v) : NAN) : v;
}
static double px(const struct frame *f, double x) {
    return left + (scaled(f->chart->log_x, x) - f->x0) / (f->x1 - f->x0) * (width - left - f->right);
}
static double py(const struct frame *f, double y) {
    return height - bottom - (scaled(f->chart->log_y, y) - f->y0) / (f->y1 - f->y0) * (height - top - bottom);
}

static void widen(double *low, double *high, double v) {
    if (v < *low) *low = v;
    if (v > *high) *high = v;
}

static struct frame find_frame(const struct svg_chart *chart) {
    struct frame f = {chart, INFINITY, -INFINITY, INFINITY, -INFINITY, 40};
    for (size_t s = 0; s < chart->count; s++) {
        const struct svg_series *series = &chart->series[s];
        for (size_t i = 0; i < (series->point_names ? series->n : 1); i++)
            f.right = fmax(f.right, 24 + 7.6 * (double)strlen(series->point_names ? series->point_names[i]
                                                                                  : series->name));
    }
    f.right = fmin(f.right, 240);
    for (size_t s = 0; s < chart->count; s++)
        for (size_t i = 0; i < chart->series[s].n; i++) {
            const double x = scaled(chart->log_x, chart->series[s].x[i]),
                         y = scaled(chart->log_y, chart->series[s].y[i]);
            if (!isfinite(x) || !isfinite(y)) continue;
            widen(&f.x0, &f.x1, x);
            widen(&f.y0, &f.y1, y);
        }
    if (!(f.x0 <= f.x1)) f.x0 = 0, f.x1 = 1, f.y0 = 0, f.y1 = 1;
    const double mx = f.x1 > f.x0 ? (chart->log_x ? 0.04 * (f.x1 - f.x0) : 0) : 0.5,
                 my = f.y1 > f.y0 ? 0.06 * (f.y1 - f.y0) : 0.1;
    f.x0 -= mx, f.x1 += mx, f.y0 -= my, f.y1 += my;
    return f;
}

/* A step of 1, 2 or 5 times a power of ten that gives about `count` ticks. */
static double nice_step(double range, double count) {
    const double raw = range / count, power = pow(10, floor(log10(raw))), f = raw / power;
    return power * (f < 1.5 ? 1 : f < 3.5 ? 2 : f < 7.5 ? 5 : 10);
}

/* Ticks of an axis, whole numbers if wanted, from `low` to `high` (logarithms on a logarithmic one); returns
 * their number. */
static size_t list_ticks(bool logarithmic, bool whole, double low, double high, double count,
                         double tick[64]) {
    size_t n = 0;
    if (!logarithmic || high - low < 0.5) { /* a logarithmic axis that spans little has even steps too */
        const double a = logarithmic ? pow(10, low) : low, b = logarithmic ? pow(10, high) : high;
        double step = nice_step(b - a, count);
        if (whole && step < 1) step = 1;
        for (double v = ceil(a / step - 1e-9) * step; v <= b + step * 1e-9 && n < 64; v += step)
            tick[n++] = fabs(v) < step * 1e-9 ? 0 : v;
        return n;
    }
    const double span = high - low;
    for (double decade = floor(low); decade <= ceil(high); decade++)
        for (int digit = 1; digit < 10; digit++) {
            const bool wanted = digit == 1 || (span <= 3 && (digit == 2 || digit == 5));
            const double v = pow(10, decade) * digit;
            if (wanted && log10(v) >= low && log10(v) <= high && n < 64) tick[n++] = v;
        }
    return n;
}

static void label(FILE *to, double x, double y, const char *anchor, const char *class, const char *text) {
    number_write(to, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\"%s%s%s>", x, y, anchor,
                 *class ? " class=\"" : "", class, *class ? "\"" : "");
    html_text(to, text);
    number_write(to, "</text>\n");
}

static const char *axis_name(const char *label, bool logarithmic, char name[128]) {
    snprintf(name, 128, "%.100s%s", label, logarithmic ? ", logarithmic" : "");
    return name;
}

static void draw_frame(FILE *to, const struct frame *f) {
    const struct svg_chart *c = f->chart;
    double tick[64];
    char text[32], name[128];
    for (size_t i = 0, n = list_ticks(c->log_y, false, f->y0, f->y1, 5, tick); i < n; i++) {
        number_print(text, sizeof text, "%.6g", tick[i]);
        number_write(to, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>\n", left,
                     width - f->right, py(f, tick[i]), py(f, tick[i]));
        label(to, left - 8, py(f, tick[i]) + 4, "end", "", text);
    }
    for (size_t i = 0, n = list_ticks(c->log_x, true, f->x0, f->x1, 8, tick); i < n; i++) {
        number_print(text, sizeof text, "%g", tick[i]);
        number_write(to, "<line class=\"axis\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>\n",
                     px(f, tick[i]), px(f, tick[i]), height - bottom, height - bottom + 4);
        label(to, px(f, tick[i]), height - bottom + 18, "middle", "", text);
    }
    number_write(to, "<line class=\"axis\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>\n", left,
                 width - f->right, height - bottom, height - bottom);
    label(to, (left + width - f->right) / 2, height - 10, "middle", "",
          axis_name(c->x_label, c->log_x, name));
    label(to, 0, 15, "start", "title", c->title);
    label(to, 0, 32, "start", "", axis_name(c->y_label, c->log_y, name));
}

/* The band, then the line in runs between gaps. Returns the y of its end, or NaN. */
static double draw_line(FILE *to, const struct frame *f, const struct svg_series *s) {
    double end = NAN;
    if (s->low && s->n > 1) {
        number_write(to, "<path fill=\"var(--c%zu)\" fill-opacity=\".15\" d=\"", s->color);
        for (size_t i = 0; i < s->n; i++)
            number_write(to, "%c%.1f %.1f", i ? 'L' : 'M', px(f, s->x[i]), py(f, s->low[i]));
        for (size_t i = s->n; i-- > 0;) number_write(to, "L%.1f %.1f", px(f, s->x[i]), py(f, s->high[i]));
        number_write(to, "Z\"/>\n");
    }
    number_write(to, "<path class=\"line%s\"", s->dashed ? " dashed" : "");
    if (!s->dashed) number_write(to, " stroke=\"var(--c%zu)\"", s->color);
    number_write(to, " d=\"");
    bool pen = false;
    for (size_t i = 0; i < s->n; i++) {
        const double x = px(f, s->x[i]), y = py(f, s->y[i]);
        if (isfinite(x) && isfinite(y)) {
            number_write(to, "%c%.1f %.1f", pen ? 'L' : 'M', x, y);
            end = y;
        }
        pen = isfinite(x) && isfinite(y);
    }
    number_write(to, "\"/>\n");
    return end;
}

/* A name's place; wanted, then moved. */
struct name {
    const char *text;
    double x, y, wanted;
    size_t color;
    bool grey;
};

static void swap_names(struct name *a, struct name *b) {
    const struct name swap = *a;
    *a = *b;
    *b = swap;
}

/* Moves names that stand at the same side apart, at least a line's height, in the order of their places. */
static void spread_names(struct name *name, size_t n) {
    for (size_t i = 1; i < n; i++)
        for (size_t j = i; j > 0 && name[j - 1].y > name[j].y; j--) swap_names(&name[j - 1], &name[j]);
    for (int round = 0; round < 40; round++)
        for (size_t i = 1; i < n; i++) {
            const double lack = LINE - (name[i].y - name[i - 1].y);
            if (lack > 0) name[i - 1].y -= lack / 2, name[i].y += lack / 2;
        }
    const double over = n > 0 ? name[n - 1].y - (height - bottom) : 0;
    for (size_t i = 0; over > 0 && i < n; i++) name[i].y -= over;
}

/* The names of points that stand above each other: to the right, or to the left where the next points are
 * near; one that had to move is tied to its point. */
static void name_column(FILE *to, struct name *name, size_t n, bool at_left) {
    double from[POINTS];
    for (size_t i = 0; i < n; i++) name[i].y += 4;
    spread_names(name, n);
    for (size_t i = 0; i < n; i++) from[i] = name[i].wanted;
    for (size_t i = 0; i < n; i++) {
        const double x = name[i].x + (at_left ? -12 : 12);
        if (fabs(name[i].y - 4 - from[i]) > 3)
            number_write(to, "<line class=\"grid\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
                         name[i].x, from[i], x, name[i].y - 4);
        label(to, x + (at_left ? -2 : 2), name[i].y, at_left ? "end" : "start", "strong halo", name[i].text);
    }
}

/* Marks with their names beside them. */
static void draw_points(FILE *to, const struct frame *f, const struct svg_series *s) {
    struct name name[POINTS];
    size_t n = 0;
    for (size_t i = 0; i < s->n && n < POINTS; i++) {
        const double x = px(f, s->x[i]), y = py(f, s->y[i]);
        if (isfinite(x) && isfinite(y))
            name[n++] = (struct name){s->point_names[i], x, y, y, s->point_colors[i], false};
    }
    for (size_t i = 1; i < n; i++)
        for (size_t j = i; j > 0 && name[j - 1].x > name[j].x; j--) swap_names(&name[j - 1], &name[j]);
    double before = -INFINITY;
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && name[end].x - name[i].x < 4;) end++;
        const double next = end < n ? name[end].x : INFINITY;
        const bool at_left = next - name[i].x < 96 && name[i].x - before > next - name[i].x;
        before = name[i].x;
        name_column(to, name + i, end - i, at_left);
    }
    for (size_t i = 0; i < n; i++)
        number_write(to, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"var(--c%zu)\"/>\n", name[i].x,
                     name[i].wanted, name[i].color);
}

void svg_chart_write(FILE *to, const struct svg_chart *chart) {
    const struct frame f = find_frame(chart);
    struct name name[MOST];
    size_t names = 0;
    number_write(
        to, "<svg%s viewBox=\"0 0 %g %g\" role=\"img\" aria-labelledby=\"%s-t %s-d\"><title id=\"%s-t\">",
        chart->kind == SVG_FILE ? " xmlns=\"http://www.w3.org/2000/svg\"" : "", width, height, chart->id,
        chart->id, chart->id);
    html_text(to, chart->title);
    number_write(to, "</title><desc id=\"%s-d\">", chart->id);
    html_text(to, chart->description);
    number_write(to, "</desc>\n");
    if (chart->kind == SVG_FILE) html_svg_style(to);
    draw_frame(to, &f);
    for (size_t i = 0; i < chart->count && i < MOST; i++) {
        const struct svg_series *s = &chart->series[i];
        if (s->point_names) {
            draw_points(to, &f, s);
            continue;
        }
        const double y = draw_line(to, &f, s);
        if (isfinite(y))
            name[names++] = (struct name){s->name, px(&f, s->x[s->n - 1]) + 8, y + 4, y, s->color, s->dashed};
    }
    spread_names(name, names);
    for (size_t i = 0; i < names; i++) {
        char fill[16] = "soft";
        if (!name[i].grey) snprintf(fill, sizeof fill, "c%zu", name[i].color);
        number_write(to,
                     "<text class=\"halo\" x=\"%.1f\" y=\"%.1f\" style=\"font-weight:600;fill:var(--%s)\">",
                     name[i].x, name[i].y, fill);
        html_text(to, name[i].text);
        number_write(to, "</text>\n");
    }
    number_write(to, "</svg>\n");
}
