/* event.h - a counter that threads wait for: a few microseconds in a loop, since most waits are that short,
 * then asleep, so that other processes, and the thread waited for, get the processor. */
#ifndef CAELUM_BASE_EVENT_H
#define CAELUM_BASE_EVENT_H

#include <stdatomic.h>

/* Zeroed, it is ready. Bit 0: somebody may be asleep; above it, how often the event happened, modulo 2^31.
 * One word, so that no thread touches an event after its own signal: the owner may have freed it by then. */
struct event {
    atomic_uint word;
};

static inline unsigned event_count(const struct event *e) {
    return atomic_load_explicit(&e->word, memory_order_acquire) >> 1;
}

/* Increments the count and wakes all waiters. Writes made before are visible to a thread that sees the new
 * count. */
void event_signal(struct event *e);

/* Returns once the count is not `seen` any more. */
void event_wait(struct event *e, unsigned seen);

#endif
