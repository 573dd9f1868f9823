/* baseline_file.h - where the figures of baselines are kept. */
#ifndef CAELUM_EVAL_BASELINE_FILE_H
#define CAELUM_EVAL_BASELINE_FILE_H

#include "base/path.h"
#include "data/data.h"

/* The file in the data's cache directory, which is made ("" where it can't be), for figures of `kind` (a word
 * for the file's name), and the key that stands in it: both tell data, shuffle and splits apart. */
int baseline_file(const struct caelum_data *data, enum caelum_split split, const char *kind,
                  char path[PATH_SIZE], char key[256], struct caelum_error *err);

#endif
