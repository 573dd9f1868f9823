/* sum_tree.h - the sum of a minibatch's gradients, which jobs on threads and ranks compute, in an order that
 * depends on neither: pairs of jobs, (0 + 1), (2 + 3) ..., pairs of pairs and so on, what has no partner
 * going up alone; then the tail's.
 *
 * A rank has consecutive jobs and adds up the subtrees that lie wholly among them. The few sums that remain
 * are completed by slices of the parameters: each rank receives its slice of all of them, adds it up in the
 * tree's order, and sends the result to the others. A rank sends and receives its sums less one slice, and
 * as much of the result: 8 bytes a parameter, where the minibatch is cut at the tree's own joints. */
#ifndef CAELUM_TRAIN_SUM_TREE_H
#define CAELUM_TRAIN_SUM_TREE_H

#include "base/dist.h"
#include "kernels/kernels.h"

struct sum_pair {
    float *to;
    const float *from;
};

struct sum_tree {
    const struct caelum_dist *dist; /* borrowed */
    const struct kernels *kernels;
    int threads;
    size_t n;     /* parameters */
    size_t stack; /* floats of a job's stack */
    /* of the step under way */
    size_t jobs;
    bool tail;
    struct dist_part mine;       /* of the jobs, the tail being the last */
    float *stacks;               /* of this rank's jobs; the sum is then in the first */
    float *received;             /* [jobs + tail][n / ranks] */
    float **node;                /* [jobs + tail]: sums; NULL: elsewhere, or added to another */
    struct sum_pair *pair;       /* [jobs + tail] */
    size_t pairs;                /* to add now */
    struct dist_piece *out, *in; /* [(jobs + tail) * ranks] */
};

/* For at most `jobs` jobs without the tail, each of which adds up its own blocks in `arrays` arrays of the n
 * parameters. To be closed after a failure, too. */
int sum_tree_open(struct sum_tree *tree, size_t jobs, size_t arrays, struct caelum_error *err);
/* Safe on a zeroed tree. */
void sum_tree_close(struct sum_tree *tree);

/* A minibatch of `jobs` jobs, and a tail or none: sets `mine`. */
void sum_tree_begin(struct sum_tree *tree, size_t jobs, bool tail);
/* Where one of mine, the tail being the last, adds up its gradient: [arrays][n], the sum in the first. */
float *sum_tree_stack(const struct sum_tree *tree, size_t job);
/* When each has: the sum of all to tree->stacks, on all ranks. */
void sum_tree_end(struct sum_tree *tree);

#endif
