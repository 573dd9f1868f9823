/* picture.c - decoding and encoding pictures, in memory and as files. What is read is told apart by its first
 * bytes, what is written by the ending of its name. */
#include "base/ascii.h"
#include "base/file.h"
#include "base/mem.h"
#include "image/image.h"

#include <stdlib.h>
#include <string.h>

int image_check_size(const char *path, size_t width, size_t height, struct caelum_error *err) {
    if (width < 1 || height < 1) return caelum_fail(err, CAELUM_EFORMAT, "%s: declares no pixels", path);
    if (width > IMAGE_MOST_PIXELS / height)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: declares %zux%zu pixels; at most %zu in all are read",
                           path, width, height, IMAGE_MOST_PIXELS);
    return CAELUM_OK;
}

int image_allocate(struct caelum_picture *picture, const char *path, size_t width, size_t height,
                   struct caelum_error *err) {
    CHECK(image_check_size(path, width, height, err));
    uint8_t *pixels;
    CHECK(mem_alloc(&pixels, width * height, 3, err));
    *picture = (struct caelum_picture){.width = width, .height = height, .pixels = pixels};
    return CAELUM_OK;
}

int image_allocate_like(struct caelum_picture *picture, const struct caelum_picture *of,
                        struct caelum_error *err) {
    CHECK(image_allocate(picture, "the picture", of->width, of->height, err));
    picture->dpi_x = of->dpi_x, picture->dpi_y = of->dpi_y;
    return CAELUM_OK;
}

int image_begin(struct decoding *d, size_t width, size_t height, double least, struct caelum_error *err) {
    CHECK(image_check_size(d->path, width, height, err));
    if ((double)d->size < least)
        return caelum_fail(err, CAELUM_EFORMAT,
                           "%s: declares %zux%zu pixels; its %zu bytes can't hold that many", d->path, width,
                           height, d->size);
    if (width * height > ((size_t)1 << 26) + (d->size << 9))
        return caelum_fail(err, CAELUM_EFORMAT,
                           "%s: declares %zux%zu pixels in %zu bytes; more than 2^26 pixels are read where "
                           "each byte stands for at most 512 of the others: save it with less compression",
                           d->path, width, height, d->size);
    CHECK(mem_alloc(&d->rgba, width, 4, err));
    return image_allocate(&d->picture, d->path, width, height, err);
}

static void over_white(const uint8_t *rgba, uint8_t *rgb, size_t width, bool opaque) {
    for (size_t x = 0; x < width; x++)
        for (size_t c = 0; c < 3; c++) {
            const unsigned a = opaque ? 255 : rgba[4 * x + 3];
            rgb[3 * x + c] = (uint8_t)((rgba[4 * x + c] * a + 255 * (255 - a) + 127) / 255);
        }
}

void image_row(const struct decoding *d, size_t y, const void *row) {
    const size_t width = d->picture.width;
    uint8_t *rgb = d->picture.pixels + y * width * 3, *to = d->pixels.alpha ? d->rgba : rgb;
    if (d->picture.wide) {
        uint16_t *wide = memcpy(d->picture.wide + y * width * 3, row, width * 3 * sizeof *wide);
        for (size_t i = 0; i < width * 3; i++) rgb[i] = image_narrow(wide[i]);
        return;
    }
    if (d->icc) {
        icc_row(d->icc, row, to, width);
        row = to;
    }
    if (d->pixels.alpha)
        over_white(row, rgb, width, d->opaque);
    else if (row != rgb)
        memcpy(rgb, row, width * 3);
}

/* By enum caelum_picture_format. */
static const struct format {
    const char *endings[3];
    int (*decode)(struct decoding *d, struct caelum_error *err);
    int (*encode)(const struct caelum_picture *picture, FILE *to, struct caelum_error *err);
} formats[] = {
    [CAELUM_PNG] = {{".png"}, png_decode, png_encode},
    [CAELUM_JPEG] = {{".jpg", ".jpeg"}, jpeg_decode, jpeg_encode},
    [CAELUM_WEBP] = {{".webp"}, webp_decode, webp_encode},
    [CAELUM_TIFF] = {{".tif", ".tiff"}, tiff_decode, NULL},
};
enum { FORMATS = sizeof formats / sizeof *formats, ENDINGS = 3 };

#define SIGN(text) text, sizeof(text) - 1
#define NOT_READ(what, command) what ", which is not read; '" command "' makes a picture of it that is"

/* What a file begins with; '?' is any byte. With a format, or a sentence for a person on one that is not
 * read: what it is, and which command makes a picture of it. */
static const struct sign {
    const char *bytes;
    size_t size;
    enum caelum_picture_format format;
    const char *sentence;
} signs[] = {
    {SIGN("\x89PNG\r\n\x1a\n"), CAELUM_PNG, NULL},
    {SIGN("\xff\xd8\xff"), CAELUM_JPEG, NULL},
    {SIGN("RIFF????WEBP"), CAELUM_WEBP, NULL},
    {SIGN("II*\0"), CAELUM_TIFF, NULL},
    {SIGN("MM\0*"), CAELUM_TIFF, NULL},
    {SIGN("II+\0"), CAELUM_TIFF, NULL},
    {SIGN("MM\0+"), CAELUM_TIFF, NULL},
    {SIGN("????ftypheic"), 0, NOT_READ("a HEIC picture", "heif-convert photo.heic photo.jpg")},
    {SIGN("????ftypheix"), 0, NOT_READ("a HEIC picture", "heif-convert photo.heic photo.jpg")},
    {SIGN("????ftyphev?"), 0, NOT_READ("a HEIC picture", "heif-convert photo.heic photo.jpg")},
    {SIGN("????ftyphei?"), 0, NOT_READ("a HEIC picture", "heif-convert photo.heic photo.jpg")},
    {SIGN("????ftypm?f1"), 0, NOT_READ("a HEIF picture", "heif-convert photo.heic photo.jpg")},
    {SIGN("????ftypavi?"), 0, NOT_READ("an AVIF picture", "heif-convert photo.avif photo.png")},
    {SIGN("\xff\x0a"), 0, NOT_READ("a JPEG XL picture", "djxl photo.jxl photo.png")},
    {SIGN("\0\0\0\x0cJXL "), 0, NOT_READ("a JPEG XL picture", "djxl photo.jxl photo.png")},
    {SIGN("\0\0\0\x0cjP  "), 0, NOT_READ("a JPEG 2000 picture", "opj_decompress -i photo.jp2 -o photo.png")},
    {SIGN("\xff\x4f\xff\x51"), 0,
     NOT_READ("a JPEG 2000 picture", "opj_decompress -i photo.j2k -o photo.png")},
    {SIGN("GIF8"), 0, NOT_READ("a GIF picture", "convert 'photo.gif[0]' photo.png")},
    {SIGN("BM????\0\0\0\0"), 0, NOT_READ("a BMP picture", "convert photo.bmp photo.png")},
    {SIGN("8BPS"), 0, NOT_READ("a Photoshop document", "convert 'photo.psd[0]' photo.png")},
    {SIGN("gimp xcf"), 0, NOT_READ("a GIMP document", "convert -flatten photo.xcf photo.png")},
    {SIGN("P4\n"), 0, NOT_READ("a PBM picture", "convert photo.pbm photo.png")},
    {SIGN("P5\n"), 0, NOT_READ("a PGM picture", "convert photo.pgm photo.png")},
    {SIGN("P6\n"), 0, NOT_READ("a PPM picture", "convert photo.ppm photo.png")},
    {SIGN("%PDF-"), 0, NOT_READ("a PDF document", "pdftoppm -png -r 300 scan.pdf page")},
    {SIGN("%!PS"), 0, NOT_READ("a PostScript document", "convert -density 300 scan.ps page.png")},
    {SIGN("<svg"), 0, NOT_READ("an SVG drawing", "rsvg-convert -o drawing.png drawing.svg")},
    {SIGN("IIRO"), 0, NOT_READ("a camera's raw picture", "dcraw -T photo.orf")},
    {SIGN("IIU\0"), 0, NOT_READ("a camera's raw picture", "dcraw -T photo.rw2")},
    {SIGN("FUJIFILMCCD-"), 0, NOT_READ("a camera's raw picture", "dcraw -T photo.raf")},
    {SIGN("<!DOCTYPE"), 0, "a web page; expected the picture itself"},
    {SIGN("<html"), 0, "a web page; expected the picture itself"},
};

const char *image_foreign(const uint8_t *bytes, size_t size, enum caelum_picture_format *format) {
    for (const struct sign *s = signs; s < signs + sizeof signs / sizeof *signs; s++) {
        size_t same = 0;
        while (same < s->size && same < size &&
               (s->bytes[same] == '?' || (uint8_t)s->bytes[same] == bytes[same]))
            same++;
        if (same < s->size) continue;
        *format = s->format;
        return s->sentence;
    }
    return size == 0 ? "is empty; expected a picture" : "not a PNG, JPEG, WebP or TIFF picture";
}

bool image_format_of_name(const char *name, enum caelum_picture_format *format) {
    const char *dot = strrchr(name, '.');
    for (size_t f = 0; dot && f < FORMATS; f++)
        for (size_t i = 0; i < ENDINGS && formats[f].endings[i]; i++)
            if (ascii_same(dot, formats[f].endings[i])) {
                *format = (enum caelum_picture_format)f;
                return true;
            }
    return false;
}

int caelum_picture_decode(struct caelum_picture *picture, const uint8_t *bytes, size_t size, const char *name,
                          struct caelum_error *err) {
    enum caelum_picture_format format;
    const char *foreign = image_foreign(bytes, size, &format);
    if (foreign) return caelum_fail(err, CAELUM_EFORMAT, "%s: %s", name, foreign);
    struct decoding d = {.path = name, .bytes = bytes, .size = size};
    int result = formats[format].decode(&d, err);
    if (result == 0) result = exif_turn(&d.picture, name, d.orientation, err);
    icc_close(&d.icc);
    mem_free(&d.rows);
    mem_free(&d.rgba);
    if (result == 0)
        *picture = d.picture;
    else
        caelum_picture_free(&d.picture);
    return result;
}

int caelum_picture_load(struct caelum_picture *picture, const char *path, struct caelum_error *err) {
    uint8_t *bytes = NULL;
    size_t size;
    CHECK(file_read_any(path, (size_t)1 << 30, &bytes, &size, err));
    const int result = caelum_picture_decode(picture, bytes, size, path, err);
    mem_free(&bytes);
    return result;
}

int caelum_picture_encode(const struct caelum_picture *picture, enum caelum_picture_format format,
                          uint8_t **bytes, size_t *size, struct caelum_error *err) {
    const size_t width = picture->width, height = picture->height;
    if (width < 1 || height < 1 || width > IMAGE_MOST_PIXELS / height)
        return caelum_fail(err, CAELUM_EUSAGE, "%zux%zu pixels can't be written; between 1 and %zu can",
                           width, height, IMAGE_MOST_PIXELS);
    if (!formats[format].encode)
        return caelum_fail(err, CAELUM_EUSAGE,
                           "such files are read, but not written; PNG, JPEG and WebP are");
    char *memory = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&memory, &n);
    if (!to) return caelum_fail(err, CAELUM_ERESOURCE, "out of memory for a picture's file");
    int result = formats[format].encode(picture, to, err);
    if (!mem_stream_close(to, &memory) && result != CAELUM_ERESOURCE)
        result = caelum_fail(err, CAELUM_ERESOURCE, "out of memory for a picture's file");
    if (result == 0) result = mem_alloc(bytes, n, 1, err);
    if (result == 0) memcpy(*bytes, memory, *size = n);
    free(memory);
    return result;
}

void caelum_picture_bytes_free(uint8_t **bytes) {
    mem_free(bytes);
}

int caelum_picture_save(const struct caelum_picture *picture, const char *path, struct caelum_error *err) {
    enum caelum_picture_format format = CAELUM_PNG;
    uint8_t *bytes = NULL;
    size_t size;
    if (!image_format_of_name(path, &format))
        return caelum_fail(err, CAELUM_EUSAGE, "%s: a picture's name must end in .png, .jpg, .jpeg or .webp",
                           path);
    int result = caelum_picture_encode(picture, format, &bytes, &size, err);
    if (result != 0) return caelum_fail_in(err, result, "%s", path);
    result = file_write_unsynced(path, bytes, size, err); /* a picture is soon made again */
    mem_free(&bytes);
    return result;
}

void caelum_picture_free(struct caelum_picture *picture) {
    mem_free(&picture->wide);
    mem_free(&picture->pixels);
    *picture = (struct caelum_picture){0};
}
