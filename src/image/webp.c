/* webp.c - WebP through libwebp; still pictures. */
#include "image/image.h"

#include <webp/decode.h>

int webp_decode(struct caelum_picture *picture, const char *path, const uint8_t *bytes, size_t size,
                struct caelum_error *err) {
    WebPDecoderConfig config;
    struct caelum_picture p = {0};
    if (!WebPInitDecoderConfig(&config) || WebPGetFeatures(bytes, size, &config.input) != VP8_STATUS_OK)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: damaged WebP", path);
    if (config.input.has_animation)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: an animation; expected a still picture", path);
    CHECK(image_allocate(&p, path, (size_t)config.input.width, (size_t)config.input.height, err));
    uint8_t *const rgba = WebPDecodeRGBA(bytes, size, NULL, NULL);
    if (!rgba) {
        caelum_picture_free(&p);
        return caelum_fail(err, CAELUM_EFORMAT, "%s: damaged WebP", path);
    }
    for (size_t i = 0; i < p.width * p.height; i++)
        for (size_t c = 0; c < 3; c++) {
            const unsigned a = rgba[4 * i + 3];
            p.pixels[3 * i + c] = (uint8_t)((rgba[4 * i + c] * a + 255 * (255 - a) + 127) / 255);
        }
    WebPFree(rgba);
    *picture = p;
    return CAELUM_OK;
}
