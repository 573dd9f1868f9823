/* anomaly_eval.c - pixels of each kind are counted apart, so that kinds can be added to each other; no map is
 * kept. */
#include "anomaly/anomaly_eval.h"

#include "base/clock.h"
#include "base/mem.h"

#include <math.h>
#include <string.h>

/* An evaluation at work. */
struct work {
    struct anomaly_eval *eval;
    struct detection_pixels *pixels; /* [detectors][kinds] */
    struct detection_point *point;   /* [count], of a curve */
    float *score;                    /* [count] */
    bool *bad;                       /* [count] */
    struct mem_group memory;
};

static int take_memory(struct work *w, struct caelum_error *err) {
    struct anomaly_eval *e = w->eval;
    const size_t count = e->folders->count, kinds = e->folders->kinds;
    CHECK(mem_take(&e->memory, &e->result, e->detectors, sizeof *e->result, err));
    CHECK(mem_take(&e->memory, &e->measured, count, sizeof *e->measured, err));
    CHECK(mem_take(&e->memory, &e->left_out, count + 2, sizeof *e->left_out, err));
    for (size_t d = 0; d < e->detectors; d++) {
        CHECK(mem_take(&e->memory, &e->result[d].kind, kinds, sizeof *e->result->kind, err));
        CHECK(mem_take(&e->memory, &e->result[d].score, count, sizeof *e->result->score, err));
    }
    CHECK(mem_take(&w->memory, &w->pixels, e->detectors, kinds * sizeof *w->pixels, err));
    CHECK(mem_take(&w->memory, &w->point, count, sizeof *w->point, err));
    CHECK(mem_take(&w->memory, &w->score, count, sizeof *w->score, err));
    return mem_take(&w->memory, &w->bad, count, sizeof *w->bad, err);
}

/* --- Scores ----------------------------------------------------------------------------------------- */

static int leave_out(struct anomaly_eval *e, const char *why, struct caelum_error *err) {
    char **text = &e->left_out[e->left];
    CHECK(mem_take(&e->memory, text, strlen(why) + 1, 1, err));
    memcpy(*text, why, strlen(why));
    e->left++;
    return CAELUM_OK;
}

/* What is in a directory, but was not listed: a link to a folder may be a whole kind. */
static int tell_left_out(struct anomaly_eval *e, const struct tree *tree, struct caelum_error *err) {
    char what[TREE_LEFT_TEXT], text[TREE_LEFT_TEXT + PATH_SIZE];
    tree_left_out(tree, what);
    if (!*what) return CAELUM_OK;
    snprintf(text, sizeof text, "%s: left out: %s", tree->root, what);
    return leave_out(e, text, err);
}

static int score_picture(struct work *w, size_t number, const struct caelum_picture *picture,
                         const uint8_t *mask, float *map, struct caelum_error *err) {
    const struct anomaly_eval *e = w->eval;
    const struct anomaly_folders *f = e->folders;
    const size_t kind = f->picture[number].kind;
    for (size_t d = 0; d < e->detectors; d++) {
        const struct detector *detector = &e->detector[d];
        struct anomaly_result *r = &e->result[d];
        const double before = clock_seconds();
        int result = detector->score(detector->cookie, picture, map, &r->score[number], err);
        r->seconds += clock_seconds() - before;
        if (result == 0 && isnan(r->score[number]))
            result = caelum_fail(err, CAELUM_EFAIL, "the score is not a number");
        if (result == 0 && (kind == 0 || mask))
            result = detection_add(&w->pixels[d * f->kinds + kind], map, mask, picture->height,
                                   picture->width, err);
        if (result != 0)
            return caelum_fail_in(err, result, "%s: %s", detector->name, f->picture[number].file->path);
    }
    return CAELUM_OK;
}

/* A picture that can't be read is left out; a lack of memory is nothing that is wrong with the picture. */
static int measure_picture(struct work *w, size_t number, struct caelum_error *err) {
    struct anomaly_eval *e = w->eval;
    const struct anomaly_picture *p = &e->folders->picture[number];
    struct caelum_picture picture = {0};
    struct caelum_error why = {0};
    uint8_t *mask = NULL;
    float *map = NULL;
    int result = tree_picture(&e->folders->pictures, p->file, &picture, &why);
    if (result == CAELUM_ERESOURCE) return caelum_fail(err, result, "%s", why.text);
    if (result != 0) return leave_out(e, why.text, err);
    if (p->mask) result = anomaly_mask_read(e->folders, number, &picture, &mask, err);
    if (result == 0) result = mem_alloc(&map, picture.width * picture.height, sizeof *map, err);
    if (result == 0) result = score_picture(w, number, &picture, mask, map, err);
    e->measured[number] = true;
    mem_free(&map), mem_free(&mask);
    caelum_picture_free(&picture);
    return result;
}

static int measure_pictures(struct work *w, const struct anomaly_progress *progress,
                            struct caelum_error *err) {
    const size_t count = w->eval->folders->count;
    for (size_t i = 0; i < count; i++) {
        if (progress->call && progress->call(progress->cookie, "testing", i, count) != 0)
            return caelum_fail(err, CAELUM_ESTOPPED, "stopped while pictures were tested");
        CHECK(measure_picture(w, i, err));
    }
    return CAELUM_OK;
}

/* --- Figures ---------------------------------------------------------------------------------------- */

/* Of the good pictures and those of one kind, or, kind 0, of all. */
static void image_figures(struct work *w, size_t d, size_t kind, struct anomaly_figures *figures) {
    const struct anomaly_folders *f = w->eval->folders;
    size_t n = 0;
    for (size_t i = 0; i < f->count; i++) {
        const size_t its = f->picture[i].kind;
        if (!w->eval->measured[i] || (kind && its && its != kind)) continue;
        w->score[n] = w->eval->result[d].score[i];
        w->bad[n++] = its != 0;
        figures->good += its == 0, figures->bad += its != 0;
    }
    const size_t points = detection_curve(w->score, w->bad, n, w->point);
    const double threshold = w->eval->detector[d].threshold;
    const struct detection_point at = detection_at(w->point, points, threshold);
    figures->image = detection_figures(w->point, points);
    figures->true_positives = isnan(threshold) ? NAN : (double)at.found / (double)figures->bad;
    figures->false_alarms = isnan(threshold) ? NAN : (double)at.alarms / (double)figures->good;
}

static int pixel_figures(struct work *w, size_t d, size_t kind, struct anomaly_figures *figures,
                         struct caelum_error *err) {
    struct detection_pixels *sum = NULL;
    const size_t kinds = w->eval->folders->kinds;
    CHECK(mem_alloc(&sum, 1, sizeof *sum, err));
    int result = CAELUM_OK;
    for (size_t k = 0; k < kinds && result == 0; k++)
        if (k == 0 || kind == 0 || k == kind) result = detection_merge(sum, &w->pixels[d * kinds + k], err);
    if (result == 0) figures->pixel = detection_pixel_figures(sum);
    detection_free(sum);
    mem_free(&sum);
    return result;
}

static int figure(struct work *w, struct caelum_error *err) {
    const size_t kinds = w->eval->folders->kinds;
    for (size_t d = 0; d < w->eval->detectors; d++) {
        struct anomaly_result *r = &w->eval->result[d];
        for (size_t kind = 0; kind < kinds; kind++) {
            struct anomaly_figures *figures = kind == 0 ? &r->all : &r->kind[kind];
            image_figures(w, d, kind, figures);
            CHECK(pixel_figures(w, d, kind, figures, err));
        }
        r->low = detection_quantile(&w->pixels[d * kinds], 0.98);
        r->high = detection_quantile(&w->pixels[d * kinds], 0.9999);
    }
    const struct anomaly_figures *all = &w->eval->result->all;
    if (all->good == 0 || all->bad == 0)
        return caelum_fail(
            err, CAELUM_EFORMAT, "%s: no %s picture can be read; the last that was left out: %s",
            w->eval->folders->test, all->good == 0 ? "good" : "bad", w->eval->left_out[w->eval->left - 1]);
    return CAELUM_OK;
}

static int run(struct work *w, const struct anomaly_progress *progress, struct caelum_error *err) {
    CHECK(take_memory(w, err));
    CHECK(tell_left_out(w->eval, &w->eval->folders->pictures, err));
    if (*w->eval->folders->truth) CHECK(tell_left_out(w->eval, &w->eval->folders->masks, err));
    CHECK(measure_pictures(w, progress, err));
    return figure(w, err);
}

int anomaly_eval_run(struct anomaly_eval *eval, const struct anomaly_folders *folders,
                     const struct detector *detectors, size_t n, const struct anomaly_progress *progress,
                     struct caelum_error *err) {
    struct work w = {.eval = eval};
    *eval = (struct anomaly_eval){.folders = folders, .detector = detectors, .detectors = n};
    const int result = run(&w, progress, err);
    for (size_t i = 0; w.pixels && i < n * folders->kinds; i++) detection_free(&w.pixels[i]);
    mem_end(&w.memory);
    if (result != 0) anomaly_eval_close(eval);
    return result;
}

void anomaly_eval_close(struct anomaly_eval *eval) {
    mem_end(&eval->memory);
    *eval = (struct anomaly_eval){0};
}
