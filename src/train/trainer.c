/* trainer.c - blocks through the network in parallel, gradients added in order, one step of the optimizer. */
#include "train/trainer.h"

#include "base/mem.h"
#include "base/parallel.h"
#include "base/team.h"
#include "train/augment.h"
#include "train/fake.h"
#include "train/klt.h"

#include <math.h>
#include <string.h>

/* Jobs of a rank that learn at the same time, at most: enough for any number of cores, few enough for
 * memory. */
enum { MOST_JOBS = 32 };

static size_t eights_of(size_t pictures) {
    return (pictures + SUM_LANES - 1) / SUM_LANES;
}
/* Sums that a block leaves. */
static size_t sums_of(const struct trainer *t) {
    return t->engine.kernels->lanes / SUM_LANES;
}
/* Jobs for `blocks` blocks. */
static size_t jobs_of(const struct trainer *t, size_t blocks) {
    return (blocks + t->job_blocks - 1) / t->job_blocks;
}

struct caelum_train_settings trainer_defaults(size_t batch, double lr, int threads) {
    struct caelum_train_settings s = caelum_train_defaults();
    s.batch = batch;
    s.lr = lr;
    s.threads = threads;
    return s;
}

/* Bytes for a picture that is changed on its way to the network: mirrored and moved; behind that, for a task
 * that has them, with defects, as fake_draw leaves them. */
static size_t room_size(const struct trainer *t) {
    const struct shape s = task_pictures(t->settings.task, t->engine.net);
    return (task_draws(t->settings.task) ? 3 * s.c + 1 : s.c) * s.h * s.w;
}

/* Arrays in which a job adds up its gradients (learn_blocks): one more for each level of its tree. */
static size_t stack_arrays(const struct trainer *t) {
    size_t arrays = sums_of(t);
    for (size_t blocks = 1; blocks < t->job_blocks; blocks *= 2) arrays++;
    return arrays;
}

static int allocate(struct trainer *t, size_t largest, struct caelum_error *err) {
    const size_t n = t->engine.net->params, lanes = t->engine.kernels->lanes;
    const size_t most = largest > t->settings.batch ? largest : t->settings.batch;
    const size_t blocks = (t->settings.batch + lanes - 1) / lanes;
    const size_t most_jobs = MOST_JOBS * (size_t)caelum_dist_ranks(t->settings.dist);
    for (t->job_blocks = 1; jobs_of(t, blocks) > most_jobs;) t->job_blocks *= 2;
    CHECK(mem_alloc(&t->params, n, sizeof(float), err));
    CHECK(optimizer_open(&t->optimizer, &t->settings, t->engine.net, t->settings.threads, err));
    if (t->settings.ema > 0) CHECK(mem_alloc(&t->ema, n, sizeof(float), err));
    t->tree = (struct sum_tree){
        .dist = t->settings.dist, .kernels = t->engine.kernels, .threads = t->settings.threads, .n = n};
    CHECK(sum_tree_open(&t->tree, jobs_of(t, blocks), stack_arrays(t), err));
    t->gradient = t->tree.stacks;
    /* the tail's are where the next job's would be */
    CHECK(mem_alloc(&t->sums, eights_of(most) + (2 * t->job_blocks + 1) * sums_of(t), sizeof *t->sums, err));
    return mem_alloc(&t->augmented, (size_t)t->settings.threads * lanes, room_size(t), err);
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
    sum_tree_close(&t->tree);
    mem_free(&t->augmented);
    mem_free(&t->ema);
    optimizer_close(&t->optimizer);
    mem_free(&t->params);
}

size_t trainer_jobs(struct trainer *t, size_t n) {
    const struct engine_cut cut = engine_cut(&t->engine, n);
    return jobs_of(t, cut.blocks) + (cut.tail ? 1 : 0);
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
    float scale;           /* of the loss gradient; 0: no learning */
    size_t job_blocks;     /* 1 without learning */
    size_t jobs;           /* of whole blocks */
    struct dist_part mine; /* this rank's, of the jobs and the tail */
};

static struct pass begin_pass(struct trainer *t, const struct pictures *pictures, const uint32_t *order,
                              size_t n) {
    struct pass pass = {.trainer = t,
                        .pictures = pictures,
                        .order = order,
                        .cut = engine_cut(&t->engine, n),
                        .job_blocks = order ? t->job_blocks : 1};
    pass.jobs = (pass.cut.blocks + pass.job_blocks - 1) / pass.job_blocks;
    pass.mine =
        dist_part(t->settings.dist, caelum_dist_rank(t->settings.dist), pass.jobs + (pass.cut.tail ? 1 : 0));
    return pass;
}

/* The i-th of this rank's jobs. The tail, the last of all, comes first: it is the shortest, so its worker
 * takes another afterwards. */
static size_t job_at(const struct pass *pass, size_t i) {
    if (pass->mine.end <= pass->jobs) return pass->mine.first + i;
    return i == 0 ? pass->jobs : pass->mine.first + i - 1;
}

/* One block, and where its losses go. */
struct block {
    struct engine_block at;
    struct loss_sums *sums; /* [sums_of] */
};

/* Those of the tail, block cut.blocks. */
static struct loss_sums *tail_sums(const struct pass *pass) {
    return pass->trainer->sums + pass->jobs * pass->job_blocks * sums_of(pass->trainer);
}

static struct block take_block(const struct pass *pass, size_t number, int worker) {
    struct trainer *t = pass->trainer;
    return (struct block){.at = engine_block(&t->engine, &pass->cut, number, worker),
                          .sums =
                              number == pass->cut.blocks ? tail_sums(pass) : &t->sums[number * sums_of(t)]};
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

/* The same, and where the set is measured always the same ones. */
static struct rng pass_rng(const struct pass *pass, enum rng_stream stream, size_t at) {
    struct rng rng = picture_rng(pass->trainer, stream, at);
    if (!pass->order) rng.counter[3] = LAYER_NOISE_MEASURE;
    return rng;
}

/* What the network is to restore picture `at` from: with defects drawn on it, other ones in each step, but
 * always the same ones where it is measured. */
static const uint8_t *damaged_picture(const struct pass *pass, size_t at, const uint8_t *picture,
                                      uint8_t *room) {
    const struct pictures *p = pass->pictures;
    const size_t next = (at + 1) % (pass->cut.pictures + pass->cut.left);
    struct rng rng = pass_rng(pass, RNG_FAKES, at);
    uint8_t *out = room + pictures_size(p);
    fake_draw(&rng, pass->trainer->settings.largest_fake, picture, pictures_at(p, place_of(pass, next)), p->c,
              p->h, p->w, out);
    return out;
}

/* Shows a colorizer that takes hints some pixels' true colors, other ones each time. */
static void give_hints(const struct pass *pass, const struct engine_block *b) {
    const struct tiling tiles = b->place->workspace.tiles;
    for (size_t i = 0; i < b->pictures; i++) {
        struct rng rng = picture_rng(pass->trainer, RNG_HINTS, b->first + i);
        task_hint_randomly(&b->place->block, &b->place->workspace.value[0], i * tiling_count(tiles), tiles,
                           &rng);
    }
}

/* Adds the noise that a denoiser is told the level of. */
static void add_noise(const struct pass *pass, const struct engine_block *b) {
    const struct tiling tiles = b->place->workspace.tiles;
    for (size_t i = 0; i < b->pictures; i++) {
        struct rng rng = pass_rng(pass, RNG_LEVEL, b->first + i);
        task_add_noise(&b->place->block, &b->place->workspace.value[0], i * tiling_count(tiles), tiles, &rng);
    }
}

/* Loads a block's pictures and what they should become. */
static struct tensor load_block(const struct pass *pass, const struct engine_block *b, int worker) {
    const struct trainer *t = pass->trainer;
    const uint8_t *picture[MOST_LANES];
    uint16_t label[MOST_LANES] = {0};
    uint8_t *room = t->augmented + (size_t)worker * t->engine.kernels->lanes * room_size(t);
    for (size_t i = 0; i < b->pictures; i++) {
        const size_t at = b->first + i;
        picture[i] = pass->order ? training_picture(pass, at, room + i * room_size(t))
                                 : pictures_at(pass->pictures, at);
        if (task_draws(t->settings.task))
            picture[i] = damaged_picture(pass, at, picture[i], room + i * room_size(t));
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
    if (task_takes_level(t->settings.task, t->engine.net)) add_noise(pass, &b->at);
    engine_forward(&t->engine, &b->at, &noise);
    const struct loss_job job = {.loss = t->settings.loss,
                                 .delta = (float)t->settings.huber_delta,
                                 .y = ws->value[b->at.net->layers],
                                 .t = target,
                                 .dy = learn ? ws->grad[b->at.net->layers] : (struct tensor){0},
                                 .scale = pass->scale,
                                 .live = b->at.pictures * tiling_count(ws->tiles),
                                 .sums = b->sums};
    t->engine.kernels->loss(&job);
}

/* y += x, for all parameters. */
static void add(const struct trainer *t, float *y, const float *x) {
    t->engine.kernels->add_scaled(y, x, 1, t->engine.net->params);
}

/* One block forward and backward; its gradient, the sum of one or two eights, to stack[0 .. params). */
static void learn_block(const struct pass *pass, size_t number, float *stack, int worker) {
    const struct trainer *t = pass->trainer;
    const struct engine *e = &t->engine;
    const struct block b = take_block(pass, number, worker);
    const size_t params = e->net->params;
    memset(stack, 0, sums_of(t) * params * sizeof *stack);
    forward_block(pass, &b, worker);
    net_backward(b.at.net, e->kernels, e->params, e->packed, &b.at.place->workspace, stack);
    if (b.at.pictures > SUM_LANES) add(t, stack, stack + params);
}

/* The gradient of `count` blocks, a power of two, to stack[0 .. params): that of their first half, then that
 * of the second, which uses the stack behind it. */
static void learn_blocks(const struct pass *pass, size_t first, size_t count, float *stack, int worker) {
    const size_t params = pass->trainer->engine.net->params, half = count / 2;
    if (count == 1) {
        learn_block(pass, first, stack, worker);
        return;
    }
    learn_blocks(pass, first, half, stack, worker);
    if (first + half >= pass->cut.blocks) return;
    learn_blocks(pass, first + half, half, stack + params, worker);
    add(pass->trainer, stack, stack + params);
}

static void learn_job(void *cookie, size_t i, int worker) {
    const struct pass *pass = cookie;
    const struct trainer *t = pass->trainer;
    const size_t job = job_at(pass, i);
    float *stack = sum_tree_stack(&t->tree, job);
    if (job == pass->jobs)
        learn_block(pass, pass->cut.blocks, stack, worker);
    else
        learn_blocks(pass, job * t->job_blocks, t->job_blocks, stack, worker);
}

static void measure_job(void *cookie, size_t i, int worker) {
    const struct pass *pass = cookie;
    const struct block b = take_block(pass, job_at(pass, i), worker);
    forward_block(pass, &b, worker);
}

/* Adds up the eights' losses, this rank's and the others'. */
static void add_sums(const struct pass *pass, struct loss_sums *sums) {
    const struct trainer *t = pass->trainer;
    const size_t eights = eights_of(pass->cut.pictures), tails = pass->cut.tail ? 1 : 0;
    dist_gather(t->settings.dist, t->sums, pass->jobs + tails,
                pass->job_blocks * sums_of(t) * sizeof *t->sums);
    *sums = (struct loss_sums){0};
    for (size_t i = 0; i < eights + tails; i++) {
        const struct loss_sums *s = i < eights ? &t->sums[i] : tail_sums(pass);
        sums->loss += s->loss;
        sums->squared += s->squared;
        sums->agree += s->agree;
    }
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
static void average(void *cookie, size_t first, size_t n) {
    const struct trainer *t = cookie;
    const double steps = (double)t->optimizer.step, most = (1 + steps) / (10 + steps);
    const double decay = t->settings.ema < most ? t->settings.ema : most;
    t->engine.kernels->approach(t->ema + first, t->params + first, (float)(1 - decay), n);
}

void trainer_step(struct trainer *t, const struct pictures *pictures, const uint32_t *order, size_t n,
                  struct loss_sums *sums) {
    struct pass pass = begin_pass(t, pictures, order, n);
    const size_t params = t->engine.net->params;
    pass.scale = (float)(1.0 / (double)(n * trainer_terms(t)));
    sum_tree_begin(&t->tree, pass.jobs, pass.cut.tail != NULL);
    team_for(t->settings.threads, pass.mine.end - pass.mine.first, learn_job, &pass);
    sum_tree_end(&t->tree);
    if (t->settings.clip > 0) clip(t);
    optimizer_step(&t->optimizer, t->engine.kernels, t->lr, t->params, t->gradient);
    if (t->ema) parallel_ranges(t->settings.threads, params, average, t);
    trainer_refresh(t);
    add_sums(&pass, sums);
}

void trainer_measure(struct trainer *t, const struct pictures *pictures, struct loss_sums *sums) {
    struct pass pass = begin_pass(t, pictures, NULL, pictures->n);
    if (t->ema) engine_pack(&t->engine, t->ema);
    team_for(t->settings.threads, pass.mine.end - pass.mine.first, measure_job, &pass);
    if (t->ema) trainer_refresh(t);
    add_sums(&pass, sums);
}
