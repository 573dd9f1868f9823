/* error.c - fills the caller's error struct; numbers in a sentence are those of the locale "C". */
#include "base/error.h"

#include "base/number.h"

#include <stdarg.h>
#include <stdio.h>

int caelum_fail(struct caelum_error *err, int code, const char *format, ...) {
    if (err) {
        va_list args;
        va_start(args, format);
        err->code = code;
        number_vprint(err->text, sizeof err->text, format, args);
        va_end(args);
    }
    return code;
}

int caelum_fail_in(struct caelum_error *err, int code, const char *format, ...) {
    if (err) {
        struct caelum_error inner = *err;
        va_list args;
        va_start(args, format);
        const int used = number_vprint(err->text, sizeof err->text, format, args);
        va_end(args);
        if (used >= 0 && (size_t)used < sizeof err->text) {
            const size_t left = sizeof err->text - (size_t)used;
            inner.text[left > 3 ? left - 3 : 0] = '\0'; /* cut what would not fit */
            snprintf(err->text + used, left, ": %.400s", inner.text);
        }
        err->code = code;
    }
    return code;
}
