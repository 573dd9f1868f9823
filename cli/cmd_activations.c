/* cmd_activations.c - caelum activations: what the layers of a model make of pictures, for NumPy. */
#include "cli.h"

#include "base/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct activations {
    const char *layer, *out, *data_spec;
    int split, threads;
    size_t count;
    bool force;
    struct caelum_data_settings settings;
    caelum_model *model;
    caelum_data *data;
    struct inputs inputs;
    struct caelum_net_info net;
    bool grey;     /* it takes Y: of grey pictures, or a colorizer's, without hints */
    size_t n;      /* pictures, as the network takes them: */
    float *values; /* [n][channels][height][width] */
    size_t arrays; /* the input and the outputs of the layers that are wanted */
    struct caelum_tensor *array;
};

/* Puts a picture into place i, and frees it. */
static int put(struct activations *a, size_t i, struct caelum_picture *p, const char *name,
               struct caelum_error *err) {
    const size_t plane = a->net.height * a->net.width;
    float *to = a->values + i * a->net.channels * plane;
    int code = 0;
    if (p->height != a->net.height || p->width != a->net.width)
        code = caelum_fail(err, CAELUM_EFORMAT, "%.300s: %zux%zu pixels, the network takes %zux%zu", name,
                           p->width, p->height, a->net.width, a->net.height);
    for (size_t k = 0; code == 0 && k < plane; k++) {
        const uint8_t *rgb = p->pixels + 3 * k;
        if (a->grey)
            to[k] = (float)((0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]) / 255);
        else
            for (size_t c = 0; c < 3; c++) to[c * plane + k] = (float)(rgb[c] / 255.0);
    }
    caelum_picture_free(p);
    return code;
}

/* Takes the pictures named, or the data's. */
static int gather(struct activations *a, char **words, int n, struct caelum_error *err) {
    const enum caelum_split split = (enum caelum_split)a->split;
    const char *task = caelum_model_metadata(a->model, "task");
    if (n > 0)
        CHECK(inputs_open(&a->inputs, words, n, NULL, err));
    else
        CHECK(caelum_data_open(&a->data, a->data_spec, &a->settings, err));
    a->n = n > 0 ? a->inputs.count : caelum_data_count(a->data, split);
    if (n == 0 && a->count < a->n) a->n = a->count;
    a->grey = a->net.channels == 1 || (task && strcmp(task, "colorize") == 0);
    if (a->net.channels != 3 && !a->grey)
        return caelum_fail(err, CAELUM_EFORMAT, "this network takes other pictures than red, green, blue");
    a->values = calloc(a->n * a->net.channels * a->net.height * a->net.width, sizeof *a->values);
    if (!a->values) return caelum_fail(err, CAELUM_ERESOURCE, "out of memory for the pictures");
    for (size_t i = 0; i < a->n; i++) {
        struct caelum_picture p = {0};
        CHECK(n > 0 ? input_load(&a->inputs.list[i], &p, err)
                    : caelum_data_picture(a->data, split, i, &p, err));
        CHECK(put(a, i, &p, n > 0 ? a->inputs.list[i].path : "the data's pictures", err));
    }
    return 0;
}

/* The first and the last of the layers that are wanted; 0 is the input. */
static int choose(const char *word, const caelum_net *net, const struct caelum_net_info *info, size_t *first,
                  size_t *last, struct caelum_error *err) {
    uint64_t number;
    *first = 1, *last = info->layers;
    if (strcmp(word, "all") == 0) return 0;
    if (strcmp(word, "latent") == 0) {
        for (size_t i = 0; i < info->layers; i++) {
            struct caelum_layer_info row;
            caelum_net_layer(net, i, &row);
            if (row.latent) *first = *last = i + 1;
        }
        if (info->has_latent) return 0;
        return caelum_fail(err, CAELUM_EUSAGE,
                           "this network marks no layer as latent; say --layer N, or all");
    }
    if (number_whole(word, 1, info->layers, &number)) {
        *first = *last = (size_t)number;
        return 0;
    }
    return caelum_fail(
        err, CAELUM_EUSAGE,
        "--layer %.40s: expected a row of the table that 'caelum inspect' shows, latent or all", word);
}

/* Runs the pictures up to layer `number` into an array of its own: "layer05_conv" [n][c][h][w]. */
static int run_to(struct activations *a, size_t number, struct caelum_error *err) {
    const struct caelum_engine_settings settings = {.layer = number, .threads = a->threads};
    struct caelum_tensor *array = &a->array[a->arrays];
    struct caelum_layer_info row;
    caelum_engine *engine = NULL;
    caelum_net_layer(caelum_model_net(a->model), number - 1, &row);
    *array = (struct caelum_tensor){.dims = 4, .dim = {a->n, row.channels, row.height, row.width}};
    snprintf(array->name, sizeof array->name, "layer%02zu_%.*s", number, (int)strcspn(row.text, " "),
             row.text);
    float *out = calloc(a->n * row.channels * row.height * row.width, sizeof *out);
    if (!out) return caelum_fail(err, CAELUM_ERESOURCE, "out of memory for %s", array->name);
    array->data = out;
    a->arrays++;
    CHECK(caelum_engine_open(&engine, a->model, &settings, err));
    const int code = caelum_engine_run(engine, a->values, a->n, out, err);
    caelum_engine_close(&engine);
    return code;
}

static int save(struct activations *a, struct caelum_error *err) {
    size_t first, last;
    CHECK(choose(a->layer, caelum_model_net(a->model), &a->net, &first, &last, err));
    a->array = calloc(last - first + 2, sizeof *a->array);
    if (!a->array) return caelum_fail(err, CAELUM_ERESOURCE, "out of memory");
    a->array[a->arrays++] =
        (struct caelum_tensor){.name = "input",
                               .dims = 4,
                               .dim = {a->n, a->net.channels, a->net.height, a->net.width},
                               .data = a->values};
    for (size_t number = first; number <= last; number++) CHECK(run_to(a, number, err));
    CHECK(caelum_arrays_save(a->out, a->array, a->arrays, err));
    for (const struct caelum_tensor *t = a->array; t < a->array + a->arrays; t++)
        printf("%-24s %zu x %zu x %zu x %zu\n", t->name, t->dim[0], t->dim[1], t->dim[2], t->dim[3]);
    return 0;
}

static const struct caelum_option rows[] = {
    OPTION(STRING, struct activations, 'o', "out", out, "FILE", "file to write, .npz"),
    OPTION(STRING, struct activations, 0, "layer", layer, "N",
           "row of the table that 'caelum inspect' shows, latent or all"),
    OPTION(STRING, struct activations, 'd', "data", data_spec, "SPEC",
           "data to use if no pictures are named, as for train"),
    CHOICE(struct activations, "split", split, eval_splits, "which part of the data"),
    OPTION(SIZE, struct activations, 0, "count", count, "N", "pictures of the data, the first of the split"),
    OPTION(FLAG, struct activations, 0, "force", force, NULL, "overwrite an existing file"),
    OPTION(THREADS, struct activations, 't', "threads", threads, "N", THREADS_HELP),
    END_OF_OPTIONS};

static void defaults(void *values) {
    struct activations *a = values;
    *a = (struct activations){
        .layer = "latent", .split = CAELUM_TEST, .count = 100, .settings = caelum_data_defaults()};
    a->settings.progress = progress_stage;
    a->settings.opened = data_opened;
}

static int run(void *values, int n, char **words, struct caelum_error *err) {
    struct activations *a = values;
    if (n < 1 || !a->out || (n > 1) == (a->data_spec != NULL) || a->count == 0)
        return usage_error("activations", "expected MODEL, pictures or --data SPEC, and -o FILE");
    const size_t length = strlen(a->out);
    if (length < 5 || strcmp(a->out + length - 4, ".npz") != 0)
        return usage_error("activations", "%s: expected a name that ends in .npz", a->out);
    CHECK(path_free(a->out, a->force, err));
    CHECK(model_open(&a->model, words[0], NULL, err));
    caelum_net_describe(caelum_model_net(a->model), &a->net);
    CHECK(gather(a, words + 1, n - 1, err));
    progress_clear();
    return save(a, err);
}

COMMAND(activations, "MODEL [PICTURE...]", "write the outputs of a model's layers, as NumPy arrays",
        "caelum activations models/standard.safetensors --data synthetic -o code.npz", .rows = rows,
        .display = true, .size = sizeof(struct activations), .defaults = defaults, .run = run);
