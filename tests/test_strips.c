/* test_strips.c - pictures cut into strips that fill the lanes give what whole pictures give: outputs bit for
 * bit, gradients to rounding; and networks that can't work on strips are known. */
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

/* Lane l < SUM_LANES of t is strip l % strips of picture l / strips, of `values` each; the idle lanes repeat
 * them. */
static void to_lanes(const struct tensor *t, const float *pictures, size_t values, size_t strips) {
    for (size_t lane = 0; lane < t->step; lane++) {
        const float *picture = pictures + lane % SUM_LANES / strips * values;
        for (size_t c = 0; c < t->c; c++)
            for (size_t i = 0; i < t->h; i++)
                for (size_t j = 0; j < t->w; j++)
                    tensor_at(t, c, (ptrdiff_t)i, (ptrdiff_t)j)[lane] =
                        picture[((c * strips + lane % strips) * t->h + i) * t->w + j];
    }
}

/* Forward and backward of eight pictures, 8 / strips at a time, in the first eight lanes. `net` is the
 * network of strips. */
static struct result run(const struct trial *t, const struct caelum_net *net, size_t strips) {
    const size_t n = t->net->params, last = net->layers, here = SUM_LANES / strips;
    struct result r = {0};
    struct net_workspace ws;
    float *grads = NULL;
    assert_ok(net_workspace_open(&ws, net, t->kernels->lanes, true, err));
    ws.strips = strips;
    assert_ok(mem_alloc(&r.output, SUM_LANES * t->outputs, sizeof(float), err));
    assert_ok(mem_alloc(&r.grads, n, sizeof(float), err));
    assert_ok(mem_alloc(&grads, MOST_LANES / SUM_LANES * n, sizeof(float), err));
    net_workspace_live(&ws, net, SUM_LANES);
    for (size_t first = 0; first < SUM_LANES; first += here) {
        const struct tensor *y = &ws.value[last];
        float *lane[SUM_LANES];
        for (size_t l = 0; l < SUM_LANES; l++)
            lane[l] = r.output + (first + l / strips) * t->outputs + l % strips * y->h * y->w;
        to_lanes(&ws.value[0], t->input + first * t->inputs, t->inputs, strips);
        memset(grads, 0, MOST_LANES / SUM_LANES * n * sizeof *grads);
        net_forward(net, t->kernels, t->params, t->packed, &ws);
        t->kernels->store(y, lane, strips * y->h * y->w, SUM_LANES);
        to_lanes(&ws.grad[last], t->dy + first * t->outputs, t->outputs, strips);
        net_backward(net, t->kernels, t->params, t->packed, &ws, grads);
        for (size_t i = 0; i < n; i++) r.grads[i] += grads[i];
    }
    net_workspace_close(&ws);
    mem_free(&grads);
    return r;
}

static void result_free(struct result *r) {
    mem_free(&r->output), mem_free(&r->grads);
}

/* How far rounding may take one parameter's gradient: the sum of the absolute terms is not at hand, the
 * gradient's root mean square over its layer stands for it. */
static void compare(const struct trial *t, const struct result *whole, const struct result *cut,
                    size_t strips) {
    for (size_t i = 0; i < SUM_LANES * t->outputs; i++)
        if (whole->output[i] != cut->output[i])
            fail_msg("%s%zu strips, %s: output %zu is %.9g, whole %.9g", t->net->text, strips,
                     t->kernels->name, i, (double)cut->output[i], (double)whole->output[i]);
    for (size_t l = 0; l < t->net->layers; l++) {
        const float *a = whole->grads + t->net->layer[l].params, *b = cut->grads + t->net->layer[l].params;
        const size_t n = t->net->layer[l].count;
        double square = 0;
        for (size_t i = 0; i < n; i++) square += (double)a[i] * (double)a[i] / (double)n;
        for (size_t i = 0; i < n; i++)
            if (!(fabs((double)a[i] - (double)b[i]) <= 1e-5 * (sqrt(square) + fabs((double)a[i])) + 1e-6))
                fail_msg("%s%zu strips, %s: gradient %zu of layer %zu is %.9g, whole %.9g", t->net->text,
                         strips, t->kernels->name, i, l, (double)b[i], (double)a[i]);
    }
}

/* Bit s of the result: the network works on 2 << s strips. */
static unsigned check(const char *text, size_t h, size_t w, bool fuse) {
    caelum_net *net = NULL;
    unsigned works = 0;
    assert_ok(caelum_net_parse(&net, text, "strips", h, w, err));
    assert_ok(net_plan(net, fuse, err));
    EACH_LEVEL(kernels) {
        struct rng rng = rng_make(1, RNG_TEST, 0);
        struct trial t = {.net = net,
                          .kernels = kernels,
                          .inputs = shape_values(net->input),
                          .outputs = shape_values(net->layer[net->layers - 1].out)};
        assert_ok(mem_alloc(&t.params, net->params, sizeof(float), err));
        assert_ok(mem_alloc(&t.packed, net->packed, sizeof(float), err));
        assert_ok(mem_alloc(&t.input, SUM_LANES * t.inputs, sizeof(float), err));
        assert_ok(mem_alloc(&t.dy, SUM_LANES * t.outputs, sizeof(float), err));
        net_init(net, 1, t.params);
        for (size_t i = 0; i < net->params; i++) t.params[i] += 0.1f * test_random(&rng);
        net_pack(net, t.params, t.packed);
        for (size_t i = 0; i < SUM_LANES * t.inputs; i++) t.input[i] = test_random(&rng);
        for (size_t i = 0; i < SUM_LANES * t.outputs; i++) t.dy[i] = test_random(&rng);
        struct result whole = run(&t, net, 1);
        for (unsigned s = 0; s < 3; s++) {
            const size_t strips = (size_t)2 << s;
            caelum_net *strip = NULL;
            assert_ok(net_strips(&strip, net, strips, err));
            if (!strip) continue;
            struct result cut = run(&t, strip, strips);
            compare(&t, &whole, &cut, strips);
            result_free(&cut);
            caelum_net_close(&strip);
            works |= 1u << s;
        }
        result_free(&whole);
        mem_free(&t.params), mem_free(&t.packed), mem_free(&t.input), mem_free(&t.dy);
    }
    caelum_net_close(&net);
    return works;
}

static void strips_equal_whole_pictures(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t h, w;
        unsigned works;
    } cases[] = {
        {"input 3\nconv 8 relu\nmaxpool\nconv 12 relu\nmaxpool\nconv 16 relu\nupsample\nconv 12 "
         "relu\nupsample\n"
         "conv 3 sigmoid\n",
         32, 32, 7},
        {"input 3\nconv 8 relu\nmaxpool\nconv 8 gelu\ndeconv 6 stride=2 relu\nconv 3 sigmoid\n", 16, 10, 7},
        {"input 2\nconv 4 k=7 relu\nconv 3 k=5 silu\nconv 2 k=4\n", 8, 9, 7}, /* rows of strips far away */
        {"input 1\nconv 4 stride=2 relu\nconv 5 k=5 stride=2\ndeconv 3 k=4 stride=4 tanh\n", 32, 12, 7},
        {"input 2\nsave a\nconv 2 k=2\nadd a\nsave b\navgpool\nupsample\nconcat b\nact elu\n", 16, 6, 7},
        {"input 1\nspace_to_depth\nconv 8 relu\ndepth_to_space\nconv 1\n", 16, 8, 7},
        {"input 1\nconv 2 relu\nmaxpool\nconv 2\nupsample\n", 24, 8, 2 + 1}, /* 24 / 8 is odd */
        {"input 1\nconv 2\nmaxpool 3\n", 24, 9, 4 + 2 + 1},
        {"input 2\nconv 3 relu\nupsample\nconv 5 relu\nmaxpool\nconv 2\n", 16, 6, 7},
        {"input 2\nconv 4\ndeconv 3 relu\nmaxpool\nconv 2\n", 16, 6, 7},
        {"input 1\nconv 2\nmaxpool 4\n", 20, 8, 0},         /* windows across strips */
        {"input 1\nconv 2\nupsample bilinear\n", 16, 8, 0}, /* sees its neighbours */
        {"input 1\nconv 2 pad=valid\npad 16 8\n", 16, 8, 0},
        {"input 1\nconv 2\nreshape 2 16 8\n", 16, 8, 0},
        {"input 1\nconv 2\ndense 16\n", 16, 8, 0},
        {"input 1\nnoise 0.1\nconv 2\n", 16, 8, 0},
        {"input 1\nconv 2\n", 15, 8, 0},
        {"input 1\nconv 2\ncrop 8 8\npad 16 8\n", 16, 8, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int fuse = 0; fuse < 2; fuse++) {
            const unsigned works = check(cases[i].text, cases[i].h, cases[i].w, fuse != 0);
            if (works != cases[i].works)
                fail_msg("%s%zux%zu: works on strips %x, expected %x", cases[i].text, cases[i].h, cases[i].w,
                         works, cases[i].works);
        }
}

/* Strips of Winograd's tiles are cut between tiles, and keep their size: where a picture has tiles of 4x4, no
 * strips of 2 rows behind the pool, where it has tiles of 2x2, none with one row left. */
static void strips_of_tiles(void **state) {
    (void)state;
    const char *text = "input 16\nconv 32 relu\nmaxpool\nconv 32 gelu\nconv 16 pad=same\n";
    assert_int_equal(check(text, 16, 8, true), 1);
    assert_int_equal(check(text, 16, 8, false), 7);
    assert_int_equal(check(text, 32, 8, true), 3);
    assert_int_equal(check(text, 16, 12, true), 3);
    assert_int_equal(check("input 3\nconv 16 relu\nconv 32 relu\nmaxpool\nconv 2\n", 16, 8, true), 3);
}

/* Networks of all layers, their heights rounded up to a multiple of 8. */
static void random_networks_too(void **state) {
    (void)state;
    size_t able = 0;
    for (uint64_t seed = 1; seed <= 150; seed++) {
        struct random_net n;
        caelum_net *net = NULL;
        struct caelum_error none = {0};
        random_net(&n, seed);
        n.h = (n.h + 7) / 8 * 8;
        if (caelum_net_parse(&net, n.text, "random", n.h, n.w, &none) != 0) continue;
        caelum_net_close(&net);
        able += check(n.text, n.h, n.w, seed % 2 == 0) != 0;
    }
    print_message("%zu of 150 networks work on strips\n", able);
    assert_true(able > 15);
}

/* As many strips as there is room for. */
static void tails_fill_the_lanes(void **state) {
    (void)state;
    static const size_t want[9] = {0, 8, 4, 2, 2, 0, 0, 0, 0};
    caelum_net *net = NULL;
    struct engine engine;
    assert_ok(caelum_net_parse(&net, "input 3\nconv 3\n", "tails", 16, 16, err));
    assert_ok(engine_open(&engine, net, &(struct engine_settings){.threads = 1, .learns = true}, err));
    for (size_t left = 0; left < 9; left++) {
        const struct engine_strips *t = engine_cut(&engine, left, 16).tail;
        assert_int_equal(t ? t->place.workspace.strips : 0, want[left]);
    }
    engine_close(&engine);
    caelum_net_close(&net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strips_equal_whole_pictures),
        cmocka_unit_test(strips_of_tiles),
        cmocka_unit_test(random_networks_too),
        cmocka_unit_test(tails_fill_the_lanes),
    };
    return cmocka_run_group_tests_name("strips", tests, NULL, NULL);
}
