/* ranks.c - processes that an MPI launcher has started together: the first of them talks. */
#include "cli.h"

const char *const ranks_words[] = {"auto", "none", "openmpi", "mpich", NULL};

int ranks_open(caelum_dist **dist, int mpi, struct caelum_error *err) {
    CHECK(caelum_dist_open(dist, mpi == 0 ? NULL : ranks_words[mpi], err));
    display.silent = caelum_dist_rank(*dist) > 0;
    display.quiet |= display.silent;
    return 0;
}

int ranks_end(const caelum_dist *dist, bool stopped) {
    if (dist) signals_forget();
    return dist && stopped && !display.silent ? -CAELUM_ESTOPPED : 0;
}
