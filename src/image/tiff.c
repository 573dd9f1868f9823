/* tiff.c - the first page of a TIFF through libtiff. What a color profile describes at full depth goes
 * through it as it is stored; anything else - palettes, bits, planes apart, YCbCr, Lab - libtiff makes RGBA
 * of. */
#include "base/mem.h"
#include "base/number.h"
#include "image/image.h"

#include <string.h>
#include <tiffio.h>

/* A page as its tags describe it, the file that it is in, and what libtiff says of it. */
struct page {
    TIFF *tiff;
    struct decoding *d;
    uint64_t at;    /* the next byte to be read */
    char text[200]; /* libtiff's first error, which is nearest to the cause */
    uint32_t width, height;
    uint16_t bits, samples, planes, photometric, compression, orientation;
    uint16_t extras;    /* of the samples, those that are not color */
    bool alpha;         /* the first of the extras is how opaque a pixel is, */
    bool premultiplied; /* and colors are multiplied by it */
};

static tmsize_t read_bytes(thandle_t handle, void *to, tmsize_t n) {
    struct page *p = handle;
    const uint64_t left = p->at < p->d->size ? p->d->size - p->at : 0;
    const uint64_t count = (uint64_t)n < left ? (uint64_t)n : left;
    memcpy(to, p->d->bytes + p->at, count);
    p->at += count;
    return (tmsize_t)count;
}
static tmsize_t write_bytes(thandle_t handle, void *from, tmsize_t n) {
    (void)handle, (void)from, (void)n;
    return 0;
}
static toff_t seek(thandle_t handle, toff_t offset, int whence) {
    struct page *p = handle;
    p->at = offset + (whence == SEEK_CUR ? p->at : whence == SEEK_END ? p->d->size : 0);
    return p->at;
}
static int end(thandle_t handle) {
    (void)handle;
    return 0;
}
static toff_t size_of(thandle_t handle) {
    return ((const struct page *)handle)->d->size;
}
/* What is mapped libtiff reads where it is. */
static int map(thandle_t handle, void **base, toff_t *size) {
    *base = (void *)(uintptr_t)((const struct page *)handle)->d->bytes; /* opened to read */
    *size = size_of(handle);
    return 1;
}

static int on_error(TIFF *tiff, void *user, const char *module, const char *format, va_list args) {
    struct page *p = user;
    (void)tiff, (void)module;
    if (!*p->text) number_vprint(p->text, sizeof p->text, format, args);
    return 1;
}
/* What libtiff only warns of is in tags that it leaves out. */
static int on_warning(TIFF *tiff, void *user, const char *module, const char *format, va_list args) {
    (void)tiff, (void)user, (void)module, (void)format, (void)args;
    return 1;
}

static TIFF *open_tiff(struct page *page) {
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (!options) return NULL;
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, (tmsize_t)IMAGE_MOST_PIXELS * 4);
    TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, page);
    TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, page);
    TIFF *tiff = TIFFClientOpenExt("memory", "r", page, read_bytes, write_bytes, seek, end, size_of, map,
                                   NULL, options);
    TIFFOpenOptionsFree(options);
    return tiff;
}

static int damaged(const struct page *page, struct caelum_error *err) {
    return caelum_fail(err, CAELUM_EFORMAT, "%s: TIFF not read: %s", page->d->path,
                       *page->text ? page->text : "its tags are damaged");
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
}

/* Bytes that the file has at least: a byte stands for 1 byte of plain pixels, or 4 where chroma has fewer
 * pixels; PackBits' runs have 128 in 2 bytes, LZW's words are 12 bits for 4096, deflate's runs 2 bits for
 * 258. In other kinds it may stand for some rows of a fax. */
static double least_bytes(const struct page *page) {
    const double bytes = (double)page->width * page->height * page->bits * page->samples / 8;
    switch (page->compression) {
    case COMPRESSION_NONE:
        return bytes / 4;
    case COMPRESSION_PACKBITS:
        return bytes / 64;
    case COMPRESSION_LZW:
        return bytes / 4096;
    case COMPRESSION_ADOBE_DEFLATE:
    case COMPRESSION_DEFLATE:
        return bytes / 1032;
    default:
        return bytes / 65536;
    }
}

/* --- Through a profile ------------------------------------------------------------------------------ */

/* Opens the way from a page's samples, as they are stored, to sRGB, if it has a profile for them. */
static void open_samples(struct page *page) {
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
        return;
    }
    static const unsigned channels[] = {[ICC_GREY] = 1, [ICC_RGB] = 3, [ICC_CMYK] = 4};
    if ((page->bits != 8 && page->bits != 16) || (page->planes != PLANARCONFIG_CONTIG && page->samples > 1) ||
        page->extras > 1 || page->premultiplied || page->samples != channels[pixels.space] + page->extras ||
        !TIFFGetField(page->tiff, TIFFTAG_ICCPROFILE, &size, &profile))
        return;
    page->d->icc = icc_open(profile, size, pixels);
    page->d->pixels = pixels;
    page->d->opaque = !page->alpha;
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

static int read_samples(const struct page *page, struct caelum_error *err) {
    TIFF *t = page->tiff;
    const bool tiled = TIFFIsTiled(t);
    const size_t row = (size_t)page->width * page->samples * page->bits / 8;
    uint32_t most = page->height;
    TIFFGetFieldDefaulted(t, tiled ? TIFFTAG_TILELENGTH : TIFFTAG_ROWSPERSTRIP, &most);
    if (most < 1) return damaged(page, err);
    if (most > page->height) most = page->height;
    CHECK(mem_alloc(&page->d->rows, most * row + (tiled ? (size_t)TIFFTileSize(t) : 0), 1, err));
    uint8_t *band = page->d->rows, *tile = tiled ? band + most * row : NULL;
    for (uint32_t y = 0; y < page->height; y += most) {
        const size_t rows = page->height - y < most ? page->height - y : most;
        if (!read_band(page, y, rows, row, band, tile)) return damaged(page, err);
        for (size_t r = 0; r < rows; r++) image_row(page->d, y + r, band + r * row);
    }
    return CAELUM_OK;
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

static int read_rgba(const struct page *page, struct caelum_error *err) {
    struct decoding *d = page->d;
    TIFFRGBAImage image;
    char text[1024] = "";
    uint32_t size = 0;
    void *profile = NULL;
    CHECK(mem_alloc(&d->rows, (size_t)page->width * page->height, sizeof(uint32_t), err));
    uint32_t *raster = (uint32_t *)(void *)d->rows;
    if (!TIFFRGBAImageOK(page->tiff, text) || !TIFFRGBAImageBegin(&image, page->tiff, 1, text))
        return caelum_fail(err, CAELUM_EFORMAT, "%s: TIFF not read: %s", d->path, text);
    image.orientation = image.req_orientation = ORIENTATION_TOPLEFT; /* as it is stored */
    const bool read = TIFFRGBAImageGet(&image, raster, page->width, page->height);
    TIFFRGBAImageEnd(&image);
    if (!read) return damaged(page, err);
    d->pixels = (struct icc_pixels){.space = ICC_RGB};
    if (TIFFGetField(page->tiff, TIFFTAG_ICCPROFILE, &size, &profile))
        d->icc = icc_open(profile, size, d->pixels);
    for (size_t y = 0; y < page->height; y++) {
        uint8_t *rgb = d->picture.pixels + y * page->width * 3;
        finish_rgba(page, raster + y * page->width, rgb);
        image_row(d, y, rgb);
    }
    return CAELUM_OK;
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

static int decode(struct page *page, struct caelum_error *err) {
    struct decoding *d = page->d;
    if (!page->tiff) return damaged(page, err);
    if (!find_page(page->tiff))
        return caelum_fail(err, CAELUM_EFORMAT,
                           "%s: a TIFF with nothing but a thumbnail, as cameras' raw pictures are; "
                           "'dcraw -T photo.nef' makes a TIFF of one",
                           d->path);
    read_tags(page);
    CHECK(image_begin(d, page->width, page->height, least_bytes(page), err));
    d->picture.dpi_x = resolution(page->tiff, TIFFTAG_XRESOLUTION);
    d->picture.dpi_y = resolution(page->tiff, TIFFTAG_YRESOLUTION);
    d->orientation = page->orientation;
    open_samples(page);
    return d->icc ? read_samples(page, err) : read_rgba(page, err);
}

int tiff_decode(struct decoding *d, struct caelum_error *err) {
    struct page page = {.d = d};
    page.tiff = open_tiff(&page);
    const int result = decode(&page, err);
    if (page.tiff) TIFFClose(page.tiff);
    return result;
}
