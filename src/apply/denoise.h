/* denoise.h - a picture's noise taken out in rounds, for a caller that has something else to do in between.
 */
#ifndef CAELUM_APPLY_DENOISE_H
#define CAELUM_APPLY_DENOISE_H

#include "base/sample.h"
#include "engine/engine.h"

/* A side of the picture: `tiles` tiles of `side` pixels, each with `inside` of its own. */
struct denoise_axis {
    size_t length, tiles, inside, side;
};

/* `in` and either `out`, which has pixels, or `values` are the caller's and set before; all else is zero. */
struct denoise {
    struct samples in;
    struct caelum_picture out; /* the result, in 8 bits or 16, */
    float *values;             /* or numbers */
    float level, strength;     /* 1 being white; the share that is taken out */
    bool grey;                 /* and so must be the result */
    struct denoise_axis x, y;
    struct caelum_net *net;
    struct engine engine;
    size_t first; /* tile of the next round */
    float *tile;  /* [tiles of a round][4][y.side][x.side] */
};

/* Fails as caelum_denoise does; denoise_end is due also then. */
int denoise_begin(struct denoise *job, const caelum_model *model,
                  const struct caelum_denoise_settings *settings, struct caelum_error *err);
/* Does some tiles; *rows: of the picture's rows, how many are done, from the top. To be called until that is
 * all of them. */
int denoise_round(struct denoise *job, size_t *rows, struct caelum_error *err);
void denoise_end(struct denoise *job);

#endif
