/* file.c - whole-file reading and crash-safe writing (POSIX). */
#include "base/file.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
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

int file_begin(struct file_writer *writer, const char *path, struct caelum_error *err) {
    struct file_writer w = {0};
    if (strlen(path) >= sizeof w.path)
        return caelum_fail(err, CAELUM_EUSAGE, "%.200s...: path is longer than %zu bytes", path,
                           sizeof w.path - 1);
    snprintf(w.path, sizeof w.path, "%s", path);
    /* a name of its own, also beside other threads that write the same file */
    int fd = -1;
    for (int n = 0; fd < 0 && n < 1000 && (n == 0 || errno == EEXIST); n++) {
        snprintf(w.temporary, sizeof w.temporary, "%s.tmp%ld-%d", path, (long)getpid(), n);
        fd = open(w.temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    }
    if (fd >= 0) w.stream = fdopen(fd, "wb");
    if (!w.stream) {
        const int why = errno;
        if (fd >= 0) close(fd), unlink(w.temporary);
        return caelum_fail(err, CAELUM_EIO, "%s: can't be written: %s", path, strerror(why));
    }
    *writer = w;
    return CAELUM_OK;
}

/* A rename survives a power cut only once the directory is on disk. Some file systems refuse to sync
 * a directory; the rename has happened by then, so that is no failure. */
static void sync_directory(const char *path) {
    char directory[1024];
    snprintf(directory, sizeof directory, "%s", path);
    char *slash = strrchr(directory, '/');
    if (!slash)
        snprintf(directory, sizeof directory, ".");
    else
        slash[slash == directory] = '\0';
    const int fd = open(directory, O_RDONLY | O_DIRECTORY);
    if (fd < 0) return;
    (void)fsync(fd);
    close(fd);
}

int file_commit(struct file_writer *writer, struct caelum_error *err) {
    errno = 0;
    bool good = fflush(writer->stream) == 0 && !ferror(writer->stream) && fsync(fileno(writer->stream)) == 0;
    int why = errno;
    if (fclose(writer->stream) != 0 && good) good = false, why = errno;
    writer->stream = NULL;
    if (good && rename(writer->temporary, writer->path) != 0) good = false, why = errno;
    if (!good) {
        unlink(writer->temporary);
        return caelum_fail(err, CAELUM_EIO, "%s: not written: %s", writer->path,
                           why ? strerror(why) : "a write failed (disk full?)");
    }
    sync_directory(writer->path);
    return CAELUM_OK;
}

void file_abandon(struct file_writer *writer) {
    if (!writer->stream) return;
    fclose(writer->stream);
    writer->stream = NULL;
    unlink(writer->temporary);
}

int file_write(const char *path, const void *bytes, size_t size, struct caelum_error *err) {
    struct file_writer writer;
    CHECK(file_begin(&writer, path, err));
    fwrite(bytes, 1, size, writer.stream); /* a short write is seen by file_commit through ferror */
    return file_commit(&writer, err);
}

int file_read(const char *path, size_t limit, uint8_t **bytes, size_t *size, struct caelum_error *err) {
    FILE *f = fopen(path, "rb");
    if (!f) return caelum_fail(err, CAELUM_EIO, "%s: %s", path, strerror(errno));
    uint8_t *buffer = NULL;
    int result = CAELUM_OK;
    struct stat st;
    if (fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode)) {
        result = caelum_fail(err, CAELUM_EIO, "%s: not a regular file", path);
        goto done;
    }
    const size_t length = (size_t)st.st_size;
    if (length > limit) {
        result = caelum_fail(err, CAELUM_EFORMAT, "%s: %zu bytes, at most %zu expected", path, length, limit);
        goto done;
    }
    result = mem_alloc(&buffer, length + 1, 1, err);
    if (result != 0) goto done;
    if (fread(buffer, 1, length, f) != length) {
        result = caelum_fail(err, CAELUM_EIO, "%s: %zu bytes expected, the read ended early", path, length);
        goto done;
    }
    *bytes = buffer;
    *size = length;
    buffer = NULL;
done:
    mem_free(&buffer);
    fclose(f);
    return result;
}

int file_map_open(struct file_map *map, const char *path, struct caelum_error *err) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return caelum_fail(err, CAELUM_EIO, "%s: %s", path, strerror(errno));
    struct stat st;
    int result = CAELUM_OK;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        result = caelum_fail(err, CAELUM_EIO, "%s: not a regular file", path);
    } else if (st.st_size == 0) {
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

int file_make_directory(const char *path, struct caelum_error *err) {
    char part[1024];
    if (strlen(path) >= sizeof part)
        return caelum_fail(err, CAELUM_EUSAGE, "%.200s...: path is longer than %zu bytes", path,
                           sizeof part - 1);
    snprintf(part, sizeof part, "%s", path);
    for (char *p = part + 1;; p++) {
        if (*p != '/' && *p != '\0') continue;
        const char end = *p;
        *p = '\0';
        struct stat st;
        if (mkdir(part, 0777) != 0 && !(stat(part, &st) == 0 && S_ISDIR(st.st_mode)))
            return caelum_fail(err, CAELUM_EIO, "%s: directory can't be made: %s", part, strerror(errno));
        *p = end;
        if (end == '\0') return CAELUM_OK;
    }
}
