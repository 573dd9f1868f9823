/* onnx_windows.c - convolutions, pools and upsampling of a graph as lines of text. A text's convolution has
 * square kernels, one group and no holes: others are written out with zeros for what they leave out. */
#include "exchange/onnx_import.h"
#include "layers/conv.h"
#include "layers/window.h"

#include <stdio.h>
#include <string.h>

/* Weights that a small file may come to by that. */
static const size_t most_spread = (size_t)1 << 24;

/* Of a node with windows; rows [0], columns [1]. */
struct geometry {
    int64_t size[2]; /* of its own kernel, */
    int64_t dilation[2];
    int64_t reach[2]; /* with its holes, */
    int64_t kernel;   /* and of the square one that holds it */
    int64_t stride, before[2], after[2];
    bool padded; /* the node says so, maybe with zeros */
};

/* What is around a picture by auto_pad SAME_UPPER or, with the odd zero before, SAME_LOWER. */
static void pad_same(struct geometry *g, const size_t big[2], bool lower) {
    for (size_t i = 0; i < 2; i++) {
        const size_t out = (big[i] + (size_t)g->stride - 1) / (size_t)g->stride;
        const int64_t all = (int64_t)(out - 1) * g->stride + g->kernel - (int64_t)big[i];
        g->before[i] = all > 0 ? (all + lower) / 2 : 0;
        g->after[i] = all > 0 ? all - g->before[i] : 0;
    }
    g->padded = true;
}

/* kernel: rows and columns of the weights, NULL if there are none. */
static int get_geometry(struct onnx_writer *w, const size_t *kernel, struct geometry *g) {
    int64_t stride[2], pads[4];
    *g = (struct geometry){.padded = onnx_attribute(w->step->node, "pads") != NULL};
    onnx_ints_of(w, "kernel_shape", 2, 0, g->size);
    onnx_ints_of(w, "strides", 2, 1, stride);
    onnx_ints_of(w, "dilations", 2, 1, g->dilation);
    onnx_ints_of(w, "pads", 4, 0, pads);
    const char *automatic = onnx_word_of(w, "auto_pad", "NOTSET");
    for (size_t i = 0; i < 2; i++) {
        if (kernel && g->size[i] == 0) g->size[i] = (int64_t)kernel[i];
        if (g->size[i] < 1 || (kernel && g->size[i] != (int64_t)kernel[i]))
            return REFUSE(w, "kernel_shape %lld x %lld; expected %s", (long long)g->size[0],
                          (long long)g->size[1], kernel ? "that of the weights" : "at least one pixel");
        if (g->dilation[i] < 1) return REFUSE(w, "dilations below 1");
        g->reach[i] = (g->size[i] - 1) * g->dilation[i] + 1;
        if (g->reach[i] > g->kernel) g->kernel = g->reach[i];
    }
    if (kernel && g->kernel > CONV_MOST_KERNEL)
        return REFUSE(w, "kernels of %lld x %lld pixels%s; a network's text has up to %d x %d",
                      (long long)g->kernel, (long long)g->kernel,
                      g->dilation[0] > 1 || g->dilation[1] > 1 ? ", holes counted" : "", CONV_MOST_KERNEL,
                      CONV_MOST_KERNEL);
    if (stride[0] != stride[1] || stride[0] < 1)
        return REFUSE(w, "strides %lld and %lld; expected equal ones", (long long)stride[0],
                      (long long)stride[1]);
    g->stride = stride[0];
    for (size_t i = 0; i < 2; i++) {
        if (pads[i] < 0 || pads[i + 2] < 0) return REFUSE(w, "negative pads");
        g->before[i] = pads[i], g->after[i] = pads[i + 2];
    }
    if (strncmp(automatic, "SAME_", 5) == 0)
        pad_same(g, (size_t[]){w->now.shape.h, w->now.shape.w}, strcmp(automatic, "SAME_LOWER") == 0);
    else if (strcmp(automatic, "NOTSET") != 0 && strcmp(automatic, "VALID") != 0)
        return REFUSE(w, "auto_pad %.20s", automatic);
    if (w->now.flat) return REFUSE(w, "of pictures that Flatten has made one row");
    return w->now.last ? REFUSE(w, "of pictures with channels last") : w->file->graph.result;
}

/* --- Convolutions --------------------------------------------------------------------------------- */

/* Weights [few][many][kernel] of a convolution; a transposed one has its inputs in the place of outputs. */
struct filters {
    const struct onnx_tensor *weight, *bias;
    size_t in, out, groups;
};

static int get_kernels(struct onnx_writer *w, bool transposed, struct filters *k) {
    const struct onnx_tensor *t = onnx_reals_of(w, 1), *bias = onnx_reals_of(w, 2);
    const int64_t groups = onnx_int_of(w, "group", 1);
    const size_t c = w->now.shape.c;
    if (!t || t->dims != 4 || t->values == 0) return REFUSE(w, "expected weights of four dimensions");
    if (groups < 1 || t->dim[0] % (size_t)groups != 0)
        return REFUSE(w, "%lld groups of %zu channels", (long long)groups, t->dim[0]);
    *k = (struct filters){t, bias, .groups = (size_t)groups};
    k->in = transposed ? t->dim[0] : t->dim[1] * k->groups;
    k->out = transposed ? t->dim[1] * k->groups : t->dim[0];
    if (k->in != c) return REFUSE(w, "weights for %zu channels, %zu come in", k->in, c);
    if (bias && (bias->dims != 1 || bias->values != k->out))
        return REFUSE(w, "a bias of %zu numbers for %zu channels", bias->values, k->out);
    return CAELUM_OK;
}

/* Copies the weights to where they stand in square kernels without groups or holes. */
static void spread(const struct filters *k, const struct geometry *g, size_t columns, float *to) {
    const struct onnx_tensor *t = k->weight;
    const size_t rows = t->dim[0], part = t->dim[1], size = (size_t)g->kernel;
    const float *from = t->data;
    for (size_t a = 0; a < rows; a++)
        for (size_t b = 0; b < part; b++)
            for (size_t u = 0; u < t->dim[2]; u++)
                for (size_t v = 0; v < t->dim[3]; v++) {
                    const size_t at = a / (rows / k->groups) * part + b;
                    to[((a * columns + at) * size + u * (size_t)g->dilation[0]) * size +
                       v * (size_t)g->dilation[1]] = *from++;
                }
}

/* "conv 8 k=5 stride=2 pad=valid" omitting defaults, and its weights. */
static int say_conv(struct onnx_writer *w, bool transposed, const struct filters *k, const struct geometry *g,
                    bool valid) {
    char kernel[32] = "", stride[32] = "";
    const size_t area = (size_t)(g->kernel * g->kernel), rows = k->weight->dim[0],
                 columns = transposed ? k->out : k->in;
    if (k->groups > 1 && rows * columns > most_spread / area)
        return REFUSE(w, "%zu groups: written out as one they have too many weights, %zu", k->groups,
                      rows * columns * area);
    if (g->kernel != 3) snprintf(kernel, sizeof kernel, " k=%lld", (long long)g->kernel);
    if (g->stride != 1) snprintf(stride, sizeof stride, " stride=%lld", (long long)g->stride);
    CHECK(onnx_say(w, "%s %zu%s%s%s", transposed ? "deconv" : "conv", k->out, kernel, stride,
                   valid ? " pad=valid" : ""));
    float *weight = onnx_weigh(w, "weight", NULL, rows * columns * area, transposed ? area : columns * area);
    if (weight) spread(k, g, columns, weight);
    onnx_weigh(w, "bias", k->bias ? k->bias->data : NULL, k->out, 1);
    w->linear = w->affine = true;
    return w->file->graph.result;
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

int onnx_conv(struct onnx_writer *w) {
    struct filters k;
    struct geometry g;
    CHECK(get_kernels(w, false, &k));
    CHECK(get_geometry(w, &k.weight->dim[2], &g));
    for (size_t i = 0; i < 2; i++) /* the square kernel's last rows or columns are zeros */
        g.after[i] += g.kernel - g.reach[i];
    const bool said = g.padded || g.stride > 1;
    const bool same = said && is_same(&g, 0, w->now.shape.h) && is_same(&g, 1, w->now.shape.w);
    /* without pads ONNX means `valid`; where that is the same as `same`, it is the shorter one with pads */
    const bool valid = !same || !g.padded;
    if (!same) CHECK(onnx_place(w, g.before, g.after));
    return say_conv(w, false, &k, &g, valid);
}

/* What a transposed convolution's output_shape says of the pads. */
static int pad_to_shape(struct onnx_writer *w, struct geometry *g, const int64_t more[2], const size_t n[2]) {
    const struct onnx_attribute *to = onnx_attribute(w->step->node, "output_shape");
    const char *automatic = onnx_word_of(w, "auto_pad", "NOTSET");
    const bool same = strncmp(automatic, "SAME_", 5) == 0, upper = strcmp(automatic, "SAME_UPPER") == 0;
    if (!to && !same) return CAELUM_OK;
    if (to && (to->kind != ONNX_INTS || to->count < 2)) return REFUSE(w, "an output_shape without two sides");
    for (size_t i = 0; i < 2; i++) {
        const int64_t out = to ? to->ints[to->count - 2 + i] : (int64_t)n[i] * g->stride;
        const int64_t all = ((int64_t)n[i] - 1) * g->stride + g->reach[i] + more[i] - out;
        if (all < 0 || out < 1) return REFUSE(w, "an output_shape of %lld", (long long)out);
        g->before[i] = upper ? all / 2 : all - all / 2;
        g->after[i] = all - g->before[i];
    }
    g->padded = true;
    return CAELUM_OK;
}

/* `valid` has (n - 1) s + max(K, s) outputs; what ONNX leaves of them is cut out. */
int onnx_deconv(struct onnx_writer *w) {
    struct filters kernels;
    struct geometry g;
    int64_t more[2], before[2], after[2];
    const size_t n[] = {w->now.shape.h, w->now.shape.w};
    CHECK(get_kernels(w, true, &kernels));
    CHECK(get_geometry(w, &kernels.weight->dim[2], &g));
    onnx_ints_of(w, "output_padding", 2, 0, more);
    CHECK(pad_to_shape(w, &g, more, n));
    bool same = g.padded, valid = true;
    for (size_t i = 0; i < 2; i++) {
        const int64_t s = g.stride, k = g.kernel, base = ((int64_t)n[i] - 1) * s,
                      full = base + (k > s ? k : s),
                      out = base + g.reach[i] + more[i] - g.before[i] - g.after[i];
        if (out < 1 || more[i] < 0) return REFUSE(w, "no output is left within its pads");
        if (full - g.before[i] - out < 0)
            return REFUSE(w, "output_padding beyond what the kernels reach; in a network's text every "
                             "output is under a kernel or next to it");
        before[i] = -g.before[i], after[i] = -(full - g.before[i] - out);
        same = same && out == (int64_t)n[i] * s &&
               g.before[i] == (int64_t)window_same_before(n[i] * (size_t)s, n[i], (size_t)k, (size_t)s);
        valid = valid && g.before[i] == 0 && out == full;
    }
    CHECK(say_conv(w, true, &kernels, &g, !same));
    return same || valid ? CAELUM_OK : onnx_place(w, before, after);
}

/* --- Pools ---------------------------------------------------------------------------------------- */

static int say_pool(struct onnx_writer *w, bool most, int64_t k) {
    const char *word = most ? "maxpool" : "avgpool";
    return k == 2 ? onnx_say(w, "%s", word) : onnx_say(w, "%s %lld", word, (long long)k);
}

/* Rows or columns that ceil_mode adds for one more window, which must begin within the picture. */
static int64_t rest(const struct geometry *g, size_t axis, size_t n) {
    const int64_t inside = (int64_t)n + g->before[axis], all = inside + g->after[axis];
    if (all < g->kernel || (all - g->kernel) % g->stride == 0) return 0;
    const int64_t start = ((all - g->kernel) / g->stride + 1) * g->stride;
    return start < inside ? start + g->kernel - all : 0;
}

int onnx_pool(struct onnx_writer *w) {
    const bool most = strcmp(w->step->node->op, "MaxPool") == 0;
    struct geometry g;
    CHECK(get_geometry(w, NULL, &g));
    const bool ceil = onnx_int_of(w, "ceil_mode", 0) != 0;
    const bool counted = onnx_int_of(w, "count_include_pad", 0) != 0;
    onnx_int_of(w, "storage_order", 0);
    if (g.size[0] != g.size[1] || g.dilation[0] != 1 || g.dilation[1] != 1)
        return REFUSE(w, "windows of %lld x %lld pixels, or with holes; expected squares",
                      (long long)g.size[0], (long long)g.size[1]);
    const size_t n[] = {w->now.shape.h, w->now.shape.w};
    for (size_t i = 0; ceil && i < 2; i++) g.after[i] += rest(&g, i, n[i]);
    const bool zeros = g.before[0] || g.before[1] || g.after[0] || g.after[1];
    if (most && g.stride != g.kernel)
        return REFUSE(w, "windows of %lld every %lld pixels; a network's text has them side by side",
                      (long long)g.kernel, (long long)g.stride);
    if (zeros && most && !w->now.positive)
        return REFUSE(w,
                      "windows that reach beyond the picture (padding or ceil_mode), of values that may be "
                      "negative: a network's text has zeros there, which would be the largest");
    if (zeros && !most && (ceil || !counted))
        return REFUSE(w, "windows that reach beyond the picture (padding or ceil_mode) and count the pixels "
                         "within; a network's text has zeros there, which count");
    CHECK(onnx_place(w, g.before, g.after));
    if (g.stride == g.kernel) return say_pool(w, most, g.kernel);
    return onnx_say_diagonal(w, g.kernel, g.stride, 1.0f / (float)(g.kernel * g.kernel));
}

/* Of the whole picture; one that is not square is made so by zeros. */
int onnx_pool_all(struct onnx_writer *w) {
    const bool most = strcmp(w->step->node->op, "GlobalMaxPool") == 0;
    const int64_t h = (int64_t)w->now.shape.h, x = (int64_t)w->now.shape.w, k = h > x ? h : x;
    const bool kept = onnx_int_of(w, "keepdims", 1) != 0;
    if (strcmp(w->step->node->op, "ReduceMean") == 0 && !onnx_is_over_pixels(w))
        return REFUSE(w, "over other axes than rows and columns");
    if (w->now.flat || k > 64)
        return REFUSE(w, "of %lld x %lld pixels; expected pictures of at most 64", (long long)h,
                      (long long)x);
    if (h != x && most && !w->now.positive)
        return REFUSE(w, "of pictures that are not square, of values that may be negative");
    CHECK(onnx_place(w, (int64_t[]){0, 0}, (int64_t[]){k - h, k - x}));
    CHECK(say_pool(w, most, k));
    if (h != x && !most) CHECK(onnx_scale_all(w, (float)((double)(k * k) / (double)(h * x)), 0));
    w->now.flat = !kept;
    if (!kept) w->now.last = false;
    return CAELUM_OK;
}

/* --- Upsampling ----------------------------------------------------------------------------------- */

/* How many dimensions `scales` and `sizes` are for: 4, or the two of pixels, as `axes` says since opset 18.
 */
static int get_axes(struct onnx_writer *w, size_t *count) {
    const struct onnx_attribute *axes = onnx_attribute(w->step->node, "axes");
    *count = axes && axes->kind == ONNX_INTS ? axes->count : 4;
    bool fine = !axes || (axes->kind == ONNX_INTS && (*count == 2 || *count == 4));
    for (size_t i = 0; fine && axes && i < *count; i++) {
        const int64_t axis = axes->ints[i] < 0 ? axes->ints[i] + 4 : axes->ints[i];
        fine = axis == (int64_t)(4 - *count + i);
    }
    return fine ? CAELUM_OK : REFUSE(w, "axes other than those of rows and columns");
}

/* The one whole factor of rows and columns; by it nothing becomes smaller, so antialias changes nothing, and
 * both policies about the aspect are one. Two inputs: until opset 10 there are scales alone. */
static int get_factor(struct onnx_writer *w, size_t *factor) {
    const struct onnx_node *node = w->step->node;
    const struct onnx_tensor *scales = onnx_reals_of(w, node->inputs == 2 ? 1 : 2);
    const struct onnx_list sizes = onnx_list_of(w, node, 3, "");
    const struct shape in = w->now.shape;
    double rows = 0, columns = 0;
    size_t axes;
    CHECK(get_axes(w, &axes));
    const size_t pixel = axes - 2; /* where rows and columns stand */
    if (scales && scales->values == axes && !sizes.given) {
        const float *s = scales->data;
        if (axes == 2 || (s[0] == 1 && s[1] == 1)) rows = (double)s[pixel], columns = (double)s[pixel + 1];
    } else if (sizes.count == axes && (axes == 2 || sizes.value[1] == (int64_t)in.c)) {
        rows = (double)sizes.value[pixel] / (double)in.h;
        columns = (double)sizes.value[pixel + 1] / (double)in.w;
    }
    if (!(rows >= 1 && rows <= 64) || rows != columns || rows != (double)(size_t)rows)
        return REFUSE(w, "by %g rows and %g columns; expected one whole factor from 1 to 64", rows, columns);
    *factor = (size_t)rows;
    return CAELUM_OK;
}

/* With a whole factor, the pixel under the output's center is the same by all of these. */
static bool is_nearest(const char *where, const char *rounding) {
    const bool is_tf = strcmp(where, "tf_half_pixel_for_nn") == 0;
    if (is_tf || strcmp(where, "asymmetric") == 0) return strcmp(rounding, "floor") == 0;
    return strncmp(rounding, "round_prefer_", 13) == 0 && strstr(where, "half_pixel");
}

int onnx_resize(struct onnx_writer *w) {
    const bool old = w->step->node->inputs == 2;
    const char *mode = onnx_word_of(w, "mode", "nearest");
    const char *where = onnx_word_of(w, "coordinate_transformation_mode", old ? "asymmetric" : "half_pixel");
    const char *rounding = onnx_word_of(w, "nearest_mode", old ? "floor" : "round_prefer_floor");
    size_t factor = 1;
    CHECK(get_factor(w, &factor));
    const bool linear = strcmp(mode, "linear") == 0, nearest = strcmp(mode, "nearest") == 0;
    const bool half = strcmp(where, "half_pixel") == 0 || strcmp(where, "pytorch_half_pixel") == 0;
    if (onnx_int_of(w, "exclude_outside", 0) || w->now.flat || w->now.last || !(linear || nearest) ||
        (linear && !half) || (nearest && !is_nearest(where, rounding)))
        return REFUSE(w, "mode %.20s, %.30s, %.30s; expected nearest, or linear between half_pixel centers",
                      mode, where, rounding);
    char number[32] = "";
    if (factor != 2) snprintf(number, sizeof number, " %zu", factor);
    return onnx_say(w, "upsample%s%s", number, linear ? " bilinear" : "");
}
