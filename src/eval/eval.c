/* eval.c - models measured over a split: those that reconstruct, denoise, colorize and classify; and the
 * semantic test of a colorizer: what a classifier takes pictures for in their own colors, in grey, and in the
 * colorizer's colors. */
#include "apply/model_sheet.h"
#include "apply/predict_color.h"
#include "base/color.h"
#include "base/dist.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/parallel.h"
#include "data/crops.h"
#include "data/data.h"
#include "metrics/color_metrics.h"
#include "metrics/metrics.h"

#include <math.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>

/* Pictures at a time: whose chroma is kept, and that noise is added to; and of which each rank has a number,
 * so that their blocks are those of one process. */
enum { ROUND = 2048, NOISY = 256, UNIT = MOST_LANES };

/* How a classifier sees the pictures; others have them in color. */
enum way { COLOR, GREY, RECOLORED, WAYS };

/* What it makes of one. */
struct answer {
    double nats; /* -ln of the probability of the picture's own class */
    bool right;  /* that is the most probable one, the first of equals */
};

/* One call. What it doesn't need is NULL. */
struct evaluation {
    struct caelum_eval_settings settings;
    struct pictures pictures;
    struct mem_group memory;
    struct pooled *model, *colorizer; /* colorizer: whose colors a classifier sees */
    double gain;                      /* of predicted chroma */
    double *scratch;                  /* one part a thread */
    float *uv;                        /* [ROUND][2][h][w], of the round's pictures */
    float *noisy;                     /* [NOISY][c + 1][h][w]: pictures with noise, and its level */
    uint8_t *room;                    /* [thread][MOST_LANES][3][h][w]: pictures in other colors */
    size_t units;                     /* of UNIT pictures, shared out among ranks */
    struct picture_error *plain;      /* [units * UNIT], like the next */
    struct color_error *color;
    struct answer *answers; /* [WAYS][units * UNIT] */
    size_t first, count;    /* pictures of this round */
    enum way way;
};

struct caelum_eval_settings caelum_eval_defaults(void) {
    return (struct caelum_eval_settings){.split = CAELUM_TEST, .noise = 25, .seed = 1};
}

/* Sets *value to a whole number of the model's metadata, where it has one. */
static int read_number(const caelum_model *model, const char *key, uint64_t most, uint64_t *value,
                       struct caelum_error *err) {
    const char *text = caelum_model_metadata(model, key);
    if (!text || number_whole(text, 0, most, value)) return CAELUM_OK;
    return caelum_fail(err, CAELUM_EFORMAT, "the model's metadata are damaged: %s is '%.40s', no such number",
                       key, text);
}

/* The crop of the training, where that is known to lead to the model's size, so that what was prepared is
 * found again; else that size. */
static size_t crop_of(const caelum_model *model) {
    const struct shape in = model->net->input;
    const char *crop = caelum_model_metadata(model, "crop");
    const size_t side = in.h == in.w ? in.h : 0;
    return crop && strcmp(crop, "0") == 0 && side == CROP_USUAL_SIDE ? 0 : side;
}

int caelum_model_data_settings(const caelum_model *model, struct caelum_data_settings *settings,
                               struct caelum_error *err) {
    struct caelum_data_settings s = *settings;
    const char *how = caelum_model_metadata(model, "resize");
    uint64_t limit = s.limit;
    CHECK(read_number(model, "split_seed", UINT64_MAX, &s.split_seed, err));
    CHECK(read_number(model, "limit", UINT32_MAX, &limit, err));
    CHECK(read_number(model, "synthetic_seed", UINT64_MAX, &s.synthetic_seed, err));
    s.limit = (size_t)limit;
    s.crop = crop_of(model);
    for (int i = 0; how && caelum_resize_words[i]; i++)
        if (strcmp(how, caelum_resize_words[i]) == 0) s.resize = (enum caelum_resize)i;
    *settings = s;
    return CAELUM_OK;
}

static struct evaluation begin(const caelum_data *data, const struct caelum_eval_settings *settings) {
    struct evaluation e = {.settings = settings ? *settings : caelum_eval_defaults()};
    e.pictures = data_pictures(data, e.settings.split);
    e.units = (e.pictures.n + UNIT - 1) / UNIT;
    return e;
}

/* Whether all ranks could open what they measure, and it is the same: weights, pictures, settings. */
static int agree(const struct evaluation *e, const caelum_model *model, int result,
                 struct caelum_error *err) {
    const struct caelum_eval_settings *s = &e->settings;
    const struct caelum_dist *dist = s->dist;
    const double numbers[] = {s->noise, s->vivid, (double)s->hints, (double)s->seed};
    uint8_t mine[SHA256_DIGEST_SIZE], *first = caelum_dist_rank(dist) == 0 ? mine : NULL;
    size_t size = sizeof mine;
    struct sha256_ctx sha;
    result = dist_agree(dist, result, err);
    if (result != 0 || !dist) return result;
    sha256_init(&sha);
    sha256_update(&sha, strlen(model->net->text), (const uint8_t *)model->net->text);
    sha256_update(&sha, model->net->params * sizeof(float), (const uint8_t *)model->params);
    for (size_t i = 0; i < e->pictures.n; i++)
        sha256_update(&sha, pictures_size(&e->pictures), pictures_at(&e->pictures, i));
    sha256_update(&sha, sizeof numbers, (const uint8_t *)numbers);
    sha256_digest(&sha, sizeof mine, mine);
    CHECK(dist_spread(dist, &first, &size, err));
    if (memcmp(first, mine, sizeof mine) != 0)
        result = caelum_fail(err, CAELUM_EUSAGE, "its model, pictures or settings are not those of rank 0");
    if (first != mine) mem_free(&first);
    return dist_agree(dist, result, err);
}

/* Everyone gets the figures of all pictures. */
static void share(const struct evaluation *e, void *figures, size_t size) {
    dist_gather(e->settings.dist, figures, e->units, UNIT * size);
}

static void end(struct evaluation *e) {
    mem_end(&e->memory);
    pool_give(&e->model);
    pool_give(&e->colorizer);
}

/* `what`: "model", "classifier". */
static int check_pictures(const struct caelum_net *net, enum caelum_task task, const char *what,
                          const struct pictures *p, struct caelum_error *err) {
    const struct shape in = task_pictures(task, net);
    if (in.c == p->c && in.h == p->h && in.w == p->w) return CAELUM_OK;
    return caelum_fail(err, CAELUM_EFORMAT, "the %s takes pictures of %zux%zux%zu, the data has %zux%zux%zu",
                       what, in.c, in.h, in.w, p->c, p->h, p->w);
}

static int take_model(const struct evaluation *e, const caelum_model *model, struct pooled **taken,
                      struct caelum_error *err) {
    return pool_take(taken, model, model->net->layers, e->settings.threads, err);
}

/* This rank's pictures, `most` at a time. */
static int each_round(struct evaluation *e, const char *doing, size_t most,
                      int (*round)(struct evaluation *e, struct caelum_error *err),
                      struct caelum_error *err) {
    const struct caelum_eval_settings *s = &e->settings;
    const struct dist_part part = dist_part(s->dist, caelum_dist_rank(s->dist), e->units);
    const size_t n = e->pictures.n, end = part.end * UNIT < n ? part.end * UNIT : n;
    int result = CAELUM_OK;
    for (e->first = part.first * UNIT; result == 0 && e->first < end; e->first += most) {
        e->count = end - e->first < most ? end - e->first : most;
        if (s->progress && s->progress(s->cookie, doing, e->first, n) != 0)
            result = caelum_fail(err, CAELUM_ESTOPPED, "stopped during the evaluation");
        else
            result = round(e, err);
    }
    CHECK(dist_agree(s->dist, result, err));
    if (s->progress) s->progress(s->cookie, doing, n, n);
    return CAELUM_OK;
}

/* A block's pictures are asked for one after the other, and each has its place in the room. */
static const uint8_t *give(void *cookie, size_t i, int worker) {
    const struct evaluation *e = cookie;
    const size_t plane = e->pictures.h * e->pictures.w;
    const uint8_t *truth = pictures_at(&e->pictures, e->first + i);
    if (e->way == COLOR) return truth;
    uint8_t *room = e->room + ((size_t)worker * MOST_LANES + i % MOST_LANES) * 3 * plane;
    color_recolor(truth, e->way == GREY ? NULL : e->uv + i * 2 * plane, plane, room);
    return room;
}

/* --- Reconstructions ------------------------------------------------------------------------------ */

static void take_values(void *cookie, size_t i, const float *values, int worker) {
    const struct evaluation *e = cookie;
    const struct pictures *p = &e->pictures;
    metrics_picture(pictures_at(p, e->first + i), values, p->c, p->h, p->w,
                    e->scratch + (size_t)worker * metrics_scratch(p->h, p->w), &e->plain[e->first + i]);
}

static int reconstruct_round(struct evaluation *e, struct caelum_error *err) {
    const struct engine_job job = {
        .n = e->count, .first = e->first, .input = give, .output = take_values, .cookie = e};
    return engine_run(&e->model->engine, &job, err);
}

/* --- Denoising: the level of the noise is told ------------------------------------------------------ */

/* Adds noise to picture i of the round. */
static void make_noisy(void *cookie, size_t i, int worker) {
    const struct evaluation *e = cookie;
    const size_t size = pictures_size(&e->pictures), plane = e->pictures.h * e->pictures.w;
    const float level = (float)e->settings.noise / 255;
    const uint8_t *truth = pictures_at(&e->pictures, e->first + i);
    struct rng rng = rng_make(e->settings.seed, RNG_LEVEL, LAYER_NOISE_MEASURE);
    float *to = e->noisy + i * (size + plane);
    (void)worker;
    rng.counter[1] = (uint32_t)(e->first + i);
    for (size_t v = 0; v < size + plane; v++)
        to[v] = v < size ? (float)truth[v] / 255 + level * rng_normal(&rng) : level;
}

/* Takes the noise away that the network has found in picture i of the round. */
static void take_noise(void *cookie, size_t i, const float *noise, int worker) {
    const struct evaluation *e = cookie;
    const size_t size = pictures_size(&e->pictures), plane = e->pictures.h * e->pictures.w;
    float *picture = e->noisy + i * (size + plane);
    for (size_t v = 0; v < size; v++) picture[v] -= noise[v];
    take_values(cookie, i, picture, worker);
}

static int denoise_round(struct evaluation *e, struct caelum_error *err) {
    const struct engine_job job = {.n = e->count, .in = e->noisy, .output = take_noise, .cookie = e};
    parallel_for(e->model->threads, e->count, make_noisy, e);
    return engine_run(&e->model->engine, &job, err);
}

static int open_noisy(struct evaluation *e, const struct caelum_net *net, struct caelum_error *err) {
    if (!(e->settings.noise >= 0 && e->settings.noise <= (double)TASK_MOST_NOISE))
        return caelum_fail(err, CAELUM_EUSAGE, "noise: expected a deviation of 0 to %d, of 255",
                           TASK_MOST_NOISE);
    return mem_take(&e->memory, &e->noisy, NOISY * shape_values(net->input), sizeof *e->noisy, err);
}

static int open_plain(struct evaluation *e, const caelum_model *model, struct caelum_error *err) {
    const struct pictures *p = &e->pictures;
    const struct shape out = net_output(model->net);
    const char *word = caelum_model_metadata(model, "task");
    const enum caelum_task task = caelum_net_task(model->net);
    CHECK(check_pictures(model->net, task, "model", p, err));
    if (out.c != p->c || out.h != p->h || out.w != p->w)
        return caelum_fail(err, CAELUM_EFORMAT,
                           "the model's output is %zux%zux%zu: it does not reconstruct its input", out.c,
                           out.h, out.w);
    CHECK(take_model(e, model, &e->model, err));
    CHECK(mem_take(&e->memory, &e->plain, e->units * UNIT, sizeof *e->plain, err));
    e->model->engine.noise = word && strcmp(word, "denoise") == 0;
    if (task == CAELUM_DENOISE) CHECK(open_noisy(e, model->net, err));
    return mem_take(&e->memory, &e->scratch, (size_t)e->model->threads * metrics_scratch(p->h, p->w),
                    sizeof *e->scratch, err);
}

int caelum_eval(const caelum_model *model, const caelum_data *data,
                const struct caelum_eval_settings *settings, struct caelum_metrics *metrics,
                struct caelum_error *err) {
    struct evaluation e = begin(data, settings);
    const struct pictures *p = &e.pictures;
    int result = agree(&e, model, open_plain(&e, model, err), err);
    if (result == 0)
        result = e.noisy ? each_round(&e, "evaluating", NOISY, denoise_round, err)
                         : each_round(&e, "evaluating", ROUND, reconstruct_round, err);
    if (result == 0) share(&e, e.plain, sizeof *e.plain);
    if (result == 0) metrics_total(e.plain, p->n, p->c, p->h, p->w, metrics);
    end(&e);
    return result;
}

/* --- Colors --------------------------------------------------------------------------------------- */

/* The round's chroma, by a colorizer. */
static int predict(struct evaluation *e, struct pooled *colorizer, struct caelum_error *err) {
    const struct predict_color job = {.pictures = &e->pictures,
                                      .first = e->first,
                                      .n = e->count,
                                      .hints = e->settings.hints,
                                      .seed = e->settings.seed,
                                      .gain = (float)e->gain};
    return predict_color(&colorizer->engine, &job, e->uv, err);
}

static int open_colorizer(struct evaluation *e, const caelum_model *model, struct pooled **taken,
                          struct caelum_error *err) {
    const struct pictures *p = &e->pictures;
    CHECK(predict_color_check(model->net, p, err));
    CHECK(take_model(e, model, taken, err));
    e->gain = colorizer_gain(model, e->settings.vivid);
    return mem_take(&e->memory, &e->uv, ROUND, 2 * p->h * p->w * sizeof *e->uv, err);
}

static int open_color(struct evaluation *e, const caelum_model *model, struct caelum_error *err) {
    const struct pictures *p = &e->pictures;
    CHECK(open_colorizer(e, model, &e->model, err));
    CHECK(mem_take(&e->memory, &e->color, e->units * UNIT, sizeof *e->color, err));
    return mem_take(&e->memory, &e->scratch, (size_t)e->model->threads * color_metrics_scratch(p->h, p->w),
                    sizeof *e->scratch, err);
}

static void measure_chroma(void *cookie, size_t i, int worker) {
    const struct evaluation *e = cookie;
    const struct pictures *p = &e->pictures;
    color_metrics_picture(pictures_at(p, e->first + i), e->uv + i * 2 * p->h * p->w, p->h, p->w,
                          e->scratch + (size_t)worker * color_metrics_scratch(p->h, p->w),
                          &e->color[e->first + i]);
}

static int color_round(struct evaluation *e, struct caelum_error *err) {
    CHECK(predict(e, e->model, err));
    parallel_for(e->model->threads, e->count, measure_chroma, e);
    return CAELUM_OK;
}

static int measure_color(struct evaluation *e, struct caelum_color_metrics *metrics,
                         struct caelum_error *err) {
    CHECK(each_round(e, "evaluating", ROUND, color_round, err));
    share(e, e->color, sizeof *e->color);
    color_metrics_total(e->color, e->pictures.n, e->pictures.h, e->pictures.w, metrics);
    return CAELUM_OK;
}

enum { CHOSEN = 20, EXTREMES = 10 };

struct gain {
    double by; /* how much nearer to the truth than grey */
    uint32_t picture;
};

static int by_gain(const void *a, const void *b) {
    const struct gain *x = a, *y = b;
    if (x->by != y->by) return x->by > y->by ? -1 : 1;
    return x->picture < y->picture ? -1 : x->picture > y->picture;
}

/* A sheet of the n pictures that are numbers `which` of the split. */
static int write_sheet(const struct evaluation *e, const caelum_model *model, const uint32_t *which, size_t n,
                       const char *name, const char *title, struct caelum_error *err) {
    uint32_t index[CHOSEN];
    char path[PATH_SIZE];
    struct pictures some = e->pictures;
    for (size_t i = 0; i < n; i++) index[i] = e->pictures.index[which[i]];
    some.index = index;
    some.n = n;
    CHECK(file_join(path, sizeof path, e->settings.sheets, name, err));
    return model_sheet_color(model, &some, title, path, err);
}

static int write_sheets(struct evaluation *e, const caelum_model *model, struct caelum_error *err) {
    const size_t n = e->pictures.n, few = n < EXTREMES ? n : EXTREMES, many = n < CHOSEN ? n : CHOSEN;
    struct rng rng = rng_make(e->settings.seed, RNG_SAMPLES, 0);
    struct gain *gains = NULL;
    uint32_t *order = NULL, best[EXTREMES] = {0}, worst[EXTREMES] = {0};
    CHECK(file_make_directory(e->settings.sheets, err));
    CHECK(mem_take(&e->memory, &gains, n, sizeof *gains, err));
    CHECK(mem_take(&e->memory, &order, n, sizeof *order, err));
    for (size_t i = 0; i < n; i++) {
        gains[i] = (struct gain){e->color[i].chroma_grey - e->color[i].chroma, (uint32_t)i};
        order[i] = (uint32_t)i;
    }
    rng_shuffle(&rng, order, n);
    qsort(gains, n, sizeof *gains, by_gain);
    for (size_t i = 0; i < few; i++) best[i] = gains[i].picture, worst[i] = gains[n - 1 - i].picture;
    CHECK(write_sheet(e, model, order, many, "chosen.png", "Chosen by chance", err));
    CHECK(write_sheet(e, model, best, few, "best.png", "Where color gains most", err));
    return write_sheet(e, model, worst, few, "worst.png", "Where color loses most", err);
}

int caelum_eval_color(const caelum_model *model, const caelum_data *data,
                      const struct caelum_eval_settings *settings, struct caelum_color_metrics *metrics,
                      struct caelum_error *err) {
    struct evaluation e = begin(data, settings);
    struct caelum_color_metrics m;
    CHECK(colorizer_gain_check(e.settings.vivid, err));
    int result = agree(&e, model, open_color(&e, model, err), err);
    if (result == 0) result = measure_color(&e, &m, err);
    if (result == 0 && e.settings.sheets && caelum_dist_rank(e.settings.dist) == 0)
        result = write_sheets(&e, model, err);
    result = dist_agree(e.settings.dist, result, err);
    end(&e);
    if (result == 0) *metrics = m;
    return result;
}

/* Whether chroma is too much at that gain: more colorful than the truth, or further from it than grey is. */
static bool is_too_vivid(const struct caelum_color_metrics *m) {
    return m->colorfulness > m->colorfulness_truth || m->r2 < 0;
}

int caelum_color_calibrate(caelum_model *model, const caelum_data *data,
                           const struct caelum_eval_settings *settings, struct caelum_error *err) {
    enum { HALVINGS = 6 };
    struct caelum_eval_settings unaided = settings ? *settings : caelum_eval_defaults();
    double low = 1, high = 5;
    char text[32];
    unaided.hints = 0;
    unaided.split = CAELUM_VALIDATION;
    struct evaluation e = begin(data, &unaided);
    int result = agree(&e, model, open_color(&e, model, err), err);
    for (int i = 0; result == 0 && i < HALVINGS; i++) {
        struct caelum_color_metrics m;
        e.gain = (low + high) / 2;
        result = measure_color(&e, &m, err);
        if (result == 0) *(is_too_vivid(&m) ? &high : &low) = e.gain;
    }
    end(&e);
    if (result != 0) return result;
    number_print(text, sizeof text, "%.2f", low);
    return caelum_model_set_metadata(model, COLORIZER_GAIN_KEY, text, err);
}

bool caelum_color_learned(const struct caelum_color_metrics *m, const struct caelum_color_metrics *grey) {
    return m->colorfulness >= 5 && m->r2 >= 0.05 && m->psnr - grey->psnr >= 0.3;
}

/* --- Classes -------------------------------------------------------------------------------------- */

static int open_classifier(struct evaluation *e, const caelum_model *classifier, struct caelum_error *err) {
    CHECK(task_check_classes(classifier->net, &e->pictures, err));
    CHECK(check_pictures(classifier->net, CAELUM_CLASSIFY, "classifier", &e->pictures, err));
    CHECK(mem_take(&e->memory, &e->answers, e->units * UNIT, WAYS * sizeof *e->answers, err));
    return take_model(e, classifier, &e->model, err);
}

static void take_classes(void *cookie, size_t i, const float *values, int worker) {
    const struct evaluation *e = cookie;
    const struct pictures *p = &e->pictures;
    const size_t at = e->first + i, label = pictures_label(p, at);
    size_t most = 0;
    double powers = 0;
    (void)worker;
    for (size_t c = 1; c < p->classes; c++)
        if (values[c] > values[most]) most = c;
    for (size_t c = 0; c < p->classes; c++) powers += exp((double)values[c] - (double)values[most]);
    e->answers[e->way * e->units * UNIT + at] = (struct answer){
        .nats = log(powers) - ((double)values[label] - (double)values[most]), .right = most == label};
}

/* The pictures in their colors and, where there is a colorizer, in grey and in its colors. */
static int class_round(struct evaluation *e, struct caelum_error *err) {
    const struct engine_job job = {.n = e->count, .input = give, .output = take_classes, .cookie = e};
    if (e->colorizer) CHECK(predict(e, e->colorizer, err));
    for (int way = COLOR; way < (e->colorizer ? WAYS : GREY); way++) {
        e->way = (enum way)way;
        CHECK(engine_run(&e->model->engine, &job, err));
    }
    return CAELUM_OK;
}

static struct caelum_class_metrics total(const struct evaluation *e, enum way way) {
    const size_t n = e->pictures.n;
    struct answer *answers = e->answers + way * e->units * UNIT;
    struct caelum_class_metrics m = {.count = n};
    share(e, answers, sizeof *answers);
    for (const struct answer *a = answers; a < answers + n; a++)
        m.accuracy += a->right, m.cross_entropy += a->nats;
    m.accuracy /= (double)n;
    m.cross_entropy /= (double)n;
    return m;
}

int caelum_eval_class(const caelum_model *classifier, const caelum_data *data,
                      const struct caelum_eval_settings *settings, struct caelum_class_metrics *metrics,
                      struct caelum_error *err) {
    struct evaluation e = begin(data, settings);
    int result = agree(&e, classifier, open_classifier(&e, classifier, err), err);
    if (result == 0) result = each_round(&e, "classifying", ROUND, class_round, err);
    if (result == 0) *metrics = total(&e, COLOR);
    end(&e);
    return result;
}

static int open_semantic(struct evaluation *e, const caelum_model *colorizer, const caelum_model *classifier,
                         struct caelum_error *err) {
    CHECK(colorizer_gain_check(e->settings.vivid, err));
    CHECK(open_classifier(e, classifier, err));
    CHECK(open_colorizer(e, colorizer, &e->colorizer, err));
    return mem_take(&e->memory, &e->room, (size_t)e->model->threads * MOST_LANES, pictures_size(&e->pictures),
                    err);
}

int caelum_eval_semantic(const caelum_model *colorizer, const caelum_model *classifier,
                         const caelum_data *data, const struct caelum_eval_settings *settings,
                         struct caelum_semantic_metrics *metrics, struct caelum_error *err) {
    struct evaluation e = begin(data, settings);
    int result = agree(&e, classifier, open_semantic(&e, colorizer, classifier, err), err);
    if (result == 0) result = agree(&e, colorizer, result, err);
    if (result == 0) result = each_round(&e, "classifying", ROUND, class_round, err);
    if (result == 0) {
        const struct caelum_class_metrics truth = total(&e, COLOR), grey = total(&e, GREY),
                                          ours = total(&e, RECOLORED);
        const double gap = truth.accuracy - grey.accuracy;
        *metrics =
            (struct caelum_semantic_metrics){.color = truth,
                                             .grey = grey,
                                             .recolored = ours,
                                             .closed = gap > 0 ? (ours.accuracy - grey.accuracy) / gap : NAN};
    }
    end(&e);
    return result;
}
