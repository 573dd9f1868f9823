/* bench_steps.c - times of single steps, the peak measured in turn with them. */
#include "bench/bench_steps.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/number.h"

#include <stdlib.h>

enum { MOST_ROUNDS = 101 };

struct work {
    const struct caelum_net *net;
    const struct kernels *kernels;
    float *params, *packed, *grads;
    struct net_workspace ws;
    double *times; /* [way][step][round] */
    double peak[MOST_ROUNDS];
    size_t rounds;
};

double median(double *values, size_t n) {
    qsort(values, n, sizeof *values, number_ascending);
    return values[n / 2];
}

static double *times_of(const struct work *w, size_t way, size_t step) {
    return w->times + (way * w->net->steps + step) * w->rounds;
}

/* Numbers as they may be: the same everywhere would let a pool's comparisons come out alike. */
static void fill(const struct tensor *t, float scale) {
    uint32_t state = 1;
    for (size_t c = 0; c < t->c; c++)
        for (size_t i = 0; i < t->h; i++) {
            float *row = tensor_at(t, c, (ptrdiff_t)i, 0);
            for (size_t j = 0; j < t->w * t->step; j++) {
                state = state * 1664525u + 1013904223u;
                row[j] = scale * (float)(state >> 8) * 0x1p-24f;
            }
        }
}

static void one_round(struct work *w, size_t round) {
    const size_t steps = w->net->steps, lowest = net_lowest_step(w->net);
    double start = clock_seconds();
    const double flops = w->kernels->peak(200000);
    w->peak[round] = flops / (clock_seconds() - start);
    for (size_t s = 0; s < steps; s++) {
        start = clock_seconds();
        net_forward_step(w->net, s, w->kernels, w->params, w->packed, &w->ws);
        times_of(w, 0, s)[round] = clock_seconds() - start;
    }
    fill(&w->ws.grad[w->net->layers], 1e-3f);
    for (size_t s = steps; s-- > lowest;) {
        start = clock_seconds();
        net_backward_step(w->net, s, w->kernels, w->params, w->packed, &w->ws, w->grads);
        times_of(w, 1, s)[round] = clock_seconds() - start;
    }
}

static double values_of(const struct tensor *t) {
    return (double)(t->c * t->h * t->w);
}

static struct bench_step summary(const struct work *w, size_t way, size_t s, double peak, double bandwidth) {
    const struct net_step *step = &w->net->step[s];
    const bool first = s == net_lowest_step(w->net);
    double macs = 0;
    for (size_t i = step->first; i <= step->last; i++) macs += (double)w->net->layer[i].sizes.macs;
    const double x = values_of(&w->ws.value[step->first]), y = values_of(&w->ws.value[step->last + 1]);
    const double lanes = (double)w->ws.lanes;
    /* backward: the weights' gradient, and the input's where it is wanted, from x, y and dy */
    const double flops = 2 * lanes * macs * (way == 0 || first ? 1 : 2);
    const double bytes = sizeof(float) * lanes * (way == 0 ? x + y : (first ? x : 2 * x) + 2 * y);
    const double roof = flops / bytes * bandwidth / peak, seconds = median(times_of(w, way, s), w->rounds);
    return (struct bench_step){seconds, flops / seconds / peak, roof < 1 ? roof : 1};
}

static int open_work(struct work *w, struct caelum_error *err) {
    const size_t lanes = w->kernels->lanes;
    CHECK(mem_alloc(&w->params, w->net->params, sizeof(float), err));
    CHECK(mem_alloc(&w->packed, w->net->packed, sizeof(float), err));
    CHECK(mem_alloc(&w->grads, lanes / SUM_LANES * w->net->params, sizeof(float), err));
    CHECK(mem_alloc(&w->times, 2 * w->net->steps * w->rounds, sizeof(double), err));
    CHECK(net_workspace_open(&w->ws, w->net, lanes, true, err));
    net_workspace_live(&w->ws, w->net, lanes);
    net_init(w->net, 1, w->params);
    net_pack(w->net, w->params, w->packed);
    fill(&w->ws.value[0], 1);
    return CAELUM_OK;
}

int bench_steps(const struct caelum_net *net, const struct kernels *kernels, size_t rounds, double bandwidth,
                struct bench_step *forward, struct bench_step *backward, struct caelum_error *err) {
    const size_t least = rounds > 0 ? rounds : 1;
    struct work w = {.net = net, .kernels = kernels, .rounds = least < MOST_ROUNDS ? least : MOST_ROUNDS};
    const int result = open_work(&w, err);
    if (result == 0) {
        one_round(&w, 0); /* does not count */
        for (size_t r = 0; r < w.rounds; r++) one_round(&w, r);
        const double peak = median(w.peak, w.rounds);
        for (size_t s = 0; s < net->steps; s++) {
            forward[s] = summary(&w, 0, s, peak, bandwidth);
            backward[s] = summary(&w, 1, s, peak, bandwidth);
        }
    }
    net_workspace_close(&w.ws);
    mem_free(&w.params), mem_free(&w.packed), mem_free(&w.grads), mem_free(&w.times);
    return result;
}
