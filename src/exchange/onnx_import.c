/* onnx_import.c - a model of an ONNX graph. The graph alone decides: of metadata_props the size of pictures
 * is read, where the graph leaves that open, and the rest is kept as the model's metadata. */
#include "exchange/onnx_import.h"

#include "base/number.h"
#include "exchange/exchange.h"

#include <string.h>

enum { MOST_CHANNELS = 1024 };

/* A side of the pictures. */
static int get_side(struct onnx_file *file, size_t dimension, const char *key, size_t otherwise,
                    size_t *side) {
    uint64_t said;
    *side = file->graph.input.dim[dimension];
    if (*side == 0)
        *side = number_whole(metadata_get(&file->props, key), 1, SIZE_MAX, &said) ? said : otherwise;
    return *side >= 1 && *side <= NET_MOST_SIDE ? CAELUM_OK
                                                : onnx_fail(file, "pictures of %s %zu", key, *side);
}

/* Whether pictures go in as [N, H, W, C]: they are turned, or laid out anew for one channel, before anything
 * but constants meets them. */
static bool is_last(const struct onnx_path *path, const struct onnx_port *input) {
    size_t i = 0;
    while (i + 1 < path->count && path->step[i].constant) i++;
    return onnx_is_to_first(path->step[i].node) ||
           (strcmp(path->step[i].node->op, "Reshape") == 0 && input->dim[3] == 1 && input->dim[1] != 1);
}

/* Rows of numbers [N, values] are pictures of the size that is asked for, or else square, in one channel or
 * three. */
static struct shape shape_of_row(size_t n, const struct caelum_import_settings *settings) {
    struct shape s = {0, settings->height, settings->width};
    for (s.c = 1; s.c <= 3; s.c += 2)
        if (shape_values(s) == n) return s;
    for (s.c = 1; s.c <= 3; s.c += 2) {
        for (s.h = 1; s.h * s.h * s.c < n && s.h < NET_MOST_SIDE;) s.h++;
        s.w = s.h;
        if (shape_values(s) == n) return s;
    }
    return (struct shape){n, 1, 1};
}

static int know_input(const struct onnx_path *path, const struct caelum_import_settings *settings,
                      struct onnx_known *known) {
    const struct onnx_port *input = &path->file->graph.input;
    *known = (struct onnx_known){0};
    if (input->dims == 2 && input->dim[1] > 0 && input->dim[1] <= NET_MOST_SIDE) {
        known->flat = true;
        known->shape = shape_of_row(input->dim[1], settings);
        return CAELUM_OK;
    }
    known->last = input->dims == 4 && path->count > 0 && is_last(path, input);
    known->shape.c = input->dim[known->last ? 3 : 1];
    if (input->dims != 4 || known->shape.c == 0 || known->shape.c > MOST_CHANNELS)
        return onnx_fail(path->file,
                         "input '%s' of %zu dimensions; expected [N, C, H, W], or [N, H, W, C], with C of "
                         "1 to %d, or [N, values]",
                         input->name, input->dims, MOST_CHANNELS);
    const size_t row = known->last ? 1 : 2;
    CHECK(get_side(path->file, row, "height", settings->height, &known->shape.h));
    CHECK(get_side(path->file, row + 1, "width", settings->width, &known->shape.w));
    return CAELUM_OK;
}

static int copy_props(struct caelum_model *model, const struct metadata *props, struct caelum_error *err) {
    static const char *const own[] = {"format", "network", "height", "width"};
    for (size_t i = 0; i < props->count; i++) {
        bool is_own = false;
        for (size_t j = 0; j < sizeof own / sizeof *own; j++)
            is_own |= strcmp(props->entry[i].key, own[j]) == 0;
        if (!is_own) CHECK(metadata_set(model->metadata, props->entry[i].key, props->entry[i].value, err));
    }
    return CAELUM_OK;
}

static int make(struct caelum_model **model, struct onnx_writer *w,
                const struct caelum_import_settings *settings) {
    struct caelum_error *err = w->file->graph.err;
    struct onnx_known input;
    CHECK(onnx_find_path(w->path));
    CHECK(know_input(w->path, settings, &input));
    CHECK(onnx_write_lines(w, &input));
    CHECK(model_take(model, &w->net, w->net->params, err));
    for (size_t i = 0; i < w->weights; i++) {
        const struct onnx_weight *t = &w->weight[i];
        const int result = caelum_model_set_tensor(*model, t->name, t->data, t->values, err);
        if (result == CAELUM_EUSAGE) return caelum_fail_in(err, CAELUM_EFORMAT, "%s", w->file->path);
        CHECK(result);
    }
    return copy_props(*model, &w->file->props, err);
}

int onnx_load(struct caelum_model **model, const char *path, const struct caelum_import_settings *settings,
              struct caelum_error *err) {
    struct onnx_file file = {0};
    int result = onnx_read(&file, path, err);
    struct onnx_path *steps = onnx_memory(&file.graph, sizeof *steps);
    struct onnx_writer *w = onnx_memory(&file.graph, sizeof *w);
    if (result == 0) result = file.graph.result;
    if (result == 0) {
        steps->file = w->file = &file;
        w->path = steps;
        result = make(model, w, settings);
        caelum_net_close(&w->net);
    }
    onnx_file_close(&file);
    return result;
}
