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
    json_t *seed = json_object();
    json_put(&seed, "seed", json_size(s->seed));
    json_put(&seed, "state", json_bytes(s->state));
    json_put(&seed, "trained", json_boolean(s->trained));
    json_put(&seed, "best_epoch", json_size(s->best_epoch));
    json_put(&seed, "threads", json_size(s->threads));
    json_put(&seed, "command", json_bytes(s->command));
    json_put(&seed, "figures", values_object(study, s->value));
    return seed;
}

static json_t *run_object(const struct study *study, const struct study_result *r) {
    json_t *run = json_object(), *figures = json_object(), *seeds = json_array();
    for (size_t f = 0; f < study->figures; f++) {
        if (r->figure[f].n == 0) continue;
        json_t *figure = json_object();
        json_put(&figure, "mean", json_number(r->figure[f].mean));
        json_put(&figure, "deviation", json_number(r->figure[f].deviation));
        json_put(&figure, "n", json_size(r->figure[f].n));
        json_put(&figures, study->figure[f].key, figure);
    }
    for (size_t i = 0; i < r->seeds; i++) json_add(&seeds, seed_object(study, &r->seed[i]));
    json_put(&run, "run", json_string(r->run->name));
    json_put(&run, "network", json_string(r->run->net));
    json_put(&run, "batch", json_size(r->run->settings.batch));
    json_put(&run, "epochs", json_size(r->epochs));
    json_put(&run, "figures", figures);
    json_put(&run, "seeds", seeds);
    return run;
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
    json_t *object = json_object(), *runs = json_array(), *references = json_array(), *claims = json_array();
    for (size_t i = 0; i < s->entries; i++)
        if (s->entry[i].section == section) json_add(&runs, json_string(s->run[s->entry[i].run].name));
    for (size_t i = 0; i < r->verdicts; i++)
        if (r->verdict[i].section == section)
            json_add(r->verdict[i].reference ? &references : &claims, verdict_object(s, &r->verdict[i]));
    json_put(&object, "name", json_string(s->section[section].name));
    json_put(&object, "title", json_string(s->section[section].title));
    json_put(&object, "runs", runs);
    json_put(&object, "references", references);
    json_put(&object, "claims", claims);
    return object;
}

int study_json_write(const struct study_results *r, const char *dir, struct caelum_error *err) {
    char path[PATH_SIZE];
    CHECK(file_join(path, sizeof path, dir, "results.json", err));
    json_t *root = json_object(), *sections = json_array(), *runs = json_array(), *pca = json_array();
    for (size_t i = 0; i < r->study->sections; i++) json_add(&sections, section_object(r, i));
    for (size_t i = 0; i < r->study->runs; i++) json_add(&runs, run_object(r->study, &r->result[i]));
    for (size_t i = 0; i < r->pca_count; i++) {
        json_t *point = json_object();
        json_put(&point, "numbers", json_number(r->pca_numbers[i]));
        json_put(&point, "mse", json_number(r->pca_mse[i]));
        json_add(&pca, point);
    }
    json_put(&root, "version", json_integer(1));
    json_put(&root, "title", json_bytes(r->study->title));
    json_put(&root, "source", json_string(r->study->source));
    json_put(&root, "quick", json_boolean(r->quick));
    json_put(&root, "data", json_bytes(r->data));
    json_put(&root, "sections", sections);
    json_put(&root, "runs", runs);
    json_put(&root, "grey", values_object(r->study, r->grey));
    json_put(&root, "pca", pca);
    return json_save(&root, path, err);
}
