/* onnx_rules.c - what can be a step, a row each: operators by themselves, and several that are one layer. */
#include "base/ascii.h"
#include "base/number.h"
#include "exchange/onnx_import.h"
#include "kernels/kernels.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* --- Activations ---------------------------------------------------------------------------------- */

/* The word of a form, else the operator's name in small letters. */
static int activation(struct onnx_writer *w) {
    char word[16];
    size_t n = 0;
    if (strchr(w->step->rule->form, '(')) return onnx_activate(w, w->step->rule->words);
    for (const char *op = w->step->node->op; *op && n + 1 < sizeof word; op++)
        word[n++] = ascii_to_lower(*op);
    word[n] = '\0';
    return onnx_activate(w, word);
}

/* x times x / 6 + 1/2, held within 0 and 1. */
static int hard_swish(struct onnx_writer *w) {
    const struct onnx_node *node = w->step->node;
    const struct onnx_node *hard = onnx_maker(w->file, node->input[0], "HardSigmoid");
    if (!hard) hard = onnx_maker(w->file, node->input[1], "HardSigmoid");
    const struct onnx_attribute *alpha = onnx_attribute(hard, "alpha"), *beta = onnx_attribute(hard, "beta");
    if (!alpha || alpha->kind != ONNX_REAL || fabsf(alpha->f - 1.0f / 6) >= 1e-6f ||
        (beta && (beta->kind != ONNX_REAL || beta->f != 0.5f)))
        return REFUSE(w, "x times HardSigmoid(x) with an alpha other than 1/6 or a beta other than 0.5");
    return onnx_activate(w, "hardswish");
}

int onnx_slope(struct onnx_writer *w, float slope) {
    const size_t c = w->now.shape.c;
    CHECK(onnx_say(w, "prelu"));
    float *weight = onnx_weigh(w, "weight", NULL, c, 1);
    for (size_t i = 0; weight && i < c; i++) weight[i] = slope;
    return w->file->graph.result;
}

static int leaky(struct onnx_writer *w) {
    const float alpha = onnx_real_of(w, "alpha", 0.01f);
    return fabsf(alpha - LEAKY_SLOPE) < 1e-7f ? onnx_activate(w, "leaky") : onnx_slope(w, alpha);
}

static int elu(struct onnx_writer *w) {
    const float alpha = onnx_real_of(w, "alpha", 1);
    CHECK(onnx_activate(w, "elu"));
    return alpha == 1 ? CAELUM_OK : onnx_slope(w, alpha); /* what is below 0 is so before and after */
}

static int selu(struct onnx_writer *w) {
    if (fabsf(onnx_real_of(w, "alpha", 1.6732632f) - 1.6732632f) > 1e-6f ||
        fabsf(onnx_real_of(w, "gamma", 1.050701f) - 1.050701f) > 1e-6f)
        return REFUSE(w, "alpha or gamma other than those of its paper");
    return onnx_activate(w, "selu");
}

static int gelu(struct onnx_writer *w) {
    const bool is_tanh = strcmp(onnx_word_of(w, "approximate", "none"), "tanh") == 0;
    return onnx_activate(w, is_tanh ? "gelu" : "gelu_erf");
}

static int prelu(struct onnx_writer *w) {
    const struct onnx_tensor *slope = onnx_reals_of(w, 1);
    const size_t c = w->now.shape.c, behind = w->now.last ? 1 : 3; /* dimensions from the channel's on */
    if (slope && slope->values == 1) return onnx_slope(w, *(const float *)slope->data);
    if (!slope || w->now.flat || slope->values != c || slope->dims < behind ||
        slope->dim[slope->dims - behind] != c)
        return REFUSE(w, "expected one slope, or one for each of %zu channels", c);
    CHECK(onnx_say(w, "prelu"));
    onnx_weigh(w, "weight", slope->data, c, 1);
    return CAELUM_OK;
}

/* --- Sums and rows -------------------------------------------------------------------------------- */

static int add(struct onnx_writer *w) {
    return w->step->constant ? onnx_with_constant(w) : onnx_join(w, "add");
}

/* The second is what flows. */
static int subtract(struct onnx_writer *w) {
    if (w->step->constant) return onnx_with_constant(w);
    CHECK(onnx_scale_all(w, -1, 0));
    return onnx_join(w, "add");
}

static int negate(struct onnx_writer *w) {
    return onnx_scale_all(w, -1, 0);
}

static int product(struct onnx_writer *w) {
    if (w->step->constant) return onnx_with_constant(w);
    return REFUSE(w,
                  "of two values that are computed; in a network's text only an activation multiplies, and "
                  "this is none of them");
}

static int concat(struct onnx_writer *w) {
    const int64_t axis = onnx_int_of(w, "axis", 0);
    const bool behind = w->now.flat || w->now.last; /* channels are the last dimension */
    if (axis != (w->now.last && !w->now.flat ? 3 : 1) && axis != (behind ? -1 : -3))
        return REFUSE(w, "along axis %lld; a network's text appends channels", (long long)axis);
    if (w->step->constant)
        return REFUSE(w, "'%.60s' is a constant; a network's text appends only what it made",
                      w->step->constant);
    return onnx_join(w, "concat");
}

/* Weights [out][in], or [in][out]. */
static int say_dense(struct onnx_writer *w, bool turned, const struct onnx_tensor *bias) {
    const struct onnx_tensor *t = onnx_reals_of(w, 1);
    const struct onnx_known in = w->now;
    const size_t values = shape_values(in.shape);
    if (!in.flat) return REFUSE(w, "of pictures; expected rows of numbers, as Flatten makes them");
    if (!t || t->dims != 2 || t->values == 0) return REFUSE(w, "expected weights of two dimensions");
    if (t->dim[turned ? 0 : 1] != values)
        return REFUSE(w, "weights for %zu numbers, %zu come in", t->dim[turned ? 0 : 1], values);
    const size_t n = t->dim[turned ? 1 : 0];
    if (bias && bias->values != 1 && (bias->values != n || bias->dim[bias->dims - 1] != n))
        return REFUSE(w, "a bias of %zu numbers for %zu outputs", bias->values, n);
    CHECK(onnx_say(w, "dense %zu", n));
    float *weight = onnx_weigh(w, "weight", NULL, n * values, values);
    for (size_t k = 0; weight && k < n; k++)
        for (size_t i = 0; i < values; i++) {
            const size_t from = onnx_place_in_row(&in, i);
            weight[k * values + i] = ((const float *)t->data)[turned ? from * n + k : k * values + from];
        }
    float *to = onnx_weigh(w, "bias", NULL, n, 1);
    for (size_t k = 0; to && bias && k < n; k++)
        to[k] = ((const float *)bias->data)[bias->values == 1 ? 0 : k];
    w->linear = w->affine = true;
    w->now.last = false;
    return CAELUM_OK;
}

static int gemm(struct onnx_writer *w) {
    const struct onnx_tensor *bias = onnx_reals_of(w, 2);
    if (onnx_real_of(w, "alpha", 1) != 1 || (bias && onnx_real_of(w, "beta", 1) != 1) ||
        onnx_int_of(w, "transA", 0) != 0)
        return REFUSE(w, "alpha or beta other than 1, or transA");
    return say_dense(w, onnx_int_of(w, "transB", 0) == 0, bias);
}

static int matmul(struct onnx_writer *w) {
    return say_dense(w, true, NULL);
}

/* --- Of ours -------------------------------------------------------------------------------------- */

/* Identity with a note, as noise.c writes it. */
static int noise(struct onnx_writer *w) {
    double sigma;
    if (!number_real(w->step->node->doc + 6, &sigma) || !(sigma >= 0 && sigma <= 100)) return CAELUM_OK;
    return onnx_say(w, "noise %.9g", sigma);
}

/* round(b x) a: the shortest number that is the step, and what predicts bits, where the file has it. */
static int quantize(struct onnx_writer *w) {
    static const char *const names[] = {"mean_weight", "mean_bias", "scale_weight", "scale_bias"};
    const float step = w->step->number[0];
    char number[32];
    int digits = 1;
    double read = 0;
    if (!(fabsf(1 / step - w->step->number[1]) <= 1e-6f * w->step->number[1]))
        return REFUSE(w, "rounding to steps of %g, but counted by %g", (double)step,
                      (double)w->step->number[1]);
    do number_print(number, sizeof number, "%.*g", digits, (double)step);
    while (number_real(number, &read) && (float)read != step && ++digits <= 9);
    if (strchr(number, 'e')) number_print(number, sizeof number, "%.*f", 12, (double)step);
    CHECK(onnx_say(w, "quantize %s", number));
    for (size_t i = 0; i < 4; i++) {
        char name[200];
        snprintf(name, sizeof name, "%.100s.%s", w->step->node->name, names[i]);
        const struct onnx_tensor *t = onnx_constant(w->file, name);
        if (t && t->type == ONNX_FLOAT) onnx_weigh(w, names[i], t->data, t->values, 1);
    }
    return CAELUM_OK;
}

/* --- The table ------------------------------------------------------------------------------------ */

/* Forms first: of several that fit, the first is taken. */
static const struct onnx_rule rules[] = {
    {.form = "Mul(x Sigmoid(x))", .line = activation, .words = "silu"},
    {.form = "Mul(x HardSigmoid(x))", .line = hard_swish},
    {.form = "Mul(x Mul(Clip(Add(x 3) 0 6) 0.1666666667))", .line = activation, .words = "hardswish"},
    {.form = "Div(Mul(x Clip(Add(x 3) 0 6)) 6)", .line = activation, .words = "hardswish"},
    {.form = "Mul(x Div(Clip(Add(x 3) 0 6) 6))", .line = activation, .words = "hardswish"},
    /* 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) as activation.c and PyTorch 1.13 write it; Keras */
    {.form = "Mul(0.5 Mul(x Add(1 Tanh(Mul(0.797884560803 Add(x Mul(0.044715 Mul(x Mul(x x)))))))))",
     .line = activation,
     .words = "gelu"},
    {.form = "Mul(Mul(0.5 x) Add(1 Tanh(Mul(0.797884560803 Add(x Mul(0.044715 Pow(x 3)))))))",
     .line = activation,
     .words = "gelu"},
    /* 0.5 x (1 + erf(x / sqrt(2))) */
    {.form = "Mul(0.5 Mul(x Add(1 Erf(Div(x 1.41421356237)))))", .line = activation, .words = "gelu_erf"},
    {.form = "Mul(Mul(0.5 x) Add(1 Erf(Div(x 1.41421356237))))", .line = activation, .words = "gelu_erf"},
    {.form = "Mul(Mul(0.5 x) Add(1 Erf(Mul(x 0.70710678119))))", .line = activation, .words = "gelu_erf"},
    {.form = "Mul(a Round(Mul(x b)))", .line = quantize},
    {.form = "Reshape(InstanceNormalization(Reshape(x *) * *) *)", .line = onnx_regroup},
    {.form = "Reshape(Transpose(Reshape(x *)) *)", .line = onnx_shuffle},
    {.form = "Gather(SpaceToDepth(x) *)", .line = onnx_unshuffle},

    {"Conv", 2, 3, false, onnx_conv, "auto_pad dilations group kernel_shape pads strides"},
    {"ConvTranspose", 2, 3, false, onnx_deconv,
     "auto_pad dilations group kernel_shape output_padding output_shape pads strides"},
    {"MaxPool", 1, 1, false, onnx_pool,
     "auto_pad ceil_mode dilations kernel_shape pads storage_order strides"},
    {"AveragePool", 1, 1, false, onnx_pool,
     "auto_pad ceil_mode count_include_pad dilations kernel_shape pads strides"},
    {"GlobalMaxPool", 1, 1, false, onnx_pool_all, ""},
    {"GlobalAveragePool", 1, 1, false, onnx_pool_all, ""},
    {"ReduceMean", 1, 2, false, onnx_pool_all, "axes keepdims noop_with_empty_axes"},
    {"Upsample", 2, 2, false, onnx_resize, "mode"},
    {"Resize", 2, 4, false, onnx_resize,
     "antialias axes coordinate_transformation_mode cubic_coeff_a exclude_outside extrapolation_value "
     "keep_aspect_ratio_policy mode nearest_mode"},
    {"Gemm", 2, 3, false, gemm, "alpha beta transA transB"},
    {"MatMul", 2, 2, false, matmul, ""},
    {"Flatten", 1, 1, false, onnx_flatten, "axis"},
    {"Reshape", 2, 2, false, onnx_reshape, "allowzero"},
    {"Unsqueeze", 1, 2, false, onnx_unsqueeze, "axes"},
    {"Squeeze", 1, 2, false, onnx_squeeze, "axes"},
    {"Transpose", 1, 1, false, onnx_transpose, "perm"},
    {"Slice", 1, 5, false, onnx_slice, "axes ends starts"},
    {"Pad", 1, 3, false, onnx_pad, "mode pads value"},
    {"DepthToSpace", 1, 1, false, onnx_depth_to_space, "blocksize mode"},
    {"Add", 2, 2, true, add, ""},
    {"Sub", 2, 2, true, subtract, ""},
    {"Neg", 1, 1, false, negate, ""},
    {"Mul", 2, 2, true, product, ""},
    {"Div", 2, 2, true, product, ""},
    {"Clip", 1, 3, false, onnx_clip, "max min"},
    {"Concat", 1, ONNX_MOST_INPUTS, true, concat, "axis"},
    {"Relu", 1, 1, false, activation, ""},
    {"LeakyRelu", 1, 1, false, leaky, "alpha"},
    {"Elu", 1, 1, false, elu, "alpha"},
    {"Selu", 1, 1, false, selu, "alpha gamma"},
    {"Gelu", 1, 1, false, gelu, "approximate"},
    {"Sigmoid", 1, 1, false, activation, ""},
    {"Softplus", 1, 1, false, activation, ""},
    {"Tanh", 1, 1, false, activation, ""},
    {"HardSwish", 1, 1, false, activation, ""},
    {"HardSigmoid", 1, 1, false, onnx_hard_sigmoid, "alpha beta"},
    {"PRelu", 2, 2, false, prelu, ""},
    {"BatchNormalization", 5, 5, false, onnx_batch_norm, "epsilon momentum spatial training_mode"},
    {"InstanceNormalization", 3, 3, false, onnx_instance_norm, "epsilon"},
    {"GroupNormalization", 3, 3, false, onnx_group_norm, "epsilon num_groups stash_type"},
    {"Identity", 1, 1, false, noise, ""},
};

void onnx_find_rule(const struct onnx_file *file, struct onnx_step *step) {
    for (size_t i = 0; !step->rule && i < sizeof rules / sizeof *rules; i++)
        if (strchr(rules[i].form, '(') ? onnx_has_form(file, rules[i].form, step)
                                       : strcmp(rules[i].form, step->node->op) == 0)
            step->rule = &rules[i];
}
