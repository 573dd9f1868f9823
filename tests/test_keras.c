/* test_keras.c - models through Keras's files and back: another text, but the same numbers. Whether the files
 * are laid out as Keras has them is for tests/reference/keras_files.py. */
#include "model_files.h"

enum { NETS = 120, PICTURES = 2 };

static bool left_out(void) {
    struct caelum_error err;
    const struct exchange_format *format;
    if (exchange_find(&format, "a.keras", &err) == 0) return false;
    print_message("left out: %s\n", err.text);
    return true;
}

/* Outputs of both for the same pictures. */
static void same_outputs(const caelum_model *a, const caelum_model *b, uint64_t seed) {
    const struct shape in = a->net->input, out = a->net->layer[a->net->layers - 1].out;
    const struct shape other = b->net->layer[b->net->layers - 1].out;
    const size_t n = PICTURES * shape_values(in), m = PICTURES * shape_values(out);
    struct rng rng = rng_make(seed, RNG_TEST, 2);
    assert_int_equal(out.c, other.c);
    assert_int_equal(out.h, other.h);
    assert_int_equal(out.w, other.w);
    float *x = malloc(n * sizeof *x), *y = malloc(m * sizeof *y), *z = malloc(m * sizeof *z);
    for (size_t i = 0; i < n; i++) x[i] = test_random(&rng);
    assert_ok(caelum_model_run(a, a->net->layers, x, PICTURES, 1, y, err));
    assert_ok(caelum_model_run(b, b->net->layers, x, PICTURES, 1, z, err));
    for (size_t i = 0; i < m; i++) {
        const float size = y[i] < 0 ? -y[i] : y[i], apart = y[i] < z[i] ? z[i] - y[i] : y[i] - z[i];
        if (!(apart <= 1e-4f * (1 + size)))
            fail_msg("seed %llu, number %zu: %g became %g\n%s\n%s", (unsigned long long)seed, i, (double)y[i],
                     (double)z[i], a->net->text, b->net->text);
    }
    free(x), free(y), free(z);
}

static caelum_model *there_and_back(const caelum_model *model, const char *name) {
    const struct caelum_import_settings settings = caelum_import_defaults();
    caelum_model *back = NULL;
    assert_ok(caelum_model_export(model, in_directory(name), err));
    assert_ok(caelum_model_import(&back, in_directory(name), &settings, err));
    return back;
}

static void test_random_nets(void **state) {
    (void)state;
    size_t refused = 0;
    if (left_out()) return;
    for (uint64_t seed = 1; seed <= NETS; seed++) {
        struct random_net n;
        random_net(&n, seed);
        caelum_model *model = model_of(n.text, n.h, n.w, seed, 0.5f);
        if (strstr(n.text, "quantize")) {
            assert_error(CAELUM_EFORMAT, "Keras has no layer",
                         caelum_model_export(model, in_directory("a.h5"), err));
            refused++;
        } else {
            caelum_model *back = there_and_back(model, seed % 2 ? "a.h5" : "a.keras");
            same_outputs(model, back, seed);
            caelum_model_close(&back);
        }
        caelum_model_close(&model);
    }
    assert_in_range(refused, 1, NETS / 2);
}

/* What Keras can say without detours comes back word for word, and a second time with the same bytes. */
static void test_texts(void **state) {
    (void)state;
    static const char *const texts[] = {
        "input 3\nconv 8 relu\nmaxpool\nconv 12 k=5 stride=2 elu\nlatent\nupsample\ndeconv 4 k=2 silu\n",
        "input 3\nnoise 0.25\nconv 4 leaky\nconv 4 gelu\navgpool 4\nupsample bilinear\nact tanh\n",
        "input 2\nsave s1\nconv 2 relu\nadd s1\nsave s2\nconv 3 k=1\nconcat s2\nconv 2\n",
        "input 3\nspace_to_depth 4\nconv 48 k=1\nlatent\ndepth_to_space 4\n",
        "input 3\ncrop 14 13\npad 17 16\nconv 3 pad=valid\n",
        "input 3\nconv 4\ndense 24 relu\nlatent\ndense 48\nreshape 3 4 4\nupsample 4\n",
        "input 3\nreshape 12 8 8\nconv 3\n",
        "input 3\nconv 5 stride=2\ndense 10 tanh\n",
    };
    if (left_out()) return;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (int keras = 0; keras < 2; keras++) {
            caelum_model *model = model_of(texts[i], 16, 16, i, 0.5f);
            caelum_model *back = there_and_back(model, keras ? "a.keras" : "a.h5");
            assert_string_equal(back->net->text, texts[i]);
            assert_memory_equal(back->params, model->params, model->net->params * sizeof(float));
            caelum_model_close(&model);
            caelum_model_close(&back);
        }
}

static void test_bytes(void **state) {
    (void)state;
    char command[700];
    if (left_out()) return;
    caelum_model *model = model_of("input 3\nsave s1\nconv 3 gelu\nadd s1\n", 8, 8, 1, 0.5f);
    static const char *const names[] = {"a.h5", "a.keras"};
    for (size_t i = 0; i < 2; i++) {
        assert_ok(caelum_model_export(model, in_directory(names[i]), err));
        snprintf(command, sizeof command, "cp %s/%s %s/b && sleep 1", directory, names[i], directory);
        assert_int_equal(system(command), 0);
        assert_ok(caelum_model_export(model, in_directory(names[i]), err));
        snprintf(command, sizeof command, "cmp %s/%s %s/b", directory, names[i], directory);
        assert_int_equal(system(command), 0);
    }
    caelum_model_close(&model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_random_nets),
        cmocka_unit_test(test_bytes),
    };
    return cmocka_run_group_tests(tests, open_directory, remove_directory);
}
