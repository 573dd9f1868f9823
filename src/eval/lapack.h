/* lapack.h - BLAS and LAPACK, loaded when they are first needed: OpenBLAS starts a thread for each processor
 * as soon as it is loaded, which ends the process where threads are limited, and waits for ever for memory
 * that it can't get. So no other work has it in its process, it gets one thread (and gives the same bits on
 * any number of processors), and memory is looked for before. */
#ifndef CAELUM_EVAL_LAPACK_H
#define CAELUM_EVAL_LAPACK_H

#include "base/error.h"

#include <cblas.h>
#include <lapacke.h>

struct lapack {
    __typeof__(cblas_ssyrk) *ssyrk;
    __typeof__(cblas_sgemm) *sgemm;
    __typeof__(LAPACKE_dsyevd) *dsyevd;
};

/* Finds the functions, which stay until the process ends. To be called after all other memory was taken.
 * Fails with CAELUM_EUSAGE, naming what is missing, where there is no LAPACK; with CAELUM_ERESOURCE. */
int lapack_open(struct lapack *lapack, struct caelum_error *err);

#endif
