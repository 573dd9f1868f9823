/* figure_cache.h - the figures of baselines, which take a while and never change, in a file of the data's
 * cache directory. */
#ifndef CAELUM_EVAL_FIGURE_CACHE_H
#define CAELUM_EVAL_FIGURE_CACHE_H

#include "base/json.h"
#include "base/path.h"
#include "data/data.h"

struct figure_cache {
    char path[PATH_SIZE]; /* "": nothing is kept */
    char key[256];        /* tells data, shuffle and splits apart; is in the file, too */
    enum caelum_task task;
    json_t *figures; /* by name of the baseline */
};

/* Opens the file for baselines of this kind, a word of its name, which have the figures of `task`: what a
 * missing or damaged file holds, one of another key, or one that can be another user's work, is nothing. */
int figure_cache_open(struct figure_cache *cache, const struct caelum_data *data, enum caelum_split split,
                      const char *kind, enum caelum_task task, struct caelum_error *err);

/* Fills the metrics struct of a baseline; false if not all of its figures are there. */
bool figure_cache_find(const struct figure_cache *cache, const char *name, void *metrics);

/* Keeps a baseline's figures from now on; the file is replaced. Where that can't be, they are measured again
 * the next time. */
void figure_cache_add(struct figure_cache *cache, const char *name, const void *metrics);

void figure_cache_close(struct figure_cache *cache);

#endif
