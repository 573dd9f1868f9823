/* anomaly_rank.c - p-values by rank, which need no model of how scores are distributed. */
#include "anomaly/anomaly_rank.h"

#include "base/mem.h"
#include "base/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double anomaly_p(const struct anomaly_ranks *r, float score) {
    size_t low = 0, high = r->n; /* the first that is as large */
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (r->score[middle] < score)
            low = middle + 1;
        else
            high = middle;
    }
    return (double)(1 + r->n - low) / (double)(1 + r->n);
}

/* The 1e-9 is for shares like 0.01, which are no binary fractions. */
float anomaly_threshold(const struct anomaly_ranks *r, double share) {
    const double may = floor(share * (double)(r->n + 1) + 1e-9);
    const size_t above = may < 1 ? 0 : may > (double)r->n ? r->n - 1 : (size_t)may - 1;
    return nextafterf(r->score[r->n - 1 - above], INFINITY);
}

size_t anomaly_needed(double share) {
    return (size_t)ceil(1 / share - 1 - 1e-9);
}

static int rising(const void *a, const void *b) {
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

int anomaly_ranks_make(struct anomaly_ranks *ranks, const float *scores, size_t n, struct caelum_error *err) {
    float *copy = NULL;
    CHECK(mem_alloc(&copy, n, sizeof *copy, err));
    memcpy(copy, scores, n * sizeof *copy);
    qsort(copy, n, sizeof *copy, rising);
    anomaly_ranks_free(ranks);
    *ranks = (struct anomaly_ranks){n, copy};
    return CAELUM_OK;
}

static void levels_of_pixels(const uint32_t count[ANOMALY_STEPS + 1], float level[ANOMALY_OF_PIXELS]) {
    uint64_t all = 0, above = 0;
    size_t at = ANOMALY_STEPS + 1;
    for (size_t i = 0; i <= ANOMALY_STEPS; i++) all += count[i];
    for (size_t k = ANOMALY_OF_PIXELS; k > 0; k--) {
        while (at > 0 && (above < all >> k || above == 0)) above += count[--at];
        level[k - 1] = (float)at / ANOMALY_STEPS;
    }
}

int anomaly_levels_make(struct anomaly_ranks *level, const uint32_t count[ANOMALY_STEPS + 1],
                        const float *largest, size_t n, struct caelum_error *err) {
    enum { LEVELS = ANOMALY_OF_PIXELS + ANOMALY_OF_PICTURES };
    struct anomaly_ranks pictures = {0};
    float score[LEVELS];
    CHECK(anomaly_ranks_make(&pictures, largest, n, err));
    levels_of_pixels(count, score);
    for (size_t k = 1; k <= ANOMALY_OF_PICTURES; k++)
        score[ANOMALY_OF_PIXELS + k - 1] = pictures.score[n - (n >> k > 0 ? n >> k : 1)];
    for (size_t k = 1; k < LEVELS; k++) score[k] = fmaxf(score[k], score[k - 1]);
    anomaly_ranks_free(&pictures);
    return anomaly_ranks_make(level, score, LEVELS, err);
}

float anomaly_translate(const struct anomaly_ranks *from, const struct anomaly_ranks *to, float score) {
    size_t i = 0;
    while (i < from->n && from->score[i] <= score) i++;
    const double x0 = i > 0 ? (double)from->score[i - 1] : 0, x1 = i < from->n ? (double)from->score[i] : 1,
                 y0 = i > 0 ? (double)to->score[i - 1] : 0, y1 = i < to->n ? (double)to->score[i] : 1;
    return (float)(x1 > x0 ? y0 + (y1 - y0) * ((double)score - x0) / (x1 - x0) : y1);
}

int anomaly_ranks_print(const struct anomaly_ranks *r, char **text, struct caelum_error *err) {
    size_t size = 0;
    FILE *to = open_memstream(text, &size);
    if (!to) return caelum_fail(err, CAELUM_ERESOURCE, "out of memory");
    for (size_t i = 0; i < r->n; i++) number_write(to, i ? " %.9g" : "%.9g", (double)r->score[i]);
    return mem_stream_close(to, text) ? CAELUM_OK : caelum_fail(err, CAELUM_ERESOURCE, "out of memory");
}

int anomaly_ranks_read(struct anomaly_ranks *ranks, const char *text, const char *where,
                       struct caelum_error *err) {
    struct anomaly_ranks r = {0};
    size_t words = 1;
    const char *at = text;
    for (const char *c = text; *c; c++) words += *c == ' ';
    CHECK(mem_alloc(&r.score, words, sizeof *r.score, err));
    for (double value; r.n < words && number_real_at(at, &at, &value) && isfinite(value); at += *at == ' ') {
        if (r.n > 0 && (float)value < r.score[r.n - 1]) break;
        r.score[r.n++] = (float)value;
    }
    if (*at != '\0' || r.n != words) {
        anomaly_ranks_free(&r);
        return caelum_fail(err, CAELUM_EFORMAT, "%s: expected numbers that rise, got '%.40s'", where, at);
    }
    *ranks = r;
    return CAELUM_OK;
}

void anomaly_ranks_free(struct anomaly_ranks *ranks) {
    mem_free(&ranks->score);
    ranks->n = 0;
}
