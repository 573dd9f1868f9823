/* watch.c - pictures that are put into a folder, each taken once it is whole. The folder is read five times a
 * second, which works on every file system, also those of other machines. */
#include "cli.h"

#include "base/clock.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PAUSE = 200000000 }; /* nanoseconds */
/* Seconds that a file must not have changed for before it is reported as no picture. */
static const double PATIENCE = 10;

struct watched {
    struct dirent *entry; /* owned */
    off_t size;
    struct timespec changed;
    double since; /* when it was first seen like that */
    enum { NEW, FAILED, REPORTED, TAKEN } state;
};

struct watch {
    const char *directory;
    struct watched *list; /* by name */
    size_t n;
    picture_taker *take;
    void *cookie;
};

static int is_shown(const struct dirent *entry) {
    return entry->d_name[0] != '.' && !is_companion(entry->d_name);
}

static int by_bytes(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void forget(struct watch *w) {
    for (size_t i = 0; i < w->n; i++) free(w->list[i].entry);
    mem_free(&w->list);
    w->n = 0;
}

/* Reads the folder: what is known of files that are still there is kept, the rest forgotten. */
static int look(struct watch *w, struct caelum_error *err) {
    struct dirent **found = NULL;
    const int n = scandir(w->directory, &found, is_shown, by_bytes);
    struct watch now = *w;
    if (n < 0)
        return caelum_fail(err, CAELUM_EIO, "%.400s: can't be watched: %s", w->directory, strerror(errno));
    now.n = (size_t)n;
    const int result = mem_alloc(&now.list, now.n + 1, sizeof *now.list, err);
    for (size_t i = 0, old = 0; i < now.n; i++) {
        if (result != 0) {
            free(found[i]);
            continue;
        }
        while (old < w->n && strcmp(w->list[old].entry->d_name, found[i]->d_name) < 0) old++;
        if (old < w->n && strcmp(w->list[old].entry->d_name, found[i]->d_name) == 0)
            now.list[i] = w->list[old];
        else
            now.list[i] = (struct watched){.size = -1};
        now.list[i].entry = found[i];
    }
    free(found);
    if (result != 0) return result;
    forget(w);
    *w = now;
    return CAELUM_OK;
}

/* Whether a file is like it was when the folder was read before. */
static bool is_still(struct watched *f, const struct stat *st) {
    if (f->size == st->st_size && f->changed.tv_sec == st->st_mtim.tv_sec &&
        f->changed.tv_nsec == st->st_mtim.tv_nsec)
        return true;
    f->size = st->st_size, f->changed = st->st_mtim;
    f->since = clock_seconds();
    f->state = NEW;
    return false;
}

static int take(const struct watch *w, struct watched *f, struct caelum_error *err) {
    char path[PATH_SIZE];
    struct stat st;
    struct caelum_error why;
    if (f->state == TAKEN) return CAELUM_OK;
    CHECK(file_join(path, sizeof path, w->directory, f->entry->d_name, err));
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || !is_still(f, &st)) return CAELUM_OK;
    if (f->state == REPORTED || (f->state == FAILED && clock_seconds() - f->since < PATIENCE))
        return CAELUM_OK;
    if (w->take(w->cookie, path, &why) == 0) {
        f->state = TAKEN;
    } else if (f->state == NEW) {
        f->state = FAILED;
    } else {
        report(&why);
        f->state = REPORTED;
    }
    return CAELUM_OK;
}

int watch_folder(const char *directory, picture_taker *visit, void *cookie, struct caelum_error *err) {
    struct watch w = {.directory = directory, .take = visit, .cookie = cookie};
    const struct timespec pause = {0, PAUSE};
    int result = CAELUM_OK;
    while (result == 0 && !signals_caught()) {
        result = look(&w, err);
        for (size_t i = 0; result == 0 && i < w.n && !signals_caught(); i++)
            result = take(&w, &w.list[i], err);
        nanosleep(&pause, NULL);
    }
    forget(&w);
    return result;
}
