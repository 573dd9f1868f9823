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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crops_are_means_over_areas),
        cmocka_unit_test(windows_are_spread),
        cmocka_unit_test(as_many_crops_as_make_sense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
