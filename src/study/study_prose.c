/* study_prose.c - sentences are added only where there are figures for them, and take their words from the
 * comparison they report, so that text and tables can't disagree. */
#include "study/study_prose.h"

#include "base/number.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MOST = STUDY_RUNS };

/* The paragraph under way. */
struct prose {
    char *text;
    size_t size;
};

__attribute__((format(printf, 2, 3))) static void say(struct prose *p, const char *format, ...) {
    const size_t used = strlen(p->text);
    va_list args;
    va_start(args, format);
    const int length = number_vprint(p->text + used, p->size - used, format, args);
    va_end(args);
    if (length < 0 || (size_t)length >= p->size - used) p->text[used] = '\0'; /* whole, or not at all */
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

static bool reconstructs(const struct study_result *r) {
    return r->run->settings.task != CAELUM_COLORIZE;
}

size_t study_reconstructing(const struct study_results *results, size_t *list, size_t most) {
    size_t n = 0;
    for (size_t i = 0; i < results->study->runs && n < most; i++)
        if (results->result[i].trained > 0 && reconstructs(&results->result[i])) list[n++] = i;
    return n;
}

/* Trained runs of a section, of one kind. */
static size_t list_runs(const struct study_results *r, size_t section, bool color, size_t list[MOST]) {
    size_t n = 0;
    for (size_t i = 0; i < r->study->entries; i++) {
        const struct study_entry *e = &r->study->entry[i];
        if (e->section == section && r->result[e->run].trained > 0 &&
            reconstructs(&r->result[e->run]) != color && n < MOST)
            list[n++] = e->run;
    }
    return n;
}

static double error_of(const struct study_results *r, size_t run) {
    return r->result[run].figure[reconstructs(&r->result[run]) ? FIGURE_MSE : FIGURE_UV_MSE].mean;
}

static void say_best(struct prose *p, const struct study_results *r, const size_t *list, size_t n) {
    size_t best = 0, worst = 0;
    char text[96];
    if (n < 2) return;
    for (size_t i = 0; i < n; i++) {
        if (error_of(r, list[i]) < error_of(r, list[best])) best = i;
        if (error_of(r, list[i]) > error_of(r, list[worst])) worst = i;
    }
    const struct study_result *b = &r->result[list[best]];
    const enum figure f = reconstructs(b) ? FIGURE_MSE : FIGURE_UV_MSE;
    const double ratio = error_of(r, list[worst]) / error_of(r, list[best]);
    say(p, "Of these %zu runs %s has the lowest test error, %s %s; ", n, b->run->name, figure_kinds[f].title,
        spread_text(f, &b->figure[f], text));
    if (ratio > 2)
        say(p, "%s has the highest, %.1f times as much. ", r->result[list[worst]].run->name, ratio);
    else
        say(p, "%s has the highest, %.0f %% more. ", r->result[list[worst]].run->name, 100 * (ratio - 1));
}

/* Against the best linear code with as many numbers as every path must pass. */
static void say_pca(struct prose *p, const struct study_results *r, const size_t *list, size_t n) {
    double low = INFINITY, high = 0;
    size_t known = 0, beaten = 0;
    for (size_t i = 0; i < n; i++) {
        const double ratio = error_of(r, list[i]) / r->result[list[i]].figure[FIGURE_PCA].mean;
        if (isnan(ratio)) continue;
        known++;
        beaten += ratio < 1;
        low = fmin(low, ratio), high = fmax(high, ratio);
    }
    if (known == 0) return;
    say(p, "PCA with as many numbers as the bottleneck ");
    if (beaten == known)
        say(p, "is behind %s. ", known == 1 ? "this network" : "all of these networks");
    else if (beaten > 0)
        say(p, "is behind %zu of these %zu networks. ", beaten, known);
    else if (known == 1 || high - low < 0.1 * high)
        say(p, "has an error %.1f times lower than %s. ", (low + high) / 2,
            known == 1 ? "this network’s" : "these networks’");
    else
        say(p, "has an error %.1f to %.1f times lower than these networks’. ", low, high);
}

static void say_grey(struct prose *p, const struct study_results *r, size_t section, const size_t *list,
                     size_t n) {
    const double grey = r->grey[FIGURE_UV_MSE], loss = r->grey[FIGURE_LOSS];
    char text[48];
    if (isnan(grey)) return;
    say(p, "A grey picture has UV MSE %s, ", figure_text(FIGURE_UV_MSE, grey, text));
    say(p, "loss %s on the scale supposed here. ", figure_text(FIGURE_LOSS, loss, text));
    for (size_t i = 0; i < r->study->entries; i++) {
        const struct study_entry *e = &r->study->entry[i];
        for (size_t j = 0; e->section == section && j < e->references; j++)
            if (figure_find(e->reference[j].metric) == FIGURE_LOSS &&
                fabs(e->reference[j].value / loss - 1) < 0.02)
                say(p, "The published loss of %g is, on that scale, that of a grey picture. ",
                    e->reference[j].value);
    }
    for (size_t i = 0; i < n; i++) {
        const double share = 1 - error_of(r, list[i]) / grey;
        if (share > 0)
            say(p, "%s takes %.1f %% off the grey picture’s error. ", r->result[list[i]].run->name,
                100 * share);
        else
            say(p, "%s is no better than grey. ", r->result[list[i]].run->name);
    }
}

/* "-0.14" with a true minus sign. */
static const char *correlation_text(double r, char text[16]) {
    number_print(text, 16, "%s%.2f", r < 0 ? "−" : "", fabs(r));
    return text;
}

static const char *strength(double r) {
    return fabs(r) < 0.3 ? "hardly correlate" : fabs(r) < 0.7 ? "correlate weakly" : "correlate strongly";
}

static void say_latent(struct prose *p, const struct study_results *r) {
    size_t list[MOST];
    double latent[MOST], bottleneck[MOST], mse[MOST], pca[MOST], numbers[MOST];
    const size_t n = study_reconstructing(r, list, MOST);
    size_t marked = 0, sizes = 0;
    double marked_mse[MOST];
    char text[16];
    for (size_t i = 0; i < n; i++) {
        const struct study_result *result = &r->result[list[i]];
        bottleneck[i] = result->figure[FIGURE_BOTTLENECK].mean;
        mse[i] = result->figure[FIGURE_MSE].mean;
        if (!isnan(result->figure[FIGURE_LATENT].mean))
            latent[marked] = result->figure[FIGURE_LATENT].mean, marked_mse[marked++] = mse[i];
        size_t j = 0;
        while (j < i && bottleneck[j] != bottleneck[i]) j++;
        sizes += j == i;
    }
    const size_t points = r->pca_count < MOST ? r->pca_count : MOST;
    for (size_t i = 0; i < points; i++) numbers[i] = r->pca[i].numbers, pca[i] = r->pca[i].mse;
    const double a = study_correlation(bottleneck, mse, n), b = study_correlation(latent, marked_mse, marked),
                 c = study_correlation(numbers, pca, points);
    if (isnan(a)) return;
    say(p,
        "Over %zu networks with %zu different bottlenecks, size and error %s: r = %s between the "
        "logarithms. ",
        n, sizes, strength(a), correlation_text(a, text));
    if (!isnan(b))
        say(p, "With the size of the layer marked as the code instead, r = %s. ", correlation_text(b, text));
    if (!isnan(c)) say(p, "For PCA r = %s. ", correlation_text(c, text));
}

static void say_findings(struct prose *p, const struct study_results *r, size_t section) {
    size_t list[MOST];
    for (size_t i = 0; i < r->study->shows; i++)
        if (r->study->show[i].section == section && r->study->show[i].figure == STUDY_LATENT)
            say_latent(p, r);
    size_t n = list_runs(r, section, false, list);
    say_best(p, r, list, n);
    say_pca(p, r, list, n);
    n = list_runs(r, section, true, list);
    say_best(p, r, list, n);
    if (n > 0) say_grey(p, r, section, list, n);
}

void study_prose(const struct study_results *r, size_t section, char *text, size_t size) {
    struct prose p = {text, size};
    size_t missing = 0, all = 0;
    text[0] = '\0';
    if (study_judges(r)) say_findings(&p, r, section);
    for (size_t i = 0; i < r->study->entries; i++) {
        if (r->study->entry[i].section != section) continue;
        const struct study_result *result = &r->result[r->study->entry[i].run];
        all += result->seeds;
        missing += result->seeds - result->trained;
    }
    if (missing > 0) say(&p, "%zu of this section’s %zu trainings are not run yet. ", missing, all);
    const size_t used = strlen(text);
    if (used > 0 && text[used - 1] == ' ') text[used - 1] = '\0';
}

const char *study_notice(const struct study_results *r) {
    return r->quick
               ? "A quick pass: two epochs of each first seed on 2,000 pictures. These figures show that "
                 "everything runs, not how good the networks are, and nothing is judged by them."
           : r->generated ? "Generated pictures stand in for the data of this study: its figures and claims "
                            "are not judged by them."
                          : "";
}

void study_count(const struct study_results *r, size_t count[3]) {
    char text[VERDICT_TEXT];
    count[VERDICT_OPEN] = count[VERDICT_YES] = count[VERDICT_NO] = 0;
    for (size_t i = 0; i < r->study->entries; i++) {
        const struct study_entry *e = &r->study->entry[i];
        for (size_t j = 0; j < e->references; j++)
            count[study_judge_reference(r, &r->result[e->run], &e->reference[j], text, sizeof text)]++;
    }
    for (size_t i = 0; i < r->study->claims; i++)
        count[study_judge_claim(r, &r->study->claim[i], text, sizeof text)]++;
}
