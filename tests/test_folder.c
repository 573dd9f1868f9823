/* test_folder.c - photos as a data set: the split by photo, what is skipped and why, the cache. */
#include "testing.h"

#include "base/file.h"
#include "data/crops.h"
#include "data/formats.h"

#include <fcntl.h>
#include <math.h>

static char root[256], photos[300], cache[300];

static int setup(void **state) {
    (void)state;
    struct caelum_error err;
    test_directory(root);
    snprintf(photos, sizeof photos, "%s/photos", root);
    snprintf(cache, sizeof cache, "%s/cache", root);
    return file_make_directory(photos, &err);
}

static int teardown(void **state) {
    (void)state;
    test_remove(root);
    return 0;
}

static struct caelum_picture make_picture(size_t width, size_t height) {
    struct caelum_picture picture = {.width = width, .height = height};
    assert_ok(mem_alloc(&picture.pixels, width * height, 3, err));
    return picture;
}

static struct caelum_picture random_picture(size_t width, size_t height, uint32_t index) {
    struct caelum_picture picture = make_picture(width, height);
    struct rng rng = rng_make(1, RNG_TEST, index);
    for (size_t i = 0; i < width * height * 3; i++) picture.pixels[i] = (uint8_t)rng_u32(&rng);
    return picture;
}

/* Writes a picture as DIR/NAME, a PNG whatever its name says, and ends it. */
static void put(const char *dir, const char *name, struct caelum_picture picture) {
    char path[600];
    uint8_t *bytes = NULL;
    size_t size;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_ok(caelum_picture_encode(&picture, CAELUM_PNG, &bytes, &size, err));
    assert_ok(file_write(path, bytes, size, err));
    caelum_picture_bytes_free(&bytes);
    caelum_picture_free(&picture);
}

static void put_bytes(const char *name, const void *bytes, size_t size) {
    char path[600];
    snprintf(path, sizeof path, "%s/%s", photos, name);
    assert_ok(file_write(path, bytes, size, err));
}

/* The directory of this name, empty, becomes `photos`; the cache is emptied too. */
static void begin(const char *name) {
    snprintf(photos, sizeof photos, "%s/%s", root, name);
    test_remove(cache), test_remove(photos);
    assert_ok(file_make_directory(photos, err));
}

static int readings; /* reports of progress */
static int count_readings(void *cookie, const char *what, size_t done, size_t total) {
    (void)what, (void)done, (void)total;
    readings++;
    return cookie != NULL;
}

static struct caelum_data_settings settings_of(size_t crop) {
    struct caelum_data_settings s = caelum_data_defaults();
    s.cache_dir = cache;
    s.crop = crop;
    s.progress = count_readings;
    return s;
}

static struct caelum_data *open_photos(size_t crop, size_t limit) {
    struct caelum_data_settings s = settings_of(crop);
    struct caelum_data *data = NULL;
    s.limit = limit;
    readings = 0;
    assert_ok(caelum_data_open(&data, photos, &s, err));
    return data;
}

static size_t files_in(const char *dir) {
    char command[700];
    unsigned n = 0;
    snprintf(command, sizeof command, "ls -A '%s' 2>/dev/null | wc -l", dir);
    FILE *f = popen(command, "r");
    assert_int_equal(fscanf(f, "%u", &n), 1);
    pclose(f);
    return n;
}

/* --- A directory ---------------------------------------------------------------------------------- */

static void put_random(size_t n) {
    for (size_t i = 0; i < n; i++) {
        char name[40];
        snprintf(name, sizeof name, "%02zu.png", i * 11 % n); /* not in their order */
        put(photos, name, random_picture(40 + i, 70, (uint32_t)(i * 11 % n)));
    }
}

static void threads_make_no_difference(void **state) {
    (void)state;
    begin("threads");
    put_random(21);
    for (int threads = 1; threads <= 3; threads += 2) {
        struct caelum_data_settings s = settings_of(16);
        struct caelum_data data = {0};
        snprintf(data.cache_dir, sizeof data.cache_dir, "%s/%d", cache, threads);
        assert_ok(formats_open(&data, photos, &s, threads, err));
        assert_int_equal(data.photos, 21);
        file_map_close(&data.map);
    }
    char command[700];
    snprintf(command, sizeof command, "cmp '%s'/1/data-* '%s'/3/data-*", cache, cache);
    assert_int_equal(system(command), 0);
}

/* Endings in any case, content without an ending, directories below; no hidden files, texts, or linked
 * directories. Each pixel of a photo is its place in the order of paths. */
static void pictures_are_found_in_order(void **state) {
    (void)state;
    static const char *const names[] = {"B.PNG", "a/b/c.jpg", "a/d.png", "a.png",  "b", "e.png",
                                        "f.png", "g.jpeg",    "h.webp",  "i.JPEG", "j"};
    static const size_t place[] = {0, 2, 3, 1, 4, 5, 6, 7, 8, 9, 10};
    char path[600];
    begin("order");
    snprintf(path, sizeof path, "%s/a/b", photos);
    assert_ok(file_make_directory(path, err));
    for (size_t i = 11; i-- > 0;) {
        struct caelum_picture p = make_picture(8, 8);
        memset(p.pixels, (int)place[i], 8 * 8 * 3);
        put(photos, names[i], p);
    }
    put(photos, ".hidden.png", make_picture(8, 8));
    put_bytes("text.txt", "no picture", 10);
    snprintf(path, sizeof path, "%s/linked", photos);
    assert_int_equal(symlink("a", path), 0);
    struct caelum_data *data = open_photos(8, 0);
    assert_int_equal(data->count, 11);
    assert_int_equal(data->skipped, 0);
    for (size_t i = 0; i < 11; i++) assert_int_equal(data->pixels[i * 8 * 8], i);
    caelum_data_close(&data);
}

/* Photos of one color each: where it turns up, the photo is. */
static void a_photo_is_in_one_split_only(void **state) {
    (void)state;
    enum { PHOTOS = 30 };
    static const size_t limits[] = {0, 20, 70};
    begin("split");
    for (size_t i = 0; i < PHOTOS; i++) {
        char name[40];
        struct caelum_picture p = make_picture(32, 16 + 16 * (i % 4)); /* room for 2, 4, 6, 8 crops */
        memset(p.pixels, (int)i, p.width * p.height * 3);
        snprintf(name, sizeof name, "%02zu.png", i);
        put(photos, name, p);
    }
    for (size_t l = 0; l < 3; l++) {
        struct caelum_data *data = open_photos(16, limits[l]);
        size_t crops[PHOTOS] = {0}, parts[3] = {0}, used = 0, all = 0;
        int where[PHOTOS];
        memset(where, -1, sizeof where);
        bool seen[200] = {0};
        for (int s = 0; s < 3; s++) {
            const struct pictures set = data_pictures(data, (enum caelum_split)s);
            for (size_t i = 0; i < set.n; i++) {
                const uint8_t color = pictures_at(&set, i)[0];
                assert_false(seen[set.index[i]]);
                seen[set.index[i]] = true;
                assert_true(where[color] == -1 || where[color] == s);
                if (where[color] == -1) parts[s]++;
                where[color] = s;
                crops[color]++;
                /* all first crops before all second ones */
                if (i > 0) assert_true(crops[color] >= crops[pictures_at(&set, i - 1)[0]]);
            }
            all += set.n;
        }
        for (size_t p = 0; p < PHOTOS; p++) used += crops[p] > 0;
        assert_int_equal(used, limits[l] == 20 ? 20 : 30);
        assert_int_equal(parts[CAELUM_TRAIN], limits[l] == 20 ? 16 : 24);
        assert_int_equal(parts[CAELUM_TEST], limits[l] == 20 ? 2 : 3);
        assert_int_equal(all, limits[l] ? limits[l] : data->count);
        assert_int_equal(data->count, 8 * 2 + 8 * 4 + 7 * 6 + 7 * 8);
        assert_int_equal(caelum_data_count(data, CAELUM_ALL), all);
        for (size_t p = 0; p < PHOTOS; p++)
            assert_int_equal(crops[p], limits[l] == 0    ? 2 + 2 * (p % 4)
                                       : limits[l] == 20 ? (size_t)(where[p] >= 0)
                                       : p % 4 == 0      ? 2
                                                         : crops[p]);
        caelum_data_close(&data);
    }
    struct caelum_data_settings s = settings_of(16);
    struct caelum_data *data = NULL;
    s.limit = 9;
    assert_error(CAELUM_EUSAGE, "9 pictures are too few", caelum_data_open(&data, photos, &s, err));
    assert_null(data);
}

/* --- What can't be used --------------------------------------------------------------------------- */

static void put_big_endian(uint8_t *to, uint32_t value) {
    for (size_t i = 0; i < 4; i++) to[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* The start of a PNG that claims to be very large, its checksum right. */
static void put_huge(const char *name) {
    uint8_t bytes[64] = "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR";
    uint32_t crc = 0xffffffffu;
    put_big_endian(bytes + 16, 60000);
    put_big_endian(bytes + 20, 60000);
    bytes[24] = 8, bytes[25] = 2;
    for (size_t i = 12; i < 29; i++) {
        crc ^= bytes[i];
        for (int k = 0; k < 8; k++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    put_big_endian(bytes + 29, ~crc);
    memcpy(bytes + 33, "\0\0\0\x08IDAT", 8);
    put_bytes(name, bytes, sizeof bytes);
}

static void put_bad_files(void) {
    char path[600];
    uint8_t *bytes = NULL;
    size_t size;
    put_bytes("empty.png", "", 0);
    put_bytes("text.jpg", "this is no picture", 18);
    put_huge("vast.png");
    put(photos, "small.png", random_picture(31, 100, 5));
    put(photos, "whole", random_picture(50, 50, 6));
    snprintf(path, sizeof path, "%s/whole", photos);
    assert_ok(file_read(path, 1 << 20, &bytes, &size, err));
    put_bytes("cut.webp", bytes, size / 2); /* a PNG, by its content */
    mem_free(&bytes);
    snprintf(path, sizeof path, "%s/gone.png", photos);
    assert_int_equal(symlink("nowhere", path), 0);
}

static const struct {
    const char *path, *reason;
} bad[] = {{"cut.webp", "damaged PNG: "},
           {"empty.png", "is empty; expected a picture"},
           {"gone.png", "No such file or directory"},
           {"small.png", "31x100 pixels are too few for a crop of 32x32; --crop 31 takes it"},
           {"text.jpg", "not a PNG, JPEG, WebP or TIFF picture"},
           {"vast.png", "declares 60000x60000 pixels"}};
enum { BAD = sizeof bad / sizeof *bad };

static void assert_bad_files(const struct caelum_data *data) {
    const char *path = NULL, *reason = NULL;
    assert_int_equal(caelum_data_skipped(data, BAD, &path, &reason), BAD);
    assert_null(path);
    for (size_t i = 0; i < BAD; i++) {
        assert_int_equal(caelum_data_skipped(data, i, &path, &reason), BAD);
        assert_string_equal(path, bad[i].path);
        if (strncmp(reason, bad[i].reason, strlen(bad[i].reason)) != 0) fail_msg("%s: %s", path, reason);
    }
}

static void bad_files_are_skipped_with_their_reasons(void **state) {
    (void)state;
    begin("bad");
    put_random(12);
    struct caelum_data *good = open_photos(32, 0);
    begin("bad");
    put_random(12);
    put_bad_files();
    struct caelum_data *data = open_photos(32, 0);
    assert_int_equal(data->photos, 13);
    assert_bad_files(data);
    assert_true(readings > 0);
    caelum_data_close(&data);
    data = open_photos(32, 0); /* from the cache */
    assert_int_equal(readings, 0);
    assert_bad_files(data);
    /* photos before the first bad one have the crops they had */
    assert_memory_equal(data->pixels, good->pixels, (size_t)good->count * 3 * 32 * 32);
    caelum_data_close(&data);
    caelum_data_close(&good);
}

/* A file that has its permissions but can't be read to its end, as on a failing disk. */
static void what_the_machine_fails_to_read_is_not_remembered(void **state) {
    (void)state;
    static const char broken[] = "/sys/devices/system/cpu/online"; /* is shorter than its size */
    struct caelum_data_settings s = settings_of(32);
    struct caelum_data *data = NULL;
    if (access(broken, R_OK) != 0) skip();
    begin("failing"), put_random(12);
    const char *link = strcat(strcpy((char[600]){0}, photos), "/broken.png");
    assert_int_equal(symlink(broken, link), 0);
    assert_error(CAELUM_EIO, "the read ended early", caelum_data_open(&data, photos, &s, err));
    unlink(link), data = open_photos(32, 0);
    assert_int_equal(data->skipped, 0);
    caelum_data_close(&data);
}

static void what_can_not_be_is_refused(void **state) {
    (void)state;
    struct caelum_data_settings s = settings_of(32);
    struct caelum_data *data = NULL;
    begin("refused");
    assert_error(CAELUM_EIO, "no data set that is known is in it", caelum_data_open(&data, photos, &s, err));
    put_random(9);
    assert_error(CAELUM_EUSAGE, "9 pictures are too few to split; at least 10 are needed",
                 caelum_data_open(&data, photos, &s, err));
    put_bad_files();
    unlink(strcat(strcpy((char[600]){0}, photos), "/whole"));
    assert_error(
        CAELUM_EFORMAT,
        "9 pictures can be used, at least 10 are needed; files skipped: 6, the first of them cut.webp: "
        "damaged PNG",
        caelum_data_open(&data, photos, &s, err));
    put(photos, "one-more.png", random_picture(40, 40, 8));
    s.cookie = &s; /* stops at the first report */
    assert_error(CAELUM_ESTOPPED, "stopped while the pictures were read",
                 caelum_data_open(&data, photos, &s, err));
    assert_int_equal(files_in(cache), 0);
    s.crop = 7;
    assert_error(CAELUM_EUSAGE, "crop: expected 8 to 256, got 7", caelum_data_open(&data, photos, &s, err));
    s.crop = 257;
    assert_error(CAELUM_EUSAGE, "crop: expected 8 to 256, got 257", caelum_data_open(&data, photos, &s, err));
    assert_null(data);
}

static void running_out_of_memory_is_an_error(void **state) {
    (void)state;
    struct caelum_data_settings s = settings_of(32);
    char command[400];
    begin("memory");
    put_random(12);
    long n = 0;
    for (;; n++) {
        struct caelum_data *data = NULL;
        struct caelum_error problem = {0};
        const size_t before = mem_count();
        mem_fail_after(n);
        const int code = caelum_data_open(&data, photos, &s, &problem);
        const bool failed = mem_count() - before > (size_t)n;
        mem_fail_after(-1);
        if (code == 0) { /* what failed may have been part of a way that was given up for another */
            assert_int_equal(data->skipped, 0); /* nothing that was wrong for a moment is remembered */
            caelum_data_close(&data);
            test_remove(cache);
            if (!failed) break;
            continue;
        }
        assert_int_equal(code, CAELUM_ERESOURCE);
        assert_null(data);
        snprintf(command, sizeof command, "test -z \"$(find '%s' -name '*.tmp*')\"", root);
        assert_int_equal(system(command), 0); /* nothing half-written */
    }
    assert_true(n > 40);
}

/* --- The cache ------------------------------------------------------------------------------------ */

static void the_cache_stands_for_the_photos(void **state) {
    (void)state;
    char path[600], fingerprint[65];
    struct stat st;
    begin("changing");
    put_random(12);
    struct caelum_data *data = open_photos(32, 0);
    assert_true(readings > 0);
    memcpy(fingerprint, data->fingerprint, sizeof fingerprint);
    assert_string_equal(data->name, "folder");
    assert_null(data->labels);
    caelum_data_close(&data);
    data = open_photos(32, 0);
    assert_int_equal(readings, 0);
    assert_string_equal(data->fingerprint, fingerprint);
    caelum_data_close(&data);
    /* other content of the same size, and the time of change set back; it can't be told but by the inode's */
    snprintf(path, sizeof path, "%s/03.png", photos);
    assert_int_equal(stat(path, &st), 0);
    FILE *f = fopen(path, "r+b");
    for (off_t i = 0; i < st.st_size; i++) fputc('x', f);
    fclose(f);
    assert_int_equal(utimensat(AT_FDCWD, path, (struct timespec[]){st.st_atim, st.st_mtim}, 0), 0);
    data = open_photos(32, 0);
    assert_int_equal(data->skipped, 1);
    caelum_data_close(&data);
    /* another file, another size of the crops: others */
    put(photos, "added.png", random_picture(64, 64, 99));
    data = open_photos(32, 0);
    assert_int_equal(data->photos, 12);
    caelum_data_close(&data);
    data = open_photos(16, 0);
    assert_int_equal(data->w, 16);
    caelum_data_close(&data);
    assert_int_equal(files_in(cache), 4);
}

static void put_grey(const char *folder, size_t n, uint8_t grey) {
    char path[600], name[40];
    snprintf(path, sizeof path, "%s/%s", photos, folder);
    assert_ok(file_make_directory(path, err));
    for (size_t i = 0; i < n; i++) {
        struct caelum_picture p = make_picture(16, 16);
        memset(p.pixels, grey, 3 * 16 * 16);
        snprintf(name, sizeof name, "%zu.png", i);
        put(path, name, p);
    }
}

/* Two folders with pictures of equal sizes and times change places: what the files' inodes say stays with
 * them. */
static void moved_folders_are_noticed(void **state) {
    (void)state;
    char command[700];
    begin("swapped");
    put_grey("a", 6, 50);
    put_grey("b", 6, 51);
    snprintf(command, sizeof command, "touch -d 2020-01-01 '%s'/*/*", photos);
    assert_int_equal(system(command), 0);
    struct caelum_data *data = open_photos(16, 0);
    assert_int_equal(data->pixels[0], 50);
    caelum_data_close(&data);
    snprintf(command, sizeof command, "cd '%s' && mv a c && mv b a && mv c b", photos);
    assert_int_equal(system(command), 0);
    data = open_photos(16, 0);
    assert_int_equal(data->pixels[0], 51);
    caelum_data_close(&data);
}

static void one_is_told_what_is_left_out(void **state) {
    (void)state;
    char path[600];
    struct caelum_data_settings s = settings_of(32);
    struct caelum_data *data = NULL;
    begin("left");
    put(photos, ".a.png", make_picture(40, 40));
    snprintf(path, sizeof path, "%s/linked", photos);
    assert_int_equal(symlink("/", path), 0);
    assert_error(CAELUM_EIO, "left out: 1 hidden, 1 link to a folder",
                 caelum_data_open(&data, photos, &s, err));
    put_random(12);
    for (int i = 0; i < 2; i++) { /* also where it is prepared */
        data = open_photos(32, 0);
        assert_non_null(strstr(caelum_data_note(data, 0), "/left: left out: 1 hidden, 1 link to a folder"));
        assert_null(caelum_data_note(data, 1));
        caelum_data_close(&data);
    }
}

static size_t told;
static void tell(void *cookie, const caelum_data *data) {
    const char *path, *reason;
    told = caelum_data_skipped(data, 0, &path, &reason) + (cookie == &told ? 100 : 0);
}

static void describing_works_without_labels(void **state) {
    (void)state;
    struct caelum_data_settings s = settings_of(32);
    struct caelum_data *data = NULL;
    static struct caelum_data_info info;
    begin("describe");
    put_random(20);
    put_bad_files();
    s.opened = tell, s.cookie = &told, s.progress = NULL;
    assert_ok(caelum_data_open(&data, photos, &s, err));
    assert_int_equal(told, 100 + BAD);
    assert_ok(caelum_data_describe(data, &info, err));
    assert_string_equal(info.name, "folder");
    assert_int_equal(info.photos, 21);
    assert_int_equal(info.classes, 0);
    assert_int_equal(info.files, 0);
    assert_int_equal(info.count, data->count);
    assert_int_equal(info.height, 32);
    assert_string_equal(info.pixels_sha256, data->fingerprint);
    assert_true(fabs(info.mean[1] - 0.5) < 0.05);
    caelum_data_close(&data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_make_no_difference),
        cmocka_unit_test(pictures_are_found_in_order),
        cmocka_unit_test(a_photo_is_in_one_split_only),
        cmocka_unit_test(bad_files_are_skipped_with_their_reasons),
        cmocka_unit_test(what_the_machine_fails_to_read_is_not_remembered),
        cmocka_unit_test(what_can_not_be_is_refused),
        cmocka_unit_test(running_out_of_memory_is_an_error),
        cmocka_unit_test(the_cache_stands_for_the_photos),
        cmocka_unit_test(moved_folders_are_noticed),
        cmocka_unit_test(one_is_told_what_is_left_out),
        cmocka_unit_test(describing_works_without_labels),
    };
    return cmocka_run_group_tests_name("folder", tests, setup, teardown);
}
