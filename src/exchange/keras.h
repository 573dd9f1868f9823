/* keras.h - a Keras model in memory: layers, each behind one or two others, with Keras 3's classes and
 * configurations; keras_json.c turns Keras 2's into these and back. Tensors are [row][column][channel]. */
#ifndef CAELUM_EXCHANGE_KERAS_H
#define CAELUM_EXCHANGE_KERAS_H

#include "model/model.h"

#include <jansson.h>

/* Keras has no layer for the tanh form of GELU. This is what it is made of, exactly:
 * x sigmoid(x (GELU_SCALE x^2 + GELU_OFFSET)), for 1 + tanh z = 2 sigmoid(2 z). */
#define GELU_OFFSET 1.5957691216057308 /* 2 sqrt(2 / pi) */
#define GELU_SCALE (0.044715 * GELU_OFFSET)

enum keras_kind { KERAS_2, KERAS_3 };

/* The other layers' names of it: "conv2d_1". Dims without the batch. */
struct keras_layer {
    char class[40], name[128];
    json_t *config; /* owned; without its name */
    size_t inputs, input[2];
    size_t dims, dim[5]; /* of its output; known when writing */
    /* when writing: kernel and bias in Keras's order, owned; NULL: it has none */
    float *kernel, *bias;
    size_t kernel_dims, kernel_dim[4], bias_dim;
};

struct keras_graph {
    struct keras_layer *layer; /* owned; the first is the InputLayer */
    size_t count, room;
    size_t output;   /* the layer whose output is the model's */
    bool sequential; /* each layer follows the one before */
};

/* Appends a layer of that class, whose config is taken; room must be left. */
struct keras_layer *keras_add(struct keras_graph *graph, const char *class, json_t *config);
void keras_close(struct keras_graph *graph);

/* keras_build.c: the model as such a graph. CAELUM_EFORMAT names what Keras has no layers for. */
int keras_build(struct keras_graph *graph, const struct caelum_model *model, struct caelum_error *err);

/* keras_json.c: the text of model_config, or of config.json, to be freed with free(); NULL: no memory. */
char *keras_to_json(const struct keras_graph *graph, enum keras_kind kind);
/* And back, from either kind. CAELUM_EFORMAT, naming path, if it is none, or no single chain of layers with
 * skips from one input to one output. */
int keras_from_json(struct keras_graph *graph, const char *text, size_t size, const char *path,
                    struct caelum_error *err);
/* "conv2d_transpose" of "Conv2DTranspose", as Keras names layers and groups. */
void keras_snake(const char *class, char snake[64]);

/* keras_read.c: where a layer's values are: fills `to` with its kernel (kernel true) or its bias. */
typedef int (*keras_values)(void *cookie, size_t layer, bool kernel, size_t dims, const size_t *dim,
                            float *to, struct caelum_error *err);
/* A model of the graph. CAELUM_EFORMAT names the layer that a network's text has no word for. */
int keras_read(struct caelum_model **model, struct keras_graph *graph, const char *path, keras_values values,
               void *cookie, struct caelum_error *err);

#endif
