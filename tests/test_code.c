/* test_code.c - pictures as codes and back, and files that tell when they are damaged. */
#include "testing.h"

#include "base/file.h"
#include "code/codec.h"
#include "layers/quantize.h"
#include "train/trainer.h"

#include <math.h>

/* --- Pictures ------------------------------------------------------------------------------------- */

static const char small_text[] = "input 3\nspace_to_depth 4\nsave a\nconv 8 gelu\nconv 48\nadd a\n"
                                 "conv 6 k=1\nquantize 0.05\nconv 48 k=1\ndepth_to_space 4\n";

/* A model of random weights. */
static caelum_model *make_model(const char *directory, const char *text, uint64_t seed) {
    caelum_net *net = NULL;
    caelum_model *model = NULL;
    float *params = NULL;
    char path[300];
    const struct metadata none = {0};
    snprintf(path, sizeof path, "%s/model-%d.safetensors", directory, (int)seed);
    assert_ok(caelum_net_parse(&net, text, "test", 16, 16, err));
    assert_ok(mem_alloc(&params, net->params, sizeof *params, err));
    net_init(net, seed, params);
    assert_ok(model_save(net, params, &none, path, err));
    assert_ok(caelum_model_load(&model, path, err));
    mem_free(&params);
    caelum_net_close(&net);
    return model;
}

static struct caelum_picture make_picture(size_t width, size_t height, uint64_t seed) {
    struct rng rng = rng_make(seed, RNG_TEST, 2);
    struct caelum_picture p = {.width = width, .height = height};
    assert_ok(mem_alloc(&p.pixels, width * height, 3, err));
    for (size_t i = 0; i < 3 * width * height; i++)
        p.pixels[i] = (uint8_t)(100 + 60 * sin((double)(i / 3 % width) * 0.2) + rng_below(&rng, 40));
    return p;
}

/* A picture of one tile decodes to what the model reconstructs, pixel by pixel; others keep their size, and
 * neither threads nor other pictures in between matter. */
static void pictures_come_back(void **state) {
    (void)state;
    static const size_t sizes[][2] = {{16, 16}, {1, 1}, {33, 17}, {96, 100}, {230, 101}};
    char directory[256];
    test_directory(directory);
    caelum_model *model = make_model(directory, small_text, 1);
    caelum_codec *one = NULL, *two = NULL;
    assert_ok(caelum_codec_open(&one, model, 1, err));
    assert_ok(caelum_codec_open(&two, model, 2, err));
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct caelum_picture in = make_picture(sizes[i][0], sizes[i][1], i), out = {0}, want = {0};
        uint8_t *a = NULL, *b = NULL;
        size_t a_size = 0, b_size = 0;
        assert_ok(caelum_codec_encode(one, &in, &a, &a_size, err));
        assert_ok(caelum_codec_encode(two, &in, &b, &b_size, err));
        assert_int_equal(a_size, b_size);
        assert_memory_equal(a, b, a_size);
        const struct caelum_code_entry code = {
            .width = in.width, .height = in.height, .bytes = a, .size = a_size};
        assert_ok(caelum_codec_decode(two, &code, &out, err));
        assert_int_equal(out.width, in.width);
        assert_int_equal(out.height, in.height);
        if (i == 0) {
            assert_ok(caelum_reconstruct(model, &in, 1, &want, err));
            assert_memory_equal(out.pixels, want.pixels, 3 * in.width * in.height);
        }
        caelum_codec_free(&a), caelum_codec_free(&b);
        caelum_picture_free(&in), caelum_picture_free(&out), caelum_picture_free(&want);
    }
    caelum_codec_close(&one), caelum_codec_close(&two);
    caelum_model_close(&model);
    test_remove(directory);
}

/* A price lowers error and bits times the price together, and a higher one the bits; at no price the nearest
 * numbers are taken. */
static void a_price_saves_bits(void **state) {
    (void)state;
    enum { SIDE = 40, CHANNELS = 3, ALL = SIDE * SIDE * CHANNELS };
    static const double prices[] = {0, 0.05, 0.2};
    struct rng rng = rng_make(3, RNG_TEST, 4);
    const struct quantize_params at = quantize_params(CHANNELS);
    static float values[ALL], params[1000];
    static int16_t numbers[3][ALL];
    double error[3] = {0}, bits[3];
    struct prior prior = {0};
    assert_true(at.all <= sizeof params / sizeof *params);
    for (size_t i = 0; i < at.all; i++) params[i] = 0.1f * test_random(&rng);
    for (size_t k = 0; k < CHANNELS; k++)
        params[at.scale_bias + k] = -1.5f; /* most numbers are expected to be 0 */
    for (size_t i = 0; i < ALL; i++) values[i] = 2 * test_random(&rng) * test_random(&rng);
    assert_ok(prior_open(&prior, CHANNELS, params, err));
    for (size_t p = 0; p < 3; p++) {
        struct range_encoder encoder = {0};
        prior_choose(&prior, values, prices[p], numbers[p], SIDE, SIDE);
        range_encoder_open(&encoder);
        prior_encode(&prior, &encoder, numbers[p], SIDE, SIDE);
        assert_ok(range_encoder_finish(&encoder, err));
        bits[p] = 8 * (double)encoder.size;
        range_encoder_close(&encoder);
        for (size_t i = 0; i < ALL; i++) {
            const double d = (double)values[i] - numbers[p][i];
            error[p] += d * d;
            if (p == 0) assert_int_equal(numbers[p][i], lrintf(values[i]));
            assert_true(fabs(d) < 1.5);
        }
    }
    for (size_t p = 1; p < 3; p++) {
        assert_true(bits[p] < 0.97 * bits[p - 1] && error[p] > error[p - 1]);
        assert_true(error[p] + prices[p] * bits[p] < error[p - 1] + prices[p] * bits[p - 1]);
    }
    /* what a network with odd weights may say stays among the numbers that there are */
    const int most = (int)QUANTIZE_MOST;
    values[0] = 1e30f, values[1] = -INFINITY, values[2] = NAN;
    prior_choose(&prior, values, 0.05, numbers[0], SIDE, SIDE);
    assert_int_equal(numbers[0][0], most);
    assert_int_equal(numbers[0][1], -most);
    assert_in_range(numbers[0][2] + most, 0, 2 * (LargestIntegralType)most);
    prior_close(&prior);
}

/* What is further from a window's edge than the network sees does not depend on windows: with branches that
 * see 2 blocks of 4 pixels, a picture of many windows is what one network of its size makes of it. */
static void windows_leave_no_seam(void **state) {
    (void)state;
    enum { SIDE = 240 };
    char directory[256];
    test_directory(directory);
    caelum_model *model = make_model(directory, small_text, 1);
    caelum_codec *codec = NULL;
    struct caelum_picture in = make_picture(SIDE, SIDE, 5);
    static int16_t numbers[(SIDE / 4) * (SIDE / 4) * 6];
    caelum_net *whole = NULL;
    struct engine engine = {0};
    assert_ok(caelum_codec_open(&codec, model, 2, err));
    assert_error(CAELUM_EUSAGE, "expected 0 to 1", caelum_codec_set_price(codec, -0.1, err));
    assert_error(CAELUM_EUSAGE, "expected 0 to 1", caelum_codec_set_price(codec, NAN, err));
    assert_ok(caelum_codec_set_price(codec, 0, err));
    assert_ok(codec_analyse(codec, &in, numbers, err));
    assert_ok(net_at(&whole, codec->analysis, SIDE, SIDE, err));
    assert_ok(engine_open(&engine, whole, &(struct engine_settings){.threads = 1}, err));
    engine_pack(&engine, model->params);
    assert_ok(engine_reserve(&engine, &(struct engine_cut){.blocks = 1}, err));
    struct net_workspace *ws = &engine.place[0].workspace;
    for (size_t c = 0; c < 3; c++)
        for (size_t i = 0; i < SIDE; i++)
            for (size_t j = 0; j < SIDE; j++)
                for (size_t l = 0; l < engine.kernels->lanes; l++)
                    tensor_at(&ws->value[0], c, (ptrdiff_t)i, (ptrdiff_t)j)[l] =
                        (float)in.pixels[(i * SIDE + j) * 3 + c] * (1.0f / 255);
    net_forward(whole, engine.kernels, model->params, engine.packed, ws);
    size_t different = 0;
    for (size_t i = 0; i < SIDE / 4; i++)
        for (size_t j = 0; j < SIDE / 4; j++)
            for (size_t c = 0; c < 6; c++) {
                const float v = tensor_at(&ws->value[whole->layers], c, (ptrdiff_t)i, (ptrdiff_t)j)[0];
                different += numbers[(i * (SIDE / 4) + j) * 6 + c] != (int16_t)lrintf(v / codec->step);
            }
    /* bytes / 255 here and in the kernels may differ in the last bit, and with it a half that is rounded */
    if (different > 3) fail_msg("%zu of %zu numbers differ", different, sizeof numbers / sizeof *numbers);
    engine_close(&engine);
    caelum_net_close(&whole);
    caelum_picture_free(&in);
    caelum_codec_close(&codec);
    caelum_model_close(&model);
    test_remove(directory);
}

static void networks_without_a_code_are_refused(void **state) {
    (void)state;
    static const char *const texts[][2] = {
        {"input 3\nconv 3\n", "needs one quantize layer, this one has 0"},
        {"input 3\nquantize 1\nquantize 1\n", "this one has 2"},
        {"input 3\nquantize 1\nconv 3\n", "nothing stands before"},
        {"input 3\nsave a\nquantize 1\nadd a\n", "goes past the code"},
        {"input 3\nconv 3\nquantize 1\nconv 2\n", "does not reconstruct"},
        {"input 3\nconv 3 pad=valid\nquantize 1\npad 16 16\n", "expected one place for each block"},
        {"input 3\nreshape 192 2 2\nquantize 1\nreshape 3 16 16\n", "made for pictures of 16x16 only"}};
    char directory[256];
    test_directory(directory);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct caelum_picture picture = make_picture(20, 20, 1);
        caelum_codec *codec = NULL;
        uint8_t *bytes = NULL;
        size_t size;
        caelum_model *model = make_model(directory, texts[i][0], i);
        struct caelum_error e = {0};
        int code = caelum_codec_open(&codec, model, 1, &e);
        if (code == 0) code = caelum_codec_encode(codec, &picture, &bytes, &size, &e);
        if (code != CAELUM_EFORMAT || !strstr(e.text, texts[i][1])) fail_msg("%s: %s", texts[i][0], e.text);
        caelum_codec_close(&codec);
        caelum_model_close(&model);
        caelum_picture_free(&picture);
    }
    test_remove(directory);
}

/* --- Files ---------------------------------------------------------------------------------------- */

static int add(caelum_code_writer *writer, const char *name, size_t width, size_t height, const char *bytes,
               struct caelum_error *err) {
    struct caelum_code_entry code = {
        .width = width, .height = height, .bytes = (const uint8_t *)bytes, .size = strlen(bytes)};
    snprintf(code.name, sizeof code.name, "%s", name);
    return caelum_code_writer_add(writer, &code, err);
}

static void damaged_files_are_refused(void **state) {
    (void)state;
    char directory[256], path[300];
    test_directory(directory);
    snprintf(path, sizeof path, "%s/file", directory);
    caelum_model *model = make_model(directory, small_text, 1), *other = make_model(directory, small_text, 2);
    caelum_codec *codec = NULL, *another = NULL;
    caelum_code_writer *writer = NULL;
    caelum_code_reader *reader = NULL;
    uint8_t *bytes = NULL;
    size_t size;
    assert_ok(caelum_codec_open(&codec, model, 1, err));
    assert_ok(caelum_codec_open(&another, other, 1, err));
    assert_ok(caelum_code_writer_open(&writer, path, codec, 2, err));
    assert_ok(add(writer, "first", 300, 2, "abcdefgh", err));
    assert_error(CAELUM_EUSAGE, "'a/b'", add(writer, "a/b", 1, 1, "", err));
    assert_error(CAELUM_EUSAGE, "'..'", add(writer, "..", 1, 1, "", err));
    assert_error(CAELUM_EUSAGE, "''", add(writer, "", 1, 1, "", err));
    assert_ok(add(writer, "second", 1, 1, "", err));
    assert_error(CAELUM_EUSAGE, "more pictures", add(writer, "x", 1, 1, "", err));
    assert_ok(caelum_code_writer_commit(writer, err));
    caelum_code_writer_close(&writer);
    assert_ok(caelum_code_reader_open(&reader, path, codec, err));
    assert_int_equal(caelum_code_reader_count(reader), 2);
    const struct caelum_code_entry *e = caelum_code_reader_entry(reader, 0);
    assert_string_equal(e->name, "first");
    assert_int_equal(e->width, 300);
    assert_int_equal(e->size, 8);
    assert_memory_equal(e->bytes, "abcdefgh", 8);
    caelum_code_reader_close(&reader);
    assert_error(CAELUM_EFORMAT, "another model", caelum_code_reader_open(&reader, path, another, err));
    assert_ok(file_read(path, 1000, &bytes, &size, err));
    for (size_t i = 0; i < 2 * size; i++) {
        uint8_t damaged[200];
        memcpy(damaged, bytes, size);
        if (i < size) damaged[i] ^= (uint8_t)(1 << i % 8);
        assert_ok(file_write(path, damaged, i < size ? size : i - size, err));
        assert_error(CAELUM_EFORMAT, path, caelum_code_reader_open(&reader, path, codec, err));
        assert_null(reader);
    }
    mem_free(&bytes);
    caelum_codec_close(&codec), caelum_codec_close(&another);
    caelum_model_close(&model), caelum_model_close(&other);
    test_remove(directory);
}

/* A file for which 300 pictures were announced, which takes two bytes, and 1 came; and what it must be: these
 * bytes, by docs/code-files.md, with the two-byte form of 1. */
static void fewer_pictures_than_announced_are_a_whole_file(void **state) {
    (void)state;
    char directory[256], path[300];
    test_directory(directory);
    snprintf(path, sizeof path, "%s/file", directory);
    caelum_model *model = make_model(directory, small_text, 1);
    caelum_codec *codec = NULL;
    caelum_code_writer *writer = NULL;
    caelum_code_reader *reader = NULL;
    uint8_t *bytes = NULL;
    size_t size;
    static const uint8_t behind[] = {0x81, 0, 7, 2, 1, 3, 'n', 'a', 'b', 'c'};
    assert_ok(caelum_codec_open(&codec, model, 1, err));
    assert_ok(caelum_code_writer_open(&writer, path, codec, 300, err));
    assert_ok(add(writer, "n", 7, 2, "abc", err));
    assert_ok(caelum_code_writer_commit(writer, err));
    caelum_code_writer_close(&writer);
    assert_ok(file_read(path, 1000, &bytes, &size, err));
    assert_int_equal(size, 9 + sizeof behind + 4);
    assert_memory_equal(bytes + 9, behind, sizeof behind);
    assert_ok(caelum_code_reader_open(&reader, path, codec, err));
    assert_int_equal(caelum_code_reader_count(reader), 1);
    caelum_code_reader_close(&reader);
    mem_free(&bytes);
    caelum_codec_close(&codec);
    caelum_model_close(&model);
    test_remove(directory);
}

/* 16,000 x 16,000 pixels in 3 bytes are refused before memory is taken for them; many tiny ones without any
 * bytes are read. */
static void sizes_must_be_possible(void **state) {
    (void)state;
    char directory[256], path[300];
    test_directory(directory);
    snprintf(path, sizeof path, "%s/file", directory);
    caelum_model *model = make_model(directory, small_text, 1);
    caelum_codec *codec = NULL;
    caelum_code_writer *writer = NULL;
    caelum_code_reader *reader = NULL;
    assert_ok(caelum_codec_open(&codec, model, 1, err));
    assert_ok(caelum_code_writer_open(&writer, path, codec, 1, err));
    assert_ok(add(writer, "huge", 16000, 16000, "abc", err));
    assert_ok(caelum_code_writer_commit(writer, err));
    caelum_code_writer_close(&writer);
    assert_error(CAELUM_EFORMAT, "3 bytes can't hold huge's 16000x16000 pixels",
                 caelum_code_reader_open(&reader, path, codec, err));
    assert_ok(caelum_code_writer_open(&writer, path, codec, 1000, err));
    for (int i = 0; i < 1000; i++) assert_ok(add(writer, "n", 1, 1, "", err));
    assert_ok(caelum_code_writer_commit(writer, err));
    caelum_code_writer_close(&writer);
    assert_ok(caelum_code_reader_open(&reader, path, codec, err));
    assert_int_equal(caelum_code_reader_count(reader), 1000);
    caelum_code_reader_close(&reader);
    caelum_codec_close(&codec);
    caelum_model_close(&model);
    test_remove(directory);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_come_back),
        cmocka_unit_test(a_price_saves_bits),
        cmocka_unit_test(windows_leave_no_seam),
        cmocka_unit_test(networks_without_a_code_are_refused),
        cmocka_unit_test(damaged_files_are_refused),
        cmocka_unit_test(fewer_pictures_than_announced_are_a_whole_file),
        cmocka_unit_test(sizes_must_be_possible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
