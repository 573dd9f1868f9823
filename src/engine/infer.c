/* infer.c - pictures or numbers through a network, block by block. */
#include "base/mem.h"
#include "base/team.h"
#include "engine/engine.h"

/* What the blocks of one call share. */
struct run {
    struct engine *engine;
    const struct engine_job *job;
    struct engine_cut cut;
    size_t most;    /* pictures in a block */
    float *outputs; /* of each thread, [most] pictures; NULL where the job has room for all of them */
};

/* Floats of a block's pictures, as engine_load has bytes. */
static void load_values(const struct engine_block *b, const float *pictures, struct shape in) {
    const struct tiling tiles = b->place->workspace.tiles;
    const size_t count = tiling_count(tiles);
    const struct tensor *x = &b->place->workspace.value[0];
    const float *lane[MOST_LANES];
    for (size_t l = 0; l < x->step; l++)
        lane[l] = pictures + (l / count < b->pictures ? l / count : 0) * shape_values(in) +
                  engine_tile_at(tiles, l % count, in);
    for (size_t c = 0; c < x->c; c++)
        for (size_t i = 0; i < x->h; i++) {
            float *to = tensor_at(x, c, (ptrdiff_t)i, 0);
            for (size_t at = (c * in.h + i) * in.w, end = at + x->w; at < end; at++, to += x->step)
                for (size_t l = 0; l < x->step; l++) to[l] = lane[l][at];
        }
}

static void load(const struct run *run, const struct engine_block *b, int worker) {
    const struct engine_job *job = run->job;
    const struct caelum_net *net = run->engine->net;
    const uint8_t *bytes[MOST_LANES] = {NULL};
    if (job->in) {
        load_values(b, job->in + b->first * shape_values(net->input), net->input);
        return;
    }
    for (size_t p = 0; p < b->pictures; p++) bytes[p] = job->input(job->cookie, b->first + p, worker);
    engine_load(run->engine, b, bytes, NULL);
}

static void run_block(void *cookie, size_t number, int worker) {
    const struct run *run = cookie;
    const struct engine_job *job = run->job;
    struct engine *e = run->engine;
    const struct engine_block b = engine_block(e, &run->cut, number, worker);
    const struct net_workspace *ws = &b.place->workspace;
    const struct shape out = net_output(e->net);
    const struct tiling tiles = net_result_tiles(b.net, ws);
    const size_t size = shape_values(out);
    float *results = job->out ? job->out + b.first * size : run->outputs + (size_t)worker * run->most * size;
    float *lane[MOST_LANES];
    load(run, &b, worker);
    engine_forward(e, &b,
                   &(struct layer_noise){.on = e->noise,
                                         .seed = 1,
                                         .step = LAYER_NOISE_MEASURE,
                                         .first = (uint32_t)(job->first + b.first)});
    const size_t live = b.pictures * tiling_count(tiles);
    for (size_t i = 0; i < live; i++)
        lane[i] =
            results + i / tiling_count(tiles) * size + engine_tile_at(tiles, i % tiling_count(tiles), out);
    e->kernels->store(net_result(b.net, ws), lane, out.w, out.h * out.w, live);
    for (size_t p = 0; !job->out && p < b.pictures; p++)
        job->output(job->cookie, b.first + p, results + p * size, worker);
}

int engine_run(struct engine *e, const struct engine_job *job, struct caelum_error *err) {
    const size_t lanes = e->kernels->lanes, threads = (size_t)e->settings.threads;
    struct run run = {.engine = e, .job = job, .cut = engine_cut(e, job->n)};
    const size_t jobs = engine_cut_jobs(&run.cut), workers = jobs < threads ? jobs : threads;
    run.most = job->n < lanes ? job->n : lanes;
    CHECK(engine_reserve(e, &run.cut, err));
    if (!job->out)
        CHECK(mem_alloc(&run.outputs, workers * run.most, shape_values(net_output(e->net)) * sizeof(float),
                        err));
    const struct engine_place *only = run.cut.blocks > 0 ? e->place : e->alone;
    const bool shared = jobs != 1 || net_shares(e->net, &only->workspace);
    team_for(shared ? e->settings.threads : 1, jobs, run_block, &run);
    mem_free(&run.outputs);
    return CAELUM_OK;
}
