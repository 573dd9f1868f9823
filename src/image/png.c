/* png.c - PNG through libpng: any depth, palette, grey or alpha becomes 8-bit sRGB. Of the chunks on color
 * the first of these counts: cICP, iCCP, sRGB, gAMA and cHRM (PNG 3, section 4.3); pixels with none are taken
 * as sRGB, 16-bit ones too. */
#include "base/mem.h"
#include "image/image.h"

#include <png.h>
#include <setjmp.h>
#include <string.h>
#include <zlib.h>

struct handler {
    jmp_buf back;
    char text[200];
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

struct source {
    const uint8_t *bytes;
    size_t size, left;
    bool ended; /* more was requested than there is */
};

static void read_bytes(png_structp png, png_bytep to, size_t n) {
    struct source *s = png_get_io_ptr(png);
    if (n > s->left) {
        s->ended = true;
        png_error(png, "the file ends early");
    }
    memcpy(to, s->bytes, n);
    s->bytes += n, s->left -= n;
}

/* What outlives a longjmp: it belongs to the caller. */
struct work {
    struct caelum_picture picture;
    struct icc *icc;
    struct primaries *primaries;
    struct icc_pixels pixels;
    uint8_t *raw;    /* the file's pixels: a row, or all rows of an interlaced file */
    uint8_t *rgba;   /* a row */
    size_t finished; /* rows that are in the picture */
    size_t row;      /* bytes of a row of raw */
    bool interlaced, complete;
};

/* The four numbers of a cICP chunk, which libpng 1.6.44 and older don't know. */
static const uint8_t *find_cicp(png_structp png, png_infop info) {
    png_unknown_chunkp chunks = NULL;
    const int n = png_get_unknown_chunks(png, info, &chunks);
    for (int i = 0; i < n; i++)
        if (memcmp(chunks[i].name, "cICP", 4) == 0 && chunks[i].size == 4) return chunks[i].data;
    return NULL;
}

/* What gAMA and cHRM say; false if there is neither. */
static bool find_light(png_structp png, png_infop info, bool grey, struct light *light) {
    double gamma, x[4], y[4];
    primaries_usual(light);
    const bool curve = png_get_gAMA(png, info, &gamma) && gamma > 0;
    const bool colors =
        !grey && png_get_cHRM(png, info, &x[0], &y[0], &x[1], &y[1], &x[2], &y[2], &x[3], &y[3]);
    if (curve) light->transfer = (struct transfer){.power = 1 / gamma};
    for (size_t i = 0; colors && i < 4; i++) light->colors.x[i] = x[i], light->colors.y[i] = y[i];
    return curve || colors;
}

static int find_colors(png_structp png, png_infop info, struct work *work, const char *path,
                       struct caelum_error *err) {
    const uint8_t *code = find_cicp(png, info);
    const bool grey = work->pixels.space == ICC_GREY;
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
            path, code[1] == 16 ? "PQ" : "HLG");
    if (code && primaries_by_code(code, &light)) {
        if (grey)
            light.colors = (struct chromaticities){{0.3127, 0.64, 0.30, 0.15}, {0.3290, 0.33, 0.60, 0.06}};
        return primaries_open(&work->primaries, &light, work->pixels, err);
    }
    if (png_get_iCCP(png, info, &name, &method, &profile, &size)) {
        work->icc = icc_open(profile, size, work->pixels);
        return CAELUM_OK;
    }
    if (png_get_sRGB(png, info, &intent) || !find_light(png, info, grey, &light)) return CAELUM_OK;
    return primaries_open(&work->primaries, &light, work->pixels, err);
}

/* How libpng is to hand over the pixels: where colors are to be converted as they are, whole bytes and no
 * palette apart; otherwise RGB or RGBA in 8 bits. */
static int choose_pixels(png_structp png, png_infop info, struct work *work, const char *path,
                         struct caelum_error *err) {
    const int type = png_get_color_type(png, info);
    work->pixels =
        (struct icc_pixels){.space = type & PNG_COLOR_MASK_COLOR ? ICC_RGB : ICC_GREY,
                            .alpha = (type & PNG_COLOR_MASK_ALPHA) || png_get_valid(png, info, PNG_INFO_tRNS),
                            .wide = png_get_bit_depth(png, info) == 16};
    CHECK(find_colors(png, info, work, path, err));
    png_set_expand(png);
    if (work->icc || work->primaries) {
        if (*(const uint8_t *)&(const uint16_t){1}) png_set_swap(png); /* a little-endian machine */
    } else {
        png_set_scale_16(png);
        png_set_gray_to_rgb(png);
    }
    return CAELUM_OK;
}

static void finish_row(struct work *work) {
    const size_t width = work->picture.width;
    const bool alpha = work->pixels.alpha, convert = work->icc || work->primaries;
    const uint8_t *raw = work->raw + (work->interlaced ? work->finished * work->row : 0);
    uint8_t *rgb = work->picture.pixels + work->finished++ * width * 3, *to = alpha ? work->rgba : rgb;
    if (work->icc) icc_row(work->icc, raw, to, width);
    if (work->primaries) primaries_row(work->primaries, raw, to, width);
    if (alpha)
        image_over_white(convert ? work->rgba : raw, rgb, width);
    else if (!convert)
        memcpy(rgb, raw, width * 3);
}

/* Deflate makes at most 1032 bytes of one, and each row has one more for its filter. */
static int check_size(png_structp png, png_infop info, const struct source *source, const char *path,
                      struct caelum_error *err) {
    const size_t width = png_get_image_width(png, info), height = png_get_image_height(png, info);
    CHECK(image_check_size(path, width, height, err));
    if ((png_get_rowbytes(png, info) + 1) * height / 1032 > source->size)
        return image_too_short(path, width, height, source->size, err);
    return CAELUM_OK;
}

static void find_resolution(png_structp png, png_infop info, struct caelum_picture *p) {
    png_uint_32 x = 0, y = 0;
    int unit = PNG_RESOLUTION_UNKNOWN;
    if (!png_get_pHYs(png, info, &x, &y, &unit) || unit != PNG_RESOLUTION_METER) return;
    p->dpi_x = x * 0.0254, p->dpi_y = y * 0.0254;
}

/* Everything that may longjmp. */
static int decode(png_structp png, png_infop info, struct work *work, const char *path,
                  struct caelum_error *err) {
    struct caelum_picture *p = &work->picture;
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_ALWAYS, (png_const_bytep) "cICP", 1);
    png_read_info(png, info);
    CHECK(check_size(png, info, png_get_io_ptr(png), path, err));
    CHECK(choose_pixels(png, info, work, path, err));
    const int passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    work->row = png_get_rowbytes(png, info);
    work->interlaced = passes > 1;
    CHECK(image_allocate(p, path, png_get_image_width(png, info), png_get_image_height(png, info), err));
    CHECK(mem_alloc(&work->raw, passes > 1 ? p->height : 1, work->row, err));
    CHECK(mem_alloc(&work->rgba, p->width, 4, err));
    find_resolution(png, info, p);
    for (int pass = 1; pass <= passes; pass++)
        for (size_t y = 0; y < p->height; y++) {
            png_read_row(png, work->raw + (passes > 1 ? y * work->row : 0), NULL);
            if (pass == passes) finish_row(work);
        }
    work->complete = true;
    png_read_end(png, info);
    return CAELUM_OK;
}

/* Whether all pixels are there although libpng has given up: behind the last row, which it gives before it
 * looks for the end of what it was packed in. */
static bool is_complete(png_structp png, const struct work *work, const struct source *source) {
    if (work->complete || !source->ended || !work->raw) return work->complete;
    return work->interlaced ? png_get_current_pass_number(png) >= 7
                            : png_get_current_row_number(png) >= work->picture.height;
}

/* The rows that libpng gave before it gave up, and the picture upright. */
static int finish(png_structp png, png_infop info, struct work *work, const char *path,
                  struct caelum_error *err) {
    png_uint_32 size = 0;
    png_bytep exif = NULL;
    while (work->finished < work->picture.height) finish_row(work);
    mem_free(&work->raw);
    const unsigned o = png_get_eXIf_1(png, info, &size, &exif) ? exif_orientation(exif, size) : 1;
    return exif_turn(&work->picture, path, o, err);
}

int png_decode(struct caelum_picture *picture, const char *path, const uint8_t *bytes, size_t size,
               struct caelum_error *err) {
    struct handler handler;
    struct source source = {.bytes = bytes, .size = size, .left = size};
    struct work work = {0};
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &handler, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    int result;
    if (!info) {
        result = caelum_fail(err, CAELUM_ERESOURCE, "%s: out of memory", path);
    } else if (setjmp(handler.back) != 0) {
        result = is_complete(png, &work, &source)
                     ? CAELUM_OK
                     : caelum_fail(err, CAELUM_EFORMAT, "%s: damaged PNG: %s", path, handler.text);
    } else {
        png_set_read_fn(png, &source, read_bytes);
        result = decode(png, info, &work, path, err);
    }
    if (result == 0) result = finish(png, info, &work, path, err);
    png_destroy_read_struct(&png, &info, NULL);
    icc_close(&work.icc);
    primaries_close(&work.primaries);
    mem_free(&work.raw);
    mem_free(&work.rgba);
    if (result == 0)
        *picture = work.picture;
    else
        caelum_picture_free(&work.picture);
    return result;
}

struct target {
    struct image_sink *sink;
    struct caelum_error *err;
    int result; /* the sink's */
};

static void write_bytes(png_structp png, png_bytep bytes, size_t n) {
    struct target *t = png_get_io_ptr(png);
    t->result = image_sink_add(t->sink, bytes, n, t->err);
    if (t->result != 0) png_error(png, "out of memory");
}
static void flush_bytes(png_structp png) {
    (void)png;
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
    png_set_IHDR(png, info, (png_uint_32)p->width, (png_uint_32)p->height, 8, PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_BASE, PNG_FILTER_TYPE_BASE);
    png_set_sRGB(png, info, PNG_sRGB_INTENT_PERCEPTUAL);
    if (p->dpi_x > 0 && p->dpi_y > 0)
        png_set_pHYs(png, info, per_meter(p->dpi_x), per_meter(p->dpi_y), PNG_RESOLUTION_METER);
    png_set_compression_level(png, 1);
    png_set_compression_strategy(png, Z_RLE);
    png_set_compression_buffer_size(png, 1 << 17);
    png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_UP);
    png_write_info(png, info);
    for (size_t y = 0; y < p->height; y++) png_write_row(png, p->pixels + y * p->width * 3);
    png_write_end(png, NULL);
}

int png_encode(const struct caelum_picture *picture, struct image_sink *sink, struct caelum_error *err) {
    struct handler handler;
    struct target target = {sink, err, CAELUM_OK};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &handler, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    int result;
    if (!info) {
        result = caelum_fail(err, CAELUM_ERESOURCE, "out of memory for a PNG");
    } else if (setjmp(handler.back) != 0) {
        result = target.result;
        if (result == 0)
            result = caelum_fail(err, CAELUM_EUSAGE, "%zux%zu pixels can't be written as PNG: %s",
                                 picture->width, picture->height, handler.text);
    } else {
        png_set_write_fn(png, &target, write_bytes, flush_bytes);
        encode(png, info, picture);
        result = CAELUM_OK;
    }
    png_destroy_write_struct(&png, &info);
    return result;
}
