/* picture_files.h - pictures as files of every kind that the tests of readers want, written by the formats'
 * own libraries, with metadata: color profiles, orientations, chunks by hand. */
#ifndef CAELUM_TESTS_PICTURE_FILES_H
#define CAELUM_TESTS_PICTURE_FILES_H

#include "testing.h"

#include "base/file.h"
#include "image/image.h"

#include <jpeglib.h>
#include <lcms2.h>
#include <png.h>
#include <webp/encode.h>

static char dir[256], path[300];

static inline int enter(void **state) {
    (void)state;
    test_directory(dir);
    snprintf(path, sizeof path, "%s/picture.png", dir);
    return 0;
}
static inline int leave(void **state) {
    (void)state;
    test_remove(dir);
    return 0;
}

enum { W = 23, H = 17 };

/* A smooth picture, which JPEG keeps well. */
static inline void smooth(uint8_t *rgb, size_t w, size_t h) {
    for (size_t y = 0; y < h; y++)
        for (size_t x = 0; x < w; x++) {
            rgb[(y * w + x) * 3] = (uint8_t)(x * 255 / w);
            rgb[(y * w + x) * 3 + 1] = (uint8_t)(y * 255 / h);
            rgb[(y * w + x) * 3 + 2] = 90;
        }
}

static inline void load_and_compare(const uint8_t *want, size_t w, size_t h, int tolerance) {
    struct caelum_picture p = {0};
    assert_ok(caelum_picture_load(&p, path, err));
    assert_int_equal(p.width, w);
    assert_int_equal(p.height, h);
    for (size_t i = 0; i < w * h * 3; i++)
        if (abs(p.pixels[i] - want[i]) > tolerance)
            fail_msg("byte %zu: got %d, want %d", i, p.pixels[i], want[i]);
    caelum_picture_free(&p);
}

/* What a PNG may have apart from its pixels. */
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
    const double *chromaticities; /* x and y of white, red, green, blue */
    bool srgb, interlaced;
};

/* Writes rows of the given color type and depth with libpng. */
static inline void write_png_with(const struct png_extra *with, int type, int depth, const png_bytep *rows,
                                  const png_color *palette, size_t w, size_t h) {
    FILE *f = fopen(path, "wb");
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_init_io(png, f);
    png_set_IHDR(png, info, (png_uint_32)w, (png_uint_32)h, depth, type,
                 with->interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, 0, 0);
    if (palette) png_set_PLTE(png, info, palette, 2);
    if (with->icc) png_set_iCCP(png, info, "test", 0, with->icc, with->icc_size);
    if (with->alpha) png_set_tRNS(png, info, with->alpha, with->alphas, NULL);
    if (with->gamma > 0) png_set_gAMA(png, info, with->gamma);
    const double *at = with->chromaticities;
    if (at) png_set_cHRM(png, info, at[0], at[1], at[2], at[3], at[4], at[5], at[6], at[7]);
    if (with->srgb) png_set_sRGB(png, info, PNG_sRGB_INTENT_PERCEPTUAL);
    png_write_info(png, info);
    const png_const_bytep chunk = (png_const_bytep)with->chunk;
    if (chunk && !with->behind) png_write_chunk(png, chunk, with->chunk_bytes, with->chunk_size);
    const int passes = with->interlaced ? png_set_interlace_handling(png) : 1;
    for (int pass = 0; pass < passes && rows; pass++)
        for (size_t y = 0; y < h; y++) png_write_row(png, rows[y]);
    if (chunk && with->behind) png_write_chunk(png, chunk, with->chunk_bytes, with->chunk_size);
    if (rows) png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    fclose(f);
}
static inline void write_png(int type, int depth, const png_bytep *rows, const png_color *palette, size_t w,
                             size_t h) {
    write_png_with(&(struct png_extra){0}, type, depth, rows, palette, w, h);
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

/* What a JPEG may have apart from its pixels. */
struct jpeg_extra {
    J_COLOR_SPACE space; /* JCS_UNKNOWN: RGB */
    bool no_adobe;       /* leave out the marker that says that CMYK is inverted */
    const uint8_t *exif;
    const uint8_t *icc; /* in two segments */
    size_t icc_size;
};

static inline void write_jpeg_with(const struct jpeg_extra *with, const uint8_t *pixels, size_t w, size_t h) {
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
static inline void write_jpeg(const uint8_t *rgb, size_t w, size_t h, unsigned orientation, bool little) {
    write_jpeg_with(&(struct jpeg_extra){.exif = orientation ? exif_of(orientation, little) : NULL}, rgb, w,
                    h);
}

/* Writes a lossless WebP in its extended form, with up to two chunks apart from the pixels. */
static inline void write_webp(const uint8_t *rgba, size_t w, size_t h, bool alpha, const uint8_t *icc,
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

/* Bytes of a profile, which is closed. */
static inline uint32_t bytes_of(cmsHPROFILE profile, uint8_t bytes[8192]) {
    cmsUInt32Number size = 0;
    cmsSaveProfileToMem(profile, NULL, &size);
    if (size > 8192 || !cmsSaveProfileToMem(profile, bytes, &size)) fail_msg("the profile is not made");
    cmsCloseProfile(profile);
    return size;
}
/* The primaries of Adobe RGB (1998). */
static inline uint32_t rgb_profile(double gamma, uint8_t bytes[8192]) {
    const cmsCIExyYTRIPLE primaries = {{0.64, 0.33, 1}, {0.21, 0.71, 1}, {0.15, 0.06, 1}};
    cmsToneCurve *g = cmsBuildGamma(NULL, gamma);
    const uint32_t size = bytes_of(
        cmsCreateRGBProfile(&(cmsCIExyY){0.3127, 0.3290, 1}, &primaries, (cmsToneCurve *[]){g, g, g}), bytes);
    cmsFreeToneCurve(g);
    return size;
}
static inline uint32_t grey_profile(double gamma, uint8_t bytes[8192]) {
    cmsToneCurve *g = cmsBuildGamma(NULL, gamma);
    const uint32_t size = bytes_of(cmsCreateGrayProfile(cmsD50_xyY(), g), bytes);
    cmsFreeToneCurve(g);
    return size;
}
/* Inks that give L* = 100 (1 - cyan) (1 - black), and no color at all. */
static inline cmsInt32Number lightness(const cmsUInt16Number in[], cmsUInt16Number out[], void *cookie) {
    (void)cookie;
    out[0] = (cmsUInt16Number)((65535u - in[0]) * (uint64_t)(65535u - in[3]) / 65535u);
    out[1] = out[2] = 0x8080;
    return TRUE;
}
static inline uint32_t cmyk_profile(uint8_t bytes[8192]) {
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

/* n pixels, each as a block of 8 x 8, which JPEG keeps well. */
static inline void write_jpeg_blocks(const struct jpeg_extra *with, const uint8_t *pixels, size_t channels,
                                     size_t n) {
    static uint8_t blocks[8 * 8 * 8 * 4];
    for (size_t i = 0; i < 64 * n; i++)
        memcpy(blocks + i * channels, pixels + i % (8 * n) / 8 * channels, channels);
    write_jpeg_with(with, blocks, 8 * n, 8);
}
static inline void load_and_compare_blocks(const uint8_t *want, size_t n, int tolerance) {
    static uint8_t blocks[8 * 8 * 8 * 3];
    for (size_t i = 0; i < 64 * n; i++) memcpy(blocks + i * 3, want + i % (8 * n) / 8 * 3, 3);
    load_and_compare(blocks, 8 * n, 8, tolerance);
}

#endif
