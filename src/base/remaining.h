/* remaining.h - an estimate of the remaining time, from the last minute or two. */
#ifndef CAELUM_BASE_REMAINING_H
#define CAELUM_BASE_REMAINING_H

#include <math.h>
#include <stdbool.h>

/* Zeroed at the start. */
struct remaining {
    bool begun;
    double time[2], done[2]; /* two moments, the later one at most a minute ago */
};

/* Seconds that are left of the work at time `now` (of a clock that never goes back), when `done` of `all` is
 * done; NaN while nothing is known: in the first five seconds, and before anything has been done in them. To
 * be called now and then, first when the work has got going. */
static inline double remaining_seconds(struct remaining *r, double now, double done, double all) {
    enum { LEAST = 5, WINDOW = 60 };
    if (!r->begun) *r = (struct remaining){true, {now, now}, {done, done}};
    if (now - r->time[1] > WINDOW) {
        r->time[0] = r->time[1], r->done[0] = r->done[1];
        r->time[1] = now, r->done[1] = done;
    }
    const double passed = now - r->time[0], gained = done - r->done[0];
    return passed >= LEAST && gained > 0 ? passed * (all - done) / gained : (double)NAN;
}

#endif
