/* parallel.h - the one place where threads start: n independent jobs over a team. */
#ifndef CAELUM_BASE_PARALLEL_H
#define CAELUM_BASE_PARALLEL_H

#include <stddef.h>

/* Runs job(cookie, i, worker) for every i < n and returns when all are done. worker < threads; one
 * worker runs one job at a time. Jobs are handed out in no fixed order: a job must not depend on
 * which worker runs it, nor on the others. */
void parallel_for(int threads, size_t n, void (*job)(void *cookie, size_t i, int worker), void *cookie);

/* How many of `wanted` threads the calling thread gets for a parallel region, itself among them: as many as
 * the process has room for, at least 1 and at most 1024. What is refused once is not asked for again. */
int parallel_grant(int wanted);

/* CPUs that this process may use: its affinity mask cut down to the control group's quota. */
int parallel_default_threads(void);

/* Threads for a caller who asks for `wanted`, 0 being as many as help. More than there are processors help
 * nobody and take memory and time to start, so they are no more than that, or than 32, which is harmless. */
int parallel_threads(int wanted);

#endif
