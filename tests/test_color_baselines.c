/* test_color_baselines.c - the figures of colorization on CIFAR-10's official test pictures, of answers that
 * need no network and of models, and where they are kept. */
#include "testing.h"

#include "base/color.h"
#include "base/file.h"
#include "base/pictures.h"
#include "data/data.h"
#include "metrics/color_metrics.h"
#include "model/model.h"
#include "net/net.h"

#include <math.h>

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
        for (size_t i = 0; i < 15; i++)
            assert_near(got[i], strtod(at, &at), 2e-9); /* nine decimals are written */
        found = true;
    }
    fclose(f);
    if (!found) fail_msg("no figures of '%s' on %zu pictures", b->name, m->count);
}

/* The first n baselines, fitted on some of these pictures and measured on others. */
static void measure(const uint8_t *pixels, size_t train, size_t trains, size_t test, size_t tests, size_t n,
                    struct caelum_color_baseline *list) {
    static uint32_t order[BATCHES * RECORDS];
    const struct caelum_data data = {.count = trains + tests,
                                     .c = 3,
                                     .h = SIDE,
                                     .w = SIDE,
                                     .pixels = pixels,
                                     .order = order,
                                     .split_count = {trains, 0, tests}};
    for (size_t i = 0; i < trains; i++) order[i] = (uint32_t)(train + i);
    for (size_t i = 0; i < tests; i++) order[trains + i] = (uint32_t)(test + i);
    assert_ok(caelum_color_baselines(&data, NULL, list, &n, err));
}

static void baselines_on_cifar(void **state) {
    (void)state;
    struct caelum_color_baseline list[8];
    uint8_t *pixels = test_cases(0, 1) ? cifar_pixels() : NULL;
    if (!pixels) {
        print_message(
            "skipped: it belongs to the long set, and needs CIFAR-10 (CAELUM_DATA names a place)\n");
        skip();
    }
    const size_t first_test = (BATCHES - 1) * RECORDS;
    measure(pixels, first_test, 1000, first_test, RECORDS, 1, list);
    compare(&list[0]);
    const struct caelum_color_metrics *grey = &list[0].metrics;
    /* measured before this program was, to as many digits */
    assert_near(grey->uv_mse, 0.003845, 5e-7);
    assert_near(grey->rgb_mse, 0.006617, 5e-7);
    assert_near(grey->psnr, 21.79, 5e-3);
    assert_near(grey->psnr_mean, 25.05, 5e-3);
    assert_near(grey->mae, 0.0500, 5e-5);
    assert_near(grey->auc, 0.8994, 5e-5);
    assert_near(grey->acc2, 0.264, 5e-4);
    assert_near(grey->acc5, 0.558, 5e-4);
    assert_near(grey->colorfulness_truth, 33.65, 5e-3);
    /* grey says U everywhere: right where U is the larger, or both are equal */
    assert_near(grey->accuracy, share_of_u(pixels + first_test * SIZE, RECORDS), 1e-12);
    measure(pixels, 0, first_test, first_test, 1000, BASELINES, list);
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
    const struct caelum_eval_settings how = {.split = CAELUM_TEST, .progress = count_calls, .cookie = calls};
    *count = capacity;
    return caelum_color_baselines(data, &how, list, count, err);
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
    assert_near(a->uv_mse, b->uv_mse, 0);
    assert_near(a->uv_mse_float, b->uv_mse_float, 0);
    assert_near(a->r2, b->r2, 0);
    assert_near(a->ciede2000, b->ciede2000, 0);
    assert_near(a->psnr, b->psnr, 0);
    assert_near(a->accuracy, b->accuracy, 0);
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
    assert_ok(caelum_eval_color(grey, data,
                                &(struct caelum_eval_settings){.split = CAELUM_TEST, .threads = 2}, &m, err));
    assert_same(&m, &list[0].metrics);
    assert_false(caelum_color_learned(&m, &list[0].metrics));
    assert_error(CAELUM_EFORMAT, "the model's output is 2x32x32: it does not reconstruct its input",
                 caelum_eval(grey, data, &(struct caelum_eval_settings){.split = CAELUM_TEST, .threads = 1},
                             &reconstruction, err));
    caelum_model_close(&grey);
    struct caelum_model *constant = make_model(text, root, 0.02f, -0.03f);
    assert_ok(caelum_eval_color(
        constant, data, &(struct caelum_eval_settings){.split = CAELUM_TEST, .threads = 1}, &one, err));
    assert_ok(caelum_eval_color(constant, data,
                                &(struct caelum_eval_settings){.split = CAELUM_TEST, .threads = 2}, &m, err));
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
    assert_near(m.uv_mse_float, sum / (2.0 * (double)(p.n * PLANE)), 1e-12);
    caelum_model_close(&constant);
    struct caelum_model *three = make_model("input 3\nconv 3\n", root, 0, 0);
    assert_error(CAELUM_EFORMAT, "turns 3x32x32 into 3x32x32: it is no colorizer",
                 caelum_eval_color(three, data,
                                   &(struct caelum_eval_settings){.split = CAELUM_TEST, .threads = 1}, &m,
                                   err));
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
        cmocka_unit_test(baselines_on_cifar),
        cmocka_unit_test(baselines_are_kept),
        cmocka_unit_test(models_are_measured),
        cmocka_unit_test(verdict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
