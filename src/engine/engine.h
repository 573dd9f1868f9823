/* engine.h - a network at work: what its layers read instead of parameters, and memory for the blocks that
 * run on each thread. Training adds losses and gradients to it (train/trainer.h). To run a model is to give
 * it pictures or numbers and to take its output (engine_run).
 *
 * Pictures are cut into blocks of as many as there are lanes. Few that are left in the end run one by one,
 * each lying in the lanes as suits it (net/arrange.c); where the engine learns, fewer than eight make a tail:
 * a block in which each picture is cut into tiles that fill the lanes (kernels.h). */
#ifndef CAELUM_ENGINE_ENGINE_H
#define CAELUM_ENGINE_ENGINE_H

#include "engine/task.h"

struct engine_settings {
    enum caelum_task task; /* what the input channels tell: luminance is made of RGB here */
    int threads;           /* 0: the default; no influence on results */
    bool learns;           /* gradients and targets, too; all memory at once, so that steps need none */
};

/* What a block works with, one a thread. */
struct engine_place {
    struct net_workspace workspace;
    struct task_block block;
    bool open;
};

/* For the pictures of a tail, in one number of tiles. */
struct engine_tiles {
    caelum_net *net; /* NULL: the network can't work on that many */
    struct tiling tiles;
    struct engine_place place;
};

struct engine {
    struct engine_settings settings;
    const struct caelum_net *net; /* borrowed until close */
    const struct kernels *kernels;
    const float *params; /* [net->params], borrowed: what engine_pack was given */
    float *packed;
    bool noise;                   /* noise layers are on, too, while nobody learns; false after opening */
    struct engine_place *place;   /* [threads], opened when they are needed first */
    struct engine_place *alone;   /* [threads], the same for pictures one by one */
    size_t most_alone;            /* that are faster one by one than as a block */
    struct engine_tiles tiles[3]; /* 2, 4 and 8 to a picture, where it learns */
};

/* CAELUM_ERESOURCE, or CAELUM_EUSAGE for an instruction set that is asked for and not there. */
int engine_open(struct engine *engine, const struct caelum_net *net, const struct engine_settings *settings,
                struct caelum_error *err);
/* Safe on a zeroed engine. */
void engine_close(struct engine *engine);
/* The parameters to work with, read until the next call: to be called after every change. */
void engine_pack(struct engine *engine, const float *params);

/* --- Blocks --------------------------------------------------------------------------------------- */

/* How a number of pictures is cut: whole blocks, then a tail, or pictures one by one. */
struct engine_cut {
    size_t pictures; /* in whole blocks */
    size_t blocks;
    size_t left;               /* the other pictures */
    struct engine_tiles *tail; /* where they are; NULL: each is a block of its own */
};

struct engine_cut engine_cut(struct engine *engine, size_t n);
/* Memory for a cut, where it isn't there yet. Only for an engine that does not learn. */
int engine_reserve(struct engine *engine, const struct engine_cut *cut, struct caelum_error *err);
/* Blocks, the tail and single pictures among them. */
static inline size_t engine_cut_jobs(const struct engine_cut *cut) {
    return cut->blocks + (cut->tail ? 1 : cut->left);
}

/* One block of pictures. */
struct engine_block {
    const struct caelum_net *net; /* that of whole pictures, or of tiles */
    struct engine_place *place;
    size_t first, pictures; /* the numbers of its pictures: first to first + pictures - 1 */
};

/* Block `number` of a cut, on a thread; those from cut->blocks on are the tail or single pictures. */
struct engine_block engine_block(struct engine *engine, const struct engine_cut *cut, size_t number,
                                 int worker);
/* Offset of a tile's first pixel in a channel of its picture. */
static inline size_t engine_tile_at(struct tiling tiles, size_t tile, struct shape picture) {
    return tile / tiles.across * (picture.h / tiles.down) * picture.w +
           tile % tiles.across * (picture.w / tiles.across);
}

/* Lays out bytes, [c][h][w] each, of the block's pictures and makes the task's input of them; lanes without a
 * picture repeat the first. Returns the target, or the input if there is no other. labels: one a picture,
 * for a classifier that learns. */
struct tensor engine_load(const struct engine *engine, const struct engine_block *block,
                          const uint8_t *const *pictures, const uint16_t *labels);
/* Input to output, which is net_result. */
void engine_forward(const struct engine *engine, const struct engine_block *block,
                    const struct layer_noise *noise);

/* --- Running -------------------------------------------------------------------------------------- */

/* Pictures to run: numbers, [n][c][h][w] of the network's input at `in`, or bytes where it is NULL, of which
 * `input(cookie, i, worker)` gives picture i, [c][h][w], borrowed until the block is done. A colorizer's
 * network is given bytes of RGB, [3][h][w], too, and sees their luminance, without hints. Results go to
 * `out`, [n][c][h][w] of the network's output, or where it is NULL each to `output(cookie, i, values,
 * worker)`, borrowed until it returns. Both are called from any thread, once a picture; worker < threads. */
struct engine_job {
    size_t n, first; /* first: number of picture 0 for noise layers, where these are the rest of more */
    const float *in;
    const uint8_t *(*input)(void *cookie, size_t i, int worker);
    float *out;
    void (*output)(void *cookie, size_t i, const float *values, int worker);
    void *cookie;
};
/* Takes memory for as many pictures as there are, if it is not there yet: CAELUM_ERESOURCE. */
int engine_run(struct engine *engine, const struct engine_job *job, struct caelum_error *err);

#endif
