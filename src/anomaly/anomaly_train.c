/* anomaly_train.c - a network that finds fake defects in crops of good pictures, and the scores of good
 * pictures that it has not seen. */
#include "anomaly/anomaly_gallery.h"
#include "base/mem.h"
#include "base/rng.h"
#include "train/run_directory.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Crops in a step, in what training calls an epoch at most, and to validate by. */
enum { BATCH = 32, MOST_EPOCH = 2048, VALIDATION = 256, CROP = ANOMALY_SIDE * ANOMALY_SIDE };

/* A U-Net (Ronneberger et al. 2015) on squares of 2x2 pixels. */
static const char network[] = "input %zu\nspace_to_depth 2\n"
                              "conv 24 gelu\nconv 24 gelu\nsave half\n"
                              "conv 48 stride=2 gelu\nconv 48 gelu\nsave quarter\n"
                              "conv 96 stride=2 gelu\nconv 96 gelu\nsave eighth\n"
                              "conv 96 stride=2 gelu\nconv 96 gelu\n"
                              "upsample 2\nconcat eighth\nconv 96 gelu\n"
                              "upsample 2\nconcat quarter\nconv 48 gelu\nconv 48 gelu\n"
                              "upsample 2\nconcat half\nconv 32 gelu\nconv 32 gelu\n"
                              "conv 4\ndepth_to_space 2\nact sigmoid\n";

/* Some pictures of the gallery, by their numbers. */
struct part {
    const uint32_t *picture;
    size_t n;
};

struct training {
    const struct caelum_anomaly_settings *settings;
    struct gallery gallery;
    struct mem_group memory;
    size_t channels;
    uint32_t *order; /* [gallery.n]: shuffled; parts of it are learned from, or held out */
    float *scores;   /* [gallery.n], of held-out pictures */
    uint8_t *pixels; /* [MOST_EPOCH + VALIDATION + 1][channels][CROP] */
    /* the network that is being trained */
    struct part seen;
    size_t first_step, all_steps, steps; /* before it, of all networks, of this one */
};

/* Steps of an epoch of this network. */
static size_t epoch_steps(const struct training *t) {
    return t->steps < MOST_EPOCH / BATCH ? t->steps : MOST_EPOCH / BATCH;
}

static size_t crop_size(const struct training *t) {
    return t->channels * CROP;
}

/* Where a crop begins along a side: anywhere, but for a third of it beyond an end at that end, so that ends
 * are seen as often as what is between them. */
static size_t draw_place(struct rng *rng, size_t side) {
    enum { BEYOND = ANOMALY_SIDE / 3 };
    if (side <= ANOMALY_SIDE) return 0;
    const size_t last = side - ANOMALY_SIDE, at = rng_below(rng, (uint32_t)(last + 1 + 2 * BEYOND));
    return at < BEYOND ? 0 : at - BEYOND < last ? at - BEYOND : last;
}

/* A crop of one of the pictures. */
static void draw_crop(const struct training *t, struct part of, struct rng *rng, uint8_t *crop) {
    const size_t i = of.picture[rng_below(rng, (uint32_t)of.n)];
    const struct gallery_view *v = &t->gallery.view[i];
    const size_t x = draw_place(rng, v->width), y = draw_place(rng, v->height);
    gallery_crop(&t->gallery, i, x, y, t->channels, crop);
}

static void draw_crops(const struct training *t, struct part of, uint32_t step, size_t n, uint8_t *crops) {
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
    const size_t done = t->first_step + (p->epoch - 1) * p->batches + p->batch;
    return s->progress ? s->progress(s->cookie, "training", done, t->all_steps) : 0;
}

/* --- One network --------------------------------------------------------------------------------------- */

/* Where the training of this network is kept; its name tells what decides the result. */
static int work_path(const struct training *t, const char *name, char path[PATH_SIZE],
                     struct caelum_error *err) {
    const struct caelum_anomaly_settings *s = t->settings;
    char full[96];
    snprintf(full, sizeof full, "%s-%zu-%zu-%llu", name, s->size, t->steps, (unsigned long long)s->seed);
    return file_join(path, PATH_SIZE, s->work, full, err);
}

/* Pictures in memory of the size that the feed fills: the first epoch's are never seen, but their bytes tell
 * a resumed training that the pictures are the same. */
static int open_data(struct training *t, struct part judged, caelum_data **data, struct caelum_error *err) {
    const size_t epoch = epoch_steps(t) * BATCH;
    const struct caelum_pictures pictures = {.pixels = t->pixels,
                                             .count = epoch + VALIDATION + 1,
                                             .channels = t->channels,
                                             .height = ANOMALY_SIDE,
                                             .width = ANOMALY_SIDE,
                                             .split = {epoch, VALIDATION, 1}};
    draw_crops(t, t->seen, UINT32_MAX, epoch, t->pixels);
    draw_crops(t, judged, UINT32_MAX - 1, VALIDATION + 1, t->pixels + epoch * crop_size(t));
    return caelum_data_from_pictures(data, &pictures, NULL, err);
}

static int train(struct training *t, const struct caelum_train_settings *settings, caelum_model **model,
                 struct caelum_error *err) {
    struct caelum_train_result result = {0};
    CHECK(caelum_train(settings, &result, err));
    *model = result.model;
    if (result.stopped && t->settings->work)
        return caelum_fail(err, CAELUM_ESTOPPED, "stopped; the same command resumes it from %s",
                           t->settings->work);
    if (result.stopped) return caelum_fail(err, CAELUM_ESTOPPED, "stopped");
    if (!*model) CHECK(caelum_model_load(model, settings->out, err));
    return caelum_model_round_half(*model, err); /* before it is measured: files say the same */
}

/* Trains a network on the pictures `seen`, validated by `judged`. */
static int learn(struct training *t, const char *name, struct part seen, struct part judged,
                 caelum_model **model, struct caelum_error *err) {
    struct caelum_train_settings s = caelum_train_defaults();
    char text[sizeof network + 64], work[PATH_SIZE], checkpoint[PATH_SIZE + 32];
    caelum_data *data = NULL;
    caelum_net *net = NULL;
    t->seen = seen;
    s.task = CAELUM_DETECT, s.loss = CAELUM_BCE;
    s.optimizer = CAELUM_MUON, s.lr = 0.002, s.schedule = CAELUM_COSINE, s.warmup = 0.2, s.ema = 0.998;
    s.batch = BATCH, s.epochs = (t->steps + epoch_steps(t) - 1) / epoch_steps(t);
    s.seed = t->settings->seed, s.threads = t->settings->threads, s.command = t->settings->command;
    s.feed = feed, s.progress = tell, s.cookie = t;
    if (t->settings->work) {
        CHECK(work_path(t, name, work, err));
        snprintf(checkpoint, sizeof checkpoint, "%s/checkpoint.safetensors", work);
        s.out = work, s.resume = access(checkpoint, F_OK) == 0, s.force = !s.resume;
        if (s.resume) s.epochs = 0;
    }
    snprintf(text, sizeof text, network, t->channels);
    int result = caelum_net_parse(&net, text, "network", ANOMALY_SIDE, ANOMALY_SIDE, err);
    if (result == 0) result = open_data(t, judged, &data, err);
    s.net = net, s.open_data = data;
    if (result == 0) result = train(t, &s, model, err);
    t->first_step += (t->steps + epoch_steps(t) - 1) / epoch_steps(t) * epoch_steps(t);
    caelum_data_close(&data);
    caelum_net_close(&net);
    return result;
}

/* --- All of them --------------------------------------------------------------------------------------- */

static int lights_of(const struct training *t, struct part of, struct anomaly_lights *lights,
                     struct caelum_error *err) {
    struct anomaly_light *list = NULL;
    CHECK(mem_alloc(&list, of.n, sizeof *list, err));
    for (size_t i = 0; i < of.n; i++) list[i] = t->gallery.light[of.picture[i]];
    *lights = anomaly_lights_of(list, of.n);
    mem_free(&list);
    return CAELUM_OK;
}

/* Learns from some pictures and scores others. scores: [held.n]. */
static int learn_and_measure(struct training *t, caelum_anomaly *a, const char *name, struct part seen,
                             struct part held, float *scores, struct caelum_error *err) {
    CHECK(learn(t, name, seen, held, &a->model, err));
    CHECK(lights_of(t, seen, &a->lights, err));
    return anomaly_measure(a->model, &a->lights, &t->gallery, held.picture, held.n, t->settings, scores, err);
}

/* The pictures are many: the last fifth of them is held out. */
static int hold_out(struct training *t, caelum_anomaly *a, struct caelum_error *err) {
    const size_t n = t->gallery.n, out = n / 5;
    const struct part seen = {t->order, n - out}, held = {t->order + n - out, out};
    t->all_steps = t->steps = t->settings->steps;
    CHECK(learn_and_measure(t, a, "all", seen, held, t->scores, err));
    return anomaly_ranks_make(&a->ranks, t->scores, out, err);
}

/* They are few: each half is scored by a network that has seen the other. */
static int cross_fit(struct training *t, caelum_anomaly *a, struct caelum_error *err) {
    const size_t n = t->gallery.n, half = n / 2;
    const struct part first = {t->order, half}, second = {t->order + half, n - half}, all = {t->order, n};
    t->steps = (t->settings->steps + 1) / 2;
    t->all_steps = 3 * t->steps;
    CHECK(learn_and_measure(t, a, "first", first, second, t->scores + half, err));
    caelum_model_close(&a->model);
    CHECK(learn_and_measure(t, a, "second", second, first, t->scores, err));
    caelum_model_close(&a->model);
    CHECK(learn(t, "all", all, all, &a->model, err));
    CHECK(lights_of(t, all, &a->lights, err));
    return anomaly_ranks_make(&a->ranks, t->scores, n, err);
}

/* Removes what was kept while it was trained. */
static int tidy(struct training *t, struct caelum_error *err) {
    static const char *const names[] = {"first", "second", "all"};
    char path[PATH_SIZE];
    if (!t->settings->work) return CAELUM_OK;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        CHECK(work_path(t, names[i], path, err));
        if (access(path, F_OK) != 0) continue;
        CHECK(run_directory_clear(path, err));
        rmdir(path);
    }
    rmdir(t->settings->work); /* stays if somebody has put something else there */
    return CAELUM_OK;
}

static int run(struct training *t, caelum_anomaly *a, const char *directory, struct caelum_error *err) {
    const struct caelum_anomaly_settings *s = t->settings;
    struct rng rng = rng_make(s->seed, RNG_SPLIT, 0);
    CHECK(gallery_open(&t->gallery, directory, 2, false, s, err));
    const size_t n = t->gallery.n;
    t->channels = t->gallery.grey ? 1 : 3;
    CHECK(mem_take(&t->memory, &t->order, n, sizeof *t->order, err));
    CHECK(mem_take(&t->memory, &t->scores, n, sizeof *t->scores, err));
    CHECK(mem_take(&t->memory, &t->pixels, MOST_EPOCH + VALIDATION + 1, crop_size(t), err));
    for (uint32_t i = 0; i < n; i++) t->order[i] = i;
    rng_shuffle(&rng, t->order, n);
    a->size = s->size;
    a->false_alarms = s->false_alarms;
    const bool many = n / 5 >= anomaly_needed(s->false_alarms);
    anomaly_started(s, n, many ? n / 5 : n);
    CHECK(many ? hold_out(t, a, err) : cross_fit(t, a, err));
    CHECK(anomaly_describe(a, err));
    if (s->out) CHECK(caelum_anomaly_save(a, s->out, err));
    return tidy(t, err);
}

int caelum_anomaly_train(caelum_anomaly **anomaly, const char *directory,
                         const struct caelum_anomaly_settings *settings, struct caelum_error *err) {
    struct training t = {.settings = settings};
    caelum_anomaly *a = NULL;
    CHECK(anomaly_check(settings, err));
    CHECK(mem_alloc(&a, 1, sizeof *a, err));
    const int result = run(&t, a, directory, err);
    gallery_close(&t.gallery);
    mem_end(&t.memory);
    if (result == 0)
        *anomaly = a;
    else
        caelum_anomaly_close(&a);
    return result;
}
