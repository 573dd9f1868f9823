/* study_files.c - a study's results for reading elsewhere: Markdown for a repository, CSV for a spreadsheet,
 * JSON for programs. */
#include "base/file.h"
#include "report/study_page.h"
#include "report/study_prose.h"
#include "report/study_table.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const verdict_words[] = {"open", "reproduced", "not reproduced"};

/* --- Markdown ------------------------------------------------------------------------------------- */

static void section_markdown(FILE *to, const struct study_results *r, size_t section) {
    const struct study *s = r->study;
    struct study_table table;
    char text[4096];
    fprintf(to, "## %s\n\n", s->section[section].title);
    if (s->section[section].about) fprintf(to, "*%s*\n\n", s->section[section].about);
    for (int color = 0; color < 2; color++)
        if (study_table_plan(r, section, color != 0, &table)) study_table_markdown(to, r, section, &table);
    study_prose(r, section, text, sizeof text);
    if (*text) fprintf(to, "%s\n\n", text);
    size_t items = 0;
    for (size_t i = 0; i < s->entries; i++)
        for (size_t j = 0; s->entry[i].section == section && j < s->entry[i].references; j++, items++) {
            study_judge_reference(s, &r->result[s->entry[i].run], &s->entry[i].reference[j], text,
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
    char path[1024];
    struct file_writer w;
    size_t count[3];
    CHECK(file_join(path, sizeof path, dir, "study.md", err));
    CHECK(file_begin(&w, path, err));
    study_count(r, count);
    fprintf(w.stream, "# %s\n\n%s%s\n\n", r->study->title, r->quick ? "**A quick pass: two epochs.** " : "",
            r->data);
    if (!r->quick && count[0] + count[1] + count[2] > 0)
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
    char path[1024];
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
                fprintf(w.stream, isnan(s->value[f]) ? "," : ",%.9g", s->value[f]);
            fprintf(w.stream, ",%zu,%zu,", s->best_epoch, s->threads);
            field(w.stream, s->command, "\r\n");
        }
    return file_commit(&w, err);
}

/* --- JSON ----------------------------------------------------------------------------------------- */

static json_t *number(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *run_object(const struct study_result *r) {
    json_t *figures = json_object(), *seeds = json_array();
    for (size_t f = 0; f < FIGURES; f++)
        if (r->figure[f].n > 0)
            json_object_set_new(figures, figure_kinds[f].key,
                                json_pack("{s:o, s:o, s:I}", "mean", number(r->figure[f].mean), "deviation",
                                          number(r->figure[f].deviation), "n", (json_int_t)r->figure[f].n));
    for (size_t i = 0; i < r->seeds; i++) {
        const struct study_seed *s = &r->seed[i];
        json_t *values = json_object();
        for (size_t f = 0; f < FIGURES; f++)
            if (!isnan(s->value[f])) json_object_set_new(values, figure_kinds[f].key, number(s->value[f]));
        json_array_append_new(seeds,
                              json_pack("{s:I, s:s, s:b, s:I, s:s, s:o}", "seed", (json_int_t)s->seed,
                                        "state", s->state, "trained", s->trained, "best_epoch",
                                        (json_int_t)s->best_epoch, "command", s->command, "figures", values));
    }
    return json_pack("{s:s, s:s, s:I, s:I, s:o, s:o}", "run", r->run->name, "network", r->run->net, "batch",
                     (json_int_t)r->run->settings.batch, "epochs", (json_int_t)r->epochs, "figures", figures,
                     "seeds", seeds);
}

static json_t *section_object(const struct study_results *r, size_t section) {
    const struct study *s = r->study;
    json_t *runs = json_array(), *references = json_array(), *claims = json_array();
    char text[600], relation[2] = "";
    for (size_t i = 0; i < s->entries; i++) {
        const struct study_entry *e = &s->entry[i];
        if (e->section != section) continue;
        const struct study_result *result = &r->result[e->run];
        json_array_append_new(runs, json_string(result->run->name));
        for (size_t j = 0; j < e->references; j++) {
            const enum verdict v = study_judge_reference(s, result, &e->reference[j], text, sizeof text);
            relation[0] = e->reference[j].relation;
            json_array_append_new(references, json_pack("{s:s, s:s, s:s, s:f, s:s, s:s}", "run",
                                                        result->run->name, "metric", e->reference[j].metric,
                                                        "relation", relation, "value", e->reference[j].value,
                                                        "verdict", verdict_words[v], "text", text));
        }
    }
    for (size_t i = 0; i < s->claims; i++) {
        const struct study_claim *c = &s->claim[i];
        if (c->section != section) continue;
        const enum verdict v = study_judge_claim(r, c, text, sizeof text);
        json_array_append_new(claims,
                              json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "left", s->run[c->left].name,
                                        "relation", c->less ? "<" : ">=", "right", s->run[c->right].name,
                                        "words", c->words, "verdict", verdict_words[v], "text", text));
    }
    return json_pack("{s:s, s:s, s:o, s:o, s:o}", "name", s->section[section].name, "title",
                     s->section[section].title, "runs", runs, "references", references, "claims", claims);
}

static int json_write(const struct study_results *r, const char *dir, struct caelum_error *err) {
    char path[1024];
    json_t *sections = json_array(), *runs = json_array(), *pca = json_array();
    CHECK(file_join(path, sizeof path, dir, "figures.json", err));
    for (size_t i = 0; i < r->study->sections; i++) json_array_append_new(sections, section_object(r, i));
    for (size_t i = 0; i < r->study->runs; i++) json_array_append_new(runs, run_object(&r->result[i]));
    for (size_t i = 0; i < r->pca_count; i++)
        json_array_append_new(pca,
                              json_pack("{s:f, s:f}", "numbers", r->pca[i].numbers, "mse", r->pca[i].mse));
    json_t *root = json_pack("{s:i, s:s, s:s, s:b, s:s, s:o, s:o, s:o}", "version", 1, "title",
                             r->study->title, "source", r->study->source, "quick", r->quick, "data", r->data,
                             "sections", sections, "runs", runs, "pca", pca);
    char *text = root ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) : NULL;
    json_decref(root);
    if (!text) return caelum_fail(err, CAELUM_ERESOURCE, "%s: out of memory", path);
    const int result = file_write(path, text, strlen(text), err);
    free(text);
    return result;
}

int study_figures_write(const struct study_results *r, const char *dir, struct caelum_error *err) {
    CHECK(csv_write(r, dir, err));
    return json_write(r, dir, err);
}
