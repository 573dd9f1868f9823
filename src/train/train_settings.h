/* train_settings.h - the settings that decide what a training run ends with, each under its own name in the
 * metadata of models and checkpoints: checked, written, and read back to resume; and as `caelum train` and
 * study files spell them. */
#ifndef CAELUM_TRAIN_TRAIN_SETTINGS_H
#define CAELUM_TRAIN_TRAIN_SETTINGS_H

#include "model/model.h"

/* CAELUM_EUSAGE, with name, range and value, for the first invalid setting. */
int train_settings_check(const struct caelum_train_settings *s, struct caelum_error *err);

int train_settings_write(const struct caelum_train_settings *s, struct metadata *metadata,
                         struct caelum_error *err);

/* Sets every such setting from `metadata`, that of the file `path`, to its default where the file is older
 * than the setting; CAELUM_EFORMAT if one can't be read. */
int train_settings_read(struct caelum_train_settings *s, const struct metadata *metadata, const char *path,
                        struct caelum_error *err);

/* Whether a run with this metadata was made with other settings, seeds aside. What the metadata lacks had its
 * default. If so, what: [160] says which: "batch is 50 there, 100 here". */
bool train_settings_differ(const struct caelum_train_settings *s, const struct metadata *metadata,
                           char what[160]);

/* The command line of such a training: "caelum train a.net --data photos --batch 100 --flip --seed 1", with
 * words quoted as a shell needs it. `net_path`, `init`, `data` and `out` are left out where they are NULL.
 * *command is to be freed with free. CAELUM_ERESOURCE. */
int train_settings_command(const struct caelum_train_settings *s, char **command, struct caelum_error *err);

#endif
