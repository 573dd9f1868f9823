/* kept.c - whose a file is, and who may write to it (POSIX). */
#include "base/kept.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *distrust(const struct stat *st) {
    if (st->st_uid != geteuid()) return "it belongs to another user";
    return st->st_mode & (S_IWGRP | S_IWOTH) ? "others may write to it" : NULL;
}

int kept_open(const char *path, const char **why) {
    struct stat st;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        *why = errno == ELOOP ? "it is a symbolic link" : strerror(errno);
        return -1;
    }
    *why = fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ? "it is not a regular file" : distrust(&st);
    if (!*why) return fd;
    close(fd);
    return -1;
}

int kept_begin(struct file_writer *writer, const char *path, struct caelum_error *err) {
    struct stat st; /* the mode of what is not ours, or what it links to, must not live on */
    if (lstat(path, &st) == 0 && (!S_ISREG(st.st_mode) || distrust(&st))) (void)unlink(path);
    CHECK(file_begin(writer, path, err));
    /* where modes can't be set, kept_open will tell */
    (void)fchmod(fileno(writer->stream), S_IRUSR | S_IWUSR);
    return CAELUM_OK;
}

bool kept_directory(const char *path) {
    struct stat st;
    (void)mkdir(path, S_IRWXU);
    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && !distrust(&st);
}
