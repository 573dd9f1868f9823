/* help.c - what people are told: help from the tables, usage errors, what they may have meant. */
#include "cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct command *command_find(const char *name) {
    for (size_t i = 0; commands[i]; i++)
        if (strcmp(commands[i]->name, name) == 0) return commands[i];
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

size_t command_names(const char *names[COMMANDS_MOST]) {
    size_t n = 0;
    for (; commands[n] && n + 1 < COMMANDS_MOST; n++) names[n] = commands[n]->name;
    names[n] = NULL;
    return n;
}

int unknown_command(const char *word) {
    const char *names[COMMANDS_MOST];
    char question[NEAREST_SIZE];
    command_names(names);
    return usage_error(NULL, "there is no command '%s'%s", word, nearest_question(word, names, question));
}

int command_argument(const char *self, int n, char **words, const struct command **command) {
    *command = NULL;
    if (n > 1) return usage_error(self, "expected one COMMAND, got %d", n);
    if (n == 1) *command = command_find(words[0]);
    return n == 1 && !*command ? unknown_command(words[0]) : 0;
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
    for (size_t i = 0; commands[i]; i++) {
        if (commands[i]->group) heading(to, commands[i]->group);
        fprintf(to, "  %-12s %s\n", commands[i]->name, commands[i]->summary);
    }
    heading(to, "examples");
    fprintf(to,
            "  %s\n  %s\n\n'caelum help COMMAND' lists a command's options with their defaults; "
            "'caelum man COMMAND | man -l -' is its manual page.\n",
            commands[0]->example, commands[1]->example);
}

static void print_option(const struct option *o, FILE *to) {
    char left[320], letter[8] = "    ", words[256], value[64];
    const char *argument = option_argument(o->row, words),
               *text = o->row->kind == CAELUM_OPTION_FLAG ? NULL : option_print(o->row, o->value, value);
    if (o->row->letter) snprintf(letter, sizeof letter, "-%c, ", o->row->letter);
    snprintf(left, sizeof left, "%s--%s%s%s", letter, o->row->name, argument ? " " : "",
             argument ? argument : "");
    fprintf(to, strlen(left) > 26 ? "  %s\n%29s%s" : "  %-26s%s%s", left, strlen(left) > 26 ? "" : " ",
            o->row->help);
    if (text) fprintf(to, " [%s]", text);
    fputc('\n', to);
}

void help_print(const struct command *command, FILE *to) {
    struct options options;
    options_open(&options, command);
    fprintf(to, "%susage:%s caelum %s %s%s[OPTIONS]\n\n%s\n", style(to, STYLE_HEADING),
            style(to, STYLE_PLAIN), command->name, command->arguments, *command->arguments ? " " : "",
            command->summary);
    if (options.count > 0) heading(to, "options");
    for (size_t i = 0; i < options.count; i++) print_option(&options.list[i], to);
    heading(to, "example");
    fprintf(to, "  %s\n", command->example);
    options_close(&options);
}

static int run(void *values, int n, char **words, struct caelum_error *err) {
    const struct command *command;
    (void)values, (void)err;
    CHECK(command_argument("help", n, words, &command));
    if (command)
        help_print(command, stdout);
    else
        commands_overview(stdout);
    return 0;
}

COMMAND(help, "[COMMAND]", "explain a command", "caelum help train", .group = "about caelum", .alone = true,
        .run = run);
