/* keras_build.c - a model as layers of Keras. What a line does in the order channel, row, column, Keras does
 * in the order row, column, channel: kernels and dense weights are put in that order, and where a line
 * depends on it (reshape, space_to_depth), Reshape and Permute do the same. */
#include "base/mem.h"
#include "base/number.h"
#include "exchange/keras.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LAYERS_A_LINE = 10 };

struct build {
    struct keras_graph *graph;
    const struct caelum_model *model;
    const struct net_layer *layer; /* the line at hand */
    const float *params;           /* its */
    size_t now;                    /* the graph's layer whose output is the current tensor */
    size_t *at;                    /* for each tensor of the network, the graph's layer */
};

/* --- Words of a line ------------------------------------------------------------------------------ */

/* What follows `key` at the beginning of a word, or NULL. */
static const char *word_with(const char *text, const char *key) {
    for (const char *at = strchr(text, ' '); at; at = strchr(at + 1, ' '))
        if (strncmp(at + 1, key, strlen(key)) == 0) return at + 1 + strlen(key);
    return NULL;
}
static bool has_word(const char *text, const char *word) {
    const char *rest = word_with(text, word);
    return rest && (*rest == ' ' || *rest == '\0');
}
/* The number that the text starts with. */
static size_t number_at(const char *text, size_t otherwise) {
    uint64_t n;
    return text && number_whole_at(text, &text, 0, SIZE_MAX, &n) ? (size_t)n : otherwise;
}
static size_t key_of(const char *text, const char *key, size_t otherwise) {
    return number_at(word_with(text, key), otherwise);
}
/* The line's first bare number. */
static size_t number_of(const char *text, size_t otherwise) {
    for (const char *at = strchr(text, ' '); at; at = strchr(at + 1, ' '))
        if (at[1] >= '0' && at[1] <= '9') return number_at(at + 1, otherwise);
    return otherwise;
}
static bool is_line(const struct build *b, const char *word) {
    return strcmp(b->layer->ops->name, word) == 0;
}

/* --- Layers --------------------------------------------------------------------------------------- */

static struct keras_layer *add(struct build *b, const char *class, json_t *config) {
    const size_t before = b->now;
    struct keras_layer *layer = keras_add(b->graph, class, config);
    const struct keras_layer *from = &b->graph->layer[before];
    layer->inputs = 1;
    layer->input[0] = before;
    layer->dims = from->dims;
    memcpy(layer->dim, from->dim, sizeof layer->dim);
    b->now = b->graph->count - 1;
    return layer;
}

static struct keras_layer *add_merge(struct build *b, const char *class, json_t *config, size_t other) {
    struct keras_layer *layer = add(b, class, config);
    layer->inputs = 2;
    layer->input[1] = other;
    b->graph->sequential = false;
    return layer;
}

static void set_picture(struct keras_layer *layer, struct shape s) {
    layer->dims = 3;
    layer->dim[0] = s.h, layer->dim[1] = s.w, layer->dim[2] = s.c;
}

static void add_reshape(struct build *b, size_t dims, const size_t *dim) {
    json_t *target = json_array();
    for (size_t d = 0; d < dims; d++) json_array_append_new(target, json_integer((json_int_t)dim[d]));
    struct keras_layer *layer = add(b, "Reshape", json_pack("{s:o}", "target_shape", target));
    layer->dims = dims;
    memcpy(layer->dim, dim, dims * sizeof *dim);
}

/* order: the input's axis for each of the output's, from 1 on. */
static void add_permute(struct build *b, size_t dims, const size_t *order) {
    json_t *axes = json_array();
    const struct keras_layer from = b->graph->layer[b->now];
    for (size_t d = 0; d < dims; d++) json_array_append_new(axes, json_integer((json_int_t)order[d]));
    struct keras_layer *layer = add(b, "Permute", json_pack("{s:o}", "dims", axes));
    for (size_t d = 0; d < dims; d++) layer->dim[d] = from.dim[order[d] - 1];
}

/* Behind a dense layer Keras has a row of numbers, caelum a picture of one pixel. */
static void need_picture(struct build *b) {
    const struct keras_layer *now = &b->graph->layer[b->now];
    if (now->dims == 1) add_reshape(b, 3, (const size_t[]){1, 1, now->dim[0]});
}

/* --- Activations ---------------------------------------------------------------------------------- */

/* Keras's name of a line's activation; NULL for the two that are layers of their own. */
static const char *activation_of(const char *text) {
    static const char *const names[] = {"relu", "elu", "silu", "sigmoid", "tanh"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (has_word(text, names[i])) return names[i];
    return has_word(text, "leaky") || has_word(text, "gelu") ? NULL : "linear";
}

static void add_gelu(struct build *b) {
    const size_t x = b->now;
    add_merge(b, "Multiply", json_object(), x);
    add(b, "Rescaling", json_pack("{s:f, s:f}", "scale", GELU_SCALE, "offset", GELU_OFFSET));
    add_merge(b, "Multiply", json_object(), x);
    add(b, "Activation", json_pack("{s:s}", "activation", "sigmoid"));
    add_merge(b, "Multiply", json_object(), x);
}

static void add_separate_activation(struct build *b) {
    const char *text = b->layer->text;
    if (has_word(text, "leaky"))
        add(b, "LeakyReLU", json_pack("{s:f}", "negative_slope", 0.01));
    else if (has_word(text, "gelu"))
        add_gelu(b);
}

/* --- Lines ---------------------------------------------------------------------------------------- */

/* From [a][b][K][K], as conv and deconv have it (a: the small picture's channels), to [K][K][i][j]. */
static int convolution_weights(struct build *b, struct keras_layer *layer, size_t kernel, size_t small,
                               size_t big, struct caelum_error *err) {
    const size_t taps = kernel * kernel;
    const bool transposed = is_line(b, "deconv");
    CHECK(mem_alloc(&layer->kernel, taps * small * big, sizeof(float), err));
    for (size_t i = 0; i < small; i++)
        for (size_t j = 0; j < big; j++)
            for (size_t t = 0; t < taps; t++)
                layer->kernel[(t * big + j) * small + i] = b->params[(i * big + j) * taps + t];
    const size_t out = transposed ? big : small;
    layer->kernel_dims = 4;
    memcpy(layer->kernel_dim, (const size_t[]){kernel, kernel, big, small}, sizeof layer->kernel_dim);
    layer->bias_dim = out;
    CHECK(mem_alloc(&layer->bias, out, sizeof(float), err));
    memcpy(layer->bias, b->params + taps * small * big, out * sizeof(float));
    return CAELUM_OK;
}

static int add_convolution(struct build *b, struct caelum_error *err) {
    const struct net_layer *l = b->layer;
    const char *text = l->text, *act = activation_of(text);
    const int k = (int)key_of(text, "k=", 3), stride = (int)key_of(text, "stride=", 1);
    need_picture(b);
    json_t *config =
        json_pack("{s:i, s:[i, i], s:[i, i], s:s, s:s, s:[i, i], s:i, s:s, s:b}", "filters", (int)l->out.c,
                  "kernel_size", k, k, "strides", stride, stride, "padding",
                  word_with(text, "pad=valid") ? "valid" : "same", "data_format", "channels_last",
                  "dilation_rate", 1, 1, "groups", 1, "activation", act ? act : "linear", "use_bias", 1);
    if (is_line(b, "deconv")) json_object_del(config, "groups");
    struct keras_layer *layer = add(b, is_line(b, "conv") ? "Conv2D" : "Conv2DTranspose", config);
    set_picture(layer, l->out);
    const bool plain = is_line(b, "conv");
    CHECK(convolution_weights(b, layer, (size_t)k, plain ? l->out.c : l->in.c, plain ? l->in.c : l->out.c,
                              err));
    add_separate_activation(b);
    return CAELUM_OK;
}

static int add_dense(struct build *b, struct caelum_error *err) {
    const struct net_layer *l = b->layer;
    const char *act = activation_of(l->text);
    const size_t in = shape_values(l->in), out = l->out.c;
    if (b->graph->layer[b->now].dims != 1) {
        struct keras_layer *flat = add(b, "Flatten", json_pack("{s:s}", "data_format", "channels_last"));
        flat->dims = 1;
        flat->dim[0] = in;
    }
    struct keras_layer *layer = add(
        b, "Dense",
        json_pack("{s:i, s:s, s:b}", "units", (int)out, "activation", act ? act : "linear", "use_bias", 1));
    layer->dim[0] = out;
    CHECK(mem_alloc(&layer->kernel, in * out, sizeof(float), err));
    for (size_t c = 0, from = 0; c < l->in.c; c++)
        for (size_t p = 0; p < l->in.h * l->in.w; p++, from++)
            for (size_t o = 0; o < out; o++)
                layer->kernel[(p * l->in.c + c) * out + o] = b->params[o * in + from];
    layer->kernel_dims = 2;
    layer->kernel_dim[0] = in, layer->kernel_dim[1] = out;
    layer->bias_dim = out;
    CHECK(mem_alloc(&layer->bias, out, sizeof(float), err));
    memcpy(layer->bias, b->params + in * out, out * sizeof(float));
    add_separate_activation(b);
    return CAELUM_OK;
}

static void add_resample(struct build *b) {
    const int size = (int)number_of(b->layer->text, 2);
    struct keras_layer *layer;
    if (is_line(b, "upsample"))
        layer =
            add(b, "UpSampling2D",
                json_pack("{s:[i, i], s:s, s:s}", "size", size, size, "data_format", "channels_last",
                          "interpolation", has_word(b->layer->text, "bilinear") ? "bilinear" : "nearest"));
    else
        layer = add(b, is_line(b, "maxpool") ? "MaxPooling2D" : "AveragePooling2D",
                    json_pack("{s:[i, i], s:[i, i], s:s, s:s}", "pool_size", size, size, "strides", size,
                              size, "padding", "valid", "data_format", "channels_last"));
    set_picture(layer, b->layer->out);
}

static void add_place(struct build *b) {
    const struct shape in = b->layer->in, out = b->layer->out;
    const bool crops = is_line(b, "crop");
    const int h = (int)(crops ? in.h - out.h : out.h - in.h), w = (int)(crops ? in.w - out.w : out.w - in.w);
    set_picture(add(b, crops ? "Cropping2D" : "ZeroPadding2D",
                    json_pack("{s:[[i, i], [i, i]], s:s}", crops ? "cropping" : "padding", h / 2, h - h / 2,
                              w / 2, w - w / 2, "data_format", "channels_last")),
                out);
}

/* The same values in the order channel, row, column. */
static void add_reshape_line(struct build *b) {
    const struct shape to = b->layer->out;
    if (b->graph->layer[b->now].dims != 1) add_permute(b, 3, (const size_t[]){3, 1, 2});
    add_reshape(b, 3, (const size_t[]){to.c, to.h, to.w});
    add_permute(b, 3, (const size_t[]){2, 3, 1});
}

/* Channel c n^2 + a n + b of pixel (i, j) is channel c of pixel (i n + a, j n + b). */
static void add_shuffle(struct build *b) {
    const size_t n = number_of(b->layer->text, 2);
    const struct shape in = b->layer->in, out = b->layer->out;
    if (is_line(b, "space_to_depth")) {
        add_reshape(b, 5, (const size_t[]){out.h, n, out.w, n, in.c});
        add_permute(b, 5, (const size_t[]){1, 3, 5, 2, 4});
    } else {
        add_reshape(b, 5, (const size_t[]){in.h, in.w, out.c, n, n});
        add_permute(b, 5, (const size_t[]){1, 4, 2, 5, 3});
    }
    add_reshape(b, 3, (const size_t[]){out.h, out.w, out.c});
}

static void add_skip(struct build *b) {
    const bool adds = is_line(b, "add");
    struct keras_layer *layer =
        add_merge(b, adds ? "Add" : "Concatenate", adds ? json_object() : json_pack("{s:i}", "axis", -1),
                  b->at[b->layer->skip]);
    set_picture(layer, b->layer->out);
}

static void add_activation_line(struct build *b) {
    const char *name = activation_of(b->layer->text);
    if (name)
        add(b, "Activation", json_pack("{s:s}", "activation", name));
    else
        add_separate_activation(b);
}

static int add_line(struct build *b, const char *path, struct caelum_error *err) {
    if (is_line(b, "conv") || is_line(b, "deconv")) return add_convolution(b, err);
    if (is_line(b, "dense")) return add_dense(b, err);
    if (is_line(b, "act")) {
        add_activation_line(b);
        return CAELUM_OK;
    }
    if (is_line(b, "reshape")) {
        add_reshape_line(b);
        return CAELUM_OK;
    }
    if (is_line(b, "noise")) {
        double sigma = 0;
        number_real(b->layer->text + strlen("noise"), &sigma);
        add(b, "GaussianNoise", json_pack("{s:f}", "stddev", sigma));
        return CAELUM_OK;
    }
    need_picture(b);
    if (is_line(b, "maxpool") || is_line(b, "avgpool") || is_line(b, "upsample"))
        add_resample(b);
    else if (is_line(b, "crop") || is_line(b, "pad"))
        add_place(b);
    else if (is_line(b, "space_to_depth") || is_line(b, "depth_to_space"))
        add_shuffle(b);
    else if (is_line(b, "add") || is_line(b, "concat"))
        add_skip(b);
    else if (!is_line(b, "save"))
        return caelum_fail(err, CAELUM_EFORMAT, "%s:%zu: %s: Keras has no layer for this", path,
                           b->layer->line, b->layer->text);
    return CAELUM_OK;
}

int keras_build(struct keras_graph *out, const struct caelum_model *model, struct caelum_error *err) {
    const struct caelum_net *net = model->net;
    struct keras_graph graph = {.sequential = true, .room = net->layers * MOST_LAYERS_A_LINE + 1};
    struct build b = {.graph = &graph, .model = model};
    int result = mem_alloc(&graph.layer, graph.room, sizeof *graph.layer, err);
    if (result == 0) result = mem_alloc(&b.at, net->layers + 1, sizeof *b.at, err);
    if (result == 0)
        set_picture(keras_add(&graph, "InputLayer",
                              json_pack("{s:[n, i, i, i]}", "batch_shape", (int)net->input.h,
                                        (int)net->input.w, (int)net->input.c)),
                    net->input);
    for (size_t i = 0; result == 0 && i < net->layers; i++) {
        b.layer = &net->layer[i];
        b.params = model->params + b.layer->params;
        result = add_line(&b, net->file, err);
        b.at[i + 1] = b.now;
        if (result == 0 && b.layer->latent && b.now > 0) {
            struct keras_layer *code = &graph.layer[b.now];
            snprintf(code->name, sizeof code->name, "latent");
        }
    }
    graph.output = b.now;
    mem_free(&b.at);
    if (result != 0)
        keras_close(&graph);
    else
        *out = graph;
    return result;
}
