/* cmd_page.c - caelum page: a copy of the page that comes with the program. */
#include "cli.h"

#include "base/file.h"
#include "base/mem.h"

#include <stdio.h>

enum { MOST_PAGE = 1 << 26 };

struct page {
    const char *out;
    bool force;
};

static void defaults(void *values) {
    ((struct page *)values)->out = "caelum.html";
}

static const struct caelum_option rows[] = {
    OPTION(STRING, struct page, 'o', "out", out, "FILE", "the page, one HTML file"),
    OPTION(FLAG, struct page, 0, "force", force, NULL, "overwrite an existing file"), END_OF_OPTIONS};

int page_path(char path[PATH_SIZE], struct caelum_error *err) {
    if (path_program("caelum.html", path)) return 0;
    return caelum_fail(err, CAELUM_EIO,
                       "caelum.html, the page, is neither next to this program nor in ../share/caelum; "
                       "'make page' builds it");
}

static int run(void *values, int n, char **words, struct caelum_error *err) {
    const struct page *p = values;
    char from[PATH_SIZE];
    uint8_t *bytes;
    size_t size;
    if (n > 0) return usage_error("page", "expected no arguments, got '%s'; -o names the file", words[0]);
    CHECK(page_path(from, err));
    CHECK(path_free(p->out, p->force, err));
    CHECK(file_read(from, MOST_PAGE, &bytes, &size, err));
    const int result = file_write(p->out, bytes, size, err);
    mem_free(&bytes);
    if (result == 0) printf("%s: to be opened in a browser\n", p->out);
    return result;
}

COMMAND(page, "", "write a web page that colors, denoises, trains and finds defects",
        "caelum page -o caelum.html", .rows = rows, .size = sizeof(struct page), .defaults = defaults,
        .run = run);
