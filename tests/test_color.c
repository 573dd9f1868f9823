/* test_color.c - color spaces against published values, CIEDE2000 against the 34 pairs of Sharma, Wu & Dalal,
 * the figures of colorization by hand and on CIFAR-10's official test pictures. */
#include "testing.h"

#include "base/color.h"
#include "base/file.h"
#include "base/pictures.h"
#include "data/data.h"
#include "eval/color_baselines.h"
#include "metrics/color_metrics.h"
#include "model/model.h"
#include "net/net.h"

#include <math.h>

static void near(double got, double want, double bound) {
    if (!(fabs(got - want) <= bound)) fail_msg("got %.12g, want %.12g", got, want);
}

/* --- Color spaces --------------------------------------------------------------------------------- */

static void yuv_of_primaries_and_greys(void **state) {
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
        const double grey[3] = {v / 255.0, v / 255.0, v / 255.0};
        double yuv[3], lab[3];
        color_rgb_to_yuv(grey, yuv);
        near(yuv[0], v / 255.0, 1e-15);
        color_rgb_to_lab(grey, lab);
        assert_true(yuv[1] == 0 && yuv[2] == 0 && lab[1] == 0 && lab[2] == 0);
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

/* Opposite hues count as 180 degrees apart and not more, whichever way their angles are rounded. */
static void ciede2000_of_opposite_hues(void **state) {
    (void)state;
    const double degree = acos(-1) / 180;
    for (int i = 0; i < 360; i++) {
        const double inner = i < 180 ? i + 180 - 1e-6 : i - 180 + 1e-6; /* just under 180 apart */
        const double x[3] = {50, 3 * cos(i * degree), 3 * sin(i * degree)};
        const double opposite[3] = {51, -x[1] / 7, -x[2] / 7};
        const double close[3] = {51, 3.0 / 7 * cos(inner * degree), 3.0 / 7 * sin(inner * degree)};
        near(color_ciede2000(x, opposite), color_ciede2000(x, close), 1e-6);
        near(color_ciede2000(opposite, x), color_ciede2000(x, opposite), 1e-12);
    }
}

/* --- Metrics -------------------------------------------------------------------------------------- */

static void figures_by_hand(void **state) {
    (void)state;
    /* red and a grey, predicted to be grey: red becomes (76, 76, 76), 0.299 * 255 = 76.2 */
    const uint8_t truth[6] = {255, 128, 0, 128, 0, 128};
    const float grey[4] = {0, 0, 0, 0};
    double scratch[22], lab_red[3], lab_76[3];
    const double u = -0.492 * 0.299, v = 0.877 * 0.701;
    struct color_error e;
    struct caelum_color_metrics m;
    assert_int_equal(color_metrics_scratch(1, 2), 22);
    color_metrics_picture(truth, grey, 1, 2, scratch, &e);
    color_metrics_total(&e, 1, 1, 2, &m);
    near(m.uv_mse, (u * u + v * v) / 4, 1e-15);
    near(m.uv_mse_float, (u * u + v * v) / 4, 1e-15);
    near(m.r2, 0, 1e-15);
    near(m.rgb_mse, (179.0 * 179 + 2 * 76 * 76) / (6 * 255.0 * 255), 1e-15);
    near(m.mae, (179.0 + 2 * 76) / (6 * 255), 1e-15);
    near(m.psnr, -10 * log10(m.rgb_mse), 1e-12);
    near(m.psnr_mean, m.psnr, 1e-12);
    assert_true(isnan(m.ssim));
    /* (a*, b*) of red is (80.09, 67.20), 104.55 away from grey: within t = 105..150, the grey within all */
    near(m.auc, (46 + 151) / 302.0, 1e-15);
    near(m.acc2, 0.5, 0);
    near(m.acc5, 0.5, 0);
    /* red: U < V, predicted equal, which counts as U; the grey: equal, equal */
    near(m.accuracy, 0.5, 0);
    color_rgb_to_lab((const double[3]){1, 0, 0}, lab_red);
    color_rgb_to_lab((const double[3]){76 / 255.0, 76 / 255.0, 76 / 255.0}, lab_76);
    near(m.ciede2000, color_ciede2000(lab_red, lab_76) / 2, 1e-12);
    /* rg = 255, 0 and yb = 127.5, 0: half of each is mean and deviation alike */
    near(m.colorfulness_truth, 1.3 * hypot(127.5, 63.75), 1e-10);
    near(m.colorfulness, 0, 0);
}

static void colors_out_of_range_are_clamped(void **state) {
    (void)state;
    /* white with V = 0.877: R = 2 becomes 1, G = 1 - 0.299 / 0.587 = 0.4906 becomes 125 / 255, B stays 1 */
    const uint8_t white[3] = {255, 255, 255};
    const double y = (0.299 + 0.114) + 0.587 * 125 / 255, u = 0.492 * (1 - y), v = 0.877 * (1 - y);
    double scratch[11];
    struct color_error e;
    struct caelum_color_metrics m;
    color_metrics_picture(white, (const float[2]){0, 0.877f}, 1, 1, scratch, &e);
    color_metrics_total(&e, 1, 1, 1, &m);
    near(m.uv_mse_float, 0.877 * 0.877 / 2, 1e-7);
    near(m.uv_mse, (u * u + v * v) / 2, 1e-15);
    near(m.mae, 130.0 / (3 * 255), 1e-15);
    near(m.accuracy, 0, 0); /* U where both are equal, as in the truth, against V */
    near(m.colorfulness, 0.3 * hypot(130, (255 + 125) / 2.0 - 255), 1e-10);
    color_metrics_picture(white, (const float[2]){NAN, NAN}, 1, 1, scratch, &e);
    color_metrics_total(&e, 1, 1, 1, &m);
    near(m.rgb_mse, 1, 0);
}

/* The definitions once more, a figure at a time over a whole picture. */
static void figures_match_the_definitions(void **state) {
    (void)state;
    enum { N = 64 };
    struct rng rng = rng_make(3, RNG_TEST, 0);
    uint8_t truth[3 * N];
    float chroma[2 * N];
    double scratch[11 * N], x[N][3], y[N][3], want = 0;
    size_t within[151] = {0}, close[2] = {0}, agree = 0;
    struct color_error e;
    struct caelum_color_metrics m;
    for (size_t i = 0; i < N; i++) { /* chroma off by up to 0.04, so that some pixels are close */
        double yuv[3], rgb[3], merged[3];
        for (size_t c = 0; c < 3; c++) rgb[c] = (truth[c * N + i] = (uint8_t)rng_below(&rng, 256)) / 255.0;
        color_rgb_to_yuv(rgb, yuv);
        for (size_t c = 0; c < 2; c++) chroma[c * N + i] = (float)yuv[c + 1] + 0.04f * test_random(&rng);
        agree += (yuv[1] < yuv[2]) == (chroma[i] < chroma[N + i]);
        color_yuv_to_rgb((const double[3]){yuv[0], (double)chroma[i], (double)chroma[N + i]}, merged);
        for (size_t c = 0; c < 3; c++) merged[c] = floor(fmin(fmax(merged[c], 0), 1) * 255 + 0.5) / 255;
        color_rgb_to_lab(rgb, x[i]);
        color_rgb_to_lab(merged, y[i]);
        want += color_ciede2000(x[i], y[i]) / N;
        const double a = y[i][1] - x[i][1], b = y[i][2] - x[i][2];
        for (int t = 0; t <= 150; t++) within[t] += sqrt(a * a + b * b) <= t;
        for (int k = 0; k < 2; k++) {
            bool good = true;
            for (size_t c = 0; c < 3; c++)
                good &= fabs(round(x[i][c]) - round(y[i][c])) <= (k ? 5 : 2) * (c ? 2.2 : 1);
            close[k] += good;
        }
    }
    color_metrics_picture(truth, chroma, 8, 8, scratch, &e);
    color_metrics_total(&e, 1, 8, 8, &m);
    near(m.ciede2000, want, 1e-12);
    double area = 0;
    for (int t = 0; t <= 150; t++) area += (double)within[t] / N / 151;
    near(m.auc, area, 1e-12);
    near(m.accuracy, (double)agree / N, 0);
    near(m.acc2, (double)close[0] / N, 0);
    near(m.acc5, (double)close[1] / N, 0);
    assert_in_range(close[0], 5, N - 5);
    assert_in_range(close[1] - close[0], 5, N - 5);
    assert_in_range(agree, 5, N - 1);
}

/* Figures of two pictures are not those of one: r2 and psnr pool errors, psnr_mean and colorfulness do not.
 */
static void pictures_are_pooled(void **state) {
    (void)state;
    const uint8_t red[3] = {255, 0, 0}, blue[3] = {0, 0, 255};
    double scratch[11], yuv[3];
    struct color_error e[2];
    struct caelum_color_metrics one[2], both;
    color_rgb_to_yuv((const double[3]){1, 0, 0}, yuv);
    color_metrics_picture(red, (const float[2]){(float)yuv[1], (float)yuv[2]}, 1, 1, scratch, &e[0]);
    color_metrics_picture(blue, (const float[2]){0.1f, 0}, 1, 1, scratch, &e[1]);
    for (int i = 0; i < 2; i++) color_metrics_total(&e[i], 1, 1, 1, &one[i]);
    color_metrics_total(e, 2, 1, 1, &both);
    near(one[0].psnr_mean, 100, 0);
    near(one[0].r2, 1, 0);
    near(both.psnr_mean, (100 + one[1].psnr) / 2, 1e-12);
    near(both.psnr, one[1].psnr + 10 * log10(2), 1e-12);
    near(both.r2, 1 - e[1].chroma / (e[0].chroma_grey + e[1].chroma_grey), 1e-15);
    near(both.colorfulness, (one[0].colorfulness + one[1].colorfulness) / 2, 1e-12);
    assert_int_equal(both.count, 2);
}

/* --- Baselines ------------------------------------------------------------------------------------ */

enum { SIDE = 32, PLANE = SIDE * SIDE, SIZE = 3 * PLANE, RECORDS = 10000, BATCHES = 6, BASELINES = 6 };

/* CIFAR-10's batches where they are found, the official test pictures last, as [picture][3][32][32]; else
 * NULL. */
static uint8_t *cifar_pixels(void) {
    const char *const roots[] = {getenv("CAELUM_DATA"), SOURCE_DIR "/../shared/cifar10"};
    uint8_t *pixels = NULL;
    for (size_t r = 0; r < 2 && !pixels; r++)
        for (size_t b = 0; roots[r] && b < BATCHES; b++) {
            char path[1024], name[32];
            uint8_t *bytes = NULL;
            size_t size;
            snprintf(name, sizeof name, "data_batch_%zu.bin", b + 1);
            if (b == BATCHES - 1) snprintf(name, sizeof name, "test_batch.bin");
            snprintf(path, sizeof path, "%s/%s", roots[r], name);
            if (access(path, R_OK) != 0)
                snprintf(path, sizeof path, "%s/cifar-10-batches-bin/%s", roots[r], name);
            if (b == 0 && access(path, R_OK) != 0) break;
            if (b == 0) assert_ok(mem_alloc(&pixels, (size_t)BATCHES * RECORDS, SIZE, err));
            assert_ok(file_read(path, (size_t)1 << 30, &bytes, &size, err));
            assert_int_equal(size, RECORDS * (SIZE + 1));
            for (size_t i = 0; i < RECORDS; i++)
                memcpy(pixels + (b * RECORDS + i) * SIZE, bytes + i * (SIZE + 1) + 1, SIZE);
            mem_free(&bytes);
        }
    return pixels;
}

/* Pixels where U >= V, in whole numbers: 1000 Y is one, and a common factor does not matter. */
static double share_of_u(const uint8_t *pixels, size_t n) {
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < PLANE; j++) {
            const uint8_t *p = pixels + i * SIZE + j;
            const int r = p[0], g = p[PLANE], b = p[2 * PLANE], y = 299 * r + 587 * g + 114 * b;
            count += 492 * (1000 * b - y) >= 877 * (1000 * r - y);
        }
    return (double)count / (double)(n * PLANE);
}

/* Every figure of the line of tests/reference/color_baselines.txt with this name and number of pictures. */
static void compare(const struct caelum_color_baseline *b) {
    const struct caelum_color_metrics *m = &b->metrics;
    const double got[15] = {m->uv_mse,   m->uv_mse_float, m->r2,           m->rgb_mse,
                            m->psnr,     m->psnr_mean,    m->ssim,         m->mae,
                            m->auc,      m->ciede2000,    m->colorfulness, m->colorfulness_truth,
                            m->accuracy, m->acc2,         m->acc5};
    FILE *f = fopen(SOURCE_DIR "/tests/reference/color_baselines.txt", "r");
    char line[512], head[128];
    bool found = false;
    assert_non_null(f);
    snprintf(head, sizeof head, "%s\t%zu\t", b->name, m->count);
    while (fgets(line, sizeof line, f)) {
        if (strncmp(line, head, strlen(head)) != 0) continue;
        char *at = line + strlen(head);
        for (size_t i = 0; i < 15; i++) near(got[i], strtod(at, &at), 2e-9); /* nine decimals are written */
        found = true;
    }
    fclose(f);
    if (!found) fail_msg("no figures of '%s' on %zu pictures", b->name, m->count);
}

static struct pictures cifar_part(const uint8_t *pixels, const uint32_t *index, size_t first, size_t n) {
    return (struct pictures){.pixels = pixels, .index = index + first, .n = n, .c = 3, .h = SIDE, .w = SIDE};
}

static void baselines_on_cifar(void **state) {
    (void)state;
    static uint32_t index[BATCHES * RECORDS];
    struct caelum_color_baseline list[8];
    uint8_t *pixels = cifar_pixels();
    if (!pixels) {
        print_message("skipped: no CIFAR-10; CAELUM_DATA names a place\n");
        skip();
    }
    for (uint32_t i = 0; i < BATCHES * RECORDS; i++) index[i] = i;
    const size_t first_test = (BATCHES - 1) * RECORDS;
    const struct pictures train = cifar_part(pixels, index, 0, first_test);
    const struct pictures test = cifar_part(pixels, index, first_test, RECORDS);
    const struct pictures some = cifar_part(pixels, index, first_test, 1000);
    assert_ok(color_baselines_measure(&some, &test, 1, NULL, NULL, list, err));
    compare(&list[0]);
    const struct caelum_color_metrics *grey = &list[0].metrics;
    /* measured before this program was, to as many digits */
    near(grey->uv_mse, 0.003845, 5e-7);
    near(grey->rgb_mse, 0.006617, 5e-7);
    near(grey->psnr, 21.79, 5e-3);
    near(grey->psnr_mean, 25.05, 5e-3);
    near(grey->mae, 0.0500, 5e-5);
    near(grey->auc, 0.8994, 5e-5);
    near(grey->acc2, 0.264, 5e-4);
    near(grey->acc5, 0.558, 5e-4);
    near(grey->colorfulness_truth, 33.65, 5e-3);
    /* grey says U everywhere: right where U is the larger, or both are equal */
    near(grey->accuracy, share_of_u(pixels + first_test * SIZE, RECORDS), 1e-12);
    assert_ok(color_baselines_measure(&train, &some, BASELINES, NULL, NULL, list, err));
    for (size_t i = 0; i < BASELINES; i++) compare(&list[i]);
    mem_free(&pixels);
}

static int count_calls(void *cookie, const char *what, size_t done, size_t total) {
    (void)what, (void)done, (void)total;
    ++*(size_t *)cookie;
    return 0;
}

/* A data set whose cache directory is `root`. */
static struct caelum_data *open_synthetic(const char *spec, const char *root) {
    struct caelum_data_settings settings = caelum_data_defaults();
    struct caelum_data *data = NULL;
    settings.cache_dir = root;
    assert_ok(caelum_data_open(&data, spec, &settings, err));
    return data;
}

static int baselines_of(const struct caelum_data *data, size_t *calls, struct caelum_color_baseline list[8],
                        size_t capacity, size_t *count, struct caelum_error *err) {
    *calls = 0;
    return caelum_color_baselines(data, CAELUM_TEST, count_calls, calls, list, capacity, count, err);
}

static void baselines_are_kept(void **state) {
    (void)state;
    struct caelum_color_baseline fresh[8] = {0}, again[8] = {0};
    char root[256], command[400];
    size_t calls, n = 0;
    test_directory(root);
    struct caelum_data *data = open_synthetic("synthetic:100", root);
    assert_ok(baselines_of(data, &calls, fresh, 1, &n, err));
    assert_int_equal(n, 1);
    assert_true(calls > 0);
    assert_ok(baselines_of(data, &calls, again, 1, &n, err));
    assert_int_equal(calls, 0);
    assert_memory_equal(fresh, again, sizeof *fresh);
    assert_ok(baselines_of(data, &calls, fresh, 8, &n, err)); /* one is not enough */
    assert_int_equal(n, BASELINES);
    assert_true(calls > 0);
    assert_ok(baselines_of(data, &calls, again, 8, &n, err));
    assert_int_equal(calls, 0);
    assert_memory_equal(fresh, again, sizeof fresh);
    assert_ok(baselines_of(data, &calls, again, 1, &n, err)); /* more than enough */
    assert_int_equal(calls, 0);
    snprintf(command, sizeof command, "for f in '%s'/colorizers-*; do truncate -s -9 \"$f\"; done", root);
    assert_int_equal(system(command), 0);
    assert_ok(baselines_of(data, &calls, again, 8, &n, err));
    assert_true(calls > 0);
    assert_memory_equal(fresh, again, sizeof fresh);
    caelum_data_close(&data);
    data = open_synthetic("synthetic:200", root); /* other pictures, other figures */
    assert_ok(baselines_of(data, &calls, again, 8, &n, err));
    assert_true(calls > 0 && again[0].metrics.uv_mse != fresh[0].metrics.uv_mse);
    caelum_data_close(&data);
    data = open_synthetic("synthetic:100:10", root); /* too small for SSIM, which JSON can't hold */
    for (int i = 0; i < 2; i++) assert_ok(baselines_of(data, &calls, again, 8, &n, err));
    assert_true(isnan(again[0].metrics.ssim) && again[0].metrics.uv_mse > 0);
    caelum_data_close(&data);
    test_remove(root);
}

/* --- Models --------------------------------------------------------------------------------------- */

/* Saves and loads a model of `text`, all parameters 0 but the last two, the biases of U and V. */
static struct caelum_model *make_model(const char *text, const char *root, float u, float v) {
    struct caelum_net *net = NULL;
    struct caelum_model *model = NULL;
    struct metadata metadata = {0};
    float *params = NULL;
    char path[300];
    snprintf(path, sizeof path, "%s/model.safetensors", root);
    assert_ok(caelum_net_parse(&net, text, "text", SIDE, SIDE, err));
    assert_ok(mem_alloc(&params, net->params, sizeof *params, err));
    params[net->params - 2] = u, params[net->params - 1] = v;
    assert_ok(model_save(net, params, &metadata, path, err));
    assert_ok(caelum_model_load(&model, path, err));
    caelum_net_close(&net);
    mem_free(&params);
    return model;
}

static void assert_same(const struct caelum_color_metrics *a, const struct caelum_color_metrics *b) {
    assert_int_equal(a->count, b->count);
    near(a->uv_mse, b->uv_mse, 0);
    near(a->uv_mse_float, b->uv_mse_float, 0);
    near(a->r2, b->r2, 0);
    near(a->ciede2000, b->ciede2000, 0);
    near(a->psnr, b->psnr, 0);
    near(a->accuracy, b->accuracy, 0);
}

/* A network that says nothing is a grey copy; one that says one thing is as good as the constant it says. */
static void models_are_measured(void **state) {
    (void)state;
    static const char text[] = "input 1\nconv 4 relu\nconv 2\n";
    struct caelum_color_baseline list[8];
    struct caelum_color_metrics m, one;
    struct caelum_metrics reconstruction;
    char root[256];
    size_t calls, n = 0;
    test_directory(root);
    struct caelum_data *data = open_synthetic("synthetic:300", root);
    assert_ok(baselines_of(data, &calls, list, 8, &n, err));
    struct caelum_model *grey = make_model(text, root, 0, 0);
    assert_ok(
        caelum_eval_color(grey, data, CAELUM_TEST, &(struct caelum_color_settings){.threads = 2}, &m, err));
    assert_same(&m, &list[0].metrics);
    assert_false(caelum_color_learned(&m, &list[0].metrics));
    assert_error(CAELUM_EFORMAT, "the model takes pictures of 1x32x32",
                 caelum_eval(grey, data, CAELUM_TEST, 1, NULL, NULL, &reconstruction, err));
    caelum_model_close(&grey);
    struct caelum_model *constant = make_model(text, root, 0.02f, -0.03f);
    assert_ok(caelum_eval_color(constant, data, CAELUM_TEST, &(struct caelum_color_settings){.threads = 1},
                                &one, err));
    assert_ok(caelum_eval_color(constant, data, CAELUM_TEST, &(struct caelum_color_settings){.threads = 2},
                                &m, err));
    assert_memory_equal(&one, &m, sizeof m);
    assert_true(m.colorfulness > 0 && fabs(m.uv_mse - m.uv_mse_float) < 1e-4);
    /* (U - 0.02)^2 + (V + 0.03)^2 over the truth, pixel by pixel */
    const struct pictures p = data_pictures(data, CAELUM_TEST);
    double sum = 0;
    for (size_t i = 0; i < p.n * PLANE; i++) {
        const uint8_t *at = pictures_at(&p, i / PLANE) + i % PLANE;
        double yuv[3];
        color_rgb_to_yuv((const double[3]){at[0] / 255.0, at[PLANE] / 255.0, at[2 * PLANE] / 255.0}, yuv);
        sum += pow(yuv[1] - (double)0.02f, 2) + pow(yuv[2] + (double)0.03f, 2);
    }
    near(m.uv_mse_float, sum / (2.0 * (double)(p.n * PLANE)), 1e-12);
    caelum_model_close(&constant);
    struct caelum_model *three = make_model("input 3\nconv 3\n", root, 0, 0);
    assert_error(
        CAELUM_EFORMAT, "turns 3x32x32 into 3x32x32: it is no colorizer",
        caelum_eval_color(three, data, CAELUM_TEST, &(struct caelum_color_settings){.threads = 1}, &m, err));
    caelum_model_close(&three);
    caelum_data_close(&data);
    test_remove(root);
}

static void verdict(void **state) {
    (void)state;
    const struct caelum_color_metrics grey = {.psnr = 21.8};
    struct caelum_color_metrics m = {.psnr = 22.101, .r2 = 0.05, .colorfulness = 5};
    assert_true(caelum_color_learned(&m, &grey));
    m.psnr = 22.0;
    assert_false(caelum_color_learned(&m, &grey));
    m.psnr = 23, m.r2 = 0.049;
    assert_false(caelum_color_learned(&m, &grey));
    m.r2 = 0.3, m.colorfulness = 4.9;
    assert_false(caelum_color_learned(&m, &grey));
    m.colorfulness = 20, m.r2 = (double)NAN;
    assert_false(caelum_color_learned(&m, &grey));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(yuv_of_primaries_and_greys),
        cmocka_unit_test(yuv_and_back),
        cmocka_unit_test(any_chroma_keeps_the_luminance),
        cmocka_unit_test(lab_of_known_colors),
        cmocka_unit_test(ciede2000_of_the_published_pairs),
        cmocka_unit_test(ciede2000_of_opposite_hues),
        cmocka_unit_test(figures_by_hand),
        cmocka_unit_test(colors_out_of_range_are_clamped),
        cmocka_unit_test(figures_match_the_definitions),
        cmocka_unit_test(pictures_are_pooled),
        cmocka_unit_test(baselines_on_cifar),
        cmocka_unit_test(baselines_are_kept),
        cmocka_unit_test(models_are_measured),
        cmocka_unit_test(verdict),
    };
    return cmocka_run_group_tests_name("color", tests, NULL, NULL);
}
