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

/* --- Tiles ---------------------------------------------------------------------------------------- */

typedef float vf_anywhere __attribute__((vector_size(VW * 4), may_alias, aligned(4)));

/* A part of the border, and the tile that it shows. */
struct border {
    ptrdiff_t top, bottom, left, right; /* rows and columns of the border: first, and one past the last */
    ptrdiff_t down, across;             /* how many tiles away */
};

/* Lane l of the border is lane l + by of the pixel that many tiles away, or 0 where mine[l] is. `any`: a lane
 * has something there. */
INLINE void copy_border(const struct tensor *x, const struct border *b, ptrdiff_t by, const int32_t *mine,
                        bool any) {
    const ptrdiff_t rows = b->down * (ptrdiff_t)x->h, cols = b->across * (ptrdiff_t)x->w;
    for (size_t c = 0; c < x->c; c++)
        for (ptrdiff_t i = b->top; i < b->bottom; i++) {
            const float *from = tensor_at(x, c, i - rows, b->left - cols);
            float *to = tensor_at(x, c, i, b->left);
            for (ptrdiff_t j = b->left; j < b->right; j++, from += LANES, to += LANES)
                for (ptrdiff_t part = 0; part < LANES; part += VW) {
                    /* a register that begins `by` lanes later; at the ends of a row it reaches into the
                     * border */
                    const vf v = any ? *(const vf_anywhere *)(from + part + by) : (vf){0};
                    save(to + part, (vf)((vi)v & *(const vi *)(mine + part)));
                }
        }
}

static void FN(halo)(const struct tensor *x, struct tiling tiles) {
    const ptrdiff_t pad = (ptrdiff_t)x->pad, h = (ptrdiff_t)x->h, w = (ptrdiff_t)x->w;
    const ptrdiff_t down = (pad + h - 1) / h,
                    across = (pad + w - 1) / w; /* how many tiles the border reaches */
    for (ptrdiff_t y = -down; y <= down; y++)
        for (ptrdiff_t l = -across; l <= across; l++) {
            if (y == 0 && l == 0) continue;
            _Alignas(64) int32_t mine[LANES];
            bool any = false;
            for (size_t lane = 0; lane < LANES; lane++) {
                const size_t tile = lane % tiling_count(tiles);
                const ptrdiff_t ty = (ptrdiff_t)(tile / tiles.across) + y;
                const ptrdiff_t tx = (ptrdiff_t)(tile % tiles.across) + l;
                const bool inside =
                    ty >= 0 && ty < (ptrdiff_t)tiles.down && tx >= 0 && tx < (ptrdiff_t)tiles.across;
                mine[lane] = inside ? -1 : 0;
                any |= inside;
            }
            const struct border part = {.top = y * h < -pad ? -pad : y * h,
                                        .bottom = (y + 1) * h > h + pad ? h + pad : (y + 1) * h,
                                        .left = l * w < -pad ? -pad : l * w,
                                        .right = (l + 1) * w > w + pad ? w + pad : (l + 1) * w,
                                        .down = y,
                                        .across = l};
            copy_border(x, &part, y * (ptrdiff_t)tiles.across + l, mine, any);
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

/* What noise_job says; INLINE, so that each kernel has its own kind of draw in its loops. */
INLINE void add_noise(const struct noise_job *job, bool uniform) {
    uint32_t place = 0;
    for (size_t c = 0; c < job->x.c; c++)
        for (size_t i = 0; i < job->x.h; i++)
            for (size_t j = 0; j < job->x.w; j++, place++) {
                const float *in = tensor_at(&job->x, c, (ptrdiff_t)i, (ptrdiff_t)j);
                float *out = tensor_at(&job->y, c, (ptrdiff_t)i, (ptrdiff_t)j);
                for (uint32_t lane = 0; lane < LANES; lane++) {
                    const uint32_t counter[4] = {place, job->first + lane, job->stream, job->step};
                    uint32_t word[4];
                    rng_philox(counter, job->key, word);
                    const float n =
                        uniform ? ((float)(word[0] >> 8) + 0.5f) * 0x1p-24f - 0.5f : rng_nearly_normal(word);
                    const float scaled = n * job->scale;
                    out[lane] = in[lane] + scaled;
                }
            }
}

static void FN(noise)(const struct noise_job *job) {
    add_noise(job, false);
}

static void FN(dither)(const struct noise_job *job) {
    add_noise(job, true);
}
