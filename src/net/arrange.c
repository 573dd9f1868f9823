/* arrange.c - how one picture lies in the lanes, step by step. A step that can work on tiles has as many as
 * there are lanes if its pictures are large enough; one whose windows would be cut has fewer, or takes
 * channels for lanes. What lies another way than a step wants it is moved before. Which way costs least,
 * moves included, is found from the first step to the last (Viterbi 1967). Results are the same bits any way.
 */
#include "net/net.h"

#include "base/mem.h"

#include <math.h>

enum { MOST_WAYS = 16 }; /* channels, and grids of powers of two with up to 16 tiles */

/* The shape of a tile, or of a picture whose channels are lanes: its planes. */
struct shape net_lying(struct shape whole, struct tiling tiles, size_t lanes) {
    if (tiling_count(tiles) == 0) return (struct shape){(whole.c + lanes - 1) / lanes, whole.h, whole.w};
    return (struct shape){whole.c, whole.h / tiles.down, whole.w / tiles.across};
}

static bool divides(struct tiling tiles, struct shape whole) {
    return whole.h % tiles.down == 0 && whole.w % tiles.across == 0;
}

/* Whether a layer has the same windows on a tile. Layers with a saved tensor go pixel by pixel, and know its
 * whole shape only. */
static bool layer_fits(const struct net_layer *layer, struct tiling tiles, size_t border) {
    const struct shape in = net_lying(layer->in, tiles, 1), want = net_lying(layer->out, tiles, 1);
    struct layer_reach reach = {1, 1, 1};
    struct shape out = in;
    struct caelum_error none;
    if (!divides(tiles, layer->in) || !divides(tiles, layer->out)) return false;
    if (layer->skip > 0 || !layer->ops->shape) return true;
    return layer->ops->shape(layer->state, in, &out, &reach, &none) == 0 && out.h == want.h &&
           out.w == want.w && in.h % reach.stride == 0 && in.w % reach.stride == 0 &&
           (reach.window <= reach.stride || border > 0);
}

bool net_step_fits(const struct caelum_net *net, const struct net_step *step, struct tiling tiles,
                   struct step_sizes *sizes) {
    const struct net_layer *first = &net->layer[step->first], *last = &net->layer[step->last];
    const struct shape in = net_lying(first->in, tiles, 1);
    *sizes = step->sizes;
    if (tiling_count(tiles) == 1) return true;
    if (!divides(tiles, first->in) || !divides(tiles, last->out)) return false;
    if (step->ops->sizes) step->ops->sizes(last->state, in, net_lying(last->out, tiles, 1), sizes);
    bool fits = true;
    for (size_t i = step->first; i <= step->last; i++) {
        fits = fits && !(net->layer[i].ops->step->traits & (STEP_RANDOM | STEP_WHOLE));
        fits = fits && layer_fits(&net->layer[i], tiles, sizes->pad_x);
    }
    if (!fits || !net->fused || !last->ops->faster || step->first < step->last) return fits;
    const struct step_ops *faster = last->ops->faster(last->state, in);
    return (faster ? faster : last->ops->step) == step->ops;
}

/* --- Costs: roughly operations with a register ----------------------------------------------------- */

static double pixels(struct shape s) {
    return (double)s.c * (double)s.h * (double)s.w;
}

/* INFINITY: it can't. */
static double step_cost(const struct caelum_net *net, size_t s, size_t lanes, struct net_way *way) {
    const struct net_step *step = &net->step[s];
    const struct shape whole_in = net->layer[step->first].in, whole_out = net->layer[step->last].out;
    const bool by_channels = tiling_count(way->tiles) == 0;
    way->sizes = step->sizes;
    if (by_channels ? !step->ops->by_channels : !net_step_fits(net, step, way->tiles, &way->sizes))
        return INFINITY;
    const struct shape in = net_lying(whole_in, way->tiles, lanes),
                       out = net_lying(whole_out, way->tiles, lanes);
    if (by_channels) /* that of all lanes together is less */
        way->sizes.macs = way->sizes.macs / whole_out.c * out.c,
        way->sizes.saved = way->sizes.saved / whole_out.c * out.c;
    const size_t border = tiling_count(way->tiles) > 1 ? way->sizes.pad_x : 0;
    const double around = pixels((struct shape){in.c, in.h + 2 * border, in.w + 2 * border});
    return (double)way->sizes.macs + around + 2 * pixels(out);
}

/* Of equal costs the first counts: tiles are rather wide than high, as rows are contiguous. */
static size_t ways_for(size_t lanes, struct net_way way[MOST_WAYS]) {
    size_t ways = 0;
    way[ways++] = (struct net_way){.tiles = {0, 0}};
    for (size_t across = 1; across <= lanes; across *= 2)
        for (size_t down = 1; down * across <= lanes; down *= 2)
            way[ways++] = (struct net_way){.tiles = {down, across}};
    return ways;
}

/* --- The way -------------------------------------------------------------------------------------- */

/* The best ways up to a tensor, by the way in which it lies. */
struct best {
    double cost[MOST_WAYS];
    size_t from[MOST_WAYS]; /* in which it lay before */
};

static size_t cheapest(const struct best *best, size_t ways) {
    size_t least = 0;
    for (size_t w = 1; w < ways; w++)
        if (best->cost[w] < best->cost[least]) least = w;
    return least;
}

/* Tensor s is the input of step s; the last one is the output, which is read as tiles. */
static void extend(const struct caelum_net *net, size_t s, size_t lanes, size_t ways, struct net_way *way,
                   struct best *best) {
    const struct shape value = s > 0 ? net->layer[net->step[s - 1].last].out : net->input;
    const size_t least = cheapest(&best[s], ways);
    for (size_t w = 0; w < ways; w++) {
        double cost = w > 0 && divides(way[w].tiles, value) ? 0 : INFINITY;
        if (s < net->steps) cost = step_cost(net, s, lanes, &way[w]);
        const double stay = best[s].cost[w], move = best[s].cost[least] + pixels(value);
        best[s + 1].from[w] = stay <= move ? w : least;
        best[s + 1].cost[w] = cost + (stay <= move ? stay : move);
    }
}

int net_arrange(const struct caelum_net *net, size_t lanes, struct tiling *input, struct net_way *way,
                double *cost, struct caelum_error *err) {
    struct net_way all[MOST_WAYS];
    struct best *best = NULL;
    const size_t ways = ways_for(lanes, all);
    CHECK(mem_alloc(&best, net->steps + 2, sizeof *best, err));
    for (size_t w = 0; w < ways; w++)
        best[0].cost[w] = w > 0 && divides(all[w].tiles, net->input) ? 0 : INFINITY;
    for (size_t s = 0; s <= net->steps; s++) extend(net, s, lanes, ways, all, best);
    size_t w = cheapest(&best[net->steps + 1], ways);
    *cost = best[net->steps + 1].cost[w];
    for (size_t s = net->steps + 1; s-- > 0;) {
        way[s] = (struct net_way){.tiles = all[w].tiles};
        if (s < net->steps) step_cost(net, s, lanes, &way[s]);
        w = best[s + 1].from[w];
    }
    *input = all[w].tiles;
    mem_free(&best);
    return CAELUM_OK;
}

int net_one_by_one(const struct caelum_net *net, size_t lanes, size_t *most, struct caelum_error *err) {
    struct net_way *way = NULL;
    struct tiling input;
    double one, block = 0;
    CHECK(mem_alloc(&way, net->steps + 1, sizeof *way, err));
    const int result = net_arrange(net, lanes, &input, way, &one, err);
    for (size_t s = 0; s < net->steps; s++)
        block += step_cost(net, s, lanes, &(struct net_way){.tiles = {1, 1}});
    mem_free(&way);
    *most = result == 0 && block > one ? (size_t)(block / one) : 1;
    return result;
}
