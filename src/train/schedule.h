/* schedule.h - the step size of every step of a run, as a pure function: nothing to save, nothing to
 * restore. Where PyTorch has a schedule of the name, it is that one, stepped after every batch (constant
 * within an epoch for STEP and PLATEAU). */
#ifndef CAELUM_TRAIN_SCHEDULE_H
#define CAELUM_TRAIN_SCHEDULE_H

#include "base/error.h"

struct schedule {
    enum caelum_schedule kind;
    double lr;          /* the largest step size */
    size_t batches;     /* steps an epoch */
    size_t epochs;      /* of the whole run: COSINE and ONECYCLE end with it */
    double warmup;      /* epochs over which the step size rises to its schedule, linearly from step 1 on */
    size_t step_epochs; /* STEP: epochs between drops */
    double gamma;       /* STEP, PLATEAU: factor of a drop */
    size_t patience;    /* PLATEAU: epochs without a better validation loss that pass before a drop */
};

/* Drops that PLATEAU has made after these epochs: one whenever more than `patience` in a row were not below
 * the best by 1e-4 of it. 0 for other schedules. */
size_t schedule_drops(const struct schedule *schedule, const struct caelum_epoch *history, size_t epochs);

/* Step size of step 0, 1, ... of the run:
 *   CONSTANT  lr
 *   STEP      lr gamma^floor(epoch / step_epochs)
 *   COSINE    lr (1 + cos(pi t / T)) / 2, t of T steps since the warm-up (Loshchilov & Hutter 2017)
 *   ONECYCLE  by half cosines from lr / 25 to lr over the first 0.3 of all steps, then to lr / 250000
 *             (Smith & Topin 2018); no warm-up besides
 *   PLATEAU   lr gamma^drops */
double schedule_lr(const struct schedule *schedule, uint64_t step, size_t drops);

#endif
