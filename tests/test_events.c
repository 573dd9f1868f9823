/* test_events.c - TensorBoard's event files: checksums, frames, names, what can't be written. What is in the
 * records is for tests/cli/events.sh, which reads them in another language. */
#include "testing.h"

#include "base/file.h"
#include "report/events.h"

#include <dirent.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>

/* RFC 3720, B.4, and the check value of CRC-32C in the catalogue of parametrised CRCs. */
static void checksums_are_those_of_the_rfc(void **state) {
    (void)state;
    static const uint8_t read_command[48] = {
        0x01, 0xc0, [16] = 0x14, [22] = 0x04, [27] = 0x14, [31] = 0x18, [32] = 0x28, [40] = 0x02};
    uint8_t zeros[32] = {0}, ones[32], up[32], down[32];
    for (uint8_t i = 0; i < 32; i++) ones[i] = 0xff, up[i] = i, down[i] = (uint8_t)(31 - i);
    assert_int_equal(event_crc32c(zeros, 32), 0x8a9136aa);
    assert_int_equal(event_crc32c(ones, 32), 0x62a8ab43);
    assert_int_equal(event_crc32c(up, 32), 0x46dd794e);
    assert_int_equal(event_crc32c(down, 32), 0x113fdb5c);
    assert_int_equal(event_crc32c(read_command, 48), 0xd9963a56);
    assert_int_equal(event_crc32c((const uint8_t *)"123456789", 9), 0xe3069283);
    assert_int_equal(event_crc32c(zeros, 0), 0);
}

/* The size of the first record is 24 in every event file, so these 12 bytes are how they all begin. */
static void a_frame_is_size_checksum_payload_checksum(void **state) {
    (void)state;
    static const uint8_t begin[] = {0x18, 0, 0, 0, 0, 0, 0, 0, 0xa3, 0x7f, 0x4b, 0x22};
    uint8_t record[24 + EVENT_FRAME + 1] = {0};
    memset(record + EVENT_HEAD, 'x', 24);
    record[24 + EVENT_FRAME] = 7;
    event_frame(record, 24);
    assert_memory_equal(record, begin, sizeof begin);
    for (int i = 0; i < 24; i++) assert_int_equal(record[EVENT_HEAD + i], 'x');
    const uint32_t crc = event_crc32c(record + EVENT_HEAD, 24), masked = (crc >> 15 | crc << 17) + 0xa282ead8;
    for (int i = 0; i < 4; i++) assert_int_equal(record[EVENT_HEAD + 24 + i], masked >> 8 * i & 255);
    assert_int_equal(record[24 + EVENT_FRAME], 7);
}

static size_t files_in(const char *dir, char last[600]) {
    size_t n = 0;
    DIR *d = opendir(dir);
    assert_non_null(d);
    for (const struct dirent *e; (e = readdir(d)) != NULL;)
        if (e->d_name[0] != '.') n++, snprintf(last, 600, "%s/%s", dir, e->d_name);
    closedir(d);
    return n;
}

/* Each file's name is after those that are there, whatever the clock says. */
static void names_go_up(void **state) {
    (void)state;
    char dir[256], last[600], other[PATH_SIZE], path[400];
    test_directory(dir);
    for (int i = 0; i < 4; i++) {
        static const long long seconds[] = {1700000000, 1700000000, 1600000000, 1800000000};
        struct events file = {0};
        assert_ok(events_create(&file, dir, seconds[i], err));
        if (i > 0) assert_true(strcmp(other, file.path) < 0);
        snprintf(other, sizeof other, "%s", file.path);
        assert_ok(events_close(&file, err));
        assert_ok(events_close(&file, err));
    }
    assert_int_equal(files_in(dir, last), 4);
    /* all of them go, and nothing else */
    snprintf(path, sizeof path, "%s/metrics.csv", dir);
    assert_ok(file_write(path, "x", 1, err));
    assert_ok(events_remove(dir, err));
    assert_int_equal(files_in(dir, last), 1);
    assert_string_equal(last, path);
    test_remove(dir);
    struct events file = {0};
    assert_error(CAELUM_EIO, "can't be read", events_create(&file, dir, 1700000000, err));
}

#if CAELUM_WITH_PROTOBUF
/* The payload of the file's last record, which is all whole; sizes and checksums are checked on the way. */
static const uint8_t *last_record(const char *path, uint8_t **bytes, size_t *size) {
    size_t length, at = 0;
    assert_ok(file_read(path, 1 << 24, bytes, &length, err));
    for (*size = 0; at < length; at += *size + EVENT_FRAME) {
        uint8_t copy[1 << 18];
        *size = (*bytes)[at] | (size_t)(*bytes)[at + 1] << 8 | (size_t)(*bytes)[at + 2] << 16;
        assert_true(at + *size + EVENT_FRAME <= length && *size + EVENT_FRAME <= sizeof copy);
        memcpy(copy + EVENT_HEAD, *bytes + at + EVENT_HEAD, *size);
        event_frame(copy, *size);
        assert_memory_equal(copy, *bytes + at, *size + EVENT_FRAME);
    }
    assert_int_equal(at, length);
    return *bytes + at - *size - EVENT_FRAME + EVENT_HEAD;
}

static bool holds(const uint8_t *bytes, size_t size, const void *what, size_t length) {
    for (size_t i = 0; i + length <= size; i++)
        if (memcmp(bytes + i, what, length) == 0) return true;
    return false;
}

static void long_and_empty_texts_are_whole(void **state) {
    (void)state;
    enum { LINES = 20000 };
    char dir[256], *text = NULL, *shown = NULL;
    uint8_t *bytes = NULL;
    size_t size, n = 0;
    struct events events = {0};
    test_directory(dir);
    assert_ok(mem_alloc(&text, LINES, 3, err));
    assert_ok(mem_alloc(&shown, LINES, 6, err));
    for (int i = 0; i < LINES; i++) n += (size_t)snprintf(text + n, 3, i % 2 ? "\n" : "a\n");
    size_t m = 0;
    for (int i = 0; i < LINES; i++) m += (size_t)snprintf(shown + m, 7, i % 2 ? "    \n" : "    a\n");
    assert_ok(events_open(&events, dir, 0, err));
    assert_ok(events_text(&events, "long", text, err));
    const uint8_t *payload = last_record(events.path, &bytes, &size);
    assert_true(size > m && holds(payload, size, shown, m));
    mem_free(&bytes);
    assert_ok(events_text(&events, "empty", "", err));
    payload = last_record(events.path, &bytes, &size);
    assert_true(size < 80 && holds(payload, size, "empty", 5));
    mem_free(&bytes);
    assert_ok(events_close(&events, err));
    mem_free(&text);
    mem_free(&shown);
    test_remove(dir);
}

/* Tag, then field 2 as four bytes. */
static bool tells(const uint8_t *payload, size_t size, const char *tag, float value) {
    uint8_t expected[64] = {0x0a, (uint8_t)strlen(tag)};
    size_t n = 2 + strlen(tag);
    memcpy(expected + 2, tag, strlen(tag));
    expected[n++] = 0x15;
    memcpy(expected + n, &value, 4); /* as little-endian as the machines that we know */
    return holds(payload, size, expected, n + 4);
}

static void figures_that_are_none_are_left_out(void **state) {
    (void)state;
    const struct caelum_epoch epoch = {.epoch = 3,
                                       .loss = 0.25,
                                       .val_loss = 0,
                                       .psnr = NAN,
                                       .val_psnr = NAN,
                                       .accuracy = 1,
                                       .val_accuracy = 0.5,
                                       .pictures_per_second = INFINITY,
                                       .lr = 1e-3};
    char dir[256];
    uint8_t *bytes = NULL;
    size_t size;
    struct events events = {0};
    test_directory(dir);
    assert_ok(events_open(&events, dir, 2, err));
    assert_ok(events_epoch(&events, &epoch, err));
    const uint8_t *payload = last_record(events.path, &bytes, &size);
    assert_true(tells(payload, size, "loss/train", 0.25F));
    assert_true(tells(payload, size, "loss/validation", 0)); /* a zero is written too */
    assert_true(tells(payload, size, "accuracy/validation", 0.5F));
    assert_true(tells(payload, size, "training/lr", 1e-3F));
    assert_true(tells(payload, size, "training/pictures_per_second", INFINITY));
    assert_false(holds(payload, size, "psnr", 4));
    mem_free(&bytes);
    assert_ok(events_close(&events, err));
    test_remove(dir);
}

static void a_picture_that_is_none_is_refused(void **state) {
    (void)state;
    static const uint8_t png[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x05\0\0\0\x03\x08\x02\0\0\0";
    char dir[256], path[300], last[600];
    uint8_t other[sizeof png];
    struct events events = {0};
    test_directory(dir);
    snprintf(path, sizeof path, "%s/sheet.png", dir);
    assert_ok(events_open(&events, dir, 0, err));
    assert_error(CAELUM_EIO, "sheet.png", events_image(&events, "sheet", 1, path, err));
    for (size_t size = 0; size < 26; size++) {
        assert_ok(file_write(path, png, size, err));
        assert_error(CAELUM_EFORMAT, "sheet.png: expected a PNG file",
                     events_image(&events, "s", 1, path, err));
    }
    memcpy(other, png, sizeof png);
    other[25] = 77; /* a color type that there is not */
    assert_ok(file_write(path, other, sizeof png, err));
    assert_error(CAELUM_EFORMAT, "expected a PNG file", events_image(&events, "s", 1, path, err));
    assert_ok(file_write(path, png, sizeof png, err));
    assert_ok(events_image(&events, "s", 1, path, err));
    assert_ok(events_close(&events, err));
    assert_int_equal(files_in(dir, last), 2);
    test_remove(dir);
}

static void a_full_disk_is_an_error(void **state) {
    (void)state;
    const struct caelum_epoch epoch = {.epoch = 1};
    struct rlimit before, small;
    char dir[256];
    struct events events = {0};
    test_directory(dir);
    assert_ok(events_open(&events, dir, 0, err));
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 200;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    struct caelum_error error = {0};
    const int result = events_epoch(&events, &epoch, &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(result, CAELUM_EIO);
    assert_non_null(strstr(error.text, "events.out.tfevents."));
    assert_non_null(strstr(error.text, "not written: File too large"));
    assert_ok(events_close(&events, err));
    test_remove(dir);
}

static void the_date_can_be_given(void **state) {
    (void)state;
    static const char *const bad[] = {"", "now", "-1", "1.5", "17e8", "99999999999"};
    char dir[256], last[600];
    struct events events = {0};
    test_directory(dir);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        setenv("SOURCE_DATE_EPOCH", bad[i], 1);
        assert_error(CAELUM_EUSAGE, "expected seconds since 1970", events_open(&events, dir, 0, err));
        assert_int_equal(files_in(dir, last), 0);
    }
    setenv("SOURCE_DATE_EPOCH", "1234567890", 1);
    assert_ok(events_open(&events, dir, 0, err));
    unsetenv("SOURCE_DATE_EPOCH");
    assert_non_null(strstr(events.path, "/events.out.tfevents.1234567890."));
    assert_true(events.wall_time == 1234567890.0);
    assert_ok(events_close(&events, err));
    test_remove(dir);
}
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checksums_are_those_of_the_rfc),
        cmocka_unit_test(a_frame_is_size_checksum_payload_checksum),
        cmocka_unit_test(names_go_up),
#if CAELUM_WITH_PROTOBUF
        cmocka_unit_test(long_and_empty_texts_are_whole),
        cmocka_unit_test(figures_that_are_none_are_left_out),
        cmocka_unit_test(a_picture_that_is_none_is_refused),
        cmocka_unit_test(a_full_disk_is_an_error),
        cmocka_unit_test(the_date_can_be_given),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
