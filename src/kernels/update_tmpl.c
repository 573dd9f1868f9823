/* update_tmpl.c - the rules by which a gradient becomes a change of the parameters. Elementwise, so the
 * compiler's own vectorisation leaves the bits alone. */

static void FN(adam)(const struct adam_job *job) {
    float *restrict p = job->p, *restrict m = job->m, *restrict v = job->v;
    const float *restrict g = job->g;
    const struct adam_job a = *job;
    for (size_t i = 0; i < a.n; i++) {
        /* m + (1 - beta)(g - m) rather than beta m + (1 - beta) g: one product, one way to fuse it */
        const float mean = m[i] + a.one_minus_beta1 * (g[i] - m[i]);
        const float excess = g[i] * g[i] - v[i];
        const float square = v[i] + a.one_minus_beta2 * excess;
        const float root = __builtin_sqrtf(square) * a.inv_sqrt_bias2 + a.epsilon;
        const float kept = p[i] - a.decay * p[i];
        m[i] = mean;
        v[i] = square;
        p[i] = kept - a.step * mean / root;
    }
}

static void FN(sgd)(const struct sgd_job *job) {
    float *restrict p = job->p, *restrict m = job->m;
    const float *restrict g = job->g;
    const struct sgd_job a = *job;
    for (size_t i = 0; i < a.n; i++) {
        m[i] = m[i] * a.momentum + g[i];
        p[i] -= a.lr * m[i];
    }
}

static void FN(rmsprop)(const struct rmsprop_job *job) {
    float *restrict p = job->p, *restrict v = job->v;
    const float *restrict g = job->g;
    const struct rmsprop_job a = *job;
    for (size_t i = 0; i < a.n; i++) {
        const float excess = g[i] * g[i] - v[i];
        const float square = v[i] + a.one_minus_alpha * excess;
        v[i] = square;
        p[i] -= a.lr * g[i] / (__builtin_sqrtf(square) + a.epsilon);
    }
}

static void FN(approach)(float *restrict y, const float *restrict x, float rate, size_t n) {
    for (size_t i = 0; i < n; i++) y[i] += rate * (x[i] - y[i]);
}

static void FN(add_scaled)(float *restrict y, const float *restrict x, float a, size_t n) {
    for (size_t i = 0; i < n; i++) y[i] += a * x[i];
}
