/* onnx_lists.c - the little arithmetic on whole numbers with which exports compute shapes and borders from
 * constants and other shapes. */
#include "exchange/onnx_import.h"

#include <string.h>

enum { MOST = 64, MOST_DEPTH = 24, MOST_WORK = 4096 };

struct evaluation {
    struct onnx_writer *w;
    const struct onnx_node *node;
    size_t depth;
};

/* onnx_refuse for the node that is being evaluated; an empty list. */
#define NONE(e, ...) (onnx_refuse((e)->w->path, (e)->node, __VA_ARGS__), (struct onnx_list){0})

static struct onnx_list list_at(const struct evaluation *e, const char *value);

/* The node's i-th input or, as old opsets have it, the attribute; both may be left out. */
static struct onnx_list maybe(const struct evaluation *e, size_t i, const char *attribute) {
    const struct onnx_attribute *a = onnx_attribute(e->node, attribute);
    struct onnx_list list = {.given = true, .dims = 1};
    if (i < e->node->inputs && *e->node->input[i] != '\0') return list_at(e, e->node->input[i]);
    if (!a || a->kind != ONNX_INTS || a->count > MOST) return (struct onnx_list){0};
    for (; list.count < a->count; list.count++) list.value[list.count] = a->ints[list.count];
    list.dim[0] = list.count;
    return list;
}

static struct onnx_list input(const struct evaluation *e, size_t i) {
    const struct onnx_list list = maybe(e, i, "");
    return list.given ? list : NONE(e, "its input %zu is missing", i);
}

static struct onnx_list gather(const struct evaluation *e) {
    const struct onnx_list from = input(e, 0);
    struct onnx_list list = input(e, 1);
    for (size_t i = 0; i < list.count; i++) {
        const int64_t at = list.value[i] < 0 ? list.value[i] + (int64_t)from.count : list.value[i];
        if (from.dims != 1 || at < 0 || at >= (int64_t)from.count)
            return NONE(e, "of shapes, element %lld of %zu", (long long)at, from.count);
        list.value[i] = from.value[at];
    }
    return list;
}

static struct onnx_list concat(const struct evaluation *e) {
    struct onnx_list list = {.given = true, .dims = 1};
    for (size_t i = 0; i < e->node->inputs; i++) {
        const struct onnx_list part = input(e, i);
        if (part.dims != 1 || part.count > MOST - list.count)
            return NONE(e, "of shapes, %d numbers in one dimension at most", MOST);
        memcpy(list.value + list.count, part.value, part.count * sizeof *part.value);
        list.count += part.count;
    }
    list.dim[0] = list.count;
    return list;
}

/* Along the first dimension. */
static struct onnx_list slice(const struct evaluation *e) {
    const struct onnx_list from = input(e, 0), start = maybe(e, 1, "starts"), end = maybe(e, 2, "ends"),
                           axis = maybe(e, 3, "axes"), by = maybe(e, 4, "");
    const int64_t n = from.dims > 0 ? (int64_t)from.dim[0] : 0, step = by.count ? by.value[0] : 1;
    if (from.dims == 0 || start.count != 1 || end.count != 1 || axis.value[0] != 0 || axis.count > 1 ||
        (step != 1 && step != -1))
        return NONE(e, "of shapes, only along the first axis, by 1 or -1");
    const size_t width = from.dims == 2 ? from.dim[1] : 1;
    int64_t a = start.value[0], b = end.value[0];
    const int64_t low = step > 0 ? 0 : -1, high = step > 0 ? n : n - 1;
    if (a < 0) a = a < -n ? -1 : a + n;
    if (b < 0) b = b < -n ? -1 : b + n;
    a = a < low ? low : a > high ? high : a;
    b = b < low ? low : b > high ? high : b;
    struct onnx_list list = from;
    list.count = list.dim[0] = 0;
    for (int64_t i = a; step > 0 ? i < b : i > b; i += step) {
        if (i < 0 || i >= n) continue;
        memcpy(list.value + list.count, from.value + (size_t)i * width, width * sizeof *list.value);
        list.count += width, list.dim[0]++;
    }
    return list;
}

static struct onnx_list reshape(const struct evaluation *e) {
    struct onnx_list list = input(e, 0);
    const struct onnx_list to = input(e, 1);
    size_t known = 1, all = 1;
    if (to.count < 1 || to.count > 2) return NONE(e, "of shapes, one or two dimensions expected");
    for (size_t i = 0; i < to.count; i++) {
        if (to.value[i] < -1 || to.value[i] == 0 || to.value[i] > MOST)
            return NONE(e, "of a shape, to %lld", (long long)to.value[i]);
        if (to.value[i] > 0) known *= (size_t)to.value[i];
    }
    list.dims = to.count;
    for (size_t i = 0; i < to.count; i++) {
        list.dim[i] = to.value[i] > 0 ? (size_t)to.value[i] : list.count / known;
        all *= list.dim[i];
    }
    return all == list.count ? list : NONE(e, "%zu numbers don't fit", list.count);
}

static struct onnx_list transpose(const struct evaluation *e) {
    const struct onnx_list from = input(e, 0);
    const struct onnx_attribute *perm = onnx_attribute(e->node, "perm");
    if (from.dims != 2 || (perm && (perm->kind != ONNX_INTS || perm->count != 2 || perm->ints[0] != 1)))
        return NONE(e, "of shapes, only rows and columns");
    struct onnx_list list = from;
    list.dim[0] = from.dim[1], list.dim[1] = from.dim[0];
    for (size_t i = 0; i < from.count; i++)
        list.value[i % from.dim[1] * from.dim[0] + i / from.dim[1]] = from.value[i];
    return list;
}

/* As many zeros, or other numbers, as the input says. */
static struct onnx_list filled(const struct evaluation *e) {
    const struct onnx_list size = input(e, 0);
    const struct onnx_attribute *value = onnx_attribute(e->node, "value");
    if (!value || value->kind != ONNX_INTS || value->count != 1 || size.count != 1 || size.value[0] < 0 ||
        size.value[0] > MOST)
        return NONE(e, "of shapes, only up to %d numbers of int64", MOST);
    struct onnx_list list = {.given = true, .dims = 1, .dim = {(size_t)size.value[0]}};
    for (; list.count < list.dim[0]; list.count++) list.value[list.count] = value->ints[0];
    return list;
}

/* One number as a list of one, and back. */
static struct onnx_list unsqueeze(const struct evaluation *e) {
    struct onnx_list list = input(e, 0);
    if (list.dims != 0) return NONE(e, "of shapes, only of one number");
    list.dims = 1, list.dim[0] = 1;
    return list;
}
static struct onnx_list squeeze(const struct evaluation *e) {
    struct onnx_list list = input(e, 0);
    if (list.dims != 1 || list.count != 1) return NONE(e, "of shapes, only to one number");
    list.dims = 0;
    return list;
}

/* Cast, Floor, Ceil: the numbers are whole. */
static struct onnx_list same(const struct evaluation *e) {
    return input(e, 0);
}

/* Of a value on the way, or of a list. */
static struct onnx_list shape(const struct evaluation *e) {
    struct onnx_list list = onnx_shape_of(e->w, e->node->input[0]);
    if (e->node->attributes > 0) return NONE(e, "of a part of a shape");
    if (list.given) return list;
    const struct onnx_list of = input(e, 0);
    list = (struct onnx_list){.given = true, .dims = 1, .dim = {of.dims}, .count = of.dims};
    for (size_t i = 0; i < of.dims; i++) list.value[i] = (int64_t)of.dim[i];
    return list;
}

/* Rounds down, as whole numbers do where nothing is below 0. */
static bool compute(char op, int64_t a, int64_t b, int64_t *result) {
    if (op == 'A') return !__builtin_add_overflow(a, b, result);
    if (op == 'S') return !__builtin_sub_overflow(a, b, result);
    if (op == 'M') return !__builtin_mul_overflow(a, b, result);
    if (b < 1) return false;
    *result = a / b - (a % b < 0);
    return true;
}

/* A list and a list of as many numbers, or of one. */
static struct onnx_list arithmetic(const struct evaluation *e) {
    const struct onnx_list a = input(e, 0), b = input(e, 1);
    struct onnx_list list = a.count > b.count || (a.count == b.count && a.dims >= b.dims) ? a : b;
    for (size_t i = 0; i < list.count; i++) {
        const int64_t p = a.value[a.count == 1 ? 0 : i], q = b.value[b.count == 1 ? 0 : i];
        if ((a.count != list.count && a.count != 1) || (b.count != list.count && b.count != 1))
            return NONE(e, "of shapes, of %zu and %zu numbers", a.count, b.count);
        if (p == ONNX_BATCH || q == ONNX_BATCH)
            list.value[i] = ONNX_BATCH;
        else if (!compute(*e->node->op, p, q, &list.value[i]))
            return NONE(e, "of %lld and %lld", (long long)p, (long long)q);
    }
    return list;
}

static const struct {
    const char *op;
    struct onnx_list (*evaluate)(const struct evaluation *e);
} operators[] = {
    {"Shape", shape},
    {"Gather", gather},
    {"Concat", concat},
    {"Slice", slice},
    {"Reshape", reshape},
    {"Transpose", transpose},
    {"Unsqueeze", unsqueeze},
    {"Squeeze", squeeze},
    {"Cast", same},
    {"Floor", same},
    {"Ceil", same},
    {"Identity", same},
    {"Add", arithmetic},
    {"Sub", arithmetic},
    {"Mul", arithmetic},
    {"Div", arithmetic},
    {"ConstantOfShape", filled},
};

/* Whole numbers, also where they are kept as floats; false if they are none, or too many. */
static bool of_constant(const struct onnx_tensor *t, struct onnx_list *list) {
    if (t->dims > 2 || t->values > MOST || (t->type != ONNX_INT64 && t->type != ONNX_FLOAT)) return false;
    *list =
        (struct onnx_list){.given = true, .dims = t->dims, .dim = {t->dim[0], t->dim[1]}, .count = t->values};
    for (size_t i = 0; i < t->values; i++) {
        const float real = t->type == ONNX_FLOAT ? ((const float *)t->data)[i] : 0;
        if (!(real >= -1e9f && real <= 1e9f) || real != (float)(int64_t)real) return false;
        list->value[i] = t->type == ONNX_FLOAT ? (int64_t)real : ((const int64_t *)t->data)[i];
    }
    return true;
}

static struct onnx_list list_at(const struct evaluation *e, const char *value) {
    const struct onnx_path *path = e->w->path;
    const struct onnx_source *source = onnx_find(path->file, onnx_origin(path->file, value));
    const struct onnx_node *node = source ? source->node : NULL;
    struct onnx_list list;
    if (source && source->tensor && of_constant(source->tensor, &list)) return list;
    if (!node || node->inputs == 0 || e->depth == MOST_DEPTH || ++e->w->work > MOST_WORK)
        return NONE(e, "'%.60s' is no list of a few whole numbers that are constant", value);
    const struct evaluation next = {e->w, node, e->depth + 1};
    for (size_t i = 0; path->file->graph.result == 0 && i < sizeof operators / sizeof *operators; i++)
        if (strcmp(operators[i].op, node->op) == 0) return operators[i].evaluate(&next);
    return NONE(e, "'%.60s' is computed by %.30s; expected constants", value, node->op);
}

struct onnx_list onnx_list_of(struct onnx_writer *w, const struct onnx_node *node, size_t i,
                              const char *attribute) {
    return maybe(&(struct evaluation){w, node, 0}, i, attribute);
}
