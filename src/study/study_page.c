/* study_page.c - the report as one page: what could be reproduced and what not, then a section after the
 * other: question, table, what the figures say, verdicts, charts, commands. */
#include "study/study_page.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "report/html.h"
#include "report/svg_chart.h"
#include "study/study_prose.h"
#include "study/study_table.h"
#include "study/svg_network.h"

#include <math.h>
#include <string.h>

enum { MOST_LINES = 16, MOST_POINTS = 64 };

/* --- Verdicts ------------------------------------------------------------------------------------- */

static void verdict_html(FILE *to, enum verdict verdict, const char *text) {
    static const char *const class[] = {"open", "yes", "no"}, *const mark[] = {"?", "✓", "✗"};
    fprintf(to, "<li class=\"%s\"><span class=\"mark\">%s</span>", class[verdict], mark[verdict]);
    html_text(to, text);
    fprintf(to, "</li>\n");
}

/* Those of a section, or of all with section = SIZE_MAX; only those of one verdict unless it is negative. */
static void verdicts_html(FILE *to, const struct study_results *r, size_t section, int only) {
    const struct study *s = r->study;
    char text[VERDICT_TEXT];
    fprintf(to, "<ul class=\"verdicts\">\n");
    for (size_t i = 0; i < s->entries; i++)
        for (size_t j = 0; j < s->entry[i].references; j++) {
            const enum verdict v = study_judge_reference(r, &r->result[s->entry[i].run],
                                                         &s->entry[i].reference[j], text, sizeof text);
            if ((section == SIZE_MAX || s->entry[i].section == section) && (only < 0 || (int)v == only))
                verdict_html(to, v, text);
        }
    for (size_t i = 0; i < s->claims; i++) {
        const enum verdict v = study_judge_claim(r, &s->claim[i], text, sizeof text);
        if ((section == SIZE_MAX || s->claim[i].section == section) && (only < 0 || (int)v == only))
            verdict_html(to, v, text);
    }
    fprintf(to, "</ul>\n");
}

static void overview_html(FILE *to, const struct study_results *r) {
    const struct study *s = r->study;
    size_t count[3], trainings = 0, trained = 0;
    study_count(r, count);
    for (size_t i = 0; i < s->runs; i++) trainings += r->result[i].seeds, trained += r->result[i].trained;
    fprintf(to, "<h1>");
    html_text(to, s->title);
    fprintf(to, "</h1>\n<p class=\"lead\">");
    html_text(to, r->data);
    fprintf(to, "<br>%zu of %zu trainings done. ", trained, trainings);
    html_text(to, r->machine);
    fprintf(to, "</p>\n");
    if (!study_judges(r)) fprintf(to, "<p><strong>%s</strong></p>\n", study_notice(r));
    fprintf(to, "<nav>");
    for (size_t i = 0; i < s->sections; i++) {
        fprintf(to, "<a href=\"#%s\">", s->section[i].name);
        html_text(to, s->section[i].title);
        fprintf(to, "</a> ");
    }
    fprintf(to, "</nav>\n");
    if (!study_judges(r) || count[0] + count[1] + count[2] == 0) return;
    fprintf(to, "<p>Of %zu published figures and claims of ", count[0] + count[1] + count[2]);
    html_text(to, s->source);
    fprintf(to, ", %zu are reproduced or surpassed, %zu are not, %zu are open.</p>\n", count[VERDICT_YES],
            count[VERDICT_NO], count[VERDICT_OPEN]);
    if (count[VERDICT_NO] > 0) {
        fprintf(to, "<h3>Not reproduced</h3>\n");
        verdicts_html(to, r, SIZE_MAX, VERDICT_NO);
    }
}

/* --- Charts --------------------------------------------------------------------------------------- */

/* How many runs of the section have each color already. */
static void count_colors(const struct study *s, size_t section, const bool *known, const size_t *color,
                         size_t count[SVG_COLORS]) {
    for (size_t i = 0; i < s->entries; i++)
        if (s->entry[i].section == section && known[s->entry[i].run]) count[color[s->entry[i].run]]++;
}

/* A color for each run, the same in every chart: the one that is rarest in the sections that show the run,
 * and then in all. */
static void study_colors(const struct study *s, size_t color[STUDY_RUNS]) {
    bool known[STUDY_RUNS] = {false};
    size_t all[SVG_COLORS] = {0};
    for (size_t r = 0; r < s->runs; r++) {
        size_t count[SVG_COLORS] = {0}, best = 0;
        for (size_t i = 0; i < s->entries; i++)
            if (s->entry[i].run == r) count_colors(s, s->entry[i].section, known, color, count);
        for (size_t c = 1; c < SVG_COLORS; c++)
            if (count[c] < count[best] || (count[c] == count[best] && all[c] < all[best])) best = c;
        color[r] = best;
        known[r] = true;
        all[best]++;
    }
}

/* Curves of a run: mean and range over its trained seeds. One allocation: [4][epochs]. */
struct curves {
    double *memory;
    size_t epochs;
};

static int curves_open(struct curves *c, const struct study_result *r, bool accuracy,
                       struct caelum_error *err) {
    *c = (struct curves){0};
    for (size_t i = 0; i < r->seeds; i++)
        if (r->seed[i].trained && (c->epochs == 0 || r->seed[i].epochs < c->epochs))
            c->epochs = r->seed[i].epochs;
    CHECK(mem_alloc(&c->memory, 4 * c->epochs, sizeof *c->memory, err));
    for (size_t e = 0; e < c->epochs; e++) {
        double sum = 0, low = INFINITY, high = -INFINITY;
        size_t n = 0;
        for (size_t i = 0; i < r->seeds; i++) {
            if (!r->seed[i].trained) continue;
            const struct caelum_epoch *at = &r->seed[i].history[e];
            const double v = accuracy ? at->val_accuracy : at->val_loss;
            sum += v, low = fmin(low, v), high = fmax(high, v), n++;
        }
        c->memory[e] = (double)(e + 1);
        c->memory[c->epochs + e] = sum / (double)n;
        c->memory[2 * c->epochs + e] = low;
        c->memory[3 * c->epochs + e] = high;
    }
    return CAELUM_OK;
}

/* Accuracy or loss by epoch of a section's runs. */
static int curves_html(FILE *to, const struct study_results *r, const size_t *color, size_t section,
                       bool accuracy, struct caelum_error *err) {
    const struct study *s = r->study;
    struct curves curves[MOST_LINES] = {0};
    struct svg_series series[MOST_LINES];
    size_t n = 0;
    int result = CAELUM_OK;
    for (size_t i = 0; result == 0 && i < s->entries && n < MOST_LINES; i++) {
        const struct study_result *run = &r->result[s->entry[i].run];
        if (s->entry[i].section != section || run->trained == 0) continue;
        result = curves_open(&curves[n], run, accuracy, err);
        const double *m = curves[n].memory;
        const size_t epochs = curves[n].epochs;
        series[n++] = (struct svg_series){.name = run->run->name,
                                          .color = color[s->entry[i].run],
                                          .x = m,
                                          .y = m + epochs,
                                          .low = run->trained > 1 ? m + 2 * epochs : NULL,
                                          .high = run->trained > 1 ? m + 3 * epochs : NULL,
                                          .n = epochs};
    }
    char id[128];
    snprintf(id, sizeof id, "%.64s-%s", s->section[section].name, accuracy ? "accuracy" : "loss");
    const struct svg_chart chart = {
        .title = accuracy ? "Accuracy by epoch" : "Loss by epoch",
        .description = "A line for each run: the mean over its seeds on the validation split; the band is "
                       "their range.",
        .x_label = "epoch",
        .y_label = accuracy ? "share of pixels whose largest channel agrees" : "mean squared error",
        .log_y = !accuracy,
        .series = series,
        .count = n,
        .id = id};
    if (result == 0 && n > 0)
        svg_figure_write(to, &chart, n < MOST_LINES ? NULL : "At most 16 runs are drawn, the first ones.");
    for (size_t i = 0; i < n; i++) mem_free(&curves[i].memory);
    return result;
}

static void latent_html(FILE *to, const struct study_results *r, const size_t *color) {
    size_t list[MOST_POINTS];
    double x[MOST_POINTS], y[MOST_POINTS], px[MOST_POINTS], py[MOST_POINTS];
    const char *names[MOST_POINTS];
    size_t colors[MOST_POINTS];
    const size_t n = study_reconstructing(r, list, MOST_POINTS);
    const size_t pca = r->pca_count < MOST_POINTS ? r->pca_count : MOST_POINTS;
    for (size_t i = 0; i < n; i++) {
        const struct study_result *run = &r->result[list[i]];
        x[i] = run->figure[FIGURE_BOTTLENECK].mean;
        y[i] = run->figure[FIGURE_MSE].mean;
        names[i] = run->run->name;
        colors[i] = color[list[i]];
    }
    for (size_t i = 0; i < pca; i++) px[i] = r->pca[i].numbers, py[i] = r->pca[i].mse;
    const struct svg_series series[] = {
        {.x = x, .y = y, .n = n, .point_names = names, .point_colors = colors},
        {.name = "PCA", .x = px, .y = py, .n = pca, .dashed = true}};
    const struct svg_chart chart = {
        .title = "Error against size of the bottleneck",
        .description = "A mark for each network, and the curve of PCA, the best linear code of each size.",
        .x_label = "numbers at the bottleneck",
        .y_label = "test MSE",
        .log_x = true,
        .log_y = true,
        .series = series,
        .count = 2,
        .id = "latent-chart"};
    if (n == 0) return;
    svg_figure_write(to, &chart,
                     n < MOST_POINTS
                         ? "Test error of every network that reconstructs, beside PCA fitted on the training "
                           "pictures."
                         : "Test error of the first 64 networks that reconstruct, beside PCA fitted on the "
                           "training pictures.");
}

static int sheet_html(FILE *to, const struct study_result *run, struct caelum_error *err) {
    char alt[200], caption[300];
    if (!run->sheet) return CAELUM_OK;
    snprintf(alt, sizeof alt, "Contact sheet of test pictures and what %s makes of them", run->run->name);
    snprintf(caption, sizeof caption,
             "Test pictures and what %s makes of them, seed %llu; they are the first of "
             "the split, not chosen.",
             run->run->name, (unsigned long long)run->seed[0].seed);
    return html_picture(to, run->sheet, alt, caption, err);
}

static int show_html(FILE *to, const struct study_results *r, const size_t *color,
                     const struct study_show *show, struct caelum_error *err) {
    const struct study_result *run = &r->result[show->run];
    char id[160], title[160];
    switch (show->figure) {
    case STUDY_NETWORK:
        if (!run->net) return CAELUM_OK;
        snprintf(id, sizeof id, "net-%s-%zu", run->run->name, show->section);
        snprintf(title, sizeof title, "The network of %s: channels × rows × columns", run->run->name);
        fprintf(to, "<figure>");
        svg_network_write(to, run->net, title, id);
        fprintf(to, "</figure>\n");
        return CAELUM_OK;
    case STUDY_CURVES:
        fprintf(to, "<div class=\"pair\">\n");
        CHECK(curves_html(to, r, color, show->section, true, err));
        CHECK(curves_html(to, r, color, show->section, false, err));
        fprintf(to, "</div>\n");
        return CAELUM_OK;
    case STUDY_SHEET:
        return sheet_html(to, run, err);
    case STUDY_LATENT:
        latent_html(to, r, color);
        return CAELUM_OK;
    }
    return CAELUM_OK;
}

/* --- Sections ------------------------------------------------------------------------------------- */

/* The command of each run that has its place in this section, its seeds, and what is not done. */
static void commands_html(FILE *to, const struct study_results *r, size_t section) {
    bool any = false;
    for (size_t i = 0; i < r->study->entries; i++) {
        const struct study_entry *e = &r->study->entry[i];
        const struct study_result *run = &r->result[e->run];
        if (e->section != section || run->seeds == 0) continue;
        if (!any) fprintf(to, "<h3>Commands</h3>\n<pre>");
        any = true;
        for (size_t j = 0; j < run->seeds; j++) {
            html_text(to, run->seed[j].command);
            if (!run->seed[j].trained) {
                fprintf(to, "   # ");
                html_text(to, run->seed[j].state);
            }
            fprintf(to, "\n");
        }
    }
    if (any) fprintf(to, "</pre>\n");
}

static int section_html(FILE *to, const struct study_results *r, const size_t *color, size_t section,
                        struct caelum_error *err) {
    const struct study_section *s = &r->study->section[section];
    struct study_table table;
    char prose[STUDY_PROSE];
    fprintf(to, "<section>\n<h2 id=\"%s\">", s->name);
    html_text(to, s->title);
    fprintf(to, "</h2>\n");
    if (s->about) {
        fprintf(to, "<p class=\"about\">");
        html_text(to, s->about);
        fprintf(to, "</p>\n");
    }
    for (int chroma = 0; chroma < 2; chroma++)
        if (study_table_plan(r, section, chroma != 0, &table)) study_table_html(to, r, section, &table);
    study_prose(r, section, prose, sizeof prose);
    if (*prose) {
        fprintf(to, "<p>");
        html_text(to, prose);
        fprintf(to, "</p>\n");
    }
    if (study_judges(r)) verdicts_html(to, r, section, -1);
    for (size_t i = 0; i < r->study->shows; i++)
        if (r->study->show[i].section == section) CHECK(show_html(to, r, color, &r->study->show[i], err));
    commands_html(to, r, section);
    fprintf(to, "</section>\n");
    return CAELUM_OK;
}

static void footer_html(FILE *to) {
    fprintf(
        to,
        "<footer><p>Test split; of each training the epoch with the lowest validation loss. MSE, PSNR and "
        "SSIM are measured on outputs clamped to [0, 1] and rounded to 8 bit. Accuracy is Keras’s: the share "
        "of pixels whose largest channel agrees, no measure of quality. ± is the population deviation over "
        "seeds. The bottleneck is the smallest count of numbers that every path through the network passes; "
        "latent is the layer marked as the code. Seconds are those of training and validation, with the "
        "threads that the command names or, side by side, one thread each.</p>"
        "<p>caelum %s</p></footer>\n",
        CAELUM_VERSION);
}

int study_page_write(const struct study_results *r, const char *dir, struct caelum_error *err) {
    char path[PATH_SIZE];
    size_t color[STUDY_RUNS];
    struct file_writer w;
    CHECK(file_join(path, sizeof path, dir, "index.html", err));
    CHECK(file_begin(&w, path, err));
    study_colors(r->study, color);
    html_begin(w.stream, r->study->title);
    overview_html(w.stream, r);
    int result = CAELUM_OK;
    for (size_t i = 0; result == 0 && i < r->study->sections; i++)
        result = section_html(w.stream, r, color, i, err);
    footer_html(w.stream);
    html_end(w.stream);
    if (result == 0) return file_commit(&w, err);
    file_abandon(&w);
    return result;
}
