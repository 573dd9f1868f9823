/* test_words.c - what people write in place of a network's text: words of Keras and PyTorch, marks that
 * editors leave, other files. */
#include "testing.h"

#include "base/file.h"

static const char before[] = "input 3\nsave old\n";

/* A line, and the suggestion that must be made of it; NULL: none. */
static const struct {
    const char *line, *suggestion;
} habits[] = {
    {"Conv2D 8 kernel=3 padding=same activation=relu", "conv 8 k=3 pad=same relu"},
    {"conv 8 kernel=3 strides=2", "conv 8 k=3 stride=2"},
    {"conv 8 kernel_size=5", "conv 8 k=5"},
    {"conv 8 padding=same", "conv 8 pad=same"},
    {"conv 8 padding=valid", "conv 8 pad=valid"},
    {"conv 8 padding=0", "conv 8 pad=valid"},
    {"conv 8 padding=1", "conv 8 pad=same"},
    {"Conv 8 ReLU", "conv 8 relu"},
    {"CONV 8 pad=SAME", "conv 8 pad=same"},
    {"conv2d filters=8 activation=LeakyReLU", "conv 8 leaky"},
    {"Conv2DTranspose 8 strides=2", "deconv 8 stride=2"},
    {"ConvTranspose2d 8 kernel_size=2 stride=2", "deconv 8 k=2 stride=2"},
    {"MaxPooling2D", "maxpool"},
    {"MaxPool2d 2", "maxpool 2"},
    {"AveragePooling2D pool_size=2", "avgpool 2"},
    {"UpSampling2D size=2 interpolation=bilinear", "upsample 2 bilinear"},
    {"Upsample scale_factor=2 mode=nearest", "upsample 2 nearest"},
    {"ReLU", "act relu"},
    {"Activation swish", "act silu"},
    {"act Sigmoid", "act sigmoid"},
    {"Linear 10", "dense 10"},
    {"Dense units=10 activation=none", "dense 10 linear"},
    {"PixelUnshuffle 2", "space_to_depth 2"},
    {"Add old", "add old"},
    {"Concatenate old", "concat old"},
    {"GaussianNoise stddev=0.1", "noise 0.1"},
    /* of these nothing is known that could be read */
    {"BatchNorm2d", NULL},
    {"conv 8 groups=2", NULL},
    {"conv kernel=3", NULL},
    {"conv 8 padding=", NULL},
};

static void habits_get_a_line_that_can_be_pasted(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof habits / sizeof *habits; i++) {
        char text[200], words[200];
        struct caelum_error why = {0};
        struct caelum_net *net = NULL;
        snprintf(text, sizeof text, "%s%s\n", before, habits[i].line);
        assert_int_equal(caelum_net_parse(&net, text, "test", 8, 8, &why), CAELUM_EFORMAT);
        if (!habits[i].suggestion) {
            if (strstr(why.text, "did you mean")) fail_msg("%s: %s", habits[i].line, why.text);
            continue;
        }
        snprintf(words, sizeof words, "; did you mean '%s'?", habits[i].suggestion);
        if (!strstr(why.text, words)) fail_msg("%s: expected %s, got %s", habits[i].line, words, why.text);
        snprintf(text, sizeof text, "%s%s\n", before, habits[i].suggestion);
        const int result = caelum_net_parse(&net, text, "test", 8, 8, &why);
        if (result != 0) fail_msg("%s: %s", habits[i].suggestion, why.text);
        caelum_net_close(&net);
    }
}

static void a_mark_before_the_text_is_passed_over(void **state) {
    (void)state;
    struct caelum_net *net = NULL;
    assert_ok(caelum_net_parse(&net, "\xef\xbb\xbfinput 3\r\nconv 3\r\n", "test", 8, 8, err));
    assert_string_equal(caelum_net_text(net), "input 3\r\nconv 3\r\n");
    caelum_net_close(&net);
    assert_error(CAELUM_EFORMAT,
                 "test:1:1:", caelum_net_parse(&net, "\xef\xbb\xbf\xef\xbb\xbfinput 3", "test", 8, 8, err));
}

static void other_files_are_called_what_they_are(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *words;
    } files[] = {
        {"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16, "a PNG picture"},
        {"\xff\xd8\xff\xe0\0\x10JFIF", 10, "a JPEG picture"},
        {"RIFF\x10\0\0\0WEBPVP8 ", 16, "a WebP picture"},
        {"PK\x03\x04\x14\0", 6, "a zip archive"},
        {"\x10\0\0\0\0\0\0\0{\"a\":{}}", 16, "a safetensors file"},
        {"\xff\xfei\0n\0p\0u\0t\0", 12, "text in UTF-16"},
        {"{\"class_name\": \"Functional\"}", 28, "JSON"},
        {"CLMC\x01", 5, "a file of codes"},
    };
    char directory[256], path[300];
    struct caelum_net *net = NULL;
    test_directory(directory);
    snprintf(path, sizeof path, "%s/file.net", directory);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        assert_ok(file_write(path, files[i].bytes, files[i].size, err));
        assert_error(CAELUM_EFORMAT, files[i].words, caelum_net_load(&net, path, 8, 8, err));
    }
    /* larger than any text: told by its first bytes alone */
    static uint8_t large[(1 << 20) + 100] = "\x89PNG\r\n\x1a\n";
    assert_ok(file_write(path, large, sizeof large, err));
    assert_error(CAELUM_EFORMAT, "file.net: a PNG picture; expected the text of a network",
                 caelum_net_load(&net, path, 8, 8, err));
    assert_ok(file_write(path, "input 3\nBMP 1\n", 14, err));
    assert_error(CAELUM_EFORMAT, "no layer is called 'BMP'", caelum_net_load(&net, path, 8, 8, err));
    test_remove(directory);
}

static void numbers_are_numbers(void **state) {
    (void)state;
    static const char *const bad[] = {"conv 18446744073709551617",
                                      "conv 8 k=18446744073709551619",
                                      "noise 1e400",
                                      "noise 0,1",
                                      "conv 8 stride=-1",
                                      "noise 0.1x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[100];
        struct caelum_net *net = NULL;
        snprintf(text, sizeof text, "%s%s\n", before, bad[i]);
        assert_error(CAELUM_EFORMAT, "expected a", caelum_net_parse(&net, text, "test", 8, 8, err));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(habits_get_a_line_that_can_be_pasted),
        cmocka_unit_test(a_mark_before_the_text_is_passed_over),
        cmocka_unit_test(other_files_are_called_what_they_are),
        cmocka_unit_test(numbers_are_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
