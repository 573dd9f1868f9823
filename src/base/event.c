/* event.c - spinning for a while, then Linux's futex (Drepper, "Futexes are tricky", 2011). */
#define _GNU_SOURCE
#include "base/event.h"

#include <linux/futex.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* About what it takes to fall asleep and be woken: spinning for that long at most never costs more than twice
 * the better of the two (Karlin and others 1991, "Empirical studies of competitive spinning"). */
enum { SPIN_NS = 20000, LOOKS = 16 };

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static bool happened(const struct event *e, unsigned seen) {
    return event_count(e) != seen;
}

/* Whether the event happened within SPIN_NS. The clock goes on while others have the processor, so a thread
 * that was interrupted soon sleeps. */
static bool spin(const struct event *e, unsigned seen) {
    const uint64_t start = now_ns();
    do {
        for (int i = 0; i < LOOKS; i++) {
            if (happened(e, seen)) return true;
#if defined(__x86_64__)
            __builtin_ia32_pause();
#endif
        }
    } while (now_ns() - start < SPIN_NS);
    return false;
}

void event_signal(struct event *e) {
    unsigned old = atomic_load_explicit(&e->word, memory_order_relaxed);
    while (!atomic_compare_exchange_weak(&e->word, &old, (old & ~1U) + 2)) continue;
    if (old & 1) syscall(SYS_futex, &e->word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

void event_wait(struct event *e, unsigned seen) {
    if (happened(e, seen) || spin(e, seen)) return;
    while (!happened(e, seen)) {
        unsigned old = seen << 1;
        if (atomic_compare_exchange_strong(&e->word, &old, old | 1) || old == (seen << 1 | 1))
            syscall(SYS_futex, &e->word, FUTEX_WAIT_PRIVATE, seen << 1 | 1, NULL, NULL, 0);
    }
}
