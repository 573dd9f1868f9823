/* crew.h - threads borrowed from the process's pool for one loop. */
#ifndef CAELUM_BASE_CREW_H
#define CAELUM_BASE_CREW_H

#include "base/event.h"

struct helper;

struct crew {
    void (*run)(void *cookie, int number);
    void *cookie;
    struct helper *first; /* a list, through its end */
    int helpers;
    struct event left;
};

/* Has run(cookie, number) called by up to `wanted` threads of their own, numbered from 1. There are fewer
 * where no more can be started. Any number of threads may do this at once, helpers too: no helper serves two
 * crews. */
void crew_start(struct crew *crew, int wanted, void (*run)(void *cookie, int number), void *cookie);

/* Returns when no helper runs any more. Those that have not begun never will: a helper that sleeps, or whose
 * processor others have, is not waited for. */
void crew_end(struct crew *crew);

#endif
