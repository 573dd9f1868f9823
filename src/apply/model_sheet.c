/* model_sheet.c - runs a model on a few pictures, and fills a column of rows for each of them. */
#include "apply/model_sheet.h"

#include "apply/predict_color.h"
#include "base/color.h"
#include "base/mem.h"
#include "base/number.h"
#include "metrics/metrics.h"
#include "report/sheet.h"

#include <string.h>

enum { SHOWN = 20, COLUMNS = 10 };

struct showing {
    const struct caelum_model *model;
    const struct pictures *pictures;
    struct mem_group memory;
    bool color;
    size_t rows;
    float *values;   /* [pictures.n][c][h][w]: the model's output */
    uint8_t *pixels; /* [pictures.n][rows][3][h][w] */
    char (*captions)[24];
};

static const uint8_t *give(void *cookie, size_t i, int worker) {
    const struct showing *s = cookie;
    (void)worker;
    return pictures_at(s->pictures, i);
}

/* U and V squared, or their distance to the truth's where there are some, mean over pixels. */
static double uv_mse(const uint8_t *truth, const float *uv, size_t plane) {
    double sum = 0;
    for (size_t j = 0; j < plane; j++) {
        double yuv[3];
        color_bytes_to_yuv(truth + j, plane, yuv);
        const double u = yuv[1] - (uv ? (double)uv[j] : 0), v = yuv[2] - (uv ? (double)uv[plane + j] : 0);
        sum += (u * u + v * v) / 2;
    }
    return sum / (double)plane;
}

/* Grey, vivid 0, vivid 1, truth. uv: [2][h][w] at vivid 0, changed. */
static void show_color(const struct showing *s, const uint8_t *truth, float *uv, uint8_t *rows,
                       char caption[24]) {
    const size_t plane = s->pictures->h * s->pictures->w, size = pictures_size(s->pictures);
    const float gain = (float)colorizer_gain(s->model, 1);
    number_print(caption, 24, "%.4f, %.4f", uv_mse(truth, uv, plane), uv_mse(truth, NULL, plane));
    color_recolor(truth, NULL, plane, rows);
    color_recolor(truth, uv, plane, rows + size);
    for (size_t j = 0; j < 2 * plane; j++) uv[j] *= gain;
    color_recolor(truth, uv, plane, rows + 2 * size);
    memcpy(rows + 3 * size, truth, size);
}

/* The picture and its reconstruction. */
static void show_plain(const struct showing *s, const uint8_t *truth, const float *values, uint8_t *rows,
                       char caption[24]) {
    const size_t plane = s->pictures->h * s->pictures->w, all = 3 * plane, size = pictures_size(s->pictures);
    double squared = 0;
    for (size_t j = 0; j < all; j++) {
        const size_t at = j % size; /* grey is shown as red, green and blue */
        rows[j] = truth[at];
        rows[all + j] = color_byte((double)values[at]);
        const double d = ((double)rows[all + j] - truth[at]) / 255;
        squared += d * d;
    }
    number_print(caption, 24, "%.1f dB", metrics_psnr(squared / (double)all));
}

static int run_model(struct showing *s, struct caelum_error *err) {
    const struct pictures *p = s->pictures;
    const struct engine_job plain = {.n = p->n, .input = give, .out = s->values, .cookie = s};
    const struct predict_color color = {.pictures = p, .n = p->n, .gain = 1};
    struct pooled *pooled = NULL;
    CHECK(pool_take(&pooled, s->model, s->model->net->layers, 0, err));
    const int result = s->color ? predict_color(&pooled->engine, &color, s->values, err)
                                : engine_run(&pooled->engine, &plain, err);
    pool_give(&pooled);
    return result;
}

static int fill(struct showing *s, struct caelum_error *err) {
    const struct pictures *p = s->pictures;
    const size_t size = 3 * p->h * p->w, values = s->color ? 2 * p->h * p->w : pictures_size(p);
    CHECK(mem_take(&s->memory, &s->values, p->n, values * sizeof *s->values, err));
    CHECK(mem_take(&s->memory, &s->pixels, p->n * s->rows, size, err));
    CHECK(mem_take(&s->memory, &s->captions, p->n, sizeof *s->captions, err));
    CHECK(run_model(s, err));
    for (size_t i = 0; i < p->n; i++) {
        uint8_t *rows = s->pixels + i * s->rows * size;
        if (s->color)
            show_color(s, pictures_at(p, i), s->values + i * values, rows, s->captions[i]);
        else
            show_plain(s, pictures_at(p, i), s->values + i * values, rows, s->captions[i]);
    }
    return CAELUM_OK;
}

static int write(const struct caelum_model *model, const struct pictures *p, bool color, const char *title,
                 const char *subtitle, const char *path, struct caelum_error *err) {
    static const char *const plain_rows[] = {"original", "reconstruction"};
    static const char *const color_rows[] = {"grey", "vivid 0", "vivid 1", "truth"};
    struct showing s = {.model = model, .pictures = p, .color = color, .rows = color ? 4 : 2};
    int result = fill(&s, err);
    const struct sheet sheet = {.title = title,
                                .subtitle = subtitle,
                                .row_names = color ? color_rows : plain_rows,
                                .rows = s.rows,
                                .count = p->n,
                                .columns = p->n < COLUMNS ? p->n : COLUMNS,
                                .c = p->c,
                                .h = p->h,
                                .w = p->w,
                                .pixels = s.pixels,
                                .captions = (const char(*)[24])s.captions};
    if (result == 0) result = sheet_write(&sheet, path, err);
    mem_end(&s.memory);
    return result;
}

int model_sheet_color(const struct caelum_model *model, const struct pictures *p, const char *title,
                      const char *path, struct caelum_error *err) {
    const char *epoch = caelum_model_metadata(model, "epoch");
    char subtitle[160];
    CHECK(predict_color_check(model->net, p, err));
    snprintf(subtitle, sizeof subtitle, "%zu parameters, epoch %s; below, UV MSE at vivid 0, and grey's",
             model->net->params, epoch ? epoch : "unknown");
    return write(model, p, true, title, subtitle, path, err);
}

int model_sheet_run(const struct caelum_model *model, const struct caelum_data *data, const char *path,
                    struct caelum_error *err) {
    struct pictures p = data_pictures(data, CAELUM_TEST);
    struct caelum_net_info info;
    char subtitle[160];
    if (p.n > SHOWN) p.n = SHOWN;
    if (caelum_net_task(model->net) == CAELUM_COLORIZE)
        return model_sheet_color(model, &p, "Test pictures colorized", path, err);
    caelum_net_describe(model->net, &info);
    snprintf(subtitle, sizeof subtitle,
             "%s, %zu parameters, %zu numbers at the bottleneck, epoch %s; below, the PSNR of each",
             data->name, info.parameters, info.bottleneck, caelum_model_metadata(model, "epoch"));
    return write(model, &p, false, "Test pictures and their reconstructions", subtitle, path, err);
}
