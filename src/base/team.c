/* team.c - loops over jobs, and parts of jobs. Both are handed out one by one, by counters, so that a thread
 * whose processor is taken by another process holds up no more than the part that it is at. */
#include "base/team.h"

#include "base/crew.h"
#include "base/parallel.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { MOST_OFFERS = 64 };

/* What one thread shares with the others. `state` is the first part that is left, the end of those left, and
 * a count of the pieces of work, in 16, 16 and 32 bits: a thread that moves one of the two while parts are
 * left has taken a part, and may read the rest of the offer, which changes only after all parts are done. The
 * owner takes the first and the others the last, so that what a thread wrote is mostly what it reads in the
 * next piece. */
struct offer {
    _Alignas(64) _Atomic uint64_t state;
    team_part *part;
    const void *cookie;
    size_t parts;
    struct event done;
};

struct loop {
    void (*job)(void *cookie, size_t i, int worker);
    void *cookie;
    size_t n;
    bool shares;
    _Alignas(64) atomic_size_t next, finished; /* jobs */
    _Alignas(64) struct event news;            /* an offer, or the last job's end */
    atomic_size_t free;                        /* threads that wait for news */
    size_t offers;
    struct offer offer[MOST_OFFERS];
};

/* The loop whose job this thread runs, and what it may share with the loop's other threads. */
static _Thread_local struct loop *current;
static _Thread_local struct offer *mine;

/* --- Parts ---------------------------------------------------------------------------------------- */

static bool do_part(struct offer *o) {
    uint64_t state = atomic_load_explicit(&o->state, memory_order_acquire), taken;
    size_t first, end;
    do {
        first = state & 0xffff, end = state >> 16 & 0xffff;
        if (first == end) return false;
        taken = o == mine ? state + 1 : state - 0x10000;
    } while (!atomic_compare_exchange_weak(&o->state, &state, taken));
    o->part(o->cookie, o == mine ? first : end - 1, o->parts);
    event_signal(&o->done);
    return true;
}

/* Two for each thread, so that one that is late leaves work to the others. */
static size_t parts_for(size_t threads) {
    return threads < 2 ? 1 : threads < TEAM_MOST / 2 ? 2 * threads : TEAM_MOST;
}

size_t team_parts(int threads) {
    return parts_for(threads < 1 ? 1 : (size_t)threads);
}

void team_run(team_part *part, const void *cookie, size_t work) {
    struct loop *loop = current;
    const size_t threads = mine ? 1 + atomic_load_explicit(&loop->free, memory_order_relaxed) : 1;
    const size_t wanted = parts_for(threads), most = work / TEAM_WORK, parts = wanted < most ? wanted : most;
    if (parts < 2) {
        part(cookie, 0, 1);
        return;
    }
    struct offer *o = mine;
    const unsigned end = (event_count(&o->done) + (unsigned)parts) & (UINT32_MAX >> 1);
    const uint64_t piece = (atomic_load_explicit(&o->state, memory_order_relaxed) >> 32) + 1;
    o->part = part, o->cookie = cookie, o->parts = parts;
    atomic_store_explicit(&o->state, piece << 32 | (uint64_t)parts << 16, memory_order_release);
    event_signal(&loop->news);
    while (do_part(o)) continue;
    for (unsigned done; (done = event_count(&o->done)) != end;) event_wait(&o->done, done);
}

/* --- Loops ---------------------------------------------------------------------------------------- */

/* Each thread begins with another offer. */
static bool help(struct loop *loop, size_t number) {
    for (size_t i = 0; i < loop->offers; i++)
        if (do_part(&loop->offer[(number + i) % loop->offers])) return true;
    return false;
}

static void help_until_all_is_done(struct loop *loop, size_t number) {
    atomic_fetch_add(&loop->free, 1);
    for (;;) {
        const unsigned seen = event_count(&loop->news);
        if (atomic_load(&loop->finished) == loop->n) break;
        if (!help(loop, number)) event_wait(&loop->news, seen);
    }
}

/* Numbers from n on, of which there are some if there are fewer jobs than threads, only help. */
static void work(void *cookie, int number) {
    struct loop *loop = cookie, *outer = current;
    struct offer *outer_offer = mine;
    current = loop;
    mine = loop->shares && (size_t)number < loop->offers ? &loop->offer[number] : NULL;
    for (size_t i; (size_t)number < loop->n && (i = atomic_fetch_add(&loop->next, 1)) < loop->n;) {
        loop->job(loop->cookie, i, number);
        if (atomic_fetch_add(&loop->finished, 1) + 1 == loop->n) event_signal(&loop->news);
    }
    if (loop->shares || number == 0) help_until_all_is_done(loop, (size_t)number);
    current = outer, mine = outer_offer;
}

static void run_loop(struct loop *loop, int threads) {
    struct crew crew;
    crew_start(&crew, threads - 1, work, loop);
    work(loop, 0);
    crew_end(&crew);
}

static void loop_over(int threads, struct loop *loop) {
    loop->offers = !loop->shares ? 0 : threads < MOST_OFFERS ? (size_t)threads : MOST_OFFERS;
    if (threads > 1 && loop->n > 0) {
        run_loop(loop, threads);
        return;
    }
    struct offer *outer_offer = mine;
    mine = NULL;
    for (size_t i = 0; i < loop->n; i++) loop->job(loop->cookie, i, 0);
    mine = outer_offer;
}

void parallel_for(int threads, size_t n, void (*job)(void *cookie, size_t i, int worker), void *cookie) {
    struct loop loop = {.job = job, .cookie = cookie, .n = n};
    loop_over(threads > 0 && (size_t)threads > n ? (int)n : threads, &loop);
}

void team_for(int threads, size_t n, void (*job)(void *cookie, size_t i, int worker), void *cookie) {
    struct loop loop = {.job = job, .cookie = cookie, .n = n, .shares = true};
    loop_over(threads, &loop);
}

/* Elements of a range: some microseconds of work. */
enum { RANGE = 8192 };

struct ranges {
    size_t n;
    void (*job)(void *cookie, size_t first, size_t count);
    void *cookie;
};

static void run_range(void *cookie, size_t i, int worker) {
    const struct ranges *r = cookie;
    const size_t first = i * RANGE;
    (void)worker;
    r->job(r->cookie, first, r->n - first < RANGE ? r->n - first : RANGE);
}

void parallel_ranges(int threads, size_t n, void (*job)(void *cookie, size_t first, size_t count),
                     void *cookie) {
    struct ranges ranges = {n, job, cookie};
    parallel_for(threads, (n + RANGE - 1) / RANGE, run_range, &ranges);
}
