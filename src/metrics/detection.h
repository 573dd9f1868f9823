/* detection.h - how well scores tell good from bad: of whole pictures, and of pixels. A larger score is
 * worse; what has a threshold's score or a larger one is called bad. docs/metrics.md says what each figure
 * can and can't tell. */
#ifndef CAELUM_METRICS_DETECTION_H
#define CAELUM_METRICS_DETECTION_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- Pictures --------------------------------------------------------------------------------------- */

/* What a threshold calls bad: `found` of the bad ones, and `alarms` of the good ones. */
struct detection_point {
    double threshold;
    size_t found, alarms;
};

/* The points of all thresholds that are a score, falling; `points` has room for n. Returns their number,
 * which is smaller where scores are equal. The last point has everything. No score may be NaN. */
size_t detection_curve(const float *scores, const bool *bad, size_t n, struct detection_point *points);

/* What a threshold that need not be a score calls bad; NaN: nothing. */
struct detection_point detection_at(const struct detection_point *points, size_t count, double threshold);

/* Each in [0, 1], larger is better; NaN where there are no good or no bad ones. */
struct detection_figures {
    double auroc;  /* share of the pairs of a good and a bad one where the bad one's score is larger; equal
                    * ones count half (Hanley & McNeil 1982) */
    double ap;     /* average precision, the sum over thresholds of the step in recall times the precision, as
                    * scikit-learn has it: no interpolation */
    double f1_max; /* the largest F1, 2 found / (bad + called bad), of all thresholds */
    double f1_threshold; /* where it is; of several the largest */
};
struct detection_figures detection_figures(const struct detection_point *points, size_t count);

/* --- Pixels ----------------------------------------------------------------------------------------- */

/* Counts of pixels by score, of any number of pictures. Zeroed, there are none. Scores are told apart by the
 * first 15 bits behind their leading one; so memory is bounded by their range, 0.8 MB each time it doubles,
 * and not by the number of pixels. */
struct detection_pixels {
    struct detection_bin *page[1 << 12];
    uint64_t good, bad; /* pixels */
    uint64_t regions;   /* defects: bad pixels that touch, also at corners */
};

/* Adds a picture: its scores, and its mask, where all but 0 is bad, both [height][width]. mask NULL: all is
 * good. CAELUM_EFAIL where a score is NaN; CAELUM_ERESOURCE. The counts are of no use then. */
int detection_add(struct detection_pixels *pixels, const float *map, const uint8_t *mask, size_t height,
                  size_t width, struct caelum_error *err);
/* Adds all that `other` has. CAELUM_ERESOURCE. */
int detection_merge(struct detection_pixels *pixels, const struct detection_pixels *other,
                    struct caelum_error *err);
/* Safe on zeroed counts, which it leaves. */
void detection_free(struct detection_pixels *pixels);

/* The score that a share of the good pixels is below. NaN where there are none. */
double detection_quantile(const struct detection_pixels *pixels, double share);

/* Each in [0, 1], larger is better; NaN where there are no good or no bad pixels. */
struct detection_pixel_figures {
    double auroc, ap; /* as above, of pixels */
    double
        au_pro_30; /* area under the mean share of a defect that is found, by the share of the good pixels */
    double au_pro_5; /* that are called bad, from none to 30 % or 5 %, over that limit; between points linear.
                      * Bergmann et al., "The MVTec Anomaly Detection Dataset", IJCV 129, 2021, section 5.2 */
};
struct detection_pixel_figures detection_pixel_figures(const struct detection_pixels *pixels);

#endif
