/* error.h - how every fallible function reports: a code as result, a sentence in the caller's struct. */
#ifndef CAELUM_BASE_ERROR_H
#define CAELUM_BASE_ERROR_H

#include "caelum.h"

/* Fills err (unless NULL) with code and a formatted sentence; returns code, so that failing is one
 * line: `return caelum_fail(err, CAELUM_EIO, "%s: %s", path, strerror(errno));` */
int caelum_fail(struct caelum_error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " before the sentence that is already in err; returns err's code. */
int caelum_fail_in(struct caelum_error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Passes a failure on. The only macro that hides a return. */
#define CHECK(call)                                 \
    do {                                            \
        const int check_result = (call);            \
        if (check_result != 0) return check_result; \
    } while (0)

#endif
