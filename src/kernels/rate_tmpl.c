/* rate_tmpl.c - whole numbers of steps, and what they cost: the Laplace distribution that layers/quantize.c
 * predicts for each, cut into cells of one step. */

/* The nearest whole number, halves to even, within +-QUANTIZE_MOST. */
INLINE vf nearest(vf x) {
    const float shift = 0x1.8p23f;
    const vf most = splat(QUANTIZE_MOST);
    x = pick(x > most, most, x);
    x = pick(x < -most, -most, x);
    const vf t = x + shift;
    return t - shift;
}

static void FN(quantize)(const struct tensor *x, float step, bool whole, float unit, const struct tensor *y) {
    const vf inverse = splat(1.0f / step);
    for (size_t c = 0; c < y->c; c++)
        for (size_t i = 0; i < y->h; i++)
            for (size_t j = 0; j < y->w; j++)
                for (size_t part = 0; part < LANES; part += VW) {
                    const vf n = load(tensor_at(x, c, (ptrdiff_t)i, (ptrdiff_t)j) + part) * inverse;
                    save(tensor_at(y, c, (ptrdiff_t)i, (ptrdiff_t)j) + part, (whole ? nearest(n) : n) * unit);
                }
}

static void FN(code_size)(const struct tensor *n, const struct tensor *size) {
    for (size_t c = 0; c < n->c; c++)
        for (size_t i = 0; i < n->h; i++)
            for (size_t j = 0; j < n->w; j++)
                for (size_t part = 0; part < LANES; part += VW) {
                    const vf at = load(tensor_at(n, c, (ptrdiff_t)i, (ptrdiff_t)j) + part);
                    const vf one = pick(at < 0, -at, at) + 1.0f;
                    /* the exponent and mantissa of 1 + |n| as one number */
                    const vf log = __builtin_convertvector((vi)one - 0x3f800000, vf) * 0x1p-23f;
                    save(tensor_at(size, c, (ptrdiff_t)i, (ptrdiff_t)j) + part, log);
                }
}

/* With u = |n - mean| and s = e^scale, the cell holds P = f(u - 1/2) - f(u + 1/2), where f(z) is the mass
 * beyond z: e^(-z/s) / 2, for z < 0 one less that of -z. */
static void FN(rate_grad)(const struct rate_job *job) {
    const float weight = job->weight;
    for (size_t c = 0; c < job->n.c; c++)
        for (size_t i = 0; i < job->n.h; i++)
            for (size_t j = 0; j < job->n.w; j++)
                for (size_t part = 0; part < LANES; part += VW) {
                    float *mean = tensor_at(&job->mean, c, (ptrdiff_t)i, (ptrdiff_t)j) + part;
                    float *scale = tensor_at(&job->scale, c, (ptrdiff_t)i, (ptrdiff_t)j) + part;
                    const vf n = load(tensor_at(&job->n, c, (ptrdiff_t)i, (ptrdiff_t)j) + part);
                    const vf wide = load(scale), least = splat(RATE_LEAST), most = splat(RATE_MOST);
                    const vf held = pick(wide < least, least, pick(wide > most, most, wide));
                    const vf inverse = vexp(-held), away = n - load(mean), u = pick(away < 0, -away, away);
                    const vf low = u - 0.5f, high = u + 0.5f;
                    const vf widths = low * inverse, high_s = high * inverse, tail = splat(RATE_TAIL);
                    const vf low_s = pick(widths > tail, tail, widths);
                    const vf near = 0.5f * vexp(-pick(low_s < 0, -low_s, low_s)), far = 0.5f * vexp(-high_s);
                    const vf mass = pick(low < 0, 1.0f - near, near) - far;
                    const vf per = weight * -1.44269504f / mass; /* of a bit by the mass */
                    const vf slope = (far - near) * inverse;     /* of the mass by u */
                    const vf low_part = near * low_s, high_part = far * high_s;
                    const vf by_n = per * pick(away < 0, -slope, slope),
                             by_scale = per * (low_part - high_part);
                    vi dead;
                    for (size_t l = 0; l < VW; l++) dead[l] = part + l >= LANES - job->n.idle ? -1 : 0;
                    save(mean, (vf)(~dead & (vi)-by_n));
                    save(scale, (vf)(~dead & (wide == held) & (vi)by_scale));
                    if (!job->dx.data) continue;
                    float *dx = tensor_at(&job->dx, c, (ptrdiff_t)i, (ptrdiff_t)j) + part;
                    const vf back = by_n * job->per_step;
                    save(dx, load(dx) + (vf)(~dead & (vi)back));
                }
}

static void FN(told_grad)(const struct tensor *n, const struct tensor *by_n, const struct tensor *by_size,
                          const struct tensor *dx, float per_step) {
    for (size_t c = 0; c < n->c; c++)
        for (size_t i = 0; i < n->h; i++)
            for (size_t j = 0; j < n->w; j++)
                for (size_t part = 0; part < LANES; part += VW) {
                    const vf at = load(tensor_at(n, c, (ptrdiff_t)i, (ptrdiff_t)j) + part);
                    const vf one = pick(at < 0, -at, at) + 1.0f;
                    const vf slope = (vf)(0x7f000000 - ((vi)one & 0x7f800000)); /* 2^-exponent */
                    const vf turned = pick(at < 0, -slope, pick(at > 0, slope, splat(0)));
                    const vf size = load(tensor_at(by_size, c, (ptrdiff_t)i, (ptrdiff_t)j) + part) * turned;
                    const vf sum = load(tensor_at(by_n, c, (ptrdiff_t)i, (ptrdiff_t)j) + part) + size;
                    const vf back = sum * per_step;
                    float *to = tensor_at(dx, c, (ptrdiff_t)i, (ptrdiff_t)j) + part;
                    save(to, load(to) + back);
                }
}
