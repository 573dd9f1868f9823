/* options.c - one table of options per command: what is parsed, shown, completed and configured all comes
 * from it. */
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Values --------------------------------------------------------------------------------------- */

static void add_rows(struct options *o, const struct caelum_option *rows, void *values) {
    for (; rows && rows->name && o->count < OPTIONS_MOST; rows++)
        if (rows->help)
            o->list[o->count++] = (struct option){.row = rows, .value = (char *)values + rows->offset};
}

void options_open(struct options *o, const struct command *command) {
    *o = (struct options){.command = command, .values = calloc(1, command->size + 1)};
    if (!o->values) out_of_memory();
    if (command->defaults) command->defaults(o->values);
    add_rows(o, command->rows, o->values);
    add_rows(o, command->shared, (char *)o->values + command->shared_at);
    if (command->display) add_rows(o, display_rows, &o->display);
}

void options_close(struct options *o) {
    free(o->values);
    *o = (struct options){0};
}

struct option *options_find(struct options *o, const char *name, size_t length) {
    for (struct option *i = o->list; i < o->list + o->count; i++)
        if (strlen(i->row->name) == length && strncmp(i->row->name, name, length) == 0) return i;
    return NULL;
}

bool option_by_hand(const struct caelum_option *row) {
    return strcmp(row->name, "force") == 0;
}

const char *option_argument(const struct caelum_option *row, char text[256]) {
    if (row->kind != CAELUM_OPTION_WORD) return row->value;
    size_t used = 0;
    for (int i = 0; row->words[i] && used < 256; i++)
        used += (size_t)snprintf(text + used, 256 - used, "%s%s", i ? "|" : "", row->words[i]);
    return text;
}

static int add_word(const struct caelum_option *row, struct option_words *words, const char *text,
                    struct caelum_error *err) {
    if (words->count == OPTION_WORDS_MOST)
        return caelum_fail(err, CAELUM_EUSAGE, "%s: at most %d are possible", row->name, OPTION_WORDS_MOST);
    words->word[words->count++] = text;
    return 0;
}

int option_set(const struct caelum_option *row, void *value, const char *text, struct caelum_error *err) {
    static const char *const expected[] = {[CAELUM_OPTION_FLAG] = "yes or no",
                                           [CAELUM_OPTION_SIZE] = "a whole number",
                                           [CAELUM_OPTION_U64] = "a whole number",
                                           [CAELUM_OPTION_REAL] = "a number",
                                           [CAELUM_OPTION_THREADS] = "1 to 4096 threads"};
    char words[256], question[NEAREST_SIZE];
    if (row->kind == CAELUM_OPTION_LIST) return add_word(row, value, text, err);
    if (option_read(row, value, text)) return 0;
    if (row->kind != CAELUM_OPTION_WORD)
        return caelum_fail(err, CAELUM_EUSAGE, "%s: expected %s, got '%.200s'", row->name,
                           expected[row->kind], text);
    return caelum_fail(err, CAELUM_EUSAGE, "%s: expected %s, got '%.200s'%s", row->name,
                       option_argument(row, words), text, nearest_question(text, row->words, question));
}

/* --- The command line ----------------------------------------------------------------------------- */

/* Those of the running command. */
static struct options current;

static int unknown_option(const char *word) {
    const char *names[OPTIONS_MOST + 1] = {0}, *command = current.command->name;
    for (size_t i = 0; i < current.count; i++) names[i] = current.list[i].row->name;
    const char *guess = nearest(word, names);
    if (guess) return usage_error(command, "there is no option --%s; did you mean --%s?", word, guess);
    return usage_error(command, "there is no option --%s", word);
}

static struct option *find_letter(char letter) {
    for (struct option *o = current.list; o < current.list + current.count; o++)
        if (o->row->letter == letter) return o;
    return NULL;
}

/* One option at argv[*i]; *i moves on if its value is the next argument. 0, or exit status 2. */
static int read_option(int argc, char **argv, int *i) {
    const char *word = argv[*i], *value = NULL, *command = current.command->name;
    struct option *o;
    struct caelum_error err;
    if (word[1] == '-') {
        const size_t length = strcspn(word + 2, "=");
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)length, word + 2);
        o = options_find(&current, word + 2, length);
        if (!o) return unknown_option(name);
        if (word[2 + length] == '=') value = word + 3 + length;
    } else {
        o = find_letter(word[1]);
        if (!o) return usage_error(command, "there is no option -%c", word[1]);
        if (word[2]) value = word + 2;
        if (value && o->row->kind == CAELUM_OPTION_FLAG)
            return usage_error(command, "-%c takes no value", o->row->letter);
    }
    if (!value && o->row->kind == CAELUM_OPTION_FLAG) value = "yes";
    if (!value) {
        char text[256];
        if (*i + 1 >= argc)
            return usage_error(command, "--%s: a value is missing: %s", o->row->name,
                               option_argument(o->row, text));
        value = argv[++*i];
    }
    if (option_set(o->row, o->value, value, &err) != 0) return usage_error(command, "--%s", err.text);
    o->origin = ORIGIN_FLAG;
    if (o->value == &current.display.color) style_choose(current.display.color);
    return 0;
}

/* Reads options and leaves the other arguments in argv[0..]; their number is the result. Negative: the
 * command ends with status -result - 1. */
static int read_arguments(int argc, char **argv) {
    int left = 0;
    bool only_arguments = false;
    for (int i = 0; i < argc; i++) {
        char *word = argv[i];
        if (only_arguments || word[0] != '-' || word[1] == '\0') {
            argv[left++] = word;
        } else if (strcmp(word, "--") == 0) {
            only_arguments = true;
        } else if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0) {
            help_print(current.command, stdout);
            return -1;
        } else {
            const int status = read_option(argc, argv, &i);
            if (status != 0) return -status - 1;
        }
    }
    return left;
}

/* What files and the environment say, as if it had been typed. */
static int configure(struct caelum_error *err) {
    CHECK(config_apply(&current, err));
    display = current.display;
    if (current.command->display) style_choose(display.color);
    for (const struct option *o = current.list; o < current.list + current.count; o++) {
        char text[64];
        const char *value = o->place ? option_print(o->row, o->value, text) : NULL;
        if (value) command_line_add(o->row->name, value);
    }
    return 0;
}

int options_run(const struct command *command, int argc, char **argv) {
    struct caelum_error err;
    options_open(&current, command);
    const int n = read_arguments(argc, argv);
    int status = n < 0 ? -n - 1 : 0;
    if (n >= 0 && !command->alone) status = configure(&err);
    if (n >= 0 && status == 0) {
        if (!command->outside) confine();
        status = command->run(current.values, n, argv, &err);
        if (command->close) command->close(current.values);
    }
    progress_clear();
    return status < 0 ? report(&err) : status;
}

enum option_origin options_origin(const char *name) {
    const struct option *o = options_find(&current, name, strlen(name));
    return o ? o->origin : ORIGIN_DEFAULT;
}

const char *options_place(const char *complaint) {
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(complaint, ":"), complaint);
    for (char *c = name; *c; c++)
        if (*c == '_') *c = '-';
    const struct option *o = options_find(&current, name, strlen(name));
    return o ? o->place : NULL;
}
