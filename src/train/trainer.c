/* trainer.c - blocks through the network in parallel, gradients added in order, one step of the optimizer. */
#include "train/trainer.h"

#include "base/mem.h"
#include "base/parallel.h"
#include "base/team.h"
#include "train/augment.h"
#include "train/klt.h"

#include <math.h>
#include <string.h>

/* Gradient slots: enough for any number of cores, few enough to add up quickly. The pictures 8 i to 8 i + 7
 * go to slot i % MOST_SLOTS, so the order of the sum is fixed for larger minibatches too. */
enum { MOST_SLOTS = 128 };

static size_t eights_of(size_t pictures) {
    return (pictures + SUM_LANES - 1) / SUM_LANES;
}
static size_t blocks_of(const struct trainer *t, size_t pictures) {
    return (pictures + t->engine.kernels->lanes - 1) / t->engine.kernels->lanes;
}
/* Sums that a block leaves. */
static size_t sums_of(const struct trainer *t) {
    return t->engine.kernels->lanes / SUM_LANES;
}

struct caelum_train_settings trainer_defaults(size_t batch, double lr, int threads) {
    struct caelum_train_settings s = caelum_train_defaults();
    s.batch = batch;
    s.lr = lr;
    s.threads = threads;
    return s;
}

/* Bytes of a picture that the task takes. */
static size_t picture_size(const struct trainer *t) {
    const struct shape s = task_pictures(t->settings.task, t->engine.net);
    return s.c * s.h * s.w;
}

static int allocate(struct trainer *t, size_t largest, struct caelum_error *err) {
    const size_t n = t->engine.net->params, lanes = t->engine.kernels->lanes;
    const size_t most = largest > t->settings.batch ? largest : t->settings.batch;
    const size_t eights = blocks_of(t, t->settings.batch) * sums_of(t);
    size_t slots = 0;
    t->slot_count = eights < MOST_SLOTS ? eights : MOST_SLOTS;
    CHECK(mem_alloc(&t->params, n, sizeof(float), err));
    CHECK(optimizer_open(&t->optimizer, &t->settings, t->engine.net, t->settings.threads, err));
    if (t->settings.ema > 0) CHECK(mem_alloc(&t->ema, n, sizeof(float), err));
    CHECK(mem_alloc(&t->gradient, n, sizeof(float), err));
    CHECK(size_mul(n, t->slot_count + MOST_LANES / SUM_LANES, &slots, err));
    CHECK(mem_alloc(&t->slots, slots, sizeof(float), err));
    CHECK(mem_alloc(&t->sums, blocks_of(t, most) * sums_of(t), sizeof *t->sums, err));
    return mem_alloc(&t->augmented, (size_t)t->settings.threads * lanes, picture_size(t), err);
}

int trainer_open(struct trainer *trainer, const struct caelum_net *net,
                 const struct caelum_train_settings *settings, size_t largest, struct caelum_error *err) {
    struct trainer t = {.settings = *settings, .lr = settings->lr};
    t.settings.threads = parallel_threads(settings->threads);
    const struct engine_settings engine = {
        .task = settings->task, .threads = t.settings.threads, .learns = true};
    CHECK(task_check(settings->task, net, err));
    int result = engine_open(&t.engine, net, &engine, err);
    if (result == 0) result = allocate(&t, largest, err);
    if (result != 0) {
        trainer_close(&t);
        return result;
    }
    net_init(net, settings->seed, t.params);
    if (t.ema) memcpy(t.ema, t.params, net->params * sizeof(float));
    trainer_refresh(&t);
    *trainer = t;
    return CAELUM_OK;
}

int trainer_start(struct trainer *t, const struct pictures *pictures, struct caelum_error *err) {
    CHECK(klt_start(t->engine.net, pictures, t->params, err));
    if (t->ema) memcpy(t->ema, t->params, t->engine.net->params * sizeof(float));
    trainer_refresh(t);
    return CAELUM_OK;
}

void trainer_close(struct trainer *t) {
    engine_close(&t->engine);
    mem_free(&t->sums);
    mem_free(&t->slots);
    mem_free(&t->augmented);
    mem_free(&t->gradient);
    mem_free(&t->ema);
    optimizer_close(&t->optimizer);
    mem_free(&t->params);
}

void trainer_refresh(struct trainer *t) {
    engine_pack(&t->engine, t->params);
}

const float *trainer_result(const struct trainer *t) {
    return t->ema ? t->ema : t->params;
}

size_t trainer_values(const struct trainer *t) {
    return shape_values(net_output(t->engine.net));
}

size_t trainer_terms(const struct trainer *t) {
    const struct shape out = net_output(t->engine.net);
    return t->settings.loss == CAELUM_XENT ? out.h * out.w : trainer_values(t);
}

/* What the blocks of one call share. */
struct pass {
    struct trainer *trainer;
    const struct pictures *pictures;
    const uint32_t *order; /* NULL without learning: in the order of the set */
    struct engine_cut cut;
    float scale; /* of the loss gradient; 0: no learning */
};

/* One block, and where its results go. */
struct block {
    struct engine_block at;
    struct loss_sums *sums; /* [sums_of] */
    float *grads;           /* [sums_of][net->params] */
};

static struct block take_block(const struct pass *pass, size_t number, int worker) {
    struct trainer *t = pass->trainer;
    const size_t slot = number * sums_of(t), params = t->engine.net->params;
    struct block b = {.at = engine_block(&t->engine, &pass->cut, number, worker),
                      .sums = &t->sums[slot],
                      .grads = t->slots + slot % t->slot_count * params};
    if (number == pass->cut.blocks) b.sums = t->tail_sums, b.grads = t->slots + t->slot_count * params;
    return b;
}

/* What is random about picture `at` of the minibatch of this step, beside its order and flips. */
static struct rng picture_rng(const struct trainer *t, enum rng_stream stream, size_t at) {
    struct rng rng = rng_make(t->settings.seed, stream, (uint32_t)t->optimizer.step);
    rng.counter[1] = (uint32_t)at;
    return rng;
}

/* Where picture `at` of the pass is in the set. */
static size_t place_of(const struct pass *pass, size_t at) {
    return pass->order ? pass->order[at] & ~TRAINER_FLIP : at;
}

/* Picture `at` of the step as the network gets to see it; `room` is for one that is changed. */
static const uint8_t *training_picture(const struct pass *pass, size_t at, uint8_t *room) {
    const struct trainer *t = pass->trainer;
    struct augment augment = {.mirror = pass->order[at] & TRAINER_FLIP};
    if (t->settings.shift > 0) {
        struct rng rng = picture_rng(t, RNG_SHIFT, at);
        augment_draw_move(&augment, &rng, t->settings.shift);
    }
    return augment_picture(&augment, pictures_at(pass->pictures, place_of(pass, at)), pass->pictures, room);
}

/* Shows a colorizer that takes hints some pixels' true colors, other ones each time. */
static void give_hints(const struct pass *pass, const struct engine_block *b) {
    const size_t strips = b->place->workspace.strips;
    for (size_t i = 0; i < b->pictures; i++) {
        struct rng rng = picture_rng(pass->trainer, RNG_HINTS, b->first + i);
        task_hint_randomly(&b->place->block, &b->place->workspace.value[0], i * strips, strips, &rng);
    }
}

/* Loads a block's pictures and what they should become. */
static struct tensor load_block(const struct pass *pass, const struct engine_block *b, int worker) {
    const struct trainer *t = pass->trainer;
    const uint8_t *picture[MOST_LANES];
    uint8_t label[MOST_LANES] = {0},
            *room = t->augmented + (size_t)worker * t->engine.kernels->lanes * picture_size(t);
    for (size_t i = 0; i < b->pictures; i++) {
        const size_t at = b->first + i;
        picture[i] = pass->order ? training_picture(pass, at, room + i * picture_size(t))
                                 : pictures_at(pass->pictures, at);
        if (pass->pictures->labels) label[i] = pictures_label(pass->pictures, place_of(pass, at));
    }
    return engine_load(&t->engine, b, picture, label);
}

/* Runs a block forward and measures it; the gradient of lanes without a picture is zero. */
static void forward_block(const struct pass *pass, const struct block *b, int worker) {
    const struct trainer *t = pass->trainer;
    const struct net_workspace *ws = &b->at.place->workspace;
    const bool learn = pass->order != NULL;
    const struct layer_noise noise = {.on = learn || t->settings.task == CAELUM_DENOISE,
                                      .scale = pass->scale,
                                      .seed = t->settings.seed,
                                      .step = learn ? (uint32_t)t->optimizer.step : LAYER_NOISE_MEASURE,
                                      .first = (uint32_t)b->at.first};
    const struct tensor target = load_block(pass, &b->at, worker);
    if (learn && task_takes_hints(t->settings.task, t->engine.net)) give_hints(pass, &b->at);
    engine_forward(&t->engine, &b->at, &noise);
    const struct loss_job job = {.loss = t->settings.loss,
                                 .delta = (float)t->settings.huber_delta,
                                 .y = ws->value[b->at.net->layers],
                                 .t = target,
                                 .dy = learn ? ws->grad[b->at.net->layers] : (struct tensor){0},
                                 .scale = pass->scale,
                                 .live = b->at.pictures * ws->strips,
                                 .sums = b->sums};
    t->engine.kernels->loss(&job);
}

static void learn_block(const struct pass *pass, const struct block *b, int worker) {
    const struct engine *e = &pass->trainer->engine;
    forward_block(pass, b, worker);
    net_backward(b->at.net, e->kernels, e->params, e->packed, &b->at.place->workspace, b->grads);
}

/* Job 0 is the tail where there is one: it is the shortest, so its worker takes another afterwards. The
 * others are the blocks whose sums go to the same slot, or pair of slots. */
static void learn_job(void *cookie, size_t job, int worker) {
    const struct pass *pass = cookie;
    const struct trainer *t = pass->trainer;
    const size_t size = sums_of(t) * t->engine.net->params * sizeof(float);
    const size_t slot = pass->cut.tail ? job - 1 : job, step = t->slot_count / sums_of(t);
    if (pass->cut.tail && job == 0) {
        const struct block tail = take_block(pass, pass->cut.blocks, worker);
        memset(tail.grads, 0, size);
        learn_block(pass, &tail, worker);
        return;
    }
    for (size_t b = slot; b < pass->cut.blocks; b += step) {
        const struct block block = take_block(pass, b, worker);
        if (b == slot) memset(block.grads, 0, size);
        learn_block(pass, &block, worker);
    }
}

static void measure_job(void *cookie, size_t job, int worker) {
    const struct pass *pass = cookie;
    const struct block b = take_block(pass, job, worker);
    forward_block(pass, &b, worker);
}

static void add_sums(const struct pass *pass, struct loss_sums *sums) {
    const struct trainer *t = pass->trainer;
    const size_t eights = eights_of(pass->cut.pictures);
    *sums = (struct loss_sums){0};
    for (size_t i = 0; i < eights + (pass->cut.tail ? 1 : 0); i++) {
        const struct loss_sums *s = i < eights ? &t->sums[i] : t->tail_sums;
        sums->loss += s->loss;
        sums->squared += s->squared;
        sums->agree += s->agree;
    }
}

/* All slots in their order, the tail's last. */
static void add_gradients(const struct pass *pass) {
    struct trainer *t = pass->trainer;
    const size_t eights = eights_of(pass->cut.pictures), params = t->engine.net->params;
    const size_t slots = eights < t->slot_count ? eights : t->slot_count;
    if (slots == 0) memset(t->gradient, 0, params * sizeof *t->gradient);
    if (slots > 0) t->engine.kernels->sum(t->gradient, t->slots, slots, params, params);
    if (pass->cut.tail)
        t->engine.kernels->add_scaled(t->gradient, t->slots + t->slot_count * params, 1, params);
}

/* Scales the gradient down where its norm is larger than allowed, as PyTorch's clip_grad_norm_ does. */
static void clip(struct trainer *t) {
    double squares = 0;
    for (size_t i = 0; i < t->engine.net->params; i++)
        squares += (double)t->gradient[i] * (double)t->gradient[i];
    const double share = t->settings.clip / (sqrt(squares) + 1e-6);
    for (size_t i = 0; share < 1 && i < t->engine.net->params; i++) t->gradient[i] *= (float)share;
}

/* Early on the mean forgets faster, or short runs would end near their random start: decay is at most
 * (1 + steps) / (10 + steps), as in TensorFlow's ExponentialMovingAverage. */
static void average(struct trainer *t) {
    const double steps = (double)t->optimizer.step, most = (1 + steps) / (10 + steps);
    const double decay = t->settings.ema < most ? t->settings.ema : most;
    t->engine.kernels->approach(t->ema, t->params, (float)(1 - decay), t->engine.net->params);
}

void trainer_step(struct trainer *t, const struct pictures *pictures, const uint32_t *order, size_t n,
                  struct loss_sums *sums) {
    struct pass pass = {.trainer = t,
                        .pictures = pictures,
                        .order = order,
                        .cut = engine_cut(&t->engine, n, SUM_LANES),
                        .scale = (float)(1.0 / (double)(n * trainer_terms(t)))};
    const size_t most = t->slot_count / sums_of(t), blocks = pass.cut.blocks < most ? pass.cut.blocks : most;
    team_for(t->settings.threads, blocks + (pass.cut.tail ? 1 : 0), learn_job, &pass);
    add_gradients(&pass);
    if (t->settings.clip > 0) clip(t);
    optimizer_step(&t->optimizer, t->engine.kernels, t->lr, t->params, t->gradient);
    if (t->ema) average(t);
    trainer_refresh(t);
    add_sums(&pass, sums);
}

void trainer_measure(struct trainer *t, const struct pictures *pictures, struct loss_sums *sums) {
    struct pass pass = {
        .trainer = t, .pictures = pictures, .cut = engine_cut(&t->engine, pictures->n, SUM_LANES)};
    if (t->ema) engine_pack(&t->engine, t->ema);
    team_for(t->settings.threads, engine_cut_jobs(&pass.cut), measure_job, &pass);
    if (t->ema) trainer_refresh(t);
    add_sums(&pass, sums);
}
