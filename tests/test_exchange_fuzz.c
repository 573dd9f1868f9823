/* test_exchange_fuzz.c - damaged model files of every format: each is refused with a sentence or gives a
 * model, never a crash (the sanitizers watch). The damage is a function of CAELUM_SEED, printed on failure.
 */
#include "model_files.h"

#include "exchange/npy.h"

#include <signal.h>

enum { CASES = 200 };

static char at_work[64];
static uint64_t seed = 1;

static void say(int signal_number) {
    (void)!write(2, at_work, strlen(at_work));
    signal(signal_number, SIG_DFL);
    raise(signal_number);
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
    const struct exchange_format *format;
    snprintf(path, sizeof path, "%s/a%s", directory, ending);
    if (exchange_find(&format, path, &why) != 0) {
        print_message("left out: %s\n", why.text);
        return;
    }
    caelum_model *model = model_of(text, 8, 8, 1, 1);
    assert_ok(caelum_model_export(model, path, err));
    caelum_model_close(&model);
    assert_ok(file_read(path, 1 << 24, &bytes, &size, err));
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
    mem_free(&bytes);
}

static void test_safetensors(void **state) {
    (void)state;
    damage(".safetensors");
}
static void test_npz(void **state) {
    (void)state;
    damage(".npz");
}

/* The checksums of a zip keep damage from its arrays: here it reaches them. Each case stands at the end of
 * memory of its own, so that the sanitizers see a byte too many being read. */
static void test_npy(void **state) {
    (void)state;
    static const size_t dim[] = {3, 2, 4};
    static const float values[3 * 2 * 4] = {1, -2, 3.5f};
    char header[NPY_HEADER];
    const size_t start = npy_header(header, "<f4", 3, dim), size = start + sizeof values;
    struct rng rng = rng_make(seed, RNG_TEST, 7);
    size_t refused = 0;
    for (int i = 0; i < 4 * CASES; i++) {
        const size_t cut = i % 2 ? rng_below(&rng, (uint32_t)size) : size;
        uint8_t *bytes = malloc(cut ? cut : 1);
        struct npy npy = {0};
        struct mem_group memory = {0};
        struct caelum_error err = {0};
        memcpy(bytes, header, cut < start ? cut : start);
        if (cut > start) memcpy(bytes + start, values, cut - start);
        if (cut)
            bytes[rng_below(&rng, (uint32_t)(i % 3 && cut > start ? start : cut))] ^=
                (uint8_t)(1 + rng_below(&rng, 255));
        snprintf(at_work, sizeof at_work, "npy, seed %llu, case %d\n", (unsigned long long)seed, i);
        if (npy_read(&npy, "a", bytes, cut, &memory, &err) != 0) {
            refused++;
            if (!*err.text || npy.array.data || npy.text) fail_msg("%s: no sentence, or an array", at_work);
        }
        mem_end(&memory);
        free(bytes);
    }
    assert_in_range(refused, 2 * CASES, 4 * CASES - 1); /* all that is cut, not all the rest */
}

int main(void) {
    const char *given = getenv("CAELUM_SEED");
    if (given) seed = strtoull(given, NULL, 10);
    static const int signals[] = {SIGSEGV, SIGABRT, SIGFPE, SIGBUS};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) signal(signals[i], say);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_safetensors),
        cmocka_unit_test(test_npz),
        cmocka_unit_test(test_npy),
    };
    return cmocka_run_group_tests(tests, open_directory, remove_directory);
}
