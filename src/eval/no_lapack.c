/* no_lapack.c - in a build without LAPACK: no linear codes. */
#include "eval/linear_code.h"

static int missing(struct caelum_error *err) {
    return caelum_fail(err, CAELUM_EUSAGE,
                       "this build computes no linear codes: it was made without LAPACK; "
                       "`caelum eval --no-baselines` does without");
}

int linear_code_fit(struct linear_code *code, const struct pictures *pictures, size_t h, size_t w,
                    struct caelum_error *err) {
    (void)code, (void)pictures, (void)h, (void)w;
    return missing(err);
}

int linear_code_measure(const struct linear_code *code, size_t keep, const struct pictures *pictures,
                        struct caelum_metrics *metrics, struct caelum_error *err) {
    (void)code, (void)keep, (void)pictures, (void)metrics;
    return missing(err);
}

void linear_code_free(struct linear_code *code) {
    (void)code;
}
