/* magic.h - what a file is by its first bytes, to be said where it is refused. */
#ifndef CAELUM_BASE_MAGIC_H
#define CAELUM_BASE_MAGIC_H

#include <stddef.h>
#include <stdint.h>

/* "a PNG picture", with advice if there is any; never NULL. */
const char *magic_name(const uint8_t *bytes, size_t size);
/* The same of a file where a text is expected: NULL for a text that may be meant, for what is not known, and
 * for what is no regular file. */
const char *magic_of_file(const char *path);

#endif
