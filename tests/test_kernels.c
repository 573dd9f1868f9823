/* test_kernels.c - every kernel of every instruction set that this machine has, against the naive double
 * reference: odd sizes, channels around the register block, borders watched for overruns. Errors are
 * judged against the sum of absolute terms, which is what rounding scales with. */
#include "kernel_bench.h"
#include "testing.h"

#include "ref.h"

#include <math.h>

static const float canary = 12345.0f;
static const double epsilon = 6e-8; /* half a unit in the last place of a float */

static double *doubles(size_t n) {
    double *p = NULL;
    assert_ok(mem_alloc(&p, n + 1, sizeof *p, err));
    return p;
}

static void near(const char *what, const char *isa, double got, double want, double bound) {
    if (!(fabs(got - want) <= bound))
        fail_msg("%s, %s: got %.9g, want %.9g, allowed %.3g", what, isa, got, want, bound);
}

/* --- Convolution ---------------------------------------------------------------------------------- */

static struct ref_conv conv_case(size_t c, size_t h, size_t w, size_t k, size_t kernel, size_t stride,
                                 size_t pad) {
    return (struct ref_conv){.c = c,
                             .h = h,
                             .w = w,
                             .k = k,
                             .oh = (h + 2 * pad - kernel) / stride + 1,
                             .ow = (w + 2 * pad - kernel) / stride + 1,
                             .kh = kernel,
                             .kw = kernel,
                             .stride = stride,
                             .pad_y = (long)pad,
                             .pad_x = (long)pad};
}

static void check_conv(const struct kernels *kernels, const struct ref_conv *s, struct rng *rng, int relu) {
    const size_t weights = s->k * s->c * s->kh * s->kw, outputs = s->k * s->oh * s->ow;
    struct tensor x = test_tensor(s->c, s->h, s->w, 7, 0), y = test_tensor(s->k, s->oh, s->ow, 1, canary);
    float *w = NULL, *packed = NULL;
    double *dx = doubles(s->c * s->h * s->w), *dw = doubles(weights), *db = doubles(s->k),
           *dy = doubles(outputs), *size = doubles(outputs);
    assert_ok(mem_alloc(&w, weights + s->k, sizeof *w, err));
    assert_ok(mem_alloc(&packed, weights, sizeof *packed, err));
    test_tensor_random(&x, rng);
    for (size_t i = 0; i < weights + s->k; i++) w[i] = test_random(rng);
    for (size_t i = 0; i < weights; i++) dw[i] = (double)w[i];
    for (size_t i = 0; i < s->k; i++) db[i] = (double)w[weights + i];
    conv_pack(w, s->k, s->c, s->kh * s->kw, packed);
    const struct conv_job job = {.shape = {s->kh, s->kw, s->stride, s->pad_y, s->pad_x},
                                 .x = x,
                                 .y = y,
                                 .w = packed,
                                 .bias = w + weights,
                                 .relu = relu};
    kernels->conv(&job);
    assert_true(test_border(&y, canary));
    for (size_t lane = 0; lane < lanes; lane += 5) {
        test_lane(&x, lane, dx);
        ref_conv(s, dx, dw, db, dy, size);
        for (size_t i = 0; i < outputs; i++) {
            const double got = (double)tensor_at(&y, i / (s->oh * s->ow), (ptrdiff_t)(i / s->ow % s->oh),
                                                 (ptrdiff_t)(i % s->ow))[lane];
            near("conv", kernels->name, got, relu ? ref_relu(dy[i]) : dy[i],
                 epsilon * 2 * size[i] * (double)(s->c * s->kh * s->kw + 1));
        }
    }
    test_tensor_free(&x);
    test_tensor_free(&y);
    mem_free(&w), mem_free(&packed), mem_free(&dx), mem_free(&dw), mem_free(&db), mem_free(&dy),
        mem_free(&size);
}

/* Weight and bias gradient, summed over all lanes. */
static void check_conv_dw(const struct kernels *kernels, const struct ref_conv *s, struct rng *rng) {
    const size_t weights = s->k * s->c * s->kh * s->kw;
    struct tensor x = test_tensor(s->c, s->h, s->w, 7, 0), dy = test_tensor(s->k, s->oh, s->ow, 0, 0);
    float *grads = NULL;
    double *px = doubles(s->c * s->h * s->w), *pdy = doubles(s->k * s->oh * s->ow), *want = doubles(weights),
           *size = doubles(weights), *bias = doubles(s->k);
    const size_t next = weights + s->k;
    assert_ok(mem_alloc(&grads, MOST_LANES / SUM_LANES * next, sizeof *grads, err));
    test_tensor_random(&x, rng);
    test_tensor_random(&dy, rng);
    for (size_t i = 0; i < weights + s->k; i++) grads[i] = 2; /* gradients are added to what is there */
    const struct conv_dw_job job = {
        .shape = {s->kh, s->kw, s->stride, s->pad_y, s->pad_x}, .x = x, .dy = dy, .dw = grads, .next = next};
    kernels->conv_dw(&job);
    kernels->conv_db(&dy, grads + weights, next);
    test_fold(grads, next);
    for (size_t lane = 0; lane < lanes; lane++) {
        test_lane(&x, lane, px);
        test_lane(&dy, lane, pdy);
        ref_conv_grad(s, px, NULL, pdy, NULL, want);
        for (size_t i = 0; i < s->k * s->oh * s->ow; i++) bias[i / (s->oh * s->ow)] += pdy[i];
        for (size_t i = 0; i < s->c * s->h * s->w; i++) px[i] = fabs(px[i]);
        for (size_t i = 0; i < s->k * s->oh * s->ow; i++) pdy[i] = fabs(pdy[i]);
        ref_conv_grad(s, px, NULL, pdy, NULL, size);
    }
    const double terms = (double)(s->oh * s->ow + 8);
    for (size_t i = 0; i < weights; i++)
        near("conv_dw", kernels->name, (double)grads[i], want[i] + 2, epsilon * terms * (size[i] + 4));
    for (size_t i = 0; i < s->k; i++)
        near("conv_db", kernels->name, (double)grads[weights + i], bias[i] + 2,
             epsilon * terms * (16 * terms + 4));
    test_tensor_free(&x);
    test_tensor_free(&dy);
    mem_free(&grads), mem_free(&px), mem_free(&pdy), mem_free(&want), mem_free(&size), mem_free(&bias);
}

static void conv_matches_reference(void **state) {
    (void)state;
    static const size_t channels[] = {1, 2, 3, 4, 5, 7, 8, 13}, widths[] = {1, 3, 4, 5, 8, 11};
    EACH_LEVEL(kernels) {
        struct rng rng = rng_make(1, RNG_TEST, 0);
        for (int n = 0; n < 160; n++) {
            const size_t kernel = 1 + rng_below(&rng, 7), pad = rng_below(&rng, (uint32_t)kernel);
            const size_t stride = n % 4 == 3 ? 2 : 1;
            const size_t h = widths[rng_below(&rng, 6)], w = widths[rng_below(&rng, 6)];
            if (h + 2 * pad < kernel || w + 2 * pad < kernel) continue;
            const struct ref_conv s = conv_case(channels[rng_below(&rng, 8)], h, w,
                                                channels[rng_below(&rng, 8)], kernel, stride, pad);
            check_conv(kernels, &s, &rng, n & 1);
            check_conv_dw(kernels, &s, &rng);
        }
    }
}

/* Winograd's method adds and subtracts neighbours before it multiplies, so its errors follow the largest sums
 * of absolute terms of a picture, not those of one pixel. `share` of the bound that conv keeps to. */
static void near_all(const char *what, const char *isa, const float *got, const double *want,
                     const double *size, size_t n, double terms, double share) {
    double largest = 0;
    for (size_t i = 0; i < n; i++) largest = size[i] > largest ? size[i] : largest;
    for (size_t i = 0; i < n; i++)
        near(what, isa, (double)got[i], want[i], share * epsilon * largest * terms);
}

/* Tiles of 2x2 outputs, or with `four` of 4x4: both within half the bound of the plain sum. */
static void check_winograd(const struct kernels *kernels, const struct ref_conv *s, struct rng *rng, int relu,
                           bool four) {
    const size_t weights = s->k * s->c * 9, outputs = s->k * s->oh * s->ow, next = weights;
    struct tensor x = test_tensor(s->c, s->h, s->w, 2, 0), y = test_tensor(s->k, s->oh, s->ow, 1, canary);
    float *w = NULL, *packed = NULL, *scratch = NULL, *grads = NULL, *got = NULL;
    double *dx = doubles(s->c * s->h * s->w), *dw = doubles(weights), *db = doubles(s->k),
           *dy = doubles(outputs), *size = doubles(outputs), *sizes = doubles(weights);
    assert_ok(mem_alloc(&w, weights + s->k, sizeof *w, err));
    assert_ok(mem_alloc(&packed, 36 * s->k * s->c, sizeof *packed, err));
    assert_ok(mem_alloc(&scratch, test_winograd_scratch(s->c, s->k), sizeof *scratch, err));
    assert_ok(mem_alloc(&grads, MOST_LANES / SUM_LANES * next, sizeof *grads, err));
    assert_ok(mem_alloc(&got, outputs, sizeof *got, err));
    test_tensor_random(&x, rng);
    for (size_t i = 0; i < weights + s->k; i++) w[i] = test_random(rng);
    for (size_t i = 0; i < weights; i++) dw[i] = (double)w[i];
    for (size_t i = 0; i < s->k; i++) db[i] = (double)w[weights + i];
    (four ? winograd4_pack : winograd_pack)(w, s->k, s->c, false, packed);
    const struct conv_shape shape = {3, 3, 1, s->pad_y, s->pad_x};
    (four ? kernels->winograd4 : kernels->winograd)(
        &(struct conv_job){.shape = shape, .x = x, .y = y, .w = packed, .bias = w + weights, .relu = relu},
        scratch);
    assert_true(test_border(&y, canary));
    for (size_t lane = 0; lane < lanes; lane += 5) {
        test_lane(&x, lane, dx);
        ref_conv(s, dx, dw, db, dy, size);
        for (size_t i = 0; i < outputs; i++) {
            got[i] = tensor_at(&y, i / (s->oh * s->ow), (ptrdiff_t)(i / s->ow % s->oh),
                               (ptrdiff_t)(i % s->ow))[lane];
            if (relu) dy[i] = ref_relu(dy[i]);
        }
        near_all("winograd", kernels->name, got, dy, size, outputs, (double)(s->c * 9 + 1), 0.5);
    }
    test_tensor_random(&y, rng);
    for (size_t i = 0; i < weights; i++) grads[i] = 2, dw[i] = 2;
    const size_t side = four ? 4 : 2, used = winograd_dw_scratch(s->c, side);
    for (size_t i = 0; i < test_winograd_scratch(s->c, s->k); i++) scratch[i] = canary;
    kernels->winograd_dw(&(struct conv_dw_job){.shape = shape, .x = x, .dy = y, .dw = grads, .next = next},
                         side, scratch);
    for (size_t i = used; i < test_winograd_scratch(s->c, s->k); i++) assert_true(scratch[i] == canary);
    test_fold(grads, next);
    for (size_t lane = 0; lane < lanes; lane++) {
        test_lane(&x, lane, dx);
        test_lane(&y, lane, dy);
        ref_conv_grad(s, dx, NULL, dy, NULL, dw);
        for (size_t i = 0; i < s->c * s->h * s->w; i++) dx[i] = fabs(dx[i]);
        for (size_t i = 0; i < outputs; i++) dy[i] = fabs(dy[i]);
        ref_conv_grad(s, dx, NULL, dy, NULL, sizes);
    }
    near_all("winograd_dw", kernels->name, grads, dw, sizes, weights, (double)(s->oh * s->ow + 8), 1);
    test_tensor_free(&x);
    test_tensor_free(&y);
    mem_free(&w), mem_free(&packed), mem_free(&scratch), mem_free(&grads), mem_free(&got), mem_free(&dx),
        mem_free(&dw), mem_free(&db), mem_free(&dy), mem_free(&size), mem_free(&sizes);
}

static void winograd_matches_reference(void **state) {
    (void)state;
    for (size_t c = 4; c <= 256; c *= 2)
        for (size_t k = 4; k <= 256; k *= 2) assert_int_equal(winograd_scratch(c, k), winograd_scratch(k, c));
    EACH_LEVEL(kernels) {
        struct rng rng = rng_make(9, RNG_TEST, 0);
        for (int n = 0; n < 60; n++) {
            const size_t pad = rng_below(&rng, 3), c = 4 * (1 + rng_below(&rng, 6)),
                         k = 4 * (1 + rng_below(&rng, 6)), h = 2 * (1 + rng_below(&rng, 5)),
                         w = 2 * (1 + rng_below(&rng, 9));
            if (h + 2 * pad < 4 || w + 2 * pad < 4) continue;
            const struct ref_conv s = conv_case(c, h, w, k, 3, 1, pad);
            check_winograd(kernels, &s, &rng, n & 1, false);
            if (s.oh % 4 == 0 && s.ow % 4 == 0) check_winograd(kernels, &s, &rng, n & 1, true);
        }
    }
}

/* 4x4 ones, 3x3 ones, padding 1: counts of the pixels under the window, by hand. */
static void conv_by_hand(void **state) {
    (void)state;
    static const float want[16] = {4, 6, 6, 4, 6, 9, 9, 6, 6, 9, 9, 6, 4, 6, 6, 4};
    const float ones[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    EACH_LEVEL(kernels) {
        struct tensor x = test_tensor(1, 4, 4, 1, 0), y = test_tensor(1, 4, 4, 0, canary);
        for (size_t i = 0; i < 4; i++)
            for (size_t j = 0; j < 4 * lanes; j++) tensor_at(&x, 0, (ptrdiff_t)i, 0)[j] = 1;
        const struct conv_job job = {.shape = {3, 3, 1, 1, 1}, .x = x, .y = y, .w = ones};
        kernels->conv(&job);
        for (size_t i = 0; i < 16; i++)
            for (size_t lane = 0; lane < lanes; lane++)
                assert_true(tensor_at(&y, 0, (ptrdiff_t)(i / 4), (ptrdiff_t)(i % 4))[lane] == want[i]);
        test_tensor_free(&x);
        test_tensor_free(&y);
    }
}

/* <conv(x), y> = <x, conv^T(y)>: the turned kernel of the backward pass is the adjoint of the forward one. */
static void conv_adjoint(void **state) {
    (void)state;
    EACH_LEVEL(kernels) {
        struct rng rng = rng_make(2, RNG_TEST, 0);
        for (size_t kernel = 1; kernel <= 5; kernel++) {
            const size_t c = 3, k = 5, side = 9, pad = (kernel - 1) / 2;
            const ptrdiff_t turned = (ptrdiff_t)(kernel - 1 - pad);
            const size_t out = side + 2 * pad - kernel + 1;
            struct tensor x = test_tensor(c, side, side, 5, 0), y = test_tensor(k, out, out, 5, 0);
            struct tensor cx = test_tensor(k, out, out, 0, 0), cy = test_tensor(c, side, side, 0, 0);
            float w[5 * 3 * 25], packed[5 * 3 * 25], packed_t[5 * 3 * 25];
            for (size_t i = 0; i < k * c * kernel * kernel; i++) w[i] = test_random(&rng);
            test_tensor_random(&x, &rng);
            test_tensor_random(&y, &rng);
            conv_pack(w, k, c, kernel * kernel, packed);
            conv_pack_transposed(w, k, c, kernel * kernel, packed_t);
            kernels->conv(&(struct conv_job){
                .shape = {kernel, kernel, 1, (ptrdiff_t)pad, (ptrdiff_t)pad}, .x = x, .y = cx, .w = packed});
            kernels->conv(&(struct conv_job){
                .shape = {kernel, kernel, 1, turned, turned}, .x = y, .y = cy, .w = packed_t});
            double a = 0, b = 0, px[3 * 81], pcy[3 * 81], py[5 * 100], pcx[5 * 100];
            for (size_t lane = 0; lane < lanes; lane++) {
                test_lane(&x, lane, px), test_lane(&cy, lane, pcy), test_lane(&y, lane, py),
                    test_lane(&cx, lane, pcx);
                for (size_t i = 0; i < k * out * out; i++) a += py[i] * pcx[i];
                for (size_t i = 0; i < c * side * side; i++) b += px[i] * pcy[i];
            }
            near("adjoint", kernels->name, a, b, 1e-3);
            test_tensor_free(&x), test_tensor_free(&y), test_tensor_free(&cx), test_tensor_free(&cy);
        }
    }
}

/* --- The others ----------------------------------------------------------------------------------- */

static void pooling_matches_reference(void **state) {
    (void)state;
    EACH_LEVEL(kernels) {
        struct rng rng = rng_make(3, RNG_TEST, 0);
        for (size_t size = 1; size <= 4; size++) {
            const size_t c = 3, h = 9, w = 11, oh = h / size, ow = w / size;
            struct tensor x = test_tensor(c, h, w, 1, canary), dx = test_tensor(c, h, w, 1, canary);
            struct tensor y = test_tensor(c, oh, ow, 1, canary), dy = test_tensor(c, oh, ow, 0, 0);
            double px[3 * 9 * 11], py[3 * 9 * 11], pdx[3 * 9 * 11], pdy[3 * 9 * 11], want[3 * 9 * 11];
            test_tensor_random(&x, &rng);
            /* equal pixels: the first takes the gradient */
            for (size_t j = 0; j < w * lanes; j++) tensor_at(&x, 0, 0, 0)[j] = 0.5f;
            test_tensor_random(&dy, &rng);
            kernels->maxpool(&x, &y, size);
            kernels->maxpool_grad(&x, &y, &dy, &dx, size);
            assert_true(test_border(&y, canary) && test_border(&dx, canary));
            for (size_t lane = 0; lane < lanes; lane++) {
                test_lane(&x, lane, px), test_lane(&y, lane, py), test_lane(&dx, lane, pdx),
                    test_lane(&dy, lane, pdy);
                ref_maxpool(c, h, w, size, px, want);
                for (size_t i = 0; i < c * oh * ow; i++) assert_true(py[i] == want[i]);
                ref_maxpool_grad(c, h, w, size, px, pdy, want);
                for (size_t i = 0; i < c * h * w; i++) assert_true(pdx[i] == want[i]);
            }
            test_tensor_free(&x), test_tensor_free(&dx), test_tensor_free(&y), test_tensor_free(&dy);
        }
    }
}

static void upsampling_matches_reference(void **state) {
    (void)state;
    EACH_LEVEL(kernels) {
        struct rng rng = rng_make(4, RNG_TEST, 0);
        for (size_t f = 1; f <= 3; f++) {
            const size_t c = 2, h = 3, w = 5;
            struct tensor x = test_tensor(c, h, w, 1, canary), dx = test_tensor(c, h, w, 1, canary);
            struct tensor y = test_tensor(c, h * f, w * f, 1, canary),
                          dy = test_tensor(c, h * f, w * f, 0, 0);
            double px[270], py[270], pdx[270], pdy[270], want[270];
            test_tensor_random(&x, &rng);
            test_tensor_random(&dy, &rng);
            kernels->upsample(&x, &y, f);
            kernels->upsample_grad(&dy, &dx, f);
            assert_true(test_border(&y, canary) && test_border(&dx, canary));
            for (size_t lane = 0; lane < lanes; lane++) {
                test_lane(&x, lane, px), test_lane(&y, lane, py), test_lane(&dx, lane, pdx),
                    test_lane(&dy, lane, pdy);
                ref_upsample(c, h, w, f, px, want);
                for (size_t i = 0; i < c * h * w * f * f; i++) assert_true(py[i] == want[i]);
                ref_upsample_grad(c, h, w, f, pdy, want);
                for (size_t i = 0; i < c * h * w; i++)
                    near("upsample_grad", kernels->name, pdx[i], want[i], 2e-6);
            }
            test_tensor_free(&x), test_tensor_free(&dx), test_tensor_free(&y), test_tensor_free(&dy);
        }
    }
}

static double ref_activation(enum activation act, double x) {
    switch (act) {
#define ACTIVATION(name, truth, keeps, forward, backward, onnx) \
    case ACT_##name:                                            \
        return truth;
#include "kernels/activations.def"
#undef ACTIVATION
    case ACTIVATIONS:
        break;
    }
    return NAN;
}

/* Values against the formulas in double, slopes against central differences of those: the bound is a few
 * units in the last place of the largest number on the way, which is 1 or x. */
static void activations_match_reference(void **state) {
    (void)state;
    enum { N = 4001 };
    EACH_LEVEL(kernels) {
        struct tensor x = test_tensor(1, 1, N, 0, 0), y = test_tensor(1, 1, N, 0, 0),
                      d = test_tensor(1, 1, N, 0, 0);
        for (size_t j = 0; j < N; j++)
            for (size_t lane = 0; lane < lanes; lane++)
                x.data[j * lanes + lane] = (float)((double)j - 2000.25) * 0.02f;
        for (int act = 0; act < (int)ACTIVATIONS; act++) {
            kernels->act(&x, &y, (enum activation)act);
            for (size_t j = 0; j < N * lanes; j++) d.data[j] = 3;
            kernels->act_grad(activation_keeps_input((enum activation)act) ? &x : &y, &d,
                              (enum activation)act);
            for (size_t j = 0; j < N * lanes; j++) {
                const double at = (double)x.data[j], h = 1e-5;
                const double want = ref_activation((enum activation)act, at);
                const double slope = (ref_activation((enum activation)act, at + h) -
                                      ref_activation((enum activation)act, at - h)) /
                                     (2 * h);
                near("activation", kernels->name, (double)y.data[j], want, 3e-7 * fmax(1, fabs(want)));
                near("slope", kernels->name, (double)d.data[j], 3 * slope, 6e-6);
            }
        }
        kernels->act(&x, &y, ACT_sigmoid);
        for (size_t j = 0; j < N * lanes; j++) { /* also relative to itself, far out */
            const double want = ref_sigmoid((double)x.data[j]);
            near("sigmoid", kernels->name, (double)y.data[j], want, 2.5e-7 * want + 1e-37);
        }
        for (int act = 0; act < (int)ACTIVATIONS; act++) { /* a NaN must not be hidden */
            x.data[0] = NAN;
            kernels->act(&x, &y, (enum activation)act);
            assert_true(isnan(y.data[0]));
        }
        test_tensor_free(&x), test_tensor_free(&y), test_tensor_free(&d);
    }
}

/* Mean 0, variance 1, the fourth moment of a sum of eight uniform numbers (3 - 1.2 / 8), and a pure function
 * of its key. */
static void noise_is_nearly_normal(void **state) {
    (void)state;
    enum { SIDE = 64 };
    EACH_LEVEL(kernels) {
        struct tensor x = test_tensor(3, SIDE, SIDE, 0, 0.25f), y = test_tensor(3, SIDE, SIDE, 1, canary),
                      z = test_tensor(3, SIDE, SIDE, 0, 0);
        struct noise_job job = {.x = x, .y = y, .scale = 2, .key = {7, 0}, .stream = 1, .step = 5};
        const size_t n = 3 * SIDE * SIDE * lanes;
        double moment[5] = {0};
        kernels->noise(&job);
        assert_true(test_border(&y, canary));
        for (size_t c = 0; c < 3; c++)
            for (ptrdiff_t i = 0; i < SIDE; i++)
                for (size_t j = 0; j < SIDE * lanes; j++) {
                    const double v = ((double)tensor_at(&y, c, i, 0)[j] - 0.25) / 2;
                    for (int k = 1; k < 5; k++) moment[k] += pow(v, k) / (double)n;
                }
        near("mean", kernels->name, moment[1], 0, 0.01);
        near("variance", kernels->name, moment[2], 1, 0.015);
        near("skewness", kernels->name, moment[3], 0, 0.03);
        near("kurtosis", kernels->name, moment[4], 2.85, 0.08);
        /* lane 3 of a block that starts at picture 13 is picture 16: lane 0 of the next block */
        job.y = z;
        job.first = 16;
        kernels->noise(&job);
        const float other = z.data[0];
        job.first = 13;
        kernels->noise(&job);
        assert_true(z.data[3] == other);
        job.step = 6;
        kernels->noise(&job);
        assert_true(z.data[3] != other);
        test_tensor_free(&x), test_tensor_free(&y), test_tensor_free(&z);
    }
}

static void bytes_to_lanes_and_back(void **state) {
    (void)state;
    EACH_LEVEL(kernels) {
        struct rng rng = rng_make(5, RNG_TEST, 0);
        for (size_t w = 1; w <= 35; w += 17) {
            uint8_t bytes[MOST_LANES][3 * 5 * 35];
            float values[MOST_LANES][3 * 5 * 35];
            const uint8_t *in[MOST_LANES];
            float *out[MOST_LANES];
            struct tensor x = test_tensor(3, 5, w, 1, canary);
            for (size_t i = 0; i < lanes; i++) {
                in[i] = bytes[i], out[i] = values[i];
                for (size_t j = 0; j < sizeof bytes[i]; j++) bytes[i][j] = (uint8_t)rng_below(&rng, 256);
            }
            kernels->load(in, w, 5 * w, &x);
            assert_true(test_border(&x, canary));
            kernels->store(&x, out, w, 5 * w, 5);
            for (size_t i = 0; i < 5; i++)
                for (size_t j = 0; j < 15 * w; j++) {
                    const float want = (float)bytes[i][j] / 255.0f;
                    if (kernels == kernels_get(CPU_GENERIC))
                        near("load", "generic", (double)values[i][j], (double)want, 1.2e-7);
                    else
                        assert_true(values[i][j] == want);
                }
            test_tensor_free(&x);
        }
    }
}

/* Against BT.601's own formulas, and bytes that are grey: their color is exactly nothing. */
static void colors_match_reference(void **state) {
    (void)state;
    EACH_LEVEL(kernels) {
        struct rng rng = rng_make(9, RNG_TEST, 0);
        struct tensor rgb = test_tensor(3, 3, 7, 1, 0), y = test_tensor(1, 3, 7, 2, canary),
                      uv = test_tensor(2, 3, 7, 1, canary), alone = test_tensor(1, 3, 7, 0, canary);
        double in[63], luma[21], chroma[42], again[21];
        test_tensor_random(&rgb, &rng);
        for (size_t c = 0; c < 3; c++)
            for (size_t lane = 0; lane < lanes; lane++) tensor_at(&rgb, c, 0, 0)[lane] = (float)lane / 15.0f;
        kernels->to_yuv(&rgb, &y, &uv);
        kernels->to_yuv(&rgb, &alone, &(struct tensor){0});
        assert_true(test_border(&y, canary) && test_border(&uv, canary));
        for (size_t lane = 0; lane < lanes; lane++) {
            test_lane(&rgb, lane, in), test_lane(&y, lane, luma), test_lane(&uv, lane, chroma),
                test_lane(&alone, lane, again);
            assert_memory_equal(luma, again, sizeof luma);
            assert_true(luma[0] == in[0] && chroma[0] == 0 && chroma[21] == 0);
            for (size_t i = 0; i < 21; i++) {
                const double r = in[i], g = in[21 + i], b = in[42 + i];
                const double want = 0.299 * r + 0.587 * g + 0.114 * b;
                near("Y", kernels->name, luma[i], want, 3e-7);
                near("U", kernels->name, chroma[i], 0.492 * (b - want), 3e-7);
                near("V", kernels->name, chroma[21 + i], 0.877 * (r - want), 4e-7);
            }
        }
        test_tensor_free(&rgb), test_tensor_free(&y), test_tensor_free(&uv), test_tensor_free(&alone);
    }
}

/* --bench: figures instead of tests. */
int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "--bench") == 0) return kernel_bench();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conv_matches_reference),      cmocka_unit_test(conv_by_hand),
        cmocka_unit_test(winograd_matches_reference),  cmocka_unit_test(conv_adjoint),
        cmocka_unit_test(pooling_matches_reference),   cmocka_unit_test(upsampling_matches_reference),
        cmocka_unit_test(activations_match_reference), cmocka_unit_test(noise_is_nearly_normal),
        cmocka_unit_test(bytes_to_lanes_and_back),     cmocka_unit_test(colors_match_reference),
    };
    return cmocka_run_group_tests_name("kernels", tests, NULL, NULL);
}
