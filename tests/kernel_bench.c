/* kernel_bench.c - test_kernels --bench: convolution kernels by themselves, on data in the second cache, as a
 * share of the plain algorithm's operations in the multiply-add peak measured in turn. */
#include "kernel_bench.h"

#include "testing.h"

#include "base/clock.h"

enum { ROUNDS = 15 };

static int ascending(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct subject {
    const struct kernels *kernels;
    struct conv_job conv;
    struct conv_dw_job dw;
    float *scratch;
};

static void plain(const struct subject *s) {
    s->kernels->conv(&s->conv);
}
static void plain_dw(const struct subject *s) {
    s->kernels->conv_dw(&s->dw);
}
static void winograd(const struct subject *s) {
    s->kernels->winograd(&s->conv, s->scratch);
}
static void winograd4(const struct subject *s) {
    s->kernels->winograd4(&s->conv, s->scratch);
}
static void winograd_dw(const struct subject *s) {
    s->kernels->winograd_dw(&s->dw, 2, s->scratch);
}
static void winograd4_dw(const struct subject *s) {
    s->kernels->winograd_dw(&s->dw, 4, s->scratch);
}

/* FLOPs a second over the peak's, the median of rounds of a millisecond or more. */
static void measure(const struct subject *s, const char *name, void (*work)(const struct subject *)) {
    const struct tensor *x = &s->conv.x, *y = &s->conv.y;
    const size_t taps = s->conv.shape.kh * s->conv.shape.kw;
    const double flops = 2.0 * (double)(lanes * x->c * y->c * taps * y->h * y->w);
    double share[ROUNDS], rate[ROUNDS];
    work(s);
    for (size_t r = 0; r < ROUNDS; r++) {
        double start = clock_seconds(), done = 0, elapsed;
        const double peak = s->kernels->peak(100000) / (clock_seconds() - start);
        start = clock_seconds();
        do {
            work(s);
            done += flops;
            elapsed = clock_seconds() - start;
        } while (elapsed < 1e-3);
        rate[r] = done / elapsed;
        share[r] = rate[r] / peak;
    }
    qsort(share, ROUNDS, sizeof *share, ascending);
    qsort(rate, ROUNDS, sizeof *rate, ascending);
    printf("%-8s %-12s %zux%zu/%zu %3zu -> %3zu at %2zux%-2zu %7.1f GFLOP/s %4.0f %% of peak\n",
           s->kernels->name, name, s->conv.shape.kh, s->conv.shape.kw, s->conv.shape.stride, x->c, y->c, y->h,
           y->w, rate[ROUNDS / 2] * 1e-9, 100 * share[ROUNDS / 2]);
}

static void bench_shape(const struct kernels *kernels, size_t c, size_t k, size_t side, size_t kernel,
                        size_t stride) {
    const size_t weights = k * c * kernel * kernel, pad = kernel / 2;
    const bool tiles = kernel == 3 && stride == 1 && side % 2 == 0 && c % 4 == 0 && k % 4 == 0;
    struct rng rng = rng_make(1, RNG_TEST, 0);
    struct tensor x = test_tensor(c, side * stride, side * stride, kernel, 0),
                  y = test_tensor(k, side, side, 1, 0);
    float *w = NULL, *packed = NULL, *grads = NULL, *scratch = NULL;
    assert_ok(mem_alloc(&w, weights, sizeof *w, err));
    assert_ok(mem_alloc(&packed, 36 * k * c + weights, sizeof *packed, err));
    assert_ok(mem_alloc(&grads, MOST_LANES / SUM_LANES * weights, sizeof *grads, err));
    assert_ok(mem_alloc(&scratch, test_winograd_scratch(c, k), sizeof *scratch, err));
    test_tensor_random(&x, &rng);
    for (size_t i = 0; i < weights; i++) w[i] = test_random(&rng);
    conv_pack(w, k, c, kernel * kernel, packed);
    const struct conv_shape shape = {kernel, kernel, stride, (ptrdiff_t)pad, (ptrdiff_t)pad};
    struct subject s = {.kernels = kernels,
                        .conv = {.shape = shape, .x = x, .y = y, .w = packed},
                        .dw = {.shape = shape, .x = x, .dy = y, .dw = grads, .next = weights},
                        .scratch = scratch};
    measure(&s, "conv", plain);
    measure(&s, "conv_dw", plain_dw);
    if (tiles) {
        winograd_pack(w, k, c, false, packed);
        measure(&s, "winograd", winograd);
        measure(&s, "winograd_dw", winograd_dw);
    }
    if (tiles && side % 4 == 0) {
        winograd4_pack(w, k, c, false, packed);
        measure(&s, "winograd4", winograd4);
        measure(&s, "winograd4_dw", winograd4_dw);
    }
    test_tensor_free(&x), test_tensor_free(&y);
    mem_free(&w), mem_free(&packed), mem_free(&grads), mem_free(&scratch);
}

int kernel_bench(void) {
    static const size_t shapes[][5] = {
        {3, 8, 32, 3, 1},   {8, 12, 16, 3, 1},  {12, 16, 8, 3, 1},  {16, 32, 8, 3, 1},  {32, 64, 8, 3, 1},
        {64, 64, 8, 3, 1},  {64, 64, 16, 3, 1}, {96, 96, 4, 3, 1},  {32, 32, 16, 3, 1}, {32, 3, 32, 3, 1},
        {32, 32, 16, 2, 1}, {48, 16, 8, 1, 1},  {16, 32, 16, 3, 2}, {32, 32, 16, 5, 1}};
    EACH_LEVEL(kernels) {
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
            bench_shape(kernels, shapes[i][0], shapes[i][1], shapes[i][2], shapes[i][3], shapes[i][4]);
    }
    return 0;
}
