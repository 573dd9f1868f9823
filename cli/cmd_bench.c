/* cmd_bench.c - caelum bench: one figure a line, as soon as it is measured. */
#include "base/json.h"
#include "base/number.h"
#include "cli.h"

#include <stdio.h>

struct output {
    bool json; /* or print lines */
    json_t *figures;
};

static int line(void *cookie, const char *name, double value, const char *unit) {
    struct output *out = cookie;
    const int decimals = value < 100 ? 2 : value < 10000 ? 1 : 0;
    if (out->json) {
        json_t *figure = json_object();
        json_put(&figure, "name", json_bytes(name));
        json_put(&figure, "value", json_number(value));
        json_put(&figure, "unit", json_string(unit));
        json_add(&out->figures, figure);
    } else {
        printf("%s %.*f %s\n", name, decimals, value, unit);
    }
    fflush(stdout);
    return signals_caught() != 0;
}

enum { MOST_BATCHES = 32, LARGEST_BATCH = 1000 };

/* Fills batches from "1,50,250". Returns their number, 0 where the text is anything else. */
static size_t read_batches(const char *text, size_t batches[MOST_BATCHES]) {
    for (size_t n = 0; n < MOST_BATCHES; text++) {
        uint64_t batch;
        if (!number_whole_at(text, &text, 1, LARGEST_BATCH, &batch)) return 0;
        batches[n++] = (size_t)batch;
        if (!*text) return n;
        if (*text != ',') return 0;
    }
    return 0;
}

int command_bench(int argc, char **argv) {
    struct caelum_bench_settings s = caelum_bench_defaults();
    const char *net = NULL, *batches_text = "1,50,100,250";
    size_t batches[MOST_BATCHES];
    bool json = false;
    const struct option_row rows[] = {
        {0, "filter", OPTION_STRING, &s.filter, "TEXT", "only figures whose name contains TEXT", NULL},
        {0, "net", OPTION_STRING, &net, "FILE", "a network to measure, as if it were an argument", NULL},
        {0, "batches", OPTION_STRING, &batches_text, "N,N...",
         "pictures in a batch, each 1 to 1000; training leaves out 1", NULL},
        {0, "rounds", OPTION_SIZE, &s.rounds, "N", "each figure is the median of N measurements, 1 to 101",
         NULL},
        {0, "seconds", OPTION_REAL, &s.seconds, "S", "length of one measurement, seconds, above 0", NULL},
        {0, "layers", OPTION_FLAG, &s.layers, NULL, "measure each layer, forward and backward, in one thread",
         NULL},
        {'t', "threads", OPTION_THREADS, &s.threads, "N", "largest number of threads to measure, 1 to 4096",
         NULL},
        {0, "json", OPTION_FLAG, &json, NULL, "print the figures as JSON", NULL},
        {0, NULL, OPTION_FLAG, NULL, NULL, NULL, NULL}};
    const int n = options_read(command_find("bench"), rows, argc, argv);
    if (n < 0) return -n - 1;
    s.batches = batches;
    s.batch_count = read_batches(batches_text, batches);
    if (s.batch_count == 0)
        return usage_error(
            "bench", "--batches: expected at most %d whole numbers, each 1 to %d, as in 1,50,250, got '%s'",
            MOST_BATCHES, LARGEST_BATCH, batches_text);
    /* --net itself has left its place in argv free */
    if (net) argv[n + 1] = (char *)net;
    s.net_count = (size_t)n + (net ? 1 : 0);
    struct caelum_error err = {CAELUM_ERESOURCE, "out of memory"};
    char(*shipped)[PATH_SIZE] = malloc((s.net_count + 1) * sizeof *shipped);
    if (!shipped) return report(&err);
    for (size_t i = 0; i < s.net_count; i++)
        argv[i + 1] = (char *)(uintptr_t)path_shipped(argv[i + 1], ".net", shipped[i]);
    s.nets = (const char *const *)argv + 1;
    signals_catch();
    struct output out = {.json = json, .figures = json ? json_array() : NULL};
    const int code = caelum_bench(&s, line, &out, &err);
    free(shipped);
    if (code != 0) {
        json_decref(out.figures);
        return report(&err);
    }
    if (json) {
        json_t *object = json_object();
        json_put(&object, "build", json_bytes(caelum_build_info()));
        json_put(&object, "figures", out.figures);
        print_json(object);
    }
    return 0;
}
