/* detection.c - scores of pictures, exactly: sorted, and walked from the largest down. */
#include "metrics/detection.h"

#include <math.h>
#include <stdlib.h>

static int by_falling_threshold(const void *a, const void *b) {
    const double x = ((const struct detection_point *)a)->threshold,
                 y = ((const struct detection_point *)b)->threshold;
    return (x < y) - (x > y);
}

size_t detection_curve(const float *scores, const bool *bad, size_t n, struct detection_point *points) {
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        points[i] = (struct detection_point){(double)scores[i], bad[i] ? 1 : 0, bad[i] ? 0 : 1};
    if (n > 0) qsort(points, n, sizeof *points, by_falling_threshold);
    for (size_t i = 0; i < n; i++) {
        const struct detection_point last =
            count > 0 ? points[count - 1] : (struct detection_point){NAN, 0, 0};
        if (points[i].threshold != last.threshold) count++;
        points[count - 1] = (struct detection_point){points[i].threshold, last.found + points[i].found,
                                                     last.alarms + points[i].alarms};
    }
    return count;
}

struct detection_point detection_at(const struct detection_point *points, size_t count, double threshold) {
    struct detection_point at = {threshold, 0, 0};
    for (size_t i = 0; i < count && points[i].threshold >= threshold; i++)
        at.found = points[i].found, at.alarms = points[i].alarms;
    return at;
}

struct detection_figures detection_figures(const struct detection_point *points, size_t count) {
    const struct detection_point none = {0}, all = count > 0 ? points[count - 1] : none;
    const double good = (double)all.alarms, bad = (double)all.found;
    struct detection_figures f = {0};
    if (all.alarms == 0 || all.found == 0) return (struct detection_figures){NAN, NAN, NAN, NAN};
    for (size_t i = 0; i < count; i++) {
        const struct detection_point *p = &points[i], *before = i > 0 ? p - 1 : &none;
        const double found = (double)p->found, called = (double)(p->found + p->alarms),
                     f1 = 2 * found / (bad + called);
        f.auroc += (double)(p->alarms - before->alarms) * (found + (double)before->found) / 2;
        f.ap += (double)(p->found - before->found) * found / called;
        if (f1 > f.f1_max) f.f1_max = f1, f.f1_threshold = p->threshold;
    }
    f.auroc /= good * bad;
    f.ap /= bad;
    return f;
}
