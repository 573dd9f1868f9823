/* compare.c - run directories side by side. What is the same for all of them is left out: the eye should fall
 * on what differs, and on what came of it. */
#define _GNU_SOURCE /* scandir */
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/number.h"
#include "report/page.h"
#include "report/svg_chart.h"
#include "study/study_charts.h"
#include "train/run_directory.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_RUNS = 64, MOST_DEPTH = 16 };

struct row {
    char *path;       /* without slashes at the end */
    const char *name; /* its last part, or all of it where two are the same */
    json_t *run, *eval;
    struct caelum_epoch *history;
    size_t epochs, best; /* epochs done; position of the best one */
};

struct caelum_comparison {
    size_t rows;
    struct row row[MOST_RUNS];
    json_t *columns; /* {key: [a text of each run]}, the first without: names need not be UTF-8 */
};

/* --- Reading -------------------------------------------------------------------------------------- */

static int add_run(struct caelum_comparison *c, const char *dir, struct caelum_error *err) {
    char path[PATH_SIZE];
    json_error_t problem;
    if (c->rows == MOST_RUNS)
        return caelum_fail(err, CAELUM_EUSAGE, "%s: the %d-th run directory, at most %d expected", dir,
                           MOST_RUNS + 1, MOST_RUNS);
    struct row *row = &c->row[c->rows++];
    CHECK(mem_strdup(&row->path, dir, err));
    for (size_t n = strlen(dir); n > 1 && row->path[n - 1] == '/'; n--) row->path[n - 1] = '\0';
    CHECK(file_join(path, sizeof path, dir, "run.json", err));
    row->run = json_read_file(path, &problem);
    if (!row->run)
        return caelum_fail(err, json_fault(&problem), "%s is no run directory: %s", dir, problem.text);
    CHECK(file_join(path, sizeof path, dir, "eval.json", err));
    row->eval = json_read_file(path, NULL);
    CHECK(file_join(path, sizeof path, dir, "metrics.csv", err));
    if (access(path, F_OK) != 0) return CAELUM_OK; /* before its first epoch */
    CHECK(run_read_metrics(dir, &row->history, &row->epochs, err));
    for (size_t i = 0; i < row->epochs; i++)
        if (row->history[i].val_loss < row->history[row->best].val_loss) row->best = i;
    return CAELUM_OK;
}

static int is_shown(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

static int by_bytes(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* Adds a run directory, which has a run.json, or else all that are below, in the order of their names; hidden
 * directories and links are left out. */
static int add_runs(struct caelum_comparison *c, const char *dir, int depth, struct caelum_error *err) {
    char path[PATH_SIZE];
    struct dirent **entry = NULL;
    struct stat st;
    if (file_join(path, sizeof path, dir, "run.json", NULL) == 0 && access(path, F_OK) == 0)
        return add_run(c, dir, err);
    if (depth == MOST_DEPTH) return CAELUM_OK;
    const int n = scandir(dir, &entry, is_shown, by_bytes);
    if (n < 0) return caelum_fail(err, CAELUM_EIO, "%s is no run directory: %s", dir, strerror(errno));
    int result = CAELUM_OK;
    for (int i = 0; i < n; i++) {
        if (result == 0) result = file_join(path, sizeof path, dir, entry[i]->d_name, err);
        if (result == 0 && lstat(path, &st) == 0 && S_ISDIR(st.st_mode))
            result = add_runs(c, path, depth + 1, err);
        free(entry[i]);
    }
    free(entry);
    return result;
}

static void name_rows(struct caelum_comparison *c) {
    bool whole = false;
    for (size_t i = 0; i < c->rows; i++) {
        c->row[i].name = path_name(c->row[i].path);
        for (size_t j = 0; j < i; j++) whole |= strcmp(c->row[i].name, c->row[j].name) == 0;
    }
    for (size_t i = 0; whole && i < c->rows; i++) c->row[i].name = c->row[i].path;
}

/* --- Columns -------------------------------------------------------------------------------------- */

static const char *setting(const struct row *row, const char *key) {
    const char *value = json_string_value(json_object_get(json_object_get(row->run, "settings"), key));
    return value ? value : "";
}

/* A column for a setting that is not the same everywhere, unless it is unknown, as it is in runs older than
 * the setting. Left out are what only says how the file is written, what fills lines, and the command, which
 * repeats what other columns say. */
static void add_setting(struct caelum_comparison *c, const char *key) {
    static const char *const hidden[] = {"format", "network", "data_fingerprint", "caelum", "command"};
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        if (strcmp(key, hidden[i]) == 0) return;
    if (json_object_get(c->columns, key)) return;
    bool differs = false;
    const char *known = "";
    for (size_t i = 0; i < c->rows; i++) {
        const char *value = setting(&c->row[i], key);
        differs |= *known && *value && strcmp(value, known) != 0;
        if (*value) known = value;
    }
    if (!differs) return;
    json_t *texts = json_array();
    for (size_t i = 0; i < c->rows; i++) {
        const char *value = setting(&c->row[i], key);
        char text[32];
        double real;
        if (strpbrk(value, ".e") && number_real(value, &real)) { /* older runs record 0.1 in 20 digits */
            number_print(text, sizeof text, "%.10g", real);
            value = text;
        }
        json_add(&texts, json_string(value));
    }
    json_put(&c->columns, key, texts);
}

/* A column of numbers, unless no run has one. */
static void add_figure(struct caelum_comparison *c, const char *key, const char *format,
                       const double *value) {
    bool any = false;
    for (size_t i = 0; i < c->rows; i++) any |= !isnan(value[i]);
    if (!any) return;
    json_t *texts = json_array();
    for (size_t i = 0; i < c->rows; i++) {
        char text[400] = "";
        if (!isnan(value[i])) number_print(text, sizeof text, format, value[i]);
        json_add(&texts, json_string(text));
    }
    json_put(&c->columns, key, texts);
}

static double number(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

/* Those of eval.json: the main figure of every task, PSNR and accuracy. */
static void add_test(struct caelum_comparison *c) {
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
            add_figure(c, key, f->format, value);
        }
}

/* The figures of the best epoch, of eval.json, and of the whole run. */
static void add_figures(struct caelum_comparison *c) {
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
        if (f == FIGURES - 2) add_test(c);
        add_figure(c, figures[f].key, figures[f].format, value[f]);
    }
}

static int fill(struct caelum_comparison *c, const char *const *dirs, size_t count,
                struct caelum_error *err) {
    const char *key;
    json_t *value;
    for (size_t i = 0; i < count; i++) {
        const size_t before = c->rows;
        CHECK(add_runs(c, dirs[i], 0, err));
        if (c->rows == before)
            return caelum_fail(err, CAELUM_EIO, "%s is no run directory, and there is none below it",
                               dirs[i]);
    }
    name_rows(c);
    c->columns = JSON({"run", json_array()});
    for (size_t i = 0; i < c->rows; i++)
        json_object_foreach(json_object_get(c->row[i].run, "settings"), key, value) add_setting(c, key);
    add_figures(c);
    return c->columns ? CAELUM_OK : caelum_fail(err, CAELUM_ERESOURCE, "out of memory for the comparison");
}

int caelum_comparison_open(caelum_comparison **out, const char *const *dirs, size_t count,
                           struct caelum_error *err) {
    if (count < 1) return caelum_fail(err, CAELUM_EUSAGE, "expected a run directory, got none");
    CHECK(mem_alloc(out, 1, sizeof **out, err));
    const int result = fill(*out, dirs, count, err);
    if (result != 0) caelum_comparison_close(out);
    return result;
}

void caelum_comparison_close(caelum_comparison **comparison) {
    struct caelum_comparison *c = *comparison;
    for (size_t i = 0; c && i < c->rows; i++) {
        json_decref(c->row[i].run);
        json_decref(c->row[i].eval);
        mem_free(&c->row[i].history);
        mem_free(&c->row[i].path);
    }
    if (c) json_decref(c->columns);
    mem_free(comparison);
}

size_t caelum_comparison_rows(const caelum_comparison *c) {
    return c->rows;
}

const char *caelum_comparison_key(const caelum_comparison *c, size_t column) {
    void *at = json_object_iter(c->columns);
    while (at && column-- > 0) at = json_object_iter_next(c->columns, at);
    return at ? json_object_iter_key(at) : NULL;
}

const char *caelum_comparison_cell(const caelum_comparison *c, size_t row, size_t column) {
    if (column == 0) return c->row[row].name;
    const json_t *texts = json_object_get(c->columns, caelum_comparison_key(c, column));
    return json_string_value(json_array_get(texts, row));
}

/* --- Drawing -------------------------------------------------------------------------------------- */

static int draw_table(const struct page *page, const struct caelum_comparison *c, struct caelum_error *err) {
    const size_t columns = json_object_size(c->columns);
    const char **cells = NULL;
    CHECK(mem_alloc(&cells, columns, sizeof *cells, err));
    for (size_t i = 0; i < columns; i++) cells[i] = caelum_comparison_key(c, i);
    page_table(page, cells, columns);
    for (size_t r = 0; r < c->rows; r++) {
        for (size_t i = 0; i < columns; i++) cells[i] = caelum_comparison_cell(c, r, i);
        page_row(page, cells, columns, false);
    }
    page_table_end(page);
    mem_free(&cells);
    return CAELUM_OK;
}

static int draw_page(const struct caelum_comparison *c, const char *path, const struct curves_run *runs,
                     struct caelum_error *err) {
    struct file_writer w;
    CHECK(file_begin(&w, path, err));
    const struct page page = {.html = w.stream};
    page_begin(&page, "Runs compared");
    page_heading(&page, 1, NULL, "Runs compared");
    page_paragraph(
        &page, PAGE_PLAIN,
        "Settings that are the same for all runs are left out. Validation figures are those of the best "
        "epoch.");
    int result = draw_table(&page, c, err);
    fprintf(w.stream, "<div class=\"pair\">\n");
    if (result == 0) result = curves_write(w.stream, NULL, runs, c->rows, false, "loss", err);
    if (result == 0) result = curves_write(w.stream, NULL, runs, c->rows, true, "accuracy", err);
    fprintf(w.stream, "</div>\n");
    page_end(&page);
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
