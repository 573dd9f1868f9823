/* anomaly_eval.h - finders of defects measured on the pictures of a directory. */
#ifndef CAELUM_ANOMALY_ANOMALY_EVAL_H
#define CAELUM_ANOMALY_ANOMALY_EVAL_H

#include "anomaly/anomaly_folders.h"
#include "base/json.h"
#include "metrics/detection.h"

/* What is measured. Borrowed until the evaluation is closed. */
struct detector {
    const char *name;
    /* Scores a picture: `map` [height][width] of each pixel, *score of the whole; larger is worse, none may
     * be NaN. */
    int (*score)(void *cookie, const struct caelum_picture *picture, float *map, float *score,
                 struct caelum_error *err);
    void *cookie;
    double threshold; /* a picture of this score or a larger one is called bad; NaN: there is none */
};

/* Of good pictures and some kinds of bad ones. What can't be said is NaN. */
struct anomaly_figures {
    size_t good, bad; /* pictures */
    struct detection_figures image;
    struct detection_pixel_figures pixel;
    double true_positives, false_alarms; /* shares of the bad and of the good pictures that are called bad */
};

/* What one detector has done. */
struct anomaly_result {
    struct anomaly_figures all,
        *kind;        /* [kinds]: of the good pictures and those of one kind; none for kind 0 */
    float *score;     /* [count], by picture */
    double seconds;   /* for all pictures */
    double low, high; /* a heat map's range: 98 % and 99.99 % of the pixels of good pictures are below */
};

struct anomaly_eval {
    const struct anomaly_folders *folders;
    const struct detector *detector; /* [detectors] */
    size_t detectors;
    struct anomaly_result *result; /* [detectors] */
    bool *measured;                /* [count]; false: the picture could not be read */
    char **left_out; /* [left]: a sentence for each picture that could not be read, and for what the lists
                        lack, */
    size_t left;     /* such as links to folders */
    struct mem_group memory;
};

struct anomaly_progress {
    caelum_progress call; /* may be NULL */
    void *cookie;
};

/* Runs the detectors, at least one, over all pictures, each of which is decoded once. Pictures that can't be
 * read are left out. Fails as a detector or anomaly_mask_read does, with CAELUM_EFAIL for a score that is
 * NaN, CAELUM_EFORMAT where no good or no bad picture could be read, CAELUM_ESTOPPED, CAELUM_ERESOURCE; there
 * is nothing to close then. */
int anomaly_eval_run(struct anomaly_eval *eval, const struct anomaly_folders *folders,
                     const struct detector *detectors, size_t n, const struct anomaly_progress *progress,
                     struct caelum_error *err);
/* Safe on a zeroed struct. */
void anomaly_eval_close(struct anomaly_eval *eval);

/* The figures of the first detector, those of the others under "baselines", by their names. NULL if out of
 * memory. */
json_t *anomaly_eval_json(const struct anomaly_eval *eval);

/* A page with figures, curves, and the first detector's worst errors, for which it is run again. Whole or not
 * at all. */
int anomaly_page_write(const struct anomaly_eval *eval, const char *path, struct caelum_error *err);

#endif
