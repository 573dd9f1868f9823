/* compare.c - run directories side by side. What is the same for all of them is left out: the eye should fall
 * on what differs, and on what came of it. */
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/number.h"
#include "report/html.h"
#include "report/page.h"
#include "report/svg_chart.h"
#include "study/curves.h"
#include "study/run_list.h"
#include "train/run_files.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_RUNS = 64, MOST_COLUMNS = 48 };

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
static int add_figure(struct caelum_comparison *c, const char *key, const char *format, const double *value,
                      struct caelum_error *err) {
    bool any = false;
    for (size_t i = 0; i < c->rows; i++) any |= !isnan(value[i]);
    if (!any || !add_column(c, key)) return CAELUM_OK;
    for (size_t i = 0; i < c->rows; i++) {
        char text[400];
        if (isnan(value[i])) continue;
        number_print(text, sizeof text, format, value[i]);
        CHECK(set_cell(c, i, text, err));
    }
    return CAELUM_OK;
}

static double number(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

/* Those of eval.json: the main figure of every task, PSNR and accuracy. */
static int add_test(struct caelum_comparison *c, struct caelum_error *err) {
    static const enum caelum_task tasks[] = {CAELUM_RECONSTRUCT, CAELUM_COLORIZE};
    double value[MOST_RUNS];
    for (size_t t = 0; t < sizeof tasks / sizeof *tasks; t++)
        for (const struct caelum_figure *first = caelum_figures(tasks[t]), *f = first; f->key; f++) {
            const bool shared = strcmp(f->key, "psnr") == 0 || strcmp(f->key, "accuracy") == 0;
            char key[40];
            if (f != first && (t > 0 || !shared)) continue;
            snprintf(key, sizeof key, "test_%.30s", f->key);
            for (size_t i = 0; i < c->rows; i++)
                value[i] = number(json_object_get(c->row[i].eval, "metrics"), f->key);
            CHECK(add_figure(c, key, f->format, value, err));
        }
    return CAELUM_OK;
}

/* The figures of the best epoch, of eval.json, and of the whole run. */
static int add_figures(struct caelum_comparison *c, struct caelum_error *err) {
    static const struct {
        const char *key, *format;
    } figures[] = {{"parameters", "%.0f"},         {"epochs_done", "%.0f"},  {"best_epoch", "%.0f"},
                   {"val_loss", "%.6f"},           {"val_accuracy", "%.4f"}, {"seconds", "%.1f"},
                   {"pictures_per_second", "%.0f"}};
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
        CHECK(add_figure(c, figures[f].key, figures[f].format, value[f], err));
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
    const struct page page = {.html = to};
    const char *cells[MOST_COLUMNS];
    for (size_t i = 0; i < c->columns; i++) cells[i] = c->key[i];
    page_table(&page, cells, c->columns);
    for (size_t r = 0; r < c->rows; r++) {
        for (size_t i = 0; i < c->columns; i++) cells[i] = caelum_comparison_cell(c, r, i);
        page_row(&page, cells, c->columns, false);
    }
    page_table_end(&page);
}

static int draw_page(const struct caelum_comparison *c, const char *path, const struct curves_run *runs,
                     struct caelum_error *err) {
    struct file_writer w;
    CHECK(file_begin(&w, path, err));
    const struct page page = {.html = w.stream};
    html_begin(w.stream, "Runs compared");
    page_heading(&page, 1, NULL, "Runs compared");
    page_paragraph(
        &page, PAGE_PLAIN,
        "Settings that are the same for all runs are left out. Validation figures are those of the best "
        "epoch.");
    draw_table(w.stream, c);
    fprintf(w.stream, "<div class=\"pair\">\n");
    int result = curves_write(w.stream, NULL, runs, c->rows, false, "loss", err);
    if (result == 0) result = curves_write(w.stream, NULL, runs, c->rows, true, "accuracy", err);
    fprintf(w.stream, "</div>\n");
    html_end(w.stream);
    if (result == 0) return file_commit(&w, err);
    file_abandon(&w);
    return result;
}

int caelum_comparison_draw(const caelum_comparison *c, const char *path, struct caelum_error *err) {
    const char *dot = strrchr(path, '.');
    const bool page = dot && strcmp(dot, ".html") == 0;
    if (!page && !(dot && strcmp(dot, ".svg") == 0))
        return caelum_fail(err, CAELUM_EUSAGE, "%s: expected a name that ends in .svg or .html", path);
    struct curves_run *runs = NULL;
    CHECK(mem_alloc(&runs, c->rows, sizeof *runs, err));
    for (size_t r = 0; r < c->rows; r++)
        runs[r] = (struct curves_run){.name = c->row[r].name,
                                      .color = r % SVG_COLORS,
                                      .seeds = 1,
                                      .epochs = c->row[r].epochs,
                                      .history = {c->row[r].history}};
    const int result =
        page ? draw_page(c, path, runs, err) : curves_write(NULL, path, runs, c->rows, false, "loss", err);
    mem_free(&runs);
    return result;
}
