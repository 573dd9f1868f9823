/* test_keras.c - models through Keras's files and back, by caelum.keras: another text, but the same
 * numbers. Whether the files are laid out as Keras has them is for tests/reference/keras_files.py. */
#include "model_files.h"

enum { NETS = 120, PICTURES = 2 };

/* What Keras can say without detours, which comes back word for word. */
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
enum { TEXTS = sizeof texts / sizeof *texts };

/* Models 0 to 2 TEXTS - 1: each text for .keras and for .h5; then the random ones. */
static caelum_model *model_numbered(size_t number) {
    struct random_net n;
    if (number < 2 * TEXTS) return model_of(texts[number / 2], 16, 16, number, 0.5f);
    random_net(&n, number);
    return model_of(n.text, n.h, n.w, number, 0.5f);
}

static const char *file_numbered(size_t number, const char *ending) {
    char name[40];
    snprintf(name, sizeof name, "%zu%s", number, ending);
    return in_directory(name);
}

static int convert_all(void **state) {
    char command[900];
    if (open_directory(state) != 0) return -1;
    for (size_t i = 0; i < 2 * TEXTS + NETS; i++) {
        caelum_model *model = model_numbered(i);
        assert_ok(caelum_model_save(model, file_numbered(i, ".safetensors"), err));
        caelum_model_close(&model);
    }
    snprintf(command, sizeof command, "/usr/bin/python3 '%s/tests/reference/keras_round.py' %s", SOURCE_DIR,
             directory);
    return system(command) == 0 ? 0 : -1;
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
    assert_ok(caelum_model_run(a, a->net->layers, x, PICTURES, y, err));
    assert_ok(caelum_model_run(b, b->net->layers, x, PICTURES, z, err));
    for (size_t i = 0; i < m; i++) {
        const float size = y[i] < 0 ? -y[i] : y[i], apart = y[i] < z[i] ? z[i] - y[i] : y[i] - z[i];
        if (!(apart <= 1e-4f * (1 + size)))
            fail_msg("seed %llu, number %zu: %g became %g\n%s\n%s", (unsigned long long)seed, i, (double)y[i],
                     (double)z[i], a->net->text, b->net->text);
    }
    free(x), free(y), free(z);
}

static void test_texts(void **state) {
    (void)state;
    for (size_t i = 0; i < 2 * TEXTS; i++) {
        caelum_model *model = model_numbered(i), *back = NULL;
        assert_ok(caelum_model_load(&back, file_numbered(i, ".back.safetensors"), err));
        assert_string_equal(back->net->text, texts[i / 2]);
        assert_memory_equal(back->params, model->params, model->net->params * sizeof(float));
        caelum_model_close(&model);
        caelum_model_close(&back);
    }
}

/* All come back but those with a layer that Keras has not: `quantize`, and in Keras 2 hardswish. */
static void test_random_nets(void **state) {
    (void)state;
    size_t refused = 0;
    for (size_t i = 2 * TEXTS; i < 2 * TEXTS + NETS; i++) {
        caelum_model *model = model_numbered(i), *back = NULL;
        uint8_t *why = NULL;
        size_t size = 0;
        const char *text = model->net->text;
        if (strstr(text, "quantize") || strstr(text, "\nload ") ||
            (i % 2 && (strstr(text, "hardswish") || strstr(text, "relu6")))) {
            assert_ok(file_read(file_numbered(i, ".error"), 1000, &why, &size, err));
            if (!strstr((char *)why, "Keras has no layer") && !strstr((char *)why, "Keras 2 has no"))
                fail_msg("%s", (char *)why);
            refused++;
        } else {
            assert_ok(caelum_model_load(&back, file_numbered(i, ".back.safetensors"), err));
            same_outputs(model, back, i);
        }
        mem_free(&why);
        caelum_model_close(&model);
        caelum_model_close(&back);
    }
    assert_in_range(refused, 1, NETS / 2);
}

int main(void) {
    if (system("/usr/bin/python3 -c 'import h5py' 2>/dev/null") != 0) {
        print_message("skipped: /usr/bin/python3 has no h5py\n");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_random_nets),
    };
    return cmocka_run_group_tests(tests, convert_all, remove_directory);
}
