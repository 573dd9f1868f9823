/* optimizer.c - the factors of a step in double, the step itself in the kernels. */
#include "train/optimizer.h"

#include "base/mem.h"

#include <math.h>

/* PyTorch's: of Adam and AdamW, of RMSprop, of all three. */
static const double beta1 = 0.9, beta2 = 0.999, alpha = 0.99, epsilon = 1e-8;

int optimizer_open(struct optimizer *o, const struct caelum_train_settings *settings,
                   const struct caelum_net *net, int threads, struct caelum_error *err) {
    *o = (struct optimizer){.settings = *settings, .n = net->params};
    CHECK(mem_alloc(&o->m, o->n, sizeof *o->m, err));
    CHECK(mem_alloc(&o->v, o->n, sizeof *o->v, err));
    return settings->optimizer == CAELUM_MUON ? muon_open(&o->muon, net, threads, err) : CAELUM_OK;
}

void optimizer_close(struct optimizer *o) {
    mem_free(&o->m);
    mem_free(&o->v);
    muon_close(&o->muon);
}

/* For `n` parameters from `at` on. */
static void adam(const struct optimizer *o, const struct kernels *kernels, double lr, double decay, size_t at,
                 size_t n, float *params, const float *gradient) {
    const double bias1 = 1.0 - pow(beta1, (double)o->step), bias2 = 1.0 - pow(beta2, (double)o->step);
    kernels->adam(&(struct adam_job){.n = n,
                                     .p = params + at,
                                     .m = o->m + at,
                                     .v = o->v + at,
                                     .g = gradient + at,
                                     .one_minus_beta1 = (float)(1.0 - beta1),
                                     .one_minus_beta2 = (float)(1.0 - beta2),
                                     .step = (float)(lr / bias1),
                                     .inv_sqrt_bias2 = (float)(1.0 / sqrt(bias2)),
                                     .epsilon = (float)epsilon,
                                     .decay = (float)(lr * decay)});
}

/* Muon's matrix parameters tolerate larger steps than the others. */
static const double adam_share = 0.2;

static void muon(const struct optimizer *o, const struct kernels *kernels, double lr, float *params,
                 const float *gradient) {
    const double decay = o->settings.weight_decay, rest = adam_share * lr;
    size_t at = 0;
    muon_step(&o->muon, kernels, lr, decay, params, o->m, gradient);
    for (size_t i = 0; i < o->muon.matrices; i++) {
        const struct muon_matrix *m = &o->muon.matrix[i];
        adam(o, kernels, rest, decay, at, m->at - at, params, gradient);
        at = m->at + m->rows * m->cols;
    }
    adam(o, kernels, rest, decay, at, o->n - at, params, gradient);
}

void optimizer_step(struct optimizer *o, const struct kernels *kernels, double lr, float *params,
                    float *gradient) {
    const struct caelum_train_settings *s = &o->settings;
    o->step++;
    if (s->weight_decay > 0 && s->optimizer != CAELUM_ADAMW && s->optimizer != CAELUM_MUON)
        kernels->add_scaled(gradient, params, (float)s->weight_decay, o->n);
    switch (s->optimizer) {
    case CAELUM_ADAM:
        adam(o, kernels, lr, 0, 0, o->n, params, gradient);
        break;
    case CAELUM_ADAMW:
        adam(o, kernels, lr, s->weight_decay, 0, o->n, params, gradient);
        break;
    case CAELUM_MUON:
        muon(o, kernels, lr, params, gradient);
        break;
    case CAELUM_SGD:
        kernels->sgd(&(struct sgd_job){.n = o->n,
                                       .p = params,
                                       .m = o->m,
                                       .g = gradient,
                                       .momentum = (float)s->momentum,
                                       .lr = (float)lr});
        break;
    case CAELUM_RMSPROP:
        kernels->rmsprop(&(struct rmsprop_job){.n = o->n,
                                               .p = params,
                                               .v = o->v,
                                               .g = gradient,
                                               .one_minus_alpha = (float)(1.0 - alpha),
                                               .lr = (float)lr,
                                               .epsilon = (float)epsilon});
        break;
    }
}
