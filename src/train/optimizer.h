/* optimizer.h - how a gradient changes the parameters, with PyTorch's definitions and defaults; Muon: muon.h.
 */
#ifndef CAELUM_TRAIN_OPTIMIZER_H
#define CAELUM_TRAIN_OPTIMIZER_H

#include "train/muon.h"

struct optimizer_settings {
    enum caelum_optimizer kind;
    double weight_decay; /* on all parameters, biases too; AdamW, Muon: decoupled, others: added to the
                            gradient */
    double momentum;     /* SGD */
    double beta1, beta2; /* Adam, AdamW, what Muon leaves */
    double alpha;        /* RMSprop */
    double epsilon;      /* Adam, AdamW, what Muon leaves, RMSprop */
};

/* Adam without decay; beta 0.9 and 0.999 (Kingma & Ba 2015), momentum 0.9, alpha 0.99, epsilon 1e-8. */
struct optimizer_settings optimizer_defaults(void);

struct optimizer {
    struct optimizer_settings settings;
    size_t n;
    float *m, *v;     /* [n]: running means of the gradient and of its square; those not used stay 0 */
    uint64_t step;    /* steps done */
    struct muon muon; /* Muon's matrices; what lies between them goes by Adam's rule. Others: none */
};

/* For the parameters of a network, which is needed no longer than for this call. */
int optimizer_open(struct optimizer *optimizer, const struct optimizer_settings *settings,
                   const struct caelum_net *net, int threads, struct caelum_error *err);
/* Safe on a zeroed optimizer. */
void optimizer_close(struct optimizer *optimizer);

/* One step of size lr. Weight decay that is not decoupled is added to `gradient`, [n]. */
void optimizer_step(struct optimizer *optimizer, const struct kernels *kernels, double lr, float *params,
                    float *gradient);

#endif
