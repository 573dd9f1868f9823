/* primaries.c - colors that a file describes by a few numbers, without a profile, to sRGB: the curve undone
 * by a table, then one matrix for linear light, then sRGB's curve by a table. */
#include "base/mem.h"
#include "image/image.h"

#include <math.h>

/* sRGB's curve's entries: fine enough for its steepest part, where a level is 20 of them. */
enum { CURVE = 1 << 16 };

struct primaries {
    float matrix[3][3]; /* linear light of the file to sRGB's */
    bool wide, alpha, grey;
    uint8_t *curve; /* of linear light, [CURVE] */
    float *linear;  /* of a stored value, [256] or [65536] */
};

static const struct chromaticities SRGB = {{0.3127, 0.64, 0.30, 0.15}, {0.3290, 0.33, 0.60, 0.06}};
static const struct transfer SRGB_CURVE = {2.4, 0.055, 12.92, 0.04045};

/* --- By H.273's numbers ------------------------------------------------------------------------------- */

static bool chromaticities_of(unsigned code, struct chromaticities *c) {
    static const struct chromaticities known[] = {
        [1] = {{0.3127, 0.640, 0.300, 0.150}, {0.3290, 0.330, 0.600, 0.060}},
        [4] = {{0.310, 0.67, 0.21, 0.14}, {0.316, 0.33, 0.71, 0.08}},
        [5] = {{0.3127, 0.64, 0.29, 0.15}, {0.3290, 0.33, 0.60, 0.06}},
        [6] = {{0.3127, 0.630, 0.310, 0.155}, {0.3290, 0.340, 0.595, 0.070}},
        [7] = {{0.3127, 0.630, 0.310, 0.155}, {0.3290, 0.340, 0.595, 0.070}},
        [8] = {{0.310, 0.681, 0.243, 0.145}, {0.316, 0.319, 0.692, 0.049}},
        [9] = {{0.3127, 0.708, 0.170, 0.131}, {0.3290, 0.292, 0.797, 0.046}},
        [11] = {{0.314, 0.680, 0.265, 0.150}, {0.351, 0.320, 0.690, 0.060}},
        [12] = {{0.3127, 0.680, 0.265, 0.150}, {0.3290, 0.320, 0.690, 0.060}},
        [22] = {{0.3127, 0.630, 0.295, 0.155}, {0.3290, 0.340, 0.605, 0.077}},
    };
    if (code >= sizeof known / sizeof *known || known[code].x[0] == 0) return false;
    *c = known[code];
    return true;
}

static bool transfer_of(unsigned code, struct transfer *t) {
    static const struct transfer television = {1 / 0.45, 0.099, 4.5, 0.081};
    switch (code) {
    case 1:
    case 6:
    case 14:
    case 15:
        *t = television;
        return true;
    case 4:
        *t = (struct transfer){.power = 2.2};
        return true;
    case 5:
        *t = (struct transfer){.power = 2.8};
        return true;
    case 7:
        *t = (struct transfer){1 / 0.45, 0.1115, 4, 0.0912};
        return true;
    case 8:
        *t = (struct transfer){.power = 1};
        return true;
    case 13:
        *t = SRGB_CURVE;
        return true;
    default:
        return false;
    }
}

bool primaries_by_code(const uint8_t code[4], struct light *light) {
    light->narrow = code[3] == 0;
    return code[2] == 0 && code[3] <= 1 && chromaticities_of(code[0], &light->colors) &&
           transfer_of(code[1], &light->transfer);
}

void primaries_usual(struct light *light) {
    *light = (struct light){.colors = SRGB, .transfer = SRGB_CURVE};
}

/* --- Matrices ----------------------------------------------------------------------------------------- */

static void multiply(const double a[3][3], const double b[3][3], double out[3][3]) {
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 3; j++) out[i][j] = a[i][0] * b[0][j] + a[i][1] * b[1][j] + a[i][2] * b[2][j];
}

/* By cofactors; false if there is none. */
static bool invert(const double m[3][3], double out[3][3]) {
    double determinant = 0;
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 3; j++) {
            const size_t r = (j + 1) % 3, s = (j + 2) % 3, c = (i + 1) % 3, d = (i + 2) % 3;
            out[i][j] = m[r][c] * m[s][d] - m[r][d] * m[s][c];
            if (i == 0) determinant += m[j][0] * out[0][j];
        }
    for (size_t i = 0; i < 9; i++) out[i / 3][i % 3] /= determinant;
    return isfinite(1 / determinant);
}

static void xyz(double x, double y, double out[3]) {
    out[0] = x / y, out[1] = 1, out[2] = (1 - x - y) / y;
}

/* Linear light to XYZ: the primaries' XYZ, each so much that together they are the white. */
static bool to_xyz(const struct chromaticities *c, double out[3][3]) {
    double inverse[3][3], white[3];
    xyz(c->x[0], c->y[0], white);
    for (size_t j = 0; j < 3; j++) {
        double primary[3];
        xyz(c->x[j + 1], c->y[j + 1], primary);
        for (size_t i = 0; i < 3; i++) out[i][j] = primary[i];
    }
    if (!invert((const double(*)[3])out, inverse)) return false;
    for (size_t j = 0; j < 3; j++) {
        const double much = inverse[j][0] * white[0] + inverse[j][1] * white[1] + inverse[j][2] * white[2];
        for (size_t i = 0; i < 3; i++) out[i][j] *= much;
    }
    return true;
}

/* Another white to sRGB's by Bradford's matrix, as ICC profiles do it. */
static bool adapt(const struct chromaticities *c, double out[3][3]) {
    static const double bradford[3][3] = {
        {0.8951, 0.2664, -0.1614}, {-0.7502, 1.7135, 0.0367}, {0.0389, -0.0685, 1.0296}};
    double from[3], to[3], scaled[3][3], inverse[3][3];
    xyz(c->x[0], c->y[0], from);
    xyz(SRGB.x[0], SRGB.y[0], to);
    for (size_t i = 0; i < 3; i++) {
        double a = 0, b = 0;
        for (size_t j = 0; j < 3; j++) a += bradford[i][j] * from[j], b += bradford[i][j] * to[j];
        for (size_t j = 0; j < 3; j++) scaled[i][j] = bradford[i][j] * b / a;
    }
    if (!invert(bradford, inverse)) return false;
    multiply((const double(*)[3])inverse, (const double(*)[3])scaled, out);
    return true;
}

/* False if the file's numbers are no colors. */
static bool to_srgb(const struct chromaticities *c, double out[3][3]) {
    double from[3][3], to[3][3], srgb[3][3], white[3][3], adapted[3][3];
    if (!to_xyz(c, from) || !to_xyz(&SRGB, srgb) || !invert((const double(*)[3])srgb, to) || !adapt(c, white))
        return false;
    multiply((const double(*)[3])white, (const double(*)[3])from, adapted);
    multiply((const double(*)[3])to, (const double(*)[3])adapted, out);
    for (size_t i = 0; i < 9; i++)
        if (!(fabs(out[i / 3][i % 3]) < 100)) return false;
    return true;
}

/* --- Rows --------------------------------------------------------------------------------------------- */

static double undo(const struct transfer *t, double v) {
    if (v < t->split) return v / t->slope;
    return pow((v + t->offset) / (1 + t->offset), t->power);
}

static double srgb_curve(double light) {
    return light <= 0.0031308 ? 12.92 * light : 1.055 * pow(light, 1 / 2.4) - 0.055;
}

static void fill_tables(struct primaries *p, const struct light *light) {
    const unsigned values = p->wide ? 65536 : 256, unit = p->wide ? 256 : 1;
    const double black = light->narrow ? 16 * unit : 0, white = light->narrow ? 235 * unit : values - 1;
    for (unsigned i = 0; i < values; i++) {
        const double v = (i - black) / (white - black);
        p->linear[i] = (float)undo(&light->transfer, v < 0 ? 0 : v > 1 ? 1 : v);
    }
    for (unsigned i = 0; i < CURVE; i++)
        p->curve[i] = (uint8_t)(255 * srgb_curve((double)i / (CURVE - 1)) + 0.5);
}

/* Whether it is meant as sRGB: 1 / 2.2 is what is written for sRGB's curve. */
static bool is_usual(const struct light *light, double matrix[3][3]) {
    const struct transfer *t = &light->transfer;
    const bool curve = t->split == SRGB_CURVE.split || (t->split == 0 && fabs(t->power / 2.2 - 1) < 0.05);
    for (size_t i = 0; i < 9; i++)
        if (fabs(matrix[i / 3][i % 3] - (i % 4 == 0)) > 0.002) return false;
    return curve && !light->narrow;
}

int primaries_open(struct primaries **out, const struct light *light, struct icc_pixels pixels,
                   struct caelum_error *err) {
    double matrix[3][3];
    struct primaries *p = NULL;
    *out = NULL;
    if (!to_srgb(&light->colors, matrix) || is_usual(light, matrix)) return CAELUM_OK;
    CHECK(mem_alloc(&p, 1, sizeof *p, err));
    p->wide = pixels.wide, p->alpha = pixels.alpha, p->grey = pixels.space == ICC_GREY;
    for (size_t i = 0; i < 9; i++) p->matrix[i / 3][i % 3] = (float)matrix[i / 3][i % 3];
    int result = mem_alloc(&p->curve, CURVE, 1, err);
    if (result == 0) result = mem_alloc(&p->linear, p->wide ? 65536 : 256, sizeof *p->linear, err);
    if (result == 0)
        fill_tables(p, light), *out = p;
    else
        primaries_close(&p);
    return result;
}

static uint8_t to_byte(const struct primaries *p, float light) {
    return p->curve[light > 0 ? light < 1 ? (size_t)(light * (CURVE - 1) + 0.5f) : CURVE - 1 : 0];
}

void primaries_row(const struct primaries *p, const void *in, uint8_t *out, size_t width) {
    const size_t colors = p->grey ? 1 : 3, step = colors + p->alpha, to = p->alpha ? 4 : 3;
    const uint16_t *wide = in;
    const uint8_t *narrow = in;
    for (size_t x = 0; x < width; x++) {
        float v[3];
        for (size_t c = 0; c < 3; c++) {
            const size_t at = x * step + (p->grey ? 0 : c);
            v[c] = p->linear[p->wide ? wide[at] : narrow[at]];
        }
        for (size_t c = 0; c < 3; c++) {
            const float *m = p->matrix[c];
            out[x * to + c] = to_byte(p, p->grey ? v[0] : m[0] * v[0] + m[1] * v[1] + m[2] * v[2]);
        }
        if (!p->alpha) continue;
        const size_t at = x * step + colors;
        out[x * to + 3] = (uint8_t)(p->wide ? (wide[at] + 128u) / 257 : narrow[at]);
    }
}

void primaries_close(struct primaries **p) {
    if (!*p) return;
    mem_free(&(*p)->curve);
    mem_free(&(*p)->linear);
    mem_free(p);
}
