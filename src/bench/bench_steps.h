/* bench_steps.h - where a training step's time goes: each step of the plan by itself. */
#ifndef CAELUM_BENCH_BENCH_STEPS_H
#define CAELUM_BENCH_BENCH_STEPS_H

#include "net/net.h"

/* Figures of one step of the plan in one thread, one way: how long a block takes, the share of the
 * multiply-add peak that the plain algorithm's operations make, and the share at which memory would be the
 * limit: operations a byte times the bandwidth, if each tensor came from memory once (Williams, Waterman &
 * Patterson 2009). */
struct bench_step {
    double seconds, of_peak, roof;
};

/* Sorts the values. */
double median(double *values, size_t n);

/* forward and backward: [net->steps], medians of `rounds`; bandwidth in bytes a second. */
int bench_steps(const struct caelum_net *net, const struct kernels *kernels, size_t rounds, double bandwidth,
                struct bench_step *forward, struct bench_step *backward, struct caelum_error *err);

#endif
