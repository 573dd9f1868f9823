/* activation.h - what layers with an activation at their end share: its word in the text, and the two
 * places in forward and backward where it comes in.
 *
 * Most derivatives can be had from the output. For the others the layer keeps its linear part: such a
 * layer asks for activation_saved floats in step_sizes.saved, computes into activation_linear, and both
 * passes end, or begin, here. */
#ifndef CAELUM_LAYERS_ACTIVATION_H
#define CAELUM_LAYERS_ACTIVATION_H

#include "layers/layer.h"
#include "layers/onnx.h"

/* Their words, by enum activation, "linear" first; NULL at the end. */
extern const char *const activation_words[];

/* Floats of io->saved that an output of this shape needs. act is an enum activation, here and below. */
size_t activation_saved(size_t act, struct shape out);
/* Where the linear part goes: y itself, or `saved`, which then holds activation_saved floats. */
struct tensor activation_linear(size_t act, const struct tensor *y, float *saved);
/* y = act(linear). ReLU is left out: the convolution has applied it already. */
void activation_forward(size_t act, const struct layer_io *io, const struct tensor *linear);
/* dy becomes the gradient of the linear part, but for its border. */
void activation_backward(size_t act, const struct layer_io *io, const struct tensor *linear);
/* The activation of graph->value, after opset 13. */
void activation_onnx(size_t act, struct onnx_graph *graph);

#endif
