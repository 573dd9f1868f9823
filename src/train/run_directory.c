/* run_directory.c - a directory's lock and mkdir decide between processes. */
#define _GNU_SOURCE /* strsep */
#include "train/run_directory.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/number.h"
#include "report/events.h"
#include "report/svg_chart.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int run_directory_look(struct file_lock *lock, const char *path, bool force, const char *advice,
                       struct caelum_error *err) {
    struct stat st;
    if (!path || !*path) return caelum_fail(err, CAELUM_EUSAGE, "no run directory was named");
    if (strlen(path) >= PATH_SIZE)
        return caelum_fail(err, CAELUM_EUSAGE, "%.200s...: path is longer than %d bytes", path,
                           PATH_SIZE - 1);
    if (stat(path, &st) != 0) return CAELUM_OK;
    if (!force) return caelum_fail(err, CAELUM_EIO, "%s exists already; %s", path, advice);
    return file_lock(lock, path, err);
}

int run_directory_take(struct file_lock *lock, const char *path, struct caelum_error *err) {
    if (!lock->held) {
        CHECK(file_make_new_directory(path, err));
        CHECK(file_lock(lock, path, err));
    }
    file_sweep(path);
    return CAELUM_OK;
}

static int remove_file(const char *directory, const char *name, struct caelum_error *err) {
    char path[PATH_SIZE];
    CHECK(file_join(path, sizeof path, directory, name, err));
    if (unlink(path) != 0 && errno != ENOENT)
        return caelum_fail(err, CAELUM_EIO, "%s: can't be removed: %s", path, strerror(errno));
    return CAELUM_OK;
}

int run_directory_clear(const char *path, struct caelum_error *err) {
    static const char *const names[] = {"checkpoint.safetensors", "eval.json",        "best.safetensors",
                                        "last.safetensors",       "metrics.csv",      "curves.svg",
                                        "reconstructions.png",    "colorizations.png"};
    char checkpoint[PATH_SIZE];
    CHECK(file_join(checkpoint, sizeof checkpoint, path, names[0], err));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        CHECK(remove_file(path, names[i], err));
        if (i == 0) file_sync_above(checkpoint); /* nothing is resumed that isn't whole */
    }
    CHECK(events_remove(path, err));
    return remove_file(path, "run.json", err);
}

/* --- metrics.csv and curves.svg ------------------------------------------------------------------- */

int run_write_metrics(const char *dir, const struct caelum_epoch *history, size_t epochs,
                      struct caelum_error *err) {
    char path[PATH_SIZE];
    struct file_writer w;
    CHECK(file_join(path, sizeof path, dir, "metrics.csv", err));
    CHECK(file_begin(&w, path, err));
    number_write(
        w.stream,
        "epoch,loss,psnr,accuracy,val_loss,val_psnr,val_accuracy,best,seconds,pictures_per_second,lr\r\n");
    for (size_t i = 0; i < epochs; i++) {
        const struct caelum_epoch *e = &history[i];
        number_write(w.stream, "%zu,%.9g,%.6f,%.6f,%.9g,%.6f,%.6f,%d,%.3f,%.0f,%.9g\r\n", e->epoch, e->loss,
                     e->psnr, e->accuracy, e->val_loss, e->val_psnr, e->val_accuracy, e->best, e->seconds,
                     e->pictures_per_second, e->lr);
    }
    return file_commit(&w, err);
}

/* Columns that are read back, and where they go. */
static const struct {
    const char *name;
    size_t offset;
} columns[] = {{"loss", offsetof(struct caelum_epoch, loss)},
               {"psnr", offsetof(struct caelum_epoch, psnr)},
               {"accuracy", offsetof(struct caelum_epoch, accuracy)},
               {"val_loss", offsetof(struct caelum_epoch, val_loss)},
               {"val_psnr", offsetof(struct caelum_epoch, val_psnr)},
               {"val_accuracy", offsetof(struct caelum_epoch, val_accuracy)},
               {"seconds", offsetof(struct caelum_epoch, seconds)},
               {"pictures_per_second", offsetof(struct caelum_epoch, pictures_per_second)},
               {"lr", offsetof(struct caelum_epoch, lr)}};
enum { COLUMNS = sizeof columns / sizeof *columns, MOST_FIELDS = 64 };

/* Cuts a line at its commas, in place; returns the number of fields. */
static size_t cut(char *line, char *fields[MOST_FIELDS]) {
    size_t n = 0;
    while (line && n < MOST_FIELDS) fields[n++] = strsep(&line, ",");
    return n;
}

static bool read_row(char *names[], char *fields[], size_t n, struct caelum_epoch *e) {
    uint64_t epoch;
    if (!number_whole(fields[0], 1, SIZE_MAX, &epoch)) return false;
    e->epoch = (size_t)epoch;
    for (size_t i = 1; i < n; i++) {
        if (strcmp(names[i], "best") == 0) e->best = *fields[i] == '1';
        for (size_t c = 0; c < COLUMNS; c++)
            if (strcmp(names[i], columns[c].name) == 0 &&
                !number_real(fields[i], (double *)(void *)((char *)e + columns[c].offset)))
                return false;
    }
    return true;
}

static int read_rows(char *text, const char *path, struct caelum_epoch *history, size_t *epochs,
                     struct caelum_error *err) {
    char *names[MOST_FIELDS], *fields[MOST_FIELDS], *rest = NULL;
    char *line = strtok_r(text, "\r\n", &rest);
    const size_t n = line ? cut(line, names) : 0;
    if (n == 0 || strcmp(names[0], "epoch") != 0)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: expected a header that starts with 'epoch'", path);
    for (*epochs = 0; (line = strtok_r(NULL, "\r\n", &rest)) != NULL; (*epochs)++) {
        struct caelum_epoch *e = &history[*epochs];
        if (cut(line, fields) != n)
            return caelum_fail(err, CAELUM_EFORMAT, "%s: row %zu has other fields than the header", path,
                               *epochs + 1);
        if (!read_row(names, fields, n, e))
            return caelum_fail(err, CAELUM_EFORMAT, "%s: row %zu holds something that is no number", path,
                               *epochs + 1);
    }
    return CAELUM_OK;
}

int run_read_metrics(const char *dir, struct caelum_epoch **history, size_t *epochs,
                     struct caelum_error *err) {
    enum { MOST = 1 << 28 };
    char path[PATH_SIZE];
    uint8_t *text = NULL;
    size_t size, lines = 1;
    *history = NULL;
    CHECK(file_join(path, sizeof path, dir, "metrics.csv", err));
    CHECK(file_read(path, MOST, &text, &size, err));
    for (size_t i = 0; i < size; i++) lines += text[i] == '\n';
    int result = mem_alloc(history, lines, sizeof **history, err);
    if (result == 0) result = read_rows((char *)text, path, *history, epochs, err);
    mem_free(&text);
    if (result != 0) mem_free(history);
    return result;
}

int run_write_curves(const char *dir, const char *title, const char *loss, const struct caelum_epoch *history,
                     size_t epochs, struct caelum_error *err) {
    char path[PATH_SIZE];
    CHECK(file_join(path, sizeof path, dir, "curves.svg", err));
    double *values = NULL;
    CHECK(mem_alloc(&values, 3 * epochs, sizeof *values, err));
    for (size_t i = 0; i < epochs; i++) {
        values[i] = (double)history[i].epoch;
        values[epochs + i] = history[i].loss;
        values[2 * epochs + i] = history[i].val_loss;
    }
    const struct svg_series series[] = {
        {.name = "train", .x = values, .y = values + epochs, .n = epochs},
        {.name = "validation", .x = values, .y = values + 2 * epochs, .n = epochs, .color = 1},
    };
    json_t *words = json_bytes(title); /* drawn as text, which must be UTF-8 */
    const struct svg_chart chart = {.title = json_string_value(words),
                                    .description = "Loss of training and validation by epoch.",
                                    .x_label = "epoch",
                                    .y_label = loss,
                                    .log_y = true,
                                    .series = series,
                                    .count = 2,
                                    .id = "curves"};
    const int result = words ? svg_chart_write(&chart, path, err)
                             : caelum_fail(err, CAELUM_ERESOURCE, "%s: out of memory for its title", path);
    json_decref(words);
    mem_free(&values);
    return result;
}
