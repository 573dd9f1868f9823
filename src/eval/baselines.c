/* baselines.c - which linear codes there are at a size, and the file that remembers their figures. */
#include "eval/baselines.h"

#include "eval/figures_file.h"
#include "eval/linear_code.h"

#include <stdio.h>
#include <string.h>

enum { MOST = 3, VERSION = 1 };

/* A code to measure: block size and numbers kept a block. */
struct plan {
    size_t h, w, keep;
    char name[96];
};

static size_t make_plans(const struct pictures *p, size_t numbers, struct plan plans[MOST]) {
    size_t count = 0;
    if (numbers <= pictures_size(p)) {
        plans[count] = (struct plan){.h = p->h, .w = p->w, .keep = numbers};
        snprintf(plans[count++].name, sizeof plans->name, "PCA %zu", numbers);
    }
    for (size_t b = 4; b <= 8; b += 4) {
        if (p->h % b != 0 || p->w % b != 0 || (p->h == b && p->w == b)) continue;
        const size_t rows = p->h / b, columns = p->w / b, keep = numbers / (rows * columns);
        if (keep == 0 || keep * rows * columns != numbers || keep > p->c * b * b) continue;
        plans[count] = (struct plan){.h = b, .w = b, .keep = keep};
        snprintf(plans[count++].name, sizeof plans->name, "%zux%zu-block KLT %zux%zux%zu", b, b, rows,
                 columns, keep);
    }
    return count;
}

/* --- The cache ------------------------------------------------------------------------------------ */

static bool read_entry(const json_t *entry, struct caelum_baseline *b) {
    const char *name = json_string_value(json_object_get(entry, "name"));
    const json_int_t numbers = json_integer_value(json_object_get(entry, "numbers")),
                     count = json_integer_value(json_object_get(entry, "count"));
    if (!name || numbers < 1 || count < 1 || !figures_take(&figures_of_metrics, entry, &b->metrics))
        return false;
    snprintf(b->name, sizeof b->name, "%s", name);
    b->numbers = (size_t)numbers;
    b->metrics.count = (size_t)count;
    return true;
}

static bool read_cache(const char *cache, const char *key, struct caelum_baseline list[MOST], size_t *count) {
    json_t *entries = figures_read(cache, key);
    const size_t n = json_array_size(entries);
    bool good = entries && n <= MOST;
    for (size_t i = 0; good && i < n; i++) good = read_entry(json_array_get(entries, i), &list[i]);
    if (good) *count = n;
    json_decref(entries);
    return good;
}

static void write_cache(const char *cache, const char *key, const struct caelum_baseline *list,
                        size_t count) {
    json_t *entries = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *entry = figures_object(&figures_of_metrics, &list[i].metrics);
        json_put(&entry, "name", json_string(list[i].name));
        json_put(&entry, "numbers", json_size(list[i].numbers));
        json_put(&entry, "count", json_size(list[i].metrics.count));
        json_add(&entries, entry);
    }
    figures_keep(cache, key, entries);
}

static int measure_plan(const struct plan *plan, size_t numbers, const struct pictures *train,
                        const struct pictures *target, struct caelum_baseline *b, struct caelum_error *err) {
    struct linear_code code = {0};
    struct caelum_baseline result = {.numbers = numbers};
    snprintf(result.name, sizeof result.name, "%s", plan->name);
    int status = linear_code_fit(&code, train, plan->h, plan->w, err);
    if (status == 0) status = linear_code_measure(&code, plan->keep, target, &result.metrics, err);
    linear_code_free(&code);
    if (status == 0) *b = result;
    return status;
}

int baselines_measure(const struct pictures *train, const struct pictures *target, size_t numbers,
                      const char *cache, const char *key, caelum_progress progress, void *cookie,
                      struct caelum_baseline *list, size_t capacity, size_t *count,
                      struct caelum_error *err) {
    struct plan plans[MOST];
    struct caelum_baseline found[MOST];
    char full_key[512];
    size_t n = 0;
    snprintf(full_key, sizeof full_key, "v%d %s numbers=%zu", VERSION, key, numbers);
    if (!read_cache(cache, full_key, found, &n)) {
        n = make_plans(train, numbers, plans);
        for (size_t i = 0; i < n; i++) {
            if (progress && progress(cookie, "fitting linear codes", i, n) != 0)
                return caelum_fail(err, CAELUM_ESTOPPED, "stopped while linear codes were fitted");
            CHECK(measure_plan(&plans[i], numbers, train, target, &found[i], err));
        }
        if (progress) progress(cookie, "fitting linear codes", n, n);
        write_cache(cache, full_key, found, n);
    }
    *count = n < capacity ? n : capacity;
    memcpy(list, found, *count * sizeof *list);
    return CAELUM_OK;
}
