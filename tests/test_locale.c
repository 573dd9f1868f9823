/* test_locale.c - a program around the library has called setlocale, as GTK, Qt and Python do: the same work,
 * the same bytes as in "C". In locales with a decimal comma, with Turkish letters, with a decimal point of
 * two bytes and without UTF-8; those that the system lacks are compiled here. */
#include "testing.h"

#include "base/ascii.h"
#include "base/file.h"
#include "base/json.h"
#include "base/number.h"
#include "exchange/zip.h"

#include <dirent.h>
#include <locale.h>

static const struct {
    const char *name, *language, *charset, *half; /* half: how printf says 0.5 there */
} others[] = {{"de_DE.UTF-8", "de_DE", "UTF-8", "0,5"},
              {"tr_TR.UTF-8", "tr_TR", "UTF-8", "0,5"},
              {"ps_AF.UTF-8", "ps_AF", "UTF-8",
               "0\xd9\xab"
               "5"},
              {"de_DE.ISO-8859-1", "de_DE", "ISO-8859-1", "0,5"}};
enum { OTHERS = sizeof others / sizeof *others };

static char scratch[256];

/* Makes the locales and tells setlocale where they are. */
static int setup(void **state) {
    (void)state;
    test_directory(scratch);
    for (size_t i = 0; i < OTHERS; i++) {
        char command[800];
        snprintf(command, sizeof command, "localedef -i %s -f %s '%s/%s' >'%s/localedef' 2>&1",
                 others[i].language, others[i].charset, scratch, others[i].name, scratch);
        if (system(command) != 0) printf("%s can't be compiled here (package locales?)\n", others[i].name);
    }
    return setenv("LOCPATH", scratch, 1);
}

static int teardown(void **state) {
    (void)state;
    setlocale(LC_ALL, "C");
    test_remove(scratch);
    return 0;
}

static bool enter(size_t i) {
    char half[8];
    if (!setlocale(LC_ALL, others[i].name)) {
        printf("no locale %s here: not tried\n", others[i].name);
        return false;
    }
    snprintf(half, sizeof half, "%g", 0.5);
    assert_string_equal(half, others[i].half);
    return true;
}

/* --- The primitives ------------------------------------------------------------------------------- */

static void check_numbers(void) {
    char text[64];
    double value;
    json_t *tree = json_object(), *back;
    json_error_t why;
    assert_int_equal(number_print(text, sizeof text, "%g %.2f %s", 0.5, -1234.5, "a,b"), 16);
    assert_string_equal(text, "0.5 -1234.50 a,b");
    assert_true(number_real("-2.5e-3", &value));
    assert_float_equal(value, -0.0025, 0);
    assert_false(number_real("2,5", &value));
    assert_error(CAELUM_EUSAGE, "at most 0.5", caelum_fail(err, CAELUM_EUSAGE, "at most %g", 0.5));
    json_put(&tree, "x", json_number(0.25));
    char *made;
    assert_ok(json_text(&tree, JSON_COMPACT, "numbers", &made, err));
    assert_string_equal(made, "{\"x\":0.25}");
    back = json_read(made, strlen(made), 0, &why);
    assert_non_null(back);
    assert_float_equal(json_real_value(json_object_get(back, "x")), 0.25, 0);
    json_decref(back);
    free(made);
    assert_true(ascii_same("SCAN.TIF", "scan.tif"));
    assert_false(ascii_alnum('\xe4'));
}

static void numbers_are_those_of_c(void **state) {
    (void)state;
    check_numbers();
    for (size_t i = 0; i < OTHERS; i++) {
        if (!enter(i)) continue;
        check_numbers();
        char half[8]; /* the caller's locale is as it was */
        snprintf(half, sizeof half, "%g", 0.5);
        assert_string_equal(half, others[i].half);
        setlocale(LC_ALL, "C");
    }
}

/* Names in an archive are UTF-8 and say so (bit 11 of the flags, PKWARE's APPNOTE 4.4.4), as NumPy writes and
 * reads them. */
static int take_name(void *named, const char *name, const uint8_t *bytes, size_t size,
                     struct caelum_error *error) {
    (void)bytes, (void)size, (void)error;
    *(bool *)named = strcmp(name, "gr\xc3\xb6\xc3\x9f"
                                  "e.npy") == 0;
    return 0;
}
static void check_names(void) {
    const float one = 1;
    const struct caelum_tensor array = {.name = "gr\xc3\xb6\xc3\x9f"
                                                "e",
                                        .dims = 1,
                                        .dim = {1},
                                        .data = &one};
    char path[300];
    uint8_t *bytes;
    size_t size;
    bool named = false;
    snprintf(path, sizeof path, "%s/names.npz", scratch);
    assert_ok(caelum_arrays_save(path, &array, 1, err));
    assert_ok(file_read(path, 1 << 20, &bytes, &size, err));
    assert_true(size > 41 && (bytes[7] & 8) != 0);
    assert_memory_equal(bytes + 30,
                        "gr\xc3\xb6\xc3\x9f"
                        "e.npy",
                        11);
    mem_free(&bytes);
    assert_ok(zip_read(path, take_name, &named, err));
    assert_true(named);
}

static void names_are_those_of_utf8(void **state) {
    (void)state;
    check_names();
    for (size_t i = 0; i < OTHERS; i++) {
        if (enter(i)) check_names();
        setlocale(LC_ALL, "C");
    }
}

/* --- The work ------------------------------------------------------------------------------------- */

static const char net_text[] = "input 3\n"
                               "noise 0.05\n"
                               "conv 4 stride=2 gelu\n"
                               "quantize 0.25\n"
                               "latent\n"
                               "upsample\n"
                               "conv 3 sigmoid\n";

static void train(void) {
    FILE *net = fopen("tiny.net", "w");
    assert_non_null(net);
    fputs(net_text, net);
    fclose(net);
    struct caelum_train_settings s = caelum_train_defaults();
    s.net_path = "tiny.net";
    s.data = "synthetic:60";
    s.out = "run";
    s.command = "test";
    s.epochs = 1;
    s.batch = 8;
    s.threads = 1;
    s.lr = 0.0025;
    s.warmup = 0.5;
    s.loss = CAELUM_HUBER;
    s.huber_delta = 0.15;
    s.optimizer = CAELUM_ADAMW;
    s.weight_decay = 1e-4;
    s.ema = 0.9;
    assert_ok(caelum_train(&s, NULL, err));
    s.epochs = 2;
    s.resume = true;
    assert_ok(caelum_train(&s, NULL, err));
    struct caelum_lr_find found;
    s.resume = false;
    s.out = "find";
    assert_ok(caelum_lr_find(&s, &found, err));
}

/* Through every format and back; what comes back is saved. */
static void exchange(void) {
    static const char *const plain = "input 3\nnoise 0.05\nconv 4 stride=2 leaky\nlatent\nupsample\nconv 3\n";
    const char *const endings[] = {".npz", CAELUM_WITH_ONNX ? ".onnx" : NULL};
    caelum_net *net = NULL;
    caelum_model *model = NULL;
    assert_ok(caelum_net_parse(&net, plain, "plain", 32, 32, err));
    assert_ok(caelum_model_create(&model, net, 1, err));
    assert_ok(caelum_model_set_metadata(model, "vivid_gain", "2.5", err));
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        const struct caelum_import_settings settings = caelum_import_defaults();
        caelum_model *back = NULL;
        char path[32];
        if (!endings[i]) continue;
        snprintf(path, sizeof path, "plain%s", endings[i]);
        assert_ok(caelum_model_export(model, path, err));
        assert_ok(caelum_model_import(&back, path, &settings, err));
        strcat(path, ".safetensors");
        assert_ok(caelum_model_save(back, path, err));
        caelum_model_close(&back);
    }
    caelum_model_close(&model);
    caelum_net_close(&net);
}

static void colorize(const struct caelum_picture *in) {
    caelum_model *model = NULL;
    struct caelum_picture out = {0};
    const struct caelum_colorize_settings settings = caelum_colorize_defaults();
    assert_ok(caelum_model_load(&model, SOURCE_DIR "/models/colorize.safetensors", err));
    assert_ok(caelum_colorize(model, in, &settings, &out, err));
    assert_ok(caelum_picture_save(&out, "colored.PNG", err));
    caelum_picture_free(&out);
    caelum_model_close(&model);
}

static void encode(const struct caelum_picture *in) {
    caelum_model *model = NULL;
    caelum_codec *codec = NULL;
    struct caelum_picture out = {0};
    uint8_t *bytes = NULL;
    size_t size = 0;
    assert_ok(caelum_model_load(&model, SOURCE_DIR "/models/code-small.safetensors", err));
    assert_ok(caelum_codec_open(&codec, model, 1, err));
    assert_ok(caelum_codec_encode(codec, in, &bytes, &size, err));
    assert_ok(file_write("code", bytes, size, err));
    const struct caelum_code_entry code = {
        .width = in->width, .height = in->height, .bytes = bytes, .size = size};
    assert_ok(caelum_codec_decode(codec, &code, &out, err));
    assert_ok(caelum_picture_save(&out, "decoded.png", err));
    caelum_picture_free(&out);
    caelum_codec_free(&bytes);
    caelum_codec_close(&codec);
    caelum_model_close(&model);
}

static void compare(void) {
    const char *const runs[] = {"run", "run"};
    caelum_comparison *comparison = NULL;
    assert_ok(caelum_comparison_open(&comparison, runs, 1, err));
    FILE *to = fopen("compared", "w");
    assert_non_null(to);
    for (size_t i = 0; caelum_comparison_key(comparison, i); i++) {
        const char *key = caelum_comparison_key(comparison, i);
        if (!strstr(key, "second")) fprintf(to, "%s %s\n", key, caelum_comparison_cell(comparison, 0, i));
    }
    fclose(to);
    caelum_comparison_close(&comparison);
}

/* Everything into a directory of its own. */
static void work(const char *name) {
    struct caelum_data_settings settings = caelum_data_defaults();
    caelum_data *data = NULL;
    struct caelum_picture picture = {0};
    assert_int_equal(chdir(scratch), 0);
    assert_int_equal(mkdir(name, 0777), 0);
    assert_int_equal(chdir(name), 0);
    assert_ok(caelum_data_open(&data, "synthetic:10:40", &settings, err));
    assert_ok(caelum_data_picture(data, CAELUM_TRAIN, 0, &picture, err));
    colorize(&picture);
    encode(&picture);
    caelum_picture_free(&picture);
    caelum_data_close(&data);
    exchange();
    train();
    compare();
    assert_int_equal(chdir(scratch), 0);
}

/* --- Comparing ------------------------------------------------------------------------------------ */

/* run.json, without what a clock says. */
static json_t *run_of(const char *path) {
    json_error_t why;
    json_t *run = json_read_file(path, &why);
    if (!run) fail_msg("%s:%d: %s", path, why.line, why.text);
    assert_int_equal(json_object_del(run, "training_seconds"), 0);
    return run;
}

/* The file without the columns "seconds" and "pictures_per_second", the ninth and the tenth of eleven. */
static char *metrics_of(const char *path) {
    uint8_t *bytes;
    size_t size, n = 0, field = 0;
    assert_ok(file_read(path, 1 << 20, &bytes, &size, err));
    char *text = (char *)bytes;
    for (const char *c = text; *c; c++) {
        if (*c == ',') field++;
        if (*c == '\n') {
            assert_int_equal(field, 10);
            field = 0;
        }
        if (field != 8 && field != 9) text[n++] = *c;
    }
    text[n] = '\0';
    return text;
}

static void same_metrics(const char *a, const char *b) {
    char *x = metrics_of(a), *y = metrics_of(b);
    assert_string_equal(x, y);
    mem_free(&x);
    mem_free(&y);
}

/* All files of a directory, and how many; but for what a clock says: events, and a checkpoint, whose weights
 * are those of last.safetensors. */
static size_t same_directory(const char *a, const char *b) {
    size_t count = 0;
    DIR *d = opendir(a);
    assert_non_null(d);
    for (const struct dirent *e; (e = readdir(d));) {
        struct stat st;
        char one[512], two[512];
        if (*e->d_name == '.' || strstr(e->d_name, "tfevents") || strstr(e->d_name, "checkpoint")) continue;
        snprintf(one, sizeof one, "%s/%s", a, e->d_name);
        snprintf(two, sizeof two, "%s/%s", b, e->d_name);
        assert_int_equal(stat(one, &st), 0);
        if (S_ISDIR(st.st_mode)) {
            count += same_directory(one, two);
        } else if (strcmp(e->d_name, "run.json") == 0) {
            json_t *x = run_of(one), *y = run_of(two);
            if (!json_equal(x, y)) fail_msg("%s and %s differ", one, two);
            json_decref(x);
            json_decref(y);
        } else if (strcmp(e->d_name, "metrics.csv") == 0) {
            same_metrics(one, two);
        } else if (!same_bytes(one, two)) {
            fail_msg("%s and %s differ", one, two);
        }
        count++;
    }
    closedir(d);
    return count;
}

static void the_same_bytes(void **state) {
    (void)state;
    char c[300], other[300];
    work("C");
    for (size_t i = 0; i < OTHERS; i++) {
        if (!enter(i)) continue;
        char name[32];
        snprintf(name, sizeof name, "in-%s", others[i].name);
        work(name);
        setlocale(LC_ALL, "C");
        snprintf(c, sizeof c, "%s/C", scratch);
        snprintf(other, sizeof other, "%s/%s", scratch, name);
        assert_true(same_directory(c, other) > 10);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_those_of_c),
        cmocka_unit_test(names_are_those_of_utf8),
        cmocka_unit_test(the_same_bytes),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
