/* test_image_colors.c - colors of pictures: what files say of them, by profiles, chunks and numbers, against
 * other programs, formulas and Little CMS in double precision. */
#include "picture_files.h"

#include <math.h>

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
    /* with a profile gAMA does not count */
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

/* --- Against Little CMS in double precision, without its short cuts ------------------------------------- */

/* What a profile makes of n pixels in [0, 1]; ink and grey in percent and [0, 1], as Little CMS has them. */
static void truth(const uint8_t *icc, uint32_t size, cmsUInt32Number format, const double *in, double *rgb,
                  size_t n) {
    cmsHPROFILE from = cmsOpenProfileFromMem(icc, size), to = cmsCreate_sRGBProfile();
    cmsHTRANSFORM t =
        cmsCreateTransform(from, format, to, TYPE_RGB_DBL, INTENT_PERCEPTUAL, cmsFLAGS_NOOPTIMIZE);
    if (!t) fail_msg("no transform");
    cmsDoTransform(t, in, rgb, (cmsUInt32Number)n);
    cmsDeleteTransform(t);
    cmsCloseProfile(from);
    cmsCloseProfile(to);
}

static void assert_byte(uint8_t got, double want, size_t at) {
    const double value = 255 * (want > 0 ? want < 1 ? want : 1 : 0);
    if (fabs(got - value) > 1) fail_msg("value %zu: got %d, want %.2f", at, got, value);
}

/* Lab that curves with the channels, so that a coarse table in its place is seen. */
static cmsInt32Number curved(const cmsUInt16Number in[], cmsUInt16Number out[], void *cookie) {
    const size_t channels = *(const size_t *)cookie;
    double v[4] = {0};
    for (size_t c = 0; c < channels; c++) v[c] = in[c] / 65535.0;
    const double light = channels == 4 ? (1 - v[3]) * (1 - 0.3 * v[0] - 0.3 * v[1] - 0.1 * v[2])
                                       : 0.3 * v[0] + 0.6 * v[1] + 0.1 * v[2];
    out[0] = (cmsUInt16Number)(65535 * pow(light, 0.3));
    out[1] = (cmsUInt16Number)(32896 + 12000 * (v[1] - v[0]));
    out[2] = (cmsUInt16Number)(32896 + 12000 * (v[0] - v[2]));
    return TRUE;
}
static uint32_t table_profile(size_t channels, uint8_t bytes[1 << 18]) {
    cmsHPROFILE profile = cmsCreateProfilePlaceholder(NULL);
    cmsPipeline *lut = cmsPipelineAlloc(NULL, (cmsUInt32Number)channels, 3);
    cmsStage *grid = cmsStageAllocCLut16bit(NULL, 9, (cmsUInt32Number)channels, 3, NULL);
    cmsUInt32Number size = 1 << 18;
    cmsSetProfileVersion(profile, 4.3);
    cmsSetDeviceClass(profile, channels == 4 ? cmsSigOutputClass : cmsSigInputClass);
    cmsSetColorSpace(profile, channels == 4 ? cmsSigCmykData : cmsSigRgbData);
    cmsSetPCS(profile, cmsSigLabData);
    cmsStageSampleCLut16bit(grid, curved, &channels, 0);
    cmsPipelineInsertStage(lut, cmsAT_END, cmsStageAllocToneCurves(NULL, (cmsUInt32Number)channels, NULL));
    cmsPipelineInsertStage(lut, cmsAT_END, grid);
    cmsPipelineInsertStage(lut, cmsAT_END, cmsStageAllocToneCurves(NULL, 3, NULL));
    cmsWriteTag(profile, cmsSigAToB0Tag, lut);
    cmsPipelineFree(lut);
    if (!cmsSaveProfileToMem(profile, bytes, &size)) fail_msg("the profile is not made");
    cmsCloseProfile(profile);
    return size;
}

static void tables_are_computed_exactly(void **state) {
    (void)state;
    enum { N = 3000 };
    static uint8_t icc[1 << 18], in[N * 4], out[N * 3];
    static double stored_at[N * 4], want[N * 3];
    struct rng rng = rng_make(3, RNG_TEST, 0);
    for (size_t channels = 3; channels <= 4; channels++) {
        const uint32_t size = table_profile(channels, icc);
        struct icc *way = icc_open(
            icc, size,
            (struct icc_pixels){.space = channels == 4 ? ICC_CMYK : ICC_RGB, .inverted = channels == 4});
        for (size_t i = 0; i < N * channels; i++) {
            in[i] = (uint8_t)rng_below(&rng, 256);
            stored_at[i] = channels == 4 ? 100 * (255 - in[i]) / 255.0 : in[i] / 255.0;
        }
        assert_non_null(way);
        icc_row(way, in, out, N);
        icc_close(&way);
        truth(icc, size, channels == 4 ? TYPE_CMYK_DBL : TYPE_RGB_DBL, stored_at, want, N);
        for (size_t i = 0; i < N * 3; i++) assert_byte(out[i], want[i], i);
    }
}

/* sRGB's curve, IEC 61966-2-1. */
static double curve(double light) {
    return light <= 0.0031308 ? 12.92 * light : 1.055 * pow(light, 1 / 2.4) - 0.055;
}

/* Every grey of a linear scan, with alpha and without, in 8 and 16 bits, by a profile and by gAMA. */
static void linear_greys(void **state) {
    (void)state;
    static uint8_t icc[8192], row[256 * 4];
    const png_bytep rows[] = {row};
    for (int kind = 0; kind < 8; kind++) {
        const bool wide = kind & 1, alpha = kind & 2, profile = kind & 4;
        struct png_extra extra = {.gamma = profile ? 0 : 1};
        struct caelum_picture p = {0};
        if (profile) extra.icc = icc, extra.icc_size = grey_profile(1, icc);
        size_t at = 0;
        for (unsigned i = 0; i < 256; i++) {
            const unsigned v = wide ? i * i : i; /* the dark ones */
            if (wide) row[at++] = (uint8_t)(v >> 8);
            row[at++] = (uint8_t)v;
            for (int b = 0; b <= wide && alpha; b++) row[at++] = 255;
        }
        write_png_with(&extra, alpha ? PNG_COLOR_TYPE_GRAY_ALPHA : PNG_COLOR_TYPE_GRAY, wide ? 16 : 8, rows,
                       NULL, 256, 1);
        assert_ok(caelum_picture_load(&p, path, err));
        for (unsigned i = 0; i < 256 * 3; i++) {
            const unsigned v = i / 3;
            assert_byte(p.pixels[i], curve(wide ? v * v / 65535.0 : v / 255.0), i);
        }
        caelum_picture_free(&p);
    }
}

/* Colors by cHRM and gAMA are those of the profile with the same primaries and curve. */
static void chromaticities_and_gamma(void **state) {
    (void)state;
    enum { N = 500 };
    static const double at[][8] = {
        {0.3127, 0.3290, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06},              /* Adobe's */
        {0.3457, 0.3585, 0.7347, 0.2653, 0.1596, 0.8404, 0.0366, 0.0001}}; /* ProPhoto's */
    static uint8_t icc[8192], row[N * 6];
    static double in[N * 3], want[N * 3];
    const png_bytep rows[] = {row};
    struct rng rng = rng_make(4, RNG_TEST, 0);
    for (int kind = 0; kind < 8; kind++) {
        const double *c = at[kind & 1], gamma = kind & 2 ? 1 / 2.2 : 1 / 1.8;
        const bool wide = kind & 4;
        const cmsCIExyYTRIPLE primaries = {{c[2], c[3], 1}, {c[4], c[5], 1}, {c[6], c[7], 1}};
        cmsToneCurve *g = cmsBuildGamma(NULL, 1 / gamma);
        const uint32_t size = bytes_of(
            cmsCreateRGBProfile(&(cmsCIExyY){c[0], c[1], 1}, &primaries, (cmsToneCurve *[]){g, g, g}), icc);
        struct caelum_picture p = {0};
        cmsFreeToneCurve(g);
        for (size_t i = 0; i < N * 3; i++) {
            const uint32_t v = rng_below(&rng, wide ? 65536 : 256);
            in[i] = v / (wide ? 65535.0 : 255.0);
            if (wide) row[2 * i] = (uint8_t)(v >> 8), row[2 * i + 1] = (uint8_t)v;
            if (!wide) row[i] = (uint8_t)v;
        }
        write_png_with(&(struct png_extra){.gamma = gamma, .chromaticities = c}, PNG_COLOR_TYPE_RGB,
                       wide ? 16 : 8, rows, NULL, N, 1);
        truth(icc, size, TYPE_RGB_DBL, in, want, N);
        assert_ok(caelum_picture_load(&p, path, err));
        for (size_t i = 0; i < N * 3; i++) assert_byte(p.pixels[i], want[i], i);
        caelum_picture_free(&p);
    }
}

/* By hand: in linear light P3's green is -0.2249 red, 1.0421 green, -0.0786 blue of sRGB, and so on (CSS
 * Color 4); 2020's transfer is BT.709's. */
static void colors_by_code(void **state) {
    (void)state;
    static uint8_t icc[8192];
    uint8_t pixel[] = {60, 200, 60, 200, 60, 60};
    const png_bytep row[] = {pixel};
    struct png_extra extra = {
        .chunk = "cICP", .chunk_bytes = (const uint8_t[]){12, 13, 0, 1}, .chunk_size = 4};
    const uint8_t right[] = {0, 203, 11, 217, 42, 52};
    write_png_with(&extra, PNG_COLOR_TYPE_RGB, 8, row, NULL, 2, 1);
    load_and_compare(right, 2, 1, 1);
    /* it counts before a profile, */
    extra.icc = icc, extra.icc_size = rgb_profile(1, icc);
    write_png_with(&extra, PNG_COLOR_TYPE_RGB, 8, row, NULL, 2, 1);
    load_and_compare(right, 2, 1, 1);
    /* and sRGB's own numbers are sRGB, */
    extra.chunk_bytes = (const uint8_t[]){1, 13, 0, 1};
    write_png_with(&extra, PNG_COLOR_TYPE_RGB, 8, row, NULL, 2, 1);
    load_and_compare(pixel, 2, 1, 0);
    /* but numbers that nobody knows, or not of RGB, are nothing */
    extra =
        (struct png_extra){.chunk = "cICP", .chunk_bytes = (const uint8_t[]){2, 2, 0, 1}, .chunk_size = 4};
    write_png_with(&extra, PNG_COLOR_TYPE_RGB, 8, row, NULL, 2, 1);
    load_and_compare(pixel, 2, 1, 0);
    extra.chunk_bytes = (const uint8_t[]){12, 13, 1, 1};
    write_png_with(&extra, PNG_COLOR_TYPE_RGB, 8, row, NULL, 2, 1);
    load_and_compare(pixel, 2, 1, 0);
    /* linear grey: 255 srgb(55 / 255) = 128; 16 and 235 are black and white */
    extra.chunk_bytes = (const uint8_t[]){1, 8, 0, 1};
    write_png_with(&extra, PNG_COLOR_TYPE_GRAY, 8, (const png_bytep[]){(uint8_t[]){55}}, NULL, 1, 1);
    load_and_compare((const uint8_t[]){128, 128, 128}, 1, 1, 1);
    extra.chunk_bytes = (const uint8_t[]){1, 13, 0, 0};
    write_png_with(&extra, PNG_COLOR_TYPE_GRAY, 8, (const png_bytep[]){(uint8_t[]){16, 90, 235, 255}}, NULL,
                   4, 1);
    load_and_compare((const uint8_t[]){0, 0, 0, 86, 86, 86, 255, 255, 255, 255, 255, 255}, 4, 1, 1);
    /* lights beyond a display's */
    for (uint8_t transfer = 16; transfer <= 18; transfer += 2) {
        struct caelum_picture p = {0};
        extra.chunk_bytes = (const uint8_t[]){9, transfer, 0, 1};
        write_png_with(&extra, PNG_COLOR_TYPE_RGB, 8, row, NULL, 2, 1);
        assert_error(CAELUM_EFORMAT, "high dynamic range", caelum_picture_load(&p, path, err));
    }
}

/* sRGB's chunk counts before gAMA; 1 / 2.2 alone is what is written for sRGB. */
static void what_means_srgb(void **state) {
    (void)state;
    static const uint8_t linear_gamma[] = {0, 1, 0x86, 0xa0};
    static const double usual[] = {0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06};
    uint8_t ramp[256 * 3];
    const png_bytep row[] = {ramp};
    for (size_t i = 0; i < sizeof ramp; i++) ramp[i] = (uint8_t)(i * 7 + i / 3);
    const struct png_extra extras[] = {
        {.srgb = true},
        {.srgb = true, .chunk = "gAMA", .chunk_bytes = linear_gamma, .chunk_size = 4},
        {.gamma = 0.45455},
        {.gamma = 0.45455, .chromaticities = usual},
        {.chromaticities = usual}};
    for (size_t i = 0; i < sizeof extras / sizeof *extras; i++) {
        write_png_with(&extras[i], PNG_COLOR_TYPE_RGB, 8, row, NULL, 256, 1);
        load_and_compare(ramp, 256, 1, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(profiles_in_png),
        cmocka_unit_test(profiles_in_jpeg),
        cmocka_unit_test(inks_without_a_profile),
        cmocka_unit_test(profiles_in_webp),
        cmocka_unit_test(profiles_that_do_nothing),
        cmocka_unit_test(tables_are_computed_exactly),
        cmocka_unit_test(linear_greys),
        cmocka_unit_test(chromaticities_and_gamma),
        cmocka_unit_test(colors_by_code),
        cmocka_unit_test(what_means_srgb),
    };
    return cmocka_run_group_tests_name("image colors", tests, enter, leave);
}
