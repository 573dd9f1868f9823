/* team.c - members wait in a loop, since parts take microseconds; after a while they let others have the
 * processor. */
#include "base/team.h"

#include "base/parallel.h"

#include <omp.h>
#include <sched.h>
#include <stdatomic.h>

struct team {
    _Alignas(64) atomic_uint call; /* counts what the leader handed out */
    team_part *part;               /* NULL: the team is over */
    const void *cookie;
    size_t members;
    _Alignas(64) atomic_size_t done; /* members that did their part */
};

/* The team that this thread leads. */
static _Thread_local struct team *led;

static void wait_a_little(size_t *waited) {
    if (++*waited % 2048 == 0) {
        sched_yield();
        return;
    }
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static void call(struct team *team, team_part *part, const void *cookie) {
    team->part = part;
    team->cookie = cookie;
    atomic_store_explicit(&team->done, 0, memory_order_relaxed);
    atomic_fetch_add_explicit(&team->call, 1, memory_order_release);
}

void team_run(team_part *part, const void *cookie, size_t work) {
    struct team *team = led;
    if (!team || work < 2 * TEAM_WORK) {
        part(cookie, 0, 1);
        return;
    }
    size_t waited = 0;
    call(team, part, cookie);
    part(cookie, 0, team->members);
    while (atomic_load_explicit(&team->done, memory_order_acquire) < team->members - 1)
        wait_a_little(&waited);
}

static void serve(struct team *team, size_t member) {
    for (unsigned seen = 0;; seen++) {
        size_t waited = 0;
        while (atomic_load_explicit(&team->call, memory_order_acquire) == seen) wait_a_little(&waited);
        if (!team->part) return;
        team->part(team->cookie, member, team->members);
        atomic_fetch_add_explicit(&team->done, 1, memory_order_release);
    }
}

size_t team_members(int threads, int worker) {
    const size_t most = threads > worker ? (size_t)threads / ((size_t)worker + 1) : 1;
    return most < TEAM_MOST ? most : TEAM_MOST;
}

void team_for(int threads, size_t n, void (*job)(void *cookie, size_t i, int worker), void *cookie) {
    const size_t size = n > 0 && n < (size_t)threads ? team_members(threads, (int)n - 1) : 1;
    if (threads <= 1 || size == 1) {
        parallel_for(threads, n, job, cookie);
        return;
    }
    struct team teams[64] = {{0}}; /* of two or more members each */
    const size_t leaders = n < 64 ? n : 64;
    const int granted = parallel_grant((int)(leaders * size));
#pragma omp parallel num_threads(granted)
    {
        /* should fewer threads have started, teams are smaller, down to threads that work alone */
        const size_t started = (size_t)omp_get_num_threads(), self = (size_t)omp_get_thread_num();
        const size_t members = started / leaders > 0 ? started / leaders : 1;
        const size_t led_by = self / members, member = self % members;
        if (led_by < leaders && member > 0) {
            serve(&teams[led_by], member);
        } else if (led_by < leaders) {
            struct team *team = &teams[led_by];
            team->members = members;
            led = members > 1 ? team : NULL;
            const size_t step = started < leaders ? started : leaders;
            for (size_t i = led_by; i < n; i += step) job(cookie, i, (int)led_by);
            led = NULL;
            call(team, NULL, NULL);
        }
    }
}
