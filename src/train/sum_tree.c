/* sum_tree.c - which sums a rank can add up by itself, and which it needs from others. */
#include "train/sum_tree.h"

#include "base/mem.h"
#include "base/parallel.h"

#include <string.h>

int sum_tree_open(struct sum_tree *t, size_t jobs, size_t arrays, struct caelum_error *err) {
    const size_t ranks = (size_t)caelum_dist_ranks(t->dist), all = jobs + 1, most = (all + ranks - 1) / ranks;
    size_t floats;
    t->stack = arrays * t->n;
    CHECK(size_mul(t->stack, most, &floats, err));
    CHECK(mem_alloc(&t->stacks, floats, sizeof(float), err));
    CHECK(mem_alloc(&t->node, all, sizeof *t->node, err));
    CHECK(mem_alloc(&t->pair, all, sizeof *t->pair, err));
    if (ranks == 1) return CAELUM_OK;
    CHECK(size_mul(all, t->n / ranks + 1, &floats, err));
    CHECK(mem_alloc(&t->received, floats, sizeof(float), err));
    CHECK(mem_alloc(&t->out, most * ranks, sizeof *t->out, err));
    return mem_alloc(&t->in, all, sizeof *t->in, err);
}

void sum_tree_close(struct sum_tree *t) {
    mem_free(&t->stacks);
    mem_free(&t->received);
    mem_free(&t->node);
    mem_free(&t->pair);
    mem_free(&t->out);
    mem_free(&t->in);
}

static struct dist_part part_of(const struct sum_tree *t, int rank) {
    return dist_part(t->dist, rank, t->jobs + t->tail);
}

void sum_tree_begin(struct sum_tree *t, size_t jobs, bool tail) {
    t->jobs = jobs, t->tail = tail;
    t->mine = part_of(t, caelum_dist_rank(t->dist));
    for (size_t j = 0; j < jobs + tail; j++)
        t->node[j] = j >= t->mine.first && j < t->mine.end ? sum_tree_stack(t, j) : NULL;
}

float *sum_tree_stack(const struct sum_tree *t, size_t job) {
    return t->stacks + (job - t->mine.first) * t->stack;
}

/* Whether a rank with these jobs can add the sum that begins at job j to another one: to the sum that begins
 * at j without its lowest bit, if it has both whole; the tail's to all the others'. */
static bool is_added(const struct sum_tree *t, struct dist_part part, size_t j) {
    const size_t step = j & (~j + 1), end = j + step < t->jobs ? j + step : t->jobs;
    if (j == t->jobs) return j > 0 && part.first == 0 && part.end > j;
    return j > 0 && j - step >= part.first && end <= part.end;
}

static void note(struct sum_tree *t, struct dist_part part, size_t to, size_t from) {
    if (!t->node[from] || !is_added(t, part, from)) return;
    t->pair[t->pairs++] = (struct sum_pair){t->node[to], t->node[from]};
    t->node[from] = NULL;
}

static void add_range(void *cookie, size_t first, size_t n) {
    const struct sum_tree *t = cookie;
    for (const struct sum_pair *p = t->pair; p < t->pair + t->pairs; p++)
        t->kernels->add_scaled(p->to + first, p->from + first, 1, n);
}

/* All additions that a rank with these jobs can make, of n parameters from where the nodes point. */
static void add_up(struct sum_tree *t, struct dist_part part, size_t n) {
    t->pairs = 0;
    for (size_t step = 1; step < t->jobs; step *= 2)
        for (size_t j = 0; j + step < t->jobs; j += 2 * step) note(t, part, j, j + step);
    if (t->tail) note(t, part, 0, t->jobs);
    parallel_ranges(t->threads, n, add_range, t);
}

/* Sends what is left of mine to those whose slices they are, and gets my slice of the others'. */
static void trade(struct sum_tree *t, struct dist_part slice) {
    const size_t n = slice.end - slice.first;
    size_t outs = 0, ins = 0;
    for (int r = 0; r < t->dist->ranks; r++) {
        const struct dist_part part = part_of(t, r), theirs = dist_part(t->dist, r, t->n);
        if (r == t->dist->rank) continue;
        for (size_t j = t->mine.first; j < t->mine.end; j++)
            if (t->node[j])
                t->out[outs++] = (struct dist_piece){r, t->node[j] + theirs.first,
                                                     (theirs.end - theirs.first) * sizeof(float)};
        for (size_t j = part.first; j < part.end; j++) {
            if (is_added(t, part, j)) continue;
            t->node[j] = t->received + ins * n;
            t->in[ins++] = (struct dist_piece){r, t->node[j], n * sizeof(float)};
        }
    }
    dist_exchange(t->dist, t->out, outs, t->in, ins);
    for (size_t j = t->mine.first; j < t->mine.end; j++)
        if (t->node[j]) t->node[j] += slice.first;
}

void sum_tree_end(struct sum_tree *t) {
    add_up(t, t->mine, t->n);
    if (caelum_dist_ranks(t->dist) == 1) return;
    const struct dist_part slice = dist_part(t->dist, t->dist->rank, t->n);
    const size_t n = slice.end - slice.first;
    trade(t, slice);
    add_up(t, (struct dist_part){0, t->jobs + t->tail}, n);
    memmove(t->stacks + slice.first, t->node[0], n * sizeof(float));
    dist_gather(t->dist, t->stacks, t->n, sizeof(float));
}
