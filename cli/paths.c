/* paths.c - where pictures go, and where the program's own models are. */
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(struct caelum_error *err, enum caelum_code code, const char *format, const char *path,
                const char *why) {
    err->code = code;
    snprintf(err->text, sizeof err->text, format, path, why);
    return err->code;
}

void path_stem(const char *path, char *stem, size_t size) {
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
    const int length = dot && dot > name ? (int)(dot - name) : (int)strlen(name);
    snprintf(stem, size, "%.*s", length, name);
}

int path_directory(const char *dir, struct caelum_error *err) {
    struct stat st;
    if (mkdir(dir, 0777) == 0) return 0;
    if (errno == EEXIST && stat(dir, &st) == 0 && !S_ISDIR(st.st_mode))
        return fail(err, CAELUM_EIO, "%.300s: is there, but no directory%s", dir, "");
    if (errno == EEXIST) return 0;
    return fail(err, CAELUM_EIO, "%.300s: directory can't be made: %s", dir, strerror(errno));
}

int path_free(const char *path, bool force, struct caelum_error *err) {
    struct stat st;
    if (!force && stat(path, &st) == 0)
        return fail(err, CAELUM_EIO, "%.400s exists already; %s", path, "write over it by --force");
    return 0;
}

int path_picture(const char *dir, const char *stem, bool force, char *path, size_t size,
                 struct caelum_error *err) {
    const int used = snprintf(path, size, "%s/%s.png", dir, stem);
    if (used < 0 || (size_t)used >= size)
        return fail(err, CAELUM_EUSAGE, "%.200s...: %s", dir, "path is too long");
    return path_free(path, force, err);
}

int path_model(const char *name, char *path, size_t size, struct caelum_error *err) {
    char program[512] = "";
    const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(program, '/');
    if (slash) *slash = '\0';
    const char *own = getenv("CAELUM_MODELS");
    if (own && *own) {
        snprintf(path, size, "%s/%s", own, name);
        if (access(path, R_OK) == 0) return 0;
    } else if (slash) {
        static const char *const places[] = {"../models", "../share/caelum/models"};
        for (size_t i = 0; i < 2; i++) {
            snprintf(path, size, "%s/%s/%s", program, places[i], name);
            if (access(path, R_OK) == 0) return 0;
        }
    }
    return fail(err, CAELUM_EIO,
                "%.200s is not there (looked in %.200s); name a model by --model, or their directory by "
                "CAELUM_MODELS",
                name, own && *own ? own : "../models and ../share/caelum/models beside the program");
}
