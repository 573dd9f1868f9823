/* muon.c - a matrix is padded with zeros to whole registers, so that a product of two is a 1x1 convolution:
 * rows of the second factor are channels, its columns pixels and lanes. */
#include "train/muon.h"

#include "base/mem.h"
#include "base/team.h"

#include <math.h>
#include <string.h>

static const double momentum = 0.95;

enum { ITERATIONS = 5 };

static size_t padded(size_t n) {
    return (n + MOST_LANES - 1) / MOST_LANES * MOST_LANES;
}

/* Sides of the padded matrix, the short one first: its square is what is iterated. */
static size_t short_side(const struct muon_matrix *m) {
    return padded(m->rows < m->cols ? m->rows : m->cols);
}
static size_t long_side(const struct muon_matrix *m) {
    return padded(m->rows < m->cols ? m->cols : m->rows);
}

/* False if the layer's i-th tensor is no matrix in muon's sense. */
static bool matrix_of(const struct net_layer *layer, const struct layer_tensor *t, size_t at,
                      struct muon_matrix *m) {
    size_t cols = 1;
    for (size_t d = 1; d < t->dims; d++) cols *= t->dim[d];
    *m = (struct muon_matrix){layer->params + at, t->dim[0], cols};
    return t->dims == 2 || t->dims == 4;
}

static size_t find(const struct caelum_net *net, struct muon_matrix *matrix) {
    size_t count = 0;
    for (size_t l = 0; l < net->layers; l++) {
        const struct net_layer *layer = &net->layer[l];
        struct layer_tensor t;
        struct muon_matrix m;
        for (size_t i = 0, at = 0; layer->ops->tensor && layer->ops->tensor(layer->state, layer->in, i, &t);
             i++) {
            const bool is_matrix = matrix_of(layer, &t, at, &m);
            at += m.rows * m.cols;
            if (!is_matrix) continue;
            if (matrix) matrix[count] = m;
            count++;
        }
    }
    return count;
}

int muon_open(struct muon *m, const struct caelum_net *net, int threads, struct caelum_error *err) {
    *m = (struct muon){.matrices = find(net, NULL), .threads = threads};
    CHECK(mem_alloc(&m->matrix, m->matrices + 1, sizeof *m->matrix, err));
    find(net, m->matrix);
    for (size_t i = 0; i < m->matrices; i++) {
        const size_t s = short_side(&m->matrix[i]), l = long_side(&m->matrix[i]);
        const size_t size = 4 * s * l + 3 * s * s; /* far below overflow: the parameters fit into memory */
        if (size > m->size) m->size = size;
    }
    return mem_alloc(&m->scratch, (size_t)threads, m->size * sizeof *m->scratch, err);
}

void muon_close(struct muon *muon) {
    mem_free(&muon->matrix);
    mem_free(&muon->scratch);
}

struct step {
    const struct muon *muon;
    const struct kernels *kernels;
    double lr, decay;
    float *params, *mean;
    const float *gradient;
};

/* y [m][n] = a [m][k] b [k][n], all sides multiples of MOST_LANES; packed: [m k]. */
static void multiply(const struct kernels *kernels, size_t m, size_t k, size_t n, const float *a, float *b,
                     float *y, float *packed) {
    const size_t lanes = kernels->lanes;
    conv_pack(a, m, k, 1, packed);
    kernels->conv(&(struct conv_job){
        .shape = {.kh = 1, .kw = 1, .stride = 1},
        .x = {.data = b, .c = k, .h = 1, .w = n / lanes, .step = lanes, .row = n, .plane = n},
        .y = {.data = y, .c = m, .h = 1, .w = n / lanes, .step = lanes, .row = n, .plane = n},
        .w = packed});
}

/* to [cols][to_width] = from [rows][from_width], transposed. */
static void transpose(const float *from, size_t rows, size_t cols, size_t from_width, float *to,
                      size_t to_width) {
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < cols; j++) to[j * to_width + i] = from[i * from_width + j];
}

/* x [s][l], of which other is scratch of the same size, becomes orthogonal; the result is in x. */
static void orthogonalize(const struct kernels *kernels, size_t s, size_t l, float *x, float *other,
                          float *turned, float *packed, float *square) {
    float *gram = square, *scaled = gram + s * s, *factor = scaled + s * s, *from = x, *to = other;
    double squares = 0;
    for (size_t i = 0; i < s * l; i++) squares += (double)x[i] * (double)x[i];
    const float share = (float)(1 / (sqrt(squares) + 1e-7));
    for (size_t i = 0; i < s * l; i++) x[i] *= share;
    for (int round = 0; round < ITERATIONS; round++) {
        transpose(from, s, l, l, turned, s);
        multiply(kernels, s, l, s, from, turned, gram, packed);
        /* (c G + b) G + a, with one product in each sum: the same bits everywhere */
        for (size_t i = 0; i < s * s; i++) scaled[i] = 2.0315f * gram[i];
        for (size_t i = 0; i < s; i++) scaled[i * s + i] -= 4.7750f;
        multiply(kernels, s, s, s, scaled, gram, factor, packed);
        for (size_t i = 0; i < s; i++) factor[i * s + i] += 3.4445f;
        multiply(kernels, s, s, l, factor, from, to, packed);
        float *const swap = from;
        from = to;
        to = swap;
    }
    if (from != x) memcpy(x, from, s * l * sizeof *x);
}

static void step_matrix(void *cookie, size_t i, int worker) {
    const struct step *step = cookie;
    const struct kernels *kernels = step->kernels;
    const struct muon_matrix *m = &step->muon->matrix[i];
    const size_t n = m->rows * m->cols, s = short_side(m), l = long_side(m);
    const bool wide = m->rows <= m->cols;
    float *params = step->params + m->at, *mean = step->mean + m->at;
    float *x = step->muon->scratch + (size_t)worker * step->muon->size, *other = x + s * l;
    float *turned = other + s * l, *packed = turned + s * l, *square = packed + s * l;
    const float *gradient = step->gradient + m->at;
    kernels->approach(mean, gradient, (float)(1 - momentum), n);
    memcpy(other, gradient, n * sizeof *other);
    kernels->approach(other, mean, (float)momentum, n);
    memset(x, 0, s * l * sizeof *x);
    if (wide)
        for (size_t r = 0; r < m->rows; r++) memcpy(x + r * l, other + r * m->cols, m->cols * sizeof *x);
    else
        transpose(other, m->rows, m->cols, m->cols, x, l);
    orthogonalize(kernels, s, l, x, other, turned, packed, square);
    if (wide)
        for (size_t r = 0; r < m->rows; r++) memcpy(other + r * m->cols, x + r * l, m->cols * sizeof *x);
    else
        transpose(x, m->cols, m->rows, l, other, m->cols);
    const double size = step->lr * 0.2 * sqrt((double)(m->rows > m->cols ? m->rows : m->cols));
    if (step->decay > 0) kernels->add_scaled(params, params, (float)(-step->lr * step->decay), n);
    kernels->add_scaled(params, other, (float)-size, n);
}

void muon_step(const struct muon *muon, const struct kernels *kernels, double lr, double decay, float *params,
               float *mean, const float *gradient) {
    struct step step = {muon, kernels, lr, decay, params, mean, gradient};
    team_for(muon->threads, muon->matrices, step_matrix, &step);
}
