/* update_tmpl.c - what happens to parameters once a step: the sum of the blocks' gradients in a fixed
 * order, and Adam. Elementwise, so the compiler's own vectorisation leaves the bits alone. */

static void FN(sum)(float *restrict sum, const float *restrict slots, size_t count, size_t stride, size_t n) {
    for (size_t i = 0; i < n; i++) sum[i] = slots[i];
    for (size_t s = 1; s < count; s++)
        for (size_t i = 0; i < n; i++) sum[i] += slots[s * stride + i];
}

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
        m[i] = mean;
        v[i] = square;
        p[i] -= a.step * mean / root;
    }
}
