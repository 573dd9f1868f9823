/* optimizer.c - the factors of a step in double, the step itself in the kernels. */
#include "train/optimizer.h"

#include "base/mem.h"
#include "base/parallel.h"

#include <math.h>

/* PyTorch's: of Adam and AdamW, of RMSprop, of all three. */
static const double beta1 = 0.9, beta2 = 0.999, alpha = 0.99, epsilon = 1e-8;

int optimizer_open(struct optimizer *o, const struct caelum_train_settings *settings,
                   const struct caelum_net *net, int threads, struct caelum_error *err) {
    *o = (struct optimizer){.settings = *settings, .threads = threads, .n = net->params};
    CHECK(mem_alloc(&o->m, o->n, sizeof *o->m, err));
    CHECK(mem_alloc(&o->v, o->n, sizeof *o->v, err));
    return settings->optimizer == CAELUM_MUON ? muon_open(&o->muon, net, threads, err) : CAELUM_OK;
}

void optimizer_close(struct optimizer *o) {
    mem_free(&o->m);
    mem_free(&o->v);
    muon_close(&o->muon);
}

/* One step, of which ranges of the parameters are taken. */
struct update {
    const struct optimizer *o;
    const struct kernels *kernels;
    double lr;
    float *params, *gradient;
};

static void adam(const struct update *u, double lr, double decay, size_t at, size_t n) {
    const struct optimizer *o = u->o;
    const double bias1 = 1.0 - pow(beta1, (double)o->step), bias2 = 1.0 - pow(beta2, (double)o->step);
    u->kernels->adam(&(struct adam_job){.n = n,
                                        .p = u->params + at,
                                        .m = o->m + at,
                                        .v = o->v + at,
                                        .g = u->gradient + at,
                                        .one_minus_beta1 = (float)(1.0 - beta1),
                                        .one_minus_beta2 = (float)(1.0 - beta2),
                                        .step = (float)(lr / bias1),
                                        .inv_sqrt_bias2 = (float)(1.0 / sqrt(bias2)),
                                        .epsilon = (float)epsilon,
                                        .decay = (float)(lr * decay)});
}

static void adam_range(void *cookie, size_t at, size_t n) {
    const struct update *u = cookie;
    const struct caelum_train_settings *s = &u->o->settings;
    adam(u, u->lr, s->optimizer == CAELUM_ADAMW ? s->weight_decay : 0, at, n);
}

static void sgd_range(void *cookie, size_t at, size_t n) {
    const struct update *u = cookie;
    u->kernels->sgd(&(struct sgd_job){.n = n,
                                      .p = u->params + at,
                                      .m = u->o->m + at,
                                      .g = u->gradient + at,
                                      .momentum = (float)u->o->settings.momentum,
                                      .lr = (float)u->lr});
}

static void rmsprop_range(void *cookie, size_t at, size_t n) {
    const struct update *u = cookie;
    u->kernels->rmsprop(&(struct rmsprop_job){.n = n,
                                              .p = u->params + at,
                                              .v = u->o->v + at,
                                              .g = u->gradient + at,
                                              .one_minus_alpha = (float)(1.0 - alpha),
                                              .lr = (float)u->lr,
                                              .epsilon = (float)epsilon});
}

/* Muon's matrix parameters tolerate larger steps than the others. */
static const double adam_share = 0.2;

static void muon(const struct update *u) {
    const struct optimizer *o = u->o;
    const double decay = o->settings.weight_decay, rest = adam_share * u->lr;
    size_t at = 0;
    muon_step(&o->muon, u->kernels, u->lr, decay, u->params, o->m, u->gradient);
    for (size_t i = 0; i < o->muon.matrices; i++) {
        const struct muon_matrix *m = &o->muon.matrix[i];
        adam(u, rest, decay, at, m->at - at);
        at = m->at + m->rows * m->cols;
    }
    adam(u, rest, decay, at, o->n - at);
}

void optimizer_step(struct optimizer *o, const struct kernels *kernels, double lr, float *params,
                    float *gradient) {
    const struct caelum_train_settings *s = &o->settings;
    struct update update = {o, kernels, lr, params, gradient};
    o->step++;
    if (s->weight_decay > 0 && s->optimizer != CAELUM_ADAMW && s->optimizer != CAELUM_MUON)
        kernels->add_scaled(gradient, params, (float)s->weight_decay, o->n);
    if (s->optimizer == CAELUM_MUON)
        muon(&update);
    else
        parallel_ranges(o->threads, o->n,
                        s->optimizer == CAELUM_SGD       ? sgd_range
                        : s->optimizer == CAELUM_RMSPROP ? rmsprop_range
                                                         : adam_range,
                        &update);
}
