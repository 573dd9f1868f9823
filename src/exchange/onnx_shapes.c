/* onnx_shapes.c - operators that move values without changing them as lines of text.
 *
 * A graph flattens pictures to rows of numbers [N, values] where a text does not: `dense` takes pictures as
 * they are. So Flatten writes no line; `reshape` comes where another shape is really needed. */
#include "exchange/onnx_lines.h"

#include <string.h>

/* The graph's value now is [N, c, h, w]. */
static int unflatten(struct onnx_writer *w, struct shape to, struct caelum_error *err) {
    const struct shape now = w->now.shape;
    w->now.flat = false;
    if (to.c == now.c && to.h == now.h && to.w == now.w) return CAELUM_OK;
    return onnx_say(w, err, "reshape %zu %zu %zu", to.c, to.h, to.w);
}

int onnx_flatten(struct onnx_writer *w, struct caelum_error *err) {
    int64_t axis;
    CHECK(onnx_get_int(w, "axis", 1, &axis, err));
    if (axis != 1 && axis != (w->now.flat ? -1 : -3))
        return REFUSE(w, err, "axis %lld, 1 expected", (long long)axis);
    w->now.flat = true;
    return CAELUM_OK;
}

/* Dimension `of` the input: 0 to 3, or 0 to 1 of a flat one; 0 where there is none. */
static int64_t dimension(const struct onnx_known *now, size_t of) {
    const struct shape s = now->shape;
    if (now->flat) return of == 1 ? (int64_t)shape_values(s) : 0;
    return of == 1 ? (int64_t)s.c : of == 2 ? (int64_t)s.h : of == 3 ? (int64_t)s.w : 0;
}

/* Fills in the 0 (as it was) and -1 (what is left) of a shape [N, ...]; false if it is invalid. */
static bool fill_in(const struct onnx_writer *w, struct onnx_list *to) {
    const int64_t all = (int64_t)shape_values(w->now.shape);
    const int64_t n = to->value[0], pictures = (int64_t)w->path->file->graph.input.dim[0];
    int64_t known = 1, *open = NULL;
    if (n != 0 && n != -1 && n != ONNX_BATCH && (pictures == 0 || n != pictures)) return false;
    for (size_t i = 1; i < to->count; i++) {
        if (to->value[i] == 0) to->value[i] = dimension(&w->now, i);
        if (to->value[i] == -1) {
            if (open || n == -1) return false;
            open = &to->value[i];
            continue;
        }
        if (to->value[i] < 1 || to->value[i] > all / known) return false;
        known *= to->value[i];
    }
    if (open) *open = all / known, known *= *open;
    return known == all;
}

static int get_shape(struct onnx_writer *w, const struct onnx_node *node, struct onnx_list *to,
                     struct caelum_error *err) {
    const struct onnx_attribute *zeros = onnx_attribute(node, "allowzero");
    if (node->inputs != 2 || (zeros && zeros->i != 0))
        return onnx_refuse(w->path, node, err, "allowzero, or no shape");
    CHECK(onnx_list_of(&w->lists, node, node->input[1], to, err));
    if (to->dims != 1 || to->count < 2 || !fill_in(w, to))
        return onnx_refuse(w->path, node, err,
                           "a shape that does not keep the number of pictures, or of values (%zu)",
                           shape_values(w->now.shape));
    return CAELUM_OK;
}

static struct shape shape_of(const struct onnx_list *to) {
    return (struct shape){(size_t)to->value[1], (size_t)to->value[2], (size_t)to->value[3]};
}

int onnx_reshape(struct onnx_writer *w, struct caelum_error *err) {
    struct onnx_list to = {0};
    CHECK(get_shape(w, w->step->node, &to, err));
    if (to.count == 4) return unflatten(w, shape_of(&to), err);
    if (to.count != 2) return REFUSE(w, err, "to %zu dimensions; expected 4 or 2", to.count);
    w->now.flat = true;
    return CAELUM_OK;
}

/* Whether a node adds, or removes, dimensions 2 and 3; axes are an input since opset 13. */
static int check_axes(struct onnx_writer *w, struct caelum_error *err) {
    struct onnx_list axes = {0};
    int64_t fixed[2];
    bool given;
    CHECK(onnx_get_list(w, 1, &given, &axes, err));
    if (!given) {
        CHECK(onnx_get_ints(w, "axes", 2, 0, fixed, err));
        axes.count = 2, axes.value[0] = fixed[0], axes.value[1] = fixed[1];
    }
    for (size_t i = 0; i < 2; i++)
        if (axes.value[i] < 0) axes.value[i] += 4;
    const int64_t a = axes.value[0], b = axes.value[1];
    return axes.count == 2 && ((a == 2 && b == 3) || (a == 3 && b == 2))
               ? CAELUM_OK
               : REFUSE(w, err, "axes other than 2 and 3");
}

int onnx_unsqueeze(struct onnx_writer *w, struct caelum_error *err) {
    CHECK(check_axes(w, err));
    if (!w->now.flat) return REFUSE(w, err, "to six dimensions");
    return unflatten(w, (struct shape){shape_values(w->now.shape), 1, 1}, err);
}

int onnx_squeeze(struct onnx_writer *w, struct caelum_error *err) {
    CHECK(check_axes(w, err));
    if (w->now.flat || w->now.shape.h != 1 || w->now.shape.w != 1)
        return REFUSE(w, err, "of more than one pixel");
    w->now.flat = true;
    return CAELUM_OK;
}

/* One axis of a Slice: what it cuts before and after. */
static int cut(struct onnx_writer *w, int64_t axis, int64_t start, int64_t end, int64_t *before,
               int64_t *after, struct caelum_error *err) {
    if (axis < 0) axis += 4;
    if (axis < 1 || axis > 3) return REFUSE(w, err, "along axis %lld; expected 2 or 3", (long long)axis);
    const int64_t n = dimension(&w->now, (size_t)axis);
    if (start < 0) start = start < -n ? 0 : start + n;
    if (end < 0) end = end < -n ? 0 : end + n;
    if (end > n) end = n;
    if (start >= end) return REFUSE(w, err, "nothing is left");
    if (axis == 1) return start == 0 && end == n ? CAELUM_OK : REFUSE(w, err, "cuts channels");
    before[axis - 2] = -start, after[axis - 2] = end - n;
    return CAELUM_OK;
}

int onnx_slice(struct onnx_writer *w, struct caelum_error *err) {
    struct onnx_list start = {0}, end = {0}, axes = {0}, steps = {0};
    int64_t before[2] = {0}, after[2] = {0};
    bool given;
    CHECK(onnx_get_list(w, 1, &given, &start, err));
    CHECK(onnx_get_list(w, 2, &given, &end, err));
    CHECK(onnx_get_list(w, 3, &given, &axes, err));
    CHECK(onnx_get_list(w, 4, &given, &steps, err));
    if (w->now.flat || start.count == 0 || start.count > 4 || end.count != start.count ||
        axes.count != start.count || (given && steps.count != start.count))
        return REFUSE(w, err, "expected a start, an end and an axis for rows, columns or both");
    for (size_t i = 0; i < start.count; i++) {
        if (given && steps.value[i] != 1) return REFUSE(w, err, "steps other than 1");
        for (size_t j = 0; j < i; j++)
            if (axes.value[i] == axes.value[j]) return REFUSE(w, err, "an axis twice");
        CHECK(cut(w, axes.value[i], start.value[i], end.value[i], before, after, err));
    }
    return onnx_place(w, before, after, err);
}

int onnx_pad(struct onnx_writer *w, struct caelum_error *err) {
    const struct onnx_tensor *value;
    struct onnx_list pads = {0};
    const char *mode;
    bool given;
    CHECK(onnx_get_word(w, "mode", "constant", &mode, err));
    CHECK(onnx_get_list(w, 1, &given, &pads, err));
    CHECK(onnx_get_reals(w, 2, &value, err));
    if (strcmp(mode, "constant") != 0 || (value && (value->values != 1 || *(const float *)value->data != 0)))
        return REFUSE(w, err, "mode %.20s; a network's text pads with zeros", mode);
    const int64_t *p = pads.value;
    bool all = false;
    for (size_t i = 0; i < pads.count; i++) all |= p[i] != 0;
    if (!all) return CAELUM_OK;
    if (w->now.flat || pads.count != 8 || p[0] || p[1] || p[4] || p[5])
        return REFUSE(w, err, "expected zeros around rows and columns only");
    return onnx_place(w, p + 2, p + 6, err);
}

static int say_shuffle(struct onnx_writer *w, const char *word, int64_t n, struct caelum_error *err) {
    if (w->now.flat || n < 1 || n > 64)
        return REFUSE(w, err, "squares of %lld; expected 1 to 64, of pictures", (long long)n);
    return n == 2 ? onnx_say(w, err, "%s", word) : onnx_say(w, err, "%s %lld", word, (long long)n);
}

int onnx_depth_to_space(struct onnx_writer *w, struct caelum_error *err) {
    int64_t n;
    const char *mode;
    CHECK(onnx_get_int(w, "blocksize", 0, &n, err));
    CHECK(onnx_get_word(w, "mode", "DCR", &mode, err));
    if (strcmp(mode, "CRD") != 0)
        return REFUSE(w, err, "mode %.20s; a network's text has PyTorch's order of channels, CRD", mode);
    return say_shuffle(w, "depth_to_space", n, err);
}

/* [N, C, h, n, w, n] to [N, C, n, n, h, w], or [N, C, n, n, h, w] to [N, C, h, n, w, n], then four
 * dimensions again. */
int onnx_shuffle(struct onnx_writer *w, struct caelum_error *err) {
    static const int64_t orders[2][6] = {{0, 1, 3, 5, 2, 4}, {0, 1, 4, 2, 5, 3}};
    const struct onnx_node *last = w->step->node;
    const struct onnx_node *turn = onnx_maker(w->path->file, last->input[0], "Transpose");
    const struct onnx_node *first = onnx_maker(w->path->file, turn->input[0], "Reshape");
    const struct onnx_attribute *perm = onnx_attribute(turn, "perm");
    struct onnx_list cut = {0}, to = {0};
    const struct shape now = w->now.shape;
    CHECK(get_shape(w, first, &cut, err));
    CHECK(get_shape(w, last, &to, err));
    for (size_t way = 0; way < 2; way++) {
        if (!perm || perm->kind != ONNX_INTS || perm->count != 6 || cut.count != 6 || to.count != 4 ||
            w->now.flat || memcmp(perm->ints, orders[way], sizeof orders[way]) != 0)
            continue;
        const int64_t *v = cut.value;
        const int64_t n = v[3], deep = way == 0 ? v[1] : v[1] * n * n, h = way == 0 ? v[2] * n : v[4],
                      wide = way == 0 ? v[4] * n : v[5];
        const bool fits = (way == 0 ? v[5] : v[2]) == n && deep == (int64_t)now.c && h == (int64_t)now.h &&
                          wide == (int64_t)now.w;
        const struct shape out = way == 0
                                     ? (struct shape){now.c * (size_t)(n * n), (size_t)v[2], (size_t)v[4]}
                                     : (struct shape){(size_t)v[1], now.h * (size_t)n, now.w * (size_t)n};
        const struct shape said = shape_of(&to);
        if (fits && said.c == out.c && said.h == out.h && said.w == out.w)
            return say_shuffle(w, way == 0 ? "space_to_depth" : "depth_to_space", n, err);
    }
    return onnx_refuse(w->path, turn, err,
                       "values in another order; a network's text has PyTorch's pixel_shuffle and "
                       "pixel_unshuffle alone");
}

int onnx_unshuffle(struct onnx_writer *w, struct caelum_error *err) {
    const struct onnx_node *gather = w->step->node;
    const struct onnx_node *squares = onnx_maker(w->path->file, gather->input[0], "SpaceToDepth");
    const struct onnx_attribute *size = onnx_attribute(squares, "blocksize");
    const struct onnx_tensor *order =
        gather->inputs == 2 ? onnx_constant(w->path->file, gather->input[1]) : NULL;
    int64_t axis;
    CHECK(onnx_get_int(w, "axis", 0, &axis, err));
    const size_t c = w->now.shape.c,
                 n = size && size->kind == ONNX_INT && size->i >= 1 && size->i <= 64 ? (size_t)size->i : 0;
    bool ours = n > 0 && axis == 1 && order && order->type == ONNX_INT64 && order->dims == 1 &&
                order->values == c * n * n;
    for (size_t i = 0; ours && i < order->values; i++)
        ours = ((const int64_t *)order->data)[i] == (int64_t)(i % (n * n) * c + i / (n * n));
    if (!ours)
        return REFUSE(w, err, "an order of channels that is not PyTorch's pixel_unshuffle of SpaceToDepth");
    return say_shuffle(w, "space_to_depth", (int64_t)n, err);
}
