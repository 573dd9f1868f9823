/* study_figures.c - the arithmetic behind the report's words. */
#include "study/study_figures.h"

#include "base/number.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const struct figure_kind figure_kinds[FIGURES] = {
    [FIGURE_MSE] = {"mse", "MSE", "%.6f", -1, 0.05},
    [FIGURE_LOSS] = {"loss", "loss", "%.5f", -1, 0.05},
    [FIGURE_ACCURACY] = {"accuracy", "accuracy", "%.4f", 1, 0.01},
    [FIGURE_PSNR] = {"psnr", "PSNR, dB", "%.2f", 1, 0.01},
    [FIGURE_SSIM] = {"ssim", "SSIM", "%.4f", 1, 0.01},
    [FIGURE_MAE] = {"mae", "MAE", "%.4f", -1, 0.05},
    [FIGURE_UV_MSE] = {"uv_mse", "UV MSE", "%.6f", -1, 0.05},
    [FIGURE_R2] = {"r2", "R²", "%.3f", 1, 0.01},
    [FIGURE_RGB_MSE] = {"rgb_mse", "RGB MSE", "%.6f", -1, 0.05},
    [FIGURE_COLORFULNESS] = {"colorfulness", "colorfulness", "%.1f", 1, 0.05},
    [FIGURE_PARAMETERS] = {"parameters", "parameters", "%.0f", 0, 0},
    [FIGURE_LATENT] = {"latent", "latent", "%.0f", 0, 0},
    [FIGURE_BOTTLENECK] = {"bottleneck", "bottleneck", "%.0f", 0, 0},
    [FIGURE_PCA] = {"pca_mse", "PCA, same size", "%.6f", -1, 0},
    [FIGURE_SECONDS] = {"seconds", "seconds", "%.0f", -1, 0},
    [FIGURE_RATE] = {"pictures_per_second", "pictures/s", "%.0f", 1, 0},
};

enum figure figure_find(const char *key) {
    size_t i = 0;
    while (i < FIGURES && strcmp(figure_kinds[i].key, key) != 0) i++;
    return (enum figure)i;
}

void study_spread(struct study_result *r) {
    for (size_t f = 0; f < FIGURES; f++) {
        struct spread s = {.low = INFINITY, .high = -INFINITY};
        double sum = 0, squares = 0;
        for (size_t i = 0; i < r->seeds; i++) {
            const double v = r->seed[i].value[f];
            if (!r->seed[i].trained || isnan(v)) continue;
            sum += v;
            s.low = fmin(s.low, v), s.high = fmax(s.high, v);
            s.n++;
        }
        s.mean = s.n ? sum / (double)s.n : NAN;
        for (size_t i = 0; i < r->seeds; i++)
            if (r->seed[i].trained && !isnan(r->seed[i].value[f]))
                squares += (r->seed[i].value[f] - s.mean) * (r->seed[i].value[f] - s.mean);
        s.deviation = s.n ? sqrt(squares / (double)s.n) : NAN;
        r->figure[f] = s;
    }
}

/* "4,911" from "4911". */
static void group(char text[48]) {
    char digits[48], *to = text;
    snprintf(digits, sizeof digits, "%s", text);
    const size_t n = strlen(digits);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && digits[0] != '-' && (n - i) % 3 == 0) *to++ = ',';
        *to++ = digits[i];
    }
    *to = '\0';
}

const char *figure_text(enum figure figure, double value, char text[48]) {
    const char *format = figure_kinds[figure].format;
    if (isnan(value)) return strcpy(text, "-");
    number_print(text, 40, format, value);
    if (strcmp(format, "%.0f") == 0 && fabs(value) < 1e12) group(text);
    return text;
}

static bool counted(enum figure figure) {
    return figure_kinds[figure].better == 0 || figure == FIGURE_PCA;
}

const char *spread_text(enum figure figure, const struct spread *s, char text[96]) {
    char mean[48], deviation[48];
    figure_text(figure, s->mean, mean);
    if (s->n < 2 || counted(figure)) return strcpy(text, mean);
    snprintf(text, 96, "%s ± %s", mean, figure_text(figure, s->deviation, deviation));
    return text;
}

const char *published_text(const struct study_reference *reference, char text[96]) {
    const enum figure figure = figure_find(reference->metric);
    const char *sign = reference->relation == '<' ? "≤ " : reference->relation == '>' ? "≥ " : "";
    char number[48];
    if (figure < FIGURES && (figure == FIGURE_ACCURACY || counted(figure)))
        snprintf(text, 96, "%s%s", sign, figure_text(figure, reference->value, number));
    else
        number_print(text, 96, "%s%g", sign, reference->value);
    return text;
}

/* "3 seeds" */
static const char *over(const struct spread *s, char text[40]) {
    snprintf(text, 40, s->n == 1 ? "one seed" : "%zu seeds", s->n);
    return text;
}

/* "6.1 % lower"; "0.0165 lower" for what is a share already. */
static const char *distance(enum figure figure, double ours, double theirs, char text[64]) {
    const char *way = ours < theirs ? "lower" : "higher";
    char number[48];
    if (ours == theirs) return strcpy(text, "the same");
    if (figure == FIGURE_ACCURACY || figure == FIGURE_SSIM || figure == FIGURE_R2 || figure == FIGURE_PSNR)
        number_print(text, 64, "%s %s", figure_text(figure, fabs(ours - theirs), number), way);
    else if (ours > 3 * theirs && theirs > 0)
        number_print(text, 64, "%.1f times as high", ours / theirs);
    else
        number_print(text, 64, "%.*f %% %s", fabs(ours / theirs - 1) < 0.1 ? 1 : 0,
                     100 * fabs(ours / theirs - 1), way);
    return text;
}

static enum verdict judge_equal(enum figure figure, double ours, double theirs, const char **word) {
    const struct figure_kind *k = &figure_kinds[figure];
    const double gain = k->better * (ours - theirs), slack = k->tolerance * fabs(theirs);
    if (k->better == 0) {
        *word = ours == theirs ? "reproduced" : "not the same";
        return ours == theirs ? VERDICT_YES : VERDICT_NO;
    }
    *word = fabs(gain) <= slack ? "reproduced" : gain > 0 ? "surpassed" : "not reproduced";
    return gain >= -slack ? VERDICT_YES : VERDICT_NO;
}

bool study_judges(const struct study_results *results) {
    return !results->quick && !results->generated;
}

enum verdict study_judge_reference(const struct study_results *results, const struct study_result *r,
                                   const struct study_reference *reference, char *text, size_t size) {
    const struct study *study = results->study;
    const enum figure figure = figure_find(reference->metric);
    char ours[96], theirs[96], seeds[40], far[64];
    published_text(reference, theirs);
    if (!study_judges(results)) {
        snprintf(text, size, "%s, %s: %s has %s; not judged.", r->run->name, reference->metric, study->source,
                 theirs);
        return VERDICT_OPEN;
    }
    if (figure == FIGURES || isnan(r->figure[figure].mean)) {
        snprintf(text, size, "%s, %s: %s has %s; %s.", r->run->name, reference->metric, study->source, theirs,
                 r->trained > 0 ? "not measured here" : "not run here yet");
        return VERDICT_OPEN;
    }
    const struct spread *s = &r->figure[figure];
    const char *word;
    enum verdict verdict;
    if (reference->relation == '=') {
        verdict = judge_equal(figure, s->mean, reference->value, &word);
    } else {
        const bool so =
            reference->relation == '<' ? s->mean <= reference->value : s->mean >= reference->value;
        verdict = so ? VERDICT_YES : VERDICT_NO;
        word = so ? "reproduced" : "not so here";
    }
    snprintf(text, size, "%s, %s: %s here (%s); %s has %s. %c%s: %s.", r->run->name,
             figure_kinds[figure].title, spread_text(figure, s, ours), over(s, seeds), study->source, theirs,
             word[0] - 'a' + 'A', word + 1, distance(figure, s->mean, reference->value, far));
    return verdict;
}

enum verdict study_judge_claim(const struct study_results *results, const struct study_claim *claim,
                               char *text, size_t size) {
    const struct study_result *l = &results->result[claim->left], *r = &results->result[claim->right];
    const enum figure figure = l->run->settings.task == CAELUM_COLORIZE ? FIGURE_UV_MSE : FIGURE_MSE;
    const struct spread *a = &l->figure[figure], *b = &r->figure[figure];
    char ours[96], theirs[96], far[64];
    if (!study_judges(results)) {
        snprintf(text, size, "“%s”: not judged.", claim->words);
        return VERDICT_OPEN;
    }
    if (a->n == 0 || b->n == 0) {
        snprintf(text, size, "“%s”: open; %s is not run yet.", claim->words,
                 a->n == 0 ? l->run->name : r->run->name);
        return VERDICT_OPEN;
    }
    const bool so = claim->less == (a->mean < b->mean);
    const double noise = a->deviation + b->deviation;
    const bool unclear = a->n > 1 && b->n > 1 && fabs(a->mean - b->mean) <= noise;
    snprintf(text, size, "“%s”: %s. %s of %s is %s, of %s %s: %s%s.", claim->words,
             unclear ? "can’t be told"
             : so    ? "so here too"
                     : "not so here",
             figure_kinds[figure].title, l->run->name, spread_text(figure, a, ours), r->run->name,
             spread_text(figure, b, theirs), distance(figure, a->mean, b->mean, far),
             unclear                ? ", no more than the seeds differ"
             : a->n < 2 || b->n < 2 ? " (too few seeds to know the spread)"
                                    : "");
    return unclear ? VERDICT_OPEN : so ? VERDICT_YES : VERDICT_NO;
}
