/* error.c - fills the caller's error struct. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int caelum_fail(struct caelum_error *err, int code, const char *format, ...) {
    if (err) {
        va_list args;
        va_start(args, format);
        err->code = code;
        vsnprintf(err->text, sizeof err->text, format, args);
        va_end(args);
    }
    return code;
}

int caelum_fail_in(struct caelum_error *err, int code, const char *format, ...) {
    if (err) {
        char text[sizeof err->text];
        va_list args;
        va_start(args, format);
        int used = vsnprintf(text, sizeof text, format, args);
        va_end(args);
        if (used < 0) used = 0;
        if ((size_t)used < sizeof text) snprintf(text + used, sizeof text - (size_t)used, ": %s", err->text);
        memcpy(err->text, text, sizeof text);
        err->code = code;
    }
    return code;
}
