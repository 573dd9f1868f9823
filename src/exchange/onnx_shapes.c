/* onnx_shapes.c - operators that move values without changing them as lines of text.
 *
 * A graph flattens pictures to rows of numbers [N, values] where a text does not: `dense` takes pictures as
 * they are. So Flatten writes no line; `reshape` comes where another shape is really needed. Keras's graphs
 * have channels last, in pictures and so in rows: it is only kept in mind, until a row goes into `dense`,
 * whose weights are then put in order. */
#include "exchange/onnx_import.h"

#include <string.h>

/* Puts the numbers that `dense` makes in the order of pictures with channels last. */
static int turn_outputs(struct onnx_writer *w, const struct onnx_known *to) {
    const struct net_layer *last = w->net->layers ? &w->net->layer[w->net->layers - 1] : NULL;
    const size_t n = shape_values(to->shape);
    if (!last || strcmp(last->ops->name, "dense") != 0)
        return REFUSE(w, "to channels last of a row that no dense layer has made right before");
    for (struct onnx_weight *t = &w->weight[w->weights - 2]; t < w->weight + w->weights; t++) {
        float *turned = onnx_memory(&w->path->file->graph, t->values * sizeof *turned);
        if (!turned) return w->path->result = w->path->file->graph.result;
        for (size_t i = 0; i < n; i++)
            memcpy(turned + i * t->inner, t->data + onnx_place_in_row(to, i) * t->inner,
                   t->inner * sizeof *turned);
        t->data = turned;
    }
    return CAELUM_OK;
}

/* The graph's value now is pictures of that shape, [N, c, h, w] or [N, h, w, c]. */
static int unflatten(struct onnx_writer *w, struct shape to, bool last) {
    const struct onnx_known now = w->now;
    const struct onnx_known next = {.shape = to, .last = last};
    const bool same = memcmp(&to, &now.shape, sizeof to) == 0;
    if (onnx_is_turned(&now) && !(same && last)) return REFUSE(w, "of channels last to another shape");
    if (onnx_is_turned(&next) && !onnx_is_turned(&now)) CHECK(turn_outputs(w, &next));
    if (!same) CHECK(onnx_say(w, "reshape %zu %zu %zu", to.c, to.h, to.w));
    w->now.flat = false, w->now.last = last;
    return w->path->result;
}

/* It now is rows, [N, values]. */
static int flatten(struct onnx_writer *w) {
    w->now.flat = true, w->now.last = onnx_is_turned(&w->now);
    return w->path->result;
}

int onnx_flatten(struct onnx_writer *w) {
    const int64_t axis = onnx_int_of(w, "axis", 1);
    if (axis != 1 && axis != (w->now.flat ? -1 : -3))
        return REFUSE(w, "axis %lld, 1 expected", (long long)axis);
    return flatten(w);
}

/* Fills in the 0 (as it was) and -1 (what is left) of a shape [N, ...]; false if it is invalid. */
static bool fill_in(struct onnx_writer *w, const struct onnx_node *node, struct onnx_list *to) {
    const struct onnx_list was = onnx_shape_of(w, node->input[0]);
    const int64_t all = (int64_t)shape_values(w->now.shape);
    const int64_t n = to->value[0], pictures = (int64_t)w->path->file->graph.input.dim[0];
    int64_t known = 1, *open = NULL;
    if (n != 0 && n != -1 && n != ONNX_BATCH && (pictures == 0 || n != pictures)) return false;
    for (size_t i = 1; i < to->count; i++) {
        if (to->value[i] == 0) to->value[i] = i < was.count ? was.value[i] : 0;
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

static int get_shape(struct onnx_writer *w, const struct onnx_node *node, struct onnx_list *to) {
    const struct onnx_attribute *zeros = onnx_attribute(node, "allowzero");
    if (node->inputs != 2 || (zeros && zeros->i != 0))
        return onnx_refuse(w->path, node, "allowzero, or no shape");
    *to = onnx_list_of(w, node, 1);
    if (to->dims != 1 || to->count < 2 || !fill_in(w, node, to))
        return onnx_refuse(w->path, node,
                           "a shape that does not keep the number of pictures, or of values (%zu)",
                           shape_values(w->now.shape));
    return CAELUM_OK;
}

static struct shape shape_of(const struct onnx_list *to) {
    return (struct shape){(size_t)to->value[1], (size_t)to->value[2], (size_t)to->value[3]};
}

/* Whether pictures that are made of rows have channels last: because they are read so, or come out where what
 * goes in has. */
static bool is_read_as_last(const struct onnx_writer *w, const char *value) {
    const struct onnx_path *path = w->path;
    if (w->step + 1 == path->step + path->count) return w->known[0].last && !w->known[0].flat;
    for (size_t i = 0; i < path->count; i++)
        if (strcmp(path->step[i].input[0], value) == 0 && strcmp(path->step[i].node->op, "Transpose") == 0)
            return onnx_is_to_first(path->step[i].node);
    return false;
}

int onnx_reshape(struct onnx_writer *w) {
    struct onnx_list to = {0};
    CHECK(get_shape(w, w->step->node, &to));
    if (to.count == 2) return flatten(w);
    if (to.count != 4) return REFUSE(w, "to %zu dimensions; expected 4 or 2", to.count);
    const struct shape first = shape_of(&to), last = {first.w, first.c, first.h};
    const bool is_last = onnx_is_turned(&w->now) || is_read_as_last(w, w->step->to);
    return unflatten(w, is_last ? last : first, is_last);
}

/* Whether a node adds, or removes, rows and columns of one; axes are an input since opset 13. */
static int check_axes(struct onnx_writer *w) {
    struct onnx_list axes = onnx_list_of(w, w->step->node, 1);
    int64_t fixed[2] = {0};
    if (!axes.given) {
        onnx_ints_of(w, "axes", 2, 0, fixed);
        axes.count = 2, axes.value[0] = fixed[0], axes.value[1] = fixed[1];
    }
    for (size_t i = 0; i < 2; i++)
        if (axes.value[i] < 0) axes.value[i] += 4;
    const int64_t a = axes.value[0], b = axes.value[1], first = w->now.last ? 1 : 2;
    return axes.count == 2 && ((a == first && b == first + 1) || (a == first + 1 && b == first))
               ? w->path->result
               : REFUSE(w, "axes other than 2 and 3");
}

int onnx_unsqueeze(struct onnx_writer *w) {
    CHECK(check_axes(w));
    if (!w->now.flat) return REFUSE(w, "to six dimensions");
    return unflatten(w, (struct shape){shape_values(w->now.shape), 1, 1}, false);
}

int onnx_squeeze(struct onnx_writer *w) {
    CHECK(check_axes(w));
    if (w->now.flat || w->now.shape.h != 1 || w->now.shape.w != 1) return REFUSE(w, "of more than one pixel");
    return flatten(w);
}

/* From channels last to first, and back. */
bool onnx_is_to_first(const struct onnx_node *transpose) {
    const struct onnx_attribute *perm = onnx_attribute(transpose, "perm");
    return perm && perm->kind == ONNX_INTS && perm->count == 4 &&
           memcmp(perm->ints, (int64_t[]){0, 3, 1, 2}, 4 * sizeof *perm->ints) == 0;
}

int onnx_transpose(struct onnx_writer *w) {
    const struct onnx_attribute *perm = onnx_attribute(w->step->node, "perm");
    const bool to_first = onnx_is_to_first(w->step->node);
    const bool to_last = perm && perm->kind == ONNX_INTS && perm->count == 4 &&
                         memcmp(perm->ints, (int64_t[]){0, 2, 3, 1}, 4 * sizeof *perm->ints) == 0;
    if (w->now.flat || !(to_first || to_last) || to_first != w->now.last)
        return REFUSE(
            w, "to another order of dimensions than from channels last, as Keras has them, to channels "
               "first, or back");
    w->now.last = to_last;
    return CAELUM_OK;
}

/* Some of the channels, by a convolution. */
static int take_channels(struct onnx_writer *w, size_t first, size_t count) {
    const size_t c = w->now.shape.c;
    CHECK(onnx_say(w, "conv %zu k=1", count));
    float *weight = onnx_weigh(w, "weight", NULL, count * c, c);
    for (size_t i = 0; weight && i < count; i++) weight[i * c + first + i] = 1;
    onnx_weigh(w, "bias", NULL, count, 1);
    w->linear = w->affine = true;
    return w->path->result;
}

/* One axis of a Slice: what it cuts before and after. */
static int cut(struct onnx_writer *w, int64_t axis, int64_t start, int64_t end, int64_t *before,
               int64_t *after) {
    const struct shape in = w->now.shape;
    if (axis < 0) axis += 4;
    if (w->now.last) axis = axis == 3 ? 1 : axis + 1;
    if (axis < 1 || axis > 3) return REFUSE(w, "along axis %lld; expected 2 or 3", (long long)axis);
    const int64_t n = (int64_t)(axis == 1 ? in.c : axis == 2 ? in.h : in.w);
    if (start < 0) start = start < -n ? 0 : start + n;
    if (end < 0) end = end < -n ? 0 : end + n;
    if (end > n) end = n;
    if (start >= end) return REFUSE(w, "nothing is left");
    if (axis == 1)
        return start == 0 && end == n ? CAELUM_OK : take_channels(w, (size_t)start, (size_t)(end - start));
    before[axis - 2] = -start, after[axis - 2] = end - n;
    return CAELUM_OK;
}

/* An input, or in old opsets an attribute. */
static struct onnx_list list_of(struct onnx_writer *w, size_t i, const char *name) {
    const struct onnx_attribute *a = onnx_attribute(w->step->node, name);
    struct onnx_list list = {.given = true, .dims = 1};
    if (w->step->node->inputs > 1 || !a || a->kind != ONNX_INTS || a->count > 8)
        return onnx_list_of(w, w->step->node, i);
    for (; list.count < a->count; list.count++) list.value[list.count] = a->ints[list.count];
    return list;
}

int onnx_slice(struct onnx_writer *w) {
    const struct onnx_list start = list_of(w, 1, "starts"), end = list_of(w, 2, "ends"),
                           axes = list_of(w, 3, "axes"), steps = onnx_list_of(w, w->step->node, 4);
    int64_t before[2] = {0}, after[2] = {0};
    if (w->now.flat || start.count == 0 || start.count > 4 || end.count != start.count ||
        axes.count != start.count || (steps.given && steps.count != start.count))
        return REFUSE(w, "expected a start, an end and an axis for rows, columns or both");
    for (size_t i = 0; i < start.count; i++) {
        if (steps.given && steps.value[i] != 1) return REFUSE(w, "steps other than 1");
        for (size_t j = 0; j < i; j++)
            if (axes.value[i] == axes.value[j]) return REFUSE(w, "an axis twice");
        CHECK(cut(w, axes.value[i], start.value[i], end.value[i], before, after));
    }
    return onnx_place(w, before, after);
}

int onnx_pad(struct onnx_writer *w) {
    const struct onnx_list pads = list_of(w, 1, "pads");
    const struct onnx_tensor *value = onnx_reals_of(w, 2);
    const char *mode = onnx_word_of(w, "mode", "constant");
    if (strcmp(mode, "constant") != 0 || onnx_real_of(w, "value", 0) != 0 ||
        (value && (value->values != 1 || *(const float *)value->data != 0)))
        return REFUSE(w, "mode %.20s; a network's text pads with zeros", mode);
    const size_t y = w->now.last ? 1 : 2, c = w->now.last ? 3 : 1;
    const int64_t *p = pads.value;
    bool all = false;
    for (size_t i = 0; i < pads.count; i++) all |= p[i] != 0;
    if (!all) return w->path->result;
    if (w->now.flat || pads.count != 8 || p[0] || p[c] || p[4] || p[4 + c])
        return REFUSE(w, "expected zeros around rows and columns only");
    return onnx_place(w, p + y, p + 4 + y);
}

static int say_shuffle(struct onnx_writer *w, const char *word, int64_t n) {
    if (w->now.flat || w->now.last || n < 1 || n > 64)
        return REFUSE(w, "squares of %lld; expected 1 to 64, of pictures", (long long)n);
    return n == 2 ? onnx_say(w, "%s", word) : onnx_say(w, "%s %lld", word, (long long)n);
}

int onnx_depth_to_space(struct onnx_writer *w) {
    const int64_t n = onnx_int_of(w, "blocksize", 0);
    const char *mode = onnx_word_of(w, "mode", "DCR");
    if (strcmp(mode, "CRD") != 0)
        return REFUSE(w, "mode %.20s; a network's text has PyTorch's order of channels, CRD", mode);
    return say_shuffle(w, "depth_to_space", n);
}

/* [N, C, h, n, w, n] to [N, C, n, n, h, w], or [N, C, n, n, h, w] to [N, C, h, n, w, n], then four
 * dimensions again. */
int onnx_shuffle(struct onnx_writer *w) {
    static const int64_t orders[2][6] = {{0, 1, 3, 5, 2, 4}, {0, 1, 4, 2, 5, 3}};
    const struct onnx_node *last = w->step->node;
    const struct onnx_node *turn = onnx_maker(w->path->file, last->input[0], "Transpose");
    const struct onnx_node *first = onnx_maker(w->path->file, turn->input[0], "Reshape");
    const struct onnx_attribute *perm = onnx_attribute(turn, "perm");
    struct onnx_list cut = {0}, to = {0};
    const struct shape now = w->now.shape;
    CHECK(get_shape(w, first, &cut));
    CHECK(get_shape(w, last, &to));
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
            return say_shuffle(w, way == 0 ? "space_to_depth" : "depth_to_space", n);
    }
    return onnx_refuse(w->path, turn,
                       "values in another order; a network's text has PyTorch's pixel_shuffle and "
                       "pixel_unshuffle alone");
}

int onnx_unshuffle(struct onnx_writer *w) {
    const struct onnx_node *gather = w->step->node;
    const struct onnx_node *squares = onnx_maker(w->path->file, gather->input[0], "SpaceToDepth");
    const struct onnx_attribute *size = onnx_attribute(squares, "blocksize");
    const struct onnx_tensor *order = onnx_constant(w->path->file, gather->input[1]);
    const size_t c = w->now.shape.c,
                 n = size && size->kind == ONNX_INT && size->i >= 1 && size->i <= 64 ? (size_t)size->i : 0;
    bool ours = n > 0 && onnx_int_of(w, "axis", 0) == 1 && order && order->type == ONNX_INT64 &&
                order->dims == 1 && order->values == c * n * n;
    for (size_t i = 0; ours && i < order->values; i++)
        ours = ((const int64_t *)order->data)[i] == (int64_t)(i % (n * n) * c + i / (n * n));
    if (!ours) return REFUSE(w, "an order of channels that is not PyTorch's pixel_unshuffle of SpaceToDepth");
    return say_shuffle(w, "space_to_depth", (int64_t)n);
}
