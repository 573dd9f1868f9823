#include "image/chroma.h"

#include "base/mem.h"
#include "base/parallel.h"
#include "image/image.h"

#include <math.h>

/* Luminance times LUMA, a whole number: sums are exact. */
enum { LUMA = 255 * 1000 };
static uint32_t luma(const uint8_t *rgb) {
    return 299u * rgb[0] + 587u * rgb[1] + 114u * rgb[2];
}

/* --- Small ---------------------------------------------------------------------------------------- */

struct shrinking {
    const struct caelum_picture *picture;
    size_t w, h;
    float *y;
};

/* Where area i of n begins in a line of `length` pixels. */
static double area_start(size_t i, size_t n, size_t length) {
    return (double)i * (double)length / (double)n;
}

/* Luma of the pixels between two places of a line, parts of pixels in part. */
static double line_sum(const uint8_t *line, size_t width, double from, double to) {
    const size_t first = (size_t)from, end = (size_t)to;
    uint64_t whole = 0;
    for (size_t x = first; x < end; x++) whole += luma(line + 3 * x);
    double sum = (double)whole - (from - (double)first) * luma(line + 3 * first);
    if (end < width) sum += (to - (double)end) * luma(line + 3 * end);
    return sum;
}

/* One row of areas. */
static void shrink_row(void *cookie, size_t i, int worker) {
    const struct shrinking *s = cookie;
    const size_t height = s->picture->height, width = s->picture->width;
    const double from = area_start(i, s->h, height), to = area_start(i + 1, s->h, height);
    const double area = (to - from) * (double)width / (double)s->w;
    (void)worker;
    for (size_t j = 0; j < s->w; j++) {
        const double left = area_start(j, s->w, width), right = area_start(j + 1, s->w, width);
        double sum = 0;
        for (size_t row = (size_t)from; row < height && (double)row < to; row++) {
            const double share = fmin(to, (double)row + 1) - fmax(from, (double)row);
            sum += share * line_sum(s->picture->pixels + row * width * 3, width, left, right);
        }
        s->y[i * s->w + j] = (float)(sum / (area * LUMA));
    }
}

void chroma_shrink(const struct caelum_picture *picture, size_t w, size_t h, int threads, float *y) {
    struct shrinking s = {.picture = picture, .w = w, .h = h, .y = y};
    parallel_for(threads, h, shrink_row, &s);
}

/* --- Large ---------------------------------------------------------------------------------------- */

/* chroma = a Y + b, for U and V */
enum { A_U, B_U, A_V, B_V, LINES };

/* Luminance must vary by more than this (standard deviation) for chroma to follow it. */
static const double LEAST_CONTRAST = 0.03;

struct merging {
    const struct caelum_picture *picture;
    size_t w, h;
    const float *lines; /* [h][w][LINES] */
    const float *uv;    /* [2][h][w], at the picture's own size instead of lines; else NULL */
    uint8_t *pixels;
};

/* The window around i in a line of n: 3 wide, less at the ends. */
static size_t window_first(size_t i) {
    return i > 0 ? i - 1 : 0;
}
static size_t window_end(size_t i, size_t n) {
    return i + 2 < n ? i + 2 : n;
}

/* The slope of one plane of chroma over luminance in the window around (i, j). */
static float slope(const float *y, const float *chroma, size_t w, size_t h, size_t i, size_t j) {
    double n = 0, sum_y = 0, sum_c = 0, sum_yy = 0, sum_yc = 0;
    for (size_t r = window_first(i); r < window_end(i, h); r++)
        for (size_t c = window_first(j); c < window_end(j, w); c++) {
            const double l = (double)y[r * w + c], v = (double)chroma[r * w + c];
            n++, sum_y += l, sum_c += v, sum_yy += l * l, sum_yc += l * v;
        }
    const double mean_y = sum_y / n, mean_c = sum_c / n;
    return (float)((sum_yc / n - mean_y * mean_c) /
                   (sum_yy / n - mean_y * mean_y + LEAST_CONTRAST * LEAST_CONTRAST));
}

/* Each small pixel's slope is the mean of those in the window around it, and its line goes through its own
 * luminance and chroma. */
static void fit_lines(const float *y, const float *chroma, size_t w, size_t h, float *slopes, float *lines) {
    for (size_t i = 0; i < h; i++)
        for (size_t j = 0; j < w; j++) slopes[i * w + j] = slope(y, chroma, w, h, i, j);
    for (size_t i = 0; i < h; i++)
        for (size_t j = 0; j < w; j++) {
            float n = 0, sum = 0;
            for (size_t r = window_first(i); r < window_end(i, h); r++)
                for (size_t c = window_first(j); c < window_end(j, w); c++) n++, sum += slopes[r * w + c];
            lines[(i * w + j) * LINES] = sum / n;
            lines[(i * w + j) * LINES + 1] = chroma[i * w + j] - sum / n * y[i * w + j];
        }
}

/* Between which two small pixels the center of pixel i of `length` is, and how far along. */
static float between(size_t i, size_t length, size_t n, size_t *low, size_t *high) {
    const float at = ((float)i + 0.5f) * (float)n / (float)length - 0.5f;
    const float held = at < 0 ? 0 : at > (float)(n - 1) ? (float)(n - 1) : at;
    *low = (size_t)held;
    *high = *low + 1 < n ? *low + 1 : *low;
    return held - (float)*low;
}

static uint8_t to_byte(float v) {
    return (uint8_t)(v * 255 + 0.5f);
}

/* Luminance and chroma to RGB; of too much chroma as much as fits. */
static void merge_pixel(float y, float u, float v, uint8_t *rgb) {
    const float r = v * (1 / 0.877f), b = u * (1 / 0.492f);
    const float add[3] = {r, -(0.299f * r + 0.114f * b) * (1 / 0.587f), b};
    float share = 1;
    for (size_t c = 0; c < 3; c++) {
        const float most = add[c] > 0 ? (1 - y) / add[c] : add[c] < 0 ? -y / add[c] : 1;
        if (most < share) share = most;
    }
    for (size_t c = 0; c < 3; c++) {
        const float value = y + share * add[c];
        rgb[c] = to_byte(value > 0 ? value < 1 ? value : 1 : 0);
    }
}

static void merge_row(void *cookie, size_t i, int worker) {
    const struct merging *m = cookie;
    const size_t width = m->picture->width, plane = m->h * m->w;
    const uint8_t *in = m->picture->pixels + i * width * 3;
    uint8_t *out = m->pixels + i * width * 3;
    size_t top, bottom;
    const float down = between(i, m->picture->height, m->h, &top, &bottom);
    (void)worker;
    for (size_t j = 0; j < width; j++) {
        const float y = (float)luma(in + 3 * j) / LUMA;
        if (m->uv) {
            merge_pixel(y, m->uv[i * width + j], m->uv[plane + i * width + j], out + 3 * j);
            continue;
        }
        size_t left, right;
        const float along = between(j, width, m->w, &left, &right);
        const float *at[4] = {m->lines + (top * m->w + left) * LINES, m->lines + (top * m->w + right) * LINES,
                              m->lines + (bottom * m->w + left) * LINES,
                              m->lines + (bottom * m->w + right) * LINES};
        float line[LINES];
        for (size_t k = 0; k < LINES; k++) {
            const float upper = at[0][k] + along * (at[1][k] - at[0][k]);
            const float lower = at[2][k] + along * (at[3][k] - at[2][k]);
            line[k] = upper + down * (lower - upper);
        }
        merge_pixel(y, line[A_U] * y + line[B_U], line[A_V] * y + line[B_V], out + 3 * j);
    }
}

int chroma_merge(const struct caelum_picture *picture, const float *y, const float *uv, size_t w, size_t h,
                 int threads, struct caelum_picture *out, struct caelum_error *err) {
    const bool same = w == picture->width && h == picture->height;
    struct merging m = {.picture = picture, .w = w, .h = h, .uv = same ? uv : NULL};
    struct caelum_picture made = {0};
    float *lines = NULL; /* and the slopes that they are means of */
    if (!same) CHECK(mem_alloc(&lines, w * h * (LINES + 1), sizeof *lines, err));
    const int result = image_allocate_like(&made, picture, err);
    if (result == 0) {
        for (size_t c = 0; !same && c < 2; c++)
            fit_lines(y, uv + c * w * h, w, h, lines + w * h * LINES, lines + 2 * c);
        m.lines = lines;
        m.pixels = made.pixels;
        parallel_for(threads, picture->height, merge_row, &m);
        *out = made;
    }
    mem_free(&lines);
    return result;
}
