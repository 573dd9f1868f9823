/* onnx_constants.c - operators of constants for each channel: a number to add or to multiply by, the ends of
 * a Clip, and normalization. InstanceNormalization is groupnorm with a group for each channel; with fewer
 * groups, the channels of each are laid out as one for it, as PyTorch's GroupNorm is exported. */
#include "exchange/onnx_import.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Room for two numbers a channel; NULL if out of memory. */
static float *make_room(struct onnx_writer *w) {
    return onnx_memory(&w->file->graph, 2 * onnx_channels(w) * sizeof(float));
}

/* Whether the constant, spread over what flows, is one number for each channel, and leaves that as large as
 * it is. */
static bool is_of_channels(const struct onnx_writer *w, const struct onnx_tensor *t) {
    const size_t behind = w->now.flat || w->now.last ? 0 : 2, most = w->now.flat ? 2 : 4;
    for (size_t i = 0; i < t->dims; i++)
        if (t->dim[t->dims - 1 - i] != (i == behind && t->values > 1 ? onnx_channels(w) : 1)) return false;
    return t->dims <= most && (t->values == 1 || t->values == onnx_channels(w));
}

int onnx_with_constant(struct onnx_writer *w) {
    const char *op = w->step->node->op;
    const bool second = w->step->constant == w->step->node->input[1];
    const struct onnx_tensor *t = onnx_reals_of(w, second ? 1 : 0);
    if (!t) return w->file->graph.result;
    if (!is_of_channels(w, t))
        return REFUSE(
            w, "by or of '%.60s', a constant that is neither one number nor one for each of %zu channels",
            w->step->constant, onnx_channels(w));
    if (*op == 'D' && !second) return REFUSE(w, "of a constant by what is computed");
    float *scale = make_room(w), *offset = scale + (t->values == 1 ? 1 : onnx_channels(w));
    for (size_t i = 0; scale && i < t->values; i++) {
        const float number = ((const float *)t->data)[i];
        scale[i] = *op == 'M' ? number : *op == 'D' ? 1 / number : *op == 'S' && !second ? -1 : 1;
        offset[i] = *op == 'A' || (*op == 'S' && !second) ? number : *op == 'S' ? -number : 0;
    }
    if (!scale) return w->file->graph.result;
    return t->values == 1 ? onnx_scale_all(w, *scale, *offset) : onnx_scale(w, scale, offset);
}

/* --- Ends ----------------------------------------------------------------------------------------- */

/* One end of a Clip, an attribute until opset 11. */
static float end_of(struct onnx_writer *w, size_t input, const char *name, float standard) {
    const struct onnx_tensor *t = onnx_reals_of(w, input);
    if (t && t->values != 1) REFUSE(w, "to %zu numbers, one expected", t->values);
    return t && t->values == 1 ? *(const float *)t->data : onnx_real_of(w, name, standard);
}

/* What is relu6 once `least` is 0, and `most` 6. */
static int clip(struct onnx_writer *w, float least, float most) {
    const bool low = least > -FLT_MAX, high = most < FLT_MAX;
    const float unit = low && high ? (most - least) / 6 : high ? -1 : 1, start = low ? least : most;
    if (!low && !high) return CAELUM_OK;
    if (!(least < most)) return REFUSE(w, "to %g and %g", (double)least, (double)most);
    CHECK(onnx_scale_all(w, 1 / unit, -start / unit));
    CHECK(onnx_activate(w, low && high ? "relu6" : "relu"));
    const bool positive = low && least >= 0;
    CHECK(onnx_scale_all(w, unit, start));
    w->now.positive = positive;
    return CAELUM_OK;
}

int onnx_clip(struct onnx_writer *w) {
    const float least = end_of(w, 1, "min", -FLT_MAX), most = end_of(w, 2, "max", FLT_MAX);
    return clip(w, least, most);
}

int onnx_hard_sigmoid(struct onnx_writer *w) {
    const float alpha = onnx_real_of(w, "alpha", 0.2f), beta = onnx_real_of(w, "beta", 0.5f);
    CHECK(onnx_scale_all(w, alpha, beta));
    return clip(w, 0, 1);
}

/* --- Normalization -------------------------------------------------------------------------------- */

/* The i-th input: a number for each channel. */
static const float *each_of(struct onnx_writer *w, size_t i) {
    const struct onnx_tensor *t = onnx_reals_of(w, i);
    const size_t n = onnx_channels(w);
    if (t && t->values == n) return t->data;
    REFUSE(w, "expected a number for each of %zu channels in its input %zu", n, i);
    return NULL;
}

int onnx_batch_norm(struct onnx_writer *w) {
    const float *gamma = each_of(w, 1), *beta = each_of(w, 2), *mean = each_of(w, 3),
                *variance = each_of(w, 4);
    const double epsilon = (double)onnx_real_of(w, "epsilon", 1e-5f);
    const size_t n = onnx_channels(w);
    if (onnx_int_of(w, "training_mode", 0) != 0)
        return REFUSE(w, "in training mode; export the model in evaluation mode: model.eval()");
    if (w->now.last && !w->now.flat) return REFUSE(w, "of pictures with channels last");
    if (w->file->graph.result != 0) return w->file->graph.result;
    float *scale = make_room(w);
    for (size_t i = 0; scale && i < n; i++) {
        const double by = (double)gamma[i] / sqrt((double)variance[i] + epsilon);
        scale[i] = (float)by, scale[n + i] = (float)((double)beta[i] - (double)mean[i] * by);
    }
    return scale ? onnx_scale(w, scale, scale + n) : w->file->graph.result;
}

/* groupnorm has an epsilon of 0.00001; for another what goes in is made larger or smaller. */
static int say_groups(struct onnx_writer *w, size_t groups, float epsilon, const float *scale,
                      const float *bias) {
    const size_t c = w->now.shape.c;
    if (w->now.flat || w->now.last || groups < 1 || c % groups != 0)
        return REFUSE(w, "%zu groups; expected pictures, and groups of %zu channels", groups, c);
    if (!(epsilon > 0)) return REFUSE(w, "epsilon %g", (double)epsilon);
    if (fabsf(epsilon - 1e-5f) >= 1e-8f) CHECK(onnx_scale_all(w, sqrtf(1e-5f / epsilon), 0));
    CHECK(onnx_say(w, "groupnorm %zu", groups));
    float *weight = onnx_weigh(w, "weight", scale, c, 1);
    for (size_t i = 0; weight && !scale && i < c; i++) weight[i] = 1;
    onnx_weigh(w, "bias", bias, c, 1);
    w->affine = true;
    return w->file->graph.result;
}

int onnx_instance_norm(struct onnx_writer *w) {
    const float *scale = each_of(w, 1), *bias = each_of(w, 2);
    return say_groups(w, w->now.shape.c, onnx_real_of(w, "epsilon", 1e-5f), scale, bias);
}

int onnx_group_norm(struct onnx_writer *w) {
    const float *scale = each_of(w, 1), *bias = each_of(w, 2);
    return say_groups(w, (size_t)onnx_int_of(w, "num_groups", 0), onnx_real_of(w, "epsilon", 1e-5f), scale,
                      bias);
}

/* Whether that number is given for each of `count`. */
static bool is_each(const struct onnx_tensor *t, size_t count, float number) {
    bool is = t && t->type == ONNX_FLOAT && t->values == count;
    for (size_t i = 0; is && i < count; i++) is = ((const float *)t->data)[i] == number;
    return is;
}

/* Groups of channels, each laid out as one, normalized, and laid out as they were. */
int onnx_regroup(struct onnx_writer *w) {
    const struct onnx_file *file = w->file;
    const struct onnx_node *back = w->step->node,
                           *normal = onnx_maker(file, back->input[0], "InstanceNormalization"),
                           *groups = onnx_maker(file, normal->input[0], "Reshape");
    const struct onnx_attribute *epsilon = onnx_attribute(normal, "epsilon");
    const struct onnx_list in = onnx_list_of(w, groups, 1, ""), out = onnx_list_of(w, back, 1, "");
    const int64_t n = in.count == 3 ? in.value[1] : 0, c = out.count == 4 ? out.value[1] : -1;
    if (n < 1 || (c != (int64_t)w->now.shape.c && c != 0) ||
        !is_each(onnx_constant(file, normal->input[1]), (size_t)n, 1) ||
        !is_each(onnx_constant(file, normal->input[2]), (size_t)n, 0))
        return REFUSE(w, "expected groups of %zu channels, and no scale or bias of their own",
                      w->now.shape.c);
    return say_groups(w, (size_t)n, epsilon && epsilon->kind == ONNX_REAL ? epsilon->f : 1e-5f, NULL, NULL);
}
