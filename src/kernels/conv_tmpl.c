/* conv_tmpl.c - convolution and its weight gradient.
 *
 * Forward: a tile of CONV_GROUP output channels x CONV_COLS columns stays in registers while the sum
 * runs over input channels and taps; each input vector loaded serves all channels of the group, each
 * weight broadcast all columns. Backward to the input is the same kernel with turned weights.
 *
 * Weight gradient: the taps of DW_GROUP output channels stay in registers while the sum runs over all
 * pixels; only at the end are the lanes added up, many accumulators at a time (lane_sums).
 *
 * Kernels of 1 x 1 to 3 x 3 with stride 1 and of 3 x 3 and 4 x 4 with stride 2 get code of their own, all
 * others one general form; in a small build 4 x 4, which is rare, has none. */

/* Columns in a tile of CONV_GROUP output channels, and where there are fewer: as many as the registers hold,
 * and sums enough for two multiply-adds a cycle that take four cycles each. */
#if VW == 16
enum { CONV_COLS = 4, CONV_WIDE = 4 };
#else
enum { CONV_COLS = 2, CONV_WIDE = 3 };
#endif

/* One tile of `group` channels x `cols` columns. kh, kw and stride are constants where the caller passes
 * constants; x points at the tap (0, 0) of the tile's first column. */
INLINE void conv_tile(const struct conv_job *job, const float *x, const float *w, const float *bias, float *y,
                      const size_t group, const size_t cols, const size_t kh, const size_t kw,
                      const size_t stride) {
    const size_t plane = job->x.plane, row = job->x.row;
    vf acc[CONV_GROUP][CONV_WIDE];
    UNROLL
    for (size_t i = 0; i < group; i++) {
        const vf b = splat(bias ? bias[i] : 0.0f);
        UNROLL
        for (size_t j = 0; j < cols; j++) acc[i][j] = b;
    }
    for (size_t c = job->x.c; c > 0; c--, x += plane) {
        const float *tap = x;
        UNROLL
        for (size_t ky = 0; ky < kh; ky++, tap += row) {
            UNROLL
            for (size_t kx = 0; kx < kw; kx++, w += group) {
                vf in[CONV_WIDE];
                UNROLL
                for (size_t j = 0; j < cols; j++) in[j] = load(tap + (j * stride + kx) * LANES);
                UNROLL
                for (size_t i = 0; i < group; i++) {
                    const vf weight = splat(w[i]);
                    UNROLL
                    for (size_t j = 0; j < cols; j++) acc[i][j] += weight * in[j];
                }
            }
        }
    }
    if (job->relu) {
        UNROLL
        for (size_t i = 0; i < group; i++) {
            UNROLL
            for (size_t j = 0; j < cols; j++) acc[i][j] = positive(acc[i][j]);
        }
    }
    UNROLL
    for (size_t i = 0; i < group; i++) {
        UNROLL
        for (size_t j = 0; j < cols; j++) save(y + i * job->y.plane + j * job->y.step, acc[i][j]);
    }
}

/* All output channels of `cols` columns: the input patch stays in the cache while the groups take turns. */
INLINE void conv_columns(const struct conv_job *job, const float *x, float *y, const size_t cols,
                         const size_t kh, const size_t kw, const size_t stride) {
    const size_t weights = job->x.c * job->shape.kh * job->shape.kw;
    const float *w = job->w, *bias = job->bias;
    size_t k = job->y.c;
    for (; k >= CONV_GROUP; k -= CONV_GROUP) {
        conv_tile(job, x, w, bias, y, CONV_GROUP, cols, kh, kw, stride);
        w += CONV_GROUP * weights;
        y += CONV_GROUP * job->y.plane;
        if (bias) bias += CONV_GROUP;
    }
    switch (k) {
    case 1:
        conv_tile(job, x, w, bias, y, 1, cols, kh, kw, stride);
        break;
    case 2:
        conv_tile(job, x, w, bias, y, 2, cols, kh, kw, stride);
        break;
    case 3:
        conv_tile(job, x, w, bias, y, 3, cols, kh, kw, stride);
        break;
    default:
        break;
    }
}

/* The parts of a pixel's cache line are taken one right after the other, while it is in the first cache. */
INLINE void conv_rows(const struct conv_job *job, const size_t cols, const size_t kh, const size_t kw,
                      const size_t stride) {
    const size_t width = job->y.w, step = job->y.step, live = LANES - job->y.idle;
    for (size_t i = 0; i < job->y.h; i++) {
        const float *x = tensor_at(&job->x, 0, (ptrdiff_t)(i * stride) - job->shape.pad_y, -job->shape.pad_x);
        float *y = tensor_at(&job->y, 0, (ptrdiff_t)i, 0);
        size_t j = 0;
        for (; j + cols <= width && !(cols == 3 && width - j == 4); j += cols) /* 4 is 2 + 2 */
            for (size_t part = 0; part < live; part += VW)
                conv_columns(job, x + j * stride * LANES + part, y + j * step + part, cols, kh, kw, stride);
        for (; cols == 3 && j + 2 <= width; j += 2)
            for (size_t part = 0; part < live; part += VW)
                conv_columns(job, x + j * stride * LANES + part, y + j * step + part, 2, kh, kw, stride);
        for (; j < width; j++)
            for (size_t part = 0; part < live; part += VW)
                conv_columns(job, x + j * stride * LANES + part, y + j * step + part, 1, kh, kw, stride);
    }
}

/* Forms with code of their own: rows and columns of the kernel, stride. */
#ifdef __OPTIMIZE_SIZE__
#define CONV_FORMS
#elif defined(KERNELS_SMALL)
#define CONV_FORMS FORM(3, 3, 1) FORM(2, 2, 1) FORM(2, 1, 1) FORM(1, 2, 1) FORM(1, 1, 1) FORM(3, 3, 2)
#else
#define CONV_FORMS \
    FORM(3, 3, 1) FORM(2, 2, 1) FORM(2, 1, 1) FORM(1, 2, 1) FORM(1, 1, 1) FORM(3, 3, 2) FORM(4, 4, 2)
#endif

/* Each is a function: in one for all, a browser's compiler keeps sums in memory (12 % of a training's time).
 */
#define FORM(kh, kw, by)                                                                  \
    static __attribute__((noinline)) void conv_##kh##kw##by(const struct conv_job *job) { \
        if (job->y.c < CONV_GROUP)                                                        \
            conv_rows(job, CONV_WIDE, kh, kw, by);                                        \
        else                                                                              \
            conv_rows(job, CONV_COLS, kh, kw, by);                                        \
    }
CONV_FORMS
#undef FORM

static void FN(conv)(const struct conv_job *job) {
    const struct conv_shape *s = &job->shape;
#define FORM(h, w, by)                                 \
    if (s->kh == h && s->kw == w && s->stride == by) { \
        conv_##h##w##by(job);                          \
        return;                                        \
    }
    CONV_FORMS
#undef FORM
    conv_rows(job, CONV_COLS, s->kh, s->kw, s->stride);
}

/* --- Sums over lanes ------------------------------------------------------------------------------ */

/* Adds up the lanes of SUMS accumulators at once: halves are folded and two vectors merged into one, until
 * one vector holds all the sums. The order is the tree of kernels.h. */
enum { SUMS = VW < 8 ? VW : 8 };
#define FOLD(a, b, lo, hi) (__builtin_shufflevector(a, b, lo) + __builtin_shufflevector(a, b, hi))
#if VW == 16
#define LO4 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27
#define HI4 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31
#define LO2 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29
#define HI2 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31
#define LO1 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30
#define HI1 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31
#elif VW == 8
#define LO4 0, 1, 2, 3, 8, 9, 10, 11
#define HI4 4, 5, 6, 7, 12, 13, 14, 15
#define LO2 0, 1, 8, 9, 4, 5, 12, 13
#define HI2 2, 3, 10, 11, 6, 7, 14, 15
#define LO1 0, 8, 2, 10, 4, 12, 6, 14
#define HI1 1, 9, 3, 11, 5, 13, 7, 15
#else
#define LO2 0, 1, 4, 5
#define HI2 2, 3, 6, 7
#define LO1 0, 4, 2, 6
#define HI1 1, 5, 3, 7
#endif

/* Lane i is the sum over lanes of v[i], from lane 8 on over lanes from 8 on. A merge at distance d puts
 * vector i + d into the lanes with bit d set, so that sum i ends up in lane i. Destroys v. */
INLINE vf merged(vf v[SUMS]) {
#if VW >= 8
    UNROLL
    for (size_t i = 0; i < 4; i++) v[i] = FOLD(v[i], v[i + 4], LO4, HI4);
#endif
    UNROLL
    for (size_t i = 0; i < 2; i++) v[i] = FOLD(v[i], v[i + 2], LO2, HI2);
    return FOLD(v[0], v[1], LO1, HI1);
}

/* sums[i] = sum over lanes 0 to 7 of acc[i][LANES], i < SUMS, and sums[SUMS + i] that over lanes 8 to 15. */
INLINE void lane_sums(const float *acc, float *sums) {
    vf v[SUMS];
    UNROLL
    for (size_t i = 0; i < SUMS; i++) {
        v[i] = load(acc + i * LANES);
        if (VW == 4) v[i] += load(acc + i * LANES + LANES / 2);
    }
    save(sums, merged(v));
}

/* --- Weight gradient ------------------------------------------------------------------------------ */

/* Accumulators that wait for lane_sums, and output channels whose bands fill half the first cache. */
enum { DW_PENDING = 256, DW_CHANNELS = 64 / LANES };

/* acc += d[i] * x for the kh x kw taps around one pixel. */
INLINE void dw_pixel(vf acc[8][9], const float *dy, const float *x, const struct conv_dw_job *job,
                     const size_t group, const size_t kh, const size_t kw) {
    const size_t row = job->x.row, plane = job->dy.plane;
    vf d[8];
    UNROLL
    for (size_t i = 0; i < group; i++) d[i] = load(dy + i * plane);
    UNROLL
    for (size_t ky = 0; ky < kh; ky++) {
        UNROLL
        for (size_t kx = 0; kx < kw; kx++) {
            const vf in = load(x + ky * row + kx * LANES);
            UNROLL
            for (size_t i = 0; i < group; i++) acc[i][ky * kw + kx] += d[i] * in;
        }
    }
}

/* Pixels that one chain of sums runs over before it is added to the total: long enough to cost nothing,
 * short enough that rounding errors stay those of 64 sums, not of a thousand. */
enum { DW_BAND = 64 };

/* total[i][t] = or += sum over `rows` rows from x and dy on of dy[channel i] * x[tap t], for `group` output
 * channels and kh x kw taps. */
INLINE void dw_band(const struct conv_dw_job *job, const float *x, const float *dy, float *total,
                    const size_t rows, const bool begin, const size_t group, const size_t kh, const size_t kw,
                    const size_t stride) {
    const size_t width = job->dy.w, step = job->dy.step, live = LANES - job->dy.idle;
    for (size_t part = 0; part < live; part += VW) {
        vf acc[8][9];
        UNROLL
        for (size_t i = 0; i < group; i++) {
            UNROLL
            for (size_t t = 0; t < kh * kw; t++) acc[i][t] = (vf){0};
        }
        for (size_t r = 0; r < rows; r++) {
            const float *xp = x + part + r * stride * job->x.row;
            const float *dyp = dy + part + r * job->dy.row;
            size_t j = 0;
            for (; j + 2 <= width; j += 2, xp += 2 * stride * LANES, dyp += 2 * step) {
                dw_pixel(acc, dyp, xp, job, group, kh, kw);
                dw_pixel(acc, dyp + step, xp + stride * LANES, job, group, kh, kw);
            }
            if (j < width) dw_pixel(acc, dyp, xp, job, group, kh, kw);
        }
        UNROLL
        for (size_t i = 0; i < group; i++) {
            UNROLL
            for (size_t t = 0; t < kh * kw; t++) {
                float *to = total + (i * kh * kw + t) * LANES + part;
                if (!begin) acc[i][t] += load(to);
                save(to, acc[i][t]);
            }
        }
    }
}

/* One form of dw_band, in a function of its own: in a larger one GCC keeps addresses in memory. */
struct dw_form {
    void (*band)(const struct conv_dw_job *job, const float *x, const float *dy, float *total, size_t rows,
                 bool begin);
    size_t group, kh, kw; /* of the tile */
};
#define DW_FORM(name, group, kh, kw, stride)                                                                 \
    static                                                                                                   \
        __attribute__((noinline)) void name##_band(const struct conv_dw_job *job, const float *x,            \
                                                   const float *dy, float *total, size_t rows, bool begin) { \
        dw_band(job, x, dy, total, rows, begin, group, kh, kw, stride);                                      \
    }                                                                                                        \
    static const struct dw_form name = {name##_band, group, kh, kw};
DW_FORM(dw_1_3x3, 1, 3, 3, 1)
DW_FORM(dw_1_3x3_by2, 1, 3, 3, 2)
DW_FORM(dw_1_2x2, 1, 2, 2, 1)
DW_FORM(dw_2_2x2, 2, 2, 2, 1)
DW_FORM(dw_3_2x2, 3, 2, 2, 1)
DW_FORM(dw_1_1x1, 1, 1, 1, job->shape.stride)
DW_FORM(dw_8_1x1, 8, 1, 1, 1)
DW_FORM(dw_4_1x1, 4, 1, 1, 1)
DW_FORM(dw_1_1x3, 1, 1, 3, job->shape.stride)
#if VW == 16
DW_FORM(dw_2_3x3, 2, 3, 3, 1)
DW_FORM(dw_2_3x3_by2, 2, 3, 3, 2)
DW_FORM(dw_4_2x2, 4, 2, 2, 1)
#endif
#undef DW_FORM

/* Adds the lanes of the pending accumulators, [output channel][taps], to dw for input channel c. */
static __attribute__((noinline)) void dw_flush(const struct conv_dw_job *job, float *pending, size_t k,
                                               size_t channels, size_t c, size_t taps, size_t first_tap) {
    const size_t all_taps = job->shape.kh * job->shape.kw, n = channels * taps;
    _Alignas(64) float sums[DW_PENDING * LANES / SUM_LANES];
    for (size_t i = n * LANES; i % (SUMS * LANES) != 0; i += VW) save(pending + i, (vf){0});
    for (size_t i = 0; i < n; i += SUMS) lane_sums(pending + i * LANES, sums + i * (LANES / SUM_LANES));
    for (size_t i = 0, at = 0; i < channels; i++) {
        float *dw = job->dw + ((k + i) * job->x.c + c) * all_taps + first_tap;
        for (size_t t = 0; t < taps; t++, at++) {
            const float *s = sums + at / SUMS * SUMS * (LANES / SUM_LANES) + at % SUMS;
            dw[t] += s[0];
            if (VW > 8) dw[job->next + t] += s[SUMS];
        }
    }
}

/* Output channels [first, last), a whole number of groups, for taps [ky0, ky0 + kh) x [kx0, kx0 + kw). Bands
 * of some output channels stay in the first cache while the input channels' bands go by, each of which meets
 * all of them. */
static void dw_groups(const struct conv_dw_job *job, const struct dw_form *form, size_t first, size_t last,
                      size_t ky0, size_t kx0) {
    _Alignas(64) float pending[DW_PENDING * LANES];
    const size_t taps = form->kh * form->kw, stride = job->shape.stride;
    const size_t height = job->dy.h, width = job->dy.w, band = width < DW_BAND ? DW_BAND / width : 1;
    /* where one band is all nothing is met again, and 3x3 taps of one channel want the input to stay: then as
     * many output channels as there are accumulators for */
    const size_t fit = height > band && form->group > 1 ? DW_CHANNELS : DW_PENDING / 2 / taps;
    const size_t most_k = (fit > form->group ? fit / form->group : 1) * form->group;
    for (size_t k = first; k < last; k += most_k) {
        const size_t channels = last - k < most_k ? last - k : most_k;
        const size_t sums = (channels * taps + SUMS - 1) / SUMS * SUMS, most_c = DW_PENDING / sums;
        for (size_t c0 = 0; c0 < job->x.c; c0 += most_c) {
            const size_t end = job->x.c - c0 < most_c ? job->x.c : c0 + most_c;
            if (job->dy.idle >= VW)
                memset(pending, 0, sizeof pending); /* registers that dw_band leaves out */
            for (size_t r = 0; r < height; r += band) {
                const size_t rows = height - r < band ? height - r : band;
                for (size_t c = c0; c < end; c++) {
                    const float *x = tensor_at(&job->x, c, (ptrdiff_t)(ky0 + r * stride) - job->shape.pad_y,
                                               (ptrdiff_t)kx0 - job->shape.pad_x);
                    for (size_t i = 0; i < channels; i += form->group)
                        form->band(job, x, tensor_at(&job->dy, k + i, (ptrdiff_t)r, 0),
                                   pending + ((c - c0) * sums + i * taps) * LANES, rows, r == 0);
                }
            }
            for (size_t c = c0; c < end; c++)
                dw_flush(job, pending + (c - c0) * sums * LANES, k, channels, c, taps,
                         ky0 * job->shape.kw + kx0);
        }
    }
}

/* Kernels that fit the registers whole: groups of output channels in the widest form, the rest in narrower
 * ones. `form` ends with one of group 1. */
static void dw_whole(const struct conv_dw_job *job, const struct dw_form *const *form) {
    for (size_t k = 0; k < job->dy.c; form++) {
        const size_t end = k + (job->dy.c - k) / (*form)->group * (*form)->group;
        if (end > k) dw_groups(job, *form, k, end, 0, 0);
        k = end;
    }
}

static void FN(conv_dw)(const struct conv_dw_job *job) {
#if VW == 16
    static const struct dw_form *const by3x3[] = {&dw_2_3x3, &dw_1_3x3};
    static const struct dw_form *const by3x3_by2[] = {&dw_2_3x3_by2, &dw_1_3x3_by2};
    static const struct dw_form *const by2x2[] = {&dw_4_2x2, &dw_3_2x2, &dw_2_2x2, &dw_1_2x2};
#else
    static const struct dw_form *const by3x3[] = {&dw_1_3x3};
    static const struct dw_form *const by3x3_by2[] = {&dw_1_3x3_by2};
    static const struct dw_form *const by2x2[] = {&dw_3_2x2, &dw_2_2x2, &dw_1_2x2};
#endif
    static const struct dw_form *const by1x1[] = {&dw_8_1x1, &dw_4_1x1, &dw_1_1x1};
    const struct conv_shape *s = &job->shape;
    if (s->stride == 1 && s->kh == 3 && s->kw == 3) {
        dw_whole(job, by3x3);
    } else if (s->stride == 2 && s->kh == 3 && s->kw == 3) {
        dw_whole(job, by3x3_by2);
    } else if (s->stride == 1 && s->kh == 2 && s->kw == 2) {
        dw_whole(job, by2x2);
    } else if (s->stride == 1 && s->kh == 1 && s->kw == 1) {
        dw_whole(job, by1x1);
    } else {
        for (size_t ky = 0; ky < s->kh; ky++) {
            size_t kx = 0;
            for (; kx + 3 <= s->kw; kx += 3) dw_groups(job, &dw_1_1x3, 0, job->dy.c, ky, kx);
            for (; kx < s->kw; kx++) dw_groups(job, &dw_1_1x1, 0, job->dy.c, ky, kx);
        }
    }
}

static void FN(conv_db)(const struct tensor *dy, float *db, size_t next) {
    _Alignas(64) float acc[SUMS * LANES] = {0};
    _Alignas(64) float sums[2 * SUMS];
    for (size_t k0 = 0; k0 < dy->c; k0 += 4) {
        const size_t n = dy->c - k0 < 4 ? dy->c - k0 : 4;
        for (size_t i = 0; i < n; i++) {
            for (size_t part = 0; part < LANES - dy->idle; part += VW) {
                vf sum = {0};
                for (size_t r = 0; r < dy->h; r++) {
                    const float *p = tensor_at(dy, k0 + i, (ptrdiff_t)r, 0) + part;
                    for (size_t j = 0; j < dy->w; j++) sum += load(p + j * dy->step);
                }
                save(acc + i * LANES + part, sum);
            }
        }
        lane_sums(acc, sums);
        for (size_t i = 0; i < n; i++) {
            db[k0 + i] += sums[i];
            if (VW > 8) db[next + k0 + i] += sums[SUMS + i];
        }
    }
}
