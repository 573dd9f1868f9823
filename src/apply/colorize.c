/* colorize.c - one picture of any size in color: small through the network, large along the luminance. */
#include "apply/predict_color.h"
#include "base/color.h"
#include "base/mem.h"
#include "base/mirror.h"
#include "base/parallel.h"
#include "image/chroma.h"
#include "image/fade.h"
#include "metrics/color_metrics.h"

#include <string.h>

struct caelum_colorize_settings caelum_colorize_defaults(void) {
    return (struct caelum_colorize_settings){.vivid = 0.5};
}

/* The picture as the network gets it: the whole of it on as many pixels as the network knows, each way on its
 * own - a few percent of stretching harm less than parts of a picture without the rest - and if it has fewer,
 * extended by mirroring. */
struct work {
    struct mem_group memory;
    size_t w, h;      /* small */
    float *y;         /* [h][w] */
    float *hints;     /* [3][h][w]: U, V, and 1 where there is one */
    float *input;     /* [channels][rows][columns] of the network */
    float *uv;        /* [2][rows][columns], then [2][h][w] */
    struct fade fade; /* undone for the network */
    struct shape network;
};

static int check(const caelum_model *model, const struct caelum_picture *in,
                 const struct caelum_colorize_settings *s, struct caelum_error *err) {
    CHECK(task_check(CAELUM_COLORIZE, model->net, err));
    CHECK(colorizer_gain_check(s->vivid, err));
    if (s->hint_count > 0 && !task_takes_hints(CAELUM_COLORIZE, model->net))
        return caelum_fail(err, CAELUM_EUSAGE,
                           "the model takes no hints: its network has 1 input channel, not 4");
    for (size_t i = 0; i < s->hint_count; i++)
        if (s->hints[i].x >= in->width || s->hints[i].y >= in->height)
            return caelum_fail(err, CAELUM_EUSAGE, "hint at %zu,%zu: the picture has %zux%zu pixels",
                               s->hints[i].x, s->hints[i].y, in->width, in->height);
    return CAELUM_OK;
}

/* Adds up the hints in each small pixel, then takes their mean: divided by what all chroma is multiplied by
 * afterwards, so that the colors are those that were asked for. */
static void place_hints(struct work *w, const struct caelum_picture *in,
                        const struct caelum_colorize_settings *s, float gain) {
    const size_t plane = w->h * w->w;
    for (size_t i = 0; i < s->hint_count; i++) {
        const struct caelum_hint *hint = &s->hints[i];
        double yuv[3];
        float *at = w->hints + hint->y * w->h / in->height * w->w + hint->x * w->w / in->width;
        color_bytes_to_yuv(hint->rgb, 1, yuv);
        at[0] += (float)yuv[1];
        at[plane] += (float)yuv[2];
        at[2 * plane]++;
    }
    for (size_t i = 0; i < plane; i++) {
        const float count = w->hints[2 * plane + i];
        if (count == 0) continue;
        w->hints[i] /= count * gain;
        w->hints[plane + i] /= count * gain;
        w->hints[2 * plane + i] = 1;
    }
}

static void extend(const struct work *w, const float *from, float *to) {
    for (size_t i = 0; i < w->network.h; i++)
        for (size_t j = 0; j < w->network.w; j++)
            to[i * w->network.w + j] = from[mirrored(i, w->h) * w->w + mirrored(j, w->w)];
}

static int predict(struct work *w, const caelum_model *model, int threads, struct caelum_error *err) {
    const size_t plane = w->h * w->w, full = w->network.h * w->network.w;
    CHECK(mem_take(&w->memory, &w->input, w->network.c * full, sizeof(float), err));
    CHECK(mem_take(&w->memory, &w->uv, 2 * full, sizeof(float), err));
    extend(w, w->y, w->input);
    for (size_t i = 0; i < full; i++) w->input[i] = fade_show(w->fade, w->input[i]);
    for (size_t c = 1; c < w->network.c; c++) extend(w, w->hints + (c - 1) * plane, w->input + c * full);
    const struct engine_job job = {.n = 1, .in = w->input, .out = w->uv};
    CHECK(pool_run(model, model->net->layers, threads, &job, err));
    for (size_t row = 0; row < 2 * w->h; row++) {
        const size_t c = row / w->h, y = row % w->h;
        memmove(w->uv + row * w->w, w->uv + (c * w->network.h + y) * w->network.w, w->w * sizeof *w->uv);
    }
    return CAELUM_OK;
}

static int colorize(struct work *w, const caelum_model *model, const struct caelum_picture *in,
                    const struct caelum_colorize_settings *s, struct caelum_picture *out,
                    struct caelum_error *err) {
    const int threads = parallel_threads(s->threads);
    const float gain = (float)colorizer_gain(model, s->vivid);
    w->network = model->net->input;
    w->w = in->width < w->network.w ? in->width : w->network.w;
    w->h = in->height < w->network.h ? in->height : w->network.h;
    CHECK(mem_take(&w->memory, &w->y, w->h * w->w, sizeof(float), err));
    CHECK(mem_take(&w->memory, &w->hints, 3 * w->h * w->w, sizeof(float), err));
    chroma_shrink(in, w->w, w->h, threads, w->y);
    place_hints(w, in, s, gain);
    CHECK(predict(w, model, threads, err));
    for (size_t i = 0; i < 2 * w->h * w->w; i++) w->uv[i] *= gain;
    return chroma_merge(in, w->y, w->uv, w->w, w->h, threads, out, err);
}

int caelum_colorize(const caelum_model *model, const struct caelum_picture *in,
                    const struct caelum_colorize_settings *settings, struct caelum_picture *out,
                    struct caelum_error *err) {
    struct work work = {0};
    struct caelum_picture restored = {0};
    CHECK(check(model, in, settings, err));
    work.fade = fade_find(in);
    if (settings->restore && work.fade.faded) {
        CHECK(fade_restore(in, work.fade, &restored, err));
        work.fade = (struct fade){.faded = true, .low = 0, .high = 1};
    }
    const int result = colorize(&work, model, restored.pixels ? &restored : in, settings, out, err);
    caelum_picture_free(&restored);
    mem_end(&work.memory);
    return result;
}

double caelum_colorfulness(const struct caelum_picture *picture) {
    return color_metrics_colorfulness(picture->pixels, picture->width * picture->height);
}
