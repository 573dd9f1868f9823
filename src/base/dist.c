/* dist.c - the calls of dist.h, all of which are exchanges. */
#include "base/dist.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

int caelum_dist_rank(const caelum_dist *dist) {
    return dist ? dist->rank : 0;
}

int caelum_dist_ranks(const caelum_dist *dist) {
    return dist ? dist->ranks : 1;
}

/* --- Working together ----------------------------------------------------------------------------- */

struct dist_part dist_part(const struct caelum_dist *dist, int rank, size_t n) {
    const size_t ranks = (size_t)caelum_dist_ranks(dist), r = (size_t)rank;
    return (struct dist_part){n / ranks * r + n % ranks * r / ranks,
                              n / ranks * (r + 1) + n % ranks * (r + 1) / ranks};
}

void dist_exchange(const struct caelum_dist *dist, const struct dist_piece *out, size_t outs,
                   const struct dist_piece *in, size_t ins) {
    if (dist && dist->ranks > 1) dist->wire->exchange(dist, out, outs, in, ins);
}

void dist_gather(const struct caelum_dist *dist, void *all, size_t n, size_t size) {
    if (!dist) return;
    const struct dist_part mine = dist_part(dist, dist->rank, n);
    struct dist_piece *out = dist->piece, *in = out + dist->ranks;
    size_t others = 0;
    for (int r = 0; r < dist->ranks; r++) {
        const struct dist_part part = dist_part(dist, r, n);
        if (r == dist->rank) continue;
        out[others] = (struct dist_piece){r, (char *)all + mine.first * size, (mine.end - mine.first) * size};
        in[others++] =
            (struct dist_piece){r, (char *)all + part.first * size, (part.end - part.first) * size};
    }
    dist_exchange(dist, out, others, in, others);
}

/* Sends rank 0's bytes to all. */
static void spread(const struct caelum_dist *dist, void *bytes, size_t size) {
    const struct dist_piece in = {0, bytes, size};
    for (int r = 1; r < dist->ranks; r++) dist->piece[r - 1] = (struct dist_piece){r, bytes, size};
    dist_exchange(dist, dist->piece, dist->rank == 0 ? (size_t)dist->ranks - 1 : 0, &in, dist->rank != 0);
}

int dist_spread(const struct caelum_dist *dist, void *block, size_t *size, struct caelum_error *err) {
    if (!dist) return CAELUM_OK;
    void **bytes = block;
    spread(dist, size, sizeof *size);
    CHECK(dist_agree(dist, dist->rank == 0 ? CAELUM_OK : mem_alloc(block, *size, 1, err), err));
    spread(dist, *bytes, *size);
    return CAELUM_OK;
}

int dist_agree(const struct caelum_dist *dist, int code, struct caelum_error *err) {
    if (!dist) return code;
    struct caelum_error *mine = &dist->report[dist->rank];
    *mine = (struct caelum_error){0};
    if (code != 0 && dist->rank == 0) caelum_fail(mine, code, "%s", err ? err->text : "");
    if (code != 0 && dist->rank > 0)
        caelum_fail(mine, code, "rank %d on %s: %.400s", dist->rank, dist->host, err ? err->text : "");
    dist_gather(dist, dist->report, (size_t)dist->ranks, sizeof *dist->report);
    for (int r = 0; r < dist->ranks; r++) {
        if (dist->report[r].code == 0) continue;
        if (err) *err = dist->report[r];
        return dist->report[r].code;
    }
    return CAELUM_OK;
}

int dist_connect(struct caelum_dist *dist, struct caelum_error *err) {
    CHECK(mem_alloc(&dist->piece, 2 * (size_t)dist->ranks, sizeof *dist->piece, err));
    return mem_alloc(&dist->report, (size_t)dist->ranks, sizeof *dist->report, err);
}

int dist_check_version(const struct caelum_dist *dist, struct caelum_error *err) {
    char version[32] = CAELUM_VERSION;
    spread(dist, version, sizeof version);
    version[sizeof version - 1] = '\0';
    if (strcmp(version, CAELUM_VERSION) == 0) return dist_agree(dist, CAELUM_OK, err);
    return dist_agree(
        dist, caelum_fail(err, CAELUM_EUSAGE, "it has caelum %s, rank 0 has %s", CAELUM_VERSION, version),
        err);
}
