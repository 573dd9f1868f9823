/* icc.c - embedded color profiles to sRGB through Little CMS. */
#include "base/mem.h"
#include "image/image.h"

#include <lcms2.h>
#include <stdlib.h>

struct icc {
    cmsHTRANSFORM transform;
};

/* Little CMS describes a pixel by a word of bit fields. Copied alpha is scaled to the output's depth. */
static cmsUInt32Number layout(struct icc_pixels p) {
    static const cmsUInt32Number spaces[] = {PT_GRAY, PT_RGB, PT_CMYK}, channels[] = {1, 3, 4};
    return COLORSPACE_SH(spaces[p.space]) | CHANNELS_SH(channels[p.space]) | BYTES_SH(p.wide ? 2u : 1u) |
           EXTRA_SH(p.alpha ? 1u : 0u) | FLAVOR_SH(p.inverted ? 1u : 0u);
}

/* NULL also where the profile is for pixels of another kind: Little CMS looks. The usual intent for pictures;
 * profiles without tables for it have only one. */
static cmsHTRANSFORM make(cmsHPROFILE from, cmsHPROFILE to, struct icc_pixels p) {
    /* Little CMS would put a coarse table in place of a computation in 16 bits: up to 21 of 255 off where the
     * profile's colors leave sRGB. Exact takes 0.3 microseconds a pixel; 8 bits have an exact short cut of
     * their own. */
    const cmsUInt32Number flags = (p.alpha ? cmsFLAGS_COPY_ALPHA : 0) | (p.wide ? cmsFLAGS_NOOPTIMIZE : 0);
    return cmsCreateTransform(from, layout(p), to, p.alpha ? TYPE_RGBA_8 : TYPE_RGB_8, INTENT_PERCEPTUAL,
                              flags);
}

/* Whether colors spread over the whole cube stay within 1 of what they are. There are dozens of sRGB
 * profiles; this knows them all, and their pictures are the same with and without them. */
static bool is_srgb(cmsHPROFILE profile, cmsHPROFILE srgb, struct icc_pixels p) {
    enum { SIDE = 16, STEP = 255 / (SIDE - 1), COLORS = SIDE * SIDE * SIDE };
    uint8_t in[COLORS * 3], out[COLORS * 3];
    const bool grey = p.space == ICC_GREY;
    const unsigned n = grey ? 256 : COLORS;
    if (p.space == ICC_CMYK) return false;
    for (unsigned i = 0; i < n; i++) {
        if (grey) in[i] = (uint8_t)i;
        for (unsigned c = 0, rest = i; c < 3 && !grey; c++, rest /= SIDE)
            in[3 * i + c] = (uint8_t)(rest % SIDE * STEP);
    }
    const cmsHTRANSFORM transform = make(profile, srgb, (struct icc_pixels){.space = p.space});
    if (!transform) return false;
    cmsDoTransform(transform, in, out, n);
    cmsDeleteTransform(transform);
    for (unsigned i = 0; i < n * 3; i++)
        if (abs(out[i] - in[grey ? i / 3 : i]) > 1) return false;
    return true;
}

struct icc *icc_open(const uint8_t *bytes, size_t size, struct icc_pixels pixels) {
    struct icc *icc = NULL;
    if (size > UINT32_MAX) return NULL;
    const cmsHPROFILE profile = cmsOpenProfileFromMem(bytes, (cmsUInt32Number)size);
    const cmsHPROFILE srgb = cmsCreate_sRGBProfile();
    if (profile && srgb && !is_srgb(profile, srgb, pixels)) {
        const cmsHTRANSFORM transform = make(profile, srgb, pixels);
        if (transform && mem_alloc(&icc, 1, sizeof *icc, NULL) == 0)
            icc->transform = transform;
        else if (transform)
            cmsDeleteTransform(transform);
    }
    if (srgb) cmsCloseProfile(srgb);
    if (profile) cmsCloseProfile(profile);
    return icc;
}

void icc_row(const struct icc *icc, const void *in, uint8_t *out, size_t width) {
    cmsDoTransform(icc->transform, in, out, (cmsUInt32Number)width);
}

void icc_close(struct icc **icc) {
    if (!*icc) return;
    cmsDeleteTransform((*icc)->transform);
    mem_free(icc);
}
