/* test_onnx.c - ONNX files by their own reader: every layer has its nodes, what is exported comes back with
 * the same text, weights and results, from the graph alone; what can't be said or is broken is refused. Seeds
 * are printed where a test that draws fails. */
#include "model_files.h"

#if CAELUM_WITH_ONNX

#include "exchange/onnx.h"

#include <glob.h>

enum { PICTURES = 5, NETWORKS = 100, DAMAGES = 200 };
static const uint64_t first_seed = 1000;

static char path[300], other[300];

/* --- Models --------------------------------------------------------------------------------------- */

/* Initial weights, and random numbers for what starts at zero. */
static caelum_model *random_model(const struct caelum_net *net, uint64_t seed) {
    caelum_model *model = NULL;
    struct rng rng = rng_make(seed, RNG_TEST, 5);
    assert_ok(caelum_model_create(&model, net, seed, err));
    for (size_t i = 0; i < net->params; i++)
        if (model->params[i] == 0) model->params[i] = test_random(&rng) / 4;
    return model;
}

/* The text's network with such weights. */
static caelum_model *drawn(const char *text, size_t h, size_t w) {
    struct caelum_net *net = NULL;
    assert_ok(caelum_net_parse(&net, text, "text", h, w, err));
    caelum_model *model = random_model(net, 1);
    caelum_net_close(&net);
    return model;
}

static caelum_model *import(const char *from, size_t h, size_t w) {
    const struct caelum_import_settings settings = {.height = h, .width = w};
    caelum_model *model = NULL;
    assert_ok(caelum_model_import(&model, from, &settings, err));
    return model;
}

/* The file without metadata_props. */
static void strip(const char *from, const char *to) {
    struct onnx_file file = {0};
    assert_ok(onnx_read(&file, from, err));
    metadata_clear(&file.props);
    assert_ok(onnx_write(&file, to, err));
    onnx_file_close(&file);
}

/* A model through its stripped file. */
static caelum_model *round_trip(const caelum_model *model) {
    assert_ok(caelum_model_export(model, path, err));
    strip(path, other);
    return import(other, model->net->input.h, model->net->input.w);
}

static float *run(const caelum_model *model, size_t *values) {
    const struct caelum_net *net = model->net;
    struct rng rng = rng_make(1, RNG_TEST, 6);
    float *in = NULL, *out = NULL;
    const size_t inputs = PICTURES * shape_values(net->input);
    *values = PICTURES * shape_values(net->layer[net->layers - 1].out);
    assert_ok(mem_alloc(&in, inputs, sizeof *in, err));
    assert_ok(mem_alloc(&out, *values, sizeof *out, err));
    for (size_t i = 0; i < inputs; i++) in[i] = rng_uniform(&rng);
    assert_ok(caelum_model_run(model, net->layers, in, PICTURES, out, err));
    mem_free(&in);
    return out;
}

static void assert_same_results(const caelum_model *a, const caelum_model *b) {
    size_t n, m;
    float *x = run(a, &n), *y = run(b, &m);
    if (n != m || memcmp(x, y, n * sizeof *x) != 0)
        fail_msg("other results of\n%s\nthan of\n%s", b->net->text, a->net->text);
    mem_free(&x), mem_free(&y);
}

static void assert_same_file(const char *a, const char *b) {
    uint8_t *x = NULL, *y = NULL;
    size_t n, m;
    assert_ok(file_read(a, 1 << 30, &x, &n, err));
    assert_ok(file_read(b, 1 << 30, &y, &m, err));
    assert_int_equal(n, m);
    assert_memory_equal(x, y, n);
    mem_free(&x), mem_free(&y);
}

/* Takes a word, with the blank before it, out of a line; `more` is what may follow of it. */
static void drop(char *line, const char *word, bool more) {
    char *at = strstr(line, word);
    if (!at) return;
    char *end = at + strlen(word);
    if (more) end += strcspn(end, " ");
    if (*end == ' ' || *end == '\0') memmove(at, end, strlen(end) + 1);
}

/* A layer's line without defaults and what is for training alone, which no graph holds, and with the saved
 * tensor's place for its name. */
static void plain_line(const struct net_layer *layer, char line[120]) {
    snprintf(line, 120, "%s", layer->text);
    drop(line, " init=", true), drop(line, " round", false);
    drop(line, " k=3", false), drop(line, " stride=1", false), drop(line, " pad=same", false);
    drop(line, " nearest", false), drop(line, " linear", false);
    if (strstr(line, "pool") || strstr(line, "sample") || strstr(line, "_to_")) drop(line, " 2", false);
    if (layer->skip) snprintf(line, 120, "%s %zu", layer->ops->name, layer->skip);
    if (layer->latent) strcat(line, " - latent");
}

static void assert_same_text(const struct caelum_net *a, const struct caelum_net *b) {
    assert_int_equal(a->input.c, b->input.c);
    for (size_t i = 0; i < a->layers && i < b->layers; i++) {
        char x[120], y[120];
        plain_line(&a->layer[i], x), plain_line(&b->layer[i], y);
        if (strcmp(x, y) != 0) fail_msg("%s: layer %zu: '%s' came back as '%s'", a->file, i, x, y);
    }
    assert_int_equal(a->layers, b->layers);
}

/* --- Tests ---------------------------------------------------------------------------------------- */

static void every_layer_writes_itself(void **state) {
    (void)state;
    for (const struct layer_ops *const *ops = layers_all(); *ops; ops++)
        if (!(*ops)->onnx) fail_msg("%s: has no hook `onnx`", (*ops)->name);
}

/* Each example of each layer: the same results, and the same text after one more round. */
static void every_layer_comes_back(void **state) {
    (void)state;
    for (const struct layer_ops *const *ops = layers_all(); *ops; ops++)
        for (size_t i = 0; (*ops)->examples[i]; i++) {
            char text[300];
            snprintf(text, sizeof text, "input 4\nconv 4\n%s\n", (*ops)->examples[i]);
            caelum_model *model = drawn(text, 12, 11), *back = round_trip(model);
            assert_same_results(model, back);
            const bool idle = strstr(text, "12 11") || strstr(text, "\nact"); /* or part of `conv` */
            if (!idle && !strstr(back->net->text, (*ops)->name))
                fail_msg("%s came back as %s", text, back->net->text);
            caelum_model_close(&model), caelum_model_close(&back);
        }
}

static void check_text(const caelum_model *model) {
    caelum_model *back = round_trip(model);
    assert_same_text(model->net, back->net);
    assert_int_equal(model->net->params, back->net->params);
    assert_memory_equal(model->params, back->params, model->net->params * sizeof(float));
    assert_same_results(model, back);
    caelum_model_close(&back);
}

/* Text and weights of the models and networks that come with caelum. */
static void models_come_back(void **state) {
    glob_t found;
    (void)state;
    assert_int_equal(glob(SOURCE_DIR "/models/*.safetensors", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        caelum_model *model = NULL;
        assert_ok(caelum_model_load(&model, found.gl_pathv[i], err));
        check_text(model);
        caelum_model_close(&model);
    }
    globfree(&found);
    assert_int_equal(glob(SOURCE_DIR "/models/*.net", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct caelum_net *net = NULL;
        assert_ok(caelum_net_load(&net, found.gl_pathv[i], 32, 32, err));
        caelum_model *model = random_model(net, i);
        check_text(model);
        caelum_model_close(&model);
        caelum_net_close(&net);
    }
    globfree(&found);
}

/* What came back once comes back as it is. */
static void random_networks_come_back(void **state) {
    (void)state;
    for (uint64_t seed = first_seed; seed < first_seed + NETWORKS; seed++) {
        struct random_net made;
        struct caelum_net *net = NULL;
        random_net(&made, seed);
        assert_ok(caelum_net_parse(&net, made.text, "random", made.h, made.w, err));
        caelum_model *model = random_model(net, seed), *back = round_trip(model), *again = round_trip(back);
        assert_same_results(model, back);
        assert_string_equal(back->net->text, again->net->text);
        assert_memory_equal(back->params, again->params, back->net->params * sizeof(float));
        caelum_model_close(&model), caelum_model_close(&back), caelum_model_close(&again);
        caelum_net_close(&net);
    }
}

/* Marks and saved tensors where they make nodes' names collide or vanish. */
static void odd_texts_come_back(void **state) {
    static const char *const texts[] = {"input 2\nconv 4\nsave a\nlatent\nconv 4\nadd a\n",
                                        "input 2\nconv 4\nlatent\nsave a\nconv 4\nadd a\n",
                                        "input 2\nsave a\nlatent\nconv 2\nadd a\n",
                                        "input 2\nconv 4\nsave a\nsave b\nlatent\nconv 4\nadd a\nadd b\n",
                                        "input 2\nconv 4\nlatent\n",
                                        "input 2\nconv 4\nsave a\n",
                                        "input 2\nact linear\nconv 1\n",
                                        "input 2\nsave a\nadd a\nconcat a\n",
                                        "input 2\nnoise 0.25\nlatent\nconv 1\n",
                                        "input 2\ndense 6\ndense 4 gelu\nlatent\n",
                                        "input 2\nconv 4\nlatent\nact relu\n"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        caelum_model *model = drawn(texts[i], 6, 5), *back = round_trip(model);
        assert_same_results(model, back);
        if (i != 2 && !strstr(texts[i], "latent") != !strstr(back->net->text, "latent"))
            fail_msg("%s came back as %s", texts[i], back->net->text);
        caelum_model_close(&model), caelum_model_close(&back);
    }
}

static void metadata_and_size_come_back(void **state) {
    (void)state;
    caelum_model *model = drawn("input 3\nconv 4 relu\nlatent\nconv 3 sigmoid\n", 20, 12);
    assert_ok(caelum_model_set_metadata(model, "task", "reconstruct", err));
    assert_ok(caelum_model_export(model, path, err));
    caelum_model *back = import(path, 32, 32), *small = NULL;
    assert_string_equal(caelum_model_metadata(back, "task"), "reconstruct");
    assert_null(caelum_model_metadata(back, "network"));
    assert_true(back->net->input.h == 20 && back->net->input.w == 12);
    strip(path, other);
    small = import(other, 8, 10);
    assert_true(small->net->input.h == 8 && small->net->input.w == 10);
    assert_null(caelum_model_metadata(small, "task"));
    caelum_model_close(&model), caelum_model_close(&back), caelum_model_close(&small);
}

static void equal_models_are_equal_files(void **state) {
    (void)state;
    caelum_model *model = drawn("input 3\nconv 4 gelu\nupsample\nquantize 0.3\ndense 5\n", 6, 6);
    assert_ok(caelum_model_export(model, path, err));
    assert_ok(caelum_model_export(model, other, err));
    assert_same_file(path, other);
    caelum_model_close(&model);
}

/* Sizes of pictures are open, but for layers that hold for one alone. */
static void sizes_are_open_where_they_can_be(void **state) {
    static const struct {
        const char *layer;
        bool fixed;
    } cases[] = {{"conv 4 stride=3", false}, {"deconv 4 stride=2", false}, {"space_to_depth", false},
                 {"upsample", false},        {"crop 4 4", true},           {"pad 20 20", true},
                 {"dense 3", true},          {"reshape 6 6 8", true}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[100];
        struct onnx_file file = {0};
        snprintf(text, sizeof text, "input 2\n%s\nconv 2\n", cases[i].layer);
        caelum_model *model = drawn(text, 12, 12);
        assert_ok(caelum_model_export(model, path, err));
        assert_ok(onnx_read(&file, path, err));
        assert_int_equal(file.graph.input.dim[2], cases[i].fixed ? 12 : 0);
        assert_int_equal(file.graph.input.dim[0], 0);
        assert_int_equal(file.graph.input.dim[1], 2);
        onnx_file_close(&file);
        caelum_model_close(&model);
    }
}

/* A file of PyTorch 1.13 (`strided` of tests/reference/onnx_torch.py) gives what PyTorch gives. */
static void a_file_of_pytorch_is_understood(void **state) {
    caelum_model *model = import(SOURCE_DIR "/tests/reference/torch_strided.onnx", 16, 20);
    uint8_t *in = NULL, *want = NULL;
    float got[2 * 3 * 16 * 20];
    size_t size;
    (void)state;
    assert_ok(file_read(SOURCE_DIR "/tests/reference/torch_strided.in", 1 << 20, &in, &size, err));
    assert_ok(file_read(SOURCE_DIR "/tests/reference/torch_strided.out", 1 << 20, &want, &size, err));
    assert_int_equal(size, sizeof got);
    assert_ok(caelum_model_run(model, model->net->layers, (const float *)(void *)in, 2, got, err));
    for (size_t i = 0; i < sizeof got / sizeof *got; i++)
        assert_float_equal(got[i], ((const float *)(void *)want)[i], 1e-5);
    mem_free(&in), mem_free(&want);
    caelum_model_close(&model);
}

/* --- Damage --------------------------------------------------------------------------------------- */

static void try_bytes(const uint8_t *bytes, size_t size) {
    const struct caelum_import_settings settings = {.height = 8, .width = 8};
    caelum_model *model = NULL;
    struct caelum_error error = {0};
    assert_ok(file_write(other, bytes, size, err));
    const int result = caelum_model_import(&model, other, &settings, &error);
    if ((result == 0) != (model != NULL) || (result != 0 && !*error.text)) fail_msg("result %d", result);
    if (model) assert_true(model->net->layers > 0);
    caelum_model_close(&model);
}

/* Cut short, or with a few bytes changed: an error or a model. */
static void damaged_files_do_no_harm(void **state) {
    static const char *const texts[] = {
        "input 2\nsave a\nconv 4 gelu\nmaxpool\nlatent\nupsample bilinear\ndeconv 2 silu\nadd a\nconcat a\n",
        "input 2\nspace_to_depth\nquantize 0.5\nnoise 0.1\ndepth_to_space\ncrop 4 4\npad 6 6\ndense 8 elu\n"
        "reshape 2 2 2\n"};
    (void)state;
    for (size_t t = 0; t < 2; t++) {
        uint8_t *bytes = NULL;
        size_t size = 0;
        caelum_model *model = drawn(texts[t], 8, 8);
        assert_ok(caelum_model_export(model, path, err));
        assert_ok(file_read(path, 1 << 24, &bytes, &size, err));
        for (uint64_t seed = 0; seed < DAMAGES; seed++) {
            struct rng rng = rng_make(seed, RNG_TEST, 7);
            const size_t cut = rng_below(&rng, (uint32_t)size), changes = 1 + rng_below(&rng, 3);
            if (seed % 50 == 0) print_message("text %zu, seeds from %llu\n", t, (unsigned long long)seed);
            try_bytes(bytes, cut);
            uint8_t *copy = NULL;
            assert_ok(mem_alloc(&copy, size, 1, err));
            memcpy(copy, bytes, size);
            for (size_t i = 0; i < changes; i++)
                copy[rng_below(&rng, (uint32_t)size)] = (uint8_t)rng_below(&rng, 256);
            try_bytes(copy, size);
            mem_free(&copy);
        }
        mem_free(&bytes);
        caelum_model_close(&model);
    }
}

/* A message in a message in a message: unpacking goes as deep as the file says. */
static void deep_files_are_refused(void **state) {
    enum { LEVELS = 20000, HEAD = 8 };
    static uint8_t bytes[LEVELS * HEAD];
    size_t at = sizeof bytes;
    (void)state;
    for (size_t level = 0; level < LEVELS; level++) {
        const size_t inside = sizeof bytes - at;
        const uint8_t tags[] = {0x3a, 0x0a, 0x2a, 0x32}; /* graph, node, attribute, its graph; and so on */
        const uint8_t tag = level + 1 == LEVELS ? tags[0] : tags[1 + (LEVELS - 2 - level) % 3];
        for (size_t i = 5; i-- > 0;) bytes[--at] = (uint8_t)((inside >> 7 * i & 127) | (i < 4 ? 128 : 0));
        /* the varint was written backwards: turn it round */
        for (size_t i = 0; i < 2; i++) {
            const uint8_t b = bytes[at + i];
            bytes[at + i] = bytes[at + 4 - i], bytes[at + 4 - i] = b;
        }
        for (size_t i = 0; i < 5; i++) bytes[at + i] = (uint8_t)((inside >> 7 * i & 127) | (i < 4 ? 128 : 0));
        bytes[--at] = tag;
    }
    assert_ok(file_write(path, bytes + at, sizeof bytes - at, err));
    caelum_model *model = NULL;
    const struct caelum_import_settings settings = caelum_import_defaults();
    assert_error(CAELUM_EFORMAT, "damaged", caelum_model_import(&model, path, &settings, err));
}

/* Whichever allocation fails: an error, and nothing is left. */
static void running_out_of_memory_is_an_error(void **state) {
    (void)state;
    caelum_model *model = drawn("input 2\nsave a\nconv 4 gelu\nconcat a\n", 8, 8), *back = NULL;
    const struct caelum_import_settings settings = {.height = 8, .width = 8};
    struct caelum_error err = {0};
    long n = 0;
    do {
        mem_fail_after(n++);
        const int result = caelum_model_export(model, path, &err);
        mem_fail_after(-1);
        if (result == 0) break;
        assert_int_equal(result, CAELUM_ERESOURCE);
    } while (n < 10000);
    assert_true(n > 3 && n < 10000);
    n = 0;
    do {
        mem_fail_after(n++);
        const int result = caelum_model_import(&back, path, &settings, &err);
        mem_fail_after(-1);
        if (result == 0) break;
        if (result != CAELUM_ERESOURCE) fail_msg("allocation %ld: %s", n, err.text);
        assert_null(back);
    } while (n < 10000);
    assert_true(back && n > 10);
    caelum_model_close(&model), caelum_model_close(&back);
}

static int set_up(void **state) {
    open_directory(state);
    snprintf(path, sizeof path, "%s/one.onnx", directory);
    snprintf(other, sizeof other, "%s/two.onnx", directory);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_layer_writes_itself),
        cmocka_unit_test(every_layer_comes_back),
        cmocka_unit_test(models_come_back),
        cmocka_unit_test(random_networks_come_back),
        cmocka_unit_test(odd_texts_come_back),
        cmocka_unit_test(metadata_and_size_come_back),
        cmocka_unit_test(equal_models_are_equal_files),
        cmocka_unit_test(sizes_are_open_where_they_can_be),
        cmocka_unit_test(a_file_of_pytorch_is_understood),
        cmocka_unit_test(damaged_files_do_no_harm),
        cmocka_unit_test(deep_files_are_refused),
        cmocka_unit_test(running_out_of_memory_is_an_error),
    };
    return cmocka_run_group_tests_name("ONNX", tests, set_up, remove_directory);
}

#else

int main(void) {
    puts("skipped: this build leaves out ONNX");
    return 0;
}

#endif
