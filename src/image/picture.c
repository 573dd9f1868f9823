/* picture.c - loading and saving pictures; formats are told apart by their first bytes, not by name. */
#include "base/file.h"
#include "base/mem.h"
#include "image/image.h"

#include <png.h>
#include <stdlib.h>
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

int caelum_picture_load(struct caelum_picture *picture, const char *path, struct caelum_error *err) {
    uint8_t *bytes = NULL;
    size_t size;
    CHECK(file_read(path, (size_t)1 << 30, &bytes, &size, err));
    int result;
    if (size >= 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0)
        result = png_decode(picture, path, bytes, size, err);
    else if (size >= 3 && memcmp(bytes, "\xff\xd8\xff", 3) == 0)
        result = jpeg_decode(picture, path, bytes, size, err);
    else if (size >= 12 && memcmp(bytes, "RIFF", 4) == 0 && memcmp(bytes + 8, "WEBP", 4) == 0)
        result = webp_decode(picture, path, bytes, size, err);
    else
        result = caelum_fail(err, CAELUM_EFORMAT, "%s: not a PNG, JPEG or WebP picture", path);
    mem_free(&bytes);
    return result;
}

int caelum_picture_save(const struct caelum_picture *picture, const char *path, struct caelum_error *err) {
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (png_uint_32)picture->width,
                       .height = (png_uint_32)picture->height,
                       .format = PNG_FORMAT_RGB};
    struct file_writer writer;
    CHECK(file_begin(&writer, path, err));
    if (!png_image_write_to_stdio(&image, writer.stream, 0, picture->pixels, 0, NULL)) {
        file_abandon(&writer);
        return caelum_fail(err, CAELUM_EIO, "%s: not written: %s", path, image.message);
    }
    return file_commit(&writer, err);
}

void caelum_picture_free(struct caelum_picture *picture) {
    mem_free(&picture->pixels);
    *picture = (struct caelum_picture){0};
}
