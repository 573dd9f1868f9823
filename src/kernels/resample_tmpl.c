/* resample_tmpl.c - what moves, adds and averages pixels: copies and sums of views, average pooling,
 * bilinear upsampling, noise. */

/* --- Copies and sums ------------------------------------------------------------------------------ */

static void FN(copy)(const struct tensor *x, const struct tensor *y) {
    for (size_t c = 0; c < y->c; c++)
        for (size_t i = 0; i < y->h; i++) {
            const float *in = tensor_at(x, c, (ptrdiff_t)i, 0);
            float *out = tensor_at(y, c, (ptrdiff_t)i, 0);
            for (size_t j = 0; j < y->w; j++)
                for (size_t part = 0; part < LANES; part += VW)
                    save(out + j * y->step + part, load(in + j * x->step + part));
        }
}

static void FN(add)(const struct tensor *a, const struct tensor *b, const struct tensor *y) {
    for (size_t c = 0; c < y->c; c++)
        for (size_t i = 0; i < y->h; i++) {
            const float *one = tensor_at(a, c, (ptrdiff_t)i, 0), *two = tensor_at(b, c, (ptrdiff_t)i, 0);
            float *out = tensor_at(y, c, (ptrdiff_t)i, 0);
            for (size_t j = 0; j < y->w; j++)
                for (size_t part = 0; part < LANES; part += VW)
                    save(out + j * y->step + part,
                         load(one + j * a->step + part) + load(two + j * b->step + part));
        }
}

static void FN(clear)(const struct tensor *y) {
    for (size_t c = 0; c < y->c; c++)
        for (size_t i = 0; i < y->h; i++) {
            float *out = tensor_at(y, c, (ptrdiff_t)i, 0);
            for (size_t j = 0; j < y->w; j++)
                for (size_t part = 0; part < LANES; part += VW) save(out + j * y->step + part, (vf){0});
        }
}

/* --- Strips --------------------------------------------------------------------------------------- */

typedef float vf_anywhere __attribute__((vector_size(VW * 4), may_alias, aligned(4)));

/* One row of pixels: lane l of `to` is lane l - by of `from`, or 0 where that is another picture's. */
INLINE void shift_row(const float *from, float *to, size_t width, ptrdiff_t by, size_t strips) {
    _Alignas(64) int32_t mine[LANES];
    bool any = false;
    for (size_t lane = 0; lane < LANES; lane++) {
        const ptrdiff_t strip = (ptrdiff_t)(lane % strips) - by;
        const bool inside = strip >= 0 && strip < (ptrdiff_t)strips;
        mine[lane] = inside ? -1 : 0;
        any |= inside;
    }
    for (size_t j = 0; j < width; j++)
        for (size_t part = 0; part < LANES; part += VW) {
            /* a register that begins `by` lanes earlier; at the ends of the row it reaches into the border */
            const vf v = any ? *(const vf_anywhere *)(from + j * LANES + part - by) : (vf){0};
            save(to + j * LANES + part, (vf)((vi)v & *(const vi *)(mine + part)));
        }
}

static void FN(halo)(const struct tensor *x, size_t strips) {
    const ptrdiff_t rows = (ptrdiff_t)x->h;
    for (size_t c = 0; c < x->c; c++)
        for (ptrdiff_t j = 1; j <= (ptrdiff_t)x->pad; j++) {
            const ptrdiff_t by = (j - 1) / rows + 1; /* strips away */
            shift_row(tensor_at(x, c, by * rows - j, 0), tensor_at(x, c, -j, 0), x->w, by, strips);
            shift_row(tensor_at(x, c, rows - 1 + j - by * rows, 0), tensor_at(x, c, rows - 1 + j, 0), x->w,
                      -by, strips);
        }
}

/* --- Average pooling ------------------------------------------------------------------------------ */

static void FN(avgpool)(const struct tensor *x, const struct tensor *y, size_t size) {
    const float share = 1.0f / (float)(size * size);
    for (size_t c = 0; c < y->c; c++)
        for (size_t i = 0; i < y->h; i++)
            for (size_t j = 0; j < y->w; j++)
                for (size_t part = 0; part < LANES; part += VW) {
                    const float *in = tensor_at(x, c, (ptrdiff_t)(i * size), (ptrdiff_t)(j * size)) + part;
                    vf sum = {0};
                    for (size_t a = 0; a < size; a++)
                        for (size_t b = 0; b < size; b++) sum += load(in + a * x->row + b * x->step);
                    save(tensor_at(y, c, (ptrdiff_t)i, (ptrdiff_t)j) + part, sum * share);
                }
}

static void FN(avgpool_grad)(const struct tensor *dy, const struct tensor *dx, size_t size) {
    const float share = 1.0f / (float)(size * size);
    for (size_t c = 0; c < dy->c; c++)
        for (size_t i = 0; i < dy->h; i++)
            for (size_t j = 0; j < dy->w; j++)
                for (size_t part = 0; part < LANES; part += VW) {
                    const vf d = load(tensor_at(dy, c, (ptrdiff_t)i, (ptrdiff_t)j) + part) * share;
                    float *to = tensor_at(dx, c, (ptrdiff_t)(i * size), (ptrdiff_t)(j * size)) + part;
                    for (size_t a = 0; a < size; a++)
                        for (size_t b = 0; b < size; b++) save(to + a * dx->row + b * dx->step, d);
                }
    clear_rest(dx, dy->h * size, dy->w * size);
}

/* --- Bilinear upsampling -------------------------------------------------------------------------- */

/* The two input pixels around output pixel i, and the weight of the second; pixel centers are at
 * (i + 1/2) / factor - 1/2, held at the edges. */
struct between {
    size_t low, high;
    float weight;
};

INLINE struct between find_between(size_t i, size_t factor, size_t n) {
    const size_t at = 2 * i + 1, half = factor;
    if (at <= half) return (struct between){0, 0, 0.0f};
    const size_t low = (at - half) / (2 * factor), rest = (at - half) % (2 * factor);
    return (struct between){low, low + 1 < n ? low + 1 : low, (float)rest / (float)(2 * factor)};
}

static void FN(bilinear)(const struct tensor *x, const struct tensor *y, size_t factor) {
    for (size_t c = 0; c < y->c; c++)
        for (size_t i = 0; i < y->h; i++) {
            const struct between r = find_between(i, factor, x->h);
            for (size_t j = 0; j < y->w; j++) {
                const struct between q = find_between(j, factor, x->w);
                for (size_t part = 0; part < LANES; part += VW) {
                    const float *low = tensor_at(x, c, (ptrdiff_t)r.low, 0) + part,
                                *high = tensor_at(x, c, (ptrdiff_t)r.high, 0) + part;
                    const vf a = load(low + q.low * x->step), b = load(low + q.high * x->step);
                    const vf d = load(high + q.low * x->step), e = load(high + q.high * x->step);
                    const vf upper = a + (b - a) * q.weight, lower = d + (e - d) * q.weight;
                    save(tensor_at(y, c, (ptrdiff_t)i, (ptrdiff_t)j) + part,
                         upper + (lower - upper) * r.weight);
                }
            }
        }
}

INLINE void add_to(float *p, vf v) {
    save(p, load(p) + v);
}

static void FN(bilinear_grad)(const struct tensor *dy, const struct tensor *dx, size_t factor) {
    FN(clear)(dx);
    for (size_t c = 0; c < dy->c; c++)
        for (size_t i = 0; i < dy->h; i++) {
            const struct between r = find_between(i, factor, dx->h);
            for (size_t j = 0; j < dy->w; j++) {
                const struct between q = find_between(j, factor, dx->w);
                for (size_t part = 0; part < LANES; part += VW) {
                    float *low = tensor_at(dx, c, (ptrdiff_t)r.low, 0) + part,
                          *high = tensor_at(dx, c, (ptrdiff_t)r.high, 0) + part;
                    const vf d = load(tensor_at(dy, c, (ptrdiff_t)i, (ptrdiff_t)j) + part);
                    const vf lower = d * r.weight, upper = d * (1.0f - r.weight);
                    add_to(low + q.low * dx->step, upper * (1.0f - q.weight));
                    add_to(low + q.high * dx->step, upper * q.weight);
                    add_to(high + q.low * dx->step, lower * (1.0f - q.weight));
                    add_to(high + q.high * dx->step, lower * q.weight);
                }
            }
        }
}

/* --- Noise ---------------------------------------------------------------------------------------- */

/* Sum of eight uniform 16-bit numbers, centered and scaled to variance 1. */
INLINE float nearly_normal(const uint32_t word[4]) {
    uint32_t sum = 0;
    for (int i = 0; i < 4; i++) sum += (word[i] & 0xFFFFu) + (word[i] >> 16);
    return (float)((int32_t)sum - 8 * 65535 / 2) * (1.0f / (65536.0f * 0.81649658f));
}

static void FN(noise)(const struct noise_job *job) {
    uint32_t pixel = 0;
    for (size_t c = 0; c < job->x.c; c++)
        for (size_t i = 0; i < job->x.h; i++)
            for (size_t j = 0; j < job->x.w; j++, pixel++) {
                const float *in = tensor_at(&job->x, c, (ptrdiff_t)i, (ptrdiff_t)j);
                float *out = tensor_at(&job->y, c, (ptrdiff_t)i, (ptrdiff_t)j);
                for (uint32_t lane = 0; lane < LANES; lane++) {
                    const uint32_t counter[4] = {pixel, job->first + lane, job->stream, job->step};
                    uint32_t word[4];
                    rng_philox(counter, job->key, word);
                    const float scaled = nearly_normal(word) * job->sigma;
                    out[lane] = in[lane] + scaled;
                }
            }
}
