/* linear_code.h - the best linear autoencoders, in closed form: global PCA and block KLT. They are what a
 * trained network has to beat, so every result is shown next to them. */
#ifndef CAELUM_EVAL_LINEAR_CODE_H
#define CAELUM_EVAL_LINEAR_CODE_H

#include "base/error.h"
#include "base/pictures.h"

/* An orthonormal basis, most important vector first. */
struct linear_code {
    size_t n;     /* numbers that go in: dimension of the space */
    size_t h, w;  /* of the blocks; of the whole picture for PCA */
    float *mean;  /* [n] */
    float *basis; /* [n][n], a vector a row */
};

/* Karhunen-Loeve transform of h x w blocks, all channels together, fitted on every block of the set. With
 * h, w the size of the pictures it is PCA, and then the mirrored pictures are counted in. Blocks must
 * divide the picture. Covariances are summed in double. */
int linear_code_fit(struct linear_code *code, const struct pictures *pictures, size_t h, size_t w,
                    struct caelum_error *err);
void linear_code_free(struct linear_code *code);

/* Codes every picture with `keep` <= n numbers a block and measures what comes back. */
int linear_code_measure(const struct linear_code *code, size_t keep, const struct pictures *pictures,
                        struct caelum_metrics *metrics, struct caelum_error *err);

#endif
