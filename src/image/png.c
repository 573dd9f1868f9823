/* png.c - PNG through libpng's simplified interface: any depth, palette, grey or alpha becomes 8-bit
 * sRGB; 16-bit files without a gamma of their own are taken as sRGB too. */
#include "base/mem.h"
#include "image/image.h"

#include <png.h>

int png_decode(struct caelum_picture *picture, const char *path, const uint8_t *bytes, size_t size,
               struct caelum_error *err) {
    png_image image = {.version = PNG_IMAGE_VERSION};
    const png_color white = {255, 255, 255};
    struct caelum_picture p = {0};
    if (!png_image_begin_read_from_memory(&image, bytes, size))
        return caelum_fail(err, CAELUM_EFORMAT, "%s: damaged PNG: %s", path, image.message);
    image.format = PNG_FORMAT_RGB;
    image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
    int result = image_allocate(&p, path, image.width, image.height, err);
    if (result == 0 && !png_image_finish_read(&image, &white, p.pixels, 0, NULL))
        result = caelum_fail(err, CAELUM_EFORMAT, "%s: damaged PNG: %s", path, image.message);
    png_image_free(&image);
    if (result == 0)
        *picture = p;
    else
        caelum_picture_free(&p);
    return result;
}
