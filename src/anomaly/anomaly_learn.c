/* anomaly_learn.c - networks that find fake defects in crops of good pictures, one for each scale, and the
 * scores of good pictures that they have not seen. */
#include "anomaly/anomaly_gallery.h"
#include "base/mem.h"
#include "base/rng.h"

#include <stdio.h>

/* Crops in a step, in what training calls an epoch at most, and to validate by. */
enum { BATCH = 32, MOST_EPOCH = 2048, VALIDATION = 256 };

/* A U-Net (Ronneberger et al. 2015) on squares of 2x2 pixels; %1$zu: channels, %2$d: the most of any layer.
 */
static const char network[] = "input %1$zu\nspace_to_depth 2\n"
                              "conv 24 gelu\nconv 24 gelu\nsave half\n"
                              "conv 48 stride=2 gelu\nconv 48 gelu\nsave quarter\n"
                              "conv %2$d stride=2 gelu\nconv %2$d gelu\nsave eighth\n"
                              "conv %2$d stride=2 gelu\nconv %2$d gelu\n"
                              "upsample 2\nconcat eighth\nconv 48 gelu\n"
                              "upsample 2\nconcat quarter\nconv 48 gelu\nconv 32 gelu\n"
                              "upsample 2\nconcat half\nconv 32 gelu\nconv 32 gelu\n"
                              "conv 4\ndepth_to_space 2\nact sigmoid\n";
static const int widest[ANOMALY_SCALES] = {96, 64};
/* What is large at the fine scale is left to the coarse one. */
static const double largest_fake[ANOMALY_SCALES] = {0.25, 0.5};

struct training {
    const struct caelum_anomaly_settings *settings;
    const struct gallery *gallery;
    struct mem_group memory;
    size_t channels;
    uint32_t *order; /* [gallery->n]: shuffled; the first are learned from, the last held out */
    uint8_t *pixels; /* [MOST_EPOCH + VALIDATION + 1] crops */
    struct gallery_part seen, held;
    size_t scale; /* whose network is being trained */
};

static size_t epoch_steps(const struct training *t) {
    return t->settings->steps < MOST_EPOCH / BATCH ? t->settings->steps : MOST_EPOCH / BATCH;
}

static size_t epochs(const struct training *t) {
    return (t->settings->steps + epoch_steps(t) - 1) / epoch_steps(t);
}

static size_t crop_side(const struct training *t) {
    return anomaly_scale[t->scale].side;
}

static size_t crop_size(const struct training *t) {
    return t->channels * crop_side(t) * crop_side(t);
}

/* Where a crop begins along a side: anywhere, but for a third of it beyond an end at that end, so that ends
 * are seen as often as what is between them. */
static size_t draw_place(struct rng *rng, size_t side, size_t crop) {
    const size_t beyond = crop / 3;
    if (side <= crop) return 0;
    const size_t last = side - crop, at = rng_below(rng, (uint32_t)(last + 1 + 2 * beyond));
    return at < beyond ? 0 : at - beyond < last ? at - beyond : last;
}

/* A crop of one of the pictures. */
static void draw_crop(const struct training *t, struct gallery_part of, struct rng *rng, uint8_t *crop) {
    const struct gallery_view *v = &t->gallery->view[of.picture[rng_below(rng, (uint32_t)of.n)]][t->scale];
    const size_t side = crop_side(t), x = draw_place(rng, v->width, side),
                 y = draw_place(rng, v->height, side);
    gallery_crop(t->gallery, v, x, y, t->channels, side, crop);
}

static void draw_crops(const struct training *t, struct gallery_part of, uint32_t step, size_t n,
                       uint8_t *crops) {
    for (size_t i = 0; i < n; i++) {
        struct rng rng = rng_make(t->settings->seed, RNG_GOOD, step);
        rng.counter[1] = (uint32_t)i;
        draw_crop(t, of, &rng, crops + i * crop_size(t));
    }
}

static int feed(void *cookie, uint64_t step, size_t n, uint8_t *pixels) {
    const struct training *t = cookie;
    draw_crops(t, t->seen, (uint32_t)step, n, pixels);
    return 0;
}

static int tell(void *cookie, const struct caelum_train_progress *p) {
    const struct training *t = cookie;
    const struct caelum_anomaly_settings *s = t->settings;
    const size_t steps = epochs(t) * epoch_steps(t),
                 done = t->scale * steps + (p->epoch - 1) * p->batches + p->batch;
    return s->progress ? s->progress(s->cookie, "training", done, ANOMALY_SCALES * steps) : 0;
}

/* --- One network --------------------------------------------------------------------------------------- */

/* Pictures in memory of the size that the feed fills: the first epoch's are never seen, but their bytes tell
 * a resumed training that the pictures are the same. */
static int open_data(struct training *t, caelum_data **data, struct caelum_error *err) {
    const size_t epoch = epoch_steps(t) * BATCH;
    const struct caelum_pictures pictures = {.pixels = t->pixels,
                                             .count = epoch + VALIDATION + 1,
                                             .channels = t->channels,
                                             .height = crop_side(t),
                                             .width = crop_side(t),
                                             .split = {epoch, VALIDATION, 1}};
    draw_crops(t, t->seen, UINT32_MAX, epoch, t->pixels);
    draw_crops(t, t->held, UINT32_MAX - 1, VALIDATION + 1, t->pixels + epoch * crop_size(t));
    return caelum_data_from_pictures(data, &pictures, NULL, err);
}

/* Trains the network of this scale. */
static int learn(struct training *t, caelum_model **model, struct caelum_error *err) {
    struct caelum_train_settings s = caelum_train_defaults();
    char text[sizeof network + 64];
    caelum_data *data = NULL;
    caelum_net *net = NULL;
    s.task = CAELUM_DETECT, s.loss = CAELUM_BCE, s.largest_fake = largest_fake[t->scale];
    s.optimizer = CAELUM_MUON, s.lr = 0.002, s.schedule = CAELUM_COSINE, s.warmup = 0.2, s.ema = 0.998;
    s.batch = BATCH, s.epochs = epochs(t);
    s.seed = t->settings->seed, s.threads = t->settings->threads, s.command = t->settings->command;
    s.feed = feed, s.progress = tell, s.cookie = t;
    snprintf(text, sizeof text, network, t->channels, widest[t->scale]);
    int result = caelum_net_parse(&net, text, "network", crop_side(t), crop_side(t), err);
    if (result == 0) result = open_data(t, &data, err);
    s.net = net, s.open_data = data;
    if (result == 0) result = anomaly_network(t->settings, t->scale, &s, model, err);
    /* before it is measured: files say the same */
    if (result == 0) result = caelum_model_round_half(*model, err);
    caelum_data_close(&data);
    caelum_net_close(&net);
    return result;
}

/* --- All of it ------------------------------------------------------------------------------------------ */

static int find_lights(const struct training *t, struct anomaly_lights *lights, struct caelum_error *err) {
    struct anomaly_light *list = NULL;
    CHECK(mem_alloc(&list, t->seen.n, sizeof *list, err));
    for (size_t i = 0; i < t->seen.n; i++) list[i] = t->gallery->light[t->seen.picture[i]];
    *lights = anomaly_lights_of(list, t->seen.n);
    mem_free(&list);
    return CAELUM_OK;
}

/* A fifth of the pictures is held out; if the rate takes more, as many as it takes, but no more than half. */
static size_t held_out(size_t n, size_t needed) {
    const size_t some = needed < n / 2 ? needed : n / 2;
    return n / 5 > some ? n / 5 : some;
}

/* Parts the pictures by chance. */
static int part_pictures(struct training *t, struct caelum_error *err) {
    struct rng rng = rng_make(t->settings->seed, RNG_SPLIT, 0);
    const size_t n = t->gallery->n, out = held_out(n, anomaly_needed(t->settings->false_alarms));
    CHECK(mem_take(&t->memory, &t->order, n, sizeof *t->order, err));
    for (uint32_t i = 0; i < n; i++) t->order[i] = i;
    rng_shuffle(&rng, t->order, n);
    t->seen = (struct gallery_part){t->order, n - out};
    t->held = (struct gallery_part){t->order + n - out, out};
    return CAELUM_OK;
}

static int run(struct training *t, caelum_anomaly *a, struct caelum_error *err) {
    const struct caelum_anomaly_settings *s = t->settings;
    t->channels = t->gallery->grey ? 1 : 3;
    CHECK(part_pictures(t, err));
    CHECK(mem_take(&t->memory, &t->pixels, MOST_EPOCH + VALIDATION + 1, crop_size(t), err));
    a->size = s->size;
    gallery_started(t->gallery, t->held, s);
    for (t->scale = 0; t->scale < ANOMALY_SCALES; t->scale++) CHECK(learn(t, &a->model[t->scale], err));
    CHECK(find_lights(t, &a->lights, err));
    return anomaly_calibrate(a, t->gallery, t->held, s, err);
}

int anomaly_learn(caelum_anomaly **anomaly, const struct gallery *gallery,
                  const struct caelum_anomaly_settings *settings, struct caelum_error *err) {
    struct training t = {.settings = settings, .gallery = gallery};
    caelum_anomaly *a = NULL;
    CHECK(mem_alloc(&a, 1, sizeof *a, err));
    const int result = run(&t, a, err);
    mem_end(&t.memory);
    if (result == 0)
        *anomaly = a;
    else
        caelum_anomaly_close(&a);
    return result;
}
