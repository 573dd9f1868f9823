/* klt.h - networks whose code starts as the best linear one: `init=klt`. */
#ifndef CAELUM_TRAIN_KLT_H
#define CAELUM_TRAIN_KLT_H

#include "base/pictures.h"
#include "net/net.h"

/* Karhunen-Loeve transform of the pictures' side x side blocks, all channels together, n = c side^2 numbers
 * in the order channel, row, column, in [0, 1]: their mean [n] and an orthonormal basis [n][n], a vector a
 * row, that of the largest variance first, its largest component positive. side divides the pictures. The
 * same bits on any machine: sums of products of bytes are exact, and the eigenvectors come from Jacobi's
 * method (Golub & Van Loan, Matrix Computations, 8.5), which needs no library's order of operations. */
int klt_fit(const struct pictures *pictures, size_t side, double *mean, double *basis,
            struct caelum_error *err);

/* Overwrites the parameters of layers that ask for it. CAELUM_EFORMAT if one does whose channels are not
 * those of square blocks of these pictures. */
int klt_start(const struct caelum_net *net, const struct pictures *pictures, float *params,
              struct caelum_error *err);

#endif
