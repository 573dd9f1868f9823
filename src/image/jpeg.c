/* jpeg.c - JPEG through libjpeg-turbo. Damage is an error, also where the library would go on with a
 * warning. The Exif orientation is applied, so that a phone's picture stands upright. */
#include "base/mem.h"
#include "image/image.h"

#include <stdio.h> /* jpeglib.h needs FILE */

#include <jpeglib.h>
#include <setjmp.h>
#include <string.h>

struct handler {
    struct jpeg_error_mgr base; /* first: libjpeg hands back its address */
    jmp_buf back;
    char text[JMSG_LENGTH_MAX];
};

static void on_error(j_common_ptr info) {
    struct handler *h = (struct handler *)info->err;
    info->err->format_message(info, h->text);
    longjmp(h->back, 1);
}

/* Level -1 is a warning about damaged data; others are chatter. */
static void on_message(j_common_ptr info, int level) {
    if (level < 0) on_error(info);
}

static unsigned number(const uint8_t *p, size_t bytes, bool little) {
    unsigned n = 0;
    for (size_t i = 0; i < bytes; i++) n = n << 8 | p[little ? bytes - 1 - i : i];
    return n;
}

/* The orientation (1 to 8) in an APP1 segment, 1 if it says none: Exif 2.3, section 4.6; TIFF 6.0. */
static unsigned orientation(const struct jpeg_decompress_struct *info) {
    for (const struct jpeg_marker_struct *m = info->marker_list; m; m = m->next) {
        const uint8_t *p = m->data;
        const size_t size = m->data_length;
        if (m->marker != JPEG_APP0 + 1 || size < 14 || memcmp(p, "Exif\0\0", 6) != 0) continue;
        const uint8_t *tiff = p + 6;
        const size_t length = size - 6;
        const bool little = tiff[0] == 'I';
        const size_t ifd = number(tiff + 4, 4, little);
        if (ifd > length - 2) continue;
        const size_t entries = number(tiff + ifd, 2, little);
        for (size_t i = 0; i < entries && ifd + 2 + (i + 1) * 12 <= length; i++) {
            const uint8_t *entry = tiff + ifd + 2 + i * 12;
            if (number(entry, 2, little) != 0x0112) continue;
            const unsigned value = number(entry + 8, 2, little);
            return value >= 1 && value <= 8 ? value : 1;
        }
    }
    return 1;
}

/* Turns the picture as orientation 2 to 8 asks: bit 0 of (o - 1) mirrors, and so on. */
static int orient(struct caelum_picture *picture, const char *path, unsigned o, struct caelum_error *err) {
    const size_t w = picture->width, h = picture->height;
    const bool swap = o >= 5;
    struct caelum_picture turned = {0};
    if (o == 1) return CAELUM_OK;
    CHECK(image_allocate(&turned, path, swap ? h : w, swap ? w : h, err));
    for (size_t y = 0; y < turned.height; y++)
        for (size_t x = 0; x < turned.width; x++) {
            size_t sx = swap ? y : x, sy = swap ? x : y;
            if (o == 2 || o == 3 || o == 7 || o == 8) sx = w - 1 - sx;
            if (o == 3 || o == 4 || o == 6 || o == 7) sy = h - 1 - sy;
            memcpy(turned.pixels + (y * turned.width + x) * 3, picture->pixels + (sy * w + sx) * 3, 3);
        }
    caelum_picture_free(picture);
    *picture = turned;
    return CAELUM_OK;
}

/* CMYK as Adobe writes it, inverted: C stands for 255 - cyan. Without a profile this is the best guess. */
static void cmyk_row(const uint8_t *in, uint8_t *out, size_t width, bool inverted) {
    for (size_t x = 0; x < width; x++)
        for (size_t c = 0; c < 3; c++) {
            const unsigned ink = in[4 * x + c], key = in[4 * x + 3];
            out[3 * x + c] = (uint8_t)(inverted ? ink * key / 255 : (255 - ink) * (255 - key) / 255);
        }
}

/* Everything that may longjmp; `p` and `row` belong to the caller. */
static int decode(struct jpeg_decompress_struct *info, struct caelum_picture *p, uint8_t **row,
                  const char *path, struct caelum_error *err) {
    jpeg_save_markers(info, JPEG_APP0 + 1, 0xffff);
    jpeg_read_header(info, TRUE);
    CHECK(image_check_size(path, info->image_width, info->image_height, err));
    const bool cmyk = info->jpeg_color_space == JCS_CMYK || info->jpeg_color_space == JCS_YCCK;
    info->out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
    info->dct_method = JDCT_ISLOW;
    jpeg_start_decompress(info);
    CHECK(image_allocate(p, path, info->output_width, info->output_height, err));
    CHECK(mem_alloc(row, p->width, 4, err));
    while (info->output_scanline < info->output_height) {
        uint8_t *to = p->pixels + (size_t)info->output_scanline * p->width * 3;
        JSAMPROW line = cmyk ? *row : to;
        jpeg_read_scanlines(info, &line, 1);
        if (cmyk) cmyk_row(*row, to, p->width, info->saw_Adobe_marker);
    }
    const unsigned o = orientation(info);
    jpeg_finish_decompress(info);
    return orient(p, path, o, err);
}

int jpeg_decode(struct caelum_picture *picture, const char *path, const uint8_t *bytes, size_t size,
                struct caelum_error *err) {
    struct jpeg_decompress_struct info;
    struct handler handler;
    /* volatile-free: reached through pointers, so longjmp leaves them as they are */
    struct {
        struct caelum_picture picture;
        uint8_t *row;
    } work = {{0}, NULL};
    int result;
    info.err = jpeg_std_error(&handler.base);
    handler.base.error_exit = on_error;
    handler.base.emit_message = on_message;
    jpeg_create_decompress(&info);
    if (setjmp(handler.back) != 0) {
        result = caelum_fail(err, CAELUM_EFORMAT, "%s: damaged JPEG: %s", path, handler.text);
    } else {
        jpeg_mem_src(&info, bytes, size);
        result = decode(&info, &work.picture, &work.row, path, err);
    }
    jpeg_destroy_decompress(&info);
    mem_free(&work.row);
    if (result == 0)
        *picture = work.picture;
    else
        caelum_picture_free(&work.picture);
    return result;
}
