/* noise.c - adds nearly normal noise of deviation SIGMA while training and nothing otherwise; in front of
 * the first layer it makes a denoising autoencoder. */
#include "base/number.h"
#include "layers/layer.h"
#include "layers/onnx.h"

struct noise {
    double sigma;
};

static const char usage[] = "noise SIGMA";

static int parse(struct layer_args *args, void *state, struct caelum_error *err) {
    struct noise *s = state;
    CHECK(args_real(args, "standard deviation", 100, &s->sigma, err));
    return args_end(args, usage, err);
}

static int shape(const void *state, struct shape in, struct shape *out, struct layer_sizes *sizes,
                 struct caelum_error *err) {
    (void)state, (void)err;
    *out = in;
    *sizes = (struct layer_sizes){.window = 1, .stride = 1, .spread = 1};
    return CAELUM_OK;
}

static void forward(const struct layer_io *io) {
    const struct noise *s = io->state;
    if (!io->noise->on) {
        io->kernels->copy(&io->x, &io->y);
        return;
    }
    const struct noise_job job = {.x = io->x,
                                  .y = io->y,
                                  .sigma = (float)s->sigma,
                                  .key = {(uint32_t)io->noise->seed, (uint32_t)(io->noise->seed >> 32)},
                                  .stream = (uint32_t)RNG_NOISE << 16 | io->number,
                                  .step = io->noise->step,
                                  .first = io->noise->first};
    io->kernels->noise(&job);
}

static void backward(const struct layer_io *io) {
    if (io->dx.data) io->kernels->copy(&io->dy, &io->dx);
}

/* Nothing, in use; the note lets an import bring the layer back. */
static void onnx(const void *state, struct shape in, struct onnx_graph *graph) {
    const struct noise *s = state;
    char line[48];
    (void)in;
    number_print(line, sizeof line, "noise %.9g", s->sigma);
    onnx_node(graph, "Identity", NULL, graph->value, NULL);
    onnx_doc(graph, line);
}

static const char *const examples[] = {"noise 0.1", "noise 0", NULL};

const struct layer_ops layer_noise = {
    .name = "noise",
    .usage = usage,
    .examples = examples,
    .state_size = sizeof(struct noise),
    .parse = parse,
    .shape = shape,
    .random = true,
    .forward = forward,
    .backward = backward,
    .onnx = onnx,
};
