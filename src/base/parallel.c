/* parallel.c - OpenMP behind one function, and how many threads this machine grants us. */
#define _GNU_SOURCE
#include "base/parallel.h"

#include "base/number.h"

#include <omp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

/* --- Threads that can be started -------------------------------------------------------------------- */

enum { MOST_THREADS = 1024 };

/* libgomp ends the process if it can't start a thread. So the threads are first started here, all at once,
 * and ended again. libgomp keeps threads for each thread with parallel regions, so they are counted for each.
 */
static _Thread_local int had = 1, allowed = MOST_THREADS;

struct rehearsal {
    pthread_mutex_t stay;
    pthread_t thread[MOST_THREADS];
    pid_t id[MOST_THREADS];
    atomic_int started;
};

static void *rehearse(void *cookie) {
    struct rehearsal *r = cookie;
    r->id[atomic_fetch_add(&r->started, 1)] = gettid();
    pthread_mutex_lock(&r->stay);
    pthread_mutex_unlock(&r->stay);
    return NULL;
}

int parallel_grant(int wanted) {
    if (wanted > allowed) wanted = allowed;
    if (wanted <= had) return wanted;
    struct rehearsal r = {.stay = PTHREAD_MUTEX_INITIALIZER};
    int n = 0;
    pthread_mutex_lock(&r.stay);
    while (n < wanted - 1 && pthread_create(&r.thread[n], NULL, rehearse, &r) == 0) n++;
    pthread_mutex_unlock(&r.stay);
    for (int i = 0; i < n; i++) pthread_join(r.thread[i], NULL);
    /* one that is joined counts for the process's limit until the system forgets it */
    for (int i = 0; i < n; i++)
        while (syscall(SYS_tgkill, getpid(), r.id[i], 0) == 0) sched_yield();
    pthread_mutex_destroy(&r.stay);
    had = n + 1;
    if (had < wanted) allowed = had;
    return had;
}

/* --- Loops ---------------------------------------------------------------------------------------- */

void parallel_for(int threads, size_t n, void (*job)(void *cookie, size_t i, int worker), void *cookie) {
    if (threads < 1) threads = 1;
    if ((size_t)threads > n) threads = (int)n;
    threads = parallel_grant(threads);
    if (threads <= 1) {
        for (size_t i = 0; i < n; i++) job(cookie, i, 0);
        return;
    }
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (size_t i = 0; i < n; i++) job(cookie, i, omp_get_thread_num());
}

/* cgroup v2 writes "QUOTA PERIOD" or "max PERIOD"; a quota of 150000/100000 grants 2 threads. */
static int quota_threads(void) {
    FILE *f = fopen("/sys/fs/cgroup/cpu.max", "r");
    if (!f) return 0;
    char line[64];
    const char *at = fgets(line, sizeof line, f);
    fclose(f);
    uint64_t quota, period;
    if (!at || !number_whole_at(at, &at, 1, UINT32_MAX, &quota) || *at++ != ' ' ||
        !number_whole_at(at, &at, 1, UINT32_MAX, &period))
        return 0;
    return (int)((quota + period - 1) / period);
}

int parallel_default_threads(void) {
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    const int quota = quota_threads();
    if (quota > 0 && quota < n) n = quota;
    return n < 1 ? 1 : n;
}

int parallel_threads(int wanted) {
    enum { HARMLESS = 32 };
    if (wanted >= 1 && wanted <= HARMLESS) return wanted;
    const int processors = parallel_default_threads(), most = processors > HARMLESS ? processors : HARMLESS;
    return wanted < 1 ? processors : wanted < most ? wanted : most;
}
