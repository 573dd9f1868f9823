/* event_file.c - names, frames and writes the records of TensorBoard's event files. */
#include "report/event_file.h"

#include "base/ascii.h"
#include "base/file.h"
#include "base/number.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Ten digits. */
static const uint64_t MOST_SECONDS = 9999999999;

static const char prefix[] = "events.out.tfevents.";

/* A bit at a time: records are small and few. */
uint32_t event_crc32c(const uint8_t *bytes, size_t size) {
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
    }
    return ~crc;
}

static void put_little(uint8_t *at, uint64_t value, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) at[i] = (uint8_t)(value >> 8 * i);
}

/* The CRC of data that hold CRCs says little, so TensorFlow turns it by 15 bits and adds a constant. */
static uint32_t masked(const uint8_t *bytes, size_t size) {
    const uint32_t crc = event_crc32c(bytes, size);
    return (crc >> 15 | crc << 17) + 0xa282ead8;
}

void event_frame(uint8_t *record, size_t size) {
    put_little(record, size, 8);
    put_little(record + 8, masked(record, 8), 4);
    put_little(record + EVENT_HEAD + size, masked(record + EVENT_HEAD, size), 4);
}

/* Calls visit for the name of each event file of the directory until one fails. */
static int each_file(const char *dir, int (*visit)(void *cookie, const char *name, struct caelum_error *err),
                     void *cookie, struct caelum_error *err) {
    DIR *d = opendir(dir);
    if (!d) return caelum_fail(err, CAELUM_EIO, "%s: can't be read: %s", dir, strerror(errno));
    int result = CAELUM_OK;
    for (const struct dirent *entry; result == 0 && (entry = readdir(d)) != NULL;)
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0) result = visit(cookie, entry->d_name, err);
    closedir(d);
    return result;
}

/* Raises *seconds above those in the name. Names with more than ten digits sort before ours. */
static int go_after(void *cookie, const char *name, struct caelum_error *err) {
    long long *seconds = cookie;
    const char *digits = name + strlen(prefix);
    (void)err;
    uint64_t theirs;
    if (strspn(digits, "0123456789") > 10 || !number_whole_at(digits, &digits, 0, MOST_SECONDS, &theirs))
        return CAELUM_OK;
    if (*seconds <= (long long)theirs) *seconds = (long long)theirs + 1;
    return CAELUM_OK;
}

int event_file_open(struct event_file *file, const char *dir, long long seconds, struct caelum_error *err) {
    char host[65] = "", name[160];
    CHECK(each_file(dir, go_after, &seconds, err));
    if (gethostname(host, sizeof host - 1) != 0 || !*host) snprintf(host, sizeof host, "localhost");
    for (char *c = host; *c; c++)
        if (!ascii_alnum(*c) && *c != '.') *c = '-';
    snprintf(name, sizeof name, "%s%010lld.%s.%ld.0", prefix, seconds, host, (long)getpid());
    CHECK(file_join(file->path, sizeof file->path, dir, name, err));
    file->stream = fopen(file->path, "wbxe");
    if (!file->stream)
        return caelum_fail(err, CAELUM_EIO, "%s: can't be written: %s", file->path, strerror(errno));
    setvbuf(file->stream, NULL, _IONBF, 0); /* a record is one write, and nothing waits */
    return CAELUM_OK;
}

int event_file_append(struct event_file *file, uint8_t *record, size_t size, struct caelum_error *err) {
    event_frame(record, size);
    if (fwrite(record, 1, size + EVENT_FRAME, file->stream) != size + EVENT_FRAME)
        return caelum_fail(err, CAELUM_EIO, "%s: not written: %s", file->path, strerror(errno));
    return CAELUM_OK;
}

int event_file_close(struct event_file *file, struct caelum_error *err) {
    if (!file->stream) return CAELUM_OK;
    const bool good = fclose(file->stream) == 0;
    file->stream = NULL;
    return good ? CAELUM_OK
                : caelum_fail(err, CAELUM_EIO, "%s: not written: %s", file->path, strerror(errno));
}

static int remove_one(void *cookie, const char *name, struct caelum_error *err) {
    char path[PATH_SIZE];
    CHECK(file_join(path, sizeof path, cookie, name, err));
    if (unlink(path) != 0 && errno != ENOENT)
        return caelum_fail(err, CAELUM_EIO, "%s: can't be removed: %s", path, strerror(errno));
    return CAELUM_OK;
}

int event_files_remove(const char *dir, struct caelum_error *err) {
    return each_file(dir, remove_one, (void *)(uintptr_t)dir, err); /* which only reads it */
}
