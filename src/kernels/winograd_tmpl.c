/* winograd_tmpl.c - 3x3 convolutions with stride 1 by Winograd's minimal filtering F(2x2, 3x3) (Lavin & Gray,
 * arXiv 1509.09308): 16 products for each tile of 2x2 outputs instead of 36.
 *
 *   forward   Y = A^T [sum over c of U ⊙ V] A    with V = B^T X B, X the 4x4 inputs under a tile
 *   weights   dg = G^T [sum over tiles of D ⊙ V] G    with D = A dY A^T
 *
 *   U = G g G^T is made once a step, by winograd_pack. Against the paper, the last row of B^T and the last
 *   column of A^T have the other sign, so that no sum begins with a minus:
 *
 *         1  0 -1  0          1  0  0          1  1  1  0
 *   B^T = 0  1  1  0    2 G = 1  1  1    A^T = 0  1 -1  1
 *         0 -1  1  0          1 -1  1
 *         0 -1  0  1          0  0  2 (and the first row 2 0 0)
 *
 * In this layout a transform is sums of pixels, whole registers at a time, and the products at one of the
 * 16 places of all tiles are a 1x1 convolution. */

/* Where tile t of a picture `across` tiles wide begins. */
INLINE float *tile_at(const struct tensor *t, size_t c, size_t tile, size_t across, ptrdiff_t pad_y,
                      ptrdiff_t pad_x) {
    const ptrdiff_t row = (ptrdiff_t)(tile / across), column = (ptrdiff_t)(tile % across);
    return tensor_at(t, c, 2 * row - pad_y, 2 * column - pad_x);
}

/* Row a of B^T times four numbers: number a minus another, or for a = 1 plus. */
#define INPUT_ROW(x, a) ((a) == 1 ? x(1) + x(2) : x(a) - x((a) < 2 ? 2 : 1))

/* Rows from..to of B^T X B: v[a - from][b][channel][tile]. */
INLINE void input_tiles(const struct tensor *x, const struct conv_shape *shape, const size_t first,
                        const size_t count, const size_t across, const size_t live, float *v,
                        const size_t from, const size_t to) {
    const size_t place = place_size(x->c, count);
    for (size_t c = 0; c < x->c; c++)
        for (size_t t = 0; t < count; t++, v += LANES) {
            const float *in = tile_at(x, c, first + t, across, shape->pad_y, shape->pad_x);
            for (size_t part = 0; part < live; part += VW, in += VW) {
                vf r[4][4];
                UNROLL
                for (size_t j = 0; j < 4; j++) {
                    const float *p = in + j * LANES;
#define PIXEL(i) load(p + (i)*x->row)
                    UNROLL
                    for (size_t a = from; a <= to; a++) r[a][j] = INPUT_ROW(PIXEL, a);
#undef PIXEL
                }
                UNROLL
                for (size_t a = from; a <= to; a++) {
#define ROW(j) r[a][j]
                    UNROLL
                    for (size_t b = 0; b < 4; b++)
                        save(v + ((a - from) * 4 + b) * place + part, INPUT_ROW(ROW, b));
#undef ROW
                }
            }
        }
}

/* A^T M A + bias, then ReLU, for all channels and tiles of m[a][b][channel][tile]. */
static void output_transform(const struct conv_job *job, size_t first, size_t count, size_t across,
                             size_t live, const float *m) {
    const size_t place = place_size(job->y.c, count);
    for (size_t k = 0; k < job->y.c; k++) {
        const vf bias = splat(job->bias ? job->bias[k] : 0.0f);
        for (size_t t = 0; t < count; t++, m += LANES) {
            float *out = tile_at(&job->y, k, first + t, across, 0, 0);
            for (size_t part = 0; part < live; part += VW) {
                vf s[2][4];
                UNROLL
                for (size_t b = 0; b < 4; b++) {
                    const float *p = m + b * place + part;
                    const vf m1 = load(p + 4 * place), m2 = load(p + 8 * place);
                    s[0][b] = load(p) + m1 + m2;
                    s[1][b] = m1 - m2 + load(p + 12 * place);
                }
                UNROLL
                for (size_t i = 0; i < 2; i++) {
                    vf left = s[i][0] + s[i][1] + s[i][2] + bias, right = s[i][1] - s[i][2] + s[i][3] + bias;
                    if (job->relu) left = positive(left), right = positive(right);
                    save(out + i * job->y.row + part, left);
                    save(out + i * job->y.row + job->y.step + part, right);
                }
            }
        }
    }
}

/* `weights` from one place's to the next's. */
static void FN(winograd)(const struct conv_job *job, size_t weights, float *scratch) {
    const size_t across = job->y.w / 2, tiles = across * (job->y.h / 2);
    const size_t most = winograd_tiles(job->x.c, job->y.c), live = LANES - job->y.idle;
    for (size_t first = 0; first < tiles; first += most) {
        const size_t count = tiles - first < most ? tiles - first : most;
        float *v = scratch, *m = scratch + 16 * place_size(job->x.c, count);
        input_tiles(&job->x, &job->shape, first, count, across, live, v, 0, 3);
        for (size_t place = 0; place < 16; place++) {
            const struct tensor from =
                row_tensor(v + place * place_size(job->x.c, count), job->x.c, count, job->y.idle);
            const struct tensor to =
                row_tensor(m + place * place_size(job->y.c, count), job->y.c, count, job->y.idle);
            products(&from, job->w + place * weights, &to);
        }
        output_transform(job, first, count, across, live, m);
    }
}

/* --- Weight gradient ------------------------------------------------------------------------------ */

/* Row a of A dY A^T: d[b][channel][tile]. */
INLINE void gradient_tiles(const struct tensor *dy, const size_t first, const size_t count,
                           const size_t across, const size_t live, float *d, const size_t a) {
    const size_t place = place_size(dy->c, count);
    for (size_t k = 0; k < dy->c; k++)
        for (size_t t = 0; t < count; t++, d += LANES) {
            const float *in = tile_at(dy, k, first + t, across, 0, 0);
            for (size_t part = 0; part < live; part += VW, in += VW) {
                vf r[2];
                UNROLL
                for (size_t j = 0; j < 2; j++) {
                    const float *p = in + j * dy->step;
                    r[j] = load(a < 3 ? p : p + dy->row);
                    if (a == 1) r[j] += load(p + dy->row);
                    if (a == 2) r[j] -= load(p + dy->row);
                }
                save(d + part, r[0]);
                save(d + place + part, r[0] + r[1]);
                save(d + 2 * place + part, r[0] - r[1]);
                save(d + 3 * place + part, r[1]);
            }
        }
}

/* dw[..][9] += G^T du G for a tile of products; du[place][..], `stride` floats from place to place. */
static void add_gradient(const float *du, size_t stride, float *dw, size_t input_channels) {
    typedef float eight __attribute__((vector_size(SUM_LANES * 4), may_alias));
    eight r[3][4];
    UNROLL
    for (size_t b = 0; b < 4; b++) {
        const float *p = du + b * stride;
        const eight u0 = *(const eight *)p, u1 = *(const eight *)(p + 4 * stride),
                    u2 = *(const eight *)(p + 8 * stride), u3 = *(const eight *)(p + 12 * stride);
        const eight sum = u1 + u2, difference = u1 - u2;
        r[0][b] = u0 + sum * 0.5f;
        r[1][b] = difference * 0.5f;
        r[2][b] = sum * 0.5f + u3;
    }
    UNROLL
    for (size_t u = 0; u < 3; u++) {
        const eight sum = r[u][1] + r[u][2], difference = r[u][1] - r[u][2];
        const eight g[3] = {r[u][0] + sum * 0.5f, difference * 0.5f, sum * 0.5f + r[u][3]};
        for (size_t q = 0; q < 3; q++)
            for (size_t i = 0; i < PAIR_K; i++)
                for (size_t j = 0; j < PAIR_C; j++)
                    dw[(i * input_channels + j) * 9 + u * 3 + q] += g[q][i * PAIR_C + j];
    }
}

/* Row a of the 16 places for a band of tiles: v and d in scratch, products added to du[b][k / 2][c / 4][8].
 */
INLINE void gradient_row(const struct conv_dw_job *job, const size_t first, const size_t count,
                         float *scratch, float *du, const size_t a) {
    const size_t channels = job->x.c, kernels = job->dy.c, across = job->dy.w / 2;
    const size_t live = LANES - job->dy.idle, size = pairs_size(kernels, channels);
    float *v = scratch, *d = scratch + 4 * place_size(channels, count);
    input_tiles(&job->x, &job->shape, first, count, across, live, v, a, a);
    gradient_tiles(&job->dy, first, count, across, live, d, a);
    for (size_t b = 0; b < 4; b++) {
        const struct tensor from =
            row_tensor(v + b * place_size(channels, count), channels, count, job->dy.idle);
        const struct tensor to = row_tensor(d + b * place_size(kernels, count), kernels, count, job->dy.idle);
        pairs(&to, &from, du + b * size, 16 * size);
    }
}

static void FN(winograd_dw)(const struct conv_dw_job *job, float *scratch) {
    const size_t tiles = job->dy.w / 2 * (job->dy.h / 2), channels = job->x.c, kernels = job->dy.c;
    const size_t most = winograd_dw_tiles(channels), size = pairs_size(kernels, channels);
    float *du = scratch + 4 * (place_size(channels, most) + place_size(kernels, most));
    memset(du, 0, LANES / SUM_LANES * 16 * size * sizeof *du);
    for (size_t first = 0; first < tiles; first += most) {
        const size_t count = tiles - first < most ? tiles - first : most;
        gradient_row(job, first, count, scratch, du, 0);
        gradient_row(job, first, count, scratch, du + 4 * size, 1);
        gradient_row(job, first, count, scratch, du + 8 * size, 2);
        gradient_row(job, first, count, scratch, du + 12 * size, 3);
    }
    for (size_t s = 0; s < LANES / SUM_LANES; s++)
        for (size_t k = 0; k < kernels; k += PAIR_K)
            for (size_t c = 0; c < channels; c += PAIR_C)
                add_gradient(du + s * 16 * size + pair_at(k, c, channels), size,
                             job->dw + s * job->next + (k * channels + c) * 9, channels);
}
