/* run_list.c - see run_list.h. */
#define _GNU_SOURCE /* scandir, DT_DIR */
#include "study/run_list.h"

#include "base/file.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_DEPTH = 16 };

static bool is_run(const char *path) {
    char file[PATH_SIZE];
    return file_join(file, sizeof file, path, "run.json", NULL) == 0 && access(file, F_OK) == 0;
}

static int add(struct run_list *list, const char *path, struct caelum_error *err) {
    if (list->count == list->room)
        return caelum_fail(err, CAELUM_EUSAGE, "%s: the %zu-th run directory, at most %zu expected", path,
                           list->count + 1, list->room);
    CHECK(mem_strdup(&list->path[list->count], path, err));
    char *end = list->path[list->count] + strlen(path);
    while (end > list->path[list->count] + 1 && end[-1] == '/') *--end = '\0';
    list->count++;
    return CAELUM_OK;
}

static int is_shown(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

static int by_bytes(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool is_directory(const char *path) {
    struct stat st;
    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Adds the directory, or those below it. */
static int look(struct run_list *list, const char *path, int depth, struct caelum_error *err) {
    struct dirent **entry = NULL;
    if (is_run(path)) return add(list, path, err);
    if (depth == MOST_DEPTH) return CAELUM_OK;
    const int n = scandir(path, &entry, is_shown, by_bytes);
    if (n < 0) return caelum_fail(err, CAELUM_EIO, "%s is no run directory: %s", path, strerror(errno));
    int result = CAELUM_OK;
    for (int i = 0; i < n; i++) {
        char below[PATH_SIZE];
        if (result == 0) result = file_join(below, sizeof below, path, entry[i]->d_name, err);
        if (result == 0 && is_directory(below)) result = look(list, below, depth + 1, err);
        free(entry[i]);
    }
    free(entry);
    return result;
}

int run_list_open(struct run_list *list, const char *const *dirs, size_t count, size_t most,
                  struct caelum_error *err) {
    CHECK(mem_alloc(&list->path, most, sizeof *list->path, err));
    list->room = most;
    for (size_t i = 0; i < count; i++) {
        const size_t before = list->count;
        CHECK(look(list, dirs[i], 0, err));
        if (list->count == before)
            return caelum_fail(err, CAELUM_EIO, "%s is no run directory, and there is none below it",
                               dirs[i]);
    }
    return CAELUM_OK;
}

void run_list_close(struct run_list *list) {
    for (size_t i = 0; i < list->count; i++) mem_free(&list->path[i]);
    mem_free(&list->path);
    list->count = 0;
}
