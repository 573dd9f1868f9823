/* cmd_activations.c - caelum activations: what the layers of a model make of pictures, for NumPy. */
#include "cli.h"

#include "base/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct activations {
    const char *layer, *out, *data;
    int split, threads;
    size_t count;
    bool force;
    struct caelum_data_settings settings;
};

/* The pictures as the network takes them. */
struct batch {
    struct caelum_net_info net;
    bool color; /* a colorizer: it takes Y, or Y and no hints */
    size_t n, room;
    float *values; /* [n][channels][height][width] */
};

static size_t values_of(const struct batch *b) {
    return b->net.channels * b->net.height * b->net.width;
}

static int batch_open(struct batch *b, const caelum_model *model, size_t room, struct caelum_error *err) {
    const char *task = caelum_model_metadata(model, "task");
    *b = (struct batch){.color = task && strcmp(task, "colorize") == 0, .room = room};
    caelum_net_describe(caelum_model_net(model), &b->net);
    if (b->net.channels != 3 && !b->color)
        return caelum_fail(err, CAELUM_EFORMAT, "this network takes other pictures than red, green, blue");
    b->values = calloc(room * values_of(b), sizeof *b->values);
    return b->values ? 0 : caelum_fail(err, CAELUM_ERESOURCE, "out of memory for the pictures");
}

/* Takes the picture over: it is freed. */
static int add(struct batch *b, struct caelum_picture *p, const char *name, struct caelum_error *err) {
    const size_t plane = b->net.height * b->net.width;
    float *to = b->values + b->n * values_of(b);
    int code = 0;
    if (p->height != b->net.height || p->width != b->net.width)
        code = caelum_fail(err, CAELUM_EFORMAT, "%.300s: %zux%zu pixels, the network takes %zux%zu", name,
                           p->width, p->height, b->net.width, b->net.height);
    for (size_t i = 0; code == 0 && i < plane; i++) {
        const uint8_t *rgb = p->pixels + 3 * i;
        if (b->color)
            to[i] = (float)((0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]) / 255);
        else
            for (size_t c = 0; c < 3; c++) to[c * plane + i] = (float)(rgb[c] / 255.0);
    }
    b->n += code == 0;
    caelum_picture_free(p);
    return code;
}

static int add_files(struct batch *b, const struct inputs *inputs, struct caelum_error *err) {
    int code = 0;
    for (size_t i = 0; code == 0 && i < inputs->count; i++) {
        struct caelum_picture p = {0};
        code = input_load(&inputs->list[i], &p, err);
        if (code == 0) code = add(b, &p, inputs->list[i].path, err);
    }
    return code;
}

static int add_data(struct batch *b, const caelum_data *data, enum caelum_split split,
                    struct caelum_error *err) {
    int code = 0;
    for (size_t i = 0; code == 0 && i < b->room; i++) {
        struct caelum_picture p = {0};
        code = caelum_data_picture(data, split, i, &p, err);
        if (code == 0) code = add(b, &p, "the data's pictures", err);
    }
    return code;
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

/* Runs the batch up to layer `number` into an array of its own: "layer05_conv" [n][c][h][w]. */
static int run_to(const struct activations *a, const caelum_model *model, const struct batch *b,
                  size_t number, struct caelum_tensor *array, struct caelum_error *err) {
    struct caelum_layer_info row;
    caelum_net_layer(caelum_model_net(model), number - 1, &row);
    *array = (struct caelum_tensor){.dims = 4, .dim = {b->n, row.channels, row.height, row.width}};
    snprintf(array->name, sizeof array->name, "layer%02zu_%.*s", number, (int)strcspn(row.text, " "),
             row.text);
    float *out = calloc(b->n * row.channels * row.height * row.width, sizeof *out);
    array->data = out;
    if (!out) return caelum_fail(err, CAELUM_ERESOURCE, "out of memory for %s", array->name);
    const struct caelum_engine_settings settings = {.layer = number, .threads = a->threads};
    caelum_engine *engine = NULL;
    int code = caelum_engine_open(&engine, model, &settings, err);
    if (code == 0) code = caelum_engine_run(engine, b->values, b->n, out, err);
    caelum_engine_close(&engine);
    return code;
}

static int save(const struct activations *a, const caelum_model *model, const struct batch *b,
                struct caelum_error *err) {
    size_t first, last, count = 1;
    int code = choose(a->layer, caelum_model_net(model), &b->net, &first, &last, err);
    if (code != 0) return code;
    struct caelum_tensor *arrays = calloc(last - first + 2, sizeof *arrays);
    if (!arrays) return caelum_fail(err, CAELUM_ERESOURCE, "out of memory");
    arrays[0] = (struct caelum_tensor){.name = "input",
                                       .dims = 4,
                                       .dim = {b->n, b->net.channels, b->net.height, b->net.width},
                                       .data = b->values};
    for (size_t number = first; code == 0 && number <= last; number++)
        code = run_to(a, model, b, number, &arrays[count++], err);
    if (code == 0) code = caelum_arrays_save(a->out, arrays, count, err);
    for (size_t i = 0; code == 0 && i < count; i++)
        printf("%-24s %zu x %zu x %zu x %zu\n", arrays[i].name, arrays[i].dim[0], arrays[i].dim[1],
               arrays[i].dim[2], arrays[i].dim[3]);
    for (size_t i = 1; i < count; i++) free((void *)(uintptr_t)arrays[i].data);
    free(arrays);
    return code;
}

/* Fills the batch with the pictures named, or the data's. */
static int gather(const struct activations *a, const caelum_model *model, char **words, int n,
                  struct batch *b, struct caelum_error *err) {
    struct inputs inputs = {0};
    caelum_data *data = NULL;
    const enum caelum_split split = (enum caelum_split)a->split;
    int code = n > 0 ? inputs_open(&inputs, words, n, NULL, err)
                     : caelum_data_open(&data, a->data, &a->settings, err);
    if (code == 0) {
        const size_t there = n > 0 ? inputs.count : caelum_data_count(data, split);
        code = batch_open(b, model, n == 0 && a->count < there ? a->count : there, err);
    }
    if (code == 0) code = n > 0 ? add_files(b, &inputs, err) : add_data(b, data, split, err);
    caelum_data_close(&data);
    inputs_close(&inputs);
    return code;
}

static const struct caelum_option rows[] = {
    OPTION(STRING, struct activations, 'o', "out", out, "FILE", "file to write, .npz"),
    OPTION(STRING, struct activations, 0, "layer", layer, "N",
           "row of the table that 'caelum inspect' shows, latent or all"),
    OPTION(STRING, struct activations, 'd', "data", data, "SPEC",
           "data to use if no pictures are named, as for train"),
    CHOICE(struct activations, "split", split, eval_splits, "which part of the data"),
    OPTION(SIZE, struct activations, 0, "count", count, "N", "pictures of the data, the first of the split"),
    OPTION(FLAG, struct activations, 0, "force", force, NULL, "overwrite an existing file"),
    OPTION(THREADS, struct activations, 't', "threads", threads, "N", "threads; no influence on the result"),
    END_OF_OPTIONS};

static void defaults(void *values) {
    struct activations *a = values;
    *a = (struct activations){
        .layer = "latent", .split = CAELUM_TEST, .count = 100, .settings = caelum_data_defaults()};
    a->settings.progress = progress_stage;
    a->settings.opened = data_opened;
}

static int run(void *values, int n, char **words) {
    const struct activations *a = values;
    if (n < 1 || !a->out || (n > 1) == (a->data != NULL) || a->count == 0)
        return usage_error("activations", "expected MODEL, pictures or --data SPEC, and -o FILE");
    const size_t length = strlen(a->out);
    if (length < 5 || strcmp(a->out + length - 4, ".npz") != 0)
        return usage_error("activations", "%s: expected a name that ends in .npz", a->out);
    struct caelum_error err;
    struct batch batch = {0};
    caelum_model *model = NULL;
    char path[PATH_SIZE];
    int code = path_free(a->out, a->force, &err);
    if (code == 0) code = caelum_model_load(&model, path_shipped(words[0], ".safetensors", path), &err);
    if (code == 0) code = gather(a, model, words + 1, n - 1, &batch, &err);
    if (code == 0) code = save(a, model, &batch, &err);
    progress_clear();
    free(batch.values);
    caelum_model_close(&model);
    return code != 0 ? report(&err) : 0;
}

const struct command command_activations = {
    .name = "activations",
    .arguments = "MODEL [PICTURE...]",
    .summary = "write the outputs of a model's layers, as NumPy arrays",
    .example = "caelum activations models/standard.safetensors --data synthetic -o code.npz",
    .rows = rows,
    .display = true,
    .size = sizeof(struct activations),
    .defaults = defaults,
    .run = run};
