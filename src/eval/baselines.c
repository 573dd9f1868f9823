/* baselines.c - which linear codes there are at a size: global PCA, and the KLTs of 4x4 and 8x8 blocks that
 * come to exactly as many numbers. */
#include "eval/baselines.h"

#include "eval/figure_cache.h"
#include "eval/linear_code.h"

#include <string.h>

enum { MOST = 3 };

/* A code to measure: block size and numbers kept a block. */
struct plan {
    size_t h, w, keep;
    char name[96];
};

static struct plan pca_plan(const struct pictures *p, size_t numbers) {
    struct plan plan = {.h = p->h, .w = p->w, .keep = numbers};
    snprintf(plan.name, sizeof plan.name, "PCA %zu", numbers);
    return plan;
}

static size_t make_plans(const struct pictures *p, size_t numbers, struct plan plans[MOST]) {
    size_t count = 0;
    if (numbers <= pictures_size(p)) plans[count++] = pca_plan(p, numbers);
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

/* What is measured on what, and the code that was fitted last. */
struct work {
    struct figure_cache cache;
    struct pictures train, target;
    struct linear_code code;
};

static int open_work(struct work *w, const struct caelum_data *data, enum caelum_split split,
                     struct caelum_error *err) {
    *w = (struct work){.train = data_pictures(data, CAELUM_TRAIN), .target = data_pictures(data, split)};
    return figure_cache_open(&w->cache, data, split, "linear", CAELUM_RECONSTRUCT, err);
}

static void close_work(struct work *w) {
    figure_cache_close(&w->cache);
    linear_code_free(&w->code);
}

static int measure(struct work *w, const struct plan *plan, struct caelum_metrics *metrics,
                   struct caelum_error *err) {
    if (w->code.h != plan->h || w->code.w != plan->w) {
        linear_code_free(&w->code);
        CHECK(linear_code_fit(&w->code, &w->train, plan->h, plan->w, err));
    }
    CHECK(linear_code_measure(&w->code, plan->keep, &w->target, metrics, err));
    figure_cache_add(&w->cache, plan->name, metrics);
    return CAELUM_OK;
}

int baselines_pca(const struct caelum_data *data, enum caelum_split split, const size_t *numbers,
                  size_t count, struct caelum_metrics *metrics, struct caelum_error *err) {
    struct work w;
    CHECK(open_work(&w, data, split, err));
    int result = CAELUM_OK;
    for (size_t i = 0; result == 0 && i < count; i++) {
        const struct plan plan = pca_plan(&w.train, numbers[i]);
        if (!figure_cache_find(&w.cache, plan.name, &metrics[i]))
            result = measure(&w, &plan, &metrics[i], err);
    }
    close_work(&w);
    return result;
}

int caelum_baselines(const caelum_data *data, const struct caelum_eval_settings *settings, size_t numbers,
                     struct caelum_baseline *list, size_t *count, struct caelum_error *err) {
    const struct caelum_eval_settings s = settings ? *settings : caelum_eval_defaults();
    struct plan plans[MOST];
    struct work w;
    CHECK(open_work(&w, data, s.split, err));
    const size_t all = make_plans(&w.train, numbers, plans), n = all < *count ? all : *count;
    int result = CAELUM_OK;
    for (size_t i = 0; result == 0 && i < n; i++) {
        list[i] = (struct caelum_baseline){.numbers = numbers};
        memcpy(list[i].name, plans[i].name, sizeof list[i].name);
        if (figure_cache_find(&w.cache, plans[i].name, &list[i].metrics)) continue;
        if (s.progress && s.progress(s.cookie, "fitting linear codes", i, n) != 0)
            result = caelum_fail(err, CAELUM_ESTOPPED, "stopped while linear codes were fitted");
        if (result == 0) result = measure(&w, &plans[i], &list[i].metrics, err);
        if (result == 0 && s.progress) s.progress(s.cookie, "fitting linear codes", i + 1, n);
    }
    if (result == 0) *count = n;
    close_work(&w);
    return result;
}
