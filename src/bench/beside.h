/* beside.h - busy processes, to measure how work gets on where others want the processors too. */
#ifndef CAELUM_BENCH_BESIDE_H
#define CAELUM_BENCH_BESIDE_H

#include "base/error.h"

#include <sys/types.h>

enum { MOST_BESIDE = 64 };

struct beside {
    int n;
    pid_t process[MOST_BESIDE];
};

/* Starts n processes of normal priority, stopped. Children end with the process, however it ends. */
int beside_open(struct beside *b, int n, struct caelum_error *err);
void beside_close(struct beside *b);

/* Lets all compute, and stops all. */
void beside_go(const struct beside *b);
void beside_stop(const struct beside *b);

#endif
