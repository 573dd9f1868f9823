/* train_settings.h - the settings that decide what a training run ends with, each under its own name in the
 * metadata of models and checkpoints: checked, written, and read back to resume. */
#ifndef CAELUM_API_TRAIN_SETTINGS_H
#define CAELUM_API_TRAIN_SETTINGS_H

#include "net/net.h"

/* CAELUM_EUSAGE, with name, range and value, for the first setting that makes no sense. */
int train_settings_check(const struct caelum_train_settings *s, struct caelum_error *err);

int train_settings_write(const struct caelum_train_settings *s, struct metadata *metadata,
                         struct caelum_error *err);

/* Sets every such setting from `metadata`, that of the file `path`; CAELUM_EFORMAT if one is missing. */
int train_settings_read(struct caelum_train_settings *s, const struct metadata *metadata, const char *path,
                        struct caelum_error *err);

#endif
