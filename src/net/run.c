/* run.c - a block's way through the network: memory for its tensors, forward, backward. */
#include "net/net.h"

#include "base/mem.h"

#include <string.h>

void net_init(const struct caelum_net *net, uint64_t seed, float *params) {
    for (size_t i = 0; i < net->layers; i++) {
        const struct net_layer *layer = &net->layer[i];
        struct rng rng = rng_make(seed, RNG_WEIGHTS, (uint32_t)i);
        if (layer->ops->init) layer->ops->init(layer->state, layer->in, &rng, params + layer->params);
    }
}

void net_pack(const struct caelum_net *net, const float *params, float *packed) {
    for (size_t i = 0; i < net->layers; i++) {
        const struct net_layer *layer = &net->layer[i];
        if (layer->ops->pack)
            layer->ops->pack(layer->state, layer->in, params + layer->params, packed + layer->packed);
    }
}

static struct tensor make_tensor(struct shape shape, size_t pad) {
    struct tensor t = {.c = shape.c, .h = shape.h, .w = shape.w, .step = LANES, .pad = pad};
    t.row = (shape.w + 2 * pad) * LANES;
    t.plane = (shape.h + 2 * pad) * t.row;
    return t;
}

/* Gives the tensor its place in memory, or only counts when memory is NULL. */
static void place(struct tensor *t, float *memory, size_t *used) {
    if (memory) t->data = memory + *used + t->pad * (t->row + t->step);
    *used += t->c * t->plane;
}

/* Lays all tensors out one after the other; returns the floats used. */
static size_t lay_out(const struct caelum_net *net, struct net_workspace *ws) {
    size_t used = 0;
    for (size_t i = 0; i <= net->layers; i++) {
        const struct shape shape = i ? net->layer[i - 1].out : net->input;
        ws->value[i] = make_tensor(shape, i < net->layers ? net->layer[i].sizes.pad_x : 0);
        place(&ws->value[i], ws->memory, &used);
        if (!ws->grad || i == 0) continue;
        ws->grad[i] = make_tensor(shape, net->layer[i - 1].sizes.pad_dy);
        place(&ws->grad[i], ws->memory, &used);
    }
    return used;
}

int net_workspace_open(struct net_workspace *out, const struct caelum_net *net, bool gradients,
                       struct caelum_error *err) {
    struct net_workspace ws = {0};
    int result = mem_alloc(&ws.value, net->layers + 1, sizeof *ws.value, err);
    if (result == 0 && gradients) result = mem_alloc(&ws.grad, net->layers + 1, sizeof *ws.grad, err);
    if (result == 0) result = mem_alloc(&ws.memory, lay_out(net, &ws), sizeof(float), err);
    if (result != 0) {
        net_workspace_close(&ws);
        return result;
    }
    lay_out(net, &ws);
    *out = ws;
    return CAELUM_OK;
}

void net_workspace_close(struct net_workspace *ws) {
    mem_free(&ws->value);
    mem_free(&ws->grad);
    mem_free(&ws->memory);
}

static struct layer_io layer_io(const struct caelum_net *net, size_t i, const struct kernels *kernels,
                                const float *params, const float *packed, const struct net_workspace *ws) {
    const struct net_layer *layer = &net->layer[i];
    return (struct layer_io){.kernels = kernels,
                             .state = layer->state,
                             .params = params + layer->params,
                             .packed = packed + layer->packed,
                             .x = ws->value[i],
                             .y = ws->value[i + 1]};
}

void net_forward(const struct caelum_net *net, const struct kernels *kernels, const float *params,
                 const float *packed, const struct net_workspace *ws) {
    for (size_t i = 0; i < net->layers; i++) {
        const struct layer_io io = layer_io(net, i, kernels, params, packed, ws);
        net->layer[i].ops->forward(&io);
    }
}

void net_backward(const struct caelum_net *net, const struct kernels *kernels, const float *params,
                  const float *packed, const struct net_workspace *ws, float *grads) {
    /* Below the first layer with parameters no gradient is wanted. */
    size_t first = 0;
    while (first < net->layers && net->layer[first].sizes.params == 0) first++;
    for (size_t i = net->layers; i-- > first;) {
        struct layer_io io = layer_io(net, i, kernels, params, packed, ws);
        io.grads = grads + net->layer[i].params;
        io.dy = ws->grad[i + 1];
        if (i > first) io.dx = ws->grad[i];
        net->layer[i].ops->backward(&io);
    }
}
