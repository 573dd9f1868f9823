/* code_eval.c - a model's codes over a split: real bytes, and the pictures that are decoded from them. */
#include "base/mem.h"
#include "data/data.h"
#include "metrics/metrics.h"

enum { CHANNELS = 3, MOST = 255 };

struct code_eval {
    caelum_codec *codec;
    struct pictures pictures;
    struct mem_group memory;
    struct caelum_picture picture; /* its pixels in `memory` */
    float *values;                 /* [CHANNELS][h][w] */
    double *scratch;
    struct picture_error *error; /* [pictures.n] */
    double bytes;                /* of all codes */
};

/* To bytes and back. */
static int pass(struct code_eval *e, const uint8_t *truth, struct caelum_error *err) {
    const size_t area = e->pictures.h * e->pictures.w;
    struct caelum_code_entry code = {.width = e->pictures.w, .height = e->pictures.h};
    struct caelum_picture back = {0};
    uint8_t *bytes = NULL;
    for (size_t i = 0; i < area * CHANNELS; i++)
        e->picture.pixels[i] = truth[i % CHANNELS * area + i / CHANNELS];
    CHECK(caelum_codec_encode(e->codec, &e->picture, &bytes, &code.size, err));
    code.bytes = bytes;
    e->bytes += (double)code.size;
    const int result = caelum_codec_decode(e->codec, &code, &back, err);
    for (size_t i = 0; result == 0 && i < area * CHANNELS; i++)
        e->values[i % CHANNELS * area + i / CHANNELS] = (float)back.pixels[i] / MOST;
    caelum_codec_free(&bytes);
    caelum_picture_free(&back);
    return result;
}

static int pass_all(struct code_eval *e, const struct caelum_eval_settings *s,
                    struct caelum_code_metrics *metrics, struct caelum_error *err) {
    const struct pictures *p = &e->pictures;
    const size_t area = p->h * p->w;
    if (p->c != CHANNELS)
        return caelum_fail(err, CAELUM_EFORMAT, "codes are of color pictures, these are grey");
    e->picture = (struct caelum_picture){.width = p->w, .height = p->h};
    CHECK(mem_take(&e->memory, &e->picture.pixels, area, CHANNELS, err));
    CHECK(mem_take(&e->memory, &e->values, area, CHANNELS * sizeof *e->values, err));
    CHECK(mem_take(&e->memory, &e->scratch, metrics_scratch(p->h, p->w), sizeof *e->scratch, err));
    CHECK(mem_take(&e->memory, &e->error, p->n, sizeof *e->error, err));
    for (size_t i = 0; i < p->n; i++) {
        CHECK(pass(e, pictures_at(p, i), err));
        metrics_picture(pictures_at(p, i), e->values, p->c, p->h, p->w, e->scratch, &e->error[i]);
        if (s->progress && s->progress(s->cookie, "encoding", i + 1, p->n) != 0)
            return caelum_fail(err, CAELUM_ESTOPPED, "stopped during the evaluation");
    }
    metrics->bits = 8 * e->bytes / (double)p->n;
    metrics_total(e->error, p->n, p->c, p->h, p->w, &metrics->decoded);
    return CAELUM_OK;
}

int caelum_eval_code(caelum_codec *codec, const caelum_data *data,
                     const struct caelum_eval_settings *settings, struct caelum_code_metrics *metrics,
                     struct caelum_error *err) {
    const struct caelum_eval_settings s = settings ? *settings : caelum_eval_defaults();
    struct code_eval e = {.codec = codec, .pictures = data_pictures(data, s.split)};
    const int result = pass_all(&e, &s, metrics, err);
    mem_end(&e.memory);
    return result;
}
