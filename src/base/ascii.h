/* ascii.h - letters and digits of ASCII, in every locale: <ctype.h> and strcasecmp know others, and a Turkish
 * locale finds "TIF" and "tif" different. */
#ifndef CAELUM_BASE_ASCII_H
#define CAELUM_BASE_ASCII_H

#include <stdbool.h>

static inline bool ascii_upper(char c) {
    return c >= 'A' && c <= 'Z';
}

static inline bool ascii_lower(char c) {
    return c >= 'a' && c <= 'z';
}

static inline bool ascii_digit(char c) {
    return c >= '0' && c <= '9';
}

static inline bool ascii_alnum(char c) {
    return ascii_upper(c) || ascii_lower(c) || ascii_digit(c);
}

static inline char ascii_to_lower(char c) {
    return ascii_upper(c) ? (char)(c - 'A' + 'a') : c;
}

/* Whether two texts are equal, ignoring case. */
static inline bool ascii_same(const char *a, const char *b) {
    while (*a && ascii_to_lower(*a) == ascii_to_lower(*b)) a++, b++;
    return ascii_to_lower(*a) == ascii_to_lower(*b);
}

#endif
