/* options.c - one table of options per command: what is parsed, shown, completed and configured all comes
 * from it. */
#include "cli.h"

#include "base/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool ends(const struct option_row *row) {
    return row->name == NULL;
}

const struct option_row *options_row(const struct option_row *rows, const char *name, size_t length) {
    while (!ends(rows) && !(strlen(rows->name) == length && strncmp(rows->name, name, length) == 0)) rows++;
    return rows;
}

bool option_by_hand(const struct option_row *row) {
    return strcmp(row->name, "force") == 0;
}

/* --- Values --------------------------------------------------------------------------------------- */

const char *option_text(const struct option_row *row, char text[32]) {
    switch (row->kind) {
    case OPTION_FLAG:
        return *(bool *)row->value ? "yes" : "no";
    case OPTION_STRING:
        return *(const char **)row->value;
    case OPTION_SIZE:
        snprintf(text, 32, "%zu", *(size_t *)row->value);
        return text;
    case OPTION_U64:
        snprintf(text, 32, "%llu", (unsigned long long)*(uint64_t *)row->value);
        return text;
    case OPTION_REAL:
        number_print(text, 32, "%g", *(double *)row->value);
        return text;
    case OPTION_THREADS:
        snprintf(text, 32, "%d", *(int *)row->value ? *(int *)row->value : caelum_default_threads());
        return text;
    case OPTION_CHOICE:
        return row->choices[*(int *)row->value];
    case OPTION_WORDS:
        break;
    }
    return NULL;
}

const char *option_argument(const struct option_row *row, char text[256]) {
    if (row->kind != OPTION_CHOICE) return row->argument;
    size_t used = 0;
    for (int i = 0; row->choices[i] && used < 256; i++)
        used += (size_t)snprintf(text + used, 256 - used, "%s%s", i ? "|" : "", row->choices[i]);
    return text;
}

static int bad_value(const struct option_row *row, const char *expected, const char *text,
                     struct caelum_error *err) {
    const char *guess = row->kind == OPTION_CHOICE ? nearest(text, row->choices) : NULL;
    err->code = CAELUM_EUSAGE;
    snprintf(err->text, sizeof err->text, "%s: expected %s, got '%.200s'%s%s%s", row->name, expected, text,
             guess ? "; did you mean '" : "", guess ? guess : "", guess ? "'?" : "");
    return err->code;
}

static int set_flag(const struct option_row *row, const char *text, struct caelum_error *err) {
    static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(text, words[i]) == 0) {
            *(bool *)row->value = i % 2 == 1;
            return 0;
        }
    return bad_value(row, "yes or no", text, err);
}

static int set_word(const struct option_row *row, const char *text, struct caelum_error *err) {
    struct option_words *words = row->value;
    if (words->count < OPTION_WORDS_MOST) {
        words->word[words->count++] = text;
        return 0;
    }
    err->code = CAELUM_EUSAGE;
    snprintf(err->text, sizeof err->text, "%s: at most %d are possible", row->name, OPTION_WORDS_MOST);
    return err->code;
}

static int set_choice(const struct option_row *row, const char *text, struct caelum_error *err) {
    char words[256];
    for (int i = 0; row->choices[i]; i++)
        if (strcmp(text, row->choices[i]) == 0) {
            *(int *)row->value = i;
            return 0;
        }
    return bad_value(row, option_argument(row, words), text, err);
}

static int set_real(const struct option_row *row, const char *text, struct caelum_error *err) {
    double value;
    if (!number_real(text, &value) || !isfinite(value)) return bad_value(row, "a number", text, err);
    *(double *)row->value = value;
    return 0;
}

static int set_whole(const struct option_row *row, const char *text, struct caelum_error *err) {
    const bool threads = row->kind == OPTION_THREADS;
    const uint64_t most = threads ? 4096 : row->kind == OPTION_SIZE ? SIZE_MAX : UINT64_MAX;
    uint64_t value;
    if (!number_whole(text, threads, most, &value))
        return bad_value(row, threads ? "1 to 4096 threads" : "a whole number", text, err);
    if (row->kind == OPTION_U64)
        *(uint64_t *)row->value = value;
    else if (row->kind == OPTION_SIZE)
        *(size_t *)row->value = (size_t)value;
    else
        *(int *)row->value = (int)value;
    return 0;
}

int option_set(const struct option_row *row, const char *text, struct caelum_error *err) {
    switch (row->kind) {
    case OPTION_FLAG:
        return set_flag(row, text, err);
    case OPTION_STRING:
        *(const char **)row->value = text;
        return 0;
    case OPTION_WORDS:
        return set_word(row, text, err);
    case OPTION_REAL:
        return set_real(row, text, err);
    case OPTION_CHOICE:
        return set_choice(row, text, err);
    default:
        return set_whole(row, text, err);
    }
}

/* --- The command line ----------------------------------------------------------------------------- */

/* The running command's options, and where their values came from. */
static struct {
    const struct option_row *rows;
    struct option_source source[OPTIONS_MOST];
} current;

static int unknown_option(const struct command *command, const struct option_row *rows, const char *word) {
    const char *names[OPTIONS_MOST];
    size_t n = 0;
    for (; !ends(rows) && n + 1 < OPTIONS_MOST; rows++) names[n++] = rows->name;
    names[n] = NULL;
    const char *guess = nearest(word, names);
    if (guess) return usage_error(command->name, "there is no option --%s; did you mean --%s?", word, guess);
    return usage_error(command->name, "there is no option --%s", word);
}

/* One option at argv[*i]; *i moves on if its value is the next argument. 0, or exit status 2. */
static int read_option(const struct command *command, const struct option_row *rows, int argc, char **argv,
                       int *i) {
    const char *word = argv[*i], *value = NULL;
    const struct option_row *row = rows;
    struct caelum_error err;
    if (word[1] == '-') {
        const size_t length = strcspn(word + 2, "=");
        row = options_row(rows, word + 2, length);
        if (ends(row)) {
            char name[64];
            snprintf(name, sizeof name, "%.*s", (int)length, word + 2);
            return unknown_option(command, rows, name);
        }
        if (word[2 + length] == '=') value = word + 3 + length;
    } else {
        while (!ends(row) && row->letter != word[1]) row++;
        if (ends(row)) return usage_error(command->name, "there is no option -%c", word[1]);
        if (word[2]) value = word + 2;
        if (value && row->kind == OPTION_FLAG)
            return usage_error(command->name, "-%c takes no value", row->letter);
    }
    if (!value && row->kind == OPTION_FLAG) value = "yes";
    if (!value) {
        char text[256];
        if (*i + 1 >= argc)
            return usage_error(command->name, "--%s: a value is missing: %s", row->name,
                               option_argument(row, text));
        value = argv[++*i];
    }
    if (option_set(row, value, &err) != 0) return usage_error(command->name, "--%s", err.text);
    current.source[row - rows].origin = ORIGIN_FLAG;
    if (row->value == &display.color) style_choose(display.color);
    return 0;
}

/* As options_read; `help` is set if it was asked for. */
static int read_arguments(const struct command *command, const struct option_row *rows, int argc, char **argv,
                          bool *help) {
    int left = 0;
    bool only_arguments = false;
    for (int i = 1; i < argc; i++) {
        char *word = argv[i];
        if (only_arguments || word[0] != '-' || word[1] == '\0') {
            argv[++left] = word;
        } else if (strcmp(word, "--") == 0) {
            only_arguments = true;
        } else if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0) {
            *help = true;
            return left;
        } else {
            const int status = read_option(command, rows, argc, argv, &i);
            if (status != 0) return -status - 1;
        }
    }
    return left;
}

/* Who looks at the rows instead of the command running; NULL: nobody. */
static options_visitor *visitor;
static void *visitor_cookie;

void options_visit(const struct command *command, options_visitor *visit, void *cookie) {
    options_visitor *const outer = visitor;
    void *const outer_cookie = visitor_cookie;
    const struct display set = display;
    char name[32];
    char *argv[] = {name, NULL};
    snprintf(name, sizeof name, "%s", command->name);
    visitor = visit;
    visitor_cookie = cookie;
    display = (struct display){0};
    command->run(1, argv);
    display = set;
    visitor = outer;
    visitor_cookie = outer_cookie;
}

static int read_rows(const struct command *command, const struct option_row *rows, int argc, char **argv,
                     bool alone) {
    if (visitor) {
        visitor(visitor_cookie, command, rows, !alone);
        return -1;
    }
    struct caelum_error err;
    bool help = false;
    memset(&current, 0, sizeof current);
    current.rows = rows;
    const int n = read_arguments(command, rows, argc, argv, &help);
    if (n < 0) return n;
    if (help) {
        command_help(command, stdout);
        return -1;
    }
    if (alone) return n;
    if (config_apply(command, rows, current.source, &err) != 0) return -report(&err) - 1;
    if (!ends(options_row(rows, "color", 5))) style_choose(display.color);
    for (const struct option_row *row = rows; !ends(row); row++) {
        const enum option_origin origin = current.source[row - rows].origin;
        char text[32];
        const char *value = option_text(row, text);
        if ((origin != ORIGIN_FILE && origin != ORIGIN_ENVIRONMENT) || !value) continue;
        command_line_add(row->name, value);
    }
    return n;
}

int options_read(const struct command *command, const struct option_row *rows, int argc, char **argv) {
    return read_rows(command, rows, argc, argv, false);
}

int options_read_alone(const struct command *command, const struct option_row *rows, int argc, char **argv) {
    return read_rows(command, rows, argc, argv, true);
}

enum option_origin options_origin(const char *name) {
    const struct option_row *row = options_row(current.rows, name, strlen(name));
    return ends(row) ? ORIGIN_DEFAULT : current.source[row - current.rows].origin;
}

const char *options_place(const char *complaint) {
    char name[64];
    if (!current.rows) return NULL;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(complaint, ":"), complaint);
    for (char *c = name; *c; c++)
        if (*c == '_') *c = '-';
    const struct option_row *row = options_row(current.rows, name, strlen(name));
    if (ends(row)) return NULL;
    const struct option_source *source = &current.source[row - current.rows];
    return source->origin == ORIGIN_FILE || source->origin == ORIGIN_ENVIRONMENT ? source->place : NULL;
}
