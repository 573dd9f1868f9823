/* weights.c - arrays of a file to tensors of a model: by the names of ours where the file has one, else by
 * what match.c finds out. */
#include "base/mem.h"
#include "exchange/exchange.h"
#include "exchange/match.h"
#include "model/half.h"

#include <string.h>

static int copy(struct caelum_model *model, const struct caelum_tensor *tensor, const struct safetensor *from,
                const char *path, struct caelum_error *err) {
    char expected[96], got[96];
    float *to = model_values(model, tensor->name, from->dims, from->dim);
    if (!to)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: tensor '%s' for %s: shape %s, expected %s", path,
                           from->name, tensor->name, match_shape_text(from->dims, from->dim, got),
                           match_shape_text(tensor->dims, tensor->dim, expected));
    const size_t values = safetensor_count(from);
    for (size_t i = 0; i < values; i++)
        to[i] = from->type == TENSOR_F16   ? half_to(((const uint16_t *)from->data)[i])
                : from->type == TENSOR_F32 ? ((const float *)from->data)[i]
                                           : (float)((const double *)from->data)[i];
    return CAELUM_OK;
}

static const struct safetensor *named(const struct safetensor *array, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(array[i].name, name) == 0) return &array[i];
    return NULL;
}

static int fill_named(struct caelum_model *model, const struct safetensor *array, size_t count,
                      const char *path, struct caelum_error *err) {
    struct caelum_tensor tensor;
    size_t halves = 0, tensors = 0;
    for (; caelum_model_tensor(model, tensors, &tensor); tensors++) {
        const struct safetensor *from = named(array, count, tensor.name);
        if (!from) return caelum_fail(err, CAELUM_EFORMAT, "%s: tensor '%s' is missing", path, tensor.name);
        halves += from->type == TENSOR_F16;
        CHECK(copy(model, &tensor, from, path, err));
    }
    for (size_t i = 0; i < count; i++)
        if (!model_values(model, array[i].name, array[i].dims, array[i].dim))
            return caelum_fail(err, CAELUM_EFORMAT, "%s: tensor '%s': the network has none of that name",
                               path, array[i].name);
    model->half = halves > 0 && halves == tensors;
    return CAELUM_OK;
}

static int fill_matched(struct caelum_model *model, const struct safetensor *array, size_t count,
                        const struct match_evidence *evidence, const char *path, struct caelum_error *err) {
    struct caelum_tensor tensor;
    size_t tensors = 0, *at = NULL;
    while (caelum_model_tensor(model, tensors, &tensor)) tensors++;
    CHECK(mem_alloc(&at, tensors, sizeof *at, err));
    int result = match_arrays(model, array, count, evidence, path, at, err);
    for (size_t i = 0; result == 0 && i < tensors; i++) {
        caelum_model_tensor(model, i, &tensor);
        result = copy(model, &tensor, &array[at[i]], path, err);
    }
    mem_free(&at);
    return result;
}

int exchange_fill(struct caelum_model *model, const struct safetensor *array, size_t count,
                  const struct match_evidence *evidence, const char *path, struct caelum_error *err) {
    struct caelum_tensor tensor;
    bool ours = count == 0;
    for (size_t i = 0; !ours && caelum_model_tensor(model, i, &tensor); i++)
        ours = named(array, count, tensor.name) != NULL;
    if (!ours) return fill_matched(model, array, count, evidence, path, err);
    if (evidence->order)
        return caelum_fail(err, CAELUM_EUSAGE,
                           "%s: its tensors have the network's names, which decide: an order is for others",
                           path);
    return fill_named(model, array, count, path, err);
}
