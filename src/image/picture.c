/* picture.c - decoding and encoding pictures, in memory and as files. What is read is told apart by its first
 * bytes, what is written by the ending of its name. */
#include "base/ascii.h"
#include "base/file.h"
#include "base/mem.h"
#include "image/image.h"

#include <string.h>

int image_check_size(const char *path, size_t width, size_t height, struct caelum_error *err) {
    if (width < 1 || height < 1) return caelum_fail(err, CAELUM_EFORMAT, "%s: declares no pixels", path);
    if (width > IMAGE_MOST_PIXELS / height)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: declares %zux%zu pixels; at most %zu in all are read",
                           path, width, height, IMAGE_MOST_PIXELS);
    return CAELUM_OK;
}

int image_allocate(struct caelum_picture *picture, const char *path, size_t width, size_t height,
                   struct caelum_error *err) {
    CHECK(image_check_size(path, width, height, err));
    uint8_t *pixels;
    CHECK(mem_alloc(&pixels, width * height, 3, err));
    *picture = (struct caelum_picture){width, height, pixels};
    return CAELUM_OK;
}

void image_over_white(const uint8_t *rgba, uint8_t *rgb, size_t width) {
    for (size_t x = 0; x < width; x++)
        for (size_t c = 0; c < 3; c++) {
            const unsigned a = rgba[4 * x + 3];
            rgb[3 * x + c] = (uint8_t)((rgba[4 * x + c] * a + 255 * (255 - a) + 127) / 255);
        }
}

int image_sink_add(struct image_sink *sink, const void *bytes, size_t size, struct caelum_error *err) {
    if (size > sink->capacity - sink->size) {
        const size_t capacity = 2 * sink->capacity + size;
        uint8_t *grown = NULL;
        CHECK(mem_alloc(&grown, capacity, 1, err));
        if (sink->size > 0) memcpy(grown, sink->bytes, sink->size);
        mem_free(&sink->bytes);
        sink->bytes = grown;
        sink->capacity = capacity;
    }
    if (size > 0) memcpy(sink->bytes + sink->size, bytes, size);
    sink->size += size;
    return CAELUM_OK;
}

bool image_format_of_bytes(const uint8_t *bytes, size_t size, enum caelum_picture_format *format) {
    if (size >= 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0)
        *format = CAELUM_PNG;
    else if (size >= 3 && memcmp(bytes, "\xff\xd8\xff", 3) == 0)
        *format = CAELUM_JPEG;
    else if (size >= 12 && memcmp(bytes, "RIFF", 4) == 0 && memcmp(bytes + 8, "WEBP", 4) == 0)
        *format = CAELUM_WEBP;
    else
        return false;
    return true;
}

bool image_format_of_name(const char *name, enum caelum_picture_format *format) {
    static const struct {
        const char *ending;
        enum caelum_picture_format format;
    } known[] = {{".png", CAELUM_PNG}, {".jpg", CAELUM_JPEG}, {".jpeg", CAELUM_JPEG}, {".webp", CAELUM_WEBP}};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof known / sizeof *known; i++)
        if (ascii_same(dot, known[i].ending)) {
            *format = known[i].format;
            return true;
        }
    return false;
}

int caelum_picture_decode(struct caelum_picture *picture, const uint8_t *bytes, size_t size, const char *name,
                          struct caelum_error *err) {
    static int (*const decoders[])(struct caelum_picture *, const char *, const uint8_t *, size_t,
                                   struct caelum_error *) = {
        [CAELUM_PNG] = png_decode, [CAELUM_JPEG] = jpeg_decode, [CAELUM_WEBP] = webp_decode};
    enum caelum_picture_format format;
    if (!image_format_of_bytes(bytes, size, &format))
        return caelum_fail(err, CAELUM_EFORMAT, "%s: not a PNG, JPEG or WebP picture", name);
    return decoders[format](picture, name, bytes, size, err);
}

int caelum_picture_load(struct caelum_picture *picture, const char *path, struct caelum_error *err) {
    uint8_t *bytes = NULL;
    size_t size;
    CHECK(file_read(path, (size_t)1 << 30, &bytes, &size, err));
    const int result = caelum_picture_decode(picture, bytes, size, path, err);
    mem_free(&bytes);
    return result;
}

int caelum_picture_encode(const struct caelum_picture *picture, enum caelum_picture_format format,
                          uint8_t **bytes, size_t *size, struct caelum_error *err) {
    static int (*const encoders[])(const struct caelum_picture *, struct image_sink *,
                                   struct caelum_error *) = {
        [CAELUM_PNG] = png_encode, [CAELUM_JPEG] = jpeg_encode, [CAELUM_WEBP] = webp_encode};
    const size_t width = picture->width, height = picture->height;
    if (width < 1 || height < 1 || width > IMAGE_MOST_PIXELS / height)
        return caelum_fail(err, CAELUM_EUSAGE, "%zux%zu pixels can't be written; between 1 and %zu can",
                           width, height, IMAGE_MOST_PIXELS);
    struct image_sink sink = {0};
    const int result = encoders[format](picture, &sink, err);
    if (result != 0) {
        mem_free(&sink.bytes);
        return result;
    }
    *bytes = sink.bytes;
    *size = sink.size;
    return CAELUM_OK;
}

void caelum_picture_bytes_free(uint8_t **bytes) {
    mem_free(bytes);
}

int caelum_picture_save(const struct caelum_picture *picture, const char *path, struct caelum_error *err) {
    enum caelum_picture_format format = CAELUM_PNG;
    uint8_t *bytes = NULL;
    size_t size;
    if (!image_format_of_name(path, &format))
        return caelum_fail(err, CAELUM_EUSAGE, "%s: a picture's name must end in .png, .jpg, .jpeg or .webp",
                           path);
    int result = caelum_picture_encode(picture, format, &bytes, &size, err);
    if (result != 0) return caelum_fail_in(err, result, "%s", path);
    result = file_write(path, bytes, size, err);
    mem_free(&bytes);
    return result;
}

void caelum_picture_free(struct caelum_picture *picture) {
    mem_free(&picture->pixels);
    *picture = (struct caelum_picture){0};
}
