/* linear_code.c - PCA and block KLT by one eigen-decomposition of the covariance (LAPACK).
 *
 * Pictures and their mirror images have a covariance that the mirror leaves unchanged. In the basis of
 * even parts (x + flip x) / sqrt 2 and odd parts (x - flip x) / sqrt 2 it falls into two blocks of half
 * the size, an eighth of the work each; the eigenvectors of both, sorted by eigenvalue, are the PCA. */
#include "eval/linear_code.h"

#include "base/mem.h"
#include "base/parallel.h"
#include "eval/lapack.h"
#include "metrics/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Vectors that go into one matrix product. */
enum { CHUNK = 512 };

/* Block (by, bx) of a picture as [c][h][w] floats in [0, 1]. */
static void cut_block(const struct pictures *p, const struct linear_code *code, size_t picture, size_t block,
                      float *out) {
    const size_t across = p->w / code->w, by = block / across, bx = block % across;
    const uint8_t *pixels = pictures_at(p, picture);
    for (size_t c = 0; c < p->c; c++)
        for (size_t y = 0; y < code->h; y++)
            for (size_t x = 0; x < code->w; x++)
                *out++ = (float)pixels[(c * p->h + by * code->h + y) * p->w + bx * code->w + x] / 255.0f;
}

static size_t blocks_in(const struct pictures *p, const struct linear_code *code) {
    return p->h / code->h * (p->w / code->w);
}

/* Rows [row] of width w in place into even and odd parts: pixel x < w/2 becomes the even part with its
 * mirror pixel, that mirror pixel the odd part; a middle column is its own mirror. */
static void split_parts(float *v, size_t n, size_t w) {
    for (size_t row = 0; row < n; row += w)
        for (size_t x = 0; x < w / 2; x++) {
            const float a = v[row + x], b = v[row + w - 1 - x];
            v[row + x] = (a + b) * 0.70710678f;
            v[row + w - 1 - x] = (a - b) * 0.70710678f;
        }
}

/* Which numbers of a vector belong to a part: 0 even, 1 odd, 2 all. */
static size_t list_part(size_t n, size_t w, int part, size_t *index) {
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        const bool odd = i % w >= w - w / 2;
        if (part == 2 || odd == (part == 1)) index[count++] = i;
    }
    return count;
}

/* A part's share of the sums: covariance (upper triangle, not yet centered) and mean. */
struct part {
    size_t count, *index;
    double *covariance, *mean; /* [count][count], [count] */
    float *chunk;              /* [CHUNK][count] */
};

static int part_open(struct part *p, size_t n, size_t w, int which, struct caelum_error *err) {
    CHECK(mem_alloc(&p->index, n, sizeof *p->index, err));
    p->count = list_part(n, w, which, p->index);
    CHECK(mem_alloc(&p->mean, p->count, sizeof *p->mean, err));
    CHECK(mem_alloc(&p->chunk, p->count, CHUNK * sizeof *p->chunk, err));
    return mem_alloc(&p->covariance, p->count * p->count, sizeof *p->covariance, err);
}

static void part_close(struct part *p) {
    mem_free(&p->index);
    mem_free(&p->mean);
    mem_free(&p->chunk);
    mem_free(&p->covariance);
}

/* Adds the chunk's outer products: in float within a chunk, in double across chunks. */
static void add_chunk(const struct lapack *lapack, struct part *p, size_t rows, float *product) {
    const int n = (int)p->count;
    lapack->ssyrk(CblasRowMajor, CblasUpper, CblasTrans, n, (int)rows, 1.0f, p->chunk, n, 0.0f, product, n);
    for (size_t i = 0; i < p->count; i++)
        for (size_t j = i; j < p->count; j++)
            p->covariance[i * p->count + j] += (double)product[i * p->count + j];
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < p->count; i++) p->mean[i] += (double)p->chunk[r * p->count + i];
}

static int accumulate(const struct linear_code *code, const struct pictures *pictures, struct part *parts,
                      size_t n_parts, struct lapack *lapack, struct caelum_error *err) {
    const size_t blocks = blocks_in(pictures, code), total = pictures->n * blocks;
    float *vector = NULL, *product = NULL;
    int result = mem_alloc(&vector, code->n, sizeof *vector, err);
    if (result == 0) result = mem_alloc(&product, parts[0].count * parts[0].count, sizeof *product, err);
    if (result == 0) result = lapack_open(lapack, err);
    size_t rows = 0;
    for (size_t i = 0; result == 0 && i < total; i++) {
        cut_block(pictures, code, i / blocks, i % blocks, vector);
        /* around 1/2, so that less is lost when the mean is taken off the products */
        for (size_t j = 0; j < code->n; j++) vector[j] -= 0.5f;
        if (n_parts == 2) split_parts(vector, code->n, code->w);
        for (size_t p = 0; p < n_parts; p++)
            for (size_t j = 0; j < parts[p].count; j++)
                parts[p].chunk[rows * parts[p].count + j] = vector[parts[p].index[j]];
        if (++rows == CHUNK || i + 1 == total) {
            for (size_t p = 0; p < n_parts; p++) add_chunk(lapack, &parts[p], rows, product);
            rows = 0;
        }
    }
    mem_free(&vector);
    mem_free(&product);
    return result;
}

/* Sums to the covariance proper. The odd part of mirrored data has mean zero. */
static void center(struct part *p, double total, bool odd) {
    for (size_t i = 0; i < p->count; i++) p->mean[i] = odd ? 0 : p->mean[i] / total;
    for (size_t i = 0; i < p->count; i++)
        for (size_t j = i; j < p->count; j++)
            p->covariance[i * p->count + j] =
                p->covariance[i * p->count + j] / total - p->mean[i] * p->mean[j];
}

struct eigen {
    double value;
    int part;
    size_t column;
};

static int descending(const void *a, const void *b) {
    const double x = ((const struct eigen *)a)->value, y = ((const struct eigen *)b)->value;
    return (x < y) - (x > y);
}

/* Eigenvectors of all parts, sorted, back in the space of pixels. */
static int diagonalise(struct linear_code *code, struct part *parts, size_t n_parts,
                       const struct lapack *lapack, struct caelum_error *err) {
    struct eigen *eigen = NULL;
    double *values = NULL;
    size_t count = 0;
    int result = mem_alloc(&eigen, code->n, sizeof *eigen, err);
    if (result == 0) result = mem_alloc(&values, code->n, sizeof *values, err);
    for (size_t p = 0; result == 0 && p < n_parts; p++) {
        const int n = (int)parts[p].count;
        if (lapack->dsyevd(LAPACK_ROW_MAJOR, 'V', 'U', n, parts[p].covariance, n, values) != 0)
            result = caelum_fail(err, CAELUM_EFAIL, "the eigenvalues of the covariance were not found");
        for (size_t i = 0; i < parts[p].count; i++) eigen[count++] = (struct eigen){values[i], (int)p, i};
    }
    if (result == 0) {
        qsort(eigen, code->n, sizeof *eigen, descending);
        for (size_t k = 0; k < code->n; k++) {
            const struct part *p = &parts[eigen[k].part];
            float *v = code->basis + k * code->n;
            for (size_t i = 0; i < p->count; i++)
                v[p->index[i]] = (float)p->covariance[i * p->count + eigen[k].column];
            if (n_parts == 2) split_parts(v, code->n, code->w);
        }
        for (size_t p = 0; p < n_parts; p++)
            for (size_t i = 0; i < parts[p].count; i++)
                code->mean[parts[p].index[i]] = (float)parts[p].mean[i];
        if (n_parts == 2) split_parts(code->mean, code->n, code->w);
        for (size_t i = 0; i < code->n; i++) code->mean[i] += 0.5f;
    }
    mem_free(&eigen);
    mem_free(&values);
    return result;
}

int linear_code_fit(struct linear_code *out, const struct pictures *pictures, size_t h, size_t w,
                    struct caelum_error *err) {
    struct linear_code code = {.n = pictures->c * h * w, .h = h, .w = w};
    struct part parts[2] = {0};
    struct lapack lapack;
    const bool mirror = h == pictures->h && w == pictures->w;
    const size_t n_parts = mirror ? 2 : 1;
    int result = mem_alloc(&code.mean, code.n, sizeof(float), err);
    if (result == 0) result = mem_alloc(&code.basis, code.n * code.n, sizeof(float), err);
    for (size_t p = 0; result == 0 && p < n_parts; p++)
        result = part_open(&parts[p], code.n, w, mirror ? (int)p : 2, err);
    if (result == 0) result = accumulate(&code, pictures, parts, n_parts, &lapack, err);
    const double total = (double)(pictures->n * blocks_in(pictures, &code));
    for (size_t p = 0; result == 0 && p < n_parts; p++) center(&parts[p], total, mirror && p == 1);
    if (result == 0) result = diagonalise(&code, parts, n_parts, &lapack, err);
    for (size_t p = 0; p < 2; p++) part_close(&parts[p]);
    if (result != 0)
        linear_code_free(&code);
    else
        *out = code;
    return result;
}

void linear_code_free(struct linear_code *code) {
    mem_free(&code->mean);
    mem_free(&code->basis);
}

/* --- Measuring ------------------------------------------------------------------------------------ */

/* Pictures of one round of matrix products, and what measuring them needs. */
struct round {
    const struct linear_code *code;
    const struct pictures *pictures;
    size_t first, n;
    const float *output; /* [n * blocks][code->n] */
    double *scratch;     /* [n] parts */
    float *picture;      /* [n][c][h][w] */
    struct picture_error *errors;
};

static void measure_one(void *cookie, size_t i, int worker) {
    const struct round *r = cookie;
    const struct pictures *p = r->pictures;
    const struct linear_code *code = r->code;
    const size_t size = pictures_size(p), blocks = blocks_in(p, code), across = p->w / code->w;
    float *picture = r->picture + i * size;
    (void)worker;
    for (size_t b = 0; b < blocks; b++) {
        const float *from = r->output + (i * blocks + b) * code->n;
        for (size_t c = 0; c < p->c; c++)
            for (size_t y = 0; y < code->h; y++, from += code->w)
                memcpy(picture + (c * p->h + b / across * code->h + y) * p->w + b % across * code->w, from,
                       code->w * sizeof *from);
    }
    metrics_picture(pictures_at(p, r->first + i), picture, p->c, p->h, p->w,
                    r->scratch + i * metrics_scratch(p->h, p->w), &r->errors[r->first + i]);
}

/* output = mean + (input - mean) B^T B for the first `keep` basis vectors. */
static void project(const struct lapack *lapack, const struct linear_code *code, size_t keep, size_t rows,
                    float *input, float *codes, float *output) {
    const int n = (int)code->n, k = (int)keep, m = (int)rows;
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < code->n; i++) {
            input[r * code->n + i] -= code->mean[i];
            output[r * code->n + i] = code->mean[i];
        }
    if (keep == 0) return;
    lapack->sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, k, n, 1.0f, input, n, code->basis, n, 0.0f,
                  codes, k);
    lapack->sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1.0f, codes, k, code->basis, n, 1.0f,
                  output, n);
}

int linear_code_measure(const struct linear_code *code, size_t keep, const struct pictures *p,
                        struct caelum_metrics *metrics, struct caelum_error *err) {
    enum { PICTURES = 256 };
    const size_t blocks = blocks_in(p, code), size = pictures_size(p);
    float *input = NULL, *codes = NULL, *output = NULL;
    struct round round = {.code = code, .pictures = p};
    struct lapack lapack;
    int result = mem_alloc(&input, PICTURES * size, sizeof *input, err);
    if (result == 0) result = mem_alloc(&codes, PICTURES * blocks * (keep + 1), sizeof *codes, err);
    if (result == 0) result = mem_alloc(&output, PICTURES * size, sizeof *output, err);
    if (result == 0) result = mem_alloc(&round.picture, PICTURES * size, sizeof *round.picture, err);
    if (result == 0)
        result =
            mem_alloc(&round.scratch, PICTURES * metrics_scratch(p->h, p->w), sizeof *round.scratch, err);
    if (result == 0) result = mem_alloc(&round.errors, p->n, sizeof *round.errors, err);
    if (result == 0) result = lapack_open(&lapack, err);
    round.output = output;
    for (; result == 0 && round.first < p->n; round.first += PICTURES) {
        round.n = p->n - round.first < PICTURES ? p->n - round.first : PICTURES;
        for (size_t i = 0; i < round.n * blocks; i++)
            cut_block(p, code, round.first + i / blocks, i % blocks, input + i * code->n);
        project(&lapack, code, keep, round.n * blocks, input, codes, output);
        parallel_for(parallel_default_threads(), round.n, measure_one, &round);
    }
    if (result == 0) metrics_total(round.errors, p->n, p->c, p->h, p->w, metrics);
    mem_free(&input);
    mem_free(&codes);
    mem_free(&output);
    mem_free(&round.picture);
    mem_free(&round.scratch);
    mem_free(&round.errors);
    return result;
}
