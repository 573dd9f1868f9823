/* webp.c - WebP through libwebp; still pictures. */
#include "base/mem.h"
#include "image/image.h"

#include <webp/decode.h>
#include <webp/demux.h>
#include <webp/encode.h>

static int damaged(const char *path, struct caelum_error *err) {
    return caelum_fail(err, CAELUM_EFORMAT, "%s: damaged WebP", path);
}

/* The pixels, RGB straight into the picture, RGBA by way of memory of their own. */
static int read_pixels(struct caelum_picture *p, const char *path, const WebPData *file, bool alpha,
                       const struct icc *icc, struct caelum_error *err) {
    const size_t size = p->width * p->height * 3;
    uint8_t *rgba = NULL;
    if (alpha)
        rgba = WebPDecodeRGBA(file->bytes, file->size, NULL, NULL);
    else
        rgba = WebPDecodeRGBInto(file->bytes, file->size, p->pixels, size, (int)p->width * 3);
    if (!rgba) return damaged(path, err);
    for (size_t y = 0; y < p->height; y++) {
        uint8_t *row = rgba + y * p->width * (alpha ? 4 : 3);
        if (icc) icc_row(icc, row, row, p->width);
        if (alpha) image_over_white(row, p->pixels + y * p->width * 3, p->width);
    }
    if (alpha) WebPFree(rgba);
    return CAELUM_OK;
}

static int decode(struct caelum_picture *p, const char *path, const WebPData *file, const WebPDemuxer *parts,
                  bool alpha, struct caelum_error *err) {
    WebPChunkIterator chunk;
    struct icc *icc = NULL;
    unsigned o = 1;
    if (WebPDemuxGetChunk(parts, "ICCP", 1, &chunk)) {
        icc = icc_open(chunk.chunk.bytes, chunk.chunk.size,
                       (struct icc_pixels){.space = ICC_RGB, .alpha = alpha});
        WebPDemuxReleaseChunkIterator(&chunk);
    }
    if (WebPDemuxGetChunk(parts, "EXIF", 1, &chunk)) {
        o = exif_orientation(chunk.chunk.bytes, chunk.chunk.size);
        WebPDemuxReleaseChunkIterator(&chunk);
    }
    int result = read_pixels(p, path, file, alpha, icc, err);
    icc_close(&icc);
    if (result == 0) result = exif_turn(p, path, o, err);
    return result;
}

/* A lossy file has at least two bits for 16 x 16 pixels: how they are predicted. One that loses nothing may
 * have none at all. */
static int check_size(const WebPBitstreamFeatures *features, const char *path, size_t size,
                      struct caelum_error *err) {
    enum { LOSSY = 1, MOST_OF_A_BYTE = 1024 };
    const size_t width = (size_t)features->width, height = (size_t)features->height;
    CHECK(image_check_size(path, width, height, err));
    if (features->format == LOSSY ? width * height / MOST_OF_A_BYTE > size
                                  : !image_believable(width, height, size))
        return image_too_short(path, width, height, size, err);
    return CAELUM_OK;
}

int webp_decode(struct caelum_picture *picture, const char *path, const uint8_t *bytes, size_t size,
                struct caelum_error *err) {
    const WebPData file = {bytes, size};
    WebPBitstreamFeatures features;
    struct caelum_picture p = {0};
    if (WebPGetFeatures(bytes, size, &features) != VP8_STATUS_OK) return damaged(path, err);
    if (features.has_animation)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: an animation; expected a still picture", path);
    CHECK(check_size(&features, path, size, err));
    CHECK(image_allocate(&p, path, (size_t)features.width, (size_t)features.height, err));
    WebPDemuxer *parts = WebPDemux(&file);
    const int result = parts ? decode(&p, path, &file, parts, features.has_alpha, err) : damaged(path, err);
    WebPDemuxDelete(parts);
    if (result == 0)
        *picture = p;
    else
        caelum_picture_free(&p);
    return result;
}

struct target {
    struct image_sink *sink;
    struct caelum_error *err;
    int result; /* the sink's */
};

static int write_bytes(const uint8_t *bytes, size_t n, const WebPPicture *webp) {
    struct target *t = webp->custom_ptr;
    t->result = image_sink_add(t->sink, bytes, n, t->err);
    return t->result == 0;
}

int webp_encode(const struct caelum_picture *picture, struct image_sink *sink, struct caelum_error *err) {
    struct target target = {sink, err, CAELUM_OK};
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
    webp.custom_ptr = &target;
    const bool written =
        WebPPictureImportRGB(&webp, picture->pixels, (int)width * 3) && WebPEncode(&config, &webp);
    WebPPictureFree(&webp);
    if (written) return CAELUM_OK;
    if (target.result != 0) return target.result;
    return caelum_fail(err, CAELUM_ERESOURCE, "%zux%zu pixels not written as WebP: libwebp's error %d", width,
                       height, (int)webp.error_code);
}
