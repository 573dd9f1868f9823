/* run_directory.h - whose a run directory is, from the first look at it to the first file in it; and those of
 * its files that people and programs read: metrics.csv, the curves. */
#ifndef CAELUM_TRAIN_RUN_DIRECTORY_H
#define CAELUM_TRAIN_RUN_DIRECTORY_H

#include "base/file.h"

/* Before the work, which may be long. A directory that is there already is refused, with `advice`, or with
 * `force` locked from now on; one that isn't is left for run_directory_take. CAELUM_EIO, CAELUM_EUSAGE. */
int run_directory_look(struct file_lock *lock, const char *path, bool force, const char *advice,
                       struct caelum_error *err);

/* Before the first file: makes the directory and locks it, unless it is locked already. Of all that have seen
 * none there, one gets it; the others are refused with CAELUM_EIO, whatever became of that one since. */
int run_directory_take(struct file_lock *lock, const char *path, struct caelum_error *err);

/* Removes an older run, so that the files of a directory are always of one run: what it can be resumed from
 * first, what says which run it was last. What is not a run's is left alone. */
int run_directory_clear(const char *path, struct caelum_error *err);

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
