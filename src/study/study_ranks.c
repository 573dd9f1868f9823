/* study_ranks.c - who trains what, and what has become of it. */
#include "study/study_ranks.h"

#include "base/mem.h"

#include <string.h>

/* Graham, "Bounds on multiprocessing timing anomalies", SIAM Journal on Applied Mathematics 17 (1969): the
 * last rank ends at most a third later than with the best plan. */
static int plan(int ranks, const double *size, size_t n, int *owner, struct caelum_error *err) {
    double *load;
    CHECK(mem_alloc(&load, (size_t)ranks, sizeof *load, err));
    for (size_t i = 0; i < n; i++) owner[i] = -1;
    for (;;) {
        size_t largest = n;
        int least = 0;
        for (size_t i = 0; i < n; i++)
            if (owner[i] < 0 && size[i] > 0 && (largest == n || size[i] > size[largest])) largest = i;
        if (largest == n) break;
        for (int r = 1; r < ranks; r++)
            if (load[r] < load[least]) least = r;
        owner[largest] = least;
        load[least] += size[largest];
    }
    mem_free(&load);
    return CAELUM_OK;
}

int study_ranks_share(const struct caelum_dist *dist, const double *size, size_t n, int *owner,
                      struct caelum_error *err) {
    int *first = NULL, result = mem_alloc(&first, n, sizeof *first, err);
    size_t bytes = n * sizeof *first;
    if (result == 0) result = plan(caelum_dist_ranks(dist), size, n, first, err);
    if (caelum_dist_rank(dist) > 0) mem_free(&first);
    result = dist_agree(dist, result, err);
    if (result == 0) result = dist_spread(dist, &first, &bytes, err);
    if (result == 0 && bytes != n * sizeof *first)
        result = caelum_fail(err, CAELUM_EUSAGE, "its study has %zu runs, that of rank 0 %zu", n,
                             bytes / sizeof *first);
    if (result == 0) memcpy(owner, first, bytes);
    mem_free(&first);
    return dist_agree(dist, result, err);
}

int study_ranks_sum(const struct caelum_dist *dist, struct study_tally *tally, struct caelum_error *err) {
    struct study_tally *all = NULL;
    const size_t ranks = (size_t)caelum_dist_ranks(dist);
    CHECK(dist_agree(dist, mem_alloc(&all, ranks, sizeof *all, err), err));
    all[caelum_dist_rank(dist)] = *tally;
    dist_gather(dist, all, ranks, sizeof *all);
    *tally = all[0];
    for (size_t r = 1; r < ranks; r++) {
        tally->finished += all[r].finished;
        tally->failed += all[r].failed;
        tally->stopped |= all[r].stopped;
        if (tally->err.code == 0) tally->err = all[r].err;
    }
    mem_free(&all);
    return CAELUM_OK;
}
