/* test_run_directory.c - whose a run directory is, and what may stand in it: two starts at a time, names of
 * any bytes, damaged settings, memory that ends. */
#include "testing.h"

#include "base/file.h"
#include "model/safetensors.h"
#include "net/net.h"

#include <errno.h>
#include <jansson.h>

static char dir[256], net_path[300];

static int make_directory(void **state) {
    (void)state;
    static const char text[] = "input 3\nconv 4 relu\nconv 3\n";
    test_directory(dir);
    snprintf(net_path, sizeof net_path, "%s/small.net", dir);
    return file_write(net_path, text, strlen(text), NULL);
}

static int remove_directory(void **state) {
    (void)state;
    test_remove(dir);
    return 0;
}

/* An epoch of eight pictures, in a run directory under the scratch directory. */
static struct caelum_train_settings run_in(const char *name, char out[PATH_SIZE]) {
    struct caelum_train_settings s = caelum_train_defaults();
    snprintf(out, PATH_SIZE, "%s/%s", dir, name);
    s.net_path = net_path;
    s.data = "synthetic:10:8";
    s.batch = 4;
    s.epochs = 1;
    s.threads = 1;
    s.out = out;
    return s;
}

static struct caelum_train_settings resumed(char *out) {
    struct caelum_train_settings s = caelum_train_defaults();
    s.out = out;
    s.resume = true;
    s.epochs = 2;
    s.threads = 1;
    return s;
}

static bool exists(const char *out, const char *name) {
    char path[PATH_SIZE + 64];
    snprintf(path, sizeof path, "%s/%s", out, name);
    return access(path, F_OK) == 0;
}

/* The inode and time of a file: another file, or one that was written again, has others. */
static struct stat look(const char *out, const char *name) {
    char path[PATH_SIZE + 64];
    struct stat st = {0};
    snprintf(path, sizeof path, "%s/%s", out, name);
    assert_int_equal(stat(path, &st), 0);
    return st;
}

static bool same(struct stat a, struct stat b) {
    return a.st_ino == b.st_ino && a.st_mtim.tv_sec == b.st_mtim.tv_sec &&
           a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

/* --- Two at a time ---------------------------------------------------------------------------------- */

/* Another run of the same directory, started and finished while the first one opens its data. */
static void finish_another(void *cookie, const caelum_data *data) {
    struct caelum_train_settings other = *(const struct caelum_train_settings *)cookie;
    (void)data;
    other.data_settings.opened = NULL;
    other.seed = 7;
    assert_ok(caelum_train(&other, NULL, err));
}

static void a_run_that_was_faster_is_not_touched(void **state) {
    (void)state;
    for (int force = 0; force < 2; force++) {
        char out[PATH_SIZE];
        struct caelum_train_settings s = run_in(force ? "fast-force" : "fast", out), other = s;
        s.force = force;
        s.data_settings.opened = finish_another;
        s.data_settings.cookie = s.cookie = &other;
        other.force = force;
        assert_error(CAELUM_EIO, "somebody else has made it meanwhile", caelum_train(&s, NULL, err));
        caelum_model *model = NULL;
        char path[PATH_SIZE + 64];
        snprintf(path, sizeof path, "%s/last.safetensors", out);
        assert_ok(caelum_model_load(&model, path, err));
        assert_string_equal(caelum_model_metadata(model, "seed"), "7");
        caelum_model_close(&model);
    }
}

static void try_another(void *cookie, const caelum_data *data) {
    struct caelum_train_settings other = *(const struct caelum_train_settings *)cookie;
    (void)data;
    other.data_settings.opened = NULL;
    assert_error(CAELUM_EIO, "another caelum is at work in this directory", caelum_train(&other, NULL, err));
}

/* With --force, a directory that is there is taken at once; so it is with --resume. */
static void a_directory_in_use_is_refused_from_the_start(void **state) {
    (void)state;
    char out[PATH_SIZE];
    struct caelum_train_settings s = run_in("used", out);
    assert_ok(caelum_train(&s, NULL, err));
    struct caelum_train_settings other = s;
    s.force = other.force = true;
    s.data_settings.opened = try_another;
    s.data_settings.cookie = s.cookie = &other;
    assert_ok(caelum_train(&s, NULL, err));
    other = resumed(out);
    s.data_settings.cookie = s.cookie = &other;
    assert_ok(caelum_train(&s, NULL, err));
    struct caelum_train_settings again = resumed(out);
    again.data_settings.opened = try_another;
    again.data_settings.cookie = again.cookie = &other;
    assert_ok(caelum_train(&again, NULL, err));
}

static void make_it(void *cookie, const caelum_data *data) {
    (void)data;
    assert_int_equal(mkdir(cookie, 0777), 0);
}

static void a_search_for_the_step_size_is_refused_too(void **state) {
    (void)state;
    static struct caelum_lr_find found;
    char out[PATH_SIZE];
    struct caelum_train_settings s = run_in("lr", out);
    s.data_settings.opened = make_it;
    s.data_settings.cookie = s.cookie = out;
    assert_error(CAELUM_EIO, "somebody else has made it meanwhile", caelum_lr_find(&s, &found, err));
    assert_false(exists(out, "lr_find.csv"));
    s.data_settings.opened = NULL;
    assert_error(CAELUM_EIO, "name another, or write into it by --force", caelum_lr_find(&s, &found, err));
    s.force = true;
    assert_ok(caelum_lr_find(&s, &found, err));
}

/* The study's second run, trained by hand while its first one is under way. */
static int train_the_second(void *cookie, const struct caelum_study_progress *p) {
    char *out = cookie;
    (void)p;
    if (exists(out, "run.json")) return 0;
    struct caelum_train_settings s = run_in("", (char[PATH_SIZE]){0});
    s.batch = 50;
    s.data = "synthetic:20:8";
    s.out = out;
    assert_ok(caelum_train(&s, NULL, err));
    return 0;
}

static void a_study_leaves_finished_runs_alone(void **state) {
    (void)state;
    if (!CAELUM_WITH_LAPACK || !CAELUM_WITH_CAIRO) skip(); /* a study measures PCA, and draws */
    static const char text[] = "section a \"A\"\nrun one small.net data=synthetic:20:8 epochs=1 seeds=1\n"
                               "run two small.net data=synthetic:20:8 epochs=1 seeds=1\n";
    char path[300], out[270], second[300];
    snprintf(path, sizeof path, "%s/x.study", dir);
    snprintf(out, sizeof out, "%s/study", dir);
    snprintf(second, sizeof second, "%s/runs/two-s1", out);
    assert_ok(file_write(path, text, strlen(text), err));
    struct caelum_study_settings s = caelum_study_defaults();
    struct caelum_study_result result;
    s.path = path;
    s.out = out;
    s.jobs = 1;
    s.progress = train_the_second;
    s.cookie = second;
    assert_ok(caelum_study(&s, &result, err));
    assert_int_equal(result.finished, 2);
    char run_json[400];
    snprintf(run_json, sizeof run_json, "%s/run.json", second);
    json_t *root = json_load_file(run_json, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(root, "command")), ""); /* the study gives one */
    json_decref(root);
    struct file_lock lock = {0};
    assert_ok(file_lock(&lock, out, err));
    assert_error(CAELUM_EIO, "another caelum is at work", caelum_study(&s, &result, err));
    s.report_only = true;
    assert_ok(caelum_study(&s, &result, err));
    file_unlock(&lock);
}

/* --- One run's files ---------------------------------------------------------------------------------- */

/* Writing over a run ends on the way, as a kill would end it: what is there is the old run's, and can't be
 * taken for one that could be resumed. */
static void a_directory_is_always_of_one_run(void **state) {
    (void)state;
    char out[PATH_SIZE], path[PATH_SIZE + 64];
    struct caelum_train_settings s = run_in("mixed", out);
    assert_ok(caelum_train(&s, NULL, err));
    snprintf(path, sizeof path, "%s/eval.json", out);
    assert_ok(file_write(path, "{}", 2, err));
    snprintf(path, sizeof path, "%s/colorizations.png", out);
    assert_int_equal(mkdir(path, 0777), 0); /* which unlink refuses */
    const struct stat before = look(out, "run.json");
    s.force = true;
    s.seed = 2;
    assert_error(CAELUM_EIO, "colorizations.png: can't be removed", caelum_train(&s, NULL, err));
    assert_true(same(before, look(out, "run.json")));
    assert_false(exists(out, "checkpoint.safetensors"));
    assert_false(exists(out, "eval.json"));
    assert_int_equal(rmdir(path), 0);
    assert_ok(caelum_train(&s, NULL, err));
    assert_false(same(before, look(out, "run.json")));
}

/* A name's bytes are no letters to a file system; a letter may lie across the end of any buffer. */
static void names_and_paths_of_any_bytes_can_be_resumed(void **state) {
    (void)state;
    static const char *const names[] = {"latin-\xe9", "my.v2", "it's \"one\"\\xe9"};
    char net[600], out[PATH_SIZE], name[300], text[] = "input 3\nconv 3\n";
    for (size_t i = 0; i < 5; i++) {
        snprintf(name, sizeof name, "%s", i < 3 ? names[i] : "");
        if (i >= 3) /* 62, 63 and more bytes before a letter of two */
            for (size_t n = 0; n < 30 + i % 2 + 60; n++) strcat(name, n == i ? "x" : "\xc3\xa9");
        snprintf(net, sizeof net, "%s/%s.net", dir, name);
        assert_ok(file_write(net, text, strlen(text), err));
        struct caelum_train_settings s = run_in(name, out), again;
        s.net_path = net;
        assert_ok(caelum_train(&s, NULL, err));
        assert_true(exists(out, "curves.svg"));
        again = resumed(out);
        assert_ok(caelum_train(&again, NULL, err));
        char path[PATH_SIZE + 64];
        caelum_model *model = NULL;
        snprintf(path, sizeof path, "%s/last.safetensors", out);
        assert_ok(caelum_model_load(&model, path, err));
        if (i == 1) assert_string_equal(caelum_model_metadata(model, "name"), "my.v2");
        if (i == 3) assert_string_equal(caelum_model_metadata(model, "name"), name);
        assert_string_equal(caelum_model_metadata(model, "epoch"), "2");
        caelum_model_close(&model);
    }
}

static void a_long_path_can_be_resumed(void **state) {
    (void)state;
    char name[3000] = "", out[PATH_SIZE];
    for (int i = 0; i < 14; i++) sprintf(name + strlen(name), "%s%0200d", i ? "/" : "", i);
    struct caelum_train_settings s = run_in(name, out), again = resumed(out);
    assert_ok(caelum_train(&s, NULL, err));
    assert_ok(caelum_train(&again, NULL, err));
    char too_long[PATH_SIZE + 1];
    memset(too_long, 'x', PATH_SIZE);
    too_long[PATH_SIZE] = '\0';
    s.out = too_long;
    assert_error(CAELUM_EUSAGE, "longer than 4095 bytes", caelum_train(&s, NULL, err));
}

/* The number of pictures a side for which a network is made is that of its data. */
static void a_network_is_parsed_at_its_datas_size(void **state) {
    (void)state;
    static const char text[] = "input 3\nspace_to_depth 5\nconv 75\ndepth_to_space 5\n";
    char net[300], out[PATH_SIZE];
    snprintf(net, sizeof net, "%s/fives.net", dir);
    assert_ok(file_write(net, text, strlen(text), err));
    struct caelum_train_settings s = run_in("fives", out);
    s.net_path = net;
    s.data = "synthetic:10:40";
    assert_ok(caelum_train(&s, NULL, err));
    s.data = "synthetic:10:32";
    s.force = true;
    assert_error(CAELUM_EFORMAT, "fives.net:2:", caelum_train(&s, NULL, err));
}

/* --- What comes out of a file ------------------------------------------------------------------------- */

/* Rewrites a checkpoint with one string changed. */
static void change(const char *path, const char *key, const char *value) {
    struct safetensors file = {0};
    assert_ok(safetensors_read(&file, path, err));
    assert_non_null(metadata_get(&file.metadata, key));
    assert_ok(metadata_set(&file.metadata, key, value, err));
    assert_ok(safetensors_write(path, file.tensor, file.count, &file.metadata, err));
    safetensors_close(&file);
}

static void damaged_settings_are_refused(void **state) {
    (void)state;
    static const char *const changes[][2] = {
        {"batch", "0"},        {"batch", "18446744073709551617"},
        {"batch", "-1"},       {"batch", "4x"},
        {"lr", "nan"},         {"lr", "-1"},
        {"lr", "0,5"},         {"lr", ""},
        {"epochs", "0"},       {"epochs", "1000001"},
        {"epochs", " 1"},      {"seed", "-1"},
        {"crop", "257"},       {"shift", "8"},
        {"optimizer", "adan"}, {"flip", "maybe"},
        {"height", "0"},       {"width", "99999999999999999999"},
        {"warmup", "1"},       {"loss", "xent"},
        {"format", "caelum"},
    };
    char out[PATH_SIZE], path[PATH_SIZE + 64];
    struct caelum_train_settings s = run_in("damaged", out), again = resumed(out);
    assert_ok(caelum_train(&s, NULL, err));
    snprintf(path, sizeof path, "%s/checkpoint.safetensors", out);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        struct safetensors file = {0};
        char before[100];
        assert_ok(safetensors_read(&file, path, err));
        snprintf(before, sizeof before, "%s", metadata_get(&file.metadata, changes[i][0]));
        safetensors_close(&file);
        change(path, changes[i][0], changes[i][1]);
        struct caelum_error e = {0};
        const int code = caelum_train(&again, NULL, &e);
        if (code != CAELUM_EFORMAT || e.code != CAELUM_EFORMAT || !strstr(e.text, "checkpoint.safetensors"))
            fail_msg("%s = '%s': %d, %d: %s", changes[i][0], changes[i][1], code, e.code, e.text);
        change(path, changes[i][0], before);
    }
    assert_ok(caelum_train(&again, NULL, err));
}

/* --- Memory that ends ----------------------------------------------------------------------------------- */

static long json_left; /* allocations of jansson that succeed; negative: all */

static void *json_alloc(size_t size) {
    if (json_left == 0) return NULL;
    json_left -= json_left > 0;
    return malloc(size);
}

/* Whatever allocation fails: a run that says that it has succeeded can be resumed. */
static void a_run_that_succeeds_can_be_resumed(void **state) {
    (void)state;
    char out[PATH_SIZE];
    struct caelum_train_settings s = run_in("memory", out), again = resumed(out);
    long n = 0, failed = 0;
    s.force = true;
    json_set_alloc_funcs(json_alloc, free);
    for (long step = 1;; n += step, step = n / 40 + 1) { /* each of the first, then some */
        struct caelum_error e = {0};
        json_left = n;
        const int code = caelum_train(&s, NULL, &e);
        const bool all = json_left != 0;
        json_left = -1;
        if (code == 0) assert_ok(caelum_train(&again, NULL, err));
        failed += code != 0;
        if (all) break;
    }
    json_set_alloc_funcs(malloc, free);
    print_message("%ld allocations of JSON; %ld of those that failed were told\n", n, failed);
    assert_true(failed > 40);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_that_was_faster_is_not_touched),
        cmocka_unit_test(a_directory_in_use_is_refused_from_the_start),
        cmocka_unit_test(a_search_for_the_step_size_is_refused_too),
        cmocka_unit_test(a_study_leaves_finished_runs_alone),
        cmocka_unit_test(a_directory_is_always_of_one_run),
        cmocka_unit_test(names_and_paths_of_any_bytes_can_be_resumed),
        cmocka_unit_test(a_long_path_can_be_resumed),
        cmocka_unit_test(a_network_is_parsed_at_its_datas_size),
        cmocka_unit_test(damaged_settings_are_refused),
        cmocka_unit_test(a_run_that_succeeds_can_be_resumed),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
