/* fit.c - the loop over epochs and batches. All of its state is in struct fit and the trainer, so that a
 * checkpoint can be taken after any batch. */
#include "train/fit.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/number.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Room for minibatches that the settings' feed changes. */
static int fed_open(struct fit *fit, size_t batch, struct caelum_error *err) {
    struct fed *fed = &fit->fed;
    uint32_t *index = NULL;
    CHECK(mem_take(&fit->memory, &fed->pixels, batch, pictures_size(&fit->train), err));
    CHECK(mem_take(&fit->memory, &fed->order, batch, sizeof *fed->order, err));
    CHECK(mem_take(&fit->memory, &index, batch, sizeof *index, err));
    if (fit->train.labels) CHECK(mem_take(&fit->memory, &fed->labels, batch, sizeof *fed->labels, err));
    for (uint32_t i = 0; i < batch; i++) index[i] = i;
    fed->pictures = fit->train;
    fed->pictures.pixels = fed->pixels;
    fed->pictures.labels = fed->labels;
    fed->pictures.index = index;
    fed->pictures.n = batch;
    return CAELUM_OK;
}

/* Copies the n pictures of `order` and has them changed; returns whether the caller asks to stop instead. */
static bool feed(struct fit *fit, const uint32_t *order, size_t n) {
    const struct trainer *t = fit->trainer;
    const size_t size = pictures_size(&fit->train);
    struct fed *fed = &fit->fed;
    for (uint32_t i = 0; i < n; i++) {
        const size_t from = order[i] & ~TRAINER_FLIP;
        memcpy(fed->pixels + i * size, pictures_at(&fit->train, from), size);
        if (fed->labels) fed->labels[i] = pictures_label(&fit->train, from);
        fed->order[i] = i | (order[i] & TRAINER_FLIP);
    }
    return t->settings.feed(t->settings.cookie, t->optimizer.step, n, fed->pixels) != 0;
}

int fit_open(struct fit *fit, struct trainer *trainer, const struct caelum_data *data,
             struct caelum_error *err) {
    const size_t batch = trainer->settings.batch;
    *fit = (struct fit){.trainer = trainer,
                        .train = data_pictures(data, CAELUM_TRAIN),
                        .validation = data_pictures(data, CAELUM_VALIDATION)};
    fit->batches = (fit->train.n + batch - 1) / batch;
    if (trainer->settings.feed) CHECK(fed_open(fit, batch, err));
    CHECK(mem_take(&fit->memory, &fit->order, fit->train.n, sizeof *fit->order, err));
    return mem_take(&fit->memory, &fit->history, trainer->settings.epochs, sizeof *fit->history, err);
}

void fit_close(struct fit *fit) {
    mem_end(&fit->memory);
}

size_t fit_pictures(const struct fit *fit) {
    const size_t n = fit->batches_done * fit->trainer->settings.batch;
    return n < fit->train.n ? n : fit->train.n;
}

void fit_begin_epoch(struct fit *fit) {
    const struct caelum_train_settings *s = &fit->trainer->settings;
    const size_t n = fit->train.n;
    const uint32_t epoch = (uint32_t)fit->epochs_done;
    struct rng order = rng_make(s->seed, RNG_ORDER, epoch), flips = rng_make(s->seed, RNG_AUGMENT, epoch);
    for (size_t i = 0; i < n; i++)
        fit->order[i] = (uint32_t)i | (s->flip ? rng_u32(&flips) & TRAINER_FLIP : 0);
    rng_shuffle(&order, fit->order, n);
    fit->drops = schedule_drops(s, fit->history, fit->epochs_done);
    fit->highest_loss = fit->first_loss > 0 ? 100 * fit->first_loss : INFINITY;
    for (size_t i = 0; i < fit->epochs_done; i++)
        fit->highest_loss = fmin(fit->highest_loss, 100 * fit->history[i].loss);
    if (fit->epochs_done > 0) fit->highest_loss = fmax(fit->highest_loss, fit->first_loss);
}

static int diverged(const struct fit *fit, const char *what, struct caelum_error *err) {
    const size_t epoch = fit->epochs_done + 1;
    char kept[56] = "; the run is saved as it began";
    if (fit->epochs_done > 0) snprintf(kept, sizeof kept, "; what epoch %zu left is kept", fit->epochs_done);
    if (!fit->trainer->settings.out) *kept = '\0';
    return caelum_fail(err, CAELUM_EDIVERGED,
                       "training diverged: %s in epoch %zu, batch %zu (step %llu)%s; try a smaller "
                       "learning rate (it was %g), clipped gradients or a warm-up",
                       what, epoch, fit->batches_done, (unsigned long long)fit->trainer->optimizer.step, kept,
                       fit->trainer->lr);
}

/* The rule that fit.h states. */
static int watch(struct fit *fit, double batch_loss, struct caelum_error *err) {
    enum { WATCHED = 20 };
    const size_t least = fit->batches < WATCHED ? fit->batches : WATCHED;
    const double mean = fit->sums.loss / (double)(fit_pictures(fit) * trainer_terms(fit->trainer));
    if (!isfinite(batch_loss)) return diverged(fit, "the loss is no longer finite", err);
    if (fit->epochs_done == 0 && fit->batches_done == 1) {
        fit->first_loss = mean;
        fit->highest_loss = 100 * mean;
    }
    if (fit->batches_done < least || mean <= fit->highest_loss) return CAELUM_OK;
    char what[96];
    number_print(what, sizeof what, "the mean loss rose to %.3g, above %.3g,", mean, fit->highest_loss);
    return diverged(fit, what, err);
}

int fit_batch(struct fit *fit, struct caelum_error *err) {
    struct trainer *t = fit->trainer;
    const size_t batch = t->settings.batch, n = fit->train.n;
    const size_t at = fit->batches_done * batch, count = n - at < batch ? n - at : batch;
    const double start = clock_seconds();
    struct loss_sums sums;
    const bool fed = t->settings.feed != NULL;
    if (fed && feed(fit, fit->order + at, count)) return CAELUM_ESTOPPED;
    t->lr = schedule_lr(&t->settings, fit->batches, t->optimizer.step, fit->drops);
    trainer_step(t, fed ? &fit->fed.pictures : &fit->train, fed ? fit->fed.order : fit->order + at, count,
                 &sums);
    fit->sums.loss += sums.loss;
    fit->sums.squared += sums.squared;
    fit->sums.agree += sums.agree;
    fit->batches_done++;
    fit->train_seconds += clock_seconds() - start;
    return watch(fit, sums.loss, err);
}

/* Whether the loss tells all that is minimized. If it does not, a later epoch is better than an earlier one
 * even where its loss is higher. */
static bool loss_tells_all(const struct caelum_net *net) {
    for (size_t i = 0; i < net->layers; i++)
        if (net->layer[i].ops->step->traits & STEP_COSTS) return false;
    return true;
}

/* Of n pictures, dB; a softmax takes outputs that equal no target, so there it is NaN. */
static double psnr(const struct fit *fit, const struct loss_sums *sums, size_t n) {
    if (fit->trainer->settings.loss == CAELUM_XENT) return NAN;
    return -10.0 * log10(sums->squared / (double)(n * trainer_values(fit->trainer)));
}

int fit_finish_epoch(struct fit *fit, struct caelum_error *err) {
    const double start = clock_seconds();
    const struct pictures *train = &fit->train, *val = &fit->validation;
    const size_t terms = trainer_terms(fit->trainer);
    const struct shape out = fit->trainer->engine.net->layer[fit->trainer->engine.net->layers - 1].out;
    struct loss_sums sums;
    trainer_measure(fit->trainer, val, &sums);
    struct caelum_epoch e = {
        .epoch = fit->epochs_done + 1,
        .loss = fit->sums.loss / (double)(train->n * terms),
        .psnr = psnr(fit, &fit->sums, train->n),
        .accuracy = fit->sums.agree / (double)(train->n * out.h * out.w),
        .val_loss = sums.loss / (double)(val->n * terms),
        .val_psnr = psnr(fit, &sums, val->n),
        .val_accuracy = sums.agree / (double)(val->n * out.h * out.w),
        .seconds = fit->train_seconds + clock_seconds() - start,
        .pictures_per_second = (double)train->n / fit->train_seconds,
        .lr = fit->trainer->lr,
    };
    if (!isfinite(e.val_loss)) return diverged(fit, "the validation loss is not finite", err);
    e.best = fit->best_epoch == 0 || e.val_loss < fit->history[fit->best_epoch - 1].val_loss ||
             !loss_tells_all(fit->trainer->engine.net);
    fit->history[fit->epochs_done++] = e;
    if (e.best) fit->best_epoch = e.epoch;
    fit->batches_done = 0;
    fit->sums = (struct loss_sums){0};
    fit->train_seconds = 0;
    return CAELUM_OK;
}

bool fit_ended(const struct fit *fit) {
    const struct caelum_train_settings *s = &fit->trainer->settings;
    return fit->epochs_done >= s->epochs ||
           (s->early_stop > 0 && fit->epochs_done - fit->best_epoch >= s->early_stop);
}
