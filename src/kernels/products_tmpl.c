/* products_tmpl.c - sums of products over channels, and over pixels and lanes: what remains of a convolution
 * once winograd_tmpl.c or upconv_tmpl.c have transformed its input. */

/* --- Over channels -------------------------------------------------------------------------------- */

/* Columns in a tile of products: enough sums for two multiply-adds a cycle of four cycles each, and registers
 * left for the factors. */
enum { PRODUCT_COLS = VW == 16 ? 4 : 3 };

/* Planes of v and m, and the weights of one input channel after those of the other, in floats. */
struct apart {
    size_t v, m, w;
};

/* m[k][col] = sum over c of w[c][k] * v[c][col] for `group` output channels and `cols` columns. */
INLINE void product_tile(const float *v, const float *w, float *m, const struct apart apart, size_t channels,
                         const size_t group, const size_t cols) {
    vf acc[CONV_GROUP][PRODUCT_COLS];
    UNROLL
    for (size_t i = 0; i < group; i++) {
        UNROLL
        for (size_t j = 0; j < cols; j++) acc[i][j] = (vf){0};
    }
    for (; channels > 0; channels--, v += apart.v, w += apart.w) {
        vf in[PRODUCT_COLS];
        UNROLL
        for (size_t j = 0; j < cols; j++) in[j] = load(v + j * LANES);
        UNROLL
        for (size_t i = 0; i < group; i++) {
            const vf weight = splat(w[i]);
            UNROLL
            for (size_t j = 0; j < cols; j++) acc[i][j] += weight * in[j];
        }
    }
    UNROLL
    for (size_t i = 0; i < group; i++) {
        UNROLL
        for (size_t j = 0; j < cols; j++) save(m + i * apart.m + j * LANES, acc[i][j]);
    }
}

/* `tiles` of them side by side. Each form in a function of its own: in a larger one GCC 12 runs out of
 * registers. */
typedef void product_form(const float *v, const float *w, float *m, struct apart apart, size_t channels,
                          size_t tiles);
#define PRODUCT(group, cols)                                                                           \
    static __attribute__((noinline)) void product_##group##x##cols(                                    \
        const float *v, const float *w, float *m, struct apart apart, size_t channels, size_t tiles) { \
        for (; tiles > 0; tiles--, v += cols * LANES, m += cols * LANES)                               \
            product_tile(v, w, m, apart, channels, group, cols);                                       \
    }
#if VW == 16
#define PRODUCTS(group) PRODUCT(group, 1) PRODUCT(group, 2) PRODUCT(group, 4)
#define FORMS(group) \
    { product_##group##x1, product_##group##x2, product_##group##x4 }
#else
#define PRODUCTS(group) PRODUCT(group, 1) PRODUCT(group, 2) PRODUCT(group, 3)
#define FORMS(group) \
    { product_##group##x1, product_##group##x2, product_##group##x3 }
#endif
PRODUCTS(1)
PRODUCTS(2)
PRODUCTS(3)
PRODUCTS(4)

/* m[k] = sum over c of w * v[c] for every pixel of m. v and m have steps of one pixel; w is packed by
 * conv_pack, one tap, or where `row` is not 0, rows of `row` floats: w[c][k]. */
static void products(const struct tensor *v, const float *w, size_t row, const struct tensor *m) {
    static product_form *const form[CONV_GROUP][3] = {FORMS(1), FORMS(2), FORMS(3), FORMS(4)};
    /* as many wide tiles as leave pairs: rather 2 + 2 than 3 + 1 */
    const size_t wide = m->w / PRODUCT_COLS - (m->w > PRODUCT_COLS && m->w % PRODUCT_COLS == 1 ? 1 : 0);
    const size_t two = (m->w - wide * PRODUCT_COLS) / 2, one = m->w - wide * PRODUCT_COLS - two * 2;
    const size_t at_two = wide * PRODUCT_COLS * LANES, at_one = at_two + two * 2 * LANES;
    for (size_t i = 0; i < m->h; i++)
        for (size_t part = 0; part < LANES - m->idle; part += VW)
            for (size_t k = 0; k < m->c; k += CONV_GROUP) {
                const size_t group = m->c - k < CONV_GROUP ? m->c - k : CONV_GROUP;
                product_form *const *f = form[group - 1];
                const struct apart apart = {v->plane, m->plane, row > 0 ? row : group};
                const float *from = v->data + i * v->row + part, *weights = w + k * (row > 0 ? 1 : v->c);
                float *to = m->data + k * m->plane + i * m->row + part;
                if (wide > 0) f[2](from, weights, to, apart, v->c, wide);
                if (two > 0) f[1](from + at_two, weights, to + at_two, apart, v->c, two);
                if (one > 0) f[0](from + at_one, weights, to + at_one, apart, v->c, one);
            }
}
#undef PRODUCT
#undef PRODUCTS
#undef FORMS

/* --- Over pixels and lanes ------------------------------------------------------------------------ */

/* Output and input channels of a tile of such sums: SUM_LANES of them. */
enum { PAIR_K = 2, PAIR_C = 4 };

/* Rows of pixels: w of them in each of h rows, `row` floats apart. */
struct rows {
    size_t h, w, d_row, v_row;
};

/* acc[PAIR_K * PAIR_C] = sum over pixels of d * v, in the lanes of one register. */
INLINE void pair_sums(const float *const d[PAIR_K], const float *const v[PAIR_C], const struct rows *rows,
                      const size_t part, vf *acc) {
    vf sum[PAIR_K][PAIR_C] = {{{0}}};
    for (size_t r = 0; r < rows->h; r++) {
        const size_t d_row = r * rows->d_row + part, v_row = r * rows->v_row + part;
        for (size_t j = 0; j < rows->w * LANES; j += LANES) {
            vf one[PAIR_K];
            UNROLL
            for (size_t i = 0; i < PAIR_K; i++) one[i] = load(d[i] + d_row + j);
            UNROLL
            for (size_t c = 0; c < PAIR_C; c++) {
                vf other = load(v[c] + v_row + j);
                ONE_LOAD(other);
                UNROLL
                for (size_t i = 0; i < PAIR_K; i++) sum[i][c] += one[i] * other;
            }
        }
    }
    UNROLL
    for (size_t i = 0; i < SUM_LANES; i++) acc[i] = sum[i / PAIR_C][i % PAIR_C];
}

/* sums[8] += sum over pixels and lanes of d[PAIR_K] * v[PAIR_C]; lanes 8 to 15 to sums + next. */
static __attribute__((noinline)) void add_pairs(const float *const d[PAIR_K], const float *const v[PAIR_C],
                                                const struct rows *rows, size_t live, float *sums,
                                                size_t next) {
    vf acc[SUM_LANES], other[SUM_LANES];
    pair_sums(d, v, rows, 0, acc);
    if (VW < LANES && live > VW) { /* the other half of the pixels */
        pair_sums(d, v, rows, VW, other);
        UNROLL
        for (size_t i = 0; i < SUM_LANES; i++) acc[i] += other[i];
    }
    _Alignas(64) float lanes[2 * SUM_LANES];
    for (size_t i = 0; i < SUM_LANES; i += SUMS) save(lanes + i, merged(acc + i));
    for (size_t i = 0; i < SUM_LANES; i++) sums[i] += lanes[i];
    for (size_t i = 0; VW > 8 && i < SUM_LANES; i++) sums[next + i] += lanes[SUM_LANES + i];
}

/* Floats of the sums of all pairs of channels, in tiles of eight. */
INLINE size_t pairs_size(size_t kernels, size_t channels) {
    return (kernels + PAIR_K - 1) / PAIR_K * ((channels + PAIR_C - 1) / PAIR_C) * SUM_LANES;
}

/* Adds the sum over pixels and lanes of d[k] * v[c] for all pairs to sums, tile by tile; a tile that ends
 * beyond the last channel repeats that. The inputs of a few tiles stay in the first cache. */
static void pairs(const struct tensor *d, const struct tensor *v, float *sums, size_t next) {
    const struct rows rows = {d->h, d->w, d->row, v->row};
    const size_t tiles = (v->c + PAIR_C - 1) / PAIR_C, few = 4;
    for (size_t t0 = 0; t0 < tiles; t0 += few)
        for (size_t k = 0; k < d->c; k += PAIR_K) {
            const float *const one[PAIR_K] = {d->data + k * d->plane,
                                              d->data + (k + 1 < d->c ? k + 1 : k) * d->plane};
            for (size_t t = t0; t < tiles && t < t0 + few; t++) {
                const float *other[PAIR_C];
                for (size_t c = 0; c < PAIR_C; c++) {
                    const size_t at = t * PAIR_C + c;
                    other[c] = v->data + (at < v->c ? at : v->c - 1) * v->plane;
                }
                add_pairs(one, other, &rows, LANES - d->idle, sums + (k / PAIR_K * tiles + t) * SUM_LANES,
                          next);
            }
        }
}

/* The sum of one pair of channels within its tile. */
INLINE size_t pair_at(size_t k, size_t c, size_t channels) {
    return (k / PAIR_K * ((channels + PAIR_C - 1) / PAIR_C) + c / PAIR_C) * SUM_LANES + k % PAIR_K * PAIR_C +
           c % PAIR_C;
}

/* A tensor in scratch, without border: `pixels` in one row, planes `plane` floats apart. */
INLINE struct tensor row_tensor(float *data, size_t channels, size_t pixels, size_t idle) {
    const size_t row = pixels * LANES;
    return (struct tensor){data, channels, 1, pixels, LANES, row, row, 0, idle};
}

/* Floats from one place of a transform to the next. The odd line keeps the places from falling into the same
 * set of the first cache. */
INLINE size_t place_size(size_t channels, size_t tiles) {
    return (channels * tiles + MOST_LANES / LANES) * LANES;
}
