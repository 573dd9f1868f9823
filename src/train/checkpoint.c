/* checkpoint.c - a run's state as a safetensors file: float arrays for weights and the optimizer's means,
 * doubles for the position in the epoch and the history, so that a resumed run ends with the same bits. */
#include "base/mem.h"
#include "model/safetensors.h"
#include "train/fit.h"

#include <string.h>

/* Doubles of one epoch in the file, in the order of struct caelum_epoch. */
enum { ROW = 10, POSITION = 9 };

static void write_row(const struct caelum_epoch *e, double *row) {
    const double values[ROW] = {e->loss,     e->psnr,
                                e->accuracy, e->val_loss,
                                e->val_psnr, e->val_accuracy,
                                e->seconds,  e->pictures_per_second,
                                e->best,     e->lr};
    memcpy(row, values, sizeof values);
}

static void read_row(const double *row, size_t epoch, struct caelum_epoch *e) {
    *e = (struct caelum_epoch){.epoch = epoch,
                               .loss = row[0],
                               .psnr = row[1],
                               .accuracy = row[2],
                               .val_loss = row[3],
                               .val_psnr = row[4],
                               .val_accuracy = row[5],
                               .seconds = row[6],
                               .pictures_per_second = row[7],
                               .best = row[8] != 0,
                               .lr = row[9]};
}

int checkpoint_save(const struct fit *fit, const struct metadata *metadata, const char *path,
                    struct caelum_error *err) {
    const struct trainer *t = fit->trainer;
    const size_t n = t->engine.net->params;
    const double position[POSITION] = {
        (double)fit->epochs_done, (double)fit->batches_done, (double)t->optimizer.step,
        (double)fit->best_epoch,  fit->train_seconds,        fit->sums.loss,
        fit->sums.squared,        fit->sums.agree,           fit->first_loss};
    double *history = NULL;
    CHECK(mem_alloc(&history, fit->epochs_done * ROW, sizeof *history, err));
    for (size_t i = 0; i < fit->epochs_done; i++) write_row(&fit->history[i], history + i * ROW);
    /* doubles first: they must lie 8-byte aligned */
    const struct safetensor tensors[] = {
        {.name = "position", .type = TENSOR_F64, .dims = 1, .dim = {POSITION}, .data = position},
        {.name = "history", .type = TENSOR_F64, .dims = 2, .dim = {fit->epochs_done, ROW}, .data = history},
        {.name = "params", .type = TENSOR_F32, .dims = 1, .dim = {n}, .data = t->params},
        {.name = "mean", .type = TENSOR_F32, .dims = 1, .dim = {n}, .data = t->optimizer.m},
        {.name = "square", .type = TENSOR_F32, .dims = 1, .dim = {n}, .data = t->optimizer.v},
        {.name = "ema",
         .type = TENSOR_F32,
         .dims = 1,
         .dim = {n},
         .data = t->ema}, /* last: may be left out */
    };
    const size_t count = sizeof tensors / sizeof *tensors - (t->ema ? 0 : 1);
    const int result = safetensors_write(path, tensors, count, metadata, err);
    mem_free(&history);
    return result;
}

static int damaged(const char *path, struct caelum_error *err) {
    return caelum_fail(err, CAELUM_EFORMAT, "%s: its position or history is invalid; it is damaged", path);
}

/* A whole number from 0 to most, or -1. */
static long whole(double value, size_t most) {
    return value >= 0 && value <= (double)most && value == (double)(long)value ? (long)value : -1;
}

int checkpoint_restore(struct fit *fit, const struct safetensors *file, const char *path,
                       struct caelum_error *err) {
    struct trainer *t = fit->trainer;
    const size_t n = t->engine.net->params, positions = POSITION;
    const void *position_data, *history_data, *params, *m, *v, *ema = NULL;
    CHECK(safetensors_find(file, path, "position", TENSOR_F64, 1, &positions, &position_data, err));
    CHECK(safetensors_find(file, path, "params", TENSOR_F32, 1, &n, &params, err));
    CHECK(safetensors_find(file, path, "mean", TENSOR_F32, 1, &n, &m, err));
    CHECK(safetensors_find(file, path, "square", TENSOR_F32, 1, &n, &v, err));
    if (t->ema) CHECK(safetensors_find(file, path, "ema", TENSOR_F32, 1, &n, &ema, err));
    const double *position = position_data;
    if (position[0] > (double)fit->trainer->settings.epochs && position[0] < 1e9)
        return caelum_fail(err, CAELUM_EUSAGE, "%s: %.0f epochs are done already, %zu were asked for in all",
                           path, position[0], fit->trainer->settings.epochs);
    const long epochs = whole(position[0], fit->trainer->settings.epochs),
               batches = whole(position[1], fit->batches);
    const long step = whole(position[2], (size_t)1 << 52);
    const long best = epochs < 0 ? -1 : whole(position[3], (size_t)epochs);
    if (epochs < 0 || batches < 0 || step < 0 || best < 0 || (epochs > 0 && best == 0))
        return damaged(path, err);
    const size_t dim[2] = {(size_t)epochs, ROW};
    CHECK(safetensors_find(file, path, "history", TENSOR_F64, 2, dim, &history_data, err));
    const double *history = history_data;
    for (size_t i = 0; i < (size_t)epochs; i++) read_row(history + i * ROW, i + 1, &fit->history[i]);
    fit->epochs_done = (size_t)epochs;
    fit->batches_done = (size_t)batches;
    fit->train_seconds = position[4];
    fit->sums = (struct loss_sums){.loss = position[5], .squared = position[6], .agree = position[7]};
    fit->best_epoch = (size_t)best;
    fit->first_loss = position[8];
    memcpy(t->params, params, n * sizeof(float));
    if (t->ema) memcpy(t->ema, ema, n * sizeof(float));
    memcpy(t->optimizer.m, m, n * sizeof(float));
    memcpy(t->optimizer.v, v, n * sizeof(float));
    t->optimizer.step = (uint64_t)step;
    trainer_refresh(t);
    return CAELUM_OK;
}
