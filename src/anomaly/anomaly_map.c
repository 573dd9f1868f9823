/* anomaly_map.c - scores of the pixels of a view: tiles through the network, blended, smoothed. */
#include "anomaly/anomaly.h"
#include "base/mem.h"
#include "image/tiles.h"
#include "model/pool.h"

#include <math.h>
#include <string.h>

enum { ROUND = 256 }; /* tiles at a time */

struct job {
    struct tiles tiles;
    const struct caelum_picture *picture; /* a view's */
    size_t area;                          /* of a tile */
    struct mem_group memory;
    size_t first;        /* tile of this round */
    uint8_t *bytes;      /* [ROUND][3][area] */
    float *results;      /* [ROUND][area] */
    float *map, *weight; /* [h][w]; map: the caller's */
    float *row;          /* [the longer of both], and what is beyond its ends */
};

static const uint8_t *give(void *cookie, size_t i, int worker) {
    const struct job *job = cookie;
    uint8_t *tile = job->bytes + i * 3 * job->area;
    (void)worker;
    tiles_cut(&job->tiles, job->picture, job->first + i, tile);
    return tile; /* of a grey view all channels are the first */
}

static int run_tiles(const caelum_model *model, int threads, struct job *job, struct caelum_error *err) {
    const size_t total = tiles_count(&job->tiles), area = job->picture->width * job->picture->height;
    const size_t room = total < ROUND ? total : ROUND;
    CHECK(mem_take(&job->memory, &job->bytes, room, 3 * job->area, err));
    CHECK(mem_take(&job->memory, &job->results, room * job->area, sizeof(float), err));
    CHECK(mem_take(&job->memory, &job->weight, area, sizeof(float), err));
    memset(job->map, 0, area * sizeof(float));
    for (; job->first < total; job->first += ROUND) {
        const size_t n = total - job->first < ROUND ? total - job->first : ROUND;
        const struct engine_job round = {.n = n, .input = give, .out = job->results, .cookie = job};
        CHECK(pool_run(model, model->net->layers, threads, &round, err));
        for (size_t i = 0; i < n; i++)
            tiles_add(&job->tiles, job->first + i, job->results + i * job->area, 1, job->map, job->weight);
    }
    for (size_t i = 0; i < area; i++) job->map[i] /= job->weight[i];
    return CAELUM_OK;
}

/* The binomial filter 1 4 6 4 1 along a line of n values that are `step` apart; the ends are repeated. */
static void smooth_line(float *line, size_t n, size_t step, float *row) {
    for (size_t i = 0; i < n + 4; i++) {
        const size_t at = i < 2 ? 0 : i - 2 < n ? i - 2 : n - 1;
        row[i] = line[at * step];
    }
    for (size_t i = 0; i < n; i++)
        line[i * step] = (row[i] + row[i + 4] + 4 * (row[i + 1] + row[i + 3]) + 6 * row[i + 2]) / 16;
}

static int smooth(struct job *job, struct caelum_error *err) {
    const size_t w = job->picture->width, h = job->picture->height;
    CHECK(mem_take(&job->memory, &job->row, (w > h ? w : h) + 4, sizeof(float), err));
    for (size_t y = 0; y < h; y++) smooth_line(job->map + y * w, w, 1, job->row);
    for (size_t x = 0; x < w; x++) smooth_line(job->map + x, h, w, job->row);
    return CAELUM_OK;
}

/* --- Light ----------------------------------------------------------------------------------------- */

struct anomaly_lights anomaly_lights_of(const struct anomaly_light *light, size_t n) {
    struct anomaly_lights l = {0};
    for (size_t i = 0; i < n; i++) {
        l.mean.mean += light[i].mean / (double)n;
        l.mean.deviation += light[i].deviation / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        const double a = light[i].mean - l.mean.mean, b = light[i].deviation - l.mean.deviation;
        l.deviation.mean += a * a / (double)n;
        l.deviation.deviation += b * b / (double)n;
    }
    l.deviation.mean = sqrt(l.deviation.mean), l.deviation.deviation = sqrt(l.deviation.deviation);
    return l;
}

/* How far a light is from good ones': 0 up to 4 of their deviations, then rising by 1 with each 4 more. A
 * deviation is 4 levels of brightness or a tenth of the contrast at least: few pictures may agree by chance.
 */
static float strangeness(const struct anomaly_lights *l, struct anomaly_light light) {
    const double bright = fabs(light.mean - l->mean.mean) / fmax(l->deviation.mean, 4),
                 stark = fabs(light.deviation - l->mean.deviation) /
                         fmax(l->deviation.deviation, 1 + l->mean.deviation / 10);
    return (float)fmax(0, fmax(bright, stark) / 4 - 1);
}

int anomaly_scale_map(const caelum_anomaly *a, size_t scale, int threads, const struct anomaly_view *view,
                      float *map, struct caelum_error *err) {
    const struct caelum_picture *p = &view->picture[scale];
    const size_t side = anomaly_scale[scale].side;
    struct job job = {.tiles = tiles_plan(p->width, p->height, side, side, 6),
                      .picture = p,
                      .area = side * side,
                      .map = map};
    int result = run_tiles(a->model[scale], threads, &job, err);
    if (result == 0) result = smooth(&job, err);
    mem_end(&job.memory);
    return result;
}

/* The larger of both maps. coarse: of the view's picture at that scale. */
static void join(const caelum_anomaly *a, const struct anomaly_view *view, float *coarse, float *map) {
    const struct caelum_picture *p = &view->picture[ANOMALY_FINE], *q = &view->picture[ANOMALY_COARSE];
    for (size_t i = 0; i < q->width * q->height; i++)
        coarse[i] = anomaly_translate(&a->level[ANOMALY_COARSE], &a->level[ANOMALY_FINE], coarse[i]);
    for (size_t y = 0; y < p->height; y++)
        for (size_t x = 0; x < p->width; x++, map++) {
            const float c = coarse[y * q->height / p->height * q->width + x * q->width / p->width];
            if (c > *map) *map = c;
        }
}

int anomaly_map(const caelum_anomaly *a, int threads, const struct anomaly_view *view, float *map,
                float *score, struct caelum_error *err) {
    const struct caelum_picture *p = &view->picture[ANOMALY_FINE], *q = &view->picture[ANOMALY_COARSE];
    const float strange = strangeness(&a->lights, view->light);
    float *coarse = NULL;
    CHECK(mem_alloc(&coarse, q->width * q->height, sizeof *coarse, err));
    int result = anomaly_scale_map(a, ANOMALY_FINE, threads, view, map, err);
    if (result == 0) result = anomaly_scale_map(a, ANOMALY_COARSE, threads, view, coarse, err);
    if (result == 0) join(a, view, coarse, map);
    mem_free(&coarse);
    if (result != 0) return result;
    *score = 0;
    for (size_t i = 0; i < p->width * p->height; i++) {
        map[i] += strange;
        if (map[i] > *score) *score = map[i];
    }
    return CAELUM_OK;
}
