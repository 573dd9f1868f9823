/* test_anomaly.c - finders of defects: ranks, regions, views and maps by hand, and the file. */
#include "testing.h"

#include "anomaly/anomaly_gallery.h"
#include "anomaly/anomaly_regions.h"

#include <math.h>
#include <sys/stat.h>

static void check_rate(const struct anomaly_ranks *r, double share) {
    const double least = 1 / (double)(r->n + 1), rate = share > least ? share : least;
    for (float score = 0; score < 6; score += 0.25f)
        if ((score >= anomaly_threshold(r, share)) != (anomaly_p(r, score) <= rate + 1e-12))
            fail_msg("a score of %g, at a rate of %g", (double)score, share);
}

static void ranks(void **state) {
    struct anomaly_ranks r = {0}, again = {0};
    char *text = NULL;
    (void)state;
    assert_ok(anomaly_ranks_make(&r, (float[]){3, 0.1f, 4, 2}, 4, err));
    assert_near(anomaly_p(&r, 5), 1.0 / 5, 0);
    assert_near(anomaly_p(&r, 4), 2.0 / 5, 0);
    assert_near(anomaly_p(&r, 2.5f), 3.0 / 5, 0);
    assert_near(anomaly_p(&r, 0), 1, 0);
    assert_true(anomaly_threshold(&r, 0.01) > 4 && anomaly_threshold(&r, 0.01) < 4.00001f);
    assert_true(anomaly_threshold(&r, 0.2) == anomaly_threshold(&r, 0.01));
    assert_true(anomaly_threshold(&r, 0.4) > 3 && anomaly_threshold(&r, 0.4) < 3.00001f);
    for (int percent = 1; percent < 100; percent++) check_rate(&r, percent / 100.0);
    assert_int_equal(anomaly_needed(0.01), 99);
    assert_int_equal(anomaly_needed(0.05), 19);
    assert_int_equal(anomaly_needed(0.3), 3);
    assert_int_equal(anomaly_needed(0.5), 1);
    assert_ok(anomaly_ranks_print(&r, &text, err));
    assert_string_equal(text, "0.100000001 2 3 4");
    assert_ok(anomaly_ranks_read(&again, text, "text", err));
    assert_int_equal(again.n, 4);
    assert_memory_equal(again.score, r.score, 4 * sizeof *r.score);
    free(text);
    const char *const bad[] = {"", " ", "1 ", "1 x", "2 1", "1  2", "nan", "1 inf"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_error(CAELUM_EFORMAT, "text: expected numbers that rise",
                     anomaly_ranks_read(&again, bad[i], "text", err));
    anomaly_ranks_free(&r), anomaly_ranks_free(&again);
}

static void check_box(const struct caelum_anomaly_box *b, const size_t want[4], double score) {
    assert_int_equal(b->x, want[0]);
    assert_int_equal(b->y, want[1]);
    assert_int_equal(b->width, want[2]);
    assert_int_equal(b->height, want[3]);
    assert_near(b->score, score, 0);
}

static void regions(void **state) {
    enum { W = 7, H = 4, MANY = 2 * CAELUM_ANOMALY_BOXES + 3 };
    static const float map[H * W] = {5, 0, 0, 0, 0, 0, 6, /* two corners */
                                     0, 7, 0, 0, 0, 0, 6, /* touches the first at a corner */
                                     0, 0, 0, 0, 4, 0, 0, /* below the threshold */
                                     0, 0, 9, 9, 0, 0, 5};
    struct caelum_anomaly_verdict v = {0};
    float dots[MANY];
    (void)state;
    assert_ok(anomaly_regions(map, W, H, 5, &v, err));
    assert_int_equal(v.boxes, 4);
    check_box(&v.box[0], (size_t[]){2, 3, 2, 1}, 9);
    check_box(&v.box[1], (size_t[]){0, 0, 2, 2}, 7);
    check_box(&v.box[2], (size_t[]){6, 0, 1, 2}, 6);
    check_box(&v.box[3], (size_t[]){6, 3, 1, 1}, 5);
    assert_ok(anomaly_regions(map, W, H, 10, &v, err));
    assert_int_equal(v.boxes, 0);
    static const float bay[] = {5, 0, 5, 5, 5, 5}; /* found from its first arm down, and up the second */
    assert_ok(anomaly_regions(bay, 3, 2, 5, &v, err));
    assert_int_equal(v.boxes, 1);
    check_box(&v.box[0], (size_t[]){0, 0, 3, 2}, 5);
    for (size_t i = 0; i < MANY; i++) dots[i] = i % 2 ? 0 : 1 + (float)i; /* more than are kept */
    assert_ok(anomaly_regions(dots, MANY, 1, 1, &v, err));
    assert_int_equal(v.boxes, CAELUM_ANOMALY_BOXES);
    for (size_t i = 0; i < v.boxes; i++)
        check_box(&v.box[i], (size_t[]){MANY - 1 - 2 * i, 0, 1, 1}, MANY - 2.0 * (double)i);
}

static void views(void **state) {
    enum { W = 200, H = 100 };
    static uint8_t rgb[3 * W * H];
    const struct caelum_picture p = {.width = W, .height = H, .pixels = rgb};
    struct anomaly_view view = {0};
    (void)state;
    for (size_t i = 0; i < 3 * W * H; i++)
        rgb[i] = i / 3 % W < W / 2 ? 100 : 140; /* mean 120, deviation 20 */
    assert_true(anomaly_is_grey(&p));
    assert_ok(anomaly_view_open(&view, &p, W, true, err));
    assert_near(view.light.mean, 120, 1e-9);
    assert_near(view.light.deviation, 20, 1e-9);
    assert_int_equal(view.picture->pixels[0], 128 - 40);
    assert_int_equal(view.picture->pixels[3 * W - 1], 128 + 40);
    assert_int_equal(view.picture[ANOMALY_COARSE].width, W / 4);
    assert_int_equal(view.picture[ANOMALY_COARSE].height, H / 4);
    assert_int_equal(view.picture[ANOMALY_COARSE].pixels[0], 128 - 40);
    anomaly_view_close(&view);
    assert_ok(anomaly_view_open(&view, &p, 64, false, err));
    assert_int_equal(view.picture->width, 64);
    assert_int_equal(view.picture->height, 32);
    anomaly_view_close(&view);
    memset(rgb, 7, sizeof rgb); /* without any contrast */
    assert_ok(anomaly_view_open(&view, &p, W, true, err));
    assert_int_equal(view.picture->pixels[99], 128);
    anomaly_view_close(&view);
    rgb[1]++;
    assert_false(anomaly_is_grey(&p));
    assert_ok(anomaly_view_open(&view, &(struct caelum_picture){.width = W, .height = 1, .pixels = rgb}, 64,
                                true, err));
    assert_int_equal(view.picture->height, 1);
    assert_int_equal(view.picture[ANOMALY_COARSE].height, 1);
    anomaly_view_close(&view);
}

/* --- A network ---------------------------------------------------------------------------------------- */

static caelum_model *model_of(const char *text, size_t scale) {
    caelum_net *net = NULL;
    caelum_model *model = NULL;
    const size_t side = anomaly_scale[scale].side;
    assert_ok(caelum_net_parse(&net, text, "network", side, side, err));
    assert_ok(caelum_model_create(&model, net, 1, err));
    caelum_net_close(&net);
    return model;
}

/* A network whose map is the picture. */
static caelum_model *identity(size_t scale) {
    caelum_model *model = model_of("input 1\nconv 1 k=1\n", scale);
    assert_ok(caelum_model_set_tensor(model, "conv1.weight", (float[]){1}, 1, err));
    assert_ok(caelum_model_set_tensor(model, "conv1.bias", (float[]){0}, 1, err));
    return model;
}

/* A finder of that network at the fine scale; takes it. */
static caelum_anomaly *finder(caelum_model *fine) {
    caelum_anomaly *a = NULL;
    assert_ok(mem_alloc(&a, 1, sizeof *a, err));
    *a = (caelum_anomaly){.model = {fine, identity(ANOMALY_COARSE)}, .lights = {{120, 20}, {0, 0}}};
    assert_ok(anomaly_ranks_make(&a->level[ANOMALY_FINE], (float[]){0.1f, 0.5f}, 2, err));
    assert_ok(anomaly_ranks_make(&a->level[ANOMALY_COARSE], (float[]){0.125f, 0.5f}, 2, err));
    return a;
}

enum { N = 96, QUARTER = N / 4 };
static uint8_t pixels[3 * N * N], coarse_pixels[3 * QUARTER * QUARTER];
static float map[N * N], other[N * N];

static struct anomaly_view black(double mean, double deviation) {
    memset(pixels, 0, sizeof pixels);
    memset(coarse_pixels, 0, sizeof coarse_pixels);
    return (struct anomaly_view){{{.width = N, .height = N, .pixels = pixels},
                                  {.width = QUARTER, .height = QUARTER, .pixels = coarse_pixels}},
                                 {mean, deviation}};
}

static void maps(void **state) {
    caelum_anomaly *a = finder(identity(ANOMALY_FINE));
    float score = 0;
    (void)state;
    const struct anomaly_view view = black(120, 20);
    memset(pixels, 255, 3); /* a corner, and a pixel far from it */
    memset(pixels + 3 * (20 * N + 10), 255, 3);
    assert_ok(anomaly_map(a, 1, &view, map, &score, err));
    assert_near((double)map[20 * N + 10], 36 / 256.0, 1e-6); /* 1 4 6 4 1 both ways */
    assert_near((double)map[21 * N + 10], 24 / 256.0, 1e-6);
    assert_near((double)map[22 * N + 12], 1 / 256.0, 1e-6);
    assert_near((double)map[23 * N + 10], 0, 0);
    assert_near((double)map[0], 121 / 256.0, 1e-6); /* what is beyond the edge repeats it */
    assert_near((double)score, 121 / 256.0, 1e-6);
    caelum_anomaly_close(&a);
}

/* A pixel of the coarse picture is 4 x 4 of the map; its scores, 36 / 256 and 24 / 256, lie between levels.
 */
static void scales(void **state) {
    caelum_anomaly *a = finder(identity(ANOMALY_FINE));
    float score = 0;
    (void)state;
    const struct anomaly_view view = black(120, 20);
    const double there = 0.1 + 0.4 * (36 / 256.0 - 0.125) / 0.375, beside = 0.8 * 24 / 256;
    memset(coarse_pixels + 3 * (7 * QUARTER + 12), 255, 3);
    memset(pixels + 3 * (60 * N + 60), 255, 3);
    assert_ok(anomaly_map(a, 1, &view, map, &score, err));
    for (size_t y = 28; y < 32; y++)
        for (size_t x = 48; x < 52; x++) assert_near((double)map[y * N + x], there, 1e-6);
    assert_near((double)map[27 * N + 51], beside, 1e-6);
    assert_near((double)map[31 * N + 47], beside, 1e-6);
    assert_near((double)score, 36 / 256.0, 1e-6); /* of the fine picture */
    memset(coarse_pixels, 255, sizeof coarse_pixels);
    assert_ok(anomaly_map(a, 1, &view, map, &score, err));
    assert_near((double)score, 1, 1e-6);
    caelum_anomaly_close(&a);
}

/* Of 16 pixels 8 have 0.25, 3 have 0.5; of 5 pictures one reaches 0.5 anywhere, one 0.75. */
static void levels(void **state) {
    static uint32_t count[ANOMALY_STEPS + 1];
    const float largest[] = {0.25f, 0.75f, 0.25f, 0.5f, 0};
    struct anomaly_ranks level = {0};
    (void)state;
    count[0] = 5, count[ANOMALY_STEPS / 4] = 8, count[ANOMALY_STEPS / 2] = 3;
    assert_ok(anomaly_levels_make(&level, count, largest, 5, err));
    assert_int_equal(level.n, ANOMALY_OF_PIXELS + ANOMALY_OF_PICTURES);
    const double expected[] = {0.25, 0.25, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.75, 0.75, 0.75, 0.75};
    for (size_t i = 0; i < level.n; i++) assert_near((double)level.score[i], expected[i], 0);
    /* no picture reaches what pixels do: levels do not fall */
    assert_ok(anomaly_levels_make(&level, count, (float[]){0.25f, 0.25f}, 2, err));
    for (size_t i = 2; i < level.n; i++) assert_near((double)level.score[i], 0.5, 0);
    anomaly_ranks_free(&level);
}

/* Twice a deviation of 4 beyond 4 of them is 1 more; so is a contrast of 3 * 5 too much. */
static void strange_lights(void **state) {
    caelum_anomaly *a = finder(identity(ANOMALY_FINE));
    const struct {
        double mean, deviation, more;
    } lights[] = {
        {120 + 16, 20, 0}, {120 + 32, 20, 1}, {120 - 32, 20, 1}, {120, 20 + 12, 0}, {120, 20 + 24, 1}};
    (void)state;
    for (size_t i = 0; i < sizeof lights / sizeof *lights; i++) {
        const struct anomaly_view view = black(lights[i].mean, lights[i].deviation);
        float score = 0;
        assert_ok(anomaly_map(a, 1, &view, map, &score, err));
        assert_near((double)score, lights[i].more, 1e-6);
        assert_near((double)map[77], lights[i].more, 1e-6);
    }
    caelum_anomaly_close(&a);
}

/* Many channels of few rows, which a team shares by channels. */
static void any_number_of_threads(void **state) {
    caelum_anomaly *a = finder(
        model_of("input 1\nspace_to_depth 16\nconv 96 gelu\nconv 96 gelu\nconv 256\ndepth_to_space 16\n",
                 ANOMALY_FINE));
    const struct anomaly_view view = black(120, 20);
    float score = 0;
    (void)state;
    for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(i / 3 * 37 % 251);
    assert_ok(anomaly_map(a, 1, &view, map, &score, err));
    for (int run = 0; run < 60; run++) {
        assert_ok(anomaly_map(a, 2 + run % 3, &view, other, &score, err));
        assert_memory_equal(other, map, sizeof map);
    }
    caelum_anomaly_close(&a);
}

/* --- The file ----------------------------------------------------------------------------------------- */

static void file(void **state) {
    static const struct {
        const char *key, *value, *words;
    } damage[] = {
        {"anomaly_size", "63", "'anomaly_size' in its metadata"},
        {"anomaly_size", "512.5", "'anomaly_size' in its metadata"},
        {"anomaly_false_alarms", "0", "'anomaly_false_alarms' in its metadata"},
        {"anomaly_brightness", "nan", "'anomaly_brightness' in its metadata"},
        {"anomaly_contrast", "-1", "'anomaly_contrast' in its metadata"},
        {"anomaly_contrast_deviation", "", "'anomaly_contrast_deviation' in its metadata"},
        {"anomaly_coarse_levels", "0.5", "anomaly_coarse_levels: expected as many numbers of 0 to 1"},
        {"anomaly_fine_levels", "0.5 2", "anomaly_fine_levels: expected as many numbers of 0 to 1"},
        {"anomaly_scores", "2 1", "anomaly_scores: expected numbers that rise"},
        {"anomaly_scores", "", "anomaly_scores: expected numbers that rise"}};
    caelum_anomaly *a = NULL, *b = NULL;
    struct caelum_anomaly_info info;
    const char *path = test_path("part.safetensors");
    (void)state;
    a = finder(identity(ANOMALY_FINE));
    a->size = 100, a->false_alarms = 0.3, a->lights = (struct anomaly_lights){{1.0 / 3, 0.1}, {2, 3}};
    assert_ok(anomaly_ranks_make(&a->ranks, (float[]){0.1f, 0.2f, 1.0f / 3}, 3, err));
    assert_ok(anomaly_describe(a, err));
    assert_ok(caelum_anomaly_save(a, path, err));
    assert_ok(caelum_anomaly_load(&b, path, err));
    assert_memory_equal(&b->lights, &a->lights, sizeof a->lights);
    assert_near((double)b->level[ANOMALY_COARSE].score[0], 0.125, 0);
    caelum_anomaly_describe(b, &info);
    assert_int_equal(info.good, 3);
    assert_int_equal(info.size, 100);
    assert_near(info.least, 0.25, 0);
    assert_near(info.threshold, (double)nextafterf(1.0f / 3, 1), 0);
    caelum_anomaly_close(&b);
    for (size_t i = 0; i < sizeof damage / sizeof *damage; i++) {
        assert_ok(anomaly_describe(a, err));
        assert_ok(metadata_set(a->model[ANOMALY_FINE]->metadata, damage[i].key, damage[i].value, err));
        assert_ok(caelum_anomaly_save(a, path, err));
        assert_error(CAELUM_EFORMAT, damage[i].words, caelum_anomaly_load(&b, path, err));
        assert_null(b);
    }
    assert_ok(anomaly_describe(a, err));
    assert_ok(caelum_model_save(a->model[ANOMALY_FINE], path, err)); /* the other network is not there */
    assert_error(CAELUM_EFORMAT, "coarse.", caelum_anomaly_load(&b, path, err));
    assert_null(b);
    caelum_anomaly_close(&a);
}

/* --- What scores mean --------------------------------------------------------------------------------- */

enum { GOOD = 5 };

static void write_noise(const char *directory, uint32_t number) {
    char path[4096];
    uint32_t bits = number * 2654435761u + 1;
    for (size_t i = 0; i < sizeof pixels; i += 3) {
        bits = bits * 1664525u + 1013904223u;
        memset(pixels + i, (int)(bits >> 24), 3);
    }
    snprintf(path, sizeof path, "%s/%u.png", directory, number);
    assert_ok(
        caelum_picture_save(&(struct caelum_picture){.width = N, .height = N, .pixels = pixels}, path, err));
}

/* The levels at one scale of every second picture from the first-th on. */
static void levels_from(const caelum_anomaly *a, const struct gallery *g, size_t scale, size_t first,
                        struct anomaly_ranks *level) {
    static uint32_t count[ANOMALY_STEPS + 1];
    float largest[GOOD];
    size_t n = 0;
    memset(count, 0, sizeof count);
    for (size_t i = first; i < GOOD; i += 2, n++) {
        struct anomaly_view view;
        assert_ok(gallery_take(g, i, &view, err));
        assert_ok(anomaly_scale_map(a, scale, 1, &view, map, err));
        largest[n] = 0;
        for (size_t k = 0; k < view.picture[scale].width * view.picture[scale].height; k++) {
            count[(size_t)(map[k] * ANOMALY_STEPS)]++;
            largest[n] = fmaxf(largest[n], map[k]);
        }
        anomaly_view_close(&view);
    }
    assert_ok(anomaly_levels_make(level, count, largest, n, err));
}

/* The score of a good picture says what those of other pictures will be like only if the levels, too, are by
 * others. */
static void scores_by_the_levels_of_others(void **state) {
    const char *directory = test_path("good");
    struct caelum_anomaly_settings s = caelum_anomaly_defaults();
    struct gallery gallery = {0};
    caelum_anomaly *a = finder(identity(ANOMALY_FINE)), *judge = finder(identity(ANOMALY_FINE));
    float score[GOOD];
    (void)state;
    assert_int_equal(mkdir(directory, 0777), 0);
    for (uint32_t i = 0; i < GOOD; i++) write_noise(directory, i);
    assert_ok(gallery_open(&gallery, directory, GOOD, true, &s, err));
    a->lights = judge->lights = anomaly_lights_of(gallery.light, GOOD);
    assert_ok(anomaly_calibrate(a, &gallery, (struct gallery_part){.n = GOOD}, &s, err));
    for (size_t i = 0; i < GOOD; i++) {
        struct anomaly_view view;
        for (size_t scale = 0; scale < ANOMALY_SCALES; scale++)
            levels_from(judge, &gallery, scale, 1 - i % 2, &judge->level[scale]);
        assert_ok(gallery_take(&gallery, i, &view, err));
        assert_ok(anomaly_map(judge, 1, &view, map, &score[i], err));
        anomaly_view_close(&view);
    }
    assert_ok(anomaly_ranks_make(&judge->ranks, score, GOOD, err));
    assert_int_equal(a->ranks.n, GOOD);
    assert_memory_equal(a->ranks.score, judge->ranks.score, sizeof score);
    gallery_close(&gallery);
    caelum_anomaly_close(&a);
    caelum_anomaly_close(&judge);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranks),          cmocka_unit_test(regions),
        cmocka_unit_test(views),          cmocka_unit_test(maps),
        cmocka_unit_test(scales),         cmocka_unit_test(levels),
        cmocka_unit_test(strange_lights), cmocka_unit_test(any_number_of_threads),
        cmocka_unit_test(file),           cmocka_unit_test(scores_by_the_levels_of_others),
    };
    return cmocka_run_group_tests(tests, test_open_root, test_close_root);
}
