/* webp.c - WebP through libwebp; still pictures. */
#include "image/image.h"

#include <webp/decode.h>
#include <webp/demux.h>
#include <webp/encode.h>

static int damaged(const struct decoding *d, struct caelum_error *err) {
    return caelum_fail(err, CAELUM_EFORMAT, "%s: damaged WebP", d->path);
}

/* A lossy file has at least two bits for 16 x 16 pixels: how they are predicted. One that loses nothing may
 * have none at all. */
static double least_bytes(const WebPBitstreamFeatures *features) {
    enum { LOSSY = 1, MOST_OF_A_BYTE = 1024 };
    const size_t width = (size_t)features->width, height = (size_t)features->height;
    return features->format == LOSSY ? (double)(width * height / MOST_OF_A_BYTE) : 0;
}

static bool find_chunks(struct decoding *d, const WebPData *file) {
    WebPDemuxer *parts = WebPDemux(file);
    WebPChunkIterator chunk;
    if (!parts) return false;
    if (WebPDemuxGetChunk(parts, "ICCP", 1, &chunk)) {
        d->icc = icc_open(chunk.chunk.bytes, chunk.chunk.size, d->pixels);
        WebPDemuxReleaseChunkIterator(&chunk);
    }
    if (WebPDemuxGetChunk(parts, "EXIF", 1, &chunk)) {
        d->orientation = exif_orientation(chunk.chunk.bytes, chunk.chunk.size);
        WebPDemuxReleaseChunkIterator(&chunk);
    }
    WebPDemuxDelete(parts);
    return true;
}

/* RGB goes straight into the picture, RGBA by way of memory of its own. */
int webp_decode(struct decoding *d, struct caelum_error *err) {
    const WebPData file = {d->bytes, d->size};
    struct caelum_picture *p = &d->picture;
    WebPBitstreamFeatures features;
    if (WebPGetFeatures(d->bytes, d->size, &features) != VP8_STATUS_OK) return damaged(d, err);
    if (features.has_animation)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: an animation; expected a still picture", d->path);
    CHECK(image_begin(d, (size_t)features.width, (size_t)features.height, least_bytes(&features), err));
    const bool alpha = features.has_alpha;
    d->pixels = (struct icc_pixels){.space = ICC_RGB, .alpha = alpha};
    if (!find_chunks(d, &file)) return damaged(d, err);
    const size_t row = p->width * (alpha ? 4 : 3);
    uint8_t *rows = alpha ? WebPDecodeRGBA(d->bytes, d->size, NULL, NULL)
                          : WebPDecodeRGBInto(d->bytes, d->size, p->pixels, row * p->height, (int)row);
    if (!rows) return damaged(d, err);
    for (size_t y = 0; y < p->height; y++) image_row(d, y, rows + y * row);
    if (alpha) WebPFree(rows);
    return CAELUM_OK;
}

static int write_bytes(const uint8_t *bytes, size_t n, const WebPPicture *webp) {
    return fwrite(bytes, 1, n, webp->custom_ptr) == n;
}

int webp_encode(const struct caelum_picture *picture, FILE *to, struct caelum_error *err) {
    const size_t width = picture->width, height = picture->height;
    WebPConfig config;
    WebPPicture webp;
    if (width > WEBP_MAX_DIMENSION || height > WEBP_MAX_DIMENSION)
        return caelum_fail(err, CAELUM_EUSAGE, "%zux%zu pixels can't be written as WebP: at most %d a side",
                           width, height, WEBP_MAX_DIMENSION);
    if (!WebPConfigPreset(&config, WEBP_PRESET_DEFAULT, 90) || !WebPPictureInit(&webp))
        return caelum_fail(err, CAELUM_EFAIL,
                           "libwebp is another version than that which caelum was built for");
    webp.width = (int)width;
    webp.height = (int)height;
    webp.writer = write_bytes;
    webp.custom_ptr = to;
    const bool written =
        WebPPictureImportRGB(&webp, picture->pixels, (int)width * 3) && WebPEncode(&config, &webp);
    WebPPictureFree(&webp);
    if (written) return CAELUM_OK;
    return caelum_fail(err, CAELUM_ERESOURCE, "%zux%zu pixels not written as WebP: libwebp's error %d", width,
                       height, (int)webp.error_code);
}
