/* kernel_bench.h - the kernels' own figures, apart from the tests: no test asserts a time. */
#ifndef CAELUM_TESTS_KERNEL_BENCH_H
#define CAELUM_TESTS_KERNEL_BENCH_H

/* Prints a line a kernel, shape and instruction set; 0. */
int kernel_bench(void);

#endif
