/* parallel.h - n independent jobs, over as many threads as are useful. */
#ifndef CAELUM_BASE_PARALLEL_H
#define CAELUM_BASE_PARALLEL_H

#include <stddef.h>

/* Runs job(cookie, i, worker) for every i < n and returns when all are done. worker < threads; one
 * worker runs one job at a time. Jobs are handed out in no fixed order: a job must not depend on
 * which worker runs it, nor on the others. There are fewer threads where no more can be started. */
void parallel_for(int threads, size_t n, void (*job)(void *cookie, size_t i, int worker), void *cookie);

/* Runs job(cookie, first, count) for ranges that make up [0, n), of whole cache lines of floats but for the
 * last; few elements are one range. No job may depend on where ranges begin. */
void parallel_ranges(int threads, size_t n, void (*job)(void *cookie, size_t first, size_t count),
                     void *cookie);

/* CPUs that this process may use: its affinity mask cut down to the control groups' quota. */
int parallel_default_threads(void);

/* Threads for a caller who asks for `wanted`, 0 meaning as many as are useful. More than there are
 * processors only take memory and time to start, so there are at most that many, or 32, which is harmless. */
int parallel_threads(int wanted);

#endif
