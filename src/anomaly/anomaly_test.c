/* anomaly_test.c - a trained finder and the simple ones on a test directory. */
#include "anomaly/anomaly.h"
#include "anomaly/anomaly_baselines.h"
#include "anomaly/anomaly_heat.h"
#include "base/file.h"

#include <stdlib.h>
#include <unistd.h>

int caelum_anomaly_heat(const caelum_anomaly *a, const struct caelum_picture *picture, const float *map,
                        struct caelum_picture *heat, struct caelum_error *err) {
    const double threshold = (double)anomaly_threshold(&a->ranks, a->false_alarms);
    return anomaly_heat(picture, map, threshold / 2, threshold, NULL, heat, err);
}

/* A trained finder, as a detector's cookie. */
struct trained {
    const caelum_anomaly *anomaly;
    int threads;
};

static int score(void *cookie, const struct caelum_picture *picture, float *map, float *score,
                 struct caelum_error *err) {
    const struct trained *t = cookie;
    struct caelum_anomaly_verdict verdict;
    CHECK(caelum_anomaly_score(t->anomaly, picture, t->threads, map, &verdict, err));
    *score = (float)verdict.score;
    return CAELUM_OK;
}

/* The baselines learn from DIR/train/good, where it is. */
static int open_baselines(struct anomaly_baselines *b, const char *directory, struct caelum_error *err) {
    char good[PATH_SIZE];
    CHECK(file_join(good, sizeof good, directory, "train/good", err));
    return access(good, F_OK) == 0 ? anomaly_baselines_open(b, good, 1, err) : CAELUM_OK;
}

static int measure(const struct anomaly_folders *folders, const struct detector *detectors, size_t n,
                   const struct caelum_anomaly_eval_settings *s, char **figures, struct caelum_error *err) {
    const struct anomaly_progress progress = {s->progress, s->cookie};
    struct anomaly_eval eval = {0};
    CHECK(anomaly_eval_run(&eval, folders, detectors, n, &progress, err));
    int result = s->page ? anomaly_page_write(&eval, s->page, err) : CAELUM_OK;
    json_t *object = result == 0 ? anomaly_eval_json(&eval) : NULL;
    if (result == 0) result = json_text(&object, JSON_INDENT(2), "the figures", figures, err);
    anomaly_eval_close(&eval);
    return result;
}

int caelum_anomaly_eval(const caelum_anomaly *a, const char *directory,
                        const struct caelum_anomaly_eval_settings *s, char **figures,
                        struct caelum_error *err) {
    struct trained trained = {a, s->threads};
    struct anomaly_folders folders = {0};
    struct anomaly_baselines baselines = {0};
    struct caelum_anomaly_info info;
    caelum_anomaly_describe(a, &info);
    CHECK(anomaly_folders_open(&folders, directory, err));
    int result = s->no_baselines ? CAELUM_OK : open_baselines(&baselines, directory, err);
    const size_t n = baselines.patches ? 1 + BASELINES : 1;
    const struct detector detectors[1 + BASELINES] = {
        {"caelum", score, &trained, info.threshold}, baselines.detector[0], baselines.detector[1]};
    if (result == 0) result = measure(&folders, detectors, n, s, figures, err);
    anomaly_baselines_close(&baselines);
    anomaly_folders_close(&folders);
    return result;
}

void caelum_anomaly_figures_free(char **figures) {
    free(*figures);
    *figures = NULL;
}
