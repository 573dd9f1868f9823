/* exchange.c - the formats by ending. */
#include "exchange/exchange.h"

#if CAELUM_WITH_ONNX
#include "exchange/onnx.h"
#else
#define onnx_save NULL
#define onnx_load NULL
#endif

#include <stdio.h>
#include <string.h>

/* Ours as they are; another program's are weights alone. */
static int load_safetensors(struct caelum_model **model, const char *path,
                            const struct caelum_import_settings *settings, struct caelum_error *err) {
    if (!settings->net_path && !settings->order) return caelum_model_load(model, path, err);
    /* the library of its makers sorts tensors by their names */
    const struct match_evidence evidence = {.order = settings->order};
    struct safetensors file = {0};
    CHECK(safetensors_read(&file, path, err));
    int result = exchange_model(model, path, settings, safetensors_values(&file), err);
    if (result == 0) result = exchange_fill(*model, file.tensor, file.count, &evidence, path, err);
    safetensors_close(&file);
    return result;
}

static const struct exchange_format formats[] = {
    {".safetensors", NULL, false, caelum_model_save, load_safetensors},
    {".onnx", "ONNX", true, onnx_save, onnx_load},
    {".npz", NULL, false, npz_save, npz_load},
};

/* What to do with a file of a program that Python knows better. */
static const char *advice(const char *path) {
    static const char torch[] = "; PyTorch's state_dict can be saved as .npz or .safetensors";
    static const char keras[] =
        "; Keras's files are converted by python3 -m caelum.keras FILE MODEL (docs/formats.md)";
    static const char *const endings[][2] = {
        {".pt", torch},   {".pth", torch},   {".pkl", torch}, {".bin", torch},
        {".ckpt", torch}, {".keras", keras}, {".h5", keras},
    };
    const char *ending = strrchr(path, '.');
    for (size_t i = 0; ending && i < sizeof endings / sizeof *endings; i++)
        if (strcmp(ending, endings[i][0]) == 0) return endings[i][1];
    return "";
}

int exchange_find(const struct exchange_format **format, const char *path, struct caelum_error *err) {
    const size_t length = strlen(path);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        const size_t n = strlen(formats[i].ending);
        if (length <= n || strcmp(path + length - n, formats[i].ending) != 0) continue;
        if (!formats[i].save)
            return caelum_fail(err, CAELUM_EUSAGE, "%s: this build leaves out %s", path, formats[i].part);
        *format = &formats[i];
        return CAELUM_OK;
    }
    return caelum_fail(err, CAELUM_EUSAGE, "%s: expected a name that ends in .safetensors, .onnx or .npz%s",
                       path, advice(path));
}

int exchange_model(struct caelum_model **model, const char *path,
                   const struct caelum_import_settings *settings, size_t most, struct caelum_error *err) {
    struct caelum_net *net = NULL;
    if (!settings->net_path)
        return caelum_fail(err, CAELUM_EUSAGE, "%s holds weights alone: it needs a network's text", path);
    CHECK(caelum_net_load(&net, settings->net_path, settings->height, settings->width, err));
    const int result = model_new(model, net->text, net->file, settings->height, settings->width, most, err);
    caelum_net_close(&net);
    return result;
}

/* As the ending of `name` says. */
static int export_as(const struct caelum_model *model, const char *name, const char *path,
                     struct caelum_error *err) {
    const struct exchange_format *format = NULL;
    CHECK(exchange_find(&format, name, err));
    CHECK(model_check(model->net, model->params, model->half, path, err));
    return format->save(model, path, err);
}

int caelum_model_export_as(const caelum_model *model, const char *ending, const char *path,
                           struct caelum_error *err) {
    char name[32];
    snprintf(name, sizeof name, "model%s", ending);
    return export_as(model, name, path, err);
}

int caelum_model_export(const caelum_model *model, const char *path, struct caelum_error *err) {
    return export_as(model, path, path, err);
}

struct caelum_import_settings caelum_import_defaults(void) {
    return (struct caelum_import_settings){.height = 32, .width = 32};
}

int caelum_model_import(caelum_model **model, const char *path, const struct caelum_import_settings *settings,
                        struct caelum_error *err) {
    const struct exchange_format *format = NULL;
    CHECK(exchange_find(&format, path, err));
    if (format->whole && (settings->net_path || settings->order))
        return caelum_fail(err, CAELUM_EUSAGE,
                           "%s: a %s file says what its network is: expected no network's text and no order",
                           path, format->ending);
    struct caelum_model *made = NULL;
    int result = format->load(&made, path, settings, err);
    if (result == 0) result = model_check(made->net, made->params, false, path, err);
    if (result == 0) {
        *model = made;
        made = NULL;
    }
    caelum_model_close(&made);
    return result;
}
