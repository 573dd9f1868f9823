/* inputs.c - the pictures that a person names: files, folders, patterns, pipes; and what is done with each of
 * them, so that one that fails leaves the others alone. */
#include "base/mem.h"
#include "cli.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* "-", "/dev/stdin", what a shell makes of "<(...)", a pipe with a name. Where one of the first is a file, it
 * is still no name that somebody has given to a picture. */
static bool is_piped(const char *path) {
    static const char *const own[] = {"-", "/dev/stdin", "/dev/fd/", "/proc/self/fd/"};
    struct stat st;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strncmp(path, own[i], strlen(own[i])) == 0 && (i >= 2 || strlen(path) == strlen(own[i])))
            return true;
    return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

static int no_memory(const char *path, struct caelum_error *err) {
    return caelum_fail(err, CAELUM_ERESOURCE, "%.400s: out of memory while pictures were gathered", path);
}

static int add(struct inputs *inputs, const char *path, struct caelum_error *err) {
    struct input *grown = inputs->list;
    char *copy = strdup(path);
    if ((inputs->count & (inputs->count + 1)) == 0) /* full at 1, 3, 7, ... */
        grown = realloc(inputs->list, (2 * inputs->count + 1) * sizeof *grown);
    if (!grown || !copy) return no_memory(path, err);
    inputs->list = grown;
    grown[inputs->count++] = (struct input){.path = copy, .piped = is_piped(path)};
    return 0;
}

/* --- Folders -------------------------------------------------------------------------------------- */

/* What a folder has besides pictures. */
enum left { LEFT_COMPANION, LEFT_RESULT, LEFT_SPECIAL, LEFT_KINDS };

struct folder {
    const char *path;
    struct dirent **entry; /* in the order of their names' bytes */
    int count;
    const char *result; /* as for inputs_open */
    size_t left[LEFT_KINDS];
};

/* Hidden files are not meant. */
static int is_shown(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

static int by_bytes(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

bool is_companion(const char *name) {
    static const char *const names[] = {"Thumbs.db", "ehthumbs.db", "desktop.ini", "Picasa.ini"};
    static const char *const endings[] = {".xmp", ".aae", ".pp3", ".dop"};
    const char *ending = name + path_stem_length(name);
    for (size_t i = 0; i < 4; i++)
        if (strcasecmp(name, names[i]) == 0 || strcasecmp(ending, endings[i]) == 0) return true;
    return false;
}

/* Whether this is NAME<result>.* and NAME.* is in the same folder. */
static bool is_result(const struct folder *f, const char *name) {
    const size_t stem = path_stem_length(name), end = f->result ? strlen(f->result) : 0;
    if (end == 0 || stem <= end || strncmp(name + stem - end, f->result, end) != 0) return false;
    for (int i = 0; i < f->count; i++) {
        const char *other = f->entry[i]->d_name;
        if (path_stem_length(other) == stem - end && strncmp(other, name, stem - end) == 0 &&
            !is_companion(other))
            return true;
    }
    return false;
}

static int add_entry(struct inputs *inputs, struct folder *f, const char *name, struct caelum_error *err) {
    char path[PATH_SIZE + NAME_SIZE]; /* one that is too long to be opened is named when its turn comes */
    struct stat st;
    const bool slash = f->path[strlen(f->path) - 1] == '/';
    snprintf(path, sizeof path, "%s%s%s", f->path, slash ? "" : "/", name);
    const bool there = stat(path, &st) == 0;
    if (there && S_ISDIR(st.st_mode)) return 0;
    if (there && !S_ISREG(st.st_mode)) return (void)f->left[LEFT_SPECIAL]++, 0;
    if (is_companion(name)) return (void)f->left[LEFT_COMPANION]++, 0;
    if (is_result(f, name)) return (void)f->left[LEFT_RESULT]++, 0;
    return add(inputs, path, err);
}

static void say_left(const struct folder *f) {
    static const char *const what[] = {"files about pictures (such as .xmp, Thumbs.db)",
                                       "results of earlier calls", "pipes, sockets or devices"};
    for (size_t k = 0; k < LEFT_KINDS; k++)
        if (f->left[k] > 0) warn("%s: left out %zu %s", f->path, f->left[k], what[k]);
}

/* The files in a folder; folders in it are left alone. One that can't be read fails when its turn comes. */
static int add_folder(struct inputs *inputs, const char *path, const char *result, struct caelum_error *err) {
    struct folder f = {.path = path, .result = result};
    f.count = scandir(path, &f.entry, is_shown, by_bytes);
    if (f.count < 0) return errno == ENOMEM ? no_memory(path, err) : add(inputs, path, err);
    int code = 0;
    for (int i = 0; code == 0 && i < f.count; i++) code = add_entry(inputs, &f, f.entry[i]->d_name, err);
    for (int i = 0; i < f.count; i++) free(f.entry[i]);
    free(f.entry);
    if (code == 0) say_left(&f);
    return code;
}

/* --- Words ---------------------------------------------------------------------------------------- */

/* A word that is no file may be a pattern that the shell has left alone. */
static int add_word(struct inputs *inputs, const char *word, const char *result, struct caelum_error *err) {
    struct stat st;
    glob_t found;
    if (stat(word, &st) == 0)
        return S_ISDIR(st.st_mode) ? add_folder(inputs, word, result, err) : add(inputs, word, err);
    if (strcmp(word, "-") == 0 || !strpbrk(word, "*?[") || glob(word, 0, NULL, &found) != 0)
        return add(inputs, word, err);
    int code = 0;
    for (size_t i = 0; code == 0 && i < found.gl_pathc; i++) code = add(inputs, found.gl_pathv[i], err);
    globfree(&found);
    return code;
}

int inputs_open(struct inputs *inputs, char **words, int n, const char *result, struct caelum_error *err) {
    for (int i = 0; i < n; i++) CHECK(add_word(inputs, words[i], result, err));
    if (inputs->count > 0) return 0;
    return caelum_fail(err, CAELUM_EIO, "%.400s: there are no files in it that could be pictures", words[0]);
}

/* --- Reading -------------------------------------------------------------------------------------- */

int input_load(const struct input *input, struct caelum_picture *picture, struct caelum_error *err) {
    static const char name[] = "standard input";
    uint8_t *bytes = NULL;
    size_t size;
    if (strcmp(input->path, "-") != 0) return caelum_picture_load(picture, input->path, err);
    CHECK(file_read_descriptor(STDIN_FILENO, name, (size_t)1 << 30, &bytes, &size, err));
    const int code = caelum_picture_decode(picture, bytes, size, name, err);
    mem_free(&bytes);
    return code;
}

/* --- Results -------------------------------------------------------------------------------------- */

int inputs_claim(const struct inputs *inputs, size_t i, const char *path, bool force,
                 struct caelum_error *err) {
    struct stat own, there;
    if (stat(path, &there) != 0) return 0;
    if (!inputs->list[i].piped && stat(inputs->list[i].path, &own) == 0 && own.st_dev == there.st_dev &&
        own.st_ino == there.st_ino)
        return caelum_fail(err, CAELUM_EUSAGE,
                           "%.400s: its result would replace it; name another directory by -o",
                           inputs->list[i].path);
    for (size_t k = 0; k < inputs->count; k++) {
        const struct input *other = &inputs->list[k];
        if (!other->done || other->device != there.st_dev || other->inode != there.st_ino) continue;
        return caelum_fail(
            err, CAELUM_EUSAGE,
            "%.150s: its result would replace that of %.150s; do it in another call, with another folder",
            inputs->list[i].path, other->path);
    }
    return path_free(path, force, err);
}

void inputs_wrote(struct inputs *inputs, size_t i, const char *path) {
    struct stat st;
    struct input *input = &inputs->list[i];
    if (stat(path, &st) != 0) return;
    input->done = true;
    input->device = st.st_dev;
    input->inode = st.st_ino;
}

int each_one(one_of_many *visit, void *cookie, size_t i, struct caelum_error *err) {
    struct caelum_picture pictures[PICTURES] = {0};
    const int code = visit(cookie, i, pictures, err);
    for (size_t k = 0; k < PICTURES; k++) caelum_picture_free(&pictures[k]);
    return code;
}

int each(const char *doing, const char *undone, size_t count, one_of_many *visit, void *cookie) {
    enum { SEVERAL_WAYS = -CAELUM_EFORMAT };
    struct caelum_error err;
    int status = 0;
    size_t failed = 0;
    for (size_t i = 0; i < count && !signals_caught(); i++) {
        if (count > 1) progress_stage(NULL, doing, i, count);
        if (each_one(visit, cookie, i, &err) != 0) {
            const int code = report(&err);
            status = failed == 0 || status == code ? code : SEVERAL_WAYS;
            failed++;
        }
    }
    progress_clear();
    if (failed > 0 && count > 1) warn("%zu of %zu files were not %s", failed, count, undone);
    return status;
}
