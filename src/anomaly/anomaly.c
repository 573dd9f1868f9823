/* anomaly.c - a finder of defects: its file, and what it says of a picture. */
#include "anomaly/anomaly.h"

#include "anomaly/anomaly_regions.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/path.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_SIZE = 64, MOST_SIZE = 8192 };

struct caelum_anomaly_settings caelum_anomaly_defaults(void) {
    return (struct caelum_anomaly_settings){.size = 512, .false_alarms = 0.01, .steps = 4000, .seed = 1};
}

int anomaly_check(const struct caelum_anomaly_settings *s, struct caelum_error *err) {
    if (s->size < LEAST_SIZE || s->size > MOST_SIZE)
        return caelum_fail(err, CAELUM_EUSAGE, "size: expected %d to %d pixels, got %zu", LEAST_SIZE,
                           MOST_SIZE, s->size);
    if (!(s->false_alarms > 0 && s->false_alarms < 1))
        return caelum_fail(err, CAELUM_EUSAGE,
                           "false_alarms: expected a share above 0 and below 1 (0.01 is 1 %%), got %g",
                           s->false_alarms);
    if (s->steps < 1 || s->steps > 1000000)
        return caelum_fail(err, CAELUM_EUSAGE, "steps: expected 1 to 1,000,000, got %zu", s->steps);
    return CAELUM_OK;
}

/* --- The file ----------------------------------------------------------------------------------------- */

static int put_number(struct metadata *m, const char *key, double value, struct caelum_error *err) {
    char text[32];
    number_print(text, sizeof text, "%.17g", value);
    return metadata_set(m, key, text, err);
}

/* Numbers in the metadata, and where they are. */
static const struct {
    const char *key;
    size_t offset;
} numbers[] = {
    {"anomaly_false_alarms", offsetof(struct caelum_anomaly, false_alarms)},
    {"anomaly_brightness", offsetof(struct caelum_anomaly, lights.mean.mean)},
    {"anomaly_brightness_deviation", offsetof(struct caelum_anomaly, lights.deviation.mean)},
    {"anomaly_contrast", offsetof(struct caelum_anomaly, lights.mean.deviation)},
    {"anomaly_contrast_deviation", offsetof(struct caelum_anomaly, lights.deviation.deviation)},
};
enum { NUMBERS = sizeof numbers / sizeof *numbers };

/* Lists of scores that rise, in the metadata, and where they are. */
static const struct {
    const char *key;
    size_t offset;
} lists[] = {
    {"anomaly_scores", offsetof(struct caelum_anomaly, ranks)},
    {"anomaly_fine_levels", offsetof(struct caelum_anomaly, level[ANOMALY_FINE])},
    {"anomaly_coarse_levels", offsetof(struct caelum_anomaly, level[ANOMALY_COARSE])},
};
enum { LISTS = sizeof lists / sizeof *lists };

static struct anomaly_ranks *list_of(caelum_anomaly *a, size_t i) {
    return (struct anomaly_ranks *)(void *)((char *)a + lists[i].offset);
}

static int put_list(caelum_anomaly *a, size_t i, struct caelum_error *err) {
    char *scores = NULL;
    int result = anomaly_ranks_print(list_of(a, i), &scores, err);
    if (result == 0) result = metadata_set(a->model[ANOMALY_FINE]->metadata, lists[i].key, scores, err);
    free(scores);
    return result;
}

int anomaly_describe(caelum_anomaly *a, struct caelum_error *err) {
    struct metadata *m = a->model[ANOMALY_FINE]->metadata;
    CHECK(metadata_setf(m, err, "anomaly_size", "%zu", a->size));
    for (size_t i = 0; i < NUMBERS; i++)
        CHECK(put_number(m, numbers[i].key, *(double *)(void *)((char *)a + numbers[i].offset), err));
    for (size_t i = 0; i < LISTS; i++) CHECK(put_list(a, i, err));
    return CAELUM_OK;
}

static const char coarse_prefix[] = "coarse.";

int caelum_anomaly_save(const caelum_anomaly *a, const char *path, struct caelum_error *err) {
    const struct model_part coarse = {coarse_prefix, a->model[ANOMALY_COARSE]};
    return model_save_with(a->model[ANOMALY_FINE], &coarse, path, err);
}

static int missing(const char *path, const char *key, struct caelum_error *err) {
    return caelum_fail(err, CAELUM_EFORMAT,
                       "%s: no finder of defects: '%s' in its metadata is missing or out of range; "
                       "'caelum anomaly train' makes one",
                       path, key);
}

static int check_network(const caelum_anomaly *a, size_t scale, const char *path, struct caelum_error *err) {
    const struct caelum_net *net = a->model[scale]->net;
    const struct shape in = net->input, out = net_output(net);
    const size_t side = anomaly_scale[scale].side;
    if ((in.c == 1 || in.c == 3) && in.c == a->model[ANOMALY_FINE]->net->input.c && in.h == side &&
        in.w == side && out.c == 1 && out.h == in.h && out.w == in.w)
        return CAELUM_OK;
    return caelum_fail(
        err, CAELUM_EFORMAT,
        "%s: its %s network turns %zux%zux%zu into %zux%zux%zu; expected 1x%zux%zu, or in color "
        "3x%zux%zu, into 1x%zux%zu",
        path, anomaly_scale[scale].name, in.c, in.h, in.w, out.c, out.h, out.w, side, side, side, side, side,
        side);
}

static int read_lists(caelum_anomaly *a, const char *path, struct caelum_error *err) {
    const struct metadata *m = a->model[ANOMALY_FINE]->metadata;
    char where[PATH_SIZE + 32];
    for (size_t i = 0; i < LISTS; i++) {
        const char *scores = metadata_get(m, lists[i].key);
        if (!scores) return missing(path, lists[i].key, err);
        snprintf(where, sizeof where, "%s: %s", path, lists[i].key);
        CHECK(anomaly_ranks_read(list_of(a, i), scores, where, err));
    }
    for (size_t i = 0; i < ANOMALY_SCALES; i++) {
        const struct anomaly_ranks *l = &a->level[i];
        if (l->n != a->level[ANOMALY_FINE].n || !(l->score[0] >= 0 && l->score[l->n - 1] <= 1))
            return caelum_fail(err, CAELUM_EFORMAT,
                               "%s: anomaly_%s_levels: expected as many numbers of 0 to 1 at both scales",
                               path, anomaly_scale[i].name);
    }
    return CAELUM_OK;
}

static int read_metadata(caelum_anomaly *a, const char *path, struct caelum_error *err) {
    uint64_t size;
    const struct metadata *m = a->model[ANOMALY_FINE]->metadata;
    CHECK(read_lists(a, path, err));
    if (!a->model[ANOMALY_COARSE]) return missing(path, "coarse.network", err);
    for (size_t i = 0; i < ANOMALY_SCALES; i++) CHECK(check_network(a, i, path, err));
    if (!number_whole(metadata_get(m, "anomaly_size"), LEAST_SIZE, MOST_SIZE, &size))
        return missing(path, "anomaly_size", err);
    for (size_t i = 0; i < NUMBERS; i++) {
        double *value = (double *)(void *)((char *)a + numbers[i].offset);
        if (!number_real(metadata_get(m, numbers[i].key), value) || !(*value >= 0 && *value < 1e6))
            return missing(path, numbers[i].key, err);
    }
    if (!(a->false_alarms > 0 && a->false_alarms < 1)) return missing(path, "anomaly_false_alarms", err);
    a->size = (size_t)size;
    return CAELUM_OK;
}

int anomaly_of(caelum_anomaly **anomaly, caelum_model *fine, caelum_model *coarse, const char *path,
               struct caelum_error *err) {
    caelum_anomaly *a = NULL;
    int result = mem_alloc(&a, 1, sizeof *a, err);
    if (result != 0) {
        caelum_model_close(&fine);
        caelum_model_close(&coarse);
        return result;
    }
    a->model[ANOMALY_FINE] = fine, a->model[ANOMALY_COARSE] = coarse;
    result = read_metadata(a, path, err);
    if (result == 0)
        *anomaly = a;
    else
        caelum_anomaly_close(&a);
    return result;
}

int caelum_anomaly_load(caelum_anomaly **anomaly, const char *path, struct caelum_error *err) {
    struct model_part coarse = {.prefix = coarse_prefix};
    caelum_model *fine = NULL;
    const int result = model_load_with(&fine, &coarse, path, err);
    if (result == 0) return anomaly_of(anomaly, fine, coarse.model, path, err);
    caelum_model_close(&coarse.model);
    return result;
}

void anomaly_forget(caelum_anomaly *a) {
    for (size_t i = 0; i < LISTS; i++) anomaly_ranks_free(list_of(a, i));
}

void caelum_anomaly_close(caelum_anomaly **anomaly) {
    if (!*anomaly) return;
    for (size_t i = 0; i < ANOMALY_SCALES; i++) caelum_model_close(&(*anomaly)->model[i]);
    anomaly_forget(*anomaly);
    mem_free(anomaly);
}

void caelum_anomaly_describe(const caelum_anomaly *a, struct caelum_anomaly_info *info) {
    *info = (struct caelum_anomaly_info){.good = a->ranks.n,
                                         .false_alarms = a->false_alarms,
                                         .least = 1 / (double)(a->ranks.n + 1),
                                         .threshold = (double)anomaly_threshold(&a->ranks, a->false_alarms),
                                         .size = a->size,
                                         .model = a->model[ANOMALY_FINE]};
}

/* --- A picture ---------------------------------------------------------------------------------------- */

/* Where pixel `at` of `length` is in the view, of which there are `of`. */
static size_t in_view(size_t at, size_t length, size_t of) {
    return at * of / length;
}

/* The map of the view, a value for each pixel of the picture. */
static void enlarge(const struct caelum_picture *picture, const struct caelum_picture *view,
                    const float *small, float *map) {
    for (size_t y = 0; y < picture->height; y++) {
        const float *row = small + in_view(y, picture->height, view->height) * view->width;
        for (size_t x = 0; x < picture->width; x++) *map++ = row[in_view(x, picture->width, view->width)];
    }
}

/* The pixels of the picture that [first, first + n) of its view are. */
static size_t enlarged(size_t first, size_t length, size_t of) {
    return (first * length + of - 1) / of;
}

static void enlarge_boxes(struct caelum_anomaly_verdict *v, const struct caelum_picture *picture,
                          const struct caelum_picture *view) {
    for (struct caelum_anomaly_box *b = v->box; b < v->box + v->boxes; b++) {
        const size_t right = enlarged(b->x + b->width, picture->width, view->width),
                     low = enlarged(b->y + b->height, picture->height, view->height);
        b->x = enlarged(b->x, picture->width, view->width);
        b->y = enlarged(b->y, picture->height, view->height);
        b->width = right - b->x, b->height = low - b->y;
    }
}

static int judge(const caelum_anomaly *a, const struct anomaly_view *view, int threads, float *small,
                 struct caelum_anomaly_verdict *v, struct caelum_error *err) {
    const float threshold = anomaly_threshold(&a->ranks, a->false_alarms);
    float score = 0;
    CHECK(anomaly_map(a, threads, view, small, &score, err));
    *v = (struct caelum_anomaly_verdict){
        .score = (double)score, .p = anomaly_p(&a->ranks, score), .bad = score >= threshold};
    return v->bad ? anomaly_regions(small, view->picture->width, view->picture->height, threshold, v, err)
                  : CAELUM_OK;
}

int caelum_anomaly_score(const caelum_anomaly *a, const struct caelum_picture *picture, int threads,
                         float *map, struct caelum_anomaly_verdict *verdict, struct caelum_error *err) {
    struct anomaly_view view;
    struct caelum_anomaly_verdict v;
    float *small = NULL;
    CHECK(anomaly_view_open(&view, picture, a->size, a->model[ANOMALY_FINE]->net->input.c == 1, err));
    int result = mem_alloc(&small, view.picture->width * view.picture->height, sizeof *small, err);
    if (result == 0) result = judge(a, &view, threads, small, &v, err);
    if (result == 0) {
        enlarge_boxes(&v, picture, view.picture);
        if (map) enlarge(picture, view.picture, small, map);
        *verdict = v;
    }
    mem_free(&small);
    anomaly_view_close(&view);
    return result;
}
