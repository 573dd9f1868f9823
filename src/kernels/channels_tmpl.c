/* channels_tmpl.c - blocks whose lanes are the channels of one picture: what is different from lanes that are
 * pictures. Channel c is lane c % LANES of plane c / LANES; what treats all channels alike works as it is. */

/* --- Products ------------------------------------------------------------------------------------- */

/* Registers of output channels in a tile of products, at most, and columns: the sums fit into registers. */
enum { CHANNEL_VECS = VW == 16 ? 4 : 2, CHANNEL_COLS = 4 };

/* Where the registers of a tile begin: their weights, MOST_LANES from one input channel's to the next's, and
 * their sums. */
struct channel_vecs {
    const float *w[CHANNEL_VECS];
    float *m[CHANNEL_VECS];
};

/* As product_tile, the sums in the same order: an input is one number for all lanes, a weight one for each.
 */
INLINE void channel_tile(const float *v, const struct channel_vecs *at, size_t col, size_t channels,
                         size_t plane, const size_t vecs, const size_t cols) {
    const float *w[CHANNEL_VECS];
    vf acc[CHANNEL_VECS][CHANNEL_COLS];
    UNROLL
    for (size_t i = 0; i < vecs; i++) {
        w[i] = at->w[i];
        UNROLL
        for (size_t j = 0; j < cols; j++) acc[i][j] = (vf){0};
    }
    v += col;
    for (size_t first = 0; first < channels; first += LANES, v += plane)
        for (size_t l = 0; l < LANES && first + l < channels; l++) {
            vf weight[CHANNEL_VECS];
            UNROLL
            for (size_t i = 0; i < vecs; i++) weight[i] = load(w[i] + (first + l) * MOST_LANES);
            UNROLL
            for (size_t j = 0; j < cols; j++) {
                const vf in = splat(v[j * LANES + l]);
                UNROLL
                for (size_t i = 0; i < vecs; i++) acc[i][j] += weight[i] * in;
            }
        }
    UNROLL
    for (size_t i = 0; i < vecs; i++) {
        UNROLL
        for (size_t j = 0; j < cols; j++) save(at->m[i] + col + j * LANES, acc[i][j]);
    }
}

typedef void channel_form(const float *v, const struct channel_vecs *at, size_t col, size_t channels,
                          size_t plane);
#define CHANNEL_FORM(vecs, cols)                                                                    \
    static __attribute__((noinline)) void channels_##vecs##x##cols(                                 \
        const float *v, const struct channel_vecs *at, size_t col, size_t channels, size_t plane) { \
        channel_tile(v, at, col, channels, plane, vecs, cols);                                      \
    }
#define CHANNEL_FORMS(vecs) CHANNEL_FORM(vecs, 1) CHANNEL_FORM(vecs, 2) CHANNEL_FORM(vecs, 4)
#define FORMS(vecs) \
    { channels_##vecs##x1, channels_##vecs##x2, channels_##vecs##x4 }
CHANNEL_FORMS(1)
CHANNEL_FORMS(2)
#if VW == 16
CHANNEL_FORMS(3)
CHANNEL_FORMS(4)
#endif

/* As products, of planes first to first + planes - 1 of the output channels: v is [plane][col][LANES], m
 * too, w [register of MOST_LANES][input channel][MOST_LANES]. */
static void channel_products(const float *v, const float *w, float *m, size_t channels, size_t cols,
                             struct span planes) {
    static channel_form *const form[CHANNEL_VECS][3] = {
        FORMS(1),
        FORMS(2),
#if VW == 16
        FORMS(3),
        FORMS(4)
#endif
    };
    const size_t all = planes.count * LANES;
    for (size_t k = 0; k < all;) {
        struct channel_vecs at;
        size_t vecs = 0;
        for (; vecs < CHANNEL_VECS && k < all; vecs++, k += VW) {
            const size_t to = planes.first * LANES + k;
            at.w[vecs] = w + to / MOST_LANES * channels * MOST_LANES + to % MOST_LANES;
            at.m[vecs] = m + k / LANES * cols * LANES + k % LANES;
        }
        for (size_t col = 0; col < cols;) {
            const size_t rest = cols - col, width = rest > 3 ? 2 : rest > 1 ? 1 : 0;
            form[vecs - 1][width](v, &at, col * LANES, channels, cols * LANES);
            col += (size_t)1 << width;
        }
    }
}
#undef CHANNEL_FORM
#undef CHANNEL_FORMS
#undef FORMS

/* --- From lanes to lanes -------------------------------------------------------------------------- */

/* Where the tiles of the finer of two grids, of both taken together, begin in a tensor, and the floats
 * between channels of LANES: from one to the next, and from one LANES to the next. */
struct spots {
    size_t tile[MOST_LANES * MOST_LANES], next, plane;
};

static struct spots spots_of(const struct tensor *t, struct tiling lie, size_t h, size_t w,
                             struct tiling grid) {
    const bool by_channels = tiling_count(lie) == 0;
    struct spots s = {.next = by_channels ? 1 : t->plane, .plane = by_channels ? t->plane : LANES * t->plane};
    for (size_t i = 0; i < tiling_count(grid); i++) {
        const size_t y = i / grid.across * h, x = i % grid.across * w;
        s.tile[i] = y % t->h * t->row + x % t->w * t->step + y / t->h * lie.across + x / t->w;
    }
    return s;
}

static void FN(rearrange)(const struct tensor *x, struct tiling from, const struct tensor *y,
                          struct tiling to, size_t channels) {
    struct tiling grid = {from.down > to.down ? from.down : to.down,
                          from.across > to.across ? from.across : to.across};
    const size_t h = x->h * (from.down > 0 ? from.down : 1) / grid.down,
                 w = x->w * (from.across > 0 ? from.across : 1) / grid.across;
    const struct spots in = spots_of(x, from, h, w, grid), out = spots_of(y, to, h, w, grid);
    for (size_t i = 0; i < h; i++)
        for (size_t j = 0; j < w; j++) {
            const float *from_plane = x->data + i * x->row + j * x->step;
            float *to_plane = y->data + i * y->row + j * y->step;
            for (size_t c = 0; c < channels; c += LANES, from_plane += in.plane, to_plane += out.plane) {
                const size_t some = channels - c < LANES ? channels - c : LANES;
                for (size_t tile = 0; tile < tiling_count(grid); tile++) {
                    const float *value = from_plane + in.tile[tile];
                    float *place = to_plane + out.tile[tile];
                    for (size_t l = 0; l < some; l++) place[l * out.next] = value[l * in.next];
                }
            }
        }
}
