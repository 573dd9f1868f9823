/* infer.c - pictures or numbers through a network, block by block. */
#include "base/mem.h"
#include "base/team.h"
#include "engine/engine.h"

/* What the blocks of one call share. */
struct run {
    struct engine *engine;
    const struct engine_job *job;
    struct engine_cut cut;
    float *outputs; /* a block's pictures for each thread */
};

/* Floats of a block's pictures, each with `plane` floats from channel to channel, as engine_load has bytes.
 */
static void load_values(const struct engine_block *b, const float *const *pictures, size_t plane) {
    const struct net_workspace *ws = &b->place->workspace;
    const struct tensor *x = &ws->value[0];
    for (size_t l = 0; l < x->step; l++) {
        const size_t p = l / ws->strips < b->pictures ? l / ws->strips : 0;
        const float *from = pictures[p] + l % ws->strips * (plane / ws->strips);
        for (size_t c = 0; c < x->c; c++)
            for (size_t i = 0; i < x->h; i++)
                for (size_t j = 0; j < x->w; j++)
                    tensor_at(x, c, (ptrdiff_t)i, (ptrdiff_t)j)[l] = from[c * plane + i * x->w + j];
    }
}

static void load(const struct run *run, const struct engine_block *b, int worker) {
    const struct engine_job *job = run->job;
    const uint8_t *bytes[MOST_LANES] = {NULL};
    const float *values[MOST_LANES] = {NULL};
    for (size_t p = 0; p < b->pictures; p++) {
        if (job->values)
            values[p] = job->values(job->cookie, b->first + p, worker);
        else
            bytes[p] = job->input(job->cookie, b->first + p, worker);
    }
    if (job->values)
        load_values(b, values, run->engine->net->input.h * run->engine->net->input.w);
    else
        engine_load(run->engine, b, bytes, NULL);
}

static void run_block(void *cookie, size_t number, int worker) {
    const struct run *run = cookie;
    struct engine *e = run->engine;
    const struct engine_block b = engine_block(e, &run->cut, number, worker);
    const struct net_workspace *ws = &b.place->workspace;
    const struct shape out = net_output(e->net);
    const size_t lanes = e->kernels->lanes, strips = ws->strips, plane = out.h * out.w;
    float *picture = run->outputs + (size_t)worker * lanes * shape_values(out), *lane[MOST_LANES];
    load(run, &b, worker);
    engine_forward(e, &b,
                   &(struct layer_noise){
                       .on = e->noise, .seed = 1, .step = LAYER_NOISE_MEASURE, .first = (uint32_t)b.first});
    for (size_t i = 0; i < lanes; i++)
        lane[i] = picture + i / strips * shape_values(out) + i % strips * (plane / strips);
    e->kernels->store(&ws->value[b.net->layers], lane, plane, b.pictures * strips);
    for (size_t p = 0; p < b.pictures; p++)
        run->job->output(run->job->cookie, b.first + p, picture + p * shape_values(out), worker);
}

int engine_run(struct engine *e, const struct engine_job *job, struct caelum_error *err) {
    const struct shape out = net_output(e->net);
    const size_t lanes = e->kernels->lanes, threads = (size_t)e->settings.threads;
    struct run run = {.engine = e, .job = job, .cut = engine_cut(e, job->n, lanes)};
    const size_t jobs = engine_cut_jobs(&run.cut), workers = jobs < threads ? jobs : threads;
    CHECK(engine_reserve(e, &run.cut, err));
    CHECK(mem_alloc(&run.outputs, workers * lanes * out.c * out.h, out.w * sizeof(float), err));
    const bool shared = jobs > 1 || net_shares(run.cut.tail ? run.cut.tail->net : e->net);
    team_for(shared ? e->settings.threads : 1, jobs, run_block, &run);
    mem_free(&run.outputs);
    return CAELUM_OK;
}
