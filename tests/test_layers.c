/* test_layers.c - layers on pictures so small that the answers are worked out by hand (what holds for any
 * layer is in test_every_layer.c), and adjoint identities: <L x, y> = <x, L' y> ties a layer's backward pass
 * to its forward pass, and strided convolution to transposed convolution. */
#include "testing.h"

#include "net/net.h"
#include "ref.h"

#include <math.h>

static struct caelum_net *parse(const char *text, size_t h, size_t w) {
    struct caelum_net *net = NULL;
    assert_ok(caelum_net_parse(&net, text, "test", h, w, err));
    return net;
}

/* --- By hand -------------------------------------------------------------------------------------- */

/* A list of floats. Where a layer has parameters: weights, then biases. */
#define L(...) ((const float[]){__VA_ARGS__})

/* Kernels are mostly zeros, with 1 in the first tap and 100 in the last, so that an output shows which two
 * pixels it has seen: first + 100 last. Pictures count 1, 2, 3, ... row by row. */
static const struct {
    const char *text;
    struct shape in, out;
    const float *params, *x, *y;
} by_hand[] = {
    /* same, even kernel: the zero row goes behind */
    {"input 1\nconv 1 k=2\n", {1, 2, 2}, {1, 2, 2}, L(1, 0, 0, 100, 0), L(1, 2, 3, 4), L(401, 2, 3, 4)},
    /* same, stride 2, 4 -> 2: total padding (2 - 1) 2 + 3 - 4 = 1, all behind; y = x[2i][2j] + 100
     * x[2i+2][2j+2] */
    {"input 1\nconv 1 stride=2\n",
     {1, 4, 4},
     {1, 2, 2},
     L(1, 0, 0, 0, 0, 0, 0, 0, 100, 0.5f),
     L(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16),
     L(1101.5f, 3.5f, 9.5f, 11.5f)},
    /* same, stride 2, 5 -> 3: total padding (3 - 1) 2 + 3 - 5 = 2, one before; y = x[2i-1][2j-1] + 100
     * x[2i+1][2j+1] */
    {"input 1\nconv 1 stride=2\n",
     {1, 5, 5},
     {1, 3, 3},
     L(1, 0, 0, 0, 0, 0, 0, 0, 100, 0),
     L(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25),
     L(700, 900, 0, 1700, 1907, 9, 0, 17, 19)},
    /* same, stride wider than the kernel: no padding at all; y = 2 x[3i][3j] */
    {"input 1\nconv 1 k=1 stride=3\n",
     {1, 4, 5},
     {1, 2, 2},
     L(2, 0),
     L(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20),
     L(2, 8, 32, 38)},
    /* valid: (5 - 2) / 3 + 1 = 2 rows, (4 - 2) / 3 + 1 = 1 column */
    {"input 1\nconv 1 k=2 stride=3 pad=valid\n",
     {1, 5, 4},
     {1, 2, 1},
     L(1, 0, 0, 100, 0),
     L(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20),
     L(601, 1813)},
    /* weights [output][input]: 10 + 2 * 100, 3 * 10 + 4 * 100 */
    {"input 2\nconv 2 k=1\n", {2, 1, 1}, {2, 1, 1}, L(1, 2, 3, 4, 0, 0), L(10, 100), L(210, 430)},
    /* weights [input][output]: 10 + 3 * 100, 2 * 10 + 4 * 100 */
    {"input 2\ndeconv 2 k=1\n", {2, 1, 1}, {2, 1, 1}, L(1, 2, 3, 4, 0, 0), L(10, 100), L(310, 420)},
    /* same, k 3, stride 2: pixel (i, j) times the kernel lands with its corner on (2i, 2j) of a 5x5 picture;
     * (3 - 2) / 2 = 0 rows go in front, so the last row and column go. Row 0: 1, 2, 3 + 1*10, 2*10. Row 1
     * likewise with 4 5 6. Row 2: 7, 8, 9 + 70, 80 and from below 100, 200, 300 + 1000, 2000. Row 3: 400,
     * 500, 600 + 4000, 5000. */
    {"input 1\ndeconv 1 stride=2\n",
     {1, 2, 2},
     {1, 4, 4},
     L(1, 2, 3, 4, 5, 6, 7, 8, 9, 0),
     L(1, 10, 100, 1000),
     L(1, 2, 13, 20, 4, 5, 46, 50, 107, 208, 1379, 2080, 400, 500, 4600, 5000)},
    /* same, k 5, stride 2, one pixel: (5 - 2) / 2 = 1 row in front is cut, 2 of 5 are kept */
    {"input 1\ndeconv 1 k=5 stride=2\n",
     {1, 1, 1},
     {1, 2, 2},
     L(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 0),
     L(1),
     L(7, 8, 12, 13)},
    /* same, stride wider than the kernel: what no pixel reaches is the bias */
    {"input 1\ndeconv 1 k=1 stride=2\n",
     {1, 1, 2},
     {1, 2, 4},
     L(2, 0.5f),
     L(3, 4),
     L(6.5f, 0.5f, 8.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f)},
    /* valid: (1 - 1) 3 + 3 rows, (2 - 1) 3 + 3 columns */
    {"input 1\ndeconv 1 k=2 stride=3 pad=valid\n",
     {1, 1, 2},
     {1, 3, 6},
     L(1, 2, 3, 4, 1),
     L(1, 10),
     L(2, 3, 1, 11, 21, 1, 4, 5, 1, 31, 41, 1, 1, 1, 1, 1, 1, 1)},
    {"input 1\ndeconv 1 pad=valid\n",
     {1, 1, 2},
     {1, 3, 4},
     L(1, 2, 3, 4, 5, 6, 7, 8, 9, 0),
     L(1, 10),
     L(1, 12, 23, 30, 4, 45, 56, 60, 7, 78, 89, 90)},
    {"input 1\nmaxpool\n",
     {1, 3, 5},
     {1, 1, 2},
     NULL,
     L(1, 2, 3, 4, 5, 6, 9, 8, 7, 10, 11, 12, 13, 14, 15),
     L(9, 8)},
    {"input 2\nmaxpool 2\n", {2, 2, 2}, {2, 1, 1}, NULL, L(-4, -3, -2, -1, 8, 7, 6, 5), L(-1, 8)},
    {"input 1\navgpool\n",
     {1, 3, 5},
     {1, 1, 2},
     NULL,
     L(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
     L(4, 6)},
    {"input 1\navgpool 3\n", {1, 3, 4}, {1, 1, 1}, NULL, L(1, 2, 3, 99, 6, 7, 8, 99, 11, 12, 13, 99), L(7)},
    {"input 1\nupsample\n",
     {1, 2, 2},
     {1, 4, 4},
     NULL,
     L(1, 2, 3, 4),
     L(1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4)},
    /* pixel centers at -1/4, 1/4, 3/4, 5/4 of the input, the ends held */
    {"input 1\nupsample bilinear\n",
     {1, 1, 2},
     {1, 2, 4},
     NULL,
     L(0, 1),
     L(0, 0.25f, 0.75f, 1, 0, 0.25f, 0.75f, 1)},
    {"input 1\nupsample bilinear\n",
     {1, 2, 2},
     {1, 4, 4},
     NULL,
     L(0, 16, 32, 64),
     L(0, 4, 12, 16, 8, 13, 23, 28, 24, 31, 45, 52, 32, 40, 56, 64)},
    /* -1/3, 0, 1/3, 2/3, 1, 4/3 */
    {"input 1\nupsample 3 bilinear\n",
     {1, 2, 1},
     {1, 6, 3},
     NULL,
     L(0, 3),
     L(0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3, 3)},
    /* to whole steps of 1/2, halves of them to even ones: 0.75 is 1.5 steps, 1.25 is 2.5 */
    {"input 1\nquantize 0.5\n",
     {1, 1, 6},
     {1, 1, 6},
     L(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
     L(0.2f, 0.3f, -0.8f, 0.75f, 1.25f, -1.25f),
     L(0, 0.5f, -1, 1, 1, -1)},
    {"input 1\nact relu\n", {1, 1, 3}, {1, 1, 3}, NULL, L(-2, 0, 2), L(0, 0, 2)},
    /* order channel, row, column: 1 + 20 + 300 + 4000, and one that ReLU cuts */
    {"input 2\ndense 2 relu\n",
     {2, 1, 2},
     {2, 1, 1},
     L(1, 10, 100, 1000, 1, 0, 0, -1, 0.5f, 2),
     L(1, 2, 3, 4),
     L(4321.5f, 0)},
    {"input 1\nreshape 3 1 2\n", {1, 2, 3}, {3, 1, 2}, NULL, L(1, 2, 3, 4, 5, 6), L(1, 2, 3, 4, 5, 6)},
    {"input 1\nnoise 5\n", {1, 1, 3}, {1, 1, 3}, NULL, L(1, 2, 3), L(1, 2, 3)}, /* not in training: nothing */
    {"input 1\nsave a\nconv 1 k=1\nadd a\n", {1, 1, 2}, {1, 1, 2}, L(10, 0), L(1, 2), L(11, 22)},
    /* the tensor at hand comes first, then the saved one; both names work at any time */
    {"input 1\nsave a\nconv 1 k=1\nsave b\nconv 1 k=1\nconcat a\nconcat b\n",
     {1, 1, 2},
     {3, 1, 2},
     L(10, 0, 10, 0),
     L(1, 2),
     L(100, 200, 1, 2, 10, 20)},
    /* channel c becomes channels 4c ... 4c + 3: upper left, upper right, lower left, lower right */
    {"input 2\nspace_to_depth\n",
     {2, 2, 4},
     {8, 1, 2},
     NULL,
     L(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16),
     L(1, 3, 2, 4, 5, 7, 6, 8, 9, 11, 10, 12, 13, 15, 14, 16)},
    {"input 8\ndepth_to_space\n",
     {8, 1, 2},
     {2, 2, 4},
     NULL,
     L(1, 3, 2, 4, 5, 7, 6, 8, 9, 11, 10, 12, 13, 15, 14, 16),
     L(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)},
    /* 3 -> 2 rows: the last goes; 4 -> 1 column: one before, two behind go */
    {"input 1\ncrop 2 1\n", {1, 3, 4}, {1, 2, 1}, NULL, L(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), L(2, 6)},
    /* 1 -> 2 rows: a zero behind; 2 -> 5 columns: one before, two behind */
    {"input 1\npad 2 5\n", {1, 1, 2}, {1, 2, 5}, NULL, L(1, 2), L(0, 1, 2, 0, 0, 0, 0, 0, 0, 0)},
};

static void fill(const struct tensor *t, const float *picture) {
    for (size_t c = 0; c < t->c; c++)
        for (size_t i = 0; i < t->h; i++)
            for (size_t j = 0; j < t->w; j++, picture++)
                for (size_t lane = 0; lane < lanes; lane++)
                    tensor_at(t, c, (ptrdiff_t)i, (ptrdiff_t)j)[lane] = *picture;
}

/* Forward with one picture in every lane, whose outputs must be `want`. */
static void check_by_hand(size_t n, const struct kernels *kernels) {
    const struct shape in = by_hand[n].in, out = by_hand[n].out;
    struct caelum_net *net = parse(by_hand[n].text, in.h, in.w);
    const struct shape last = net->layer[net->layers - 1].out;
    struct net_workspace ws;
    float *packed = NULL;
    double got[64];
    assert_true(last.c == out.c && last.h == out.h && last.w == out.w);
    assert_ok(net_workspace_open(&ws, net, lanes, false, err));
    assert_ok(mem_alloc(&packed, net->packed, sizeof(float), err));
    net_pack(net, by_hand[n].params, packed);
    fill(&ws.value[0], by_hand[n].x);
    net_forward(net, kernels, by_hand[n].params, packed, &ws);
    for (size_t lane = 0; lane < lanes; lane++) {
        test_lane(&ws.value[net->layers], lane, got);
        for (size_t i = 0; i < out.c * out.h * out.w; i++)
            if (fabs(got[i] - (double)by_hand[n].y[i]) > 1e-6 * fabs(got[i]))
                fail_msg("%s%s, lane %zu, output %zu: got %.9g, want %g", by_hand[n].text, kernels->name,
                         lane, i, got[i], (double)by_hand[n].y[i]);
    }
    mem_free(&packed);
    net_workspace_close(&ws);
    caelum_net_close(&net);
}

static void layers_do_what_a_hand_works_out(void **state) {
    (void)state;
    for (int level = 0; level <= (int)cpu_detect(); level++)
        for (size_t i = 0; i < sizeof by_hand / sizeof *by_hand; i++)
            check_by_hand(i, test_kernels((enum cpu_level)level));
}

/* --- Activations ---------------------------------------------------------------------------------- */

/* Values and slopes at -1, 1/2 and 2: the definitions in double precision and their central differences of
 * fourth order, both worked out apart from this program. */
static const struct {
    const char *name;
    double y[3], slope[3];
} activations[] = {
    {"linear", {-1, 0.5, 2}, {1, 1, 1}},
    {"relu", {0, 0.5, 2}, {0, 1, 1}},
    {"leaky", {-0.01, 0.5, 2}, {0.01, 1, 1}},
    {"elu", {-0.632120559, 0.500000000, 2.000000000}, {0.367879441, 1.000000000, 1.000000000}},
    {"gelu", {-0.158808009, 0.345714010, 1.954597694}, {-0.082964084, 0.867369904, 1.086099257}},
    {"silu", {-0.268941421, 0.311229666, 1.761594156}, {0.072329488, 0.739961187, 1.090784249}},
    {"sigmoid", {0.268941421, 0.622459331, 0.880797078}, {0.196611933, 0.235003712, 0.104993585}},
    {"tanh", {-0.761594156, 0.462117157, 0.964027580}, {0.419974342, 0.786447733, 0.070650825}},
};

/* The input goes through `conv 1 k=1` with weight 1, whose weight gradient is then x times the slope, summed
 * over the lanes. */
static void activations_have_the_published_values(void **state) {
    (void)state;
    static const float x[3] = {-1, 0.5f, 2}, params[2] = {1, 0}, ones[1] = {1};
    const struct kernels *kernels = test_kernels(cpu_detect());
    for (size_t a = 0; a < sizeof activations / sizeof *activations; a++)
        for (size_t i = 0; i < 6; i++) {
            struct net_workspace ws;
            float packed[64], grads[4] = {0};
            char text[64];
            snprintf(text, sizeof text, i < 3 ? "input 1\nconv 1 k=1 %s\n" : "input 1\nconv 1 k=1\nact %s\n",
                     activations[a].name);
            struct caelum_net *net = parse(text, 1, 1);
            assert_ok(net_workspace_open(&ws, net, lanes, true, err));
            net_pack(net, params, packed);
            fill(&ws.value[0], &x[i % 3]);
            fill(&ws.grad[net->layers], ones);
            net_forward(net, kernels, params, packed, &ws);
            const double y = (double)*ws.value[net->layers].data, want = activations[a].y[i % 3];
            net_backward(net, kernels, params, packed, &ws, grads);
            test_fold(grads, 2);
            const double slope = (double)grads[1] / (double)lanes, steep = activations[a].slope[i % 3];
            if (fabs(y - want) > 1e-6 || fabs(slope - steep) > 1e-6)
                fail_msg("%sat %g: %.9g with slope %.9g, expected %.9g with %.9g", text, (double)x[i % 3], y,
                         slope, want, steep);
            assert_true(fabs((double)grads[0] / (double)lanes - (double)x[i % 3] * steep) < 1e-6);
            net_workspace_close(&ws);
            caelum_net_close(&net);
        }
}

/* --- Adjoints ------------------------------------------------------------------------------------- */

/* <a, b> of one lane, and the same over absolute values: the scale of a rounding error. */
static double inner(const double *a, const double *b, size_t n, double *size) {
    double sum = 0;
    *size = 0;
    for (size_t i = 0; i < n; i++) sum += a[i] * b[i], *size += fabs(a[i] * b[i]);
    return sum;
}

/* A network without biases that count, forward and backward on a random block. The first layer is the
 * identity as a convolution, so that the gradient of its output is there. */
static void check_adjoint(const char *line) {
    enum { C = 36, H = 12, W = 18, MOST = 4 * C * H * W };
    static double x[MOST_LANES][MOST], y[MOST_LANES][MOST], dx[MOST], dy[MOST_LANES][MOST];
    const struct kernels *kernels = test_kernels(cpu_detect());
    struct net_workspace ws;
    struct rng rng = rng_make(3, RNG_TEST, 0);
    char text[100];
    float *params = NULL, *packed = NULL, *grads = NULL;
    snprintf(text, sizeof text, "input %d\nconv %d k=1\n%s\n", C, C, line);
    struct caelum_net *net = parse(text, H, W);
    const size_t last = net->layers,
                 size = net->layer[last - 1].out.c * net->layer[last - 1].out.h * net->layer[last - 1].out.w;
    assert_true(size <= MOST);
    assert_ok(net_plan(net, false, err));
    assert_ok(net_workspace_open(&ws, net, lanes, true, err));
    assert_ok(mem_alloc(&params, net->params, sizeof(float), err));
    assert_ok(mem_alloc(&grads, MOST_LANES / SUM_LANES * net->params, sizeof(float), err));
    assert_ok(mem_alloc(&packed, net->packed, sizeof(float), err));
    for (size_t i = 0; i < C; i++) params[i * C + i] = 1;
    net_pack(net, params, packed);
    test_tensor_random(&ws.value[0], &rng);
    net_forward(net, kernels, params, packed, &ws);
    for (size_t lane = 0; lane < lanes; lane++)
        test_lane(&ws.value[1], lane, x[lane]), test_lane(&ws.value[last], lane, y[lane]);
    test_tensor_random(&ws.grad[last], &rng);
    for (size_t lane = 0; lane < lanes; lane++) test_lane(&ws.grad[last], lane, dy[lane]);
    net_backward(net, kernels, params, packed, &ws, grads);
    for (size_t lane = 0; lane < lanes; lane++) {
        double scale;
        test_lane(&ws.grad[1], lane, dx);
        const double there = inner(y[lane], dy[lane], size, &scale),
                     back = inner(x[lane], dx, C * H * W, &scale);
        if (!(fabs(there - back) < 1e-7 * scale))
            fail_msg("%s: <Lx, y> = %.9g, <x, L'y> = %.9g", line, there, back);
    }
    mem_free(&params), mem_free(&packed), mem_free(&grads);
    net_workspace_close(&ws);
    caelum_net_close(&net);
}

/* Pools and ReLUs are linear on one side of their kinks. */
static void backward_is_the_adjoint_of_forward(void **state) {
    (void)state;
    static const char *const lines[] = {"maxpool",
                                        "maxpool 5",
                                        "avgpool",
                                        "avgpool 5",
                                        "upsample",
                                        "upsample bilinear",
                                        "crop 7 9\nupsample 3 bilinear",
                                        "reshape 18 36 12",
                                        "reshape 7776 1 1",
                                        "noise 1",
                                        "save a",
                                        "save a\nadd a\nadd a",
                                        "save a\navgpool 2\nupsample bilinear\nconcat a\nmaxpool 2",
                                        "space_to_depth",
                                        "space_to_depth 3",
                                        "depth_to_space",
                                        "depth_to_space 3",
                                        "crop 11 15",
                                        "crop 1 18",
                                        "pad 13 21",
                                        "pad 12 30",
                                        "act relu",
                                        "act leaky",
                                        "act linear"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) check_adjoint(lines[i]);
}

/* One layer's outputs, [lane][values], for inputs in a block. */
static void apply(const char *text, size_t h, size_t w, const float *params, const struct tensor *x,
                  double *y) {
    struct caelum_net *net = parse(text, h, w);
    const struct kernels *kernels = test_kernels(cpu_detect());
    struct net_workspace ws;
    float *packed = NULL;
    assert_ok(net_workspace_open(&ws, net, lanes, false, err));
    assert_ok(mem_alloc(&packed, net->packed, sizeof(float), err));
    net_pack(net, params, packed);
    kernels->copy(x, &ws.value[0]);
    net_forward(net, kernels, params, packed, &ws);
    const struct tensor *out = &ws.value[net->layers];
    for (size_t lane = 0; lane < lanes; lane++) test_lane(out, lane, y + lane * out->c * out->h * out->w);
    mem_free(&packed);
    net_workspace_close(&ws);
    caelum_net_close(&net);
}

/* conv with stride s and deconv with the same weights, on sizes where they are each other's adjoint: h = s o
 * for `same`, h = (o - 1) s + max(k, s) for `valid`; deconv also against the reference that scatters. */
static void check_deconv(size_t k, size_t stride, bool valid) {
    enum { C = 2, K = 5, O = 3, P = 2, BIG = 3 * 3 + 7 };
    static double conv[MOST_LANES * K * O * P], deconv[MOST_LANES * C * BIG * BIG], a[C * BIG * BIG],
        b[K * O * P];
    const size_t more = valid && k > stride ? k - stride : 0, h = O * stride + more, w = P * stride + more;
    struct rng rng = rng_make(k * 10 + stride, RNG_TEST, valid);
    test_kernels(cpu_detect());
    struct tensor x = test_tensor(C, h, w, 0, 0), y = test_tensor(K, O, P, 0, 0);
    float params[K * C * 49 + K] = {0};
    double weights[K * C * 49], want[C * BIG * BIG], there, back, scale;
    char text[100];
    for (size_t i = 0; i < K * C * k * k; i++) weights[i] = (double)(params[i] = test_random(&rng));
    test_tensor_random(&x, &rng), test_tensor_random(&y, &rng);
    snprintf(text, sizeof text, "input %d\nconv %d k=%zu stride=%zu%s\n", C, K, k, stride,
             valid ? " pad=valid" : "");
    apply(text, h, w, params, &x, conv);
    snprintf(text, sizeof text, "input %d\ndeconv %d k=%zu stride=%zu%s\n", K, C, k, stride,
             valid ? " pad=valid" : "");
    apply(text, O, P, params, &y, deconv);
    const long cut = !valid && k > stride ? (long)(k - stride) / 2 : 0;
    const struct ref_conv s = {K, O, P, C, h, w, k, k, stride, cut, cut};
    for (size_t lane = 0; lane < lanes; lane++) {
        test_lane(&x, lane, a), test_lane(&y, lane, b);
        ref_deconv(&s, b, weights, NULL, want);
        for (size_t i = 0; i < C * h * w; i++)
            if (!(fabs(deconv[lane * C * h * w + i] - want[i]) < 2e-6 * (double)(K * k)))
                fail_msg("%soutput %zu: got %.9g, want %.9g", text, i, deconv[lane * C * h * w + i], want[i]);
        there = inner(conv + lane * K * O * P, b, K * O * P, &scale);
        back = inner(a, deconv + lane * C * h * w, C * h * w, &scale);
        if (!(fabs(there - back) < 2e-6 * scale))
            fail_msg("%s<conv x, y> = %.9g, <x, deconv y> = %.9g", text, there, back);
    }
    test_tensor_free(&x), test_tensor_free(&y);
}

static void deconv_is_the_adjoint_of_conv(void **state) {
    (void)state;
    for (size_t k = 1; k <= 7; k++)
        for (size_t stride = 1; stride <= 3; stride++)
            for (int valid = 0; valid < 2; valid++) check_deconv(k, stride, valid != 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_do_what_a_hand_works_out),
        cmocka_unit_test(activations_have_the_published_values),
        cmocka_unit_test(backward_is_the_adjoint_of_forward),
        cmocka_unit_test(deconv_is_the_adjoint_of_conv),
    };
    return cmocka_run_group_tests_name("layers", tests, NULL, NULL);
}
