/* fit.h - epochs: the order of the pictures, the history of the losses, stopping and going on. */
#ifndef CAELUM_TRAIN_FIT_H
#define CAELUM_TRAIN_FIT_H

#include "model/model.h"
#include "train/schedule.h"
#include "train/trainer.h"

struct fit;

/* What the trainer's settings don't tell. */
struct fit_settings {
    struct pictures train, validation;
    /* After every batch; non-zero asks to stop. */
    int (*on_batch)(void *cookie, const struct fit *fit);
    /* After every epoch, which is history[epochs_done - 1]; a negative code ends the run with it. */
    int (*on_epoch)(void *cookie, const struct fit *fit, struct caelum_error *err);
    void *cookie;
};

struct fit {
    struct fit_settings settings;
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
    bool stopped;
};

int fit_open(struct fit *fit, const struct fit_settings *settings, struct trainer *trainer,
             struct caelum_error *err);
void fit_close(struct fit *fit);

/* Trains until all epochs are done, early_stop ends it, or on_batch asks to stop (then fit->stopped is set
 * and the state is that after the last whole batch).
 *
 * CAELUM_EDIVERGED if a loss is no longer finite, or if from batch 20 of an epoch on (or the last, if there
 * are fewer) the epoch's mean loss is above both that of the run's first batch and 100 times the lowest mean
 * of an epoch so far; in the first epoch, above 100 times that of the first batch. Healthy runs stay below
 * their start; a spike may rise above it, but not to a hundredfold of what was reached. */
int fit_run(struct fit *fit, struct caelum_error *err);

/* Whether early_stop has ended the run. */
bool fit_ended_early(const struct fit *fit);

/* Pictures of the epoch under way that are done. */
size_t fit_pictures(const struct fit *fit);

/* The state that training needs to go on, as a file: weights, the optimizer's means, position, history.
 * `metadata` is the caller's, kept with it. */
int checkpoint_save(const struct fit *fit, const struct metadata *metadata, const char *path,
                    struct caelum_error *err);

struct safetensors;
/* Puts the state of a checkpoint that safetensors_read has read into a freshly opened fit. */
int checkpoint_restore(struct fit *fit, const struct safetensors *file, const char *path,
                       struct caelum_error *err);

#endif
