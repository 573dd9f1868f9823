/* code_eval.c - a model's codes over a split: real bytes, and the pictures that are decoded from them. */
#include "base/dist.h"
#include "base/mem.h"
#include "data/data.h"
#include "metrics/metrics.h"

enum { CHANNELS = 3 };

struct code_eval {
    caelum_codec *codec;
    const caelum_data *data;
    const struct caelum_eval_settings *settings;
    struct pictures pictures;
    struct mem_group memory;
    float *values; /* [CHANNELS][h][w] */
    double *scratch;
    struct picture_error *error; /* [pictures.n] */
    size_t *bytes;               /* likewise: of the code */
};

/* Picture i to bytes, and back to `values`. */
static int pass(struct code_eval *e, size_t i, struct caelum_error *err) {
    const size_t area = e->pictures.h * e->pictures.w;
    struct caelum_code_entry code = {.width = e->pictures.w, .height = e->pictures.h};
    struct caelum_picture picture = {0}, back = {0};
    uint8_t *bytes = NULL;
    CHECK(caelum_data_picture(e->data, e->settings->split, i, &picture, err));
    int result = caelum_codec_encode(e->codec, &picture, &bytes, &code.size, err);
    code.bytes = bytes;
    e->bytes[i] = code.size;
    if (result == 0) result = caelum_codec_decode(e->codec, &code, &back, err);
    for (size_t k = 0; result == 0 && k < area * CHANNELS; k++)
        e->values[k % CHANNELS * area + k / CHANNELS] = (float)back.pixels[k] / 255;
    caelum_codec_free(&bytes);
    caelum_picture_free(&picture);
    caelum_picture_free(&back);
    return result;
}

static int open_all(struct code_eval *e, struct caelum_error *err) {
    const struct pictures *p = &e->pictures;
    if (p->c != CHANNELS)
        return caelum_fail(err, CAELUM_EFORMAT, "codes are of color pictures, these are grey");
    CHECK(mem_take(&e->memory, &e->values, p->h * p->w, CHANNELS * sizeof *e->values, err));
    CHECK(mem_take(&e->memory, &e->scratch, metrics_scratch(p->h, p->w), sizeof *e->scratch, err));
    CHECK(mem_take(&e->memory, &e->bytes, p->n, sizeof *e->bytes, err));
    return mem_take(&e->memory, &e->error, p->n, sizeof *e->error, err);
}

/* This rank's pictures. */
static int pass_all(struct code_eval *e, struct caelum_error *err) {
    const struct caelum_eval_settings *s = e->settings;
    const struct pictures *p = &e->pictures;
    const struct dist_part mine = dist_part(s->dist, caelum_dist_rank(s->dist), p->n);
    CHECK(open_all(e, err));
    for (size_t i = mine.first; i < mine.end; i++) {
        CHECK(pass(e, i, err));
        metrics_picture(pictures_at(p, i), e->values, p->c, p->h, p->w, e->scratch, &e->error[i]);
        if (s->progress && s->progress(s->cookie, "encoding", i + 1, p->n) != 0)
            return caelum_fail(err, CAELUM_ESTOPPED, "stopped during the evaluation");
    }
    return CAELUM_OK;
}

static void add_up(const struct code_eval *e, struct caelum_code_metrics *metrics) {
    const struct caelum_dist *dist = e->settings->dist;
    const struct pictures *p = &e->pictures;
    size_t bytes = 0;
    dist_gather(dist, e->error, p->n, sizeof *e->error);
    dist_gather(dist, e->bytes, p->n, sizeof *e->bytes);
    for (size_t i = 0; i < p->n; i++) bytes += e->bytes[i];
    metrics->bits = 8 * (double)bytes / (double)p->n;
    metrics_total(e->error, p->n, p->c, p->h, p->w, &metrics->decoded);
}

int caelum_eval_code(caelum_codec *codec, const caelum_data *data,
                     const struct caelum_eval_settings *settings, struct caelum_code_metrics *metrics,
                     struct caelum_error *err) {
    const struct caelum_eval_settings s = settings ? *settings : caelum_eval_defaults();
    struct code_eval e = {
        .codec = codec, .data = data, .settings = &s, .pictures = data_pictures(data, s.split)};
    const int result = dist_agree(s.dist, pass_all(&e, err), err);
    if (result == 0) add_up(&e, metrics);
    mem_end(&e.memory);
    return result;
}
