/* study_figures.c - the arithmetic behind the report. */
#include "study/study_figures.h"

#include "base/mem.h"
#include "base/number.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* --- Kinds ---------------------------------------------------------------------------------------- */

static const struct figure_kind own_figures[FIGURES_OWN] = {
    [FIGURE_PARAMETERS] = {.key = "parameters", .title = "parameters", .format = "%.0f"},
    [FIGURE_LATENT] = {.key = "latent", .title = "latent", .format = "%.0f"},
    [FIGURE_BOTTLENECK] = {.key = "bottleneck", .title = "bottleneck", .format = "%.0f"},
    [FIGURE_PCA] = {.key = "pca_mse", .title = "PCA, same size", .format = "%.6f"},
    [FIGURE_SECONDS] = {.key = "seconds", .title = "seconds", .format = "%.0f"},
    [FIGURE_RATE] = {.key = "pictures_per_second", .title = "pictures/s", .format = "%.0f"},
};

void study_figures_begin(struct study *s) {
    static const enum caelum_task tasks[] = {CAELUM_RECONSTRUCT, CAELUM_COLORIZE};
    memcpy(s->figure, own_figures, sizeof own_figures);
    s->figures = FIGURES_OWN;
    for (size_t t = 0; t < sizeof tasks / sizeof *tasks; t++)
        for (const struct caelum_figure *f = caelum_figures(tasks[t]); f->key; f++) {
            if (study_figure(s, f->key) < s->figures) continue;
            assert(s->figures < FIGURES);
            struct figure_kind *k = &s->figure[s->figures++];
            *k = (struct figure_kind){.key = f->key, .format = f->format, .better = f->better};
            snprintf(k->title, sizeof k->title, "%s%s%s", f->title, *f->unit ? ", " : "", f->unit);
        }
}

size_t study_figure(const struct study *s, const char *key) {
    size_t i = 0;
    while (i < s->figures && strcmp(s->figure[i].key, key) != 0) i++;
    return i;
}

size_t study_main_figure(const struct study *s, enum caelum_task task) {
    return study_figure(s, caelum_figures(task)->key);
}

void study_derive(const struct study *s, double value[FIGURES]) {
    for (size_t f = 0; f < s->figures; f++)
        if (s->figure[f].factor != 0) value[f] = s->figure[f].factor * value[s->figure[f].of];
}

/* --- Numbers -------------------------------------------------------------------------------------- */

void study_spread(struct study_result *r) {
    for (size_t f = 0; f < FIGURES; f++) {
        struct spread s = {.n = 0};
        double sum = 0, squares = 0;
        for (size_t i = 0; i < r->seeds; i++) {
            const double v = r->seed[i].value[f];
            if (r->seed[i].trained && !isnan(v)) sum += v, s.n++;
        }
        s.mean = s.n ? sum / (double)s.n : NAN;
        for (size_t i = 0; i < r->seeds; i++) {
            const double d = r->seed[i].value[f] - s.mean;
            if (r->seed[i].trained && !isnan(d)) squares += d * d;
        }
        s.deviation = s.n ? sqrt(squares / (double)s.n) : NAN;
        r->figure[f] = s;
    }
}

double study_correlation(const double *x, const double *y, size_t n) {
    double mx = 0, my = 0, xx = 0, yy = 0, xy = 0;
    if (n < 3) return NAN;
    for (size_t i = 0; i < n; i++) mx += log(x[i]) / (double)n, my += log(y[i]) / (double)n;
    for (size_t i = 0; i < n; i++) {
        const double dx = log(x[i]) - mx, dy = log(y[i]) - my;
        xx += dx * dx, yy += dy * dy, xy += dx * dy;
    }
    return xx > 1e-12 && yy > 1e-12 ? xy / sqrt(xx * yy) : NAN;
}

const char *figure_text(const struct figure_kind *k, double value, char text[48]) {
    if (isnan(value)) return strcpy(text, "–");
    number_print(text, 40, k->format, value);
    if (strcmp(k->format, "%.0f") == 0 && fabs(value) < 1e12) number_group(text);
    return text;
}

const char *spread_text(const struct figure_kind *k, const struct spread *s, char text[96]) {
    char mean[48], deviation[48];
    figure_text(k, s->mean, mean);
    if (s->n < 2 || k->better == 0 || strcmp(k->format, "%.4f") < 0) return strcpy(text, mean);
    snprintf(text, 96, "%s ± %s", mean, figure_text(k, s->deviation, deviation));
    return text;
}

const char *published_text(const struct study *s, const struct study_reference *reference, char text[96]) {
    const struct figure_kind *k = &s->figure[reference->figure];
    const char *sign = reference->relation == '<' ? "≤ " : reference->relation == '>' ? "≥ " : "";
    char number[48];
    if (k->better >= 0)
        snprintf(text, 96, "%s%s", sign, figure_text(k, reference->value, number));
    else
        number_print(text, 96, "%s%g", sign, reference->value);
    return text;
}

/* --- Verdicts ------------------------------------------------------------------------------------- */

/* "6.1 % lower"; "0.0165 lower" for what is a share already. */
static const char *distance(const struct figure_kind *k, double ours, double theirs, char text[64]) {
    const char *way = ours < theirs ? "lower" : "higher";
    char number[48];
    if (ours == theirs) return strcpy(text, "the same");
    if (k->better > 0)
        snprintf(text, 64, "%s %s", figure_text(k, fabs(ours - theirs), number), way);
    else if (ours > 3 * theirs && theirs > 0)
        number_print(text, 64, "%.1f times as high", ours / theirs);
    else
        number_print(text, 64, "%.*f %% %s", fabs(ours / theirs - 1) < 0.1 ? 1 : 0,
                     100 * fabs(ours / theirs - 1), way);
    return text;
}

const char *study_notice(const struct study_results *r) {
    return r->quick
               ? "A quick pass: two epochs of each first seed on 2,000 pictures. Nothing is judged by it."
           : r->generated
               ? "Generated pictures stand in for the data of this study. Nothing is judged by them."
               : NULL;
}

/* Ours counts as the same within 5 % of an error, 1 % of what should be high; the size of a network is exact.
 */
static enum page_mark judge(const struct figure_kind *k, double ours, const struct study_reference *reference,
                            const char **word) {
    const double theirs = reference->value, gain = k->better * (ours - theirs),
                 slack = (k->better < 0 ? 0.05 : 0.01) * fabs(theirs);
    if (reference->relation != '=' || k->better == 0) {
        const bool so = reference->relation == '='   ? ours == theirs
                        : reference->relation == '<' ? ours <= theirs
                                                     : ours >= theirs;
        *word = so ? "Reproduced" : "Not so here";
        return so ? PAGE_YES : PAGE_NO;
    }
    *word = fabs(gain) <= slack ? "Reproduced" : gain > 0 ? "Surpassed" : "Not reproduced";
    return gain >= -slack ? PAGE_YES : PAGE_NO;
}

static void judge_reference(const struct study_results *results, struct study_verdict *v) {
    const struct study *study = results->study;
    const struct study_result *r = &results->result[v->run];
    const struct figure_kind *k = &study->figure[v->reference->figure];
    const struct spread *s = &r->figure[v->reference->figure];
    char ours[96], theirs[96], far[64];
    const char *word;
    published_text(study, v->reference, theirs);
    if (study_notice(results) || s->n == 0) {
        snprintf(v->text, sizeof v->text, "%s, %s: %s has %s; %s.", r->run->name, k->title, study->source,
                 theirs,
                 study_notice(results) ? "not judged"
                 : r->trained > 0      ? "not measured here"
                                       : "not run here yet");
        return;
    }
    v->mark = judge(k, s->mean, v->reference, &word);
    snprintf(v->text, sizeof v->text, "%s, %s: %s here (%zu seed%s); %s has %s. %s: %s.", r->run->name,
             k->title, spread_text(k, s, ours), s->n, s->n == 1 ? "" : "s", study->source, theirs, word,
             distance(k, s->mean, v->reference->value, far));
}

static void judge_claim(const struct study_results *results, struct study_verdict *v) {
    const struct study_claim *claim = v->claim;
    const struct study_result *l = &results->result[claim->left], *r = &results->result[claim->right];
    const size_t figure = study_main_figure(results->study, l->run->settings.task);
    const struct figure_kind *k = &results->study->figure[figure];
    const struct spread *a = &l->figure[figure], *b = &r->figure[figure];
    char ours[96], theirs[96], far[64];
    if (study_notice(results)) {
        snprintf(v->text, sizeof v->text, "“%s”: not judged.", claim->words);
        return;
    }
    if (a->n == 0 || b->n == 0) {
        snprintf(v->text, sizeof v->text, "“%s”: open; %s is not run yet.", claim->words,
                 a->n == 0 ? l->run->name : r->run->name);
        return;
    }
    const bool so = claim->less == (a->mean < b->mean), few = a->n < 2 || b->n < 2,
               unclear = !few && fabs(a->mean - b->mean) <= a->deviation + b->deviation;
    snprintf(v->text, sizeof v->text, "“%s”: %s. %s of %s is %s, of %s %s: %s%s.", claim->words,
             unclear ? "can’t be told"
             : so    ? "so here too"
                     : "not so here",
             k->title, l->run->name, spread_text(k, a, ours), r->run->name, spread_text(k, b, theirs),
             distance(k, a->mean, b->mean, far),
             unclear ? ", no more than the seeds differ"
             : few   ? " (too few seeds to know the spread)"
                     : "");
    v->mark = unclear ? PAGE_OPEN : so ? PAGE_YES : PAGE_NO;
}

int study_judge(struct study_results *r, struct caelum_error *err) {
    const struct study *s = r->study;
    size_t count = s->claims;
    for (size_t i = 0; i < s->entries; i++) count += s->entry[i].references;
    CHECK(mem_alloc(&r->verdict, count, sizeof *r->verdict, err));
    struct study_verdict *v = r->verdict;
    for (const struct study_entry *e = s->entry; e < s->entry + s->entries; e++)
        for (size_t j = 0; j < e->references; j++, v++) {
            v->section = e->section, v->run = e->run, v->reference = &e->reference[j];
            judge_reference(r, v);
        }
    for (size_t i = 0; i < s->claims; i++, v++) {
        v->section = s->claim[i].section, v->claim = &s->claim[i];
        judge_claim(r, v);
    }
    r->verdicts = count;
    return CAELUM_OK;
}
