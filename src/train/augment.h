/* augment.h - what happens to a training picture before the network sees it, so that it never sees quite the
 * same one twice. */
#ifndef CAELUM_TRAIN_AUGMENT_H
#define CAELUM_TRAIN_AUGMENT_H

#include "base/pictures.h"
#include "base/rng.h"

#include <stdbool.h>

/* A mirrored picture, and one moved by dx columns and dy rows: |dx| < w, |dy| < h. What comes in at an edge
 * is the picture reflected about its outermost pixel. */
struct augment {
    bool mirror;
    int dx, dy;
};

/* Moves by up to `most` pixels each way, all equally likely. */
void augment_draw_move(struct augment *augment, struct rng *rng, size_t most);

/* `picture`, one of `p`, changed. Returns `picture` itself where nothing changes, else `room`, of
 * pictures_size(p) bytes. */
const uint8_t *augment_picture(const struct augment *augment, const uint8_t *picture,
                               const struct pictures *p, uint8_t *room);

#endif
