/* load_test.c - `test_load trainings N`, `test_load threads SECONDS`, `test_load steps N`: much of one thing in one process, by
 * the public header alone. Prints a line of figures; exit status 1, and why, where a result differs or
 * something grows. */
#define _GNU_SOURCE
#include "caelum.h"

#include <dirent.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void expect(bool so, const char *what, const struct caelum_error *err) {
    if (so) return;
    fprintf(stderr, "load: expected %s%s%s\n", what, err ? "; got: " : "", err ? err->text : "");
    exit(1);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static size_t entries(const char *path) {
    size_t n = 0;
    DIR *d = opendir(path);
    expect(d, path, NULL);
    while (readdir(d)) n++;
    closedir(d);
    return n;
}

/* What this process has. */
struct holdings {
    size_t kib, descriptors, threads;
};

static struct holdings look(void) {
    size_t all, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    expect(f && fscanf(f, "%zu %zu", &all, &resident) == 2, "/proc/self/statm", NULL);
    fclose(f);
    return (struct holdings){resident * (size_t)sysconf(_SC_PAGESIZE) / 1024, entries("/proc/self/fd"),
                             entries("/proc/self/task")};
}

/* Nothing but what the allocator keeps may be more than before. */
static void expect_no_growth(const struct holdings *before, const struct holdings *after) {
    enum { KEPT = 512 };
    expect(after->descriptors == before->descriptors, "as many descriptors as before", NULL);
    expect(after->threads == before->threads, "as many threads as before", NULL);
    expect(after->kib <= before->kib + KEPT, "no growth of memory", NULL);
}

/* Weights of a model, added up so that each bit counts (FNV-1a). */
static uint64_t sum_of(const void *bytes, size_t size) {
    uint64_t sum = 14695981039346656037u;
    for (size_t i = 0; i < size; i++) sum = (sum ^ ((const uint8_t *)bytes)[i]) * 1099511628211u;
    return sum;
}

static uint64_t weights(const caelum_model *model) {
    uint64_t sum = 0;
    struct caelum_tensor t;
    for (size_t i = 0; caelum_model_tensor(model, i, &t); i++) {
        size_t n = 1;
        for (size_t d = 0; d < t.dims; d++) n *= t.dim[d];
        for (size_t k = 0; k < n; k++) expect(isfinite(t.data[k]), "finite weights", NULL);
        sum = sum * 31 + sum_of(t.data, n * sizeof *t.data);
    }
    return sum;
}

/* --- Trainings ----------------------------------------------------------------------------------------- */

static caelum_data *pictures(uint8_t *pixels, size_t count, size_t channels, size_t side) {
    struct caelum_error err;
    caelum_data *data = NULL;
    const size_t size = channels * side * side;
    for (size_t i = 0; i < count * size; i++) pixels[i] = (uint8_t)(i * 37 % 251);
    const struct caelum_pictures p = {
        .pixels = pixels, .count = count, .channels = channels, .height = side, .width = side};
    expect(caelum_data_from_pictures(&data, &p, NULL, &err) == 0, "data", &err);
    return data;
}

static caelum_net *network(const char *text, size_t side) {
    struct caelum_error err;
    caelum_net *net = NULL;
    expect(caelum_net_parse(&net, text, "load", side, side, &err) == 0, "a network", &err);
    return net;
}

static int count_step(void *cookie, const struct caelum_train_progress *p) {
    size_t *steps = cookie;
    *steps += !p->finished;
    return 0;
}

/* Its weights at the end. */
static uint64_t train(const caelum_net *net, const caelum_data *data, size_t batch, size_t epochs,
                      int threads) {
    struct caelum_error err;
    struct caelum_train_settings s = caelum_train_defaults();
    struct caelum_train_result result = {0};
    size_t steps = 0;
    s.net = net, s.open_data = data, s.batch = batch, s.epochs = epochs, s.threads = threads;
    s.progress = count_step, s.cookie = &steps;
    expect(caelum_train(&s, &result, &err) == 0, "a training", &err);
    expect(steps == epochs * (caelum_data_count(data, CAELUM_TRAIN) / batch), "a call after each step", NULL);
    const uint64_t sum = weights(result.model);
    caelum_model_close(&result.model);
    return sum;
}

static void trainings(size_t n) {
    static uint8_t pixels[20 * 3 * 8 * 8];
    const size_t some = n / 10 + 1;
    struct holdings before = {0}, after;
    const double start = now();
    uint64_t first = 0;
    for (size_t i = 0; i < n;
         i++) { /* each opens all that it needs, as a program would that knows no better */
        caelum_data *data = pictures(pixels, 20, 3, 8);
        caelum_net *net = network("input 3\nconv 2 stride=2 relu\nlatent\nupsample\nconv 3 sigmoid\n", 8);
        const uint64_t sum = train(net, data, 16, 1, 1 + (int)(i % 2));
        expect(i == 0 || sum == first, "the same weights each time", NULL);
        first = sum;
        caelum_net_close(&net);
        caelum_data_close(&data);
        if (i + 1 == some) before = look();
    }
    after = look();
    expect_no_growth(&before, &after);
    printf("%zu trainings in one process in %.1f s: %zu KiB after %zu, %zu KiB after all, %zu descriptors\n",
           n, now() - start, before.kib, some, after.kib, after.descriptors - 3);
}

/* --- Threads ------------------------------------------------------------------------------------------- */

enum { THREADS = 64, INPUTS = 16, SIDE = 16, NUMBERS = 3 * SIDE * SIDE };

struct inference {
    const caelum_model *model;
    const caelum_engine *engine;
    const float (*in)[NUMBERS], (*out)[NUMBERS]; /* [INPUTS], and what one thread made of them */
    double until;
    size_t worker, runs;
};

/* Every other one by the engine that they share, the rest without. */
static void *infer(void *argument) {
    struct inference *at = argument;
    struct caelum_net_info info;
    struct caelum_error err;
    float out[NUMBERS];
    caelum_net_describe(caelum_model_net(at->model), &info);
    for (; now() < at->until; at->runs++) {
        const size_t i = (at->worker + at->runs) % INPUTS;
        const int code = at->worker % 2 ? caelum_engine_run(at->engine, at->in[i], 1, out, &err)
                                        : caelum_model_run(at->model, info.layers, at->in[i], 1, out, &err);
        expect(code == 0, "a run", &err);
        expect(memcmp(out, at->out[i], sizeof out) == 0, "the bits of a single thread", NULL);
    }
    return NULL;
}

static void infer_at_once(const caelum_model *model, const caelum_engine *engine, double seconds) {
    static float in[INPUTS][NUMBERS], out[INPUTS][NUMBERS];
    static struct inference list[THREADS];
    pthread_t thread[THREADS];
    struct caelum_error err;
    size_t runs = 0;
    for (size_t i = 0; i < INPUTS; i++) {
        for (size_t k = 0; k < NUMBERS; k++) in[i][k] = (float)((i * 7919 + k * 37) % 251) / 250;
        expect(caelum_engine_run(engine, in[i], 1, out[i], &err) == 0, "a run", &err);
    }
    const double start = now();
    for (size_t i = 0; i < THREADS; i++) {
        list[i] = (struct inference){model, engine, in, out, start + seconds, i, 0};
        expect(pthread_create(&thread[i], NULL, infer, &list[i]) == 0, "threads", NULL);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
        expect(list[i].runs > 0, "runs in every thread", NULL);
        runs += list[i].runs;
    }
    printf("%d threads on one model: %zu pictures in %.0f s, the bits of a single one, %zu KiB\n", THREADS,
           runs, now() - start, look().kib);
}

static void threads(double seconds) {
    caelum_net *net =
        network("input 3\nconv 16 stride=2 gelu\nconv 16 gelu\nlatent\nupsample\nconv 3 sigmoid\n", SIDE);
    caelum_model *model = NULL;
    caelum_engine *engine = NULL;
    struct caelum_error err;
    struct caelum_engine_settings one = caelum_engine_defaults();
    one.threads = 1;
    expect(caelum_model_create(&model, net, 1, &err) == 0, "a model", &err);
    expect(caelum_engine_open(&engine, model, &one, &err) == 0, "an engine", &err);
    infer_at_once(model, engine, seconds);
    caelum_engine_close(&engine);
    caelum_model_close(&model);
    caelum_net_close(&net);
}

/* --- Steps --------------------------------------------------------------------------------------------- */

static void steps(size_t n) {
    enum { PICTURES = 1250, EPOCH = 1000 }; /* 8 of 10 are trained on, one in each step */
    static uint8_t pixels[PICTURES * 4 * 4];
    caelum_data *data = pictures(pixels, PICTURES, 1, 4);
    caelum_net *net = network("input 1\nconv 1 k=1\n", 4);
    train(net, data, 1, 1, 1);
    const struct holdings before = look();
    const double start = now();
    const uint64_t sum = train(net, data, 1, n / EPOCH, 1);
    const double seconds = now() - start;
    const struct holdings after = look();
    expect_no_growth(&before, &after);
    printf("a training of %zu steps in %.1f s: %zu KiB before, %zu KiB after, weights %016llx\n",
           n / EPOCH * EPOCH, seconds, before.kib, after.kib, (unsigned long long)sum);
    caelum_net_close(&net);
    caelum_data_close(&data);
}

int main(int argc, char **argv) {
    const long n = argc == 3 ? atol(argv[2]) : 0;
    if (n > 0 && strcmp(argv[1], "trainings") == 0) return trainings((size_t)n), 0;
    if (n > 0 && strcmp(argv[1], "threads") == 0) return threads((double)n), 0;
    if (n > 0 && strcmp(argv[1], "steps") == 0) return steps((size_t)n), 0;
    fprintf(stderr, "usage: test_load trainings N|threads SECONDS|steps N\n");
    return 2;
}
