/* run_sheet.c - runs a model on a few test pictures and lays them out. */
#include "api/run_sheet.h"

#include "api/runner.h"
#include "base/mem.h"
#include "report/sheet.h"
#include "train/metrics.h"

#include <string.h>

enum { SHOWN = 20, COLUMNS = 10 };

struct showing {
    struct pictures pictures;
    uint8_t *pixels; /* [shown][2][c][h][w] */
    char captions[SHOWN][24];
};

static const uint8_t *give(void *cookie, size_t i, int worker) {
    const struct showing *s = cookie;
    (void)worker;
    return pictures_at(&s->pictures, i);
}

static void take(void *cookie, size_t i, const float *values, int worker) {
    struct showing *s = cookie;
    const size_t size = pictures_size(&s->pictures);
    uint8_t *truth = s->pixels + i * 2 * size, *ours = truth + size;
    double squared = 0;
    (void)worker;
    memcpy(truth, pictures_at(&s->pictures, i), size);
    for (size_t j = 0; j < size; j++) {
        const float v = values[j] > 0 ? (values[j] < 1 ? values[j] : 1) : 0;
        ours[j] = (uint8_t)(v * 255 + 0.5f);
        const double d = ((double)ours[j] - truth[j]) / 255;
        squared += d * d;
    }
    snprintf(s->captions[i], sizeof s->captions[i], "%.1f dB", metrics_psnr(squared / (double)size));
}

int run_sheet_write(const struct caelum_model *model, const struct caelum_data *data, const char *path,
                    struct caelum_error *err) {
    static const char *const names[] = {"original", "reconstruction"};
    struct showing s = {.pictures = data_pictures(data, CAELUM_TEST)};
    struct runner runner = {0};
    const size_t n = s.pictures.n < SHOWN ? s.pictures.n : SHOWN;
    struct caelum_net_info info;
    char title[96], subtitle[160];
    caelum_net_describe(model->net, &info);
    snprintf(title, sizeof title, "Test pictures and their reconstructions");
    snprintf(subtitle, sizeof subtitle,
             "%s, %zu parameters, %zu numbers at the bottleneck, epoch %s; below each its PSNR", data->name,
             info.parameters, info.bottleneck, caelum_model_metadata(model, "epoch"));
    CHECK(mem_alloc(&s.pixels, n * 2, pictures_size(&s.pictures), err));
    int result = runner_open(&runner, model->net, model->params, 0, err);
    const struct runner_job job = {.n = n, .input = give, .output = take, .cookie = &s};
    if (result == 0) result = runner_run(&runner, &job, err);
    const struct sheet sheet = {.title = title,
                                .subtitle = subtitle,
                                .row_names = names,
                                .rows = 2,
                                .count = n,
                                .columns = n < COLUMNS ? n : COLUMNS,
                                .h = s.pictures.h,
                                .w = s.pictures.w,
                                .pixels = s.pixels,
                                .captions = (const char(*)[24])s.captions};
    if (result == 0) result = sheet_write(&sheet, path, err);
    runner_close(&runner);
    mem_free(&s.pixels);
    return result;
}
