/* prepared.h - a data set that takes long to make, written once to a file that later runs map into memory.
 *
 *   header    one page
 *   pixels    [count][c][h][w]
 *   first     [photos + 1] 32-bit numbers, on a multiple of four bytes; where pictures are crops of photos
 *   labels    [count] 16-bit numbers; where there are classes
 *   names     of the classes, a NUL behind each
 *   skips     path, NUL, reason, NUL of each file that could not be used
 *
 * Its name and its header hold a hash of all that decides what is in it, so changed sources get a new one.
 * The header has a CRC-32 of the whole, which is compared before any of it is used. Where it can't be kept,
 * the same is made for this one use, in a file without a name or in memory, and a note says so. */
#ifndef CAELUM_DATA_PREPARED_H
#define CAELUM_DATA_PREPARED_H

#include "data/data.h"

#include <nettle/sha2.h>
#include <stdio.h>

struct prepared_header {
    char magic[16];
    uint64_t count, c, h, w, classes, photos, skipped, names_size, skips_size;
    uint64_t part[3]; /* as in struct caelum_data */
    char name[32];    /* of the data set */
    char key[72];     /* hexadecimal, as below; no padding, or the sum would be of chance */
    char sha256[68];  /* of the pixels */
    uint32_t sum;     /* CRC-32 of all behind the first page, then of this header with 0 here */
};

/* A file on its way. Stream errors show at its end. */
struct prepared_writer {
    FILE *stream;
    struct prepared_header header;
    struct sha256_ctx pixels;
    uint32_t sum;
};

struct prepared {
    char key[65]; /* SHA-256 of all that decides what is in it */
    /* Writes the pixels by prepared_pixels and what is behind them by prepared_tables. It may be called more
     * than once, and end early without a failure once `to` has one. */
    int (*make)(void *cookie, struct prepared_writer *to, struct caelum_error *err);
    void *cookie;
};

void prepared_key(struct sha256_ctx *sha, char key[65]);
void prepared_pixels(struct prepared_writer *to, const uint8_t *pixels, size_t size);
/* Forgets what was written, and all of the header but its key. */
void prepared_restart(struct prepared_writer *to);
/* Called once, when all of the header but key and sums is known. */
void prepared_tables(struct prepared_writer *to, const uint32_t *first, const uint16_t *labels,
                     const char *names, const char *skips);

/* Opens what was prepared, or prepares it: fills all of `data` that its files decide. */
int prepared_open(struct caelum_data *data, const struct prepared *what,
                  const struct caelum_data_settings *settings, struct caelum_error *err);

#endif
