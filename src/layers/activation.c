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
