/* run_files.h - the files of a run directory that people and programs read: metrics.csv, the curves. */
#ifndef CAELUM_TRAIN_RUN_FILES_H
#define CAELUM_TRAIN_RUN_FILES_H

#include "base/error.h"

#include <stddef.h>

/* DIR/metrics.csv (RFC 4180): one row an epoch. Written whole each time, so it is never half a row. */
int run_write_metrics(const char *dir, const struct caelum_epoch *history, size_t epochs,
                      struct caelum_error *err);

/* Reads it again: *history is to be freed with mem_free. Columns are known by their names, so those of
 * another version are passed over. CAELUM_EIO, CAELUM_EFORMAT. */
int run_read_metrics(const char *dir, struct caelum_epoch **history, size_t *epochs,
                     struct caelum_error *err);

/* DIR/curves.svg: loss of both splits against the epoch, logarithmic; `loss` names it. */
int run_write_curves(const char *dir, const char *title, const char *loss, const struct caelum_epoch *history,
                     size_t epochs, struct caelum_error *err);

#endif
