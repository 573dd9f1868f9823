/* trainer.c - blocks through the network in parallel, gradients added in order, one step of the optimizer. */
#include "train/trainer.h"

#include "base/mem.h"
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
    return (pictures + t->kernels->lanes - 1) / t->kernels->lanes;
}
/* Sums that a block leaves. */
static size_t sums_of(const struct trainer *t) {
    return t->kernels->lanes / SUM_LANES;
}

struct trainer_settings trainer_defaults(size_t batch, double lr, int threads) {
    return (struct trainer_settings){
        .batch = batch, .lr = lr, .optimizer = optimizer_defaults(), .threads = threads};
}

/* Bytes of a picture that the task takes. */
static size_t picture_size(const struct trainer *t) {
    const struct shape s = task_pictures(t->settings.task, t->net);
    return s.c * s.h * s.w;
}

static int allocate(struct trainer *t, size_t largest, struct caelum_error *err) {
    const size_t n = t->net->params, lanes = t->kernels->lanes;
    const size_t most = largest > t->settings.batch ? largest : t->settings.batch;
    const size_t eights = blocks_of(t, t->settings.batch) * sums_of(t);
    size_t slots = 0;
    t->slot_count = eights < MOST_SLOTS ? eights : MOST_SLOTS;
    CHECK(mem_alloc(&t->params, n, sizeof(float), err));
    CHECK(optimizer_open(&t->optimizer, &t->settings.optimizer, t->net, t->settings.threads, err));
    if (t->settings.ema > 0) CHECK(mem_alloc(&t->ema, n, sizeof(float), err));
    CHECK(mem_alloc(&t->gradient, n, sizeof(float), err));
    CHECK(mem_alloc(&t->packed, t->net->packed, sizeof(float), err));
    CHECK(size_mul(n, t->slot_count + MOST_LANES / SUM_LANES, &slots, err));
    CHECK(mem_alloc(&t->slots, slots, sizeof(float), err));
    CHECK(mem_alloc(&t->sums, blocks_of(t, most) * sums_of(t), sizeof *t->sums, err));
    CHECK(mem_alloc(&t->workspace, (size_t)t->settings.threads, sizeof *t->workspace, err));
    CHECK(mem_alloc(&t->block, (size_t)t->settings.threads, sizeof *t->block, err));
    CHECK(mem_alloc(&t->augmented, (size_t)t->settings.threads * lanes, picture_size(t), err));
    for (int i = 0; i < t->settings.threads; i++) {
        CHECK(net_workspace_open_shared(&t->workspace[i], t->net, lanes, true,
                                        team_members(t->settings.threads, i), err));
        CHECK(task_block_open(&t->block[i], t->settings.task, t->net, lanes, true, err));
    }
    return tails_open(&t->tails, t->net, t->settings.task, lanes, true, team_members(t->settings.threads, 0),
                      err);
}

int trainer_open(struct trainer *trainer, const struct caelum_net *net,
                 const struct trainer_settings *settings, size_t largest, uint64_t seed,
                 struct caelum_error *err) {
    struct trainer t = {.settings = *settings, .net = net, .lr = settings->lr, .seed = seed};
    enum cpu_level level;
    CHECK(task_check(settings->task, net, err));
    CHECK(cpu_choose(&level, err));
    t.kernels = kernels_get(level);
    const int result = allocate(&t, largest, err);
    if (result != 0) {
        trainer_close(&t);
        return result;
    }
    net_init(net, seed, t.params);
    if (t.ema) memcpy(t.ema, t.params, net->params * sizeof(float));
    trainer_refresh(&t);
    *trainer = t;
    return CAELUM_OK;
}

int trainer_start(struct trainer *t, const struct pictures *pictures, struct caelum_error *err) {
    CHECK(klt_start(t->net, pictures, t->params, err));
    if (t->ema) memcpy(t->ema, t->params, t->net->params * sizeof(float));
    trainer_refresh(t);
    return CAELUM_OK;
}

void trainer_close(struct trainer *t) {
    for (int i = 0; t->workspace && i < t->settings.threads; i++) net_workspace_close(&t->workspace[i]);
    for (int i = 0; t->block && i < t->settings.threads; i++) task_block_close(&t->block[i]);
    tails_close(&t->tails);
    mem_free(&t->workspace);
    mem_free(&t->block);
    mem_free(&t->sums);
    mem_free(&t->slots);
    mem_free(&t->packed);
    mem_free(&t->augmented);
    mem_free(&t->gradient);
    mem_free(&t->ema);
    optimizer_close(&t->optimizer);
    mem_free(&t->params);
}

void trainer_refresh(struct trainer *t) {
    net_pack(t->net, t->params, t->packed);
}

const float *trainer_result(const struct trainer *t) {
    return t->ema ? t->ema : t->params;
}

size_t trainer_values(const struct trainer *t) {
    const struct shape out = t->net->layer[t->net->layers - 1].out;
    return out.c * out.h * out.w;
}

size_t trainer_terms(const struct trainer *t) {
    const struct shape out = t->net->layer[t->net->layers - 1].out;
    return t->settings.loss == CAELUM_XENT ? out.h * out.w : trainer_values(t);
}

/* What the blocks of one call share. */
struct pass {
    struct trainer *trainer;
    const struct pictures *pictures;
    const float *params;
    const uint32_t *order; /* NULL without learning: in the order of the set */
    size_t n;              /* pictures in blocks */
    size_t blocks;
    struct tail *tail; /* of the others; NULL: there are none */
    size_t left;       /* how many */
    float scale;       /* of the loss gradient; 0: no learning */
};

/* Cuts n pictures into blocks and a tail. */
static void cut(struct pass *pass, size_t n) {
    struct trainer *t = pass->trainer;
    pass->left = n % SUM_LANES;
    pass->tail = tails_for(&t->tails, pass->left);
    pass->n = pass->tail ? n - pass->left : n;
    pass->blocks = blocks_of(t, pass->n);
}

/* One block: its pictures, and what it works with. */
struct block {
    const struct caelum_net *net;
    struct net_workspace *workspace;
    const struct task_block *task;
    size_t first, pictures;
    struct loss_sums *sums; /* [sums_of] */
    float *grads;           /* [sums_of][net->params] */
};

static struct block whole_block(const struct pass *pass, size_t b, int worker) {
    const struct trainer *t = pass->trainer;
    const size_t lanes = t->kernels->lanes, first = b * lanes, left = pass->n - first;
    return (struct block){.net = t->net,
                          .workspace = &t->workspace[worker],
                          .task = &t->block[worker],
                          .first = first,
                          .pictures = left < lanes ? left : lanes,
                          .sums = &t->sums[b * sums_of(t)],
                          .grads = t->slots + b * sums_of(t) % t->slot_count * t->net->params};
}

static struct block tail_block(const struct pass *pass) {
    struct trainer *t = pass->trainer;
    return (struct block){.net = pass->tail->net,
                          .workspace = &pass->tail->workspace,
                          .task = &pass->tail->block,
                          .first = pass->n,
                          .pictures = pass->left,
                          .sums = t->tail_sums,
                          .grads = t->slots + t->slot_count * t->net->params};
}

/* What is random about picture `at` of the minibatch of this step, beside its order and flips. */
static struct rng picture_rng(const struct trainer *t, enum rng_stream stream, size_t at) {
    struct rng rng = rng_make(t->seed, stream, (uint32_t)t->optimizer.step);
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
static void give_hints(const struct pass *pass, const struct block *b) {
    const struct trainer *t = pass->trainer;
    const size_t strips = b->workspace->strips;
    for (size_t i = 0; i < b->pictures; i++) {
        struct rng rng = picture_rng(t, RNG_HINTS, b->first + i);
        task_hint_randomly(b->task, &b->workspace->value[0], i * strips, strips, &rng);
    }
}

/* Loads a block, runs it forward and measures it; lanes without a picture repeat the first one, and their
 * gradient is zero. */
static void forward_block(const struct pass *pass, const struct block *b, int worker) {
    const struct trainer *t = pass->trainer;
    struct net_workspace *ws = b->workspace;
    const size_t lanes = t->kernels->lanes, strips = ws->strips, live = b->pictures * strips;
    const size_t plane = pass->pictures->h * pass->pictures->w, strip = plane / strips;
    const bool learn = pass->scale != 0.0f;
    const uint8_t *lane[MOST_LANES], *picture = NULL;
    uint8_t label[MOST_LANES] = {0};
    for (size_t i = 0; i < lanes; i++) {
        const size_t at = b->first + (i < live ? i / strips : 0);
        if (i % strips == 0)
            picture = learn ? training_picture(pass, at,
                                               t->augmented + ((size_t)worker * lanes + i) * picture_size(t))
                            : pictures_at(pass->pictures, at);
        lane[i] = picture + i % strips * strip;
        if (pass->pictures->labels) label[i] = pictures_label(pass->pictures, place_of(pass, at));
    }
    net_workspace_live(ws, b->net, live);
    ws->noise = (struct layer_noise){.on = learn || t->settings.task == CAELUM_DENOISE,
                                     .scale = pass->scale,
                                     .seed = t->seed,
                                     .step = learn ? (uint32_t)t->optimizer.step : LAYER_NOISE_MEASURE,
                                     .first = (uint32_t)b->first};
    const struct tensor target =
        task_load(t->settings.task, t->kernels, lane, plane, label, b->task, &ws->value[0]);
    if (learn && task_takes_hints(t->settings.task, t->net)) give_hints(pass, b);
    net_forward(b->net, t->kernels, pass->params, t->packed, ws);
    const struct loss_job job = {.loss = t->settings.loss,
                                 .delta = (float)t->settings.huber_delta,
                                 .y = ws->value[b->net->layers],
                                 .t = target,
                                 .dy = learn ? ws->grad[b->net->layers] : (struct tensor){0},
                                 .scale = pass->scale,
                                 .live = live,
                                 .sums = b->sums};
    t->kernels->loss(&job);
}

static void learn_block(const struct pass *pass, const struct block *b, int worker) {
    const struct trainer *t = pass->trainer;
    forward_block(pass, b, worker);
    net_backward(b->net, t->kernels, pass->params, t->packed, b->workspace, b->grads);
}

/* Job 0 is the tail where there is one: the shortest of all, so whoever does it goes on with another. The
 * others are the blocks whose sums go to the same slot, or pair of slots. */
static void learn_job(void *cookie, size_t job, int worker) {
    const struct pass *pass = cookie;
    const struct trainer *t = pass->trainer;
    const size_t size = sums_of(t) * t->net->params * sizeof(float);
    if (pass->tail && job == 0) {
        const struct block tail = tail_block(pass);
        memset(tail.grads, 0, size);
        learn_block(pass, &tail, worker);
        return;
    }
    const size_t slot = pass->tail ? job - 1 : job;
    for (size_t b = slot; b < pass->blocks; b += t->slot_count / sums_of(t)) {
        const struct block block = whole_block(pass, b, worker);
        if (b == slot) memset(block.grads, 0, size);
        learn_block(pass, &block, worker);
    }
}

static void measure_job(void *cookie, size_t job, int worker) {
    const struct pass *pass = cookie;
    const struct block b = job < pass->blocks ? whole_block(pass, job, worker) : tail_block(pass);
    forward_block(pass, &b, worker);
}

static void add_sums(const struct pass *pass, struct loss_sums *sums) {
    const struct trainer *t = pass->trainer;
    const size_t eights = eights_of(pass->n);
    *sums = (struct loss_sums){0};
    for (size_t i = 0; i < eights + (pass->tail ? 1 : 0); i++) {
        const struct loss_sums *s = i < eights ? &t->sums[i] : t->tail_sums;
        sums->loss += s->loss;
        sums->squared += s->squared;
        sums->agree += s->agree;
    }
}

/* All slots in their order, the tail's last. */
static void add_gradients(const struct pass *pass) {
    struct trainer *t = pass->trainer;
    const size_t eights = eights_of(pass->n), params = t->net->params;
    const size_t slots = eights < t->slot_count ? eights : t->slot_count;
    if (slots == 0) memset(t->gradient, 0, params * sizeof *t->gradient);
    if (slots > 0) t->kernels->sum(t->gradient, t->slots, slots, params, params);
    if (pass->tail) t->kernels->add_scaled(t->gradient, t->slots + t->slot_count * params, 1, params);
}

/* Scales the gradient down where its norm is larger than allowed, as PyTorch's clip_grad_norm_ does. */
static void clip(struct trainer *t) {
    double squares = 0;
    for (size_t i = 0; i < t->net->params; i++) squares += (double)t->gradient[i] * (double)t->gradient[i];
    const double share = t->settings.clip / (sqrt(squares) + 1e-6);
    for (size_t i = 0; share < 1 && i < t->net->params; i++) t->gradient[i] *= (float)share;
}

/* Early on the mean forgets faster, or short runs would end near their random start: decay is at most
 * (1 + steps) / (10 + steps), as in TensorFlow's ExponentialMovingAverage. */
static void average(struct trainer *t) {
    const double steps = (double)t->optimizer.step, most = (1 + steps) / (10 + steps);
    const double decay = t->settings.ema < most ? t->settings.ema : most;
    t->kernels->approach(t->ema, t->params, (float)(1 - decay), t->net->params);
}

void trainer_step(struct trainer *t, const struct pictures *pictures, const uint32_t *order, size_t n,
                  struct loss_sums *sums) {
    struct pass pass = {.trainer = t,
                        .pictures = pictures,
                        .params = t->params,
                        .order = order,
                        .scale = (float)(1.0 / (double)(n * trainer_terms(t)))};
    cut(&pass, n);
    const size_t most = t->slot_count / sums_of(t), jobs = pass.blocks < most ? pass.blocks : most;
    team_for(t->settings.threads, jobs + (pass.tail ? 1 : 0), learn_job, &pass);
    add_gradients(&pass);
    if (t->settings.clip > 0) clip(t);
    optimizer_step(&t->optimizer, t->kernels, t->lr, t->params, t->gradient);
    if (t->ema) average(t);
    trainer_refresh(t);
    add_sums(&pass, sums);
}

void trainer_measure(struct trainer *t, const struct pictures *pictures, struct loss_sums *sums) {
    struct pass pass = {.trainer = t, .pictures = pictures, .params = trainer_result(t)};
    cut(&pass, pictures->n);
    if (t->ema) net_pack(t->net, t->ema, t->packed);
    team_for(t->settings.threads, pass.blocks + (pass.tail ? 1 : 0), measure_job, &pass);
    if (t->ema) trainer_refresh(t);
    add_sums(&pass, sums);
}
