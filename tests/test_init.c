/* test_init.c - training that starts from a model's weights: that they are taken, recorded, kept over a
 * resume, and refused where they don't fit. */
#include "model/model.h"
#include "testing.h"

#include "base/file.h"
#include "net/net.h"

static char dir[256], base[300], model[400];

static struct caelum_train_settings run_in(const char *name, char out[300]) {
    struct caelum_train_settings s = caelum_train_defaults();
    snprintf(out, 300, "%s/%s", dir, name);
    s.net_path = SOURCE_DIR "/models/standard.net";
    s.data = "synthetic:200";
    s.epochs = 1;
    s.threads = 2;
    s.out = out;
    return s;
}

/* The model that the others start from. */
static int setup(void **state) {
    (void)state;
    struct caelum_error err;
    test_directory(dir);
    struct caelum_train_settings s = run_in("base", base);
    s.seed = 7;
    snprintf(model, sizeof model, "%s/last.safetensors", base);
    return caelum_train(&s, NULL, &err);
}

static int teardown(void **state) {
    (void)state;
    test_remove(dir);
    return 0;
}

static struct caelum_model *load(const char *out) {
    struct caelum_model *m = NULL;
    char path[400];
    snprintf(path, sizeof path, "%s/last.safetensors", out);
    assert_ok(caelum_model_load(&m, path, err));
    return m;
}

static const char *write_net(const char *text) {
    static char path[300];
    snprintf(path, sizeof path, "%s/other.net", dir);
    assert_ok(file_write(path, text, strlen(text), err));
    return path;
}

/* Steps too small for any float to change: the run ends with what it started from, its running mean too. */
static void the_weights_are_the_models(void **state) {
    (void)state;
    char out[300];
    struct caelum_model *from = load(base);
    for (int ema = 0; ema < 2; ema++) {
        struct caelum_train_settings s = run_in(ema ? "ema" : "same", out);
        s.init = model;
        s.lr = 1e-30;
        s.ema = ema ? 0.9 : 0;
        assert_ok(caelum_train(&s, NULL, err));
        struct caelum_model *to = load(out);
        assert_memory_equal(from->params, to->params, from->net->params * sizeof(float));
        caelum_model_close(&to);
    }
    caelum_model_close(&from);
}

/* Stopped in the middle or not, it ends with the same file, which says where it started. */
static int stop_at_six(void *cookie, const struct caelum_train_progress *progress) {
    (void)progress;
    return ++*(int *)cookie == 6;
}

static void a_resumed_run_knows_its_start(void **state) {
    (void)state;
    char whole[300], parts[300], one[400], other[400];
    struct caelum_train_settings s = run_in("whole", whole);
    s.init = model;
    s.epochs = 2;
    assert_ok(caelum_train(&s, NULL, err));
    s = run_in("parts", parts);
    int batches = 0;
    s.init = model;
    s.epochs = 2;
    s.progress = stop_at_six;
    s.cookie = &batches;
    struct caelum_train_result result;
    assert_ok(caelum_train(&s, &result, err));
    assert_true(result.stopped);
    s = caelum_train_defaults();
    s.out = parts;
    s.resume = true;
    s.epochs = 0;
    assert_ok(caelum_train(&s, NULL, err));
    snprintf(one, sizeof one, "%s/last.safetensors", whole);
    snprintf(other, sizeof other, "%s/last.safetensors", parts);
    assert_true(same_bytes(one, other));
    struct caelum_model *m = load(parts);
    assert_string_equal(caelum_model_metadata(m, "init"), "last.safetensors");
    assert_int_equal(strlen(caelum_model_metadata(m, "init_sha256")), 64);
    assert_non_null(strstr(caelum_model_metadata(m, "command"), "standard.net --init last.safetensors"));
    caelum_model_close(&m);
    m = load(base);
    assert_null(caelum_model_metadata(m, "init"));
    caelum_model_close(&m);
}

/* What has no weights may differ, and so may the size of the pictures. */
static void other_layers_may_differ(void **state) {
    (void)state;
    char out[300];
    struct caelum_model *from = load(base);
    struct caelum_train_settings s = run_in("differ", out);
    s.net_path = write_net("input 3\nnoise 0.1\nconv 8 silu\navgpool\nconv 12 relu\nmaxpool\n"
                           "conv 16 relu\nupsample\nconv 12 relu\nupsample\nconv 3 sigmoid\n");
    s.data = "synthetic:100:16";
    s.init = model;
    s.lr = 1e-30;
    assert_ok(caelum_train(&s, NULL, err));
    struct caelum_model *to = load(out);
    assert_memory_equal(from->params, to->params, from->net->params * sizeof(float));
    caelum_model_close(&to);
    caelum_model_close(&from);
}

static void models_that_do_not_fit_are_refused(void **state) {
    (void)state;
    char out[300], longer_out[300], path[400];
    struct stat st;
    struct caelum_train_settings s = run_in("refused", out);
    s.init = model;
    s.net_path = write_net("input 3\nconv 8 relu\nmaxpool\nconv 10 relu\nupsample\nconv 3 sigmoid\n");
    assert_error(CAELUM_EFORMAT, "last.safetensors has 'conv 12 relu' (conv2, 876 parameters) where",
                 caelum_train(&s, NULL, err));
    assert_error(CAELUM_EFORMAT, "other.net, line 4, has 'conv 10 relu' (730 parameters)",
                 caelum_train(&s, NULL, err));
    s.net_path = write_net("input 3\nconv 8 relu\nconv 12 relu\nconv 16 relu\nconv 12 relu\nconv 3\n"
                           "conv 3 sigmoid\n");
    assert_error(CAELUM_EFORMAT, "has no weights for 'conv 3 sigmoid' in line 7",
                 caelum_train(&s, NULL, err));
    s.net_path = write_net("input 3\nconv 8 relu\nconv 12 relu\nconv 16 relu\nconv 3\n");
    assert_error(CAELUM_EFORMAT, "conv 12 relu' (conv4, 1740 parameters) where", caelum_train(&s, NULL, err));
    /* the same layers and more */
    struct caelum_train_settings longer = run_in("longer", longer_out);
    longer.net_path = write_net("input 3\nconv 3 k=1\nconv 3 k=1\n");
    assert_ok(caelum_train(&longer, NULL, err));
    snprintf(path, sizeof path, "%s/last.safetensors", longer_out);
    s.init = path;
    s.net_path = write_net("input 3\nconv 3 k=1\n");
    assert_error(CAELUM_EFORMAT, "last.safetensors has a layer 'conv 3 k=1' more than",
                 caelum_train(&s, NULL, err));
    s.init = "nowhere.safetensors";
    assert_error(CAELUM_EIO, "nowhere.safetensors: No such file", caelum_train(&s, NULL, err));
    assert_true(stat(s.out, &st) != 0); /* nothing was written */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_weights_are_the_models),
        cmocka_unit_test(a_resumed_run_knows_its_start),
        cmocka_unit_test(other_layers_may_differ),
        cmocka_unit_test(models_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests_name("init", tests, setup, teardown);
}
