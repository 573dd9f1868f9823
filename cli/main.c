/* main.c - the table of commands, and what is the same for all of them. */
#include "cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct command commands[] = {
    {"train", "NET", "train a network on pictures; makes a run directory",
     "caelum train models/standard.net --data synthetic --epochs 10 --out runs/first", command_train},
    {"eval", "MODEL", "measure a model, beside the best linear codes of its size",
     "caelum eval runs/first/best.safetensors --data synthetic", command_eval},
    {"study", "[FILE [RUN...]]", "run the trainings of a study file, as many as are missing",
     "caelum study studies/assignment.study --data synthetic --quick", command_study},
    {"compare", "RUN...", "put runs side by side: settings that differ, figures, curves",
     "caelum compare runs/first runs/second -o compare.html", command_compare},
    {"colorize", "PICTURE...", "color grey pictures of any size", "caelum colorize old.jpg",
     command_colorize},
    {"reconstruct", "MODEL PICTURE...", "run pictures of any size through a model",
     "caelum reconstruct runs/first/best.safetensors photo.jpg -o out", command_reconstruct},
    {"encode", "PICTURE...", "pictures of any size to one small file of codes",
     "caelum encode photo.jpg -o photo.clmc", command_encode},
    {"decode", "FILE", "such a file's pictures", "caelum decode photo.clmc -o out", command_decode},
    {"export", "MODEL", "write a model as another program's file, or in half precision",
     "caelum export models/standard.safetensors -o standard.onnx", command_export},
    {"import", "FILE", "make a model of another program's file",
     "caelum import standard.onnx -o standard.safetensors", command_import},
    {"activations", "MODEL [PICTURE...]", "what a model's layers make of pictures, as NumPy arrays",
     "caelum activations models/standard.safetensors --data synthetic -o code.npz", command_activations},
    {"inspect", "NET|MODEL", "show layers, shapes, parameters, latent size and bottleneck",
     "caelum inspect models/standard.net", command_inspect},
    {"data", "info|cache|export SPEC",
     "describe a data set, prepare it for quick starts, or write its pictures",
     "caelum data info synthetic:1000", command_data},
    {"bench", "[NET...]", "measure the machine's limits and the throughput of networks",
     "caelum bench models/*.net --filter train.b50", command_bench},
    {"version", "", "version, build and instruction set in use", "caelum version", command_version},
    {"help", "[COMMAND]", "explain a command", "caelum help train", command_help_on},
    {NULL, NULL, NULL, NULL, NULL},
};

char command_line[4096];

const struct command *command_find(const char *name) {
    for (const struct command *c = commands; c->name; c++)
        if (strcmp(c->name, name) == 0) return c;
    return NULL;
}

int report(const struct caelum_error *err) {
    progress_clear();
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    const bool color = isatty(2) && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
    fprintf(stderr, "%scaelum:%s %s\n", color ? "\033[1;31m" : "", color ? "\033[0m" : "", err->text);
    return -err->code;
}

void warn(const char *format, ...) {
    va_list args;
    progress_clear();
    fprintf(stderr, "caelum: warning: ");
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

void data_opened(void *cookie, const caelum_data *data) {
    enum { NAMED = 20 };
    const char *path, *reason;
    const size_t n = caelum_data_skipped(data, 0, &path, &reason);
    (void)cookie;
    if (n == 0 || display.quiet) return;
    warn("%zu %s skipped:", n, n == 1 ? "file was" : "files were");
    for (size_t i = 0; i < n && i < NAMED; i++) {
        caelum_data_skipped(data, i, &path, &reason);
        fprintf(stderr, "  %s: %s\n", path, reason);
    }
    if (n > NAMED) fprintf(stderr, "  and %zu more\n", n - NAMED);
}

void print_json(json_t *object) {
    json_dumpf(object, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    putchar('\n');
    json_decref(object);
}

const char *grouped(size_t n, char text[32]) {
    char digits[24];
    const int length = snprintf(digits, sizeof digits, "%zu", n);
    char *to = text;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) *to++ = ',';
        *to++ = digits[i];
    }
    *to = '\0';
    return text;
}

static void overview(FILE *to) {
    fprintf(to,
            "caelum " CAELUM_VERSION " - trains, measures and runs convolutional autoencoders on pictures\n\n"
            "usage: caelum COMMAND [OPTIONS]\n\n");
    for (const struct command *c = commands; c->name; c++) fprintf(to, "  %-12s %s\n", c->name, c->summary);
    fprintf(
        to,
        "\nexamples:\n  %s\n  %s\n\n'caelum help COMMAND' lists a command's options with their defaults.\n",
        commands[0].example, commands[1].example);
}

int command_version(int argc, char **argv) {
    static const struct option_row rows[] = {{0, NULL, OPTION_FLAG, NULL, NULL, NULL, NULL}};
    const int n = options_read(command_find("version"), rows, argc, argv);
    if (n < 0) return -n - 1;
    struct caelum_error err;
    const char *cpu;
    if (caelum_cpu(&cpu, &err) != 0) return report(&err);
    printf("caelum %s\n%s\nkernels in use: %s, threads: %d\n", caelum_version(), caelum_build_info(), cpu,
           caelum_default_threads());
    return 0;
}

int command_help_on(int argc, char **argv) {
    if (argc < 2) {
        overview(stdout);
        return 0;
    }
    const struct command *c = command_find(argv[1]);
    if (!c) return usage_error(NULL, "there is no command '%s'", argv[1]);
    char *help[] = {argv[1], (char *)(uintptr_t) "--help", NULL};
    return c->run(2, help);
}

static int unknown_command(const char *word) {
    const char *names[32];
    size_t n = 0;
    for (const struct command *c = commands; c->name; c++) names[n++] = c->name;
    names[n] = NULL;
    const char *guess = nearest(word, names);
    if (guess) return usage_error(NULL, "there is no command '%s'; did you mean '%s'?", word, guess);
    return usage_error(NULL, "there is no command '%s'", word);
}

static void remember(int argc, char **argv) {
    size_t used = 0;
    for (int i = 0; i < argc && used < sizeof command_line; i++) {
        const bool plain = argv[i][0] && !strpbrk(argv[i], " \t\"'$&|;()<>*?\\");
        used += (size_t)snprintf(command_line + used, sizeof command_line - used, plain ? "%s%s" : "%s'%s'",
                                 i ? " " : "", i ? argv[i] : "caelum");
    }
}

int main(int argc, char **argv) {
    remember(argc, argv);
    if (argc < 2) {
        overview(stderr);
        return 2;
    }
    const char *word = argv[1];
    if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0) word = "help";
    if (strcmp(word, "-V") == 0 || strcmp(word, "--version") == 0) word = "version";
    const struct command *command = command_find(word);
    if (!command) return unknown_command(word);
    int status = command->run(argc - 1, argv + 1);
    if ((fflush(stdout) != 0 || ferror(stdout)) && status == 0) {
        fprintf(stderr, "caelum: the result could not be written to standard output\n");
        status = 4;
    }
    signals_raise();
    return status;
}
