/* onnx_lists.c - the little arithmetic on whole numbers with which PyTorch's exports compute shapes and
 * borders from constants and other shapes. */
#include "exchange/onnx_import.h"

#include <string.h>

enum { MOST = 64, MOST_DEPTH = 24, MOST_WORK = 4096 };

struct evaluation {
    struct onnx_lists *lists;
    const struct onnx_node *node;
    size_t depth;
};

/* onnx_refuse for the node that is being evaluated. */
#define REFUSE(e, err, ...) onnx_refuse((e).lists->path, (e).node, err, __VA_ARGS__)

static int list_at(struct evaluation e, const char *value, struct onnx_list *list, struct caelum_error *err);

/* The node's i-th input as a list; false in *given if it has none. */
static int input(struct evaluation e, size_t i, bool *given, struct onnx_list *list,
                 struct caelum_error *err) {
    *given = i < e.node->inputs && *e.node->input[i] != '\0';
    return *given ? list_at(e, e.node->input[i], list, err) : CAELUM_OK;
}

static int needed(struct evaluation e, size_t i, struct onnx_list *list, struct caelum_error *err) {
    bool given;
    CHECK(input(e, i, &given, list, err));
    return given ? CAELUM_OK : REFUSE(e, err, "input %zu is missing", i);
}

static int gather(struct evaluation e, struct onnx_list *list, struct caelum_error *err) {
    struct onnx_list from = {0}, index = {0};
    CHECK(needed(e, 0, &from, err));
    CHECK(needed(e, 1, &index, err));
    if (from.dims != 1) return REFUSE(e, err, "of shapes, one dimension expected");
    *list = index;
    for (size_t i = 0; i < index.count; i++) {
        const int64_t at = index.value[i] < 0 ? index.value[i] + (int64_t)from.count : index.value[i];
        if (at < 0 || at >= (int64_t)from.count)
            return REFUSE(e, err, "element %lld of %zu", (long long)at, from.count);
        list->value[i] = from.value[at];
    }
    return CAELUM_OK;
}

static int concat(struct evaluation e, struct onnx_list *list, struct caelum_error *err) {
    *list = (struct onnx_list){.dims = 1};
    for (size_t i = 0; i < e.node->inputs; i++) {
        struct onnx_list part = {0};
        CHECK(needed(e, i, &part, err));
        if (part.dims != 1 || part.count > MOST - list->count)
            return REFUSE(e, err, "of shapes, %d numbers in one dimension at most", MOST);
        memcpy(list->value + list->count, part.value, part.count * sizeof *part.value);
        list->count += part.count;
    }
    list->dim[0] = list->count;
    return CAELUM_OK;
}

/* Along the first dimension. */
static int slice(struct evaluation e, struct onnx_list *list, struct caelum_error *err) {
    struct onnx_list from = {0}, start = {0}, end = {0}, axis = {0}, by = {0};
    bool given;
    CHECK(needed(e, 0, &from, err));
    CHECK(needed(e, 1, &start, err));
    CHECK(needed(e, 2, &end, err));
    CHECK(input(e, 3, &given, &axis, err));
    CHECK(input(e, 4, &given, &by, err));
    const int64_t n = from.dims > 0 ? (int64_t)from.dim[0] : 0, step = by.count ? by.value[0] : 1;
    if (from.dims == 0 || start.count != 1 || end.count != 1 || axis.value[0] != 0 || axis.count > 1 ||
        (step != 1 && step != -1))
        return REFUSE(e, err, "of shapes, only along the first axis, by 1 or -1");
    const size_t width = from.dims == 2 ? from.dim[1] : 1;
    int64_t a = start.value[0], b = end.value[0];
    const int64_t low = step > 0 ? 0 : -1, high = step > 0 ? n : n - 1;
    if (a < 0) a = a < -n ? -1 : a + n;
    if (b < 0) b = b < -n ? -1 : b + n;
    a = a < low ? low : a > high ? high : a;
    b = b < low ? low : b > high ? high : b;
    *list = from;
    list->count = list->dim[0] = 0;
    for (int64_t i = a; step > 0 ? i < b : i > b; i += step) {
        if (i < 0 || i >= n) continue;
        memcpy(list->value + list->count, from.value + (size_t)i * width, width * sizeof *list->value);
        list->count += width, list->dim[0]++;
    }
    return CAELUM_OK;
}

static int reshape(struct evaluation e, struct onnx_list *list, struct caelum_error *err) {
    struct onnx_list from = {0}, to = {0};
    CHECK(needed(e, 0, &from, err));
    CHECK(needed(e, 1, &to, err));
    if (to.count < 1 || to.count > 2) return REFUSE(e, err, "of shapes, one or two dimensions expected");
    *list = from;
    list->dims = to.count;
    size_t known = 1;
    for (size_t i = 0; i < to.count; i++) {
        if (to.value[i] < -1 || to.value[i] == 0 || to.value[i] > MOST)
            return REFUSE(e, err, "of a shape, to %lld", (long long)to.value[i]);
        if (to.value[i] > 0) known *= (size_t)to.value[i];
    }
    size_t all = 1;
    for (size_t i = 0; i < to.count; i++) {
        list->dim[i] = to.value[i] > 0 ? (size_t)to.value[i] : from.count / known;
        all *= list->dim[i];
    }
    return all == from.count ? CAELUM_OK : REFUSE(e, err, "%zu numbers don't fit", from.count);
}

static int transpose(struct evaluation e, struct onnx_list *list, struct caelum_error *err) {
    struct onnx_list from = {0};
    CHECK(needed(e, 0, &from, err));
    const struct onnx_attribute *perm = onnx_attribute(e.node, "perm");
    if (from.dims != 2 || (perm && (perm->kind != ONNX_INTS || perm->count != 2 || perm->ints[0] != 1)))
        return REFUSE(e, err, "of shapes, only rows and columns");
    *list = from;
    list->dim[0] = from.dim[1], list->dim[1] = from.dim[0];
    for (size_t i = 0; i < from.dim[0]; i++)
        for (size_t j = 0; j < from.dim[1]; j++)
            list->value[j * from.dim[0] + i] = from.value[i * from.dim[1] + j];
    return CAELUM_OK;
}

/* As many zeros as the input says. */
static int zeros(struct evaluation e, struct onnx_list *list, struct caelum_error *err) {
    struct onnx_list size = {0};
    CHECK(needed(e, 0, &size, err));
    const struct onnx_attribute *value = onnx_attribute(e.node, "value");
    if (!value || value->kind != ONNX_INTS || value->count != 1 || value->ints[0] != 0)
        return REFUSE(e, err, "of shapes, only int64 zeros");
    if (size.count != 1 || size.value[0] < 0 || size.value[0] > MOST)
        return REFUSE(e, err, "of shapes, %d numbers at most", MOST);
    *list = (struct onnx_list){.dims = 1, .dim = {(size_t)size.value[0]}, .count = (size_t)size.value[0]};
    return CAELUM_OK;
}

/* One number as a list of one, or the same list. */
static int unsqueeze(struct evaluation e, struct onnx_list *list, struct caelum_error *err) {
    CHECK(needed(e, 0, list, err));
    if (list->dims != 0) return REFUSE(e, err, "of shapes, only of one number");
    list->dims = 1, list->dim[0] = 1;
    return CAELUM_OK;
}

static int cast(struct evaluation e, struct onnx_list *list, struct caelum_error *err) {
    const struct onnx_attribute *to = onnx_attribute(e.node, "to");
    if (!to || to->kind != ONNX_INT || to->i != ONNX_INT64) return REFUSE(e, err, "of shapes, only to int64");
    return needed(e, 0, list, err);
}

static int shape(struct evaluation e, struct onnx_list *list, struct caelum_error *err) {
    if (e.node->inputs != 1 || e.node->attributes > 0 ||
        !e.lists->shape(e.lists->cookie, onnx_origin(e.lists->path->file, e.node->input[0]), list))
        return REFUSE(e, err, "of a value that is not on the way to the output");
    return CAELUM_OK;
}

static const struct {
    const char *op;
    int (*evaluate)(struct evaluation e, struct onnx_list *list, struct caelum_error *err);
} operators[] = {
    {"Shape", shape},           {"Gather", gather},       {"Concat", concat},
    {"Slice", slice},           {"Reshape", reshape},     {"Transpose", transpose},
    {"ConstantOfShape", zeros}, {"Unsqueeze", unsqueeze}, {"Cast", cast},
};

static int list_at(struct evaluation e, const char *value, struct onnx_list *list, struct caelum_error *err) {
    const struct onnx_path *path = e.lists->path;
    const struct onnx_source *source = onnx_find(path->file, onnx_origin(path->file, value));
    const struct onnx_tensor *t = source ? source->tensor : NULL;
    if (t && t->type == ONNX_INT64 && t->dims <= 2 && t->values <= MOST) {
        *list = (struct onnx_list){.dims = t->dims, .dim = {t->dim[0], t->dim[1]}, .count = t->values};
        if (t->values > 0) memcpy(list->value, t->data, t->values * sizeof *list->value);
        return CAELUM_OK;
    }
    if (!source || !source->node || e.depth == MOST_DEPTH || ++e.lists->work > MOST_WORK)
        return onnx_refuse(path, e.node, err, "'%.60s' is no list of a few int64 constants", value);
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (strcmp(operators[i].op, source->node->op) == 0)
            return operators[i].evaluate((struct evaluation){e.lists, source->node, e.depth + 1}, list, err);
    return onnx_refuse(path, e.node, err, "'%.60s' is computed by %.30s; expected constants", value,
                       source->node->op);
}

int onnx_list_of(struct onnx_lists *lists, const struct onnx_node *reader, const char *value,
                 struct onnx_list *list, struct caelum_error *err) {
    return list_at((struct evaluation){lists, reader, 0}, value, list, err);
}
