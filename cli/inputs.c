/* inputs.c - the pictures that a person names: files, folders, patterns, "-". */
#include "cli.h"

#include <dirent.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int out_of_memory(struct caelum_error *err) {
    err->code = CAELUM_ERESOURCE;
    snprintf(err->text, sizeof err->text, "out of memory while pictures were gathered");
    return err->code;
}

static int add(struct inputs *inputs, const char *path, struct caelum_error *err) {
    char **grown = inputs->path;
    if ((inputs->count & (inputs->count + 1)) == 0) /* full at 1, 3, 7, ... */
        grown = realloc(inputs->path, (2 * inputs->count + 1) * sizeof *grown);
    if (!grown) return out_of_memory(err);
    inputs->path = grown;
    inputs->path[inputs->count] = strdup(path);
    return inputs->path[inputs->count] ? (void)inputs->count++, 0 : out_of_memory(err);
}

/* Hidden files are not meant. */
static int is_shown(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

static int by_bytes(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* The files in a folder, in the order of their names' bytes; folders in it are left alone. */
static int add_folder(struct inputs *inputs, const char *folder, struct caelum_error *err) {
    struct dirent **entry = NULL;
    const int n = scandir(folder, &entry, is_shown, by_bytes);
    int code = 0;
    for (int i = 0; i < n; i++) {
        char path[1024];
        struct stat st;
        const int used = snprintf(path, sizeof path, "%s/%s", folder, entry[i]->d_name);
        if (code == 0 && used > 0 && (size_t)used < sizeof path &&
            (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)))
            code = add(inputs, path, err);
        free(entry[i]);
    }
    free(entry);
    if (n >= 0) return code;
    err->code = CAELUM_EIO;
    snprintf(err->text, sizeof err->text, "%.400s: this folder can't be read", folder);
    return err->code;
}

/* A word that is no file may be a pattern that the shell has left alone. */
static int add_word(struct inputs *inputs, const char *word, struct caelum_error *err) {
    struct stat st;
    glob_t found;
    if (stat(word, &st) == 0)
        return S_ISDIR(st.st_mode) ? add_folder(inputs, word, err) : add(inputs, word, err);
    if (strcmp(word, "-") == 0 || !strpbrk(word, "*?[") || glob(word, 0, NULL, &found) != 0)
        return add(inputs, word, err);
    int code = 0;
    for (size_t i = 0; code == 0 && i < found.gl_pathc; i++) code = add(inputs, found.gl_pathv[i], err);
    globfree(&found);
    return code;
}

static int by_stem(const void *a, const void *b) {
    char x[256], y[256];
    path_stem(*(char *const *)a, x, sizeof x);
    path_stem(*(char *const *)b, y, sizeof y);
    return strcmp(x, y);
}

/* Two pictures of one name would be written to one file. */
static int check_names(const struct inputs *inputs, struct caelum_error *err) {
    char **sorted = malloc(inputs->count * sizeof *sorted);
    if (!sorted) return out_of_memory(err);
    memcpy(sorted, inputs->path, inputs->count * sizeof *sorted);
    qsort(sorted, inputs->count, sizeof *sorted, by_stem);
    err->code = 0;
    for (size_t i = 1; err->code == 0 && i < inputs->count; i++)
        if (by_stem(&sorted[i - 1], &sorted[i]) == 0) {
            char stem[256];
            path_stem(sorted[i], stem, sizeof stem);
            err->code = CAELUM_EUSAGE;
            snprintf(err->text, sizeof err->text,
                     "%.150s and %.150s would both become %.100s; name them in two calls with two folders",
                     sorted[i - 1], sorted[i], stem);
        }
    free(sorted);
    return err->code;
}

int inputs_open(struct inputs *inputs, char **words, int n, struct caelum_error *err) {
    int code = 0;
    *inputs = (struct inputs){0};
    for (int i = 0; code == 0 && i < n; i++) code = add_word(inputs, words[i], err);
    if (code == 0 && inputs->count == 0) {
        err->code = code = CAELUM_EIO;
        snprintf(err->text, sizeof err->text, "%.400s: there are no files in it", words[0]);
    }
    if (code == 0) code = check_names(inputs, err);
    if (code != 0) inputs_close(inputs);
    return code;
}

void inputs_close(struct inputs *inputs) {
    for (size_t i = 0; i < inputs->count; i++) free(inputs->path[i]);
    free(inputs->path);
    *inputs = (struct inputs){0};
}

int stdin_read(uint8_t **bytes, size_t *size, struct caelum_error *err) {
    enum { MOST = 1 << 30, FIRST = 1 << 16 };
    uint8_t *all = NULL;
    size_t used = 0, room = 0;
    do {
        if (used == MOST) {
            free(all);
            err->code = CAELUM_EFORMAT;
            snprintf(err->text, sizeof err->text, "standard input: longer than %d bytes, so no picture",
                     MOST);
            return err->code;
        }
        if (used == room) {
            room = room ? 2 * room : FIRST;
            uint8_t *grown = realloc(all, room);
            if (!grown) {
                free(all);
                return out_of_memory(err);
            }
            all = grown;
        }
        used += fread(all + used, 1, room - used, stdin);
    } while (!feof(stdin) && !ferror(stdin));
    *bytes = all;
    *size = used;
    return 0;
}
