/* runner.h - a model at work: pictures in, pictures out, many at a time. */
#ifndef CAELUM_API_RUNNER_H
#define CAELUM_API_RUNNER_H

#include "base/pictures.h"
#include "train/tail.h"

/* A model's packed weights and a workspace a thread. */
struct runner {
    const struct caelum_net *net; /* borrowed until close */
    const float *params;
    const struct kernels *kernels;
    float *packed;
    int threads;
    bool noise; /* noise layers are on: a denoiser is measured on noisy pictures; false after opening */
    enum caelum_task task;           /* what the input channels tell: luminance is made from RGB here */
    struct net_workspace *workspace; /* one a thread */
    struct task_block *block;        /* likewise */
    struct tails tails;
};

/* threads = 0: the default. */
int runner_open(struct runner *runner, const struct caelum_net *net, const float *params, int threads,
                struct caelum_error *err);
void runner_close(struct runner *runner);

/* Runs blocks in parallel. `input(cookie, i)` gives the bytes of picture i, [c][h][w], borrowed until the
 * block is done. A colorizer's network (task_of) is given RGB, [3][h][w], too, and sees its luminance,
 * without hints; its output is [2][h][w], U and V. `output(cookie, i, values)` receives its result, [c][h][w]
 * floats of the network's output, borrowed until it returns. Both are called from any thread, once a picture.
 */
struct runner_job {
    size_t n;
    const uint8_t *(*input)(void *cookie, size_t i, int worker);
    /* instead of input: picture i as floats, [c][h][w] of the network's input */
    const float *(*values)(void *cookie, size_t i, int worker);
    void (*output)(void *cookie, size_t i, const float *values, int worker);
    void *cookie;
};
int runner_run(struct runner *runner, const struct runner_job *job, struct caelum_error *err);

#endif
