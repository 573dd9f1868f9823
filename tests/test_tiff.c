/* test_tiff.c - TIFF as libtiff writes it: every kind of pixels in strips and tiles, orientations,
 * resolutions, profiles, pages; damage. */
#include "picture_files.h"

#include <math.h>

#if CAELUM_WITH_TIFF
#include <tiffio.h>

/* What a file says apart from its pixels; zeros are usual. */
struct tags {
    uint16_t photometric, bits, samples, compression, orientation, planes, extra, unit;
    uint32_t rows, tile, kind;
    float x, y;
    const uint8_t *icc;
    uint32_t icc_size;
    const uint16_t (*palette)[256];
};

/* Writes a page of pixels as they are to be stored, row by row without gaps. */
static void write_page(const struct tags *t, const char *mode, const void *pixels, uint32_t w, uint32_t h) {
    TIFF *tiff = TIFFOpen(path, mode);
    const uint16_t bits = t->bits ? t->bits : 8, samples = t->samples ? t->samples : 1;
    const size_t row = ((size_t)w * bits * samples + 7) / 8;
    assert_non_null(tiff);
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, w);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, h);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, bits);
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, samples);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, t->photometric);
    TIFFSetField(tiff, TIFFTAG_COMPRESSION, t->compression ? t->compression : COMPRESSION_NONE);
    TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    if (t->orientation) TIFFSetField(tiff, TIFFTAG_ORIENTATION, t->orientation);
    if (t->extra) TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, 1, &t->extra);
    if (t->kind) TIFFSetField(tiff, TIFFTAG_SUBFILETYPE, t->kind);
    if (t->unit) TIFFSetField(tiff, TIFFTAG_RESOLUTIONUNIT, t->unit);
    if (t->x > 0) TIFFSetField(tiff, TIFFTAG_XRESOLUTION, (double)t->x);
    if (t->y > 0) TIFFSetField(tiff, TIFFTAG_YRESOLUTION, (double)t->y);
    if (t->icc) TIFFSetField(tiff, TIFFTAG_ICCPROFILE, t->icc_size, t->icc);
    if (t->palette) TIFFSetField(tiff, TIFFTAG_COLORMAP, t->palette[0], t->palette[1], t->palette[2]);
    if (t->tile) {
        static uint8_t tile[64 * 64 * 8];
        const size_t pixel = bits / 8u * samples;
        TIFFSetField(tiff, TIFFTAG_TILEWIDTH, t->tile);
        TIFFSetField(tiff, TIFFTAG_TILELENGTH, t->tile);
        for (uint32_t y = 0; y < h; y += t->tile)
            for (uint32_t x = 0; x < w; x += t->tile) {
                for (uint32_t r = 0; r < t->tile && y + r < h; r++)
                    memcpy(tile + r * t->tile * pixel, (const uint8_t *)pixels + (y + r) * row + x * pixel,
                           (w - x < t->tile ? w - x : t->tile) * pixel);
                TIFFWriteTile(tiff, tile, x, y, 0, 0);
            }
    } else {
        TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, t->rows ? t->rows : 5);
        for (uint32_t y = 0; y < h; y++) TIFFWriteScanline(tiff, (void *)((uintptr_t)pixels + y * row), y, 0);
    }
    TIFFClose(tiff);
}

static void pixels_of_every_kind(void **state) {
    (void)state;
    static const uint16_t packings[] = {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_PACKBITS,
                                        COMPRESSION_ADOBE_DEFLATE};
    uint8_t rgb[W * H * 3], other[W * H * 4], want[W * H * 3];
    uint16_t wide[W * H * 3];
    smooth(rgb, W, H);
    for (size_t i = 0; i < 4; i++) {
        struct tags t = {.photometric = PHOTOMETRIC_RGB, .samples = 3, .compression = packings[i]};
        write_page(&t, "w", rgb, W, H);
        load_and_compare(rgb, W, H, 0);
        write_page(&t, "wb", rgb, W, H); /* the most significant byte first */
        load_and_compare(rgb, W, H, 0);
        write_page(&t, "w8", rgb, W, H); /* BigTIFF */
        load_and_compare(rgb, W, H, 0);
        t.tile = 16;
        write_page(&t, "w", rgb, W, H);
        load_and_compare(rgb, W, H, 0);
    }
    for (size_t i = 0; i < W * H * 3; i++) wide[i] = (uint16_t)(rgb[i] * 257);
    write_page(&(struct tags){.photometric = PHOTOMETRIC_RGB, .samples = 3, .bits = 16}, "w", wide, W, H);
    load_and_compare(rgb, W, H, 0);
    for (size_t i = 0; i < W * H; i++) {
        other[i] = rgb[3 * i];
        memset(want + 3 * i, rgb[3 * i], 3);
    }
    write_page(&(struct tags){.photometric = PHOTOMETRIC_MINISBLACK}, "w", other, W, H);
    load_and_compare(want, W, H, 0);
    for (size_t i = 0; i < W * H; i++) other[i] = 255 - other[i];
    write_page(&(struct tags){.photometric = PHOTOMETRIC_MINISWHITE}, "w", other, W, H);
    load_and_compare(want, W, H, 0);
    write_page(&(struct tags){.photometric = PHOTOMETRIC_MINISWHITE,
                              .bits = 1,
                              .compression = COMPRESSION_CCITTFAX4},
               "w", (const uint8_t[]){0x55}, 4, 1);
    load_and_compare((const uint8_t[]){255, 255, 255, 0, 0, 0, 255, 255, 255, 0, 0, 0}, 4, 1, 0);
    static const uint16_t palette[3][256] = {{10 * 257, 200 * 257}, {20 * 257, 100 * 257}, {30 * 257, 0}};
    write_page(&(struct tags){.photometric = PHOTOMETRIC_PALETTE, .palette = palette}, "w",
               (const uint8_t[]){1, 0}, 2, 1);
    load_and_compare((const uint8_t[]){200, 100, 0, 10, 20, 30}, 2, 1, 0);
    write_page(&(struct tags){.photometric = PHOTOMETRIC_SEPARATED, .samples = 4}, "w",
               (const uint8_t[]){0, 127, 255, 0, 0, 0, 155, 204}, 2, 1);
    load_and_compare((const uint8_t[]){255, 128, 0, 51, 51, 20}, 2, 1, 1);
    /* 40 % of a color over white; the same, multiplied */
    write_page(&(struct tags){.photometric = PHOTOMETRIC_RGB, .samples = 4, .extra = EXTRASAMPLE_UNASSALPHA},
               "w", (const uint8_t[]){200, 100, 50, 102, 9, 9, 9, 0}, 2, 1);
    load_and_compare((const uint8_t[]){233, 193, 173, 255, 255, 255}, 2, 1, 1);
    write_page(&(struct tags){.photometric = PHOTOMETRIC_RGB, .samples = 4, .extra = EXTRASAMPLE_ASSOCALPHA},
               "w", (const uint8_t[]){80, 40, 20, 102, 0, 0, 0, 0}, 2, 1);
    load_and_compare((const uint8_t[]){233, 193, 173, 255, 255, 255}, 2, 1, 1);
}

static void pages_stand_upright(void **state) {
    (void)state;
    static uint8_t upright[W * H * 3], lying[W * H * 3];
    smooth(upright, W, H);
    for (uint16_t o = 1; o <= 8; o++) {
        struct caelum_picture p = {.width = W, .height = H, .pixels = lying};
        static const unsigned back[] = {1, 1, 2, 3, 4, 5, 8, 7, 6};
        struct caelum_picture turned = {.width = W, .height = H};
        assert_ok(mem_alloc(&turned.pixels, W * H, 3, err));
        memcpy(turned.pixels, upright, sizeof upright);
        assert_ok(exif_turn(&turned, "p", back[o], err));
        write_page(
            &(struct tags){
                .photometric = PHOTOMETRIC_RGB, .samples = 3, .orientation = o, .x = 300, .y = 150},
            "w", turned.pixels, (uint32_t)turned.width, (uint32_t)turned.height);
        caelum_picture_free(&turned);
        load_and_compare(upright, W, H, 0);
        assert_ok(caelum_picture_load(&p, path, err));
        assert_true(fabs(p.dpi_x - (o < 5 ? 300 : 150)) < 0.01 && fabs(p.dpi_y - (o < 5 ? 150 : 300)) < 0.01);
        caelum_picture_free(&p);
    }
    struct caelum_picture p = {0};
    write_page(&(struct tags){.photometric = 1, .unit = RESUNIT_CENTIMETER, .x = 100, .y = 100}, "w", "\x55",
               1, 1);
    assert_ok(caelum_picture_load(&p, path, err));
    assert_true(fabs(p.dpi_x - 254) < 0.01);
    caelum_picture_free(&p);
    write_page(&(struct tags){.photometric = 1, .unit = RESUNIT_NONE, .x = 1, .y = 1}, "w", "\x55", 1, 1);
    assert_ok(caelum_picture_load(&p, path, err));
    assert_true(p.dpi_x == 0);
    caelum_picture_free(&p);
}

/* Linear greys, black or white first, in strips and tiles, by the formula of sRGB's curve. */
static void profiles_in_tiff(void **state) {
    (void)state;
    enum { N = 40 };
    static uint8_t icc[8192];
    for (int kind = 0; kind < 8; kind++) {
        const bool white = kind & 1, wide = kind & 2, tiled = kind & 4;
        uint8_t narrow[N * N], want[N * N * 3];
        uint16_t broad[N * N];
        const uint32_t size = grey_profile(1, icc);
        for (unsigned i = 0; i < N * N; i++) {
            const unsigned v = i * i % 256 * (wide ? 20 : 1), top = wide ? 65535 : 255;
            const double light = v / (double)top,
                         s = light <= 0.0031308 ? 12.92 * light : 1.055 * pow(light, 1 / 2.4) - 0.055;
            narrow[i] = (uint8_t)(white ? top - v : v);
            broad[i] = (uint16_t)(white ? top - v : v);
            memset(want + 3 * i, (int)(255 * s + 0.5), 3);
        }
        write_page(&(struct tags){.photometric = white ? PHOTOMETRIC_MINISWHITE : PHOTOMETRIC_MINISBLACK,
                                  .bits = wide ? 16 : 8,
                                  .tile = tiled ? 16 : 0,
                                  .icc = icc,
                                  .icc_size = size},
                   "w", wide ? (const void *)broad : narrow, N, N);
        load_and_compare(want, N, N, 1);
    }
    /* L* = 50 is 119 in sRGB; magenta has no part in it */
    write_page(
        &(struct tags){
            .photometric = PHOTOMETRIC_SEPARATED, .samples = 4, .icc = icc, .icc_size = cmyk_profile(icc)},
        "w", (const uint8_t[]){0, 9, 0, 0, 127, 0, 0, 0}, 2, 1);
    load_and_compare((const uint8_t[]){255, 255, 255, 119, 119, 119}, 2, 1, 1);
    /* Adobe's colors (test_image_colors.c); with alpha, and one of a palette */
    const uint32_t size = rgb_profile(2.19921875, icc);
    write_page(&(struct tags){.photometric = PHOTOMETRIC_RGB, .samples = 3, .icc = icc, .icc_size = size},
               "w", (const uint8_t[]){200, 100, 50, 60, 180, 90}, 2, 1);
    load_and_compare((const uint8_t[]){227, 100, 42, 0, 181, 83}, 2, 1, 1);
    write_page(&(struct tags){.photometric = PHOTOMETRIC_RGB,
                              .samples = 4,
                              .extra = EXTRASAMPLE_UNASSALPHA,
                              .icc = icc,
                              .icc_size = size},
               "w", (const uint8_t[]){200, 100, 50, 102, 60, 180, 90, 0}, 2, 1);
    load_and_compare((const uint8_t[]){244, 193, 170, 255, 255, 255}, 2, 1, 1);
    static const uint16_t palette[3][256] = {{200 * 257}, {100 * 257}, {50 * 257}};
    write_page(
        &(struct tags){.photometric = PHOTOMETRIC_PALETTE, .palette = palette, .icc = icc, .icc_size = size},
        "w", (const uint8_t[]){0}, 1, 1);
    load_and_compare((const uint8_t[]){227, 100, 42}, 1, 1, 1);
}

static void the_first_page_counts(void **state) {
    (void)state;
    struct caelum_picture p = {0};
    const struct tags grey = {.photometric = PHOTOMETRIC_MINISBLACK},
                      small = {.photometric = PHOTOMETRIC_MINISBLACK, .kind = FILETYPE_REDUCEDIMAGE};
    write_page(&small, "w", "\x11", 1, 1);
    assert_error(CAELUM_EFORMAT, "nothing but a thumbnail", caelum_picture_load(&p, path, err));
    write_page(&grey, "a", "\x22\x22", 2, 1);
    write_page(&grey, "a", "\x33\x33\x33", 3, 1);
    load_and_compare((const uint8_t[]){0x22, 0x22, 0x22, 0x22, 0x22, 0x22}, 2, 1, 0);
}

static void damage_is_an_error(void **state) {
    (void)state;
    uint8_t rgb[W * H * 3], *good = NULL;
    size_t size;
    struct caelum_picture p = {0};
    struct rng rng = rng_make(1, RNG_TEST, 0);
    smooth(rgb, W, H);
    for (int kind = 0; kind < 4; kind++) {
        write_page(&(struct tags){.photometric = PHOTOMETRIC_RGB,
                                  .samples = 3,
                                  .tile = kind & 1 ? 16 : 0,
                                  .compression = kind & 2 ? COMPRESSION_LZW : COMPRESSION_NONE},
                   "w", rgb, W, H);
        assert_ok(file_read(path, 1 << 20, &good, &size, err));
        for (int i = 0; i < 500; i++) {
            struct caelum_error error = {0};
            const size_t at = rng_below(&rng, (uint32_t)size - 1);
            const uint8_t was = good[at];
            if (i % 2) good[at] = (uint8_t)rng_u32(&rng);
            const int code = caelum_picture_decode(&p, good, i % 2 ? size : at, "p", &error);
            good[at] = was;
            if (code == 0) caelum_picture_free(&p);
            if (code != 0 && code != CAELUM_EFORMAT && code != CAELUM_ERESOURCE)
                fail_msg("%d: %s", code, error.text);
            if (!(i % 2)) assert_true(code != 0); /* the tags come after the pixels */
        }
        mem_free(&good);
    }
    write_page(&(struct tags){.photometric = PHOTOMETRIC_RGB, .samples = 3}, "w", rgb, W, H);
    TIFF *tiff = TIFFOpen(path, "r+"); /* 12000 x 12000, of which there is one strip */
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, 12000);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, 12000);
    TIFFRewriteDirectory(tiff);
    TIFFClose(tiff);
    assert_error(CAELUM_EFORMAT, "declares 12000x12000 pixels; its", caelum_picture_load(&p, path, err));
    assert_error(
        CAELUM_EUSAGE, "are read, but not written",
        caelum_picture_save(&(struct caelum_picture){.width = 1, .height = 1, .pixels = rgb}, "x.tif", err));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pixels_of_every_kind), cmocka_unit_test(pages_stand_upright),
        cmocka_unit_test(profiles_in_tiff),     cmocka_unit_test(the_first_page_counts),
        cmocka_unit_test(damage_is_an_error),
    };
    TIFFSetErrorHandler(NULL);
    TIFFSetWarningHandler(NULL);
    return cmocka_run_group_tests_name("TIFF", tests, enter, leave);
}
#else
int main(void) {
    puts("skipped: made without libtiff");
    return 0;
}
#endif
