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

/* Tiles first to first + count - 1 of a picture `across` tiles wide, and where the numbers at one of their
 * places are: `step` floats from tile to tile, `place` from place to place. */
struct tiles {
    size_t first, count, across, step, place;
};

/* Where tile t of them begins in pictures whose tiles have `side` rows and columns. */
INLINE float *tile_at(const struct tensor *picture, size_t c, const struct tiles *tiles, size_t t,
                      size_t side) {
    const size_t at = tiles->first + t;
    return picture->data + c * picture->plane + at / tiles->across * side * picture->row +
           at % tiles->across * side * picture->step;
}

/* The input from the first output's first tap on. */
INLINE struct tensor window_tensor(const struct conv_job *job) {
    struct tensor x = job->x;
    x.data = tensor_at(&x, 0, -job->shape.pad_y, -job->shape.pad_x);
    x.idle = job->y.idle;
    return x;
}

/* Row a of B^T times four numbers: number a minus another, or for a = 1 plus. */
#define INPUT_ROW(x, a) ((a) == 1 ? x(1) + x(2) : x(a) - x((a) < 2 ? 2 : 1))

/* v[4 a + b] of the tiles of every channel. */
static void input2(const struct tensor *x, const struct tiles *tiles, float *v) {
    const size_t place = tiles->place, row = x->row;
    for (size_t c = 0; c < x->c; c++)
        for (size_t t = 0; t < tiles->count; t++, v += tiles->step) {
            const float *in = tile_at(x, c, tiles, t, 2);
            for (size_t part = 0; part < LANES - x->idle; part += VW, in += VW) {
                vf r[4][4];
                UNROLL
                for (size_t j = 0; j < 4; j++) {
                    const float *p = in + j * LANES;
#define PIXEL(i) load(p + (i)*row)
                    UNROLL
                    for (size_t a = 0; a < 4; a++) r[a][j] = INPUT_ROW(PIXEL, a);
#undef PIXEL
                }
                UNROLL
                for (size_t a = 0; a < 4; a++) {
#define COLUMN(j) r[a][j]
                    UNROLL
                    for (size_t b = 0; b < 4; b++) save(v + (a * 4 + b) * place + part, INPUT_ROW(COLUMN, b));
#undef COLUMN
                }
            }
        }
}

/* A^T M A + bias, then ReLU, for all channels and tiles of m[a][b][channel][tile]. */
static void output2(const struct conv_job *job, const struct tiles *tiles, const float *m) {
    const size_t place = place_size(job->y.c, tiles->count), live = LANES - job->y.idle;
    for (size_t k = 0; k < job->y.c; k++) {
        const vf bias = splat(job->bias ? job->bias[k] : 0.0f);
        for (size_t t = 0; t < tiles->count; t++, m += LANES) {
            float *out = tile_at(&job->y, k, tiles, t, 2);
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

/* `weights` from one place's to the next's: of all output channels, which may be more than the job's. They
 * decide on the tiles at a time, for that many scratch has room. */
static void FN(winograd)(const struct conv_job *job, size_t weights, float *scratch) {
    const size_t channels = job->x.c, kernels = job->y.c, count = job->y.w / 2 * (job->y.h / 2);
    const size_t most = winograd_tiles(channels, weights / channels);
    const struct tensor x = window_tensor(job);
    for (size_t first = 0; first < count; first += most) {
        struct tiles tiles = {first, count - first < most ? count - first : most, job->y.w / 2, LANES, 0};
        tiles.place = place_size(channels, tiles.count);
        float *v = scratch, *m = scratch + 16 * tiles.place;
        input2(&x, &tiles, v);
        for (size_t place = 0; place < 16; place++) {
            const struct tensor from =
                row_tensor(v + place * tiles.place, channels, tiles.count, job->y.idle);
            const struct tensor to =
                row_tensor(m + place * place_size(kernels, tiles.count), kernels, tiles.count, job->y.idle);
            products(&from, job->w + place * weights, 0, &to);
        }
        output2(job, &tiles, m);
    }
}
