/* config.c - options from the environment and from files: CAELUM_<OPTION>, then ./caelum.conf, then the
 * user's $XDG_CONFIG_HOME/caelum/config. Files have lines `key = value`; a key is an option's long name, or
 * COMMAND.NAME for one command alone. docs/command-line.md describes them. */
#define _GNU_SOURCE
#include "cli.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { ENTRIES_MOST = 1000 };

struct entry {
    char *command, *key, *value; /* command: "" for all of them */
    int line;
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

static int complain(struct caelum_error *err, enum caelum_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static int complain(struct caelum_error *err, enum caelum_code code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    err->code = code;
    return code;
}

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
        return complain(err, CAELUM_EUSAGE, "%s:%d: expected 'key = value', got '%.100s'", f->path, line,
                        text);
    *equals = '\0';
    char *key = trim(text), *value = trim(equals + 1), *dot = strchr(key, '.');
    if (!*key || !*value)
        return complain(err, CAELUM_EUSAGE, "%s:%d: expected 'key = value', the %s is missing", f->path, line,
                        *key ? "value" : "key");
    if (f->count == ENTRIES_MOST)
        return complain(err, CAELUM_EUSAGE, "%s: longer than %d settings", f->path, ENTRIES_MOST);
    if (dot) *dot = '\0';
    struct entry *e = &f->entry[f->count];
    *e = (struct entry){strdup(dot ? key : ""), strdup(dot ? dot + 1 : key), strdup(value), line};
    if (!e->command || !e->key || !e->value)
        return complain(err, CAELUM_ERESOURCE, "%s: out of memory", f->path);
    f->count++;
    return 0;
}

static int unreadable(struct file *f, const char *why, struct caelum_error *err) {
    const int code =
        complain(f->comfort ? &f->warning : err, CAELUM_EIO, "%s: can't be read: %s", f->path, why);
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
                   : complain(err, CAELUM_EUSAGE, "%s:%d: not text", f->path, line);
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

/* Names of options, each once. */
struct names {
    const char *name[512];
    size_t count;
};

static void gather(void *cookie, const struct command *command, const struct option_row *rows,
                   bool configured) {
    struct names *names = cookie;
    (void)command;
    if (!configured) return;
    for (; rows->name && names->count + 1 < sizeof names->name / sizeof *names->name; rows++) {
        size_t i = 0;
        while (i < names->count && strcmp(names->name[i], rows->name) != 0) i++;
        if (i == names->count) names->name[names->count++] = rows->name;
    }
    names->name[names->count] = NULL;
}

static int unknown_key(const struct file *f, const struct entry *e, const struct names *names,
                       struct caelum_error *err) {
    const char *guess = nearest(e->key, names->name);
    return complain(err, CAELUM_EUSAGE, "%s:%d: there is no option '%.100s'%s%s%s%s%s", f->path, e->line,
                    e->key, *e->command ? " of caelum " : "", e->command, guess ? "; did you mean '" : "",
                    guess ? guess : "", guess ? "'?" : "");
}

/* Whether some command has the option that an entry sets. The running command is not visited: its rows are in
 * use. */
static int check_entry(const struct file *f, const struct entry *e, const struct command *running,
                       const struct option_row *rows, struct caelum_error *err) {
    const struct command *owner = *e->command ? command_find(e->command) : NULL;
    struct names names = {0};
    if (strcmp(e->key, "force") == 0)
        return complain(err, CAELUM_EUSAGE, "%s:%d: force can't stand in a file; give --force by hand",
                        f->path, e->line);
    if (*e->command && !owner) {
        const char *guess = nearest_command(e->command);
        return complain(err, CAELUM_EUSAGE, "%s:%d: there is no command '%.100s'%s%s%s", f->path, e->line,
                        e->command, guess ? "; did you mean '" : "", guess ? guess : "", guess ? "'?" : "");
    }
    for (const struct command *c = commands; c->name; c++) {
        if (owner && owner != c) continue;
        if (c == running)
            gather(&names, c, rows, true);
        else
            options_visit(c, gather, &names);
    }
    for (size_t i = 0; i < names.count; i++)
        if (strcmp(names.name[i], e->key) == 0) return 0;
    return unknown_key(f, e, &names, err);
}

/* --- Values --------------------------------------------------------------------------------------- */

void config_variable(const char *name, char text[64]) {
    size_t used = (size_t)snprintf(text, 64, "CAELUM_");
    for (; *name && used < 63; name++)
        text[used++] = (char)(*name == '-' ? '_' : toupper((unsigned char)*name));
    text[used] = '\0';
}

/* Checks a value and, unless something stronger has set the row, takes it. */
static int use(const struct option_row *row, const char *value, struct option_source from, bool taken,
               struct option_source *source, struct caelum_error *err) {
    static union {
        bool flag;
        const char *text;
        uint64_t number;
        double real;
        struct option_words words;
    } scratch;
    struct option_row trial = *row;
    struct caelum_error why;
    trial.value = &scratch;
    scratch.words.count = 0;
    if (option_set(&trial, value, &why) != 0)
        return complain(err, CAELUM_EUSAGE, "%.200s: %.280s", from.place, why.text);
    if (taken) return 0;
    *source = from;
    return option_set(row, value, err);
}

static int use_environment(const struct option_row *row, struct option_source *source,
                           struct caelum_error *err) {
    struct option_source from = {.origin = ORIGIN_ENVIRONMENT};
    char name[64];
    config_variable(row->name, name);
    const char *value = getenv(name);
    if ((!value || !*value) && strcmp(row->name, "cache-dir") == 0) {
        snprintf(name, sizeof name, "CAELUM_CACHE"); /* what the library itself looks at */
        value = getenv(name);
    }
    if (!value || !*value) return 0;
    if (option_by_hand(row))
        return complain(err, CAELUM_EUSAGE, "%s: can't be set in the environment; give --%s by hand", name,
                        row->name);
    snprintf(from.place, sizeof from.place, "%s", name);
    return use(row, value, from, source->origin == ORIGIN_FLAG, source, err);
}

/* The entries for one row: those for the command alone, else those for all; the last one, or all of an option
 * that can be repeated. */
static int use_file(const struct file *f, const struct command *command, const struct option_row *row,
                    struct option_source *source, struct caelum_error *err) {
    const struct entry *chosen[OPTION_WORDS_MOST];
    const char *const owner[] = {command ? command->name : "", ""};
    const bool taken = source->origin != ORIGIN_DEFAULT;
    size_t n = 0;
    for (size_t k = 0; n == 0 && k < 2; k++)
        for (size_t i = 0; i < f->count; i++) {
            const struct entry *e = &f->entry[i];
            if (strcmp(e->command, owner[k]) != 0 || strcmp(e->key, row->name) != 0) continue;
            if (row->kind != OPTION_WORDS) n = 0;
            if (n < OPTION_WORDS_MOST) chosen[n++] = e;
        }
    for (size_t i = 0; i < n; i++) {
        struct option_source from = {.origin = ORIGIN_FILE};
        snprintf(from.place, sizeof from.place, "%s:%d", f->path, chosen[i]->line);
        const int code = use(row, chosen[i]->value, from, taken, source, err);
        if (code != 0) return code;
    }
    return 0;
}

int config_apply(const struct command *command, const struct option_row *rows, struct option_source *source,
                 struct caelum_error *err) {
    struct file *const files[] = {&here, &user}; /* the nearer one first: what is set stays */
    int code = 0;
    choose_paths();
    for (size_t i = 0; rows[i].name && code == 0; i++) code = use_environment(&rows[i], &source[i], err);
    for (size_t k = 0; k < 2 && code == 0; k++) {
        code = read_file(files[k], err);
        if (command) say_warning(files[k]);
        for (size_t i = 0; rows[i].name && code == 0; i++)
            code = use_file(files[k], command, &rows[i], &source[i], err);
        for (size_t i = 0; command && i < files[k]->count && code == 0; i++)
            code = check_entry(files[k], &files[k]->entry[i], command, rows, err);
    }
    return code;
}
