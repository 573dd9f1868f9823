/* anomaly_calibrate.c - what scores mean: those of good pictures that the networks have not seen. */
#include "anomaly/anomaly_gallery.h"
#include "base/mem.h"

#include <math.h>
#include <string.h>

/* Every second picture. */
struct half {
    size_t n;
    uint32_t *count;                            /* [ANOMALY_STEPS + 1] */
    float *largest;                             /* [n] */
    struct anomaly_ranks level[ANOMALY_SCALES]; /* owned */
};

struct measuring {
    caelum_anomaly *anomaly;
    const struct gallery *gallery;
    struct gallery_part part;
    const struct caelum_anomaly_settings *settings;
    float *map;    /* of the largest view */
    float *scores; /* [part.n] */
    struct half half[2];
};

static int take(const struct measuring *m, size_t i, struct anomaly_view *view, struct caelum_error *err) {
    return gallery_take(m->gallery, m->part.picture ? m->part.picture[i] : i, view, err);
}

/* Counts the scores of a picture at one scale. */
static int count(struct measuring *m, size_t scale, size_t i, struct caelum_error *err) {
    struct half *half = &m->half[i % 2];
    struct anomaly_view view = {0};
    const struct caelum_picture *p = &view.picture[scale];
    float largest = 0;
    int result = take(m, i, &view, err);
    if (result == 0) result = anomaly_scale_map(m->anomaly, scale, m->settings->threads, &view, m->map, err);
    for (size_t k = 0; result == 0 && k < p->width * p->height; k++) {
        half->count[(size_t)(fminf(fmaxf(m->map[k], 0), 1) * ANOMALY_STEPS)]++;
        largest = fmaxf(largest, m->map[k]);
    }
    half->largest[i / 2] = largest;
    anomaly_view_close(&view);
    return result;
}

/* How rare scores are at one scale: in each half, and in all. */
static int find_levels(struct measuring *m, size_t scale, struct caelum_error *err) {
    struct half *even = &m->half[0], *odd = &m->half[1];
    memset(even->count, 0, (ANOMALY_STEPS + 1) * sizeof *even->count);
    memset(odd->count, 0, (ANOMALY_STEPS + 1) * sizeof *odd->count);
    for (size_t i = 0; i < m->part.n; i++) CHECK(count(m, scale, i, err));
    CHECK(anomaly_levels_make(&even->level[scale], even->count, even->largest, even->n, err));
    if (odd->n > 0) CHECK(anomaly_levels_make(&odd->level[scale], odd->count, odd->largest, odd->n, err));
    for (size_t k = 0; k <= ANOMALY_STEPS; k++) even->count[k] += odd->count[k];
    return anomaly_levels_make(&m->anomaly->level[scale], even->count, m->scores, m->part.n, err);
}

/* The scores of each half by the levels of the other one, as those of pictures to come are by levels that
 * know nothing of them. By levels of their own the largest scores of both scales would become one and the
 * same, and good pictures to come would be called bad up to twice as often as promised. */
static int find_scores(struct measuring *m, struct caelum_error *err) {
    const struct caelum_anomaly_settings *s = m->settings;
    for (size_t i = 0; i < m->part.n; i++) {
        const size_t other = m->part.n > 1 ? 1 - i % 2 : 0;
        caelum_anomaly judge = *m->anomaly;
        struct anomaly_view view = {0};
        memcpy(judge.level, m->half[other].level, sizeof judge.level);
        int result = take(m, i, &view, err);
        if (result == 0) result = anomaly_map(&judge, s->threads, &view, m->map, &m->scores[i], err);
        anomaly_view_close(&view);
        if (result == 0 && s->progress && s->progress(s->cookie, "measuring", i + 1, m->part.n))
            result = caelum_fail(err, CAELUM_ESTOPPED, "stopped");
        if (result != 0) return result;
    }
    return anomaly_ranks_make(&m->anomaly->ranks, m->scores, m->part.n, err);
}

static int measure(struct measuring *m, struct mem_group *memory, struct caelum_error *err) {
    CHECK(mem_take(memory, &m->map, gallery_area(m->gallery), sizeof *m->map, err));
    CHECK(mem_take(memory, &m->scores, m->part.n, sizeof *m->scores, err));
    m->half[0] = (struct half){.n = (m->part.n + 1) / 2, .largest = m->scores};
    m->half[1] = (struct half){.n = m->part.n / 2, .largest = m->scores + m->half[0].n};
    for (size_t i = 0; i < 2; i++)
        CHECK(mem_take(memory, &m->half[i].count, ANOMALY_STEPS + 1, sizeof *m->half[i].count, err));
    for (size_t i = 0; i < ANOMALY_SCALES; i++) CHECK(find_levels(m, i, err));
    CHECK(find_scores(m, err));
    return anomaly_describe(m->anomaly, err);
}

int anomaly_calibrate(caelum_anomaly *a, const struct gallery *gallery, struct gallery_part part,
                      const struct caelum_anomaly_settings *s, struct caelum_error *err) {
    struct mem_group memory = {0};
    caelum_anomaly other = {.size = a->size, .lights = a->lights, .false_alarms = s->false_alarms};
    struct measuring m = {.anomaly = &other, .gallery = gallery, .part = part, .settings = s};
    memcpy(other.model, a->model, sizeof other.model);
    const int result = measure(&m, &memory, err);
    mem_end(&memory);
    for (size_t i = 0; i < 2 * ANOMALY_SCALES; i++) anomaly_ranks_free(&m.half[i % 2].level[i / 2]);
    anomaly_forget(result == 0 ? a : &other);
    if (result == 0) *a = other;
    return result;
}

int caelum_anomaly_calibrate(caelum_anomaly *a, const char *directory,
                             const struct caelum_anomaly_settings *settings, struct caelum_error *err) {
    struct caelum_anomaly_settings s = *settings;
    struct gallery gallery = {0};
    s.size = a->size;
    CHECK(anomaly_check(&s, err));
    CHECK(gallery_open(&gallery, directory, 1, a->model[ANOMALY_FINE]->net->input.c == 1, &s, err));
    const struct gallery_part all = {.n = gallery.n};
    const struct anomaly_lights before = a->lights;
    gallery_started(&gallery, all, &s);
    a->lights = anomaly_lights_of(gallery.light, gallery.n); /* what is usual from now on */
    const int result = anomaly_calibrate(a, &gallery, all, &s, err);
    if (result != 0) a->lights = before;
    gallery_close(&gallery);
    return result;
}
