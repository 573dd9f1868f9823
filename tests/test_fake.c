/* test_fake.c - fake defects: the same everywhere, told where they are, and learnt to be undone and found. */
#include "testing.h"

#include "train/fake.h"
#include "train/trainer.h"

#include <math.h>
#include <nettle/sha2.h>

enum { SIDE = 32, PLANE = SIDE * SIDE, DRAWN = 400 };

/* A soft gradient and some grain. */
static void make_picture(size_t channels, uint32_t number, uint8_t *picture) {
    struct rng rng = rng_make(3, RNG_TEST, number);
    for (size_t i = 0; i < channels * PLANE; i++)
        picture[i] = (uint8_t)(100 + i % SIDE / 2 + rng_below(&rng, 8));
}

static void draw(size_t channels, uint32_t number, uint8_t *out) {
    uint8_t picture[FAKE_MOST * PLANE], other[FAKE_MOST * PLANE];
    struct rng rng = rng_make(5, RNG_FAKES, number);
    make_picture(channels, number, picture);
    make_picture(channels, number + 1, other);
    fake_draw(&rng, 0.25, picture, other, channels, SIDE, SIDE, out);
}

/* The mean change of the pixels around (y, x), the largest of the channels, by 24, in double precision. */
static double changed(const uint8_t *out, size_t channels, int y, int x) {
    double sum = 0;
    int n = 0;
    for (int i = y - 1; i <= y + 1; i++)
        for (int j = x - 1; j <= x + 1; j++) {
            double most = 0;
            if (i < 0 || j < 0 || i >= SIDE || j >= SIDE) continue;
            for (size_t c = 0; c < channels; c++) {
                const size_t at = c * PLANE + (size_t)(i * SIDE + j);
                most = fmax(most, fabs((double)out[at] - out[channels * PLANE + at]));
            }
            sum += most, n++;
        }
    return fmin(255, floor(24 * sum / n + 1e-9));
}

static void the_mask_tells_what_was_changed(void **state) {
    size_t untouched = 0, small = 0, large = 0;
    (void)state;
    for (uint32_t number = 0; number < DRAWN; number++) {
        const size_t channels = number % 2 ? 3 : 1;
        uint8_t out[(2 * FAKE_MOST + 1) * PLANE], picture[FAKE_MOST * PLANE];
        const uint8_t *mask = out + 2 * channels * PLANE;
        size_t marked = 0;
        draw(channels, number, out);
        make_picture(channels, number, picture);
        assert_memory_equal(out + channels * PLANE, picture, channels * PLANE);
        for (int i = 0; i < PLANE; i++) {
            assert_int_equal(mask[i], (int)changed(out, channels, i / SIDE, i % SIDE));
            marked += mask[i] > 127;
        }
        untouched += memcmp(out, picture, channels * PLANE) == 0;
        small += marked > 0 && marked < PLANE / 50;
        large += marked > PLANE / 8;
    }
    /* a quarter have no defect, some few one that is not to be seen */
    assert_in_range(untouched, DRAWN / 5, DRAWN * 2 / 5);
    assert_in_range(small, DRAWN / 10, DRAWN / 2);
    assert_in_range(large, DRAWN / 20, DRAWN / 2);
}

static void they_are_golden(void **state) {
    static const char *const golden[] = {"5eb4a7becf8522bfeeb15e2c14967433b7d89ad72832d41bf74b39bb6ded9ef8",
                                         "70414d36841255fe9fd24be156cf09fb3e5fb90e23b12eae425f146965fd5b96"};
    (void)state;
    for (size_t color = 0; color < 2; color++) {
        const size_t channels = color ? 3 : 1;
        struct sha256_ctx sha;
        uint8_t digest[SHA256_DIGEST_SIZE];
        char hex[2 * SHA256_DIGEST_SIZE + 1];
        sha256_init(&sha);
        for (uint32_t number = 100; number-- > 0;) {
            uint8_t out[(2 * FAKE_MOST + 1) * PLANE];
            draw(channels, number, out);
            sha256_update(&sha, (2 * channels + 1) * PLANE, out);
        }
        sha256_digest(&sha, sizeof digest, digest);
        for (size_t i = 0; i < sizeof digest; i++) snprintf(hex + 2 * i, 3, "%02x", digest[i]);
        assert_string_equal(hex, golden[color]);
    }
}

/* --- Learning ------------------------------------------------------------------------------------- */

enum { N = 40 };

static double loss_after(enum caelum_task task, const char *text, size_t steps, int threads, uint32_t *bits) {
    static uint8_t pixels[N][PLANE];
    static uint32_t order[N];
    struct caelum_train_settings s = trainer_defaults(N / 2, 0.02, threads);
    struct caelum_net *net = NULL;
    struct trainer trainer;
    struct loss_sums sums;
    for (uint32_t i = 0; i < N; i++) make_picture(1, i, pixels[i]), order[i] = i;
    const struct pictures set = {.pixels = pixels[0], .index = order, .n = N, .c = 1, .h = SIDE, .w = SIDE};
    s.task = task;
    s.optimizer = CAELUM_MUON;
    assert_ok(caelum_net_parse(&net, text, "text", SIDE, SIDE, err));
    assert_ok(trainer_open(&trainer, net, &s, N, err));
    for (size_t i = 0; i < steps; i++) trainer_step(&trainer, &set, order + i % 2 * (N / 2), N / 2, &sums);
    trainer_measure(&trainer, &set, &sums);
    memcpy(bits, trainer.params, sizeof *bits);
    trainer_close(&trainer);
    caelum_net_close(&net);
    return sums.loss / (N * PLANE);
}

/* What is asked for is learnt: better than the best answer that looks at nothing, by much. */
static void they_are_found(void **state) {
    static const char text[] = "input 1\nconv 12 gelu\nconv 12 gelu\nconv 1\n";
    double mean = 0, square = 0;
    uint32_t a, b;
    (void)state;
    for (uint32_t i = 0; i < N; i++) {
        uint8_t picture[PLANE], other[PLANE], out[3 * PLANE];
        struct rng rng = rng_make(1, RNG_FAKES, UINT32_MAX);
        rng.counter[1] = i;
        make_picture(1, i, picture);
        make_picture(1, (i + 1) % N, other);
        fake_draw(&rng, 0.25, picture, other, 1, SIDE, SIDE, out);
        for (size_t p = 0; p < PLANE; p++) {
            mean += out[2 * PLANE + p] / 255.0 / (N * PLANE);
            square += out[2 * PLANE + p] / 255.0 * out[2 * PLANE + p] / 255.0 / (N * PLANE);
        }
    }
    const double best = square - mean * mean;
    assert_true(loss_after(CAELUM_DETECT, text, 0, 1, &a) > best);
    assert_true(loss_after(CAELUM_DETECT, text, 300, 1, &a) < 0.7 * best);
    const double one = loss_after(CAELUM_DETECT, text, 20, 1, &a),
                 three = loss_after(CAELUM_DETECT, text, 20, 3, &b);
    assert_true(one == three);
    assert_int_equal(a, b);
}

static void they_are_undone(void **state) {
    static const char text[] = "input 1\nconv 8 relu\nconv 1 init=zero\n";
    uint32_t bits;
    (void)state;
    /* the good picture is the target: with no weights at all the loss is its mean square */
    double square = 0;
    for (uint32_t i = 0; i < N; i++) {
        uint8_t picture[PLANE];
        make_picture(1, i, picture);
        for (size_t p = 0; p < PLANE; p++) square += pow(picture[p] / 255.0, 2) / (N * PLANE);
    }
    assert_float_equal(loss_after(CAELUM_RESTORE, text, 0, 1, &bits), square, 1e-6);
    assert_true(loss_after(CAELUM_RESTORE, text, 100, 1, &bits) < 0.05 * square);
}

static void networks_must_fit(void **state) {
    static const struct {
        enum caelum_task task;
        const char *text, *says;
    } cases[] = {{CAELUM_DETECT, "input 3\nconv 3\n", "must be one number a pixel, 1x32x32"},
                 {CAELUM_DETECT, "input 2\nconv 1\n", "begin with 'input 1' or 'input 3'"},
                 {CAELUM_RESTORE, "input 3\nconv 1\n", "must be equal"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct caelum_train_settings s = trainer_defaults(8, 0.01, 1);
        struct caelum_net *net = NULL;
        struct trainer trainer;
        s.task = cases[i].task;
        assert_ok(caelum_net_parse(&net, cases[i].text, "text", SIDE, SIDE, err));
        assert_error(CAELUM_EFORMAT, cases[i].says, trainer_open(&trainer, net, &s, N, err));
        caelum_net_close(&net);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_mask_tells_what_was_changed),
        cmocka_unit_test(they_are_golden),
        cmocka_unit_test(they_are_found),
        cmocka_unit_test(they_are_undone),
        cmocka_unit_test(networks_must_fit),
    };
    return cmocka_run_group_tests_name("fake defects", tests, NULL, NULL);
}
