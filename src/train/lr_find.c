/* lr_find.c - one short run whose step size is the variable. */
#include "train/lr_find.h"

#include "base/mem.h"

#include <math.h>

static const double first_lr = 1e-7, last_lr = 10, decay = 0.9, explosion = 4;
enum { EARLIEST = 10, SPAN = 5 };

double lr_find_steepest(const struct caelum_lr_point *points, size_t count) {
    double steepest = 0, lr = 0;
    for (size_t i = EARLIEST; i + SPAN < count; i++) {
        const double rise = points[i + SPAN].smooth - points[i - SPAN].smooth;
        if (rise < steepest) steepest = rise, lr = points[i].lr;
    }
    return lr;
}

static void shuffle(uint32_t *order, size_t n, uint64_t seed, uint32_t epoch) {
    struct rng rng = rng_make(seed, RNG_ORDER, epoch);
    for (size_t i = 0; i < n; i++) order[i] = (uint32_t)i;
    rng_shuffle(&rng, order, n);
}

int lr_find_run(struct trainer *t, const struct pictures *train, uint64_t seed,
                int (*on_batch)(void *cookie, size_t done), void *cookie, struct caelum_lr_find *found,
                struct caelum_error *err) {
    const size_t n = train->n, batch = t->settings.batch < n ? t->settings.batch : n;
    double running = 0, lowest = INFINITY;
    uint32_t *order = NULL, epoch = 0;
    int result = mem_alloc(&order, n, sizeof *order, err);
    *found = (struct caelum_lr_find){0};
    for (size_t i = 0, at = n; result == 0 && i < CAELUM_LR_POINTS; i++, at += batch) {
        struct caelum_lr_point *p = &found->point[i];
        struct loss_sums sums;
        if (at + batch > n) {
            shuffle(order, n, seed, epoch++);
            at = 0;
        }
        p->lr = t->lr = first_lr * pow(last_lr / first_lr, (double)i / (CAELUM_LR_POINTS - 1));
        trainer_step(t, train, order + at, batch, &sums);
        p->loss = sums.loss / (double)(batch * trainer_terms(t));
        running = decay * running + (1 - decay) * p->loss;
        p->smooth = running / (1 - pow(decay, (double)i + 1));
        if (!isfinite(p->smooth) || p->smooth > explosion * lowest) break;
        found->count = i + 1;
        lowest = fmin(lowest, p->smooth);
        if (on_batch && on_batch(cookie, i + 1) != 0)
            result = caelum_fail(err, CAELUM_ESTOPPED, "stopped in the range test");
    }
    mem_free(&order);
    found->suggestion = lr_find_steepest(found->point, found->count);
    return result;
}
