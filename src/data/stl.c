/* stl.c - STL-10's binary version (Coates, Ng & Lee 2011): pictures of 96 x 96, plane by plane, each column
 * by column; labels from 1. A directory or archive is the labelled pictures; unlabeled_X.bin by itself is
 * those without labels. */
#include "base/mem.h"
#include "data/formats.h"

#include <string.h>

enum { SIDE = 96, PLANE = SIDE * SIDE, PICTURE = 3 * PLANE, CLASSES = 10 };

static const char *const pictures[] = {"train_X.bin", "test_X.bin"}, *const labels[] = {"train_y.bin",
                                                                                        "test_y.bin"};
static const char alone[] = "unlabeled_X.bin";

static bool is_meant(const struct tree *tree) {
    return tree_named(tree, pictures[0]) || tree_named(tree, pictures[1]) || tree_named(tree, alone);
}

static int read_file(struct source *s, const struct tree_file *file, size_t record, uint8_t **bytes,
                     size_t *count, struct caelum_error *err) {
    char name[PATH_SIZE];
    size_t size;
    CHECK(tree_read(s->tree, file, (size_t)1 << 40, bytes, &size, err));
    *count = size / record;
    if (size % record == 0) return CAELUM_OK;
    mem_free(bytes);
    return caelum_fail(err, CAELUM_EFORMAT, "%s: %zu bytes, expected a multiple of %zu; get the file again",
                       tree_name(s->tree, file, name), size, record);
}

static int take_pictures(struct source *s, const struct tree_file *file, size_t *count,
                         struct caelum_error *err) {
    uint8_t *bytes = NULL, turned[PICTURE];
    CHECK(read_file(s, file, PICTURE, &bytes, count, err));
    for (size_t i = 0; i < *count; i++) {
        for (size_t p = 0; p < PICTURE; p++)
            turned[p] = bytes[i * PICTURE + p / PLANE * PLANE + p % SIDE * SIDE + p % PLANE / SIDE];
        source_put(s, turned, 1);
    }
    mem_free(&bytes);
    return source_progress(s, "preparing", 1, 1, err);
}

static int take_labels(struct source *s, const struct tree_file *file, size_t at, size_t count,
                       struct caelum_error *err) {
    uint8_t *bytes = NULL;
    char name[PATH_SIZE];
    size_t n, good = 0;
    CHECK(read_file(s, file, 1, &bytes, &n, err));
    for (; n == count && good < n && bytes[good] - 1u < CLASSES; good++)
        s->labels[at + good] = (uint16_t)(bytes[good] - 1u);
    mem_free(&bytes);
    if (good == count && n == count) return CAELUM_OK;
    return caelum_fail(err, CAELUM_EFORMAT, "%s: expected %zu labels, each from 1 to %d; get the file again",
                       tree_name(s->tree, file, name), count, CLASSES);
}

static int read_data(struct source *s, struct caelum_error *err) {
    const struct tree_file *file[2], *label[2];
    size_t count[2] = {0};
    s->to->header.c = 3, s->to->header.h = SIDE, s->to->header.w = SIDE;
    for (int i = 0; i < 2; i++)
        file[i] = tree_named(s->tree, pictures[i]), label[i] = tree_named(s->tree, labels[i]);
    if (!file[0] && !file[1]) return take_pictures(s, tree_named(s->tree, alone), count, err);
    for (int i = 0; i < 2; i++)
        if (file[i]) CHECK(take_pictures(s, file[i], &count[i], err));
    if (count[0] && count[1])
        s->to->header.part[CAELUM_TRAIN] = count[0], s->to->header.part[CAELUM_TEST] = count[1];
    for (int i = 0; i < 2; i++)
        if (file[i] && !label[i]) return CAELUM_OK;
    CHECK(mem_alloc(&s->labels, count[0] + count[1], sizeof *s->labels, err));
    for (int i = 0; i < 2; i++)
        if (file[i]) CHECK(take_labels(s, label[i], i ? count[0] : 0, count[i], err));
    return source_names(s, "class_names.txt", CLASSES, err);
}

const struct data_format stl_format = {"stl-10", is_meant, read_data};
