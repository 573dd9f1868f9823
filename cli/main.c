/* main.c - the table of commands, and what is the same for all of them. */
#include "cli.h"

#include "base/json.h"
#include "base/number.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct command *const commands[] = {
    &command_train,       &command_eval,       &command_anomaly, &command_study,
    &command_compare,     &command_colorize,   &command_denoise, &command_reconstruct,
    &command_encode,      &command_decode,     &command_export,  &command_import,
    &command_activations, &command_inspect,    &command_data,    &command_bench,
    &command_page,        &command_serve,      &command_help,    &command_config,
    &command_man,         &command_completion, &command_version, NULL};

char *command_line;

void out_of_memory(void) {
    fprintf(stderr, "caelum: out of memory\n");
    exit(-CAELUM_ERESOURCE);
}

/* A result was to be printed, but could not be made. */
static bool result_lost;

int report(const struct caelum_error *err) {
    const char *place = err->code == CAELUM_EUSAGE ? options_place(err->text) : NULL;
    if (display.silent) return 0; /* a launcher ends all where one fails, before another has said why */
    progress_clear();
    fprintf(stderr, "%scaelum:%s ", style(stderr, STYLE_ERROR), style(stderr, STYLE_PLAIN));
    if (place) put_plain(stderr, place), fputs(": ", stderr);
    put_plain(stderr, err->text);
    fputc('\n', stderr);
    return -err->code;
}

void warn(const char *format, ...) {
    char text[2 * PATH_SIZE];
    va_list args;
    if (display.quiet) return;
    progress_clear();
    fprintf(stderr, "%scaelum: warning:%s ", style(stderr, STYLE_WARNING), style(stderr, STYLE_PLAIN));
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    put_plain(stderr, text);
    fputc('\n', stderr);
}

void data_opened(void *cookie, const caelum_data *data) {
    enum { NAMED = 20 };
    const char *path, *reason;
    const size_t n = caelum_data_skipped(data, 0, &path, &reason);
    (void)cookie;
    for (size_t i = 0; caelum_data_note(data, i); i++) warn("%s", caelum_data_note(data, i));
    if (n == 0 || display.quiet) return;
    warn("%zu %s skipped:", n, n == 1 ? "file was" : "files were");
    for (size_t i = 0; i < n && i < NAMED; i++) {
        caelum_data_skipped(data, i, &path, &reason);
        fputs("  ", stderr);
        put_plain(stderr, path);
        fputs(": ", stderr);
        put_plain(stderr, reason);
        fputc('\n', stderr);
    }
    if (n > NAMED) fprintf(stderr, "  and %zu more\n", n - NAMED);
}

static void print_json_as(json_t *object, size_t flags) {
    struct caelum_error err;
    char *text = NULL;
    if (json_text(&object, flags, "the result", &text, &err) != 0) {
        report(&err);
        result_lost = true;
        return;
    }
    puts(text);
    free(text);
}

void print_json(json_t *object) {
    print_json_as(object, JSON_INDENT(2));
}

void print_json_line(json_t *object) {
    print_json_as(object, 0);
    fflush(stdout);
}

json_t *json_sizes(size_t a, size_t b, size_t c) {
    return json_pack("[o, o, o]", json_size(a), json_size(b), json_size(c));
}

const char *grouped(size_t n, char text[32]) {
    snprintf(text, 32, "%zu", n);
    return number_group(text);
}

void command_line_add(const char *option, const char *word) {
    static const char special[] = " \t\r\n\"'`$&|;()<>*?[]{}~!\\#";
    static FILE *to;
    static size_t size;
    const char *quote = *word && !strpbrk(word, special) ? "" : "'";
    const bool first = !to;
    if (first) to = open_memstream(&command_line, &size);
    if (!to) out_of_memory();
    fprintf(to, option ? "%s%s--%s=" : "%s%s", first ? "" : " ", quote, option);
    for (; *word; word++)
        if (*word == '\'')
            fputs("'\\''", to);
        else
            fputc(*word, to);
    fputs(quote, to);
    if (fflush(to) != 0) out_of_memory();
}

/* Whether these ask for the version, by -V or --version; *bare: by -q too, for the number alone. */
static bool version_asked(char **words, bool *bare) {
    bool asked = false;
    *bare = false;
    for (; *words; words++) {
        const char *w = *words;
        const bool both = strcmp(w, "-qV") == 0 || strcmp(w, "-Vq") == 0;
        const bool version = both || strcmp(w, "-V") == 0 || strcmp(w, "--version") == 0;
        const bool quiet = both || strcmp(w, "-q") == 0 || strcmp(w, "--quiet") == 0;
        if (!version && !quiet) return false;
        asked |= version;
        *bare |= quiet;
    }
    return asked;
}

/* The user's choice of colors, for what is said before a command has read its options. */
static void choose_colors(void) {
    int mode = DISPLAY_AUTO;
    struct options options = {.count = 1, .list = {{.row = display_rows, .value = &mode}}};
    struct caelum_error err;
    config_apply(&options, &err); /* the command will complain of what is wrong there */
    style_choose(mode);
}

/* Writes out what is left of the results. A reader that closed the pipe is not an error. */
static int finish(int status) {
    errno = 0;
    if (result_lost && status == 0) status = -CAELUM_ERESOURCE;
    if ((fflush(stdout) == 0 && !ferror(stdout)) || status != 0) return status;
    if (errno != EPIPE) fprintf(stderr, "caelum: the result could not be written to standard output\n");
    return 4;
}

int main(int argc, char **argv) {
    char version[] = "version", help[] = "help", quiet[] = "-q";
    char *bare_version[] = {version, quiet, NULL};
    bool bare;
    descriptors_open();
    command_line_add(NULL, "caelum");
    for (int i = 1; i < argc; i++) command_line_add(NULL, argv[i]);
    choose_colors();
    if (argc < 2) {
        commands_overview(stderr);
        return 2;
    }
    char **words = argv + 1;
    int count = argc - 1;
    if (version_asked(words, &bare)) words = bare_version, count = bare ? 2 : 1;
    if (strcmp(words[0], "-h") == 0 || strcmp(words[0], "--help") == 0) words[0] = help;
    if (strcmp(words[0], "-V") == 0 || strcmp(words[0], "--version") == 0) words[0] = version;
    const struct command *command = command_find(words[0]);
    if (!command) return unknown_command(words[0]);
    const int status = finish(options_run(command, count - 1, words + 1));
    signals_raise();
    return status;
}
