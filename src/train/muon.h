/* muon.h - steps of the same size in every direction of a weight matrix: Muon (K. Jordan and others, "Muon:
 * an optimizer for hidden layers in neural networks", 2024). */
#ifndef CAELUM_TRAIN_MUON_H
#define CAELUM_TRAIN_MUON_H

#include "net/net.h"

/* One weight tensor as a matrix: a row an output channel. */
struct muon_matrix {
    size_t at; /* offset into the parameters */
    size_t rows, cols;
};

struct muon {
    struct muon_matrix *matrix; /* in the order of the parameters */
    size_t matrices;
    int threads;
    size_t size;    /* floats of a worker's scratch */
    float *scratch; /* [threads][size] */
};

/* The matrices are the weights of convolutions and dense layers; what is left, such as biases, is for another
 * optimizer. To be closed after a failure, too. */
int muon_open(struct muon *muon, const struct caelum_net *net, int threads, struct caelum_error *err);
/* Safe on a zeroed muon. */
void muon_close(struct muon *muon);

/* One step of all matrices. With M the running mean of the gradient G (decay 0.95), the Nesterov form
 * 0.95 M + 0.05 G is replaced by the orthogonal matrix nearest to it, nearly: five Newton-Schulz iterations
 *   X <- (a + b X X^T + c (X X^T)^2) X,  (a, b, c) = (3.4445, -4.7750, 2.0315),
 * bring all singular values near 1. The step is lr 0.2 sqrt(max(rows, cols)) of that, as long as one of
 * Adam's (Liu and others, "Muon is scalable for LLM training", 2025). decay: share by which the weights
 * shrink. params, mean, gradient: the whole network's. The same bits for any number of threads. */
void muon_step(const struct muon *muon, const struct kernels *kernels, double lr, double decay, float *params,
               float *mean, const float *gradient);

#endif
