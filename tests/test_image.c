/* test_image.c - the picture readers on what the libraries themselves write, on orientations turned by
 * hand, on color profiles made here, on damage; pictures in memory and as files. */
#include "testing.h"

#include "base/file.h"
#include "image/image.h"

#include <jpeglib.h>
#include <lcms2.h>
#include <png.h>
#include <webp/encode.h>

static char dir[256], path[300];

static int enter(void **state) {
    (void)state;
    test_directory(dir);
    snprintf(path, sizeof path, "%s/picture.png", dir);
    return 0;
}
static int leave(void **state) {
    (void)state;
    test_remove(dir);
    return 0;
}

enum { W = 23, H = 17 };

/* A smooth picture, which JPEG keeps well. */
static void smooth(uint8_t *rgb, size_t w, size_t h) {
    for (size_t y = 0; y < h; y++)
        for (size_t x = 0; x < w; x++) {
            rgb[(y * w + x) * 3] = (uint8_t)(x * 255 / w);
            rgb[(y * w + x) * 3 + 1] = (uint8_t)(y * 255 / h);
            rgb[(y * w + x) * 3 + 2] = 90;
        }
}

static void load_and_compare(const uint8_t *want, size_t w, size_t h, int tolerance) {
    struct caelum_picture p = {0};
    assert_ok(caelum_picture_load(&p, path, err));
    assert_int_equal(p.width, w);
    assert_int_equal(p.height, h);
    for (size_t i = 0; i < w * h * 3; i++)
        if (abs(p.pixels[i] - want[i]) > tolerance)
            fail_msg("byte %zu: got %d, want %d", i, p.pixels[i], want[i]);
    caelum_picture_free(&p);
}

static void png_as_we_write_it(void **state) {
    (void)state;
    uint8_t rgb[W * H * 3];
    smooth(rgb, W, H);
    assert_ok(
        caelum_picture_save(&(struct caelum_picture){.width = W, .height = H, .pixels = rgb}, path, err));
    load_and_compare(rgb, W, H, 0);
}

/* What a PNG may have beside its pixels. */
struct png_extra {
    const uint8_t *icc;
    uint32_t icc_size;
    const uint8_t *alpha; /* of the first palette entries */
    int alphas;
    const char *chunk; /* a chunk as it is, before the pixels, */
    const uint8_t *chunk_bytes;
    size_t chunk_size;
    bool behind; /* or behind them */
    double gamma;
};

/* Writes rows of the given color type and depth with libpng. */
static void write_png_with(const struct png_extra *with, int type, int depth, const png_bytep *rows,
                           const png_color *palette, size_t w, size_t h) {
    FILE *f = fopen(path, "wb");
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_init_io(png, f);
    png_set_IHDR(png, info, (png_uint_32)w, (png_uint_32)h, depth, type, PNG_INTERLACE_NONE, 0, 0);
    if (palette) png_set_PLTE(png, info, palette, 2);
    if (with->icc) png_set_iCCP(png, info, "test", 0, with->icc, with->icc_size);
    if (with->alpha) png_set_tRNS(png, info, with->alpha, with->alphas, NULL);
    if (with->gamma > 0) png_set_gAMA(png, info, with->gamma);
    png_write_info(png, info);
    const png_const_bytep chunk = (png_const_bytep)with->chunk;
    if (chunk && !with->behind) png_write_chunk(png, chunk, with->chunk_bytes, with->chunk_size);
    for (size_t y = 0; y < h && rows; y++) png_write_row(png, rows[y]);
    if (chunk && with->behind) png_write_chunk(png, chunk, with->chunk_bytes, with->chunk_size);
    if (rows) png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    fclose(f);
}
static void write_png(int type, int depth, const png_bytep *rows, const png_color *palette, size_t w,
                      size_t h) {
    write_png_with(&(struct png_extra){0}, type, depth, rows, palette, w, h);
}

static void png_of_every_kind(void **state) {
    (void)state;
    const png_color palette[2] = {{10, 20, 30}, {200, 100, 0}};
    write_png(PNG_COLOR_TYPE_PALETTE, 8, (const png_bytep[]){(uint8_t[]){0, 1}}, palette, 2, 1);
    load_and_compare((const uint8_t[]){10, 20, 30, 200, 100, 0}, 2, 1, 0);
    write_png(PNG_COLOR_TYPE_GRAY, 1, (const png_bytep[]){(uint8_t[]){0x40}}, NULL, 2, 1);
    load_and_compare((const uint8_t[]){0, 0, 0, 255, 255, 255}, 2, 1, 0);
    write_png(PNG_COLOR_TYPE_RGB, 16, (const png_bytep[]){(uint8_t[]){0x80, 0x00, 0xff, 0xff, 0, 0}}, NULL, 1,
              1);
    load_and_compare((const uint8_t[]){127, 255, 0}, 1, 1, 1);
    write_png(PNG_COLOR_TYPE_RGB_ALPHA, 8, (const png_bytep[]){(uint8_t[]){9, 9, 9, 0, 9, 8, 7, 255}}, NULL,
              2, 1);
    load_and_compare((const uint8_t[]){255, 255, 255, 9, 8, 7}, 2, 1, 0);
}

/* Exif data that hold nothing but an orientation; TIFF begins at byte 6. */
static const uint8_t *exif_of(unsigned orientation, bool little) {
    static uint8_t bytes[32];
    const uint8_t o = (uint8_t)orientation;
    const uint8_t big_end[] = {'E', 'x',  'i', 'f', 0, 0, 'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1,
                               1,   0x12, 0,   3,   0, 0, 0,   1,   0, o,  0, 0, 0, 0, 0, 0};
    const uint8_t little_end[] = {'E',  'x', 'i', 'f', 0, 0, 'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0,
                                  0x12, 1,   3,   0,   1, 0, 0,   0,   o,  0, 0, 0, 0, 0, 0, 0};
    memcpy(bytes, little ? little_end : big_end, sizeof bytes);
    return bytes;
}

/* What a JPEG may have beside its pixels. */
struct jpeg_extra {
    J_COLOR_SPACE space; /* JCS_UNKNOWN: RGB */
    bool no_adobe;       /* leave out the marker that says that CMYK is inverted */
    const uint8_t *exif;
    const uint8_t *icc; /* in two segments */
    size_t icc_size;
};

static void write_jpeg_with(const struct jpeg_extra *with, const uint8_t *pixels, size_t w, size_t h) {
    struct jpeg_compress_struct info;
    struct jpeg_error_mgr errors;
    FILE *f = fopen(path, "wb");
    info.err = jpeg_std_error(&errors);
    jpeg_create_compress(&info);
    jpeg_stdio_dest(&info, f);
    info.image_width = (JDIMENSION)w, info.image_height = (JDIMENSION)h;
    info.in_color_space = with->space == JCS_UNKNOWN ? JCS_RGB : with->space;
    info.input_components = with->space == JCS_GRAYSCALE ? 1 : with->space == JCS_CMYK ? 4 : 3;
    jpeg_set_defaults(&info);
    jpeg_set_quality(&info, 98, TRUE);
    info.comp_info[0].h_samp_factor = info.comp_info[0].v_samp_factor = 1;
    if (with->no_adobe) info.write_Adobe_marker = FALSE;
    jpeg_start_compress(&info, TRUE);
    if (with->exif) jpeg_write_marker(&info, JPEG_APP0 + 1, with->exif, 32);
    for (size_t part = 0; part < 2 && with->icc; part++) {
        uint8_t segment[8192] = "ICC_PROFILE";
        const size_t from = part * (with->icc_size / 2), to = part ? with->icc_size : with->icc_size / 2;
        segment[12] = (uint8_t)(part + 1), segment[13] = 2;
        memcpy(segment + 14, with->icc + from, to - from);
        jpeg_write_marker(&info, JPEG_APP0 + 2, segment, (unsigned)(to - from + 14));
    }
    for (size_t y = 0; y < h; y++) {
        JSAMPROW row = (JSAMPROW)(uintptr_t)(pixels + y * w * (size_t)info.input_components);
        jpeg_write_scanlines(&info, &row, 1);
    }
    jpeg_finish_compress(&info);
    jpeg_destroy_compress(&info);
    fclose(f);
}
static void write_jpeg(const uint8_t *rgb, size_t w, size_t h, unsigned orientation, bool little) {
    write_jpeg_with(&(struct jpeg_extra){.exif = orientation ? exif_of(orientation, little) : NULL}, rgb, w,
                    h);
}

/* Writes a lossless WebP in its extended form, with up to two chunks beside the pixels. */
static void write_webp(const uint8_t *rgba, size_t w, size_t h, bool alpha, const uint8_t *icc,
                       size_t icc_size, const uint8_t *exif, size_t exif_size) {
    static uint8_t file[1 << 16];
    uint8_t *simple = NULL;
    const size_t size = WebPEncodeLosslessRGBA(rgba, (int)w, (int)h, (int)w * 4, &simple);
    const uint8_t head[] = {'R',
                            'I',
                            'F',
                            'F',
                            0,
                            0,
                            0,
                            0,
                            'W',
                            'E',
                            'B',
                            'P',
                            'V',
                            'P',
                            '8',
                            'X',
                            10,
                            0,
                            0,
                            0,
                            (uint8_t)((icc ? 0x20 : 0) | (exif ? 8 : 0) | (alpha ? 0x10 : 0)),
                            0,
                            0,
                            0,
                            (uint8_t)(w - 1),
                            0,
                            0,
                            (uint8_t)(h - 1),
                            0,
                            0};
    memcpy(file, head, sizeof head);
    size_t at = sizeof head;
    for (int i = 0; i < 3; i++) {
        const uint8_t *bytes = i == 0 ? icc : i == 1 ? simple + 20 : exif;
        const size_t n = i == 0 ? icc_size : i == 1 ? size - 20 : exif_size;
        if (!bytes) continue;
        memcpy(file + at, i == 0 ? "ICCP" : i == 1 ? "VP8L" : "EXIF", 4);
        for (size_t b = 0; b < 4; b++) file[at + 4 + b] = (uint8_t)(n >> 8 * b);
        memcpy(file + at + 8, bytes, n);
        at += 8 + n;
        if (n % 2) file[at++] = 0;
    }
    for (size_t b = 0; b < 4; b++) file[4 + b] = (uint8_t)((at - 8) >> 8 * b);
    WebPFree(simple);
    assert_ok(file_write(path, file, at, err));
}

/* What the eight orientations say about row 0 and column 0 (Exif 2.3): for each, where the upright
 * picture's pixel (x, y) is stored. */
static void pictures_stand_upright(void **state) {
    (void)state;
    static uint8_t upright[W * H * 3], stored[W * H * 3];
    smooth(upright, W, H);
    for (unsigned o = 0; o <= 8; o++) {
        const size_t sw = o >= 5 ? H : W, sh = o >= 5 ? W : H;
        for (size_t y = 0; y < H; y++)
            for (size_t x = 0; x < W; x++) {
                const size_t place[9][2] = {{x, y},         {x, y}, {W - 1 - x, y}, {W - 1 - x, H - 1 - y},
                                            {x, H - 1 - y}, {y, x}, {y, W - 1 - x}, {H - 1 - y, W - 1 - x},
                                            {H - 1 - y, x}};
                memcpy(stored + (place[o][1] * sw + place[o][0]) * 3, upright + (y * W + x) * 3, 3);
            }
        write_jpeg(stored, sw, sh, o, o & 1);
        load_and_compare(upright, W, H, 12);
        png_bytep rows[W + H];
        uint8_t rgba[W * H * 4];
        for (size_t y = 0; y < sh; y++) rows[y] = stored + y * sw * 3;
        for (size_t i = 0; i < W * H * 4; i++) rgba[i] = i % 4 < 3 ? stored[i / 4 * 3 + i % 4] : 255;
        const struct png_extra extra = {.chunk = o ? "eXIf" : NULL,
                                        .chunk_bytes = exif_of(o, o & 1) + 6,
                                        .chunk_size = 26,
                                        .behind = o & 2};
        write_png_with(&extra, PNG_COLOR_TYPE_RGB, 8, rows, NULL, sw, sh);
        load_and_compare(upright, W, H, 0);
        /* some writers put JPEG's prefix into WebP too */
        write_webp(rgba, sw, sh, false, NULL, 0, o ? exif_of(o, o & 1) + (o & 2 ? 6 : 0) : NULL,
                   o & 2 ? 26 : 32);
        load_and_compare(upright, W, H, 0);
    }
}

static void webp_as_the_library_writes_it(void **state) {
    (void)state;
    uint8_t rgb[W * H * 3], *out = NULL;
    smooth(rgb, W, H);
    const size_t size = WebPEncodeLosslessRGB(rgb, W, H, W * 3, &out);
    assert_ok(file_write(path, out, size, err));
    load_and_compare(rgb, W, H, 0);
    WebPFree(out);
}

/* Bytes of a profile, which is closed. */
static uint32_t bytes_of(cmsHPROFILE profile, uint8_t bytes[8192]) {
    cmsUInt32Number size = 0;
    cmsSaveProfileToMem(profile, NULL, &size);
    if (size > 8192 || !cmsSaveProfileToMem(profile, bytes, &size)) fail_msg("the profile is not made");
    cmsCloseProfile(profile);
    return size;
}
/* The primaries of Adobe RGB (1998). */
static uint32_t rgb_profile(double gamma, uint8_t bytes[8192]) {
    const cmsCIExyYTRIPLE primaries = {{0.64, 0.33, 1}, {0.21, 0.71, 1}, {0.15, 0.06, 1}};
    cmsToneCurve *g = cmsBuildGamma(NULL, gamma);
    const uint32_t size = bytes_of(
        cmsCreateRGBProfile(&(cmsCIExyY){0.3127, 0.3290, 1}, &primaries, (cmsToneCurve *[]){g, g, g}), bytes);
    cmsFreeToneCurve(g);
    return size;
}
static uint32_t grey_profile(double gamma, uint8_t bytes[8192]) {
    cmsToneCurve *g = cmsBuildGamma(NULL, gamma);
    const uint32_t size = bytes_of(cmsCreateGrayProfile(cmsD50_xyY(), g), bytes);
    cmsFreeToneCurve(g);
    return size;
}
/* Inks that give L* = 100 (1 - cyan) (1 - black), and no color at all. */
static cmsInt32Number lightness(const cmsUInt16Number in[], cmsUInt16Number out[], void *cookie) {
    (void)cookie;
    out[0] = (cmsUInt16Number)((65535u - in[0]) * (uint64_t)(65535u - in[3]) / 65535u);
    out[1] = out[2] = 0x8080;
    return TRUE;
}
static uint32_t cmyk_profile(uint8_t bytes[8192]) {
    cmsHPROFILE profile = cmsCreateProfilePlaceholder(NULL);
    cmsPipeline *lut = cmsPipelineAlloc(NULL, 4, 3);
    cmsStage *grid = cmsStageAllocCLut16bit(NULL, 2, 4, 3, NULL);
    cmsSetProfileVersion(profile, 4.3);
    cmsSetDeviceClass(profile, cmsSigOutputClass);
    cmsSetColorSpace(profile, cmsSigCmykData);
    cmsSetPCS(profile, cmsSigLabData);
    cmsStageSampleCLut16bit(grid, lightness, NULL, 0);
    cmsPipelineInsertStage(lut, cmsAT_END, cmsStageAllocToneCurves(NULL, 4, NULL));
    cmsPipelineInsertStage(lut, cmsAT_END, grid);
    cmsPipelineInsertStage(lut, cmsAT_END, cmsStageAllocToneCurves(NULL, 3, NULL));
    cmsWriteTag(profile, cmsSigAToB0Tag, lut);
    cmsPipelineFree(lut);
    return bytes_of(profile, bytes);
}

/* Four colors by the RGB profiles above, five greys by gamma 1.8, as Pillow 9.4 gives them:
 * ImageCms.profileToProfile(picture, profile, createProfile("sRGB"), outputMode="RGB"). */
static const uint8_t stored[] = {200, 100, 50, 60, 180, 90, 128, 128, 128, 90, 100, 160};
static const uint8_t adobe[] = {227, 100, 42, 0, 181, 83, 129, 129, 129, 85, 100, 163};
static const uint8_t linear_stored[] = {200, 100, 50, 10, 180, 90, 55, 55, 55, 90, 100, 160};
static const uint8_t linear[] = {248, 168, 120, 0, 219, 157, 128, 128, 128, 157, 168, 209};
static const uint8_t greys_stored[] = {0, 64, 128, 200, 255};
static const uint8_t greys[] = {0, 0, 0, 81, 81, 81, 146, 146, 146, 210, 210, 210, 255, 255, 255};

static void profiles_in_png(void **state) {
    (void)state;
    static uint8_t icc[8192];
    struct png_extra extra = {.icc = icc, .icc_size = rgb_profile(2.19921875, icc)};
    const png_bytep row = (png_bytep)(uintptr_t)stored;
    write_png_with(&extra, PNG_COLOR_TYPE_RGB, 8, &row, NULL, 4, 1);
    load_and_compare(adobe, 4, 1, 1);
    /* gAMA does not count beside a profile */
    extra.gamma = 1;
    write_png_with(&extra, PNG_COLOR_TYPE_RGB, 8, &row, NULL, 4, 1);
    load_and_compare(adobe, 4, 1, 1);
    extra.gamma = 0;
    /* a palette with transparency: laid over white behind the profile */
    const png_color palette[2] = {{200, 100, 50}, {60, 180, 90}};
    extra.alpha = (const uint8_t[]){102}, extra.alphas = 1;
    write_png_with(&extra, PNG_COLOR_TYPE_PALETTE, 8, (const png_bytep[]){(uint8_t[]){0, 1}}, palette, 2, 1);
    load_and_compare((const uint8_t[]){244, 193, 170, 0, 181, 83}, 2, 1, 1);
    extra.alpha = NULL;
    /* 16 bits; the shadows of a linear file are lost in 8 */
    uint8_t wide[24] = {0};
    const uint8_t edge[] = {139, 246, 188, 117, 207, 233};
    for (size_t i = 0; i < 6; i++) wide[2 * i] = wide[2 * i + 1] = edge[i];
    write_png_with(&extra, PNG_COLOR_TYPE_RGB, 16, (const png_bytep[]){wide}, NULL, 2, 1);
    load_and_compare((const uint8_t[]){0, 246, 186, 1, 208, 235}, 2, 1, 1);
    extra.icc_size = rgb_profile(1, icc);
    for (size_t i = 0; i < 12; i++) wide[2 * i] = wide[2 * i + 1] = linear_stored[i];
    write_png_with(&extra, PNG_COLOR_TYPE_RGB, 16, (const png_bytep[]){wide}, NULL, 4, 1);
    load_and_compare(linear, 4, 1, 1);
    const uint8_t dark[] = {0, 200, 0, 200, 0, 200, 255, 255, 0, 200, 0, 200, 0, 200, 0, 0};
    write_png_with(&extra, PNG_COLOR_TYPE_RGB_ALPHA, 16, (const png_bytep[]){(png_bytep)(uintptr_t)dark},
                   NULL, 2, 1);
    load_and_compare((const uint8_t[]){10, 10, 10, 255, 255, 255}, 2, 1, 0);
    extra.icc_size = grey_profile(1.8, icc);
    write_png_with(&extra, PNG_COLOR_TYPE_GRAY, 8, (const png_bytep[]){(png_bytep)(uintptr_t)greys_stored},
                   NULL, 5, 1);
    load_and_compare(greys, 5, 1, 1);
    /* gAMA alone: 255 (55 / 255)^(1 / 2.2) = 127 */
    write_png_with(&(struct png_extra){.gamma = 1}, PNG_COLOR_TYPE_GRAY, 8,
                   (const png_bytep[]){(uint8_t[]){55}}, NULL, 1, 1);
    load_and_compare((const uint8_t[]){127, 127, 127}, 1, 1, 1);
}

/* n pixels, each as a block of 8 x 8, which JPEG keeps well. */
static void write_jpeg_blocks(const struct jpeg_extra *with, const uint8_t *pixels, size_t channels,
                              size_t n) {
    static uint8_t blocks[8 * 8 * 8 * 4];
    for (size_t i = 0; i < 64 * n; i++)
        memcpy(blocks + i * channels, pixels + i % (8 * n) / 8 * channels, channels);
    write_jpeg_with(with, blocks, 8 * n, 8);
}
static void load_and_compare_blocks(const uint8_t *want, size_t n, int tolerance) {
    static uint8_t blocks[8 * 8 * 8 * 3];
    for (size_t i = 0; i < 64 * n; i++) memcpy(blocks + i * 3, want + i % (8 * n) / 8 * 3, 3);
    load_and_compare(blocks, 8 * n, 8, tolerance);
}

static void profiles_in_jpeg(void **state) {
    (void)state;
    static uint8_t icc[8192];
    struct jpeg_extra extra = {.icc = icc, .icc_size = rgb_profile(2.19921875, icc)};
    write_jpeg_blocks(&extra, stored, 3, 4);
    load_and_compare_blocks(adobe, 4, 5);
    extra.space = JCS_GRAYSCALE;
    extra.icc_size = grey_profile(1.8, icc);
    write_jpeg_blocks(&extra, greys_stored, 1, 5);
    load_and_compare_blocks(greys, 5, 3);
    /* grey by an RGB profile: 255 srgb(55 / 255) = 128 */
    extra.icc_size = rgb_profile(1, icc);
    write_jpeg_blocks(&extra, (const uint8_t[]){55}, 1, 1);
    load_and_compare_blocks((const uint8_t[]){128, 128, 128}, 1, 3);
    /* L* = 50 is 119 in sRGB, whichever way round the ink is; magenta has no part in it */
    extra.space = JCS_CMYK;
    extra.icc_size = cmyk_profile(icc);
    write_jpeg_blocks(&extra, (const uint8_t[]){255, 9, 255, 255, 255, 255, 255, 128}, 4, 2);
    load_and_compare_blocks((const uint8_t[]){255, 255, 255, 119, 119, 119}, 2, 3);
    extra.no_adobe = true;
    write_jpeg_blocks(&extra, (const uint8_t[]){0, 9, 0, 0, 127, 0, 0, 0}, 4, 2);
    load_and_compare_blocks((const uint8_t[]){255, 255, 255, 119, 119, 119}, 2, 3);
}

static void inks_without_a_profile(void **state) {
    (void)state;
    struct jpeg_extra extra = {.space = JCS_CMYK};
    write_jpeg_blocks(&extra, (const uint8_t[]){255, 128, 0, 255, 255, 255, 100, 51}, 4, 2);
    load_and_compare_blocks((const uint8_t[]){255, 128, 0, 51, 51, 20}, 2, 2);
    extra.no_adobe = true;
    write_jpeg_blocks(&extra, (const uint8_t[]){0, 127, 255, 0, 0, 0, 155, 204}, 4, 2);
    load_and_compare_blocks((const uint8_t[]){255, 128, 0, 51, 51, 20}, 2, 2);
}

static void profiles_in_webp(void **state) {
    (void)state;
    static uint8_t icc[8192];
    const uint32_t size = rgb_profile(2.19921875, icc);
    uint8_t rgba[16];
    for (size_t i = 0; i < 16; i++) rgba[i] = i % 4 < 3 ? stored[i / 4 * 3 + i % 4] : 255;
    write_webp(rgba, 4, 1, false, icc, size, NULL, 0);
    load_and_compare(adobe, 4, 1, 1);
    rgba[3] = 102, rgba[7] = 0;
    write_webp(rgba, 2, 1, true, icc, size, NULL, 0);
    load_and_compare((const uint8_t[]){244, 193, 170, 255, 255, 255}, 2, 1, 1);
}

/* sRGB itself changes no byte; what is damaged or meant for other pixels is left out. */
static void profiles_that_do_nothing(void **state) {
    (void)state;
    static uint8_t icc[8192];
    uint8_t ramp[256 * 3];
    const png_bytep row = ramp;
    for (size_t i = 0; i < sizeof ramp; i++) ramp[i] = (uint8_t)(i * 7 + i / 3);
    struct png_extra png = {.icc = icc, .icc_size = bytes_of(cmsCreate_sRGBProfile(), icc), .gamma = 1};
    assert_null(icc_open(icc, png.icc_size, (struct icc_pixels){.space = ICC_RGB}));
    write_png_with(&png, PNG_COLOR_TYPE_RGB, 8, &row, NULL, 256, 1);
    load_and_compare(ramp, 256, 1, 0);
    png = (struct png_extra){.chunk = "iCCP", .chunk_bytes = (const uint8_t *)"x\0\0junk", .chunk_size = 7};
    write_png_with(&png, PNG_COLOR_TYPE_RGB, 8, &row, NULL, 256, 1);
    load_and_compare(ramp, 256, 1, 0);
    struct jpeg_extra jpeg = {.icc = icc, .icc_size = rgb_profile(1, icc) / 2};
    write_jpeg_blocks(&jpeg, stored, 3, 4);
    load_and_compare_blocks(stored, 4, 5);
    jpeg.icc_size = grey_profile(1, icc);
    write_jpeg_blocks(&jpeg, stored, 3, 4);
    load_and_compare_blocks(stored, 4, 5);
    jpeg.space = JCS_CMYK;
    write_jpeg_blocks(&jpeg, (const uint8_t[]){255, 128, 0, 255}, 4, 1);
    load_and_compare_blocks((const uint8_t[]){255, 128, 0}, 1, 2);
    /* a profile of which a part is missing: the second segment says that it is the first of two */
    jpeg = (struct jpeg_extra){.icc = icc, .icc_size = rgb_profile(1, icc)};
    write_jpeg_blocks(&jpeg, stored, 3, 4);
    uint8_t *bytes = NULL;
    size_t size;
    assert_ok(file_read(path, 1 << 20, &bytes, &size, err));
    for (size_t i = 0, parts = 0; i + 13 < size && parts < 2; i++)
        if (memcmp(bytes + i, "ICC_PROFILE", 12) == 0 && ++parts == 2) bytes[i + 12] = 1;
    assert_ok(file_write(path, bytes, size, err));
    mem_free(&bytes);
    load_and_compare_blocks(stored, 4, 5);
}

/* Every format in memory and, by its ending, as a file of the same bytes. */
static void pictures_in_memory(void **state) {
    (void)state;
    static const char *const endings[] = {"png", "JPG", "webp"};
    static const char *const signs[] = {"\x89PNG", "\xff\xd8\xff", "RIFF"};
    static const int tolerance[] = {0, 8, 24};
    uint8_t rgb[W * H * 3];
    smooth(rgb, W, H);
    const struct caelum_picture in = {.width = W, .height = H, .pixels = rgb};
    for (int f = 0; f < 3; f++) {
        char name[300];
        uint8_t *bytes = NULL, *file = NULL;
        size_t size, file_size;
        struct caelum_picture p = {0};
        snprintf(name, sizeof name, "%s/p.%s", dir, endings[f]);
        assert_ok(caelum_picture_encode(&in, (enum caelum_picture_format)f, &bytes, &size, err));
        assert_memory_equal(bytes, signs[f], strlen(signs[f]));
        assert_ok(caelum_picture_decode(&p, bytes, size, "memory", err));
        assert_int_equal(p.width, W);
        for (size_t i = 0; i < sizeof rgb; i++)
            assert_in_range(p.pixels[i] - rgb[i] + 99, 99 - tolerance[f], 99 + tolerance[f]);
        caelum_picture_free(&p);
        assert_error(CAELUM_EFORMAT, "memory: ", caelum_picture_decode(&p, bytes, size / 2, "memory", err));
        assert_ok(caelum_picture_save(&in, name, err));
        assert_ok(file_read(name, 1 << 20, &file, &file_size, err));
        assert_int_equal(file_size, size);
        assert_memory_equal(file, bytes, size);
        mem_free(&file);
        caelum_picture_bytes_free(&bytes);
        assert_null(bytes);
        caelum_picture_bytes_free(&bytes);
        /* without memory nothing is left behind, wherever it runs out */
        for (long n = 0; n < 4; n++) {
            struct caelum_error error = {0};
            mem_fail_after(n);
            const int code = caelum_picture_encode(&in, (enum caelum_picture_format)f, &bytes, &size, &error);
            mem_fail_after(-1);
            assert_int_equal(code, n == 0 || code != 0 ? CAELUM_ERESOURCE : 0);
            caelum_picture_bytes_free(&bytes);
        }
    }
    assert_error(CAELUM_EUSAGE, "p.gif: a picture's name must end in .png, .jpg, .jpeg or .webp",
                 caelum_picture_save(&in, "p.gif", err));
    assert_error(CAELUM_EUSAGE, "must end in", caelum_picture_save(&in, "png", err));
    assert_error(CAELUM_EIO, "can't be written", caelum_picture_save(&in, "/nowhere/p.jpg", err));
}

static void pictures_that_fit_no_format(void **state) {
    (void)state;
    static uint8_t row[70000 * 3];
    uint8_t *bytes = NULL;
    size_t size;
    assert_error(CAELUM_EUSAGE, "65501x1",
                 caelum_picture_encode(&(struct caelum_picture){.width = 65501, .height = 1, .pixels = row},
                                       CAELUM_JPEG, &bytes, &size, err));
    assert_error(CAELUM_EUSAGE, "1x16384",
                 caelum_picture_encode(&(struct caelum_picture){.width = 1, .height = 16384, .pixels = row},
                                       CAELUM_WEBP, &bytes, &size, err));
    assert_error(CAELUM_EUSAGE, "0x5",
                 caelum_picture_encode(&(struct caelum_picture){.width = 0, .height = 5, .pixels = row},
                                       CAELUM_PNG, &bytes, &size, err));
    assert_ok(caelum_picture_encode(&(struct caelum_picture){.width = 65500, .height = 1, .pixels = row},
                                    CAELUM_JPEG, &bytes, &size, err));
    caelum_picture_bytes_free(&bytes);
    assert_ok(caelum_picture_encode(&(struct caelum_picture){.width = 1, .height = 70000, .pixels = row},
                                    CAELUM_PNG, &bytes, &size, err));
    caelum_picture_bytes_free(&bytes);
}

/* Cut short anywhere, bytes changed anywhere: an error or a picture, never a crash. */
static void damage_is_an_error(void **state) {
    (void)state;
    uint8_t rgb[W * H * 3], *good = NULL, *webp = NULL;
    size_t size;
    struct rng rng = rng_make(1, RNG_TEST, 0);
    smooth(rgb, W, H);
    for (int format = 0; format < 3; format++) {
        if (format == 0)
            assert_ok(caelum_picture_save(&(struct caelum_picture){.width = W, .height = H, .pixels = rgb},
                                          path, err));
        if (format == 1) write_jpeg(rgb, W, H, 6, true);
        if (format == 2) {
            size = WebPEncodeLosslessRGB(rgb, W, H, W * 3, &webp);
            assert_ok(file_write(path, webp, size, err));
            WebPFree(webp);
        }
        assert_ok(file_read(path, 1 << 20, &good, &size, err));
        for (int i = 0; i < 300; i++) {
            struct caelum_picture p = {0};
            struct caelum_error error = {0};
            const size_t at = rng_below(&rng, (uint32_t)size - 1);
            const uint8_t was = good[at];
            if (i % 2) good[at] = (uint8_t)rng_u32(&rng);
            assert_ok(file_write(path, good, i % 2 ? size : at, err));
            good[at] = was;
            const int code = caelum_picture_load(&p, path, &error);
            if (code == 0)
                caelum_picture_free(&p);
            else
                assert_int_equal(code, CAELUM_EFORMAT);
            if (!(i % 2) && at + 20 < size) assert_true(code != 0);
        }
        mem_free(&good);
    }
    struct caelum_picture p = {0};
    const struct png_extra pixels = {.chunk = "IDAT", .chunk_bytes = rgb, .chunk_size = 5};
    write_png_with(&pixels, PNG_COLOR_TYPE_RGB, 8, NULL, NULL, 100000, 100000);
    assert_error(CAELUM_EFORMAT, "declares 100000x100000 pixels", caelum_picture_load(&p, path, err));
    /* the sizes of a JPEG stand behind the mark of its frame, FFC0, a length and a depth */
    write_jpeg(rgb, W, H, 0, false);
    assert_ok(file_read(path, 1 << 20, &good, &size, err));
    for (size_t i = 0; i + 9 < size; i++)
        if (good[i] == 0xff && good[i + 1] == 0xc0) {
            memset(good + i + 5, 0xea, 4);
            break;
        }
    assert_ok(file_write(path, good, size, err));
    mem_free(&good);
    assert_error(CAELUM_EFORMAT, "declares 60138x60138 pixels", caelum_picture_load(&p, path, err));
    assert_ok(file_write(path, "", 0, err));
    assert_error(CAELUM_EFORMAT, "is empty", caelum_picture_load(&p, path, err));
    assert_ok(file_write(path, "not a picture", 13, err));
    assert_error(CAELUM_EFORMAT, "not a PNG, JPEG, WebP or TIFF picture", caelum_picture_load(&p, path, err));
    assert_error(CAELUM_EIO, "No such file", caelum_picture_load(&p, "/nowhere.png", err));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(png_as_we_write_it),
        cmocka_unit_test(png_of_every_kind),
        cmocka_unit_test(pictures_stand_upright),
        cmocka_unit_test(profiles_in_png),
        cmocka_unit_test(profiles_in_jpeg),
        cmocka_unit_test(inks_without_a_profile),
        cmocka_unit_test(profiles_in_webp),
        cmocka_unit_test(profiles_that_do_nothing),
        cmocka_unit_test(pictures_in_memory),
        cmocka_unit_test(pictures_that_fit_no_format),
        cmocka_unit_test(webp_as_the_library_writes_it),
        cmocka_unit_test(damage_is_an_error),
    };
    return cmocka_run_group_tests_name("image", tests, enter, leave);
}
