/* trainer.h - the mathematics of training: one step over one minibatch, one pass over a split. Knows no
 * epochs, files or people.
 *
 * A minibatch is cut into blocks; what is left in the end, fewer than eight pictures, may make a block of
 * tiles (engine/engine.h). Gradients are added up over every eight pictures, and the eights' sums in a
 * balanced tree over their numbers (0 + 1) + (2 + 3) ..., the tiles' last: whatever computes them, an
 * aligned part of the minibatch comes down to one sum (sum_tree.h). So the result depends neither on the
 * number of threads and ranks nor on the size of blocks. */
#ifndef CAELUM_TRAIN_TRAINER_H
#define CAELUM_TRAIN_TRAINER_H

#include "base/pictures.h"
#include "engine/engine.h"
#include "train/optimizer.h"
#include "train/sum_tree.h"

/* caelum_train_defaults but for these. */
struct caelum_train_settings trainer_defaults(size_t batch, double lr, int threads);

struct trainer {
    struct caelum_train_settings settings; /* threads: as many as there are */
    struct engine engine;
    float *params; /* [net->params] */
    struct optimizer optimizer;
    float *ema;             /* [net->params]: running mean of params over the steps; NULL: none is kept */
    double lr;              /* of the next step */
    struct sum_tree tree;   /* of the jobs' gradients */
    float *gradient;        /* [net->params]: the sum of all, in the first of the tree's stacks */
    size_t job_blocks;      /* blocks of a job, a power of two */
    uint8_t *augmented;     /* [thread][lanes] pictures, for those that are changed */
    struct loss_sums *sums; /* of every eight pictures of a step, or of the split measured, and of the tail */
};

/* Allocates everything that training will need; `largest` is the count of the largest split to measure.
 * Ranks, where the settings have them, do all of this alike, and share the jobs of a step.
 * Parameters start at net_init(settings->seed). */
int trainer_open(struct trainer *trainer, const struct caelum_net *net,
                 const struct caelum_train_settings *settings, size_t largest, struct caelum_error *err);
/* Layers that ask for it (`init=klt`) start from these pictures; for others nothing changes. Fails as
 * klt_start does. */
int trainer_start(struct trainer *trainer, const struct pictures *pictures, struct caelum_error *err);
/* Safe on a zeroed trainer. */
void trainer_close(struct trainer *trainer);

/* Jobs of n pictures: what ranks can share. */
size_t trainer_jobs(struct trainer *trainer, size_t n);

/* Call after changing params from outside. */
void trainer_refresh(struct trainer *trainer);

/* What training has made: the running mean of the parameters where one is kept, else the parameters. */
const float *trainer_result(const struct trainer *trainer);

/* Numbers of one picture's output. */
size_t trainer_values(const struct trainer *trainer);
/* Terms whose mean is the loss, a picture: output values, or with CAELUM_XENT pixels, so that a classifier's
 * loss is in nats a picture. */
size_t trainer_terms(const struct trainer *trainer);

/* A flag on a position in `order`: the picture is mirrored, left to right. */
#define TRAINER_FLIP 0x80000000u

/* One step on the mean loss of n <= batch pictures at the task: order[i] is a position in
 * `pictures`, whose shape is task_pictures(), and which to classify pass task_check_classes(). Fills sums
 * over all n pictures, measured before the step. */
void trainer_step(struct trainer *trainer, const struct pictures *pictures, const uint32_t *order, size_t n,
                  struct loss_sums *sums);

/* The same sums over a whole split, without learning, for trainer_result. */
void trainer_measure(struct trainer *trainer, const struct pictures *pictures, struct loss_sums *sums);

#endif
