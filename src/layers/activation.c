/* activation.c - words of activations, memory for those whose derivative needs the input, and their ONNX
 * nodes. The table is kernels/activations.def. */
#include "layers/activation.h"

const char *const activation_words[] = {
#define ACTIVATION(name, truth, keeps, forward, backward, onnx) #name,
#include "kernels/activations.def"
#undef ACTIVATION
    NULL};

size_t activation_saved(size_t act, struct shape out) {
    return activation_keeps_input((enum activation)act) ? shape_values(out) : 0;
}

struct tensor activation_linear(size_t act, const struct tensor *y, float *saved) {
    if (!activation_keeps_input((enum activation)act)) return *y;
    return (struct tensor){.data = saved,
                           .c = y->c,
                           .h = y->h,
                           .w = y->w,
                           .step = y->step,
                           .idle = y->idle,
                           .row = y->w * y->step,
                           .plane = y->h * y->w * y->step};
}

void activation_forward(size_t act, const struct layer_io *io, const struct tensor *linear) {
    if (act != ACT_relu && act != ACT_linear) io->kernels->act(linear, &io->y, (enum activation)act);
}

void activation_backward(size_t act, const struct layer_io *io, const struct tensor *linear) {
    io->kernels->act_grad(activation_keeps_input((enum activation)act) ? linear : &io->y, &io->dy,
                          (enum activation)act);
}

/* --- ONNX ----------------------------------------------------------------------------------------- */

static void unary(struct onnx_graph *graph, const char *op, const char *part) {
    onnx_node(graph, op, part, graph->value, NULL);
}

static void unary_alpha(struct onnx_graph *graph, const char *op, const char *part, float alpha) {
    unary(graph, op, part);
    onnx_real(graph, "alpha", alpha);
}

/* x sigmoid(x) */
static void silu(struct onnx_graph *graph) {
    const char *x = graph->value;
    onnx_node(graph, "Mul", "silu", x, onnx_node(graph, "Sigmoid", "silu_sigmoid", x, NULL));
}

/* x (x / 6 + 1/2 within 0 and 1), in the steps of PyTorch's export. */
static void hardswish(struct onnx_graph *graph) {
    const char *x = graph->value;
    unary_alpha(graph, "HardSigmoid", "hard_sigmoid", 1.0f / 6);
    onnx_real(graph, "beta", 0.5f);
    onnx_node(graph, "Mul", "hardswish", x, graph->value);
}

/* 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), in the steps of PyTorch 1.13's export. */
static void gelu(struct onnx_graph *graph) {
    const char *x = graph->value;
    const char *square = onnx_node(graph, "Mul", "gelu_square", x, x);
    const char *cube = onnx_node(graph, "Mul", "gelu_cube", x, square);
    onnx_node(graph, "Mul", "gelu_bent", onnx_scalar(graph, "gelu_bend", 0.044715f), cube);
    onnx_node(graph, "Add", "gelu_sum", x, graph->value);
    onnx_node(graph, "Mul", "gelu_inner", onnx_scalar(graph, "gelu_slope", 0.797884560803f), graph->value);
    onnx_node(graph, "Tanh", "gelu_tanh", graph->value, NULL);
    onnx_node(graph, "Add", "gelu_share", onnx_scalar(graph, "gelu_one", 1), graph->value);
    onnx_node(graph, "Mul", "gelu_twice", x, graph->value);
    onnx_node(graph, "Mul", "gelu", onnx_scalar(graph, "gelu_half", 0.5f), graph->value);
}

/* 0.5 x (1 + erf(x / sqrt 2)), in the steps of PyTorch's export. */
static void gelu_erf(struct onnx_graph *graph) {
    const char *x = graph->value;
    onnx_node(graph, "Div", "gelu_scaled", x, onnx_scalar(graph, "gelu_root", 1.41421356237f));
    onnx_node(graph, "Erf", "gelu_erf", graph->value, NULL);
    onnx_node(graph, "Add", "gelu_share", graph->value, onnx_scalar(graph, "gelu_one", 1));
    onnx_node(graph, "Mul", "gelu_twice", x, graph->value);
    onnx_node(graph, "Mul", "gelu", graph->value, onnx_scalar(graph, "gelu_half", 0.5f));
}

static void relu6(struct onnx_graph *graph) {
    const char *least = onnx_scalar(graph, "relu6_least", 0), *most = onnx_scalar(graph, "relu6_most", 6);
    onnx_node(graph, "Clip", "relu6", graph->value, least);
    onnx_input(graph, most);
}

void activation_onnx(size_t act, struct onnx_graph *graph) {
    switch ((enum activation)act) {
#define ACTIVATION(name, truth, keeps, forward, backward, onnx) \
    case ACT_##name:                                            \
        onnx;                                                   \
        break;
#include "kernels/activations.def"
#undef ACTIVATION
    case ACTIVATIONS:
        break;
    }
}
