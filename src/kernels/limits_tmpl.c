/* limits_tmpl.c - what the machine could do: the bench's yardstick, not part of any network. */

/* Chains of dependent multiply-adds, enough of them to fill every unit's pipeline; returns the FLOPs
 * done. The empty asm keeps the compiler from seeing through. */
static double FN(peak)(size_t rounds) {
    enum { CHAINS = VW == 16 ? 16 : 12 };
    vf acc[CHAINS];
    const vf a = splat(0.999f), b = splat(0.001f);
    UNROLL
    for (size_t i = 0; i < CHAINS; i++) acc[i] = splat((float)i);
    for (size_t r = 0; r < rounds; r++) {
        UNROLL
        for (size_t i = 0; i < CHAINS; i++) {
            acc[i] = acc[i] * a + b;
#if defined(__x86_64__) && (VW < 16 || defined(__AVX512F__))
            __asm__ volatile("" : "+v"(acc[i]));
#endif
        }
    }
    vf sum = {0};
    UNROLL
    for (size_t i = 0; i < CHAINS; i++) sum += acc[i];
    return sum[0] < 0 ? 0 : 2.0 * VW * CHAINS * (double)rounds;
}
