/* test_exchange_fuzz.c - damaged model files of every format: each is refused with a sentence or gives a
 * model, never a crash (the sanitizers watch). The damage is a function of CAELUM_SEED, printed on failure.
 */
#include "random_net.h"

#include "exchange/exchange.h"

#include <signal.h>

enum { CASES = 200 };

static char directory[256], at_work[64];
static uint64_t seed = 1;

static void say(int signal_number) {
    (void)!write(2, at_work, strlen(at_work));
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static void read_whole(const char *path, uint8_t **bytes, size_t *size) {
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    *size = (size_t)ftell(f);
    rewind(f);
    *bytes = malloc(*size + 1);
    assert_int_equal(fread(*bytes, 1, *size, f), *size);
    fclose(f);
}

/* Refused or loaded, and what loads is whole. */
static void attempt(const char *path, const uint8_t *bytes, size_t size) {
    const struct caelum_import_settings settings = caelum_import_defaults();
    struct caelum_error err = {0};
    caelum_model *model = NULL;
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    fclose(f);
    const int code = caelum_model_import(&model, path, &settings, &err);
    if (code == 0) {
        assert_non_null(model);
        double sum = 0;
        for (size_t i = 0; i < model->net->params; i++) sum += (double)model->params[i];
        (void)sum;
    } else if (!*err.text || model) {
        fail_msg("%s: code %d without a sentence, or with a model", at_work, code);
    }
    caelum_model_close(&model);
}

static void damage(const char *ending) {
    static const char text[] =
        "input 2\nsave a\nconv 3 relu\nconv 2 k=1 gelu\nadd a\nmaxpool\ndense 4\nlatent\n"
        "dense 16\nreshape 4 2 2\ndeconv 2 stride=2\n";
    char path[300];
    uint8_t *bytes;
    size_t size;
    struct caelum_error why;
    caelum_net *net = NULL;
    caelum_model *model = NULL;
    const struct exchange_format *format;
    snprintf(path, sizeof path, "%s/a%s", directory, ending);
    if (exchange_find(&format, path, &why) != 0) {
        print_message("left out: %s\n", why.text);
        return;
    }
    assert_ok(caelum_net_parse(&net, text, "test", 8, 8, err));
    assert_ok(caelum_model_create(&model, net, 1, err));
    assert_ok(caelum_model_export(model, path, err));
    caelum_model_close(&model);
    caelum_net_close(&net);
    read_whole(path, &bytes, &size);
    struct rng rng = rng_make(seed, RNG_TEST, (uint32_t)strlen(ending));
    for (int i = 0; i < 2 * CASES; i++) {
        const size_t at = rng_below(&rng, (uint32_t)size);
        const uint8_t was = bytes[at], other = (uint8_t)(was ^ (1 + rng_below(&rng, 255)));
        snprintf(at_work, sizeof at_work, "%s, seed %llu, case %d\n", ending, (unsigned long long)seed, i);
        bytes[at] = other;
        attempt(path, bytes, i < CASES ? size : at);
        bytes[at] = was;
    }
    attempt(path, bytes, size);
    free(bytes);
}

static void test_safetensors(void **state) {
    (void)state;
    damage(".safetensors");
}
static void test_npz(void **state) {
    (void)state;
    damage(".npz");
}
static void test_h5(void **state) {
    (void)state;
    damage(".h5");
}
static void test_keras(void **state) {
    (void)state;
    damage(".keras");
}

int main(void) {
    const char *given = getenv("CAELUM_SEED");
    if (given) seed = strtoull(given, NULL, 10);
    static const int signals[] = {SIGSEGV, SIGABRT, SIGFPE, SIGBUS};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) signal(signals[i], say);
    test_directory(directory);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_safetensors),
        cmocka_unit_test(test_npz),
        cmocka_unit_test(test_h5),
        cmocka_unit_test(test_keras),
    };
    const int result = cmocka_run_group_tests(tests, NULL, NULL);
    test_remove(directory);
    return result;
}
