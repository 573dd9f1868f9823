/* formats.c - which format a data set has, and what all of them need. What is prepared stands for the files
 * that it was made of, by their paths and identities, and for the settings that decide its pixels; so formats
 * are told apart only when it is made. */
#include "data/formats.h"

#include "base/ascii.h"
#include "base/magic.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* In the order in which they are tried. */
static const struct data_format *const formats[] = {
    &cifar10_format, &cifar100_format, &cifar10_python_format, &cifar100_python_format,
    &stl_format,     &idx_format,      &numpy_format,          &pictures_format,
};
enum { FORMATS = sizeof formats / sizeof *formats, LEAST = 10 };

/* --- For formats ---------------------------------------------------------------------------------- */

void source_put(struct source *source, const uint8_t *pixels, size_t n) {
    struct prepared_header *h = &source->to->header;
    prepared_pixels(source->to, pixels, n * (size_t)(h->c * h->h * h->w));
    h->count += n;
}

void source_class(struct source *source, const char *name, size_t length) {
    fprintf(source->names, "%.*s%c", (int)length, name, '\0');
    source->to->header.classes++;
}

void source_numbers(struct source *source, size_t n) {
    char number[24];
    for (size_t i = 0; i < n; i++)
        source_class(source, number, (size_t)snprintf(number, sizeof number, "%zu", i));
}

size_t source_lines(struct source *source, const char *text, size_t n) {
    size_t found = 0;
    for (const char *at = text; *at && found < n; found++) {
        const size_t length = strcspn(at, "\r\n");
        source_class(source, at, length);
        at += length + strspn(at + length, "\r\n");
    }
    return found;
}

int source_names(struct source *source, const char *file, size_t n, struct caelum_error *err) {
    const struct tree_file *text = tree_named(source->tree, file);
    uint8_t *bytes = NULL;
    size_t size, found = n;
    if (text) {
        CHECK(tree_read(source->tree, text, 1 << 20, &bytes, &size, err));
        found = source_lines(source, (const char *)bytes, n);
    } else {
        source_numbers(source, n);
    }
    mem_free(&bytes);
    if (found == n) return CAELUM_OK;
    return caelum_fail(err, CAELUM_EFORMAT, "%s: %s: expected the names of %zu classes, got %zu",
                       source->tree->root, file, n, found);
}

void source_skip(struct source *source, const char *path, const char *reason) {
    fprintf(source->skips, "%s%c%s%c", path, '\0', reason, '\0');
    source->to->header.skipped++;
}

int source_progress(const struct source *source, const char *what, size_t done, size_t total,
                    struct caelum_error *err) {
    const struct caelum_data_settings *s = source->settings;
    if (s->progress && s->progress(s->cookie, what, done, total) != 0)
        return caelum_fail(err, CAELUM_ESTOPPED, "stopped while the pictures were read");
    return CAELUM_OK;
}

size_t source_word(const char *name, size_t length, const char *const *words) {
    for (size_t at = 0; at < length;) {
        char word[16];
        size_t n = 0, i = 0;
        while (at + n < length && ascii_alnum(name[at + n])) n++;
        snprintf(word, sizeof word, "%.*s", (int)(n < sizeof word ? n : 0), name + at);
        while (words[i] && !ascii_same(word, words[i])) i++;
        if (words[i]) return i;
        at += n + 1;
    }
    return SIZE_MAX;
}

enum caelum_split source_part(const char *name, size_t length) {
    static const char *const words[] = {"train", "training", "val",  "valid", "validation",
                                        "test",  "testing",  "t10k", NULL};
    static const enum caelum_split part[] = {CAELUM_TRAIN,      CAELUM_TRAIN,      CAELUM_VALIDATION,
                                             CAELUM_VALIDATION, CAELUM_VALIDATION, CAELUM_TEST,
                                             CAELUM_TEST,       CAELUM_TEST};
    const size_t i = source_word(name, length, words);
    return i == SIZE_MAX ? CAELUM_ALL : part[i];
}

/* --- Making it ------------------------------------------------------------------------------------ */

static int unknown(const struct tree *tree, struct caelum_error *err) {
    char left_out[TREE_LEFT_TEXT];
    static const char expected[] =
        "pictures (PNG, JPEG, WebP, TIFF), CIFAR, MNIST's idx files or NumPy's arrays";
    tree_left_out(tree, left_out);
    if (tree->single && !tree->archive) {
        const char *what = magic_of_file(tree->root);
        if (!what) what = tree->file[0].identity.bytes ? "no data set that is known" : "an empty file";
        return caelum_fail(err, CAELUM_EFORMAT,
                           "%.150s: %.100s; expected a data set: a directory or archive of %s", tree->root,
                           what, expected);
    }
    return caelum_fail(err, CAELUM_EIO, "%.150s: no data set that is known is in it; expected %s%s%.80s",
                       tree->root, expected, *left_out ? "; left out: " : "", left_out);
}

static int too_few(const struct source *s, size_t usable, struct caelum_error *err) {
    const struct prepared_header *h = &s->to->header;
    if (h->skipped == 0)
        return caelum_fail(err, CAELUM_EUSAGE,
                           "%.200s: %zu pictures are too few to split; at least %d are needed", s->tree->root,
                           usable, LEAST);
    return caelum_fail(err, CAELUM_EFORMAT,
                       "%.150s: %zu pictures can be used, at least %d are needed; files skipped: %zu, the "
                       "first of them %.100s: %.120s",
                       s->tree->root, usable, LEAST, (size_t)h->skipped, s->skips_text,
                       s->skips_text + strlen(s->skips_text) + 1);
}

/* Reads into the two lists, too. */
static int read_lists(struct source *s, const struct data_format *format, struct caelum_error *err) {
    s->names = open_memstream(&s->names_text, &s->names_size);
    s->skips = open_memstream(&s->skips_text, &s->skips_size);
    const int result = s->names && s->skips ? format->read(s, err) : CAELUM_OK;
    const bool names = mem_stream_close(s->names, &s->names_text);
    const bool skips = mem_stream_close(s->skips, &s->skips_text);
    if (result == 0 && !(names && skips))
        return caelum_fail(err, CAELUM_ERESOURCE, "out of memory for a list of files");
    return result;
}

static int read_source(struct source *s, struct caelum_error *err) {
    size_t format = 0;
    struct prepared_header *h = &s->to->header;
    CHECK(tree_unpack(s->tree, s->unpack_in, err));
    while (format < FORMATS && !formats[format]->is_meant(s->tree)) format++;
    if (format == FORMATS) return unknown(s->tree, err);
    CHECK(read_lists(s, formats[format], err));
    if (ferror(s->to->stream)) return CAELUM_OK;
    const size_t usable = (size_t)(h->photos ? h->photos : h->count);
    if (usable < LEAST) return too_few(s, usable, err);
    snprintf(h->name, sizeof h->name, "%s", formats[format]->name);
    h->names_size = s->names_size, h->skips_size = s->skips_size;
    prepared_tables(s->to, s->first, s->labels, s->names_text, s->skips_text);
    return CAELUM_OK;
}

static int make(void *cookie, struct prepared_writer *to, struct caelum_error *err) {
    struct source s = *(const struct source *)cookie;
    s.to = to;
    const int result = read_source(&s, err);
    mem_free(&s.labels);
    mem_free(&s.first);
    free(s.names_text);
    free(s.skips_text);
    return result;
}

/* What is asked of pictures matters where there may be any. */
static void key_of(const struct source *s, char key[65]) {
    const struct caelum_data_settings *settings = s->settings;
    const struct tree *tree = s->tree;
    bool pictures = tree->single;
    struct sha256_ctx sha;
    char text[64] = "";
    for (size_t i = 0; i < tree->count; i++) pictures |= tree->file[i].picture;
    if (pictures)
        snprintf(text, sizeof text, "%zu %d %llu", settings->crop, (int)settings->resize,
                 (unsigned long long)settings->synthetic_seed);
    sha256_init(&sha);
    sha256_update(&sha, strlen(text) + 1, (const uint8_t *)text);
    for (size_t i = 0; i < tree->count; i++) {
        const struct tree_file *f = &tree->file[i];
        const uint8_t readable = f->readable;
        sha256_update(&sha, strlen(f->path) + 1, (const uint8_t *)f->path);
        sha256_update(&sha, sizeof f->identity, (const uint8_t *)&f->identity);
        sha256_update(&sha, 1, &readable);
    }
    prepared_key(&sha, key);
}

static int open_tree(struct caelum_data *data, struct tree *tree, const struct caelum_data_settings *settings,
                     int threads, struct caelum_error *err) {
    struct source s = {.tree = tree, .settings = settings, .threads = threads, .unpack_in = data->cache_dir};
    struct prepared what = {.make = make, .cookie = &s};
    char left_out[TREE_LEFT_TEXT];
    tree_left_out(tree, left_out);
    if (*left_out && tree->count > 0) data_note(data, "%s: left out: %s", tree->root, left_out);
    key_of(&s, what.key);
    return prepared_open(data, &what, settings, err);
}

int formats_open(struct caelum_data *data, const char *path, const struct caelum_data_settings *settings,
                 int threads, struct caelum_error *err) {
    struct tree tree = {0};
    CHECK(tree_find(&tree, path, err));
    const int result = open_tree(data, &tree, settings, threads, err);
    tree_close(&tree);
    return result;
}
