/* winograd_dw_tmpl.c - weight gradients of 3x3 convolutions with stride 1 by Winograd's method, the forward
 * pass (winograd_tmpl.c, winograd4_tmpl.c) the other way round:
 *
 *   dg = G^T [sum over tiles and pictures of D ⊙ V] G    with D = A dY A^T and V = B^T X B
 *
 * The sums run over pictures, so here a picture is a channel and the channels are lanes: `turn` makes such a
 * tensor, which goes through the same transforms and products as in the forward pass, and no lanes need
 * adding up. Everything is done for eight pictures at a time, whose sums are kept apart. */

typedef float eight __attribute__((vector_size(SUM_LANES * 4), may_alias));
typedef float unaligned_eight __attribute__((vector_size(SUM_LANES * 4), may_alias, aligned(4)));

#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)

/* Lane j of v[i] and lane i of v[j] change places. */
INLINE void transpose(eight v[8]) {
    eight pair[8], quad[8];
    UNROLL
    for (size_t i = 0; i < 8; i += 2) {
        pair[i] = SHUFFLE(v[i], v[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
        pair[i + 1] = SHUFFLE(v[i], v[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    }
    UNROLL
    for (size_t i = 0; i < 8; i += 4) {
        UNROLL
        for (size_t j = 0; j < 2; j++) {
            quad[i + 2 * j] = SHUFFLE(pair[i + j], pair[i + j + 2], 0, 1, 8, 9, 4, 5, 12, 13);
            quad[i + 2 * j + 1] = SHUFFLE(pair[i + j], pair[i + j + 2], 2, 3, 10, 11, 6, 7, 14, 15);
        }
    }
    UNROLL
    for (size_t i = 0; i < 4; i++) {
        v[i] = SHUFFLE(quad[i], quad[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        v[i + 4] = SHUFFLE(quad[i], quad[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
}

/* to[picture][row][column][channel], of the pixels from `from` on of as many pictures as `to` has channels,
 * at most eight: `channels` of them, LANES at most, then the last one again. */
static void turn(const struct tensor *x, const float *from, size_t channels, const struct tensor *to) {
    for (size_t first = 0; first < LANES; first += SUM_LANES)
        for (size_t i = 0; i < to->h; i++) {
            const float *in[SUM_LANES];
            for (size_t j = 0; j < SUM_LANES; j++)
                in[j] = from + i * x->row + (first + j < channels ? first + j : channels - 1) * x->plane;
            float *out = to->data + i * to->row + first;
            for (size_t j = 0; j < to->w; j++, out += LANES) {
                eight v[SUM_LANES];
                UNROLL
                for (size_t c = 0; c < SUM_LANES; c++) v[c] = *(const eight *)(in[c] + j * x->step);
                transpose(v);
                for (size_t p = 0; p < to->c; p++) *(eight *)(out + p * to->plane) = v[p];
            }
        }
}

/* --- Tiles of 2x2 ---------------------------------------------------------------------------------- */

/* A y */
INLINE void gradient_points2(const vf y[2], vf d[4]) {
    d[0] = y[0];
    d[1] = y[0] + y[1];
    d[2] = y[0] - y[1];
    d[3] = y[1];
}

/* G^T u but for the middle row's factor */
INLINE void weight_points2(const eight u[4], eight g[3]) {
    const eight sum = u[1] + u[2], difference = u[1] - u[2];
    g[0] = u[0] + sum * 0.5f;
    g[1] = difference;
    g[2] = sum * 0.5f + u[3];
}

/* --- Tiles of 4x4 ---------------------------------------------------------------------------------- */

/* A y, with A's factors, but the last row 1. */
INLINE void gradient_points4(const vf y[4], vf d[6]) {
    const vf even = y[0] + y[2] * 0.5f, odd = y[1] + y[3] * 0.5f;
    const vf even2 = y[0] + y[2] * 2.0f, odd2 = y[1] + y[3] * 2.0f;
    d[0] = y[0];
    add_and_subtract(even, odd, SQRT_HALF, d + 1);
    add_and_subtract(even2, odd2, SQRT_TWO, d + 3);
    d[5] = y[3];
}

/* G^T u but for the middle row's factor, with a last place of 1: products that were added to products here
 * would be fused by one compiler this way, by another that way. */
INLINE void weight_points4(const eight u[6], eight g[3]) {
    const eight sum = u[1] + u[2], difference = u[1] - u[2];
    const eight sum2 = u[3] + u[4], difference2 = u[3] - u[4];
    const eight first = sum2 * 0.25f - sum;
    g[0] = u[0] + first * (2.0f / 3);
    g[1] = difference2 * 0.5f - difference;
    g[2] = (sum2 - sum) * (1.0f / 3) + u[5];
}

/* --- Both ------------------------------------------------------------------------------------------ */

/* d[points a + b] of the tiles of all pictures. */
INLINE void gradient_tiles(const struct tensor *dy, const struct tiles *tiles, float *d, const size_t side) {
    const size_t points = side + 2, place = tiles->place, row = dy->row;
    for (size_t p = 0; p < dy->c; p++)
        for (size_t t = 0; t < tiles->count; t++, d += tiles->step) {
            const float *in = tile_at(dy, p, tiles, t, side);
            for (size_t part = 0; part < LANES; part += VW, in += VW) {
                vf r[4][6]; /* [column][point] */
                UNROLL
                for (size_t j = 0; j < side; j++) {
                    vf column[4];
                    UNROLL
                    for (size_t i = 0; i < side; i++) column[i] = load(in + i * row + j * LANES);
                    side == 2 ? gradient_points2(column, r[j]) : gradient_points4(column, r[j]);
                }
                UNROLL
                for (size_t a = 0; a < points; a++) {
                    vf line[4], to[6];
                    UNROLL
                    for (size_t j = 0; j < side; j++) line[j] = r[j][a];
                    side == 2 ? gradient_points2(line, to) : gradient_points4(line, to);
                    UNROLL
                    for (size_t b = 0; b < points; b++) save(d + (a * points + b) * place + part, to[b]);
                }
            }
        }
}

/* dw[channel][9] += G^T m G for `channels` channels, at most eight; m[places][channel]. */
INLINE void add_weights(const float *m, size_t place, float *dw, size_t channels, const size_t side) {
    const size_t points = side + 2;
    const float middle = side == 2 ? 0.5f : 2.0f / 3 * SQRT_HALF;
    eight r[6][3], g[9]; /* [column][row], [row][column] */
    UNROLL
    for (size_t b = 0; b < points; b++) {
        eight column[6];
        UNROLL
        for (size_t a = 0; a < points; a++) column[a] = *(const eight *)(m + (a * points + b) * place);
        side == 2 ? weight_points2(column, r[b]) : weight_points4(column, r[b]);
    }
    UNROLL
    for (size_t i = 0; i < 3; i++) {
        eight line[6];
        UNROLL
        for (size_t b = 0; b < points; b++) line[b] = r[b][i];
        side == 2 ? weight_points2(line, g + 3 * i) : weight_points4(line, g + 3 * i);
    }
    for (size_t i = 0; i < 3; i++) g[3 * i + 1] *= middle, g[3 + i] *= middle;
    transpose(g);
    for (size_t c = 0; c < channels; c++, dw += 9) {
        *(unaligned_eight *)dw += g[c];
        dw[8] += g[8][c];
    }
}

/* A rectangle of tiles of eight pictures. */
struct dw_band {
    const struct conv_dw_job *job;
    size_t side;           /* of a tile */
    size_t lane, pictures; /* the first one's, and how many are not idle */
    size_t y, x, down, across;
    float *v; /* [place][picture][tile][channel], v_place from place to place, `width` from tile to tile */
    float *scratch; /* for each member its own */
    size_t v_place, width, member;
};

/* Pictures turned, LANES channels of them, in scratch. The odd line keeps pictures from falling into the same
 * set of the first cache. */
INLINE struct tensor turned_tensor(const struct dw_band *band, size_t border, float *data) {
    const size_t w = band->across * band->side + border, h = band->down * band->side + border;
    return (struct tensor){data, band->pictures, h, w, LANES, w * LANES, (h * w + 1) * LANES, 0, 0};
}

/* V of LANES input channels from c on. */
static void dw_input(const struct dw_band *band, size_t c, float *scratch) {
    const struct conv_dw_job *job = band->job;
    const struct tensor turned = turned_tensor(band, 2, scratch);
    const struct tiles tiles = {0, band->down * band->across, band->across, band->width, band->v_place};
    turn(&job->x,
         tensor_at(&job->x, c, (ptrdiff_t)(band->y * band->side) - job->shape.pad_y,
                   (ptrdiff_t)(band->x * band->side) - job->shape.pad_x) +
             band->lane,
         job->x.c - c, &turned);
    (band->side == 2 ? input2 : input4)(&turned, &tiles, band->v + c);
}

/* Gradients of `kernels` output channels from k on, at most WINOGRAD_DW_KERNELS. */
static void dw_kernels(const struct dw_band *band, size_t k, size_t kernels, float *scratch) {
    const struct conv_dw_job *job = band->job;
    const size_t channels = job->x.c, places = (band->side + 2) * (band->side + 2);
    const size_t count = band->down * band->across, steps = band->pictures * count;
    const struct tensor turned = turned_tensor(band, 0, scratch);
    const struct tiles tiles = {0, count, band->across, WINOGRAD_DW_KERNELS,
                                steps * WINOGRAD_DW_KERNELS + MOST_LANES};
    const size_t m_place = kernels * band->width + MOST_LANES;
    float *d = scratch + band->pictures * turned.plane, *m = d + places * tiles.place;
    for (size_t i = 0; i < kernels; i += LANES) {
        turn(
            &job->dy,
            tensor_at(&job->dy, k + i, (ptrdiff_t)(band->y * band->side), (ptrdiff_t)(band->x * band->side)) +
                band->lane,
            kernels - i, &turned);
        if (band->side == 2)
            gradient_tiles(&turned, &tiles, d + i, 2);
        else
            gradient_tiles(&turned, &tiles, d + i, 4);
    }
    for (size_t place = 0; place < places; place++) {
        struct tensor from = row_tensor(band->v + place * band->v_place, steps, band->width / LANES, 0);
        struct tensor to = row_tensor(m + place * m_place, kernels, band->width / LANES, 0);
        products(&from, d + place * tiles.place, WINOGRAD_DW_KERNELS, &to);
    }
    float *dw = job->dw + band->lane / SUM_LANES * job->next;
    for (size_t i = 0; i < kernels; i++)
        for (size_t c = 0; c < channels; c += SUM_LANES) {
            const float *from = m + i * band->width + c;
            float *to = dw + ((k + i) * channels + c) * 9;
            const size_t some = channels - c < SUM_LANES ? channels - c : SUM_LANES;
            if (band->side == 2)
                add_weights(from, m_place, to, some, 2);
            else
                add_weights(from, m_place, to, some, 4);
        }
}

static void dw_input_part(const void *cookie, size_t member, size_t members) {
    const struct dw_band *band = cookie;
    const struct span s = span_of(band->width / LANES, 1, member, members);
    for (size_t i = s.first; i < s.first + s.count; i++)
        dw_input(band, i * LANES, band->scratch + member * band->member);
}

static void dw_kernels_part(const void *cookie, size_t member, size_t members) {
    const struct dw_band *band = cookie;
    const struct span s = span_of(band->job->dy.c, CONV_GROUP, member, members);
    for (size_t k = 0; k < s.count; k += WINOGRAD_DW_KERNELS)
        dw_kernels(band, s.first + k, s.count - k < WINOGRAD_DW_KERNELS ? s.count - k : WINOGRAD_DW_KERNELS,
                   band->scratch + member * band->member);
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

static void FN(shared_winograd_dw)(const struct conv_dw_job *job, size_t side, float *scratch) {
    const size_t places = (side + 2) * (side + 2), most = winograd_dw_tiles(job->x.c, side);
    const size_t down = job->dy.h / side, across = job->dy.w / side, live = LANES - job->dy.idle;
    struct dw_band band = {.job = job, .side = side, .v = scratch};
    const size_t wide = least(across, most), high = least(down, most / wide);
    band.width = (job->x.c + LANES - 1) / LANES * LANES;
    band.v_place = SUM_LANES * wide * high * band.width + MOST_LANES;
    band.scratch = scratch + places * band.v_place;
    band.member = winograd_dw_member(job->x.c, side);
    for (band.lane = 0; band.lane < live; band.lane += SUM_LANES)
        for (band.y = 0; band.y < down; band.y += high)
            for (band.x = 0; band.x < across; band.x += wide) {
                band.pictures = least(SUM_LANES, live - band.lane);
                band.down = least(high, down - band.y), band.across = least(wide, across - band.x);
                const size_t steps = band.pictures * band.down * band.across;
                team_run(dw_input_part, &band, steps * (band.width / VW) * places * 8);
                team_run(dw_kernels_part, &band, steps * (band.width / VW) * places * job->dy.c);
            }
}
