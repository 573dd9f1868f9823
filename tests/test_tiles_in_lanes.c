/* test_tiles_in_lanes.c - pictures cut into tiles that fill the lanes, and single pictures whose channels do,
 * give what whole pictures give: outputs bit for bit, gradients to rounding and with the same bits in blocks
 * of 8 and 16; and networks that can't work on tiles are known. */
#include "random_net.h"

#include "engine/engine.h"

#include <math.h>

/* Eight pictures and their outputs' gradient, and what the network makes of them. */
struct trial {
    const struct caelum_net *net;
    const struct kernels *kernels;
    float *params, *packed;
    float *input, *dy; /* [picture][c][h][w] */
    size_t inputs, outputs;
};

struct result {
    float *output, *grads;
};

/* Pictures of the first eight lanes, or of all where one picture has more tiles. */
static size_t lanes_of(struct tiling tiles) {
    return tiling_count(tiles) > SUM_LANES ? MOST_LANES : SUM_LANES;
}

/* Lane l of the block's first lanes is tile l % count of picture l / count, of `values` each; the idle lanes
 * repeat them. */
static void to_lanes(const struct tensor *t, const float *pictures, size_t values, struct tiling tiles) {
    const size_t h = t->h * tiles.down, w = t->w * tiles.across, count = tiling_count(tiles);
    for (size_t lane = 0; lane < t->step; lane++) {
        const float *picture = pictures + lane % lanes_of(tiles) / count * values;
        const size_t top = lane % count / tiles.across * t->h, left = lane % tiles.across * t->w;
        for (size_t c = 0; c < t->c; c++)
            for (size_t i = 0; i < t->h; i++)
                for (size_t j = 0; j < t->w; j++)
                    tensor_at(t, c, (ptrdiff_t)i, (ptrdiff_t)j)[lane] =
                        picture[(c * h + top + i) * w + left + j];
    }
}

/* The outputs in a block's first lanes. */
static void from_lanes(const struct tensor *y, float *pictures, size_t values, struct tiling tiles,
                       const struct kernels *kernels) {
    const size_t h = y->h * tiles.down, w = y->w * tiles.across, count = tiling_count(tiles);
    float *lane[MOST_LANES];
    for (size_t l = 0; l < lanes_of(tiles); l++)
        lane[l] =
            pictures + l / count * values + l % count / tiles.across * y->h * w + l % tiles.across * y->w;
    kernels->store(y, lane, w, h * w, lanes_of(tiles));
}

/* Forward and backward of eight pictures, as many at a time as fill the first lanes. `net` is the network of
 * tiles. */
static struct result run(const struct trial *t, const struct caelum_net *net, struct tiling tiles) {
    const size_t n = t->net->params, last = net->layers, here = lanes_of(tiles) / tiling_count(tiles);
    struct result r = {0};
    struct net_workspace ws;
    float *grads = NULL;
    assert_ok(net_workspace_open(&ws, net, t->kernels->lanes, true, err));
    ws.tiles = tiles;
    assert_ok(mem_alloc(&r.output, SUM_LANES * t->outputs, sizeof(float), err));
    assert_ok(mem_alloc(&r.grads, n, sizeof(float), err));
    assert_ok(mem_alloc(&grads, MOST_LANES / SUM_LANES * n, sizeof(float), err));
    net_workspace_live(&ws, net, lanes_of(tiles));
    for (size_t first = 0; first < SUM_LANES; first += here) {
        to_lanes(&ws.value[0], t->input + first * t->inputs, t->inputs, tiles);
        memset(grads, 0, MOST_LANES / SUM_LANES * n * sizeof *grads);
        net_forward(net, t->kernels, t->params, t->packed, &ws);
        from_lanes(&ws.value[last], r.output + first * t->outputs, t->outputs, tiles, t->kernels);
        to_lanes(&ws.grad[last], t->dy + first * t->outputs, t->outputs, tiles);
        net_backward(net, t->kernels, t->params, t->packed, &ws, grads);
        for (size_t i = 0; i < n; i++) r.grads[i] += grads[i];
        for (size_t i = 0; lanes_of(tiles) > SUM_LANES && i < n; i++) r.grads[i] += grads[n + i];
    }
    net_workspace_close(&ws);
    mem_free(&grads);
    return r;
}

static void result_free(struct result *r) {
    mem_free(&r->output), mem_free(&r->grads);
}

static void spoil(const struct tensor *t) {
    float *begin = t->data - t->pad * (t->row + t->step);
    for (size_t i = 0; t->data && i < t->c * t->plane; i++) begin[i] = NAN;
}

/* Forward of single pictures, each lying as suits the steps, in memory that held something else before. */
static void run_alone(const struct trial *t, const struct result *whole) {
    const struct shape in = t->net->input, out = net_output(t->net);
    struct net_workspace ws;
    float *output = NULL, *packed = NULL, *lane[MOST_LANES];
    assert_ok(net_workspace_open_one(&ws, t->net, t->kernels->lanes, 1, err));
    assert_ok(mem_alloc(&output, t->outputs, sizeof(float), err));
    assert_ok(mem_alloc(&packed, t->net->packed, sizeof(float), err));
    net_pack(t->net, t->params, packed);
    for (size_t s = 0; s < t->net->steps; s++) net_pack_by_channels(t->net, s, packed);
    const struct tiling tiles = net_result_tiles(t->net, &ws);
    for (size_t l = 0; l < tiling_count(tiles); l++)
        lane[l] = output + l / tiles.across * (out.h / tiles.down) * out.w +
                  l % tiles.across * (out.w / tiles.across);
    for (size_t p = 0; p < SUM_LANES; p++) {
        for (size_t i = 0; i <= t->net->layers; i++) spoil(&ws.value[i]);
        for (size_t s = 0; s <= t->net->steps; s++) spoil(&ws.way[s].x), spoil(&ws.way[s].skip);
        for (size_t l = 0; l < tiling_count(ws.tiles); l++)
            for (size_t i = 0; i < t->inputs; i++) {
                const size_t c = i / (in.h * in.w), y = i / in.w % in.h, x = i % in.w;
                const size_t h = in.h / ws.tiles.down, w = in.w / ws.tiles.across;
                if (y / h * ws.tiles.across + x / w != l) continue;
                tensor_at(&ws.value[0], c, (ptrdiff_t)(y % h), (ptrdiff_t)(x % w))[l] =
                    t->input[p * t->inputs + i];
            }
        net_forward(t->net, t->kernels, t->params, packed, &ws);
        t->kernels->store(net_result(t->net, &ws), lane, out.w, out.h * out.w, tiling_count(tiles));
        if (memcmp(output, whole->output + p * t->outputs, t->outputs * sizeof *output) != 0)
            fail_msg("%s%zux%zu, %s: picture %zu alone has other bits", t->net->text, in.h, in.w,
                     t->kernels->name, p);
    }
    net_workspace_close(&ws);
    mem_free(&output), mem_free(&packed);
}

/* How far rounding may take one parameter's gradient: the sum of the absolute terms is not at hand, the
 * gradient's root mean square over its layer stands for it. */
static void compare(const struct trial *t, const struct result *whole, const struct result *cut,
                    struct tiling tiles) {
    for (size_t i = 0; i < SUM_LANES * t->outputs; i++)
        if (whole->output[i] != cut->output[i])
            fail_msg("%s%zux%zu tiles, %s: output %zu is %.9g, whole %.9g", t->net->text, tiles.down,
                     tiles.across, t->kernels->name, i, (double)cut->output[i], (double)whole->output[i]);
    for (size_t l = 0; l < t->net->layers; l++) {
        const float *a = whole->grads + t->net->layer[l].params, *b = cut->grads + t->net->layer[l].params;
        const size_t n = t->net->layer[l].count;
        double square = 0;
        for (size_t i = 0; i < n; i++) square += (double)a[i] * (double)a[i] / (double)n;
        for (size_t i = 0; i < n; i++)
            if (!(fabs((double)a[i] - (double)b[i]) <= 1e-5 * (sqrt(square) + fabs((double)a[i])) + 1e-6))
                fail_msg("%s%zux%zu tiles, %s: gradient %zu of layer %zu is %.9g, whole %.9g", t->net->text,
                         tiles.down, tiles.across, t->kernels->name, i, l, (double)b[i], (double)a[i]);
    }
}

/* A hash (FNV-1a) of a gradient. */
static uint64_t hash(const float *values, size_t n) {
    uint64_t h = 14695981039346656037u;
    const unsigned char *byte = (const unsigned char *)values;
    for (size_t i = 0; i < n * sizeof *values; i++) h = (h ^ byte[i]) * 1099511628211u;
    return h;
}

static void trial_open(struct trial *t, const struct caelum_net *net, const struct kernels *kernels) {
    struct rng rng = rng_make(1, RNG_TEST, 0);
    *t = (struct trial){.net = net,
                        .kernels = kernels,
                        .inputs = shape_values(net->input),
                        .outputs = shape_values(net->layer[net->layers - 1].out)};
    assert_ok(mem_alloc(&t->params, net->params, sizeof(float), err));
    assert_ok(mem_alloc(&t->packed, net->packed, sizeof(float), err));
    assert_ok(mem_alloc(&t->input, SUM_LANES * t->inputs, sizeof(float), err));
    assert_ok(mem_alloc(&t->dy, SUM_LANES * t->outputs, sizeof(float), err));
    net_init(net, 1, t->params);
    for (size_t i = 0; i < net->params; i++) t->params[i] += 0.1f * test_random(&rng);
    net_pack(net, t->params, t->packed);
    for (size_t i = 0; i < SUM_LANES * t->inputs; i++) t->input[i] = test_random(&rng);
    for (size_t i = 0; i < SUM_LANES * t->outputs; i++) t->dy[i] = test_random(&rng);
}

static void trial_close(struct trial *t) {
    mem_free(&t->params), mem_free(&t->packed), mem_free(&t->input), mem_free(&t->dy);
}

/* Compares every cut into 2 to 16 tiles that the network works on, in blocks that have as many lanes. Returns
 * how many there are, in blocks of 16 or of 8 alike. */
static unsigned check(const char *text, size_t h, size_t w, bool fuse) {
    caelum_net *net = NULL;
    unsigned works = 0;
    uint64_t bits[5][5] = {{0}}; /* of gradients where products are fused */
    assert_ok(caelum_net_parse(&net, text, "tiles", h, w, err));
    assert_ok(net_plan(net, fuse, err));
    EACH_LEVEL(kernels) {
        struct trial t;
        trial_open(&t, net, kernels);
        struct result whole = run(&t, net, (struct tiling){1, 1});
        run_alone(&t, &whole);
        works = 0;
        for (unsigned i = 1; i < 25; i++) {
            const unsigned down = i / 5, across = i % 5;
            const struct tiling tiles = {(size_t)1 << down, (size_t)1 << across};
            caelum_net *tile = NULL;
            if (tiling_count(tiles) > MOST_LANES) continue;
            assert_ok(net_tile(&tile, net, tiles, err));
            if (!tile) continue;
            works++;
            if (lanes_of(tiles) <= lanes) {
                struct result cut = run(&t, tile, tiles);
                compare(&t, &whole, &cut, tiles);
                const uint64_t here = hash(cut.grads, net->params);
                if (kernels != kernels_get(CPU_GENERIC) && lanes_of(tiles) == SUM_LANES) {
                    assert_true(bits[down][across] == 0 || bits[down][across] == here);
                    bits[down][across] = here;
                }
                result_free(&cut);
            }
            caelum_net_close(&tile);
        }
        result_free(&whole);
        trial_close(&t);
    }
    caelum_net_close(&net);
    return works;
}

static void tiles_equal_whole_pictures(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t h, w;
        unsigned works; /* on this number of cuts: powers of two down and across, 2 to 16 tiles */
    } cases[] = {
        {"input 3\nconv 8 relu\nmaxpool\nconv 12 relu\nmaxpool\nconv 16 relu\nupsample\nconv 12 "
         "relu\nupsample\n"
         "conv 3 sigmoid\n",
         32, 32, 12},
        {"input 3\nconv 8 relu\nmaxpool\nconv 8 gelu\ndeconv 6 stride=2 relu\nconv 3 sigmoid\n", 16, 10, 3},
        {"input 2\nconv 4 k=7 relu\nconv 3 k=5 silu\nconv 2 k=4\n", 8, 9, 3}, /* pixels of tiles far away */
        {"input 1\nconv 4 stride=2 relu\nconv 5 k=5 stride=2\ndeconv 3 k=4 stride=4 tanh\n", 32, 12, 3},
        {"input 2\nsave a\nconv 2 k=2\nadd a\nsave b\navgpool\nupsample\nconcat b\nact elu\n", 16, 6, 3},
        {"input 1\nspace_to_depth\nconv 8 relu\ndepth_to_space\nconv 1\n", 16, 8, 10},
        {"input 1\nconv 2 relu\nmaxpool\nconv 2\nupsample\n", 24, 8, 8}, /* 24 / 8 is odd */
        {"input 1\nconv 2\nmaxpool 3\n", 24, 9, 3},
        {"input 2\nconv 3 relu\nupsample\nconv 5 relu\nmaxpool\nconv 2\n", 16, 6, 8},
        {"input 2\nconv 4\ndeconv 3 relu\nmaxpool\nconv 2\n", 16, 6, 3},
        {"input 1\nconv 2\nmaxpool 4\n", 20, 8, 1},         /* windows across tiles */
        {"input 1\nconv 2\nupsample bilinear\n", 16, 8, 0}, /* sees its neighbours */
        {"input 1\nconv 2 pad=valid\npad 16 8\n", 16, 8, 0},
        {"input 1\nconv 2\nreshape 2 16 8\n", 16, 8, 0},
        {"input 1\nconv 2\ndense 16\n", 16, 8, 0},
        {"input 1\nnoise 0.1\nconv 2\n", 16, 8, 0},
        {"input 1\nconv 2\n", 15, 8, 3},
        {"input 1\nconv 2\ncrop 8 8\npad 16 8\n", 16, 8, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int fuse = 0; fuse < 2; fuse++) {
            const unsigned works = check(cases[i].text, cases[i].h, cases[i].w, fuse != 0);
            if (works != cases[i].works)
                fail_msg("%s%zux%zu: works on %u cuts, expected %u", cases[i].text, cases[i].h, cases[i].w,
                         works, cases[i].works);
        }
}

/* Where a picture's value is in a block: in its tile's lane, or its channel's. */
static float *spot(const struct tensor *t, struct tiling tiles, size_t c, size_t y, size_t x) {
    if (tiles.down == 0) return tensor_at(t, c / lanes, (ptrdiff_t)y, (ptrdiff_t)x) + c % lanes;
    return tensor_at(t, c, (ptrdiff_t)(y % t->h), (ptrdiff_t)(x % t->w)) + y / t->h * tiles.across + x / t->w;
}

/* One picture from every way of lying in the lanes to every other. */
static void pictures_move_between_lanes(void **state) {
    (void)state;
    enum { SIDE = 16, C = 19 };
    EACH_LEVEL(kernels) {
        struct tiling way[16] = {{0, 0}};
        struct tensor t[16];
        size_t ways = 1;
        for (size_t down = 1; down <= lanes; down *= 2)
            for (size_t across = 1; down * across <= lanes; across *= 2)
                way[ways++] = (struct tiling){down, across};
        for (size_t i = 0; i < ways; i++) {
            const struct shape lies = net_lying((struct shape){C, SIDE, SIDE}, way[i], lanes);
            t[i] = test_tensor(lies.c, lies.h, lies.w, 1, 0);
        }
        for (size_t i = 0; i < ways * ways; i++) {
            const size_t a = i / ways, b = i % ways;
            if (a == b) continue;
            for (size_t v = 0; v < C * SIDE * SIDE; v++)
                *spot(&t[a], way[a], v / (SIDE * SIDE), v / SIDE % SIDE, v % SIDE) = (float)(v + i);
            kernels->rearrange(&t[a], way[a], &t[b], way[b], C);
            assert_true(test_border(&t[b], 0));
            for (size_t v = 0; v < C * SIDE * SIDE; v++)
                assert_true(*spot(&t[b], way[b], v / (SIDE * SIDE), v / SIDE % SIDE, v % SIDE) ==
                            (float)(v + i));
        }
        for (size_t i = 0; i < ways; i++) test_tensor_free(&t[i]);
    }
}

/* Pictures are cut between Winograd's tiles, which keep their size: where a picture has tiles of 4x4, no tile
 * has 2 rows or columns behind the pool, where it has tiles of 2x2, none has an odd number. */
static void cuts_between_winograd_tiles(void **state) {
    (void)state;
    const char *text = "input 16\nconv 32 relu\nmaxpool\nconv 32 gelu\nconv 16 pad=same\n";
    assert_int_equal(check(text, 16, 8, true), 1);
    assert_int_equal(check(text, 16, 8, false), 10);
    assert_int_equal(check(text, 32, 8, true), 2);
    assert_int_equal(check(text, 16, 12, true), 2);
    assert_int_equal(check("input 3\nconv 16 relu\nconv 32 relu\nmaxpool\nconv 2\n", 16, 8, true), 5);
}

/* Networks of all layers, their sides rounded up to a multiple of 8. */
static void random_networks_too(void **state) {
    (void)state;
    size_t able = 0;
    for (uint64_t seed = 1; seed <= 150; seed++) {
        struct random_net n;
        caelum_net *net = NULL;
        struct caelum_error none = {0};
        random_net(&n, seed);
        n.h = (n.h + 7) / 8 * 8, n.w = (n.w + 7) / 8 * 8;
        if (caelum_net_parse(&net, n.text, "random", n.h, n.w, &none) != 0) continue;
        caelum_net_close(&net);
        able += check(n.text, n.h, n.w, seed % 2 == 0) != 0;
    }
    print_message("%zu of 150 networks work on tiles\n", able);
    assert_true(able > 15);
}

/* As many tiles as there is room for, and as square as can be. */
static void tails_of(const char *name, size_t width, const struct tiling best[3]) {
    const struct engine_settings settings = {.threads = 1, .learns = true};
    caelum_net *net = NULL;
    struct engine engine;
    assert_ok(caelum_net_parse(&net, "input 3\nconv 3\n", name, 16, width, err));
    assert_ok(engine_open(&engine, net, &settings, err));
    for (size_t left = 0; left < SUM_LANES; left++) {
        const struct engine_tiles *t = engine_cut(&engine, left).tail;
        size_t most = 0;
        while (left > 0 && left << (most + 1) <= SUM_LANES) most++;
        assert_true((t != NULL) == (most > 0));
        if (t) assert_true(best[most - 1].down == t->tiles.down && best[most - 1].across == t->tiles.across);
    }
    engine_close(&engine);
    caelum_net_close(&net);
}

static void tails_fill_the_lanes(void **state) {
    (void)state;
    static const struct tiling square[3] = {{2, 1}, {2, 2}, {4, 2}}, wide[3] = {{1, 2}, {1, 4}, {2, 4}};
    tails_of("square", 16, square);
    tails_of("wide", 64, wide);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiles_equal_whole_pictures),  cmocka_unit_test(pictures_move_between_lanes),
        cmocka_unit_test(cuts_between_winograd_tiles), cmocka_unit_test(random_networks_too),
        cmocka_unit_test(tails_fill_the_lanes),
    };
    return cmocka_run_group_tests_name("tiles_in_lanes", tests, NULL, NULL);
}
