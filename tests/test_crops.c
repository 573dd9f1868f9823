/* test_crops.c - crops of photos against plain averages, and how many there are. */
#include "testing.h"

#include "data/crops.h"
#include "data/data.h"

#include <math.h>

static struct caelum_picture random_picture(size_t width, size_t height, uint32_t index) {
    struct caelum_picture picture = {.width = width, .height = height};
    struct rng rng = rng_make(1, RNG_TEST, index);
    assert_ok(mem_alloc(&picture.pixels, width * height, 3, err));
    for (size_t i = 0; i < width * height * 3; i++) picture.pixels[i] = (uint8_t)rng_u32(&rng);
    return picture;
}

/* --- Crops ---------------------------------------------------------------------------------------- */

/* How much of the pixel [p, p + 1) is in [from, to). */
static double inside(double p, double from, double to) {
    return fmax(0, fmin(p + 1, to) - fmax(p, from));
}

/* Mean of channel c over the window's part that pixel (i, j) of a crop stands for, all pixels asked. */
static double plain_mean(const struct caelum_picture *p, struct crop_window w, size_t side, size_t i,
                         size_t j, size_t c) {
    const double step = (double)w.side / (double)side;
    const double top = (double)w.y + (double)i * step, left = (double)w.x + (double)j * step;
    double sum = 0, area = 0;
    for (size_t y = 0; y < p->height; y++)
        for (size_t x = 0; x < p->width; x++) {
            const double a = inside((double)y, top, top + step) * inside((double)x, left, left + step);
            sum += a * p->pixels[(y * p->width + x) * 3 + c], area += a;
        }
    return sum / area;
}

static void crops_are_means_over_areas(void **state) {
    (void)state;
    static const size_t sides[] = {8, 17, 32};
    static uint8_t crop[3 * 32 * 32];
    struct caelum_picture p = random_picture(83, 61, 1);
    for (size_t k = 0; k < 12; k++) {
        const size_t side = sides[k % 3];
        const struct crop_window w = crop_window(83, 61, side, 7, 3, (uint32_t)k);
        crop_make(&p, w, side, crop);
        for (size_t c = 0; c < 3; c++)
            for (size_t i = 0; i < side; i++)
                for (size_t j = 0; j < side; j++)
                    if (fabs(crop[(c * side + i) * side + j] - plain_mean(&p, w, side, i, j, c)) > 0.5 + 1e-9)
                        fail_msg("crop %zu of side %zu: channel %zu, row %zu, column %zu", k, side, c, i, j);
    }
    /* a window of the crop's size is copied */
    crop_make(&p, (struct crop_window){51, 29, 32}, 32, crop);
    for (size_t i = 0; i < 32; i++)
        for (size_t j = 0; j < 32; j++)
            for (size_t c = 0; c < 3; c++)
                assert_int_equal(crop[(c * 32 + i) * 32 + j], p.pixels[((29 + i) * 83 + 51 + j) * 3 + c]);
    caelum_picture_free(&p);
}

/* Every octave of sizes as often, every place reached, nothing outside. */
static void windows_are_spread(void **state) {
    (void)state;
    enum { PHOTOS = 100 };
    size_t octave[4] = {0}, corner[2][2] = {{0}};
    for (uint32_t photo = 0; photo < PHOTOS; photo++)
        for (uint32_t i = 0; i < CROPS_MOST; i++) {
            const struct crop_window w = crop_window(800, 512, 32, 1, photo, i);
            assert_true(w.side >= 32 && w.side <= 512);
            assert_true(w.x + w.side <= 800 && w.y + w.side <= 512);
            const size_t o = (size_t)log2((double)w.side / 32);
            octave[o < 3 ? o : 3]++;
            corner[2 * w.y > 512 - w.side][2 * w.x > 800 - w.side]++;
        }
    for (size_t i = 0; i < 4; i++) {
        assert_true(fabs((double)octave[i] / (PHOTOS * CROPS_MOST) - 0.25) < 0.03);
        assert_true(fabs((double)corner[i / 2][i % 2] / (PHOTOS * CROPS_MOST) - 0.25) < 0.03);
    }
    const struct crop_window only = crop_window(32, 32, 32, 1, 5, 0);
    assert_true(only.x == 0 && only.y == 0 && only.side == 32);
    /* it must never change: crops are part of every result */
    const struct crop_window golden = crop_window(4000, 3000, 32, 1, 2, 3);
    assert_int_equal(golden.side, 92);
    assert_int_equal(golden.x, 904);
    assert_int_equal(golden.y, 1513);
}

static void as_many_crops_as_make_sense(void **state) {
    (void)state;
    assert_int_equal(crops_share(10), 64);
    assert_int_equal(crops_share(1000), 20);
    assert_int_equal(crops_share(15000), 1);
    assert_int_equal(crops_share(1000000), 1);
    assert_int_equal(crops_count(4000, 3000, 32, 64), 64);
    assert_int_equal(crops_count(100, 70, 32, 64), 6);
    assert_int_equal(crops_count(32, 32, 32, 64), 1);
    assert_int_equal(crops_count(100, 70, 32, 3), 3);
}

/* A picture of 4 x 2 in red, worked out by hand. */
static void wholes_are_brought_to_one_size(void **state) {
    (void)state;
    static const struct {
        enum caelum_resize how;
        size_t side;
        uint8_t red[16];
    } cases[] = {{CAELUM_RESIZE_FIT, 4, {0, 0, 0, 0, 10, 20, 30, 40, 50, 60, 70, 80, 0, 0, 0, 0}},
                 {CAELUM_RESIZE_FIT, 2, {35, 55, 0, 0}},
                 {CAELUM_RESIZE_CROP, 2, {20, 30, 60, 70}},
                 {CAELUM_RESIZE_CROP, 4, {20, 20, 30, 30, 20, 20, 30, 30, 60, 60, 70, 70, 60, 60, 70, 70}},
                 {CAELUM_RESIZE_STRETCH, 2, {15, 35, 55, 75}}};
    uint8_t pixels[4 * 2 * 3] = {0}, turned[2 * 4 * 3] = {0};
    for (size_t i = 0; i < 8; i++) pixels[3 * i] = turned[3 * (i % 4 * 2 + i / 4)] = (uint8_t)(10 * (i + 1));
    const struct caelum_picture lying = {.width = 4, .height = 2, .pixels = pixels};
    const struct caelum_picture standing = {.width = 2, .height = 4, .pixels = turned};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const size_t n = cases[k].side;
        uint8_t out[3 * 16] = {0};
        crop_whole(&lying, cases[k].how, n, n, out);
        for (size_t i = 0; i < n * n; i++) assert_int_equal(out[i], cases[k].red[i]);
        for (size_t i = n * n; i < 3 * n * n; i++) assert_int_equal(out[i], 0);
        memset(out, 0, sizeof out);
        crop_whole(&standing, cases[k].how, n, n, out);
        for (size_t i = 0; i < n * n; i++) assert_int_equal(out[i % n * n + i / n], cases[k].red[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crops_are_means_over_areas),
        cmocka_unit_test(windows_are_spread),
        cmocka_unit_test(as_many_crops_as_make_sense),
        cmocka_unit_test(wholes_are_brought_to_one_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
