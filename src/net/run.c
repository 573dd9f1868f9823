/* run.c - a block's way through the network: memory for its tensors, forward, backward. */
#include "net/net.h"

#include "base/mem.h"
#include "base/team.h"

#include <string.h>

/* base + i; a network without parameters has NULL for base, to which C lets nobody add 0. */
static const float *at(const float *base, size_t i) {
    return i > 0 ? base + i : base;
}

void net_init(const struct caelum_net *net, uint64_t seed, float *params) {
    for (size_t i = 0; i < net->layers; i++) {
        const struct net_layer *layer = &net->layer[i];
        struct rng rng = rng_make(seed, RNG_WEIGHTS, (uint32_t)i);
        if (layer->ops->init) layer->ops->init(layer->state, layer->in, &rng, params + layer->params);
    }
}

void net_pack_step(const struct caelum_net *net, size_t s, const float *params, float *packed) {
    const struct net_step *step = &net->step[s];
    const struct net_layer *layer = &net->layer[step->last];
    if (step->ops->pack)
        step->ops->pack(layer->state, net->layer[step->first].in, params + layer->params,
                        packed + step->packed);
}

void net_pack(const struct caelum_net *net, const float *params, float *packed) {
    for (size_t s = 0; s < net->steps; s++) net_pack_step(net, s, params, packed);
}

void net_pack_by_channels(const struct caelum_net *net, size_t s, float *packed) {
    const struct net_step *step = &net->step[s];
    if (step->ops->pack_by_channels)
        step->ops->pack_by_channels(net->layer[step->last].state, net->layer[step->first].in,
                                    packed + step->packed);
}

static struct tensor make_tensor(struct shape shape, size_t lanes, size_t pad) {
    struct tensor t = {.c = shape.c, .h = shape.h, .w = shape.w, .step = lanes, .pad = pad};
    t.row = (shape.w + 2 * pad) * lanes;
    t.plane = (shape.h + 2 * pad) * t.row;
    return t;
}

/* Gives the tensor its place in memory, or only counts when memory is NULL. */
static void place(struct tensor *t, float *memory, size_t *used) {
    if (memory) t->data = memory + *used + t->pad * (t->row + t->step);
    *used += t->c * t->plane;
}

/* When a tensor of the plan is needed, and where it stays. */
struct span {
    struct tensor *tensor;
    size_t first, last; /* steps: the one that makes it, the last that reads it */
    size_t at, size;    /* floats */
    bool placed;
};

/* The lowest place that is free as long as the tensor is needed. */
static size_t free_place(const struct span *span, const struct span *all, size_t count) {
    size_t at = 0;
    for (const struct span *s = all; s < all + count;) {
        const bool together = s->placed && s->first <= span->last && span->first <= s->last;
        if (together && at < s->at + s->size && s->at < at + span->size)
            at = s->at + s->size, s = all; /* others may be in the way there */
        else
            s++;
    }
    return at;
}

/* Tensors that are not needed at the same time share memory; the largest choose first. Returns the floats
 * used. */
static size_t share(struct span *span, size_t count) {
    size_t used = 0;
    for (size_t n = 0; n < count; n++) {
        struct span *largest = NULL;
        for (struct span *s = span; s < span + count; s++)
            if (!s->placed && (!largest || s->size > largest->size)) largest = s;
        largest->at = free_place(largest, span, count);
        largest->placed = true;
        if (largest->at + largest->size > used) used = largest->at + largest->size;
    }
    return used;
}

/* The layer whose input is the tensor before step s, or after the last. */
static size_t index_of(const struct caelum_net *net, size_t s) {
    return s < net->steps ? net->step[s].first : net->layers;
}

static size_t last_reader(const struct caelum_net *net, size_t s) {
    size_t last = s;
    for (size_t t = s; t < net->steps; t++)
        if (s > 0 && net->layer[net->step[t].last].skip == index_of(net, s)) last = t;
    return last;
}

/* Each tensor in memory as long as it is needed. With gradients, time goes on after the last step: step s
 * runs backward at 2 * steps - 1 - s, which reads its input and its output, and the gradient of the latter.
 */
static size_t lay_out_tensors(const struct caelum_net *net, struct net_workspace *ws, struct span *span) {
    const size_t end = 2 * net->steps;
    size_t count = 0;
    for (size_t s = 0; s <= net->steps; s++) {
        const size_t i = index_of(net, s), made = s > 0 ? s - 1 : 0;
        const struct span own = {.first = s, .last = s};
        span[count++] = (struct span){
            .tensor = &ws->value[i], .first = made, .last = ws->grad ? end - 1 - made : last_reader(net, s)};
        if (ws->way && ws->way[s].x.c > 0) span[count] = own, span[count++].tensor = &ws->way[s].x;
        if (ws->way && ws->way[s].skip.c > 0) span[count] = own, span[count++].tensor = &ws->way[s].skip;
        if (!ws->grad || s == 0) continue;
        ws->grad[i] = make_tensor(net->layer[i - 1].out, ws->lanes, net->step[made].sizes.pad_dy);
        span[count++] = (struct span){.tensor = &ws->grad[i], .first = end - 1 - s, .last = end - s};
    }
    for (size_t i = 0; ws->grad && i < net->skips; i++) {
        struct tensor *t = &ws->skip_grad[net->skip[i].value];
        size_t s = 0;
        while (index_of(net, s) < net->skip[i].value) s++;
        *t = make_tensor(net->skip[i].saved.shape, ws->lanes, 0);
        span[count++] = (struct span){.tensor = t, .first = net->steps, .last = end - s};
    }
    for (size_t i = 0; i < count; i++) span[i].size = span[i].tensor->c * span[i].tensor->plane;
    const size_t used = share(span, count);
    for (size_t i = 0; ws->memory && i < count; i++) place(span[i].tensor, ws->memory, &span[i].at);
    return used;
}

/* How the tensor before step s lies, or that after the last. */
static struct tiling lies_before(const struct net_workspace *ws, size_t s) {
    return s > 0 && ws->way ? ws->way[s - 1].tiles : ws->tiles;
}

/* The step whose input is the saved tensor that step s reads, or SIZE_MAX. */
static size_t saved_at(const struct caelum_net *net, size_t s) {
    const size_t skip = net->layer[net->step[s].last].skip;
    for (size_t t = 1; skip > 0 && t <= s; t++)
        if (index_of(net, t) == skip) return t;
    return SIZE_MAX;
}

static const struct step_sizes *sizes_at(const struct caelum_net *net, const struct net_workspace *ws,
                                         size_t s) {
    return ws->way ? &ws->way[s].sizes : &net->step[s].sizes;
}

static struct shape shape_at(const struct caelum_net *net, size_t s) {
    return s > 0 ? net->layer[index_of(net, s) - 1].out : net->input;
}

/* The tensor at step s in the lanes of `tiles`. */
static struct tensor make_lying(const struct caelum_net *net, const struct net_workspace *ws, size_t s,
                                struct tiling tiles, size_t pad) {
    struct tensor t = make_tensor(net_lying(shape_at(net, s), tiles, ws->lanes), ws->lanes, pad);
    if (ws->way && tiling_count(tiles) > 0) t.idle = ws->lanes - tiling_count(tiles);
    return t;
}

static bool same_tiling(struct tiling a, struct tiling b) {
    return a.down == b.down && a.across == b.across;
}

/* The input of step s, and what it wants to lie another way; s may be behind the last. */
static void make_inputs(const struct caelum_net *net, struct net_workspace *ws, size_t s) {
    const struct tiling here = lies_before(ws, s);
    const size_t pad = s < net->steps ? sizes_at(net, ws, s)->pad_x : 0;
    const bool moved = ws->way && !same_tiling(here, ws->way[s].tiles);
    ws->value[index_of(net, s)] = make_lying(net, ws, s, here, moved ? 0 : pad);
    if (moved) ws->way[s].x = make_lying(net, ws, s, ws->way[s].tiles, pad);
    const size_t saved = ws->way && s < net->steps ? saved_at(net, s) : SIZE_MAX;
    if (saved <= s && !same_tiling(lies_before(ws, saved), ws->way[s].tiles))
        ws->way[s].skip = make_lying(net, ws, saved, ws->way[s].tiles, 0);
}

/* Lays out the tensors, then the scratch, then what is kept, until it comes back or nobody wants it any more;
 * returns the floats used. */
static size_t lay_out(const struct caelum_net *net, struct net_workspace *ws, struct span *span) {
    size_t scratch = 0, kept = ws->grad ? net->saved : 0;
    for (size_t s = 0; s < net->steps; s++) {
        const struct step_sizes *sizes = sizes_at(net, ws, s);
        if (sizes->scratch > scratch) scratch = sizes->scratch;
        if (!ws->grad && sizes->saved > kept) kept = sizes->saved;
    }
    scratch =
        (scratch * ws->members + MOST_LANES - 1) / MOST_LANES * MOST_LANES; /* what follows stays aligned */
    for (size_t s = 0; s <= net->steps; s++) make_inputs(net, ws, s);
    const size_t used = lay_out_tensors(net, ws, span);
    if (ws->memory) {
        ws->scratch = ws->memory + used;
        ws->saved = ws->scratch + scratch;
    }
    return used + scratch + kept * ws->lanes;
}

/* Memory for a workspace of which the rest is known. */
static int open_workspace(struct net_workspace *ws, const struct caelum_net *net, bool gradients,
                          struct caelum_error *err) {
    struct span *span = NULL;
    int result = mem_alloc(&ws->value, net->layers + 1, sizeof *ws->value, err);
    if (result == 0 && gradients) result = mem_alloc(&ws->grad, net->layers + 1, sizeof *ws->grad, err);
    if (result == 0 && gradients)
        result = mem_alloc(&ws->skip_grad, net->layers + 1, sizeof *ws->skip_grad, err);
    if (result == 0) result = mem_alloc(&span, 3 * (net->steps + 1) + net->skips, sizeof *span, err);
    if (result == 0) result = mem_alloc(&ws->memory, lay_out(net, ws, span), sizeof(float), err);
    if (result == 0) lay_out(net, ws, span);
    mem_free(&span);
    return result;
}

int net_workspace_open_shared(struct net_workspace *out, const struct caelum_net *net, size_t lanes,
                              bool gradients, size_t members, struct caelum_error *err) {
    struct net_workspace ws = {.lanes = lanes, .tiles = {1, 1}, .members = members};
    const int result = open_workspace(&ws, net, gradients, err);
    if (result != 0)
        net_workspace_close(&ws);
    else
        *out = ws;
    return result;
}

int net_workspace_open_one(struct net_workspace *out, const struct caelum_net *net, size_t lanes,
                           size_t members, struct caelum_error *err) {
    struct net_workspace ws = {.lanes = lanes, .members = members};
    double cost;
    int result = mem_alloc(&ws.way, net->steps + 1, sizeof *ws.way, err);
    if (result == 0) result = net_arrange(net, lanes, &ws.tiles, ws.way, &cost, err);
    if (result == 0) result = open_workspace(&ws, net, false, err);
    if (result != 0)
        net_workspace_close(&ws);
    else
        *out = ws;
    return result;
}

int net_workspace_open(struct net_workspace *out, const struct caelum_net *net, size_t lanes, bool gradients,
                       struct caelum_error *err) {
    return net_workspace_open_shared(out, net, lanes, gradients, 1, err);
}

void net_workspace_close(struct net_workspace *ws) {
    mem_free(&ws->way);
    mem_free(&ws->value);
    mem_free(&ws->grad);
    mem_free(&ws->skip_grad);
    mem_free(&ws->memory);
}

/* Where no step has 100,000 operations with registers, some 30 microseconds, two threads take longer than
 * one. */
bool net_shares(const struct caelum_net *net, const struct net_workspace *ws) {
    enum { WORTH_SHARING = 6 * TEAM_WORK };
    bool shares = false;
    for (size_t s = 0; s < net->steps; s++) shares |= sizes_at(net, ws, s)->macs >= WORTH_SHARING;
    return shares;
}

void net_workspace_live(struct net_workspace *ws, const struct caelum_net *net, size_t live) {
    for (size_t i = 0; !ws->way && i <= net->layers; i++) {
        ws->value[i].idle = ws->lanes - live;
        if (ws->grad) ws->grad[i].idle = ws->skip_grad[i].idle = ws->lanes - live;
    }
}

static struct layer_io step_io(const struct caelum_net *net, const struct net_step *step,
                               const struct kernels *kernels, const float *params, const float *packed,
                               const struct net_workspace *ws) {
    const struct net_layer *layer = &net->layer[step->last];
    struct layer_io io = {.kernels = kernels,
                          .state = layer->state,
                          .params = at(params, layer->params),
                          .packed = at(packed, step->packed),
                          .scratch = ws->scratch,
                          .saved = ws->saved + (ws->grad ? step->saved * ws->lanes : 0),
                          .x = ws->value[step->first],
                          .y = ws->value[step->last + 1],
                          .channels = net->layer[step->first].in.c,
                          .noise = &ws->noise,
                          .number = (uint32_t)step->last,
                          .tiles = ws->tiles,
                          .next = net->params};
    if (layer->skip > 0) io.skip = ws->value[layer->skip];
    if (layer->skip > 0 && ws->skip_grad) io.dskip = ws->skip_grad[layer->skip];
    return io;
}

/* Zeros around each channel, where another tensor may have been. */
static void clear_border(const struct tensor *x) {
    const size_t left = x->pad * x->step, above = x->pad * x->row;
    for (size_t c = 0; c < x->c; c++) {
        float *row = tensor_at(x, c, 0, 0);
        memset(row - left - above, 0, (above + left) * sizeof *row);
        for (size_t i = 0; i < x->h; i++, row += x->row)
            memset(row + x->w * x->step, 0, 2 * left * sizeof *row);
        memset(row - left, 0, above * sizeof *row);
    }
}

/* Moves the tensor at step `from` to where step s wants it, if it lies another way. */
static struct tensor moved(const struct caelum_net *net, const struct kernels *kernels,
                           const struct net_workspace *ws, size_t from, size_t s, const struct tensor *to) {
    const struct tensor *t = &ws->value[index_of(net, from)];
    if (!to->data) return *t;
    kernels->rearrange(t, lies_before(ws, from), to, ws->way[s].tiles, shape_at(net, from).c);
    return *to;
}

void net_forward_step(const struct caelum_net *net, size_t s, const struct kernels *kernels,
                      const float *params, const float *packed, const struct net_workspace *ws) {
    const struct step_ops *ops = net->step[s].ops;
    struct layer_io io = step_io(net, &net->step[s], kernels, params, packed, ws);
    if (ws->way) {
        io.tiles = ws->way[s].tiles;
        io.x = moved(net, kernels, ws, s, s, &ws->way[s].x);
        if (ws->way[s].skip.data) io.skip = moved(net, kernels, ws, saved_at(net, s), s, &ws->way[s].skip);
    }
    if (tiling_count(io.tiles) > 1 && io.x.pad > 0)
        kernels->halo(&io.x, io.tiles);
    else if (io.x.pad > 0)
        clear_border(&io.x);
    (tiling_count(io.tiles) > 0 ? ops->forward : ops->by_channels)(&io);
}

void net_forward(const struct caelum_net *net, const struct kernels *kernels, const float *params,
                 const float *packed, const struct net_workspace *ws) {
    for (size_t s = 0; s < net->steps; s++) net_forward_step(net, s, kernels, params, packed, ws);
    if (ws->way) moved(net, kernels, ws, net->steps, net->steps, &ws->way[net->steps].x);
}

static bool has_params(const struct caelum_net *net, const struct net_step *step) {
    return net->layer[step->last].count > 0;
}

size_t net_lowest_step(const struct caelum_net *net) {
    size_t lowest = 0;
    while (lowest < net->steps && !has_params(net, &net->step[lowest])) lowest++;
    return lowest;
}

void net_backward_step(const struct caelum_net *net, size_t s, const struct kernels *kernels,
                       const float *params, const float *packed, const struct net_workspace *ws,
                       float *grads) {
    const struct net_step *step = &net->step[s];
    struct layer_io io = step_io(net, step, kernels, params, packed, ws);
    io.grads = grads + net->layer[step->last].params;
    io.dy = ws->grad[step->last + 1];
    const bool lowest = s == net_lowest_step(net);
    if (!lowest) io.dx = ws->grad[step->first];
    if (io.dy.pad > 0) clear_border(&io.dy);
    io.settled = step->settled;
    if (!lowest && step[-1].settled) {
        struct layer_io before = step_io(net, step - 1, kernels, params, packed, ws);
        before.grads = grads + net->layer[step[-1].last].params;
        before.y = io.y, before.dy = io.dy;
        step[-1].ops->settle(&before);
    }
    step->ops->backward(&io);
}

void net_backward(const struct caelum_net *net, const struct kernels *kernels, const float *params,
                  const float *packed, const struct net_workspace *ws, float *grads) {
    const size_t lowest = net_lowest_step(net);
    for (size_t i = 0; i < net->skips; i++) kernels->clear(&ws->skip_grad[net->skip[i].value]);
    for (size_t s = net->steps; s-- > lowest;) net_backward_step(net, s, kernels, params, packed, ws, grads);
}
