/* onnx_norm.c - groupnorm: InstanceNormalization is it with a group for each channel; with fewer groups, the
 * channels of each are laid out as one for it, as PyTorch's GroupNorm is exported. */
#include "exchange/onnx_lines.h"

#include <math.h>
#include <string.h>

static bool is_all(const struct onnx_tensor *t, size_t values, float number) {
    if (!t || t->type != ONNX_FLOAT || t->values != values) return false;
    for (size_t i = 0; i < values; i++)
        if (((const float *)t->data)[i] != number) return false;
    return true;
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
        !is_all(scale, (size_t)n, 1) || !is_all(bias, (size_t)n, 0))
        return REFUSE(w, err, "expected groups of %zu channels, and no scale or bias of their own", channels);
    CHECK(onnx_say(w, err, "groupnorm %lld", (long long)n));
    w->affine = true;
    CHECK(onnx_weigh_number(w, "weight", 1, err));
    return onnx_weigh_number(w, "bias", 0, err);
}
