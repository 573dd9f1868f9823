/* test_image.c - the picture readers on what the libraries themselves write, on orientations turned by
 * hand, on damage; pictures in memory and as files. */
#include "picture_files.h"

static void png_as_we_write_it(void **state) {
    (void)state;
    uint8_t rgb[W * H * 3];
    smooth(rgb, W, H);
    assert_ok(
        caelum_picture_save(&(struct caelum_picture){.width = W, .height = H, .pixels = rgb}, path, err));
    load_and_compare(rgb, W, H, 0);
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

/* Samples of 16 bits are kept, and written again, grey too, also where rows come in passes; 8 bits are
 * rounded. */
static void png_of_16_bits_stays_that(void **state) {
    (void)state;
    static const uint8_t row[] = {0x00, 0x01, 0x80, 0x00, 0xff, 0xff, 0x12, 0x34, 0xab, 0xcd, 0x00, 0x80};
    static const uint16_t color[] = {0x0001, 0x8000, 0xffff, 0x1234, 0xabcd, 0x0080},
                          grey[] = {0x0001, 0x0001, 0x0001, 0x8000, 0x8000, 0x8000};
    for (int kind = 0; kind < 4; kind++) {
        const uint16_t *want = kind < 2 ? color : grey;
        const struct png_extra extra = {.interlaced = kind % 2 == 1};
        write_png_with(&extra, kind < 2 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY, 16,
                       (const png_bytep[]){(png_bytep)(uintptr_t)row}, NULL, 2, 1);
        for (int again = 0; again < 2; again++) {
            struct caelum_picture p = {0};
            uint8_t *bytes = NULL;
            size_t size;
            assert_ok(file_read(path, 1000, &bytes, &size, err));
            assert_int_equal(bytes[24], 16); /* the depth in IHDR */
            mem_free(&bytes);
            assert_ok(caelum_picture_load(&p, path, err));
            assert_memory_equal(p.wide, want, sizeof color);
            for (size_t i = 0; i < 6; i++) assert_int_equal(p.pixels[i], (want[i] + 128) / 257);
            assert_ok(caelum_picture_save(&p, path, err));
            caelum_picture_free(&p);
        }
    }
    struct caelum_picture turned = {.width = 2, .height = 1};
    assert_ok(mem_alloc(&turned.pixels, 6, 1, err));
    assert_ok(mem_alloc(&turned.wide, 6, 2, err));
    memcpy(turned.wide, color, sizeof color);
    assert_ok(exif_turn(&turned, "picture", 3, err)); /* upside down */
    assert_memory_equal(turned.wide, color + 3, 6);
    assert_memory_equal(turned.wide + 3, color, 6);
    caelum_picture_free(&turned);
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
    /* the sizes of a JPEG follow the mark of its frame, FFC0, a length and a depth */
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
        cmocka_unit_test(png_of_16_bits_stays_that),
        cmocka_unit_test(png_of_every_kind),
        cmocka_unit_test(pictures_stand_upright),
        cmocka_unit_test(pictures_in_memory),
        cmocka_unit_test(pictures_that_fit_no_format),
        cmocka_unit_test(webp_as_the_library_writes_it),
        cmocka_unit_test(damage_is_an_error),
    };
    return cmocka_run_group_tests_name("image", tests, enter, leave);
}
