/* activation_tmpl.c - activations and their derivatives, pixel by pixel, from the rows of activations.def;
 * the loops are compiled once a row, so that nothing is decided per pixel. */

/* 1 / (1 + e^-x) */
INLINE vf vsigmoid(vf x) {
    return 1.0f / (1.0f + vexp(-x));
}

/* Twice the inner function of the tanh form of GELU (Hendrycks & Gimpel 2016, arXiv 1606.08415):
 * x (1 + tanh z) / 2 = x sigmoid(2z), z = sqrt(2 / pi) (x + 0.044715 x^3). */
INLINE vf gelu_inner(vf x) {
    const vf cubic = x * x * 0.0713548162726f + 1.59576912161f;
    return x * cubic;
}

INLINE vf gelu_slope(vf g, vf v) {
    const vf s = vsigmoid(gelu_inner(v)), slope = v * v * 0.214064448818f + 1.59576912161f;
    const vf bend = v * s * (1.0f - s);
    return g * (bend * slope + s);
}

INLINE vf silu_slope(vf g, vf v) {
    const vf s = vsigmoid(v), bend = v * s;
    return g * (bend * (1.0f - s) + s);
}

/* x / 6 + 1/2, held within 0 and 1; and the slope of x times that, 1 above 3 and 0 below -3 (Howard et al.
 * 2019, arXiv 1905.02244). */
INLINE vf hard_sigmoid(vf x) {
    const vf line = x * (1.0f / 6) + 0.5f, floor = positive(line);
    return pick(floor > 1.0f, splat(1.0f), floor);
}
INLINE vf hard_swish_slope(vf v) {
    const vf line = v * (1.0f / 3) + 0.5f, floor = pick(v < -3.0f, splat(0.0f), line);
    return pick(v > 3.0f, splat(1.0f), floor);
}

/* max(x, 0) + ln(1 + e^-|x|) */
INLINE vf vsoftplus(vf x) {
    const vf over = positive(x), under = positive(-x);
    return over + vlog(1.0f + vexp(-(over + under)));
}

/* The share of a normal distribution below -|x|, erfc(|x| / sqrt 2) / 2, to about 1.2e-7 of itself (Press et
 * al., Numerical Recipes, 2nd edition, 6.2). */
INLINE vf tail(vf x) {
    const vf z = (positive(x) + positive(-x)) * 0.70710678118655f, t = 1.0f / (1.0f + z * 0.5f);
    const vf square = z * z;
    vf p = splat(0.17087277f);
    p = p * t - 0.82215223f;
    p = p * t + 1.48851587f;
    p = p * t - 1.13520398f;
    p = p * t + 0.27886807f;
    p = p * t - 0.18628806f;
    p = p * t + 0.09678418f;
    p = p * t + 0.37409196f;
    p = p * t + 1.00002368f;
    p = p * t - 1.26551223f;
    return t * 0.5f * vexp(p - square);
}

/* x times the share below x: GELU as it is defined (Hendrycks & Gimpel 2016). */
INLINE vf gelu_erf(vf x) {
    const vf lower = x * tail(x);
    return pick(x > 0, x - lower, lower);
}

INLINE vf gelu_erf_slope(vf g, vf v) {
    const vf lower = tail(v), share = pick(v > 0, 1.0f - lower, lower);
    const vf square = v * v, density = vexp(square * -0.5f) * 0.398942280401433f;
    return g * (v * density + share);
}

INLINE vf activate(vf x, const enum activation act) {
    switch (act) {
#define ACTIVATION(name, truth, keeps, forward, backward, onnx) \
    case ACT_##name:                                            \
        return forward;
#include "kernels/activations.def"
#undef ACTIVATION
    case ACTIVATIONS:
        break;
    }
    return x;
}

/* g times the derivative at the point whose output, or for those that activation_keeps_input names whose
 * input, is v. */
INLINE vf through(vf g, vf v, const enum activation act) {
    switch (act) {
#define ACTIVATION(name, truth, keeps, forward, backward, onnx) \
    case ACT_##name:                                            \
        return backward;
#include "kernels/activations.def"
#undef ACTIVATION
    case ACTIVATIONS:
        break;
    }
    return g;
}

INLINE void act_all(const struct tensor *x, const struct tensor *y, const enum activation act) {
    for (size_t c = 0; c < x->c; c++)
        for (size_t i = 0; i < x->h; i++) {
            const float *in = tensor_at(x, c, (ptrdiff_t)i, 0);
            float *out = tensor_at(y, c, (ptrdiff_t)i, 0);
            for (size_t j = 0; j < x->w; j++)
                for (size_t part = 0; part < LANES; part += VW)
                    save(out + j * y->step + part, activate(load(in + j * x->step + part), act));
        }
}

INLINE void act_grad_all(const struct tensor *at, const struct tensor *dy, const enum activation act) {
    for (size_t c = 0; c < at->c; c++)
        for (size_t i = 0; i < at->h; i++) {
            const float *in = tensor_at(at, c, (ptrdiff_t)i, 0);
            float *d = tensor_at(dy, c, (ptrdiff_t)i, 0);
            for (size_t j = 0; j < at->w; j++)
                for (size_t part = 0; part < LANES; part += VW) {
                    const vf v = load(in + j * at->step + part), g = load(d + j * dy->step + part);
                    save(d + j * dy->step + part, through(g, v, act));
                }
        }
}

static void FN(act)(const struct tensor *x, const struct tensor *y, enum activation act) {
    if (act == ACT_linear && x->data == y->data) return;
    switch (act) {
#define ACTIVATION(name, truth, keeps, forward, backward, onnx) \
    case ACT_##name:                                            \
        act_all(x, y, ACT_##name);                              \
        break;
#include "kernels/activations.def"
#undef ACTIVATION
    case ACTIVATIONS:
        break;
    }
}

static void FN(act_grad)(const struct tensor *at, const struct tensor *dy, enum activation act) {
    if (act == ACT_linear) return;
    switch (act) {
#define ACTIVATION(name, truth, keeps, forward, backward, onnx) \
    case ACT_##name:                                            \
        act_grad_all(at, dy, ACT_##name);                       \
        break;
#include "kernels/activations.def"
#undef ACTIVATION
    case ACTIVATIONS:
        break;
    }
}
