/* schedule.h - the step size of every step of a run, as a pure function: nothing to save, nothing to
 * restore. Where PyTorch has a schedule of the name, it is that one, stepped after every batch (constant
 * within an epoch for STEP and PLATEAU). */
#ifndef CAELUM_TRAIN_SCHEDULE_H
#define CAELUM_TRAIN_SCHEDULE_H

#include "base/error.h"

/* Drops that PLATEAU has made after these epochs: one whenever more than lr_patience in a row were not below
 * the best by 1e-4 of it. 0 for other schedules. */
size_t schedule_drops(const struct caelum_train_settings *settings, const struct caelum_epoch *history,
                      size_t epochs);

/* Step size of step 0, 1, ... of a run with `batches` batches an epoch:
 *   CONSTANT  lr
 *   STEP      lr lr_gamma^floor(epoch / lr_step_epochs)
 *   COSINE    lr (1 + cos(pi t / T)) / 2, t of T steps since the warm-up (Loshchilov & Hutter 2017)
 *   ONECYCLE  by half cosines from lr / 25 to lr over the first 0.3 of all steps, then to lr / 250000
 *             (Smith & Topin 2018); no warm-up besides
 *   PLATEAU   lr lr_gamma^drops */
double schedule_lr(const struct caelum_train_settings *settings, size_t batches, uint64_t step, size_t drops);

#endif
