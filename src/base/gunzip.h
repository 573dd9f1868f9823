/* gunzip.h - bytes that may be compressed by gzip. */
#ifndef CAELUM_BASE_GUNZIP_H
#define CAELUM_BASE_GUNZIP_H

#include "base/error.h"

enum { GUNZIP_HEAD = 512 }; /* compressed bytes that are enough for the first sixteen */

/* The first `most` bytes of what a file that begins so holds, decompressed; zeros behind its end. */
void gunzip_head(const uint8_t *bytes, size_t size, uint8_t *head, size_t most);

/* Where *bytes are compressed, they become what they hold, to be freed in the same way. CAELUM_EFORMAT, with
 * `name` in front, if that is damaged, cut short, or more than `most` bytes. */
int gunzip(uint8_t **bytes, size_t *size, const char *name, size_t most, struct caelum_error *err);

#endif
