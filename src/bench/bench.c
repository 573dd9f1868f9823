/* bench.c - throughput, and the machine's limits measured in the same run, so that a figure can be read
 * on any machine: of_peak is the share of the multiply-add peak that the plain algorithm's FLOPs make. */
#include "base/clock.h"
#include "base/mem.h"
#include "base/parallel.h"
#include "base/path.h"
#include "bench/bench_steps.h"
#include "bench/beside.h"
#include "data/data.h"
#include "engine/task.h"
#include "train/trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The study's standard network, as in models/standard.net. */
static const char standard_net[] =
    "input 3\nconv 8 relu\nmaxpool\nconv 12 relu\nmaxpool\nconv 16 relu\nlatent\n"
    "upsample\nconv 12 relu\nupsample\nconv 3 sigmoid\n";

enum { NAME = 256, PICTURES = 1000, MOST_ROUNDS = 101, COPY_BYTES = 128 << 20 };

struct bench {
    const struct caelum_bench_settings *settings;
    const struct kernels *kernels;
    caelum_bench_line line;
    void *cookie;
    struct caelum_data *data;
    int threads[2]; /* numbers of threads measured: one, and the largest */
    bool told[2];   /* whether the peak of that many threads has been told */
    size_t thread_counts;
    struct beside beside;
    /* the network at hand */
    struct caelum_net *net;
    struct caelum_net_info info;
    char name[NAME];
};

struct caelum_bench_settings caelum_bench_defaults(void) {
    static const size_t batches[] = {1, 50, 100, 250};
    return (struct caelum_bench_settings){
        .batches = batches, .batch_count = sizeof batches / sizeof *batches, .rounds = 5, .seconds = 0.3};
}

/* Work done per second in one window. */
static double window(double seconds, double (*work)(void *cookie), void *cookie) {
    const double start = clock_seconds();
    double done = 0, elapsed;
    do {
        done += work(cookie);
        elapsed = clock_seconds() - start;
    } while (elapsed < seconds);
    return done / elapsed;
}

/* Work per second, its share of a limit, and both as they are beside busy processes: all are medians. */
struct figure {
    double rate, of_limit, beside, of_quiet;
};

/* Medians of `rounds` windows, after one that does not count. With a limit, its windows take turns with those
 * of the work and those beside others, and shares are medians of the quotients: a machine whose speed drifts
 * then drifts in all. */
static struct figure measure(const struct bench *b, double (*work)(void *cookie), void *cookie,
                             double (*limit)(void *cookie), void *limit_cookie) {
    const struct caelum_bench_settings *s = b->settings;
    double rate[MOST_ROUNDS], of_limit[MOST_ROUNDS], beside[MOST_ROUNDS], of_quiet[MOST_ROUNDS];
    const size_t rounds = s->rounds < 1 ? 1 : s->rounds > MOST_ROUNDS ? MOST_ROUNDS : s->rounds;
    window(s->seconds / 3, work, cookie);
    for (size_t r = 0; r < rounds; r++) {
        of_limit[r] = limit ? window(s->seconds / 3, limit, limit_cookie) : 1;
        rate[r] = beside[r] = window(s->seconds, work, cookie);
        of_limit[r] = rate[r] / of_limit[r];
        if (limit && b->beside.n > 0) {
            beside_go(&b->beside);
            beside[r] = window(s->seconds, work, cookie);
            beside_stop(&b->beside);
        }
        of_quiet[r] = beside[r] / rate[r];
    }
    return (struct figure){median(rate, rounds), median(of_limit, rounds), median(beside, rounds),
                           median(of_quiet, rounds)};
}

/* --- Limits --------------------------------------------------------------------------------------- */

struct limit {
    const struct kernels *kernels;
    int threads;
    double *done; /* by thread */
    uint8_t *from, *to;
};

static void peak_job(void *cookie, size_t i, int worker) {
    const struct limit *l = cookie;
    (void)worker;
    l->done[i] = l->kernels->peak(400000);
}

static double peak_work(void *cookie) {
    const struct limit *l = cookie;
    double sum = 0;
    parallel_for(l->threads, (size_t)l->threads, peak_job, cookie);
    for (int i = 0; i < l->threads; i++) sum += l->done[i];
    return sum;
}

static void copy_job(void *cookie, size_t i, int worker) {
    const struct limit *l = cookie;
    const size_t part = COPY_BYTES / (size_t)l->threads;
    (void)worker;
    memcpy(l->to + i * part, l->from + i * part, part);
}

/* Bytes read plus bytes written. */
static double copy_work(void *cookie) {
    const struct limit *l = cookie;
    parallel_for(l->threads, (size_t)l->threads, copy_job, cookie);
    return 2.0 * COPY_BYTES;
}

static int tell(const struct bench *b, const char *name, double value, const char *unit,
                struct caelum_error *err) {
    if (b->line(b->cookie, name, value, unit) != 0) return caelum_fail(err, CAELUM_ESTOPPED, "stopped");
    return CAELUM_OK;
}

static bool wanted(const struct bench *b, const char *name) {
    return !b->settings->filter || strstr(name, b->settings->filter);
}

/* fma.tN, once: it explains the figures that follow. */
static int bench_peak(struct bench *b, size_t t, struct caelum_error *err) {
    char name[64];
    struct limit l = {.kernels = b->kernels, .threads = b->threads[t]};
    if (b->told[t]) return CAELUM_OK;
    CHECK(mem_alloc(&l.done, (size_t)l.threads, sizeof *l.done, err));
    const double peak = measure(b, peak_work, &l, NULL, NULL).rate;
    mem_free(&l.done);
    b->told[t] = true;
    snprintf(name, sizeof name, "fma.t%d", l.threads);
    return tell(b, name, peak * 1e-9, "GFLOP/s", err);
}

static int copy_bandwidth(const struct bench *b, size_t t, double *bandwidth, struct caelum_error *err) {
    struct limit l = {.kernels = b->kernels, .threads = b->threads[t]};
    CHECK(mem_alloc(&l.from, 2 * COPY_BYTES, 1, err));
    l.to = l.from + COPY_BYTES;
    *bandwidth = measure(b, copy_work, &l, NULL, NULL).rate;
    mem_free(&l.from);
    return CAELUM_OK;
}

static int bench_limits(struct bench *b, size_t t, struct caelum_error *err) {
    char name[64];
    double bandwidth = 0;
    snprintf(name, sizeof name, "fma.t%d", b->threads[t]);
    if (wanted(b, name)) CHECK(bench_peak(b, t, err));
    snprintf(name, sizeof name, "copy.t%d", b->threads[t]);
    if (!wanted(b, name)) return CAELUM_OK;
    CHECK(copy_bandwidth(b, t, &bandwidth, err));
    return tell(b, name, bandwidth * 1e-9, "GB/s", err);
}

/* --- Networks ------------------------------------------------------------------------------------- */

struct training {
    struct trainer trainer;
    struct pictures pictures;
    size_t batch, at;
    uint32_t order[PICTURES];
};

/* One step; the batches wander through the pictures. */
static double train_work(void *cookie) {
    struct training *t = cookie;
    struct loss_sums sums;
    if (t->at + t->batch > t->pictures.n) t->at = 0;
    trainer_step(&t->trainer, &t->pictures, t->order + t->at, t->batch, &sums);
    t->at += t->batch;
    return (double)t->batch;
}

static int bench_train(const struct bench *b, size_t batch, struct limit *peak, struct figure *figure,
                       struct caelum_error *err) {
    struct training *t = NULL;
    CHECK(mem_alloc(&t, 1, sizeof *t, err));
    t->pictures = data_pictures(b->data, CAELUM_ALL);
    t->batch = batch;
    for (uint32_t i = 0; i < PICTURES; i++) t->order[i] = i;
    struct caelum_train_settings settings = trainer_defaults(batch, 1e-3, peak->threads);
    settings.task = caelum_net_task(b->net);
    if (settings.task == CAELUM_CLASSIFY) settings.loss = CAELUM_XENT; /* all pictures are of class 0 */
    const int result = trainer_open(&t->trainer, b->net, &settings, batch, err);
    if (result == 0) *figure = measure(b, train_work, t, peak_work, peak);
    trainer_close(&t->trainer);
    mem_free(&t);
    return result;
}

struct inference {
    caelum_engine *engine;
    float *in, *out; /* [batch] pictures */
    size_t batch;
    struct caelum_error *err;
    int result;
};

static double infer_work(void *cookie) {
    struct inference *t = cookie;
    const int result = caelum_engine_run(t->engine, t->in, t->batch, t->out, t->err);
    if (result != 0) t->result = result;
    return (double)t->batch;
}

static int open_inference(struct inference *t, const struct caelum_model *model, int threads,
                          struct caelum_error *err) {
    const struct caelum_net *net = caelum_model_net(model);
    const size_t values = t->batch * shape_values(net->input);
    CHECK(caelum_engine_open(&t->engine, model, &(struct caelum_engine_settings){.threads = threads}, err));
    CHECK(mem_alloc(&t->in, values, sizeof *t->in, err));
    CHECK(mem_alloc(&t->out, t->batch * shape_values(net_output(net)), sizeof *t->out, err));
    struct rng rng = rng_make(1, RNG_SYNTHETIC, 0);
    for (size_t i = 0; i < values; i++) t->in[i] = rng_uniform(&rng);
    return CAELUM_OK;
}

/* As any program runs a model, through the public header. */
static int bench_infer(const struct bench *b, size_t batch, struct limit *peak, struct figure *figure,
                       struct caelum_error *err) {
    struct inference t = {.batch = batch, .err = err};
    caelum_model *model = NULL;
    CHECK(caelum_model_create(&model, b->net, 1, err));
    int result = open_inference(&t, model, peak->threads, err);
    if (result == 0) *figure = measure(b, infer_work, &t, peak_work, peak);
    if (result == 0) result = t.result;
    caelum_engine_close(&t.engine);
    caelum_model_close(&model);
    mem_free(&t.in);
    mem_free(&t.out);
    return result;
}

static int tell_beside(const struct bench *b, const char *name, const struct figure *f,
                       struct caelum_error *err) {
    char beside[NAME + 96], of_quiet[NAME + 112];
    if (b->beside.n == 0) return CAELUM_OK;
    snprintf(beside, sizeof beside, "%s.beside%d", name, b->beside.n);
    snprintf(of_quiet, sizeof of_quiet, "%s.of_quiet", beside);
    CHECK(tell(b, beside, f->beside, "img/s", err));
    return tell(b, of_quiet, 100 * f->of_quiet, "%", err);
}

/* The figure on threads[t] threads. */
static int bench_figure(struct bench *b, bool training, size_t batch, size_t t, struct caelum_error *err) {
    char name[NAME + 64], of_peak[NAME + 80];
    struct figure figure = {0};
    struct limit peak = {.kernels = b->kernels, .threads = b->threads[t]};
    snprintf(name, sizeof name, "%s.%s.b%zu.t%d", b->name, training ? "train" : "infer", batch, peak.threads);
    snprintf(of_peak, sizeof of_peak, "%s.of_peak", name);
    if (!wanted(b, of_peak)) return CAELUM_OK;
    CHECK(bench_peak(b, t, err));
    CHECK(mem_alloc(&peak.done, (size_t)peak.threads, sizeof *peak.done, err));
    int result = (training ? bench_train : bench_infer)(b, batch, &peak, &figure, err);
    mem_free(&peak.done);
    const double flops = 2.0 * (double)(training ? b->info.train_macs : b->info.macs);
    if (result == 0) result = tell(b, name, figure.rate, "img/s", err);
    if (result == 0) result = tell(b, of_peak, 100 * figure.of_limit * flops, "%", err);
    return result == 0 ? tell_beside(b, name, &figure, err) : result;
}

/* NAME of DIR/NAME.net; no file's name is longer. */
static void name_of(const char *path, char name[NAME]) {
    const char *base = path_name(path);
    snprintf(name, NAME, "%.*s", (int)path_stem_length(base), base);
}

/* path NULL: the built-in network. */
static int open_net(struct bench *b, const char *path, struct caelum_error *err) {
    name_of(path ? path : "standard", b->name);
    if (path)
        CHECK(caelum_net_load(&b->net, path, 32, 32, err));
    else
        CHECK(caelum_net_parse(&b->net, standard_net, "standard", 32, 32, err));
    caelum_net_describe(b->net, &b->info);
    const size_t channels = task_pictures(caelum_net_task(b->net), b->net).c;
    if (channels != 3)
        return caelum_fail(err, CAELUM_EFORMAT,
                           "%s: the pictures have 3 channels, a colorizer sees 1 or 4; this input has %zu",
                           path ? path : "standard", channels);
    return CAELUM_OK;
}

static int tell_step(const struct bench *b, size_t s, const char *way, const struct bench_step *f,
                     struct caelum_error *err) {
    const struct net_step *step = &b->net->step[s];
    char name[NAME + 96], figure[NAME + 112];
    snprintf(name, sizeof name, "%s.step%zu.%s.%s", b->name, s + 1, step->ops->name, way);
    if (!wanted(b, name)) return CAELUM_OK;
    CHECK(tell(b, name, f->seconds * 1e6, "us", err));
    if (f->of_peak == 0) return CAELUM_OK; /* it multiplies nothing */
    snprintf(figure, sizeof figure, "%s.of_peak", name);
    CHECK(tell(b, figure, 100 * f->of_peak, "%", err));
    snprintf(figure, sizeof figure, "%s.roof", name);
    return tell(b, figure, 100 * f->roof, "%", err);
}

static int bench_layers(const struct bench *b, struct caelum_error *err) {
    const size_t steps = b->net->steps;
    struct bench_step *forward = NULL;
    double bandwidth = 0;
    CHECK(copy_bandwidth(b, 0, &bandwidth, err));
    CHECK(mem_alloc(&forward, 2 * steps, sizeof *forward, err));
    struct bench_step *backward = forward + steps;
    int result = bench_steps(b->net, b->kernels, 10 * b->settings->rounds, bandwidth, forward, backward, err);
    for (size_t s = 0; result == 0 && s < steps; s++) {
        result = tell_step(b, s, "forward", &forward[s], err);
        if (result == 0 && s >= net_lowest_step(b->net))
            result = tell_step(b, s, "backward", &backward[s], err);
    }
    mem_free(&forward);
    return result;
}

/* Training on single pictures would tell nothing of use. */
static int bench_net(struct bench *b, const char *path, struct caelum_error *err) {
    const struct caelum_bench_settings *s = b->settings;
    CHECK(open_net(b, path, err));
    if (s->layers) CHECK(bench_layers(b, err));
    for (int training = 1; training >= 0 && !s->layers; training--)
        for (size_t i = 0; i < s->batch_count; i++)
            for (size_t t = 0; t < b->thread_counts; t++)
                if (!training || s->batches[i] > 1) CHECK(bench_figure(b, training, s->batches[i], t, err));
    caelum_net_close(&b->net);
    return CAELUM_OK;
}

static int run_bench(struct bench *b, struct caelum_error *err) {
    const struct caelum_bench_settings *s = b->settings;
    const struct caelum_data_settings settings = caelum_data_defaults();
    const int most = s->threads > 0 ? s->threads : parallel_default_threads();
    enum cpu_level level;
    char spec[32];
    CHECK(cpu_choose(&level, err));
    b->kernels = kernels_get(level);
    snprintf(spec, sizeof spec, "synthetic:%d", PICTURES);
    CHECK(caelum_data_open(&b->data, spec, &settings, err));
    b->threads[0] = 1, b->threads[1] = most;
    b->thread_counts = most > 1 ? 2 : 1;
    for (size_t t = 0; t < b->thread_counts; t++) CHECK(bench_limits(b, t, err));
    if (s->net_count == 0) return bench_net(b, NULL, err);
    for (size_t i = 0; i < s->net_count; i++) CHECK(bench_net(b, s->nets[i], err));
    return CAELUM_OK;
}

static int check_settings(const struct caelum_bench_settings *s, struct caelum_error *err) {
    if (!(s->seconds > 0 && s->seconds <= 3600))
        return caelum_fail(err, CAELUM_EUSAGE, "seconds: expected more than 0, at most 3600, got %g",
                           s->seconds);
    if (s->beside > MOST_BESIDE)
        return caelum_fail(err, CAELUM_EUSAGE, "beside: expected at most %d processes, got %zu", MOST_BESIDE,
                           s->beside);
    for (size_t i = 0; i < s->batch_count; i++)
        if (s->batches[i] < 1 || s->batches[i] > PICTURES)
            return caelum_fail(err, CAELUM_EUSAGE, "batches: expected 1 to %d pictures, got %zu", PICTURES,
                               s->batches[i]);
    return CAELUM_OK;
}

int caelum_bench(const struct caelum_bench_settings *settings, caelum_bench_line line, void *cookie,
                 struct caelum_error *err) {
    struct bench b = {.settings = settings, .line = line, .cookie = cookie};
    CHECK(check_settings(settings, err));
    CHECK(beside_open(&b.beside, (int)settings->beside, err));
    const int result = run_bench(&b, err);
    beside_close(&b.beside);
    caelum_net_close(&b.net);
    caelum_data_close(&b.data);
    return result;
}
