/* engine.c - memory for blocks, and pictures into lanes. */
#include "engine/engine.h"

#include "base/mem.h"
#include "base/parallel.h"
#include "base/team.h"

enum { TILES = 3 }; /* numbers of tiles: 2, 4, 8 */

/* For blocks of pictures, or with `tiles` of 0 for one picture at a time. */
static int open_place(const struct engine *e, const struct caelum_net *net, struct engine_place *place,
                      struct tiling tiles, struct caelum_error *err) {
    if (place->open) return CAELUM_OK;
    const size_t lanes = e->kernels->lanes, members = team_parts(e->settings.threads);
    struct net_workspace *ws = &place->workspace;
    place->open = true;
    if (tiling_count(tiles) == 0) {
        CHECK(net_workspace_open_one(ws, net, lanes, members, err));
    } else {
        CHECK(net_workspace_open_shared(ws, net, lanes, e->settings.learns, members, err));
        ws->tiles = tiles;
    }
    const struct tensor *x = &ws->value[0];
    return task_block_open(&place->block, e->settings.task, net, (struct shape){x->c, x->h, x->w}, lanes,
                           e->settings.learns, err);
}

static void close_place(struct engine_place *place) {
    net_workspace_close(&place->workspace);
    task_block_close(&place->block);
    place->open = false;
}

/* The places of the threads that `jobs` have. */
static int open_places(const struct engine *e, struct engine_place *place, struct tiling tiles, size_t jobs,
                       struct caelum_error *err) {
    for (size_t i = 0; i < jobs && i < (size_t)e->settings.threads; i++) {
        const int result = open_place(e, e->net, &place[i], tiles, err);
        if (result == 0) continue;
        close_place(&place[i]);
        return result;
    }
    return CAELUM_OK;
}

int engine_reserve(struct engine *e, const struct engine_cut *cut, struct caelum_error *err) {
    /* any thread may take a job of either kind */
    const size_t jobs = engine_cut_jobs(cut);
    CHECK(open_places(e, e->place, (struct tiling){1, 1}, cut->blocks > 0 ? jobs : 0, err));
    if (!cut->tail) return open_places(e, e->alone, (struct tiling){0, 0}, cut->left > 0 ? jobs : 0, err);
    const int result = open_place(e, cut->tail->net, &cut->tail->place, cut->tail->tiles, err);
    if (result != 0) close_place(&cut->tail->place);
    return result;
}

/* Everything that any cut needs; those who learn cut tails of eight lanes. */
static int reserve_all(struct engine *e, struct caelum_error *err) {
    CHECK(engine_reserve(e, &(struct engine_cut){.blocks = (size_t)e->settings.threads}, err));
    for (size_t i = 0; i < TILES; i++)
        if (e->tiles[i].net) CHECK(engine_reserve(e, &(struct engine_cut){.tail = &e->tiles[i]}, err));
    return CAELUM_OK;
}

int engine_open(struct engine *out, const struct caelum_net *net, const struct engine_settings *settings,
                struct caelum_error *err) {
    struct engine e = {.net = net, .settings = *settings};
    enum cpu_level level;
    CHECK(cpu_choose(&level, err));
    e.kernels = kernels_get(level);
    e.settings.threads = parallel_threads(e.settings.threads);
    int result = mem_alloc(&e.packed, net->packed, sizeof(float), err);
    if (result == 0) result = mem_alloc(&e.place, (size_t)e.settings.threads, sizeof *e.place, err);
    if (result == 0) result = mem_alloc(&e.alone, (size_t)e.settings.threads, sizeof *e.alone, err);
    if (result == 0) result = net_one_by_one(net, e.kernels->lanes, &e.most_alone, err);
    for (size_t i = 0; result == 0 && settings->learns && i < TILES; i++)
        result = net_tiles(&e.tiles[i].net, &e.tiles[i].tiles, net, (size_t)2 << i, err);
    if (result == 0 && settings->learns) result = reserve_all(&e, err);
    if (result != 0)
        engine_close(&e);
    else
        *out = e;
    return result;
}

void engine_close(struct engine *e) {
    for (int i = 0; e->place && i < e->settings.threads; i++) close_place(&e->place[i]);
    for (int i = 0; e->alone && i < e->settings.threads; i++) close_place(&e->alone[i]);
    for (size_t i = 0; i < TILES; i++) {
        close_place(&e->tiles[i].place);
        caelum_net_close(&e->tiles[i].net);
    }
    mem_free(&e->place);
    mem_free(&e->alone);
    mem_free(&e->packed);
}

static void pack_step(void *cookie, size_t s, int worker) {
    const struct engine *e = cookie;
    (void)worker;
    net_pack_step(e->net, s, e->params, e->packed);
    if (!e->settings.learns) net_pack_by_channels(e->net, s, e->packed);
}

void engine_pack(struct engine *e, const float *params) {
    enum { WORTH_SHARING = 65536 };
    e->params = params;
    parallel_for(e->net->packed < WORTH_SHARING ? 1 : e->settings.threads, e->net->steps, pack_step, e);
}

/* --- Blocks --------------------------------------------------------------------------------------- */

/* Where fewer than eight pictures go: as many tiles as fit. NULL: there are none, or they are too many for
 * that, or the network can't: then they are a block of their own. */
static struct engine_tiles *tail_for(struct engine *e, size_t left) {
    for (size_t i = TILES; left > 0 && i-- > 0;)
        if (e->tiles[i].net && left << (i + 1) <= SUM_LANES) return &e->tiles[i];
    return NULL;
}

struct engine_cut engine_cut(struct engine *e, size_t n) {
    const size_t lanes = e->kernels->lanes;
    struct engine_cut cut = {.left = n % (e->settings.learns ? SUM_LANES : lanes)};
    cut.tail = tail_for(e, cut.left);
    if (e->settings.learns ? !cut.tail : cut.left > e->most_alone) cut.left = 0;
    cut.pictures = n - cut.left;
    cut.blocks = (cut.pictures + lanes - 1) / lanes;
    return cut;
}

struct engine_block engine_block(struct engine *e, const struct engine_cut *cut, size_t number, int worker) {
    const size_t lanes = e->kernels->lanes, first = number * lanes, rest = cut->pictures - first;
    if (number < cut->blocks)
        return (struct engine_block){e->net, &e->place[worker], first, rest < lanes ? rest : lanes};
    if (cut->tail) return (struct engine_block){cut->tail->net, &cut->tail->place, cut->pictures, cut->left};
    return (struct engine_block){e->net, &e->alone[worker], cut->pictures + number - cut->blocks, 1};
}

struct tensor engine_load(const struct engine *e, const struct engine_block *b,
                          const uint8_t *const *pictures, const uint16_t *labels) {
    const struct net_workspace *ws = &b->place->workspace;
    const size_t lanes = e->kernels->lanes, count = tiling_count(ws->tiles);
    const struct shape in = e->net->input;
    const uint8_t *lane[MOST_LANES];
    uint16_t label[MOST_LANES] = {0};
    for (size_t i = 0; i < lanes; i++) {
        const size_t p = i / count < b->pictures ? i / count : 0;
        lane[i] = pictures[p] + engine_tile_at(ws->tiles, i % count, in);
        if (labels) label[i] = labels[p];
    }
    return task_load(e->settings.task, e->kernels, lane, in, label, &b->place->block, &ws->value[0]);
}

void engine_forward(const struct engine *e, const struct engine_block *b, const struct layer_noise *noise) {
    struct net_workspace *ws = &b->place->workspace;
    net_workspace_live(ws, b->net, b->pictures * tiling_count(ws->tiles));
    ws->noise = *noise;
    net_forward(b->net, e->kernels, e->params, e->packed, ws);
}
