/* test_anomaly_eval.c - test directories of defect finders, and what a finder and the baselines are worth on
 * generated pictures whose figures are known. */
#include "testing.h"

#include "anomaly/anomaly_baselines.h"
#include "anomaly/anomaly_eval.h"
#include "anomaly/anomaly_heat.h"
#include "base/file.h"

#include <math.h>

static struct anomaly_folders folders;

/* --- Pictures --------------------------------------------------------------------------------------- */

enum { W = 12, H = 10 };

static void save(const char *name, const uint8_t *grey, size_t w, size_t h) {
    char path[600], *slash;
    uint8_t rgb[3 * 64 * 64];
    snprintf(path, sizeof path, "%s", test_path(name));
    slash = strrchr(path, '/');
    *slash = '\0';
    assert_ok(file_make_directory(path, err));
    *slash = '/';
    for (size_t i = 0; i < 3 * w * h; i++) rgb[i] = grey[i / 3];
    assert_ok(
        caelum_picture_save(&(struct caelum_picture){.width = w, .height = h, .pixels = rgb}, path, err));
}

/* Black but for one pixel. */
static void save_dot(const char *name, size_t at, uint8_t value) {
    uint8_t grey[W * H] = {0};
    grey[at] = value;
    save(name, grey, W, H);
}

static void save_words(const char *name, const char *words) {
    assert_ok(file_write(test_path(name), words, strlen(words), err));
}

/* Four pictures whose largest values are 10 and 50 of good ones, 40 and 60 of defects; a fifth is damaged. */
static void make_directory(const char *name) {
    char path[64];
    const struct {
        const char *name;
        size_t at;
        uint8_t value;
    } dots[] = {{"test/good/a.png", 3, 10},    {"test/good/b.v2.png", 4, 50},
                {"test/dent/a.png", 5, 40},    {"ground_truth/dent/a_mask.png", 5, 255},
                {"test/spot/b.v2.png", 6, 60}, {"ground_truth/spot/b.v2.png", 6, 1}};
    for (size_t i = 0; i < sizeof dots / sizeof *dots; i++) {
        snprintf(path, sizeof path, "%s/%s", name, dots[i].name);
        save_dot(path, dots[i].at, dots[i].value);
    }
}

/* A detector that finds what is bright. `cookie`: a value that it scores as NaN. */
static int score_bright(void *cookie, const struct caelum_picture *picture, float *map, float *score,
                        struct caelum_error *err) {
    *score = 0;
    for (size_t i = 0; i < picture->width * picture->height; i++) {
        map[i] = (float)picture->pixels[3 * i];
        if (map[i] > *score) *score = map[i];
    }
    if (cookie && *score == *(float *)cookie) *score = NAN;
    return picture->width == 1 ? caelum_fail(err, CAELUM_EFORMAT, "too small") : CAELUM_OK;
}
static const struct detector bright = {"bright", score_bright, NULL, 45};

static int run_bright(struct anomaly_eval *eval, const char *directory, struct caelum_error *err) {
    CHECK(anomaly_folders_open(&folders, test_path(directory), err));
    const int result = anomaly_eval_run(eval, &folders, &bright, 1, &(struct anomaly_progress){0}, err);
    if (result != 0) anomaly_folders_close(&folders);
    return result;
}

static void close_all(struct anomaly_eval *eval) {
    anomaly_eval_close(eval);
    anomaly_folders_close(&folders);
}

/* --- Figures ------------------------------------------------------------------------------------------ */

static void known_figures(const struct anomaly_result *r, bool masks) {
    assert_int_equal(r->all.good, 2);
    assert_int_equal(r->all.bad, 2);
    assert_near(r->all.image.auroc, 0.75, 1e-12);
    assert_near(r->all.image.f1_max, 0.8, 1e-12);
    assert_near(r->all.true_positives, 0.5, 0);
    assert_near(r->all.false_alarms, 0.5, 0);
    if (!masks) return;
    /* Two bad pixels, 60 and 40, among 478 good ones, of which one is 50 and one 10 */
    assert_near(r->all.pixel.auroc, (478 + 477) / (2.0 * 478), 1e-12);
    assert_near(r->all.pixel.ap, (1 + 2.0 / 3) / 2, 1e-12);
    const double before = 1.0 / 478; /* half of the defects up to here, then all */
    assert_near(r->all.pixel.au_pro_30, (before * 0.5 + (0.3 - before)) / 0.3, 1e-12);
    assert_near(r->kind[1].image.auroc, 0.5, 1e-12); /* 40 is between 10 and 50 */
    assert_near(r->kind[2].image.auroc, 1, 0);
    assert_near(r->kind[2].pixel.auroc, 1, 0);
    assert_near(r->kind[1].pixel.ap, 0.5, 1e-12);
}

static void as_mvtec_lays_it_out(void **state) {
    (void)state;
    struct anomaly_eval eval;
    make_directory("mvtec");
    static const char *const names[] = {"mvtec", "mvtec/test"}; /* the second has its masks next to it */
    for (size_t i = 0; i < 2; i++) {
        assert_ok(run_bright(&eval, names[i], err));
        assert_int_equal(folders.kinds, 3);
        assert_string_equal(folders.kind[1], "dent");
        assert_string_equal(folders.kind[2], "spot");
        assert_int_equal(eval.left, 0);
        known_figures(eval.result, true);
        close_all(&eval);
    }
}

static void without_masks(void **state) {
    (void)state;
    struct anomaly_eval eval;
    const size_t at[] = {1, 2, 3, 4};
    const uint8_t value[] = {10, 50, 40, 60};
    static const char *const name[] = {"flat/good/a.png", "flat/good/b.png", "flat/bad/a.png",
                                       "flat/bad/b.png"};
    for (size_t i = 0; i < 4; i++) save_dot(name[i], at[i], value[i]);
    assert_ok(run_bright(&eval, "flat", err));
    known_figures(eval.result, false);
    assert_true(isnan(eval.result->all.pixel.auroc));
    assert_true(isnan(eval.result->all.pixel.au_pro_5));
    json_t *json = anomaly_eval_json(&eval);
    assert_true(json_is_null(json_object_get(json, "pixel_auroc")));
    assert_near(json_number_value(json_object_get(json, "image_auroc")), 0.75, 1e-12);
    json_decref(json);
    close_all(&eval);
}

static void keys_of_json(void **state) {
    (void)state;
    struct anomaly_eval eval;
    const struct detector two[] = {bright, {"other", score_bright, NULL, NAN}};
    static const char *const keys[] = {"image_auroc",    "image_ap",       "image_f1_max", "pixel_auroc",
                                       "pixel_ap",       "au_pro_30",      "au_pro_5",     "false_alarms",
                                       "true_positives", "ms_per_picture", "good",         "bad"};
    make_directory("json");
    save_dot("json/test/\xff/c.png", 7, 90);
    save_dot("json/ground_truth/\xff/c_mask.png", 7, 90);
    assert_ok(anomaly_folders_open(&folders, test_path("json"), err));
    assert_ok(anomaly_eval_run(&eval, &folders, two, 2, &(struct anomaly_progress){0}, err));
    json_t *json = anomaly_eval_json(&eval);
    const json_t *other = json_object_get(json_object_get(json, "baselines"), "other");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (!json_is_number(json_object_get(json, keys[i]))) fail_msg("%s is no number", keys[i]);
        if (!json_object_get(other, keys[i])) fail_msg("baselines lack %s", keys[i]);
    }
    assert_true(json_is_null(json_object_get(other, "false_alarms")));
    assert_near(json_real_value(
                    json_object_get(json_object_get(json_object_get(json, "kinds"), "spot"), "image_auroc")),
                1, 0);
    assert_non_null(json_object_get(json_object_get(json, "kinds"), "\\xff"));
    json_decref(json);
    close_all(&eval);
}

/* --- What may be wrong -------------------------------------------------------------------------------- */

static void damaged_pictures_are_left_out(void **state) {
    (void)state;
    struct anomaly_eval eval;
    make_directory("damaged");
    save_words("damaged/test/good/c.png", "no picture");
    save_words("damaged/test/dent/d.png", "");
    save_dot("damaged/ground_truth/dent/d_mask.png", 0, 1);
    assert_ok(run_bright(&eval, "damaged", err));
    assert_int_equal(eval.left, 2);
    assert_non_null(strstr(eval.left_out[0], "damaged/test/dent/d.png: "));
    assert_non_null(strstr(eval.left_out[1], "damaged/test/good/c.png: "));
    known_figures(eval.result, true);
    json_t *json = anomaly_eval_json(&eval);
    assert_int_equal(json_array_size(json_object_get(json, "left_out")), 2);
    json_decref(json);
    close_all(&eval);
}

static void links_are_told(void **state) {
    (void)state;
    struct anomaly_eval eval;
    char to[600];
    make_directory("links");
    snprintf(to, sizeof to, "%s", test_path("links/test/dent"));
    assert_int_equal(symlink(to, test_path("links/test/linked")), 0);
    assert_ok(run_bright(&eval, "links", err));
    assert_int_equal(eval.left, 1);
    assert_non_null(strstr(eval.left_out[0], "links/test: left out: 1 link to a folder"));
    known_figures(eval.result, true);
    close_all(&eval);
}

static void wrong_directories(void **state) {
    (void)state;
    struct anomaly_eval eval;
    make_directory("wrong");
    assert_error(CAELUM_EIO, "none", anomaly_folders_open(&folders, test_path("none"), err));
    save_dot("wrong/test/loose.png", 0, 1);
    assert_error(CAELUM_EUSAGE, "loose.png: is in no folder", run_bright(&eval, "wrong", err));
    assert_int_equal(remove(test_path("wrong/test/loose.png")), 0);
    save_dot("wrong/test/dent/e.png", 0, 1);
    assert_error(CAELUM_EFORMAT, "ground_truth/dent/e_mask.png", run_bright(&eval, "wrong", err));
    save("wrong/ground_truth/dent/e_mask.png", (const uint8_t[W * H]){1}, H, W);
    assert_error(CAELUM_EFORMAT, "a mask of 10x12 pixels for a picture of 12x10",
                 run_bright(&eval, "wrong", err));
    save_words("wrong/ground_truth/dent/e_mask.png", "no picture");
    assert_error(CAELUM_EFORMAT, "e_mask.png: ", run_bright(&eval, "wrong", err));
    save_dot("bad-only/bad/a.png", 0, 1);
    assert_error(CAELUM_EUSAGE, "no good pictures", run_bright(&eval, "bad-only", err));
    save_dot("good-only/good/a.png", 0, 1);
    assert_error(CAELUM_EUSAGE, "no pictures with defects", run_bright(&eval, "good-only", err));
    save_dot("good-only/bad/x.png", 0, 1);
    save_words("good-only/bad/x.png", "");
    assert_error(CAELUM_EFORMAT, "no bad picture can be read; the last that was left out: ",
                 run_bright(&eval, "good-only", err));
}

static int stop(void *cookie, const char *what, size_t done, size_t total) {
    (void)what, (void)total;
    return done == *(size_t *)cookie;
}

static void detectors_that_fail(void **state) {
    (void)state;
    struct anomaly_eval eval;
    float value = 40;
    size_t at = 2;
    const struct detector nan = {"broken", score_bright, &value, NAN};
    const struct anomaly_progress none = {0}, third = {stop, &at};
    make_directory("fail");
    assert_ok(anomaly_folders_open(&folders, test_path("fail"), err));
    assert_error(CAELUM_EFAIL, "broken: dent/a.png: the score is not a number",
                 anomaly_eval_run(&eval, &folders, &nan, 1, &none, err));
    assert_error(CAELUM_ESTOPPED, "stopped", anomaly_eval_run(&eval, &folders, &bright, 1, &third, err));
    size_t failures = 0;
    for (long n = 0;; n++, failures++) { /* each allocation fails once */
        struct caelum_error err = {0};
        mem_fail_after(n);
        const int result = anomaly_eval_run(&eval, &folders, &bright, 1, &none, &err);
        mem_fail_after(-1);
        if (result == 0) break;
        assert_int_equal(result, CAELUM_ERESOURCE);
    }
    assert_true(failures > 20);
    known_figures(eval.result, true);
    close_all(&eval);
}

/* --- Heat maps and the page ----------------------------------------------------------------------------- */

static void heat_by_hand(void **state) {
    (void)state;
    uint8_t rgb[5 * 3];
    struct caelum_picture heat, picture = {.width = 5, .height = 1, .pixels = rgb};
    memset(rgb, 100, sizeof rgb);
    assert_ok(anomaly_heat(&picture, (const float[]){-9, 1, 2, 3, 99}, 1, 3, NULL, &heat, err));
    /* up to 1 clear; in the middle 0.7 sqrt(1/2) of (1, 0.45, 0); from 3 on 0.7 of red */
    const double half = 0.7 * sqrt(0.5);
    const double want[] = {100,
                           100,
                           100,
                           100,
                           100,
                           100, /* */
                           100 + half * 155,
                           100 + half * (0.45 * 255 - 100),
                           100 - half * 100, /* */
                           208.5,
                           30,
                           30,
                           208.5,
                           30,
                           30};
    for (size_t i = 0; i < sizeof rgb; i++) assert_near(heat.pixels[i], want[i], 1);
    caelum_picture_free(&heat);
    /* an outline around what is bad, where it has a good neighbor; no range at all; NaN */
    assert_ok(anomaly_heat(&picture, (const float[]){0, 0, 0, 0, 1}, 0, 0, (const uint8_t[]){1, 1, 1, 0, 0},
                           &heat, err));
    for (size_t i = 0; i < 5; i++) assert_int_equal(heat.pixels[3 * i + 2], i == 2 ? 255 : i == 4 ? 30 : 100);
    caelum_picture_free(&heat);
    assert_ok(anomaly_heat(&picture, (const float[]){0, 1, 2, 3, 4}, NAN, NAN, NULL, &heat, err));
    assert_memory_equal(heat.pixels, rgb, sizeof rgb);
    caelum_picture_free(&heat);
}

static size_t count(const char *text, const char *words) {
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, words)) != NULL; at += strlen(words)) n++;
    return n;
}

static void the_page(void **state) {
    (void)state;
    struct anomaly_eval eval;
    uint8_t *bytes = NULL;
    size_t size, failures = 0;
    char command[900];
    const struct detector two[] = {bright, {"other", score_bright, NULL, NAN}};
    make_directory("page");
    save_dot("page/test/a<&b/c.png", 7, 90);
    save_dot("page/ground_truth/a<&b/c_mask.png", 7, 90);
    save_words("page/test/good/damaged.png", "");
    assert_ok(anomaly_folders_open(&folders, test_path("page"), err));
    assert_ok(anomaly_eval_run(&eval, &folders, two, 2, &(struct anomaly_progress){0}, err));
    for (;; failures++) { /* whole or not at all */
        struct caelum_error err = {0};
        mem_fail_after((long)failures);
        const int result = anomaly_page_write(&eval, test_path("page.html"), &err);
        mem_fail_after(-1);
        if (result == 0) break;
        assert_int_equal(result, CAELUM_ERESOURCE);
        assert_int_equal(access(test_path("page.html"), F_OK), -1);
    }
    assert_true(failures > 20);
    assert_ok(file_read(test_path("page.html"), 1 << 24, &bytes, &size, err));
    const char *page = (const char *)bytes;
    assert_int_equal(count(page, "<img "),
                     2 * (2 + 3)); /* each good and each bad picture, and its heat map */
    assert_int_equal(count(page, ">a&lt;&amp;b</th>"), 1);
    assert_int_equal(count(page, "damaged.png: is empty"), 1);
    assert_non_null(
        strstr(page, "good/b.v2.png: score 50, called bad; 1 of 3 bad pictures have a smaller one"));
    assert_non_null(
        strstr(page, "dent/a.png: score 40, called good; 1 of 2 good pictures have a larger one"));
    assert_true(strstr(page, "good/b.v2.png: score") < strstr(page, "good/a.png: score"));
    assert_true(strstr(page, "dent/a.png: score") < strstr(page, "spot/b.v2.png: score"));
    snprintf(command, sizeof command, "awk -f '%s/tests/cli/wellformed.awk' '%s'", SOURCE_DIR,
             test_path("page.html"));
    assert_int_equal(system(command), 0);
    mem_free(&bytes);
    close_all(&eval);
}

/* --- Baselines ---------------------------------------------------------------------------------------- */

enum { KNOWN = 16 };

/* The largest mean of what is at most 4 pixels away. */
static float smooth_largest(const float *values, int w, int h) {
    float largest = -1;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            double sum = 0, n = 0;
            for (int v = y - 4; v <= y + 4; v++)
                for (int u = x - 4; u <= x + 4; u++)
                    if (v >= 0 && v < h && u >= 0 && u < w) sum += (double)values[v * w + u], n++;
            largest = fmaxf(largest, (float)(sum / n));
        }
    return largest;
}

static float score_of(const struct detector *d, const uint8_t *grey, size_t w, size_t h, float *map) {
    uint8_t rgb[3 * 64 * 64];
    float score;
    for (size_t i = 0; i < 3 * w * h; i++) rgb[i] = grey[i / 3];
    assert_ok(d->score(d->cookie, &(struct caelum_picture){.width = w, .height = h, .pixels = rgb}, map,
                       &score, err));
    return score;
}

/* Good pictures of one patch each: these are what is known. The nearest of them by looking at each. */
static void nearest_of_few(void **state) {
    (void)state;
    struct anomaly_baselines b;
    uint8_t known[KNOWN][64], grey[64];
    float map[64];
    char name[40];
    struct rng rng = rng_make(3, RNG_TEST, 0);
    for (size_t k = 0; k < KNOWN; k++) {
        const uint32_t base = rng_below(&rng, 240);
        for (size_t i = 0; i < 64; i++) known[k][i] = (uint8_t)(base + rng_below(&rng, 16));
        snprintf(name, sizeof name, "known/%zu.png", k);
        save(name, known[k], 8, 8);
    }
    save_words("known/damaged.png", "no picture");
    assert_ok(anomaly_baselines_open(&b, test_path("known"), 1, err));
    assert_int_equal(b.left_out, 1);
    for (int round = 0; round < 50; round++) {
        float best[64], least = INFINITY;
        const uint32_t base = rng_below(&rng, 240);
        for (size_t i = 0; i < 64; i++) grey[i] = (uint8_t)(base + rng_below(&rng, 16));
        for (size_t k = 0; k < KNOWN; k++) {
            float d[64], sum = 0;
            for (size_t i = 0; i < 64; i++) {
                d[i] = ((float)known[k][i] - (float)grey[i]) * ((float)known[k][i] - (float)grey[i]);
                sum += d[i];
            }
            if (sum < least) least = sum, memcpy(best, d, sizeof best);
        }
        const float want = smooth_largest(best, 8, 8);
        assert_near((double)score_of(&b.detector[1], grey, 8, 8, map), (double)want, 1e-3 * (double)want);
    }
    for (size_t k = 0; k < KNOWN; k++)
        assert_near((double)score_of(&b.detector[1], known[k], 8, 8, map), 0, 0.01);
    anomaly_baselines_close(&b);
}

/* Good pictures have two halves, of any brightness. A checkerboard on top is orthogonal to all of them. */
static void components_of_two_halves(void **state) {
    (void)state;
    struct anomaly_baselines b, again;
    uint8_t grey[20 * 24];
    float map[20 * 24], other[20 * 24];
    char name[40];
    struct rng rng = rng_make(4, RNG_TEST, 0);
    for (size_t k = 0; k < 400; k++) {
        const uint8_t left = (uint8_t)(20 + rng_below(&rng, 200)),
                      right = (uint8_t)(20 + rng_below(&rng, 200));
        for (size_t i = 0; i < 64; i++) grey[i] = i % 8 < 4 ? left : right;
        snprintf(name, sizeof name, "halves/%zu.png", k);
        save(name, grey, 8, 8);
    }
    assert_ok(anomaly_baselines_open(&b, test_path("halves"), 1, err));
    for (size_t i = 0; i < 64; i++) grey[i] = i % 8 < 4 ? 90 : 140;
    assert_near((double)score_of(&b.detector[0], grey, 8, 8, map), 0, 0.01);
    for (size_t i = 0; i < 64; i++) grey[i] = (uint8_t)(grey[i] + ((i % 8 + i / 8) % 2 ? 10 : -10));
    assert_near((double)score_of(&b.detector[0], grey, 8, 8, map), 100, 0.1);
    /* any size; the same again by the same seed */
    assert_ok(anomaly_baselines_open(&again, test_path("halves"), 1, err));
    const size_t sizes[][2] = {{1, 1}, {3, 5}, {8, 9}, {20, 24}, {24, 7}};
    for (size_t s = 0; s < 5; s++)
        for (size_t d = 0; d < BASELINES; d++) {
            const size_t w = sizes[s][0], h = sizes[s][1];
            for (size_t i = 0; i < w * h; i++) grey[i] = (uint8_t)rng_below(&rng, 256);
            const float score = score_of(&b.detector[d], grey, w, h, map);
            assert_true(isfinite(score));
            assert_true(score == score_of(&again.detector[d], grey, w, h, other));
            assert_memory_equal(map, other, w * h * sizeof *map);
        }
    anomaly_baselines_close(&b), anomaly_baselines_close(&again);
    assert_int_equal(mkdir(test_path("empty"), 0777), 0);
    assert_error(CAELUM_EFORMAT, "no good picture", anomaly_baselines_open(&b, test_path("empty"), 1, err));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_mvtec_lays_it_out),
        cmocka_unit_test(without_masks),
        cmocka_unit_test(keys_of_json),
        cmocka_unit_test(damaged_pictures_are_left_out),
        cmocka_unit_test(links_are_told),
        cmocka_unit_test(wrong_directories),
        cmocka_unit_test(detectors_that_fail),
        cmocka_unit_test(heat_by_hand),
        cmocka_unit_test(the_page),
        cmocka_unit_test(nearest_of_few),
        cmocka_unit_test(components_of_two_halves),
    };
    return cmocka_run_group_tests(tests, test_open_root, test_close_root);
}
