/* tiles.h - a picture of any size as overlapping tiles of the size that a network knows.
 *
 * Beyond the picture's edge it is mirrored. Where tiles overlap
 * their results are averaged with weights that fall off towards a tile's edge, so that no seam shows. A
 * picture of exactly one tile comes back as the network made it. */
#ifndef CAELUM_IMAGE_TILES_H
#define CAELUM_IMAGE_TILES_H

#include "base/error.h"

struct tiles {
    size_t width, height;  /* of the picture */
    size_t tile_w, tile_h; /* of a tile */
    size_t columns, rows;
};

/* Tiles of which neighbors share 1 / `share` of a side or more. */
struct tiles tiles_plan(size_t width, size_t height, size_t tile_w, size_t tile_h, size_t share);
size_t tiles_count(const struct tiles *tiles);

/* Tile i of an RGB picture as [3][tile_h][tile_w] bytes. */
void tiles_cut(const struct tiles *tiles, const struct caelum_picture *picture, size_t i, uint8_t *tile);

/* Adds tile i's result, [channels][tile_h][tile_w], to sum [height][width][channels] and its weights to
 * weight [height][width]. */
void tiles_add(const struct tiles *tiles, size_t i, const float *result, size_t channels, float *sum,
               float *weight);

/* The weighted mean of three channels, clamped and rounded to bytes [height][width][3]. */
void tiles_finish(const struct tiles *tiles, const float *sum, const float *weight, uint8_t *pixels);

#endif
