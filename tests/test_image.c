/* test_image.c - the picture readers on what the libraries themselves write, on orientations turned by
 * hand, on damage; tiles that must give back what they were cut from; sheets and charts as PNG. */
#include "testing.h"

#include "base/file.h"
#include "image/image.h"
#include "image/tiles.h"
#include "report/chart.h"
#include "report/sheet.h"

#include <jpeglib.h>
#include <math.h>
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
    assert_ok(caelum_picture_save(&(struct caelum_picture){W, H, rgb}, path, err));
    load_and_compare(rgb, W, H, 0);
}

/* Writes rows of the given color type and depth with libpng. */
static void write_png(int type, int depth, const png_bytep *rows, const png_color *palette, size_t w,
                      size_t h) {
    FILE *f = fopen(path, "wb");
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_init_io(png, f);
    png_set_IHDR(png, info, (png_uint_32)w, (png_uint_32)h, depth, type, PNG_INTERLACE_NONE, 0, 0);
    if (palette) png_set_PLTE(png, info, palette, 2);
    png_write_info(png, info);
    for (size_t y = 0; y < h; y++) png_write_row(png, rows[y]);
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    fclose(f);
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

/* Writes a JPEG, with an Exif segment that holds nothing but an orientation if that is not 0. */
static void write_jpeg(const uint8_t *rgb, size_t w, size_t h, unsigned orientation, bool little) {
    struct jpeg_compress_struct info;
    struct jpeg_error_mgr errors;
    FILE *f = fopen(path, "wb");
    info.err = jpeg_std_error(&errors);
    jpeg_create_compress(&info);
    jpeg_stdio_dest(&info, f);
    info.image_width = (JDIMENSION)w, info.image_height = (JDIMENSION)h;
    info.input_components = 3, info.in_color_space = JCS_RGB;
    jpeg_set_defaults(&info);
    jpeg_set_quality(&info, 98, TRUE);
    info.comp_info[0].h_samp_factor = info.comp_info[0].v_samp_factor = 1;
    jpeg_start_compress(&info, TRUE);
    const uint8_t o = (uint8_t)orientation;
    const uint8_t big_end[] = {'E', 'x',  'i', 'f', 0, 0, 'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1,
                               1,   0x12, 0,   3,   0, 0, 0,   1,   0, o,  0, 0, 0, 0, 0, 0};
    const uint8_t little_end[] = {'E',  'x', 'i', 'f', 0, 0, 'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0,
                                  0x12, 1,   3,   0,   1, 0, 0,   0,   o,  0, 0, 0, 0, 0, 0, 0};
    if (orientation) jpeg_write_marker(&info, JPEG_APP0 + 1, little ? little_end : big_end, sizeof big_end);
    for (size_t y = 0; y < h; y++) {
        JSAMPROW row = (JSAMPROW)(uintptr_t)(rgb + y * w * 3);
        jpeg_write_scanlines(&info, &row, 1);
    }
    jpeg_finish_compress(&info);
    jpeg_destroy_compress(&info);
    fclose(f);
}

/* What the eight orientations say about row 0 and column 0 (Exif 2.3): for each, where the upright
 * picture's pixel (x, y) is stored. */
static void jpeg_stands_upright(void **state) {
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

/* Cut short anywhere, bytes changed anywhere: an error or a picture, never a crash. */
static void damage_is_an_error(void **state) {
    (void)state;
    uint8_t rgb[W * H * 3], *good = NULL, *webp = NULL;
    size_t size;
    struct rng rng = rng_make(1, RNG_TEST, 0);
    smooth(rgb, W, H);
    for (int format = 0; format < 3; format++) {
        if (format == 0) assert_ok(caelum_picture_save(&(struct caelum_picture){W, H, rgb}, path, err));
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
    /* a PNG that declares 100,000 x 100,000 */
    static const uint8_t huge[] = {0x89, 'P', 'N', 'G', 13,  10,   26,   10,   0,    0, 0,    13,
                                   'I',  'H', 'D', 'R', 0,   1,    0x86, 0xa0, 0,    1, 0x86, 0xa0,
                                   8,    2,   0,   0,   0,   0xb8, 0x4c, 0xd9, 0x15, 0, 0,    0,
                                   0,    'I', 'D', 'A', 'T', 0x35, 0xaf, 6,    0x1e};
    struct caelum_picture p = {0};
    assert_ok(file_write(path, huge, sizeof huge, err));
    assert_error(CAELUM_EFORMAT, "picture", caelum_picture_load(&p, path, err));
    assert_ok(file_write(path, "", 0, err));
    assert_error(CAELUM_EFORMAT, "not a PNG, JPEG or WebP picture", caelum_picture_load(&p, path, err));
    assert_error(CAELUM_EIO, "No such file", caelum_picture_load(&p, "/nowhere.png", err));
}

/* Tiles whose result is what was cut give back the picture, whatever its size. */
static void tiles_give_back_the_picture(void **state) {
    (void)state;
    static const size_t sizes[][2] = {{1, 1}, {5, 3}, {31, 33}, {32, 32}, {33, 200}, {100, 100}, {64, 1}};
    struct rng rng = rng_make(2, RNG_TEST, 0);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        const size_t w = sizes[s][0], h = sizes[s][1];
        const struct tiles t = tiles_plan(w, h, 32, 32);
        static uint8_t in[200 * 100 * 3], back[200 * 100 * 3], tile[3 * 32 * 32];
        static float result[3 * 32 * 32], sum[200 * 100 * 3], weight[200 * 100];
        memset(sum, 0, sizeof sum), memset(weight, 0, sizeof weight);
        for (size_t i = 0; i < w * h * 3; i++) in[i] = (uint8_t)rng_below(&rng, 256);
        if (w == 32 && h == 32) assert_int_equal(tiles_count(&t), 1);
        for (size_t i = 0; i < tiles_count(&t); i++) {
            tiles_cut(&t, &(struct caelum_picture){w, h, in}, i, tile);
            for (size_t j = 0; j < sizeof tile; j++) result[j] = (float)tile[j] / 255;
            tiles_add(&t, i, result, sum, weight);
        }
        tiles_finish(&t, sum, weight, back);
        assert_memory_equal(in, back, w * h * 3);
    }
}

/* Beyond its edge a picture goes on mirrored, the edge itself not repeated. */
static void tiles_mirror_what_is_missing(void **state) {
    (void)state;
    uint8_t in[9] = {10, 0, 0, 20, 0, 0, 30, 0, 0}, tile[3 * 8 * 8];
    const struct tiles t = tiles_plan(3, 1, 8, 8);
    tiles_cut(&t, &(struct caelum_picture){3, 1, in}, 0, tile);
    for (size_t row = 0; row < 8; row++)
        assert_memory_equal(tile + row * 8, ((const uint8_t[]){10, 20, 30, 20, 10, 20, 30, 20}), 8);
}

static void sheets_show_the_pixels(void **state) {
    (void)state;
    static uint8_t pixels[3 * 2 * 3 * 32 * 32];
    struct caelum_picture p = {0};
    const char *names[] = {"one", "two"};
    for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(i * 7);
    const struct sheet sheet = {.title = "t",
                                .subtitle = "s",
                                .row_names = names,
                                .rows = 2,
                                .count = 3,
                                .columns = 2,
                                .h = 32,
                                .w = 32,
                                .pixels = pixels};
    assert_ok(sheet_write(&sheet, path, err));
    assert_ok(caelum_picture_load(&p, path, err));
    /* the first pixel of the first picture stands somewhere, three pixels wide */
    size_t found = 0;
    for (size_t i = 0; i + 9 <= p.width * p.height * 3; i += 3) {
        const uint8_t *q = p.pixels + i;
        found +=
            q[0] == pixels[0] && q[1] == pixels[1024] && q[2] == pixels[2048] && memcmp(q, q + 3, 6) == 0;
    }
    assert_true(found >= 3);
    caelum_picture_free(&p);
    assert_error(CAELUM_EIO, "can't be written", sheet_write(&sheet, "/nowhere/sheet.png", err));
}

static void charts_of_any_numbers(void **state) {
    (void)state;
    static const double x[] = {1, 2, 3, 4}, ys[][4] = {{1, 2, 3, 4},
                                                       {5, 5, 5, 5},
                                                       {NAN, 1, NAN, 2},
                                                       {0, -1, 1e-30, 1e30},
                                                       {NAN, NAN, NAN, NAN}};
    for (size_t i = 0; i < 5; i++)
        for (int log_y = 0; log_y < 2; log_y++)
            for (size_t n = 0; n <= 4; n++) {
                struct caelum_picture p = {0};
                const struct chart_series series = {.name = "s", .x = x, .y = ys[i], .n = n};
                const struct chart_reference reference = {"PCA", 2};
                const struct chart chart = {"title", "x", "y", log_y != 0, &series, 1, &reference, 1};
                assert_ok(chart_write(&chart, path, err));
                assert_ok(caelum_picture_load(&p, path, err));
                assert_int_equal(p.width, 960);
                caelum_picture_free(&p);
            }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(png_as_we_write_it),           cmocka_unit_test(png_of_every_kind),
        cmocka_unit_test(jpeg_stands_upright),          cmocka_unit_test(webp_as_the_library_writes_it),
        cmocka_unit_test(damage_is_an_error),           cmocka_unit_test(tiles_give_back_the_picture),
        cmocka_unit_test(tiles_mirror_what_is_missing), cmocka_unit_test(sheets_show_the_pixels),
        cmocka_unit_test(charts_of_any_numbers),
    };
    return cmocka_run_group_tests_name("image", tests, enter, leave);
}
