/* pointwise_tmpl.c - what works window by window: pooling, upsampling, and the way from bytes to lanes and
 * back. */

/* --- Pooling -------------------------------------------------------------------------------------- */

INLINE void maxpool_all(const struct tensor *x, const struct tensor *y, const size_t size) {
    for (size_t c = 0; c < y->c; c++)
        for (size_t i = 0; i < y->h; i++) {
            const float *in = tensor_at(x, c, (ptrdiff_t)(i * size), 0);
            float *out = tensor_at(y, c, (ptrdiff_t)i, 0);
            for (size_t j = 0; j < y->w; j++)
                for (size_t part = 0; part < LANES; part += VW) {
                    const float *p = in + j * size * x->step + part;
                    vf most = load(p);
                    for (size_t a = 0; a < size; a++)
                        for (size_t b = 0; b < size; b++) {
                            const vf v = load(p + a * x->row + b * x->step);
                            most = pick(most >= v, most, v);
                        }
                    save(out + j * y->step + part, most);
                }
        }
}

static void FN(maxpool)(const struct tensor *x, const struct tensor *y, size_t size) {
    if (size == 2)
        maxpool_all(x, y, 2);
    else
        maxpool_all(x, y, size);
}

/* Zeroes what no window of `size` covers: the last rows and columns. */
static void clear_rest(const struct tensor *dx, size_t rows, size_t columns) {
    for (size_t c = 0; c < dx->c; c++)
        for (size_t i = 0; i < dx->h; i++)
            for (size_t j = i < rows ? columns : 0; j < dx->w; j++)
                for (size_t part = 0; part < LANES; part += VW)
                    save(tensor_at(dx, c, (ptrdiff_t)i, (ptrdiff_t)j) + part, (vf){0});
}

INLINE void maxpool_grad_all(const struct tensor *x, const struct tensor *y, const struct tensor *dy,
                             const struct tensor *dx, const size_t size) {
    for (size_t c = 0; c < y->c; c++)
        for (size_t i = 0; i < y->h; i++)
            for (size_t j = 0; j < y->w; j++)
                for (size_t part = 0; part < LANES; part += VW) {
                    const float *in = tensor_at(x, c, (ptrdiff_t)(i * size), (ptrdiff_t)(j * size)) + part;
                    float *to = tensor_at(dx, c, (ptrdiff_t)(i * size), (ptrdiff_t)(j * size)) + part;
                    const vf most = load(tensor_at(y, c, (ptrdiff_t)i, (ptrdiff_t)j) + part);
                    /* not yet assigned: the first equal pixel takes it */
                    vf left = load(tensor_at(dy, c, (ptrdiff_t)i, (ptrdiff_t)j) + part);
                    for (size_t a = 0; a < size; a++)
                        for (size_t b = 0; b < size; b++) {
                            const vi hit = load(in + a * x->row + b * x->step) == most;
                            save(to + a * dx->row + b * dx->step, (vf)((vi)left & hit));
                            left = (vf)((vi)left & ~hit);
                        }
                }
    clear_rest(dx, y->h * size, y->w * size);
}

static void FN(maxpool_grad)(const struct tensor *x, const struct tensor *y, const struct tensor *dy,
                             const struct tensor *dx, size_t size) {
    if (size == 2)
        maxpool_grad_all(x, y, dy, dx, 2);
    else
        maxpool_grad_all(x, y, dy, dx, size);
}

/* --- Upsampling ----------------------------------------------------------------------------------- */

INLINE void upsample_all(const struct tensor *x, const struct tensor *y, const size_t factor) {
    for (size_t c = 0; c < x->c; c++)
        for (size_t i = 0; i < x->h; i++) {
            const float *in = tensor_at(x, c, (ptrdiff_t)i, 0);
            float *out = tensor_at(y, c, (ptrdiff_t)(i * factor), 0);
            for (size_t j = 0; j < x->w; j++)
                for (size_t part = 0; part < LANES; part += VW) {
                    const vf v = load(in + j * x->step + part);
                    for (size_t a = 0; a < factor; a++)
                        for (size_t b = 0; b < factor; b++)
                            save(out + a * y->row + (j * factor + b) * y->step + part, v);
                }
        }
}

static void FN(upsample)(const struct tensor *x, const struct tensor *y, size_t factor) {
    if (factor == 2)
        upsample_all(x, y, 2);
    else
        upsample_all(x, y, factor);
}

INLINE void upsample_grad_all(const struct tensor *dy, const struct tensor *dx, const size_t factor) {
    for (size_t c = 0; c < dx->c; c++)
        for (size_t i = 0; i < dx->h; i++) {
            const float *in = tensor_at(dy, c, (ptrdiff_t)(i * factor), 0);
            float *out = tensor_at(dx, c, (ptrdiff_t)i, 0);
            for (size_t j = 0; j < dx->w; j++)
                for (size_t part = 0; part < LANES; part += VW) {
                    vf sum = {0};
                    for (size_t a = 0; a < factor; a++)
                        for (size_t b = 0; b < factor; b++)
                            sum += load(in + a * dy->row + (j * factor + b) * dy->step + part);
                    save(out + j * dx->step + part, sum);
                }
        }
}

static void FN(upsample_grad)(const struct tensor *dy, const struct tensor *dx, size_t factor) {
    if (factor == 2)
        upsample_grad_all(dy, dx, 2);
    else
        upsample_grad_all(dy, dx, factor);
}

/* --- Bytes to lanes and back ---------------------------------------------------------------------- */

/* Sixteen bytes of each of up to sixteen pictures: a 16 x 16 transpose of bytes in four rounds, each of which
 * interleaves row i with row i + 8. */
typedef uint8_t bytes16 __attribute__((vector_size(16), may_alias, aligned(1)));

INLINE void transpose16(bytes16 v[16]) {
    for (int round = 0; round < 4; round++) {
        bytes16 t[16];
        UNROLL
        for (int i = 0; i < 8; i++) {
            t[2 * i] = __builtin_shufflevector(v[i], v[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6,
                                               22, 7, 23);
            t[2 * i + 1] = __builtin_shufflevector(v[i], v[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13,
                                                   29, 14, 30, 15, 31);
        }
        UNROLL
        for (int i = 0; i < 16; i++) v[i] = t[i];
    }
}

/* byte / 255, rounded correctly where there is fused multiply-add, by one step of Newton's: a division
 * costs sixteen cycles a vector. */
INLINE float over255(uint8_t byte) {
    const float b = (float)byte, quotient = b * (1.0f / 255), rest = b - quotient * 255.0f;
    return quotient + rest * (1.0f / 255);
}

static void FN(load)(const uint8_t *const *pictures, size_t row, size_t plane, const struct tensor *x) {
    for (size_t c = 0; c < x->c; c++)
        for (size_t i = 0; i < x->h; i++) {
            size_t at = c * plane + i * row;
            float *out = tensor_at(x, c, (ptrdiff_t)i, 0);
            size_t j = 0;
            for (; j + 16 <= x->w; j += 16, at += 16) {
                bytes16 v[16] = {{0}};
                UNROLL
                for (int lane = 0; lane < LANES; lane++) v[lane] = *(const bytes16 *)(pictures[lane] + at);
                transpose16(v);
                for (size_t b = 0; b < 16; b++) {
                    uint8_t pixel[16];
                    *(bytes16 *)pixel = v[b];
                    float *to = out + (j + b) * x->step;
                    for (int lane = 0; lane < LANES; lane++) to[lane] = over255(pixel[lane]);
                }
            }
            for (; j < x->w; j++, at++)
                for (int lane = 0; lane < LANES; lane++)
                    out[j * x->step + (size_t)lane] = over255(pictures[lane][at]);
        }
}

static void FN(store)(const struct tensor *x, float *const *pictures, size_t row, size_t plane, size_t live) {
    for (size_t c = 0; c < x->c; c++)
        for (size_t i = 0; i < x->h; i++) {
            size_t at = c * plane + i * row;
            const float *in = tensor_at(x, c, (ptrdiff_t)i, 0);
            for (size_t j = 0; j < x->w; j++, at++)
                for (size_t lane = 0; lane < live; lane++) pictures[lane][at] = in[j * x->step + lane];
        }
}
