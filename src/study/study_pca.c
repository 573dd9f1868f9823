/* study_pca.c - the fit is the expensive part and serves all sizes; what has been measured is kept. */
#include "study/study_pca.h"

#include "base/file.h"
#include "base/json.h"
#include "base/number.h"
#include "eval/linear_code.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Takes what the file knows; returns the number of points that it does not. */
static size_t recall(const char *cache, const char *key, struct study_pca *point, size_t count) {
    json_t *root = json_read_file(cache, NULL);
    const char *found = json_string_value(json_object_get(root, "key"));
    const json_t *known = found && strcmp(found, key) == 0 ? json_object_get(root, "mse") : NULL;
    size_t missing = 0;
    for (size_t i = 0; i < count; i++) {
        char numbers[32];
        number_print(numbers, sizeof numbers, "%.0f", point[i].numbers);
        const json_t *mse = json_object_get(known, numbers);
        point[i].mse = json_is_real(mse) ? json_real_value(mse) : NAN;
        missing += isnan(point[i].mse) ? 1 : 0;
    }
    json_decref(root);
    return missing;
}

static int keep(const char *cache, const char *key, const struct study_pca *point, size_t count,
                struct caelum_error *err) {
    json_t *root = json_object(), *known = json_object();
    char *text = NULL;
    for (size_t i = 0; i < count; i++) {
        char numbers[32];
        number_print(numbers, sizeof numbers, "%.0f", point[i].numbers);
        json_put(&known, numbers, json_number(point[i].mse));
    }
    json_put(&root, "key", json_string(key));
    json_put(&root, "mse", known);
    CHECK(json_text(&root, JSON_INDENT(1) | JSON_REAL_PRECISION(17), cache, &text, err));
    const int result = file_write(cache, text, strlen(text), err);
    free(text);
    return result;
}

int study_pca_measure(const struct pictures *train, const struct pictures *test, const char *cache,
                      const char *key, struct study_pca *point, size_t count, struct caelum_error *err) {
    if (recall(cache, key, point, count) == 0) return CAELUM_OK;
    struct linear_code code = {0};
    int result = linear_code_fit(&code, train, train->h, train->w, err);
    for (size_t i = 0; result == 0 && i < count; i++) {
        struct caelum_metrics metrics;
        if (!isnan(point[i].mse)) continue;
        result = linear_code_measure(&code, (size_t)point[i].numbers, test, &metrics, err);
        point[i].mse = metrics.mse;
    }
    linear_code_free(&code);
    return result == 0 ? keep(cache, key, point, count, err) : result;
}
