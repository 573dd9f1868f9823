/* span.h - a team member's share of a kernel's rows or channels. */
#ifndef CAELUM_KERNELS_SPAN_H
#define CAELUM_KERNELS_SPAN_H

#include "kernels/kernels.h"

/* From `first` on, `count` of n rows or channels, `unit` of them together: one member's. */
struct span {
    size_t first, count;
};

static inline struct span span_of(size_t n, size_t unit, size_t member, size_t members) {
    const size_t units = (n + unit - 1) / unit;
    const size_t first = units * member / members * unit, end = units * (member + 1) / members * unit;
    return (struct span){first, (end < n ? end : n) - (first < n ? first : n)};
}

static inline struct tensor rows_of(struct tensor t, size_t first, size_t count) {
    if (t.data) t.data += (ptrdiff_t)(first * t.row);
    t.h = count;
    return t;
}

static inline struct tensor channels_of(struct tensor t, struct span s) {
    if (t.data) t.data += (ptrdiff_t)(s.first * t.plane);
    t.c = s.count;
    return t;
}

#endif
