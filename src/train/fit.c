/* fit.c - the loop over epochs and batches. All of its state is in struct fit and the trainer, so that a
 * checkpoint can be taken after any batch. */
#include "train/fit.h"

#include "base/clock.h"
#include "base/mem.h"

#include <math.h>

int fit_open(struct fit *out, const struct fit_settings *settings, struct trainer *trainer,
             struct caelum_error *err) {
    struct fit fit = {.settings = *settings, .trainer = trainer};
    const size_t n = settings->train.n, batch = trainer->settings.batch;
    fit.batches = (n + batch - 1) / batch;
    int result = mem_alloc(&fit.order, n, sizeof *fit.order, err);
    if (result == 0) result = mem_alloc(&fit.history, settings->epochs, sizeof *fit.history, err);
    if (result != 0) {
        fit_close(&fit);
        return result;
    }
    *out = fit;
    return CAELUM_OK;
}

void fit_close(struct fit *fit) {
    mem_free(&fit->order);
    mem_free(&fit->history);
}

size_t fit_pictures(const struct fit *fit) {
    const size_t n = fit->batches_done * fit->trainer->settings.batch;
    return n < fit->settings.train.n ? n : fit->settings.train.n;
}

/* The order of the epoch under way: a function of seed and epoch. */
static void shuffle(struct fit *fit) {
    for (size_t i = 0; i < fit->settings.train.n; i++) fit->order[i] = (uint32_t)i;
    struct rng rng = rng_make(fit->settings.seed, RNG_ORDER, (uint32_t)fit->epochs_done);
    rng_shuffle(&rng, fit->order, fit->settings.train.n);
}

/* The remaining batches of the epoch. */
static int run_batches(struct fit *fit, struct caelum_error *err) {
    const size_t batch = fit->trainer->settings.batch, n = fit->settings.train.n;
    while (fit->batches_done < fit->batches) {
        const double start = clock_seconds();
        const size_t at = fit->batches_done * batch, count = n - at < batch ? n - at : batch;
        struct loss_sums sums;
        trainer_step(fit->trainer, &fit->settings.train, fit->order + at, count, &sums);
        if (!isfinite(sums.loss))
            return caelum_fail(err, CAELUM_EDIVERGED,
                               "training diverged: the loss is no longer finite in epoch %zu, batch %zu; try "
                               "a smaller learning rate",
                               fit->epochs_done + 1, fit->batches_done + 1);
        fit->sums.loss += sums.loss;
        fit->sums.squared += sums.squared;
        fit->sums.agree += sums.agree;
        fit->batches_done++;
        fit->train_seconds += clock_seconds() - start;
        if (fit->settings.on_batch && fit->settings.on_batch(fit->settings.cookie, fit) != 0) {
            fit->stopped = true;
            return CAELUM_OK;
        }
    }
    return CAELUM_OK;
}

/* Validates and writes the epoch into the history. */
static void finish_epoch(struct fit *fit) {
    const double start = clock_seconds();
    const struct pictures *train = &fit->settings.train, *val = &fit->settings.validation;
    const size_t values = trainer_values(fit->trainer);
    struct loss_sums sums;
    trainer_measure(fit->trainer, val, &sums);
    struct caelum_epoch e = {
        .epoch = fit->epochs_done + 1,
        .loss = fit->sums.loss / (double)(train->n * values),
        .psnr = -10.0 * log10(fit->sums.squared / (double)(train->n * values)),
        .accuracy = fit->sums.agree / (double)(train->n * train->h * train->w),
        .val_loss = sums.loss / (double)(val->n * values),
        .val_psnr = -10.0 * log10(sums.squared / (double)(val->n * values)),
        .val_accuracy = sums.agree / (double)(val->n * val->h * val->w),
        .seconds = fit->train_seconds + clock_seconds() - start,
        .pictures_per_second = (double)train->n / fit->train_seconds,
    };
    e.best = fit->best_epoch == 0 || e.val_loss < fit->history[fit->best_epoch - 1].val_loss;
    fit->history[fit->epochs_done++] = e;
    if (e.best) fit->best_epoch = e.epoch;
    fit->batches_done = 0;
    fit->sums = (struct loss_sums){0};
    fit->train_seconds = 0;
}

int fit_run(struct fit *fit, struct caelum_error *err) {
    fit->stopped = false;
    while (fit->epochs_done < fit->settings.epochs) {
        shuffle(fit);
        CHECK(run_batches(fit, err));
        if (fit->stopped) return CAELUM_OK;
        finish_epoch(fit);
        if (fit->settings.on_epoch) CHECK(fit->settings.on_epoch(fit->settings.cookie, fit, err));
    }
    return CAELUM_OK;
}
