/* figures_file.h - figures as JSON; and those that took a while, kept in a file under a key that says what
 * they are of. */
#ifndef CAELUM_EVAL_FIGURES_FILE_H
#define CAELUM_EVAL_FIGURES_FILE_H

#include "base/json.h"

/* Names and places of the figures in a struct caelum_metrics or caelum_color_metrics; `count` is none. */
struct figure_list {
    const struct {
        const char *key;
        size_t offset; /* of a double */
    } field[15];
    size_t count;
};
extern const struct figure_list figures_of_metrics, figures_of_color;

/* {"mse": ...}: what is no number is null. NULL if out of memory. */
json_t *figures_object(const struct figure_list *list, const void *metrics);

/* The way back: null is NaN. False if the object lacks one of them. */
bool figures_take(const struct figure_list *list, const json_t *object, void *metrics);

/* The array kept in `path` under `key`, a new reference; NULL if the file is missing, damaged, of another
 * key, or can be another user's work. */
json_t *figures_read(const char *path, const char *key);

/* Keeps the array `figures`, whose reference is taken, in `path` under `key`; the file is replaced. Where
 * that can't be, or path is "", they are measured again the next time. */
void figures_keep(const char *path, const char *key, json_t *figures);

#endif
