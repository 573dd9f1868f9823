/* cmd_bench.c - caelum bench: one figure a line, as soon as it is measured. */
#include "base/json.h"
#include "base/number.h"
#include "cli.h"

#include <stdio.h>

struct bench {
    struct caelum_bench_settings s;
    const char *net, *batches;
    bool json;                  /* or print lines */
    json_t *figures;            /* as JSON */
    char (*shipped)[PATH_SIZE]; /* files of the networks that come with the program */
};

static int line(void *cookie, const char *name, double value, const char *unit) {
    struct bench *b = cookie;
    if (b->json) {
        json_t *figure =
            JSON({"name", json_bytes(name)}, {"value", json_number(value)}, {"unit", json_string(unit)});
        json_add(&b->figures, figure);
    } else {
        printf("%s %.*f %s\n", name, value < 100 ? 2 : value < 10000 ? 1 : 0, value, unit);
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

static const struct caelum_option rows[] = {
    OPTION(STRING, struct bench, 0, "filter", s.filter, "TEXT", "only figures whose name contains TEXT"),
    OPTION(STRING, struct bench, 0, "net", net, "FILE", "a network to measure, as if it were an argument"),
    OPTION(STRING, struct bench, 0, "batches", batches, "N,N...",
           "pictures in a batch, each 1 to 1000; training leaves out 1"),
    OPTION(SIZE, struct bench, 0, "rounds", s.rounds, "N",
           "each figure is the median of N measurements, 1 to 101"),
    OPTION(REAL, struct bench, 0, "seconds", s.seconds, "S", "length of one measurement, seconds, above 0"),
    OPTION(FLAG, struct bench, 0, "layers", s.layers, NULL,
           "measure each layer, forward and backward, in one thread"),
    OPTION(THREADS, struct bench, 't', "threads", s.threads, "N",
           "largest number of threads to measure, 1 to 4096"),
    OPTION(SIZE, struct bench, 0, "beside", s.beside, "N",
           "measure each network beside N busy processes, too, at most 64"),
    OPTION(FLAG, struct bench, 0, "json", json, NULL, "print the figures as JSON"),
    END_OF_OPTIONS};

static void defaults(void *values) {
    struct bench *b = values;
    b->s = caelum_bench_defaults();
    b->batches = "1,50,100,250";
}

static int run(void *values, int n, char **words, struct caelum_error *err) {
    struct bench *b = values;
    struct caelum_bench_settings *s = &b->s;
    size_t batches[MOST_BATCHES];
    s->batches = batches;
    s->batch_count = read_batches(b->batches, batches);
    if (s->batch_count == 0)
        return usage_error(
            "bench", "--batches: expected at most %d whole numbers, each 1 to %d, as in 1,50,250, got '%s'",
            MOST_BATCHES, LARGEST_BATCH, b->batches);
    /* --net itself has left its place free */
    if (b->net) words[n] = (char *)(uintptr_t)b->net;
    s->net_count = (size_t)n + (b->net ? 1 : 0);
    b->shipped = malloc((s->net_count + 1) * sizeof *b->shipped);
    if (!b->shipped) return caelum_fail(err, CAELUM_ERESOURCE, "out of memory");
    for (size_t i = 0; i < s->net_count; i++)
        words[i] = (char *)(uintptr_t)path_shipped(words[i], ".net", b->shipped[i]);
    s->nets = (const char *const *)words;
    signals_catch();
    if (b->json) b->figures = json_array();
    CHECK(caelum_bench(s, line, b, err));
    if (!b->json) return 0;
    json_t *object = JSON({"build", json_bytes(caelum_build_info())}, {"figures", b->figures});
    b->figures = NULL;
    print_json(object);
    return 0;
}

COMMAND(bench, "[NET...]", "measure the machine's limits and the throughput of networks",
        "caelum bench models/*.net --filter train.b50", .rows = rows, .size = sizeof(struct bench),
        .defaults = defaults, .run = run);
