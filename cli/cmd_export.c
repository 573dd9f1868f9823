/* cmd_export.c - caelum export and import: models as other programs' files, and back. */
#include "cli.h"

#include <stdio.h>

/* Opening a codec checks it. */
static int set_price(caelum_model *model, const char *price, struct caelum_error *err) {
    caelum_codec *codec = NULL;
    CHECK(caelum_model_set_metadata(model, "price", price, err));
    CHECK(caelum_codec_open(&codec, model, 0, err));
    caelum_codec_close(&codec);
    return 0;
}

struct export {
    const char *out, *onnx, *price;
    bool half, force;
    caelum_model *model;
};

static const struct caelum_option export_rows[] = {
    OPTION(STRING, struct export, 'o', "out", out, "FILE",
           "file to write; its ending is the format: .safetensors, .onnx, .npz"),
    OPTION(STRING, struct export, 0, "onnx", onnx, "FILE", "write ONNX to this file, whatever its name"),
    OPTION(FLAG, struct export, 0, "half", half, NULL,
           "round the weights to half precision: half the bytes, 3 digits kept"),
    OPTION(STRING, struct export, 0, "price", price, "P",
           "default for encode --price, 0 to 1, for a model that makes codes"),
    OPTION(FLAG, struct export, 0, "force", force, NULL, "overwrite an existing file"),
    END_OF_OPTIONS};

static int run_export(void *values, int n, char **words, struct caelum_error *err) {
    struct export *e = values;
    const char *out = e->onnx ? e->onnx : e->out;
    if (n != 1 || !e->out == !e->onnx)
        return usage_error("export", "expected one MODEL and either -o FILE or --onnx FILE");
    CHECK(path_free(out, e->force, err));
    CHECK(model_open(&e->model, words[0], NULL, err));
    if (e->half) CHECK(caelum_model_round_half(e->model, err));
    if (e->price) CHECK(set_price(e->model, e->price, err));
    CHECK(e->onnx ? caelum_model_export_as(e->model, ".onnx", out, err)
                  : caelum_model_export(e->model, out, err));
    printf("%s\n", out);
    return 0;
}

COMMAND(export, "MODEL", "convert a model to another program's file, or to half precision",
        "caelum export models/standard.safetensors -o standard.onnx", .group = "files, data and speed",
        .rows = export_rows, .size = sizeof(struct export), .run = run_export);

struct import {
    const char *out;
    bool force;
    caelum_model *model;
    struct caelum_import_settings settings;
};

static const struct caelum_option import_rows[] = {
    OPTION(STRING, struct import, 'o', "out", out, "FILE", "model to write, .safetensors"),
    OPTION(STRING, struct import, 0, "net", settings.net_path, "NET",
           "the network's text, for a file that holds weights alone"),
    OPTION(STRING, struct import, 0, "order", settings.order, "NAME,NAME,...",
           "order of the file's names, or their beginnings, in the network"),
    OPTION(SIZE, struct import, 0, "height", settings.height, "N",
           "height of the pictures in pixels, if the file leaves it open"),
    OPTION(SIZE, struct import, 0, "width", settings.width, "N", "likewise"),
    OPTION(FLAG, struct import, 0, "force", force, NULL, "overwrite an existing file"),
    END_OF_OPTIONS};

static void import_defaults(void *values) {
    struct import *i = values;
    i->settings = caelum_import_defaults();
}

static int run_import(void *values, int n, char **words, struct caelum_error *err) {
    struct import *i = values;
    char net[PATH_SIZE];
    if (n != 1 || !i->out) return usage_error("import", "expected one FILE and -o FILE");
    if (i->settings.net_path) i->settings.net_path = path_shipped(i->settings.net_path, ".net", net);
    CHECK(path_free(i->out, i->force, err));
    CHECK(caelum_model_import(&i->model, words[0], &i->settings, err));
    CHECK(caelum_model_save(i->model, i->out, err));
    printf("%s\n", i->out);
    return 0;
}

COMMAND(import, "FILE", "convert another program's file to a model",
        "caelum import standard.onnx -o standard.safetensors", .rows = import_rows,
        .size = sizeof(struct import), .defaults = import_defaults, .run = run_import);
