/* act.c - an activation as a layer of its own, for use after `add` and other layers without one. */
#include "layers/activation.h"

struct act {
    enum activation act;
};

static const char usage[] = "act " ACTIVATION_USAGE;

static int parse(struct layer_args *args, void *state, struct caelum_error *err) {
    struct act *s = state;
    const bool given = args_activation(args, &s->act);
    CHECK(args_end(args, usage, err));
    if (!given)
        return args_fail(args, args->word[0].column, err, "act: its activation is missing; expected: %s",
                         usage);
    return CAELUM_OK;
}

static int shape(const void *state, struct shape in, struct shape *out, struct layer_sizes *sizes,
                 struct caelum_error *err) {
    (void)state, (void)err;
    *out = in;
    *sizes = (struct layer_sizes){.window = 1, .stride = 1, .spread = 1};
    return CAELUM_OK;
}

static void forward(const struct layer_io *io) {
    const struct act *s = io->state;
    io->kernels->act(&io->x, &io->y, s->act);
}

static void backward(const struct layer_io *io) {
    const struct act *s = io->state;
    if (!io->dx.data) return;
    io->kernels->act_grad(activation_keeps_input(s->act) ? &io->x : &io->y, &io->dy, s->act);
    io->kernels->copy(&io->dy, &io->dx);
}

static void onnx(const void *state, struct shape in, struct onnx_graph *graph) {
    const struct act *s = state;
    (void)in;
    activation_onnx(s->act, graph);
}

static const char *const examples[] = {"act relu",    "act leaky", "act elu",    "act gelu", "act silu",
                                       "act sigmoid", "act tanh",  "act linear", NULL};

const struct layer_ops layer_act = {
    .name = "act",
    .usage = usage,
    .examples = examples,
    .state_size = sizeof(struct act),
    .parse = parse,
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .onnx = onnx,
};
