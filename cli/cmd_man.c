/* cmd_man.c - caelum man: manual pages in mdoc(7), of the program and of each command, made from the tables.
 */
#include "cli.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char date[] = "November 26, 2026"; /* of the last change of the words in this file */

struct item {
    const char *name, *text;
};

static const struct item environment[] = {
    {"CAELUM_<OPTION>", "Sets the option of that name, in capitals and with underscores for dashes: "
                        "CAELUM_SPLIT_SEED=2. Flags are "
                        "set by yes or no. --force can't be set."},
    {"CAELUM_CACHE", "Directory for prepared data; as --cache-dir."},
    {"CAELUM_CPU", "Lowers the instruction set that the kernels use: generic, avx2 or avx512."},
    {"CAELUM_DATA", "The data set where none is named; as --data."},
    {"CAELUM_MODELS", "Directory of the models that come with the program."},
    {"NO_COLOR", "If set and not empty: no colors."},
    {"CLICOLOR_FORCE", "If set, not empty and not 0: colors, even if it is no terminal; NO_COLOR wins."},
    {"FORCE_COLOR", "The same."},
    {"TERM", "Where it is dumb or not set there are no colors."},
    {"XDG_CONFIG_HOME", "Directory of caelum/config; ~/.config if it is not set."},
    {"XDG_CACHE_HOME", "Directory of caelum, for prepared data; ~/.cache if it is not set."},
    {"XDG_DATA_HOME", "Directory of caelum, for fetched data sets; ~/.local/share if it is not set."},
    {"https_proxy, http_proxy, no_proxy", "Proxies for data fetch, as libcurl has it."},
    {NULL, NULL}};

static const struct item files[] = {
    {"./caelum.conf", "Options for commands that are started in this directory, one 'key = value' a line."},
    {"~/.config/caelum/config", "Options of the user, likewise; caelum.conf wins."},
    {"~/.cache/caelum/", "Prepared data and measured baselines; can be deleted at any time."},
    {"~/.local/share/caelum/", "Fetched data sets, a directory each."},
    {"runs/", "Where train and study put their directories unless told otherwise."},
    {NULL, NULL}};

static const struct item statuses[] = {
    {"0", "All went well."},
    {"1", "Any other failure."},
    {"2", "Invalid argument, on the command line, in the environment or in a file."},
    {"3", "Bad or unsupported data, network or model."},
    {"4", "A file is missing, exists already, or can't be read or written."},
    {"5", "A download failed: no connection, or no server has the file."},
    {"6", "A training diverged."},
    {"7", "Out of memory or threads."},
    {"8", "Stopped by a signal under mpirun or srun; finished work is saved."},
    {"10", "anomaly find: some pictures are bad."},
    {"130, 143, 129, 138", "Stopped by SIGINT, SIGTERM, SIGHUP or SIGUSR1; finished work is saved."},
    {NULL, NULL}};

/* Nothing in a text is taken for an escape or the end of an argument. */
static void put_escaped(char c) {
    const char *escaped = c == '\\' ? "\\e" : c == '-' ? "\\-" : c == '"' ? "\\(dq" : NULL;
    if (escaped)
        fputs(escaped, stdout);
    else
        putchar(c);
}

/* Text as mdoc lines: each sentence starts one, and none of them is taken for a request. */
static void print_text(const char *text) {
    bool starts = true;
    for (const char *c = text; *c; c++) {
        if (starts && (*c == '.' || *c == '\'')) fputs("\\&", stdout);
        starts = *c == ' ' && c > text + 1 && c[-1] == '.' && c[-2] != ' ';
        put_escaped(starts ? '\n' : *c);
    }
    putchar('\n');
}

/* A sentence that begins with a capital and ends with a full stop. */
static void print_sentence(const char *begin, const char *text) {
    char sentence[1024];
    snprintf(sentence, sizeof sentence, "%s%s.", begin, text);
    sentence[0] = (char)toupper((unsigned char)sentence[0]);
    print_text(sentence);
}

/* An argument of a macro, as one word, in quotes so that no macro's name is taken for one. */
static void print_argument(const char *text) {
    fputs(" \"", stdout);
    for (; *text; text++) put_escaped(*text);
    putchar('"');
}

static void print_items(const char *title, const char *macro, const struct item *items) {
    printf(".Sh %s\n.Bl -tag -width Ds\n", title);
    for (; items->name; items++) {
        printf(".It%s", macro);
        print_argument(items->name);
        putchar('\n');
        print_text(items->text);
    }
    printf(".El\n");
}

static void print_option(const struct option *o) {
    const struct caelum_option *row = o->row;
    char words[256], value[64], dashed[64];
    const char *argument = option_argument(row, words), *text = option_print(row, o->value, value);
    snprintf(dashed, sizeof dashed, "-%s", row->name);
    printf(".It");
    if (row->letter) {
        printf(" Fl %c", row->letter);
        if (argument) printf(" Ar"), print_argument(argument);
        printf(" ,");
    }
    printf(" Fl");
    print_argument(dashed);
    if (argument) printf(" Ar"), print_argument(argument);
    putchar('\n');
    print_sentence("", row->help);
    if (row->kind == CAELUM_OPTION_THREADS && *(int *)o->value == 0) text = "the processors at hand";
    if (row->kind != CAELUM_OPTION_FLAG && text) print_sentence("the default is ", text);
}

static void print_head(const char *title, const char *name, const char *summary) {
    printf(".\\\" made by 'caelum man'\n.Dd %s\n.Dt %s 1\n.Os\n.Sh NAME\n.Nm %s\n.Nd %s\n", date, title, name,
           summary);
}

static void print_command(const struct command *command) {
    char title[64], name[64];
    struct options options;
    options_open(&options, command);
    snprintf(name, sizeof name, "caelum-%s", command->name);
    for (size_t i = 0; i <= strlen(name); i++) title[i] = (char)toupper((unsigned char)name[i]);
    print_head(title, name, command->summary);
    printf(".Sh SYNOPSIS\n.Nm caelum %s\n", command->name);
    if (options.count > 0) printf(".Op Ar options\n");
    if (*command->arguments) printf(".Ar"), print_argument(command->arguments), putchar('\n');
    printf(".Sh DESCRIPTION\n");
    print_sentence("", command->summary);
    if (options.count > 0) printf(".Pp\nThe options are:\n.Bl -tag -width Ds\n");
    for (size_t i = 0; i < options.count; i++) print_option(&options.list[i]);
    if (options.count > 0) printf(".El\n");
    if (!command->alone)
        printf(".Pp\nOptions can also be set in the environment and in files, see\n.Xr caelum 1 .\n");
    printf(".Sh EXIT STATUS\n0 on success; see\n.Xr caelum 1\nfor the others.\n"
           ".Sh EXAMPLES\n.Dl");
    print_argument(command->example);
    printf("\n.Sh SEE ALSO\n.Xr caelum 1\n");
    options_close(&options);
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void print_program(void) {
    print_head("CAELUM", "caelum", "train, measure and run convolutional autoencoders on pictures");
    printf(".Sh SYNOPSIS\n.Nm caelum\n.Ar command\n.Op Ar options\n.Op Ar arguments\n.Sh DESCRIPTION\n");
    print_text(
        "caelum trains convolutional autoencoders, colorizers and classifiers on pictures, measures them and "
        "runs them. Results go to standard output, everything else to standard error. The commands are:");
    for (size_t i = 0; commands[i]; i++) {
        const struct command *c = commands[i];
        if (c->group) {
            if (i > 0) printf(".El\n");
            printf(".Ss %c%s\n.Bl -tag -width completion\n", toupper((unsigned char)c->group[0]),
                   c->group + 1);
        }
        printf(".It Cm %s", c->name);
        if (*c->arguments) printf(" Ar"), print_argument(c->arguments);
        putchar('\n');
        print_sentence("", c->summary);
    }
    printf(".El\n.Ss Options in files\n");
    print_text(
        "Options not on the command line are taken from the environment, then from ./caelum.conf, then from "
        "the user's file; else it is the default. Files have lines 'key = value'; from a # at the start of a "
        "line or behind a blank on the rest is comment. A key is an option's long name, for all commands "
        "that have it, or COMMAND.NAME, which wins over the plain name in the same file. Flags are set by "
        "yes or "
        "no. "
        "--force can't be set in a file. 'caelum config' shows where each value comes from.");
    print_items("ENVIRONMENT", " Ev", environment);
    print_items("FILES", " Pa", files);
    print_items("EXIT STATUS", "", statuses);
    printf(".Sh EXAMPLES\n");
    for (size_t i = 0; i < 2; i++) printf(".Dl"), print_argument(commands[i]->example), putchar('\n');
    printf(".Sh SEE ALSO\n");
    const char *names[COMMANDS_MOST];
    const size_t count = command_names(names);
    qsort(names, count, sizeof *names, by_name);
    for (size_t i = 0; i < count; i++) printf(".Xr caelum-%s 1%s\n", names[i], i + 1 < count ? " ," : "");
}

static int run(void *values, int n, char **words, struct caelum_error *err) {
    const struct command *command;
    (void)values, (void)err;
    CHECK(command_argument("man", n, words, &command));
    if (command)
        print_command(command);
    else
        print_program();
    return 0;
}

COMMAND(man, "[COMMAND]", "print a manual page", "caelum man train | man -l -", .alone = true, .run = run);
