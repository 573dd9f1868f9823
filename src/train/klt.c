/* klt.c - covariance of blocks without rounding, its eigenvectors by Jacobi rotations. */
#include "train/klt.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

/* Blocks whose products of bytes add up exactly in a float: 256 * 255^2 < 2^24. */
enum { CHUNK = 256, MOST_SWEEPS = 60 };

struct sums {
    size_t n, count;
    float *block, *chunk; /* [n], [n][n] upper triangle */
    double *mean, *covariance;
};

static void flush(struct sums *s) {
    for (size_t i = 0; i < s->n * s->n; i++) s->covariance[i] += (double)s->chunk[i];
    memset(s->chunk, 0, s->n * s->n * sizeof *s->chunk);
}

static void add_block(struct sums *s) {
    for (size_t i = 0; i < s->n; i++) {
        const float x = s->block[i];
        float *row = s->chunk + i * s->n;
        s->mean[i] += (double)x;
        for (size_t j = i; j < s->n; j++) row[j] += x * s->block[j];
    }
    if (++s->count % CHUNK == 0) flush(s);
}

static void add_picture(struct sums *s, const struct pictures *p, size_t picture, size_t side) {
    const uint8_t *pixels = pictures_at(p, picture);
    for (size_t y = 0; y < p->h; y += side)
        for (size_t x = 0; x < p->w; x += side) {
            float *to = s->block;
            for (size_t c = 0; c < p->c; c++)
                for (size_t i = 0; i < side; i++)
                    for (size_t j = 0; j < side; j++)
                        *to++ = (float)pixels[(c * p->h + y + i) * p->w + x + j];
            add_block(s);
        }
}

/* Sums to mean and covariance of numbers in [0, 1], both triangles. */
static void center(struct sums *s) {
    const double count = (double)s->count;
    for (size_t i = 0; i < s->n; i++) s->mean[i] /= count;
    for (size_t i = 0; i < s->n; i++)
        for (size_t j = i; j < s->n; j++) {
            const double v = s->covariance[i * s->n + j] / count - s->mean[i] * s->mean[j];
            s->covariance[i * s->n + j] = s->covariance[j * s->n + i] = v / (255.0 * 255.0);
        }
    for (size_t i = 0; i < s->n; i++) s->mean[i] /= 255;
}

/* Turns two rows (step 1) or columns (step n) of n numbers. */
static void turn(double *p, double *q, size_t n, size_t step, double c, double s) {
    for (size_t k = 0; k < n * step; k += step) {
        const double x = p[k], y = q[k];
        p[k] = c * x - s * y;
        q[k] = s * x + c * y;
    }
}

/* a becomes diagonal, the rows of v its eigenvectors. */
static void jacobi(double *a, double *v, size_t n) {
    double trace = 0, off = 1;
    memset(v, 0, n * n * sizeof *v);
    for (size_t i = 0; i < n; i++) v[i * n + i] = 1, trace += a[i * n + i];
    for (int sweep = 0; sweep < MOST_SWEEPS && off > 1e-15 * trace; sweep++) {
        off = 0;
        for (size_t p = 0; p < n; p++)
            for (size_t q = p + 1; q < n; q++) {
                const double b = a[p * n + q];
                if (fabs(b) > off) off = fabs(b);
                if (fabs(b) <= 1e-17 * trace) continue;
                const double theta = (a[q * n + q] - a[p * n + p]) / (2 * b);
                const double t = (theta < 0 ? -1 : 1) / (fabs(theta) + sqrt(theta * theta + 1));
                const double c = 1 / sqrt(t * t + 1), s = t * c;
                turn(a + p * n, a + q * n, n, 1, c, s);
                turn(a + p, a + q, n, n, c, s);
                turn(v + p * n, v + q * n, n, 1, c, s);
            }
    }
}

/* Rows of v by falling diagonal of a, each with its largest component positive. */
static void sort_vectors(const double *a, const double *v, size_t n, bool *taken, double *basis) {
    for (size_t r = 0; r < n; r++) {
        size_t best = n, peak = 0;
        for (size_t i = 0; i < n; i++)
            if (!taken[i] && (best == n || a[i * n + i] > a[best * n + best])) best = i;
        const double *from = v + best * n;
        for (size_t k = 1; k < n; k++)
            if (fabs(from[k]) > fabs(from[peak])) peak = k;
        for (size_t k = 0; k < n; k++) basis[r * n + k] = from[peak] < 0 ? -from[k] : from[k];
        taken[best] = true;
    }
}

int klt_fit(const struct pictures *p, size_t side, double *mean, double *basis, struct caelum_error *err) {
    struct sums s = {.n = p->c * side * side, .mean = mean};
    double *vectors = NULL;
    bool *taken = NULL;
    int result = mem_alloc(&s.block, s.n, sizeof *s.block, err);
    if (result == 0) result = mem_alloc(&s.chunk, s.n, s.n * sizeof *s.chunk, err);
    if (result == 0) result = mem_alloc(&s.covariance, s.n, s.n * sizeof *s.covariance, err);
    if (result == 0) result = mem_alloc(&vectors, s.n, s.n * sizeof *vectors, err);
    if (result == 0) result = mem_alloc(&taken, s.n, sizeof *taken, err);
    if (result == 0) {
        memset(mean, 0, s.n * sizeof *mean);
        for (size_t i = 0; i < p->n; i++) add_picture(&s, p, i, side);
        flush(&s);
        center(&s);
        jacobi(s.covariance, vectors, s.n);
        sort_vectors(s.covariance, vectors, s.n, taken, basis);
    }
    mem_free(&s.block), mem_free(&s.chunk), mem_free(&s.covariance), mem_free(&vectors), mem_free(&taken);
    return result;
}

/* The side of square blocks of n numbers; 0: there is none. */
static size_t side_of(size_t n, const struct pictures *p) {
    for (size_t side = 1; side <= p->h && side <= p->w; side++)
        if (p->c * side * side == n && p->h % side == 0 && p->w % side == 0) return side;
    return 0;
}

static int start_layer(const struct caelum_net *net, const struct net_layer *layer, size_t n,
                       const struct pictures *pictures, float *params, struct caelum_error *err) {
    /* a colorizer sees luminance: none of its blocks are the pictures' */
    const size_t side = net->input.c == pictures->c ? side_of(n, pictures) : 0;
    double *mean = NULL, *basis = NULL;
    if (side == 0)
        return caelum_fail(
            err, CAELUM_EFORMAT,
            "%s:%zu: init=klt is for blocks of the pictures, as space_to_depth makes them; %zu "
            "channels are not %zu times a square that divides %zux%zu",
            net->file, layer->line, n, pictures->c, pictures->h, pictures->w);
    int result = mem_alloc(&mean, n, sizeof *mean, err);
    if (result == 0) result = mem_alloc(&basis, n, n * sizeof *basis, err);
    if (result == 0) result = klt_fit(pictures, side, mean, basis, err);
    if (result == 0) layer->ops->klt_init(layer->state, layer->in, mean, basis, params + layer->params);
    mem_free(&mean), mem_free(&basis);
    return result;
}

int klt_start(const struct caelum_net *net, const struct pictures *pictures, float *params,
              struct caelum_error *err) {
    for (size_t i = 0; i < net->layers; i++) {
        const struct net_layer *layer = &net->layer[i];
        const size_t n = layer->ops->klt_size ? layer->ops->klt_size(layer->state, layer->in) : 0;
        if (n > 0) CHECK(start_layer(net, layer, n, pictures, params, err));
    }
    return CAELUM_OK;
}
