/* cifar_python.c - the Python versions of CIFAR-10 and CIFAR-100: the same pictures in the same order as in
 * the binary versions, in pickles. */
#include "base/mem.h"
#include "data/formats.h"
#include "data/pickle.h"

#include <string.h>

enum { PLANES = 3 * 32 * 32 };

struct cifar {
    size_t files;
    const char *file[6], *meta, *labels, *names;
    size_t classes;
    bool parts; /* the last file is the test part */
};

static const struct cifar cifar10 = {
    .files = 6,
    .file = {"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"},
    .meta = "batches.meta",
    .labels = "labels",
    .names = "label_names",
    .classes = 10,
};
static const struct cifar cifar100 = {
    .files = 2,
    .file = {"train", "test"},
    .meta = "meta",
    .labels = "fine_labels",
    .names = "fine_label_names",
    .classes = 100,
    .parts = true,
};

/* Whether one of the files is there, as a pickle. */
static bool is_meant(const struct tree *tree, const struct cifar *c) {
    for (size_t f = 0; f < c->files; f++) {
        const struct tree_file *file = tree_named(tree, c->file[f]);
        if (file && file->head[0] == 0x80) return true;
    }
    return false;
}

static bool cifar10_is_meant(const struct tree *tree) {
    return is_meant(tree, &cifar10);
}

static bool cifar100_is_meant(const struct tree *tree) {
    return is_meant(tree, &cifar100);
}

static int take(struct source *s, const struct cifar *c, const struct pickle *pickle, const char *name,
                struct caelum_error *err) {
    const struct pickled *data = pickle_find(pickle, "data"), *labels = pickle_find(pickle, c->labels);
    const size_t n = data && data->kind == PICKLED_ARRAY ? data->rows : 0,
                 before = (size_t)s->to->header.count;
    uint16_t *all = NULL;
    if (n == 0 || data->size != n * PLANES || !labels || labels->kind != PICKLED_ITEMS || labels->size != n)
        return caelum_fail(err, CAELUM_EFORMAT,
                           "%s: expected 'data', N x %d bytes, and N '%s'; is it CIFAR-%zu's Python version?",
                           name, PLANES, c->labels, c->classes);
    CHECK(mem_alloc(&all, before + n, sizeof *all, err));
    if (before) memcpy(all, s->labels, before * sizeof *all);
    mem_free(&s->labels);
    s->labels = all;
    for (size_t i = 0; i < n; i++) {
        const struct pickled *label = &pickle->item[labels->at + i];
        if (label->kind != PICKLED_NUMBER || label->size >= c->classes)
            return caelum_fail(err, CAELUM_EFORMAT, "%s: picture %zu has no label from 0 to %zu", name, i,
                               c->classes - 1);
        all[before + i] = (uint16_t)label->size;
    }
    source_put(s, data->bytes, n);
    return CAELUM_OK;
}

/* Names of the classes, where the file with them is. */
static int take_names(struct source *s, const struct cifar *c, const struct pickle *pickle, const char *name,
                      struct caelum_error *err) {
    const struct pickled *names = pickle_find(pickle, c->names);
    if (!names || names->kind != PICKLED_ITEMS || names->size != c->classes)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: expected %zu '%s'", name, c->classes, c->names);
    for (size_t i = 0; i < c->classes; i++) {
        const struct pickled *text = &pickle->item[names->at + i];
        if (text->kind != PICKLED_BYTES)
            return caelum_fail(err, CAELUM_EFORMAT, "%s: name %zu is none", name, i);
        source_class(s, (const char *)text->bytes, text->size);
    }
    return CAELUM_OK;
}

static int read_file(struct source *s, const struct cifar *c, const struct tree_file *file, bool names,
                     struct caelum_error *err) {
    char name[PATH_SIZE];
    uint8_t *bytes = NULL;
    size_t size;
    struct pickle pickle = {0};
    tree_name(s->tree, file, name);
    CHECK(tree_read(s->tree, file, (size_t)1 << 30, &bytes, &size, err));
    int result = pickle_read(&pickle, name, bytes, size, err);
    if (result == 0) result = (names ? take_names : take)(s, c, &pickle, name, err);
    pickle_close(&pickle);
    mem_free(&bytes);
    return result;
}

static int read_files(struct source *s, const struct cifar *c, struct caelum_error *err) {
    struct prepared_header *h = &s->to->header;
    const struct tree_file *meta = tree_named(s->tree, c->meta);
    h->c = 3, h->h = 32, h->w = 32;
    for (size_t f = 0; f < c->files; f++) {
        const struct tree_file *file = tree_named(s->tree, c->file[f]);
        if (!file)
            return caelum_fail(
                err, CAELUM_EIO,
                "%s: %s is missing; expected the %zu files of CIFAR-%zu's Python version there",
                s->tree->root, c->file[f], c->files, c->classes);
        if (c->parts && f + 1 == c->files) h->part[CAELUM_TRAIN] = h->count;
        CHECK(read_file(s, c, file, false, err));
        CHECK(source_progress(s, "preparing", f + 1, c->files, err));
    }
    if (c->parts) h->part[CAELUM_TEST] = h->count - h->part[CAELUM_TRAIN];
    if (meta) return read_file(s, c, meta, true, err);
    source_numbers(s, c->classes);
    return CAELUM_OK;
}

static int cifar10_read(struct source *s, struct caelum_error *err) {
    return read_files(s, &cifar10, err);
}

static int cifar100_read(struct source *s, struct caelum_error *err) {
    return read_files(s, &cifar100, err);
}

const struct data_format cifar10_python_format = {"cifar-10", cifar10_is_meant, cifar10_read};
const struct data_format cifar100_python_format = {"cifar-100", cifar100_is_meant, cifar100_read};
