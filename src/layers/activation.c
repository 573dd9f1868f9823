/* activation.c - names of activations, and memory for those whose derivative needs the input. */
#include "layers/activation.h"

#include <string.h>

bool args_activation(struct layer_args *args, enum activation *act) {
    static const char *const names[ACTIVATIONS] = {
        [ACT_LINEAR] = "linear", [ACT_RELU] = "relu", [ACT_LEAKY] = "leaky",     [ACT_ELU] = "elu",
        [ACT_GELU] = "gelu",     [ACT_SILU] = "silu", [ACT_SIGMOID] = "sigmoid", [ACT_TANH] = "tanh"};
    for (size_t i = 1; i < args->count; i++)
        for (size_t a = 0; a < ACTIVATIONS; a++)
            if (!args->word[i].used && strcmp(args->word[i].text, names[a]) == 0) {
                args->word[i].used = 1;
                *act = (enum activation)a;
                return true;
            }
    return false;
}

size_t activation_saved(enum activation act, struct shape out) {
    return activation_keeps_input(act) ? shape_values(out) : 0;
}

struct tensor activation_linear(enum activation act, const struct tensor *y, float *saved) {
    if (!activation_keeps_input(act)) return *y;
    return (struct tensor){.data = saved,
                           .c = y->c,
                           .h = y->h,
                           .w = y->w,
                           .step = y->step,
                           .idle = y->idle,
                           .row = y->w * y->step,
                           .plane = y->h * y->w * y->step};
}

void activation_forward(enum activation act, const struct layer_io *io, const struct tensor *linear) {
    if (act != ACT_RELU && act != ACT_LINEAR) io->kernels->act(linear, &io->y, act);
}

void activation_backward(enum activation act, const struct layer_io *io, const struct tensor *linear) {
    io->kernels->act_grad(activation_keeps_input(act) ? linear : &io->y, &io->dy, act);
}

/* x sigmoid(x) */
static void silu_onnx(struct onnx_graph *graph) {
    const char *x = graph->value;
    onnx_node(graph, "Mul", "silu", x, onnx_node(graph, "Sigmoid", "silu_sigmoid", x, NULL));
}

/* 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), in the steps of PyTorch 1.13's export. */
static void gelu_onnx(struct onnx_graph *graph) {
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

void activation_onnx(enum activation act, struct onnx_graph *graph) {
    switch (act) {
    case ACT_LINEAR:
        break;
    case ACT_RELU:
        onnx_node(graph, "Relu", "relu", graph->value, NULL);
        break;
    case ACT_LEAKY:
        onnx_node(graph, "LeakyRelu", "leaky", graph->value, NULL);
        onnx_real(graph, "alpha", LEAKY_SLOPE);
        break;
    case ACT_ELU:
        onnx_node(graph, "Elu", "elu", graph->value, NULL);
        onnx_real(graph, "alpha", 1);
        break;
    case ACT_GELU:
        gelu_onnx(graph);
        break;
    case ACT_SILU:
        silu_onnx(graph);
        break;
    case ACT_SIGMOID:
        onnx_node(graph, "Sigmoid", "sigmoid", graph->value, NULL);
        break;
    case ACT_TANH:
        onnx_node(graph, "Tanh", "tanh", graph->value, NULL);
        break;
    }
}
