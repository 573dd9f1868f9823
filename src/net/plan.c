/* plan.c - from layers to steps: where a layer can take its predecessor's work into its own, the two become
 * one, where there is a faster way for the shape at hand, it is taken, and what can be done to fewer pixels
 * of a gradient, behind a pool, is done there. Invisible in the network's text and in model files. */
#include "base/mem.h"
#include "net/net.h"

/* The step that does layers i - 1 and i in one, or NULL. */
static const struct step_ops *fused(const struct caelum_net *net, size_t i) {
    const struct net_layer *layer = &net->layer[i];
    if (i == 0 || !layer->ops->fuse) return NULL;
    return layer->ops->fuse(layer->state, net->layer[i - 1].ops, &net->layer[i - 1].reach);
}

/* The step that layer i begins. */
static struct net_step choose(const struct caelum_net *net, size_t i, bool fuse) {
    const struct net_layer *layer = &net->layer[i];
    struct net_step step = {.ops = layer->ops->step, .first = i, .last = i, .sizes = layer->sizes};
    const struct step_ops *both = fuse && i + 1 < net->layers ? fused(net, i + 1) : NULL;
    if (both)
        step.ops = both, step.last = i + 1;
    else if (fuse && layer->ops->faster && layer->ops->faster(layer->state, layer->in))
        step.ops = layer->ops->faster(layer->state, layer->in);
    const struct net_layer *last = &net->layer[step.last];
    step.sizes = (struct step_sizes){0};
    if (step.ops->sizes) step.ops->sizes(last->state, layer->in, last->out, &step.sizes);
    return step;
}

int net_plan(struct caelum_net *net, bool fuse, struct caelum_error *err) {
    mem_free(&net->step);
    net->fused = fuse;
    CHECK(mem_alloc(&net->step, net->layers, sizeof *net->step, err));
    net->steps = net->packed = net->saved = 0;
    for (size_t i = 0; i < net->layers;) {
        struct net_step step = choose(net, i, fuse);
        step.packed = net->packed;
        net->packed += step.sizes.packed;
        step.saved = net->saved;
        net->saved += step.sizes.saved;
        net->step[net->steps++] = step;
        i = step.last + 1;
    }
    for (struct net_step *s = net->step; fuse && s + 1 < net->step + net->steps; s++)
        s->settled = s->ops->settle && s->sizes.saved == 0 && s[1].ops->traits & STEP_SELECTS;
    return CAELUM_OK;
}

/* Whether all steps do on a tile what they do on the picture. */
static bool can_be_cut(const struct caelum_net *net, struct tiling tiles) {
    struct step_sizes sizes;
    bool can = true;
    for (size_t s = 0; can && s < net->steps; s++) can = net_step_fits(net, &net->step[s], tiles, &sizes);
    return can;
}

int net_tile(caelum_net **out, const struct caelum_net *net, struct tiling tiles, struct caelum_error *err) {
    *out = NULL;
    if (!can_be_cut(net, tiles)) return CAELUM_OK;
    CHECK(net_at(out, net, net->input.h / tiles.down, net->input.w / tiles.across, err));
    return net->fused ? CAELUM_OK : net_plan(*out, false, err);
}

/* Rows and columns of one of `count` tiles, together, times `count`: half its border, up to a factor. */
static size_t half_border(const struct caelum_net *net, size_t down, size_t count) {
    return net->input.h * (count / down) + net->input.w * down;
}

int net_tiles(caelum_net **out, struct tiling *tiles, const struct caelum_net *net, size_t count,
              struct caelum_error *err) {
    size_t best = SIZE_MAX;
    *out = NULL;
    for (size_t down = count; down > 0;
         down /= 2) { /* of two equal cuts that into rows, which are contiguous */
        caelum_net *tile = NULL;
        if (half_border(net, down, count) >= best) continue;
        const struct tiling cut = {down, count / down};
        const int result = net_tile(&tile, net, cut, err);
        if (result != 0) {
            caelum_net_close(out);
            return result;
        }
        if (!tile) continue;
        caelum_net_close(out);
        *out = tile, *tiles = cut;
        best = half_border(net, down, count);
    }
    return CAELUM_OK;
}
