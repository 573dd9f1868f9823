/* cmd_completion.c - caelum completion: the tables of commands and options as a script for bash, zsh or fish.
 * What can follow: commands, options, the words of a choice; else files. */
#include "cli.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* What an option's value or a command's arguments are. */
enum value { VALUE_NONE, VALUE_NUMBER, VALUE_WORDS, VALUE_FILE };

static enum value value_of(const struct caelum_option *row) {
    switch (row->kind) {
    case CAELUM_OPTION_FLAG:
        return VALUE_NONE;
    case CAELUM_OPTION_WORD:
        return VALUE_WORDS;
    case CAELUM_OPTION_STRING:
        return VALUE_FILE;
    default:
        return VALUE_NUMBER;
    }
}

/* "info cache" of "info|cache SPEC". */
static const char *spaced(const char *words, char text[512]) {
    snprintf(text, 512, "%.*s", (int)strcspn(words, " "), words);
    for (char *c = text; *c; c++)
        if (*c == '|') *c = ' ';
    return text;
}

/* The words that can be a command's first argument, blanks between: all commands for "[COMMAND]", "" where it
 * is a file or nothing. */
static const char *first_words(const struct command *command, char text[512]) {
    size_t n = 0;
    text[0] = '\0';
    if (islower((unsigned char)command->arguments[0])) return spaced(command->arguments, text);
    if (strcmp(command->arguments, "[COMMAND]") != 0) return text;
    for (size_t i = 0; commands[i] && n < 512; i++)
        n += (size_t)snprintf(text + n, 512 - n, "%s%s", n ? " " : "", commands[i]->name);
    return text;
}

/* The words of an option's choice. */
static const char *choices(const struct caelum_option *row, char text[512]) {
    char words[256];
    return spaced(option_argument(row, words), text);
}

/* Text between single quotes, in which `special` characters are escaped by a backslash. */
static void print_quoted(const char *text, const char *special, const char *quote) {
    for (; *text; text++) {
        if (*text == '\'')
            fputs(quote, stdout);
        else
            printf("%s%c", strchr(special, *text) ? "\\" : "", *text);
    }
}

static void each_command(void (*print)(const struct command *command, const struct options *options)) {
    for (size_t i = 0; commands[i]; i++) {
        struct options options;
        options_open(&options, commands[i]);
        print(commands[i], &options);
        options_close(&options);
    }
}

/* --- bash ----------------------------------------------------------------------------------------- */

static void bash_command(const struct command *command, const struct options *options) {
    char words[512];
    printf("    %s)\n        first='%s'\n        options='", command->name, first_words(command, words));
    for (size_t i = 0; i < options->count; i++) printf("--%s ", options->list[i].row->name);
    printf("--help'\n        case $prev in\n");
    for (size_t i = 0; i < options->count; i++) {
        const struct caelum_option *r = options->list[i].row;
        const enum value value = value_of(r);
        if (value == VALUE_NONE) continue;
        printf("        --%s", r->name);
        if (r->letter) printf(" | -%c", r->letter);
        printf(") value=1");
        if (value == VALUE_WORDS) printf(" words='%s'", choices(r, words));
        printf(" ;;\n");
    }
    printf("        esac ;;\n");
}

static void print_bash(void) {
    printf("# bash completion for caelum " CAELUM_VERSION "; made by 'caelum completion bash'\n"
           "_caelum() {\n"
           "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} first= options= value= "
           "words=\n"
           "    COMPREPLY=()\n"
           "    # bash cuts --name=value at the sign\n"
           "    if [[ $cur == = ]]; then\n        cur=\n"
           "    elif [[ $prev == = ]]; then\n        prev=${COMP_WORDS[COMP_CWORD-2]}\n    fi\n"
           "    case ${COMP_WORDS[1]} in\n");
    each_command(bash_command);
    printf("    esac\n"
           "    if ((COMP_CWORD == 1)); then\n        words='");
    for (size_t i = 0; commands[i]; i++) printf("%s ", commands[i]->name);
    printf("--help --version'\n"
           "    elif [[ -n $value ]]; then\n        :\n"
           "    elif [[ $cur == -* ]]; then\n        words=$options\n"
           "    elif ((COMP_CWORD == 2)); then\n        words=$first\n"
           "    fi\n"
           "    # no words: complete -o default takes files\n"
           "    [[ -n $words ]] && COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
           "    return 0\n"
           "}\n"
           "complete -o default -F _caelum caelum\n");
}

/* --- zsh ------------------------------------------------------------------------------------------ */

static void zsh_command(const struct command *command, const struct options *options) {
    char words[512], argument[256];
    printf("    %s)\n        _arguments -s", command->name);
    for (size_t i = 0; i < options->count; i++) {
        const struct caelum_option *r = options->list[i].row;
        const enum value value = value_of(r);
        const char *many = r->kind == CAELUM_OPTION_LIST ? "*" : "", *sign = value == VALUE_NONE ? "" : "=";
        if (r->letter && !*many)
            printf(" \\\n            '(-%c --%s)'{-%c%s,--%s%s}'[", r->letter, r->name, r->letter,
                   value == VALUE_NONE ? "" : "+", r->name, sign);
        else
            printf(" \\\n            '%s--%s%s[", many, r->name, sign);
        print_quoted(r->help, "[]:\\", "'\\''");
        printf("]");
        if (value != VALUE_NONE) {
            printf(":");
            print_quoted(value == VALUE_WORDS ? r->name : option_argument(r, argument), "[]:\\", "'\\''");
        }
        if (value == VALUE_NUMBER) printf(": ");
        if (value == VALUE_FILE) printf(":_files");
        if (value == VALUE_WORDS) printf(":(%s)", choices(r, words));
        printf("'");
    }
    printf(" \\\n            '(-h --help)'{-h,--help}'[explain the command]'");
    if (*first_words(command, words)) printf(" \\\n            '1:word:(%s)'", words);
    if (*command->arguments) printf(" \\\n            '*:file:_files'");
    printf(" ;;\n");
}

static void print_zsh(void) {
    printf("#compdef caelum\n"
           "# zsh completion for caelum " CAELUM_VERSION "; made by 'caelum completion zsh'\n"
           "_caelum() {\n"
           "    local -a commands=(\n");
    for (size_t i = 0; commands[i]; i++) {
        printf("        '%s:", commands[i]->name);
        print_quoted(commands[i]->summary, "\\", "'\\''");
        printf("'\n");
    }
    printf("    )\n"
           "    if ((CURRENT == 2)); then\n        _describe command commands\n        return\n    fi\n"
           "    local command=$words[2]\n"
           "    shift words\n"
           "    ((CURRENT--))\n"
           "    case $command in\n");
    each_command(zsh_command);
    printf(
        "    esac\n"
        "}\n"
        "# autoloaded as a function of this name, or read by eval\n"
        "if [[ $funcstack[1] = _caelum ]]; then\n    _caelum \"$@\"\nelse\n    compdef _caelum caelum\nfi\n");
}

/* --- fish ----------------------------------------------------------------------------------------- */

static void fish_command(const struct command *command, const struct options *options) {
    char words[512];
    printf("complete -c caelum -n __fish_use_subcommand -f -a %s -d '", command->name);
    print_quoted(command->summary, "\\", "\\'");
    printf("'\n");
    if (*first_words(command, words))
        printf("complete -c caelum -n '__fish_seen_subcommand_from %s; and test (count (commandline -opc)) "
               "= 2' -f -a '%s'\n",
               command->name, words);
    for (size_t i = 0; i < options->count; i++) {
        const struct caelum_option *r = options->list[i].row;
        const enum value value = value_of(r);
        printf("complete -c caelum -n '__fish_seen_subcommand_from %s' -l %s", command->name, r->name);
        if (r->letter) printf(" -s %c", r->letter);
        if (value == VALUE_FILE) printf(" -r -F");
        if (value == VALUE_NUMBER) printf(" -x");
        if (value == VALUE_WORDS) printf(" -x -a '%s'", choices(r, words));
        printf(" -d '");
        print_quoted(r->help, "\\", "\\'");
        printf("'\n");
    }
}

static void print_fish(void) {
    printf("# fish completion for caelum " CAELUM_VERSION "; made by 'caelum completion fish'\n");
    each_command(fish_command);
    printf("complete -c caelum -s h -l help -d 'explain the command'\n"
           "complete -c caelum -n __fish_use_subcommand -s V -l version -d 'version of the program'\n");
}

static int run(void *values, int n, char **words, struct caelum_error *err) {
    static const char *const shells[] = {"bash", "zsh", "fish"};
    static void (*const print[])(void) = {print_bash, print_zsh, print_fish};
    (void)values, (void)err;
    if (n != 1) return usage_error("completion", "expected bash, zsh or fish");
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
        if (strcmp(words[0], shells[i]) == 0) return print[i](), 0;
    return usage_error("completion", "expected bash, zsh or fish, got '%s'", words[0]);
}

COMMAND(completion, "bash|zsh|fish", "print a shell's script that completes command lines",
        "eval \"$(caelum completion bash)\"", .alone = true, .run = run);
