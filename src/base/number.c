/* number.c - the calling thread is put into the locale "C" for one call, and back: POSIX has no snprintf_l.
 */
#include "base/number.h"

#include "base/locale.h"

#include <stdlib.h>
#include <string.h>

bool number_real_at(const char *text, const char **end, double *value) {
    char *behind;
    const locale_t before = locale_enter_plain();
    const double number = strtod(text, &behind);
    locale_leave(before);
    if (behind == text) return false;
    *end = behind;
    *value = number;
    return true;
}

bool number_real(const char *text, double *value) {
    const char *end;
    double number;
    if (!text || !number_real_at(text, &end, &number) || *end) return false;
    *value = number;
    return true;
}

int number_vprint(char *to, size_t size, const char *format, va_list args) {
    const locale_t before = locale_enter_plain();
    const int length = vsnprintf(to, size, format, args);
    locale_leave(before);
    return length;
}

int number_print(char *to, size_t size, const char *format, ...) {
    va_list args;
    va_start(args, format);
    const int length = number_vprint(to, size, format, args);
    va_end(args);
    return length;
}

int number_write(FILE *to, const char *format, ...) {
    va_list args;
    va_start(args, format);
    const locale_t before = locale_enter_plain();
    const int length = vfprintf(to, format, args);
    locale_leave(before);
    va_end(args);
    return length;
}

char *number_group(char *digits) {
    size_t n = strlen(digits);
    for (size_t at = n; digits[0] != '-' && at > 3;) {
        at -= 3;
        memmove(digits + at + 1, digits + at, ++n - at);
        digits[at] = ',';
    }
    return digits;
}

int number_ascending(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}
