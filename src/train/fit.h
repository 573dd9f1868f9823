/* fit.h - epochs: the order of the pictures, the history of the losses, stopping and going on. */
#ifndef CAELUM_TRAIN_FIT_H
#define CAELUM_TRAIN_FIT_H

#include "base/mem.h"
#include "data/data.h"
#include "model/safetensors.h"
#include "train/schedule.h"
#include "train/trainer.h"

/* A minibatch that is fed: copies, in the order of the batch. */
struct fed {
    struct pictures pictures; /* of the arrays below */
    uint8_t *pixels;
    uint16_t *labels; /* NULL: there are none */
    uint32_t *order;  /* 0, 1, 2 ..., with TRAINER_FLIP */
};

struct fit {
    struct mem_group memory;
    struct pictures train, validation;
    struct fed fed;               /* where the settings have `feed` */
    struct trainer *trainer;      /* borrowed */
    uint32_t *order;              /* [train.n], of the epoch under way, with TRAINER_FLIP */
    struct caelum_epoch *history; /* [epochs of the trainer's settings] */
    size_t epochs_done;
    size_t best_epoch; /* 1 based; 0: none yet */
    double first_loss; /* mean of the run's first batch; 0: not done */
    /* the epoch under way */
    size_t drops;        /* of the step size, by schedule_drops */
    double highest_loss; /* a mean above this is divergence */
    size_t batches_done, batches;
    struct loss_sums sums; /* over the batches done */
    double train_seconds;  /* spent on them */
};

/* Borrows trainer and data. To be closed after a failure, too. */
int fit_open(struct fit *fit, struct trainer *trainer, const struct caelum_data *data,
             struct caelum_error *err);
/* Safe on a zeroed fit. */
void fit_close(struct fit *fit);

/* Whether all epochs are done, or early_stop has ended the run. */
bool fit_ended(const struct fit *fit);

/* What an epoch starts from, a function of seed and history: its order, its flips, its drops. Also before the
 * rest of an epoch that a checkpoint was taken in. */
void fit_begin_epoch(struct fit *fit);

/* The next batch of the epoch.
 *
 * CAELUM_EDIVERGED if a loss is no longer finite, or if from batch 20 of an epoch on (or the last, if there
 * are fewer) the epoch's mean loss is above both that of the run's first batch and 100 times the lowest mean
 * of an epoch so far; in the first epoch, above 100 times that of the first batch. Healthy runs stay below
 * their start; a spike may rise above it, but not to a hundredfold of what was reached.
 *
 * CAELUM_ESTOPPED, without words and as if it had not been called, if the settings' feed asks to stop. */
int fit_batch(struct fit *fit, struct caelum_error *err);

/* After the last batch: validates, and adds the epoch to the history. CAELUM_EDIVERGED. */
int fit_finish_epoch(struct fit *fit, struct caelum_error *err);

/* Pictures of the epoch under way that are done. */
size_t fit_pictures(const struct fit *fit);

/* The state that training needs to go on, as a file: weights, the optimizer's means, position, history.
 * `metadata` is the caller's, kept with it. */
int checkpoint_save(const struct fit *fit, const struct metadata *metadata, const char *path,
                    struct caelum_error *err);

/* Puts the state of a checkpoint that safetensors_read has read into a freshly opened fit. */
int checkpoint_restore(struct fit *fit, const struct safetensors *file, const char *path,
                       struct caelum_error *err);

#endif
