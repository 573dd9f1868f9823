/* stubs.c - what a browser lacks and the page does without: more than one thread, files, data sets by name.
 * It takes the place of the library's files that have them (cmake/page.cmake). */
#include "base/crew.h"
#include "base/kept.h"
#include "base/parallel.h"
#include "data/formats.h"
#include "data/sets.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

/* --- Threads ------------------------------------------------------------------------------------------ */

int parallel_default_threads(void) {
    return 1;
}
int parallel_threads(int wanted) {
    (void)wanted;
    return 1;
}
void crew_start(struct crew *crew, int wanted, void (*run)(void *cookie, int number), void *cookie) {
    (void)wanted;
    *crew = (struct crew){.run = run, .cookie = cookie};
}
void crew_end(struct crew *crew) {
    (void)crew;
}
void event_signal(struct event *e) {
    atomic_fetch_add(&e->word, 2);
}
void event_wait(struct event *e, unsigned seen) {
    (void)e, (void)seen;
}

/* --- Files -------------------------------------------------------------------------------------------- */

static int no_files(const char *path, struct caelum_error *err) {
    return caelum_fail(err, CAELUM_EIO, "%s: there are no files in a page", path);
}

int file_read_any(const char *path, size_t limit, uint8_t **bytes, size_t *size, struct caelum_error *err) {
    (void)limit, (void)bytes, (void)size;
    return no_files(path, err);
}
void file_map_close(struct file_map *map) {
    (void)map;
}
int file_join(char *path, size_t size, const char *directory, const char *name, struct caelum_error *err) {
    (void)err;
    snprintf(path, size, "%s/%s", directory, name);
    return CAELUM_OK;
}
bool kept_directory(const char *path) {
    (void)path;
    return false;
}
/* The file without a name is memory, and so is its map; there is one at a time. */
static char *unnamed;
static size_t unnamed_size;

FILE *page_tmpfile(void) {
    return open_memstream(&unnamed, &unnamed_size);
}
void *mmap(void *at, size_t size, int protection, int flags, int file, off_t first) {
    (void)at, (void)size, (void)protection, (void)flags, (void)file, (void)first;
    return unnamed;
}
int munmap(void *at, size_t size) {
    (void)at, (void)size;
    free(unnamed);
    return 0;
}

char *getenv(const char *name) {
    (void)name;
    return NULL;
}
uid_t geteuid(void) {
    return 0;
}

/* --- Data sets ---------------------------------------------------------------------------------------- */

int formats_open(struct caelum_data *data, const char *path, const struct caelum_data_settings *settings,
                 int threads, struct caelum_error *err) {
    (void)data, (void)settings, (void)threads;
    return no_files(path, err);
}
const struct data_set *data_set_find(const char *name) {
    (void)name;
    return NULL;
}
int data_set_locate(const struct data_set *set, const char *directory, char path[PATH_SIZE],
                    struct caelum_error *err) {
    (void)set, (void)directory, (void)path;
    return no_files("data set", err);
}
/* Pictures in memory are not told apart by their checksum. */
void nettle_sha256_init(struct sha256_ctx *sha) {
    (void)sha;
}
void nettle_sha256_update(struct sha256_ctx *sha, size_t size, const uint8_t *bytes) {
    (void)sha, (void)size, (void)bytes;
}
void prepared_key(struct sha256_ctx *sha, char key[65]) {
    (void)sha;
    snprintf(key, 65, "memory");
}
