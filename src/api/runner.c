/* runner.c - inference, block by block. */
#include "api/runner.h"

#include "base/mem.h"
#include "base/parallel.h"
#include "base/team.h"

int runner_open(struct runner *out, const struct caelum_net *net, const float *params, int threads,
                struct caelum_error *err) {
    struct runner r = {
        .net = net, .params = params, .threads = parallel_threads(threads), .task = task_of(net)};
    enum cpu_level level;
    CHECK(cpu_choose(&level, err));
    r.kernels = kernels_get(level);
    int result = mem_alloc(&r.packed, net->packed, sizeof(float), err);
    if (result == 0) result = mem_alloc(&r.workspace, (size_t)r.threads, sizeof *r.workspace, err);
    if (result == 0) result = mem_alloc(&r.block, (size_t)r.threads, sizeof *r.block, err);
    for (int i = 0; result == 0 && i < r.threads; i++) {
        result = net_workspace_open_shared(&r.workspace[i], net, r.kernels->lanes, false,
                                           team_members(r.threads, i), err);
        if (result == 0) result = task_block_open(&r.block[i], r.task, net, r.kernels->lanes, false, err);
    }
    if (result == 0)
        result = tails_open(&r.tails, net, r.task, r.kernels->lanes, false, team_members(r.threads, 0), err);
    if (result != 0) {
        runner_close(&r);
        return result;
    }
    net_pack(net, params, r.packed);
    *out = r;
    return CAELUM_OK;
}

void runner_close(struct runner *r) {
    for (int i = 0; r->workspace && i < r->threads; i++) net_workspace_close(&r->workspace[i]);
    for (int i = 0; r->block && i < r->threads; i++) task_block_close(&r->block[i]);
    tails_close(&r->tails);
    mem_free(&r->workspace);
    mem_free(&r->block);
    mem_free(&r->packed);
}

struct run {
    struct runner *runner;
    const struct runner_job *job;
    float *outputs;    /* a block's pictures for each thread */
    size_t n;          /* pictures in blocks */
    struct tail *tail; /* of the others; NULL: there are none */
};

/* Floats of as many pictures as there are lanes, each with `plane` floats from channel to channel. */
static void load_values(const float *const *pictures, size_t plane, const struct tensor *x) {
    for (size_t c = 0; c < x->c; c++)
        for (size_t i = 0; i < x->h; i++)
            for (size_t j = 0; j < x->w; j++)
                for (size_t l = 0; l < x->step; l++)
                    tensor_at(x, c, (ptrdiff_t)i, (ptrdiff_t)j)[l] = pictures[l][c * plane + i * x->w + j];
}

/* A block of pictures, or the tail. */
static void run_block(void *cookie, size_t block, int worker) {
    const struct run *run = cookie;
    const struct runner *r = run->runner;
    const struct runner_job *job = run->job;
    const size_t lanes = r->kernels->lanes, first = block * lanes;
    struct tail *tail = first < run->n ? NULL : run->tail;
    const struct caelum_net *net = tail ? tail->net : r->net;
    struct net_workspace *ws = tail ? &tail->workspace : &r->workspace[worker];
    const size_t start = tail ? run->n : first, end = tail ? job->n : run->n;
    const size_t pictures = end - start < lanes ? end - start : lanes, strips = ws->strips;
    const struct shape out = r->net->layer[r->net->layers - 1].out;
    const size_t plane = r->net->input.h * r->net->input.w;
    const uint8_t *in[MOST_LANES] = {NULL};
    const float *values[MOST_LANES] = {NULL};
    float *lane[MOST_LANES];
    for (size_t i = 0; i < lanes; i++) {
        const size_t p = i / strips, strip = i % strips, first_strip = p < pictures ? i - strip : 0;
        if (strip == 0 && p < pictures && job->input) in[i] = job->input(job->cookie, start + p, worker);
        if (strip == 0 && p < pictures && job->values)
            values[i] = job->values(job->cookie, start + p, worker);
        if (job->input) in[i] = in[first_strip] + strip * plane / strips;
        if (job->values) values[i] = values[first_strip] + strip * plane / strips;
        lane[i] =
            run->outputs + ((size_t)worker * lanes + p) * shape_values(out) + strip * out.h * out.w / strips;
    }
    net_workspace_live(ws, net, pictures * strips);
    ws->noise = (struct layer_noise){
        .on = r->noise, .seed = 1, .step = LAYER_NOISE_MEASURE, .first = (uint32_t)start};
    if (job->values)
        load_values(values, plane, &ws->value[0]);
    else
        task_load(r->task, r->kernels, in, plane, NULL, tail ? &tail->block : &r->block[worker],
                  &ws->value[0]);
    net_forward(net, r->kernels, r->params, r->packed, ws);
    r->kernels->store(&ws->value[net->layers], lane, out.h * out.w, pictures * strips);
    for (size_t p = 0; p < pictures; p++) job->output(job->cookie, start + p, lane[p * strips], worker);
}

int runner_run(struct runner *r, const struct runner_job *job, struct caelum_error *err) {
    const struct shape out = r->net->layer[r->net->layers - 1].out;
    const size_t lanes = r->kernels->lanes, left = job->n % lanes;
    struct run run = {.runner = r, .job = job, .tail = tails_for(&r->tails, left)};
    run.n = run.tail ? job->n - left : job->n;
    CHECK(mem_alloc(&run.outputs, (size_t)r->threads * lanes * out.c * out.h, out.w * sizeof(float), err));
    const size_t blocks = (run.n + lanes - 1) / lanes + (run.tail ? 1 : 0);
    const bool shared = blocks > 1 || net_shares(run.tail ? run.tail->net : r->net);
    team_for(shared ? r->threads : 1, blocks, run_block, &run);
    mem_free(&run.outputs);
    return CAELUM_OK;
}
