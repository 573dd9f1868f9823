/* color.h - color spaces, a pixel at a time. RGB is what a file holds: red, green, blue with sRGB's curve,
 * each in [0, 1] (a byte over 255).
 *
 * YUV is that of ITU-R BT.601 in full range, on the values as they are in the file:
 *     Y = 0.299 R + 0.587 G + 0.114 B,  U = 0.492 (B - Y),  V = 0.877 (R - Y),
 * so Y is in [0, 1], U within +-0.436, V within +-0.615, and a grey has U = V = 0. Lab is CIE 1976 L*a*b*
 * of the display, white point D65: L* in [0, 100], a* and b* within about +-110. */
#ifndef CAELUM_BASE_COLOR_H
#define CAELUM_BASE_COLOR_H

#include <stddef.h>
#include <stdint.h>

/* RGB to YUV; U and V of a grey are exactly 0. */
void color_rgb_to_yuv(const double rgb[3], double yuv[3]);

/* YUV of a pixel whose bytes R, G, B are `plane` apart. */
void color_bytes_to_yuv(const uint8_t *rgb, size_t plane, double yuv[3]);

/* The inverse of color_rgb_to_yuv: R = Y + V / 0.877, B = Y + U / 0.492, and G such that the luminance is Y.
 * Chroma that can't be displayed gives values outside [0, 1]. */
void color_yuv_to_rgb(const double yuv[3], double rgb[3]);

/* RGB to L*a*b*: sRGB's curve undone (IEC 61966-2-1), sRGB's primaries to XYZ, CIE 15 to Lab. The white
 * (1, 1, 1) is (100, 0, 0); a* and b* of a grey are exactly 0. */
void color_rgb_to_lab(const double rgb[3], double lab[3]);

/* The color difference CIEDE2000 between two Lab colors with all weights 1; about 1 can just be seen. Sharma,
 * Wu & Dalal, "The CIEDE2000 color-difference formula", Color Research and Application 30(1), 2005,
 * equations 2 to 22. Symmetric. */
double color_ciede2000(const double a[3], const double b[3]);

/* A value clamped to [0, 1] and rounded to 8 bit; NaN gives 0. */
static inline uint8_t color_byte(double value) {
    const double clamped = value > 0 ? (value < 1 ? value : 1) : 0;
    return (uint8_t)(clamped * 255 + 0.5);
}

/* A picture in other colors: the luminance of `truth` with the chroma uv [2][plane], or grey with NULL,
 * clamped to [0, 1] and rounded to 8 bit. truth and out: [3][plane], R, G, B. */
void color_recolor(const uint8_t *truth, const float *uv, size_t plane, uint8_t *out);

#endif
