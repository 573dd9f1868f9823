/* anomaly_gallery.h - the views of many pictures, in a file without a name. */
#ifndef CAELUM_ANOMALY_ANOMALY_GALLERY_H
#define CAELUM_ANOMALY_ANOMALY_GALLERY_H

#include "anomaly/anomaly.h"

#include <stdio.h>

/* A view at one scale. */
struct gallery_view {
    size_t width, height, at; /* at: where its pixels are */
    bool grey;                /* one byte a pixel, otherwise three */
};

struct gallery {
    size_t n;
    struct gallery_view (*view)[ANOMALY_SCALES]; /* [n] */
    struct anomaly_light *light;                 /* [n] */
    bool grey;                                   /* all of them */
    FILE *file;
    const uint8_t *bytes;
    size_t size;
};

/* An empty gallery, for `room` pictures. To be closed after a failure, too. CAELUM_ERESOURCE. */
int gallery_begin(struct gallery *gallery, size_t room, struct caelum_error *err);
/* Adds the view of a picture, whose sides are no longer than `size`. CAELUM_ERESOURCE. */
int gallery_add(struct gallery *gallery, const struct caelum_picture *picture, size_t size, bool grey,
                struct caelum_error *err);
/* To be called after the last, before any is looked at. CAELUM_ERESOURCE. */
int gallery_map(struct gallery *gallery, struct caelum_error *err);

/* Reads the pictures in `directory` and below, with `grey` their luminance; those that can't be read are told
 * and left out. Fails as tree_find, with CAELUM_EFORMAT where fewer than `least` can be read,
 * CAELUM_ERESOURCE, CAELUM_ESTOPPED. */
int gallery_open(struct gallery *gallery, const char *directory, size_t least, bool grey,
                 const struct caelum_anomaly_settings *settings, struct caelum_error *err);
/* Safe on a zeroed gallery. */
void gallery_close(struct gallery *gallery);

/* The crop of a view from (x, y) on, mirrored beyond its ends: [channels][side][side]. */
void gallery_crop(const struct gallery *gallery, const struct gallery_view *view, size_t x, size_t y,
                  size_t channels, size_t side, uint8_t *crop);
/* Pixels of the largest view. */
size_t gallery_area(const struct gallery *gallery);
/* View i, to be closed by the caller. CAELUM_ERESOURCE. */
int gallery_take(const struct gallery *gallery, size_t i, struct anomaly_view *view,
                 struct caelum_error *err);

/* Some of the pictures, by their numbers; NULL: the first n. */
struct gallery_part {
    const uint32_t *picture;
    size_t n;
};
/* Tells that all have been read, and those of the part will be scored. */
void gallery_started(const struct gallery *gallery, struct gallery_part scored,
                     const struct caelum_anomaly_settings *settings);
/* Sets threshold and levels by pictures that the networks have not seen, with settings->false_alarms; after a
 * failure the finder is as it was. CAELUM_ERESOURCE, CAELUM_ESTOPPED. */
int anomaly_calibrate(caelum_anomaly *anomaly, const struct gallery *gallery, struct gallery_part part,
                      const struct caelum_anomaly_settings *settings, struct caelum_error *err);

/* Trains a finder by the pictures of a gallery, two or more. Fails as caelum_train, CAELUM_ESTOPPED. */
int anomaly_learn(caelum_anomaly **anomaly, const struct gallery *gallery,
                  const struct caelum_anomaly_settings *settings, struct caelum_error *err);
/* A step of the above: caelum_train, from the checkpoint in settings->work, or without files if that is NULL.
 */
int anomaly_network(const struct caelum_anomaly_settings *settings, size_t scale,
                    struct caelum_train_settings *training, caelum_model **model, struct caelum_error *err);

#endif
