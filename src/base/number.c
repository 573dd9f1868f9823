/* number.c - the calling thread is put into the locale "C" for one call, and back: POSIX has no snprintf_l.
 * newlocale of "C" needs no memory and can't fail in the C libraries at hand; were it to, the thread's own
 * locale stays, which is what a plain call would use. */
#include "base/number.h"

#include <locale.h>
#include <stdlib.h>

static locale_t enter(void) {
    const locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    return plain ? uselocale(plain) : (locale_t)0;
}

static void leave(locale_t before) {
    if (before) freelocale(uselocale(before));
}

bool number_real_at(const char *text, const char **end, double *value) {
    char *behind;
    const locale_t before = enter();
    const double number = strtod(text, &behind);
    leave(before);
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
    const locale_t before = enter();
    const int length = vsnprintf(to, size, format, args);
    leave(before);
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
    const locale_t before = enter();
    const int length = vfprintf(to, format, args);
    leave(before);
    va_end(args);
    return length;
}
