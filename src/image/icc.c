/* icc.c - colors that a file describes, by a profile or by a few numbers, to sRGB through Little CMS. */
#include "image/image.h"

#include <lcms2.h>
#include <math.h>
#include <stdlib.h>

/* Little CMS describes a pixel by a word of bit fields. Copied alpha is scaled to the output's depth. */
static cmsUInt32Number layout(struct icc_pixels p) {
    static const cmsUInt32Number spaces[] = {PT_GRAY, PT_RGB, PT_CMYK}, channels[] = {1, 3, 4};
    return COLORSPACE_SH(spaces[p.space]) | CHANNELS_SH(channels[p.space]) | BYTES_SH(p.wide ? 2u : 1u) |
           EXTRA_SH(p.alpha ? 1u : 0u) | FLAVOR_SH(p.inverted ? 1u : 0u);
}

/* NULL also where the profile is for pixels of another kind: Little CMS looks. The usual intent for pictures;
 * profiles without tables for it have only one. */
static cmsHTRANSFORM make(cmsHPROFILE from, cmsHPROFILE to, struct icc_pixels p, cmsUInt32Number flags) {
    if (p.alpha) flags |= cmsFLAGS_COPY_ALPHA;
    return cmsCreateTransform(from, layout(p), to, p.alpha ? TYPE_RGBA_8 : TYPE_RGB_8, INTENT_PERCEPTUAL,
                              flags);
}

/* Colors in 8 bits spread over all that a profile describes. */
enum { SIDE = 16, STEP = 255 / (SIDE - 1), COLORS = SIDE * SIDE * SIDE };
struct sample {
    unsigned n;
    uint8_t in[COLORS * 3], out[COLORS * 3];
};

static void take_sample(struct sample *s, bool grey) {
    s->n = grey ? 256 : COLORS;
    for (unsigned i = 0; i < s->n; i++) {
        if (grey) s->in[i] = (uint8_t)i;
        for (unsigned c = 0, rest = i; c < 3 && !grey; c++, rest /= SIDE)
            s->in[3 * i + c] = (uint8_t)(rest % SIDE * STEP);
    }
}

/* False if there is no such transform. */
static bool convert(struct sample *s, cmsHPROFILE from, cmsHPROFILE to, bool grey, cmsUInt32Number flags) {
    const cmsHTRANSFORM transform =
        make(from, to, (struct icc_pixels){.space = grey ? ICC_GREY : ICC_RGB}, flags);
    if (!transform) return false;
    cmsDoTransform(transform, s->in, s->out, s->n);
    cmsDeleteTransform(transform);
    return true;
}

/* How a profile's colors are to be computed. */
enum way { AS_IT_IS, QUICKLY, EXACTLY };

/* Left alone where they stay within 1 of what they are: there are dozens of sRGB profiles; this knows them
 * all, and their pictures are the same with and without them. Little CMS puts a table in place of what it is
 * to compute, or short cuts for 8 bits, and these can be 30 of 255 off; they are taken only where they are
 * seen to be right. Exact takes 0.3 microseconds a pixel. */
static enum way find_way(cmsHPROFILE profile, cmsHPROFILE srgb, struct icc_pixels p) {
    const bool grey = p.space == ICC_GREY;
    struct sample exact, quick;
    bool same = true, close = !p.wide;
    if (p.space == ICC_CMYK) return EXACTLY;
    take_sample(&exact, grey);
    take_sample(&quick, grey);
    if (!convert(&exact, profile, srgb, grey, cmsFLAGS_NOOPTIMIZE) ||
        !convert(&quick, profile, srgb, grey, 0))
        return EXACTLY;
    for (unsigned i = 0; i < exact.n * 3; i++) {
        if (abs(exact.out[i] - exact.in[grey ? i / 3 : i]) > 1) same = false;
        if (abs(exact.out[i] - quick.out[i]) > 1) close = false;
    }
    return same ? AS_IT_IS : close && (grey || cmsIsMatrixShaper(profile)) ? QUICKLY : EXACTLY;
}

/* Closes the profile. A struct icc is what Little CMS calls a transform. */
static struct icc *open_profile(cmsHPROFILE profile, struct icc_pixels pixels) {
    const cmsHPROFILE srgb = cmsCreate_sRGBProfile();
    const enum way way = profile && srgb ? find_way(profile, srgb, pixels) : AS_IT_IS;
    cmsHTRANSFORM transform = NULL;
    if (way != AS_IT_IS) transform = make(profile, srgb, pixels, way == EXACTLY ? cmsFLAGS_NOOPTIMIZE : 0);
    if (srgb) cmsCloseProfile(srgb);
    if (profile) cmsCloseProfile(profile);
    return transform;
}

struct icc *icc_open(const uint8_t *bytes, size_t size, struct icc_pixels pixels) {
    if (size > UINT32_MAX) return NULL;
    return open_profile(cmsOpenProfileFromMem(bytes, (cmsUInt32Number)size), pixels);
}

/* The light of a stored value: a table, in which each of 8 bits' values has a place of its own. */
static cmsToneCurve *curve_of(const struct light *light, bool wide) {
    enum { PLACES = 255 * 16 + 1 };
    const struct transfer *t = &light->transfer;
    const double values = wide ? 65535.0 / 256 : 255;
    cmsUInt16Number table[PLACES];
    for (size_t i = 0; i < PLACES; i++) {
        const double stored = (double)i / (PLACES - 1);
        const double whole = light->narrow ? (stored * values - 16) / (235 - 16) : stored;
        const double v = whole < 0 ? 0 : whole > 1 ? 1 : whole;
        const double y = v < t->split ? v / t->slope : pow((v + t->offset) / (1 + t->offset), t->power);
        table[i] = (cmsUInt16Number)(65535 * y + 0.5);
    }
    return cmsBuildTabulatedToneCurve16(NULL, PLACES, table);
}

struct icc *icc_of_light(const struct light *light, struct icc_pixels pixels) {
    const double *x = light->x, *y = light->y;
    const struct transfer *t = &light->transfer;
    const bool grey = pixels.space == ICC_GREY;
    bool usual = !light->narrow && (t->split == light_srgb.transfer.split ||
                                    (t->split == 0 && fabs(t->power / 2.2 - 1) < 0.05));
    for (size_t i = 0; i < 4 && !grey; i++)
        usual = usual && fabs(x[i] - light_srgb.x[i]) + fabs(y[i] - light_srgb.y[i]) < 0.001;
    cmsToneCurve *curve = usual ? NULL : curve_of(light, pixels.wide);
    if (!curve) return NULL;
    const cmsCIExyY white = {x[0], y[0], 1};
    const cmsCIExyYTRIPLE primaries = {{x[1], y[1], 1}, {x[2], y[2], 1}, {x[3], y[3], 1}};
    const cmsHPROFILE profile =
        grey ? cmsCreateGrayProfile(cmsD50_xyY(), curve)
             : cmsCreateRGBProfile(&white, &primaries, (cmsToneCurve *[]){curve, curve, curve});
    cmsFreeToneCurve(curve);
    return open_profile(profile, pixels);
}

void icc_row(struct icc *icc, const void *in, uint8_t *out, size_t width) {
    cmsDoTransform(icc, in, out, (cmsUInt32Number)width);
}

void icc_close(struct icc **icc) {
    if (*icc) cmsDeleteTransform(*icc);
    *icc = NULL;
}
