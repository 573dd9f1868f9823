/* image.h - picture files to 8-bit sRGB in memory and back. One file a format; picture.c tells them apart;
 * icc.c and exif.c read what formats have in common. */
#ifndef CAELUM_IMAGE_IMAGE_H
#define CAELUM_IMAGE_IMAGE_H

#include "base/error.h"

#include <stdio.h>

/* Pixels of the largest picture that is read: 2^28, 805 MB of RGB. */
#define IMAGE_MOST_PIXELS ((size_t)1 << 28)

/* Checks width and height as a file declares them, before anything is allocated for them. */
int image_check_size(const char *path, size_t width, size_t height, struct caelum_error *err);
/* image_check_size, then memory for the pixels. */
int image_allocate(struct caelum_picture *picture, const char *path, size_t width, size_t height,
                   struct caelum_error *err);
/* For a result of a picture: its size and resolution. */
int image_allocate_like(struct caelum_picture *picture, const struct caelum_picture *of,
                        struct caelum_error *err);

/* 16 bits to 8, rounded. */
static inline uint8_t image_narrow(uint16_t wide) {
    return (uint8_t)((wide * 255u + 32895u) >> 16);
}

/* NULL, and the format that the first bytes of a file show (12 are enough); or a sentence on what else it
 * is and how it can be converted. */
const char *image_foreign(const uint8_t *bytes, size_t size, enum caelum_picture_format *format);
/* The format by the ending of its name; false: none that is read, *format stays. */
bool image_format_of_name(const char *name, enum caelum_picture_format *format);

/* How pixels are stored whose colors are described. */
struct icc_pixels {
    enum { ICC_GREY, ICC_RGB, ICC_CMYK } space;
    bool alpha;    /* one more channel behind the colors */
    bool wide;     /* 16 bits a channel in the machine's byte order, otherwise 8 */
    bool inverted; /* 0 is full ink, or white */
};

/* A way from a profile's color space to sRGB. */
struct icc;

/* Returns NULL if no transform is needed: the profile is sRGB already (as far as 8 bits can tell), it is
 * damaged, or it describes pixels of another kind. Pixels are then to be read as if it weren't there. */
struct icc *icc_open(const uint8_t *profile, size_t size, struct icc_pixels pixels);

/* Colors described by a few numbers, as a PNG can do instead of a profile. */
struct light {
    double x[4], y[4];                      /* CIE 1931, of white, red, green, blue */
    struct transfer {                       /* a stored v in [0, 1] is v / slope of light below split, else */
        double power, offset, slope, split; /* ((v + offset) / (1 + offset))^power */
    } transfer;
    bool narrow; /* black and white are 16 and 235 of 255 */
};
extern const struct light light_srgb;

/* By the four numbers of ITU-T H.273 that a cICP chunk holds: primaries, transfer, matrix, full range. False:
 * not known, or not RGB; PQ (16) and HLG (18), whose lights go beyond a display's, are among these. */
bool light_by_code(const uint8_t code[4], struct light *light);

/* As icc_open. A power of 1 / 2.2 with sRGB's primaries is taken as sRGB, for which it is written. */
struct icc *icc_of_light(const struct light *light, struct icc_pixels pixels);

/* A row of pixels to RGB; with `alpha` to RGBA, where the fourth byte is the file's alpha in 8 bits. `in`
 * and `out` may be the same where their pixels are of the same size. */
void icc_row(struct icc *icc, const void *in, uint8_t *out, size_t width);
/* Sets the pointer to NULL; accepts NULL in it. */
void icc_close(struct icc **icc);

/* A file on its way to a picture. Its owner is caelum_picture_decode; the formats fill it. */
struct decoding {
    const char *path; /* only to name it in errors */
    const uint8_t *bytes;
    size_t size;
    struct caelum_picture picture; /* as it is stored: not yet upright */
    unsigned orientation;          /* as Exif has it; 0: upright */
    struct icc_pixels pixels;      /* the rows that image_row takes */
    bool opaque;                   /* what is in the place of alpha means nothing */
    struct icc *icc;               /* NULL: the rows are sRGB in 8 bits */
    uint8_t *rows;                 /* memory of the format's own, freed by the owner */
    uint8_t *rgba;                 /* a row */
};

/* Each decodes a whole file in memory. */
int png_decode(struct decoding *d, struct caelum_error *err);
int jpeg_decode(struct decoding *d, struct caelum_error *err);
int webp_decode(struct decoding *d, struct caelum_error *err);
int tiff_decode(struct decoding *d, struct caelum_error *err);

/* Allocates the picture of the size that a file declares, if it can hold so much: it must have `least` bytes.
 * Whatever a format can do, no more is believed than 2^26 pixels and 2^9 for each byte. */
int image_begin(struct decoding *d, size_t width, size_t height, double least, struct caelum_error *err);
/* Row y of the picture: colors converted, transparent pixels laid over white, as browsers do it, by the
 * values that are sRGB. RGB may already be in its place. Where the picture has `wide`, rows are 16-bit RGB.
 */
void image_row(const struct decoding *d, size_t y, const void *row);

/* Each writes a picture that has pixels as a whole file into memory, where only a lack of it makes `to`
 * fail. */
int png_encode(const struct caelum_picture *picture, FILE *to, struct caelum_error *err);
int jpeg_encode(const struct caelum_picture *picture, FILE *to, struct caelum_error *err);
int webp_encode(const struct caelum_picture *picture, FILE *to, struct caelum_error *err);

/* The orientation (1 to 8) that Exif data asks for, with or without "Exif\0\0" before it; 1 if it says
 * none or is damaged. */
unsigned exif_orientation(const uint8_t *bytes, size_t size);
/* Turns the picture upright; does nothing for orientation 1 and what is none. */
int exif_turn(struct caelum_picture *picture, const char *path, unsigned orientation,
              struct caelum_error *err);

#endif
