/* anomaly.h - a finder of defects from within: what its file keeps, and the map of scores of one view. */
#ifndef CAELUM_ANOMALY_ANOMALY_H
#define CAELUM_ANOMALY_ANOMALY_H

#include "anomaly/anomaly_rank.h"
#include "anomaly/anomaly_view.h"
#include "model/model.h"

/* How bright good pictures are: means and deviations of their lights. */
struct anomaly_lights {
    struct anomaly_light mean, deviation;
};

struct caelum_anomaly {
    caelum_model *model[ANOMALY_SCALES];        /* owned */
    struct anomaly_ranks level[ANOMALY_SCALES]; /* of as many scores in each, of equal rarity (below) */
    size_t size;
    double false_alarms;
    struct anomaly_lights lights;
    struct anomaly_ranks ranks;
};

/* CAELUM_EUSAGE for a setting out of range. */
int anomaly_check(const struct caelum_anomaly_settings *settings, struct caelum_error *err);
/* A finder of its networks, whose metadata, the fine one's, are those of anomaly_describe. Both are taken,
 * also by a failure; `path` stands before errors. CAELUM_EFORMAT. */
int anomaly_of(caelum_anomaly **anomaly, caelum_model *fine, caelum_model *coarse, const char *path,
               struct caelum_error *err);
/* Puts all but the networks into the model's metadata. */
int anomaly_describe(caelum_anomaly *anomaly, struct caelum_error *err);

/* Frees the scores of good pictures. */
void anomaly_forget(caelum_anomaly *anomaly);

/* Good pictures' lights, n > 0 of them. */
struct anomaly_lights anomaly_lights_of(const struct anomaly_light *lights, size_t n);

/* The map [height][width] of a view, the largest of its scales, and its largest score. A picture much darker,
 * brighter, flatter or starker than good ones is wrong all over. CAELUM_ERESOURCE. */
int anomaly_map(const caelum_anomaly *anomaly, int threads, const struct anomaly_view *view, float *map,
                float *score, struct caelum_error *err);
/* The map of a view at one scale, of the size of the view's picture there. CAELUM_ERESOURCE. */
int anomaly_scale_map(const caelum_anomaly *anomaly, size_t scale, int threads,
                      const struct anomaly_view *view, float *map, struct caelum_error *err);

#endif
