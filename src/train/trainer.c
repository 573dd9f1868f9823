/* trainer.c - blocks through the network in parallel, gradients added in order, one step of the optimizer. */
#include "train/trainer.h"

#include "base/mem.h"
#include "base/parallel.h"

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
    CHECK(optimizer_open(&t->optimizer, &t->settings.optimizer, n, err));
    if (t->settings.ema > 0) CHECK(mem_alloc(&t->ema, n, sizeof(float), err));
    CHECK(mem_alloc(&t->gradient, n, sizeof(float), err));
    CHECK(mem_alloc(&t->packed, t->net->packed, sizeof(float), err));
    CHECK(size_mul(n, t->slot_count, &slots, err));
    CHECK(mem_alloc(&t->slots, slots, sizeof(float), err));
    CHECK(mem_alloc(&t->sums, blocks_of(t, most) * sums_of(t), sizeof *t->sums, err));
    CHECK(mem_alloc(&t->workspace, (size_t)t->settings.threads, sizeof *t->workspace, err));
    CHECK(mem_alloc(&t->block, (size_t)t->settings.threads, sizeof *t->block, err));
    CHECK(mem_alloc(&t->mirrored, (size_t)t->settings.threads * lanes, picture_size(t), err));
    for (int i = 0; i < t->settings.threads; i++) {
        CHECK(net_workspace_open(&t->workspace[i], t->net, lanes, true, err));
        CHECK(task_block_open(&t->block[i], t->settings.task, t->net, lanes, true, err));
    }
    return CAELUM_OK;
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

void trainer_close(struct trainer *t) {
    for (int i = 0; t->workspace && i < t->settings.threads; i++) net_workspace_close(&t->workspace[i]);
    for (int i = 0; t->block && i < t->settings.threads; i++) task_block_close(&t->block[i]);
    mem_free(&t->workspace);
    mem_free(&t->block);
    mem_free(&t->sums);
    mem_free(&t->slots);
    mem_free(&t->packed);
    mem_free(&t->mirrored);
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

/* What the blocks of one call share. */
struct pass {
    struct trainer *trainer;
    const struct pictures *pictures;
    const float *params;
    const uint32_t *order; /* NULL: in the order of the set */
    size_t n;
    float scale; /* of the loss gradient; 0: no learning */
};

static const uint8_t *mirror(const uint8_t *picture, const struct pictures *p, uint8_t *mirrored) {
    for (size_t row = 0; row < p->c * p->h; row++)
        for (size_t j = 0; j < p->w; j++) mirrored[row * p->w + j] = picture[row * p->w + p->w - 1 - j];
    return mirrored;
}

/* Loads block b, runs it forward and measures it; lanes without a picture repeat the first one, and
 * their gradient is zero. */
static void forward_block(const struct pass *pass, size_t b, int worker) {
    const struct trainer *t = pass->trainer;
    struct net_workspace *ws = &t->workspace[worker];
    const size_t lanes = t->kernels->lanes;
    const size_t first = b * lanes, left = pass->n - first, live = left < lanes ? left : lanes;
    const bool learn = pass->scale != 0.0f;
    const uint8_t *lane[MOST_LANES];
    for (size_t i = 0; i < lanes; i++) {
        const size_t at = first + (i < live ? i : 0);
        const size_t position = pass->order ? pass->order[at] & ~TRAINER_FLIP : at;
        lane[i] = pictures_at(pass->pictures, position);
        if (pass->order && pass->order[at] & TRAINER_FLIP)
            lane[i] =
                mirror(lane[i], pass->pictures, t->mirrored + ((size_t)worker * lanes + i) * picture_size(t));
    }
    net_workspace_live(ws, t->net, live);
    ws->noise = (struct layer_noise){.on = learn || t->settings.task == CAELUM_DENOISE,
                                     .seed = t->seed,
                                     .step = learn ? (uint32_t)t->optimizer.step : LAYER_NOISE_MEASURE,
                                     .first = (uint32_t)first};
    const struct tensor target =
        task_load(t->settings.task, t->kernels, lane, &t->block[worker], &ws->value[0]);
    net_forward(t->net, t->kernels, pass->params, t->packed, ws);
    const struct loss_job job = {.loss = t->settings.loss,
                                 .delta = (float)t->settings.huber_delta,
                                 .y = ws->value[t->net->layers],
                                 .t = target,
                                 .dy = learn ? ws->grad[t->net->layers] : (struct tensor){0},
                                 .scale = pass->scale,
                                 .live = live,
                                 .sums = &t->sums[b * sums_of(t)]};
    t->kernels->loss(&job);
}

/* The blocks whose sums go to the same slot, or pair of slots. */
static void learn_slot(void *cookie, size_t slot, int worker) {
    const struct pass *pass = cookie;
    const struct trainer *t = pass->trainer;
    const struct net_workspace *ws = &t->workspace[worker];
    const size_t size = sums_of(t) * t->net->params;
    float *grads = t->slots + slot * size;
    memset(grads, 0, size * sizeof *grads);
    for (size_t b = slot; b < blocks_of(t, pass->n); b += t->slot_count / sums_of(t)) {
        forward_block(pass, b, worker);
        net_backward(t->net, t->kernels, pass->params, t->packed, ws, grads);
    }
}

static void measure_block(void *cookie, size_t b, int worker) {
    forward_block(cookie, b, worker);
}

static void add_sums(const struct trainer *t, size_t pictures, struct loss_sums *sums) {
    *sums = (struct loss_sums){0};
    for (size_t i = 0; i < eights_of(pictures); i++) {
        sums->loss += t->sums[i].loss;
        sums->squared += t->sums[i].squared;
        sums->agree += t->sums[i].agree;
    }
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
                        .n = n,
                        .scale = (float)(1.0 / (double)(n * trainer_values(t)))};
    const size_t blocks = blocks_of(t, n), most = t->slot_count / sums_of(t), eights = eights_of(n);
    parallel_for(t->settings.threads, blocks < most ? blocks : most, learn_slot, &pass);
    t->kernels->sum(t->gradient, t->slots, eights < t->slot_count ? eights : t->slot_count, t->net->params,
                    t->net->params);
    if (t->settings.clip > 0) clip(t);
    optimizer_step(&t->optimizer, t->kernels, t->lr, t->params, t->gradient);
    if (t->ema) average(t);
    trainer_refresh(t);
    add_sums(t, n, sums);
}

void trainer_measure(struct trainer *t, const struct pictures *pictures, struct loss_sums *sums) {
    struct pass pass = {.trainer = t, .pictures = pictures, .params = trainer_result(t), .n = pictures->n};
    if (t->ema) net_pack(t->net, t->ema, t->packed);
    parallel_for(t->settings.threads, blocks_of(t, pictures->n), measure_block, &pass);
    if (t->ema) trainer_refresh(t);
    add_sums(t, pictures->n, sums);
}
