/* arrays.c - see arrays.h. Each file is read twice, once for its shape, so that only one is in memory. */
#include "data/arrays.h"

#include "base/color.h"
#include "base/mem.h"

#include <math.h>
#include <string.h>

static const char expected[] = "pictures as N x H x W, N x H x W x C or N x C x H x W, C being 1 or 3";

/* A file of the tree. */
struct item {
    const struct tree_file *file;
    struct array array; /* without the values */
    enum caelum_split part;
    enum role { PICTURES, LABELS, NEITHER } role;
    size_t c, h, w;
    bool last; /* pictures: the channel is the last index */
};

struct reading {
    struct source *source;
    array_parse *parse;
    struct item *item; /* [items], owned */
    size_t items;
    uint8_t *bytes; /* of the file at hand, owned */
};

/* --- Values --------------------------------------------------------------------------------------- */

static double half(uint64_t bits) {
    const int exponent = bits >> 10 & 31;
    const double digits = (double)(bits & 1023), sign = bits >> 15 ? -1 : 1;
    if (exponent == 31) return NAN;
    return sign * (exponent ? ldexp(1024 + digits, exponent - 25) : ldexp(digits, -24));
}

/* Value i in C order. */
static double value_at(const struct array *a, size_t i) {
    const uint8_t *from = a->values + a->size * numpy_place(&a->shape, i);
    uint64_t bits = 0;
    for (size_t b = 0; b < a->size; b++) bits |= (uint64_t)from[a->big ? a->size - 1 - b : b] << (8 * b);
    const unsigned unused = 64 - 8 * (unsigned)a->size;
    if (a->kind == 'i') return (double)((int64_t)(bits << unused) >> unused);
    if (a->kind != 'f') return (double)bits;
    if (a->size == 2) return half(bits);
    const uint32_t low = (uint32_t)bits;
    float single;
    double both;
    memcpy(&single, &low, sizeof single);
    memcpy(&both, &bits, sizeof both);
    return a->size == 4 ? (double)single : both;
}

/* --- What an array is ----------------------------------------------------------------------------- */

/* Whether a word of the name is one of labels. */
static bool says_labels(const char *name) {
    static const char *const words[] = {"y",     "label",   "labels", "target", "targets",
                                        "class", "classes", "arr",    NULL};
    return source_word(name, strlen(name), words) != SIZE_MAX;
}

/* Whether the dimensions are those of pictures. */
static bool is_pictures(struct item *item) {
    const struct numpy_header *s = &item->array.shape;
    const size_t *d = s->dim;
    item->c = 1, item->h = d[1], item->w = d[2];
    if (s->dims == 3) return true;
    item->last = s->dims == 4 && (d[3] == 1 || d[3] == 3);
    if (item->last) return item->c = d[3], true;
    item->c = d[1], item->h = d[2], item->w = d[3];
    return s->dims == 4 && (item->c == 1 || item->c == 3);
}

static void judge(struct reading *r, struct item *item) {
    const struct array *a = &item->array;
    const bool whole = a->kind == 'u' || a->kind == 'i' || a->kind == 'b';
    const bool line = a->shape.dims == 1 || (a->shape.dims == 2 && a->shape.dim[1] == 1);
    const char *name = path_name(item->file->path), *reason = NULL;
    item->part = source_part(name, strlen(name));
    if (item->part == CAELUM_ALL) item->part = source_part(item->file->path, strlen(item->file->path));
    item->role = NEITHER;
    if (a->kind == 'O')
        reason = "an array of Python objects, as of pictures of several sizes, which would have to be "
                 "unpickled; save one of numbers, numpy.asarray(pictures, dtype='uint8')";
    else if (whole && line && says_labels(name))
        item->role = LABELS;
    else if ((whole || a->kind == 'f') && is_pictures(item))
        item->role = PICTURES;
    else
        reason = a->shape.dims == 2 ? "two dimensions are no pictures; reshape it to N x H x W"
                                    : "neither pictures nor labels";
    if (reason) source_skip(r->source, item->file->path, reason);
}

static int read_item(struct reading *r, struct item *item, struct caelum_error *err) {
    char name[PATH_SIZE];
    size_t size, values = 1, wanted;
    struct array *a = &item->array;
    mem_free(&r->bytes);
    tree_name(r->source->tree, item->file, name);
    CHECK(tree_read(r->source->tree, item->file, (size_t)1 << 40, &r->bytes, &size, err));
    CHECK(r->parse(a, name, r->bytes, size, err));
    for (size_t d = 0; d < a->shape.dims; d++) CHECK(size_mul(values, a->shape.dim[d], &values, err));
    CHECK(size_mul(values, a->size, &wanted, err));
    if (a->size && wanted != size - a->shape.start)
        return caelum_fail(err, CAELUM_EFORMAT,
                           "%s: its header declares %zu values of %zu bytes, but %zu bytes follow", name,
                           values, a->size, size - a->shape.start);
    return CAELUM_OK;
}

/* Whether there is the same file without compression. */
static bool is_double(const struct reading *r, const struct tree_file *file) {
    const struct tree *tree = r->source->tree;
    const size_t length = strlen(file->path);
    if (length < 3 || strcmp(file->path + length - 3, ".gz") != 0) return false;
    for (size_t i = 0; i < tree->count; i++)
        if (strlen(tree->file[i].path) == length - 3 &&
            strncmp(tree->file[i].path, file->path, length - 3) == 0)
            return true;
    return false;
}

static int find_items(struct reading *r, bool (*is_one)(const struct tree_file *), struct caelum_error *err) {
    const struct tree *tree = r->source->tree;
    CHECK(mem_alloc(&r->item, tree->count, sizeof *r->item, err));
    for (size_t i = 0; i < tree->count; i++) {
        struct item *item = &r->item[r->items];
        if (!is_one(&tree->file[i]) || is_double(r, &tree->file[i])) continue;
        item->file = &tree->file[i];
        CHECK(read_item(r, item, err));
        judge(r, item);
        r->items++;
    }
    return CAELUM_OK;
}

/* --- What they are together ----------------------------------------------------------------------- */

static size_t count_of(const struct reading *r, enum role role, enum caelum_split part) {
    size_t n = 0;
    for (const struct item *i = r->item; i < r->item + r->items; i++)
        if (i->role == role && i->part == part) n += i->array.shape.dim[0];
    return n;
}

/* Those to train on first, the rest in their order; where there are no parts, all are of the whole. */
static void sort_items(struct reading *r, bool parts) {
    for (size_t i = 0; i < r->items; i++) {
        struct item item = r->item[i];
        size_t at = i;
        if (!parts) item.part = CAELUM_ALL;
        for (; at > 0 && r->item[at - 1].part > item.part; at--) r->item[at] = r->item[at - 1];
        r->item[at] = item;
    }
}

static int no_pictures(const struct source *s, struct caelum_error *err) {
    fflush(s->skips);
    const char *skip = s->to->header.skipped && s->skips_text ? s->skips_text : NULL;
    return caelum_fail(err, CAELUM_EFORMAT,
                       "%.100s: no array in it is of pictures; expected %s%s%.60s%s%.200s", s->tree->root,
                       expected, skip ? "; " : "", skip ? skip : "", skip ? ": " : "",
                       skip ? skip + strlen(skip) + 1 : "");
}

/* Parts are such if each array of pictures is of one, no two of the same, and there is one to train on. */
static int find_parts(struct reading *r, struct caelum_error *err) {
    const struct item *of[4] = {NULL}, *first = NULL;
    for (const struct item *i = r->item; i < r->item + r->items; i++) {
        if (i->role != PICTURES) continue;
        if (!first) first = i;
        if (i->c != first->c || i->h != first->h || i->w != first->w)
            return caelum_fail(err, CAELUM_EFORMAT,
                               "%.200s: the pictures of %.80s are %zux%zux%zu, those of %.80s %zux%zux%zu",
                               r->source->tree->root, first->file->path, first->c, first->h, first->w,
                               i->file->path, i->c, i->h, i->w);
        if (of[i->part] && i->part != CAELUM_ALL)
            return caelum_fail(err, CAELUM_EFORMAT,
                               "%.200s: %.100s and %.100s are the same part of the data; take one away",
                               r->source->tree->root, of[i->part]->file->path, i->file->path);
        of[i->part] = i;
    }
    if (!first) return no_pictures(r->source, err);
    struct prepared_header *h = &r->source->to->header;
    const bool parts = !of[CAELUM_ALL] && of[CAELUM_TRAIN] && (of[CAELUM_VALIDATION] || of[CAELUM_TEST]);
    h->c = first->c, h->h = first->h, h->w = first->w;
    if (h->h - 1 >= DATA_MOST_SIDE || h->w - 1 >= DATA_MOST_SIDE)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: pictures of %zux%zu pixels; expected 1 to %d a side",
                           r->source->tree->root, first->h, first->w, DATA_MOST_SIDE);
    sort_items(r, parts);
    for (int p = 0; p < 3; p++) h->part[p] = count_of(r, PICTURES, (enum caelum_split)p);
    return CAELUM_OK;
}

/* --- Pictures ------------------------------------------------------------------------------------- */

static int take_picture(struct reading *r, const struct item *item, size_t number, uint8_t *pixels,
                        struct caelum_error *err) {
    const struct array *a = &item->array;
    char name[PATH_SIZE];
    const size_t plane = item->h * item->w, size = item->c * plane;
    const bool real = a->kind == 'f' || a->kind == 'b';
    for (size_t i = 0; i < size; i++) {
        const size_t at = item->last ? i % plane * item->c + i / plane : i;
        const double value = value_at(a, number * size + at);
        if (!(value >= 0 && value <= (real ? 1 : 255)))
            return caelum_fail(err, CAELUM_EFORMAT, "%.300s: picture %zu has the value %g; expected %s%s",
                               tree_name(r->source->tree, item->file, name), number, value,
                               real ? "floats from 0 to 1" : "whole numbers from 0 to 255",
                               real && value > 1 && value <= 255 ? ": divide by 255" : "");
        pixels[i] = real ? color_byte(value) : (uint8_t)value;
    }
    return CAELUM_OK;
}

static int take_pictures(struct reading *r, struct item *item, struct caelum_error *err) {
    enum { PORTION = 1000 };
    const struct array *a = &item->array;
    const size_t size = item->c * item->h * item->w, n = a->shape.dim[0];
    const bool ready = a->kind == 'u' && a->size == 1 && !a->shape.fortran && (!item->last || item->c == 1);
    uint8_t *pixels = NULL;
    CHECK(read_item(r, item, err));
    CHECK(mem_alloc(&pixels, size, 1, err));
    int result = CAELUM_OK;
    for (size_t i = 0; i < n && result == 0; i++) {
        if (!ready) result = take_picture(r, item, i, pixels, err);
        source_put(r->source, ready ? a->values + i * size : pixels, 1);
        if (result == 0 && (i + 1) % PORTION == 0)
            result = source_progress(r->source, "preparing", i + 1, n, err);
    }
    mem_free(&pixels);
    return result;
}

/* --- Labels --------------------------------------------------------------------------------------- */

static int take_labels(struct reading *r, struct item *item, size_t *at, size_t *classes,
                       struct caelum_error *err) {
    char name[PATH_SIZE];
    CHECK(read_item(r, item, err));
    for (size_t i = 0; i < item->array.shape.dim[0]; i++) {
        const double value = value_at(&item->array, i);
        if (!(value >= 0 && value < DATA_MOST_CLASSES))
            return caelum_fail(err, CAELUM_EFORMAT, "%.300s: label %zu is %g; expected 0 to %d",
                               tree_name(r->source->tree, item->file, name), i, value, DATA_MOST_CLASSES - 1);
        r->source->labels[(*at)++] = (uint16_t)value;
        if (value >= (double)*classes) *classes = (size_t)value + 1;
    }
    return CAELUM_OK;
}

/* Labels for each picture, or none. */
static int take_all_labels(struct reading *r, struct caelum_error *err) {
    struct source *s = r->source;
    size_t at = 0, classes = 0;
    for (int p = 0; p <= CAELUM_ALL; p++) {
        const enum caelum_split part = (enum caelum_split)p;
        const size_t pictures = count_of(r, PICTURES, part), labels = count_of(r, LABELS, part);
        if (labels == 0 && pictures > 0) return CAELUM_OK;
        if (labels != pictures)
            return caelum_fail(err, CAELUM_EFORMAT, "%s: %zu labels for %zu pictures%s", s->tree->root,
                               labels, pictures, part == CAELUM_ALL ? "" : " in one of its parts");
    }
    CHECK(mem_alloc(&s->labels, (size_t)s->to->header.count, sizeof *s->labels, err));
    for (size_t i = 0; i < r->items; i++)
        if (r->item[i].role == LABELS) CHECK(take_labels(r, &r->item[i], &at, &classes, err));
    source_numbers(s, classes);
    return CAELUM_OK;
}

static int take_all(struct reading *r, struct caelum_error *err) {
    CHECK(find_parts(r, err));
    for (size_t i = 0; i < r->items; i++)
        if (r->item[i].role == PICTURES) CHECK(take_pictures(r, &r->item[i], err));
    return take_all_labels(r, err);
}

int arrays_take(struct source *source, bool (*is_one)(const struct tree_file *file), array_parse *parse,
                struct caelum_error *err) {
    struct reading r = {.source = source, .parse = parse};
    int result = find_items(&r, is_one, err);
    if (result == 0) result = take_all(&r, err);
    mem_free(&r.item);
    mem_free(&r.bytes);
    return result;
}
