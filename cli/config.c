/* config.c - options from the environment and from files: CAELUM_<OPTION>, then ./caelum.conf, then the
 * user's $XDG_CONFIG_HOME/caelum/config. Files have lines `key = value`; a key is an option's long name, or
 * COMMAND.NAME for one command alone. docs/command-line.md describes them. And caelum config, which shows
 * what each option would be without a flag, and why. */
#define _GNU_SOURCE
#include "cli.h"

#include "base/json.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { ENTRIES_MOST = 1000 };

struct entry {
    char *command, *key, *value; /* command: "" for all of them */
    char *place;                 /* "caelum.conf:3" */
};
/* Read once; its texts are options' values until the program ends. */
struct file {
    char path[PATH_SIZE];
    bool comfort; /* where it can't be read a warning will do */
    bool read;
    struct caelum_error warning; /* that is to be given, if code is not 0 */
    struct caelum_error failure; /* of that, if code is not 0 */
    size_t count;
    struct entry entry[ENTRIES_MOST];
};
static struct file here, user;

/* --- Files ---------------------------------------------------------------------------------------- */

static char *trim(char *text) {
    while (isspace((unsigned char)*text)) text++;
    size_t n = strlen(text);
    while (n > 0 && isspace((unsigned char)text[n - 1])) n--;
    text[n] = '\0';
    return text;
}

/* Ends the text where a comment begins: at a '#' at its start or behind a blank. */
static void cut_comment(char *text) {
    for (char *c = text; *c; c++)
        if (*c == '#' && (c == text || isspace((unsigned char)c[-1]))) *c = '\0';
}

static int add_line(struct file *f, char *text, int line, struct caelum_error *err) {
    cut_comment(text);
    text = trim(text);
    if (!*text) return 0;
    char *equals = strchr(text, '=');
    if (!equals)
        return caelum_fail(err, CAELUM_EUSAGE, "%s:%d: expected 'key = value', got '%.100s'", f->path, line,
                           text);
    *equals = '\0';
    char *key = trim(text), *value = trim(equals + 1), *dot = strchr(key, '.');
    if (!*key || !*value)
        return caelum_fail(err, CAELUM_EUSAGE, "%s:%d: expected 'key = value', the %s is missing", f->path,
                           line, *key ? "value" : "key");
    if (f->count == ENTRIES_MOST)
        return caelum_fail(err, CAELUM_EUSAGE, "%s: longer than %d settings", f->path, ENTRIES_MOST);
    if (dot) *dot = '\0';
    struct entry *e = &f->entry[f->count++];
    *e = (struct entry){strdup(dot ? key : ""), strdup(dot ? dot + 1 : key), strdup(value), NULL};
    if (asprintf(&e->place, "%s:%d", f->path, line) < 0 || !e->command || !e->key || !e->value)
        return caelum_fail(err, CAELUM_ERESOURCE, "%s: out of memory", f->path);
    return 0;
}

static int unreadable(struct file *f, const char *why, struct caelum_error *err) {
    const int code =
        caelum_fail(f->comfort ? &f->warning : err, CAELUM_EIO, "%s: can't be read: %s", f->path, why);
    return f->comfort ? 0 : code;
}

/* A file that is not there says nothing. */
static int read_lines(struct file *f, struct caelum_error *err) {
    struct stat st;
    const bool special = stat(f->path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
    FILE *in = special ? NULL : fopen(f->path, "r");
    if (special) return unreadable(f, "not a file", err);
    if (!in && (errno == ENOENT || errno == ENOTDIR)) return 0;
    if (!in) return unreadable(f, strerror(errno), err);
    char *text = NULL;
    size_t room = 0;
    ssize_t length;
    int code = 0, line = 0;
    while (code == 0 && (length = getline(&text, &room, in)) >= 0) {
        static const char mark[] = "\xef\xbb\xbf"; /* which editors put before UTF-8 */
        const bool marked = ++line == 1 && strncmp(text, mark, strlen(mark)) == 0;
        code = strlen(text) == (size_t)length
                   ? add_line(f, text + (marked ? strlen(mark) : 0), line, err)
                   : caelum_fail(err, CAELUM_EUSAGE, "%s:%d: not text", f->path, line);
    }
    if (code == 0 && ferror(in)) code = unreadable(f, strerror(errno), err);
    free(text);
    fclose(in);
    return code;
}

static int read_file(struct file *f, struct caelum_error *err) {
    if (!f->read && *f->path) read_lines(f, &f->failure);
    f->read = true;
    if (f->failure.code != 0) *err = f->failure;
    return f->failure.code;
}

/* Relative values are ignored, as the XDG specification asks. HOME may be that of somebody else (sudo, cron),
 * so the user's file is a comfort; the one here was put where the work is done. */
static void choose_paths(void) {
    const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    const bool own = xdg && *xdg == '/';
    snprintf(here.path, sizeof here.path, "caelum.conf");
    user.comfort = true;
    if (!own && (!home || *home != '/')) return;
    const int used =
        snprintf(user.path, sizeof user.path, "%s/%scaelum/config", own ? xdg : home, own ? "" : ".config/");
    if (used >= PATH_SIZE) user.path[0] = '\0'; /* longer than any path can be */
}

/* Says once what is wrong with a comfort. */
static void say_warning(struct file *f) {
    if (f->warning.code != 0) warn("%s", f->warning.text);
    f->warning.code = 0;
}

/* --- Keys that no command has --------------------------------------------------------------------- */

/* Whether some command has the option that an entry sets. */
static int check_entry(const struct entry *e, struct caelum_error *err) {
    enum { MOST = 1024 };
    const struct command *owner = *e->command ? command_find(e->command) : NULL;
    const char *names[MOST + 1];
    char question[NEAREST_SIZE];
    size_t count = 0;
    if (strcmp(e->key, "force") == 0)
        return caelum_fail(err, CAELUM_EUSAGE,
                           "%s: force can't be set in a file; give --force on the command line", e->place);
    if (*e->command && !owner) {
        command_names(names);
        return caelum_fail(err, CAELUM_EUSAGE, "%s: there is no command '%.100s'%s", e->place, e->command,
                           nearest_question(e->command, names, question));
    }
    for (size_t c = 0; commands[c]; c++) {
        struct options o;
        if ((owner && owner != commands[c]) || commands[c]->alone) continue;
        options_open(&o, commands[c]);
        const bool there = options_find(&o, e->key, strlen(e->key)) != NULL;
        for (size_t i = 0; i < o.count && count < MOST; i++) names[count++] = o.list[i].row->name;
        options_close(&o);
        if (there) return 0;
    }
    names[count] = NULL;
    return caelum_fail(err, CAELUM_EUSAGE, "%s: there is no option '%.100s'%s%s%s", e->place, e->key,
                       *e->command ? " of caelum " : "", e->command,
                       nearest_question(e->key, names, question));
}

/* --- Values --------------------------------------------------------------------------------------- */

/* "CAELUM_SPLIT_SEED" of split-seed. */
static void find_variable(const char *name, char text[64]) {
    size_t used = (size_t)snprintf(text, 64, "CAELUM_");
    for (; *name && used < 63; name++)
        text[used++] = (char)(*name == '-' ? '_' : toupper((unsigned char)*name));
    text[used] = '\0';
}

/* Checks a value and, unless something stronger has set the option (taken), takes it. */
static int use(struct option *o, bool taken, const char *value, enum option_origin origin, const char *place,
               struct caelum_error *err) {
    static union {
        uint64_t number;
        double real;
        struct option_words words;
    } scratch;
    struct caelum_error why;
    scratch.words.count = 0;
    if (option_set(o->row, &scratch, value, &why) != 0)
        return caelum_fail(err, CAELUM_EUSAGE, "%.200s: %.280s", place, why.text);
    if (taken) return 0;
    o->origin = origin;
    o->place = place;
    return option_set(o->row, o->value, value, err);
}

static int use_environment(struct option *o, struct caelum_error *err) {
    find_variable(o->row->name, o->variable);
    const char *value = getenv(o->variable);
    if ((!value || !*value) && strcmp(o->row->name, "cache-dir") == 0) {
        snprintf(o->variable, sizeof o->variable, "CAELUM_CACHE"); /* what the library itself looks at */
        value = getenv(o->variable);
    }
    if (!value || !*value) return 0;
    if (option_by_hand(o->row))
        return caelum_fail(err, CAELUM_EUSAGE,
                           "%s: can't be set in the environment; give --%s on the command line", o->variable,
                           o->row->name);
    return use(o, o->origin == ORIGIN_FLAG, value, ORIGIN_ENVIRONMENT, o->variable, err);
}

/* The entries for one option: those for the command alone, else those for all; the last one, or all of an
 * option that can be repeated. */
static int use_file(const struct file *f, const struct command *command, struct option *o,
                    struct caelum_error *err) {
    const struct entry *chosen[OPTION_WORDS_MOST];
    const char *const owner[] = {command ? command->name : "", ""};
    size_t n = 0;
    const bool taken = o->origin != ORIGIN_DEFAULT; /* by the nearer file, too */
    for (size_t k = 0; n == 0 && k < 2; k++)
        for (size_t i = 0; i < f->count; i++) {
            const struct entry *e = &f->entry[i];
            if (strcmp(e->command, owner[k]) != 0 || strcmp(e->key, o->row->name) != 0) continue;
            if (o->row->kind != CAELUM_OPTION_LIST) n = 0;
            if (n < OPTION_WORDS_MOST) chosen[n++] = e;
        }
    for (size_t i = 0; i < n; i++) CHECK(use(o, taken, chosen[i]->value, ORIGIN_FILE, chosen[i]->place, err));
    return 0;
}

int config_apply(struct options *options, struct caelum_error *err) {
    struct file *const files[] = {&here, &user}; /* the nearer one first: what is set stays */
    choose_paths();
    for (size_t i = 0; i < options->count; i++) CHECK(use_environment(&options->list[i], err));
    for (size_t k = 0; k < 2; k++) {
        CHECK(read_file(files[k], err));
        if (options->command) say_warning(files[k]);
        for (size_t i = 0; i < options->count; i++)
            CHECK(use_file(files[k], options->command, &options->list[i], err));
        for (size_t i = 0; options->command && i < files[k]->count; i++)
            CHECK(check_entry(&files[k]->entry[i], err));
    }
    return 0;
}

/* --- caelum config -------------------------------------------------------------------------------- */

static void show_value(const struct command *command, const struct option *o, const char *value,
                       json_t **list) {
    const char *origin = o->place ? o->place : "default";
    if (list) {
        json_add(list,
                 JSON({"command", json_string(command->name)}, {"option", json_string(o->row->name)},
                      {"value", value ? json_bytes(value) : json_null()}, {"origin", json_bytes(origin)}));
        return;
    }
    const int width = value ? printf("%s.%s = %s", command->name, o->row->name, value)
                            : printf("# %s.%s is not set", command->name, o->row->name);
    printf("%*s  # %s\n", width < 44 ? 44 - width : 0, "", origin);
}

/* Lines in the format of the files, or into `list`. */
static int show(const struct command *command, json_t **list, struct caelum_error *err) {
    struct options options;
    if (command->alone) return 0;
    options_open(&options, command);
    const int code = config_apply(&options, err);
    for (struct option *o = options.list; code == 0 && o < options.list + options.count; o++) {
        const struct option_words *words = o->row->kind == CAELUM_OPTION_LIST ? o->value : NULL;
        char text[64];
        if (option_by_hand(o->row)) continue;
        if (!words || words->count == 0) show_value(command, o, option_print(o->row, o->value, text), list);
        for (size_t i = 0; words && i < words->count; i++) show_value(command, o, words->word[i], list);
    }
    options_close(&options);
    return code;
}

struct config {
    bool json;
};

static const struct caelum_option rows[] = {
    OPTION(FLAG, struct config, 0, "json", json, NULL, "print a list as JSON"), END_OF_OPTIONS};

static int run(void *values, int n, char **words, struct caelum_error *err) {
    const struct config *c = values;
    const struct command *one;
    CHECK(command_argument("config", n, words, &one));
    json_t *list = c->json ? json_array() : NULL, *object = c->json ? json_object() : NULL;
    int code = 0;
    for (size_t i = 0; commands[i] && code == 0; i++)
        if (!one || one == commands[i]) code = show(commands[i], c->json ? &list : NULL, err);
    json_put(&object, "options", list);
    if (code == 0 && c->json)
        print_json(object);
    else
        json_decref(object);
    return code;
}

COMMAND(config, "[COMMAND]", "show each option's value and where it comes from", "caelum config train",
        .rows = rows, .alone = true, .size = sizeof(struct config), .run = run);
