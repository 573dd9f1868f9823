/* test_exchange.c - models through other programs' files and back. */
#include "model_files.h"

#include "exchange/npy.h"
#include "model/safetensors.h"

#include <time.h>

enum { NETS = 60 };

/* A model with weights of its own and metadata in several scripts. */
static caelum_model *model_with_words(const char *text, size_t h, size_t w, uint64_t seed) {
    caelum_model *model = model_of(text, h, w, seed, 1);
    assert_ok(
        caelum_model_set_metadata(model, "name", "Zo\xc3\xab \xe2\x88\x9e \xf0\x9f\x8e\xa8 \"quoted\"", err));
    assert_ok(caelum_model_set_metadata(model, "empty", "", err));
    return model;
}

static void same_model(const caelum_model *a, const caelum_model *b) {
    assert_string_equal(caelum_net_text(a->net), caelum_net_text(b->net));
    assert_int_equal(a->net->input.h, b->net->input.h);
    assert_int_equal(a->net->input.w, b->net->input.w);
    assert_int_equal(a->half, b->half);
    assert_memory_equal(a->params, b->params, a->net->params * sizeof(float));
    for (size_t i = 0; i < a->metadata->count; i++)
        assert_string_equal(metadata_get(b->metadata, a->metadata->entry[i].key),
                            a->metadata->entry[i].value);
}

static struct caelum_import_settings alone(void) {
    return caelum_import_defaults();
}

/* Weights, text, size, metadata and precision of any network come back out of an .npz. */
static void test_npz(void **state) {
    (void)state;
    const struct caelum_import_settings settings = alone();
    for (uint64_t seed = 1; seed <= NETS; seed++) {
        struct random_net n;
        random_net(&n, seed);
        caelum_model *model = model_with_words(n.text, n.h, n.w, seed), *back = NULL;
        if (seed % 3 == 0) assert_ok(caelum_model_round_half(model, err));
        assert_ok(caelum_model_export(model, in_directory("a.npz"), err));
        assert_ok(caelum_model_import(&back, in_directory("a.npz"), &settings, err));
        same_model(model, back);
        caelum_model_close(&back);
        caelum_model_close(&model);
    }
}

/* The same bytes wherever the clock stands. */
static void test_npz_bytes(void **state) {
    (void)state;
    uint8_t *bytes[2];
    size_t size[2];
    caelum_model *model = model_with_words("input 3\nconv 4 relu\n", 8, 8, 1);
    for (int i = 0; i < 2; i++) {
        setenv("TZ", i ? "UTC+11" : "UTC-11", 1);
        tzset();
        assert_ok(caelum_model_export(model, in_directory("a.npz"), err));
        assert_ok(file_read(in_directory("a.npz"), 1 << 20, &bytes[i], &size[i], err));
    }
    unsetenv("TZ");
    assert_int_equal(size[0], size[1]);
    assert_memory_equal(bytes[0], bytes[1], size[0]);
    mem_free(&bytes[0]), mem_free(&bytes[1]);
    caelum_model_close(&model);
}

/* Headers as NumPy 1.24 writes them, and what is refused. */
static void test_npy(void **state) {
    (void)state;
    char header[NPY_HEADER];
    const size_t dim[] = {2, 3, 4, 5};
    assert_int_equal(npy_header(header, "<f4", 4, dim), 128);
    static const char start[] =
        "\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 4, 5), }  ";
    assert_memory_equal(header, start, sizeof start - 1);
    assert_int_equal(header[127], '\n');
    npy_header(header, "<f8", 1, dim);
    assert_non_null(strstr(header + 10, "'shape': (2,), }"));
    npy_header(header, "<U5", 0, NULL);
    assert_non_null(strstr(header + 10, "'shape': (), }"));

    static const struct {
        const char *dict, *values, *words;
        size_t size;
    } bad[] = {
        {"{'descr': '|f4', 'fortran_order': False, 'shape': (1,), }", "abcd", "type '|f4'", 4},
        {"{'descr': '>i4', 'fortran_order': False, 'shape': (1,), }", "abcd", "type '>i4'", 4},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1 1), }", "abcd", "header", 4},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", "abcd", "header", 4},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", "abcd", "header", 4},
        {"{'descr': \"<f4', 'fortran_order': False, 'shape': (1,), }", "abcd", "header", 4},
        {"{'descr': '<i8', 'fortran_order': False, 'shape': (1,), }", "abcdefgh", "type '<i8'", 8},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", "abcdefgh", "type '|O'", 8},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", "abcd", "4 bytes", 4},
        {"{'descr': '<f4', 'fortran_order': Maybe, 'shape': (1,), }", "abcd", "header", 4},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1), }", "abcd", "header", 4},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387905,), }", "abcd", "4 bytes", 4},
        {"{'descr': '<U1', 'fortran_order': False, 'shape': (1,), }", "abcd", "single", 4},
        {"{'descr': '<U1', 'fortran_order': False, 'shape': (), }", "\xff\xff\xff\xff", "Unicode", 4},
        {"{'descr': '<f4', 'fortran_order': False", "abcd", "header", 4},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint8_t file[300] = "\x93NUMPY\x01\x00";
        const size_t length = strlen(bad[i].dict);
        struct npy npy = {0};
        struct mem_group memory = {0};
        file[8] = (uint8_t)length;
        memcpy(file + 10, bad[i].dict, length);
        memcpy(file + 10 + length, bad[i].values, bad[i].size);
        assert_error(CAELUM_EFORMAT, bad[i].words,
                     npy_read(&npy, "x", file, 10 + length + bad[i].size, &memory, err));
        mem_end(&memory);
    }
}

/* Headers as other programs, and other versions of Python, write them: 1.5 and -2 all. */
static void test_npy_of_others(void **state) {
    (void)state;
    static const char little[] = "\0\0\xc0\x3f\0\0\0\xc0", big[] = "\x3f\xc0\0\0\xc0\0\0\0";
    static const struct {
        const char *dict, *values;
    } good[] = {
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2L,), }", little},
        {"{'shape': (2L, 1L), 'fortran_order': False, 'descr': '<f4'}", little},
        {"{\"descr\": \"<f4\", \"fortran_order\": False, \"shape\": (2,)}", little},
        {"{'descr':'=f4','fortran_order':False,'shape':(2,)}", little},
        {"{ 'descr' : '<f4' ,\t'fortran_order' : True ,\n 'shape' : ( 1 , 2 ) }", little},
        {"{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }", big},
        {"{'descr': '>f4', 'fortran_order': True, 'shape': (2, 1), }   \n", big},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        for (uint8_t version = 1; version <= 3; version++) {
            uint8_t file[300] = "\x93NUMPY";
            const size_t length = strlen(good[i].dict), start = version == 1 ? 10 : 12;
            struct npy npy = {0};
            struct mem_group memory = {0};
            file[6] = version, file[8] = (uint8_t)length;
            memcpy(file + start, good[i].dict, length);
            memcpy(file + start + length, good[i].values, 8);
            assert_ok(npy_read(&npy, "x", file, start + length + 8, &memory, err));
            assert_int_equal(safetensor_count(&npy.array), 2);
            assert_true(((const float *)npy.array.data)[0] == 1.5f);
            assert_true(((const float *)npy.array.data)[1] == -2);
            mem_end(&memory);
        }
}

/* 128 MiB of zeros are a file of 130 KB. */
static void test_archives_that_swell(void **state) {
    (void)state;
    caelum_model *back = NULL;
    const struct caelum_import_settings settings = alone();
    if (system("/usr/bin/python3 -c 'import zipfile, sys\n"
               "with zipfile.ZipFile(sys.argv[1], \"w\", zipfile.ZIP_DEFLATED) as z:\n"
               "    z.writestr(\"a.npy\", bytes(1 << 27))' " BUILD_DIR "/swell.npz") != 0) {
        print_message("skipped: no Python makes the archive\n");
        return;
    }
    assert_error(CAELUM_EFORMAT, "expected no more than 64 MiB",
                 caelum_model_import(&back, BUILD_DIR "/swell.npz", &settings, err));
    unlink(BUILD_DIR "/swell.npz");
}

/* Fortran order: the first index varies fastest. */
static void test_fortran(void **state) {
    (void)state;
    const char *dict = "{'descr': '<f2', 'fortran_order': True, 'shape': (2, 3), }";
    uint8_t file[100] = "\x93NUMPY\x01\x00";
    const uint16_t values[] = {0, 3, 1, 4, 2, 5};
    const size_t length = strlen(dict);
    struct npy npy = {0};
    struct mem_group memory = {0};
    file[8] = (uint8_t)length;
    memcpy(file + 10, dict, length);
    memcpy(file + 10 + length, values, sizeof values);
    assert_ok(npy_read(&npy, "x", file, 10 + length + sizeof values, &memory, err));
    for (uint16_t i = 0; i < 6; i++) assert_int_equal(((const uint16_t *)npy.array.data)[i], i);
    mem_end(&memory);
}

/* --- Weights of other programs -------------------------------------------------------------------- */

static const char small_text[] = "input 2\nconv 3 k=1\nconv 2\n";

/* Writes the model's tensors in the order given, under those names. */
static void write_named(const caelum_model *model, const char *const *names, const size_t *order,
                        size_t count) {
    struct safetensor tensors[8] = {0};
    const struct metadata none = {0};
    for (size_t i = 0; i < count; i++) {
        struct caelum_tensor t;
        assert_true(caelum_model_tensor(model, order[i], &t));
        tensors[i] = (struct safetensor){.type = TENSOR_F32, .dims = t.dims, .data = t.data};
        memcpy(tensors[i].dim, t.dim, sizeof t.dim);
        snprintf(tensors[i].name, sizeof tensors[i].name, "%s", names[i]);
    }
    assert_ok(safetensors_write(in_directory("a.safetensors"), tensors, count, &none, err));
}

static struct caelum_import_settings with_net(const char *text) {
    static char path[300];
    struct caelum_import_settings settings = {.height = 6, .width = 5};
    snprintf(path, sizeof path, "%s", in_directory("a.net"));
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    settings.net_path = path;
    return settings;
}

static void test_foreign_order(void **state) {
    (void)state;
    static const struct {
        const char *names[4];
        size_t order[4];
    } files[] = {
        {{"conv2.bias", "conv1.weight", "conv2.weight", "conv1.bias"}, {3, 0, 2, 1}}, /* ours */
        {{"net.first.weight", "net.first.bias", "net.an.weight", "net.an.bias"}, {0, 1, 2, 3}},
        {{"b.bias", "b.weight", "a.bias", "a.weight"}, {1, 0, 3, 2}},
        {{"10.bias", "10.weight", "2.bias", "2.weight"}, {3, 2, 1, 0}}, /* sorted: 2 comes before 10 */
        {{"a.bias", "a.weight", "b.bias", "b.weight"}, {1, 0, 3, 2}},
    };
    caelum_model *model = model_with_words(small_text, 6, 5, 1);
    const struct caelum_import_settings settings = with_net(small_text);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        caelum_model *back = NULL;
        write_named(model, files[i].names, files[i].order, 4);
        assert_ok(caelum_model_import(&back, in_directory("a.safetensors"), &settings, err));
        assert_memory_equal(model->params, back->params, model->net->params * sizeof(float));
        caelum_model_close(&back);
    }
    caelum_model_close(&model);
}

/* Two layers of one shape under names that sort the wrong way round: refused, or told by the order. */
static void test_order_is_never_guessed(void **state) {
    (void)state;
    static const char text[] = "input 3\nconv 3 relu\nconv 3\n";
    static const char *const sorted[] = {"decoder.bias", "decoder.weight", "encoder.bias", "encoder.weight"};
    static const size_t order[] = {3, 2, 1, 0};
    static const struct {
        const char *order, *words;
        int code;
    } said[] = {{NULL, "'decoder.weight' and 'encoder.weight' are both [3, 3, 3, 3]", CAELUM_EFORMAT},
                {NULL, "--order NAME,NAME", CAELUM_EFORMAT},
                {"encoder,decoder", NULL, 0},
                {"encoder.weight,decoder", NULL, 0},
                {"encoder", NULL, 0},
                {"encode", "no tensor is called 'encode'", CAELUM_EUSAGE},
                {"encoder,,decoder", "no tensor is called ''", CAELUM_EUSAGE}};
    caelum_model *model = model_with_words(text, 6, 5, 1), *back = NULL;
    struct caelum_import_settings settings = with_net(text);
    write_named(model, sorted, order, 4);
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        settings.order = said[i].order;
        if (said[i].words) {
            assert_error(said[i].code, said[i].words,
                         caelum_model_import(&back, in_directory("a.safetensors"), &settings, err));
            assert_null(back);
            continue;
        }
        assert_ok(caelum_model_import(&back, in_directory("a.safetensors"), &settings, err));
        assert_memory_equal(model->params, back->params, model->net->params * sizeof(float));
        caelum_model_close(&back);
    }
    settings.order = "decoder,encoder";
    assert_ok(caelum_model_import(&back, in_directory("a.safetensors"), &settings, err));
    assert_memory_equal(model->params, back->params + 84, 84 * sizeof(float)); /* as it was told */
    caelum_model_close(&back);
    assert_ok(caelum_model_save(model, in_directory("ours.safetensors"), err));
    assert_error(CAELUM_EUSAGE, "an order is for others",
                 caelum_model_import(&back, in_directory("ours.safetensors"), &settings, err));
    caelum_model_close(&model);
}

/* numpy.savez keeps the order of its arguments; one of sorted names says nothing. */
static void test_order_of_archives(void **state) {
    (void)state;
    static const char text[] = "input 3\nconv 3 relu\nconv 3\n";
    static const char *const called[] = {"encoder.weight", "encoder.bias", "decoder.weight", "decoder.bias"};
    caelum_model *model = model_with_words(text, 6, 5, 1), *back = NULL;
    const struct caelum_import_settings settings = with_net(text);
    struct caelum_tensor t[4];
    for (size_t i = 0; i < 4; i++) {
        assert_true(caelum_model_tensor(model, i, &t[i]));
        snprintf(t[i].name, sizeof t[i].name, "%s", called[i]);
    }
    assert_ok(caelum_arrays_save(in_directory("a.npz"), t, 4, err));
    assert_ok(caelum_model_import(&back, in_directory("a.npz"), &settings, err));
    assert_memory_equal(model->params, back->params, model->net->params * sizeof(float));
    caelum_model_close(&back);
    const struct caelum_tensor by_name[] = {t[3], t[2], t[1], t[0]};
    assert_ok(caelum_arrays_save(in_directory("a.npz"), by_name, 4, err));
    assert_error(CAELUM_EFORMAT, "--order",
                 caelum_model_import(&back, in_directory("a.npz"), &settings, err));
    caelum_model_close(&model);
}

/* Biases of one size belong to the weights beside them; numbers count as such; digits may be many. */
static void test_names_that_tell(void **state) {
    (void)state;
    static const char text[] = "input 3\nconv 8 k=1\nconv 4 k=1\nconv 8 k=1\nconv 8 k=1\n";
    static const struct {
        const char *names[8];
        size_t order[8];
    } files[] = {
        {{"decoder.00000000000000000000000000000000000000000000000000000002.bias",
          "decoder.00000000000000000000000000000000000000000000000000000002.weight", "decoder.0.bias",
          "decoder.0.weight", "encoder.0.bias", "encoder.0.weight", "encoder.2.bias", "encoder.2.weight"},
         {7, 6, 5, 4, 1, 0, 3, 2}},
        {{"m.0.bias", "m.0.weight", "m.10.bias", "m.10.weight", "m.2.bias", "m.2.weight", "m.4.bias",
          "m.4.weight"},
         {1, 0, 7, 6, 3, 2, 5, 4}}};
    caelum_model *model = model_with_words(text, 6, 5, 1);
    const struct caelum_import_settings settings = with_net(text);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        caelum_model *back = NULL;
        write_named(model, files[i].names, files[i].order, 8);
        assert_ok(caelum_model_import(&back, in_directory("a.safetensors"), &settings, err));
        assert_memory_equal(model->params, back->params, model->net->params * sizeof(float));
        caelum_model_close(&back);
    }
    caelum_model_close(&model);
}

/* A format that says what its network is takes none. */
static void test_no_network_is_ignored(void **state) {
    (void)state;
    const struct caelum_import_settings settings = with_net(small_text);
    const struct exchange_format *format;
    caelum_model *model = model_with_words(small_text, 6, 5, 1), *back = NULL;
    struct caelum_error why;
    if (exchange_find(&format, "a.onnx", &why) == 0) {
        assert_ok(caelum_model_export(model, in_directory("a.onnx"), err));
        assert_error(CAELUM_EUSAGE, "expected no network's text",
                     caelum_model_import(&back, in_directory("a.onnx"), &settings, err));
    }
    caelum_model_close(&model);
}

static void test_foreign_errors(void **state) {
    (void)state;
    static const struct {
        const char *names[4], *words;
        size_t order[4], count;
    } files[] = {
        {{"a", "b", "c", "d"},
         "one for conv2.weight is missing: the network has 1 tensors of shape [2, 3, 3, 3], the file 0",
         {0, 1, 0, 3},
         4},
        {{"a.weight", "a.bias", "b.weight"}, "one for conv2.bias is missing", {0, 1, 2}, 3},
        {{"conv1.weight", "conv1.bias", "conv2.weight"}, "'conv2.bias' is missing", {0, 1, 2}, 3},
        {{"conv1.weight", "conv1.bias", "x.weight", "x.bias"}, "'conv2.weight' is missing", {0, 1, 2, 3}, 4},
    };
    caelum_model *model = model_with_words(small_text, 6, 5, 1), *back = NULL;
    struct caelum_import_settings settings = with_net(small_text);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        write_named(model, files[i].names, files[i].order, files[i].count);
        assert_error(CAELUM_EFORMAT, files[i].words,
                     caelum_model_import(&back, in_directory("a.safetensors"), &settings, err));
    }
    settings = with_net("input 2\nconv 3 k=1\n");
    write_named(model, (const char *const[]){"conv1.weight", "conv1.bias", "bn.weight"},
                (const size_t[]){0, 1, 3}, 3);
    assert_error(CAELUM_EFORMAT, "'bn.weight': the network has none",
                 caelum_model_import(&back, in_directory("a.safetensors"), &settings, err));
    write_named(model, (const char *const[]){"a.weight", "a.bias", "b.weight"}, (const size_t[]){0, 1, 3}, 3);
    assert_error(CAELUM_EFORMAT, "3 tensors, the network has 2: 'b.weight' [2] is too many",
                 caelum_model_import(&back, in_directory("a.safetensors"), &settings, err));
    settings.net_path = NULL;
    assert_error(CAELUM_EFORMAT, "not a model of this program",
                 caelum_model_import(&back, in_directory("a.safetensors"), &settings, err));
    assert_null(back);
    caelum_model_close(&model);
}

static void test_arrays(void **state) {
    (void)state;
    const float values[] = {1, 2, 3, 4, 5, 6};
    struct caelum_tensor arrays[] = {{.name = "x", .dims = 2, .dim = {2, 3}, .data = values},
                                     {.name = "y", .dims = 1, .dim = {6}, .data = values}};
    assert_ok(caelum_arrays_save(in_directory("b.npz"), arrays, 2, err));
    snprintf(arrays[1].name, sizeof arrays[1].name, "x");
    assert_error(CAELUM_EUSAGE, "two arrays", caelum_arrays_save(in_directory("c.npz"), arrays, 2, err));
    assert_error(CAELUM_EIO, "no-such-directory",
                 caelum_arrays_save(in_directory("no-such-directory/c.npz"), arrays, 1, err));
    assert_int_not_equal(access(in_directory("c.npz"), F_OK), 0);
    caelum_model *back = NULL;
    const struct caelum_import_settings settings = alone();
    assert_error(CAELUM_EUSAGE, "needs a network's text",
                 caelum_model_import(&back, in_directory("b.npz"), &settings, err));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_npz),
        cmocka_unit_test(test_npz_bytes),
        cmocka_unit_test(test_npy),
        cmocka_unit_test(test_fortran),
        cmocka_unit_test(test_foreign_order),
        cmocka_unit_test(test_foreign_errors),
        cmocka_unit_test(test_arrays),
        cmocka_unit_test(test_order_is_never_guessed),
        cmocka_unit_test(test_order_of_archives),
        cmocka_unit_test(test_names_that_tell),
        cmocka_unit_test(test_no_network_is_ignored),
        cmocka_unit_test(test_npy_of_others),
        cmocka_unit_test(test_archives_that_swell),
    };
    return cmocka_run_group_tests(tests, open_directory, remove_directory);
}
