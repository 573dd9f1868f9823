/* reconstruct.c - one picture of any size through a model, tile by tile. Tiles are computed a round at a
 * time, so memory is a few bytes a pixel, and blended in their order, so threads don't change the result. */
#include "base/color.h"
#include "base/mem.h"
#include "image/image.h"
#include "image/tiles.h"
#include "model/pool.h"

#include <string.h>

enum { ROUND = 256 };

struct job {
    struct tiles tiles;
    const struct caelum_picture *in;
    struct mem_group memory;
    size_t channels;     /* 3, or 1: luminance */
    size_t first;        /* tile of this round */
    uint8_t *bytes;      /* [ROUND][3][tile_h][tile_w] */
    float *results;      /* [ROUND][channels][tile_h][tile_w], and room for one of three channels */
    float *sum, *weight; /* [h][w][3], [h][w]: of the tiles so far */
};

static size_t tile_size(const struct job *job) {
    return 3 * job->tiles.tile_h * job->tiles.tile_w;
}

static const uint8_t *give(void *cookie, size_t i, int worker) {
    const struct job *job = cookie;
    uint8_t *tile = job->bytes + i * tile_size(job);
    (void)worker;
    tiles_cut(&job->tiles, job->in, job->first + i, tile);
    if (job->channels == 1) {
        const size_t plane = tile_size(job) / 3;
        for (size_t p = 0; p < plane; p++) {
            double yuv[3];
            color_bytes_to_yuv(tile + p, plane, yuv);
            tile[p] = color_byte(yuv[0]);
        }
    }
    return tile;
}

/* The result of tile i as red, green and blue. */
static const float *result_of(const struct job *job, size_t i) {
    const size_t plane = tile_size(job) / 3;
    const float *result = job->results + i * job->channels * plane;
    float *all = job->results + ROUND * job->channels * plane;
    if (job->channels == 3) return result;
    for (size_t c = 0; c < 3; c++) memcpy(all + c * plane, result, plane * sizeof *all);
    return all;
}

static int run_tiles(const caelum_model *model, int threads, struct job *job, uint8_t *pixels,
                     struct caelum_error *err) {
    const size_t total = tiles_count(&job->tiles), area = job->in->width * job->in->height;
    CHECK(mem_take(&job->memory, &job->bytes, ROUND, tile_size(job), err));
    CHECK(mem_take(&job->memory, &job->results, (ROUND + 1) * tile_size(job), sizeof(float), err));
    CHECK(mem_take(&job->memory, &job->sum, area, 3 * sizeof(float), err));
    CHECK(mem_take(&job->memory, &job->weight, area, sizeof(float), err));
    for (; job->first < total; job->first += ROUND) {
        const size_t n = total - job->first < ROUND ? total - job->first : ROUND;
        const struct engine_job round = {.n = n, .input = give, .out = job->results, .cookie = job};
        CHECK(pool_run(model, model->net->layers, threads, &round, err));
        for (size_t i = 0; i < n; i++)
            tiles_add(&job->tiles, job->first + i, result_of(job, i), 3, job->sum, job->weight);
    }
    tiles_finish(&job->tiles, job->sum, job->weight, pixels);
    return CAELUM_OK;
}

int caelum_reconstruct(const caelum_model *model, const struct caelum_picture *in, int threads,
                       struct caelum_picture *out, struct caelum_error *err) {
    const struct shape input = model->net->input, output = model->net->layer[model->net->layers - 1].out;
    struct caelum_picture made = {0};
    if ((input.c != 3 && input.c != 1) || output.c != input.c || output.h != input.h || output.w != input.w)
        return caelum_fail(err, CAELUM_EFORMAT,
                           "the model turns %zux%zux%zu into %zux%zux%zu: it does not reconstruct pictures",
                           input.c, input.h, input.w, output.c, output.h, output.w);
    struct job job = {
        .tiles = tiles_plan(in->width, in->height, input.w, input.h, 4), .in = in, .channels = input.c};
    CHECK(image_allocate_like(&made, in, err));
    const int result = run_tiles(model, threads, &job, made.pixels, err);
    mem_end(&job.memory);
    if (result == 0)
        *out = made;
    else
        caelum_picture_free(&made);
    return result;
}
