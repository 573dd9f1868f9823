/* event.h - a counter that threads wait for: a few microseconds in a loop, since most waits are that short,
 * then asleep, so that other processes, and the thread waited for, get the processor. */
#ifndef CAELUM_BASE_EVENT_H
#define CAELUM_BASE_EVENT_H

#include <stdatomic.h>

/* Zeroed, it is ready. Bit 0: somebody may be asleep; above it, how often the event happened, modulo 2^31.
 * One word, so that nobody touches an event after he has counted it: its owner may be gone by then. */
struct event {
    atomic_uint word;
};

static inline unsigned event_count(const struct event *e) {
    return atomic_load_explicit(&e->word, memory_order_acquire) >> 1;
}

/* Counts one more and wakes all who wait. What was written before is seen by whoever sees the new count. */
void event_signal(struct event *e);

/* Returns once the count is not `seen` any more. */
void event_wait(struct event *e, unsigned seen);

#endif
