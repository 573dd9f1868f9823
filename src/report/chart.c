/* chart.c - one drawing routine on cairo, two kinds of surface. Lines are named at their ends instead of
 * in a legend; the colors (Okabe & Ito 2008) can be told apart by the color-blind. */
#include "report/chart.h"

#include "base/file.h"
#include "base/number.h"

#include <cairo-svg.h>
#include <cairo.h>
#include <math.h>
#include <string.h>

static const double width = 960, height = 560, left = 92, right = 128, top = 64, bottom = 64;

static const double palette[8][3] = {{0.00, 0.45, 0.70}, {0.84, 0.37, 0.00}, {0.00, 0.62, 0.45},
                                     {0.80, 0.47, 0.65}, {0.90, 0.62, 0.00}, {0.34, 0.71, 0.91},
                                     {0.30, 0.30, 0.30}, {0.60, 0.50, 0.00}};

/* Ranges of the axes; y holds logarithms on a logarithmic axis. */
struct axes {
    double x0, x1, y0, y1;
    bool log_y;
};

static double axis_y(const struct axes *a, double y) {
    return a->log_y ? log10(y) : y;
}
static bool drawable(const struct axes *a, double x, double y) {
    return isfinite(x) && isfinite(y) && (!a->log_y || y > 0);
}
static double px(const struct axes *a, double x) {
    return left + (x - a->x0) / (a->x1 - a->x0) * (width - left - right);
}
static double py(const struct axes *a, double y) {
    return height - bottom - (axis_y(a, y) - a->y0) / (a->y1 - a->y0) * (height - top - bottom);
}

static void widen(double *low, double *high, double value) {
    if (value < *low) *low = value;
    if (value > *high) *high = value;
}

static struct axes find_axes(const struct chart *chart) {
    struct axes a = {INFINITY, -INFINITY, INFINITY, -INFINITY, chart->log_y};
    for (size_t s = 0; s < chart->series_count; s++)
        for (size_t i = 0; i < chart->series[s].n; i++) {
            const double x = chart->series[s].x[i], y = chart->series[s].y[i];
            if (!drawable(&a, x, y)) continue;
            widen(&a.x0, &a.x1, x);
            widen(&a.y0, &a.y1, axis_y(&a, y));
        }
    for (size_t r = 0; r < chart->reference_count; r++)
        if (drawable(&a, 0, chart->references[r].y)) widen(&a.y0, &a.y1, axis_y(&a, chart->references[r].y));
    if (!(a.x0 <= a.x1)) a.x0 = 0, a.x1 = 1;
    if (!(a.y0 <= a.y1)) a.y0 = 0, a.y1 = 1;
    if (a.x0 == a.x1) a.x0 -= 0.5, a.x1 += 0.5;
    const double margin = a.y1 > a.y0 ? 0.06 * (a.y1 - a.y0) : a.log_y ? 0.1 : fmax(fabs(a.y0) * 0.1, 1e-9);
    a.y0 -= margin, a.y1 += margin;
    return a;
}

/* A step of 1, 2 or 5 times a power of ten that gives about `count` ticks. */
static double nice_step(double range, double count) {
    const double raw = range / count, power = pow(10, floor(log10(raw))), f = raw / power;
    return power * (f < 1.5 ? 1 : f < 3.5 ? 2 : f < 7.5 ? 5 : 10);
}

static void text(cairo_t *cr, double x, double y, double align, const char *string) {
    cairo_text_extents_t e;
    cairo_text_extents(cr, string, &e);
    cairo_move_to(cr, x - align * e.x_advance, y);
    cairo_show_text(cr, string);
}

static void font(cairo_t *cr, double size, bool bold) {
    cairo_select_font_face(cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                           bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(cr, size);
}

static void ink(cairo_t *cr, double grey) {
    cairo_set_source_rgb(cr, grey, grey, grey);
}

static void grid_line(cairo_t *cr, double x0, double y0, double x1, double y1) {
    ink(cr, 0.88);
    cairo_set_line_width(cr, 1);
    cairo_move_to(cr, x0, y0);
    cairo_line_to(cr, x1, y1);
    cairo_stroke(cr);
    ink(cr, 0.25);
}

static void y_tick(cairo_t *cr, const struct axes *a, double y) {
    char label[32];
    number_print(label, sizeof label, "%.4g", fabs(y) < 1e-12 ? 0.0 : y);
    grid_line(cr, left, py(a, y), width - right, py(a, y));
    text(cr, left - 10, py(a, y) + 5, 1, label);
}

static void draw_y_ticks(cairo_t *cr, const struct axes *a) {
    if (!a->log_y) {
        const double step = nice_step(a->y1 - a->y0, 6);
        for (double y = ceil(a->y0 / step) * step; y <= a->y1; y += step) y_tick(cr, a, y);
        return;
    }
    /* 1, 2, 5 in each decade; every digit where the axis spans little, powers of ten where much */
    const double span = a->y1 - a->y0;
    for (double decade = floor(a->y0); decade <= ceil(a->y1); decade++)
        for (int digit = 1; digit < 10; digit++) {
            const double y = pow(10, decade) * digit;
            const bool wanted = span > 2.5   ? digit == 1
                                : span > 0.7 ? digit == 1 || digit == 2 || digit == 5
                                             : true;
            if (wanted && log10(y) >= a->y0 && log10(y) <= a->y1) y_tick(cr, a, y);
        }
}

static void draw_frame(cairo_t *cr, const struct chart *chart, const struct axes *a) {
    char label[32];
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_paint(cr);
    font(cr, 14, false);
    draw_y_ticks(cr, a);
    double step = nice_step(a->x1 - a->x0, 10);
    if (step < 1 && a->x1 - a->x0 >= 1) step = 1;
    for (double x = ceil(a->x0 / step) * step; x <= a->x1 + step * 1e-9; x += step) {
        number_print(label, sizeof label, "%g", x);
        grid_line(cr, px(a, x), top, px(a, x), height - bottom);
        text(cr, px(a, x), height - bottom + 22, 0.5, label);
    }
    ink(cr, 0.25);
    text(cr, (left + width - right) / 2, height - 16, 0.5, chart->x_label);
    cairo_save(cr);
    cairo_translate(cr, 24, (top + height - bottom) / 2);
    cairo_rotate(cr, -1.5707963267948966);
    text(cr, 0, 0, 0.5, chart->y_label);
    cairo_restore(cr);
    font(cr, 19, true);
    ink(cr, 0.1);
    text(cr, left, 36, 0, chart->title);
}

static void draw_series(cairo_t *cr, const struct axes *a, const struct chart_series *s,
                        const double color[3], double *label_y) {
    bool pen = false;
    double last_x = NAN, last_y = NAN;
    cairo_set_source_rgb(cr, color[0], color[1], color[2]);
    cairo_set_line_width(cr, 2.4);
    cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
    for (size_t i = 0; i < s->n; i++) {
        if (!drawable(a, s->x[i], s->y[i])) {
            pen = false;
            continue;
        }
        last_x = px(a, s->x[i]), last_y = py(a, s->y[i]);
        if (pen)
            cairo_line_to(cr, last_x, last_y);
        else
            cairo_move_to(cr, last_x, last_y);
        pen = true;
    }
    cairo_stroke(cr);
    for (size_t i = 0; s->n <= 25 && i < s->n; i++)
        if (drawable(a, s->x[i], s->y[i])) {
            cairo_arc(cr, px(a, s->x[i]), py(a, s->y[i]), 3.4, 0, 6.2831853);
            cairo_fill(cr);
        }
    if (isnan(last_x)) return;
    /* keep the names apart where lines end close together */
    if (!isnan(*label_y) && fabs(last_y - *label_y) < 17) last_y = *label_y + (last_y < *label_y ? -17 : 17);
    *label_y = last_y;
    font(cr, 14, true);
    text(cr, fmin(last_x + 10, width - right + 10), last_y + 5, 0, s->name);
}

static void draw(cairo_t *cr, const struct chart *chart) {
    const struct axes a = find_axes(chart);
    static const double dash[] = {7, 5};
    draw_frame(cr, chart, &a);
    for (size_t r = 0; r < chart->reference_count; r++) {
        const double y = chart->references[r].y;
        if (!drawable(&a, 0, y)) continue;
        ink(cr, 0.45);
        cairo_set_line_width(cr, 1.5);
        cairo_set_dash(cr, dash, 2, 0);
        cairo_move_to(cr, left, py(&a, y));
        cairo_line_to(cr, width - right, py(&a, y));
        cairo_stroke(cr);
        cairo_set_dash(cr, NULL, 0, 0);
        font(cr, 13, false);
        text(cr, left + 8, py(&a, y) - 6, 0, chart->references[r].name);
    }
    double label_y = NAN;
    for (size_t s = 0; s < chart->series_count; s++)
        draw_series(cr, &a, &chart->series[s], palette[s % 8], &label_y);
}

/* cairo's way out; a failed write is seen by file_commit. */
static cairo_status_t write_bytes(void *closure, const unsigned char *bytes, unsigned int size) {
    struct file_writer *w = closure;
    return fwrite(bytes, 1, size, w->stream) == size ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

int chart_write(const struct chart *chart, const char *path, struct caelum_error *err) {
    const size_t length = strlen(path);
    const bool svg = length >= 4 && strcmp(path + length - 4, ".svg") == 0;
    struct file_writer w;
    CHECK(file_begin(&w, path, err));
    cairo_surface_t *surface = svg ? cairo_svg_surface_create_for_stream(write_bytes, &w, width, height)
                                   : cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)width, (int)height);
    cairo_t *cr = cairo_create(surface);
    draw(cr, chart);
    cairo_status_t status = cairo_status(cr);
    cairo_destroy(cr);
    if (!svg && status == CAIRO_STATUS_SUCCESS)
        status = cairo_surface_write_to_png_stream(surface, write_bytes, &w);
    cairo_surface_finish(surface);
    if (status == CAIRO_STATUS_SUCCESS) status = cairo_surface_status(surface);
    cairo_surface_destroy(surface);
    if (status != CAIRO_STATUS_SUCCESS) {
        file_abandon(&w);
        return caelum_fail(err, CAELUM_EIO, "%s: not written: %s", path, cairo_status_to_string(status));
    }
    return file_commit(&w, err);
}
