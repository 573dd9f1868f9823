/* utf8.h - whether texts are UTF-8 (RFC 3629: no surrogates, nothing longer than need be). */
#ifndef CAELUM_BASE_UTF8_H
#define CAELUM_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the character that a text begins with, 0 where it begins with none. */
size_t utf8_length(const char *text);
bool utf8_whole(const char *text);

#endif
