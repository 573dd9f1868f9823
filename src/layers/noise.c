/* noise.c - adds nearly normal noise of deviation SIGMA while training and nothing otherwise; in front of
 * the first layer it makes a denoising autoencoder. */
#include "base/number.h"
#include "layers/layer.h"
#include "layers/onnx.h"

struct noise {
    double sigma;
};

static const struct attribute attributes[] = {
    ATTRIBUTE_REAL("SIGMA", struct noise, sigma, "standard deviation", 0, 100), {0}};

struct noise_job layer_noise_job(const struct layer_io *io) {
    const struct layer_noise *noise = io->noise;
    return (struct noise_job){.x = io->x,
                              .key = {(uint32_t)noise->seed, (uint32_t)(noise->seed >> 32)},
                              .stream = (uint32_t)RNG_NOISE << 16 | io->number,
                              .step = noise->step,
                              .first = noise->first};
}

static void forward(const struct layer_io *io) {
    const struct noise *s = io->state;
    if (!io->noise->on) {
        io->kernels->copy(&io->x, &io->y);
        return;
    }
    struct noise_job job = layer_noise_job(io);
    job.y = io->y, job.scale = (float)s->sigma;
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

static const struct step_ops step = {
    .name = "noise",
    .traits = STEP_RANDOM,
    .forward = forward,
    .backward = backward,
};

const struct layer_ops layer_noise = {
    .name = "noise",
    .attributes = attributes,
    .examples = examples,
    .state_size = sizeof(struct noise),
    .onnx = onnx,
    .step = &step,
};
