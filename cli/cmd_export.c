/* cmd_export.c - caelum export: a model in another file. */
#include "cli.h"

#include <stdio.h>

int command_export(int argc, char **argv) {
    const char *out = NULL;
    bool half = false, force = false;
    const struct option_row rows[] = {
        {'o', "out", OPTION_STRING, &out, "FILE", "safetensors file to write", NULL},
        {0, "half", OPTION_FLAG, &half, NULL,
         "round the weights to half precision: half the bytes, 3 digits kept", NULL},
        {0, "force", OPTION_FLAG, &force, NULL, "write over an existing file", NULL},
        {0, NULL, OPTION_FLAG, NULL, NULL, NULL, NULL}};
    const int n = options_read(command_find("export"), rows, argc, argv);
    if (n < 0) return -n - 1;
    if (n != 1 || !out) return usage_error("export", "expected one MODEL and -o FILE");
    struct caelum_error err;
    caelum_model *model = NULL;
    int code = path_free(out, force, &err);
    if (code == 0) code = caelum_model_load(&model, argv[1], &err);
    if (code == 0 && half) caelum_model_round_half(model);
    if (code == 0) code = caelum_model_save(model, out, &err);
    caelum_model_close(&model);
    if (code != 0) return report(&err);
    printf("%s\n", out);
    return 0;
}
