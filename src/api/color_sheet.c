#include "api/color_sheet.h"

#include "api/colorizer_gain.h"
#include "api/predict_color.h"
#include "base/color.h"
#include "base/mem.h"
#include "report/sheet.h"

#include <stdio.h>
#include <string.h>

enum { GREY, MEAN, VIVID, TRUTH, ROWS, COLUMNS = 10 };

static const char *const row_names[ROWS] = {"grey", "vivid 0", "vivid 1", "truth"};

/* One picture's rows, and what stands below them. uv: [2][h][w] at vivid 0. */
static void fill(const struct pictures *p, size_t i, const float *uv, double gain, uint8_t *rows,
                 char caption[24]) {
    const size_t plane = p->h * p->w, size = pictures_size(p);
    const uint8_t *truth = pictures_at(p, i);
    double ours = 0, grey = 0;
    for (size_t j = 0; j < plane; j++) {
        double rgb[3], yuv[3];
        for (size_t c = 0; c < 3; c++) rgb[c] = truth[c * plane + j] / 255.0;
        color_rgb_to_yuv(rgb, yuv);
        const double u = (double)uv[j], v = (double)uv[plane + j];
        ours += ((u - yuv[1]) * (u - yuv[1]) + (v - yuv[2]) * (v - yuv[2])) / 2;
        grey += (yuv[1] * yuv[1] + yuv[2] * yuv[2]) / 2;
        const double chroma[][2] = {[GREY] = {0, 0}, [MEAN] = {u, v}, [VIVID] = {gain * u, gain * v}};
        for (size_t row = 0; row < TRUTH; row++) {
            const double merged[3] = {yuv[0], chroma[row][0], chroma[row][1]};
            color_yuv_to_rgb(merged, rgb);
            for (size_t c = 0; c < 3; c++) rows[row * size + c * plane + j] = color_byte(rgb[c]);
        }
    }
    memcpy(rows + TRUTH * size, truth, size);
    snprintf(caption, 24, "%.4f, %.4f", ours / (double)plane, grey / (double)plane);
}

int color_sheet_write(const struct caelum_model *model, const struct pictures *p, const char *title,
                      const char *path, struct caelum_error *err) {
    const size_t size = pictures_size(p), plane = p->h * p->w;
    struct runner runner = {0};
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
    int result = runner_open(&runner, model->net, model->params, 0, err);
    if (result == 0) result = mem_alloc(&uv, p->n, 2 * plane * sizeof *uv, err);
    if (result == 0) result = mem_alloc(&pixels, p->n * ROWS, size, err);
    if (result == 0) result = mem_alloc(&captions, p->n, sizeof *captions, err);
    if (result == 0)
        result =
            predict_color(&runner, &(struct predict_color){.pictures = p, .n = p->n, .gain = 1}, uv, err);
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
    runner_close(&runner);
    mem_free(&uv);
    mem_free(&pixels);
    mem_free(&captions);
    return result;
}
