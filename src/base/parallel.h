/* parallel.h - the one place where threads start: n independent jobs over a team. */
#ifndef CAELUM_BASE_PARALLEL_H
#define CAELUM_BASE_PARALLEL_H

#include <stddef.h>

/* Runs job(cookie, i, worker) for every i < n and returns when all are done. worker < threads; one
 * worker runs one job at a time. Jobs are handed out in no fixed order: a job must not depend on
 * which worker runs it, nor on the others. */
void parallel_for(int threads, size_t n, void (*job)(void *cookie, size_t i, int worker), void *cookie);

/* How many of `wanted` threads the calling thread gets for a parallel region, including itself: as many as
 * the process can start, at least 1 and at most 1024. What was refused once is not tried again. */
int parallel_grant(int wanted);

/* CPUs that this process may use: its affinity mask cut down to the control group's quota. */
int parallel_default_threads(void);

/* Threads for a caller who asks for `wanted`, 0 meaning as many as are useful. More than there are
 * processors only take memory and time to start, so there are at most that many, or 32, which is harmless. */
int parallel_threads(int wanted);

#endif
