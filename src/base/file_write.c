/* file_write.c - crash-safe writing: a file gets its name when it is whole. */
#define _GNU_SOURCE /* O_TMPFILE, O_PATH */
#include "base/file.h"

#include "base/number.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Names of temporary files: hidden, so that none is taken for a picture. */
static const char name_begin[] = ".caelum-", name_end[] = ".tmp";

/* --- What a path leads to ------------------------------------------------------------------------- */

/* Where the links lead that path is, in place, whether something is there or not. */
static int follow(char path[PATH_SIZE]) {
    enum { MOST_LINKS = 40 }; /* as Linux has it */
    char target[PATH_SIZE];
    for (int i = 0; i < MOST_LINKS; i++) {
        const ssize_t length = readlink(path, target, sizeof target);
        if (length < 0) return 0;
        const size_t before = *target == '/' ? 0 : (size_t)(path_name(path) - path);
        if (before + (size_t)length >= PATH_SIZE) return ENAMETOOLONG;
        memcpy(path + before, target, (size_t)length);
        path[before + (size_t)length] = '\0';
    }
    return ELOOP;
}

/* The descriptor of this process that a path stands for, or -1. */
static int descriptor_named(const char *path) {
    static const char *const folders[] = {"/dev/fd/", "/proc/self/fd/"};
    uint64_t number;
    if (strcmp(path, "/dev/stdout") == 0) return 1;
    if (strcmp(path, "/dev/stderr") == 0) return 2;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        const size_t length = strlen(folders[i]);
        if (strncmp(path, folders[i], length) == 0 && number_whole(path + length, 0, INT32_MAX, &number))
            return (int)number;
    }
    return -1;
}

/* Waits for a pipe's reader, until a caught signal. */
static int open_special(const char *path) {
    int fd;
    do {
        fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    } while (fd < 0 && errno == ENXIO && poll(NULL, 0, 50) == 0);
    if (fd >= 0) fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    return fd;
}

/* --- Temporary files ------------------------------------------------------------------------------ */

/* A free temporary name in the directory, by whatever `make` does with it; false with errno. */
static bool find_name(struct file_writer *w, bool (*make)(struct file_writer *w, int *fd), int *fd) {
    for (int n = 0; n < 1000; n++) {
        snprintf(w->temporary, sizeof w->temporary, "%s%ld-%d%s", name_begin, (long)getpid(), n, name_end);
        if (make(w, fd)) return true;
        if (errno != EEXIST) break;
    }
    *w->temporary = '\0';
    return false;
}

static bool make_named(struct file_writer *w, int *fd) {
    *fd = openat(w->directory, w->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    return *fd >= 0;
}

static bool name_unnamed(struct file_writer *w, int *fd) {
    char self[32];
    snprintf(self, sizeof self, "/proc/self/fd/%d", *fd);
    return linkat(AT_FDCWD, self, w->directory, w->temporary, AT_SYMLINK_FOLLOW) == 0;
}

/* Without a name, which not every file system can and which needs /proc to give it one; else with one. */
static int open_temporary(struct file_writer *w) {
    char directory[PATH_SIZE];
    const size_t length = (size_t)(path_name(w->path) - w->path);
    snprintf(directory, sizeof directory, "%.*s", (int)length, w->path);
    if (length == 0) snprintf(directory, sizeof directory, ".");
    w->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (w->directory < 0 && errno == EACCES)
        w->directory =
            open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC); /* files in it can be made all the same */
    if (w->directory < 0) return -1;
    int fd = access("/proc/self/fd", X_OK) == 0
                 ? openat(w->directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0666)
                 : -1;
    if (fd < 0) find_name(w, make_named, &fd);
    if (fd >= 0) {
        flock(fd, LOCK_EX | LOCK_NB); /* for file_sweep */
    } else {
        const int why = errno;
        close(w->directory);
        errno = why;
    }
    return fd;
}

/* A file that a process at work has is locked by it. */
void file_sweep(const char *directory) {
    DIR *d = opendir(directory);
    if (!d) return;
    for (const struct dirent *entry; (entry = readdir(d)) != NULL;) {
        const char *name = entry->d_name;
        const size_t length = strlen(name), tail = strlen(name_end);
        if (strncmp(name, name_begin, strlen(name_begin)) != 0 || strcmp(name + length - tail, name_end) != 0)
            continue;
        const int fd = openat(dirfd(d), name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0) continue;
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) unlinkat(dirfd(d), name, 0);
        close(fd);
    }
    closedir(d);
}

/* --- The writer ----------------------------------------------------------------------------------- */

static int open_for_writing(struct file_writer *w) {
    struct stat st;
    const int own = descriptor_named(w->path);
    w->direct = true;
    if (own >= 0) return fcntl(own, F_DUPFD_CLOEXEC, 3);
    const int why = follow(w->path);
    if (why != 0) return errno = why, -1;
    const bool there = stat(w->path, &st) == 0;
    if (there && S_ISDIR(st.st_mode)) return errno = EISDIR, -1;
    if (there && !S_ISREG(st.st_mode)) return open_special(w->path);
    w->direct = false;
    const int fd = open_temporary(w);
    if (fd >= 0 && there) {
        const bool ours = fchown(fd, st.st_uid, st.st_gid) == 0;
        fchmod(fd, st.st_mode & (ours ? 0777 : 0707)); /* what its group may do is not for another one */
    }
    return fd;
}

int file_begin(struct file_writer *writer, const char *path, struct caelum_error *err) {
    struct file_writer w = {0};
    if (strlen(path) >= sizeof w.path)
        return caelum_fail(err, CAELUM_EUSAGE, "%.200s...: path is longer than %zu bytes", path,
                           sizeof w.path - 1);
    snprintf(w.path, sizeof w.path, "%s", path);
    const int fd = open_for_writing(&w);
    if (fd >= 0) w.stream = fdopen(fd, "wb");
    if (!w.stream) {
        const int why = errno;
        if (fd >= 0) close(fd);
        if (fd >= 0 && *w.temporary) unlinkat(w.directory, w.temporary, 0);
        if (fd >= 0 && !w.direct) close(w.directory);
        return caelum_fail(err, why == EINTR ? CAELUM_ESTOPPED : CAELUM_EIO, "%s: can't be written: %s", path,
                           strerror(why));
    }
    *writer = w;
    return CAELUM_OK;
}

/* Closes what the writer holds; a temporary file that still has its name is removed. */
static void drop(struct file_writer *w) {
    if (w->stream) fclose(w->stream);
    if (!w->direct) {
        if (*w->temporary) unlinkat(w->directory, w->temporary, 0);
        close(w->directory);
    }
    *w->temporary = '\0';
    w->stream = NULL;
}

/* Gives the file its name; false with errno. */
static bool put_in_place(struct file_writer *w) {
    int fd = fileno(w->stream);
    if (!*w->temporary && !find_name(w, name_unnamed, &fd)) return false;
    if (renameat(w->directory, w->temporary, w->directory, path_name(w->path)) != 0) return false;
    *w->temporary = '\0';
    return true;
}

int file_commit(struct file_writer *writer, struct caelum_error *err) {
    const bool direct = writer->direct, sync = !direct && !writer->unsynced;
    errno = 0;
    bool good = fflush(writer->stream) == 0 && !ferror(writer->stream);
    if (good && sync) good = fsync(fileno(writer->stream)) == 0;
    if (good && !direct) good = put_in_place(writer);
    int why = errno;
    /* A rename survives a power cut only once the directory is on disk. Some file systems refuse to sync a
     * directory; the rename has happened by then, so that is no failure. */
    if (good && sync) (void)fsync(writer->directory);
    if (fclose(writer->stream) != 0 && good) good = false, why = errno;
    writer->stream = NULL;
    drop(writer);
    if (good) return CAELUM_OK;
    return caelum_fail(err, CAELUM_EIO, "%s: not written: %s", writer->path,
                       why ? strerror(why) : "a write failed (disk full?)");
}

void file_abandon(struct file_writer *writer) {
    if (writer->stream) drop(writer);
}

static int write_whole(const char *path, bool unsynced, const void *bytes, size_t size,
                       struct caelum_error *err) {
    struct file_writer writer;
    CHECK(file_begin(&writer, path, err));
    writer.unsynced = unsynced;
    fwrite(bytes, 1, size, writer.stream); /* a short write is seen by file_commit through ferror */
    return file_commit(&writer, err);
}

int file_write(const char *path, const void *bytes, size_t size, struct caelum_error *err) {
    return write_whole(path, false, bytes, size, err);
}

int file_write_unsynced(const char *path, const void *bytes, size_t size, struct caelum_error *err) {
    return write_whole(path, true, bytes, size, err);
}
