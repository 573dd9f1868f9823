/* paths.c - where pictures go, and where the program's own models are. */
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void path_stem(const char *path, char *stem, size_t size) {
    const char *name = strcmp(path, "-") == 0 ? "stdin" : path_name(path);
    snprintf(stem, size, "%.*s", (int)path_stem_length(name), name);
}

const char *path_run(const char *file, const char *behind, char path[RUN_SIZE]) {
    const char *name = path_name(file);
    snprintf(path, RUN_SIZE, "runs/%.*s%s", (int)path_stem_length(name), name, behind);
    return path;
}

int path_free(const char *path, bool force, struct caelum_error *err) {
    struct stat st;
    if (!force && stat(path, &st) == 0)
        return caelum_fail(err, CAELUM_EIO, "%.400s exists already; overwrite it with --force", path);
    return 0;
}

int path_result(const char *dir, const char *stem, const char *ending, char *path, size_t size,
                struct caelum_error *err) {
    const size_t name = strlen(stem) + strlen(ending), length = strlen(dir);
    if (name >= NAME_SIZE) {
        return caelum_fail(
            err, CAELUM_EUSAGE,
            "%.200s...: its result, with %s behind, would have a name of %zu bytes; a name has at most %d",
            stem, ending, name, NAME_SIZE - 1);
    }
    const char *slash = length == 0 || dir[length - 1] == '/' ? "" : "/";
    const int used = snprintf(path, size, "%s%s%s%s", dir, slash, stem, ending);
    if (used < 0 || (size_t)used >= size)
        return caelum_fail(err, CAELUM_EUSAGE, "%.200s...: path is too long", dir);
    return 0;
}

int path_picture(const char *dir, const char *stem, bool force, char *path, size_t size,
                 struct caelum_error *err) {
    const int code = path_result(dir, stem, ".png", path, size, err);
    return code ? code : path_free(path, force, err);
}

/* --- What comes with the program ------------------------------------------------------------------ */

bool path_program(const char *name, char path[PATH_SIZE]) {
    static const char *const places[] = {"..", "../share/caelum", "."};
    char program[PATH_SIZE];
    const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(program, '/');
    if (!slash) return false;
    *slash = '\0';
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const int used = snprintf(path, PATH_SIZE, "%s/%s/%s", program, places[i], name);
        if (used < PATH_SIZE && access(path, R_OK) == 0) return true;
    }
    return false;
}

/* Whether NAME and the ending is a file in the directory of models. */
static bool find_shipped(const char *name, const char *ending, char path[PATH_SIZE]) {
    const char *own = getenv("CAELUM_MODELS");
    const bool set = own && *own;
    char file[PATH_SIZE];
    const int used = snprintf(file, sizeof file, "%s/%s%s", set ? own : "models", name, ending);
    if (used >= PATH_SIZE) return false;
    if (!set) return path_program(file, path);
    strcpy(path, file);
    return access(path, R_OK) == 0;
}

const char *path_shipped(const char *word, const char *ending, char path[PATH_SIZE]) {
    struct stat st;
    if (!*word || strchr(word, '/') || stat(word, &st) == 0) return word;
    return find_shipped(word, ending, path) || find_shipped(word, "", path) ? path : word;
}

int model_open(caelum_model **model, const char *word, const char *standard, struct caelum_error *err) {
    const char *own = getenv("CAELUM_MODELS");
    char path[PATH_SIZE];
    if (word) return caelum_model_load(model, path_shipped(word, ".safetensors", path), err);
    if (find_shipped(standard, "", path)) return caelum_model_load(model, path, err);
    return caelum_fail(
        err, CAELUM_EIO,
        "%.100s is not there (looked in %.200s); name a model by --model, or their directory by "
        "CAELUM_MODELS",
        standard, own && *own ? own : "../models and ../share/caelum/models next to the program's directory");
}
