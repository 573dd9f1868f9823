#include "exchange/onnx.h"
int onnx_load(struct caelum_model **model, const char *path, const struct caelum_import_settings *settings,
              struct caelum_error *err) {
    (void)model, (void)settings;
    struct onnx_file file = {0};
    int r = onnx_read(&file, path, err);
    onnx_file_close(&file);
    return r;
}
