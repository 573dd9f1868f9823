/* test_detection.c - figures of detection: cases by hand, and random ones against scikit-learn and a plain
 * AU-PRO in NumPy (tests/reference/detection.py). */
#include "testing.h"

#include "base/file.h"
#include "metrics/detection.h"

#include <math.h>

enum { MOST = 1 << 18 };

/* --- Pictures --------------------------------------------------------------------------------------- */

static struct detection_figures figures_of(const float *scores, const bool *bad, size_t n) {
    struct detection_point point[MOST / 64];
    return detection_figures(point, detection_curve(scores, bad, n, point));
}

static void pictures_by_hand(void **state) {
    (void)state;
    /* of the four pairs of good (1, 3) and bad (2, 4), three are in order */
    const struct detection_figures f =
        figures_of((const float[]){1, 2, 3, 4}, (const bool[]){false, true, false, true}, 4);
    assert_near(f.auroc, 0.75, 1e-15);
    assert_near(f.ap, (1.0 + 2.0 / 3) / 2, 1e-15);
    assert_near(f.f1_max, 0.8, 1e-15); /* at 2: both found, one alarm */
    assert_near(f.f1_threshold, 2, 0);
    /* perfect, the wrong way around, and all alike */
    assert_near(figures_of((const float[]){-2, -1}, (const bool[]){false, true}, 2).auroc, 1, 0);
    assert_near(figures_of((const float[]){-1, -2}, (const bool[]){false, true}, 2).auroc, 0, 0);
    const struct detection_figures same =
        figures_of((const float[]){5, 5, 5, 5}, (const bool[]){false, true, false, false}, 4);
    assert_near(same.auroc, 0.5, 0);
    assert_near(same.ap, 0.25, 0);
    assert_near(same.f1_max, 0.4, 1e-15);
    /* one kind alone has no figures */
    assert_true(isnan(figures_of((const float[]){1, 2}, (const bool[]){true, true}, 2).auroc));
    assert_true(isnan(figures_of((const float[]){1, 2}, (const bool[]){false, false}, 2).ap));
    assert_true(isnan(figures_of(NULL, NULL, 0).f1_max));
}

static void thresholds(void **state) {
    (void)state;
    struct detection_point p[5];
    const size_t n = detection_curve((const float[]){1, 4, 2, 2, 3},
                                     (const bool[]){false, true, true, false, false}, 5, p);
    assert_int_equal(n, 4);
    const struct {
        double threshold;
        size_t found, alarms;
    } want[] = {{5, 0, 0}, {4, 1, 0}, {3.5, 1, 0}, {3, 1, 1}, {2, 2, 2}, {-1, 2, 3}, {(double)NAN, 0, 0}};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        const struct detection_point at = detection_at(p, n, want[i].threshold);
        assert_int_equal(at.found, want[i].found);
        assert_int_equal(at.alarms, want[i].alarms);
    }
}

/* --- Pixels ----------------------------------------------------------------------------------------- */

/* Two defects, of 1 and of 4 pixels that touch at a corner; every score another. Walked down: */
static void pixels_by_hand(void **state) {
    (void)state;
    static struct detection_pixels p;
    const uint8_t mask[] = {1, 0, 0, 0, 0,   /* */
                            0, 0, 9, 9, 0,   /* */
                            0, 0, 0, 0, 255, /* */
                            0, 0, 0, 0, 7};
    const float map[] = {20, 1,  2,  3, 4,  /* */
                         5,  6,  18, 8, 9,  /* */
                         10, 11, 12, 7, 17, /* */
                         14, 15, 16, 0, 19};
    assert_ok(detection_add(&p, map, mask, 4, 5, err));
    assert_int_equal(p.good, 15);
    assert_int_equal(p.bad, 5);
    assert_int_equal(p.regions, 2);
    /* 20: defect 1 found; 19, 18, 17: 3/4 of defect 2; then 16 ... down to 9 are 7 alarms (13 is nobody's)
     * before the last: share 7/8 from 0 on, beyond 30 % and 5 % of 15 */
    const struct detection_pixel_figures f = detection_pixel_figures(&p);
    assert_near(f.au_pro_30, 7.0 / 8, 1e-12);
    assert_near(f.au_pro_5, 7.0 / 8, 1e-12);
    /* the pixel at 8 is above 8 of the 15 good: 7, 6, 5, 4, 3, 2, 1, 0 */
    assert_near(f.auroc, (4 * 15 + 8) / 75.0, 1e-12);
    assert_near(f.ap, (4 + 5.0 / 12) / 5, 1e-12);
    assert_near(detection_quantile(&p, 0.5), 7, 0); /* the 8th of 0, 1, ... 7, 9, ... */
    assert_near(detection_quantile(&p, 0), 0, 0);
    assert_near(detection_quantile(&p, 1), 16, 0);
    detection_free(&p);
}

/* A slope that the limit cuts: a good picture and a defect whose scores are all alike. */
static void limits_are_interpolated(void **state) {
    (void)state;
    static struct detection_pixels p, all;
    assert_ok(detection_add(&p, (const float[]){0.5f, -0.0f}, (const uint8_t[]){1, 0}, 1, 2, err));
    assert_ok(detection_add(&all, (const float[]){0.0f, 0.5f}, NULL, 2, 1, err));
    assert_ok(detection_merge(&all, &p, err));
    /* at 0.5: 1 of 3 good, and the defect; the line from (0, 0) to (1/3, 1) is 0.9 at 0.3 */
    const struct detection_pixel_figures f = detection_pixel_figures(&all);
    assert_near(f.au_pro_30, 0.45, 1e-12);
    assert_near(f.au_pro_5, 0.075, 1e-12);
    assert_near(f.auroc, (2 + 0.5) / 3, 1e-12);
    assert_near(f.ap, 0.5, 1e-12);
    detection_free(&p), detection_free(&all);
    assert_true(isnan(detection_pixel_figures(&p).auroc));
    assert_true(isnan(detection_quantile(&p, 0.5)));
}

static void no_number(void **state) {
    (void)state;
    static struct detection_pixels p;
    assert_error(CAELUM_EFAIL, "pixel 1", detection_add(&p, (const float[]){1, NAN}, NULL, 1, 2, err));
    detection_free(&p);
    assert_ok(detection_add(&p, (const float[]){-INFINITY, INFINITY}, (const uint8_t[]){0, 1}, 1, 2, err));
    assert_near(detection_pixel_figures(&p).auroc, 1, 0);
    detection_free(&p);
}

/* --- Against scikit-learn ------------------------------------------------------------------------------ */

/* Kinds of scores: normal, coarse with many ties, close to each other, of both signs, falling like
 * errors. */
enum { KINDS = 5 };

static float score_of(struct rng *rng, int kind, bool bad) {
    const float u = rng_uniform(rng) + rng_uniform(rng) + rng_uniform(rng) - 1.5f + (bad ? 0.4f : 0);
    switch (kind) {
    case 1:
        return floorf(u * 4);
    case 2:
        return 3 + u / 4;
    case 3:
        return u * u * u * 100 - 1;
    case 4:
        return expf(5 * u);
    default:
        return u;
    }
}

static uint32_t bits_of(float v) {
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    return bits;
}

/* Words of a file of the reference, and the same through the functions. */
static size_t make_pictures(struct rng *rng, int kind, uint32_t *words, struct detection_figures *f) {
    enum { N = 400 };
    float score[N];
    bool bad[N];
    size_t at = 0;
    words[at++] = N;
    for (size_t i = 0; i < N; i++) {
        bad[i] = rng_below(rng, 3) == 0;
        score[i] = score_of(rng, kind, bad[i]);
        words[at++] = bits_of(score[i]), words[at++] = bad[i];
    }
    *f = figures_of(score, bad, N);
    return at;
}

static size_t make_maps(struct rng *rng, int kind, uint32_t *words, struct detection_pixel_figures *f) {
    enum { N = 12, SIDE = 90 };
    static struct detection_pixels pixels;
    static float map[SIDE * SIDE];
    static uint8_t mask[SIDE * SIDE];
    size_t at = 0;
    words[at++] = N;
    for (size_t i = 0; i < N; i++) {
        const size_t h = 1 + rng_below(rng, SIDE), w = 1 + rng_below(rng, SIDE);
        memset(mask, 0, sizeof mask);
        for (size_t blob = 0; i % 3 > 0 && blob < 9; blob++) { /* rectangles that touch, and dots */
            const size_t y = rng_below(rng, (uint32_t)h), x = rng_below(rng, (uint32_t)w),
                         side = blob % 3 * 5;
            for (size_t v = y; v <= y + side && v < h; v++)
                for (size_t u = x; u <= x + side && u < w; u++) mask[v * w + u] = 255;
        }
        for (size_t j = 0; j < h * w; j++) map[j] = score_of(rng, kind, mask[j]);
        assert_ok(detection_add(&pixels, map, i % 3 ? mask : NULL, h, w, err));
        words[at++] = (uint32_t)h, words[at++] = (uint32_t)w;
        for (size_t j = 0; j < h * w; j++) words[at++] = bits_of(map[j]);
        for (size_t j = 0; j < h * w; j++) words[at++] = mask[j];
    }
    *f = detection_pixel_figures(&pixels);
    detection_free(&pixels);
    return at;
}

static void as_scikit_learn(void **state) {
    (void)state;
    static uint32_t words[MOST];
    struct detection_figures f[KINDS];
    struct detection_pixel_figures p[KINDS];
    char command[900], line[64], name[] = "0";
    if (system("/usr/bin/python3 -c 'import scipy, sklearn' 2>/dev/null") != 0) {
        print_message("skipped: /usr/bin/python3 has no scipy or no sklearn\n");
        skip();
    }
    for (int kind = 0; kind < KINDS; kind++) {
        struct rng rng = rng_make(1, RNG_TEST, (uint32_t)kind);
        size_t n = make_pictures(&rng, kind, words, &f[kind]);
        n += make_maps(&rng, kind, words + n, &p[kind]);
        *name = (char)('0' + kind);
        assert_ok(file_write(test_path(name), words, n * sizeof *words, err));
    }
    snprintf(command, sizeof command,
             "cd '%s' && /usr/bin/python3 '%s/tests/reference/detection.py' 0 1 2 3 4", test_root,
             SOURCE_DIR);
    FILE *from = popen(command, "r");
    for (int kind = 0; kind < KINDS; kind++) {
        const double got[] = {f[kind].auroc, f[kind].ap, f[kind].f1_max,    f[kind].f1_threshold,
                              p[kind].auroc, p[kind].ap, p[kind].au_pro_30, p[kind].au_pro_5};
        for (size_t i = 0; i < sizeof got / sizeof *got; i++) {
            if (!fgets(line, sizeof line, from)) fail_msg("%s: no line %zu", command, i);
            const double want = strtod(line, NULL), /* kind 2 has few bins */
                bound = i < 4       ? 1e-8 * (1 + fabs(want))
                        : kind == 2 ? 1e-4
                                    : 2e-5;
            if (!(fabs(got[i] - want) <= bound))
                fail_msg("scores of kind %d, figure %zu: got %.9f, want %.9f", kind, i, got[i], want);
        }
    }
    assert_int_equal(pclose(from), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_by_hand), cmocka_unit_test(thresholds),
        cmocka_unit_test(pixels_by_hand),   cmocka_unit_test(limits_are_interpolated),
        cmocka_unit_test(no_number),        cmocka_unit_test(as_scikit_learn),
    };
    return cmocka_run_group_tests(tests, test_open_root, test_close_root);
}
