/* study_json.c - a study's results for programs. */
#include "base/file.h"
#include "base/json.h"
#include "base/path.h"
#include "study/study_figures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is not measured is not there. */
static json_t *values_object(const struct study *s, const double value[FIGURES]) {
    json_t *object = json_object();
    for (size_t f = 0; f < s->figures; f++)
        if (!isnan(value[f])) json_put(&object, s->figure[f].key, json_number(value[f]));
    return object;
}

static json_t *seed_object(const struct study *study, const struct study_seed *s) {
    return JSON({"seed", json_size(s->seed)}, {"state", json_bytes(s->state)},
                {"trained", json_boolean(s->trained)}, {"best_epoch", json_size(s->best_epoch)},
                {"threads", json_size(s->threads)}, {"command", json_bytes(s->command)},
                {"figures", values_object(study, s->value)});
}

static json_t *run_object(const struct study *study, const struct study_result *r) {
    json_t *figures = json_object(), *seeds = json_array();
    for (size_t f = 0; f < study->figures; f++) {
        if (r->figure[f].n == 0) continue;
        json_t *figure =
            JSON({"mean", json_number(r->figure[f].mean)}, {"deviation", json_number(r->figure[f].deviation)},
                 {"n", json_size(r->figure[f].n)});
        json_put(&figures, study->figure[f].key, figure);
    }
    for (size_t i = 0; i < r->seeds; i++) json_add(&seeds, seed_object(study, &r->seed[i]));
    return JSON({"run", json_string(r->run->name)}, {"network", json_string(r->run->net)},
                {"batch", json_size(r->run->settings.batch)}, {"epochs", json_size(r->epochs)},
                {"figures", figures}, {"seeds", seeds});
}

static json_t *verdict_object(const struct study *s, const struct study_verdict *v) {
    static const char *const words[] = {
        [PAGE_OPEN] = "open", [PAGE_YES] = "reproduced", [PAGE_NO] = "not reproduced"};
    json_t *object = json_object();
    if (v->reference) {
        json_put(&object, "run", json_string(s->run[v->run].name));
        json_put(&object, "metric", json_string(s->figure[v->reference->figure].key));
        json_put(&object, "relation", json_stringn(&v->reference->relation, 1));
        json_put(&object, "value", json_number(v->reference->value));
    } else {
        json_put(&object, "left", json_string(s->run[v->claim->left].name));
        json_put(&object, "relation", json_string(v->claim->less ? "<" : ">="));
        json_put(&object, "right", json_string(s->run[v->claim->right].name));
        json_put(&object, "words", json_string(v->claim->words));
    }
    json_put(&object, "verdict", json_string(words[v->mark]));
    json_put(&object, "text", json_string(v->text));
    return object;
}

static json_t *section_object(const struct study_results *r, size_t section) {
    const struct study *s = r->study;
    json_t *runs = json_array(), *references = json_array(), *claims = json_array();
    for (size_t i = 0; i < s->entries; i++)
        if (s->entry[i].section == section) json_add(&runs, json_string(s->run[s->entry[i].run].name));
    for (size_t i = 0; i < r->verdicts; i++)
        if (r->verdict[i].section == section)
            json_add(r->verdict[i].reference ? &references : &claims, verdict_object(s, &r->verdict[i]));
    return JSON({"name", json_string(s->section[section].name)},
                {"title", json_string(s->section[section].title)}, {"runs", runs}, {"references", references},
                {"claims", claims});
}

int study_json_write(const struct study_results *r, const char *dir, struct caelum_error *err) {
    char path[PATH_SIZE];
    CHECK(file_join(path, sizeof path, dir, "results.json", err));
    json_t *sections = json_array(), *runs = json_array(), *pca = json_array();
    for (size_t i = 0; i < r->study->sections; i++) json_add(&sections, section_object(r, i));
    for (size_t i = 0; i < r->study->runs; i++) json_add(&runs, run_object(r->study, &r->result[i]));
    for (size_t i = 0; i < r->pca_count; i++) {
        json_add(&pca,
                 JSON({"numbers", json_number(r->pca_numbers[i])}, {"mse", json_number(r->pca_mse[i])}));
    }
    json_t *root = JSON({"version", json_integer(1)}, {"title", json_bytes(r->study->title)},
                        {"source", json_string(r->study->source)}, {"quick", json_boolean(r->quick)},
                        {"data", json_bytes(r->data)}, {"sections", sections}, {"runs", runs},
                        {"grey", values_object(r->study, r->grey)}, {"pca", pca});
    return json_save(&root, path, err);
}
