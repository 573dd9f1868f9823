/* color.c - YUV, Lab and CIEDE2000, in double, straight from the definitions. */
#include "base/color.h"

#include <math.h>

static const double weight_r = 0.299, weight_g = 0.587, weight_b = 0.114, scale_u = 0.492, scale_v = 0.877;

void color_rgb_to_yuv(const double rgb[3], double yuv[3]) {
    const double r = rgb[0], g = rgb[1], b = rgb[2];
    yuv[0] = weight_r * r + weight_g * g + weight_b * b;
    /* B - Y and R - Y by differences, which are exactly 0 for a grey where B - Y itself is not */
    yuv[1] = scale_u * (weight_r * (b - r) + weight_g * (b - g));
    yuv[2] = scale_v * (weight_g * (r - g) + weight_b * (r - b));
}

void color_bytes_to_yuv(const uint8_t *rgb, size_t plane, double yuv[3]) {
    const double pixel[3] = {rgb[0] / 255.0, rgb[plane] / 255.0, rgb[2 * plane] / 255.0};
    color_rgb_to_yuv(pixel, yuv);
}

void color_yuv_to_rgb(const double yuv[3], double rgb[3]) {
    const double r = yuv[2] / scale_v, b = yuv[1] / scale_u; /* R - Y and B - Y */
    rgb[0] = yuv[0] + r;
    rgb[1] = yuv[0] - (weight_r * r + weight_b * b) / weight_g;
    rgb[2] = yuv[0] + b;
}

static double linear(double value) {
    return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4);
}

static double lab_curve(double t) {
    const double edge = 6.0 / 29;
    return t > edge * edge * edge ? cbrt(t) : t / (3 * edge * edge) + 4.0 / 29;
}

void color_rgb_to_lab(const double rgb[3], double lab[3]) {
    /* sRGB's primaries in XYZ; a row's sum is the white point's X, Y, Z */
    static const double xyz[3][3] = {{0.4124564, 0.3575761, 0.1804375},
                                     {0.2126729, 0.7151522, 0.0721750},
                                     {0.0193339, 0.1191920, 0.9503041}};
    const double r = linear(rgb[0]), g = linear(rgb[1]), b = linear(rgb[2]);
    double f[3];
    for (int i = 0; i < 3; i++) { /* over white; by differences, so that a grey's three are the same */
        const double white = xyz[i][0] + xyz[i][1] + xyz[i][2];
        f[i] = lab_curve(g + (xyz[i][0] * (r - g) + xyz[i][2] * (b - g)) / white);
    }
    lab[0] = 116 * f[1] - 16;
    lab[1] = 500 * (f[0] - f[1]);
    lab[2] = 200 * (f[1] - f[2]);
}

/* --- CIEDE2000 ------------------------------------------------------------------------------------ */

static const double degree = 3.14159265358979323846 / 180;

/* sqrt(c^7 / (c^7 + 25^7)) */
static double saturation(double c) {
    const double c7 = c * c * c * c * c * c * c;
    return sqrt(c7 / (c7 + 6103515625.0));
}

/* Hue in degrees, [0, 360); 0 for a grey. */
static double hue(double a, double b) {
    const double h = a == 0 && b == 0 ? 0 : atan2(b, a) / degree;
    if (h >= 0) return h;
    return h + 360 < 360 ? h + 360 : 0; /* the sum may round up to 360 */
}

/* Difference and mean of two hues along the shorter arc; a grey has no hue of its own and takes the other's.
 * Where hues are opposite, as is common among dark colors, the mean jumps: they are 180 degrees apart
 * whatever rounding makes of it. */
static void compare_hues(double h1, double h2, double product, double *difference, double *mean) {
    const double d = h2 - h1, sum = h1 + h2;
    if (product == 0)
        *difference = 0, *mean = sum;
    else if (fabs(d) <= 180 + 1e-9)
        *difference = d, *mean = sum / 2;
    else
        *difference = d > 180 ? d - 360 : d + 360, *mean = sum < 360 ? (sum + 360) / 2 : (sum - 360) / 2;
}

double color_ciede2000(const double x[3], const double y[3]) {
    const double g = 0.5 * (1 - saturation((hypot(x[1], x[2]) + hypot(y[1], y[2])) / 2));
    const double a1 = (1 + g) * x[1], a2 = (1 + g) * y[1];
    const double c1 = hypot(a1, x[2]), c2 = hypot(a2, y[2]), c = (c1 + c2) / 2, l = (x[0] + y[0]) / 2;
    double dh, h;
    compare_hues(hue(a1, x[2]), hue(a2, y[2]), c1 * c2, &dh, &h);
    const double t = 1 - 0.17 * cos((h - 30) * degree) + 0.24 * cos(2 * h * degree) +
                     0.32 * cos((3 * h + 6) * degree) - 0.20 * cos((4 * h - 63) * degree);
    const double l50 = (l - 50) * (l - 50), bend = (h - 275) / 25;
    const double turn = -sin(60 * exp(-bend * bend) * degree) * 2 * saturation(c);
    const double el = (y[0] - x[0]) / (1 + 0.015 * l50 / sqrt(20 + l50));
    const double ec = (c2 - c1) / (1 + 0.045 * c);
    const double eh = 2 * sqrt(c1 * c2) * sin(dh / 2 * degree) / (1 + 0.015 * c * t);
    return sqrt(el * el + ec * ec + eh * eh + turn * ec * eh);
}

void color_recolor(const uint8_t *truth, const float *uv, size_t plane, uint8_t *out) {
    for (size_t i = 0; i < plane; i++) {
        double rgb[3], yuv[3];
        color_bytes_to_yuv(truth + i, plane, yuv);
        for (size_t c = 0; c < 3; c++) rgb[c] = yuv[0];
        if (uv) {
            yuv[1] = (double)uv[i], yuv[2] = (double)uv[plane + i];
            color_yuv_to_rgb(yuv, rgb);
        }
        for (size_t c = 0; c < 3; c++) out[c * plane + i] = color_byte(rgb[c]);
    }
}
