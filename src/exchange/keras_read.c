/* keras_read.c - a graph of Keras's layers as a network's text and its weights.
 *
 * A text is one chain of lines, with skips. The graph is walked in its order, and each layer must take what
 * the one before has made, or add or append a tensor from above, which then gets a `save` line. Keras's
 * Reshape, Flatten and Permute, and Concatenate with the saved tensor first, make no line at first: a map
 * says where in caelum's tensor (channel, row, column) each number of Keras's lies. Before a layer that looks
 * at pixels a line must be found that explains the map (reshape, space_to_depth, depth_to_space), or a dense
 * layer's outputs are put in another order; dense layers and convolutions take a map into their weights. */
#include "base/mem.h"
#include "base/number.h"
#include "exchange/keras_text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* --- Configurations ------------------------------------------------------------------------------- */

int reader_fail(const struct reader *r, const char *format, ...) {
    char why[300];
    va_list args;
    va_start(args, format);
    number_vprint(why, sizeof why, format, args);
    va_end(args);
    return caelum_fail(r->err, CAELUM_EFORMAT, "%s: layer '%s' (%s): %s", r->path, r->layer->name,
                       r->layer->class, why);
}

static const char *text_of(const struct reader *r, const char *key, const char *otherwise) {
    const json_t *value = json_object_get(r->layer->config, key);
    return json_is_string(value) ? json_string_value(value) : otherwise;
}
static double number_of(const struct reader *r, const char *key, double otherwise) {
    const json_t *value = json_object_get(r->layer->config, key);
    return json_is_number(value) ? json_number_value(value) : otherwise;
}

/* A number of both directions: 2 or [2, 2]. null: `otherwise`. */
static int square(const struct reader *r, const char *key, size_t otherwise, size_t *value) {
    const json_t *at = json_object_get(r->layer->config, key);
    const json_t *one = json_is_array(at) ? json_array_get(at, 0) : at,
                 *two = json_is_array(at) ? json_array_get(at, 1) : at;
    *value = otherwise;
    if (!at || json_is_null(at)) return CAELUM_OK;
    const json_int_t n = json_integer_value(one);
    if (!json_is_integer(one) || !json_equal(one, two) || n < 1 || n > 65536 ||
        (json_is_array(at) && json_array_size(at) != 2))
        return reader_fail(r, "its %s must be one whole number, or two that are equal", key);
    *value = (size_t)n;
    return CAELUM_OK;
}

static int whole(const struct reader *r, const char *key, size_t *value) {
    const json_t *at = json_object_get(r->layer->config, key);
    if (!json_is_integer(at) || json_integer_value(at) < 1 || json_integer_value(at) > 65536)
        return reader_fail(r, "its %s must be a whole number from 1 to 65536", key);
    *value = (size_t)json_integer_value(at);
    return CAELUM_OK;
}

/* " relu": the word for an activation, "" for none. */
static int activation(const struct reader *r, const char *name, const char **word) {
    static const char *const names[][2] = {{"linear", ""},    {"relu", " relu"},       {"elu", " elu"},
                                           {"silu", " silu"}, {"sigmoid", " sigmoid"}, {"tanh", " tanh"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i][0]) == 0) {
            *word = names[i][1];
            return CAELUM_OK;
        }
    if (strcmp(name, "gelu") == 0)
        return reader_fail(r, "activation gelu: Keras's is the exact one, caelum's its tanh form");
    return reader_fail(r, "activation '%.40s': expected linear, relu, elu, silu, sigmoid or tanh", name);
}

/* " 3", and nothing for 2, which is what a line does without. */
static const char *unless_two(size_t n, char text[24]) {
    *text = '\0';
    if (n != 2) snprintf(text, 24, " %zu", n);
    return text;
}

static int channels_last(const struct reader *r) {
    if (strcmp(text_of(r, "data_format", "channels_last"), "channels_last") == 0) return CAELUM_OK;
    return reader_fail(r, "data_format channels_first: only channels_last is read");
}

/* --- Layers with weights -------------------------------------------------------------------------- */

static int convolution_options(const struct reader *r, bool transposed, char *options, size_t size) {
    size_t kernel, stride, dilation, groups = 1;
    const char *padding = text_of(r, "padding", "valid");
    CHECK(channels_last(r));
    CHECK(square(r, "kernel_size", 0, &kernel));
    CHECK(square(r, "strides", 1, &stride));
    CHECK(square(r, "dilation_rate", 1, &dilation));
    if (json_object_get(r->layer->config, "groups")) CHECK(whole(r, "groups", &groups));
    if (dilation != 1 || groups != 1) return reader_fail(r, "dilation or groups other than 1");
    const json_t *more = json_object_get(r->layer->config, "output_padding");
    if (transposed && more && !json_is_null(more)) return reader_fail(r, "an output_padding");
    const bool valid = strcmp(padding, "valid") == 0;
    if (!valid && strcmp(padding, "same") != 0) return reader_fail(r, "padding '%.20s'", padding);
    *options = '\0';
    if (kernel != 3) snprintf(options, size, " k=%zu", kernel);
    if (valid) snprintf(options + strlen(options), size - strlen(options), " pad=valid");
    if (stride != 1) snprintf(options + strlen(options), size - strlen(options), " stride=%zu", stride);
    return CAELUM_OK;
}

static int read_convolution(struct reader *r) {
    const bool transposed = strcmp(r->layer->class, "Conv2DTranspose") == 0;
    char options[64];
    const char *act = "";
    size_t filters = 0, *columns;
    struct weights *w;
    CHECK(whole(r, "filters", &filters));
    CHECK(convolution_options(r, transposed, options, sizeof options));
    CHECK(activation(r, text_of(r, "activation", "linear"), &act));
    CHECK(text_pixels_or_channels(r, &columns));
    w = text_weights(r, columns);
    w->kind = transposed ? WEIGHTS_DECONV : WEIGHTS_CONV;
    CHECK(text_line(r, "%s %zu%s%s", transposed ? "deconv" : "conv", filters, options, act));
    r->open = !*act;
    return CAELUM_OK;
}

static int read_dense(struct reader *r) {
    const char *act = "";
    size_t units = 0, *columns;
    struct weights *w;
    CHECK(whole(r, "units", &units));
    CHECK(activation(r, text_of(r, "activation", "linear"), &act));
    if (r->dims == 1) {
        CHECK(text_map(r)); /* goes into the weights */
        w = text_weights(r, r->map);
        r->map = NULL;
        w->kind = WEIGHTS_DENSE;
        CHECK(text_line(r, "dense %zu%s", units, act));
        r->dims = 1, r->dim[0] = units;
        CHECK(text_map(r));
        r->dense = w;
    } else { /* Keras multiplies along the last axis: the channels of each pixel */
        CHECK(text_pixels_or_channels(r, &columns));
        w = text_weights(r, columns);
        w->kind = WEIGHTS_POINTS;
        CHECK(text_line(r, "conv %zu k=1%s", units, act));
    }
    r->open = !*act;
    return CAELUM_OK;
}

/* --- Layers without ------------------------------------------------------------------------------- */

static int act_line(struct reader *r, const char *word) {
    if (!*word) return CAELUM_OK;
    if (r->open) return text_append(r, word);
    struct weights *dense = r->dense;
    CHECK(text_line_on_map(r, "act%s", word));
    r->dense = dense;
    return CAELUM_OK;
}

static int read_activation(struct reader *r) {
    const char *class = r->layer->class, *word = "";
    const double slope = number_of(r, "negative_slope", strcmp(class, "LeakyReLU") == 0 ? 0.3 : 0);
    if (strcmp(class, "Activation") == 0) {
        CHECK(activation(r, text_of(r, "activation", "?"), &word));
        return act_line(r, word);
    }
    if (strcmp(class, "gelu") == 0) return act_line(r, " gelu");
    if (strcmp(class, "ELU") == 0) {
        /* its "alpha" has been renamed with LeakyReLU's */
        if (number_of(r, "negative_slope", 1) != 1) return reader_fail(r, "alpha other than 1");
        return act_line(r, " elu");
    }
    const json_t *most = json_object_get(r->layer->config, "max_value");
    if (strcmp(class, "ReLU") == 0 && ((most && !json_is_null(most)) || number_of(r, "threshold", 0) != 0))
        return reader_fail(r, "a max_value or a threshold");
    if (fabs(slope - 0.01) < 1e-6) return act_line(r, " leaky");
    if (slope == 0) return act_line(r, " relu");
    return reader_fail(r, "slope %g below zero, expected 0.01 or 0", slope);
}

static int read_pool(struct reader *r) {
    size_t size, stride;
    CHECK(channels_last(r));
    CHECK(square(r, "pool_size", 2, &size));
    CHECK(square(r, "strides", size, &stride));
    if (stride != size)
        return reader_fail(r, "windows of %zu at steps of %zu; they must lie side by side", size, stride);
    CHECK(text_pixels(r));
    if (strcmp(text_of(r, "padding", "valid"), "valid") != 0 && (r->dim[0] % size || r->dim[1] % size))
        return reader_fail(r, "windows over the edge: padding must be valid");
    char number[24];
    return text_line(r, "%s%s", strcmp(r->layer->class, "MaxPooling2D") == 0 ? "maxpool" : "avgpool",
                     unless_two(size, number));
}

static int read_global_pool(struct reader *r) {
    CHECK(channels_last(r));
    CHECK(text_pixels(r));
    if (r->dim[0] != r->dim[1])
        return reader_fail(r, "%zux%zu pixels; only squares can be pooled", r->dim[0], r->dim[1]);
    CHECK(text_line(r, "%s %zu", strcmp(r->layer->class, "GlobalMaxPooling2D") == 0 ? "maxpool" : "avgpool",
                    r->dim[0]));
    if (json_is_true(json_object_get(r->layer->config, "keepdims"))) return CAELUM_OK;
    CHECK(text_map(r));
    r->dims = 1, r->dim[0] = r->dim[2];
    return CAELUM_OK;
}

static int read_upsampling(struct reader *r) {
    const char *way = text_of(r, "interpolation", "nearest");
    size_t size;
    CHECK(channels_last(r));
    CHECK(square(r, "size", 2, &size));
    if (strcmp(way, "nearest") != 0 && strcmp(way, "bilinear") != 0)
        return reader_fail(r, "interpolation '%.30s': expected nearest or bilinear", way);
    CHECK(text_pixels(r));
    char number[24];
    return text_line(r, "upsample%s%s", unless_two(size, number), *way == 'b' ? " bilinear" : "");
}

/* Rows or columns before and behind: 1, [1, 2] or [[0, 1], [0, 1]]. */
static int margins(const struct reader *r, const char *key, size_t axis, size_t *sum) {
    const json_t *at = json_object_get(r->layer->config, key);
    if (json_is_array(at)) at = json_array_get(at, axis);
    const json_int_t before = json_integer_value(json_is_array(at) ? json_array_get(at, 0) : at);
    const json_int_t behind = json_integer_value(json_is_array(at) ? json_array_get(at, 1) : at);
    if (before < 0 || behind < before || behind - before > 1 || behind > 65536)
        return reader_fail(r, "its %s must be the same on both sides, the odd one below and to the right",
                           key);
    *sum = (size_t)(before + behind);
    return CAELUM_OK;
}

static int read_place(struct reader *r) {
    const bool crops = strcmp(r->layer->class, "Cropping2D") == 0;
    size_t h, w;
    CHECK(channels_last(r));
    CHECK(margins(r, crops ? "cropping" : "padding", 0, &h));
    CHECK(margins(r, crops ? "cropping" : "padding", 1, &w));
    CHECK(text_pixels(r));
    if (crops && (h >= r->dim[0] || w >= r->dim[1])) return reader_fail(r, "nothing would be left");
    return crops ? text_line(r, "crop %zu %zu", r->dim[0] - h, r->dim[1] - w)
                 : text_line(r, "pad %zu %zu", r->dim[0] + h, r->dim[1] + w);
}

static int read_noise(struct reader *r) {
    return text_line_on_map(r, "noise %.9g", number_of(r, "stddev", 0));
}

static int read_flatten(struct reader *r) {
    CHECK(channels_last(r));
    CHECK(text_map(r));
    size_t all = 1;
    for (size_t d = 0; d < r->dims; d++) all *= r->dim[d];
    r->dims = 1, r->dim[0] = all;
    return CAELUM_OK;
}

static int read_reshape(struct reader *r) {
    const json_t *target = json_object_get(r->layer->config, "target_shape");
    const size_t dims = json_array_size(target);
    size_t all = 1, known = 1, dim[READER_DIMS] = {0}, open = READER_DIMS;
    for (size_t d = 0; d < r->dims; d++) all *= r->dim[d];
    if (dims < 1 || dims > READER_DIMS)
        return reader_fail(r, "a target_shape of 1 to %d numbers is expected", READER_DIMS);
    for (size_t d = 0; d < dims; d++) {
        const json_int_t n = json_integer_value(json_array_get(target, d));
        if (n == -1 && open == READER_DIMS) {
            open = d;
        } else {
            dim[d] = (size_t)n;
            if (n < 1 || (size_t)n > all / known)
                return reader_fail(r, "its target_shape has not the input's %zu numbers", all);
            known *= (size_t)n;
        }
    }
    if (open < READER_DIMS) dim[open] = all / known, known *= dim[open];
    if (known != all) return reader_fail(r, "its target_shape has not the input's %zu numbers", all);
    CHECK(text_map(r));
    r->dims = dims;
    memcpy(r->dim, dim, sizeof dim);
    return text_explain(r);
}

static int read_permute(struct reader *r) {
    const json_t *axes = json_object_get(r->layer->config, "dims");
    size_t from[READER_DIMS] = {0};
    bool used[READER_DIMS] = {false};
    for (size_t d = 0; d < r->dims; d++) {
        const json_int_t n = json_integer_value(json_array_get(axes, d));
        if (json_array_size(axes) != r->dims || n < 1 || (size_t)n > r->dims || used[n - 1])
            return reader_fail(r, "its dims must be the numbers from 1 to %zu in some order", r->dims);
        from[d] = (size_t)n - 1;
        used[n - 1] = true;
    }
    CHECK(text_map(r));
    CHECK(text_permute(r, from));
    return text_explain(r);
}

static int read_merge(struct reader *r) {
    const struct keras_layer *l = r->layer;
    const bool adds = strcmp(l->class, "Add") == 0;
    if (l->inputs != 2) return reader_fail(r, "two inputs are expected, got %zu", l->inputs);
    const size_t other = l->input[l->input[0] == r->now];
    CHECK(text_pixels(r));
    if (!r->saved[other])
        return reader_fail(r, "its inputs lie on two branches; a network's text is one chain");
    if (adds) return text_line(r, "add s%zu", r->saved[other]);
    const double axis = number_of(r, "axis", -1);
    if (axis != -1 && axis != 3) return reader_fail(r, "axis %g, expected the channels, -1", axis);
    const size_t own = r->dim[2];
    CHECK(text_line(r, "concat s%zu", r->saved[other]));
    if (l->input[0] == r->now) return CAELUM_OK;
    return text_rotate_channels(r, own); /* Keras has the saved ones first */
}

/* --- The walk ------------------------------------------------------------------------------------- */

static const struct {
    const char *class;
    int (*read)(struct reader *r);
} classes[] = {
    {"Conv2D", read_convolution},
    {"Conv2DTranspose", read_convolution},
    {"Dense", read_dense},
    {"Activation", read_activation},
    {"LeakyReLU", read_activation},
    {"ReLU", read_activation},
    {"ELU", read_activation},
    {"gelu", read_activation},
    {"MaxPooling2D", read_pool},
    {"AveragePooling2D", read_pool},
    {"GlobalAveragePooling2D", read_global_pool},
    {"GlobalMaxPooling2D", read_global_pool},
    {"UpSampling2D", read_upsampling},
    {"Cropping2D", read_place},
    {"ZeroPadding2D", read_place},
    {"GaussianNoise", read_noise},
    {"Flatten", read_flatten},
    {"Reshape", read_reshape},
    {"Permute", read_permute},
    {"Add", read_merge},
    {"Concatenate", read_merge},
};

static int read_layer(struct reader *r, size_t i) {
    const struct keras_layer *l = &r->graph->layer[i];
    r->layer = l;
    if (r->ended) return reader_fail(r, "comes after the model's output");
    if (l->input[0] != r->now && (l->inputs < 2 || l->input[1] != r->now))
        return reader_fail(r,
                           "does not follow the layer before it; a network's text is one chain with skips");
    for (size_t c = 0; c < sizeof classes / sizeof *classes; c++)
        if (strcmp(l->class, classes[c].class) == 0) return classes[c].read(r);
    return reader_fail(r, "a network's text has no line for this class");
}

static bool is_of(const struct keras_graph *g, size_t i, const char *class) {
    return strcmp(g->layer[i].class, class) == 0;
}

/* x sigmoid(x (scale x^2 + offset)) becomes one layer, "gelu"; the other four vanish (class ""). */
static void find_gelu(struct keras_graph *g, size_t i) {
    struct keras_layer *l = &g->layer[i];
    if (!is_of(g, i, "Multiply") || l->inputs != 2) return;
    const size_t x = l->input[0] < l->input[1] ? l->input[0] : l->input[1], s = l->input[0] + l->input[1] - x;
    const struct keras_layer *sigmoid = &g->layer[s];
    const char *act = json_string_value(json_object_get(sigmoid->config, "activation"));
    if (!is_of(g, s, "Activation") || !act || strcmp(act, "sigmoid") != 0) return;
    const size_t q = sigmoid->input[0];
    const struct keras_layer *m = &g->layer[q];
    if (!is_of(g, q, "Multiply") || m->inputs != 2 || (m->input[0] != x && m->input[1] != x)) return;
    const size_t p = m->input[0] + m->input[1] - x, sq = g->layer[p].input[0];
    const json_t *config = g->layer[p].config;
    const struct keras_layer *square_of = &g->layer[sq];
    if (!is_of(g, p, "Rescaling") || !is_of(g, sq, "Multiply") || square_of->inputs != 2 ||
        square_of->input[0] != x || square_of->input[1] != x ||
        fabs(json_number_value(json_object_get(config, "scale")) - GELU_SCALE) > 1e-6 ||
        fabs(json_number_value(json_object_get(config, "offset")) - GELU_OFFSET) > 1e-6)
        return;
    snprintf(l->class, sizeof l->class, "gelu");
    l->inputs = 1, l->input[0] = x;
    const size_t parts[] = {s, q, p, sq};
    for (size_t k = 0; k < 4; k++) g->layer[parts[k]].class[0] = '\0';
}

static int read_input(struct reader *r) {
    const json_t *shape = json_object_get(r->graph->layer[0].config, "batch_shape");
    r->layer = &r->graph->layer[0];
    if (strcmp(r->layer->class, "InputLayer") != 0) return reader_fail(r, "expected an InputLayer first");
    r->dims = 3;
    for (size_t d = 0; d < 3; d++) {
        const json_int_t n = json_integer_value(json_array_get(shape, d + 1));
        if (json_array_size(shape) != 4 || n < 1 || n > (d < 2 ? 65536 : 1024))
            return reader_fail(r, "pictures of a fixed size are expected: [null, rows, columns, channels]");
        r->dim[d] = (size_t)n;
    }
    return text_begin(r);
}

/* A tensor that two layers take is saved, if the second is below another. */
static int finish_layer(struct reader *r, size_t i) {
    const struct keras_layer *l = &r->graph->layer[i];
    r->now = i;
    r->ended = i == r->graph->output;
    if (i > 0 && strcmp(l->name, "latent") == 0) CHECK(text_latent(r));
    if (r->uses[i] < 2) return CAELUM_OK;
    r->layer = l;
    CHECK(text_pixels(r));
    CHECK(text_line(r, "save s%zu", ++r->saves));
    r->saved[i] = r->saves;
    return CAELUM_OK;
}

static int walk(struct reader *r) {
    struct keras_graph *g = r->graph;
    for (size_t i = 0; i < g->count; i++) find_gelu(g, i);
    for (size_t i = 0; i < g->count; i++)
        for (size_t k = 0; *g->layer[i].class && k < g->layer[i].inputs; k++) r->uses[g->layer[i].input[k]]++;
    CHECK(read_input(r));
    CHECK(finish_layer(r, 0));
    for (size_t i = 1; i < g->count; i++) {
        if (!*g->layer[i].class) continue;
        CHECK(read_layer(r, i));
        CHECK(finish_layer(r, i));
    }
    r->layer = &g->layer[g->output];
    if (!r->ended) return reader_fail(r, "is the output, but part of another layer");
    return text_pixels(r);
}

int keras_read(struct caelum_model **model, struct keras_graph *graph, const char *path, keras_values values,
               void *cookie, struct caelum_error *err) {
    struct reader r = {.graph = graph, .path = path, .err = err};
    int result = mem_alloc(&r.uses, graph->count, sizeof *r.uses, err);
    if (result == 0) result = mem_alloc(&r.saved, graph->count, sizeof *r.saved, err);
    if (result == 0) result = mem_alloc(&r.weights, graph->count, sizeof *r.weights, err);
    if (result == 0) result = walk(&r);
    if (result == 0) result = text_model(&r, model, values, cookie);
    text_end(&r);
    return result;
}
