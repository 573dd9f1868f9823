/* png.c - PNG through libpng: any depth, palette, grey or alpha becomes sRGB in 8 bits, or 16. Of the chunks
 * on color the first of these counts: cICP, iCCP, sRGB, gAMA and cHRM (PNG 3, section 4.3); pixels with none
 * are taken as sRGB, 16-bit ones too. */
#include "base/little.h"
#include "base/mem.h"
#include "image/image.h"

#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

struct handler {
    jmp_buf back;
    char text[200];
    bool lacks_memory; /* libpng leaves out chunks without it, and has several words for it */
};

static void on_error(png_structp png, const char *text) {
    struct handler *h = png_get_error_ptr(png);
    snprintf(h->text, sizeof h->text, "%s", text);
    longjmp(h->back, 1);
}

/* What libpng only warns of is in chunks that it leaves out. */
static void on_warning(png_structp png, const char *text) {
    (void)png, (void)text;
}

static png_voidp allocate(png_structp png, png_alloc_size_t size) {
    struct handler *h = png_get_mem_ptr(png);
    void *block = malloc(size);
    if (!block) h->lacks_memory = true;
    return block;
}

static void release(png_structp png, png_voidp block) {
    (void)png;
    free(block);
}

/* A file being read. What is not in `d` are only numbers, which outlive a longjmp as its caller's do. */
struct reading {
    struct decoding *d;
    size_t at;       /* bytes of the file that libpng has */
    size_t row;      /* bytes of a row of d->rows, which is one row, or all of an interlaced file */
    size_t finished; /* rows that are in the picture */
    bool ended;      /* more was requested than there is */
    bool interlaced, complete;
};

static void read_bytes(png_structp png, png_bytep to, size_t n) {
    struct reading *r = png_get_io_ptr(png);
    if (n > r->d->size - r->at) {
        r->ended = true;
        png_error(png, "the file ends early");
    }
    memcpy(to, r->d->bytes + r->at, n);
    r->at += n;
}

/* The four numbers of a cICP chunk, which libpng 1.6.44 and older don't know. */
static const uint8_t *find_cicp(png_structp png, png_infop info) {
    png_unknown_chunkp chunks = NULL;
    const int n = png_get_unknown_chunks(png, info, &chunks);
    for (int i = 0; i < n; i++)
        if (memcmp(chunks[i].name, "cICP", 4) == 0 && chunks[i].size == 4) return chunks[i].data;
    return NULL;
}

/* What gAMA and cHRM say; false if there is neither. */
static bool find_light(png_structp png, png_infop info, struct light *light) {
    double gamma, *x = light->x, *y = light->y;
    *light = light_srgb;
    const bool curve = png_get_gAMA(png, info, &gamma) && gamma > 0;
    if (curve) light->transfer = (struct transfer){.power = 1 / gamma};
    return png_get_cHRM(png, info, &x[0], &y[0], &x[1], &y[1], &x[2], &y[2], &x[3], &y[3]) || curve;
}

static int find_colors(png_structp png, png_infop info, struct decoding *d, struct caelum_error *err) {
    const uint8_t *code = find_cicp(png, info);
    struct light light = {0};
    png_charp name;
    int method, intent;
    png_bytep profile = NULL;
    png_uint_32 size;
    if (code && (code[1] == 16 || code[1] == 18))
        return caelum_fail(
            err, CAELUM_EFORMAT,
            "%s: a picture of high dynamic range (%s); expected one whose lights have been mapped "
            "to a display's",
            d->path, code[1] == 16 ? "PQ" : "HLG");
    if (code && light_by_code(code, &light))
        d->icc = icc_of_light(&light, d->pixels);
    else if (png_get_iCCP(png, info, &name, &method, &profile, &size))
        d->icc = icc_open(profile, size, d->pixels);
    else if (!png_get_sRGB(png, info, &intent) && find_light(png, info, &light))
        d->icc = icc_of_light(&light, d->pixels);
    return CAELUM_OK;
}

/* 16 bits in memory in the machine's order of bytes. */
static void set_order(png_structp png) {
    if (little_machine()) png_set_swap(png);
}

/* How libpng is to hand over the pixels: where colors are to be converted as they are, whole bytes and no
 * palette apart; otherwise RGB, in 16 bits where the file has them, or RGBA in 8 bits. */
static int choose_pixels(png_structp png, png_infop info, struct decoding *d, struct caelum_error *err) {
    const int type = png_get_color_type(png, info);
    d->pixels =
        (struct icc_pixels){.space = type & PNG_COLOR_MASK_COLOR ? ICC_RGB : ICC_GREY,
                            .alpha = (type & PNG_COLOR_MASK_ALPHA) || png_get_valid(png, info, PNG_INFO_tRNS),
                            .wide = png_get_bit_depth(png, info) == 16};
    CHECK(find_colors(png, info, d, err));
    png_set_expand(png);
    if (d->icc) {
        set_order(png);
        return CAELUM_OK;
    }
    png_set_gray_to_rgb(png);
    if (!d->pixels.wide || d->pixels.alpha) {
        png_set_scale_16(png);
        return CAELUM_OK;
    }
    set_order(png);
    return mem_alloc(&d->picture.wide, d->picture.width * d->picture.height, 3 * sizeof *d->picture.wide,
                     err);
}

static void finish_row(struct reading *r) {
    image_row(r->d, r->finished, r->d->rows + (r->interlaced ? r->finished * r->row : 0));
    r->finished++;
}

static void find_resolution(png_structp png, png_infop info, struct caelum_picture *p) {
    png_uint_32 x = 0, y = 0;
    int unit = PNG_RESOLUTION_UNKNOWN;
    if (!png_get_pHYs(png, info, &x, &y, &unit) || unit != PNG_RESOLUTION_METER) return;
    p->dpi_x = x * 0.0254, p->dpi_y = y * 0.0254;
}

/* Everything that may longjmp. Deflate makes at most 1032 bytes of one, and each row has one more for its
 * filter. */
static int decode(png_structp png, png_infop info, struct reading *r, struct caelum_error *err) {
    struct decoding *d = r->d;
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_ALWAYS, (png_const_bytep) "cICP", 1);
    png_read_info(png, info);
    const size_t width = png_get_image_width(png, info), height = png_get_image_height(png, info);
    CHECK(image_begin(d, width, height, ((double)png_get_rowbytes(png, info) + 1) * (double)height / 1032,
                      err));
    CHECK(choose_pixels(png, info, d, err));
    find_resolution(png, info, &d->picture);
    const int passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    r->row = png_get_rowbytes(png, info);
    r->interlaced = passes > 1;
    CHECK(mem_alloc(&d->rows, r->interlaced ? height : 1, r->row, err));
    for (int pass = 1; pass <= passes; pass++)
        for (size_t y = 0; y < height; y++) {
            png_read_row(png, d->rows + (r->interlaced ? y * r->row : 0), NULL);
            if (pass == passes) finish_row(r);
        }
    r->complete = true;
    png_read_end(png, info);
    return CAELUM_OK;
}

/* Whether all pixels are there although libpng has given up: behind the last row, which it gives before it
 * looks for the end of what it was packed in. */
static bool is_complete(png_structp png, const struct reading *r) {
    if (r->complete || !r->ended || !r->d->rows) return r->complete;
    return r->interlaced ? png_get_current_pass_number(png) >= 7
                         : png_get_current_row_number(png) >= r->d->picture.height;
}

int png_decode(struct decoding *d, struct caelum_error *err) {
    struct handler handler = {.lacks_memory = false};
    struct reading r = {.d = d};
    png_uint_32 size = 0;
    png_bytep exif = NULL;
    png_structp png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &handler, on_error, on_warning,
                                               &handler, allocate, release);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    int result = CAELUM_OK;
    if (!info) {
        result = caelum_fail(err, CAELUM_ERESOURCE, "%s: out of memory", d->path);
    } else if (setjmp(handler.back) == 0) {
        png_set_read_fn(png, &r, read_bytes);
        result = decode(png, info, &r, err);
    } else if (!is_complete(png, &r)) {
        result = caelum_fail(err, CAELUM_EFORMAT, "%s: damaged PNG: %s", d->path, handler.text);
    }
    if (handler.lacks_memory) result = caelum_fail(err, CAELUM_ERESOURCE, "%s: out of memory", d->path);
    while (result == 0 && r.finished < d->picture.height)
        finish_row(&r); /* that libpng gave before it gave up */
    if (result == 0 && png_get_eXIf_1(png, info, &size, &exif)) d->orientation = exif_orientation(exif, size);
    png_destroy_read_struct(&png, &info, NULL);
    return result;
}

static png_uint_32 per_meter(double dpi) {
    return dpi < 1e6 ? (png_uint_32)(dpi / 0.0254 + 0.5) : PNG_UINT_31_MAX;
}

/* Everything that may longjmp. The settings are for speed: in a photograph it is the filter that saves
 * bytes, repetitions are rare, so only runs are looked for. A picture of 6000 x 4000 with noise, 72 MB of
 * pixels, on one core of an EPYC (Zen 3), filter up: 27.9 MB in 0.93 s; sub 28.5 MB in 0.96 s, average
 * 25.3 MB in 1.09 s, Paeth 25.0 MB in 1.55 s. Looking for repetitions at level 1: 32.8 MB in 1.48 s; the
 * library's choice of filters with it: 31.4 MB in 1.81 s, at level 3 30.0 MB in 3.57 s. */
static void encode(png_structp png, png_infop info, const struct caelum_picture *p) {
    png_set_IHDR(png, info, (png_uint_32)p->width, (png_uint_32)p->height, p->wide ? 16 : 8,
                 PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_BASE, PNG_FILTER_TYPE_BASE);
    png_set_sRGB(png, info, PNG_sRGB_INTENT_PERCEPTUAL);
    if (p->dpi_x > 0 && p->dpi_y > 0)
        png_set_pHYs(png, info, per_meter(p->dpi_x), per_meter(p->dpi_y), PNG_RESOLUTION_METER);
    png_set_compression_level(png, 1);
    png_set_compression_strategy(png, Z_RLE);
    png_set_compression_buffer_size(png, 1 << 17);
    png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_UP);
    png_write_info(png, info);
    if (p->wide) set_order(png);
    for (size_t y = 0, at = 0; y < p->height; y++, at += p->width * 3)
        png_write_row(png, p->wide ? (png_const_bytep)(p->wide + at) : p->pixels + at);
    png_write_end(png, NULL);
}

int png_encode(const struct caelum_picture *picture, FILE *to, struct caelum_error *err) {
    struct handler handler = {.lacks_memory = false};
    png_structp png = png_create_write_struct_2(PNG_LIBPNG_VER_STRING, &handler, on_error, on_warning,
                                                &handler, allocate, release);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    int result = CAELUM_OK;
    if (!info) {
        result = caelum_fail(err, CAELUM_ERESOURCE, "out of memory for a PNG");
    } else if (setjmp(handler.back) != 0) {
        result = handler.lacks_memory
                     ? caelum_fail(err, CAELUM_ERESOURCE, "out of memory for a PNG")
                     : caelum_fail(err, CAELUM_EUSAGE, "%zux%zu pixels can't be written as PNG: %s",
                                   picture->width, picture->height, handler.text);
    } else {
        png_init_io(png, to);
        encode(png, info, picture);
    }
    png_destroy_write_struct(&png, &info);
    return result;
}
