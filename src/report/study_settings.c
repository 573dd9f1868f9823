/* study_settings.c - the table of options that a study may set, and the three things done with it. */
#include "report/study_settings.h"

#include "train/task.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum kind { SIZE, U64, REAL, TASK };

struct row {
    const char *name; /* as caelum train spells it; run.json has '_' for '-' */
    enum kind kind;
    size_t offset;    /* in struct caelum_train_settings */
    double low, high; /* of a number */
};

#define AT(field) offsetof(struct caelum_train_settings, field)
static const struct row rows[] = {
    {"task", TASK, AT(task), 0, 0},
    {"epochs", SIZE, AT(epochs), 1, 1000000},
    {"batch", SIZE, AT(batch), 1, 65536},
    {"lr", REAL, AT(lr), 1e-12, 100},
    {"limit", SIZE, AT(data_settings.limit), 0, 1e12},
    {"split-seed", U64, AT(data_settings.split_seed), 0, 18446744073709551615.0},
};
enum { ROWS = sizeof rows / sizeof *rows };

static void *field(struct caelum_train_settings *s, const struct row *row) {
    return (char *)s + row->offset;
}

static int bad_number(const struct row *row, const char *value, struct caelum_error *err) {
    return caelum_fail(err, CAELUM_EFORMAT, "%s: expected a %s from %g to %g, got '%s'", row->name,
                       row->kind == REAL ? "number" : "whole number", row->low, row->high, value);
}

static int set_row(struct caelum_train_settings *s, const struct row *row, const char *value,
                   struct caelum_error *err) {
    char *end;
    errno = 0;
    if (row->kind == TASK) return task_find(field(s, row), value, row->name, err);
    const double number = strtod(value, &end);
    if (end == value || *end || errno || !isfinite(number) || number < row->low || number > row->high)
        return bad_number(row, value, err);
    if (row->kind == REAL) {
        *(double *)field(s, row) = number;
        return CAELUM_OK;
    }
    const unsigned long long whole = strtoull(value, &end, 10);
    if (*end || errno) return bad_number(row, value, err);
    if (row->kind == SIZE)
        *(size_t *)field(s, row) = (size_t)whole;
    else
        *(uint64_t *)field(s, row) = whole;
    return CAELUM_OK;
}

int setting_set(struct caelum_train_settings *s, const char *name, const char *value,
                struct caelum_error *err) {
    char list[400] = "seeds, data";
    for (size_t i = 0; i < ROWS; i++) {
        if (strcmp(rows[i].name, name) == 0) return set_row(s, &rows[i], value, err);
        const size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, ", %s", rows[i].name);
    }
    return caelum_fail(err, CAELUM_EFORMAT, "no option of a run is called '%s'; there are: %s", name, list);
}

/* The value as run.json has it. */
static void print_row(const struct caelum_train_settings *settings, const struct row *row, char text[40]) {
    struct caelum_train_settings s = *settings;
    switch (row->kind) {
    case SIZE:
        snprintf(text, 40, "%zu", *(const size_t *)field(&s, row));
        break;
    case U64:
        snprintf(text, 40, "%llu", (unsigned long long)*(const uint64_t *)field(&s, row));
        break;
    case REAL:
        snprintf(text, 40, "%.12g", *(const double *)field(&s, row));
        break;
    case TASK:
        snprintf(text, 40, "%s", task_name(*(const enum caelum_task *)field(&s, row)));
        break;
    }
}

bool settings_differ(const struct caelum_train_settings *settings, const json_t *recorded, char what[160]) {
    const struct caelum_train_settings usual = caelum_train_defaults();
    for (size_t i = 0; i < ROWS; i++) {
        char key[40], wanted[40], there[40];
        snprintf(key, sizeof key, "%s", rows[i].name);
        for (char *c = key; *c; c++)
            if (*c == '-') *c = '_';
        const char *value = json_string_value(json_object_get(recorded, key));
        print_row(settings, &rows[i], wanted);
        if (!value)
            print_row(&usual, &rows[i], there);
        else if (rows[i].kind == REAL) /* written with more digits there */
            snprintf(there, sizeof there, "%.12g", strtod(value, NULL));
        else
            snprintf(there, sizeof there, "%s", value);
        if (strcmp(wanted, there) != 0) {
            snprintf(what, 160, "%s is %s there, %s here", rows[i].name, there, wanted);
            return true;
        }
    }
    return false;
}

void settings_command(const struct caelum_train_settings *settings, char *text, size_t size) {
    const struct caelum_train_settings usual = caelum_train_defaults();
    text[0] = '\0';
    for (size_t i = 0; i < ROWS; i++) {
        char ours[40], theirs[40];
        print_row(settings, &rows[i], ours);
        print_row(&usual, &rows[i], theirs);
        const size_t used = strlen(text);
        if (strcmp(ours, theirs) != 0) snprintf(text + used, size - used, " --%s %s", rows[i].name, ours);
    }
}
