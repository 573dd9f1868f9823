/* test_image_odd.c - picture files that are not as their formats want them: complete pixels are used whatever
 * is around them, missing ones are an error, sizes that a file can't hold are refused, other formats are
 * named. */
#include "picture_files.h"

#include <math.h>

/* --- JPEG -------------------------------------------------------------------------------------------------
 */

/* A JPEG in memory, whose bytes are then changed. */
static uint8_t jpeg[1 << 16];
static size_t jpeg_size;

enum kind { PLAIN, RESTARTS, PROGRESSIVE, APART };

static void make_jpeg(enum kind kind) {
    static const jpeg_scan_info apart[] = {
        {1, {0}, 0, 63, 0, 0}, {1, {1}, 0, 63, 0, 0}, {1, {2}, 0, 63, 0, 0}};
    static uint8_t rgb[64 * 48 * 3];
    struct jpeg_compress_struct info;
    struct jpeg_error_mgr errors;
    uint8_t *out = NULL;
    unsigned long size = 0;
    smooth(rgb, 64, 48);
    info.err = jpeg_std_error(&errors);
    jpeg_create_compress(&info);
    jpeg_mem_dest(&info, &out, &size);
    info.image_width = 64, info.image_height = 48, info.input_components = 3, info.in_color_space = JCS_RGB;
    jpeg_set_defaults(&info);
    if (kind == RESTARTS) info.restart_in_rows = 1;
    if (kind == PROGRESSIVE) jpeg_simple_progression(&info);
    if (kind == APART) info.scan_info = apart, info.num_scans = 3;
    jpeg_start_compress(&info, TRUE);
    while (info.next_scanline < 48) {
        JSAMPROW row = rgb + info.next_scanline * 64 * 3;
        jpeg_write_scanlines(&info, &row, 1);
    }
    jpeg_finish_compress(&info);
    jpeg_destroy_compress(&info);
    assert_true(size < sizeof jpeg / 2);
    memcpy(jpeg, out, size);
    jpeg_size = size;
    free(out);
}

/* Where the n-th marker of this kind begins, counted from a place on. */
static size_t marker_from(size_t from, uint8_t code, int n) {
    for (size_t i = from; i + 1 < jpeg_size; i++)
        if (jpeg[i] == 0xff && jpeg[i + 1] == code && n-- == 0) return i;
    fail_msg("no marker %x", code);
    return 0;
}
static size_t marker(uint8_t code, int n) {
    return marker_from(2, code, n);
}
static void insert(size_t at, const void *bytes, size_t n) {
    memmove(jpeg + at + n, jpeg + at, jpeg_size - at);
    memcpy(jpeg + at, bytes, n);
    jpeg_size += n;
}
static void take_out(size_t from, size_t end) {
    memmove(jpeg + from, jpeg + end, jpeg_size - end);
    jpeg_size -= end - from;
}

static struct caelum_picture whole_jpeg(enum kind kind) {
    struct caelum_picture p = {0};
    make_jpeg(kind);
    assert_ok(caelum_picture_decode(&p, jpeg, jpeg_size, "whole", err));
    return p;
}
static void assert_same(const struct caelum_picture *want) {
    struct caelum_picture p = {0};
    assert_ok(caelum_picture_decode(&p, jpeg, jpeg_size, "odd", err));
    assert_int_equal(p.width * p.height, want->width * want->height);
    assert_memory_equal(p.pixels, want->pixels, p.width * p.height * 3);
    caelum_picture_free(&p);
}
static void assert_damaged(const char *words) {
    struct caelum_picture p = {0};
    assert_error(CAELUM_EFORMAT, words, caelum_picture_decode(&p, jpeg, jpeg_size, "odd", err));
}

static void odd_but_complete_jpegs(void **state) {
    (void)state;
    struct caelum_picture want = whole_jpeg(PLAIN);
    const size_t scan = marker(0xda, 0);
    jpeg[scan + 12] = 1; /* Samsung's: the first coefficient of a scan that has all, */
    jpeg[scan + 13] = 0, assert_same(&want);
    make_jpeg(PLAIN);
    jpeg[marker(0xe0, 0) + 9] = 7, assert_same(&want); /* a revision of JFIF */
    static const uint8_t code[] = {0xdb, 0xc0, 0xc4, 0xda, 0xd9};
    for (size_t i = 0; i < sizeof code; i++) {
        make_jpeg(PLAIN);
        insert(marker(code[i], 0), "eleven bytes", 11);
        assert_same(&want);
    }
    make_jpeg(PLAIN);
    jpeg_size -= 2, assert_same(&want); /* the end is not marked, */
    make_jpeg(PLAIN);
    insert(jpeg_size, "and more", 8), assert_same(&want); /* or not the end */
    caelum_picture_free(&want);
    want = whole_jpeg(PROGRESSIVE);
    jpeg_size -= 2, assert_same(&want);
    make_jpeg(PROGRESSIVE);
    const size_t first = marker(0xda, 0); /* the first scan once more */
    static uint8_t again[1 << 12];
    const size_t n = marker_from(first, 0xc4, 0) - first;
    memcpy(again, jpeg + first, n);
    insert(first, again, n), assert_same(&want);
    caelum_picture_free(&want);
    want = whole_jpeg(APART);
    jpeg_size -= 2, assert_same(&want);
    caelum_picture_free(&want);
}

static void pixels_that_a_jpeg_lacks(void **state) {
    (void)state;
    make_jpeg(PLAIN);
    jpeg_size = (marker(0xda, 0) + jpeg_size) / 2;
    assert_damaged("damaged JPEG");
    make_jpeg(RESTARTS);
    insert(marker(0xd0, 0), "bytes that should be pixels", 27);
    assert_damaged("damaged JPEG");
    make_jpeg(RESTARTS);
    take_out(marker(0xd0, 0), marker(0xd1, 0));
    assert_damaged("damaged JPEG");
    make_jpeg(PROGRESSIVE); /* the last scan is not there, */
    jpeg_size = marker(0xda, 9);
    assert_damaged("scans are missing");
    make_jpeg(PROGRESSIVE); /* the upper bits of some numbers: the second scan, */
    const size_t second = marker(0xda, 1);
    take_out(second, marker_from(second, 0xc4, 0));
    assert_damaged("damaged JPEG");
    make_jpeg(APART); /* a color, marked as the end or not */
    take_out(marker(0xda, 2), jpeg_size - 2);
    assert_damaged("scans are missing");
    jpeg_size -= 2;
    assert_damaged("scans are missing");
}

/* --- PNG --------------------------------------------------------------------------------------------------
 */

static void pngs_without_their_end(void **state) {
    (void)state;
    uint8_t rgb[W * H * 3], *file = NULL;
    size_t size;
    png_bytep rows[H];
    smooth(rgb, W, H);
    for (size_t y = 0; y < H; y++) rows[y] = rgb + y * W * 3;
    for (int kind = 0; kind < 2; kind++) {
        struct caelum_picture p = {0};
        write_png_with(&(struct png_extra){.interlaced = kind}, PNG_COLOR_TYPE_RGB, 8, rows, NULL, W, H);
        assert_ok(file_read(path, 1 << 20, &file, &size, err));
        /* IEND is 12 bytes; before it come the sum of IDAT, 4, and in it zlib's, 4 */
        for (size_t cut = 0; cut <= 16; cut++) {
            assert_ok(file_write(path, file, size - cut, err));
            load_and_compare(rgb, W, H, 0);
        }
        memcpy(file + size - 12, "no end of it", 12);
        assert_ok(file_write(path, file, size, err));
        load_and_compare(rgb, W, H, 0);
        for (size_t cut = 21; cut < size; cut++)
            assert_error(CAELUM_EFORMAT, "p: ", caelum_picture_decode(&p, file, size - cut, "p", err));
        file[size - 13]++; /* the sum of the pixels */
        assert_error(CAELUM_EFORMAT, "CRC error", caelum_picture_decode(&p, file, size, "p", err));
        mem_free(&file);
    }
}

/* --- Sizes ------------------------------------------------------------------------------------------------
 */

static void sizes_that_a_file_cannot_hold(void **state) {
    (void)state;
    struct caelum_picture p = {0};
    uint8_t *file = NULL, rgb[W * H * 3] = {0};
    size_t size;
    const struct png_extra pixels = {.chunk = "IDAT", .chunk_bytes = rgb, .chunk_size = 11};
    write_png_with(&pixels, PNG_COLOR_TYPE_RGB_ALPHA, 16, NULL, NULL, 16000, 16000);
    const size_t before = mem_count();
    assert_error(CAELUM_EFORMAT, "declares 16000x16000 pixels; its", caelum_picture_load(&p, path, err));
    assert_int_equal(mem_count() - before, 1); /* the file */
    make_jpeg(PLAIN);
    memcpy(jpeg + marker(0xc0, 0) + 5, "\x30\x00\x30\x00", 4);
    assert_damaged("declares 12288x12288 pixels; its");
    size = WebPEncodeRGB(rgb, W, H, W * 3, 50, &file); /* 14 bits for each side, at 26 */
    memcpy(file + 26, "\x00\x30\x00\x30", 4);
    assert_error(CAELUM_EFORMAT, "declares 12288x12288 pixels; its",
                 caelum_picture_decode(&p, file, size, "p", err));
    WebPFree(file);
    size = WebPEncodeLosslessRGB(rgb, W, H, W * 3, &file); /* at 21, from the lowest bit, less 1 */
    const uint32_t sides = 12287u | 12287u << 14;
    for (size_t b = 0; b < 4; b++)
        file[21 + b] = (uint8_t)((b < 3 ? sides >> 8 * b : (file[24] & 0xf0) | sides >> 24) & 255);
    assert_error(CAELUM_EFORMAT, "declares 12288x12288 pixels in",
                 caelum_picture_decode(&p, file, size, "p", err));
    WebPFree(file);
}

/* What packs best is read: one color all over. */
static void small_files_of_large_pictures(void **state) {
    (void)state;
    enum { SIDE = 3000 };
    uint8_t *rgb = NULL, *file = NULL;
    assert_ok(mem_alloc(&rgb, SIDE * SIDE, 3, err));
    const struct caelum_picture in = {.width = SIDE, .height = SIDE, .pixels = rgb};
    for (int kind = 0; kind < 4; kind++) {
        struct caelum_picture p = {0};
        size_t size;
        if (kind < 3)
            assert_ok(caelum_picture_encode(&in, (enum caelum_picture_format)kind, &file, &size, err));
        if (kind == 3) size = WebPEncodeLosslessRGB(rgb, SIDE, SIDE, SIDE * 3, &file);
        assert_ok(caelum_picture_decode(&p, file, size, "large", err));
        assert_int_equal(p.width, SIDE);
        caelum_picture_free(&p);
        if (kind < 3) caelum_picture_bytes_free(&file);
        if (kind == 3) WebPFree(file);
    }
    mem_free(&rgb);
}

/* --- Others -----------------------------------------------------------------------------------------------
 */

static void other_formats_are_named(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *what, *command;
    } files[] = {
        {"\0\0\0\x18"
         "ftypheic\0\0",
         14, "a HEIC picture", "heif-convert photo.heic photo.jpg"},
        {"\0\0\0\x1c"
         "ftypmif1\0\0",
         14, "a HEIF picture", "heif-convert"},
        {"\0\0\0\x1c"
         "ftypavif\0\0",
         14, "an AVIF picture", "heif-convert photo.avif photo.png"},
        {"\xff\x0a\xfa\x1f", 4, "a JPEG XL picture", "djxl"},
        {"GIF89a and more", 15, "a GIF picture", "convert 'photo.gif[0]' photo.png"},
        {"BM\x36\0\0\0\0\0\0\0\x36\0", 12, "a BMP picture", "convert photo.bmp photo.png"},
        {"%PDF-1.7\n%abc", 13, "a PDF document", "pdftoppm -png -r 300 scan.pdf page"},
        {"8BPS\0\1\0\0\0\0\0\0", 12, "a Photoshop document", "convert 'photo.psd[0]' photo.png"},
        {"P6\n3 2 255\n\0", 12, "a PPM picture", "convert photo.ppm"},
        {"<!DOCTYPE html>", 15, "a web page", "the picture itself"},
    };
    struct caelum_picture p = {0};
    enum caelum_picture_format format;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const uint8_t *bytes = (const uint8_t *)files[i].bytes;
        assert_error(CAELUM_EFORMAT, files[i].what,
                     caelum_picture_decode(&p, bytes, files[i].size, "p", err));
        assert_error(CAELUM_EFORMAT, files[i].command,
                     caelum_picture_decode(&p, bytes, files[i].size, "p", err));
        assert_non_null(image_foreign(bytes, files[i].size, &format));
    }
    assert_error(CAELUM_EFORMAT, "not a PNG, JPEG, WebP or TIFF picture",
                 caelum_picture_decode(&p, (const uint8_t *)"BMW and others", 14, "p", err));
}

/* Orientations of every kind of whole number, in both orders of bytes. */
static void orientations_of_every_kind(void **state) {
    (void)state;
    static const struct { uint8_t kind, bytes; } kinds[] = {{1, 1}, {3, 2}, {4, 4}, {8, 2}, {9, 4}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (int little = 0; little < 2; little++) {
            uint8_t exif[26] = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, kinds[i].kind, 0, 0, 0, 1};
            const uint8_t other[] = {'I', 'I',           42, 0, 8, 0, 0, 0, 1, 0, 0x12,
                                     1,   kinds[i].kind, 0,  1, 0, 0, 0};
            if (little) memcpy(exif, other, sizeof other);
            exif[18 + (little ? 0 : kinds[i].bytes - 1)] = 6;
            assert_int_equal(exif_orientation(exif, sizeof exif), 6);
        }
    const uint8_t words[26] = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 2, 0, 0, 0, 1, 6};
    assert_int_equal(exif_orientation(words, sizeof words), 1);
}

/* Pixels an inch come from a file and go into the next, also lying on its side. */
static void resolutions_are_kept(void **state) {
    (void)state;
    uint8_t rgb[W * H * 3];
    smooth(rgb, W, H);
    const struct caelum_picture in = {.width = W, .height = H, .pixels = rgb, .dpi_x = 300, .dpi_y = 150};
    for (int f = CAELUM_PNG; f <= CAELUM_WEBP; f++) {
        struct caelum_picture p = {0};
        uint8_t *file = NULL;
        size_t size;
        assert_ok(caelum_picture_encode(&in, (enum caelum_picture_format)f, &file, &size, err));
        assert_ok(caelum_picture_decode(&p, file, size, "p", err));
        assert_true(fabs(p.dpi_x - (f == CAELUM_WEBP ? 0 : 300)) < 0.02);
        assert_true(fabs(p.dpi_y - (f == CAELUM_WEBP ? 0 : 150)) < 0.02);
        assert_ok(exif_turn(&p, "p", 6, err));
        assert_true(fabs(p.dpi_y - (f == CAELUM_WEBP ? 0 : 300)) < 0.02);
        caelum_picture_free(&p);
        caelum_picture_bytes_free(&file);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(odd_but_complete_jpegs),        cmocka_unit_test(pixels_that_a_jpeg_lacks),
        cmocka_unit_test(pngs_without_their_end),        cmocka_unit_test(sizes_that_a_file_cannot_hold),
        cmocka_unit_test(small_files_of_large_pictures), cmocka_unit_test(other_formats_are_named),
        cmocka_unit_test(orientations_of_every_kind),    cmocka_unit_test(resolutions_are_kept),
    };
    return cmocka_run_group_tests_name("odd pictures", tests, enter, leave);
}
