/* study_files.c - a study's results for reading elsewhere: Markdown for a repository, CSV for a spreadsheet,
 * JSON for programs. */
#include "base/file.h"
#include "base/json.h"
#include "base/number.h"
#include "base/path.h"
#include "study/study_page.h"
#include "study/study_prose.h"
#include "study/study_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const verdict_words[] = {"open", "reproduced", "not reproduced"};

/* --- Markdown ------------------------------------------------------------------------------------- */

static void section_markdown(FILE *to, const struct study_results *r, size_t section) {
    const struct study *s = r->study;
    struct study_table table;
    char text[STUDY_PROSE];
    fprintf(to, "## %s\n\n", s->section[section].title);
    if (s->section[section].about) fprintf(to, "*%s*\n\n", s->section[section].about);
    for (int color = 0; color < 2; color++)
        if (study_table_plan(r, section, color != 0, &table)) study_table_markdown(to, r, section, &table);
    study_prose(r, section, text, sizeof text);
    if (*text) fprintf(to, "%s\n\n", text);
    if (!study_judges(r)) return;
    size_t items = 0;
    for (size_t i = 0; i < s->entries; i++)
        for (size_t j = 0; s->entry[i].section == section && j < s->entry[i].references; j++, items++) {
            study_judge_reference(r, &r->result[s->entry[i].run], &s->entry[i].reference[j], text,
                                  sizeof text);
            fprintf(to, "- %s\n", text);
        }
    for (size_t i = 0; i < s->claims; i++) {
        if (s->claim[i].section != section) continue;
        study_judge_claim(r, &s->claim[i], text, sizeof text);
        fprintf(to, "- %s\n", text);
        items++;
    }
    if (items > 0) fprintf(to, "\n");
}

int study_markdown_write(const struct study_results *r, const char *dir, struct caelum_error *err) {
    char path[PATH_SIZE];
    struct file_writer w;
    size_t count[3];
    CHECK(file_join(path, sizeof path, dir, "study.md", err));
    CHECK(file_begin(&w, path, err));
    study_count(r, count);
    fprintf(w.stream, "# %s\n\n%s\n\n", r->study->title, r->data);
    if (!study_judges(r)) fprintf(w.stream, "**%s**\n\n", study_notice(r));
    if (study_judges(r) && count[0] + count[1] + count[2] > 0)
        fprintf(
            w.stream,
            "Of %zu published figures and claims of %s, %zu are reproduced or surpassed, %zu are not, %zu "
            "are open. Figures are of the test split, means over seeds and their population deviation.\n\n",
            count[0] + count[1] + count[2], r->study->source, count[VERDICT_YES], count[VERDICT_NO],
            count[VERDICT_OPEN]);
    for (size_t i = 0; i < r->study->sections; i++) section_markdown(w.stream, r, i);
    return file_commit(&w, err);
}

/* --- CSV ------------------------------------------------------------------------------------------ */

/* A field by RFC 4180. */
static void field(FILE *to, const char *text, const char *end) {
    const bool quote = strpbrk(text, ",\"\r\n") != NULL;
    if (quote) fputc('"', to);
    for (; *text; text++) {
        if (*text == '"') fputc('"', to);
        fputc(*text, to);
    }
    fprintf(to, "%s%s", quote ? "\"" : "", end);
}

static int csv_write(const struct study_results *r, const char *dir, struct caelum_error *err) {
    char path[PATH_SIZE];
    struct file_writer w;
    CHECK(file_join(path, sizeof path, dir, "figures.csv", err));
    CHECK(file_begin(&w, path, err));
    fprintf(w.stream, "run,seed,state");
    for (size_t f = 0; f < FIGURES; f++) fprintf(w.stream, ",%s", figure_kinds[f].key);
    fprintf(w.stream, ",best_epoch,threads,command\r\n");
    for (size_t i = 0; i < r->study->runs; i++)
        for (size_t j = 0; j < r->result[i].seeds; j++) {
            const struct study_seed *s = &r->result[i].seed[j];
            field(w.stream, r->result[i].run->name, ",");
            fprintf(w.stream, "%llu,", (unsigned long long)s->seed);
            field(w.stream, s->state, "");
            for (size_t f = 0; f < FIGURES; f++)
                number_write(w.stream, isnan(s->value[f]) ? "," : ",%.9g", s->value[f]);
            fprintf(w.stream, ",%zu,%zu,", s->best_epoch, s->threads);
            field(w.stream, s->command, "\r\n");
        }
    return file_commit(&w, err);
}

/* --- JSON ----------------------------------------------------------------------------------------- */

static json_t *seed_object(const struct study_seed *s) {
    json_t *seed = json_object(), *figures = json_object();
    for (size_t f = 0; f < FIGURES; f++)
        if (!isnan(s->value[f])) json_put(&figures, figure_kinds[f].key, json_number(s->value[f]));
    json_put(&seed, "seed", json_size(s->seed));
    json_put(&seed, "state", json_bytes(s->state));
    json_put(&seed, "trained", json_boolean(s->trained));
    json_put(&seed, "best_epoch", json_size(s->best_epoch));
    json_put(&seed, "command", json_bytes(s->command));
    json_put(&seed, "figures", figures);
    return seed;
}

static json_t *spread_object(const struct spread *s) {
    json_t *figure = json_object();
    json_put(&figure, "mean", json_number(s->mean));
    json_put(&figure, "deviation", json_number(s->deviation));
    json_put(&figure, "n", json_size(s->n));
    return figure;
}

static json_t *run_object(const struct study_result *r) {
    json_t *run = json_object(), *figures = json_object(), *seeds = json_array();
    for (size_t f = 0; f < FIGURES; f++)
        if (r->figure[f].n > 0) json_put(&figures, figure_kinds[f].key, spread_object(&r->figure[f]));
    for (size_t i = 0; i < r->seeds; i++) json_add(&seeds, seed_object(&r->seed[i]));
    json_put(&run, "run", json_string(r->run->name));
    json_put(&run, "network", json_string(r->run->net));
    json_put(&run, "batch", json_size(r->run->settings.batch));
    json_put(&run, "epochs", json_size(r->epochs));
    json_put(&run, "figures", figures);
    json_put(&run, "seeds", seeds);
    return run;
}

static json_t *reference_object(const struct study_results *r, const struct study_result *result,
                                const struct study_reference *reference) {
    char text[VERDICT_TEXT];
    const enum verdict v = study_judge_reference(r, result, reference, text, sizeof text);
    json_t *object = json_object();
    json_put(&object, "run", json_string(result->run->name));
    json_put(&object, "metric", json_string(reference->metric));
    json_put(&object, "relation", json_stringn(&reference->relation, 1));
    json_put(&object, "value", json_number(reference->value));
    json_put(&object, "verdict", json_string(verdict_words[v]));
    json_put(&object, "text", json_string(text));
    return object;
}

static json_t *claim_object(const struct study_results *r, const struct study_claim *c) {
    char text[VERDICT_TEXT];
    const enum verdict v = study_judge_claim(r, c, text, sizeof text);
    json_t *object = json_object();
    json_put(&object, "left", json_string(r->study->run[c->left].name));
    json_put(&object, "relation", json_string(c->less ? "<" : ">="));
    json_put(&object, "right", json_string(r->study->run[c->right].name));
    json_put(&object, "words", json_string(c->words));
    json_put(&object, "verdict", json_string(verdict_words[v]));
    json_put(&object, "text", json_string(text));
    return object;
}

static json_t *section_object(const struct study_results *r, size_t section) {
    const struct study *s = r->study;
    json_t *object = json_object(), *runs = json_array(), *references = json_array(), *claims = json_array();
    for (size_t i = 0; i < s->entries; i++) {
        const struct study_entry *e = &s->entry[i];
        if (e->section != section) continue;
        json_add(&runs, json_string(s->run[e->run].name));
        for (size_t j = 0; j < e->references; j++)
            json_add(&references, reference_object(r, &r->result[e->run], &e->reference[j]));
    }
    for (size_t i = 0; i < s->claims; i++)
        if (s->claim[i].section == section) json_add(&claims, claim_object(r, &s->claim[i]));
    json_put(&object, "name", json_string(s->section[section].name));
    json_put(&object, "title", json_string(s->section[section].title));
    json_put(&object, "runs", runs);
    json_put(&object, "references", references);
    json_put(&object, "claims", claims);
    return object;
}

static json_t *pca_object(const struct study_pca *point) {
    json_t *object = json_object();
    json_put(&object, "numbers", json_number(point->numbers));
    json_put(&object, "mse", json_number(point->mse));
    return object;
}

static int json_write(const struct study_results *r, const char *dir, struct caelum_error *err) {
    char path[PATH_SIZE], *text = NULL;
    json_t *root = json_object(), *sections = json_array(), *runs = json_array(), *pca = json_array();
    for (size_t i = 0; i < r->study->sections; i++) json_add(&sections, section_object(r, i));
    for (size_t i = 0; i < r->study->runs; i++) json_add(&runs, run_object(&r->result[i]));
    for (size_t i = 0; i < r->pca_count; i++) json_add(&pca, pca_object(&r->pca[i]));
    json_put(&root, "version", json_integer(1));
    json_put(&root, "title", json_bytes(r->study->title));
    json_put(&root, "source", json_string(r->study->source));
    json_put(&root, "quick", json_boolean(r->quick));
    json_put(&root, "data", json_bytes(r->data));
    json_put(&root, "sections", sections);
    json_put(&root, "runs", runs);
    json_put(&root, "pca", pca);
    CHECK(json_text(&root, JSON_INDENT(2), "figures.json", &text, err));
    int result = file_join(path, sizeof path, dir, "figures.json", err);
    if (result == 0) result = file_write(path, text, strlen(text), err);
    free(text);
    return result;
}

int study_figures_write(const struct study_results *r, const char *dir, struct caelum_error *err) {
    CHECK(csv_write(r, dir, err));
    return json_write(r, dir, err);
}
