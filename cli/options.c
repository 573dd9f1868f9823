/* options.c - one table of options per command: parsing, defaults, help and complaints all come from it. */
#include "cli.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int usage_error(const char *command, const char *format, ...) {
    va_list args;
    fprintf(stderr, "caelum%s%s: ", command ? " " : "", command ? command : "");
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\ntry 'caelum help%s%s'\n", command ? " " : "", command ? command : "");
    return 2;
}

/* Levenshtein distance of short words. */
static size_t distance(const char *a, const char *b) {
    size_t row[64];
    const size_t n = strlen(b) < 63 ? strlen(b) : 63;
    for (size_t j = 0; j <= n; j++) row[j] = j;
    for (size_t i = 1; *a; i++, a++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            const size_t replace = diagonal + (*a != b[j - 1]),
                         other = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = replace < other ? replace : other;
        }
    }
    return row[n];
}

const char *nearest(const char *word, const char *const *words) {
    const char *best = NULL;
    size_t least = 3;
    for (; *words; words++) {
        const size_t d = distance(word, *words);
        if (d < least) least = d, best = *words;
    }
    return best;
}

static bool ends(const struct option_row *row) {
    return row->name == NULL;
}

static void print_default(const struct option_row *row, FILE *to) {
    switch (row->kind) {
    case OPTION_FLAG:
        break;
    case OPTION_STRING:
        if (*(const char **)row->value) fprintf(to, " [%s]", *(const char **)row->value);
        break;
    case OPTION_SIZE:
        fprintf(to, " [%zu]", *(size_t *)row->value);
        break;
    case OPTION_U64:
        fprintf(to, " [%llu]", (unsigned long long)*(uint64_t *)row->value);
        break;
    case OPTION_REAL:
        fprintf(to, " [%g]", *(double *)row->value);
        break;
    case OPTION_THREADS:
        fprintf(to, " [%d]", *(int *)row->value ? *(int *)row->value : caelum_default_threads());
        break;
    case OPTION_CHOICE:
        fprintf(to, " [%s]", row->choices[*(int *)row->value]);
        break;
    case OPTION_WORDS:
        break;
    }
}

void command_help(const struct command *command, const struct option_row *rows, FILE *to) {
    fprintf(to, "usage: caelum %s %s%s[OPTIONS]\n\n%s\n", command->name, command->arguments,
            *command->arguments ? " " : "", command->summary);
    if (!ends(rows)) fprintf(to, "\noptions:\n");
    for (; !ends(rows); rows++) {
        char left[64], letter[8] = "    ";
        if (rows->letter) snprintf(letter, sizeof letter, "-%c, ", rows->letter);
        snprintf(left, sizeof left, "%s--%s%s%s", letter, rows->name, rows->argument ? " " : "",
                 rows->argument ? rows->argument : "");
        fprintf(to, strlen(left) > 26 ? "  %s\n%29s%s" : "  %-26s%s%s", left, strlen(left) > 26 ? "" : " ",
                rows->help);
        print_default(rows, to);
        fputc('\n', to);
    }
    fprintf(to, "\nexample:\n  %s\n", command->example);
}

static int bad_value(const struct command *command, const struct option_row *row, const char *expected,
                     const char *text) {
    return usage_error(command->name, "--%s: expected %s, got '%s'", row->name, expected, text);
}

/* 0, or exit status 2. */
static int set_value(const struct command *command, const struct option_row *row, const char *text) {
    char *end;
    errno = 0;
    switch (row->kind) {
    case OPTION_FLAG:
        *(bool *)row->value = true;
        return 0;
    case OPTION_STRING:
        *(const char **)row->value = text;
        return 0;
    case OPTION_WORDS: {
        struct option_words *words = row->value;
        if (words->count == OPTION_WORDS_MOST)
            return usage_error(command->name, "--%s: at most %d are possible", row->name, OPTION_WORDS_MOST);
        words->word[words->count++] = text;
        return 0;
    }
    case OPTION_REAL: {
        const double value = strtod(text, &end);
        if (end == text || *end || !isfinite(value)) return bad_value(command, row, "a number", text);
        *(double *)row->value = value;
        return 0;
    }
    case OPTION_CHOICE:
        for (int i = 0; row->choices[i]; i++)
            if (strcmp(text, row->choices[i]) == 0) {
                *(int *)row->value = i;
                return 0;
            }
        return bad_value(command, row, row->argument, text);
    default:
        break;
    }
    const unsigned long long value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno) return bad_value(command, row, "a whole number", text);
    if (row->kind == OPTION_U64) {
        *(uint64_t *)row->value = value;
    } else if (row->kind == OPTION_SIZE) {
        *(size_t *)row->value = (size_t)value;
    } else {
        if (value < 1 || value > 4096) return bad_value(command, row, "1 to 4096 threads", text);
        *(int *)row->value = (int)value;
    }
    return 0;
}

static int unknown_option(const struct command *command, const struct option_row *rows, const char *word) {
    const char *names[64];
    size_t n = 0;
    for (; !ends(rows) && n < 62; rows++) names[n++] = rows->name;
    names[n++] = "help";
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
    if (word[1] == '-') {
        const size_t length = strcspn(word + 2, "=");
        while (!ends(row) && !(strlen(row->name) == length && strncmp(row->name, word + 2, length) == 0))
            row++;
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
    }
    if (row->kind == OPTION_FLAG) {
        if (value) return usage_error(command->name, "--%s takes no value", row->name);
        value = "";
    }
    if (!value) {
        if (*i + 1 >= argc)
            return usage_error(command->name, "--%s: a value is missing: %s", row->name, row->argument);
        value = argv[++*i];
    }
    return set_value(command, row, value);
}

int options_read(const struct command *command, const struct option_row *rows, int argc, char **argv) {
    int left = 0;
    bool only_arguments = false;
    for (int i = 1; i < argc; i++) {
        char *word = argv[i];
        if (only_arguments || word[0] != '-' || word[1] == '\0') {
            argv[++left] = word;
        } else if (strcmp(word, "--") == 0) {
            only_arguments = true;
        } else if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0) {
            command_help(command, rows, stdout);
            return -1;
        } else {
            const int status = read_option(command, rows, argc, argv, &i);
            if (status != 0) return -status - 1;
        }
    }
    return left;
}
