/* test_safetensors.c - model files: layouts that the format allows, what is refused, metadata of any bytes
 * and length, and no file that is not whole whichever allocation fails. */
#include "model_files.h"

#include "model/safetensors.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <sys/wait.h>

/* --- Allocations that fail ------------------------------------------------------------------------ */

#if defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

/* After `left` more allocations, anywhere in the process, the next one fails; below 0 none does. */
static long left = -1;

#if defined __GLIBC__ && !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__ && !defined SANITIZED
#define ALL_ALLOCATIONS 1
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static bool refused(void) {
    if (left < 0 || left-- > 0) return false;
    errno = ENOMEM;
    return true;
}
void *malloc(size_t size) {
    return refused() ? NULL : __libc_malloc(size);
}
void *calloc(size_t count, size_t size) {
    return refused() ? NULL : __libc_calloc(count, size);
}
void *realloc(void *block, size_t size) {
    return refused() ? NULL : __libc_realloc(block, size);
}
void *aligned_alloc(size_t alignment, size_t size) {
    return refused() ? NULL : __libc_memalign(alignment, size);
}
#else
#define ALL_ALLOCATIONS 0
#endif

static caelum_model *model_with_metadata(void) {
    caelum_model *model = model_of("input 2\nsave a\nconv 4 gelu\nconcat a\ndense 3\nlatent\n", 8, 8, 1, 1);
    char key[16];
    for (int i = 0; i < 40; i++) {
        snprintf(key, sizeof key, "key%d", i);
        assert_ok(caelum_model_set_metadata(model, key, "a value", err));
    }
    return model;
}

static void same_model(const caelum_model *a, const caelum_model *b) {
    assert_int_equal(a->net->params, b->net->params);
    assert_memory_equal(a->params, b->params, a->net->params * sizeof(float));
    for (size_t i = 0; i < a->metadata->count; i++) {
        const char *value = metadata_get(b->metadata, a->metadata->entry[i].key);
        if (!value || strcmp(value, a->metadata->entry[i].value) != 0)
            fail_msg("%s: metadata '%s': '%s' came back as '%s'", b->net->file, a->metadata->entry[i].key,
                     a->metadata->entry[i].value, value ? value : "nothing");
    }
}

enum outcome { UNMET, FAILED, MADE };

/* Exports in a process of its own: where memory is gone, libarchive ends the process. That is a failure, too.
 */
static enum outcome export_without(const caelum_model *model, const char *path, long n) {
    int status;
    const pid_t child = fork();
    if (child == 0) {
        struct caelum_error why;
        signal(SIGSEGV, SIG_DFL); /* cmocka's handler would run the next test */
        left = n;
        const int result = caelum_model_export(model, path, &why);
        _exit(result != 0 ? FAILED : left < 0 ? MADE : UNMET);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status)) return (enum outcome)WEXITSTATUS(status);
    if (!strstr(path, ".npz")) fail_msg("allocation %ld: killed by signal %d", n, WTERMSIG(status));
    return FAILED;
}

static void fail_each_allocation(const char *ending) {
    const struct caelum_import_settings settings = caelum_import_defaults();
    struct caelum_error why = {0};
    const struct exchange_format *format;
    char path[300];
    snprintf(path, sizeof path, "%s/out%s", directory, ending);
    if (exchange_find(&format, path, &why) != 0) return;
    caelum_model *model = model_with_metadata(), *back = NULL;
    long n = 0, failed = 0;
    const long step = (long)test_cases(9, 1);
    for (enum outcome outcome = MADE; outcome != UNMET; n += n < 20 ? 1 : step) {
        unlink(path);
        outcome = export_without(model, path, n);
        failed += outcome == FAILED;
        if (outcome == FAILED && access(path, F_OK) == 0)
            fail_msg("%s: allocation %ld: a file is left", ending, n);
        if (outcome == FAILED) continue;
        if (caelum_model_import(&back, path, &settings, &why) != 0)
            fail_msg("%s: allocation %ld failed, and export made a file that can't be read: %s", ending, n,
                     why.text);
        same_model(model, back);
        caelum_model_close(&back);
    }
    assert_in_range(failed, 20, n);
    caelum_model_close(&model);
}

static void each_allocation_may_fail(void **state) {
    (void)state;
    if (!ALL_ALLOCATIONS) {
        print_message("skipped: the C library's allocations can't be made to fail here\n");
        return;
    }
    fail_each_allocation(".safetensors");
    fail_each_allocation(".npz");
    fail_each_allocation(".onnx");
}

/* --- Layouts -------------------------------------------------------------------------------------- */

/* A file of that header, `size` bytes of data behind it: 0, 1, 2... */
static int decode(struct safetensors *file, const char *header, size_t size, struct caelum_error *err) {
    uint8_t bytes[1000] = {0};
    const size_t length = strlen(header);
    bytes[0] = (uint8_t)length, bytes[1] = (uint8_t)(length >> 8);
    memcpy(bytes + 8, header, length);
    for (size_t i = 0; i < size; i++) bytes[8 + length + i] = (uint8_t)i;
    return safetensors_decode(file, bytes, 8 + length + size, "it", err);
}

#define HALF "\"a\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[0,2]}"
#define SINGLE "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[2,10]}"
#define DOUBLE "\"c\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[10,18]}"
#define EMPTY "\"d\":{\"dtype\":\"F32\",\"shape\":[0,3],\"data_offsets\":[10,10]}"

/* Every order of the header and every length of it: the same values, aligned. */
static void layouts_that_the_format_allows(void **state) {
    (void)state;
    static const char *const headers[] = {"{" HALF "," SINGLE "," DOUBLE "," EMPTY "}",
                                          "{" EMPTY "," DOUBLE "," SINGLE "," HALF "}",
                                          "{" DOUBLE "," EMPTY "," HALF "," SINGLE "}",
                                          "{ \"__metadata__\":{}, " SINGLE "," EMPTY "," DOUBLE "," HALF "}"};
    for (size_t i = 0; i < 4 * 8; i++) {
        char header[900];
        struct safetensors file = {0};
        snprintf(header, sizeof header, "%s%.*s", headers[i / 8], (int)(i % 8), "        ");
        assert_ok(decode(&file, header, 18, err));
        assert_int_equal(file.count, 4);
        static const struct {
            const char *name;
            size_t at, size, alignment;
        } wanted[] = {{"a", 0, 2, 2}, {"b", 2, 8, 4}, {"c", 10, 8, 8}, {"d", 10, 0, 4}};
        for (size_t j = 0; j < 4; j++) {
            const struct safetensor *t = safetensors_named(&file, wanted[j].name);
            assert_non_null(t);
            assert_int_equal((uintptr_t)t->data % wanted[j].alignment, 0);
            for (size_t b = 0; b < wanted[j].size; b++)
                assert_int_equal(((const uint8_t *)t->data)[b], wanted[j].at + b);
        }
        safetensors_close(&file);
    }
}

static void layouts_that_it_does_not(void **state) {
    (void)state;
    static const struct {
        const char *header, *words;
        size_t size;
    } bad[] = {
        {"{" HALF "," DOUBLE "}", "'c' starts at byte 10 of the data, the one before it ends at 2", 18},
        {"{" SINGLE "," DOUBLE "}", "'b' starts at byte 2", 18},
        {"{" HALF "," SINGLE "," DOUBLE "}", "18 bytes of data expected, got 19", 19},
        {"{" HALF "," SINGLE "," DOUBLE "}", "'c': its offsets", 17},
        {"{" HALF ",\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", "'b' starts at byte 0",
         4},
        {"{\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", "offsets", 4},
        {"{\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[\"0\",4]}}", "offsets", 4},
        {"{\"b\":{\"dtype\":\"F32\",\"shape\":[\"1\"],\"data_offsets\":[0,4]}}", "impossible shape", 4},
        {"{\"b\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", "impossible shape", 4},
        {"{\"b\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[0,4]}}", "type BF16", 4},
        {"{" HALF "," HALF "}", "not a safetensors file", 2},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct safetensors file = {0};
        assert_error(CAELUM_EFORMAT, bad[i].words, decode(&file, bad[i].header, bad[i].size, err));
    }
}

static void a_name_stands_once(void **state) {
    (void)state;
    static const float value[] = {1};
    const struct metadata none = {0};
    struct safetensor t[2] = {{.name = "a", .type = TENSOR_F32, .dims = 1, .dim = {1}, .data = value},
                              {.name = "a", .type = TENSOR_F32, .dims = 1, .dim = {1}, .data = value}};
    assert_error(CAELUM_EUSAGE, "two tensors have one name",
                 safetensors_write(in_directory("twice.safetensors"), t, 2, &none, err));
    assert_int_not_equal(access(in_directory("twice.safetensors"), F_OK), 0);
}

/* --- Metadata ------------------------------------------------------------------------------------- */

/* Latin-1 names of files, texts of any length, many of them: in every format as they were. */
static void metadata_comes_back_whole(void **state) {
    (void)state;
    static const char *const endings[] = {".safetensors", ".npz", ".onnx"};
    const struct caelum_import_settings settings = caelum_import_defaults();
    caelum_model *model = model_of("input 1\nconv 1\n", 4, 4, 1, 1);
    static char text[70000];
    memset(text, 'x', sizeof text - 1);
    assert_ok(caelum_model_set_metadata(model, "long", text, err));
    assert_ok(metadata_setf(model->metadata, err, "formatted", "%s %.9g", text, 0.1));
    assert_int_equal(strlen(metadata_get(model->metadata, "formatted")), sizeof text - 1 + 4);
    assert_ok(caelum_model_set_metadata(model, "data", "/home/Andr\xe9/\\x41/\xc3\xa9", err));
    assert_ok(caelum_model_set_metadata(model, "surrogate", "\xed\xa0\x80", err));
    for (int i = 0; i < 200; i++) {
        char key[16];
        snprintf(key, sizeof key, "key%d", i);
        assert_ok(caelum_model_set_metadata(model, key, "v", err));
    }
    for (size_t i = 0; i < 3; i++) {
        char path[300];
        caelum_model *back = NULL;
        struct caelum_error why;
        const struct exchange_format *format;
        snprintf(path, sizeof path, "%s/words%s", directory, endings[i]);
        if (exchange_find(&format, path, &why) != 0) continue;
        assert_ok(caelum_model_export(model, path, err));
        assert_ok(caelum_model_import(&back, path, &settings, err));
        same_model(model, back);
        caelum_model_close(&back);
    }
    assert_ok(caelum_model_set_metadata(model, "k\xff", "v", err));
    assert_ok(caelum_model_save(model, in_directory("k.safetensors"), err));
    caelum_model *again = NULL;
    assert_ok(caelum_model_load(&again, in_directory("k.safetensors"), err));
    same_model(model, again);
    caelum_model_close(&again);
    assert_error(CAELUM_EFORMAT, "expected a key of at most 95 bytes",
                 caelum_model_export(model, in_directory("k.npz"), err));
    for (int i = 0; i < 2000; i++) {
        char key[16];
        struct caelum_error why;
        snprintf(key, sizeof key, "more%d", i);
        if (caelum_model_set_metadata(model, key, "v", &why) == 0) continue;
        assert_int_equal(why.code, CAELUM_EFORMAT);
        assert_non_null(strstr(why.text, "more than 1024"));
        break;
    }
    caelum_model_close(&model);
}

/* --- Values --------------------------------------------------------------------------------------- */

/* Half precision ends at 65504; what is less than halfway to the next step is rounded down to it. */
static void half_precision_has_an_end(void **state) {
    (void)state;
    caelum_model *model = model_of("input 1\nconv 1 k=1\n", 4, 4, 1, 1), *back = NULL;
    const float most = 65519.996f;
    assert_ok(caelum_model_set_tensor(model, "conv1.bias", &most, 1, err));
    assert_ok(caelum_model_round_half(model, err));
    assert_true(model->params[1] == 65504);
    const float more[] = {65520, -1e9f};
    for (size_t i = 0; i < 2; i++) {
        assert_ok(caelum_model_set_tensor(model, "conv1.weight", &more[i], 1, err));
        const float before = model->params[0];
        assert_error(CAELUM_EFORMAT, i ? "'conv1.weight' has the weight -1e+09" : "the weight 65520",
                     caelum_model_round_half(model, err));
        assert_true(model->params[0] == before);
        assert_error(CAELUM_EFORMAT, "65504", caelum_model_save(model, in_directory("h.safetensors"), err));
        assert_error(CAELUM_EFORMAT, "65504", caelum_model_export(model, in_directory("h.npz"), err));
    }
    model->half = false;
    assert_ok(caelum_model_save(model, in_directory("h.safetensors"), err));
    assert_ok(caelum_model_load(&back, in_directory("h.safetensors"), err));
    caelum_model_close(&back);
    caelum_model_close(&model);
}

static void weights_are_numbers(void **state) {
    (void)state;
    caelum_model *model = model_of("input 1\nconv 1 k=1\n", 4, 4, 1, 1), *back = NULL;
    struct caelum_tensor t[2];
    const float one = 1, bad[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < 3; i++) {
        uint8_t *bytes;
        size_t size;
        model->params[1] = 1;
        assert_ok(caelum_model_save(model, in_directory("n.safetensors"), err));
        assert_ok(file_read(in_directory("n.safetensors"), 1 << 20, &bytes, &size, err));
        memcpy(bytes + size - sizeof(float), &bad[i], sizeof(float)); /* the bias is the last */
        assert_error(CAELUM_EFORMAT, "tensor 'conv1.bias' has the weight ",
                     caelum_model_decode(&back, bytes, size, "it", err));
        mem_free(&bytes);
        model->params[1] = bad[i];
        assert_error(CAELUM_EFORMAT, "'conv1.bias'",
                     caelum_model_save(model, in_directory("n.safetensors"), err));
        for (size_t j = 0; j < 2; j++) assert_true(caelum_model_tensor(model, j, &t[j]));
        t[0].data = &one, t[1].data = &bad[i];
        FILE *f = fopen(in_directory("n.net"), "w");
        fputs("input 1\nconv 1 k=1\n", f);
        fclose(f);
        char net[300];
        snprintf(net, sizeof net, "%s", in_directory("n.net"));
        const struct caelum_import_settings alone = {.net_path = net, .height = 4, .width = 4};
        assert_ok(caelum_arrays_save(in_directory("n.npz"), t, 2, err));
        assert_error(CAELUM_EFORMAT, "'conv1.bias'",
                     caelum_model_import(&back, in_directory("n.npz"), &alone, err));
        assert_null(back);
    }
    caelum_model_close(&model);
}

/* 144 bytes that would take a gigabyte. */
static void a_small_file_takes_little(void **state) {
    (void)state;
    struct caelum_error why;
    caelum_model *model = NULL;
    char header[300], bytes[400] = {0};
    snprintf(header, sizeof header,
             "{\"__metadata__\":{\"format\":\"caelum model 1\",\"network\":\"input 1024\\ndense 60000\\n\","
             "\"height\":\"2\",\"width\":\"2\"}}");
    bytes[0] = (char)strlen(header);
    memcpy(bytes + 8, header, strlen(header));
    const int result = caelum_model_decode(&model, bytes, 8 + strlen(header), "it", &why);
    assert_int_equal(result, CAELUM_EFORMAT);
    if (!strstr(why.text, "it: the network has 245820000 weights, the file 0")) fail_msg("%s", why.text);
}

/* What is no model is called by its name. */
static void other_files_are_named(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *words;
    } files[] = {{"", 0, "an empty file"},
                 {"\x89PNG\r\n\x1a\nxxxxxxxxxxxx", 20, "a PNG picture"},
                 {"\xff\xd8\xff\xe0\0\x10JFIF\0xxxxxxxxx", 20, "a JPEG picture"},
                 {"RIFF\1\2\3\4WEBPVP8 xxxx", 20, "a WebP picture"},
                 {"PK\3\4xxxxxxxxxxxxxxxxxxxxxx\x10\0\0\0archive/data.pkl", 46, "of PyTorch"},
                 {"PK\3\4xxxxxxxxxxxxxxxxxxxxxx\x05\0\0\0a.npy", 35, "ends in .npz"},
                 {"PK\3\4xxxxxxxxxxxxxxxxxxxxxx\x0d\0\0\0metadata.json", 43, "a Keras model"},
                 {"PK\3\4", 4, "a zip archive"},
                 {"\x80\x02\x8a\nl\xfc\x9c\x46\xf9", 9, "a pickle of Python"},
                 {"\x08\x07\x12\x07pytorch", 11, "an ONNX model"},
                 {"\x89HDF\r\n\x1a\nxxxx", 12, "an HDF5 file"},
                 {"input 3\nconv 8\n", 15, "a network's text"},
                 {"\xef\xbb\xbf# mine\ninput 3\n", 18, "a network's text"},
                 {"Dear all,\n", 10, "; it is a text"},
                 {"\1\2\3\4", 4, "not known"}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        caelum_model *model = NULL;
        assert_error(CAELUM_EFORMAT, files[i].words,
                     caelum_model_decode(&model, files[i].bytes, files[i].size, "it", err));
    }
    const struct caelum_import_settings settings = caelum_import_defaults();
    caelum_model *model = NULL;
    assert_error(CAELUM_EUSAGE, "PyTorch's state_dict",
                 caelum_model_import(&model, "model.pth", &settings, err));
    assert_ok(file_write(in_directory("p.npz"), files[1].bytes, files[1].size, err));
    assert_error(CAELUM_EFORMAT, "a PNG picture",
                 caelum_model_import(&model, in_directory("p.npz"), &settings, err));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_may_fail),  cmocka_unit_test(layouts_that_the_format_allows),
        cmocka_unit_test(layouts_that_it_does_not),  cmocka_unit_test(a_name_stands_once),
        cmocka_unit_test(metadata_comes_back_whole), cmocka_unit_test(half_precision_has_an_end),
        cmocka_unit_test(weights_are_numbers),       cmocka_unit_test(a_small_file_takes_little),
        cmocka_unit_test(other_files_are_named),
    };
    return cmocka_run_group_tests(tests, open_directory, remove_directory);
}
