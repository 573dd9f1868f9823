/* style.c - whether messages are colored, and how. The rules are those of no-color.org and of CPython: a flag
 * beats NO_COLOR, NO_COLOR beats FORCE_COLOR and CLICOLOR_FORCE, those beat what the terminal is. */
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool colored[3]; /* by file descriptor */

static bool is_set(const char *name) {
    const char *value = getenv(name);
    return value && *value;
}

static bool is_forced(const char *name) {
    return is_set(name) && strcmp(getenv(name), "0") != 0;
}

static bool wanted(int mode, int descriptor) {
    if (mode != DISPLAY_AUTO) return mode == DISPLAY_ALWAYS;
    if (is_set("NO_COLOR")) return false;
    if (is_forced("FORCE_COLOR") || is_forced("CLICOLOR_FORCE")) return true;
    return is_set("TERM") && strcmp(getenv("TERM"), "dumb") != 0 && isatty(descriptor);
}

void style_choose(int mode) {
    colored[1] = wanted(mode, 1);
    colored[2] = wanted(mode, 2);
}

void put_plain(FILE *to, const char *text) {
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        const bool c1 = c[0] == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f; /* U+0080 to U+009F */
        if (*c < 32 || *c == 127 || c1)
            fprintf(to, "\\x%02x", c1 ? *++c : *c);
        else
            fputc(*c, to);
    }
}

const char *style(FILE *to, enum style style) {
    static const char *const sequences[] = {[STYLE_PLAIN] = "\033[0m",
                                            [STYLE_ERROR] = "\033[1;31m",
                                            [STYLE_WARNING] = "\033[1;33m",
                                            [STYLE_GOOD] = "\033[32m",
                                            [STYLE_HEADING] = "\033[1m"};
    return colored[to == stderr ? 2 : 1] ? sequences[style] : "";
}
