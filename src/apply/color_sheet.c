#include "apply/color_sheet.h"

#include "apply/colorizer_gain.h"
#include "apply/predict_color.h"
#include "base/color.h"
#include "base/mem.h"
#include "base/number.h"
#include "report/sheet.h"

#include <stdio.h>
#include <string.h>

enum { GREY, MEAN, VIVID, TRUTH, ROWS, COLUMNS = 10 };

static const char *const row_names[ROWS] = {"grey", "vivid 0", "vivid 1", "truth"};

/* U and V squared, or their distance to the truth's where there are some, mean over pixels. */
static double uv_mse(const uint8_t *truth, const float *uv, size_t plane) {
    double sum = 0;
    for (size_t j = 0; j < plane; j++) {
        double rgb[3], yuv[3];
        for (size_t c = 0; c < 3; c++) rgb[c] = truth[c * plane + j] / 255.0;
        color_rgb_to_yuv(rgb, yuv);
        const double u = yuv[1] - (uv ? (double)uv[j] : 0), v = yuv[2] - (uv ? (double)uv[plane + j] : 0);
        sum += (u * u + v * v) / 2;
    }
    return sum / (double)plane;
}

/* One picture's rows, and what stands below them. uv: [2][h][w] at vivid 0, and then at 1. */
static void fill(const struct pictures *p, size_t i, float *uv, double gain, uint8_t *rows,
                 char caption[24]) {
    const size_t plane = p->h * p->w, size = pictures_size(p);
    const uint8_t *truth = pictures_at(p, i);
    number_print(caption, 24, "%.4f, %.4f", uv_mse(truth, uv, plane), uv_mse(truth, NULL, plane));
    color_recolor(truth, NULL, plane, rows + GREY * size);
    color_recolor(truth, uv, plane, rows + MEAN * size);
    for (size_t j = 0; j < 2 * plane; j++) uv[j] *= (float)gain;
    color_recolor(truth, uv, plane, rows + VIVID * size);
    memcpy(rows + TRUTH * size, truth, size);
}

int color_sheet_write(const struct caelum_model *model, const struct pictures *p, const char *title,
                      const char *path, struct caelum_error *err) {
    const size_t size = pictures_size(p), plane = p->h * p->w;
    struct pooled *pooled = NULL;
    struct caelum_net_info info;
    char subtitle[160];
    float *uv = NULL;
    uint8_t *pixels = NULL;
    char(*captions)[24] = NULL;
    CHECK(predict_color_check(model->net, p, err));
    caelum_net_describe(model->net, &info);
    const char *epoch = caelum_model_metadata(model, "epoch");
    snprintf(subtitle, sizeof subtitle, "%zu parameters, epoch %s; below, UV MSE at vivid 0, and grey's",
             info.parameters, epoch ? epoch : "unknown");
    int result = pool_take(&pooled, model, model->net->layers, 0, err);
    if (result == 0) result = mem_alloc(&uv, p->n, 2 * plane * sizeof *uv, err);
    if (result == 0) result = mem_alloc(&pixels, p->n * ROWS, size, err);
    if (result == 0) result = mem_alloc(&captions, p->n, sizeof *captions, err);
    if (result == 0)
        result = predict_color(&pooled->engine, &(struct predict_color){.pictures = p, .n = p->n, .gain = 1},
                               uv, err);
    for (size_t i = 0; result == 0 && i < p->n; i++)
        fill(p, i, uv + i * 2 * plane, colorizer_gain(model, 1), pixels + i * ROWS * size, captions[i]);
    const struct sheet sheet = {.title = title,
                                .subtitle = subtitle,
                                .row_names = row_names,
                                .rows = ROWS,
                                .count = p->n,
                                .columns = p->n < COLUMNS ? p->n : COLUMNS,
                                .h = p->h,
                                .w = p->w,
                                .pixels = pixels,
                                .captions = (const char(*)[24])captions};
    if (result == 0) result = sheet_write(&sheet, path, err);
    pool_give(&pooled);
    mem_free(&uv);
    mem_free(&pixels);
    mem_free(&captions);
    return result;
}
