/* cmd_compare.c - caelum compare: runs side by side. */
#include "cli.h"

#include "base/json.h"
#include "base/number.h"

#include <stdio.h>
#include <string.h>

/* Row 0 has the keys, the others the runs. */
static const char *text_of(const caelum_comparison *c, size_t row, size_t column) {
    return row == 0 ? caelum_comparison_key(c, column) : caelum_comparison_cell(c, row - 1, column);
}

static int width_of(const caelum_comparison *c, size_t column) {
    size_t width = 0;
    for (size_t r = 0; r <= caelum_comparison_rows(c); r++)
        if (strlen(text_of(c, r, column)) > width) width = strlen(text_of(c, r, column));
    return (int)width;
}

static void print_table(const caelum_comparison *c) {
    for (size_t r = 0; r <= caelum_comparison_rows(c); r++) {
        for (size_t i = 0; caelum_comparison_key(c, i); i++)
            printf("%s%*s", i ? "  " : "", i ? width_of(c, i) : -width_of(c, i), text_of(c, r, i));
        printf("\n");
    }
}

/* Numbers as numbers, what is not there as null. */
static json_t *value_of(const char *text) {
    uint64_t whole;
    double real;
    if (!*text) return json_null();
    if (number_whole(text, 0, INT64_MAX, &whole)) return json_integer((json_int_t)whole);
    return number_real(text, &real) ? json_number(real) : json_bytes(text);
}

static void print_runs(const caelum_comparison *c) {
    json_t *root = json_object(), *runs = json_array();
    for (size_t r = 0; r < caelum_comparison_rows(c); r++) {
        json_t *run = json_object();
        json_put(&run, "run", json_bytes(caelum_comparison_cell(c, r, 0)));
        for (size_t i = 1; caelum_comparison_key(c, i); i++)
            json_put(&run, caelum_comparison_key(c, i), value_of(caelum_comparison_cell(c, r, i)));
        json_add(&runs, run);
    }
    json_put(&root, "runs", runs);
    print_json(root);
}

struct compare {
    const char *out;
    bool json;
    caelum_comparison *comparison;
};

static const struct caelum_option rows[] = {
    OPTION(STRING, struct compare, 'o', "out", out, "FILE",
           "draw the validation curves: .svg a chart, .html a page with the table too"),
    OPTION(FLAG, struct compare, 0, "json", json, NULL, "print the table as JSON"), END_OF_OPTIONS};

static int run(void *values, int n, char **words, struct caelum_error *err) {
    struct compare *c = values;
    if (n < 1)
        return usage_error("compare", "expected at least one RUN directory, or one with runs below it");
    CHECK(caelum_comparison_open(&c->comparison, (const char *const *)words, (size_t)n, err));
    if (c->out) CHECK(caelum_comparison_draw(c->comparison, c->out, err));
    if (c->json)
        print_runs(c->comparison);
    else
        print_table(c->comparison);
    return 0;
}

COMMAND(compare, "RUN...", "compare runs: settings that differ, figures, curves",
        "caelum compare runs/first runs/second -o compare.html", .rows = rows, .size = sizeof(struct compare),
        .run = run);
