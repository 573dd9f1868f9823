/* test_color.c - color spaces against published values, CIEDE2000 against the 34 pairs of Sharma, Wu & Dalal,
 * the figures of colorization by hand and on CIFAR-10's official test pictures. */
#include "testing.h"

#include "base/color.h"

#include <math.h>

static void near(double got, double want, double bound) {
    if (!(fabs(got - want) <= bound)) fail_msg("got %.12g, want %.12g", got, want);
}

/* --- Color spaces --------------------------------------------------------------------------------- */

static void yuv_of_primaries(void **state) {
    (void)state;
    /* the matrix of BT.601's analog YUV as it is printed everywhere, rounded to five digits there */
    static const double published[3][3] = {
        {0.299, -0.14713, 0.615}, {0.587, -0.28886, -0.51499}, {0.114, 0.436, -0.10001}};
    for (int c = 0; c < 3; c++) {
        const double rgb[3] = {c == 0, c == 1, c == 2};
        double yuv[3];
        color_rgb_to_yuv(rgb, yuv);
        for (int i = 0; i < 3; i++) near(yuv[i], published[c][i], 5e-4);
    }
    for (int v = 0; v < 256; v++) { /* greys have no chroma at all, so that ties are ties */
        double yuv[3];
        color_rgb_to_yuv((const double[3]){v / 255.0, v / 255.0, v / 255.0}, yuv);
        near(yuv[0], v / 255.0, 1e-15);
        assert_true(yuv[1] == 0 && yuv[2] == 0);
    }
}

static void yuv_and_back(void **state) {
    (void)state;
    for (int r = 0; r < 256; r += 3)
        for (int g = 0; g < 256; g += 3)
            for (int b = 0; b < 256; b += 3) {
                const double rgb[3] = {r / 255.0, g / 255.0, b / 255.0};
                double yuv[3], back[3];
                color_rgb_to_yuv(rgb, yuv);
                color_yuv_to_rgb(yuv, back);
                for (int c = 0; c < 3; c++)
                    if (!(fabs(back[c] - rgb[c]) < 1e-14)) fail_msg("%d %d %d: %.17g", r, g, b, back[c]);
                if (color_byte(back[0]) != r || color_byte(back[1]) != g || color_byte(back[2]) != b)
                    fail_msg("%d %d %d does not come back", r, g, b);
            }
}

static void any_chroma_keeps_the_luminance(void **state) {
    (void)state;
    struct rng rng = rng_make(1, RNG_TEST, 0);
    for (int i = 0; i < 1000; i++) {
        const double yuv[3] = {(double)rng_uniform(&rng), 0.4 * (double)test_random(&rng),
                               0.6 * (double)test_random(&rng)};
        double rgb[3], again[3];
        color_yuv_to_rgb(yuv, rgb);
        color_rgb_to_yuv(rgb, again);
        for (int c = 0; c < 3; c++) near(again[c], yuv[c], 1e-14);
    }
    assert_int_equal(color_byte(-0.1), 0);
    assert_int_equal(color_byte(1.1), 255);
    assert_int_equal(color_byte((double)NAN), 0);
    assert_int_equal(color_byte(0.5 / 255), 1);
    assert_int_equal(color_byte(0.4999 / 255), 0);
}

static void lab_of_known_colors(void **state) {
    (void)state;
    static const struct {
        int rgb[3];
        double lab[3];
    } known[] = {{{255, 255, 255}, {100, 0, 0}},           {{0, 0, 0}, {0, 0, 0}},
                 {{255, 0, 0}, {53.24, 80.09, 67.20}},     {{0, 255, 0}, {87.73, -86.18, 83.18}},
                 {{0, 0, 255}, {32.30, 79.19, -107.86}},   {{255, 255, 0}, {97.14, -21.55, 94.48}},
                 {{0, 255, 255}, {91.11, -48.09, -14.13}}, {{255, 0, 255}, {60.32, 98.23, -60.82}},
                 {{128, 128, 128}, {53.585, 0, 0}},        {{5, 5, 5}, {1.371, 0, 0}}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        double rgb[3], lab[3];
        for (int c = 0; c < 3; c++) rgb[c] = known[i].rgb[c] / 255.0;
        color_rgb_to_lab(rgb, lab);
        for (int c = 0; c < 3; c++) near(lab[c], known[i].lab[c], 0.0101);
        if (rgb[0] == rgb[1] && rgb[1] == rgb[2]) near(hypot(lab[1], lab[2]), 0, 1e-12);
    }
}

static void ciede2000_of_the_published_pairs(void **state) {
    (void)state;
    static const double pairs[34][7] = {{50.0000, 2.6772, -79.7751, 50.0000, 0.0000, -82.7485, 2.0425},
                                        {50.0000, 3.1571, -77.2803, 50.0000, 0.0000, -82.7485, 2.8615},
                                        {50.0000, 2.8361, -74.0200, 50.0000, 0.0000, -82.7485, 3.4412},
                                        {50.0000, -1.3802, -84.2814, 50.0000, 0.0000, -82.7485, 1.0000},
                                        {50.0000, -1.1848, -84.8006, 50.0000, 0.0000, -82.7485, 1.0000},
                                        {50.0000, -0.9009, -85.5211, 50.0000, 0.0000, -82.7485, 1.0000},
                                        {50.0000, 0.0000, 0.0000, 50.0000, -1.0000, 2.0000, 2.3669},
                                        {50.0000, -1.0000, 2.0000, 50.0000, 0.0000, 0.0000, 2.3669},
                                        {50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0009, 7.1792},
                                        {50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0010, 7.1792},
                                        {50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0011, 7.2195},
                                        {50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0012, 7.2195},
                                        {50.0000, -0.0010, 2.4900, 50.0000, 0.0009, -2.4900, 4.8045},
                                        {50.0000, -0.0010, 2.4900, 50.0000, 0.0010, -2.4900, 4.8045},
                                        {50.0000, -0.0010, 2.4900, 50.0000, 0.0011, -2.4900, 4.7461},
                                        {50.0000, 2.5000, 0.0000, 50.0000, 0.0000, -2.5000, 4.3065},
                                        {50.0000, 2.5000, 0.0000, 73.0000, 25.0000, -18.0000, 27.1492},
                                        {50.0000, 2.5000, 0.0000, 61.0000, -5.0000, 29.0000, 22.8977},
                                        {50.0000, 2.5000, 0.0000, 56.0000, -27.0000, -3.0000, 31.9030},
                                        {50.0000, 2.5000, 0.0000, 58.0000, 24.0000, 15.0000, 19.4535},
                                        {50.0000, 2.5000, 0.0000, 50.0000, 3.1736, 0.5854, 1.0000},
                                        {50.0000, 2.5000, 0.0000, 50.0000, 3.2972, 0.0000, 1.0000},
                                        {50.0000, 2.5000, 0.0000, 50.0000, 1.8634, 0.5757, 1.0000},
                                        {50.0000, 2.5000, 0.0000, 50.0000, 3.2592, 0.3350, 1.0000},
                                        {60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644},
                                        {63.0109, -31.0961, -5.8663, 62.8187, -29.7946, -4.0864, 1.2630},
                                        {61.2901, 3.7196, -5.3901, 61.4292, 2.2480, -4.9620, 1.8731},
                                        {35.0831, -44.1164, 3.7933, 35.0232, -40.0716, 1.5901, 1.8645},
                                        {22.7233, 20.0904, -46.6940, 23.0331, 14.9730, -42.5619, 2.0373},
                                        {36.4612, 47.8580, 18.3852, 36.2715, 50.5065, 21.2231, 1.4146},
                                        {90.8027, -2.0831, 1.4410, 91.1528, -1.6435, 0.0447, 1.4441},
                                        {90.9257, -0.5406, -0.9208, 88.6381, -0.8985, -0.7239, 1.5381},
                                        {6.7747, -0.2908, -2.4247, 5.8714, -0.0985, -2.2286, 0.6377},
                                        {2.0776, 0.0795, -1.1350, 0.9033, -0.0636, -0.5514, 0.9082}};
    for (size_t i = 0; i < 34; i++) {
        near(color_ciede2000(pairs[i], pairs[i] + 3), pairs[i][6], 1e-4);
        near(color_ciede2000(pairs[i] + 3, pairs[i]), pairs[i][6], 1e-4);
        near(color_ciede2000(pairs[i], pairs[i]), 0, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(yuv_of_primaries),
        cmocka_unit_test(yuv_and_back),
        cmocka_unit_test(any_chroma_keeps_the_luminance),
        cmocka_unit_test(lab_of_known_colors),
        cmocka_unit_test(ciede2000_of_the_published_pairs),
    };
    return cmocka_run_group_tests_name("color", tests, NULL, NULL);
}
