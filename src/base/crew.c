/* crew.c - the pool of threads. They are started when needed, and wait for the next crew until the process
 * ends. After fork, a child has none of them: it begins with an empty pool. */
#define _GNU_SOURCE
#include "base/crew.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

enum { MOST_HELPERS = 1023 };

struct helper {
    _Alignas(
        64) _Atomic(struct crew *) crew; /* to be helped; NULL once the helper, or its crew's end, took it */
    struct event called;
    int number;
    struct helper *next; /* of its crew, or of the idle */
};

static struct {
    pthread_mutex_t lock;
    struct helper *idle; /* the last to come back first: their caches and processors are warm */
    int started;
    bool refused; /* a thread; no more are asked for */
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void *serve(void *cookie) {
    struct helper *h = cookie;
    for (;;) {
        const unsigned seen = event_count(&h->called);
        struct crew *crew = atomic_exchange(&h->crew, NULL);
        if (crew) {
            crew->run(crew->cookie, h->number);
            event_signal(&crew->left);
        } else {
            event_wait(&h->called, seen);
        }
    }
    return NULL;
}

/* --- The pool, under its lock --------------------------------------------------------------------- */

static void lock_pool(void) {
    pthread_mutex_lock(&pool.lock);
}
static void unlock_pool(void) {
    pthread_mutex_unlock(&pool.lock);
}
static void forget_pool(void) {
    pthread_mutex_init(&pool.lock, NULL);
    pool.idle = NULL;
    pool.started = 0;
    pool.refused = false;
}
static void watch_forks(void) {
    pthread_atfork(lock_pool, unlock_pool, forget_pool);
}

/* Signals are for the program's own threads. */
static bool start(struct helper *h) {
    sigset_t all, before;
    pthread_attr_t detached;
    pthread_t thread;
    if (pthread_attr_init(&detached) != 0) return false;
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    const int error = pthread_create(&thread, &detached, serve, h);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&detached);
    return error == 0;
}

static struct helper *new_helper(void) {
    if (pool.refused || pool.started == MOST_HELPERS) return NULL;
    struct helper *h = aligned_alloc(_Alignof(struct helper), sizeof *h);
    if (h) {
        *h = (struct helper){.number = 0};
        if (start(h)) {
            pool.started++;
            return h;
        }
        free(h);
    }
    pool.refused = true;
    return NULL;
}

static struct helper *take_helper(void) {
    struct helper *h = pool.idle;
    if (!h) return new_helper();
    pool.idle = h->next;
    return h;
}

/* --- Crews ---------------------------------------------------------------------------------------- */

void crew_start(struct crew *crew, int wanted, void (*run)(void *cookie, int number), void *cookie) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    *crew = (struct crew){.run = run, .cookie = cookie};
    pthread_once(&once, watch_forks);
    struct helper **end = &crew->first;
    lock_pool();
    for (; crew->helpers < wanted && (*end = take_helper()) != NULL; end = &(*end)->next)
        (*end)->number = ++crew->helpers;
    unlock_pool();
    *end = NULL;
    for (struct helper *h = crew->first; h; h = h->next) {
        atomic_store(&h->crew, crew);
        event_signal(&h->called);
    }
}

void crew_end(struct crew *crew) {
    unsigned begun = (unsigned)crew->helpers, left;
    struct helper *last = NULL;
    for (struct helper *h = crew->first; h; last = h, h = h->next) {
        struct crew *mine = crew;
        if (atomic_compare_exchange_strong(&h->crew, &mine, NULL)) begun--;
    }
    while ((left = event_count(&crew->left)) != begun) event_wait(&crew->left, left);
    if (!last) return;
    lock_pool();
    last->next = pool.idle;
    pool.idle = crew->first;
    unlock_pool();
}
