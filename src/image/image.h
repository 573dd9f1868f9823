/* image.h - picture files to 8-bit sRGB in memory and back. One file a format; picture.c tells them apart;
 * icc.c and exif.c read what formats have in common. */
#ifndef CAELUM_IMAGE_IMAGE_H
#define CAELUM_IMAGE_IMAGE_H

#include "base/error.h"

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

/* Whether a file of `size` bytes may have that many pixels, for formats in which a byte can encode any number
 * of pixels: up to 2^24, and 2^16 for each byte. */
bool image_believable(size_t width, size_t height, size_t size);
/* Fails: the file is too short for that many pixels. */
int image_too_short(const char *path, size_t width, size_t height, size_t size, struct caelum_error *err);

/* A row of RGBA pixels as RGB, laid over white: as browsers do it, by the stored values. */
void image_over_white(const uint8_t *rgba, uint8_t *rgb, size_t width);

/* The format of a file, by its first bytes (12 are enough), or by the ending of its name; false: none that is
 * read, *format stays. */
bool image_format_of_bytes(const uint8_t *bytes, size_t size, enum caelum_picture_format *format);
bool image_format_of_name(const char *name, enum caelum_picture_format *format);

/* What the first bytes of a file begin (12 are enough). '?' stands for any byte. */
struct image_sign {
    const char *bytes;
    size_t size;
};
#define IMAGE_SIGN(text) \
    { text, sizeof(text) - 1 }
bool image_begins(const uint8_t *bytes, size_t size, struct image_sign sign);

/* A sentence on a file of another kind: what it is, and the command that converts it. */
const char *image_foreign(const uint8_t *bytes, size_t size);

/* Each decodes a whole file that is in memory; `path` only names it in errors. On failure nothing is left
 * allocated. Transparent pixels are laid over white, embedded ICC profiles and orientations are applied. */
int png_decode(struct caelum_picture *picture, const char *path, const uint8_t *bytes, size_t size,
               struct caelum_error *err);
int jpeg_decode(struct caelum_picture *picture, const char *path, const uint8_t *bytes, size_t size,
                struct caelum_error *err);
int webp_decode(struct caelum_picture *picture, const char *path, const uint8_t *bytes, size_t size,
                struct caelum_error *err);
int tiff_decode(struct caelum_picture *picture, const char *path, const uint8_t *bytes, size_t size,
                struct caelum_error *err);

/* A file that grows in memory. */
struct image_sink {
    uint8_t *bytes; /* freed with mem_free, also after a failure */
    size_t size, capacity;
};
int image_sink_add(struct image_sink *sink, const void *bytes, size_t size, struct caelum_error *err);

/* Each writes a picture that has pixels as a whole file into an empty sink. */
int png_encode(const struct caelum_picture *picture, struct image_sink *sink, struct caelum_error *err);
int jpeg_encode(const struct caelum_picture *picture, struct image_sink *sink, struct caelum_error *err);
int webp_encode(const struct caelum_picture *picture, struct image_sink *sink, struct caelum_error *err);

/* The orientation (1 to 8) that Exif data asks for, with or without "Exif\0\0" before it; 1 if it says
 * none or is damaged. */
unsigned exif_orientation(const uint8_t *bytes, size_t size);
/* Turns the picture upright; does nothing for orientation 1 and what is none. */
int exif_turn(struct caelum_picture *picture, const char *path, unsigned orientation,
              struct caelum_error *err);

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
/* A row of pixels to RGB; with `alpha` to RGBA, where the fourth byte is the file's alpha in 8 bits. `in`
 * and `out` may be the same where their pixels are of the same size. */
void icc_row(const struct icc *icc, const void *in, uint8_t *out, size_t width);
/* Sets the pointer to NULL; accepts NULL in it. */
void icc_close(struct icc **icc);

/* Colors described by a few numbers, as a PNG can do instead of a profile. */
struct light {
    struct chromaticities {
        double x[4], y[4]; /* CIE 1931, of white, red, green, blue */
    } colors;
    struct transfer {                       /* a stored v in [0, 1] is v / slope of light below split, else */
        double power, offset, slope, split; /* ((v + offset) / (1 + offset))^power */
    } transfer;
    bool narrow; /* black and white are 16 and 235 of 255 */
};

/* sRGB's. */
void primaries_usual(struct light *light);
/* By the four numbers of ITU-T H.273 that a cICP chunk holds: primaries, transfer, matrix, full range. False:
 * not known, or not RGB; PQ (16) and HLG (18), whose lights go beyond a display's, are among these. */
bool primaries_by_code(const uint8_t code[4], struct light *light);

/* A conversion from such colors to sRGB; values out of its range are clipped. */
struct primaries;
/* *primaries is NULL if no conversion is needed: they are sRGB's, or no colors at all. CAELUM_ERESOURCE. */
int primaries_open(struct primaries **primaries, const struct light *light, struct icc_pixels pixels,
                   struct caelum_error *err);
/* As icc_row. */
void primaries_row(const struct primaries *primaries, const void *in, uint8_t *out, size_t width);
/* Sets the pointer to NULL; accepts NULL in it. */
void primaries_close(struct primaries **primaries);

#endif
