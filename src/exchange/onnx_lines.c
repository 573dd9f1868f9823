/* onnx_lines.c - the steps of a graph as lines of a network's text, one operator a row of a table. The
 * network is built along, which tells the shape after each line. */
#include "exchange/onnx_lines.h"

#include "base/ascii.h"
#include "base/mem.h"
#include "base/number.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Attributes are whole numbers within these. */
static const int64_t most_whole = 1 << 24;

/* --- The network ---------------------------------------------------------------------------------- */

static const struct net_layer *last_layer(const struct onnx_writer *w) {
    const struct caelum_net *net = w->network->net;
    return net->layers > 0 ? &net->layer[net->layers - 1] : NULL;
}

int onnx_say(struct onnx_writer *w, struct caelum_error *err, const char *format, ...) {
    char line[200];
    const struct onnx_node *node = w->step->node;
    va_list list;
    va_start(list, format);
    number_vprint(line, sizeof line, format, list);
    va_end(list);
    w->linear = w->affine = false;
    const int result = net_append(w->network->net, err, "%s", line);
    if (result != 0)
        return caelum_fail_in(err, result, "%s: node '%.60s' (%.30s)", w->path->path, node->name, node->op);
    w->now.shape = net_output(w->network->net);
    return CAELUM_OK;
}

int onnx_weigh(struct onnx_writer *w, const char *tensor, const struct onnx_tensor *from, bool turned,
               struct caelum_error *err) {
    struct onnx_network *network = w->network;
    if (network->weights == sizeof network->weight / sizeof *network->weight)
        return REFUSE(w, err, "more than %zu tensors", network->weights);
    struct onnx_weight *weight = &network->weight[network->weights++];
    snprintf(weight->name, sizeof weight->name, "%s.%s", last_layer(w)->name, tensor);
    weight->from = from;
    weight->turned = turned;
    return CAELUM_OK;
}

int onnx_weigh_number(struct onnx_writer *w, const char *tensor, float number, struct caelum_error *err) {
    CHECK(onnx_weigh(w, tensor, NULL, false, err));
    w->network->weight[w->network->weights - 1].number = number;
    return CAELUM_OK;
}

int onnx_weigh_more(struct onnx_writer *w, const struct onnx_tensor *from, struct caelum_error *err) {
    CHECK(onnx_weigh(w, "bias", from, false, err));
    w->network->weight[w->network->weights - 1].added = true;
    return CAELUM_OK;
}

/* The text's `pad` puts the odd row after, `crop` takes it from there: with one row a line any place can be
 * reached. First what is put around, then what is cut. */
static int64_t to_pad(int64_t before, int64_t after) {
    if (before > 0) return 2 * before + (after > before);
    return after > before;
}
static int64_t to_crop(int64_t before, int64_t after) {
    if (before < 0) return -2 * before + (after < before);
    return after < before;
}

int onnx_place(struct onnx_writer *w, const int64_t before[2], const int64_t after[2],
               struct caelum_error *err) {
    int64_t b[] = {before[0], before[1]}, a[] = {after[0], after[1]};
    for (size_t i = 0; i < 2; i++)
        if (b[i] > most_whole || b[i] < -most_whole || a[i] > most_whole || a[i] < -most_whole)
            return REFUSE(w, err, "%lld pixels before and %lld after", (long long)b[i], (long long)a[i]);
    for (size_t lines = 0; b[0] || b[1] || a[0] || a[1]; lines++) {
        const int64_t pad[] = {to_pad(b[0], a[0]), to_pad(b[1], a[1])};
        const bool pads = pad[0] > 0 || pad[1] > 0;
        int64_t size[] = {(int64_t)w->now.shape.h, (int64_t)w->now.shape.w};
        for (size_t i = 0; i < 2; i++) {
            const int64_t change = pads ? pad[i] : -to_crop(b[i], a[i]);
            size[i] += change;
            b[i] -= change / 2, a[i] -= change - change / 2;
        }
        if (size[0] < 1 || size[1] < 1) return REFUSE(w, err, "nothing is left of the picture");
        if (lines == 8)
            return REFUSE(w, err,
                          "borders so unequal that a network's text needs more than 8 lines for them");
        CHECK(
            onnx_say(w, err, "%s %lld %lld", pads ? "pad" : "crop", (long long)size[0], (long long)size[1]));
    }
    return CAELUM_OK;
}

/* --- What nodes say ------------------------------------------------------------------------------- */

static int get(const struct onnx_writer *w, const char *name, enum onnx_kind kind,
               const struct onnx_attribute **attribute, struct caelum_error *err) {
    *attribute = onnx_attribute(w->step->node, name);
    if (*attribute && (*attribute)->kind != kind) return REFUSE(w, err, "%s: not of the type expected", name);
    return CAELUM_OK;
}

static int check_whole(const struct onnx_writer *w, const char *name, int64_t value,
                       struct caelum_error *err) {
    return value <= most_whole && value >= -most_whole
               ? CAELUM_OK
               : REFUSE(w, err, "%s: %lld is out of range", name, (long long)value);
}

int onnx_get_int(const struct onnx_writer *w, const char *name, int64_t standard, int64_t *value,
                 struct caelum_error *err) {
    const struct onnx_attribute *a;
    CHECK(get(w, name, ONNX_INT, &a, err));
    *value = a ? a->i : standard;
    return check_whole(w, name, *value, err);
}

int onnx_get_ints(const struct onnx_writer *w, const char *name, size_t count, int64_t standard,
                  int64_t *values, struct caelum_error *err) {
    const struct onnx_attribute *a;
    CHECK(get(w, name, ONNX_INTS, &a, err));
    if (a && a->count != count) return REFUSE(w, err, "%s: %zu numbers, %zu expected", name, a->count, count);
    for (size_t i = 0; i < count; i++) {
        values[i] = a ? a->ints[i] : standard;
        CHECK(check_whole(w, name, values[i], err));
    }
    return CAELUM_OK;
}

int onnx_get_real(const struct onnx_writer *w, const char *name, float standard, float *value,
                  struct caelum_error *err) {
    const struct onnx_attribute *a;
    CHECK(get(w, name, ONNX_REAL, &a, err));
    *value = a ? a->f : standard;
    return CAELUM_OK;
}

int onnx_get_word(const struct onnx_writer *w, const char *name, const char *standard, const char **value,
                  struct caelum_error *err) {
    const struct onnx_attribute *a;
    CHECK(get(w, name, ONNX_WORD, &a, err));
    *value = a ? a->word : standard;
    return CAELUM_OK;
}

int onnx_get_reals(const struct onnx_writer *w, size_t i, const struct onnx_tensor **tensor,
                   struct caelum_error *err) {
    const struct onnx_node *node = w->step->node;
    *tensor = NULL;
    if (i >= node->inputs || *node->input[i] == '\0') return CAELUM_OK;
    *tensor = onnx_constant(w->path->file, node->input[i]);
    if (!*tensor) return REFUSE(w, err, "'%.60s' is computed; expected constants", node->input[i]);
    if ((*tensor)->type != ONNX_FLOAT)
        return REFUSE(w, err, "'%.60s' is of type %s; expected FLOAT, 32 bit", node->input[i],
                      onnx_type_name((*tensor)->type));
    return CAELUM_OK;
}

int onnx_get_list(struct onnx_writer *w, size_t i, bool *given, struct onnx_list *list,
                  struct caelum_error *err) {
    const struct onnx_node *node = w->step->node;
    *given = i < node->inputs && *node->input[i] != '\0';
    return *given ? onnx_list_of(&w->lists, node, node->input[i], list, err) : CAELUM_OK;
}

/* For onnx_lists.c: the shape of a value up the way. */
static bool known_shape(const void *cookie, const char *value, struct onnx_list *list) {
    const struct onnx_writer *w = cookie;
    for (const struct onnx_step *step = w->path->step; step <= w->step; step++) {
        if (strcmp(step->from, value) != 0) continue;
        const struct onnx_known *known = &w->known[step - w->path->step];
        const struct shape s = known->shape;
        *list = (struct onnx_list){.dims = 1,
                                   .dim = {4},
                                   .count = 4,
                                   .value = {ONNX_BATCH, (int64_t)s.c, (int64_t)s.h, (int64_t)s.w}};
        if (known->flat) list->dim[0] = list->count = 2, list->value[1] = (int64_t)shape_values(s);
        return true;
    }
    return false;
}

/* --- Operators without windows -------------------------------------------------------------------- */

/* At the end of the last line where that has none. */
int onnx_activate(struct onnx_writer *w, const char *word, struct caelum_error *err) {
    char line[LAYER_LINE];
    if (!w->linear) return onnx_say(w, err, "act %s", word);
    memcpy(line, last_layer(w)->text, sizeof line);
    net_drop(w->network->net);
    return onnx_say(w, err, "%s %s", line, word);
}

/* Whose word is the operator's name in small letters. */
static int activation(struct onnx_writer *w, struct caelum_error *err) {
    char word[16];
    size_t n = 0;
    for (const char *op = w->step->node->op; *op && n + 1 < sizeof word; op++)
        word[n++] = ascii_to_lower(*op);
    word[n] = '\0';
    return onnx_activate(w, word, err);
}

static int leaky(struct onnx_writer *w, struct caelum_error *err) {
    float alpha;
    CHECK(onnx_get_real(w, "alpha", 0.01f, &alpha, err));
    return fabsf(alpha - LEAKY_SLOPE) < 1e-7f
               ? onnx_activate(w, "leaky", err)
               : REFUSE(w, err, "alpha %g; a network's text has 0.01", (double)alpha);
}

static int elu(struct onnx_writer *w, struct caelum_error *err) {
    float alpha;
    CHECK(onnx_get_real(w, "alpha", 1, &alpha, err));
    return alpha == 1 ? onnx_activate(w, "elu", err)
                      : REFUSE(w, err, "alpha %g; a network's text has 1", (double)alpha);
}

static int gelu(struct onnx_writer *w, struct caelum_error *err) {
    const char *form;
    CHECK(onnx_get_word(w, "approximate", "none", &form, err));
    return strcmp(form, "tanh") == 0 ? onnx_activate(w, "gelu", err)
                                     : REFUSE(w, err, "by erf; a network's text has its tanh form alone");
}

/* 3 for what was saved as "s3"; 0 if it was not. */
static size_t saved_as(const struct onnx_writer *w, const char *value) {
    for (size_t i = 0; i < w->saves; i++)
        if (strcmp(w->saved[i], value) == 0) return i + 1;
    return 0;
}

/* `add` or `concat` of what was saved, which must be laid out alike. */
static int say_skips(struct onnx_writer *w, const char *word, struct caelum_error *err) {
    const struct onnx_known now = w->now;
    for (size_t i = 0; i < w->step->skips; i++) {
        const char *value = w->step->skip[i];
        for (const struct onnx_step *step = w->path->step; step <= w->step; step++)
            if (strcmp(step->from, value) == 0 && w->known[step - w->path->step].flat != now.flat)
                return REFUSE(w, err, "of pictures and of what Flatten has made one row");
        CHECK(onnx_say(w, err, "%s s%zu", word, saved_as(w, value)));
    }
    return CAELUM_OK;
}

static int add(struct onnx_writer *w, struct caelum_error *err) {
    return w->step->constant ? onnx_add_constant(w, err) : say_skips(w, "add", err);
}

static int concat(struct onnx_writer *w, struct caelum_error *err) {
    int64_t axis;
    CHECK(onnx_get_int(w, "axis", 0, &axis, err));
    if (axis != 1 && axis != (w->now.flat ? -1 : -3))
        return REFUSE(w, err, "along axis %lld; a network's text appends channels", (long long)axis);
    return say_skips(w, "concat", err);
}

/* Weights [out][in], or turned. */
static int say_dense(struct onnx_writer *w, bool turned, const struct onnx_tensor *bias,
                     struct caelum_error *err) {
    const struct onnx_tensor *weight;
    CHECK(onnx_get_reals(w, 1, &weight, err));
    const size_t values = shape_values(w->now.shape);
    if (!w->now.flat) return REFUSE(w, err, "of pictures; expected rows of numbers, as Flatten makes them");
    if (!weight || weight->dims != 2 || weight->values == 0)
        return REFUSE(w, err, "expected weights of two dimensions");
    if (weight->dim[turned ? 0 : 1] != values)
        return REFUSE(w, err, "weights for %zu numbers, %zu come in", weight->dim[turned ? 0 : 1], values);
    const size_t n = weight->dim[turned ? 1 : 0];
    if (bias && (bias->values != n || bias->dims < 1 || bias->dim[bias->dims - 1] != n))
        return REFUSE(w, err, "a bias of %zu numbers for %zu outputs", bias->values, n);
    CHECK(onnx_say(w, err, "dense %zu", n));
    w->linear = w->affine = true;
    CHECK(onnx_weigh(w, "weight", weight, turned, err));
    return bias ? onnx_weigh(w, "bias", bias, false, err) : CAELUM_OK;
}

static int gemm(struct onnx_writer *w, struct caelum_error *err) {
    const struct onnx_tensor *bias;
    float alpha, beta;
    int64_t turn_a, turn_b;
    CHECK(onnx_get_reals(w, 2, &bias, err));
    CHECK(onnx_get_real(w, "alpha", 1, &alpha, err));
    CHECK(onnx_get_real(w, "beta", 1, &beta, err));
    CHECK(onnx_get_int(w, "transA", 0, &turn_a, err));
    CHECK(onnx_get_int(w, "transB", 0, &turn_b, err));
    if (alpha != 1 || (bias && beta != 1) || turn_a)
        return REFUSE(w, err, "alpha or beta other than 1, or transA");
    return say_dense(w, !turn_b, bias, err);
}

static int matmul(struct onnx_writer *w, struct caelum_error *err) {
    return say_dense(w, true, NULL, err);
}

static int prelu(struct onnx_writer *w, struct caelum_error *err) {
    const struct onnx_tensor *slope;
    CHECK(onnx_get_reals(w, 1, &slope, err));
    const size_t channels = w->now.shape.c;
    if (!slope || w->now.flat ||
        (slope->values != 1 &&
         (slope->values != channels || slope->dims < 3 || slope->dim[slope->dims - 3] != channels)))
        return REFUSE(w, err, "expected one slope, or one for each of %zu channels", channels);
    CHECK(onnx_say(w, err, "prelu"));
    return slope->values == channels ? onnx_weigh(w, "weight", slope, false, err)
                                     : onnx_weigh_number(w, "weight", *(const float *)slope->data, err);
}

/* Identity with a note, as noise.c writes it. */
static int noise(struct onnx_writer *w, struct caelum_error *err) {
    double sigma;
    if (!number_real(w->step->node->doc + 6, &sigma) || !(sigma >= 0 && sigma <= 100)) return CAELUM_OK;
    return onnx_say(w, err, "noise %.9g", sigma);
}

/* The shortest number that is the step, and what predicts bits, where the file has it. */
static int quantize(struct onnx_writer *w, struct caelum_error *err) {
    static const char *const names[] = {"mean_weight", "mean_bias", "scale_weight", "scale_bias"};
    char number[32];
    int digits = 1;
    double read = 0;
    do number_print(number, sizeof number, "%.*g", digits, (double)w->step->number);
    while (number_real(number, &read) && (float)read != w->step->number && ++digits <= 9);
    if (strchr(number, 'e')) number_print(number, sizeof number, "%.*f", 12, (double)w->step->number);
    CHECK(onnx_say(w, err, "quantize %s", number));
    for (size_t i = 0; i < 4; i++) {
        char name[200];
        snprintf(name, sizeof name, "%.100s.%s", w->step->node->name, names[i]);
        const struct onnx_tensor *tensor = onnx_constant(w->path->file, name);
        if (tensor && tensor->type == ONNX_FLOAT) CHECK(onnx_weigh(w, names[i], tensor, false, err));
    }
    return CAELUM_OK;
}

/* --- The table ------------------------------------------------------------------------------------ */

static const struct {
    const char *op;
    size_t least, most;     /* inputs */
    const char *attributes; /* that are understood, or make no difference here */
    int (*line)(struct onnx_writer *w, struct caelum_error *err);
} operators[] = {
    {"Conv", 2, 3, "auto_pad dilations group kernel_shape pads strides", onnx_conv},
    {"ConvTranspose", 2, 3, "auto_pad dilations group kernel_shape output_padding pads strides", onnx_deconv},
    {"MaxPool", 1, 1, "auto_pad ceil_mode dilations kernel_shape pads storage_order strides", onnx_pool},
    {"AveragePool", 1, 1, "auto_pad ceil_mode count_include_pad dilations kernel_shape pads strides",
     onnx_pool},
    {"Resize", 3, 4,
     "antialias axes coordinate_transformation_mode cubic_coeff_a exclude_outside extrapolation_value "
     "keep_aspect_ratio_policy mode nearest_mode",
     onnx_resize},
    {"Gemm", 2, 3, "alpha beta transA transB", gemm},
    {"MatMul", 2, 2, "", matmul},
    {"Flatten", 1, 1, "axis", onnx_flatten},
    {"Reshape", 2, 2, "allowzero", onnx_reshape},
    {"Unsqueeze", 1, 2, "axes", onnx_unsqueeze},
    {"Squeeze", 1, 2, "axes", onnx_squeeze},
    {"Slice", 3, 5, "", onnx_slice},
    {"Pad", 2, 3, "mode", onnx_pad},
    {"DepthToSpace", 1, 1, "blocksize mode", onnx_depth_to_space},
    {"Add", 2, 2, "", add},
    {"Sub", 2, 2, "", onnx_neutral},
    {"Mul", 2, 2, "", onnx_neutral},
    {"Div", 2, 2, "", onnx_neutral},
    {"Clip", 1, 3, "", onnx_clip},
    {"Concat", 1, ONNX_MOST_SKIPS, "axis", concat},
    {"Relu", 1, 1, "", activation},
    {"LeakyRelu", 1, 1, "alpha", leaky},
    {"Elu", 1, 1, "alpha", elu},
    {"Gelu", 1, 1, "approximate", gelu},
    {"Sigmoid", 1, 1, "", activation},
    {"Tanh", 1, 1, "", activation},
    {"HardSwish", 1, 1, "", activation},
    {"PRelu", 2, 2, "", prelu},
    {"InstanceNormalization", 3, 3, "epsilon", onnx_normalize},
    {"Identity", 1, 1, "", noise},
};

/* Whether a word stands in a list with blanks between. */
static bool is_listed(const char *word, const char *listed) {
    const size_t length = strlen(word);
    for (const char *at = listed; (at = strstr(at, word)); at++)
        if ((at == listed || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0')) return length > 0;
    return false;
}

static int write_node(struct onnx_writer *w, struct caelum_error *err) {
    const struct onnx_node *node = w->step->node;
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        if (strcmp(operators[i].op, node->op) != 0) continue;
        if (node->inputs < operators[i].least || node->inputs > operators[i].most)
            return REFUSE(w, err, "%zu inputs, %zu to %zu expected", node->inputs, operators[i].least,
                          operators[i].most);
        for (size_t j = 0; j < node->attributes; j++)
            if (!is_listed(node->attribute[j].name, operators[i].attributes))
                return REFUSE(w, err, "its attribute '%.40s' is not understood", node->attribute[j].name);
        return operators[i].line(w, err);
    }
    return REFUSE(w, err, "an operator that a network's text has no layer for");
}

static int write_step(struct onnx_writer *w, struct caelum_error *err) {
    switch (w->step->kind) {
    case ONNX_STEP_ACTIVATE:
        return onnx_activate(w, w->step->word, err);
    case ONNX_STEP_NORMALIZE:
        return onnx_normalize_groups(w, err);
    case ONNX_STEP_QUANTIZE:
        return quantize(w, err);
    case ONNX_STEP_SHUFFLE:
        return onnx_shuffle(w, err);
    case ONNX_STEP_UNSHUFFLE:
        return onnx_unshuffle(w, err);
    case ONNX_STEP_NODE:
        break;
    }
    return write_node(w, err);
}

/* `save` if a later step reads the value again. */
static int save(struct onnx_writer *w, const char *value, struct caelum_error *err) {
    bool read = false;
    for (size_t i = 0; i < w->path->count; i++)
        for (size_t j = 0; j < w->path->step[i].skips; j++)
            read |= strcmp(w->path->step[i].skip[j], value) == 0;
    if (!read) return CAELUM_OK;
    if (w->saves == NET_SKIPS) return REFUSE(w, err, "more than %d values are read again", NET_SKIPS);
    w->saved[w->saves++] = value;
    return onnx_say(w, err, "save s%zu", w->saves);
}

static int write_all(struct onnx_writer *w, struct caelum_error *err) {
    const struct onnx_path *path = w->path;
    for (size_t i = 0; i < path->count; i++) {
        w->step = &path->step[i];
        w->known[i] = w->now;
        if (i == 0) CHECK(save(w, w->step->from, err));
        CHECK(write_step(w, err));
        if (strcmp(w->step->to, "latent") == 0 && last_layer(w)) CHECK(onnx_say(w, err, "latent"));
        if (i + 1 < path->count) CHECK(save(w, w->step->to, err));
    }
    const size_t values = shape_values(w->now.shape);
    if (w->now.flat && w->now.shape.c != values) CHECK(onnx_say(w, err, "reshape %zu 1 1", values));
    if (!last_layer(w)) CHECK(onnx_say(w, err, "act linear")); /* a network has a layer */
    return net_finish(w->network->net, err);
}

int onnx_write_lines(struct onnx_network *network, const struct onnx_path *path, size_t height, size_t width,
                     struct caelum_error *err) {
    struct onnx_writer *w = NULL;
    const struct shape input = {path->file->graph.input.dim[1], height, width};
    CHECK(net_begin(&network->net, path->path, input, err));
    CHECK(mem_alloc(&w, 1, sizeof *w, err));
    w->network = network, w->path = path;
    w->now.shape = input;
    w->lists = (struct onnx_lists){.path = path, .shape = known_shape, .cookie = w};
    const int result = path->count > 0
                           ? write_all(w, err)
                           : caelum_fail(err, CAELUM_EFORMAT, "%s: its output is its input", path->path);
    mem_free(&w);
    return result;
}
