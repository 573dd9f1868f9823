/* anomaly_rank.h - what a score means: its rank among those of good pictures that training has not seen. */
#ifndef CAELUM_ANOMALY_ANOMALY_RANK_H
#define CAELUM_ANOMALY_ANOMALY_RANK_H

#include "base/error.h"

/* Scores of good pictures, rising. */
struct anomaly_ranks {
    size_t n;
    float *score; /* [n], owned */
};

/* (1 + scores that are as large or larger) / (1 + all). */
double anomaly_p(const struct anomaly_ranks *ranks, float score);
/* The smallest score whose p is at most `share`, or 1 / (n + 1) if that is larger: the largest of them all is
 * below it then. */
float anomaly_threshold(const struct anomaly_ranks *ranks, double share);
/* How many scores it takes for p to get down to `share`. */
size_t anomaly_needed(double share);

/* Sorts n > 0 scores, which are copied. CAELUM_ERESOURCE. */
int anomaly_ranks_make(struct anomaly_ranks *ranks, const float *scores, size_t n, struct caelum_error *err);
/* Scores by how rare they are in good pictures: those that 1 pixel in 2, 4, ... 256 reaches, to 1 /
 * ANOMALY_STEPS, then those that 1 picture in 2, 4, ... 32 reaches anywhere. count[i]: pixels from i /
 * ANOMALY_STEPS to less than the next; largest: the largest score of each of n > 0 pictures.
 * CAELUM_ERESOURCE. */
enum { ANOMALY_OF_PIXELS = 8, ANOMALY_OF_PICTURES = 5, ANOMALY_STEPS = 1 << 16 };
int anomaly_levels_make(struct anomaly_ranks *level, const uint32_t count[ANOMALY_STEPS + 1],
                        const float *largest, size_t n, struct caelum_error *err);
/* A score as the one that is as rare elsewhere: straight between levels, of which `to` has as many as `from`.
 */
float anomaly_translate(const struct anomaly_ranks *from, const struct anomaly_ranks *to, float score);
/* The scores as text, to be freed with free, and back: CAELUM_EFORMAT, beginning with `where`, unless they
 * are numbers that rise. */
int anomaly_ranks_print(const struct anomaly_ranks *ranks, char **text, struct caelum_error *err);
int anomaly_ranks_read(struct anomaly_ranks *ranks, const char *text, const char *where,
                       struct caelum_error *err);
/* Safe on zeroed ranks. */
void anomaly_ranks_free(struct anomaly_ranks *ranks);

#endif
