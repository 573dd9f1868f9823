/* dist.h - ranks: processes that work together, on one machine or several, and how bytes get from one to
 * another. A process alone has no dist, NULL, and nothing to do here. Several are connected by a plugin, the
 * only code that knows MPI (mpi/plugin.c).
 *
 * All ranks make the same calls of this header in the same order, each from one thread. Nothing returns where
 * a rank is lost: the launcher ends those that are left. */
#ifndef CAELUM_BASE_DIST_H
#define CAELUM_BASE_DIST_H

#include "base/error.h"

/* Bytes for a rank, or from it. */
struct dist_piece {
    int rank;
    void *bytes;
    size_t size;
};

/* What a plugin has under the name caelum_dist_wire. */
struct dist_wire {
    int version; /* DIST_WIRE */
    /* Joins the others; 0, or what is wrong in MPI's numbers. */
    int (*open)(int *rank, int *ranks);
    void (*exchange)(const struct caelum_dist *dist, const struct dist_piece *out, size_t outs,
                     const struct dist_piece *in, size_t ins);
    void (*close)(void);
};
enum { DIST_WIRE = 1 };

struct caelum_dist {
    int rank, ranks;
    char host[64]; /* this rank's, for its errors */
    const struct dist_wire *wire;
    struct dist_piece *piece;    /* [2 * ranks], of dist_gather */
    struct caelum_error *report; /* [ranks], of dist_agree */
};

/* Connects by a wire that is open already: fills `dist`, of which rank, ranks and wire are set. */
int dist_connect(struct caelum_dist *dist, struct caelum_error *err);

/* That all ranks have this version; before anything else is exchanged. */
int dist_check_version(const struct caelum_dist *dist, struct caelum_error *err);

/* Of n things, each rank has those from `first` to before `end`: as many as the others or one less. */
struct dist_part {
    size_t first, end;
};
struct dist_part dist_part(const struct caelum_dist *dist, int rank, size_t n);

/* Sends each piece of `out` to its rank and fills each of `in` from its: what one rank has for another, in
 * order, is what that one expects from it, in order. */
void dist_exchange(const struct caelum_dist *dist, const struct dist_piece *out, size_t outs,
                   const struct dist_piece *in, size_t ins);
/* all: n things of `size` bytes. Each rank has filled its part, dist_part; now everyone has all. */
void dist_gather(const struct caelum_dist *dist, void *all, size_t n, size_t size);
/* Everyone gets what rank 0 has: a block that others then free with mem_free. May fail as dist_agree does. */
int dist_spread(const struct caelum_dist *dist, void *block, size_t *size, struct caelum_error *err);
/* A result of which all must know: that of the lowest rank that failed, with its sentence, else 0. */
int dist_agree(const struct caelum_dist *dist, int code, struct caelum_error *err);

#endif
