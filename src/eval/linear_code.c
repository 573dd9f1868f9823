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

struct eigen {
    double value;
    size_t part, column;
};

/* What fitting a code takes. */
struct fit {
    struct linear_code *code;
    struct mem_group memory;
    struct lapack lapack;
    size_t parts; /* 2 where mirrored pictures count, too */
    struct part part[2];
    float *vector, *product; /* [n]; [count][count] of the larger part */
    struct eigen *eigen;     /* [n] */
    double *values;          /* [n] */
};

static int open_part(struct fit *f, struct part *p, int which, struct caelum_error *err) {
    const struct linear_code *code = f->code;
    CHECK(mem_take(&f->memory, &p->index, code->n, sizeof *p->index, err));
    p->count = list_part(code->n, code->w, which, p->index);
    CHECK(mem_take(&f->memory, &p->mean, p->count, sizeof *p->mean, err));
    CHECK(mem_take(&f->memory, &p->chunk, p->count, CHUNK * sizeof *p->chunk, err));
    return mem_take(&f->memory, &p->covariance, p->count * p->count, sizeof *p->covariance, err);
}

static int open_fit(struct fit *f, struct caelum_error *err) {
    struct linear_code *code = f->code;
    CHECK(mem_alloc(&code->mean, code->n, sizeof *code->mean, err));
    CHECK(mem_alloc(&code->basis, code->n * code->n, sizeof *code->basis, err));
    for (size_t p = 0; p < f->parts; p++) CHECK(open_part(f, &f->part[p], f->parts == 2 ? (int)p : 2, err));
    const size_t largest = f->part[0].count;
    CHECK(mem_take(&f->memory, &f->vector, code->n, sizeof *f->vector, err));
    CHECK(mem_take(&f->memory, &f->product, largest * largest, sizeof *f->product, err));
    CHECK(mem_take(&f->memory, &f->eigen, code->n, sizeof *f->eigen, err));
    CHECK(mem_take(&f->memory, &f->values, code->n, sizeof *f->values, err));
    return lapack_open(&f->lapack, err);
}

/* Adds the chunk's outer products: in float within a chunk, in double across chunks. */
static void add_chunk(struct fit *f, struct part *p, size_t rows) {
    const int n = (int)p->count;
    f->lapack.ssyrk(CblasRowMajor, CblasUpper, CblasTrans, n, (int)rows, 1.0f, p->chunk, n, 0.0f, f->product,
                    n);
    for (size_t i = 0; i < p->count; i++)
        for (size_t j = i; j < p->count; j++)
            p->covariance[i * p->count + j] += (double)f->product[i * p->count + j];
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < p->count; i++) p->mean[i] += (double)p->chunk[r * p->count + i];
}

static void accumulate(struct fit *f, const struct pictures *pictures) {
    const struct linear_code *code = f->code;
    const size_t blocks = blocks_in(pictures, code), total = pictures->n * blocks;
    for (size_t i = 0, rows = 0; i < total; i++) {
        cut_block(pictures, code, i / blocks, i % blocks, f->vector);
        /* around 1/2, so that less is lost when the mean is taken off the products */
        for (size_t j = 0; j < code->n; j++) f->vector[j] -= 0.5f;
        if (f->parts == 2) split_parts(f->vector, code->n, code->w);
        for (struct part *p = f->part; p < f->part + f->parts; p++)
            for (size_t j = 0; j < p->count; j++) p->chunk[rows * p->count + j] = f->vector[p->index[j]];
        if (++rows < CHUNK && i + 1 < total) continue;
        for (size_t p = 0; p < f->parts; p++) add_chunk(f, &f->part[p], rows);
        rows = 0;
    }
}

/* Sums to the covariance proper. The odd part of mirrored data has mean zero. */
static void center(struct part *p, double total, bool odd) {
    for (size_t i = 0; i < p->count; i++) p->mean[i] = odd ? 0 : p->mean[i] / total;
    for (size_t i = 0; i < p->count; i++)
        for (size_t j = i; j < p->count; j++)
            p->covariance[i * p->count + j] =
                p->covariance[i * p->count + j] / total - p->mean[i] * p->mean[j];
}

static int descending(const void *a, const void *b) {
    const double x = ((const struct eigen *)a)->value, y = ((const struct eigen *)b)->value;
    return (x < y) - (x > y);
}

/* Eigenvectors of all parts, sorted, back in the space of pixels. */
static int diagonalize(struct fit *f, struct caelum_error *err) {
    struct linear_code *code = f->code;
    const size_t n = code->n;
    size_t count = 0;
    for (size_t i = 0; i < f->parts; i++) {
        const struct part *p = &f->part[i];
        const int side = (int)p->count;
        const int info = f->lapack.dsyevd(LAPACK_ROW_MAJOR, 'V', 'U', side, p->covariance, side, f->values);
        if (info == LAPACK_WORK_MEMORY_ERROR || info == LAPACK_TRANSPOSE_MEMORY_ERROR)
            return caelum_fail(err, CAELUM_ERESOURCE, "out of memory for the eigenvalues of the covariance");
        if (info != 0)
            return caelum_fail(err, CAELUM_EFAIL, "the eigenvalues of the covariance were not found");
        for (size_t k = 0; k < p->count; k++) f->eigen[count++] = (struct eigen){f->values[k], i, k};
        for (size_t k = 0; k < p->count; k++) code->mean[p->index[k]] = (float)p->mean[k];
    }
    qsort(f->eigen, n, sizeof *f->eigen, descending);
    for (size_t k = 0; k < n; k++) {
        const struct part *p = &f->part[f->eigen[k].part];
        float *v = code->basis + k * n;
        for (size_t i = 0; i < p->count; i++)
            v[p->index[i]] = (float)p->covariance[i * p->count + f->eigen[k].column];
        if (f->parts == 2) split_parts(v, n, code->w);
    }
    if (f->parts == 2) split_parts(code->mean, n, code->w);
    for (size_t i = 0; i < n; i++) code->mean[i] += 0.5f;
    return CAELUM_OK;
}

static int fit(struct fit *f, const struct pictures *pictures, struct caelum_error *err) {
    CHECK(open_fit(f, err));
    accumulate(f, pictures);
    const double total = (double)(pictures->n * blocks_in(pictures, f->code));
    for (size_t p = 0; p < f->parts; p++) center(&f->part[p], total, p == 1);
    return diagonalize(f, err);
}

int linear_code_fit(struct linear_code *code, const struct pictures *pictures, size_t h, size_t w,
                    struct caelum_error *err) {
    struct fit f = {.code = code, .parts = h == pictures->h && w == pictures->w ? 2 : 1};
    *code = (struct linear_code){.n = pictures->c * h * w, .h = h, .w = w};
    const int result = fit(&f, pictures, err);
    mem_end(&f.memory);
    if (result != 0) linear_code_free(code);
    return result;
}

void linear_code_free(struct linear_code *code) {
    mem_free(&code->mean);
    mem_free(&code->basis);
}

/* --- Measuring ------------------------------------------------------------------------------------ */

enum { ROUND = 256 }; /* pictures of one round of matrix products */

/* What measuring takes. */
struct measuring {
    const struct linear_code *code;
    const struct pictures *pictures;
    struct mem_group memory;
    struct lapack lapack;
    size_t keep, first, n;         /* pictures of this round */
    float *input, *codes, *output; /* [ROUND * blocks] of code->n, keep, code->n numbers */
    double *scratch;               /* [ROUND] parts */
    float *picture;                /* [ROUND][c][h][w] */
    struct picture_error *errors;  /* [pictures->n] */
};

static void measure_one(void *cookie, size_t i, int worker) {
    const struct measuring *r = cookie;
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
static void project(const struct measuring *r, size_t rows) {
    const struct linear_code *code = r->code;
    const int n = (int)code->n, k = (int)r->keep, m = (int)rows;
    for (size_t i = 0; i < rows * code->n; i++) {
        r->input[i] -= code->mean[i % code->n];
        r->output[i] = code->mean[i % code->n];
    }
    if (k == 0) return;
    r->lapack.sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, k, n, 1.0f, r->input, n, code->basis, n, 0.0f,
                    r->codes, k);
    r->lapack.sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1.0f, r->codes, k, code->basis, n,
                    1.0f, r->output, n);
}

static int measure(struct measuring *r, struct caelum_metrics *metrics, struct caelum_error *err) {
    const struct pictures *p = r->pictures;
    const size_t blocks = blocks_in(p, r->code), size = pictures_size(p);
    CHECK(mem_take(&r->memory, &r->input, ROUND * size, sizeof *r->input, err));
    CHECK(mem_take(&r->memory, &r->codes, ROUND * blocks * (r->keep + 1), sizeof *r->codes, err));
    CHECK(mem_take(&r->memory, &r->output, ROUND * size, sizeof *r->output, err));
    CHECK(mem_take(&r->memory, &r->picture, ROUND * size, sizeof *r->picture, err));
    CHECK(mem_take(&r->memory, &r->scratch, ROUND * metrics_scratch(p->h, p->w), sizeof *r->scratch, err));
    CHECK(mem_take(&r->memory, &r->errors, p->n, sizeof *r->errors, err));
    CHECK(lapack_open(&r->lapack, err));
    for (; r->first < p->n; r->first += ROUND) {
        r->n = p->n - r->first < ROUND ? p->n - r->first : ROUND;
        for (size_t i = 0; i < r->n * blocks; i++)
            cut_block(p, r->code, r->first + i / blocks, i % blocks, r->input + i * r->code->n);
        project(r, r->n * blocks);
        parallel_for(parallel_default_threads(), r->n, measure_one, r);
    }
    metrics_total(r->errors, p->n, p->c, p->h, p->w, metrics);
    return CAELUM_OK;
}

int linear_code_measure(const struct linear_code *code, size_t keep, const struct pictures *pictures,
                        struct caelum_metrics *metrics, struct caelum_error *err) {
    struct measuring r = {.code = code, .pictures = pictures, .keep = keep};
    const int result = measure(&r, metrics, err);
    mem_end(&r.memory);
    return result;
}
