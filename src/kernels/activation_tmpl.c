/* activation_tmpl.c - activations and their derivatives, pixel by pixel. Each is one case in `activate` and
 * one in `through`; the loops are compiled once a case, so that nothing is decided per pixel. */

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

INLINE vf activate(vf x, const enum activation act) {
    switch (act) {
    case ACT_RELU:
        return positive(x);
    case ACT_LEAKY:
        return pick(x > 0, x, x * LEAKY_SLOPE);
    case ACT_ELU:
        return pick(x > 0, x, vexp(x) - 1.0f);
    case ACT_GELU:
        return x * vsigmoid(gelu_inner(x));
    case ACT_SILU:
        return x * vsigmoid(x);
    case ACT_SIGMOID:
        return vsigmoid(x);
    case ACT_TANH:
        return 1.0f - 2.0f / (1.0f + vexp(x + x));
    case ACT_LINEAR:
        break;
    }
    return x;
}

/* g times the derivative at the point whose output, or for those that activation_keeps_input names whose
 * input, is v. */
INLINE vf through(vf g, vf v, const enum activation act) {
    switch (act) {
    case ACT_RELU:
        return (vf)((vi)g & (v > 0));
    case ACT_LEAKY:
        return pick(v > 0, g, g * LEAKY_SLOPE);
    case ACT_ELU:
        return pick(v > 0, g, g * (v + 1.0f));
    case ACT_GELU: {
        const vf s = vsigmoid(gelu_inner(v)), slope = v * v * 0.214064448818f + 1.59576912161f;
        const vf bend = v * s * (1.0f - s);
        return g * (bend * slope + s);
    }
    case ACT_SILU: {
        const vf s = vsigmoid(v), bend = v * s;
        return g * (bend * (1.0f - s) + s);
    }
    case ACT_SIGMOID:
        return g * (v * (1.0f - v));
    case ACT_TANH:
        return g * (1.0f - v * v);
    case ACT_LINEAR:
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

/* One copy of the loop for each activation but ACT_LINEAR. */
#define EACH_ACTIVATION(loop, a, b) \
    case ACT_RELU:                  \
        loop(a, b, ACT_RELU);       \
        break;                      \
    case ACT_LEAKY:                 \
        loop(a, b, ACT_LEAKY);      \
        break;                      \
    case ACT_ELU:                   \
        loop(a, b, ACT_ELU);        \
        break;                      \
    case ACT_GELU:                  \
        loop(a, b, ACT_GELU);       \
        break;                      \
    case ACT_SILU:                  \
        loop(a, b, ACT_SILU);       \
        break;                      \
    case ACT_SIGMOID:               \
        loop(a, b, ACT_SIGMOID);    \
        break;                      \
    case ACT_TANH:                  \
        loop(a, b, ACT_TANH);       \
        break

static void FN(act)(const struct tensor *x, const struct tensor *y, enum activation act) {
    switch (act) {
        EACH_ACTIVATION(act_all, x, y);
    case ACT_LINEAR:
        if (x->data != y->data) act_all(x, y, ACT_LINEAR);
        break;
    }
}

static void FN(act_grad)(const struct tensor *at, const struct tensor *dy, enum activation act) {
    switch (act) {
        EACH_ACTIVATION(act_grad_all, at, dy);
    case ACT_LINEAR:
        break;
    }
}
