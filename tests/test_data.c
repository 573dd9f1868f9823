/* test_data.c - the CIFAR-10 reader on whole and broken files, the archive against the directory, the
 * cache, the split, the generated pictures' golden hash, and pictures in memory by their strides. */
#include "testing.h"

#include "base/file.h"
#include "data/data.h"

#include <archive.h>
#include <archive_entry.h>
#include <nettle/sha2.h>

enum { CIFAR_CLASSES = 10, CIFAR_RECORD = 3073, CIFAR_BYTES = 10000 * CIFAR_RECORD, CIFAR_COUNT = 60000 };

static const char *const names[6] = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                     "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"};

static uint8_t *batch; /* CIFAR_BYTES: good labels, and noise at the start of each picture */
static char root[256], batches[300], cache[300];

static int make_batches(void **state) {
    (void)state;
    struct caelum_error err;
    test_directory(root);
    snprintf(batches, sizeof batches, "%s/batches", root);
    snprintf(cache, sizeof cache, "%s/cache", root);
    if (mem_alloc(&batch, CIFAR_BYTES + 1, 1, &err) != 0 || file_make_directory(batches, &err) != 0)
        return -1;
    struct rng rng = rng_make(1, RNG_TEST, 0);
    for (size_t i = 0; i < CIFAR_BYTES; i++)
        batch[i] = (uint8_t)(i % CIFAR_RECORD == 0    ? i / CIFAR_RECORD % 10
                             : i % CIFAR_RECORD < 100 ? rng_u32(&rng) & 63
                                                      : 0);
    for (size_t i = 0; i < 6; i++) {
        char path[400];
        batch[1] = (uint8_t)i; /* tells the files apart */
        snprintf(path, sizeof path, "%s/%s", batches, names[i]);
        if (file_write(path, batch, CIFAR_BYTES, &err) != 0) return -1;
    }
    return 0;
}

static int remove_batches(void **state) {
    (void)state;
    mem_free(&batch);
    test_remove(root);
    return 0;
}

static int open_at(struct caelum_data **data, const char *spec, struct caelum_error *err) {
    struct caelum_data_settings settings = caelum_data_defaults();
    settings.cache_dir = cache;
    return caelum_data_open(data, spec, &settings, err);
}

/* Writes one file of the batches anew. */
static void replace(size_t file, size_t size) {
    char path[400];
    snprintf(path, sizeof path, "%s/%s", batches, names[file]);
    assert_ok(file_write(path, batch, size, err));
}

static void broken_batches_are_named(void **state) {
    (void)state;
    struct caelum_data *data = NULL;
    char path[400];
    replace(2, CIFAR_BYTES - 1);
    assert_error(CAELUM_EFORMAT,
                 "data_batch_3.bin: 30730000 bytes expected (10000 records of 3073), got 30729999: it ends "
                 "in record 10000",
                 open_at(&data, batches, err));
    replace(2, CIFAR_BYTES + 1);
    assert_error(CAELUM_EFORMAT, "got 30730001", open_at(&data, batches, err));
    batch[(size_t)4711 * CIFAR_RECORD] = 10;
    replace(2, CIFAR_BYTES);
    assert_error(CAELUM_EFORMAT, "data_batch_3.bin: record 4712 has label 10, expected 0 to 9",
                 open_at(&data, batches, err));
    batch[(size_t)4711 * CIFAR_RECORD] = 1;
    snprintf(path, sizeof path, "%s/%s", batches, names[2]);
    unlink(path);
    assert_error(CAELUM_EIO, "data_batch_3.bin is missing", open_at(&data, batches, err));
    batch[1] = 2;
    replace(2, CIFAR_BYTES);
    assert_error(CAELUM_EIO, "expected a directory of pictures, a file or directory of a data set",
                 open_at(&data, "/nowhere", err));
    assert_error(CAELUM_EIO, "no data set that is known is in it; expected pictures",
                 open_at(&data, cache, err));
    assert_null(data);
}

static void write_archive(const char *path, size_t files) {
    struct archive *a = archive_write_new();
    archive_write_add_filter_gzip(a);
    archive_write_set_filter_option(a, "gzip", "compression-level", "1");
    archive_write_set_format_ustar(a);
    assert_int_equal(archive_write_open_filename(a, path), ARCHIVE_OK);
    for (size_t i = files; i-- > 0;) { /* the other way round: the order must not matter */
        struct archive_entry *e = archive_entry_new();
        char name[100];
        snprintf(name, sizeof name, "cifar-10-batches-bin/%s", names[i]);
        archive_entry_set_pathname(e, name);
        archive_entry_set_size(e, CIFAR_BYTES);
        archive_entry_set_filetype(e, AE_IFREG);
        archive_entry_set_perm(e, 0644);
        batch[1] = (uint8_t)i;
        assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
        assert_int_equal(archive_write_data(a, batch, CIFAR_BYTES), CIFAR_BYTES);
        archive_entry_free(e);
    }
    archive_write_close(a);
    archive_write_free(a);
}

static void an_archive_equals_the_directory(void **state) {
    (void)state;
    struct caelum_data *a = NULL, *b = NULL;
    char path[400], cut[400];
    uint8_t *bytes = NULL;
    size_t size;
    snprintf(path, sizeof path, "%s/cifar.tar.gz", root);
    snprintf(cut, sizeof cut, "%s/cut.tar.gz", root);
    write_archive(path, 6);
    assert_ok(open_at(&a, batches, err));
    assert_ok(open_at(&b, path, err));
    assert_string_equal(a->fingerprint, b->fingerprint);
    assert_memory_equal(a->labels, b->labels, CIFAR_COUNT * sizeof *a->labels);
    assert_int_equal(a->pixels[0], 0);
    assert_int_equal(a->pixels[(size_t)50000 * 3072], 5);
    caelum_data_close(&a);
    caelum_data_close(&b);
    assert_ok(file_read(path, (size_t)1 << 30, &bytes, &size, err));
    assert_ok(file_write(cut, bytes, size * 2 / 3, err));
    assert_error(CAELUM_EFORMAT, "damaged", open_at(&a, cut, err));
    memset(bytes + size / 2, 0x55, 5000);
    assert_ok(file_write(cut, bytes, size, err));
    assert_error(CAELUM_EFORMAT, "cut.tar.gz", open_at(&a, cut, err));
    assert_ok(file_write(cut, "this is no archive", 18, err));
    assert_error(CAELUM_EFORMAT, "no data set that is known; expected a data set: a directory or archive",
                 open_at(&a, cut, err));
    mem_free(&bytes);
    write_archive(cut, 5);
    assert_error(CAELUM_EIO, "test_batch.bin is missing", open_at(&a, cut, err));
    assert_null(a);
}

static void the_cache_is_checked_before_it_is_used(void **state) {
    (void)state;
    struct caelum_data *data = NULL;
    char command[700], fingerprint[65];
    assert_ok(open_at(&data, batches, err));
    memcpy(fingerprint, data->fingerprint, sizeof fingerprint);
    caelum_data_close(&data);
    snprintf(command, sizeof command, "for f in '%s'/data*; do printf garbage > \"$f\"; done", cache);
    assert_int_equal(system(command), 0);
    assert_ok(open_at(&data, batches, err));
    assert_string_equal(data->fingerprint, fingerprint);
    caelum_data_close(&data);
    /* a changed source is noticed */
    batch[1] = 0, batch[2] = 99;
    replace(0, CIFAR_BYTES);
    assert_ok(open_at(&data, batches, err));
    assert_string_not_equal(data->fingerprint, fingerprint);
    assert_int_equal(data->pixels[1], 99);
    caelum_data_close(&data);
}

static void assert_classes(const struct caelum_data *data) {
    size_t n;
    for (size_t i = 0; i < CIFAR_CLASSES; i++) {
        assert_string_equal(caelum_data_class(data, i, &n), i == 0   ? "airplane"
                                                            : i == 9 ? "truck"
                                                                     : caelum_data_class(data, i, &n));
        assert_int_equal(n, CIFAR_COUNT / 10);
    }
    assert_null(caelum_data_class(data, 10, &n));
}

/* One label beyond the classes would be counted beyond an array; all of them equal, a classifier learns
 * nothing and is never wrong. */
static void damaged_labels_are_noticed(void **state) {
    (void)state;
    struct caelum_data *data = NULL;
    static struct caelum_data_info info;
    char command[900];
    for (int all = 0; all < 2; all++) {
        snprintf(command, sizeof command,
                 "for f in '%s'/data*; do dd if=/dev/zero bs=1000 count=%d status=none | tr '\\0' '\\%d' | "
                 "dd of=\"$f\" bs=4096 seek=45001 conv=notrunc status=none; done",
                 cache, all ? 60 : 1, all ? 3 : 377);
        assert_int_equal(system(command), 0);
        assert_ok(open_at(&data, batches, err));
        assert_ok(caelum_data_describe(data, &info, err));
        assert_classes(data);
        caelum_data_close(&data);
    }
}

/* Small archives that unpack to much: given up on before. */
/* A compressed tar of one file of `size` zeros. */
static void write_zeros(const char *path, const char *name, size_t size) {
    static const uint8_t zeros[1 << 16];
    struct archive *a = archive_write_new();
    struct archive_entry *e = archive_entry_new();
    archive_write_add_filter_gzip(a);
    archive_write_set_format_ustar(a);
    assert_int_equal(archive_write_open_filename(a, path), ARCHIVE_OK);
    archive_entry_set_pathname(e, name);
    archive_entry_set_size(e, (la_int64_t)size);
    archive_entry_set_filetype(e, AE_IFREG);
    assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
    for (size_t i = 0; i < size; i += sizeof zeros) archive_write_data(a, zeros, sizeof zeros);
    archive_entry_free(e);
    archive_write_close(a);
    archive_write_free(a);
}

static void archives_of_other_things_are_refused(void **state) {
    (void)state;
    struct caelum_data *data = NULL;
    char path[400];
    snprintf(path, sizeof path, "%s/bomb.tar.gz", root);
    write_zeros(path, "zeros", (size_t)300 << 20);
    assert_error(CAELUM_EFORMAT, "MiB in an archive of its size", open_at(&data, path, err));
    snprintf(path, sizeof path, "%s/empty.tar.gz", root);
    write_zeros(path, "empty.bin", 0);
    assert_error(CAELUM_EIO, "no data set that is known is in it", open_at(&data, path, err));
    snprintf(path, sizeof path, "%s/pipe", root);
    assert_int_equal(mkfifo(path, 0600), 0);
    alarm(60);
    assert_error(CAELUM_EIO, "neither a directory nor a regular file", open_at(&data, path, err));
    alarm(0);
}

/* The order of the pictures is part of every result: it must never change. */
static void the_split_is_golden(void **state) {
    (void)state;
    static const uint32_t golden[8] = {21567, 48761, 29463, 32422, 26488, 37805, 42321, 22430};
    struct caelum_data *data = NULL;
    assert_ok(open_at(&data, batches, err));
    assert_int_equal(caelum_data_count(data, CAELUM_TRAIN), 48000);
    assert_int_equal(caelum_data_count(data, CAELUM_VALIDATION), 6000);
    assert_int_equal(caelum_data_count(data, CAELUM_TEST), 6000);
    assert_memory_equal(data->order, golden, sizeof golden);
    assert_ptr_equal(data_pictures(data, CAELUM_TEST).index, data->order + 54000);
    caelum_data_close(&data);
}

static void generated_pictures_are_golden(void **state) {
    (void)state;
    struct caelum_data *data = NULL, *small = NULL;
    char hex[65];
    uint8_t digest[32];
    struct sha256_ctx sha;
    assert_ok(open_at(&data, "synthetic:64", err));
    sha256_init(&sha);
    sha256_update(&sha, 64 * 3072, data->pixels);
    sha256_digest(&sha, 32, digest);
    for (size_t i = 0; i < 32; i++) snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    assert_string_equal(hex, "c7ad0274c23e1d6cd17a8dec5cd9fdd859fd16b283c6c21358bada473e731649");
    /* a picture does not depend on how many there are */
    assert_ok(open_at(&small, "synthetic:10", err));
    assert_memory_equal(small->pixels, data->pixels, 10 * 3072);
    caelum_data_close(&small);
    caelum_data_close(&data);
    assert_error(CAELUM_EUSAGE, "expected synthetic[:COUNT[:SIZE]]", open_at(&data, "synthetic:5", err));
    assert_error(CAELUM_EUSAGE, "expected synthetic[:COUNT[:SIZE]]",
                 open_at(&data, "synthetic:50:9000", err));
    assert_error(CAELUM_EUSAGE, "expected synthetic[:COUNT[:SIZE]]", open_at(&data, "synthetic:abc", err));
}

static void a_spec_is_taken_by_its_words(void **state) {
    (void)state;
    struct caelum_data *data = NULL;
    struct caelum_data_settings settings = caelum_data_defaults();
    char path[400], *const longer = calloc(1, 3000);
    assert_true(data_is_synthetic("synthetic", NULL, NULL));
    assert_true(data_is_synthetic("synthetic:10:16", NULL, NULL));
    static const char *const paths[] = {
        "synthetic-faces", "synthetic/",    "synthetic:",  "synthetic:10:", "synthetic:10:8:8",
        "synthetic: 10",   "synthetic:+10", "./synthetic", "Synthetic",     "synthetic:99999999999999999999"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        assert_false(data_is_synthetic(paths[i], NULL, NULL));
    snprintf(path, sizeof path, "%s/synthetic-faces", root);
    assert_ok(file_make_directory(path, err));
    assert_int_equal(chdir(root), 0);
    assert_error(CAELUM_EIO, "synthetic-faces: no data set that is known is in it",
                 open_at(&data, "synthetic-faces", err));
    assert_error(CAELUM_EIO, "synthetic-cats: No such file", open_at(&data, "synthetic-cats", err));
    /* a source is never cut */
    memset(longer, '/', 2000);
    strcat(longer, batches);
    assert_ok(open_at(&data, longer, err));
    assert_string_equal(data->source, longer);
    caelum_data_close(&data);
    free(longer);
    settings.crop = 3; /* whatever the pictures are */
    assert_error(CAELUM_EUSAGE, "crop: expected 8 to 256, got 3",
                 caelum_data_open(&data, "synthetic:10", &settings, err));
    assert_error(CAELUM_EUSAGE, "crop: expected 8 to 256, got 3",
                 caelum_data_open(&data, batches, &settings, err));
    assert_int_equal(chdir("/"), 0);
}

/* Natural pictures: neighbours alike, all brightnesses, colors that are neither grey nor garish. */
static void generated_pictures_look_natural(void **state) {
    (void)state;
    struct caelum_data *data = NULL;
    struct caelum_data_info info;
    assert_ok(open_at(&data, "synthetic:500", err));
    assert_ok(caelum_data_describe(data, &info, err));
    double same = 0, all = 0;
    for (size_t i = 0; i < 500 * 3 * 32; i++)
        for (size_t x = 0; x < 31; x++) {
            const double m = info.mean[i / 32 % 3] * 255, a = data->pixels[i * 32 + x] - m,
                         b = data->pixels[i * 32 + x + 1] - m;
            same += a * b, all += a * a;
        }
    assert_true(same / all > 0.85 && same / all < 0.98);
    for (size_t c = 0; c < 3; c++) {
        assert_true(info.mean[c] > 0.35 && info.mean[c] < 0.6);
        assert_true(info.deviation[c] > 0.18 && info.deviation[c] < 0.3);
    }
    caelum_data_close(&data);
}

static void real_data_are_as_published(void **state) {
    (void)state;
    const char *own = getenv("CAELUM_DATA"), *path = own && *own ? own : SOURCE_DIR "/../shared/cifar10";
    struct caelum_data *data = NULL;
    struct caelum_data_info info;
    struct stat st;
    if (stat(path, &st) != 0) {
        print_message("skipped: no CIFAR-10 at %s; CAELUM_DATA names another place\n", path);
        skip();
    }
    assert_ok(open_at(&data, path, err));
    assert_ok(caelum_data_describe(data, &info, err));
    assert_classes(data);
    for (size_t i = 0; i < info.files; i++) assert_int_equal(info.file[i].known, 1);
    assert_string_equal(info.pixels_sha256,
                        "2ae5d6db0453753867541f0ccce0b648fcd0aaf596c0ca67c33dc03b3deaf283");
    /* the usual figures of the 50,000 are .4914 .4822 .4465; the 10,000 move the last digits */
    assert_true(info.mean[0] > 0.4910 && info.mean[0] < 0.4925);
    assert_true(info.mean[2] > 0.4460 && info.mean[2] < 0.4480);
    caelum_data_close(&data);
}

/* What a model's metadata say of its training, as eval takes it. */
static void settings_are_those_of_a_models_training(void **state) {
    (void)state;
    const struct {
        size_t side;
        const char *kind, *crop, *resize;
        size_t wanted;
        enum caelum_resize how;
    } cases[] = {
        {32, "folder", "0", "no", 0, CAELUM_RESIZE_NONE},
        {32, "folder", "32", "fit", 32, CAELUM_RESIZE_FIT},
        {16, "folder", "0", "crop", 16, CAELUM_RESIZE_CROP},
        {16, "numpy", "0", "no", 16, CAELUM_RESIZE_NONE},
        {16, "numpy", NULL, NULL, 16, CAELUM_RESIZE_NONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct caelum_data_settings settings = caelum_data_defaults();
        caelum_net *net = NULL;
        caelum_model *model = NULL;
        assert_ok(
            caelum_net_parse(&net, "input 3\nconv 3 sigmoid\n", "test", cases[i].side, cases[i].side, err));
        assert_ok(caelum_model_create(&model, net, 1, err));
        caelum_net_close(&net);
        assert_ok(caelum_model_set_metadata(model, "data", cases[i].kind, err));
        if (cases[i].crop) assert_ok(caelum_model_set_metadata(model, "crop", cases[i].crop, err));
        if (cases[i].resize) assert_ok(caelum_model_set_metadata(model, "resize", cases[i].resize, err));
        assert_ok(caelum_model_set_metadata(model, "split_seed", "7", err));
        assert_ok(caelum_model_set_metadata(model, "limit", "50", err));
        settings.synthetic_seed = 3;
        assert_ok(caelum_model_data_settings(model, &settings, err));
        assert_true(settings.split_seed == 7 && settings.limit == 50 && settings.synthetic_seed == 3);
        assert_int_equal(settings.crop, cases[i].wanted);
        assert_int_equal(settings.resize, cases[i].how);
        assert_ok(caelum_model_set_metadata(model, "limit", "-1", err));
        assert_error(CAELUM_EFORMAT, "limit is '-1'", caelum_model_data_settings(model, &settings, err));
        caelum_model_close(&model);
    }
}

/* Planes in memory, read backwards in one dimension at a time. */
static void each_stride_counts(void **state) {
    enum { N = 60, SIDE = 16, PLANE = SIDE * SIDE, SIZE = 3 * PLANE };
    static const size_t size[4] = {N, 3, SIDE, SIDE}, stride[4] = {SIZE, PLANE, SIDE, 1};
    static uint8_t pixels[N * SIZE];
    struct rng rng = rng_make(6, RNG_TEST, 0);
    (void)state;
    for (size_t i = 0; i < N * SIZE; i++) pixels[i] = (uint8_t)rng_u32(&rng);
    for (size_t d = 0; d < 4; d++) {
        const size_t last = (size[d] - 1) * stride[d];
        struct caelum_pictures p = {
            .pixels = pixels + last, .count = N, .channels = 3, .height = SIDE, .width = SIDE};
        caelum_data *data = NULL;
        for (size_t k = 0; k < 4; k++) p.stride[k] = (k == d ? -1 : 1) * (ptrdiff_t)stride[k];
        assert_ok(caelum_data_from_pictures(&data, &p, NULL, err));
        for (size_t i = 0; i < N * SIZE; i++) {
            const size_t at = i / stride[d] % size[d];
            assert_int_equal(data->pixels[i], pixels[i + last - 2 * at * stride[d]]);
        }
        caelum_data_close(&data);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_batches_are_named),
        cmocka_unit_test(an_archive_equals_the_directory),
        cmocka_unit_test(the_split_is_golden),
        cmocka_unit_test(the_cache_is_checked_before_it_is_used),
        cmocka_unit_test(damaged_labels_are_noticed),
        cmocka_unit_test(archives_of_other_things_are_refused),
        cmocka_unit_test(a_spec_is_taken_by_its_words),
        cmocka_unit_test(generated_pictures_are_golden),
        cmocka_unit_test(generated_pictures_look_natural),
        cmocka_unit_test(real_data_are_as_published),
        cmocka_unit_test(settings_are_those_of_a_models_training),
        cmocka_unit_test(each_stride_counts),
    };
    return cmocka_run_group_tests_name("data", tests, make_batches, remove_batches);
}
