/* run_directory.c - a directory's lock and mkdir decide between processes. */
#include "train/run_directory.h"

#include "report/events.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int run_directory_look(struct file_lock *lock, const char *path, bool force, const char *advice,
                       struct caelum_error *err) {
    struct stat st;
    if (!path || !*path) return caelum_fail(err, CAELUM_EUSAGE, "no run directory was named");
    if (strlen(path) >= PATH_SIZE)
        return caelum_fail(err, CAELUM_EUSAGE, "%.200s...: path is longer than %d bytes", path,
                           PATH_SIZE - 1);
    if (stat(path, &st) != 0) return CAELUM_OK;
    if (!force) return caelum_fail(err, CAELUM_EIO, "%s exists already; %s", path, advice);
    return file_lock(lock, path, err);
}

int run_directory_take(struct file_lock *lock, const char *path, struct caelum_error *err) {
    if (!lock->held) {
        CHECK(file_make_new_directory(path, err));
        CHECK(file_lock(lock, path, err));
    }
    file_sweep(path);
    return CAELUM_OK;
}

static int remove_file(const char *directory, const char *name, struct caelum_error *err) {
    char path[PATH_SIZE];
    CHECK(file_join(path, sizeof path, directory, name, err));
    if (unlink(path) != 0 && errno != ENOENT)
        return caelum_fail(err, CAELUM_EIO, "%s: can't be removed: %s", path, strerror(errno));
    return CAELUM_OK;
}

int run_directory_clear(const char *path, struct caelum_error *err) {
    static const char *const names[] = {"checkpoint.safetensors", "eval.json",        "best.safetensors",
                                        "last.safetensors",       "metrics.csv",      "curves.svg",
                                        "reconstructions.png",    "colorizations.png"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) CHECK(remove_file(path, names[i], err));
    CHECK(events_remove(path, err));
    return remove_file(path, "run.json", err);
}
