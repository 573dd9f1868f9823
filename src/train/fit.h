/* fit.h - epochs: the order of the pictures, the history of the losses, stopping and going on. */
#ifndef CAELUM_TRAIN_FIT_H
#define CAELUM_TRAIN_FIT_H

#include "train/trainer.h"

struct fit;

struct fit_settings {
    size_t epochs;
    uint64_t seed; /* order of the pictures */
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
    uint32_t *order;              /* [train.n], of the epoch under way */
    struct caelum_epoch *history; /* [settings.epochs] */
    size_t epochs_done;
    size_t best_epoch; /* 1 based; 0: none yet */
    /* the epoch under way */
    size_t batches_done, batches;
    struct loss_sums sums; /* over the batches done */
    double train_seconds;  /* spent on them */
    bool stopped;
};

int fit_open(struct fit *fit, const struct fit_settings *settings, struct trainer *trainer,
             struct caelum_error *err);
void fit_close(struct fit *fit);

/* Trains until all epochs are done or on_batch asks to stop (then fit->stopped is set and the state is
 * that after the last whole batch). CAELUM_EDIVERGED if the loss is no longer finite. */
int fit_run(struct fit *fit, struct caelum_error *err);

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
