/* compare.c - run directories side by side. What is the same for all of them is left out: the eye should fall
 * on what differs, and on what came of it. */
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/number.h"
#include "report/html.h"
#include "report/svg_chart.h"
#include "study/run_list.h"
#include "train/run_files.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_RUNS = 64, MOST_COLUMNS = 48, MOST_LINES = 16 };

struct row {
    const char *name; /* the directory's last part, or all of it where two are the same; of `runs` */
    json_t *run, *eval;
    struct caelum_epoch *history;
    size_t epochs, best; /* epochs done; position of the best one */
};

struct caelum_comparison {
    struct run_list runs;
    size_t rows, columns;
    struct row row[MOST_RUNS];
    char key[MOST_COLUMNS][40];
    char *(*cell)[MOST_COLUMNS]; /* [rows]; NULL: nothing */
};

/* --- Reading -------------------------------------------------------------------------------------- */

static int open_row(struct row *row, const char *dir, struct caelum_error *err) {
    char path[PATH_SIZE];
    json_error_t problem;
    CHECK(file_join(path, sizeof path, dir, "run.json", err));
    row->run = json_read_file(path, &problem);
    if (!row->run)
        return caelum_fail(
            err, json_error_code(&problem) == json_error_cannot_open_file ? CAELUM_EIO : CAELUM_EFORMAT,
            "%s is no run directory: %s", dir, problem.text);
    CHECK(file_join(path, sizeof path, dir, "eval.json", err));
    row->eval = json_read_file(path, NULL);
    struct caelum_error none;
    const int result = run_read_metrics(dir, &row->history, &row->epochs, &none);
    if (result == CAELUM_EIO) return CAELUM_OK; /* before its first epoch */
    if (result != 0) {
        if (err) *err = none;
        return result;
    }
    for (size_t i = 0; i < row->epochs; i++)
        if (row->history[i].val_loss < row->history[row->best].val_loss) row->best = i;
    return CAELUM_OK;
}

static void name_rows(struct caelum_comparison *c) {
    bool whole = false;
    for (size_t i = 0; i < c->rows; i++) {
        c->row[i].name = path_name(c->runs.path[i]);
        for (size_t j = 0; j < i; j++) whole |= strcmp(c->row[i].name, c->row[j].name) == 0;
    }
    for (size_t i = 0; whole && i < c->rows; i++) c->row[i].name = c->runs.path[i];
}

/* --- Columns -------------------------------------------------------------------------------------- */

static bool add_column(struct caelum_comparison *c, const char *key) {
    if (c->columns == MOST_COLUMNS) return false;
    snprintf(c->key[c->columns++], sizeof c->key[0], "%s", key);
    return true;
}

/* Fills a cell of the last column. */
static int set_cell(struct caelum_comparison *c, size_t row, const char *text, struct caelum_error *err) {
    return mem_strdup(&c->cell[row][c->columns - 1], text, err);
}

static const char *setting(const struct row *row, const char *key) {
    const char *value = json_string_value(json_object_get(json_object_get(row->run, "settings"), key));
    return value ? value : "";
}

/* A column for a setting that is not the same everywhere, unless it is unknown, as it is in runs older than
 * the setting; what only says how the file is written, what fills lines, and what says in one what other
 * columns say one by one, is not for eyes. */
static int add_setting(struct caelum_comparison *c, const char *key, struct caelum_error *err) {
    static const char *const hidden[] = {"format", "network", "data_fingerprint", "caelum", "command"};
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        if (strcmp(key, hidden[i]) == 0) return CAELUM_OK;
    for (size_t i = 0; i < c->columns; i++)
        if (strcmp(key, c->key[i]) == 0) return CAELUM_OK;
    bool differs = false;
    const char *known = "";
    for (size_t i = 0; i < c->rows; i++) {
        const char *value = setting(&c->row[i], key);
        differs |= *known && *value && strcmp(value, known) != 0;
        if (*value) known = value;
    }
    if (!differs || !add_column(c, key)) return CAELUM_OK;
    for (size_t i = 0; i < c->rows; i++) {
        const char *value = setting(&c->row[i], key);
        char text[32];
        double real;
        if (strpbrk(value, ".e") && number_real(value, &real)) { /* older runs record 0.1 in 20 digits */
            number_print(text, sizeof text, "%.10g", real);
            value = text;
        }
        CHECK(set_cell(c, i, value, err));
    }
    return CAELUM_OK;
}

/* A column of numbers, unless no run has one. */
static int add_figure(struct caelum_comparison *c, const char *key, int digits, const double *value,
                      struct caelum_error *err) {
    bool any = false;
    for (size_t i = 0; i < c->rows; i++) any |= !isnan(value[i]);
    if (!any || !add_column(c, key)) return CAELUM_OK;
    for (size_t i = 0; i < c->rows; i++) {
        char text[400];
        if (isnan(value[i])) continue;
        number_print(text, sizeof text, "%.*f", digits, value[i]);
        CHECK(set_cell(c, i, text, err));
    }
    return CAELUM_OK;
}

static double number(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

/* Those of eval.json. */
static int add_test(struct caelum_comparison *c, struct caelum_error *err) {
    static const char *const test[] = {"mse", "uv_mse", "psnr", "accuracy"};
    static const int digits[] = {6, 6, 2, 4};
    double value[MOST_RUNS];
    for (size_t t = 0; t < sizeof test / sizeof *test; t++) {
        char key[40];
        snprintf(key, sizeof key, "test_%s", test[t]);
        for (size_t i = 0; i < c->rows; i++)
            value[i] = number(json_object_get(c->row[i].eval, "metrics"), test[t]);
        CHECK(add_figure(c, key, digits[t], value, err));
    }
    return CAELUM_OK;
}

/* The figures of the best epoch, of eval.json, and of the whole run. */
static int add_figures(struct caelum_comparison *c, struct caelum_error *err) {
    static const struct {
        const char *key;
        int digits;
    } figures[] = {{"parameters", 0},   {"epochs_done", 0}, {"best_epoch", 0},         {"val_loss", 6},
                   {"val_accuracy", 4}, {"seconds", 1},     {"pictures_per_second", 0}};
    enum { FIGURES = sizeof figures / sizeof *figures };
    double value[FIGURES][MOST_RUNS];
    for (size_t i = 0; i < c->rows; i++) {
        const struct row *r = &c->row[i];
        const struct caelum_epoch *best = r->epochs ? &r->history[r->best] : NULL;
        double seconds = 0, rate = 0;
        for (size_t e = 0; e < r->epochs; e++)
            seconds += r->history[e].seconds, rate += r->history[e].pictures_per_second / (double)r->epochs;
        value[0][i] = number(r->run, "parameters");
        value[1][i] = (double)r->epochs;
        value[2][i] = best ? (double)best->epoch : NAN;
        value[3][i] = best ? best->val_loss : NAN;
        value[4][i] = best ? best->val_accuracy : NAN;
        value[5][i] = best ? seconds : NAN;
        value[6][i] = best ? rate : NAN;
    }
    for (size_t f = 0; f < FIGURES; f++) {
        if (f == FIGURES - 2) CHECK(add_test(c, err));
        CHECK(add_figure(c, figures[f].key, figures[f].digits, value[f], err));
    }
    return CAELUM_OK;
}

static int fill(struct caelum_comparison *c, const char *const *dirs, size_t count,
                struct caelum_error *err) {
    CHECK(run_list_open(&c->runs, dirs, count, MOST_RUNS, err));
    CHECK(mem_alloc(&c->cell, c->runs.count, sizeof *c->cell, err));
    for (size_t i = 0; i < c->runs.count; i++) {
        c->rows++;
        CHECK(open_row(&c->row[i], c->runs.path[i], err));
    }
    name_rows(c);
    add_column(c, "run");
    for (size_t i = 0; i < c->rows; i++) CHECK(set_cell(c, i, c->row[i].name, err));
    for (size_t i = 0; i < c->rows; i++) {
        const char *key;
        json_t *value;
        json_object_foreach(json_object_get(c->row[i].run, "settings"), key, value)
            CHECK(add_setting(c, key, err));
    }
    return add_figures(c, err);
}

int caelum_comparison_open(caelum_comparison **out, const char *const *dirs, size_t count,
                           struct caelum_error *err) {
    struct caelum_comparison *c = NULL;
    if (count < 1) return caelum_fail(err, CAELUM_EUSAGE, "expected a run directory, got none");
    CHECK(mem_alloc(&c, 1, sizeof *c, err));
    const int result = fill(c, dirs, count, err);
    if (result != 0)
        caelum_comparison_close(&c);
    else
        *out = c;
    return result;
}

void caelum_comparison_close(caelum_comparison **comparison) {
    struct caelum_comparison *c = *comparison;
    if (!c) return;
    for (size_t i = 0; i < c->rows; i++) {
        json_decref(c->row[i].run);
        json_decref(c->row[i].eval);
        mem_free(&c->row[i].history);
        for (size_t column = 0; column < c->columns; column++) mem_free(&c->cell[i][column]);
    }
    mem_free(&c->cell);
    run_list_close(&c->runs);
    mem_free(comparison);
}

size_t caelum_comparison_rows(const caelum_comparison *c) {
    return c->rows;
}

const char *caelum_comparison_key(const caelum_comparison *c, size_t column) {
    return column < c->columns ? c->key[column] : NULL;
}

const char *caelum_comparison_cell(const caelum_comparison *c, size_t row, size_t column) {
    return c->cell[row][column] ? c->cell[row][column] : "";
}

/* --- Drawing -------------------------------------------------------------------------------------- */

static void draw_table(FILE *to, const struct caelum_comparison *c) {
    fprintf(to, "<div class=\"scroll\"><table>\n<thead>\n<tr>");
    for (size_t i = 0; i < c->columns; i++) {
        fprintf(to, "<th scope=\"col\">");
        for (const char *k = c->key[i]; *k; k++) fputc(*k == '_' ? ' ' : *k, to);
        fprintf(to, "</th>");
    }
    fprintf(to, "</tr>\n</thead>\n<tbody>\n");
    for (size_t r = 0; r < c->rows; r++) {
        fprintf(to, "<tr>");
        for (size_t i = 0; i < c->columns; i++) {
            fprintf(to, i == 0 ? "<th scope=\"row\">" : "<td>");
            html_text(to, caelum_comparison_cell(c, r, i));
            fprintf(to, i == 0 ? "</th>" : "</td>");
        }
        fprintf(to, "</tr>\n");
    }
    fprintf(to, "</tbody>\n</table></div>\n");
}

/* Curves of all runs; memory: [2][epochs of the longest] a run. Part of a page, or, where `to` is NULL, of
 * the file at `path`. */
static int draw_curves(FILE *to, const char *path, const struct caelum_comparison *c, bool accuracy,
                       double *memory, size_t longest, struct caelum_error *err) {
    struct svg_series series[MOST_LINES];
    size_t n = 0;
    for (size_t r = 0; r < c->rows && n < MOST_LINES; r++) {
        const struct row *row = &c->row[r];
        double *x = memory + r * 2 * longest, *y = x + longest;
        for (size_t e = 0; e < row->epochs; e++) {
            x[e] = (double)row->history[e].epoch;
            y[e] = accuracy ? row->history[e].val_accuracy : row->history[e].val_loss;
        }
        if (row->epochs > 0)
            series[n++] = (struct svg_series){
                .name = row->name, .color = r % SVG_COLORS, .x = x, .y = y, .n = row->epochs};
    }
    const struct svg_chart chart = {.title = accuracy ? "Validation accuracy" : "Validation loss",
                                    .description = "A line for each run, by epoch.",
                                    .x_label = "epoch",
                                    .y_label =
                                        accuracy ? "share of pixels whose largest channel agrees" : "loss",
                                    .log_y = !accuracy,
                                    .series = series,
                                    .count = n,
                                    .id = accuracy ? "accuracy" : "loss"};
    if (!to) return svg_chart_write(&chart, path, err);
    svg_figure_write(to, &chart, NULL);
    return CAELUM_OK;
}

static int draw_page(const struct caelum_comparison *c, const char *path, double *memory, size_t longest,
                     struct caelum_error *err) {
    struct file_writer w;
    CHECK(file_begin(&w, path, err));
    FILE *to = w.stream;
    html_begin(to, "Runs compared");
    fprintf(to,
            "<h1>Runs compared</h1>\n<p class=\"lead\">Settings that are the same for all runs are left out. "
            "Validation figures are those of the best epoch.</p>\n");
    draw_table(to, c);
    fprintf(to, "<div class=\"pair\">\n");
    draw_curves(to, NULL, c, false, memory, longest, NULL);
    draw_curves(to, NULL, c, true, memory, longest, NULL);
    fprintf(to, "</div>\n");
    html_end(to);
    return file_commit(&w, err);
}

int caelum_comparison_draw(const caelum_comparison *c, const char *path, struct caelum_error *err) {
    const char *dot = strrchr(path, '.');
    const bool page = dot && strcmp(dot, ".html") == 0;
    if (!page && !(dot && strcmp(dot, ".svg") == 0))
        return caelum_fail(err, CAELUM_EUSAGE, "%s: expected a name that ends in .svg or .html", path);
    size_t longest = 1;
    for (size_t r = 0; r < c->rows; r++)
        if (c->row[r].epochs > longest) longest = c->row[r].epochs;
    double *memory = NULL;
    CHECK(mem_alloc(&memory, c->rows * 2 * longest, sizeof *memory, err));
    const int result = page ? draw_page(c, path, memory, longest, err)
                            : draw_curves(NULL, path, c, false, memory, longest, err);
    mem_free(&memory);
    return result;
}
