/* study_settings.h - options of a training as words, `batch=50`: read from a study file, compared with what
 * a run directory recorded, and written as a command. One table, so that a new option is one line. */
#ifndef CAELUM_REPORT_STUDY_SETTINGS_H
#define CAELUM_REPORT_STUDY_SETTINGS_H

#include "base/error.h"

#include <jansson.h>

/* Sets the option that `caelum train` calls --NAME. CAELUM_EFORMAT, without a position: no such option, or
 * a value that it can't have. */
int setting_set(struct caelum_train_settings *settings, const char *name, const char *value,
                struct caelum_error *err);

/* Whether a run was made with other settings than these. `recorded` is the object "settings" of its
 * run.json; an option that it lacks had its default. If so, what: [160] says which: "batch is 50 there, 100
 * here". */
bool settings_differ(const struct caelum_train_settings *settings, const json_t *recorded, char what[160]);

/* The options that are not at their defaults, as on the command line: " --batch 100 --lr 0.01". */
void settings_command(const struct caelum_train_settings *settings, char *text, size_t size);

#endif
