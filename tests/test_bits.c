/* test_bits.c - the promise of kernels.h: machines with registers of 8 and of 16 floats give the same bits.
 */
#include "testing.h"

#if defined(__x86_64__)
/* Blocks of 16, compiled for AVX2: what an AVX-512 machine computes, on any that has fused multiply-add. */
extern const struct kernels kernels_wide;

struct results {
    float y[16 * 5 * 81], sigmoid[16 * 9], dw[2][5 * 3 * 9], db[2][5];
    float tiles[16 * 4 * 64], tiles4[16 * 4 * 64], tiles_dw[2][4 * 8 * 9], tiles4_dw[2][4 * 8 * 9];
    float doubled[16 * 3 * 256], doubled_dx[16 * 8 * 64], doubled_dw[2][3 * 8 * 9];
    float slopes[16 * 5 * 81]; /* of cross-entropy */
    struct loss_sums sums[2], entropy[2];
};

/* One of 16 pictures into a lane. */
static void fill_lane(const struct tensor *t, size_t lane, const float *picture) {
    for (size_t c = 0; c < t->c; c++)
        for (size_t i = 0; i < t->h; i++)
            for (size_t j = 0; j < t->w; j++) tensor_at(t, c, (ptrdiff_t)i, (ptrdiff_t)j)[lane] = *picture++;
}

/* Winograd's method on the same 16 pictures. */
static void compute_tiles(const struct kernels *kernels, struct results *r) {
    struct rng rng = rng_make(10, RNG_TEST, 0);
    float w[4 * 8 * 9], *scratch = NULL, packed[4 * 8 * 16], packed4[4 * 8 * 36];
    static float from[16][8 * 64];
    const struct conv_shape shape = {3, 3, 1, 1, 1};
    for (size_t i = 0; i < 4 * 8 * 9; i++) w[i] = test_random(&rng);
    for (size_t i = 0; i < 16 * 8 * 64; i++) from[i / 512][i % 512] = test_random(&rng);
    winograd_pack(w, 4, 8, false, packed);
    winograd4_pack(w, 4, 8, false, packed4);
    assert_ok(mem_alloc(&scratch, test_winograd_scratch(8, 4), sizeof *scratch, err));
    for (size_t first = 0; first < 16; first += kernels->lanes) {
        struct tensor x = test_tensor(8, 8, 8, 1, 0), y = test_tensor(4, 8, 8, 0, 0);
        float *pictures[MOST_LANES];
        for (size_t lane = 0; lane < kernels->lanes; lane++) {
            pictures[lane] = r->tiles + (first + lane) * 4 * 64;
            fill_lane(&x, lane, from[first + lane]);
        }
        kernels->winograd(&(struct conv_job){.shape = shape, .x = x, .y = y, .w = packed}, scratch);
        struct conv_dw_job dw = {.shape = shape, .x = x, .dy = y, .next = 4 * 8 * 9};
        dw.dw = r->tiles_dw[first / SUM_LANES];
        kernels->winograd_dw(&dw, 2, scratch);
        dw.dw = r->tiles4_dw[first / SUM_LANES];
        kernels->winograd_dw(&dw, 4, scratch);
        kernels->store(&y, pictures, y.w, 64, kernels->lanes);
        for (size_t lane = 0; lane < kernels->lanes; lane++)
            pictures[lane] = r->tiles4 + (first + lane) * 4 * 64;
        kernels->winograd4(&(struct conv_job){.shape = shape, .x = x, .y = y, .w = packed4}, scratch);
        kernels->store(&y, pictures, y.w, 64, kernels->lanes);
        test_tensor_free(&x), test_tensor_free(&y);
    }
    mem_free(&scratch);
}

/* A convolution of doubled pictures, and back. */
static void compute_doubled(const struct kernels *kernels, struct results *r) {
    struct rng rng = rng_make(11, RNG_TEST, 0);
    float w[3 * 8 * 9], *scratch = NULL, packed[3 * 8 * 9], adjoint[3 * 8 * 9];
    static float from[16][8 * 64];
    for (size_t i = 0; i < 3 * 8 * 9; i++) w[i] = test_random(&rng);
    for (size_t i = 0; i < 16 * 8 * 64; i++) from[i / 512][i % 512] = test_random(&rng);
    upconv_pack(w, 3, 8, packed);
    upconv_pack_adjoint(w, 3, 8, adjoint);
    assert_ok(mem_alloc(&scratch, upconv_scratch(8, 3, 8), sizeof *scratch, err));
    for (size_t first = 0; first < 16; first += kernels->lanes) {
        struct tensor x = test_tensor(8, 8, 8, 1, 0), y = test_tensor(3, 16, 16, 1, 0),
                      dx = test_tensor(8, 8, 8, 0, 0);
        float *pictures[MOST_LANES], *back[MOST_LANES], *dw = r->doubled_dw[first / SUM_LANES];
        for (size_t lane = 0; lane < kernels->lanes; lane++) {
            pictures[lane] = r->doubled + (first + lane) * 3 * 256;
            back[lane] = r->doubled_dx + (first + lane) * 8 * 64;
            fill_lane(&x, lane, from[first + lane]);
        }
        kernels->upconv(&(struct conv_job){.x = x, .y = y, .w = packed}, scratch);
        kernels->upconv_dw(&(struct conv_dw_job){.x = x, .dy = y, .dw = dw, .next = 3 * 8 * 9}, scratch);
        kernels->upconv_dx(&(struct conv_job){.x = y, .y = dx, .w = adjoint}, scratch);
        kernels->store(&y, pictures, y.w, 256, kernels->lanes);
        kernels->store(&dx, back, dx.w, 64, kernels->lanes);
        test_tensor_free(&x), test_tensor_free(&y), test_tensor_free(&dx);
    }
    mem_free(&scratch);
}

/* The same 16 pictures in one block or two. */
static void compute(const struct kernels *kernels, struct results *r) {
    struct rng rng = rng_make(8, RNG_TEST, 0);
    float w[5 * 3 * 9], packed[5 * 3 * 9];
    static float from[16][3 * 81];
    memset(r, 0, sizeof *r);
    for (size_t i = 0; i < 5 * 3 * 9; i++) w[i] = test_random(&rng);
    for (size_t i = 0; i < 16 * 3 * 81; i++) from[i / 243][i % 243] = test_random(&rng);
    conv_pack(w, 5, 3, 9, packed);
    lanes = kernels->lanes;
    for (size_t first = 0; first < 16; first += lanes) {
        const size_t sum = first / SUM_LANES;
        struct tensor x = test_tensor(3, 9, 9, 1, 0), y = test_tensor(5, 9, 9, 0, 0),
                      t = test_tensor(5, 9, 9, 0, 0.5f), d = test_tensor(5, 9, 9, 0, 0),
                      s = test_tensor(1, 1, 9, 0, 0);
        float *pictures[MOST_LANES], *rows[MOST_LANES], *slopes[MOST_LANES];
        for (size_t lane = 0; lane < lanes; lane++) {
            pictures[lane] = r->y + (first + lane) * 5 * 81, rows[lane] = r->sigmoid + (first + lane) * 9;
            slopes[lane] = r->slopes + (first + lane) * 5 * 81;
            fill_lane(&x, lane, from[first + lane]), fill_lane(&s, lane, from[first + lane]);
        }
        kernels->conv(&(struct conv_job){.shape = {3, 3, 1, 1, 1}, .x = x, .y = y, .w = packed});
        kernels->loss(
            &(struct loss_job){.y = y, .t = t, .dy = d, .scale = 0.1f, .live = lanes, .sums = &r->sums[sum]});
        kernels->conv_dw(&(struct conv_dw_job){
            .shape = {3, 3, 1, 1, 1}, .x = x, .dy = d, .dw = r->dw[sum], .next = 5 * 3 * 9});
        kernels->conv_db(&d, r->db[sum], 5);
        kernels->loss(&(struct loss_job){.loss = CAELUM_XENT,
                                         .y = y,
                                         .t = t,
                                         .dy = d,
                                         .scale = 0.1f,
                                         .live = lanes,
                                         .sums = &r->entropy[sum]});
        kernels->store(&d, slopes, d.w, 81, lanes);
        kernels->act(&s, &s, ACT_sigmoid);
        kernels->store(&y, pictures, y.w, 81, lanes);
        kernels->store(&s, rows, s.w, 9, lanes);
        test_tensor_free(&x), test_tensor_free(&y), test_tensor_free(&t), test_tensor_free(&d),
            test_tensor_free(&s);
    }
    compute_tiles(kernels, r);
    compute_doubled(kernels, r);
}

/* The promise of kernels.h: blocks of 8 and of 16 give the same bits. */
static void same_bits_on_all_fma_machines(void **state) {
    (void)state;
    if (cpu_detect() < CPU_AVX2) {
        print_message("skipped: this machine has no AVX2\n");
        skip();
    }
    static struct results eight, sixteen;
    compute(kernels_get(CPU_AVX2), &eight);
    compute(&kernels_wide, &sixteen);
    assert_true(eight.doubled_dx[9] != 0 && eight.doubled_dw[1][8] != 0);
    assert_true(eight.tiles_dw[0][7] != 0 && eight.tiles_dw[1][7] != 0);
    assert_true(eight.dw[0][7] != 0 && eight.dw[1][7] != 0 && eight.db[1][4] != 0 && eight.sums[1].loss > 0);
    assert_true(eight.slopes[7] != 0 && eight.entropy[1].loss > 0);
    assert_memory_equal(&eight, &sixteen, sizeof eight);
    if (cpu_detect() < CPU_AVX512) return;
    compute(kernels_get(CPU_AVX512), &sixteen);
    assert_memory_equal(&eight, &sixteen, sizeof eight);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(same_bits_on_all_fma_machines)};
    return cmocka_run_group_tests_name("bits", tests, NULL, NULL);
}
#else
int main(void) {
    puts("skipped: no two widths of registers on this machine");
    return 0;
}
#endif
