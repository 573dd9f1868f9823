/* weights.c - arrays of a file to tensors of a model.
 *
 * Another program names its tensors in its own way. If none has a name of ours, the order decides: that of
 * the file, with a layer's weight before its bias. The safetensors library sorts tensors by name, "10.bias"
 * before "2.bias"; so where the names of a file stand in alphabetical order, numbers in them are put in
 * theirs. */
#include "base/mem.h"
#include "exchange/exchange.h"
#include "net/half.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Order ---------------------------------------------------------------------------------------- */

/* An array, and where it stands in the file. */
struct place {
    const struct safetensor *array;
    size_t at;
};

static size_t stem(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot ? (size_t)(dot - name) : strlen(name);
}
static bool same_stem(const char *a, const char *b) {
    return stem(a) == stem(b) && memcmp(a, b, stem(a)) == 0;
}
static bool is_weight(const struct place *p) {
    return strstr(p->array->name + stem(p->array->name), "weight") != NULL;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Letter by letter, runs of digits by their value. */
static int by_number(const char *a, const char *b) {
    while (*a && *b) {
        if (is_digit(*a) && is_digit(*b)) {
            char *a_end, *b_end;
            const unsigned long long x = strtoull(a, &a_end, 10), y = strtoull(b, &b_end, 10);
            if (x != y) return x < y ? -1 : 1;
            a = a_end, b = b_end;
        } else if (*a != *b) {
            return *a < *b ? -1 : 1;
        } else {
            a++, b++;
        }
    }
    return (*a != 0) - (*b != 0);
}

static int compare_names(const void *a, const void *b) {
    const struct place *p = a, *q = b;
    const int order = by_number(p->array->name, q->array->name);
    return order ? order : (p->at > q->at) - (p->at < q->at);
}

static void put_in_order(struct place *place, size_t count) {
    bool sorted = true;
    for (size_t i = 1; i < count; i++)
        sorted = sorted && strcmp(place[i - 1].array->name, place[i].array->name) < 0;
    if (sorted && count > 0) qsort(place, count, sizeof *place, compare_names);
    for (size_t i = 1; i < count; i++)
        if (same_stem(place[i - 1].array->name, place[i].array->name) && is_weight(&place[i]) &&
            !is_weight(&place[i - 1])) {
            const struct place bias = place[i - 1];
            place[i - 1] = place[i], place[i] = bias;
        }
}

/* --- Values --------------------------------------------------------------------------------------- */

static const char *shape_text(size_t dims, const size_t *dim, char text[96]) {
    size_t used = (size_t)snprintf(text, 96, "[");
    for (size_t d = 0; d < dims; d++)
        used += (size_t)snprintf(text + used, 96 - used, d ? ", %zu" : "%zu", dim[d]);
    snprintf(text + used, 96 - used, "]");
    return text;
}

static int copy(struct caelum_model *model, const struct caelum_tensor *tensor, const struct safetensor *from,
                const char *path, struct caelum_error *err) {
    char expected[96], got[96];
    float *to = model_values(model, tensor->name, from->dims, from->dim);
    if (!to)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: tensor '%s' for %s: shape %s, expected %s", path,
                           from->name, tensor->name, shape_text(from->dims, from->dim, got),
                           shape_text(tensor->dims, tensor->dim, expected));
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

static int fill_in_order(struct caelum_model *model, const struct safetensor *array, size_t count,
                         const char *path, struct caelum_error *err) {
    struct place *place;
    struct caelum_tensor tensor;
    CHECK(mem_alloc(&place, count, sizeof *place, err));
    for (size_t i = 0; i < count; i++) place[i] = (struct place){&array[i], i};
    put_in_order(place, count);
    int result = CAELUM_OK;
    size_t n = 0;
    for (; result == 0 && caelum_model_tensor(model, n, &tensor); n++)
        result = n < count ? copy(model, &tensor, place[n].array, path, err)
                           : caelum_fail(err, CAELUM_EFORMAT, "%s: %zu tensors; one for %s is missing", path,
                                         count, tensor.name);
    if (result == 0 && n < count)
        result = caelum_fail(err, CAELUM_EFORMAT, "%s: %zu tensors, the network has %zu: '%s' is too many",
                             path, count, n, place[n].array->name);
    mem_free(&place);
    return result;
}

int exchange_fill(struct caelum_model *model, const struct safetensor *array, size_t count, const char *path,
                  struct caelum_error *err) {
    struct caelum_tensor tensor;
    size_t ours = 0, halves = 0, tensors = 0;
    for (; caelum_model_tensor(model, tensors, &tensor); tensors++)
        ours += named(array, count, tensor.name) != NULL;
    if (ours == 0 && count > 0) return fill_in_order(model, array, count, path, err);
    for (size_t i = 0; caelum_model_tensor(model, i, &tensor); i++) {
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
