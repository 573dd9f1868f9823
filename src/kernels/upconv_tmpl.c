/* upconv_tmpl.c - a 3x3 convolution of a picture whose every pixel was doubled both ways, from the picture as
 * it was before: 9 products for each of its pixels, which is four of the output, instead of 36.
 *
 * Along one axis, with taps a, b, c, pixel i of x gives two of the output, an even and an odd one:
 *
 *   y0[i] = a x[i-1] + (b + c) x[i]   = S x[i] + t0 D[i-1]      S = a + b + c,  t0 = -a,  t1 = c,
 *   y1[i] = (a + b) x[i] + c x[i+1]   = S x[i] + t1 D[i]        D[i] = x[i+1] - x[i]
 *
 * three products instead of the four of two convolutions with two taps, or the six of three taps. Over both
 * axes the weights are W = T w T^T, T having rows (1 1 1), (-1 0 0), (0 0 1), and the nine products are those
 * of x, its differences across, down, and both. The adjoint is, with g the gradient of y,
 *
 *   dx[i] = S (g0[i] + g1[i]) + t0 (g0[i] - g0[i+1]) + t1 (g1[i-1] - g1[i])
 *   dS = sum of (g0 + g1) x,  dt0 = sum of g0 D[i-1],  dt1 = sum of g1 D[i],  dw = T^T dW T
 *
 * A place is a pair of S, t0, t1: that of the rows, then that of the columns. */

enum { PLACES = 9 };

/* Tensors in scratch, one place after the other, [place][channel][rows][columns]: this is the first. */
INLINE struct tensor first_place(float *data, size_t channels, size_t h, size_t w, size_t idle) {
    const size_t row = w * LANES;
    return (struct tensor){data, channels, h, w, LANES, row, h * row, 0, idle};
}
/* Floats from one to the next. */
INLINE size_t apart(const struct tensor *t) {
    return t->c * t->plane;
}

/* Differences across, down and both of rows first - 1 to first + rows - 1 of x, from column -1 on, one after
 * the other into `out`. */
static void differences(const struct tensor *x, size_t first, const struct tensor *out) {
    float *to = out->data;
    const size_t next = apart(out), below = x->row;
    for (size_t c = 0; c < out->c; c++)
        for (size_t r = 0; r < out->h; r++) {
            const float *in = tensor_at(x, c, (ptrdiff_t)(first + r) - 1, -1);
            for (size_t j = out->w * LANES; j > 0; j -= VW, in += VW, to += VW) {
                const vf here = load(in), lower = load(in + below);
                const vf across = load(in + LANES) - here;
                save(to, across);
                save(to + next, lower - here);
                save(to + 2 * next, load(in + below + LANES) - lower - across);
            }
        }
}

/* What a place's weights meet in rows from `first` on: x or one of its differences. */
INLINE struct tensor met_by(size_t place, const struct tensor *x, const struct tensor *fields, size_t first,
                            size_t rows) {
    const size_t down = place / 3, across = place % 3;
    struct tensor t = place == 0 ? *x : *fields;
    if (place == 0)
        t.data = tensor_at(x, 0, (ptrdiff_t)first, 0);
    else /* the fields begin a row and a column early, where t0 does */
        t.data += (down == 0     ? 0
                   : across == 0 ? 1
                                 : 2) *
                      apart(fields) +
                  (down == 1 ? 0 : t.row) + (across == 1 ? 0 : LANES);
    t.h = rows, t.w = x->w;
    return t;
}

/* The four outputs of each pixel from its nine products. */
static void join(const struct conv_job *job, const struct tensor *m, size_t first) {
    const size_t next = apart(m), row = job->y.row, step = job->y.step;
    const bool relu = job->relu != 0;
    const float *from = m->data;
    for (size_t k = 0; k < m->c; k++) {
        const vf bias = splat(job->bias ? job->bias[k] : 0.0f);
        for (size_t i = 0; i < m->h; i++) {
            float *out = tensor_at(&job->y, k, (ptrdiff_t)(2 * (first + i)), 0);
            for (size_t j = m->w; j > 0; j--, out += 2 * step)
                for (size_t part = 0; part < LANES; part += VW, from += VW) {
                    const vf all = load(from) + bias;
                    const vf left = all + load(from + next), right = all + load(from + 2 * next);
                    UNROLL
                    for (size_t r = 0; r < 2; r++) {
                        const float *down = from + (3 + 3 * r) * next;
                        const vf both = load(down);
                        vf even = left + (both + load(down + next)),
                           odd = right + (both + load(down + 2 * next));
                        if (relu) even = positive(even), odd = positive(odd);
                        save(out + r * row + part, even);
                        save(out + r * row + step + part, odd);
                    }
                }
        }
    }
}

static void FN(upconv)(const struct conv_job *job, float *scratch) {
    const struct tensor *x = &job->x;
    const size_t most = upconv_rows(x->w), kernels = job->y.c, idle = job->y.idle;
    for (size_t first = 0; first < x->h; first += most) {
        const size_t rows = x->h - first < most ? x->h - first : most;
        const struct tensor fields = first_place(scratch, x->c, rows + 1, x->w + 1, idle);
        const struct tensor m = first_place(scratch + 3 * apart(&fields), kernels, rows, x->w, idle);
        struct tensor to = m;
        differences(x, first, &fields);
        for (size_t place = 0; place < PLACES; place++, to.data += apart(&m)) {
            const struct tensor v = met_by(place, x, &fields, first, rows);
            products(&v, job->w + place * x->c * kernels, 0, &to);
        }
        join(job, &m, first);
    }
}

/* --- Backward ------------------------------------------------------------------------------------- */

/* S, t0 or t1 of four neighbours along one axis, from the one before the pair on. */
INLINE vf adjoint_row(const vf before, const vf even, const vf odd, const vf after, const size_t row) {
    return row == 0 ? even + odd : row == 1 ? even - after : before - odd;
}

/* The nine places of the adjoint for rows from `first` on. */
static void part_adjoint(const struct tensor *dy, const struct tensor *out, size_t first) {
    float *to = out->data;
    const size_t next = apart(out), row = dy->row, step = dy->step;
    for (size_t k = 0; k < out->c; k++)
        for (size_t i = 0; i < out->h; i++) {
            const float *in = tensor_at(dy, k, (ptrdiff_t)(2 * (first + i)) - 1, -1);
            for (size_t j = out->w; j > 0; j--, in += 2 * step)
                for (size_t part = 0; part < LANES; part += VW, to += VW) {
                    vf r[3][4];
                    UNROLL
                    for (size_t q = 0; q < 4; q++) {
                        const float *p = in + q * step + part;
                        const vf a = load(p), b = load(p + row), c = load(p + 2 * row), d = load(p + 3 * row);
                        UNROLL
                        for (size_t s = 0; s < 3; s++) r[s][q] = adjoint_row(a, b, c, d, s);
                    }
                    UNROLL
                    for (size_t s = 0; s < PLACES; s++)
                        save(to + s * next,
                             adjoint_row(r[s / 3][0], r[s / 3][1], r[s / 3][2], r[s / 3][3], s % 3));
                }
        }
}

/* dx is one sum over places and output channels. */
static void FN(upconv_dx)(const struct conv_job *job, float *scratch) {
    const struct tensor *dy = &job->x, *dx = &job->y;
    const size_t most = upconv_rows(dx->w);
    for (size_t first = 0; first < dx->h; first += most) {
        const size_t rows = dx->h - first < most ? dx->h - first : most;
        struct tensor v = first_place(scratch, dy->c, rows, dx->w, dx->idle), to = *dx;
        part_adjoint(dy, &v, first);
        v.c = PLACES * dy->c;
        to.data = tensor_at(dx, 0, (ptrdiff_t)first, 0);
        to.h = rows;
        products(&v, job->w, 0, &to);
    }
}

/* The gradients of the nine products from those of the four outputs of each pixel. */
static void part_gradient(const struct tensor *dy, const struct tensor *out, size_t first) {
    float *to = out->data;
    const size_t next = apart(out), row = dy->row, step = dy->step;
    for (size_t k = 0; k < out->c; k++)
        for (size_t i = 0; i < out->h; i++) {
            const float *in = tensor_at(dy, k, (ptrdiff_t)(2 * (first + i)), 0);
            for (size_t j = out->w; j > 0; j--, in += 2 * step)
                for (size_t part = 0; part < LANES; part += VW, to += VW) {
                    const float *p = in + part;
                    const vf a = load(p), b = load(p + step), c = load(p + row), d = load(p + row + step);
                    const vf upper = a + b, lower = c + d;
                    const vf all[PLACES] = {upper + lower, a + c, b + d, upper, a, b, lower, c, d};
                    UNROLL
                    for (size_t s = 0; s < PLACES; s++) save(to + s * next, all[s]);
                }
        }
}

/* dw[9] += T^T dW T for one pair of channels. */
INLINE void add_taps(const float dw[PLACES], float *to) {
    for (size_t q = 0; q < 3; q++) {
        const float s = q == 0 ? dw[0] - dw[1] : q == 1 ? dw[0] : dw[0] + dw[2];
        const float t0 = q == 0 ? dw[3] - dw[4] : q == 1 ? dw[3] : dw[3] + dw[5];
        const float t1 = q == 0 ? dw[6] - dw[7] : q == 1 ? dw[6] : dw[6] + dw[8];
        to[q] += s - t0;
        to[3 + q] += s;
        to[6 + q] += s + t1;
    }
}

static void FN(upconv_dw)(const struct conv_dw_job *job, float *scratch) {
    const struct tensor *x = &job->x;
    const size_t most = upconv_rows(x->w), kernels = job->dy.c, idle = job->dy.idle;
    const size_t size = pairs_size(kernels, x->c);
    float *sums = scratch, *rest = scratch + LANES / SUM_LANES * PLACES * size;
    memset(sums, 0, LANES / SUM_LANES * PLACES * size * sizeof *sums);
    for (size_t first = 0; first < x->h; first += most) {
        const size_t rows = x->h - first < most ? x->h - first : most;
        const struct tensor fields = first_place(rest, x->c, rows + 1, x->w + 1, idle);
        const struct tensor d = first_place(rest + 3 * apart(&fields), kernels, rows, x->w, idle);
        struct tensor from = d;
        differences(x, first, &fields);
        part_gradient(&job->dy, &d, first);
        for (size_t place = 0; place < PLACES; place++, from.data += apart(&d)) {
            const struct tensor v = met_by(place, x, &fields, first, rows);
            pairs(&from, &v, sums + place * size, PLACES * size);
        }
    }
    for (size_t s = 0; s < LANES / SUM_LANES; s++)
        for (size_t k = 0; k < kernels; k++)
            for (size_t c = 0; c < x->c; c++) {
                const float *from = sums + s * PLACES * size + pair_at(k, c, x->c);
                float dw[PLACES];
                for (size_t place = 0; place < PLACES; place++) dw[place] = from[place * size];
                add_taps(dw, job->dw + s * job->next + (k * x->c + c) * 9);
            }
}
