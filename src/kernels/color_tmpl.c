/* color_tmpl.c - colors: a block of RGB pictures to luminance and chroma. The weights of luminance sum to
 * 1, so Y = G + .299 (R - G) + .114 (B - G): one product a statement, and a grey pixel's Y is exactly its
 * grey, its U and V exactly 0. */

static void FN(to_yuv)(const struct tensor *rgb, const struct tensor *y, const struct tensor *uv) {
    for (size_t i = 0; i < rgb->h; i++) {
        const float *in = tensor_at(rgb, 0, (ptrdiff_t)i, 0);
        float *luma = tensor_at(y, 0, (ptrdiff_t)i, 0);
        float *chroma = uv->data ? tensor_at(uv, 0, (ptrdiff_t)i, 0) : NULL;
        for (size_t j = 0; j < rgb->w; j++)
            for (size_t part = 0; part < LANES; part += VW) {
                const float *at = in + j * rgb->step + part;
                const vf r = load(at), g = load(at + rgb->plane), b = load(at + 2 * rgb->plane);
                vf v = g;
                v += (r - g) * 0.299f;
                v += (b - g) * 0.114f;
                save(luma + j * y->step + part, v);
                if (!chroma) continue;
                save(chroma + j * uv->step + part, (b - v) * 0.492f);
                save(chroma + uv->plane + j * uv->step + part, (r - v) * 0.877f);
            }
    }
}
