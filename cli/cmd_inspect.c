/* cmd_inspect.c - caelum inspect: the layer table, the latent formula, the bottleneck. */
#include "cli.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* A safetensors file starts with eight bytes of size and the '{' of its header. */
static bool is_model(const char *path) {
    unsigned char head[9] = {0};
    struct stat st;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) return true; /* a run's best */
    FILE *f = stat(path, &st) == 0 && S_ISREG(st.st_mode) ? fopen(path, "rb") : NULL;
    if (!f) return false;
    const size_t n = fread(head, 1, sizeof head, f);
    fclose(f);
    return n == sizeof head && head[8] == '{';
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
    }
    printf("bottleneck   %s   every path must pass these numbers, after layer %zu, %s\n",
           grouped(info->bottleneck, text), info->bottleneck_layer + 1, row.text);
}

static void print_object(const char *path, const caelum_net *net, const struct caelum_net_info *info) {
    json_t *rows = json_array();
    for (size_t i = 0; i < info->layers; i++) {
        struct caelum_layer_info r;
        caelum_net_layer(net, i, &r);
        json_array_append_new(
            rows, json_pack("{s:s, s:[I, I, I], s:I, s:I, s:I, s:I, s:b}", "layer", r.text, "output",
                            (json_int_t)r.channels, (json_int_t)r.height, (json_int_t)r.width, "parameters",
                            (json_int_t)r.parameters, "macs", (json_int_t)r.macs, "receptive_field",
                            (json_int_t)r.receptive, "cut", (json_int_t)r.cut, "latent", r.latent));
    }
    print_json(json_pack("{s:s, s:[I, I, I], s:I, s:I, s:I, s:o, s:s, s:I, s:I, s:o}", "network", path,
                         "input", (json_int_t)info->channels, (json_int_t)info->height,
                         (json_int_t)info->width, "parameters", (json_int_t)info->parameters, "macs",
                         (json_int_t)info->macs, "train_macs", (json_int_t)info->train_macs, "latent",
                         info->has_latent ? json_integer((json_int_t)info->latent) : json_null(),
                         "latent_formula", info->formula, "bottleneck", (json_int_t)info->bottleneck,
                         "bottleneck_layer", (json_int_t)info->bottleneck_layer + 1, "layers", rows));
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

int command_inspect(int argc, char **argv) {
    size_t height = 32, width = 32;
    bool json = false;
    const struct option_row rows[] = {
        {0, "height", OPTION_SIZE, &height, "PIXELS", "height of the pictures that a network text is for",
         NULL},
        {0, "width", OPTION_SIZE, &width, "PIXELS", "width of the pictures that a network text is for", NULL},
        {0, "json", OPTION_FLAG, &json, NULL, "print the table as JSON", NULL},
        {0, NULL, OPTION_FLAG, NULL, NULL, NULL, NULL}};
    const int n = options_read(command_find("inspect"), rows, argc, argv);
    if (n < 0) return -n - 1;
    if (n != 1) return usage_error("inspect", "expected one NET or MODEL, got %d", n);
    struct caelum_error err;
    caelum_model *model = NULL;
    caelum_net *own = NULL;
    const int code = is_model(argv[1]) ? caelum_model_load(&model, argv[1], &err)
                                       : caelum_net_load(&own, argv[1], height, width, &err);
    if (code != 0) return report(&err);
    const caelum_net *net = model ? caelum_model_net(model) : own;
    struct caelum_net_info info;
    caelum_net_describe(net, &info);
    if (json) {
        print_object(argv[1], net, &info);
    } else {
        print_table(net, &info);
        print_summary(net, &info);
        if (model) print_origin(model);
    }
    caelum_net_close(&own);
    caelum_model_close(&model);
    return 0;
}
