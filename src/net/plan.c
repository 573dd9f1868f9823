/* plan.c - from layers to steps: where a layer can take its predecessor's work into its own, the two become
 * one, where there is a faster way for the shape at hand, it is taken, and what can be done to fewer pixels
 * of a gradient, behind a pool, is done there. Invisible in the network's text and in model files. */
#include "base/mem.h"
#include "base/team.h"
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
    net->steps = net->packed = net->scratch = net->saved = 0;
    for (size_t i = 0; i < net->layers;) {
        struct net_step step = choose(net, i, fuse);
        step.packed = net->packed;
        net->packed += step.sizes.packed;
        step.saved = net->saved;
        net->saved += step.sizes.saved;
        if (step.sizes.scratch > net->scratch) net->scratch = step.sizes.scratch;
        net->step[net->steps++] = step;
        i = step.last + 1;
    }
    for (struct net_step *s = net->step; fuse && s + 1 < net->step + net->steps; s++)
        s->settled = s->ops->settle && s->sizes.saved == 0 && s[1].ops->traits & STEP_SELECTS;
    return CAELUM_OK;
}

/* Whether layer i does on a tile what it does on the picture. */
static bool works_on_tiles(const struct net_layer *whole, const struct net_layer *part, struct tiling tiles) {
    const struct layer_reach *reach = &part->reach;
    return part->out.h * tiles.down == whole->out.h && part->out.w * tiles.across == whole->out.w &&
           part->in.h % reach->stride == 0 && part->in.w % reach->stride == 0 &&
           (reach->window <= reach->stride || part->sizes.pad_x > 0);
}

/* Whether all layers take pictures apart. */
static bool can_be_cut(const struct caelum_net *net) {
    bool can = true;
    for (size_t i = 0; can && i < net->layers; i++)
        can = !(net->layer[i].ops->step->traits & (STEP_RANDOM | STEP_WHOLE));
    return can;
}

/* Whether both go the same way step by step: then they give the same bits, and share derived weights. */
static bool same_steps(const struct caelum_net *a, const struct caelum_net *b) {
    bool same = a->steps == b->steps && a->packed == b->packed;
    for (size_t i = 0; same && i < a->steps; i++) same = a->step[i].ops == b->step[i].ops;
    return same;
}

int net_tile(caelum_net **out, const struct caelum_net *net, struct tiling tiles, struct caelum_error *err) {
    struct caelum_error none = {0};
    caelum_net *tile = NULL;
    *out = NULL;
    if (!can_be_cut(net) || net->input.h % tiles.down != 0 || net->input.w % tiles.across != 0)
        return CAELUM_OK;
    const int code = net_at(&tile, net, net->input.h / tiles.down, net->input.w / tiles.across, &none);
    if (code == CAELUM_ERESOURCE) return caelum_fail(err, code, "%s", none.text);
    if (code != 0) return CAELUM_OK; /* a layer that does not fit a tile */
    bool works = tile->params == net->params;
    for (size_t i = 0; works && i < net->layers; i++)
        works = works_on_tiles(&net->layer[i], &tile->layer[i], tiles);
    const int result = works && !net->fused ? net_plan(tile, false, err) : CAELUM_OK;
    if (!works || result != 0 || !same_steps(net, tile)) caelum_net_close(&tile);
    *out = tile;
    return result;
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

bool net_shares(const struct caelum_net *net) {
    for (size_t i = 0; i < net->steps; i++)
        if (net->step[i].sizes.macs >= 4 * TEAM_WORK) return true;
    return false;
}
