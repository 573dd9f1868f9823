/* fake.h - defects drawn on good pictures, for networks that learn to undo and to find them. */
#ifndef CAELUM_TRAIN_FAKE_H
#define CAELUM_TRAIN_FAKE_H

#include "base/rng.h"

/* Draws up to three fake defects on a picture, none on a quarter of them. A defect is a place - an ellipse, a
 * rectangle, a stroke, or a cloud - and what is wrong there: a piece of another place or of the picture
 * `other`, other brightness or color, a part gone, blur, noise, or something moved.
 *
 * largest: half length of the largest ellipse or rectangle, as a share of the picture's shorter side.
 * picture, other: [channels][h][w], 1 to FAKE_MOST channels; other may be the same. out: [2 channels +
 * 1][h][w] bytes: the damaged picture, the good one, and how much each pixel was changed, 0 to 255, where a
 * change of 16 levels or more is 255. The same bytes on every machine. */
void fake_draw(struct rng *rng, double largest, const uint8_t *picture, const uint8_t *other, size_t channels,
               size_t h, size_t w, uint8_t *out);

enum { FAKE_MOST = 3 };

#endif
