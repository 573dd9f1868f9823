/* groupnorm.c - the channels in GROUPS groups, each brought to mean 0 and variance 1 over all of the picture,
 * then scaled and moved, channel by channel:
 *
 *   y = weight[c] (x - mean) / sqrt(variance + 1e-5) + bias[c]
 *
 * (Wu & He 2018, arXiv 1803.08494). The numbers are a picture's own, so lanes stay independent and use is the
 * same as training. With one group it is layer normalization over the picture. */
#include "layers/lanes.h"
#include "layers/onnx.h"

#include <math.h>

struct groupnorm {
    size_t groups;
};

static const struct attribute attributes[] = {
    ATTRIBUTE_OPTIONAL("GROUPS", struct groupnorm, groups, "number of groups", 1, 65536, 1), {0}};

static const float epsilon = 1e-5f;

static int shape(const void *state, struct shape in, struct shape *out, struct layer_reach *reach,
                 struct caelum_error *err) {
    const size_t groups = ((const struct groupnorm *)state)->groups, side = in.h > in.w ? in.h : in.w;
    (void)out;
    if (in.c % groups != 0)
        return caelum_fail(err, CAELUM_EFORMAT, "%zu channels can't be cut into %zu equal groups", in.c,
                           groups);
    *reach = (struct layer_reach){2 * side - 1, 1, 1}; /* every output sees the whole picture */
    return CAELUM_OK;
}

/* Mean and 1 / deviation of each group. */
static void sizes(const void *state, struct shape in, struct shape out, struct step_sizes *sizes) {
    (void)in, (void)out;
    sizes->saved = 2 * ((const struct groupnorm *)state)->groups;
}

static int tensor(const void *state, struct shape in, size_t i, struct layer_tensor *t) {
    (void)state;
    *t = (struct layer_tensor){i == 0 ? "weight" : "bias", 3, {in.c, 1, 1, 0}};
    return i < 2;
}

static void init(const void *state, struct shape in, struct rng *rng, float *params) {
    (void)state, (void)rng;
    for (size_t c = 0; c < in.c; c++) params[c] = 1, params[in.c + c] = 0;
}

/* Sums over channels first to end - 1, a lane each: of a, or of a b. A row is added up in single precision,
 * rows in double. */
static void add_up(const struct tensor *a, const struct tensor *b, size_t first, size_t end, double *sums) {
    const size_t lanes = a->step;
    for (size_t l = 0; l < lanes; l++) sums[l] = 0;
    for (size_t c = first; c < end; c++)
        for (size_t i = 0; i < a->h; i++) {
            const float *p = tensor_at(a, c, (ptrdiff_t)i, 0);
            const float *q = b ? tensor_at(b, c, (ptrdiff_t)i, 0) : NULL;
            float row[MOST_LANES] = {0};
            for (size_t j = 0; j < a->w; j++)
                for (size_t l = 0; l < lanes; l++)
                    row[l] += q ? p[j * lanes + l] * q[j * lanes + l] : p[j * lanes + l];
            for (size_t l = 0; l < lanes; l++) sums[l] += (double)row[l];
        }
}

/* y = (x - mean) scale of channels first to end - 1; mean and scale: [lanes]. */
static void normalize(const struct tensor *x, const struct tensor *y, size_t first, size_t end,
                      const float *mean, const float *scale) {
    const size_t lanes = x->step;
    for (size_t c = first; c < end; c++)
        for (size_t i = 0; i < x->h; i++) {
            const float *from = tensor_at(x, c, (ptrdiff_t)i, 0);
            float *to = tensor_at(y, c, (ptrdiff_t)i, 0);
            for (size_t j = 0; j < x->w; j++)
                for (size_t l = 0; l < lanes; l++)
                    to[j * lanes + l] = (from[j * lanes + l] - mean[l]) * scale[l];
        }
}

/* y = weight y + bias of channel c */
static void move(const struct tensor *y, size_t c, float weight, float bias) {
    for (size_t i = 0; i < y->h; i++) {
        float *to = tensor_at(y, c, (ptrdiff_t)i, 0);
        for (size_t j = 0; j < y->w * y->step; j++) to[j] = weight * to[j] + bias;
    }
}

static void forward(const struct layer_io *io) {
    const size_t groups = ((const struct groupnorm *)io->state)->groups, lanes = io->x.step;
    const size_t channels = io->x.c / groups;
    const double n = (double)(channels * io->x.h * io->x.w);
    const float ones[MOST_LANES] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    for (size_t g = 0; g < groups; g++) {
        const size_t first = g * channels, end = first + channels;
        float *mean = io->saved + 2 * g * lanes, *scale = mean + lanes;
        double sums[MOST_LANES];
        add_up(&io->x, NULL, first, end, sums);
        for (size_t l = 0; l < lanes; l++) mean[l] = (float)(sums[l] / n);
        normalize(&io->x, &io->y, first, end, mean, ones);
        add_up(&io->y, &io->y, first, end, sums);
        for (size_t l = 0; l < lanes; l++) scale[l] = (float)(1 / sqrt(sums[l] / n + (double)epsilon));
        normalize(&io->x, &io->y, first, end, mean, scale);
        for (size_t c = first; c < end; c++) move(&io->y, c, io->params[c], io->params[io->x.c + c]);
    }
}

/* The gradients of weight and bias of channel c; a row of sums each. x^ is the normalized x. */
static void add_gradients(const struct layer_io *io, size_t c, const float *mean, const float *scale) {
    const size_t lanes = io->x.step;
    float weights[MOST_LANES] = {0}, biases[MOST_LANES] = {0};
    for (size_t i = 0; i < io->x.h; i++) {
        const float *x = tensor_at(&io->x, c, (ptrdiff_t)i, 0), *d = tensor_at(&io->dy, c, (ptrdiff_t)i, 0);
        for (size_t j = 0; j < io->x.w; j++)
            for (size_t l = 0; l < lanes; l++) {
                const float hat = (x[j * lanes + l] - mean[l]) * scale[l];
                weights[l] += d[j * lanes + l] * hat;
                biases[l] += d[j * lanes + l];
            }
    }
    lanes_add(weights, lanes, io->dy.idle, io->grads + c, io->next);
    lanes_add(biases, lanes, io->dy.idle, io->grads + io->x.c + c, io->next);
}

/* With e = weight dy, dx = scale (e - mean of e - x^ mean of e x^), the means over the group; y is not needed
 * any more and holds x^. */
static void backward_group(const struct layer_io *io, size_t first, size_t end, const float *mean,
                           const float *scale) {
    const size_t lanes = io->x.step;
    const double n = (double)((end - first) * io->x.h * io->x.w);
    double sums[MOST_LANES], products[MOST_LANES];
    normalize(&io->x, &io->y, first, end, mean, scale);
    for (size_t c = first; c < end; c++) move(&io->dy, c, io->params[c], 0);
    add_up(&io->dy, NULL, first, end, sums);
    add_up(&io->dy, &io->y, first, end, products);
    for (size_t c = first; c < end; c++)
        for (size_t i = 0; i < io->x.h; i++) {
            const float *hat = tensor_at(&io->y, c, (ptrdiff_t)i, 0),
                        *e = tensor_at(&io->dy, c, (ptrdiff_t)i, 0);
            float *dx = tensor_at(&io->dx, c, (ptrdiff_t)i, 0);
            for (size_t j = 0; j < io->x.w; j++)
                for (size_t l = 0; l < lanes; l++) {
                    const float along = hat[j * lanes + l] * (float)(products[l] / n);
                    dx[j * lanes + l] = scale[l] * (e[j * lanes + l] - (float)(sums[l] / n) - along);
                }
        }
}

static void backward(const struct layer_io *io) {
    const size_t groups = ((const struct groupnorm *)io->state)->groups, lanes = io->x.step;
    const size_t channels = io->x.c / groups;
    for (size_t g = 0; g < groups; g++) {
        const size_t first = g * channels, end = first + channels;
        const float *mean = io->saved + 2 * g * lanes, *scale = mean + lanes;
        for (size_t c = first; c < end; c++) add_gradients(io, c, mean, scale);
        if (io->dx.data) backward_group(io, first, end, mean, scale);
    }
}

/* Opset 13 has it for groups of one channel: what is several there is first made one. */
static void onnx(const void *state, struct shape in, struct onnx_graph *graph) {
    const int64_t groups = (int64_t)((const struct groupnorm *)state)->groups;
    const int64_t back[] = {0, (int64_t)in.c, (int64_t)in.h, (int64_t)in.w};
    float *ones = onnx_memory(graph, (size_t)groups * sizeof *ones);
    float *zeros = onnx_memory(graph, (size_t)groups * sizeof *zeros);
    if (!ones || !zeros) return;
    for (int64_t g = 0; g < groups; g++) ones[g] = 1;
    onnx_node(graph, "Reshape", "groups", graph->value,
              onnx_shape(graph, "group_shape", 3, (int64_t[]){0, groups, -1}));
    onnx_node(graph, "InstanceNormalization", "normal", graph->value,
              onnx_reals(graph, "ones", (size_t)groups, ones));
    onnx_input(graph, onnx_reals(graph, "zeros", (size_t)groups, zeros));
    onnx_real(graph, "epsilon", epsilon);
    onnx_node(graph, "Reshape", "pictures", graph->value, onnx_shape(graph, "picture_shape", 4, back));
    onnx_node(graph, "Mul", "scaled", graph->value, onnx_param(graph, "weight"));
    onnx_node(graph, "Add", NULL, graph->value, onnx_param(graph, "bias"));
    graph->fixed = true;
}

static const char *const examples[] = {"groupnorm", "groupnorm 2", "conv 6 relu\ngroupnorm 3", NULL};

static const struct step_ops step = {
    .name = "groupnorm",
    .traits = STEP_WHOLE,
    .sizes = sizes,
    .forward = forward,
    .backward = backward,
};

const struct layer_ops layer_groupnorm = {
    .name = "groupnorm",
    .attributes = attributes,
    .examples = examples,
    .state_size = sizeof(struct groupnorm),
    .shape = shape,
    .tensor = tensor,
    .init = init,
    .onnx = onnx,
    .step = &step,
};
