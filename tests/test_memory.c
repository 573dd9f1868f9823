/* test_memory.c - pictures in memory as a data set: every layout holds the same pictures, training on them
 * gives the bits of training on the data that they were taken from, with files and without. */
#define _GNU_SOURCE
#include "testing.h"

#include "base/file.h"
#include "data/data.h"
#include "model/model.h"

#include <dirent.h>
#include <math.h>
#include <nettle/sha2.h>

enum { N = 60, SIDE = 16, PLANE = SIDE * SIDE, SIZE = 3 * PLANE };
static const char net_text[] = "input 3\nconv 4 stride=2 relu\nlatent\nupsample\nconv 3 sigmoid\n";
static char scratch[256];

static int setup(void **state) {
    (void)state;
    test_directory(scratch);
    return setenv("CAELUM_CACHE", scratch, 1);
}

static int teardown(void **state) {
    (void)state;
    test_remove(scratch);
    return 0;
}

/* Generated pictures, and the same taken from them as colored pictures, in file order. */
struct sample {
    caelum_data *data;
    uint8_t pixels[N][SIZE];
    struct caelum_pictures pictures;
    caelum_net *net;
};

static void open_sample(struct sample *s) {
    *s = (struct sample){0};
    assert_ok(caelum_data_open(&s->data, "synthetic:60:16", NULL, err));
    assert_ok(caelum_net_parse(&s->net, net_text, "frames.net", SIDE, SIDE, err));
    for (size_t i = 0; i < N; i++) {
        struct caelum_picture picture = {0};
        assert_ok(caelum_data_picture(s->data, CAELUM_ALL, i, &picture, err));
        memcpy(s->pixels[s->data->order[i]], picture.pixels, SIZE);
        caelum_picture_free(&picture);
    }
    s->pictures = (struct caelum_pictures){.pixels = s->pixels[0],
                                           .count = N,
                                           .channels = 3,
                                           .height = SIDE,
                                           .width = SIDE,
                                           .stride = {SIZE, 1, 3 * SIDE, 3}};
}

static void close_sample(struct sample *s) {
    caelum_data_close(&s->data);
    caelum_net_close(&s->net);
}

static struct caelum_train_settings settings_of(const struct sample *s, const caelum_data *data) {
    struct caelum_train_settings t = caelum_train_defaults();
    t.net = s->net;
    t.open_data = data;
    t.epochs = 3;
    t.batch = 20;
    t.flip = true;
    t.shift = 1;
    t.threads = 2;
    return t;
}

static caelum_model *train(const struct caelum_train_settings *t) {
    struct caelum_train_result result = {0};
    assert_ok(caelum_train(t, &result, err));
    assert_non_null(result.model);
    return result.model;
}

static void assert_same_weights(const caelum_model *a, const caelum_model *b) {
    assert_int_equal(a->net->params, b->net->params);
    assert_memory_equal(a->params, b->params, a->net->params * sizeof *a->params);
}

/* --- Pictures ------------------------------------------------------------------------------------- */

static void assert_same_pictures(const caelum_data *data, const uint8_t *interleaved) {
    for (size_t i = 0; i < N; i++) {
        struct caelum_picture picture = {0};
        assert_ok(caelum_data_picture(data, CAELUM_ALL, i, &picture, err));
        assert_memory_equal(picture.pixels, interleaved + data->order[i] * SIZE, SIZE);
        caelum_picture_free(&picture);
    }
}

/* Interleaved, as planes, as BGR with four bytes a pixel, from the bottom row up and the last picture on. */
static void every_layout_has_the_same_pictures(void **state) {
    static struct sample s;
    static uint8_t planes[N][3][SIDE][SIDE], odd[N][SIDE][SIDE + 2][4];
    caelum_data *data[3] = {NULL};
    (void)state;
    open_sample(&s);
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < SIZE; j++) {
            const size_t c = j % 3, x = j / 3 % SIDE, y = j / 3 / SIDE;
            planes[i][c][y][x] = s.pixels[i][j];
            odd[N - 1 - i][SIDE - 1 - y][x][2 - c] = s.pixels[i][j];
        }
    struct caelum_pictures p[3] = {s.pictures, s.pictures, s.pictures};
    p[1].pixels = planes[0][0][0];
    memset(p[1].stride, 0, sizeof p[1].stride);
    p[2].pixels = &odd[N - 1][SIDE - 1][0][2];
    const ptrdiff_t row = (SIDE + 2) * 4, stride[4] = {-row * SIDE, -1, -row, 4};
    memcpy(p[2].stride, stride, sizeof stride);
    struct sha256_ctx sha;
    uint8_t digest[SHA256_DIGEST_SIZE];
    char hex[65];
    sha256_init(&sha);
    sha256_update(&sha, sizeof planes, planes[0][0][0]);
    sha256_digest(&sha, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++) snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    for (size_t i = 0; i < 3; i++) {
        assert_ok(caelum_data_from_pictures(&data[i], &p[i], NULL, err));
        assert_same_pictures(data[i], s.pixels[0]);
        assert_string_equal(caelum_data_fingerprint(data[i]), hex);
        assert_int_equal(data[i]->pixels == planes[0][0][0],
                         i == 1); /* where it needs no copy, it makes none */
        caelum_data_close(&data[i]);
    }
    const ptrdiff_t said[4] = {SIZE, PLANE, SIDE, 1}; /* what zeros stand for */
    memcpy(p[1].stride, said, sizeof said);
    assert_ok(caelum_data_from_pictures(&data[1], &p[1], NULL, err));
    assert_ptr_equal(data[1]->pixels, planes[0][0][0]);
    caelum_data_close(&data[1]);
    close_sample(&s);
}

static void grey_and_labels_are_described(void **state) {
    static uint8_t pixels[N][SIDE][SIDE];
    uint16_t labels[N];
    struct caelum_data_info info;
    caelum_data *data = NULL;
    size_t n = 0;
    (void)state;
    for (size_t i = 0; i < N; i++) memset(pixels[i], (int)i, PLANE), labels[i] = (uint16_t)(i % 4 * 21845);
    const struct caelum_pictures p = {
        .pixels = pixels[0][0], .count = N, .channels = 1, .height = SIDE, .width = SIDE, .labels = labels};
    assert_ok(caelum_data_from_pictures(&data, &p, NULL, err));
    assert_ok(caelum_data_describe(data, &info, err));
    assert_string_equal(info.name, "memory");
    assert_int_equal(info.channels, 1);
    assert_int_equal(info.classes, 65536);
    assert_string_equal(caelum_data_class(data, 65535, &n), "65535");
    assert_int_equal(n, N / 4);
    assert_null(caelum_data_class(data, 65536, &n));
    assert_int_equal(info.split_count[CAELUM_TRAIN], 48);
    assert_near(info.mean[0], 29.5 / 255, 1e-12);
    caelum_data_close(&data);
}

static void wrong_arguments_are_refused(void **state) {
    static struct sample s;
    static const size_t short_split[3] = {40, 6, 6}, no_train[3] = {0, 54, 6}, wraps[3] = {SIZE_MAX, 61, 0};
    caelum_data *data = NULL;
    struct caelum_train_result result;
    (void)state;
    open_sample(&s);
#define REFUSED(words, ...)                                                                  \
    do {                                                                                     \
        struct caelum_pictures p = s.pictures;                                               \
        __VA_ARGS__;                                                                         \
        assert_error(CAELUM_EUSAGE, words, caelum_data_from_pictures(&data, &p, NULL, err)); \
        assert_null(data);                                                                   \
    } while (0)
    REFUSED("no pixels", p.pixels = NULL);
    REFUSED("expected 1 channel or 3, got 4", p.channels = 4);
    REFUSED("1 to 16384 pixels a side, got 0x16", p.height = 0);
    REFUSED("got 16x16385", p.width = 16385);
    REFUSED("at most 2147483647, got 2147483648", p.count = 2147483648u);
    REFUSED("expected a split of all 60, some of them to train on, got 40/6/6",
            memcpy(p.split, short_split, sizeof short_split));
    REFUSED("expected a split of all 60", memcpy(p.split, wraps, sizeof wraps)); /* their sum is 60 */
    REFUSED("got 0/54/6", memcpy(p.split, no_train, sizeof no_train));
    REFUSED("9 pictures are too few to split", p.count = 9);
    struct caelum_train_settings t = settings_of(&s, s.data);
    assert_error(CAELUM_EUSAGE, "neither a run directory nor a result", caelum_train(&t, NULL, err));
    t.resume = true;
    assert_error(CAELUM_EUSAGE, "no run directory to resume", caelum_train(&t, &result, err));
    t = settings_of(&s, s.data);
    t.net = NULL;
    assert_error(CAELUM_EUSAGE, "no network", caelum_train(&t, &result, err));
    close_sample(&s);
}

/* --- Training ------------------------------------------------------------------------------------- */

static void training_gives_the_bits_of_the_data_taken(void **state) {
    static struct sample s;
    caelum_data *taken = NULL, *shuffled = NULL;
    struct caelum_data_settings settings = caelum_data_defaults();
    (void)state;
    open_sample(&s);
    struct caelum_train_settings t = settings_of(&s, NULL);
    t.data = "synthetic:60:16";
    caelum_model *by_spec = train(&t);
    t = settings_of(&s, s.data);
    caelum_model *by_handle = train(&t);
    assert_same_weights(by_spec, by_handle);
    assert_non_null(strstr(caelum_model_metadata(by_handle, "command"), "--data synthetic:60:16"));

    assert_ok(caelum_data_from_pictures(&taken, &s.pictures, NULL, err));
    t = settings_of(&s, taken);
    caelum_model *from_memory = train(&t);
    assert_same_weights(by_spec, from_memory);
    assert_string_equal(caelum_model_metadata(from_memory, "split"), "48/6/6");
    assert_string_equal(caelum_model_metadata(from_memory, "data"), "memory");
    assert_string_equal(caelum_model_metadata(from_memory, "data_fingerprint"),
                        caelum_data_fingerprint(taken));
    assert_null(caelum_model_metadata(from_memory, "command"));

    /* the shuffle by another seed */
    settings.split_seed = 7;
    t = settings_of(&s, NULL);
    t.data = "synthetic:60:16";
    t.data_settings.split_seed = 7;
    caelum_model *spec_seven = train(&t);
    assert_ok(caelum_data_from_pictures(&shuffled, &s.pictures, &settings, err));
    t = settings_of(&s, shuffled);
    caelum_model *seven = train(&t);
    assert_same_weights(spec_seven, seven);
    assert_string_equal(caelum_model_metadata(seven, "split_seed"), "7");
    caelum_model_close(&by_spec), caelum_model_close(&by_handle), caelum_model_close(&from_memory);
    caelum_model_close(&spec_seven), caelum_model_close(&seven);
    caelum_data_close(&taken), caelum_data_close(&shuffled);
    close_sample(&s);
}

static size_t files_in(const char *path) {
    size_t n = 0;
    DIR *dir = opendir(path);
    assert_non_null(dir);
    while (readdir(dir)) n++;
    closedir(dir);
    return n - 2;
}

static void a_model_in_memory_is_the_one_in_a_file(void **state) {
    static struct sample s;
    caelum_data *data = NULL;
    struct caelum_train_result result = {0};
    char out[300], saved[400], best[400];
    (void)state;
    open_sample(&s);
    assert_ok(caelum_data_from_pictures(&data, &s.pictures, NULL, err));
    struct caelum_train_settings t = settings_of(&s, data);
    t.lr = 0.3; /* so that the last epoch is not the best */
    t.epochs = 8;
    const size_t files = files_in(scratch);
    caelum_model *model = train(&t);
    assert_int_equal(files_in(scratch), files);
    snprintf(out, sizeof out, "%s/run", scratch);
    snprintf(saved, sizeof saved, "%s/saved.safetensors", scratch);
    snprintf(best, sizeof best, "%s/best.safetensors", out);
    t.out = out;
    assert_ok(caelum_train(&t, &result, err));
    assert_null(result.model);
    assert_true(result.best_epoch < 8);
    assert_ok(caelum_model_save(model, saved, err));
    if (!same_bytes(saved, best)) fail_msg("%s and %s differ", saved, best);
    caelum_model_close(&model);
    caelum_data_close(&data);
    close_sample(&s);
}

/* What a caller sees, and when it stops. */
struct watch {
    size_t batches, epochs;        /* calls */
    size_t last_batch, last_epoch; /* the call that asks to stop */
    double val_loss;
};

static int look(void *cookie, const struct caelum_train_progress *p) {
    struct watch *w = cookie;
    if (!p->finished) return ++w->batches == w->last_batch;
    w->val_loss = p->finished->val_loss;
    return ++w->epochs == w->last_epoch;
}

static void callers_stop_after_epochs_and_batches(void **state) {
    static struct sample s;
    struct caelum_train_result result = {0};
    struct watch w = {.last_epoch = 2};
    (void)state;
    open_sample(&s);
    struct caelum_train_settings t = settings_of(&s, s.data), two = t;
    two.epochs = 2;
    caelum_model *whole = train(&two);
    t.progress = look;
    t.cookie = &w;
    assert_ok(caelum_train(&t, &result, err));
    assert_true(result.stopped && !result.ended_early);
    assert_int_equal(result.epochs, 2);
    assert_int_equal(w.batches, 6); /* 48 by 20, twice */
    assert_near(result.best_val_loss, w.val_loss, 0);
    assert_same_weights(whole, result.model);
    caelum_model_close(&result.model);

    w = (struct watch){.last_epoch = 3}; /* all is done then: nothing was stopped */
    assert_ok(caelum_train(&t, &result, err));
    assert_true(!result.stopped && result.epochs == 3);
    caelum_model_close(&result.model);

    w = (struct watch){.last_batch = 1}; /* no epoch is finished: the model is what that batch left */
    assert_ok(caelum_train(&t, &result, err));
    assert_true(result.stopped && result.best_epoch == 0);
    assert_null(caelum_model_metadata(result.model, "epoch"));
    caelum_model *begun = result.model, *fresh = NULL;
    assert_ok(caelum_model_create(&fresh, s.net, t.seed, err));
    assert_memory_not_equal(begun->params, fresh->params, fresh->net->params * sizeof(float));
    caelum_model_close(&begun), caelum_model_close(&fresh), caelum_model_close(&whole);
    close_sample(&s);
}

/* A run directory over pictures from memory: stopped after an epoch and in one, resumed with the same
 * pictures. */
static void runs_are_resumed_with_the_same_pictures(void **state) {
    static struct sample s;
    caelum_data *data = NULL, *other = NULL;
    struct caelum_train_result result = {0};
    static const size_t split[3] = {48, 6, 6};
    struct caelum_data_settings shuffle = caelum_data_defaults();
    char out[300];
    (void)state;
    open_sample(&s);
    assert_ok(caelum_data_from_pictures(&data, &s.pictures, NULL, err));
    struct caelum_train_settings t = settings_of(&s, data), resume = caelum_train_defaults();
    caelum_model *whole = train(&t), *parts = NULL;
    snprintf(out, sizeof out, "%s/parts", scratch);
    for (size_t after_epoch = 0; after_epoch < 2; after_epoch++) {
        struct watch w = {.last_batch = after_epoch ? 0 : 4, .last_epoch = after_epoch};
        t.out = out;
        t.force = true;
        t.progress = look;
        t.cookie = &w;
        assert_ok(caelum_train(&t, &result, err));
        assert_true(result.stopped && result.epochs == 1);
        resume.out = out;
        resume.resume = true;
        resume.epochs = 0;
        resume.open_data = NULL;
        assert_error(CAELUM_EUSAGE, "pictures that a program had in memory",
                     caelum_train(&resume, NULL, err));
        s.pixels[3][5] ^= 1;
        assert_ok(caelum_data_from_pictures(&other, &s.pictures, NULL, err));
        resume.open_data = other;
        assert_error(CAELUM_EFORMAT, "not those that the run was started with",
                     caelum_train(&resume, NULL, err));
        caelum_data_close(&other);
        s.pixels[3][5] ^= 1;
        struct caelum_pictures p = s.pictures;
        memcpy(p.split, split, sizeof split);
        assert_ok(caelum_data_from_pictures(&other, &p, NULL, err));
        resume.open_data = other;
        assert_error(
            CAELUM_EFORMAT,
            "divided into 48/6/6 of 48/6/6 (train/validation/test) by seed 1, the run's into 48/6/6 by",
            caelum_train(&resume, NULL, err));
        caelum_data_close(&other);
        shuffle.split_seed = 7;
        assert_ok(caelum_data_from_pictures(&other, &s.pictures, &shuffle, err));
        resume.open_data = other;
        assert_error(CAELUM_EFORMAT, "by seed 7, the run's into 48/6/6 by seed 1",
                     caelum_train(&resume, NULL, err));
        caelum_data_close(&other);
        resume.open_data = data;
        assert_ok(caelum_train(&resume, &result, err));
        assert_int_equal(result.epochs, 3);
        assert_ok(caelum_model_load(&parts, out, err));
        assert_same_weights(whole, parts);
        caelum_model_close(&parts);
    }
    caelum_model_close(&whole);
    caelum_data_close(&data);
    close_sample(&s);
}

/* The parts of a split that was given, each shuffled by itself; the last is taken out of the first. */
static void a_given_split_is_kept(void **state) {
    static const size_t split[3] = {40, 20, 0};
    static struct sample s;
    caelum_data *data = NULL;
    size_t moved = 0;
    (void)state;
    open_sample(&s);
    memcpy(s.pictures.split, split, sizeof split);
    for (size_t i = 0; i < N; i++) memset(s.pixels[i], (int)i, SIZE);
    assert_ok(caelum_data_from_pictures(&data, &s.pictures, NULL, err));
    assert_int_equal(caelum_data_count(data, CAELUM_TRAIN), 36);
    assert_int_equal(caelum_data_count(data, CAELUM_VALIDATION), 20);
    assert_int_equal(caelum_data_count(data, CAELUM_TEST), 4);
    for (size_t i = 0; i < N; i++) {
        struct caelum_picture picture = {0};
        assert_ok(caelum_data_picture(data, CAELUM_ALL, i, &picture, err));
        assert_true((picture.pixels[0] >= 40) == (i >= 36 && i < 56));
        moved += picture.pixels[0] != i;
        caelum_picture_free(&picture);
    }
    assert_true(moved > N / 2);
    caelum_data_close(&data);
    close_sample(&s);
}

/* One channel: the red of the pictures. */
static void grey_pictures_are_trained_on(void **state) {
    static const char text[] = "input 1\nconv 4 stride=2 relu\nlatent\nupsample\nconv 1 sigmoid\n";
    static struct sample s;
    caelum_data *data = NULL;
    caelum_net *net = NULL;
    caelum_model *model = NULL;
    struct caelum_metrics metrics;
    struct caelum_color_baseline colors[1];
    size_t count = 1;
    char out[300], sheet[400];
    (void)state;
    open_sample(&s);
    s.pictures.channels = 1;
    assert_ok(caelum_net_parse(&net, text, "grey.net", SIDE, SIDE, err));
    assert_ok(caelum_data_from_pictures(&data, &s.pictures, NULL, err));
    struct caelum_train_settings t = settings_of(&s, data);
    t.net = net;
    t.epochs = 30;
    t.lr = 0.01;
    t.out = out;
    snprintf(out, sizeof out, "%s/grey", scratch);
    snprintf(sheet, sizeof sheet, "%s/reconstructions.png", out);
    assert_ok(caelum_train(&t, NULL, err));
    assert_int_equal(access(sheet, F_OK) == 0, CAELUM_WITH_CAIRO);
    assert_ok(caelum_model_load(&model, out, err));
    assert_ok(caelum_eval(model, data, NULL, &metrics, err));
    if (metrics.psnr < 15) fail_msg("%g dB", metrics.psnr);
    assert_error(CAELUM_EFORMAT, "grey pictures have no colors",
                 caelum_color_baselines(data, NULL, colors, &count, err));
    caelum_model_close(&model);
    caelum_data_close(&data);
    caelum_net_close(&net);
    close_sample(&s);
}

/* Brighter in the channel of their class. */
static void labels_are_learnt(void **state) {
    static const char text[] = "input 3\nconv 4 relu\navgpool 16\ndense 3\n";
    static struct sample s;
    uint16_t labels[N];
    caelum_data *data = NULL;
    caelum_net *net = NULL;
    struct caelum_train_result result = {0};
    (void)state;
    open_sample(&s);
    for (size_t i = 0; i < N; i++) {
        labels[i] = (uint16_t)(i % 3);
        for (size_t j = 0; j < SIZE; j++)
            s.pixels[i][j] = (uint8_t)(s.pixels[i][j] / 2 + (j % 3 == i % 3 ? 100 : 0));
    }
    s.pictures.labels = labels;
    assert_ok(caelum_data_from_pictures(&data, &s.pictures, NULL, err));
    assert_ok(caelum_net_parse(&net, text, "classes.net", SIDE, SIDE, err));
    struct caelum_train_settings t = settings_of(&s, data);
    t.net = net;
    t.task = CAELUM_CLASSIFY;
    t.loss = CAELUM_XENT;
    t.lr = 0.03;
    t.epochs = 30;
    assert_ok(caelum_train(&t, &result, err));
    assert_true(result.best_val_accuracy == 1);
    caelum_model_close(&result.model);
    caelum_net_close(&net);
    caelum_data_close(&data);
    close_sample(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_layout_has_the_same_pictures),
        cmocka_unit_test(grey_and_labels_are_described),
        cmocka_unit_test(wrong_arguments_are_refused),
        cmocka_unit_test(training_gives_the_bits_of_the_data_taken),
        cmocka_unit_test(a_model_in_memory_is_the_one_in_a_file),
        cmocka_unit_test(callers_stop_after_epochs_and_batches),
        cmocka_unit_test(runs_are_resumed_with_the_same_pictures),
        cmocka_unit_test(a_given_split_is_kept),
        cmocka_unit_test(grey_pictures_are_trained_on),
        cmocka_unit_test(labels_are_learnt),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
