/* cmd_export.c - caelum export and import: models as other programs' files, and back. */
#include "cli.h"

#include <stdio.h>

/* Opening a codec checks it. */
static int set_price(caelum_model *model, const char *price, struct caelum_error *err) {
    caelum_codec *codec = NULL;
    int code = caelum_model_set_metadata(model, "price", price, err);
    if (code == 0) code = caelum_codec_open(&codec, model, 0, err);
    caelum_codec_close(&codec);
    return code;
}

int command_export(int argc, char **argv) {
    const char *out = NULL, *onnx = NULL, *price = NULL;
    bool half = false, force = false;
    const struct option_row rows[] = {
        {'o', "out", OPTION_STRING, &out, "FILE",
         "file to write; its ending is the format: .safetensors, .onnx, .npz", NULL},
        {0, "onnx", OPTION_STRING, &onnx, "FILE", "an ONNX file to write, whatever its name", NULL},
        {0, "half", OPTION_FLAG, &half, NULL,
         "round the weights to half precision: half the bytes, 3 digits kept", NULL},
        {0, "price", OPTION_STRING, &price, "P",
         "what encode --price shall be by default, 0 to 1, for a model that makes codes", NULL},
        {0, "force", OPTION_FLAG, &force, NULL, "write over an existing file", NULL},
        {0, NULL, OPTION_FLAG, NULL, NULL, NULL, NULL}};
    const int n = options_read(command_find("export"), rows, argc, argv);
    if (n < 0) return -n - 1;
    if (n != 1 || !out == !onnx)
        return usage_error("export", "expected one MODEL and either -o FILE or --onnx FILE");
    if (onnx) out = onnx;
    struct caelum_error err;
    caelum_model *model = NULL;
    char path[PATH_SIZE];
    int code = path_free(out, force, &err);
    if (code == 0) code = caelum_model_load(&model, path_shipped(argv[1], ".safetensors", path), &err);
    if (code == 0 && half) code = caelum_model_round_half(model, &err);
    if (code == 0 && price) code = set_price(model, price, &err);
    if (code == 0)
        code =
            onnx ? caelum_model_export_as(model, ".onnx", onnx, &err) : caelum_model_export(model, out, &err);
    caelum_model_close(&model);
    if (code != 0) return report(&err);
    printf("%s\n", out);
    return 0;
}

int command_import(int argc, char **argv) {
    const char *out = NULL;
    bool force = false;
    struct caelum_import_settings settings = caelum_import_defaults();
    const struct option_row rows[] = {
        {'o', "out", OPTION_STRING, &out, "FILE", "model to write, .safetensors", NULL},
        {0, "net", OPTION_STRING, &settings.net_path, "NET",
         "the network's text, for a file that holds weights alone", NULL},
        {0, "order", OPTION_STRING, &settings.order, "NAME,NAME,...",
         "what comes first in the network, by names of the file or their beginnings", NULL},
        {0, "height", OPTION_SIZE, &settings.height, "N",
         "of the pictures, pixels, where the file leaves it open", NULL},
        {0, "width", OPTION_SIZE, &settings.width, "N", "likewise", NULL},
        {0, "force", OPTION_FLAG, &force, NULL, "write over an existing file", NULL},
        {0, NULL, OPTION_FLAG, NULL, NULL, NULL, NULL}};
    const int n = options_read(command_find("import"), rows, argc, argv);
    if (n < 0) return -n - 1;
    if (n != 1 || !out) return usage_error("import", "expected one FILE and -o FILE");
    struct caelum_error err;
    caelum_model *model = NULL;
    char net[PATH_SIZE];
    if (settings.net_path) settings.net_path = path_shipped(settings.net_path, ".net", net);
    int code = path_free(out, force, &err);
    if (code == 0) code = caelum_model_import(&model, argv[1], &settings, &err);
    if (code == 0) code = caelum_model_save(model, out, &err);
    caelum_model_close(&model);
    if (code != 0) return report(&err);
    printf("%s\n", out);
    return 0;
}
