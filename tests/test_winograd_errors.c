/* test_winograd_errors.c - the rounding errors of Winograd's tiles, as multiples of the plain sum's: what
 * docs/engine.md says of them. */
#include "testing.h"

#include "ref.h"

#include <math.h>

enum { CHANNELS = 64, SIDE = 8, OUTPUTS = CHANNELS * SIDE * SIDE, WEIGHTS = CHANNELS * CHANNELS * 9 };
enum method { PLAIN, TILES_OF_2, TILES_OF_4, METHODS };

static float w[WEIGHTS], packed[4 * WEIGHTS];
static double dx[CHANNELS * SIDE * SIDE], dw[WEIGHTS], want[OUTPUTS], size[OUTPUTS];
static float grads[MOST_LANES / SUM_LANES * WEIGHTS];

static void convolve(const struct kernels *kernels, enum method method, const struct conv_job *job,
                     float *scratch) {
    if (method == PLAIN) kernels->conv(job);
    if (method == TILES_OF_2) kernels->winograd(job, scratch);
    if (method == TILES_OF_4) kernels->winograd4(job, scratch);
}

/* Root mean square error of all outputs of one lane. */
static double error(const struct kernels *kernels, enum method method, const struct tensor *x,
                    float *scratch) {
    struct tensor y = test_tensor(CHANNELS, SIDE, SIDE, 1, 0);
    if (method == PLAIN) conv_pack(w, CHANNELS, CHANNELS, 9, packed);
    if (method == TILES_OF_2) winograd_pack(w, CHANNELS, CHANNELS, false, packed);
    if (method == TILES_OF_4) winograd4_pack(w, CHANNELS, CHANNELS, false, packed);
    convolve(kernels, method, &(struct conv_job){.shape = {3, 3, 1, 1, 1}, .x = *x, .y = y, .w = packed},
             scratch);
    double sum = 0;
    for (size_t i = 0; i < OUTPUTS; i++) {
        const double e =
            (double)*tensor_at(&y, i / (SIDE * SIDE), (ptrdiff_t)(i / SIDE % SIDE), (ptrdiff_t)(i % SIDE)) -
            want[i];
        sum += e * e / OUTPUTS;
    }
    test_tensor_free(&y);
    return sqrt(sum);
}

/* The plain sum has 576 terms one after the other. Tiles of 2x2 have four sums of 64 each and are more exact;
 * tiles of 4x4 with the points 0, sqrt(1/2), sqrt(2) and infinity have some twice the plain sum's error. */
static void errors_are_small_multiples(void **state) {
    (void)state;
    EACH_LEVEL(kernels) {
        const struct ref_conv s = {CHANNELS, SIDE, SIDE, CHANNELS, SIDE, SIDE, 3, 3, 1, 1, 1};
        struct rng rng = rng_make(3, RNG_TEST, 0);
        struct tensor x = test_tensor(CHANNELS, SIDE, SIDE, 2, 0);
        float *scratch = NULL;
        double rms[METHODS];
        assert_ok(mem_alloc(&scratch, test_winograd_scratch(CHANNELS, CHANNELS), sizeof *scratch, err));
        test_tensor_random(&x, &rng);
        for (size_t i = 0; i < WEIGHTS; i++) w[i] = test_random(&rng), dw[i] = (double)w[i];
        test_lane(&x, 0, dx);
        ref_conv(&s, dx, dw, NULL, want, size);
        for (enum method m = PLAIN; m < METHODS; m++) rms[m] = error(kernels, m, &x, scratch);
        print_message("%s: tiles of 2x2 %.2f times the plain sum's error, of 4x4 %.2f times\n", kernels->name,
                      rms[TILES_OF_2] / rms[PLAIN], rms[TILES_OF_4] / rms[PLAIN]);
        assert_true(rms[TILES_OF_2] < rms[PLAIN]);
        assert_true(rms[TILES_OF_4] < 2.5 * rms[PLAIN]);
        test_tensor_free(&x);
        mem_free(&scratch);
    }
}

/* Root mean square error of all weight gradients of the first eight lanes. */
static double gradient_error(const struct kernels *kernels, enum method method, const struct conv_dw_job *job,
                             float *scratch) {
    double sum = 0;
    memset(grads, 0, sizeof grads);
    if (method == PLAIN) kernels->conv_dw(job);
    if (method == TILES_OF_2) kernels->winograd_dw(job, 2, scratch);
    if (method == TILES_OF_4) kernels->winograd_dw(job, 4, scratch);
    for (size_t i = 0; i < WEIGHTS; i++) {
        const double e = (double)grads[i] - dw[i];
        sum += e * e / WEIGHTS;
    }
    return sqrt(sum);
}

/* If roundings are independent, the mean square error of n products added one after the other grows as n^2 /
 * 2 times the mean square of a product. The plain sum has 49 to 64 products in each of eight lanes; tiles of
 * 2x2 have 8 x 16 at each place, tiles of 4x4 have 8 x 4. There the mean square of a product is larger by the
 * squared lengths of a row of B^T and one of A in both directions, and a weight sums the places' errors by
 * the squares of G^T's entries. Together this is 2.5 and 3.9 times the plain sum's error. The transforms' own
 * roundings, which matter more where sums are short, make it 2.6 and 4.6. The margin is for instruction sets
 * without fused multiply-add, where each product is rounded as well. */
static void gradients_errors_are_small_multiples(void **state) {
    (void)state;
    EACH_LEVEL(kernels) {
        const struct ref_conv s = {CHANNELS, SIDE, SIDE, CHANNELS, SIDE, SIDE, 3, 3, 1, 1, 1};
        struct rng rng = rng_make(4, RNG_TEST, 0);
        struct tensor x = test_tensor(CHANNELS, SIDE, SIDE, 1, 0),
                      y = test_tensor(CHANNELS, SIDE, SIDE, 0, 0);
        const struct conv_dw_job job = {{3, 3, 1, 1, 1}, .x = x, .dy = y, .dw = grads, .next = WEIGHTS};
        float *scratch = NULL;
        double rms[METHODS];
        assert_ok(mem_alloc(&scratch, test_winograd_scratch(CHANNELS, CHANNELS), sizeof *scratch, err));
        test_tensor_random(&x, &rng), test_tensor_random(&y, &rng);
        for (size_t i = 0; i < WEIGHTS; i++) dw[i] = 0;
        for (size_t lane = 0; lane < SUM_LANES; lane++) {
            test_lane(&x, lane, dx), test_lane(&y, lane, want);
            ref_conv_grad(&s, dx, NULL, want, NULL, dw);
        }
        for (enum method m = PLAIN; m < METHODS; m++) rms[m] = gradient_error(kernels, m, &job, scratch);
        print_message("%s: gradients in tiles of 2x2 %.2f times the plain sum's error, of 4x4 %.2f times\n",
                      kernels->name, rms[TILES_OF_2] / rms[PLAIN], rms[TILES_OF_4] / rms[PLAIN]);
        assert_true(rms[TILES_OF_2] < 2.75 * rms[PLAIN]);
        assert_true(rms[TILES_OF_4] < 5 * rms[PLAIN]);
        test_tensor_free(&x), test_tensor_free(&y);
        mem_free(&scratch);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(errors_are_small_multiples),
                                       cmocka_unit_test(gradients_errors_are_small_multiples)};
    return cmocka_run_group_tests_name("winograd_errors", tests, NULL, NULL);
}
