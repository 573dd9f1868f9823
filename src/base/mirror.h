/* mirror.h - pixels beyond the edge of a line: the line, mirrored without repeating the edge. */
#ifndef CAELUM_BASE_MIRROR_H
#define CAELUM_BASE_MIRROR_H

#include <stddef.h>

/* Position `at` >= 0 on a line of `length` > 0, in it: 0 1 2 1 0 1 2 ... for length 3. */
static inline size_t mirrored(size_t at, size_t length) {
    if (length == 1) return 0;
    const size_t period = 2 * (length - 1), m = at % period;
    return m < length ? m : period - m;
}

#endif
