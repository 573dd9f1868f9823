/* help.c - what people are told: help from the tables, usage errors, what they may have meant. */
#include "cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A group holds the commands from `first` up to the next group's. */
static const struct {
    const char *first, *title;
} groups[] = {{"train", "train and measure"},
              {"colorize", "run models on pictures"},
              {"export", "files, data and speed"},
              {"help", "about caelum"}};

const char *command_group(const struct command *command) {
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        if (strcmp(command->name, groups[i].first) == 0) return groups[i].title;
    return NULL;
}

const struct command *command_find(const char *name) {
    for (const struct command *c = commands; c->name; c++)
        if (strcmp(c->name, name) == 0) return c;
    return NULL;
}

int usage_error(const char *command, const char *format, ...) {
    va_list args;
    fprintf(stderr, "%scaelum%s%s:%s ", style(stderr, STYLE_ERROR), command ? " " : "",
            command ? command : "", style(stderr, STYLE_PLAIN));
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
    const size_t length = strlen(word);
    size_t least = length < 3 ? length : 3; /* a word of which nothing is left is not close */
    for (; *words; words++) {
        const size_t d = distance(word, *words);
        if (d < least) least = d, best = *words;
    }
    return best;
}

const char *nearest_command(const char *word) {
    const char *names[OPTIONS_MOST];
    size_t n = 0;
    for (const struct command *c = commands; c->name && n + 1 < OPTIONS_MOST; c++) names[n++] = c->name;
    names[n] = NULL;
    return nearest(word, names);
}

int unknown_command(const char *word) {
    const char *guess = nearest_command(word);
    if (guess) return usage_error(NULL, "there is no command '%s'; did you mean '%s'?", word, guess);
    return usage_error(NULL, "there is no command '%s'", word);
}

/* "  heading:" in the style of headings. */
static void heading(FILE *to, const char *text) {
    fprintf(to, "\n%s%s:%s\n", style(to, STYLE_HEADING), text, style(to, STYLE_PLAIN));
}

void commands_overview(FILE *to) {
    fprintf(to,
            "caelum " CAELUM_VERSION " - trains, measures and runs convolutional autoencoders on pictures\n\n"
            "%susage:%s caelum COMMAND [OPTIONS]\n",
            style(to, STYLE_HEADING), style(to, STYLE_PLAIN));
    for (const struct command *c = commands; c->name; c++) {
        const char *group = command_group(c);
        if (group) heading(to, group);
        fprintf(to, "  %-12s %s\n", c->name, c->summary);
    }
    heading(to, "examples");
    fprintf(to,
            "  %s\n  %s\n\n'caelum help COMMAND' lists a command's options with their defaults; "
            "'caelum man COMMAND | man -l -' is its manual page.\n",
            commands[0].example, commands[1].example);
}

static void print_row(const struct option_row *row, FILE *to) {
    char left[320], letter[8] = "    ", words[256], value[32];
    const char *argument = option_argument(row, words),
               *text = row->kind == OPTION_FLAG ? NULL : option_text(row, value);
    if (row->letter) snprintf(letter, sizeof letter, "-%c, ", row->letter);
    snprintf(left, sizeof left, "%s--%s%s%s", letter, row->name, argument ? " " : "",
             argument ? argument : "");
    fprintf(to, strlen(left) > 26 ? "  %s\n%29s%s" : "  %-26s%s%s", left, strlen(left) > 26 ? "" : " ",
            row->help);
    if (text) fprintf(to, " [%s]", text);
    fputc('\n', to);
}

static void print_help(void *cookie, const struct command *command, const struct option_row *rows,
                       bool configured) {
    FILE *to = cookie;
    (void)configured;
    fprintf(to, "%susage:%s caelum %s %s%s[OPTIONS]\n\n%s\n", style(to, STYLE_HEADING),
            style(to, STYLE_PLAIN), command->name, command->arguments, *command->arguments ? " " : "",
            command->summary);
    if (rows->name) heading(to, "options");
    for (; rows->name; rows++) print_row(rows, to);
    heading(to, "example");
    fprintf(to, "  %s\n", command->example);
}

void command_help(const struct command *command, FILE *to) {
    options_visit(command, print_help, to);
}

int command_help_on(int argc, char **argv) {
    static const struct option_row rows[] = {{0, NULL, OPTION_FLAG, NULL, NULL, NULL, NULL}};
    const int n = options_read_alone(command_find("help"), rows, argc, argv);
    if (n < 0) return -n - 1;
    if (n > 1) return usage_error("help", "expected one COMMAND, got %d", n);
    if (n == 0) {
        commands_overview(stdout);
        return 0;
    }
    const struct command *command = command_find(argv[1]);
    if (!command) return unknown_command(argv[1]);
    command_help(command, stdout);
    return 0;
}
