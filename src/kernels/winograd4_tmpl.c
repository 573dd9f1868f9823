/* winograd4_tmpl.c - 3x3 convolutions with stride 1 by Winograd's F(4x4, 3x3): 36 products for each tile of
 * 4x4 outputs, 2.25 an output where F(2x2, 3x3) (winograd_tmpl.c) takes 4 and the plain sum 9.
 *
 *   Y = A^T [sum over c of U ⊙ V] A    with V = B^T X B, X the 6x6 inputs under a tile, U = G g G^T
 *
 * The matrices are those of Toom and Cook for the points 0, ±p, ±q and infinity (Lavin & Gray, arXiv
 * 1509.09308; Barabasz and others, arXiv 1803.10986). With p = sqrt 1/2 and q = sqrt 2 rounding errors
 * are 1.8 times those of the plain sum; with the usual 1 and 2 they are 3.8 times. As p q = 1 and q = 2 p,
 * few factors remain, most of them powers of two; A's rows are p^i times what stands here, which is made good
 * with the bias, and the last place is larger by 2 sqrt 2, which is in G:
 *
 *         1  0  -5/2   0   1  0          1  1  1  1  1  0            1          0         0
 *         0 -2p  -2    p   1  0    A^T = 0  1 -1  2 -2  0          -2/3     -2/3 p      -1/3
 *   B^T = 0  2p  -2   -p   1  0          0  1  1  4  4  0     G =  -2/3      2/3 p      -1/3
 *         0 -q/2 -1/2  q   1  0          0  1 -1  8 -8  1           1/6      1/6 q       1/3
 *         0  q/2 -1/2 -q   1  0                                     1/6     -1/6 q       1/3
 *         0  1   0   -5/2  0  1                                      0          0      2 sqrt 2
 */

/* a + b f and a - b f. A product that is used twice is fused twice by gcc and not at all by clang, so each
 * sum has its own. */
INLINE void add_and_subtract(const vf a, const vf b, const float f, vf to[2]) {
    vf again = b;
    ONE_LOAD(again);
    to[0] = a + b * f;
    to[1] = a - again * f;
}

/* B^T x */
INLINE void input_points(const vf x[6], vf v[6]) {
    const vf even = x[4] - x[2] * 2.0f, odd = x[3] - x[1] * 2.0f;
    const vf even2 = x[4] - x[2] * 0.5f, odd2 = x[3] - x[1] * 0.5f;
    v[0] = x[4] - x[2] * 2.5f + x[0];
    add_and_subtract(even, odd, SQRT_HALF, v + 1);
    add_and_subtract(even2, odd2, SQRT_TWO, v + 3);
    v[5] = x[5] - x[3] * 2.5f + x[1];
}

/* A^T m */
INLINE void output_points(const vf m[6], vf y[4]) {
    const vf sum = m[1] + m[2], difference = m[1] - m[2];
    const vf sum2 = m[3] + m[4], difference2 = m[3] - m[4];
    y[0] = m[0] + sum + sum2;
    y[1] = difference + difference2 * 2.0f;
    y[2] = sum + sum2 * 4.0f;
    y[3] = difference + difference2 * 8.0f + m[5];
}

/* v[6 a + b] of the tiles of every channel. */
static void input4(const struct tensor *x, const struct tiles *tiles, float *v) {
    const size_t place = tiles->place, row = x->row;
    for (size_t c = 0; c < x->c; c++)
        for (size_t t = 0; t < tiles->count; t++, v += tiles->step) {
            const float *in = tile_at(x, c, tiles, t, 4);
            for (size_t part = 0; part < LANES - x->idle; part += VW, in += VW) {
                vf r[6][6]; /* [column][point] */
                UNROLL
                for (size_t j = 0; j < 6; j++) {
                    vf column[6];
                    UNROLL
                    for (size_t i = 0; i < 6; i++) column[i] = load(in + i * row + j * LANES);
                    input_points(column, r[j]);
                }
                UNROLL
                for (size_t a = 0; a < 6; a++) {
                    const vf line[6] = {r[0][a], r[1][a], r[2][a], r[3][a], r[4][a], r[5][a]};
                    vf to[6];
                    input_points(line, to);
                    UNROLL
                    for (size_t b = 0; b < 6; b++) save(v + (a * 6 + b) * place + part, to[b]);
                }
            }
        }
}

/* The bias of plane k of the output, lane by lane. */
INLINE void bias_of_lanes(const struct conv_job *job, size_t k, float bias[LANES]) {
    const size_t first = job->in > 0 ? k * LANES : k;
    for (size_t l = 0; job->bias && l < LANES && (job->in == 0 || first + l < job->out); l++)
        bias[l] = job->bias[job->in > 0 ? first + l : first];
}

/* Planes [k0, k0 + kernels) of the tiles from m[6 a + b][channel][tile]: A's factors, bias, ReLU. */
static void output4(const struct conv_job *job, size_t k0, size_t kernels, const struct tiles *tiles,
                    const float *m) {
    static const float factor[4][4] = {{1.0f, SQRT_HALF, 0.5f, 0.5f * SQRT_HALF},
                                       {SQRT_HALF, 0.5f, 0.5f * SQRT_HALF, 0.25f},
                                       {0.5f, 0.5f * SQRT_HALF, 0.25f, 0.25f * SQRT_HALF},
                                       {0.5f * SQRT_HALF, 0.25f, 0.25f * SQRT_HALF, 0.125f}};
    const size_t place = place_size(kernels, tiles->count), live = LANES - job->y.idle;
    for (size_t k = k0; k < k0 + kernels; k++) {
        _Alignas(64) float bias_of[LANES] = {0};
        bias_of_lanes(job, k, bias_of);
        for (size_t t = 0; t < tiles->count; t++, m += LANES) {
            float *out = tile_at(&job->y, k, tiles, t, 4);
            for (size_t part = 0; part < live; part += VW) {
                const vf bias = load(bias_of + part);
                vf s[6][4]; /* [column][row] */
                UNROLL
                for (size_t b = 0; b < 6; b++) {
                    vf column[6];
                    UNROLL
                    for (size_t a = 0; a < 6; a++) column[a] = load(m + (a * 6 + b) * place + part);
                    output_points(column, s[b]);
                }
                UNROLL
                for (size_t i = 0; i < 4; i++) {
                    const vf row[6] = {s[0][i], s[1][i], s[2][i], s[3][i], s[4][i], s[5][i]};
                    vf y[4];
                    output_points(row, y);
                    UNROLL
                    for (size_t j = 0; j < 4; j++) {
                        const vf sum = y[j] * factor[i][j] + bias;
                        save(out + i * job->y.row + j * job->y.step + part, job->relu ? positive(sum) : sum);
                    }
                }
            }
        }
    }
}

/* Tiles that are transformed at a time, and what the members of a team share of them. */
struct band4 {
    const struct conv_job *job;
    struct tensor x;
    struct tiles tiles;
    float *v;      /* V */
    float *m;      /* products of some output planes, for each member its own */
    size_t planes; /* how many */
};

static void input4_part(const void *cookie, size_t member, size_t members) {
    const struct band4 *band = cookie;
    const struct span s = span_of(band->x.c, 1, member, members);
    const struct tensor x = channels_of(band->x, s);
    input4(&x, &band->tiles, band->v + s.first * band->tiles.count * LANES);
}

/* Planes of products at one place. */
static void products4(const struct band4 *band, size_t place, struct span planes, float *m) {
    const struct conv_job *job = band->job;
    const size_t count = band->tiles.count, idle = job->y.idle, channels = job->x.c;
    float *v = band->v + place * band->tiles.place;
    if (job->in > 0) {
        const float *w = job->w + place * (winograd4_weights(job->out, job->in) / 36);
        channel_products(v, w, m, job->in, count, planes);
        return;
    }
    const struct tensor from = row_tensor(v, channels, count, idle),
                        to = row_tensor(m, planes.count, count, idle);
    products(&from, job->w + (place * job->y.c + planes.first) * channels, 0, &to);
}

static void output4_part(const void *cookie, size_t member, size_t members) {
    const struct band4 *band = cookie;
    const size_t tiles = band->tiles.count, most = band->planes, planes = band->job->y.c;
    const struct span s = span_of(planes, band->job->in > 0 ? 1 : CONV_GROUP, member, members);
    float *m = band->m + member * 36 * place_size(most, tiles);
    for (size_t k = s.first; k < s.first + s.count; k += most) {
        const size_t rest = s.first + s.count - k, some = rest < most ? rest : most;
        for (size_t place = 0; place < 36; place++)
            products4(band, place, (struct span){k, some}, m + place * place_size(some, tiles));
        output4(band->job, k, some, &band->tiles, m);
    }
}

/* Where lanes are channels, WINOGRAD4_KERNELS of them, in `planes`, have the products of MOST_LANES tiles,
 * which take no more scratch than four tiles of MOST_LANES pictures. */
static void FN(shared_winograd4)(const struct conv_job *job, float *scratch) {
    const size_t channels = job->x.c, count = job->y.w / 4 * (job->y.h / 4);
    const size_t most = job->in > 0 ? MOST_LANES : winograd4_tiles(channels);
    struct band4 band = {.job = job, .x = window_tensor(job), .v = scratch};
    band.planes = job->in > 0 ? CHANNEL_VECS * VW / LANES : WINOGRAD4_KERNELS;
    band.m = scratch + 36 * place_size(channels, most);
    for (size_t first = 0; first < count; first += most) {
        const size_t some = count - first < most ? count - first : most;
        band.tiles = (struct tiles){first, some, job->y.w / 4, LANES, place_size(channels, some)};
        const size_t work = 36 * channels * some * (LANES / VW);
        team_run(input4_part, &band, 6 * work);
        team_run(output4_part, &band, (job->y.c + 6) * work * (job->in > 0 ? LANES : 1));
    }
}
