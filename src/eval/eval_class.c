/* eval_class.c - a classifier measured over a split; and the semantic test of a colorizer: what a classifier
 * takes pictures for in their own colors, in grey, and in the colorizer's colors. */
#include "apply/predict_color.h"
#include "base/color.h"
#include "base/mem.h"
#include "data/data.h"

#include <math.h>

enum { ROUND = 2048 }; /* pictures whose chroma is kept at a time */

/* How the classifier sees the pictures. */
enum way { COLOR, GREY, RECOLORED, WAYS };

/* What it makes of one. */
struct answer {
    double nats; /* -ln of the probability of the picture's own class */
    bool right;  /* that is the most probable one, the first of equals */
};

struct evaluation {
    struct pictures pictures;
    struct pooled *classifier, *colorizer; /* the second only for RECOLORED */
    float *uv;                             /* [ROUND][2][h][w], of the round's pictures; likewise */
    uint8_t *room;                         /* [thread][MOST_LANES][3][h][w], likewise */
    struct answer *answers;                /* [WAYS][pictures.n] */
    size_t first;                          /* picture of this round */
    enum way way;
};

static int check_classifier(const struct caelum_net *net, const struct pictures *p,
                            struct caelum_error *err) {
    const struct shape in = net->input;
    CHECK(task_check_classes(net, p, err));
    if (in.c == p->c && in.h == p->h && in.w == p->w) return CAELUM_OK;
    return caelum_fail(err, CAELUM_EFORMAT,
                       "the classifier takes pictures of %zux%zux%zu, the data has %zux%zux%zu", in.c, in.h,
                       in.w, p->c, p->h, p->w);
}

static int evaluation_open(struct evaluation *e, const caelum_model *classifier, const caelum_data *data,
                           enum caelum_split split, int threads, struct caelum_error *err) {
    e->pictures = data_pictures(data, split);
    CHECK(check_classifier(classifier->net, &e->pictures, err));
    CHECK(mem_alloc(&e->answers, e->pictures.n, WAYS * sizeof *e->answers, err));
    return pool_take(&e->classifier, classifier, classifier->net->layers, threads, err);
}

static int add_colorizer(struct evaluation *e, const caelum_model *model, int threads,
                         struct caelum_error *err) {
    const size_t plane = e->pictures.h * e->pictures.w;
    CHECK(predict_color_check(model->net, &e->pictures, err));
    CHECK(pool_take(&e->colorizer, model, model->net->layers, threads, err));
    CHECK(mem_alloc(&e->uv, ROUND, 2 * plane * sizeof *e->uv, err));
    return mem_alloc(&e->room, (size_t)e->classifier->threads * MOST_LANES, 3 * plane, err);
}

static void evaluation_close(struct evaluation *e) {
    mem_free(&e->answers);
    mem_free(&e->uv);
    mem_free(&e->room);
    pool_give(&e->classifier);
    pool_give(&e->colorizer);
}

/* A block's pictures are asked for one after the other, and each has its place. */
static const uint8_t *give(void *cookie, size_t i, int worker) {
    const struct evaluation *e = cookie;
    const size_t plane = e->pictures.h * e->pictures.w;
    const uint8_t *truth = pictures_at(&e->pictures, e->first + i);
    if (e->way == COLOR) return truth;
    uint8_t *room = e->room + ((size_t)worker * MOST_LANES + i % MOST_LANES) * 3 * plane;
    color_recolor(truth, e->way == GREY ? NULL : e->uv + i * 2 * plane, plane, room);
    return room;
}

static void take(void *cookie, size_t i, const float *values, int worker) {
    const struct evaluation *e = cookie;
    const struct pictures *p = &e->pictures;
    const size_t at = e->first + i, label = pictures_label(p, at);
    size_t most = 0;
    double powers = 0;
    (void)worker;
    for (size_t c = 1; c < p->classes; c++)
        if (values[c] > values[most]) most = c;
    for (size_t c = 0; c < p->classes; c++) powers += exp((double)values[c] - (double)values[most]);
    e->answers[e->way * p->n + at] = (struct answer){
        .nats = log(powers) - ((double)values[label] - (double)values[most]), .right = most == label};
}

/* All pictures in the first `ways` ways, round by round; color: how chroma is predicted, of RECOLORED. */
static int evaluate(struct evaluation *e, int ways, struct predict_color color,
                    const struct caelum_eval_settings *s, struct caelum_error *err) {
    const size_t n = e->pictures.n;
    for (e->first = 0; e->first < n; e->first += ROUND) {
        if (s->progress && s->progress(s->cookie, "classifying", e->first, n) != 0)
            return caelum_fail(err, CAELUM_ESTOPPED, "stopped during the evaluation");
        const struct engine_job job = {
            .n = n - e->first < ROUND ? n - e->first : ROUND, .input = give, .output = take, .cookie = e};
        color.first = e->first, color.n = job.n;
        if (ways > RECOLORED) CHECK(predict_color(&e->colorizer->engine, &color, e->uv, err));
        for (int way = 0; way < ways; way++) {
            e->way = (enum way)way;
            CHECK(engine_run(&e->classifier->engine, &job, err));
        }
    }
    if (s->progress) s->progress(s->cookie, "classifying", n, n);
    return CAELUM_OK;
}

static struct caelum_class_metrics total(const struct evaluation *e, enum way way) {
    const size_t n = e->pictures.n;
    struct caelum_class_metrics m = {.count = n};
    for (const struct answer *a = e->answers + way * n; a < e->answers + (way + 1) * n; a++)
        m.accuracy += a->right, m.cross_entropy += a->nats;
    m.accuracy /= (double)n;
    m.cross_entropy /= (double)n;
    return m;
}

int caelum_eval_class(const caelum_model *classifier, const caelum_data *data,
                      const struct caelum_eval_settings *settings, struct caelum_class_metrics *metrics,
                      struct caelum_error *err) {
    const struct caelum_eval_settings s = settings ? *settings : caelum_eval_defaults();
    struct evaluation e = {0};
    int result = evaluation_open(&e, classifier, data, s.split, s.threads, err);
    if (result == 0) result = evaluate(&e, COLOR + 1, (struct predict_color){0}, &s, err);
    if (result == 0) *metrics = total(&e, COLOR);
    evaluation_close(&e);
    return result;
}

int caelum_eval_semantic(const caelum_model *colorizer, const caelum_model *classifier,
                         const caelum_data *data, const struct caelum_eval_settings *settings,
                         struct caelum_semantic_metrics *metrics, struct caelum_error *err) {
    const struct caelum_eval_settings s = settings ? *settings : caelum_eval_defaults();
    struct evaluation e = {0};
    CHECK(colorizer_gain_check(s.vivid, err));
    const struct predict_color color = {.pictures = &e.pictures,
                                        .hints = s.hints,
                                        .seed = s.seed,
                                        .gain = (float)colorizer_gain(colorizer, s.vivid)};
    int result = evaluation_open(&e, classifier, data, s.split, s.threads, err);
    if (result == 0) result = add_colorizer(&e, colorizer, s.threads, err);
    if (result == 0) result = evaluate(&e, WAYS, color, &s, err);
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
    evaluation_close(&e);
    return result;
}
