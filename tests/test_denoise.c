/* Noise: drawn as it is told, estimated as it was drawn, taken out tile by tile as from the whole picture. */
#include "testing.h"

#include "base/mirror.h"
#include "metrics/noise_level.h"
#include "model/model.h"
#include "train/trainer.h"

#include <math.h>

/* A normal number (Box & Muller 1958). */
static double normal(struct rng *rng) {
    const double u = 1 - (double)rng_uniform(rng), v = (double)rng_uniform(rng);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

/* --- Training ---------------------------------------------------------------------------------------- */

enum { H = 16, W = 8 };

/* What the network is shown is the clean picture and its target, whose deviation is the one that it is told.
 */
static void noise_is_what_is_told(void **state) {
    (void)state;
    EACH_LEVEL(kernels) {
        struct caelum_net *net = NULL;
        struct task_block block = {0};
        uint8_t bytes[3 * H * W];
        const uint8_t *pictures[MOST_LANES];
        struct rng rng = rng_make(2, RNG_TEST, 0);
        double levels = 0, squares = 0, grey = 0, rounds = 60;
        for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)rng_below(&rng, 256);
        for (size_t i = 0; i < MOST_LANES; i++) pictures[i] = bytes;
        assert_ok(caelum_net_parse(&net, "input 4\nconv 3\n", "denoiser", H, W, err));
        assert_ok(task_check(CAELUM_DENOISE, net, err));
        assert_int_equal(task_pictures(CAELUM_DENOISE, net).c, 3);
        assert_ok(task_block_open(&block, CAELUM_DENOISE, net, net->input, lanes, true, err));
        struct tensor x = test_tensor(4, H, W, 1, 9);
        for (int round = 0; round < (int)rounds; round++) {
            task_load(CAELUM_DENOISE, kernels, pictures, (struct shape){3, H, W}, NULL, &block, &x);
            for (size_t lane = 0; lane < lanes; lane++) {
                task_add_noise(&block, &x, lane, (struct tiling){1, 1}, &rng);
                const float level = tensor_at(&x, 3, 0, 0)[lane];
                bool alike = true;
                double sum = 0;
                for (size_t p = 0; p < H * W; p++) {
                    const ptrdiff_t i = (ptrdiff_t)(p / W), j = (ptrdiff_t)(p % W);
                    float clean[3], noise[3];
                    for (size_t c = 0; c < 3; c++) {
                        noise[c] = tensor_at(&block.target, c, i, j)[lane];
                        clean[c] = tensor_at(&x, c, i, j)[lane] - noise[c];
                    }
                    alike &= noise[0] == noise[1] && noise[1] == noise[2];
                    const uint8_t *want = bytes + p;
                    const double y = (0.299 * want[0] + 0.587 * want[H * W] + 0.114 * want[2 * H * W]) / 255;
                    for (size_t c = 0; c < 3; c++)
                        assert_near((double)clean[c], alike ? y : want[c * H * W] / 255.0, 1e-6);
                    assert_true(tensor_at(&x, 3, i, j)[lane] == level);
                    sum += (double)noise[0] * (double)noise[0];
                }
                assert_in_range((int)(255 * level), 0, TASK_MOST_NOISE);
                squares += sum / (H * W) / (double)(level * level) / rounds / (double)lanes;
                levels += 255 * (double)level / rounds / (double)lanes;
                grey += alike ? 1 / rounds / (double)lanes : 0;
            }
        }
        assert_near(squares, 1, 0.03); /* 480 pictures or more of 128 numbers */
        assert_near(levels, TASK_MOST_NOISE / 2.0, 3);
        assert_near(grey, 0.5, 0.1);
        test_tensor_free(&x);
        task_block_close(&block);
        caelum_net_close(&net);
    }
}

/* In tiles a picture's pixels are in several lanes: the same noise at the same places. */
static void tiles_get_the_same_noise(void **state) {
    (void)state;
    test_kernels(CPU_GENERIC);
    struct tensor whole = test_tensor(4, H, W, 0, 0), parts = test_tensor(4, H / 4, W / 2, 0, 0);
    struct task_block of_whole = {.target = test_tensor(3, H, W, 0, 0)},
                      of_parts = {.target = test_tensor(3, H / 4, W / 2, 0, 0)};
    struct rng a = rng_make(4, RNG_TEST, 0), b = a;
    for (size_t c = 0; c < 4; c++)
        for (ptrdiff_t i = 0; i < H; i++)
            for (ptrdiff_t j = 0; j < W; j++)
                tensor_at(&whole, c, i, j)[1] = tensor_at(&parts, c, i % 4, j % 4)[i / 4 * 2 + j / 4] =
                    test_random(&a);
    b = a;
    task_add_noise(&of_whole, &whole, 1, (struct tiling){1, 1}, &a);
    task_add_noise(&of_parts, &parts, 0, (struct tiling){4, 2}, &b);
    for (size_t c = 0; c < 4; c++)
        for (ptrdiff_t i = 0; i < H; i++)
            for (ptrdiff_t j = 0; j < W; j++) {
                const size_t lane = (size_t)(i / 4 * 2 + j / 4);
                assert_true(tensor_at(&whole, c, i, j)[1] == tensor_at(&parts, c, i % 4, j % 4)[lane]);
                if (c < 3)
                    assert_true(tensor_at(&of_whole.target, c, i, j)[1] ==
                                tensor_at(&of_parts.target, c, i % 4, j % 4)[lane]);
            }
    test_tensor_free(&whole);
    test_tensor_free(&parts);
    test_tensor_free(&of_whole.target);
    test_tensor_free(&of_parts.target);
}

static void wrong_networks_are_told(void **state) {
    (void)state;
    static const struct {
        const char *text, *words;
    } cases[] = {{"input 4\nconv 4\n", "into the noise, 3x16x8"},
                 {"input 4\nconv 3 stride=2\n", "into the noise"},
                 {"input 2\nconv 2\n", "into the noise, 1x16x8"},
                 {"input 3\nconv 3\n", "adds no noise"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        caelum_net *net = NULL;
        assert_ok(caelum_net_parse(&net, cases[i].text, "net", H, W, err));
        assert_error(CAELUM_EFORMAT, cases[i].words, task_check(CAELUM_DENOISE, net, err));
        caelum_net_close(&net);
    }
}

/* --- Use --------------------------------------------------------------------------------------------- */

/* A model of one convolution with random weights. */
static caelum_model *make_model(void) {
    caelum_net *net = NULL;
    caelum_model *model = NULL;
    assert_ok(caelum_net_parse(&net, "input 4\nconv 3\n", "denoiser", 32, 32, err));
    assert_ok(caelum_model_create(&model, net, 7, err));
    caelum_net_close(&net);
    return model;
}

/* The noise of one sample, by the convolution's definition on the mirrored picture. */
static double naive(const struct caelum_tensor *weight, const float *in, size_t w, size_t h, size_t y,
                    size_t x, size_t o, double level) {
    double sum = 0;
    for (size_t c = 0; c < 4; c++)
        for (size_t u = 0; u < 3; u++)
            for (size_t v = 0; v < 3; v++) {
                const size_t i = mirrored((size_t)labs((long)(y + u) - 1), h),
                             j = mirrored((size_t)labs((long)(x + v) - 1), w);
                const double value = c < 3 ? (double)in[(i * w + j) * 3 + c] : level;
                sum += (double)weight->data[((o * 4 + c) * 3 + u) * 3 + v] * value;
            }
    return sum;
}

/* Of sizes below, at and above those of tiles: every pixel as the naive loop has it, on any number of
 * threads. */
static void tiles_make_one_picture(void **state) {
    (void)state;
    static const size_t sizes[][2] = {{1, 1}, {5, 40}, {160, 7}, {161, 33}, {331, 170}, {640, 480}};
    caelum_model *model = make_model();
    struct caelum_tensor weight;
    struct rng rng = rng_make(5, RNG_TEST, 0);
    assert_true(caelum_model_tensor(model, 0, &weight));
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        const size_t w = sizes[s][0], h = sizes[s][1], n = w * h * 3;
        float *in = malloc(n * sizeof *in), *out = malloc(n * sizeof *out), *other = malloc(n * sizeof *out);
        struct caelum_denoise_settings settings = {.sigma = 51, .strength = 0.75, .threads = 1};
        double sigma = 0;
        assert_true(in && out && other);
        for (size_t i = 0; i < n; i++) in[i] = 3 * test_random(&rng);
        assert_ok(caelum_denoise_values(model, in, w, h, &settings, out, &sigma, err));
        assert_near(sigma, 51, 1e-5);
        for (size_t i = 0; i < n; i++) {
            const double want =
                (double)in[i] - 0.75 * naive(&weight, in, w, h, i / 3 / w, i / 3 % w, i % 3, 0.2);
            assert_near((double)out[i], want, 2e-6);
        }
        settings.threads = 3;
        assert_ok(caelum_denoise_values(model, in, w, h, &settings, other, NULL, err));
        assert_memory_equal(out, other, n * sizeof *out);
        settings.strength = 0;
        assert_ok(caelum_denoise_values(model, in, w, h, &settings, other, NULL, err));
        assert_memory_equal(in, other, n * sizeof *out);
        free(in), free(out), free(other);
    }
    caelum_model_close(&model);
}

/* What has no color gets none: the mean of the three channels' noise is taken out of all. */
static void grey_stays_grey(void **state) {
    (void)state;
    enum { SIDE = 30, N = SIDE * SIDE * 3 };
    caelum_model *model = make_model();
    struct caelum_tensor weight;
    struct rng rng = rng_make(11, RNG_TEST, 0);
    const struct caelum_denoise_settings settings = {.sigma = 51, .strength = 1};
    float in[N], out[N];
    assert_true(caelum_model_tensor(model, 0, &weight));
    for (size_t i = 0; i < N; i++) in[i] = i % 3 > 0 ? in[i - 1] : test_random(&rng);
    assert_ok(caelum_denoise_values(model, in, SIDE, SIDE, &settings, out, NULL, err));
    for (size_t i = 0; i < N; i++) {
        double noise = 0;
        for (size_t c = 0; c < 3; c++)
            noise += naive(&weight, in, SIDE, SIDE, i / 3 / SIDE, i / 3 % SIDE, c, 0.2);
        assert_near((double)out[i], (double)in[i] - noise / 3, 2e-6);
        assert_true(out[i] == out[i - i % 3]);
    }
    caelum_model_close(&model);
}

/* Bytes, and 16 bits, are the numbers, clamped and rounded. */
static void bytes_are_rounded_numbers(void **state) {
    (void)state;
    enum { SIDE = 50, N = SIDE * SIDE * 3 };
    caelum_model *model = make_model();
    struct rng rng = rng_make(6, RNG_TEST, 0);
    uint8_t pixels[N];
    float in[N], out[N];
    const struct caelum_picture picture = {.width = SIDE, .height = SIDE, .pixels = pixels, .dpi_x = 300};
    const struct caelum_denoise_settings settings = {.sigma = 20, .strength = 1};
    struct caelum_picture made = {0};
    for (size_t i = 0; i < N; i++) pixels[i] = (uint8_t)rng_below(&rng, 256), in[i] = (float)pixels[i] / 255;
    assert_ok(caelum_denoise(model, &picture, &settings, &made, NULL, err));
    assert_ok(caelum_denoise_values(model, in, SIDE, SIDE, &settings, out, NULL, err));
    for (size_t i = 0; i < N; i++)
        assert_int_equal(made.pixels[i], (int)floor(255 * fmin(fmax((double)out[i], 0), 1) + 0.5));
    assert_true(made.width == SIDE && made.height == SIDE && made.dpi_x == 300 && !made.wide);
    caelum_picture_free(&made);
    uint16_t *wide = malloc(N * sizeof *wide);
    assert_non_null(wide);
    for (size_t i = 0; i < N; i++)
        wide[i] = (uint16_t)(rng_u32(&rng) & 0xffff), in[i] = (float)wide[i] / 65535;
    struct caelum_picture deep = picture;
    deep.wide = wide;
    assert_ok(caelum_denoise(model, &deep, &settings, &made, NULL, err));
    assert_ok(caelum_denoise_values(model, in, SIDE, SIDE, &settings, out, NULL, err));
    for (size_t i = 0; i < N; i++) {
        assert_near(made.wide[i], 65535 * fmin(fmax((double)out[i], 0), 1), 0.51);
        assert_int_equal(made.pixels[i], (made.wide[i] + 128) / 257);
    }
    free(wide);
    caelum_picture_free(&made);
    caelum_model_close(&model);
}

static void wrong_settings_are_told(void **state) {
    (void)state;
    uint8_t pixels[3 * 20 * 30] = {0};
    const struct caelum_picture picture = {.width = 20, .height = 30, .pixels = pixels};
    struct caelum_picture made = {0};
    caelum_model *model = make_model(), *other = NULL;
    caelum_net *net = NULL;
    struct caelum_denoise_settings s = caelum_denoise_defaults();
    assert_error(CAELUM_EUSAGE, "20x30 pixels can't be estimated",
                 caelum_denoise(model, &picture, &s, &made, NULL, err));
    s.sigma = 56;
    assert_error(CAELUM_EUSAGE, "sigma: expected 0 to 55",
                 caelum_denoise(model, &picture, &s, &made, NULL, err));
    s.sigma = NAN;
    assert_error(CAELUM_EUSAGE, "sigma", caelum_denoise(model, &picture, &s, &made, NULL, err));
    s.sigma = 5, s.strength = 1.5;
    assert_error(CAELUM_EUSAGE, "strength: expected 0 to 1",
                 caelum_denoise(model, &picture, &s, &made, NULL, err));
    s.strength = 1;
    assert_ok(caelum_net_parse(&net, "input 3\nconv 3\n", "net", 32, 32, err));
    assert_ok(caelum_model_create(&other, net, 1, err));
    assert_error(CAELUM_EFORMAT, "a denoiser turns", caelum_denoise(other, &picture, &s, &made, NULL, err));
    assert_null(made.pixels);
    caelum_net_close(&net);
    caelum_model_close(&other);
    caelum_model_close(&model);
}

/* --- Estimating -------------------------------------------------------------------------------------- */

/* A picture with flat, smooth and busy places, and noise of a known deviation, [h][w][3] around 0.5. */
static void draw_scene(float *out, size_t side, double deviation, bool grey, struct rng *rng) {
    for (size_t i = 0; i < side * side; i++) {
        const double y = (double)(i / side), x = (double)(i % side);
        const double busy = x > y ? 0.1 * sin(x * 0.7) * sin(y * 0.5 + x * 0.1) : 0;
        for (size_t c = 0; c < 3; c++)
            out[3 * i + c] =
                grey && c > 0
                    ? out[3 * i]
                    : (float)(0.5 + 0.2 * sin((x + y) / 60 + (double)c) + busy + deviation * normal(rng));
    }
}

static void noise_is_estimated(void **state) {
    (void)state;
    enum { SIDE = 256 };
    static float values[SIDE * SIDE * 3];
    struct rng rng = rng_make(8, RNG_TEST, 0);
    for (int sigma = 5; sigma <= 55; sigma += 10)
        for (int grey = 0; grey < 2; grey++) {
            const struct samples samples = {.width = SIDE, .height = SIDE, .values = values};
            double got;
            draw_scene(values, SIDE, sigma / 255.0, grey, &rng);
            assert_ok(noise_level(&samples, &got, err));
            assert_near(255 * got, sigma, 1);
        }
}

/* A picture of bytes: no noise is none, and what was cut off at white does not count. */
static void bytes_are_estimated(void **state) {
    (void)state;
    enum { SIDE = 96 };
    static float values[SIDE * SIDE * 3];
    static uint8_t pixels[SIDE * SIDE * 3];
    const struct caelum_picture picture = {.width = SIDE, .height = SIDE, .pixels = pixels};
    struct rng rng = rng_make(9, RNG_TEST, 0);
    double sigma;
    assert_ok(caelum_noise(&picture, &sigma, err));
    assert_near(sigma, 0, 0);
    draw_scene(values, SIDE, 15 / 255.0, false, &rng);
    for (size_t i = 0; i < SIDE * SIDE * 3; i++) {
        const float v = i / 3 % SIDE < SIDE / 2 ? values[i] + 1 : values[i];
        pixels[i] = (uint8_t)fmax(0, fmin(255, floor(255 * (double)v + 0.5)));
    }
    assert_ok(caelum_noise(&picture, &sigma, err));
    assert_near(sigma, 15, 1);
}

/* Photographs, grey and in color, with noise of 5 to 55. */
static void noise_of_photographs_is_estimated(void **state) {
    (void)state;
    static const char *const names[] = {"100007", "118035", "22090"};
    struct rng rng = rng_make(10, RNG_TEST, 0);
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        struct caelum_picture photo;
        char path[1024];
        snprintf(path, sizeof path, SOURCE_DIR "/../shared/photos/train/%s.jpg", names[n]);
        if (access(path, R_OK) != 0) {
            printf("skipped: %s is not there\n", path);
            skip();
        }
        assert_ok(caelum_picture_load(&photo, path, err));
        const size_t size = photo.width * photo.height * 3;
        float *values = malloc(size * sizeof *values);
        assert_non_null(values);
        for (int sigma = 5; sigma <= 55; sigma += 10)
            for (int grey = 0; grey < 2; grey++) {
                const struct samples samples = {
                    .width = photo.width, .height = photo.height, .values = values};
                double got;
                for (size_t i = 0; i < size; i++)
                    values[i] = grey && i % 3 > 0 ? values[i - 1]
                                                  : (float)((photo.pixels[i] + sigma * normal(&rng)) / 255);
                assert_ok(noise_level(&samples, &got, err));
                assert_near(255 * got, sigma, 1);
            }
        free(values);
        caelum_picture_free(&photo);
    }
}

/* A network that finds nothing leaves the noise; one that finds the level at every pixel leaves as much
 * again. */
static void denoisers_are_measured(void **state) {
    (void)state;
    enum { N = 60, SIDE = 32 };
    static uint8_t pixels[N * 3 * SIDE * SIDE];
    const struct caelum_pictures pictures = {
        .pixels = pixels, .count = N, .channels = 3, .height = SIDE, .width = SIDE, .split = {20, 20, 20}};
    struct caelum_eval_settings how = caelum_eval_defaults();
    struct caelum_metrics nothing, level, again, clean;
    struct rng rng = rng_make(12, RNG_TEST, 0);
    caelum_model *model = make_model();
    caelum_data *data = NULL;
    for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(100 + rng_below(&rng, 56));
    assert_ok(caelum_data_from_pictures(&data, &pictures, NULL, err));
    memset(model->params, 0, 3 * 4 * 9 * sizeof(float));
    how.threads = 1;
    assert_ok(caelum_eval(model, data, &how, &nothing, err));
    assert_near(nothing.mse_float * 255 * 255, 25 * 25, 10); /* 61,440 numbers: of 625 +- 3.6 */
    how.noise = 0;
    assert_ok(caelum_eval(model, data, &how, &clean, err));
    assert_true(clean.mse == 0);
    caelum_model_close(&model);
    model = make_model();
    memset(model->params, 0, 3 * 4 * 9 * sizeof(float));
    for (size_t o = 0; o < 3; o++) model->params[(o * 4 + 3) * 9 + 4] = 1;
    how.noise = 10;
    assert_ok(caelum_eval(model, data, &how, &level, err));
    assert_near(level.mse_float * 255 * 255, 2 * 10 * 10, 4);
    how.threads = 3;
    assert_ok(caelum_eval(model, data, &how, &again, err));
    assert_memory_equal(&again, &level, sizeof level);
    how.noise = 56;
    assert_error(CAELUM_EUSAGE, "noise: expected a deviation of 0 to 55, of 255",
                 caelum_eval(model, data, &how, &again, err));
    caelum_data_close(&data);
    caelum_model_close(&model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_is_what_is_told),   cmocka_unit_test(tiles_get_the_same_noise),
        cmocka_unit_test(wrong_networks_are_told), cmocka_unit_test(tiles_make_one_picture),
        cmocka_unit_test(grey_stays_grey),         cmocka_unit_test(bytes_are_rounded_numbers),
        cmocka_unit_test(wrong_settings_are_told), cmocka_unit_test(noise_is_estimated),
        cmocka_unit_test(bytes_are_estimated),     cmocka_unit_test(noise_of_photographs_is_estimated),
        cmocka_unit_test(denoisers_are_measured),
    };
    return cmocka_run_group_tests_name("noise", tests, NULL, NULL);
}
