/* test_feed.c - a program that hands over pictures during training: what it leaves as it is changes nothing,
 * and what it changes trains to the bits of data that are so from the beginning. */
#define _GNU_SOURCE
#include "testing.h"

#include "data/data.h"
#include "model/model.h"

enum { N = 60, TRAIN = 45, SIDE = 16, SIZE = 3 * SIDE * SIDE, BATCH = 20, STEPS = 9 }; /* three epochs */
static uint8_t pixels[2][N][SIZE]; /* in the second the pictures to train on are negatives */
static uint16_t labels[N];
static caelum_data *data[2];
static caelum_net *net, *classifier;
static char scratch[256];

static int setup(void **state) {
    struct caelum_error err;
    struct rng rng = rng_make(5, RNG_TEST, 0);
    (void)state;
    test_directory(scratch);
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < SIZE; j++) {
            pixels[0][i][j] = (uint8_t)(rng_u32(&rng) % 64 + i * 3);
            pixels[1][i][j] = i < TRAIN ? 255 - pixels[0][i][j] : pixels[0][i][j];
            labels[i] = (uint16_t)(i % 3);
        }
    for (size_t k = 0; k < 2; k++) {
        const struct caelum_pictures p = {.pixels = pixels[k][0],
                                          .count = N,
                                          .channels = 3,
                                          .height = SIDE,
                                          .width = SIDE,
                                          .labels = labels,
                                          .split = {TRAIN, 8, 7}};
        if (caelum_data_from_pictures(&data[k], &p, NULL, &err) != 0) return -1;
    }
    return caelum_net_parse(&net, "input 3\nconv 4 stride=2 relu\nlatent\nupsample\nconv 3 sigmoid\n",
                            "a.net", SIDE, SIDE, &err) ||
           caelum_net_parse(&classifier, "input 3\nconv 4 relu\navgpool 16\ndense 3\n", "b.net", SIDE, SIDE,
                            &err);
}

static int teardown(void **state) {
    (void)state;
    test_remove(scratch);
    for (size_t k = 0; k < 2; k++) caelum_data_close(&data[k]);
    caelum_net_close(&net), caelum_net_close(&classifier);
    return 0;
}

/* What the callback saw, and what it does. */
struct feeding {
    uint64_t step[2 * STEPS];
    size_t n[2 * STEPS], calls, stop; /* the call that asks to stop; 0: none */
    bool negate;
};

static int feed(void *cookie, uint64_t step, size_t n, uint8_t *batch) {
    struct feeding *f = cookie;
    f->step[f->calls] = step, f->n[f->calls] = n;
    if (++f->calls == f->stop) return 1;
    for (size_t i = 0; f->negate && i < n * SIZE; i++) batch[i] = 255 - batch[i];
    return 0;
}

static struct caelum_train_settings settings_of(const caelum_data *on, struct feeding *f) {
    struct caelum_train_settings s = caelum_train_defaults();
    s.open_data = on;
    s.net = net;
    s.batch = BATCH;
    s.epochs = 3;
    s.flip = true;
    s.shift = 2;
    s.threads = 2;
    s.feed = f ? feed : NULL;
    s.cookie = f;
    return s;
}

static void assert_same_training(const struct caelum_train_settings *a,
                                 const struct caelum_train_settings *b) {
    struct caelum_train_result one = {0}, other = {0};
    assert_ok(caelum_train(a, &one, err));
    assert_ok(caelum_train(b, &other, err));
    assert_memory_equal(one.model->params, other.model->params, one.model->net->params * sizeof(float));
    assert_near(one.best_val_loss, other.best_val_loss, 0);
    assert_string_equal(caelum_model_metadata(other.model, "fed"), "yes");
    assert_null(caelum_model_metadata(one.model, "fed"));
    caelum_model_close(&one.model), caelum_model_close(&other.model);
}

static void pictures_left_alone_change_nothing(void **state) {
    struct feeding f = {.calls = 0};
    (void)state;
    struct caelum_train_settings a = settings_of(data[0], NULL), b = settings_of(data[0], &f);
    assert_same_training(&a, &b);
    assert_int_equal(f.calls, STEPS);
    for (size_t i = 0; i < STEPS; i++) {
        assert_int_equal(f.step[i], i);
        assert_int_equal(f.n[i], i % 3 < 2 ? BATCH : TRAIN - 2 * BATCH);
    }
}

static void changed_pictures_train_as_if_they_had_been_so(void **state) {
    struct feeding f = {.negate = true};
    (void)state;
    struct caelum_train_settings a = settings_of(data[1], NULL), b = settings_of(data[0], &f);
    assert_same_training(&a, &b);
    a.net = b.net = classifier; /* each keeps its label */
    a.task = b.task = CAELUM_CLASSIFY;
    a.loss = b.loss = CAELUM_XENT;
    f.calls = 0;
    assert_same_training(&a, &b);
}

/* Stopped by the callback in the second epoch, before step 4; the resumed run asks for that step again. */
static void a_fed_run_is_resumed(void **state) {
    struct feeding f = {.negate = true, .stop = 5};
    struct caelum_train_result whole = {0}, result = {0};
    struct caelum_train_settings a = settings_of(data[1], NULL), b = settings_of(data[0], &f);
    caelum_model *model = NULL;
    char out[300], path[400];
    (void)state;
    a.epochs = b.epochs = 2;
    assert_ok(caelum_train(&a, &whole, err));
    snprintf(out, sizeof out, "%s/run", scratch);
    b.out = out;
    assert_ok(caelum_train(&b, &result, err));
    assert_true(result.stopped && result.epochs == 1);
    struct caelum_train_settings resume = caelum_train_defaults();
    resume.out = out;
    resume.resume = true;
    resume.epochs = 0;
    resume.open_data = data[0];
    assert_error(CAELUM_EUSAGE, "was fed its pictures by a program", caelum_train(&resume, NULL, err));
    resume.feed = feed;
    resume.cookie = &f;
    f = (struct feeding){.negate = true};
    assert_ok(caelum_train(&resume, &result, err));
    assert_int_equal(f.step[0], 4);
    assert_int_equal(f.calls, 2);
    snprintf(path, sizeof path, "%s/best.safetensors", out);
    assert_ok(caelum_model_load(&model, path, err));
    assert_memory_equal(whole.model->params, model->params, model->net->params * sizeof(float));
    assert_null(caelum_model_metadata(model, "command"));
    caelum_model_close(&model), caelum_model_close(&whole.model);
}

static void the_range_test_is_not_fed(void **state) {
    struct feeding f = {.calls = 0};
    static struct caelum_lr_find found;
    char out[300];
    (void)state;
    struct caelum_train_settings s = settings_of(data[0], &f);
    snprintf(out, sizeof out, "%s/find", scratch);
    s.out = out;
    assert_error(CAELUM_EUSAGE, "the pictures of the data alone", caelum_lr_find(&s, &found, err));
    s.feed = NULL;
    s.cookie = NULL;
    assert_ok(caelum_lr_find(&s, &found, err)); /* of data that are open, too */
    assert_true(found.count > 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_left_alone_change_nothing),
        cmocka_unit_test(changed_pictures_train_as_if_they_had_been_so),
        cmocka_unit_test(a_fed_run_is_resumed),
        cmocka_unit_test(the_range_test_is_not_fed),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
