/* cmd_inspect.c - caelum inspect: the layer table, the latent formula, the bottleneck. */
#include "cli.h"

#include "base/json.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* A safetensors file starts with eight bytes of size and the '{' of its header. */
static bool is_model(const char *path) {
    struct stat st;
    struct file_map map;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) return true; /* a run's best */
    if (file_map_open(&map, path, NULL) != 0) return false;
    const bool begins = map.size > 8 && map.bytes[8] == '{';
    file_map_close(&map);
    return begins;
}

static void print_table(const caelum_net *net, const struct caelum_net_info *info) {
    char params[32], macs[32], shape[48];
    printf(" #  %-28s %-14s %12s %14s %10s %8s\n", "layer", "output", "parameters", "multiply-adds", "sees",
           "numbers");
    snprintf(shape, sizeof shape, "%zu x %zu x %zu", info->channels, info->height, info->width);
    printf("    %-28s %-14s %12s %14s %10s %8s\n", "input", shape, "", "", "",
           grouped(info->channels * info->height * info->width, params));
    for (size_t i = 0; i < info->layers; i++) {
        struct caelum_layer_info row;
        char sees[32], numbers[32];
        caelum_net_layer(net, i, &row);
        snprintf(shape, sizeof shape, "%zu x %zu x %zu", row.channels, row.height, row.width);
        snprintf(sees, sizeof sees, "%zu x %zu", row.receptive, row.receptive);
        printf("%2zu  %-28s %-14s %12s %14s %10s %8s%s%s\n", i + 1, row.text, shape,
               grouped(row.parameters, params), grouped(row.macs, macs), sees, grouped(row.cut, numbers),
               row.latent ? "  latent" : "", i == info->bottleneck_layer ? "  bottleneck" : "");
    }
    printf("    %-28s %-14s %12s %14s\n\n", "total", "", grouped(info->parameters, params),
           grouped(info->macs, macs));
}

/* What a network can learn, by the shapes of its ends; NULL if nothing. */
static const char *task_of(const caelum_net *net, const struct caelum_net_info *info) {
    const enum caelum_task task = caelum_net_task(net);
    struct caelum_layer_info last;
    caelum_net_layer(net, info->layers - 1, &last);
    const bool same = last.height == info->height && last.width == info->width;
    const bool pictures = info->channels == 3 || info->channels == 1; /* 1: grey */
    const bool fits = task == CAELUM_COLORIZE || task == CAELUM_DENOISE ? same
                      : task == CAELUM_CLASSIFY                         ? pictures && last.channels > 1
                                                : same && pictures && last.channels == info->channels;
    if (same && info->channels == 3 && last.channels == 1) return caelum_task_words[CAELUM_DETECT];
    return fits ? caelum_task_words[task] : NULL;
}

/* Training would say so, too, but only when it has read the data. */
static void warn_of_shapes(const caelum_net *net, const struct caelum_net_info *info) {
    struct caelum_layer_info last;
    caelum_net_layer(net, info->layers - 1, &last);
    warn("it turns %zu x %zu x %zu into %zu x %zu x %zu: of pictures of this size it can learn nothing; "
         "expected 3 channels, or 1 for grey pictures, and the same at the end to reconstruct, 1 or 4 and 2 "
         "x %zu x %zu to colorize, 4 and 3 or 2 and 1 to denoise, 3 and 1 to detect, 3 or 1 and K x 1 x 1 to "
         "classify",
         info->channels, info->height, info->width, last.channels, last.height, last.width, info->height,
         info->width);
}

static void print_summary(const caelum_net *net, const struct caelum_net_info *info) {
    char text[32];
    struct caelum_layer_info row;
    caelum_net_layer(net, info->bottleneck_layer, &row);
    printf("parameters   %s\n", grouped(info->parameters, text));
    printf("work         %.6f MFLOP a picture to run, %.6f MFLOP to train\n", 2e-6 * (double)info->macs,
           2e-6 * (double)info->train_macs);
    if (info->has_latent) {
        printf("latent size  %s", grouped(info->latent, text));
        printf("%s%s\n", *info->formula ? "   ((W - K + 2P)/S + 1)^2 * C = " : "", info->formula);
    } else {
        printf("latent size  none: no line `latent` marks the code\n");
    }
    printf("bottleneck   %s   every path must pass these numbers, after layer %zu, %s\n",
           grouped(info->bottleneck, text), info->bottleneck_layer + 1, row.text);
}

static json_t *layer_object(const struct caelum_layer_info *r) {
    return JSON({"layer", json_string(r->text)}, {"output", json_sizes(r->channels, r->height, r->width)},
                {"parameters", json_size(r->parameters)}, {"macs", json_size(r->macs)},
                {"receptive_field", json_size(r->receptive)}, {"cut", json_size(r->cut)},
                {"latent", json_boolean(r->latent)});
}

static void print_object(const char *path, const caelum_net *net, const struct caelum_net_info *info) {
    json_t *rows = json_array();
    const char *task = task_of(net, info);
    for (size_t i = 0; i < info->layers; i++) {
        struct caelum_layer_info r;
        caelum_net_layer(net, i, &r);
        json_add(&rows, layer_object(&r));
    }
    print_json(
        JSON({"network", json_bytes(path)}, {"input", json_sizes(info->channels, info->height, info->width)},
             {"task", task ? json_string(task) : json_null()}, {"parameters", json_size(info->parameters)},
             {"macs", json_size(info->macs)}, {"train_macs", json_size(info->train_macs)},
             {"latent", info->has_latent ? json_size(info->latent) : json_null()},
             {"latent_formula", json_string(info->formula)}, {"bottleneck", json_size(info->bottleneck)},
             {"bottleneck_layer", json_size(info->bottleneck_layer + 1)}, {"layers", rows}));
}

static void print_origin(const caelum_model *model) {
    static const char *const keys[] = {"command", "data",     "split",     "epoch",
                                       "caelum",  "val_loss", "vivid_gain"};
    const char *key;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *value = caelum_model_metadata(model, keys[i]);
        if (value) printf("%-12s %s\n", keys[i], value);
    }
    /* figures that eval --record has left: of a split, or of one under some condition */
    for (size_t i = 0; (key = caelum_model_metadata_key(model, i)) != NULL; i++)
        for (const char *const *split = eval_splits; *split; split++)
            if (strncmp(key, *split, strlen(*split)) == 0 &&
                (key[strlen(*split)] == '\0' || key[strlen(*split)] == '_'))
                printf("%-12s %s\n", key, caelum_model_metadata(model, key));
}

struct inspect {
    size_t height, width;
    bool json;
    caelum_model *model;
    caelum_net *net; /* where it is no model's */
};

static const struct caelum_option rows[] = {
    OPTION(SIZE, struct inspect, 0, "height", height, "PIXELS",
           "height of the pictures that a network text is for"),
    OPTION(SIZE, struct inspect, 0, "width", width, "PIXELS",
           "width of the pictures that a network text is for"),
    OPTION(FLAG, struct inspect, 0, "json", json, NULL, "print the table as JSON"), END_OF_OPTIONS};

static void defaults(void *values) {
    struct inspect *in = values;
    in->height = in->width = 32;
}

static int run(void *values, int n, char **words, struct caelum_error *err) {
    struct inspect *in = values;
    char shipped[PATH_SIZE];
    struct caelum_net_info info;
    if (n != 1) return usage_error("inspect", "expected one NET or MODEL, got %d", n);
    const char *path = path_shipped(words[0], ".net", shipped);
    CHECK(is_model(path) ? caelum_model_load(&in->model, path, err)
                         : caelum_net_load(&in->net, path, in->height, in->width, err));
    const caelum_net *net = in->model ? caelum_model_net(in->model) : in->net;
    caelum_net_describe(net, &info);
    if (in->json) {
        print_object(path, net, &info);
    } else {
        print_table(net, &info);
        print_summary(net, &info);
        if (in->model) print_origin(in->model);
    }
    if (!task_of(net, &info)) warn_of_shapes(net, &info);
    return 0;
}

COMMAND(inspect, "NET|MODEL", "show layers, shapes, parameters, latent size and bottleneck",
        "caelum inspect models/standard.net", .rows = rows, .size = sizeof(struct inspect),
        .defaults = defaults, .run = run);
