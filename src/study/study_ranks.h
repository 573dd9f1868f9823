/* study_ranks.h - the trainings of a study shared out to ranks, each of which does its own as a process alone
 * would, in the directory that all of them see. */
#ifndef CAELUM_STUDY_STUDY_RANKS_H
#define CAELUM_STUDY_STUDY_RANKS_H

#include "base/dist.h"

/* What a rank has done. */
struct study_tally {
    size_t finished, failed;
    bool stopped;
    struct caelum_error err; /* of its first failure */
};

/* Sets owner[i] to the rank that trains run i, of size[i], and -1 for those of size 0: the largest first,
 * each to the rank that has least to do. owner: [n]. Rank 0's sizes count, and all need as many. */
int study_ranks_share(const struct caelum_dist *dist, const double *size, size_t n, int *owner,
                      struct caelum_error *err);
/* Adds to rank 0's tally those of the others, on all ranks. Fails with the memory for them. */
int study_ranks_sum(const struct caelum_dist *dist, struct study_tally *tally, struct caelum_error *err);

#endif
