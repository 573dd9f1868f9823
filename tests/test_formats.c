/* test_formats.c - wrong data sets, byte by byte: cut, too long, of another type or order of bytes, declaring
 * more than there is; each is refused with words on what and where, and nothing is kept. */
#include "testing.h"

#include "base/file.h"
#include "data/formats.h"
#include "data/pickle.h"

#include <zlib.h>

static void put(const char *name, const void *bytes, size_t size) {
    assert_ok(file_write(test_path(name), bytes, size, err));
}

static int open_at(const char *name, struct caelum_data **data, struct caelum_error *err) {
    struct caelum_data_settings settings = caelum_data_defaults();
    settings.cache_dir = test_root;
    return caelum_data_open(data, test_path(name), &settings, err);
}

static void refuse(const char *name, const void *bytes, size_t size, int code, const char *words) {
    struct caelum_data *data = NULL;
    put(name, bytes, size);
    assert_error(code, words, open_at(name, &data, err));
    assert_null(data);
}

/* 12 pictures of 4 x 5. */
static size_t make_idx(uint8_t bytes[300]) {
    static const uint8_t head[] = {0, 0, 8, 3, 0, 0, 0, 12, 0, 0, 0, 4, 0, 0, 0, 5};
    memcpy(bytes, head, sizeof head);
    for (size_t i = 0; i < 240; i++) bytes[16 + i] = (uint8_t)i;
    return 256;
}

static void wrong_idx_files_are_refused(void **state) {
    (void)state;
    uint8_t bytes[300] = {0};
    struct caelum_data *data = NULL;
    const size_t size = make_idx(bytes);
    put("good", bytes, size);
    assert_ok(open_at("good", &data, err));
    assert_string_equal(data->name, "idx");
    assert_int_equal(data->c * 100 + data->h * 10 + data->w, 145);
    for (size_t i = 0; i < 240; i++) assert_int_equal(data->pixels[i], i);
    caelum_data_close(&data);
    refuse("cut", bytes, size - 1, CAELUM_EFORMAT,
           "cut: its header declares 240 values of 1 bytes, but 239 bytes follow");
    refuse("long", bytes, size + 1, CAELUM_EFORMAT, "but 241 bytes follow");
    bytes[4] = 128; /* 2^31 more */
    refuse("many", bytes, size, CAELUM_EFORMAT,
           "declares 42949673200 values of 1 bytes, but 240 bytes follow");
    make_idx(bytes);
    bytes[5] = 1; /* 2^16 more */
    refuse("more", bytes, size, CAELUM_EFORMAT, "declares 1310960 values");
    memset(bytes + 4, 255, 12);
    refuse("over", bytes, size, CAELUM_ERESOURCE, "");
    make_idx(bytes);
    bytes[7] = 0, bytes[4] = 12; /* the lowest byte first */
    refuse("order", bytes, size, CAELUM_EFORMAT, "declares 4026531840 values");
    make_idx(bytes);
    bytes[2] = 10;
    refuse("type", bytes, size, CAELUM_EFORMAT,
           "of type 10 with 3 dimensions; expected an idx file as MNIST's");
    bytes[2] = 8, bytes[3] = 5;
    refuse("dims", bytes, size, CAELUM_EFORMAT, "of type 8 with 5 dimensions");
    bytes[3] = 1;
    refuse("labels", bytes, 20, CAELUM_EFORMAT,
           "no array in it is of pictures; expected pictures as N x H x W");
    refuse("empty", bytes, 0, CAELUM_EFORMAT, "an empty file; expected a data set");
}

/* Words of names, by which a part of the data or labels are known. */
static void words_of_names_are_whole(void **state) {
    (void)state;
    static const char *const words[] = {"y", "labels", NULL};
    static const struct {
        const char *name;
        enum caelum_split part;
        size_t word;
    } cases[] = {{"x_train.npy", CAELUM_TRAIN, SIZE_MAX},
                 {"Y_Train.npy", CAELUM_TRAIN, 0},
                 {"t10k-labels-idx1-ubyte", CAELUM_TEST, 1},
                 {"restrained.npy", CAELUM_ALL, SIZE_MAX},
                 {"my validation.npy", CAELUM_VALIDATION, SIZE_MAX},
                 {"", CAELUM_ALL, SIZE_MAX}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const size_t length = strlen(cases[i].name);
        assert_int_equal(source_part(cases[i].name, length), cases[i].part);
        assert_true(source_word(cases[i].name, length, words) == cases[i].word);
    }
}

/* Compressed: cut, damaged, and what expands without end. */
/* However few pictures a limit leaves, each part has some. */
static void a_limit_leaves_every_part(void **state) {
    (void)state;
    static uint8_t bytes[16 + 20 * 200] = {0, 0, 8, 3, 0, 0, 0, 200, 0, 0, 0, 4, 0, 0, 0, 5};
    struct caelum_data_settings settings = caelum_data_defaults();
    struct caelum_data *data = NULL;
    settings.cache_dir = test_root;
    assert_ok(file_make_directory(test_path("parts"), err));
    put("parts/train-images-idx3-ubyte", bytes, sizeof bytes);
    bytes[7] = 10;
    put("parts/t10k-images-idx3-ubyte", bytes, 16 + 20 * 10);
    settings.limit = 20;
    assert_ok(caelum_data_open(&data, test_path("parts"), &settings, err));
    assert_int_equal(caelum_data_count(data, CAELUM_TEST), 1);
    assert_int_equal(caelum_data_count(data, CAELUM_VALIDATION), 1);
    assert_int_equal(caelum_data_count(data, CAELUM_TRAIN), 18);
    caelum_data_close(&data);
    settings.limit = 10; /* nine are left for training and validation */
    assert_error(CAELUM_EUSAGE, "9 pictures for training are too few to take others out of them",
                 caelum_data_open(&data, test_path("parts"), &settings, err));
}

static void wrong_compressed_files_are_refused(void **state) {
    (void)state;
    static uint8_t zeros[1 << 20];
    uint8_t bytes[300], *packed = NULL;
    size_t size;
    struct caelum_data *data = NULL;
    gzFile f = gzopen(test_path("a.gz"), "wb");
    gzwrite(f, bytes, (unsigned)make_idx(bytes));
    gzclose(f);
    assert_ok(open_at("a.gz", &data, err));
    assert_int_equal(data->count, 12);
    caelum_data_close(&data);
    assert_ok(file_read(test_path("a.gz"), 1 << 20, &packed, &size, err));
    refuse("b.gz", packed, size - 5, CAELUM_EFORMAT, "b.gz: its compressed data are cut short");
    packed[size - 6] ^= 1; /* of the checksum */
    refuse("c.gz", packed, size, CAELUM_EFORMAT, "c.gz: its compressed data are damaged");
    mem_free(&packed);
    f = gzopen(test_path("bomb.gz"), "wb1");
    bytes[2] = 8;
    gzwrite(f, bytes, 16);
    for (int i = 0; i < 300; i++) gzwrite(f, zeros, sizeof zeros);
    gzclose(f);
    assert_error(CAELUM_EFORMAT, "decompressed it is longer than the", open_at("bomb.gz", &data, err));
}

static size_t make_npy(uint8_t bytes[600], const char *dict) {
    memset(bytes, ' ', 600);
    memcpy(bytes, "\x93NUMPY\x01\x00\x76\x00", 10);
    memcpy(bytes + 10, dict, strlen(dict));
    for (size_t i = 0; i < 240; i++) bytes[128 + i] = (uint8_t)i;
    return 128 + 240;
}

static void wrong_arrays_are_refused(void **state) {
    (void)state;
    uint8_t b[600];
    struct caelum_data *data = NULL;
    const struct {
        const char *dict, *words;
    } bad[] = {
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (2147483648, 4, 5), }",
         "declares 42949672960 values"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (12, 4, 4), }",
         "declares 192 values of 1 bytes, but 240"},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (12, 4, 5), }", "an array of Python objects"},
        {"{'descr': '<U5', 'fortran_order': False, 'shape': (12, 4), }", "two dimensions are no pictures"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (12, 2, 2, 5), }", "neither pictures nor labels"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (12, 1, 4, 5, 1), }", "header not understood"},
        {"{'descr': '|i1', 'fortran_order': False, 'shape': (12, 4, 5), }",
         "picture 6 has the value -128; expected whole numbers from 0 to 255"},
        {"{'descr': '<u2', 'fortran_order': False, 'shape': (6, 4, 5), }", "picture 0 has the value 256"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4, 5), }", "expected floats from 0 to 1"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (0, 4, 5), }", "declares 0 values of 1 bytes"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (12, 20, 1), }", NULL},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (4, 4, 5, 3), }",
         "4 pictures are too few to split"},
        {"{'descr': '|u1', 'fortran_order': Maybe, 'shape': (12, 4, 5), }", "header not understood"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char name[40];
        const size_t size = make_npy(b, bad[i].dict);
        snprintf(name, sizeof name, "%zu.npy", i);
        put(name, b, size);
        struct caelum_error err = {0};
        const int code = open_at(name, &data, &err);
        if (bad[i].words ? code == 0 || !strstr(err.text, bad[i].words) : code != 0)
            fail_msg("%s: %s", bad[i].dict, err.text);
        caelum_data_close(&data);
    }
    for (size_t n = 0; n < 368; n += 7) { /* cut anywhere */
        struct caelum_error err = {0};
        make_npy(b, "{'descr': '|u1', 'fortran_order': False, 'shape': (12, 4, 5), }");
        put("cut.npy", b, n);
        assert_true(open_at("cut.npy", &data, &err) != 0);
    }
}

/* A pickle of CIFAR's kind, with any byte changed or cut off: refused or read, never more. */
static void damaged_pickles_do_no_harm(void **state) {
    (void)state;
    static const uint8_t good[] = "\x80\x02}q\x01(U\x06labelsq\x02]q\x03(K\x01K\x02"
                                  "eU\x04"
                                  "dataq\x04"
                                  "cnumpy.core.multiarray\n_reconstruct\n"
                                  "cnumpy\nndarray\nK\x00\x85U\x01"
                                  "b\x87R(K\x01K\x02K\x03\x86"
                                  "cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNN"
                                  "J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x06"
                                  "abcdeftbu.";
    struct pickle pickle = {0};
    assert_ok(pickle_read(&pickle, "p", good, sizeof good - 1, err));
    const struct pickled *data = pickle_find(&pickle, "data"), *labels = pickle_find(&pickle, "labels");
    assert_true(data->kind == PICKLED_ARRAY && data->rows == 2 && data->size == 6);
    assert_memory_equal(data->bytes, "abcdef", 6);
    assert_true(labels->kind == PICKLED_ITEMS && labels->size == 2 && pickle.item[labels->at + 1].size == 2);
    pickle_close(&pickle);
    uint8_t other[sizeof good];
    memcpy(other, good, sizeof good);
    *(uint8_t *)memchr(other, 0x89, sizeof other) = 0x88; /* the first index varies fastest */
    assert_error(CAELUM_EFORMAT, "no pickle as CIFAR's",
                 pickle_read(&pickle, "p", other, sizeof good - 1, err));
    memcpy(other, good, sizeof good);
    for (size_t i = 0; i + 2 < sizeof good; i++)
        if (memcmp(good + i, "u1", 2) == 0) other[i] = 'i'; /* bytes with a sign */
    assert_error(CAELUM_EFORMAT, "no pickle as CIFAR's",
                 pickle_read(&pickle, "p", other, sizeof good - 1, err));
    for (size_t i = 0; i < sizeof good - 1; i++)
        for (int v = 0; v < 256; v++) {
            uint8_t *bytes =
                malloc(sizeof good - 1); /* of its size, so that a checker sees what is read beyond */
            memcpy(bytes, good, sizeof good - 1);
            bytes[i] = (uint8_t)v;
            if (pickle_read(&pickle, "p", bytes, v ? sizeof good - 1 : i, NULL) == 0) {
                const struct pickled *found = pickle_find(&pickle, "data");
                if (found && found->kind == PICKLED_ARRAY)
                    assert_true(found->size <= (size_t)(bytes + sizeof good - 1 - found->bytes));
                pickle_close(&pickle);
            }
            free(bytes);
        }
}

/* The reader keeps a list's values in one piece, and refuses what it could only keep otherwise. */
static void lists_that_are_not_in_one_piece_are_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "\x80\x02}(U\x01x]q\x01K\x01"
        "aU\x01yh\x01u.", /* recalled, though it has grown since */
        "\x80\x02]K\x01"
        "a]K\x02"
        "aa.", /* it grows after another list */
        "\x80\x02K\x01"
        "a.", /* there is none */
    };
    struct pickle pickle = {0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_error(CAELUM_EFORMAT, "no pickle as CIFAR's",
                     pickle_read(&pickle, "p", (const uint8_t *)bad[i], strlen(bad[i]), err));
}

static void wrong_stl_files_are_refused(void **state) {
    (void)state;
    enum { PICTURE = 3 * 96 * 96 };
    static uint8_t bytes[12 * PICTURE];
    struct caelum_data *data = NULL;
    assert_ok(file_make_directory(test_path("stl"), err));
    put("stl/train_X.bin", bytes, sizeof bytes - 1);
    assert_error(CAELUM_EFORMAT, "train_X.bin: 331775 bytes, expected a multiple of 27648",
                 open_at("stl", &data, err));
    put("stl/train_X.bin", bytes, sizeof bytes);
    put("stl/train_y.bin", "\1\2\3\4\5\6\7\10\11\12\1", 11);
    assert_error(CAELUM_EFORMAT, "train_y.bin: expected 12 labels, each from 1 to 10",
                 open_at("stl", &data, err));
    put("stl/train_y.bin", "\1\2\3\4\5\6\7\10\11\12\1\13", 12);
    assert_error(CAELUM_EFORMAT, "each from 1 to 10", open_at("stl", &data, err));
    put("stl/train_y.bin", "\1\2\3\4\5\6\7\10\11\12\1\12", 12);
    put("stl/class_names.txt", "a\nb\n", 4);
    assert_error(CAELUM_EFORMAT, "class_names.txt: expected the names of 10 classes, got 2",
                 open_at("stl", &data, err));
    unlink(test_path("stl/class_names.txt"));
    assert_ok(open_at("stl", &data, err));
    assert_int_equal(data->labels[11], 9);
    caelum_data_close(&data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_idx_files_are_refused),
        cmocka_unit_test(a_limit_leaves_every_part),
        cmocka_unit_test(wrong_compressed_files_are_refused),
        cmocka_unit_test(wrong_arrays_are_refused),
        cmocka_unit_test(damaged_pickles_do_no_harm),
        cmocka_unit_test(lists_that_are_not_in_one_piece_are_refused),
        cmocka_unit_test(wrong_stl_files_are_refused),
        cmocka_unit_test(words_of_names_are_whole),
    };
    return cmocka_run_group_tests_name("formats", tests, test_open_root, test_close_root);
}
