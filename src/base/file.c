/* file.c - whole-file reading and directories (POSIX); file_write.c writes. */
#include "base/file.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int file_join(char *path, size_t size, const char *directory, const char *name, struct caelum_error *err) {
    const size_t length = strlen(directory);
    const char *separator = length > 0 && directory[length - 1] == '/' ? "" : "/";
    const int used = snprintf(path, size, "%s%s%s", directory, separator, name);
    if (used < 0 || (size_t)used >= size)
        return caelum_fail(err, CAELUM_EUSAGE, "%.200s...: path is longer than %zu bytes", directory,
                           size - 1);
    return CAELUM_OK;
}

/* --- Reading -------------------------------------------------------------------------------------- */

static const char *kind_of(mode_t mode) {
    return S_ISDIR(mode)    ? "a directory"
           : S_ISFIFO(mode) ? "a pipe"
           : S_ISSOCK(mode) ? "a socket"
                            : "a device";
}

/* Opens for reading, without waiting for somebody who writes. */
static int open_at_once(const char *path, int *fd, struct stat *st, struct caelum_error *err) {
    *fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (*fd >= 0 && fstat(*fd, st) == 0) return CAELUM_OK;
    const int why = errno;
    if (*fd >= 0) close(*fd);
    return caelum_fail(err, CAELUM_EIO, "%s: %s", path, strerror(why));
}

static int open_regular(const char *path, int *fd, struct stat *st, struct caelum_error *err) {
    CHECK(open_at_once(path, fd, st, err));
    if (S_ISREG(st->st_mode)) return CAELUM_OK;
    close(*fd);
    return caelum_fail(err, CAELUM_EIO, "%s is %s, expected a file", path, kind_of(st->st_mode));
}

/* Reads until `length` bytes are there or the file ends; *got: how many. */
static int read_up_to(int fd, const char *path, uint8_t *bytes, size_t length, size_t *got,
                      struct caelum_error *err) {
    for (*got = 0; *got < length;) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        if (poll(&ready, 1, -1) < 0) /* never begun again after a handler, unlike read */
            return caelum_fail(err, errno == EINTR ? CAELUM_ESTOPPED : CAELUM_EIO, "%s: stopped reading: %s",
                               path, strerror(errno));
        const ssize_t n = read(fd, bytes + *got, length - *got);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return caelum_fail(err, CAELUM_EIO, "%s: can't be read: %s", path, strerror(errno));
        if (n == 0) return CAELUM_OK;
        if (n > 0) *got += (size_t)n;
    }
    return CAELUM_OK;
}

static int too_long(const char *path, size_t limit, struct caelum_error *err) {
    return caelum_fail(err, CAELUM_EFORMAT, "%s: longer than the limit of %zu bytes", path, limit);
}

static int read_regular(int fd, const char *path, size_t limit, size_t length, uint8_t **bytes, size_t *size,
                        struct caelum_error *err) {
    uint8_t *buffer = NULL;
    size_t got = 0;
    if (length > limit)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: %zu bytes, at most %zu expected", path, length, limit);
    CHECK(mem_alloc(&buffer, length + 1, 1, err));
    int result = read_up_to(fd, path, buffer, length, &got, err);
    if (result == 0 && got < length)
        result = caelum_fail(err, CAELUM_EIO, "%s: %zu bytes expected, the read ended early", path, length);
    if (result != 0) {
        mem_free(&buffer);
        return result;
    }
    *bytes = buffer;
    *size = length;
    return CAELUM_OK;
}

/* Into a buffer that doubles. */
int file_read_descriptor(int fd, const char *path, size_t limit, uint8_t **bytes, size_t *size,
                         struct caelum_error *err) {
    enum { FIRST = 1 << 16 };
    uint8_t *buffer = NULL;
    size_t used = 0, capacity = FIRST, got = 0;
    int result = mem_alloc(&buffer, capacity + 1, 1, err);
    while (result == 0 && (result = read_up_to(fd, path, buffer + used, capacity - used, &got, err)) == 0) {
        uint8_t *larger = NULL;
        used += got;
        if (used < capacity) break;
        result = used > limit ? too_long(path, limit, err) : mem_alloc(&larger, 2 * capacity + 1, 1, err);
        if (result != 0) break;
        memcpy(larger, buffer, used);
        mem_free(&buffer);
        buffer = larger;
        capacity *= 2;
    }
    if (result == 0 && used > limit) result = too_long(path, limit, err);
    if (result != 0) {
        mem_free(&buffer);
        return result;
    }
    buffer[used] = 0;
    *bytes = buffer;
    *size = used;
    return CAELUM_OK;
}

int file_read(const char *path, size_t limit, uint8_t **bytes, size_t *size, struct caelum_error *err) {
    int fd;
    struct stat st;
    CHECK(open_regular(path, &fd, &st, err));
    const int result = read_regular(fd, path, limit, (size_t)st.st_size, bytes, size, err);
    close(fd);
    return result;
}

int file_read_any(const char *path, size_t limit, uint8_t **bytes, size_t *size, struct caelum_error *err) {
    int fd, result;
    struct stat st;
    CHECK(open_at_once(path, &fd, &st, err));
    if (S_ISDIR(st.st_mode))
        result = caelum_fail(err, CAELUM_EIO, "%s is a directory, expected a file", path);
    else if (S_ISREG(st.st_mode))
        result = read_regular(fd, path, limit, (size_t)st.st_size, bytes, size, err);
    else
        result = file_read_descriptor(fd, path, limit, bytes, size, err);
    close(fd);
    return result;
}

int file_map_open(struct file_map *map, const char *path, struct caelum_error *err) {
    int fd, result = CAELUM_OK;
    struct stat st;
    CHECK(open_regular(path, &fd, &st, err));
    if (st.st_size == 0) {
        *map = (struct file_map){.bytes = (const uint8_t *)"", .size = 0};
    } else {
        void *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (bytes == MAP_FAILED)
            result = caelum_fail(err, CAELUM_EIO, "%s: can't be mapped: %s", path, strerror(errno));
        else
            *map = (struct file_map){.bytes = bytes, .size = (size_t)st.st_size};
    }
    close(fd);
    return result;
}

void file_map_close(struct file_map *map) {
    if (map->size > 0) munmap((void *)(uintptr_t)map->bytes, map->size);
    *map = (struct file_map){0};
}

/* --- Directories ---------------------------------------------------------------------------------- */

int file_lock(struct file_lock *lock, const char *directory, struct caelum_error *err) {
    const int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return caelum_fail(err, CAELUM_EIO, "%s: %s", directory, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        close(fd);
        return caelum_fail(err, CAELUM_EIO, "%s: another caelum is at work in this directory", directory);
    }
    /* a file system without locks must not stop anybody */
    *lock = (struct file_lock){.held = true, .descriptor = fd};
    return CAELUM_OK;
}

void file_unlock(struct file_lock *lock) {
    if (lock->held) close(lock->descriptor);
    *lock = (struct file_lock){0};
}

void file_sync_above(const char *path) {
    char above[PATH_SIZE];
    const size_t length = (size_t)(path_name(path) - path);
    snprintf(above, sizeof above, "%.*s", (int)length, path);
    const int fd = open(length ? above : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    (void)fsync(fd);
    close(fd);
}

static int make_directory(const char *path, bool new, struct caelum_error *err) {
    char part[PATH_SIZE];
    size_t length = strlen(path);
    if (length >= sizeof part)
        return caelum_fail(err, CAELUM_EUSAGE, "%.200s...: path is longer than %zu bytes", path,
                           sizeof part - 1);
    while (length > 1 && path[length - 1] == '/') length--;
    snprintf(part, sizeof part, "%.*s", (int)length, path);
    for (char *p = part + 1;; p++) {
        if (*p != '/' && *p != '\0') continue;
        const char end = *p;
        *p = '\0';
        struct stat st;
        if (mkdir(part, 0777) != 0) {
            const int why = errno;
            if (new &&end == '\0' && why == EEXIST)
                return caelum_fail(err, CAELUM_EIO, "%s: somebody else has made it meanwhile", part);
            if (stat(part, &st) != 0)
                return caelum_fail(err, CAELUM_EIO, "%s: directory can't be made: %s", part, strerror(why));
            if (!S_ISDIR(st.st_mode))
                return caelum_fail(err, CAELUM_EIO,
                                   "%s: is there, but no directory, and a directory can't be made", part);
        } else {
            file_sync_above(part);
        }
        *p = end;
        if (end == '\0') return CAELUM_OK;
    }
}

int file_make_directory(const char *path, struct caelum_error *err) {
    return make_directory(path, false, err);
}

int file_make_new_directory(const char *path, struct caelum_error *err) {
    return make_directory(path, true, err);
}
