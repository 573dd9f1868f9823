/* test_code_bits.c - the range coder, and what the quantize layer learns about bits, against a plain count in
 * double. */
#include "testing.h"

#include "code/codec.h"
#include "layers/quantize.h"
#include "train/trainer.h"

#include <math.h>

/* --- Range coder ---------------------------------------------------------------------------------- */

/* Symbols of 40 kinds, from one that is nearly certain to some that take one part of the total. */
static void part_of(size_t kind, uint32_t *start, uint32_t *count) {
    *start = kind == 0 ? 0 : RANGE_TOTAL - 39 + (uint32_t)kind - 1;
    *count = kind == 0 ? RANGE_TOTAL - 39 : 1;
}

static void messages_come_back_in_the_room_they_need(void **state) {
    (void)state;
    enum { N = 20000 };
    static size_t kinds[N];
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct rng rng = rng_make(seed, RNG_TEST, 0);
        struct range_encoder encoder;
        struct range_decoder decoder;
        const size_t n = seed < 20 ? seed : N;
        const uint32_t often = 1 + rng_below(&rng, 2000);
        double bits = 0;
        range_encoder_open(&encoder);
        for (size_t i = 0; i < n; i++) {
            uint32_t start, count;
            kinds[i] = rng_below(&rng, often) == 0 ? rng_below(&rng, 40) : 0;
            part_of(kinds[i], &start, &count);
            range_encode(&encoder, start, count);
            bits -= log2((double)count / RANGE_TOTAL);
        }
        assert_ok(range_encoder_finish(&encoder, err));
        if ((double)encoder.size * 8 > bits * 1.001 + 16)
            fail_msg("seed %d: %zu bytes for %.1f bits", (int)seed, encoder.size, bits);
        range_decoder_open(&decoder, encoder.bytes, encoder.size);
        for (size_t i = 0; i < n; i++) {
            const uint32_t target = range_decoder_target(&decoder);
            const size_t kind = target < RANGE_TOTAL - 39 ? 0 : target - (RANGE_TOTAL - 39) + 1;
            uint32_t start, count;
            if (kind != kinds[i])
                fail_msg("seed %d: symbol %zu is %zu, not %zu", (int)seed, i, kind, kinds[i]);
            part_of(kind, &start, &count);
            range_decoder_take(&decoder, start, count);
        }
        range_encoder_close(&encoder);
    }
}

/* --- What bits cost ------------------------------------------------------------------------------- */

/* Numbers [h][w][k], as they stand in a decoder, and a layer's parameters. */
struct code {
    size_t k, h, w;
    const double *n, *params;
};

static double at(const struct code *c, ptrdiff_t i, ptrdiff_t j, size_t k) {
    if (i < 0 || j < 0 || j >= (ptrdiff_t)c->w) return 0;
    return c->n[((size_t)i * c->w + (size_t)j) * c->k + k];
}

/* log2(1 + |n|), straight between powers of two. */
static double size_of(double n) {
    const double one = 1 + fabs(n), floor2 = exp2(floor(log2(one)));
    return log2(floor2) + one / floor2 - 1;
}

/* The bits of all numbers, straight from the words in layers/quantize.c. */
static double count_bits(const struct code *c) {
    static const int taps[5][2] = {{-1, -1}, {-1, 0}, {-1, 1}, {0, -1}, {0, 0}};
    const struct quantize_params p = quantize_params(c->k);
    double bits = 0;
    for (size_t i = 0; i < c->h; i++)
        for (size_t j = 0; j < c->w; j++)
            for (size_t k = 0; k < c->k; k++) {
                double mean = c->params[p.mean_bias + k], scale = c->params[p.scale_bias + k];
                for (size_t from = 0; from < c->k; from++)
                    for (size_t tap = 0; tap < 5; tap++) {
                        if (tap == 4 && from >= k) continue;
                        const size_t w = (k * c->k + from) * 5 + tap;
                        const double n =
                            at(c, (ptrdiff_t)i + taps[tap][0], (ptrdiff_t)j + taps[tap][1], from);
                        mean += c->params[p.mean + w] * n;
                        scale += c->params[p.scale + w] * size_of(n);
                    }
                const double n = c->n[(i * c->w + j) * c->k + k], width = exp(scale);
                const double u = fabs(n - mean), low = (u - 0.5) / width, high = (u + 0.5) / width;
                const double near = low < 0 ? 1 - exp(low) / 2 : exp(-low) / 2;
                bits -= log2(near - exp(-high) / 2);
            }
    return bits;
}

enum { K = 5, H = 3, W = 4, N = K * H * W };

/* Parameters that predict something, and numbers from -4 to 4. */
static void make_code(struct rng *rng, float *params, double *n) {
    const struct quantize_params p = quantize_params(K);
    for (size_t i = 0; i < p.all; i++) params[i] = 0.1f * test_random(rng);
    for (size_t i = 0; i < N; i++) n[i] = (double)rng_below(rng, 9) - 4;
}

static void near(const char *what, size_t i, double got, double want, double error) {
    if (fabs(got - want) > error * (1 + fabs(want)))
        fail_msg("%s %zu: got %.7g, want %.7g", what, i, got, want);
}

/* The slope of the bits by *value, of the code's numbers or parameters, by central differences. */
static double slope_by(const struct code *code, double *value) {
    const double was = *value, small = 1e-5;
    *value = was + small;
    const double above = count_bits(code);
    *value = was - small;
    const double below = count_bits(code);
    *value = was;
    return (above - below) / (2 * small);
}

/* What step 7 adds to number i, [k][h][w], of picture 3 in the second layer, with seed 5 << 32 | 6. */
static double dither_of(size_t i) {
    const uint32_t counter[4] = {(uint32_t)i, 3, (uint32_t)RNG_NOISE << 16 | 1, 7}, key[2] = {6, 5};
    uint32_t word[4];
    rng_philox(counter, key, word);
    return (word[0] >> 8) / 0x1p24 + 0x1p-25 - 0.5;
}

/* The layer's backward pass with nothing coming from behind it gives the slopes of the bits, times STEP^2 ln
 * 2 / 6, as central differences of count_bits find them: of the whole numbers by its parameters, of numbers
 * with dither by its input, which gets none where numbers are rounded. `narrow`: added to the logarithms of
 * widths. */
static void check_slopes(const char *training, double narrow, double error) {
    const double step = 0.5, exchange = step * step * log(2) / 6;
    EACH_LEVEL(kernels) {
        caelum_net *net = NULL;
        struct net_workspace ws = {0};
        float *params = NULL, *packed = NULL, *grads = NULL;
        double n[N], dithered[N], exact[2 * K * K * 5 + 2 * K];
        struct rng rng = rng_make(3, RNG_TEST, 0);
        const bool round = strcmp(training, "round") == 0;
        char text[64];
        /* the convolution makes the layer's input gradient visible */
        snprintf(text, sizeof text, "input 5\nconv 5 k=1\nquantize 0.5 %s\n", training);
        assert_ok(caelum_net_parse(&net, text, "test", H, W, err));
        assert_ok(mem_alloc(&params, net->params, sizeof *params, err));
        assert_ok(mem_alloc(&packed, net->packed, sizeof *packed, err));
        assert_ok(mem_alloc(&grads, 2 * net->params, sizeof *grads, err));
        assert_ok(net_workspace_open(&ws, net, kernels->lanes, true, err));
        const size_t own = net->layer[1].params;
        make_code(&rng, params + own, n);
        for (size_t k = 0; k < K; k++) params[k * K + k] = 1;
        for (size_t k = 0; k < K; k++) params[own + quantize_params(K).scale_bias + k] += (float)narrow;
        for (size_t i = 0; i < net->params - own; i++) exact[i] = (double)params[own + i];
        const struct code code = {K, H, W, n, exact}, noisy = {K, H, W, dithered, exact};
        for (size_t k = 0; k < K; k++)
            for (size_t i = 0; i < H; i++)
                for (size_t j = 0; j < W; j++)
                    for (size_t l = 0; l < lanes; l++) /* one picture; the others are idle */
                        tensor_at(&ws.value[0], k, (ptrdiff_t)i, (ptrdiff_t)j)[l] =
                            (float)(step * n[(i * W + j) * K + k]);
        net_pack(net, params, packed);
        net_workspace_live(&ws, net, 1);
        ws.noise = (struct layer_noise){true, 1, (uint64_t)5 << 32 | 6, 7, 3};
        net_forward(net, kernels, params, packed, &ws);
        kernels->clear(&ws.grad[2]);
        net_backward(net, kernels, params, packed, &ws, grads);
        test_fold(grads, net->params);
        for (size_t i = 0; i < net->params - own; i++)
            near("parameter", i, (double)grads[own + i], exchange * slope_by(&code, &exact[i]), error);
        for (size_t k = 0; k < K; k++)
            for (size_t i = 0; i < H * W; i++)
                dithered[i * K + k] = n[i * K + k] + (round ? 0 : dither_of(k * H * W + i));
        for (size_t k = 0; k < K; k++)
            for (size_t i = 0; i < H * W; i++) {
                const ptrdiff_t y = (ptrdiff_t)(i / W), x = (ptrdiff_t)(i % W);
                const size_t at_number = i * K + k;
                near("output", at_number, (double)tensor_at(&ws.value[2], k, y, x)[0],
                     step * dithered[at_number], error);
                near("number", at_number, (double)tensor_at(&ws.grad[1], k, y, x)[0],
                     round ? 0 : exchange / step * slope_by(&noisy, &dithered[at_number]), error);
            }
        net_workspace_close(&ws);
        mem_free(&params), mem_free(&packed), mem_free(&grads);
        caelum_net_close(&net);
    }
}

static void gradients_are_slopes_of_the_bits(void **state) {
    (void)state;
    check_slopes("dither", 0, 2e-6);
    check_slopes("round", 0, 2e-6);
    /* up to 50 widths from the mean, where rounding the exponent changes a mass by 50 * 2^-24 */
    check_slopes("dither", -2.1, 6e-6);
}

static void codes_take_the_bits_that_were_counted(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 30; seed++) {
        struct rng rng = rng_make(seed, RNG_TEST, 1);
        float params[2 * K * K * 5 + 2 * K];
        double n[N], exact[2 * K * K * 5 + 2 * K];
        int16_t numbers[N], back[N];
        struct prior prior = {0};
        struct range_encoder encoder;
        struct range_decoder decoder;
        make_code(&rng, params, n);
        for (size_t i = 0; i < sizeof params / sizeof *params; i++) exact[i] = (double)params[i];
        for (size_t i = 0; i < N; i++) numbers[i] = (int16_t)n[i];
        const double bits = count_bits(&(struct code){K, H, W, n, exact});
        assert_ok(prior_open(&prior, K, params, err));
        for (int far = 0; far < 2; far++) {
            if (far) numbers[7] = 32767, numbers[22] = -32767, numbers[23] = 1000; /* beyond all cells */
            range_encoder_open(&encoder);
            prior_encode(&prior, &encoder, numbers, H, W);
            assert_ok(range_encoder_finish(&encoder, err));
            if (!far && fabs((double)encoder.size * 8 - bits) > 16 + 0.01 * bits)
                fail_msg("seed %d: %zu bytes, %.1f bits were counted", (int)seed, encoder.size, bits);
            range_decoder_open(&decoder, encoder.bytes, encoder.size);
            prior_decode(&prior, &decoder, back, H, W);
            assert_memory_equal(numbers, back, sizeof back);
            range_encoder_close(&encoder);
        }
        /* any bytes decode to something */
        uint8_t noise[64];
        for (size_t i = 0; i < sizeof noise; i++) noise[i] = (uint8_t)rng_below(&rng, 256);
        range_decoder_open(&decoder, noise, sizeof noise);
        prior_decode(&prior, &decoder, back, H, W);
        prior_close(&prior);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_back_in_the_room_they_need),
        cmocka_unit_test(gradients_are_slopes_of_the_bits),
        cmocka_unit_test(codes_take_the_bits_that_were_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
