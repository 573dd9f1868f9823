/* magic.h - what a file is by its first bytes, to be said where it is refused. */
#ifndef CAELUM_NET_MAGIC_H
#define CAELUM_NET_MAGIC_H

#include <stddef.h>
#include <stdint.h>

/* "a PNG picture", with a word on what to do where there is something; never NULL. */
const char *magic_name(const uint8_t *bytes, size_t size);

#endif
