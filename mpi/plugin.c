/* plugin.c - ranks connected by MPI. Compiled once for each MPI that is there, into caelum-openmpi.so and
 * caelum-mpich.so: their binary interfaces differ, and caelum itself is linked to neither. Errors are left to
 * MPI's own handler, which ends the whole job and says why. */
#include "base/dist.h"

#include <mpi.h>
#include <stdlib.h>

static int join(int *rank, int *ranks) {
    int given, ready;
    int problem = MPI_Initialized(&ready);
    if (problem == 0 && !ready) problem = MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &given);
    if (problem == 0) problem = MPI_Comm_rank(MPI_COMM_WORLD, rank);
    return problem == 0 ? MPI_Comm_size(MPI_COMM_WORLD, ranks) : problem;
}

/* Messages that a piece takes: MPI counts in int. */
enum { MOST = 1 << 30 };
static size_t messages(const struct dist_piece *pieces, size_t count) {
    size_t n = 0;
    for (size_t i = 0; i < count; i++) n += (pieces[i].size + MOST - 1) / MOST;
    return n;
}

/* Starts them all; returns the first request that is free. */
static MPI_Request *start(const struct dist_piece *pieces, size_t count, bool send, MPI_Request *request) {
    for (const struct dist_piece *p = pieces; p < pieces + count; p++)
        for (size_t at = 0; at < p->size; at += MOST) {
            const int size = p->size - at < MOST ? (int)(p->size - at) : MOST;
            if (send)
                MPI_Isend((char *)p->bytes + at, size, MPI_BYTE, p->rank, 0, MPI_COMM_WORLD, request++);
            else
                MPI_Irecv((char *)p->bytes + at, size, MPI_BYTE, p->rank, 0, MPI_COMM_WORLD, request++);
        }
    return request;
}

static void exchange(const struct caelum_dist *dist, const struct dist_piece *out, size_t outs,
                     const struct dist_piece *in, size_t ins) {
    static MPI_Request *requests;
    static size_t room;
    const size_t n = messages(out, outs) + messages(in, ins);
    (void)dist;
    if (n > room) {
        free(requests);
        requests = malloc(n * sizeof *requests);
        if (!requests) MPI_Abort(MPI_COMM_WORLD, -CAELUM_ERESOURCE);
        room = n;
    }
    start(out, outs, true, start(in, ins, false, requests));
    MPI_Waitall((int)n, requests, MPI_STATUSES_IGNORE);
}

static void leave(void) {
    MPI_Finalize();
}

__attribute__((visibility("default")))
const struct dist_wire caelum_dist_wire = {DIST_WIRE, join, exchange, leave};
