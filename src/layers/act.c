/* act.c - an activation as a layer of its own, for use after `add` and other layers without one. */
#include "layers/activation.h"

struct act {
    size_t act;
};

static const struct attribute attributes[] = {{.kind = ATTRIBUTE_WORD,
                                               .name = "",
                                               .meaning = "activation",
                                               .offset = offsetof(struct act, act),
                                               .words = activation_words,
                                               .needed = true},
                                              {0}};

static void forward(const struct layer_io *io) {
    const struct act *s = io->state;
    io->kernels->act(&io->x, &io->y, (enum activation)s->act);
}

static void backward(const struct layer_io *io) {
    const struct act *s = io->state;
    if (!io->dx.data) return;
    const enum activation act = (enum activation)s->act;
    io->kernels->act_grad(activation_keeps_input(act) ? &io->x : &io->y, &io->dy, act);
    io->kernels->copy(&io->dy, &io->dx);
}

static void onnx(const void *state, struct shape in, struct onnx_graph *graph) {
    const struct act *s = state;
    (void)in;
    activation_onnx(s->act, graph);
}

static const char *const examples[] = {"act relu",    "act leaky", "act elu",    "act gelu", "act silu",
                                       "act sigmoid", "act tanh",  "act linear", NULL};

static const struct step_ops step = {
    .name = "act",
    .forward = forward,
    .backward = backward,
    .by_channels = forward,
};

const struct layer_ops layer_act = {
    .name = "act",
    .attributes = attributes,
    .examples = examples,
    .state_size = sizeof(struct act),
    .onnx = onnx,
    .step = &step,
};
