/* test_base.c - random numbers against the published answers, files that are whole or not there, memory
 * that is checked. */
#include "testing.h"

#include "base/file.h"
#include "base/json.h"
#include "base/number.h"

#include <math.h>
#include <signal.h>
#include <sys/resource.h>

/* Random123's kat_vectors for philox4x32-10. */
static void philox_known_answers(void **state) {
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint32_t out[4];
        rng_philox(known[i].counter, known[i].key, out);
        assert_memory_equal(out, known[i].out, sizeof out);
    }
}

static void rng_is_uniform_and_apart(void **state) {
    (void)state;
    struct rng a = rng_make(1, RNG_ORDER, 0), b = rng_make(1, RNG_ORDER, 1), c = rng_make(1, RNG_SPLIT, 0);
    size_t count[7] = {0}, equal = 0;
    for (int i = 0; i < 70000; i++) count[rng_below(&a, 7)]++;
    for (size_t i = 0; i < 7; i++) assert_in_range(count[i], 9600, 10400);
    for (int i = 0; i < 1000; i++) equal += rng_u32(&b) == rng_u32(&c);
    assert_true(equal < 3);
}

static void shuffle_is_a_permutation(void **state) {
    (void)state;
    uint32_t values[1000];
    size_t moved = 0, sum = 0;
    for (uint32_t i = 0; i < 1000; i++) values[i] = i;
    struct rng rng = rng_make(3, RNG_TEST, 0);
    rng_shuffle(&rng, values, 1000);
    for (uint32_t i = 0; i < 1000; i++) moved += values[i] != i, sum += values[i];
    assert_int_equal(sum, 499500);
    assert_true(moved > 980);
}

static void whole_numbers_are_checked(void **state) {
    (void)state;
    uint64_t n = 7;
    assert_true(number_whole("0", 0, 9, &n) && n == 0);
    assert_true(number_whole("18446744073709551615", 0, UINT64_MAX, &n) && n == UINT64_MAX);
    n = 7;
    static const char *const wrong[] = {"",
                                        " 1",
                                        "1 ",
                                        "+1",
                                        "-1",
                                        "1e1",
                                        "10",
                                        "1",
                                        "0x1",
                                        "18446744073709551616",
                                        "99999999999999999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(number_whole(wrong[i], 2, 9, &n) || n != 7);
    assert_false(number_whole(NULL, 0, 9, &n));
    const char *end = NULL;
    assert_true(number_whole_at("12..15", &end, 0, 99, &n) && n == 12 && strcmp(end, "..15") == 0);
    double x = 7;
    assert_true(number_real("-1.5e3", &x) && x == -1500);
    assert_false(number_real("1,5", &x) || number_real("", &x) || number_real("x", &x) || x != -1500);
}

static void json_is_whole_or_gone(void **state) {
    (void)state;
    char name[] = "caf\xe9 \\x41 \\y caf\xc3\xa9 \xed\xa0\x80", *text = NULL;
    char copy[sizeof name];
    memcpy(copy, name, sizeof name);
    json_t *tree = json_object();
    json_put(&tree, "name", json_bytes(name));
    json_put(&tree, "real", json_number(0.1));
    json_put(&tree, "none", json_number((double)INFINITY));
    assert_int_equal(json_text(&tree, JSON_COMPACT, "test", &text, NULL), 0);
    assert_null(tree);
    assert_string_equal(text, "{\"name\":\"caf\\\\xe9 \\\\x5cx41 \\\\y caf\xc3\xa9 "
                              "\\\\xed\\\\xa0\\\\x80\",\"real\":0.1,\"none\":null}");
    json_t *back = json_loads(text, 0, NULL);
    char decoded[80];
    snprintf(decoded, sizeof decoded, "%s", json_string_value(json_object_get(back, "name")));
    json_bytes_back(decoded);
    assert_string_equal(decoded, copy);
    json_decref(back);
    free(text);
    tree = json_object();
    json_put(&tree, "bad", json_string("caf\xe9")); /* fails in jansson: the tree goes with it */
    assert_null(tree);
    json_put(&tree, "more", json_integer(1));
    struct caelum_error err;
    assert_int_equal(json_text(&tree, 0, "test", &text, &err), CAELUM_ERESOURCE);
}

static void json_literals_are_whole_or_gone(void **state) {
    char *text = NULL;
    (void)state;
    json_t *tree = JSON({"a", json_integer(1)}, {"b", JSON({"c", json_string("d")})});
    assert_ok(json_text(&tree, JSON_COMPACT, "test", &text, err));
    assert_string_equal(text, "{\"a\":1,\"b\":{\"c\":\"d\"}}");
    free(text);
    tree = JSON({"a", json_integer(1)}, {"b", NULL}, {"c", json_integer(2)});
    assert_null(tree);
}

static void digits_are_grouped(void **state) {
    static const char *const cases[][2] = {
        {"0", "0"},        {"999", "999"}, {"4911", "4,911"}, {"297056", "297,056"}, {"1234567", "1,234,567"},
        {"-1234", "-1234"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[32];
        snprintf(text, sizeof text, "%s", cases[i][0]);
        assert_string_equal(number_group(text), cases[i][1]);
    }
}

static void blocks_of_a_group_end_together(void **state) {
    struct mem_group group = {0};
    double *a = NULL, *b = NULL, *none = (double *)&group, *refused = (double *)&group;
    (void)state;
    assert_ok(mem_take(&group, &a, 100, sizeof *a, err));
    assert_ok(mem_take(&group, &none, 0, sizeof *none, err));
    assert_null(none);
    mem_fail_after(0);
    assert_error(CAELUM_ERESOURCE, "out of memory", mem_take(&group, &refused, 1, 1, err));
    mem_fail_after(-1);
    assert_ok(mem_take(&group, &b, 3, sizeof *b, err));
    for (size_t i = 0; i < 100; i++) assert_true(a[i] == 0), a[i] = 1;
    for (size_t i = 0; i < 3; i++) assert_true(b[i] == 0), b[i] = 2;
    assert_int_equal((uintptr_t)a % MEM_ALIGN + (uintptr_t)b % MEM_ALIGN, 0);
    mem_end(&group);
    assert_null(group.last);
    mem_end(&group);
}

static void sizes_are_checked(void **state) {
    (void)state;
    size_t product = 7;
    void *block = NULL;
    assert_ok(size_mul(3, 5, &product, err));
    assert_int_equal(product, 15);
    assert_error(CAELUM_ERESOURCE, "too large", size_mul(SIZE_MAX, 2, &product, err));
    assert_int_equal(product, 15);
    assert_error(CAELUM_ERESOURCE, "too large", mem_alloc(&block, SIZE_MAX / 2, 4, err));
    assert_error(CAELUM_ERESOURCE, "out of memory", mem_alloc(&block, SIZE_MAX - 8, 1, err));
    mem_fail_after(0);
    assert_error(CAELUM_ERESOURCE, "out of memory", mem_alloc(&block, 1, 1, err));
    mem_fail_after(-1);
    assert_null(block);
    assert_ok(mem_alloc(&block, 100, 1, err));
    assert_int_equal((uintptr_t)block % MEM_ALIGN, 0);
    mem_free(&block);
    assert_null(block);
}

static size_t files_in(const char *directory) {
    char command[300];
    snprintf(command, sizeof command, "ls -A '%s' | wc -l", directory);
    FILE *f = popen(command, "r");
    size_t n = 99;
    if (!f || fscanf(f, "%zu", &n) != 1) fail_msg("%s", command);
    pclose(f);
    return n;
}

static void files_are_whole_or_not_there(void **state) {
    (void)state;
    char dir[256], path[300];
    struct file_writer writer = {0};
    uint8_t *bytes = NULL;
    size_t size;
    test_directory(dir);
    snprintf(path, sizeof path, "%s/file", dir);
    assert_ok(file_write(path, "first", 5, err));
    assert_ok(file_begin(&writer, path, err));
    fputs("second", writer.stream);
    file_abandon(&writer);
    assert_ok(file_read(path, 100, &bytes, &size, err));
    assert_int_equal(size, 5);
    assert_memory_equal(bytes, "first", 6);
    mem_free(&bytes);
    assert_error(CAELUM_EFORMAT, "at most 4", file_read(path, 4, &bytes, &size, err));
    assert_error(CAELUM_EIO, "missing", file_read("missing", 4, &bytes, &size, err));
    assert_error(CAELUM_EIO, "can't be written", file_write("/nowhere/at/all", "x", 1, err));
    /* no room: the old file stays, nothing else is left */
    const struct rlimit small = {1000, RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    static char large[100000];
    assert_error(CAELUM_EIO, "not written", file_write(path, large, sizeof large, err));
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY});
    assert_ok(file_read(path, 100, &bytes, &size, err));
    assert_int_equal(size, 5);
    mem_free(&bytes);
    assert_int_equal(files_in(dir), 1);
    test_remove(dir);
}

static void cpu_level_can_be_lowered(void **state) {
    (void)state;
    enum cpu_level level = CPU_LEVELS;
    setenv("CAELUM_CPU", "generic", 1);
    assert_ok(cpu_choose(&level, err));
    assert_int_equal(level, CPU_GENERIC);
    setenv("CAELUM_CPU", "avx3", 1);
    assert_error(CAELUM_EUSAGE, "expected generic, avx2 or avx512", cpu_choose(&level, err));
    unsetenv("CAELUM_CPU");
    assert_ok(cpu_choose(&level, err));
    assert_int_equal(level, cpu_detect());
}

/* Two writers of one file at a time, as two runs side by side have them: each has a temporary file of its
 * own, the last to finish wins, and nothing else is left. */
static void two_writers_do_not_meet(void **state) {
    (void)state;
    char dir[256], path[300], command[400];
    struct file_writer a, b;
    uint8_t *bytes = NULL;
    size_t size;
    test_directory(dir);
    snprintf(path, sizeof path, "%s/file", dir);
    assert_ok(file_begin(&a, path, err));
    assert_ok(file_begin(&b, path, err));
    fputs("from a", a.stream);
    fputs("from b, longer", b.stream);
    assert_ok(file_commit(&a, err));
    assert_ok(file_read(path, 100, &bytes, &size, err));
    assert_string_equal((const char *)bytes, "from a");
    mem_free(&bytes);
    assert_ok(file_commit(&b, err));
    assert_ok(file_read(path, 100, &bytes, &size, err));
    assert_string_equal((const char *)bytes, "from b, longer");
    mem_free(&bytes);
    snprintf(command, sizeof command, "test \"$(ls '%s')\" = file", dir);
    assert_int_equal(system(command), 0);
    test_remove(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_writers_do_not_meet),   cmocka_unit_test(philox_known_answers),
        cmocka_unit_test(rng_is_uniform_and_apart),  cmocka_unit_test(shuffle_is_a_permutation),
        cmocka_unit_test(whole_numbers_are_checked), cmocka_unit_test(json_is_whole_or_gone),
        cmocka_unit_test(sizes_are_checked),         cmocka_unit_test(files_are_whole_or_not_there),
        cmocka_unit_test(cpu_level_can_be_lowered),  cmocka_unit_test(json_literals_are_whole_or_gone),
        cmocka_unit_test(digits_are_grouped),        cmocka_unit_test(blocks_of_a_group_end_together),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
