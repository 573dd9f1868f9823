/* figures_file.h - figures that took a while, kept in a JSON file under a key that says what they are of. */
#ifndef CAELUM_REPORT_FIGURES_FILE_H
#define CAELUM_REPORT_FIGURES_FILE_H

#include "base/error.h"

#include <jansson.h>

/* The array kept in `path` under `key`, a new reference; NULL if the file is missing, damaged, of another
 * key, or can be another user's work. */
json_t *figures_read(const char *path, const char *key);

/* Keeps the array `figures`, whose reference is taken, in `path` under `key`; the file is replaced. Where
 * that can't be, or path is "", they are measured again the next time. */
void figures_keep(const char *path, const char *key, json_t *figures);

#endif
