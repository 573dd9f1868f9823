/* number.h - numbers to and from text, the same in every locale. A program around the library may have called
 * setlocale, and then strtod and printf use its decimal comma: whatever is kept in a file or read from one
 * goes through here. scripts/check-style.sh forbids the strto family elsewhere. */
#ifndef CAELUM_BASE_NUMBER_H
#define CAELUM_BASE_NUMBER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Reads the decimal digits that `text` starts with as a number from `least` to `most`; *end is behind them.
 * False, with *end and *value as they were, where there is no digit or the number is out of range: no sign,
 * no blank, no wrapping around. */
static inline bool number_whole_at(const char *text, const char **end, uint64_t least, uint64_t most,
                                   uint64_t *value) {
    uint64_t n = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9'; at++)
        if (__builtin_mul_overflow(n, 10u, &n) || __builtin_add_overflow(n, (uint64_t)(*at - '0'), &n))
            return false;
    if (at == text || n < least || n > most) return false;
    *end = at;
    *value = n;
    return true;
}

/* The same where the digits are all of `text`; NULL is no number. */
static inline bool number_whole(const char *text, uint64_t least, uint64_t most, uint64_t *value) {
    const char *end;
    uint64_t n;
    if (!text || !number_whole_at(text, &end, least, most, &n) || *end) return false;
    *value = n;
    return true;
}

/* Reads the number that `text` starts with, as strtod does in the locale "C"; *end is behind it. False, with
 * *end and *value as they were, where there is none. May be infinite or NaN: the words are numbers too. */
bool number_real_at(const char *text, const char **end, double *value);

/* The same where it is all of `text`; NULL is no number. */
bool number_real(const char *text, double *value);

/* Sets commas in a text of digits, "4911" to "4,911"; there must be room for them. Returns the text. */
char *number_group(char *digits);

/* For qsort of doubles, none of them NaN. */
int number_ascending(const void *a, const void *b);

/* snprintf, vsnprintf and fprintf in the locale "C". */
int number_print(char *to, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
int number_vprint(char *to, size_t size, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));
int number_write(FILE *to, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
