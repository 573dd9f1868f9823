/* schedule.c - step sizes, in double. */
#include "train/schedule.h"

#include <math.h>

static const double pi = 3.14159265358979323846;

size_t schedule_drops(const struct caelum_train_settings *s, const struct caelum_epoch *history,
                      size_t epochs) {
    double best = INFINITY;
    size_t drops = 0, waited = 0;
    for (size_t i = 0; s->schedule == CAELUM_PLATEAU && i < epochs; i++) {
        if (history[i].val_loss < best * (1 - 1e-4)) {
            best = history[i].val_loss;
            waited = 0;
        } else if (++waited > s->lr_patience) {
            drops++;
            waited = 0;
        }
    }
    return drops;
}

/* From a to b along half a cosine, part of the way in [0, 1]. */
static double half_cosine(double a, double b, double part) {
    return b + (a - b) * (1 + cos(pi * part)) / 2;
}

static double one_cycle(const struct caelum_train_settings *s, size_t batches, double step) {
    const double total = (double)(s->epochs * batches), top = 0.3 * total - 1, end = total - 1;
    const double first = s->lr / 25, last = first / 1e4;
    if (step >= end) return last;
    if (step < top) return half_cosine(first, s->lr, step / top);
    return half_cosine(s->lr, last, top < 0 ? step / end : (step - top) / (end - top));
}

double schedule_lr(const struct caelum_train_settings *s, size_t batches, uint64_t step, size_t drops) {
    const double at = (double)step, warm = s->warmup * (double)batches;
    const double total = (double)(s->epochs * batches);
    double lr = s->lr;
    switch (s->schedule) {
    case CAELUM_CONSTANT:
        break;
    case CAELUM_STEP:
        lr *= pow(s->lr_gamma, floor(at / (double)batches / (double)s->lr_step_epochs));
        break;
    case CAELUM_COSINE:
        if (at > warm) lr = half_cosine(lr, 0, at < total ? (at - warm) / (total - warm) : 1);
        break;
    case CAELUM_ONECYCLE:
        return one_cycle(s, batches, at);
    case CAELUM_PLATEAU:
        lr *= pow(s->lr_gamma, (double)drops);
        break;
    }
    return at + 1 < warm ? lr * (at + 1) / warm : lr;
}
