/* svg_chart.c - lines are named at their ends, the names moved apart where lines end close together. Points,
 * of which many can be close together, and lines where there is no room for names have numbers that a
 * list below explains. */
#include "report/svg_chart.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/number.h"
#include "report/page.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double height = 360, left = 62, top = 40, bottom = 48;

/* NEAR: points closer than this, in x, have their numbers in one column. */
enum { WIDE = 620, NARROW = 360, MOST = 16, POINTS = 64, LINE = 15, NEAR = 30 };

/* Ranges of the axes, as logarithms where the axis is logarithmic. */
struct frame {
    const struct svg_chart *chart;
    bool narrow; /* lines have numbers at their ends, too */
    double x0, x1, y0, y1;
    double width, right; /* right: margin, as wide as the longest name */
};

static double scaled(bool logarithmic, double v) {
    return logarithmic ? (v > 0 ? log10(v) : NAN) : v;
}
static double px(const struct frame *f, double x) {
    return left + (scaled(f->chart->log_x, x) - f->x0) / (f->x1 - f->x0) * (f->width - left - f->right);
}
static double py(const struct frame *f, double y) {
    return height - bottom - (scaled(f->chart->log_y, y) - f->y0) / (f->y1 - f->y0) * (height - top - bottom);
}

static void widen(double *low, double *high, double v) {
    if (v < *low) *low = v;
    if (v > *high) *high = v;
}

static struct frame find_frame(const struct svg_chart *chart, bool narrow) {
    struct frame f = {chart, narrow, INFINITY, -INFINITY, INFINITY, -INFINITY, narrow ? NARROW : WIDE, 40};
    for (size_t s = 0; s < chart->count && !narrow; s++)
        if (chart->series[s].name) f.right = fmax(f.right, 24 + 7.6 * (double)strlen(chart->series[s].name));
    f.right = fmin(f.right, 240);
    for (size_t s = 0; s < chart->count; s++)
        for (size_t i = 0; i < chart->series[s].n; i++) {
            const double x = scaled(chart->log_x, chart->series[s].x[i]),
                         y = scaled(chart->log_y, chart->series[s].y[i]);
            if (!isfinite(x) || !isfinite(y)) continue;
            widen(&f.x0, &f.x1, x);
            widen(&f.y0, &f.y1, y);
            if (!chart->series[s].low) continue;
            const double low = scaled(chart->log_y, chart->series[s].low[i]);
            if (isfinite(low)) widen(&f.y0, &f.y1, low);
            widen(&f.y0, &f.y1, scaled(chart->log_y, chart->series[s].high[i]));
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
                     f->width - f->right, py(f, tick[i]), py(f, tick[i]));
        svg_text(to, left - 8, py(f, tick[i]) + 4, "end", "", text);
    }
    for (size_t i = 0, n = list_ticks(c->log_x, !c->parts_x, f->x0, f->x1, f->narrow ? 4 : 8, tick); i < n;
         i++) {
        number_print(text, sizeof text, "%g", tick[i]);
        number_write(to, "<line class=\"axis\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>\n",
                     px(f, tick[i]), px(f, tick[i]), height - bottom, height - bottom + 4);
        svg_text(to, px(f, tick[i]), height - bottom + 18, "middle", "", text);
    }
    number_write(to, "<line class=\"axis\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>\n", left,
                 f->width - f->right, height - bottom, height - bottom);
    svg_text(to, (left + f->width - f->right) / 2, height - 10, "middle", "",
             axis_name(c->x_label, c->log_x, name));
    svg_text(to, 0, 15, "start", "title", c->title);
    svg_text(to, 0, 32, "start", "", axis_name(c->y_label, c->log_y, name));
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
    size_t number, color;
    bool grey;
};

static void swap_names(struct name *a, struct name *b) {
    const struct name swap = *a;
    *a = *b;
    *b = swap;
}

/* Moves names on the same side apart, at least a line's height, in the order of their places, and
 * into the frame. */
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
    const double under = n > 0 ? top + 6 - name[0].y : 0;
    for (size_t i = 0; under > 0 && i < n; i++) name[i].y += under;
}

/* The numbers of points above each other, right of them; one that had to move is tied to its point. */
static void number_column(FILE *to, struct name *name, size_t n) {
    double x = 0;
    for (size_t i = 0; i < n; i++) x = fmax(x, name[i].x + 8), name[i].y += 4;
    spread_names(name, n);
    for (size_t i = 0; i < n; i++) {
        char text[24];
        if (fabs(name[i].y - 4 - name[i].wanted) > 3 || x - name[i].x > 9)
            number_write(to, "<line class=\"grid\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
                         name[i].x, name[i].wanted, x, name[i].y - 4);
        snprintf(text, sizeof text, "%zu", name[i].number);
        svg_text(to, x + 1, name[i].y, "start", "strong halo", text);
    }
}

/* Marks with their numbers next to them, from `first` on. */
static void draw_points(FILE *to, const struct frame *f, const struct svg_series *s, size_t first) {
    struct name name[POINTS];
    size_t n = 0;
    for (size_t i = 0; i < s->n && i < POINTS; i++) {
        const double x = px(f, s->x[i]), y = py(f, s->y[i]);
        if (isfinite(x) && isfinite(y))
            name[n++] = (struct name){s->point_names[i], x, y, y, first + i, s->point_colors[i], false};
    }
    for (size_t i = 1; i < n; i++)
        for (size_t j = i; j > 0 && name[j - 1].x > name[j].x; j--) swap_names(&name[j - 1], &name[j]);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && name[end].x - name[end - 1].x < NEAR;) end++;
        number_column(to, name + i, end - i);
    }
    for (size_t i = 0; i < n; i++)
        number_write(to, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"var(--c%zu)\"/>\n", name[i].x,
                     name[i].wanted, name[i].color);
}

static const char *css_color(size_t color, bool grey, char text[16]) {
    snprintf(text, 16, grey ? "--soft" : "--c%zu", color);
    return text;
}

static void draw_names(FILE *to, const struct frame *f, struct name *name, size_t n) {
    char color[16], number[24];
    spread_names(name, n);
    for (size_t i = 0; i < n; i++) {
        number_write(to, "<text class=\"halo\" x=\"%.1f\" y=\"%.1f\" style=\"font-weight:600;fill:var(%s)\">",
                     name[i].x, name[i].y, css_color(name[i].color, name[i].grey, color));
        snprintf(number, sizeof number, "%zu", name[i].number);
        html_text(to, "", f->narrow ? number : name[i].text, "</text>\n");
    }
}

static void draw(FILE *to, const struct svg_chart *chart, bool narrow, bool file) {
    const struct frame f = find_frame(chart, narrow);
    const char *side = narrow ? "n" : "w";
    struct name name[MOST];
    size_t names = 0, number = 1;
    number_write(to,
                 "<svg%s class=\"%s\" viewBox=\"0 0 %g %g\" role=\"img\" aria-labelledby=\"%s-t%s "
                 "%s-d%s\"><title id=\"%s-t%s\">",
                 file ? " xmlns=\"http://www.w3.org/2000/svg\"" : "", narrow ? "narrow" : "wide", f.width,
                 height, chart->id, side, chart->id, side, chart->id, side);
    html_text(to, "", chart->title, "</title>");
    fprintf(to, "<desc id=\"%s-d%s\">", chart->id, side);
    html_text(to, "", chart->description, "</desc>\n");
    if (file) html_svg_style(to);
    draw_frame(to, &f);
    for (size_t i = 0; i < chart->count && i < MOST; i++) {
        const struct svg_series *s = &chart->series[i];
        if (s->point_names) {
            draw_points(to, &f, s, number);
            number += s->n;
            continue;
        }
        const double y = draw_line(to, &f, s);
        if (isfinite(y))
            name[names++] =
                (struct name){s->name, px(&f, s->x[s->n - 1]) + 8, y + 4, y, number, s->color, s->dashed};
        number++;
    }
    draw_names(to, &f, name, names);
    fprintf(to, "</svg>\n");
}

int svg_chart_write(const struct svg_chart *chart, const char *path, struct caelum_error *err) {
    struct file_writer w;
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    if (to) draw(to, chart, false, true);
    if (!mem_stream_close(to, &text)) {
        free(text);
        return caelum_fail(err, CAELUM_ERESOURCE, "%s: out of memory for the chart", path);
    }
    int result = file_begin(&w, path, err);
    if (result == 0) {
        html_plain_colors(w.stream, text);
        result = file_commit(&w, err);
    }
    free(text);
    return result;
}

/* The names, numbered as in the chart. */
static void legend(FILE *to, const struct svg_chart *chart) {
    char color[16];
    fprintf(to, "<ol class=\"legend\">\n");
    for (size_t i = 0; i < chart->count && i < MOST; i++) {
        const struct svg_series *s = &chart->series[i];
        for (size_t j = 0; j < (s->point_names ? s->n : 1); j++) {
            const size_t own = s->point_names ? s->point_colors[j] : s->color;
            fprintf(to, "<li style=\"color:var(%s)\">", css_color(own, s->dashed, color));
            html_text(to, "", s->point_names ? s->point_names[j] : s->name, "</li>\n");
        }
    }
    fprintf(to, "</ol>\n");
}

void svg_figure_write(FILE *to, const struct svg_chart *chart, const char *caption) {
    bool points = false;
    for (size_t i = 0; i < chart->count; i++) points |= chart->series[i].point_names != NULL;
    fprintf(to, "<figure class=\"chart%s\">\n", points ? " points" : "");
    draw(to, chart, false, false);
    draw(to, chart, true, false);
    legend(to, chart);
    if (caption) html_text(to, "<figcaption>", caption, "</figcaption>\n");
    fprintf(to, "</figure>\n");
}
