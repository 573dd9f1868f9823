/* onnx_constants.c - operators of constants for each channel: a constant operand, which is a layer's bias or
 * without effect, and normalization. InstanceNormalization is groupnorm with a group for each channel; with
 * fewer groups, the channels of each are laid out as one for it, as PyTorch's GroupNorm is exported. */
#include "exchange/onnx_lines.h"

#include <float.h>
#include <math.h>
#include <string.h>

static int get_constant(struct onnx_writer *w, const struct onnx_tensor **constant,
                        struct caelum_error *err) {
    const size_t i = strcmp(w->step->node->input[0], w->step->constant) == 0 ? 0 : 1;
    return onnx_get_reals(w, i, constant, err);
}

/* Whether the constant's shape [..., rows, columns], spread over what flows, leaves that as large as it is.
 */
static bool fits(const struct onnx_writer *w, const struct onnx_tensor *t) {
    const struct shape s = w->now.shape;
    const size_t picture[] = {s.w, s.h, s.c, 1}, row[] = {shape_values(s), 1};
    if (t->dims > (w->now.flat ? 2 : 4)) return false;
    for (size_t i = 0; i < t->dims; i++) {
        const size_t n = t->dim[t->dims - 1 - i];
        if (n != 1 && n != (w->now.flat ? row[i] : picture[i])) return false;
    }
    return true;
}

/* Whether it is one number, or one a channel, of what flows. */
static bool is_bias(const struct onnx_writer *w, const struct onnx_tensor *t) {
    if (t->values == 1) return true;
    const size_t behind = w->now.flat ? 0 : 2; /* dimensions behind the channel's */
    const size_t channels = w->now.flat ? shape_values(w->now.shape) : w->now.shape.c;
    return t->dims > behind && t->dim[t->dims - 1 - behind] == channels && t->values == channels;
}

static bool is_all(const struct onnx_tensor *t, float number) {
    const float *value = t->data;
    for (size_t i = 0; i < t->values; i++)
        if (value[i] != number) return false;
    return t->values > 0;
}

int onnx_add_constant(struct onnx_writer *w, struct caelum_error *err) {
    const struct onnx_tensor *t;
    CHECK(get_constant(w, &t, err));
    if (fits(w, t) && is_all(t, 0)) return CAELUM_OK;
    if (!w->affine || !fits(w, t) || !is_bias(w, t))
        return REFUSE(w, err,
                      "'%.60s' is a constant; a network's text adds one number a channel to a layer with "
                      "weights that stands right before, and else only what it made",
                      w->step->constant);
    return onnx_weigh_more(w, t, err);
}

/* The scale of channels that a normalization was exported without. */
static bool is_scale(const struct onnx_writer *w, const struct onnx_tensor *t) {
    const struct caelum_net *net = w->network->net;
    return w->affine && fits(w, t) && is_bias(w, t) && t->values == w->now.shape.c &&
           strncmp(net->layer[net->layers - 1].text, "groupnorm", 9) == 0;
}

int onnx_neutral(struct onnx_writer *w, struct caelum_error *err) {
    static const struct {
        const char *op, *words;
        float number;
    } rows[] = {{"Sub", "x - 0", 0}, {"Div", "x / 1", 1}, {"Mul", "a product with 1", 1}};
    const struct onnx_tensor *t;
    size_t i = 0;
    CHECK(get_constant(w, &t, err));
    while (strcmp(rows[i].op, w->step->node->op) != 0) i++;
    const bool is_product = i == 2;
    if (is_product && is_scale(w, t)) return onnx_weigh(w, "weight", t, false, err);
    const bool second = w->step->constant == w->step->node->input[1];
    if ((is_product || second) && fits(w, t) && is_all(t, rows[i].number)) return CAELUM_OK;
    return REFUSE(w, err, "by or of a constant; expected %s: a network's text has no layer for others",
                  rows[i].words);
}

/* One end of a Clip, as it was where it is left out. */
static int get_end(struct onnx_writer *w, size_t i, float *end, struct caelum_error *err) {
    const struct onnx_tensor *t;
    CHECK(onnx_get_reals(w, i, &t, err));
    if (t && t->values != 1) return REFUSE(w, err, "to %zu numbers, one expected", t->values);
    if (t) *end = *(const float *)t->data;
    return CAELUM_OK;
}

int onnx_clip(struct onnx_writer *w, struct caelum_error *err) {
    float least = -FLT_MAX, most = FLT_MAX;
    CHECK(get_end(w, 1, &least, err));
    CHECK(get_end(w, 2, &most, err));
    if (most >= FLT_MAX && least <= -FLT_MAX) return CAELUM_OK;
    if (most >= FLT_MAX && least == 0) return onnx_activate(w, "relu", err);
    return REFUSE(w, err, "to %g and %g; a network's text cuts at 0 from below alone, as relu", (double)least,
                  (double)most);
}

/* --- Normalization -------------------------------------------------------------------------------- */

/* Whether that number is given for each of `count`. */
static bool is_each(const struct onnx_tensor *t, size_t count, float number) {
    return t && t->type == ONNX_FLOAT && t->values == count && is_all(t, number);
}

static int check_epsilon(const struct onnx_writer *w, const struct onnx_node *node,
                         struct caelum_error *err) {
    const struct onnx_attribute *epsilon = onnx_attribute(node, "epsilon");
    if (!epsilon || (epsilon->kind == ONNX_REAL && fabsf(epsilon->f - 1e-5f) < 1e-8f)) return CAELUM_OK;
    return REFUSE(w, err, "epsilon other than 0.00001");
}

int onnx_normalize(struct onnx_writer *w, struct caelum_error *err) {
    const struct onnx_tensor *weight, *bias;
    const size_t channels = w->now.shape.c;
    CHECK(onnx_get_reals(w, 1, &weight, err));
    CHECK(onnx_get_reals(w, 2, &bias, err));
    CHECK(check_epsilon(w, w->step->node, err));
    if (w->now.flat || !weight || !bias || weight->values != channels || bias->values != channels)
        return REFUSE(w, err, "expected a scale and a bias for each of %zu channels", channels);
    CHECK(onnx_say(w, err, "groupnorm %zu", channels));
    CHECK(onnx_weigh(w, "weight", weight, false, err));
    return onnx_weigh(w, "bias", bias, false, err);
}

/* The second number of what a Reshape is told, of `count`; 0 if it is told otherwise. */
static int second_of(struct onnx_writer *w, const struct onnx_node *reshape, size_t count, int64_t *second,
                     struct caelum_error *err) {
    struct onnx_list to = {0};
    if (reshape->inputs != 2) return REFUSE(w, err, "a Reshape of %zu inputs", reshape->inputs);
    CHECK(onnx_list_of(&w->lists, reshape, reshape->input[1], &to, err));
    *second = to.count == count ? to.value[1] : 0;
    return CAELUM_OK;
}

int onnx_normalize_groups(struct onnx_writer *w, struct caelum_error *err) {
    const struct onnx_file *file = w->path->file;
    const struct onnx_node *back = w->step->node,
                           *normal = onnx_maker(file, back->input[0], "InstanceNormalization");
    const struct onnx_node *groups = onnx_maker(file, normal->input[0], "Reshape");
    const struct onnx_tensor *scale = normal->inputs == 3 ? onnx_constant(file, normal->input[1]) : NULL;
    const struct onnx_tensor *bias = normal->inputs == 3 ? onnx_constant(file, normal->input[2]) : NULL;
    const size_t channels = w->now.shape.c;
    int64_t n = 0, c = 0;
    CHECK(second_of(w, groups, 3, &n, err));
    CHECK(second_of(w, back, 4, &c, err));
    CHECK(check_epsilon(w, normal, err));
    if (w->now.flat || n < 1 || channels % (size_t)n != 0 || (c != (int64_t)channels && c != 0) ||
        !is_each(scale, (size_t)n, 1) || !is_each(bias, (size_t)n, 0))
        return REFUSE(w, err, "expected groups of %zu channels, and no scale or bias of their own", channels);
    CHECK(onnx_say(w, err, "groupnorm %lld", (long long)n));
    w->affine = true;
    CHECK(onnx_weigh_number(w, "weight", 1, err));
    return onnx_weigh_number(w, "bias", 0, err);
}
