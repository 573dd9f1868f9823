/* keras_text.h - the text that grows while a Keras graph is read, and where Keras's numbers lie in its
 * tensors. Functions return a code, with the sentence in reader.err. */
#ifndef CAELUM_EXCHANGE_KERAS_TEXT_H
#define CAELUM_EXCHANGE_KERAS_TEXT_H

#include "exchange/keras.h"

enum { READER_DIMS = 6 };

enum weights_kind { WEIGHTS_CONV, WEIGHTS_DECONV, WEIGHTS_DENSE, WEIGHTS_POINTS };

/* A line's weights, to be read once the text is whole. */
struct weights {
    enum weights_kind kind;
    size_t layer;    /* of the graph */
    char name[40];   /* of the line: "conv1" */
    size_t *columns; /* owned; for each of Keras's inputs (a convolution's channels) ours; NULL: the same */
    size_t *rows;    /* owned; for each of Keras's outputs ours; NULL: the same */
};

struct reader {
    struct keras_graph *graph;
    const char *path;
    struct caelum_error *err;
    const struct keras_layer *layer; /* at hand */
    /* of each of the graph's layers: how many take its output; its `save` line's number, 0: none */
    size_t *uses, *saved;
    size_t now; /* the layer whose output is the current tensor */
    bool ended;
    /* the text */
    char text[1 << 16];
    size_t height, width, saves;
    bool lines, marked; /* there are some; there is a latent mark */
    bool open;          /* an activation can be appended to the last line */
    /* the current tensor: Keras's shape without the batch, caelum's, and for each of Keras's numbers where it
     * is in caelum's; map NULL: row, column, channel of the same picture */
    size_t dims, dim[READER_DIMS];
    struct shape ours;
    size_t *map;           /* owned */
    struct weights *dense; /* a dense layer that made it, whose outputs may still change places; or NULL */
    struct weights *weights;
    size_t weight_count;
};

/* CAELUM_EFORMAT: "PATH: layer 'conv2d' (Conv2D): ...". */
int reader_fail(const struct reader *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Starts with the input, whose shape is r->dim. */
int text_begin(struct reader *r);
/* Adds a line that takes the current tensor as caelum has it, and makes its output the current one. */
int text_line(struct reader *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Adds one that does the same to each number: shapes and map stay. */
int text_line_on_map(struct reader *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Appends an activation to the last line. */
int text_append(struct reader *r, const char *word);
/* Marks the last line's output as the code. */
int text_latent(struct reader *r);
/* Weights for the line that comes next; columns are taken. */
struct weights *text_weights(struct reader *r, size_t *columns);

/* Makes the map, if there is none. */
int text_map(struct reader *r);
/* Keras's axis d becomes what axis from[d] was. */
int text_permute(struct reader *r, const size_t *from);
/* Keras's first `own` channels become its last. */
int text_rotate_channels(struct reader *r, size_t own);
/* Adds the line that explains the map, if there is one. */
int text_explain(struct reader *r);
/* The same, and the current tensor is a picture then; fails otherwise. */
int text_pixels(struct reader *r);
/* Likewise, but channels may be in another order: that is *columns then, else NULL. */
int text_pixels_or_channels(struct reader *r, size_t **columns);

/* The whole text as a model, with its weights. */
int text_model(struct reader *r, struct caelum_model **model, keras_values values, void *cookie);
void text_end(struct reader *r);

#endif
