/* runner.c - inference, block by block. */
#include "api/runner.h"

#include "base/mem.h"
#include "base/parallel.h"

int runner_open(struct runner *out, const struct caelum_net *net, const float *params, int threads,
                struct caelum_error *err) {
    struct runner r = {.net = net,
                       .params = params,
                       .threads = threads > 0 ? threads : parallel_default_threads(),
                       .task = net->input.c == 1 ? CAELUM_COLORIZE : CAELUM_RECONSTRUCT};
    enum cpu_level level;
    CHECK(cpu_choose(&level, err));
    r.kernels = kernels_get(level);
    int result = mem_alloc(&r.packed, net->packed, sizeof(float), err);
    if (result == 0) result = mem_alloc(&r.workspace, (size_t)r.threads, sizeof *r.workspace, err);
    if (result == 0) result = mem_alloc(&r.block, (size_t)r.threads, sizeof *r.block, err);
    for (int i = 0; result == 0 && i < r.threads; i++) {
        result = net_workspace_open(&r.workspace[i], net, r.kernels->lanes, false, err);
        if (result == 0) result = task_block_open(&r.block[i], r.task, net, r.kernels->lanes, false, err);
    }
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
    mem_free(&r->workspace);
    mem_free(&r->block);
    mem_free(&r->packed);
}

struct run {
    const struct runner *runner;
    const struct runner_job *job;
    float *outputs; /* a block's pictures for each thread */
};

static void run_block(void *cookie, size_t block, int worker) {
    const struct run *run = cookie;
    const struct runner *r = run->runner;
    const struct runner_job *job = run->job;
    struct net_workspace *ws = &r->workspace[worker];
    const struct tensor *out = &ws->value[r->net->layers];
    const size_t lanes = r->kernels->lanes;
    const size_t first = block * lanes, left = job->n - first, live = left < lanes ? left : lanes;
    const size_t size = out->c * out->h * out->w;
    const uint8_t *in[MOST_LANES];
    float *lane[MOST_LANES];
    for (size_t i = 0; i < lanes; i++) {
        in[i] = i < live ? job->input(job->cookie, first + i, worker) : in[0];
        lane[i] = run->outputs + ((size_t)worker * lanes + i) * size;
    }
    net_workspace_live(ws, r->net, live);
    ws->noise = (struct layer_noise){
        .on = r->noise, .seed = 1, .step = LAYER_NOISE_MEASURE, .first = (uint32_t)first};
    task_load(r->task, r->kernels, in, &r->block[worker], &ws->value[0]);
    net_forward(r->net, r->kernels, r->params, r->packed, ws);
    r->kernels->store(out, lane, live);
    for (size_t i = 0; i < live; i++) job->output(job->cookie, first + i, lane[i], worker);
}

int runner_run(struct runner *r, const struct runner_job *job, struct caelum_error *err) {
    const struct shape out = r->net->layer[r->net->layers - 1].out;
    const size_t lanes = r->kernels->lanes;
    struct run run = {.runner = r, .job = job};
    CHECK(mem_alloc(&run.outputs, (size_t)r->threads * lanes * out.c * out.h, out.w * sizeof(float), err));
    parallel_for(r->threads, (job->n + lanes - 1) / lanes, run_block, &run);
    mem_free(&run.outputs);
    return CAELUM_OK;
}
