/* resume.h - the checkpoint that a run is resumed from, its settings and network; and whether all ranks
 * resume, or begin, with the same. */
#ifndef CAELUM_TRAIN_RESUME_H
#define CAELUM_TRAIN_RESUME_H

#include "base/dist.h"
#include "base/file.h"
#include "model/safetensors.h"

enum { RESUME_MOST_EPOCHS = 1000000 };

/* The checkpoint's metadata "format". */
extern const char resume_format[];

/* Locks the run directory `out`, which must be there, and reads its checkpoint's file: in this order, so that
 * no run is resumed from a checkpoint that another process is about to replace. *bytes is freed with
 * mem_free. */
int resume_open(struct file_lock *lock, const char *out, uint8_t **bytes, size_t *size,
                struct caelum_error *err);
/* Settings, network and all else of such a file, which anybody may have written. `path` is for errors.
 * Text that the settings point to is the checkpoint's. */
int resume_read(struct caelum_train_settings *settings, const uint8_t *bytes, size_t size, const char *path,
                struct safetensors *checkpoint, struct caelum_net **net, struct caelum_error *err);

/* Compares what resuming takes and the kernels' name with those of rank 0. CAELUM_EUSAGE on all ranks, naming
 * the first rank and the first entry that differ. */
int resume_compare(const struct caelum_dist *dist, const struct metadata *metadata, const char *kernels,
                   struct caelum_error *err);

#endif
