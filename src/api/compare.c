/* compare.c - run directories side by side. What is the same for all of them is left out: the eye should fall
 * on what differs, and on what came of it. */
#include "base/file.h"
#include "base/mem.h"
#include "report/html.h"
#include "report/run_files.h"
#include "report/svg_chart.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_RUNS = 64, MOST_COLUMNS = 48, MOST_LINES = 16 };

struct row {
    char name[128]; /* the directory's last part, or all of it where two are the same */
    json_t *run, *eval;
    struct caelum_epoch *history;
    size_t epochs, best; /* epochs done; position of the best one */
};

struct caelum_comparison {
    size_t rows, columns;
    struct row row[MOST_RUNS];
    char key[MOST_COLUMNS][40];
    char (*cell)[MOST_COLUMNS][64]; /* [rows] */
};

/* --- Reading -------------------------------------------------------------------------------------- */

static int open_row(struct row *row, const char *dir, struct caelum_error *err) {
    char path[1024];
    json_error_t problem;
    CHECK(file_join(path, sizeof path, dir, "run.json", err));
    row->run = json_load_file(path, 0, &problem);
    if (!row->run)
        return caelum_fail(
            err, json_error_code(&problem) == json_error_cannot_open_file ? CAELUM_EIO : CAELUM_EFORMAT,
            "%s is no run directory: %s", dir, problem.text);
    CHECK(file_join(path, sizeof path, dir, "eval.json", err));
    row->eval = json_load_file(path, 0, NULL);
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

static void name_row(struct row *row, const char *dir, bool whole) {
    size_t length = strlen(dir);
    while (length > 1 && dir[length - 1] == '/') length--;
    size_t start = length;
    while (!whole && start > 0 && dir[start - 1] != '/') start--;
    if (whole) start = 0;
    snprintf(row->name, sizeof row->name, "%.*s", (int)(length - start), dir + start);
}

static void name_rows(struct caelum_comparison *c, const char *const *dirs) {
    bool whole = false;
    for (size_t i = 0; i < c->rows; i++) {
        name_row(&c->row[i], dirs[i], false);
        for (size_t j = 0; j < i; j++) whole |= strcmp(c->row[i].name, c->row[j].name) == 0;
    }
    for (size_t i = 0; whole && i < c->rows; i++) name_row(&c->row[i], dirs[i], true);
}

/* --- Columns -------------------------------------------------------------------------------------- */

static bool add_column(struct caelum_comparison *c, const char *key) {
    if (c->columns == MOST_COLUMNS) return false;
    snprintf(c->key[c->columns++], sizeof c->key[0], "%s", key);
    return true;
}

static const char *setting(const struct row *row, const char *key) {
    const char *value = json_string_value(json_object_get(json_object_get(row->run, "settings"), key));
    return value ? value : "";
}

/* A column for a setting that is not the same everywhere, unless it is unknown, as it is in runs older than
 * the setting; what only says how the file is written, and what fills lines, is not for eyes. */
static void add_setting(struct caelum_comparison *c, const char *key) {
    static const char *const hidden[] = {"format", "network", "data_fingerprint", "caelum"};
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        if (strcmp(key, hidden[i]) == 0) return;
    for (size_t i = 0; i < c->columns; i++)
        if (strcmp(key, c->key[i]) == 0) return;
    bool differs = false;
    const char *known = "";
    for (size_t i = 0; i < c->rows; i++) {
        const char *value = setting(&c->row[i], key);
        differs |= *known && *value && strcmp(value, known) != 0;
        if (*value) known = value;
    }
    if (!differs || !add_column(c, key)) return;
    for (size_t i = 0; i < c->rows; i++) {
        const char *value = setting(&c->row[i], key);
        char *end;
        const double number = strtod(value, &end);
        if (*value && *end == '\0' && strpbrk(value, ".e")) /* 0.001 is recorded as 0.001000000000000000021 */
            snprintf(c->cell[i][c->columns - 1], sizeof c->cell[i][0], "%.10g", number);
        else
            snprintf(c->cell[i][c->columns - 1], sizeof c->cell[i][0], "%.60s", value);
    }
}

/* A column of numbers, unless no run has one. */
static void add_figure(struct caelum_comparison *c, const char *key, const char *format,
                       const double *value) {
    bool any = false;
    for (size_t i = 0; i < c->rows; i++) any |= !isnan(value[i]);
    if (!any || !add_column(c, key)) return;
    for (size_t i = 0; i < c->rows; i++)
        if (!isnan(value[i])) snprintf(c->cell[i][c->columns - 1], sizeof c->cell[i][0], format, value[i]);
}

static double number(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

/* The figures of the best epoch, of the whole run, and of eval.json. */
static void add_figures(struct caelum_comparison *c) {
    static const char *const test[] = {"mse", "uv_mse", "psnr", "accuracy"};
    static const char *const formats[] = {"%.6f", "%.6f", "%.2f", "%.4f"};
    double value[8][MOST_RUNS];
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
    add_figure(c, "parameters", "%.0f", value[0]);
    add_figure(c, "epochs_done", "%.0f", value[1]);
    add_figure(c, "best_epoch", "%.0f", value[2]);
    add_figure(c, "val_loss", "%.6f", value[3]);
    add_figure(c, "val_accuracy", "%.4f", value[4]);
    for (size_t t = 0; t < sizeof test / sizeof *test; t++) {
        char key[40];
        snprintf(key, sizeof key, "test_%s", test[t]);
        for (size_t i = 0; i < c->rows; i++)
            value[7][i] = number(json_object_get(c->row[i].eval, "metrics"), test[t]);
        add_figure(c, key, formats[t], value[7]);
    }
    add_figure(c, "seconds", "%.1f", value[5]);
    add_figure(c, "pictures_per_second", "%.0f", value[6]);
}

static int fill(struct caelum_comparison *c, const char *const *dirs, size_t count,
                struct caelum_error *err) {
    CHECK(mem_alloc(&c->cell, count, sizeof *c->cell, err));
    for (size_t i = 0; i < count; i++) {
        c->rows++;
        CHECK(open_row(&c->row[i], dirs[i], err));
    }
    name_rows(c, dirs);
    add_column(c, "run");
    for (size_t i = 0; i < count; i++) snprintf(c->cell[i][0], sizeof c->cell[i][0], "%.63s", c->row[i].name);
    for (size_t i = 0; i < count; i++) {
        const char *key;
        json_t *value;
        json_object_foreach(json_object_get(c->row[i].run, "settings"), key, value) add_setting(c, key);
    }
    add_figures(c);
    return CAELUM_OK;
}

int caelum_comparison_open(caelum_comparison **out, const char *const *dirs, size_t count,
                           struct caelum_error *err) {
    struct caelum_comparison *c = NULL;
    if (count < 1 || count > MOST_RUNS)
        return caelum_fail(err, CAELUM_EUSAGE, "expected 1 to %d run directories, got %zu", MOST_RUNS, count);
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
    }
    mem_free(&c->cell);
    mem_free(comparison);
}

size_t caelum_comparison_rows(const caelum_comparison *c) {
    return c->rows;
}

const char *caelum_comparison_key(const caelum_comparison *c, size_t column) {
    return column < c->columns ? c->key[column] : NULL;
}

const char *caelum_comparison_cell(const caelum_comparison *c, size_t row, size_t column) {
    return c->cell[row][column];
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
            html_text(to, c->cell[r][i]);
            fprintf(to, i == 0 ? "</th>" : "</td>");
        }
        fprintf(to, "</tr>\n");
    }
    fprintf(to, "</tbody>\n</table></div>\n");
}

/* Curves of all runs; memory: [3][epochs of the longest] a run. */
static void draw_curves(FILE *to, const struct caelum_comparison *c, bool accuracy, double *memory,
                        size_t longest, bool page) {
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
    if (page)
        svg_figure_write(to, &chart, NULL);
    else
        svg_chart_write(to, &chart);
}

static void draw_page(FILE *to, const struct caelum_comparison *c, double *memory, size_t longest) {
    html_begin(to, "Runs compared");
    fprintf(to,
            "<h1>Runs compared</h1>\n<p class=\"lead\">Settings that are the same for all runs are left out. "
            "Validation figures are those of the best epoch.</p>\n");
    draw_table(to, c);
    fprintf(to, "<div class=\"pair\">\n");
    draw_curves(to, c, false, memory, longest, true);
    draw_curves(to, c, true, memory, longest, true);
    fprintf(to, "</div>\n");
    html_end(to);
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
    struct file_writer w;
    CHECK(mem_alloc(&memory, c->rows * 2 * longest, sizeof *memory, err));
    int result = file_begin(&w, path, err);
    if (result == 0) {
        if (page)
            draw_page(w.stream, c, memory, longest);
        else
            draw_curves(w.stream, c, false, memory, longest, false);
        result = file_commit(&w, err);
    }
    mem_free(&memory);
    return result;
}
