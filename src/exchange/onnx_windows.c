/* onnx_windows.c - convolutions, pools and upsampling of a graph as lines of text. */
#include "exchange/onnx_lines.h"
#include "layers/window.h"

#include <stdio.h>
#include <string.h>

/* Of a node with windows; rows [0], columns [1]. */
struct geometry {
    int64_t kernel, stride, before[2], after[2];
    bool padded;     /* the node says so, maybe with zeros */
    bool same_upper; /* in place of numbers */
};

/* kernel: that of the weights, 0 if there are none. */
static int get_geometry(const struct onnx_writer *w, int64_t kernel, struct geometry *g,
                        struct caelum_error *err) {
    int64_t size[2], stride[2], dilation[2], pads[4];
    const char *automatic;
    CHECK(onnx_get_ints(w, "kernel_shape", 2, kernel, size, err));
    CHECK(onnx_get_ints(w, "strides", 2, 1, stride, err));
    CHECK(onnx_get_ints(w, "dilations", 2, 1, dilation, err));
    CHECK(onnx_get_ints(w, "pads", 4, 0, pads, err));
    CHECK(onnx_get_word(w, "auto_pad", "NOTSET", &automatic, err));
    if (size[0] != size[1] || size[0] < 1 || (kernel > 0 && size[0] != kernel))
        return REFUSE(w, err, "kernel_shape %lld x %lld; expected a square%s", (long long)size[0],
                      (long long)size[1], kernel > 0 ? ", that of the weights" : "");
    if (stride[0] != stride[1] || stride[0] < 1)
        return REFUSE(w, err, "strides %lld and %lld; expected equal ones", (long long)stride[0],
                      (long long)stride[1]);
    if (dilation[0] != 1 || dilation[1] != 1) return REFUSE(w, err, "dilations other than 1");
    for (size_t i = 0; i < 4; i++)
        if (pads[i] < 0) return REFUSE(w, err, "negative pads");
    *g = (struct geometry){.kernel = size[0],
                           .stride = stride[0],
                           .before = {pads[0], pads[1]},
                           .after = {pads[2], pads[3]},
                           .padded = onnx_attribute(w->step->node, "pads") != NULL,
                           .same_upper = strcmp(automatic, "SAME_UPPER") == 0};
    if (!g->same_upper && strcmp(automatic, "NOTSET") != 0 && strcmp(automatic, "VALID") != 0)
        return REFUSE(w, err, "auto_pad %.20s", automatic);
    return w->now.flat ? REFUSE(w, err, "of pictures that Flatten has made one row") : CAELUM_OK;
}

/* "conv 8 k=5 stride=2 pad=valid" omitting defaults, and its weights. */
static int say_conv(struct onnx_writer *w, const char *word, size_t channels, const struct geometry *g,
                    bool valid, const struct onnx_tensor *weight, const struct onnx_tensor *bias,
                    struct caelum_error *err) {
    char kernel[32] = "", stride[32] = "";
    if (g->kernel != 3) snprintf(kernel, sizeof kernel, " k=%lld", (long long)g->kernel);
    if (g->stride != 1) snprintf(stride, sizeof stride, " stride=%lld", (long long)g->stride);
    CHECK(onnx_say(w, err, "%s %zu%s%s%s", word, channels, kernel, stride, valid ? " pad=valid" : ""));
    w->linear = w->affine = true;
    CHECK(onnx_weigh(w, "weight", weight, false, err));
    return bias ? onnx_weigh(w, "bias", bias, false, err) : CAELUM_OK;
}

/* Weights [.][.][K][K] and bias [channels]. `in` and `out`: which dimension is input and output. */
static int get_weights(const struct onnx_writer *w, size_t in, size_t out, const struct onnx_tensor **weight,
                       const struct onnx_tensor **bias, struct caelum_error *err) {
    int64_t group;
    CHECK(onnx_get_int(w, "group", 1, &group, err));
    if (group != 1) return REFUSE(w, err, "%lld groups; a network's text has one", (long long)group);
    CHECK(onnx_get_reals(w, 1, weight, err));
    CHECK(onnx_get_reals(w, 2, bias, err));
    const struct onnx_tensor *t = *weight;
    if (!t || t->dims != 4 || t->dim[2] != t->dim[3] || t->values == 0)
        return REFUSE(w, err, "expected weights of four dimensions with square kernels");
    if (t->dim[in] != w->now.shape.c)
        return REFUSE(w, err, "weights for %zu channels, %zu come in", t->dim[in], w->now.shape.c);
    if (*bias && ((*bias)->dims != 1 || (*bias)->values != t->dim[out]))
        return REFUSE(w, err, "a bias of %zu numbers for %zu channels", (*bias)->values, t->dim[out]);
    return CAELUM_OK;
}

/* pad=same where it puts as many zeros before, and gives as many outputs. */
static bool is_same(const struct geometry *g, size_t axis, size_t n) {
    const int64_t big = (int64_t)n,
                  out = (big + g->before[axis] + g->after[axis] - g->kernel) / g->stride + 1;
    const int64_t same = (big + g->stride - 1) / g->stride;
    if (big + g->before[axis] + g->after[axis] < g->kernel || out != same) return false;
    return g->before[axis] ==
           (int64_t)window_same_before(n, (size_t)same, (size_t)g->kernel, (size_t)g->stride);
}

int onnx_conv(struct onnx_writer *w, struct caelum_error *err) {
    const struct onnx_tensor *weight, *bias;
    struct geometry g = {0};
    CHECK(get_weights(w, 1, 0, &weight, &bias, err));
    CHECK(get_geometry(w, (int64_t)weight->dim[2], &g, err));
    const bool said = g.padded || g.stride > 1;
    const bool same =
        g.same_upper || (said && is_same(&g, 0, w->now.shape.h) && is_same(&g, 1, w->now.shape.w));
    const bool zeros = g.before[0] || g.before[1] || g.after[0] || g.after[1];
    /* without pads ONNX means `valid`; where that is the same as `same`, it is the shorter one with pads */
    const bool valid = !same || (!g.same_upper && !g.padded);
    if (!same && zeros) CHECK(onnx_place(w, g.before, g.after, err));
    return say_conv(w, "conv", weight->dim[0], &g, valid, weight, bias, err);
}

/* `valid` has (n - 1) s + max(K, s) outputs; what ONNX leaves of them is cut out. */
int onnx_deconv(struct onnx_writer *w, struct caelum_error *err) {
    const struct onnx_tensor *weight, *bias;
    struct geometry g = {0};
    int64_t more[2], before[2], after[2];
    CHECK(get_weights(w, 0, 1, &weight, &bias, err));
    CHECK(get_geometry(w, (int64_t)weight->dim[2], &g, err));
    CHECK(onnx_get_ints(w, "output_padding", 2, 0, more, err));
    if (g.same_upper) return REFUSE(w, err, "auto_pad");
    const size_t n[] = {w->now.shape.h, w->now.shape.w};
    bool same = g.padded, valid = true;
    for (size_t i = 0; i < 2; i++) {
        const int64_t s = g.stride, k = g.kernel, base = ((int64_t)n[i] - 1) * s,
                      full = base + (k > s ? k : s), out = base + k + more[i] - g.before[i] - g.after[i];
        if (out < 1 || more[i] < 0) return REFUSE(w, err, "no output is left within its pads");
        if (full - g.before[i] - out < 0)
            return REFUSE(w, err,
                          "output_padding beyond what the kernels reach; in a network's text every "
                          "output is under a kernel or next to it");
        before[i] = -g.before[i], after[i] = -(full - g.before[i] - out);
        same = same && out == (int64_t)n[i] * s &&
               g.before[i] == (int64_t)window_same_before(n[i] * (size_t)s, n[i], (size_t)k, (size_t)s);
        valid = valid && g.before[i] == 0 && out == full;
    }
    CHECK(say_conv(w, "deconv", weight->dim[1], &g, !same, weight, bias, err));
    return same || valid ? CAELUM_OK : onnx_place(w, before, after, err);
}

int onnx_pool(struct onnx_writer *w, struct caelum_error *err) {
    const char *const word = strcmp(w->step->node->op, "MaxPool") == 0 ? "maxpool" : "avgpool";
    struct geometry g = {0};
    int64_t ceil, order;
    CHECK(get_geometry(w, 0, &g, err));
    CHECK(onnx_get_int(w, "ceil_mode", 0, &ceil, err));
    CHECK(onnx_get_int(w, "storage_order", 0, &order, err));
    const struct shape in = w->now.shape;
    const bool rest = in.h % (size_t)g.kernel != 0 || in.w % (size_t)g.kernel != 0;
    if (g.stride != g.kernel)
        return REFUSE(w, err, "windows of %lld every %lld pixels; a network's text has them side by side",
                      (long long)g.kernel, (long long)g.stride);
    if (g.before[0] || g.before[1] || g.after[0] || g.after[1] || (g.same_upper && rest))
        return REFUSE(w, err, "zeros around the picture");
    if (ceil && rest) return REFUSE(w, err, "ceil_mode: pixels that fill no window are dropped");
    return g.kernel == 2 ? onnx_say(w, err, "%s", word)
                         : onnx_say(w, err, "%s %lld", word, (long long)g.kernel);
}

/* How many dimensions `scales` and `sizes` are for: 4, or the two of pixels, as `axes` says since opset 18.
 */
static int get_axes(const struct onnx_writer *w, size_t *count, struct caelum_error *err) {
    const struct onnx_attribute *axes = onnx_attribute(w->step->node, "axes");
    *count = axes && axes->kind == ONNX_INTS ? axes->count : 4;
    bool fine = !axes || (axes->kind == ONNX_INTS && (*count == 2 || *count == 4));
    for (size_t i = 0; fine && axes && i < *count; i++) {
        const int64_t axis = axes->ints[i] < 0 ? axes->ints[i] + 4 : axes->ints[i];
        fine = axis == (int64_t)(4 - *count + i);
    }
    return fine ? CAELUM_OK : REFUSE(w, err, "axes other than those of rows and columns");
}

/* The one whole factor of rows and columns; by it nothing becomes smaller, so antialias changes nothing, and
 * both policies about the aspect are one. */
static int get_factor(struct onnx_writer *w, size_t *factor, struct caelum_error *err) {
    const struct onnx_tensor *scales;
    struct onnx_list sizes = {0};
    bool given;
    const struct shape in = w->now.shape;
    CHECK(onnx_get_reals(w, 2, &scales, err));
    CHECK(onnx_get_list(w, 3, &given, &sizes, err));
    double rows = 0, columns = 0;
    size_t axes;
    CHECK(get_axes(w, &axes, err));
    const size_t pixel = axes - 2; /* where rows and columns stand */
    if (scales && scales->values == axes && !given) {
        const float *s = scales->data;
        if (axes == 2 || (s[0] == 1 && s[1] == 1)) rows = (double)s[pixel], columns = (double)s[pixel + 1];
    } else if (given && sizes.count == axes && (axes == 2 || sizes.value[1] == (int64_t)in.c)) {
        rows = (double)sizes.value[pixel] / (double)in.h;
        columns = (double)sizes.value[pixel + 1] / (double)in.w;
    }
    if (!(rows >= 1 && rows <= 64) || rows != columns || rows != (double)(size_t)rows)
        return REFUSE(w, err, "by %g rows and %g columns; expected one whole factor from 1 to 64", rows,
                      columns);
    *factor = (size_t)rows;
    return CAELUM_OK;
}

/* With a whole factor, the pixel under the output's center is the same by all of these. */
static bool is_nearest(const char *where, const char *rounding) {
    if (strcmp(where, "asymmetric") == 0) return strcmp(rounding, "floor") == 0;
    return strncmp(rounding, "round_prefer_", 13) == 0 && strstr(where, "half_pixel") &&
           strcmp(where, "tf_half_pixel_for_nn") != 0;
}

int onnx_resize(struct onnx_writer *w, struct caelum_error *err) {
    const char *mode, *where, *rounding;
    int64_t outside;
    size_t factor = 1;
    CHECK(onnx_get_word(w, "mode", "nearest", &mode, err));
    CHECK(onnx_get_word(w, "coordinate_transformation_mode", "half_pixel", &where, err));
    CHECK(onnx_get_word(w, "nearest_mode", "round_prefer_floor", &rounding, err));
    CHECK(onnx_get_int(w, "exclude_outside", 0, &outside, err));
    CHECK(get_factor(w, &factor, err));
    const bool linear = strcmp(mode, "linear") == 0, nearest = strcmp(mode, "nearest") == 0;
    const bool half = strcmp(where, "half_pixel") == 0 || strcmp(where, "pytorch_half_pixel") == 0;
    if (outside || w->now.flat || !(linear || nearest) || (linear && !half) ||
        (nearest && !is_nearest(where, rounding)))
        return REFUSE(w, err,
                      "mode %.20s, %.30s, %.30s; expected nearest, or linear between half_pixel centers",
                      mode, where, rounding);
    char number[32] = "";
    if (factor != 2) snprintf(number, sizeof number, " %zu", factor);
    return onnx_say(w, err, "upsample%s%s", number, linear ? " bilinear" : "");
}
