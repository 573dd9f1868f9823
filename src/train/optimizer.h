/* optimizer.h - how a gradient changes the parameters, with PyTorch's definitions and defaults; Muon: muon.h.
 */
#ifndef CAELUM_TRAIN_OPTIMIZER_H
#define CAELUM_TRAIN_OPTIMIZER_H

#include "train/muon.h"

struct optimizer {
    struct caelum_train_settings settings; /* of these optimizer, momentum, weight_decay */
    int threads;
    size_t n;
    float *m, *v;     /* [n]: running means of the gradient and of its square; those not used stay 0 */
    uint64_t step;    /* steps done */
    struct muon muon; /* Muon's matrices; all other parameters go by Adam's rule. Others: none */
};

/* For the parameters of a network, which is needed no longer than for this call. To be closed after a
 * failure, too. */
int optimizer_open(struct optimizer *optimizer, const struct caelum_train_settings *settings,
                   const struct caelum_net *net, int threads, struct caelum_error *err);
/* Safe on a zeroed optimizer. */
void optimizer_close(struct optimizer *optimizer);

/* One step of size lr; the same bits for any number of threads. Weight decay that is not decoupled is added
 * to `gradient`, [n]. */
void optimizer_step(struct optimizer *optimizer, const struct kernels *kernels, double lr, float *params,
                    float *gradient);

#endif
