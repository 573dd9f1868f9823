/* tiff.c - the first page of a TIFF through libtiff. What a color profile describes at full depth goes
 * through it as it is stored; anything else - palettes, bits, planes apart, YCbCr, Lab - libtiff makes RGBA
 * of. */
#include "base/mem.h"
#include "base/number.h"
#include "image/image.h"

#include <string.h>
#include <tiffio.h>

/* What libtiff reads from, and what it says. */
struct source {
    const uint8_t *bytes;
    uint64_t size, at;
    char text[200]; /* its first error, which is nearest to the cause */
};

static tmsize_t read_bytes(thandle_t handle, void *to, tmsize_t n) {
    struct source *s = handle;
    const uint64_t left = s->at < s->size ? s->size - s->at : 0,
                   count = (uint64_t)n < left ? (uint64_t)n : left;
    memcpy(to, s->bytes + s->at, count);
    s->at += count;
    return (tmsize_t)count;
}
static tmsize_t write_bytes(thandle_t handle, void *from, tmsize_t n) {
    (void)handle, (void)from, (void)n;
    return 0;
}
static toff_t seek(thandle_t handle, toff_t offset, int whence) {
    struct source *s = handle;
    s->at = offset + (whence == SEEK_CUR ? s->at : whence == SEEK_END ? s->size : 0);
    return s->at;
}
static int end(thandle_t handle) {
    (void)handle;
    return 0;
}
static toff_t size_of(thandle_t handle) {
    return ((const struct source *)handle)->size;
}
static int map(thandle_t handle, void **base, toff_t *size) {
    struct source *s = handle;
    *base = (void *)(uintptr_t)s->bytes; /* opened to read */
    *size = s->size;
    return 1;
}
static void unmap(thandle_t handle, void *base, toff_t size) {
    (void)handle, (void)base, (void)size;
}

static int on_error(TIFF *tiff, void *user, const char *module, const char *format, va_list args) {
    struct source *s = user;
    (void)tiff, (void)module;
    if (!*s->text) number_vprint(s->text, sizeof s->text, format, args);
    return 1;
}
/* What libtiff only warns of is in tags that it leaves out. */
static int on_warning(TIFF *tiff, void *user, const char *module, const char *format, va_list args) {
    (void)tiff, (void)user, (void)module, (void)format, (void)args;
    return 1;
}

static TIFF *open_tiff(struct source *source) {
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (!options) return NULL;
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, (tmsize_t)IMAGE_MOST_PIXELS * 4);
    TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, source);
    TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, source);
    TIFF *tiff = TIFFClientOpenExt("memory", "r", source, read_bytes, write_bytes, seek, end, size_of, map,
                                   unmap, options);
    TIFFOpenOptionsFree(options);
    return tiff;
}

/* A page as its tags describe it. */
struct page {
    TIFF *tiff;
    struct source *source;
    const char *path;
    uint32_t width, height;
    uint16_t bits, samples, planes, photometric, compression, orientation;
    uint16_t extras;    /* of the samples, those that are not color */
    bool alpha;         /* the first of the extras is how opaque a pixel is, */
    bool premultiplied; /* and colors are multiplied by it */
    double dpi_x, dpi_y;
};

static int damaged(const struct page *page, struct caelum_error *err) {
    return caelum_fail(err, CAELUM_EFORMAT, "%s: TIFF not read: %s", page->path,
                       *page->source->text ? page->source->text : "its tags are damaged");
}

/* Dots an inch, or 0 where the tags don't say. */
static double resolution(TIFF *tiff, uint32_t tag) {
    uint16_t unit = RESUNIT_NONE;
    float value = 0;
    if (!TIFFGetField(tiff, tag, &value) || !TIFFGetFieldDefaulted(tiff, TIFFTAG_RESOLUTIONUNIT, &unit))
        return 0;
    return unit == RESUNIT_INCH ? (double)value : unit == RESUNIT_CENTIMETER ? (double)value * 2.54 : 0;
}

static void read_tags(struct page *page) {
    TIFF *t = page->tiff;
    uint16_t *kinds = NULL;
    TIFFGetField(t, TIFFTAG_IMAGEWIDTH, &page->width);
    TIFFGetField(t, TIFFTAG_IMAGELENGTH, &page->height);
    TIFFGetFieldDefaulted(t, TIFFTAG_BITSPERSAMPLE, &page->bits);
    TIFFGetFieldDefaulted(t, TIFFTAG_SAMPLESPERPIXEL, &page->samples);
    TIFFGetFieldDefaulted(t, TIFFTAG_PLANARCONFIG, &page->planes);
    TIFFGetFieldDefaulted(t, TIFFTAG_COMPRESSION, &page->compression);
    TIFFGetFieldDefaulted(t, TIFFTAG_ORIENTATION, &page->orientation);
    page->photometric = UINT16_MAX;
    TIFFGetField(t, TIFFTAG_PHOTOMETRIC, &page->photometric);
    if (TIFFGetFieldDefaulted(t, TIFFTAG_EXTRASAMPLES, &page->extras, &kinds) && page->extras > 0) {
        page->premultiplied = kinds[0] == EXTRASAMPLE_ASSOCALPHA;
        page->alpha = page->premultiplied || kinds[0] == EXTRASAMPLE_UNASSALPHA;
    }
    page->dpi_x = resolution(t, TIFFTAG_XRESOLUTION);
    page->dpi_y = resolution(t, TIFFTAG_YRESOLUTION);
}

/* Bytes of pixels that a byte of the file can stand for: of plain ones 1, or 4 where chroma has fewer pixels;
 * PackBits' runs have 128 in 2 bytes, LZW's words are 12 bits for 4096, deflate's runs 2 bits for 258. 0:
 * there is no such bound; a bit may stand for a row of a fax. */
static double most_of_a_byte(uint16_t compression) {
    switch (compression) {
    case COMPRESSION_NONE:
        return 4;
    case COMPRESSION_PACKBITS:
        return 64;
    case COMPRESSION_LZW:
        return 4096;
    case COMPRESSION_ADOBE_DEFLATE:
    case COMPRESSION_DEFLATE:
        return 1032;
    default:
        return 65536;
    }
}

static int check_size(const struct page *page, struct caelum_error *err) {
    CHECK(image_check_size(page->path, page->width, page->height, err));
    const double bits = (double)page->width * page->height * page->bits * page->samples;
    const double most = most_of_a_byte(page->compression);
    if (most > 0 ? bits / 8 > most * (double)page->source->size
                 : !image_believable(page->width, page->height, page->source->size))
        return image_too_short(page->path, page->width, page->height, page->source->size, err);
    return CAELUM_OK;
}

/* --- Through a profile ------------------------------------------------------------------------------ */

/* The way from a page's samples, as they are stored, to sRGB; NULL if it has no profile for them. */
static struct icc *open_samples(struct page *page) {
    struct icc_pixels pixels = {.alpha = page->extras == 1, .wide = page->bits == 16};
    uint32_t size = 0;
    void *profile = NULL;
    if (page->compression == COMPRESSION_JPEG && page->photometric == PHOTOMETRIC_YCBCR &&
        TIFFSetField(page->tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB))
        page->photometric = PHOTOMETRIC_RGB;
    switch (page->photometric) {
    case PHOTOMETRIC_MINISWHITE:
        pixels.inverted = true; /* fall through */
    case PHOTOMETRIC_MINISBLACK:
        pixels.space = ICC_GREY;
        break;
    case PHOTOMETRIC_RGB:
        pixels.space = ICC_RGB;
        break;
    case PHOTOMETRIC_SEPARATED:
        pixels.space = ICC_CMYK;
        break;
    default:
        return NULL;
    }
    static const unsigned channels[] = {[ICC_GREY] = 1, [ICC_RGB] = 3, [ICC_CMYK] = 4};
    if ((page->bits != 8 && page->bits != 16) || (page->planes != PLANARCONFIG_CONTIG && page->samples > 1) ||
        page->extras > 1 || page->premultiplied || page->samples != channels[pixels.space] + page->extras ||
        !TIFFGetField(page->tiff, TIFFTAG_ICCPROFILE, &size, &profile))
        return NULL;
    return icc_open(profile, size, pixels);
}

/* Rows y to y + rows of the samples, as many as a strip or a tile has. */
static bool read_band(const struct page *page, uint32_t y, size_t rows, size_t row, uint8_t *band,
                      uint8_t *tile) {
    TIFF *t = page->tiff;
    if (!tile)
        return TIFFReadEncodedStrip(t, TIFFComputeStrip(t, y, 0), band, (tmsize_t)(rows * row)) ==
               (tmsize_t)(rows * row);
    const size_t pixel = row / page->width, across = (size_t)TIFFTileRowSize(t) / pixel;
    for (size_t x = 0; x < page->width; x += across) {
        const size_t columns = page->width - x < across ? page->width - x : across;
        if (TIFFReadEncodedTile(t, TIFFComputeTile(t, (uint32_t)x, y, 0, 0), tile, TIFFTileSize(t)) !=
            TIFFTileSize(t))
            return false;
        for (size_t r = 0; r < rows; r++)
            memcpy(band + r * row + x * pixel, tile + r * across * pixel, columns * pixel);
    }
    return true;
}

static void finish_samples(const struct page *page, const struct icc *icc, const uint8_t *samples,
                           uint8_t *rgba, uint8_t *rgb) {
    if (page->extras == 0) {
        icc_row(icc, samples, rgb, page->width);
        return;
    }
    icc_row(icc, samples, rgba, page->width);
    for (size_t x = 0; x < page->width && !page->alpha; x++) rgba[4 * x + 3] = 255;
    image_over_white(rgba, rgb, page->width);
}

static int read_samples(const struct page *page, const struct icc *icc, uint8_t *pixels,
                        struct caelum_error *err) {
    TIFF *t = page->tiff;
    const bool tiled = TIFFIsTiled(t);
    uint32_t most = page->height;
    uint8_t *band = NULL, *tile = NULL, *rgba = NULL;
    TIFFGetFieldDefaulted(t, tiled ? TIFFTAG_TILELENGTH : TIFFTAG_ROWSPERSTRIP, &most);
    if (most < 1) return damaged(page, err);
    if (most > page->height) most = page->height;
    const size_t row = (size_t)page->width * page->samples * page->bits / 8;
    int result = mem_alloc(&band, most, row, err);
    if (result == 0 && tiled) result = mem_alloc(&tile, (size_t)TIFFTileSize(t), 1, err);
    if (result == 0) result = mem_alloc(&rgba, page->width, 4, err);
    for (uint32_t y = 0; result == 0 && y < page->height; y += most) {
        const size_t rows = page->height - y < most ? page->height - y : most;
        if (!read_band(page, y, rows, row, band, tile)) result = damaged(page, err);
        for (size_t r = 0; result == 0 && r < rows; r++)
            finish_samples(page, icc, band + r * row, rgba, pixels + (y + r) * page->width * 3);
    }
    mem_free(&band);
    mem_free(&tile);
    mem_free(&rgba);
    return result;
}

/* --- Through libtiff's own conversion --------------------------------------------------------------- */

/* A row of libtiff's pixels, whose colors are multiplied by alpha, over white. */
static void finish_rgba(const struct page *page, const uint32_t *from, uint8_t *rgb) {
    for (size_t x = 0; x < page->width; x++) {
        const unsigned white = page->alpha ? 255 - TIFFGetA(from[x]) : 0;
        const unsigned color[3] = {TIFFGetR(from[x]), TIFFGetG(from[x]), TIFFGetB(from[x])};
        for (size_t c = 0; c < 3; c++)
            rgb[3 * x + c] = (uint8_t)(color[c] + white < 255 ? color[c] + white : 255);
    }
}

static int read_rgba(const struct page *page, uint8_t *pixels, struct caelum_error *err) {
    TIFFRGBAImage image;
    char text[1024] = "";
    uint32_t size = 0, *raster = NULL;
    void *profile = NULL;
    struct icc *icc = NULL;
    if (!TIFFRGBAImageOK(page->tiff, text) || !TIFFRGBAImageBegin(&image, page->tiff, 1, text))
        return caelum_fail(err, CAELUM_EFORMAT, "%s: TIFF not read: %s", page->path, text);
    image.orientation = image.req_orientation = ORIENTATION_TOPLEFT; /* as it is stored */
    int result = mem_alloc(&raster, (size_t)page->width * page->height, sizeof *raster, err);
    if (result == 0 && !TIFFRGBAImageGet(&image, raster, page->width, page->height))
        result = damaged(page, err);
    TIFFRGBAImageEnd(&image);
    if (result == 0 && TIFFGetField(page->tiff, TIFFTAG_ICCPROFILE, &size, &profile))
        icc = icc_open(profile, size, (struct icc_pixels){.space = ICC_RGB});
    for (size_t y = 0; result == 0 && y < page->height; y++) {
        uint8_t *rgb = pixels + y * page->width * 3;
        finish_rgba(page, raster + y * page->width, rgb);
        if (icc) icc_row(icc, rgb, rgb, page->width);
    }
    icc_close(&icc);
    mem_free(&raster);
    return result;
}

/* --- Whole ------------------------------------------------------------------------------------------ */

/* Goes to the first page that is no small copy of another; false: there is none. */
static bool find_page(TIFF *tiff) {
    uint32_t kind;
    do {
        kind = 0;
        if (!TIFFGetField(tiff, TIFFTAG_SUBFILETYPE, &kind) || !(kind & FILETYPE_REDUCEDIMAGE)) return true;
    } while (TIFFReadDirectory(tiff));
    return false;
}

static int decode(struct caelum_picture *picture, struct page *page, struct caelum_error *err) {
    if (!page->tiff) return damaged(page, err);
    if (!find_page(page->tiff))
        return caelum_fail(err, CAELUM_EFORMAT,
                           "%s: a TIFF with nothing but a thumbnail, as cameras' raw pictures are; "
                           "'dcraw -T photo.nef' makes a TIFF of one",
                           page->path);
    read_tags(page);
    CHECK(check_size(page, err));
    CHECK(image_allocate(picture, page->path, page->width, page->height, err));
    picture->dpi_x = page->dpi_x, picture->dpi_y = page->dpi_y;
    struct icc *icc = open_samples(page);
    const int result =
        icc ? read_samples(page, icc, picture->pixels, err) : read_rgba(page, picture->pixels, err);
    icc_close(&icc);
    CHECK(result);
    return exif_turn(picture, page->path, page->orientation, err);
}

int tiff_decode(struct caelum_picture *picture, const char *path, const uint8_t *bytes, size_t size,
                struct caelum_error *err) {
    struct source source = {.bytes = bytes, .size = size};
    struct caelum_picture p = {0};
    struct page page = {.tiff = open_tiff(&source), .source = &source, .path = path};
    const int result = decode(&p, &page, err);
    if (page.tiff) TIFFClose(page.tiff);
    if (result == 0)
        *picture = p;
    else
        caelum_picture_free(&p);
    return result;
}
