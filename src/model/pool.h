/* pool.h - a model's engines: a run takes one and gives it back, still open for the next.
 * Any number of threads may do so at a time. */
#ifndef CAELUM_MODEL_POOL_H
#define CAELUM_MODEL_POOL_H

#include "engine/engine.h"
#include "model/model.h"

/* A model's engine, for its network or the first layers of it. */
struct pooled {
    struct engine engine;    /* its `noise` is off when it is taken */
    struct caelum_net *part; /* NULL: the whole network */
    size_t layers;
    int threads; /* never 0 */
    const struct caelum_model *model;
    struct pooled *next;
};

/* An engine for the model's first `layers` layers; threads = 0: the default. CAELUM_ERESOURCE. */
int pool_take(struct pooled **engine, const struct caelum_model *model, size_t layers, int threads,
              struct caelum_error *err);
/* Takes it back; *engine is NULL then. Safe where nothing was taken. */
void pool_give(struct pooled **engine);
/* Runs one job in between. */
int pool_run(const struct caelum_model *model, size_t layers, int threads, const struct engine_job *job,
             struct caelum_error *err);
/* Closes those that are kept: before the model's weights change, and when it is closed. */
void pool_clear(struct engine_pool *pool);

int pool_open(struct engine_pool **pool, struct caelum_error *err);
void pool_close(struct engine_pool **pool);

#endif
