/* cifar.c - the binary versions of CIFAR-10 and CIFAR-100 (Krizhevsky 2009): records of labels and planes, of
 * which nothing is believed unchecked. CIFAR-10 is shuffled as a whole; CIFAR-100 keeps its test pictures. */
#include "base/mem.h"
#include "data/formats.h"

#include <string.h>

enum { PLANES = 3 * 32 * 32 };

struct cifar {
    size_t files, records[6]; /* of each */
    const char *file[6];
    size_t labels; /* bytes before the pixels, the last of which is the label */
    size_t classes;
};

static const struct cifar cifar10 = {
    .files = 6,
    .records = {10000, 10000, 10000, 10000, 10000, 10000},
    .file = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
             "data_batch_5.bin", "test_batch.bin"},
    .labels = 1,
    .classes = 10,
};
static const char names10[] = "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n";

static const struct cifar cifar100 = {
    .files = 2,
    .records = {50000, 10000},
    .file = {"train.bin", "test.bin"},
    .labels = 2, /* one of twenty groups of classes, then the class */
    .classes = 100,
};

static bool cifar10_is_meant(const struct tree *tree) {
    for (size_t f = 0; f < cifar10.files; f++)
        if (tree_named(tree, cifar10.file[f])) return true;
    return false;
}

static bool cifar100_is_meant(const struct tree *tree) {
    return tree_named(tree, "train.bin") && tree_named(tree, "test.bin");
}

static int take_records(struct source *s, const struct cifar *c, size_t f, const char *name,
                        const uint8_t *bytes, size_t size, struct caelum_error *err) {
    const size_t record = c->labels + PLANES;
    if (size != c->records[f] * record)
        return caelum_fail(err, CAELUM_EFORMAT,
                           "%s: %zu bytes expected (%zu records of %zu), got %zu: it ends in record %zu; get "
                           "the file again",
                           name, c->records[f] * record, c->records[f], record, size, size / record + 1);
    for (size_t i = 0; i < c->records[f]; i++, bytes += record) {
        const uint8_t label = bytes[c->labels - 1];
        if (label >= c->classes)
            return caelum_fail(err, CAELUM_EFORMAT,
                               "%s: record %zu has label %u, expected 0 to %zu; get the file again", name,
                               i + 1, label, c->classes - 1);
        s->labels[s->to->header.count] = label;
        source_put(s, bytes + c->labels, 1);
    }
    return source_progress(s, "preparing", f + 1, c->files, err);
}

static int take_files(struct source *s, const struct cifar *c, struct caelum_error *err) {
    struct prepared_header *h = &s->to->header;
    char name[PATH_SIZE];
    size_t count = 0;
    h->c = 3, h->h = 32, h->w = 32;
    for (size_t f = 0; f < c->files; f++) {
        count += c->records[f];
        if (!tree_named(s->tree, c->file[f]))
            return caelum_fail(
                err, CAELUM_EIO,
                "%s: %s is missing; expected the %zu files of CIFAR-%zu's binary version there",
                s->tree->root, c->file[f], c->files, c->classes);
    }
    CHECK(mem_alloc(&s->labels, count, sizeof *s->labels, err));
    for (size_t f = 0; f < c->files; f++) {
        const struct tree_file *file = tree_named(s->tree, c->file[f]);
        uint8_t *bytes = NULL;
        size_t size;
        CHECK(tree_read(s->tree, file, (size_t)1 << 30, &bytes, &size, err));
        const int result = take_records(s, c, f, tree_name(s->tree, file, name), bytes, size, err);
        mem_free(&bytes);
        CHECK(result);
    }
    return CAELUM_OK;
}

static int cifar10_read(struct source *s, struct caelum_error *err) {
    CHECK(take_files(s, &cifar10, err));
    source_lines(s, names10, cifar10.classes);
    return CAELUM_OK;
}

static int cifar100_read(struct source *s, struct caelum_error *err) {
    CHECK(take_files(s, &cifar100, err));
    s->to->header.part[CAELUM_TRAIN] = 50000, s->to->header.part[CAELUM_TEST] = 10000;
    return source_names(s, "fine_label_names.txt", cifar100.classes, err);
}

const struct data_format cifar10_format = {"cifar-10", cifar10_is_meant, cifar10_read};
const struct data_format cifar100_format = {"cifar-100", cifar100_is_meant, cifar100_read};
