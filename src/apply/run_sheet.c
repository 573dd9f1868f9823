/* run_sheet.c - runs a model on a few test pictures and lays them out. */
#include "apply/run_sheet.h"

#include "apply/color_sheet.h"
#include "base/color.h"
#include "base/mem.h"
#include "base/number.h"
#include "metrics/metrics.h"
#include "model/pool.h"
#include "report/sheet.h"

#include <string.h>

enum { SHOWN = 20, COLUMNS = 10 };

struct showing {
    struct pictures pictures;
    size_t rows;
    uint8_t *pixels; /* [shown][rows][c][h][w] */
    char captions[SHOWN][24];
};

static const uint8_t *give(void *cookie, size_t i, int worker) {
    const struct showing *s = cookie;
    (void)worker;
    return pictures_at(&s->pictures, i);
}

/* Picture i and what became of it, and how near they are. */
static void show(struct showing *s, size_t i, const float *values) {
    const uint8_t *truth = pictures_at(&s->pictures, i);
    const size_t size = pictures_size(&s->pictures);
    uint8_t *row = s->pixels + i * s->rows * size, *ours = row + size;
    double squared = 0;
    memcpy(row, truth, size);
    for (size_t j = 0; j < size; j++) {
        ours[j] = color_byte((double)values[j]);
        const double d = ((double)ours[j] - truth[j]) / 255;
        squared += d * d;
    }
    number_print(s->captions[i], sizeof s->captions[i], "%.1f dB", metrics_psnr(squared / (double)size));
}

int run_sheet_write(const struct caelum_model *model, const struct caelum_data *data, const char *path,
                    struct caelum_error *err) {
    static const char *const row_names[] = {"original", "reconstruction"};
    struct showing s = {.pictures = data_pictures(data, CAELUM_TEST), .rows = 2};
    if (s.pictures.n > SHOWN) s.pictures.n = SHOWN;
    const size_t n = s.pictures.n, size = pictures_size(&s.pictures);
    if (caelum_net_task(model->net) == CAELUM_COLORIZE)
        return color_sheet_write(model, &s.pictures, "Test pictures colorized", path, err);
    struct caelum_net_info info;
    char subtitle[160];
    caelum_net_describe(model->net, &info);
    snprintf(subtitle, sizeof subtitle,
             "%s, %zu parameters, %zu numbers at the bottleneck, epoch %s; below, the PSNR of each",
             data->name, info.parameters, info.bottleneck, caelum_model_metadata(model, "epoch"));
    float *results = NULL;
    int result = mem_alloc(&s.pixels, n * s.rows, size, err);
    if (result == 0) result = mem_alloc(&results, n * size, sizeof *results, err);
    const struct engine_job job = {.n = n, .input = give, .out = results, .cookie = &s};
    if (result == 0) result = pool_run(model, model->net->layers, 0, &job, err);
    for (size_t i = 0; result == 0 && i < n; i++) show(&s, i, results + i * size);
    const struct sheet sheet = {.title = "Test pictures and their reconstructions",
                                .subtitle = subtitle,
                                .row_names = row_names,
                                .rows = s.rows,
                                .count = n,
                                .columns = n < COLUMNS ? n : COLUMNS,
                                .h = s.pictures.h,
                                .w = s.pictures.w,
                                .pixels = s.pixels,
                                .captions = (const char(*)[24])s.captions};
    if (result == 0) result = sheet_write(&sheet, path, err);
    mem_free(&s.pixels);
    mem_free(&results);
    return result;
}
