/* test_prepared.c - prepared data: no damage, and nothing that another user could have made, is believed; and
 * that it can't be kept stops nobody. */
#include "testing.h"

#include "base/kept.h"
#include "data/prepared.h"
#include "eval/figure_cache.h"

#include <fcntl.h>
#include <math.h>
#include <sys/wait.h>
#include <time.h>

enum {
    CLASSES = 10,
    NAMES = 20,
    COUNT = 10,
    SIDE = 3,
    PICTURE = 3 * SIDE * SIDE,
    PAGE = 4096,
    OTHER_USER = 65534
};

static char cache[264], kept[PATH_SIZE];
static int made;

static int setup(void **state) {
    test_open_root(state);
    snprintf(cache, sizeof cache, "%s/cache", test_root);
    return 0;
}

/* Ten pictures, their labels, three photos and a file that was skipped. */
static int make(void *cookie, struct prepared_writer *to, struct caelum_error *err) {
    static const uint32_t first[] = {0, 2, 3, COUNT};
    static const uint16_t labels[COUNT] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    uint8_t pixels[COUNT * PICTURE];
    (void)cookie, (void)err;
    for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(7 * i);
    to->header.count = COUNT, to->header.classes = CLASSES, to->header.photos = 3;
    to->header.c = 3, to->header.h = SIDE, to->header.w = SIDE;
    to->header.skipped = 1, to->header.skips_size = 8, to->header.names_size = NAMES;
    prepared_pixels(to, pixels, sizeof pixels);
    prepared_tables(to, first, labels, "0\0001\0002\0003\0004\0005\0006\0007\0008\0009", "a\0wrong");
    made++;
    return CAELUM_OK;
}

static struct caelum_data *open_it(int times_made) {
    const struct prepared what = {"0123456789abcdef", make, NULL};
    const struct caelum_data_settings settings = caelum_data_defaults();
    struct caelum_data *data = NULL;
    assert_ok(mem_alloc(&data, 1, sizeof *data, err));
    snprintf(data->cache_dir, sizeof data->cache_dir, "%s", cache);
    made = 0;
    assert_ok(prepared_open(data, &what, &settings, err));
    assert_int_equal(data->count, COUNT);
    for (size_t i = 0; i < COUNT * PICTURE; i++) assert_int_equal(data->pixels[i], (uint8_t)(7 * i));
    for (size_t i = 0; i < COUNT; i++) assert_int_equal(data->labels[i], i);
    assert_int_equal(data->first[2], 3);
    assert_string_equal(data->skips + 2, "wrong");
    assert_int_equal(made, times_made);
    return data;
}

/* Expects that it is made that number of times, and kept. */
static void assert_made(int times) {
    struct caelum_data *data = open_it(times);
    assert_null(caelum_data_note(data, 0));
    caelum_data_close(&data);
    struct stat st;
    assert_int_equal(lstat(kept, &st), 0);
    assert_true(S_ISREG(st.st_mode));
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(st.st_uid, geteuid());
}

/* Processes that want the same data at the same time: one makes them, the others wait. */
static int make_slowly(void *cookie, struct prepared_writer *to, struct caelum_error *err) {
    const int *log = cookie;
    const struct timespec pause = {0, 300000000};
    nanosleep(&pause, NULL);
    if (write(*log, "m", 1) != 1) return CAELUM_EIO;
    return make(NULL, to, err);
}

static void made_once(void **state) {
    enum { PROCESSES = 3 };
    char path[PATH_SIZE];
    struct stat st;
    (void)state;
    test_remove(cache);
    snprintf(path, sizeof path, "%s/log", test_root);
    int log = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
    const struct prepared what = {"0123456789abcdef", make_slowly, &log};
    const struct caelum_data_settings settings = caelum_data_defaults();
    for (int i = 0; i < PROCESSES; i++) {
        if (fork() > 0) continue;
        struct caelum_data data = {0};
        struct caelum_error why;
        snprintf(data.cache_dir, sizeof data.cache_dir, "%s", cache);
        _exit(prepared_open(&data, &what, &settings, &why) != 0 || data.count != COUNT);
    }
    for (int i = 0, status; i < PROCESSES; i++) {
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    assert_int_equal(fstat(log, &st), 0);
    close(log);
    assert_int_equal(st.st_size, 1);
}

static void begin(void) {
    test_remove(cache);
    snprintf(kept, sizeof kept, "%s/data-0123456789abcdef-%lu.v3", cache, (unsigned long)geteuid());
    assert_made(1);
    assert_made(0);
}

/* What another process has just written is there until one's own takes its place. */
static void a_process_that_prepares_leaves_what_is_there(void **state) {
    (void)state;
    struct file_writer writer = {0};
    begin();
    assert_ok(kept_begin(&writer, kept, err));
    assert_made(0);
    file_abandon(&writer);
    assert_made(0);
}

/* The checksum as its definition has it, bit by bit. */
static uint32_t crc(uint32_t sum, const uint8_t *bytes, size_t n) {
    sum = ~sum;
    for (size_t i = 0; i < n; i++) {
        sum ^= bytes[i];
        for (int k = 0; k < 8; k++) sum = sum >> 1 ^ (sum & 1 ? 0xedb88320u : 0);
    }
    return ~sum;
}

static size_t read_kept(uint8_t bytes[2 * PAGE]) {
    FILE *f = fopen(kept, "rb");
    const size_t size = fread(bytes, 1, 2 * PAGE, f);
    fclose(f);
    return size;
}

static void write_kept(const uint8_t *bytes, size_t size) {
    FILE *f = fopen(kept, "wb"); /* in place: mode and owner stay */
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    fclose(f);
}

static void damage_anywhere_is_noticed(void **state) {
    (void)state;
    static uint8_t bytes[2 * PAGE];
    begin();
    const size_t size = read_kept(bytes);
    assert_int_equal(size, PAGE + COUNT * PICTURE + 2 + 4 * 4 + 2 * COUNT + NAMES + 8);
    for (size_t i = 0; i < size; i = i + 1 == sizeof(struct prepared_header) ? PAGE : i + 1) {
        bytes[i] ^= 0x40;
        write_kept(bytes, size);
        assert_made(1);
        bytes[i] ^= 0x40;
    }
    for (size_t n = 0; n < size; n += 97) {
        write_kept(bytes, n);
        assert_made(1);
    }
    assert_made(0);
}

/* Contents that can't be, under a checksum that is right. */
static void nonsense_is_not_believed(void **state) {
    (void)state;
    static uint8_t bytes[2 * PAGE];
    begin();
    const size_t size = read_kept(bytes), first = PAGE + COUNT * PICTURE + 2, labels = first + 16;
    const struct {
        size_t at;
        uint8_t value;
    } nonsense[] = {{labels + 6, 255},    {labels + 18, 10}, {first + 4, 0},
                    {first + 12, 11},     {size - 1, 'x'},   {size - 3, 0},
                    {labels - 16 + 1, 1}, {labels + 1, 1},   {size - 8 - 2, 0}};
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
        struct prepared_header h;
        const uint8_t before = bytes[nonsense[i].at];
        bytes[nonsense[i].at] = nonsense[i].value;
        memcpy(&h, bytes, sizeof h);
        h.sum = 0;
        h.sum = crc(crc(0, bytes + PAGE, size - PAGE), (const uint8_t *)&h, sizeof h);
        memcpy(bytes, &h, sizeof h);
        write_kept(bytes, size);
        assert_made(1);
        bytes[nonsense[i].at] = before;
    }
    read_kept(bytes); /* as a control, the sum of what is right */
    struct prepared_header h;
    memcpy(&h, bytes, sizeof h);
    const uint32_t sum = h.sum;
    h.sum = 0;
    assert_int_equal(crc(crc(0, bytes + PAGE, size - PAGE), (const uint8_t *)&h, sizeof h), sum);
}

static void what_others_can_write_is_not_believed(void **state) {
    (void)state;
    char other[700];
    begin();
    assert_int_equal(chmod(kept, 0620), 0);
    assert_made(1);
    assert_int_equal(chmod(kept, 0602), 0);
    assert_made(1);
    snprintf(other, sizeof other, "%.680s.other", kept);
    assert_int_equal(rename(kept, other), 0);
    assert_int_equal(symlink(other, kept), 0);
    assert_made(1);
    assert_int_equal(unlink(kept), 0);
    assert_int_equal(mkfifo(kept, 0600), 0);
    alarm(60);
    assert_made(1);
    alarm(0);
    if (geteuid() != 0 || chown(kept, OTHER_USER, OTHER_USER) != 0) return;
    assert_made(1);
}

/* The place is below a file, so that it can't be made by root either. */
static void a_cache_that_can_not_be_stops_nobody(void **state) {
    (void)state;
    test_remove(cache);
    assert_ok(file_write(cache, "", 0, err));
    struct caelum_data *data = open_it(1);
    const char *note = caelum_data_note(data, 0);
    assert_non_null(note);
    assert_non_null(strstr(note, "prepared data is not kept for the next time: "));
    assert_non_null(strstr(note, cache));
    assert_null(caelum_data_note(data, 1));
    caelum_data_close(&data);
    unlink(cache);
    *cache = '\0'; /* none at all */
    data = open_it(1);
    assert_non_null(caelum_data_note(data, 0));
    caelum_data_close(&data);
    snprintf(cache, sizeof cache, "%s/cache", test_root);
}

static void the_directory_in_tmp_is_ones_own(void **state) {
    (void)state;
    char path[400], link[400];
    struct stat st;
    snprintf(path, sizeof path, "%s/own", test_root);
    snprintf(link, sizeof link, "%s/link", test_root);
    assert_true(kept_directory(path));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_true(kept_directory(path));
    assert_int_equal(symlink(path, link), 0);
    assert_false(kept_directory(link));
    assert_int_equal(chmod(path, 0777), 0);
    assert_false(kept_directory(path));
    assert_int_equal(chmod(path, 0700), 0);
    if (geteuid() != 0 || chown(path, OTHER_USER, OTHER_USER) != 0) return;
    assert_false(kept_directory(path));
}

/* Figures of baselines are kept in the same place. */
static bool figures_known(const struct caelum_data *data, const char *kind, double mse) {
    struct figure_cache c;
    struct caelum_metrics m = {0};
    assert_ok(figure_cache_open(&c, data, CAELUM_TEST, kind, CAELUM_RECONSTRUCT, err));
    const bool known = figure_cache_find(&c, "code", &m);
    if (known) assert_true(m.mse == mse && m.count == 7 && isnan(m.ssim));
    snprintf(kept, sizeof kept, "%s", c.path);
    figure_cache_close(&c);
    return known;
}

static void keep_figures(const struct caelum_data *data, double mse) {
    const struct caelum_metrics m = {.count = 7, .mse = mse, .ssim = NAN};
    struct figure_cache c;
    assert_ok(figure_cache_open(&c, data, CAELUM_TEST, "codes", CAELUM_RECONSTRUCT, err));
    figure_cache_add(&c, "code", &m);
    assert_true(figure_cache_find(&c, "code", &(struct caelum_metrics){0}));
    figure_cache_close(&c);
}

static void figures_of_others_are_not_believed(void **state) {
    (void)state;
    begin();
    struct caelum_data *data = open_it(0);
    assert_false(figures_known(data, "codes", 0));
    keep_figures(data, 0.1);
    assert_false(figures_known(data, "others", 0));
    assert_true(figures_known(data, "codes", 0.1));
    data->settings.split_seed++;
    assert_false(figures_known(data, "codes", 0));
    data->settings.split_seed--;
    keep_figures(data, 0.2);
    assert_true(figures_known(data, "codes", 0.2));
    assert_int_equal(chmod(kept, 0666), 0);
    assert_false(figures_known(data, "codes", 0));
    snprintf(data->cache_dir, sizeof data->cache_dir, "/dev/null/cache");
    keep_figures(data, 0.1); /* no error */
    assert_false(figures_known(data, "codes", 0));
    *data->cache_dir = '\0';
    keep_figures(data, 0.1);
    assert_false(figures_known(data, "codes", 0));
    caelum_data_close(&data);
}

static const char *chosen(const char *own, const char *xdg, const char *home) {
    static char dir[PATH_SIZE];
    struct caelum_data *data = NULL;
    setenv("CAELUM_CACHE", own, 1), setenv("XDG_CACHE_HOME", xdg, 1), setenv("HOME", home, 1);
    assert_ok(caelum_data_open(&data, "synthetic:10", NULL, err));
    snprintf(dir, sizeof dir, "%s", data->cache_dir);
    caelum_data_close(&data);
    return dir;
}

static void the_place_is_chosen(void **state) {
    (void)state;
    char home[300], wanted[400];
    snprintf(home, sizeof home, "%s/home", test_root);
    assert_int_equal(mkdir(home, 0755), 0);
    assert_string_equal(chosen("/a", "/b", home), "/a/");
    assert_string_equal(chosen("", "/nowhere/b", home), "/nowhere/b/caelum");
    snprintf(wanted, sizeof wanted, "%s/.cache/caelum", home);
    assert_string_equal(chosen("", "relative", home), wanted);
    if (geteuid() != 0 || chown(home, OTHER_USER, OTHER_USER) != 0) return;
    assert_null(strstr(chosen("", "", home), test_root)); /* sudo's HOME can be another user's */
    assert_null(strstr(chosen("", home, home), test_root));
    (void)rmdir("/tmp/caelum-0"); /* where nobody keeps anything in it */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damage_anywhere_is_noticed),
        cmocka_unit_test(nonsense_is_not_believed),
        cmocka_unit_test(a_process_that_prepares_leaves_what_is_there),
        cmocka_unit_test(what_others_can_write_is_not_believed),
        cmocka_unit_test(a_cache_that_can_not_be_stops_nobody),
        cmocka_unit_test(figures_of_others_are_not_believed),
        cmocka_unit_test(the_directory_in_tmp_is_ones_own),
        cmocka_unit_test(made_once),
        cmocka_unit_test(the_place_is_chosen),
    };
    return cmocka_run_group_tests_name("prepared", tests, setup, test_close_root);
}
