/* cmd_data.c - caelum data info, cache, export, fetch. */
#include "cli.h"

#include "base/json.h"
#include "base/path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_files(const struct caelum_data_info *info) {
    for (size_t i = 0; i < info->files; i++) {
        const struct caelum_data_file *f = &info->file[i];
        char bytes[32];
        printf("%-11s %s  %s bytes  sha256 %s  %s\n", i ? "" : "files", f->name, grouped(f->bytes, bytes),
               f->sha256,
               f->known == 1   ? "as published"
               : f->known == 0 ? "NOT as published"
                               : "");
    }
}

static void print_channels(const char *what, size_t channels, const double value[3]) {
    if (channels == 1)
        printf("%-11s grey %.4f\n", what, value[0]);
    else
        printf("%-11s R %.4f  G %.4f  B %.4f\n", what, value[0], value[1], value[2]);
}

/* Of many the first. */
static void print_classes(const caelum_data *data) {
    enum { SHOWN = 20 };
    size_t i = 0, n = 0;
    const char *name;
    char count[32];
    for (; (name = caelum_data_class(data, i, &n)) != NULL; i++)
        if (i < SHOWN) printf("%-11s %-11s %s\n", i ? "" : "classes", name, grouped(n, count));
    if (i > SHOWN) printf("%-11s and %s more\n", "", grouped(i - SHOWN, count));
}

static void print_info(const caelum_data *data, const struct caelum_data_info *info) {
    char count[32], a[32], b[32], c[32];
    printf("%-11s %s, from %s\n", "data", info->name, info->source);
    printf("%-11s %s of %zux%zux%zu\n", "pictures", grouped(info->count, count), info->channels, info->height,
           info->width);
    if (info->photos > 0) printf("%-11s %s\n", "cut out of", grouped(info->photos, count));
    printf("%-11s %s train, %s validation, %s test (seed %llu)\n", "split", grouped(info->split_count[0], a),
           grouped(info->split_count[1], b), grouped(info->split_count[2], c),
           (unsigned long long)info->split_seed);
    print_channels("mean", info->channels, info->mean);
    print_channels("deviation", info->channels, info->deviation);
    print_classes(data);
    printf("%-11s %s\n", "pixels", info->pixels_sha256);
    print_files(info);
}

static json_t *skipped_files(const caelum_data *data) {
    json_t *list = json_array();
    const char *path, *reason;
    for (size_t i = 0; i < caelum_data_skipped(data, i, &path, &reason); i++)
        json_add(&list, JSON({"path", json_bytes(path)}, {"reason", json_bytes(reason)}));
    return list;
}

static json_t *notes(const caelum_data *data) {
    json_t *list = json_array();
    for (size_t i = 0; caelum_data_note(data, i); i++) json_add(&list, json_bytes(caelum_data_note(data, i)));
    return list;
}

static json_t *channels(const double value[3]) {
    json_t *list = json_array();
    for (size_t c = 0; c < 3; c++) json_add(&list, json_number(value[c]));
    return list;
}

static json_t *classes(const caelum_data *data) {
    json_t *object = json_object();
    const char *name;
    for (size_t i = 0, n; (name = caelum_data_class(data, i, &n)) != NULL; i++)
        json_put(&object, name, json_size(n));
    return object;
}

static json_t *files(const struct caelum_data_info *info) {
    json_t *list = json_array();
    for (const struct caelum_data_file *f = info->file; f < info->file + info->files; f++)
        json_add(&list,
                 JSON({"name", json_bytes(f->name)}, {"bytes", json_size(f->bytes)},
                      {"sha256", json_string(f->sha256)}, {"as_published", json_boolean(f->known == 1)}));
    return list;
}

static void print_object(const caelum_data *data, const struct caelum_data_info *info) {
    const size_t *split = info->split_count;
    print_json(JSON({"name", json_string(info->name)}, {"source", json_bytes(info->source)},
                    {"count", json_size(info->count)}, {"photos", json_size(info->photos)},
                    {"skipped", skipped_files(data)}, {"notes", notes(data)},
                    {"shape", json_sizes(info->channels, info->height, info->width)},
                    {"split", json_sizes(split[0], split[1], split[2])},
                    {"split_seed", json_size(info->split_seed)}, {"mean", channels(info->mean)},
                    {"deviation", channels(info->deviation)}, {"pixels", json_string(info->pixels_sha256)},
                    {"classes", classes(data)}, {"files", files(info)}));
}

struct data_command {
    struct caelum_data_settings settings;
    bool json, force;
    const char *out, *from;
    int split;
    size_t count;
    caelum_data *data;
};

/* DIR/00000.png, 00001.png, ... */
static int export_pictures(const struct data_command *d, struct caelum_error *err) {
    const enum caelum_split split = (enum caelum_split)d->split;
    const size_t all = caelum_data_count(d->data, split), n = d->count > 0 && d->count < all ? d->count : all;
    CHECK(file_make_directory(d->out, err));
    for (size_t i = 0; i < n; i++) {
        struct caelum_picture picture = {0};
        char stem[32], path[PATH_SIZE];
        snprintf(stem, sizeof stem, "%05zu", i);
        CHECK(path_picture(d->out, stem, d->force, path, sizeof path, err));
        CHECK(caelum_data_picture(d->data, split, i, &picture, err));
        const int code = caelum_picture_save(&picture, path, err);
        caelum_picture_free(&picture);
        CHECK(code);
        if (progress_stage(NULL, "writing", i + 1, n)) return caelum_fail(err, CAELUM_ESTOPPED, "stopped");
    }
    printf("%zu pictures are in %s\n", n, d->out);
    return 0;
}

static int fetch(const struct data_command *d, const char *name, struct caelum_error *err) {
    const struct caelum_fetch_settings settings = {.to = d->out, .from = d->from, .progress = progress_stage};
    char path[PATH_SIZE];
    CHECK(caelum_data_fetch(name, &settings, path, err));
    progress_clear();
    printf("%s is here as published; use it by --data %s\n", name, d->out ? path : name);
    return 0;
}

static const struct caelum_option rows[] = {
    OPTION(U64, struct data_command, 0, "split-seed", settings.split_seed, "N",
           "seed of the shuffle that precedes the split"),
    OPTION(SIZE, struct data_command, 0, "limit", settings.limit, "N",
           "use only the first N pictures of that shuffle; 0 = all"),
    OPTION(
        SIZE, struct data_command, 0, "crop", settings.crop, "N",
        "for pictures in files: cut squares of N x N pixels, 8 to 256, out of them; 0 = take small pictures "
        "of one size whole, cut 32 x 32 out of others"),
    CHOICE(
        struct data_command, "resize", settings.resize, caelum_resize_words,
        "for pictures in files: bring each to one size, --crop, instead: all of it between black bars, the "
        "square in its middle, or stretched"),
    OPTION(STRING, struct data_command, 0, "cache-dir", settings.cache_dir, "DIR", CACHE_HELP),
    OPTION(STRING, struct data_command, 'o', "out", out, "DIR",
           "export: directory for the pictures, as PNG; fetch: for the files, "
           "default ~/.local/share/caelum/NAME"),
    OPTION(STRING, struct data_command, 0, "from", from, "URL",
           "fetch: address of a directory with the files under their published names, or of the file"),
    CHOICE(struct data_command, "split", split, eval_splits, "export: which part of the data"),
    OPTION(SIZE, struct data_command, 0, "count", count, "N",
           "export: only the first N pictures of the split; 0 = all"),
    OPTION(FLAG, struct data_command, 0, "force", force, NULL, "export: overwrite existing pictures"),
    OPTION(FLAG, struct data_command, 0, "json", json, NULL, "print as JSON"),
    END_OF_OPTIONS};

static void defaults(void *values) {
    struct data_command *d = values;
    d->settings = caelum_data_defaults();
    d->settings.progress = progress_stage;
    d->settings.opened = data_opened;
    d->split = CAELUM_TEST;
}

static int run(void *values, int n, char **words, struct caelum_error *err) {
    struct data_command *d = values;
    const char *verb = n > 0 ? words[0] : "";
    const bool describe = strcmp(verb, "info") == 0, export = strcmp(verb, "export") == 0,
               get = strcmp(verb, "fetch") == 0;
    static struct caelum_data_info info;
    if (n > 2 || (!describe && !export && !get && strcmp(verb, "cache") != 0))
        return usage_error("data",
                           "expected 'info SPEC', 'cache SPEC', 'export SPEC -o DIR' or 'fetch NAME'");
    if (export && !d->out) return usage_error("data", "export: expected -o DIR");
    signals_catch();
    if (get) return fetch(d, n == 2 ? words[1] : "", err);
    CHECK(caelum_data_open(&d->data, n == 2 ? words[1] : NULL, &d->settings, err));
    if (export) return export_pictures(d, err);
    if (describe) CHECK(caelum_data_describe(d->data, &info, err));
    progress_clear();
    if (!describe)
        printf("%zu pictures are ready\n", caelum_data_count(d->data, CAELUM_ALL));
    else if (d->json)
        print_object(d->data, &info);
    else
        print_info(d->data, &info);
    return 0;
}

static void close_data(void *values) {
    struct data_command *d = values;
    caelum_data_close(&d->data);
}

COMMAND(data, "info|cache|export|fetch SPEC",
        "describe a data set, prepare it for faster starts, write its pictures, or fetch it",
        "caelum data info synthetic:1000", .outside = true, .rows = rows, .display = true,
        .size = sizeof(struct data_command), .defaults = defaults, .run = run, .close = close_data);
