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
        float *turned = onnx_memory(&w->file->graph, t->values * sizeof *turned);
        if (!turned) return w->file->graph.result;
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
    return w->file->graph.result;
}

/* It now is rows, [N, values]. */
static int flatten(struct onnx_writer *w) {
    w->now.flat = true, w->now.last = onnx_is_turned(&w->now);
    return w->file->graph.result;
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
    const int64_t n = to->value[0], pictures = (int64_t)w->file->graph.input.dim[0];
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
    *to = onnx_list_of(w, node, 1, "");
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

bool onnx_is_over_pixels(struct onnx_writer *w) {
    const struct onnx_list axes = onnx_list_of(w, w->step->node, 1, "axes");
    const int64_t a = axes.value[0] + (axes.value[0] < 0 ? 4 : 0),
                  b = axes.value[1] + (axes.value[1] < 0 ? 4 : 0), first = w->now.last ? 1 : 2;
    return axes.count == 2 && ((a == first && b == first + 1) || (a == first + 1 && b == first));
}

int onnx_unsqueeze(struct onnx_writer *w) {
    if (!onnx_is_over_pixels(w)) return REFUSE(w, "axes other than 2 and 3");
    if (!w->now.flat) return REFUSE(w, "to six dimensions");
    return unflatten(w, (struct shape){shape_values(w->now.shape), 1, 1}, false);
}

int onnx_squeeze(struct onnx_writer *w) {
    if (!onnx_is_over_pixels(w)) return REFUSE(w, "axes other than 2 and 3");
    if (w->now.flat || w->now.shape.h != 1 || w->now.shape.w != 1) return REFUSE(w, "of more than one pixel");
    return flatten(w);
}

/* Whether a Transpose is to this order of dimensions. */
static bool is_to(const struct onnx_node *transpose, size_t dims, const int64_t *order) {
    const struct onnx_attribute *perm = onnx_attribute(transpose, "perm");
    return perm && perm->kind == ONNX_INTS && perm->count == dims &&
           memcmp(perm->ints, order, dims * sizeof *order) == 0;
}

bool onnx_is_to_first(const struct onnx_node *transpose) {
    return is_to(transpose, 4, (int64_t[]){0, 3, 1, 2});
}

int onnx_transpose(struct onnx_writer *w) {
    const bool to_first = onnx_is_to_first(w->step->node),
               to_last = is_to(w->step->node, 4, (int64_t[]){0, 2, 3, 1});
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
    return w->file->graph.result;
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

int onnx_slice(struct onnx_writer *w) {
    const struct onnx_node *node = w->step->node;
    const struct onnx_list start = onnx_list_of(w, node, 1, "starts"), end = onnx_list_of(w, node, 2, "ends"),
                           axes = onnx_list_of(w, node, 3, "axes"), steps = onnx_list_of(w, node, 4, "");
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
    const struct onnx_list pads = onnx_list_of(w, w->step->node, 1, "pads");
    const struct onnx_tensor *value = onnx_reals_of(w, 2);
    const char *mode = onnx_word_of(w, "mode", "constant");
    if (strcmp(mode, "constant") != 0 || onnx_real_of(w, "value", 0) != 0 ||
        (value && (value->values != 1 || *(const float *)value->data != 0)))
        return REFUSE(w, "mode %.20s; a network's text pads with zeros", mode);
    const size_t y = w->now.last ? 1 : 2, c = w->now.last ? 3 : 1;
    const int64_t *p = pads.value;
    bool all = false;
    for (size_t i = 0; i < pads.count; i++) all |= p[i] != 0;
    if (!all) return w->file->graph.result;
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
    const struct onnx_node *last = w->step->node;
    const struct onnx_node *turn = onnx_maker(w->file, last->input[0], "Transpose");
    const struct onnx_node *first = onnx_maker(w->file, turn->input[0], "Reshape");
    struct onnx_list cut = {0}, to = {0};
    CHECK(get_shape(w, first, &cut));
    CHECK(get_shape(w, last, &to));
    const int64_t c = (int64_t)w->now.shape.c, h = (int64_t)w->now.shape.h, wide = (int64_t)w->now.shape.w;
    const int64_t *v = cut.value, *out = to.value, n = v[3];
    const bool six = cut.count == 6 && to.count == 4 && !w->now.flat;
    /* get_shape has seen that the numbers of values are the same: the last side follows from the others */
    if (six && is_to(turn, 6, (int64_t[]){0, 1, 3, 5, 2, 4}) && v[5] == n && v[1] == c && v[2] * n == h &&
        out[1] == c * n * n && out[2] == v[2])
        return say_shuffle(w, "space_to_depth", n);
    if (six && is_to(turn, 6, (int64_t[]){0, 1, 4, 2, 5, 3}) && v[2] == n && v[4] == h && v[5] == wide &&
        out[1] == v[1] && out[2] == h * n)
        return say_shuffle(w, "depth_to_space", n);
    return onnx_refuse(w->path, turn,
                       "values in another order; a network's text has PyTorch's pixel_shuffle and "
                       "pixel_unshuffle alone");
}

int onnx_unshuffle(struct onnx_writer *w) {
    const struct onnx_node *gather = w->step->node;
    const struct onnx_node *squares = onnx_maker(w->file, gather->input[0], "SpaceToDepth");
    const struct onnx_attribute *size = onnx_attribute(squares, "blocksize");
    const struct onnx_tensor *order = onnx_constant(w->file, gather->input[1]);
    const size_t c = w->now.shape.c,
                 n = size && size->kind == ONNX_INT && size->i >= 1 && size->i <= 64 ? (size_t)size->i : 0;
    bool ours = n > 0 && onnx_int_of(w, "axis", 0) == 1 && order && order->type == ONNX_INT64 &&
                order->dims == 1 && order->values == c * n * n;
    for (size_t i = 0; ours && i < order->values; i++)
        ours = ((const int64_t *)order->data)[i] == (int64_t)(i % (n * n) * c + i / (n * n));
    if (!ours) return REFUSE(w, "an order of channels that is not PyTorch's pixel_unshuffle of SpaceToDepth");
    return say_shuffle(w, "space_to_depth", (int64_t)n);
}
