#include "train/augment.h"

#include "base/mirror.h"

#include <stdlib.h>

void augment_draw_move(struct augment *augment, struct rng *rng, size_t most) {
    const uint32_t places = 2 * (uint32_t)most + 1;
    augment->dx = (int)rng_below(rng, places) - (int)most;
    augment->dy = (int)rng_below(rng, places) - (int)most;
}

const uint8_t *augment_picture(const struct augment *a, const uint8_t *picture, const struct pictures *p,
                               uint8_t *room) {
    if (!a->mirror && a->dx == 0 && a->dy == 0) return picture;
    for (size_t c = 0; c < p->c; c++)
        for (size_t i = 0; i < p->h; i++) {
            const uint8_t *from = picture + (c * p->h + mirrored((size_t)abs((int)i - a->dy), p->h)) * p->w;
            uint8_t *to = room + (c * p->h + i) * p->w;
            for (size_t j = 0; j < p->w; j++) {
                const size_t x = mirrored((size_t)abs((int)j - a->dx), p->w);
                to[j] = from[a->mirror ? p->w - 1 - x : x];
            }
        }
    return room;
}
