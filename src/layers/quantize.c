/* quantize.c - a code of whole numbers of steps, and how many bits they cost.
 *
 *   y = STEP n, n = x / STEP rounded to the nearest whole number
 *
 * While training, each bit of the code adds STEP^2 ln(2) / 6 to the sum of squared errors: the exchange rate
 * at which a finer step pays for its bits (uniform quantization at high rate, Gish & Pierce 1968). Bits are
 * counted by the layer's own parameters, learned along with the rest: n is taken to be Laplace distributed,
 * cut into cells of one step, around a mean and with a width predicted from what a decoder knows already,
 *
 *   mean[k] = b[k] + sum of w[k][c][tap] n[c][tap], ln width[k] = b'[k] + sum of w'[k][c][tap] log2(1 + |n|)
 *
 * over the pixels above left, above, above right and left, all channels, and the pixel's own channels c < k.
 * Beyond the edge n is 0. code/prior.c codes by the same prediction, whose parameters learn from the whole
 * numbers.
 *
 * Rounding has no slope. With `dither` training adds noise as wide as a step in its place, y = x + STEP u, u
 * uniform from -1/2 to 1/2 (Balle and others 2017, arXiv 1611.01704), and what is before the layer gets the
 * slopes of the error of that y and of its bits: of all bits, also those of the numbers that are predicted
 * from it. With `round` y is what it is in use, and nothing before the layer learns: a second training, for
 * what is behind it (soft, then hard: Guo and others 2021, arXiv 2104.05168). If rounded numbers were
 * trained together with what is before the layer, as if rounding had the slope 1, that would learn to put
 * numbers where little decides on how they are rounded, which tells much and seems to cost little. */
#include "layers/quantize.h"
#include "layers/onnx.h"
#include "layers/window.h"

#include <string.h>

static const char *const trainings[] = {[QUANTIZE_DITHER] = "dither", [QUANTIZE_ROUND] = "round", NULL};

static const struct attribute attributes[] = {
    ATTRIBUTE_REAL("STEP", struct quantize, step, "step", 1e-6, 1000),
    ATTRIBUTE_WORD(struct quantize, training, trainings),
    {0}};

/* The taps as a 3x3 kernel; those behind stay zero. */
enum { KERNEL_SIDE = 3, KERNEL = KERNEL_SIDE * KERNEL_SIDE };

static size_t tensor_size(struct shape in, size_t border) {
    return in.c * (in.h + 2 * border) * (in.w + 2 * border) * MOST_LANES;
}
static size_t weights_size(size_t k) {
    return (k * k * KERNEL + MOST_LANES - 1) / MOST_LANES * MOST_LANES;
}

static void sizes(const void *state, struct shape in, struct shape out, struct step_sizes *sizes) {
    (void)state, (void)out;
    sizes->packed = 5 * weights_size(in.c); /* the two kernels, their adjoints, and room to make one */
    sizes->scratch = 4 * tensor_size(in, 1) + 2 * tensor_size(in, 0) + 2 * weights_size(in.c);
}

static int tensor(const void *state, struct shape in, size_t i, struct layer_tensor *t) {
    (void)state;
    const char *const names[] = {"mean_weight", "mean_bias", "scale_weight", "scale_bias"};
    if (i >= 4) return 0;
    *t = i % 2 == 0 ? (struct layer_tensor){names[i], 3, {in.c, in.c, QUANTIZE_TAPS, 0}}
                    : (struct layer_tensor){names[i], 1, {in.c, 0, 0, 0}};
    return 1;
}

static void init(const void *state, struct shape in, struct rng *rng, float *params) {
    (void)state, (void)rng;
    memset(params, 0, quantize_params(in.c).all * sizeof *params);
}

/* Whether channel k's prediction may look at that tap of channel c. */
static bool known(size_t k, size_t c, size_t tap) {
    return tap < QUANTIZE_TAPS - 1 || c < k;
}

static struct window window_of(struct shape in) {
    return (struct window){KERNEL_SIDE, 1, 1, 1, in.h, in.w, in.h, in.w};
}

/* The kernel with its unknown taps at zero, [to][from][KERNEL] in `whole`, then packed both ways. */
static void pack_kernel(const float *w, struct shape in, float *whole, float *packed, float *adjoint) {
    const struct window window = window_of(in);
    const size_t k = in.c;
    for (size_t to = 0; to < k; to++)
        for (size_t from = 0; from < k; from++)
            for (size_t tap = 0; tap < KERNEL; tap++)
                whole[(to * k + from) * KERNEL + tap] = tap < QUANTIZE_TAPS && known(to, from, tap)
                                                            ? w[(to * k + from) * QUANTIZE_TAPS + tap]
                                                            : 0;
    window_pack(&window, k, k, whole, packed);
    window_pack_adjoint(&window, k, k, whole, adjoint);
}

/* packed: kernels of mean and scale, their adjoints. */
static void pack(const void *state, struct shape in, const float *params, float *packed) {
    const struct quantize_params at = quantize_params(in.c);
    const size_t size = weights_size(in.c);
    float *whole = packed + 4 * size;
    (void)state;
    pack_kernel(params + at.mean, in, whole, packed, packed + 2 * size);
    pack_kernel(params + at.scale, in, whole, packed + size, packed + 3 * size);
}

static void forward(const struct layer_io *io) {
    const struct quantize *s = io->state;
    const bool training = io->noise->on && io->noise->step != LAYER_NOISE_MEASURE;
    if (!training || s->training == QUANTIZE_ROUND) {
        io->kernels->quantize(&io->x, (float)s->step, true, (float)s->step, &io->y);
        return;
    }
    struct noise_job job = layer_noise_job(io);
    job.y = io->y, job.scale = (float)s->step;
    io->kernels->dither(&job);
}

static struct tensor scratch_tensor(const struct layer_io *io, size_t at, size_t border) {
    const struct tensor *y = &io->y;
    struct tensor t = {
        .c = y->c, .h = y->h, .w = y->w, .step = io->kernels->lanes, .pad = border, .idle = y->idle};
    t.row = (y->w + 2 * border) * t.step;
    t.plane = (y->h + 2 * border) * t.row;
    t.data = io->scratch + at + border * (t.row + t.step);
    return t;
}

/* Adds the gradient of one prediction's kernel and bias; `sums`: weights_size floats twice. */
static void learn(const struct layer_io *io, const struct tensor *x, const struct tensor *dy, float *weights,
                  float *bias, float *sums) {
    const size_t k = x->c, next = weights_size(k);
    memset(sums, 0, 2 * next * sizeof *sums);
    io->kernels->conv_dw(
        &(struct conv_dw_job){.shape = {3, 3, 1, 1, 1}, .x = *x, .dy = *dy, .dw = sums, .next = next});
    for (size_t half = 0; half < io->kernels->lanes / SUM_LANES; half++)
        for (size_t to = 0; to < k; to++)
            for (size_t from = 0; from < k; from++)
                for (size_t tap = 0; tap < QUANTIZE_TAPS; tap++)
                    if (known(to, from, tap))
                        weights[half * io->next + (to * k + from) * QUANTIZE_TAPS + tap] +=
                            sums[half * next + (to * k + from) * KERNEL + tap];
    io->kernels->conv_db(dy, bias, io->next);
}

/* Numbers and what is made of them, with a border of 1, and room for two gradients without one. */
struct rating {
    struct tensor n, size, mean, scale, by_n, by_size;
};

static struct rating rating_of(const struct layer_io *io) {
    const struct shape in = {io->y.c, io->y.h, io->y.w};
    const size_t wide = tensor_size(in, 1);
    memset(io->scratch, 0, 4 * wide * sizeof *io->scratch);
    return (struct rating){.n = scratch_tensor(io, 0, 1),
                           .size = scratch_tensor(io, wide, 1),
                           .mean = scratch_tensor(io, 2 * wide, 1),
                           .scale = scratch_tensor(io, 3 * wide, 1),
                           .by_n = scratch_tensor(io, 4 * wide, 0),
                           .by_size = scratch_tensor(io, 4 * wide + tensor_size(in, 0), 0)};
}

/* The slopes of the bits of r->n by their means and scales, in the place of these; by the numbers' own values
 * they are added to dx, if it has data. */
static void rate(const struct layer_io *io, const struct rating *r, const struct tensor *dx) {
    const struct quantize *s = io->state;
    const struct quantize_params at = quantize_params(io->y.c);
    const struct window window = window_of((struct shape){io->y.c, io->y.h, io->y.w});
    const double exchange = s->step * s->step * 0.6931471805599453 / 6;
    io->kernels->code_size(&r->n, &r->size);
    window_apply(&window, io->kernels, &r->n, &r->mean, io->packed, io->params + at.mean_bias, 0);
    window_apply(&window, io->kernels, &r->size, &r->scale, io->packed + weights_size(io->y.c),
                 io->params + at.scale_bias, 0);
    io->kernels->rate_grad(&(struct rate_job){.n = r->n,
                                              .mean = r->mean,
                                              .scale = r->scale,
                                              .dx = *dx,
                                              .weight = (float)exchange * io->noise->scale,
                                              .per_step = (float)(1 / s->step)});
}

/* The slopes of the bits of y, added to dx. */
static void rate_input(const struct layer_io *io, const struct rating *r) {
    const struct quantize *s = io->state;
    const struct window window = window_of((struct shape){io->y.c, io->y.h, io->y.w});
    const float *adjoint = io->packed + 2 * weights_size(io->y.c);
    io->kernels->quantize(&io->y, (float)s->step, false, 1, &r->n);
    rate(io, r, &io->dx);
    window_apply_adjoint(&window, io->kernels, &r->mean, &r->by_n, adjoint, NULL, 0);
    window_apply_adjoint(&window, io->kernels, &r->scale, &r->by_size, adjoint + weights_size(io->y.c), NULL,
                         0);
    io->kernels->told_grad(&r->n, &r->by_n, &r->by_size, &io->dx, (float)(1 / s->step));
}

static void backward(const struct layer_io *io) {
    const struct quantize *s = io->state;
    const struct shape in = {io->y.c, io->y.h, io->y.w};
    const struct quantize_params at = quantize_params(in.c);
    const struct rating r = rating_of(io);
    float *sums = io->scratch + 4 * tensor_size(in, 1) + 2 * tensor_size(in, 0);
    io->kernels->quantize(&io->x, (float)s->step, true, 1, &r.n);
    rate(io, &r, &(struct tensor){0});
    learn(io, &r.n, &r.mean, io->grads + at.mean, io->grads + at.mean_bias, sums);
    learn(io, &r.size, &r.scale, io->grads + at.scale, io->grads + at.scale_bias, sums);
    if (!io->dx.data) return;
    if (s->training == QUANTIZE_ROUND) {
        io->kernels->clear(&io->dx);
        return;
    }
    io->kernels->copy(&io->dy, &io->dx);
    rate_input(io, &r);
}

/* What predicts the code's bits stays among the graph's tensors; no node reads it. */
static void onnx(const void *state, struct shape in, struct onnx_graph *graph) {
    const struct quantize *s = state;
    const float step = (float)s->step;
    (void)in;
    onnx_node(graph, "Mul", "steps", graph->value, onnx_scalar(graph, "per_step", 1.0f / step));
    onnx_node(graph, "Round", "whole", graph->value, NULL);
    onnx_node(graph, "Mul", NULL, graph->value, onnx_scalar(graph, "step", step));
}

static const char *const examples[] = {"quantize 0.1", "quantize 2 round", NULL};

static const struct step_ops step = {
    .name = "quantize",
    .traits = STEP_WHOLE | STEP_COSTS,
    .sizes = sizes,
    .pack = pack,
    .forward = forward,
    .backward = backward,
    .by_channels = forward,
};

const struct layer_ops layer_quantize = {
    .name = "quantize",
    .attributes = attributes,
    .examples = examples,
    .state_size = sizeof(struct quantize),
    .tensor = tensor,
    .init = init,
    .onnx = onnx,
    .step = &step,
};
