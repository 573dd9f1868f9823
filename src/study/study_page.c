/* study_page.c - the report as one page: what could be reproduced and what not, then a section after the
 * other: question, table, verdicts, charts, commands. */
#include "study/study_figures.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/path.h"
#include "report/svg_chart.h"
#include "study/study_charts.h"

#include <math.h>
#include <string.h>

/* --- Overview ------------------------------------------------------------------------------------- */

/* The verdicts of a section, or with section = SIZE_MAX all that have this mark. */
static void verdicts(const struct page *page, const struct study_results *r, size_t section,
                     enum page_mark mark) {
    page_list(page, true);
    for (size_t i = 0; i < r->verdicts; i++)
        if (section == SIZE_MAX ? r->verdict[i].mark == mark : r->verdict[i].section == section)
            page_item(page, r->verdict[i].mark, r->verdict[i].text);
    page_list(page, false);
}

static void overview(const struct page *page, const struct study_results *r) {
    const struct study *s = r->study;
    const struct page html = {.html = page->html};
    size_t count[PAGE_MARKS] = {0}, trainings = 0, trained = 0;
    char text[STUDY_WORDS + 400];
    for (size_t i = 0; i < r->verdicts; i++) count[r->verdict[i].mark]++;
    for (size_t i = 0; i < s->runs; i++) trainings += r->result[i].seeds, trained += r->result[i].trained;
    page_heading(page, 1, NULL, s->title);
    page_paragraph(page, PAGE_PLAIN, r->data);
    snprintf(text, sizeof text, "%zu of %zu trainings done. %.400s", trained, trainings, r->machine);
    page_paragraph(&html, PAGE_PLAIN, text);
    if (study_notice(r)) page_paragraph(page, PAGE_STRONG, study_notice(r));
    fprintf(page->html, "<nav>");
    for (size_t i = 0; i < s->sections; i++) {
        fprintf(page->html, "<a href=\"#%s\">", s->section[i].name);
        html_text(page->html, "", s->section[i].title, "</a> ");
    }
    fprintf(page->html, "</nav>\n");
    if (study_notice(r) || r->verdicts == 0) return;
    snprintf(text, sizeof text,
             "Of %zu published figures and claims of %s, %zu are reproduced or surpassed, %zu are not, %zu "
             "are open. Figures are of the test split, means over seeds and their population deviation.",
             r->verdicts, s->source, count[PAGE_YES], count[PAGE_NO], count[PAGE_OPEN]);
    page_paragraph(page, PAGE_PLAIN, text);
    if (count[PAGE_NO] == 0) return;
    page_heading(&html, 3, NULL, "Not reproduced");
    verdicts(&html, r, SIZE_MAX, PAGE_NO);
}

/* --- Tables --------------------------------------------------------------------------------------- */

enum { COLUMNS = 2 * FIGURES + 1 };

/* A section's table of runs that colorize, or of those that don't. */
struct table {
    const struct study_results *results;
    size_t section;
    bool color;
    struct {
        size_t figure;
        bool published; /* the references' column, left of ours */
    } column[COLUMNS];
    size_t columns;
};

static bool colorizes(const struct study_run *run) {
    return run->settings.task == CAELUM_COLORIZE;
}

static bool shows(const struct table *t, const struct study_entry *e) {
    return e->section == t->section && colorizes(&t->results->study->run[e->run]) == t->color;
}

static const struct study_reference *reference_of(const struct study_entry *e, size_t figure) {
    for (size_t i = 0; i < e->references; i++)
        if (e->reference[i].figure == figure) return &e->reference[i];
    return NULL;
}

/* A column for a figure that a run has, and one for what is published. */
static void add_columns(struct table *t, size_t figure) {
    const struct study *s = t->results->study;
    bool ours = false, published = false;
    for (size_t i = 0; i < s->entries; i++)
        if (shows(t, &s->entry[i])) {
            ours |= !isnan(t->results->result[s->entry[i].run].figure[figure].mean);
            published |= !study_notice(t->results) && reference_of(&s->entry[i], figure);
        }
    for (int p = published ? 1 : 0; p >= (ours || published ? 0 : 1); p--)
        t->column[t->columns].figure = figure, t->column[t->columns++].published = p != 0;
}

static void write_rows(const struct page *page, const struct table *t) {
    const struct study_results *r = t->results;
    const char *cell[COLUMNS + 1] = {NULL};
    char text[COLUMNS][96];
    for (size_t i = 0; i <= r->study->entries; i++) { /* and a grey picture */
        const bool grey = i == r->study->entries;
        const struct study_entry *e = &r->study->entry[i];
        const size_t main_figure = study_main_figure(r->study, CAELUM_COLORIZE);
        if (grey ? !t->color || isnan(r->grey[main_figure]) : !shows(t, e)) continue;
        cell[0] = grey ? "grey picture" : r->result[e->run].run->name;
        for (size_t c = 0; c < t->columns; c++) {
            const size_t figure = t->column[c].figure;
            const struct figure_kind *k = &r->study->figure[figure];
            const struct study_reference *reference = grey ? NULL : reference_of(e, figure);
            cell[c + 1] = text[c];
            if (t->column[c].published ? !reference : grey && isnan(r->grey[figure]))
                *text[c] = '\0';
            else if (t->column[c].published)
                published_text(r->study, reference, text[c]);
            else if (grey)
                figure_text(k, r->grey[figure], text[c]);
            else
                spread_text(k, &r->result[e->run].figure[figure], text[c]);
        }
        page_row(page, cell, t->columns + 1, grey);
    }
}

static void write_table(const struct page *page, const struct study_results *r, size_t section, bool color) {
    static const char *const keys[] = {"mse",        "accuracy",     "uv_mse",     "r2",
                                       "psnr",       "colorfulness", "parameters", "latent",
                                       "bottleneck", "pca_mse",      "seconds",    "pictures_per_second"};
    const struct study *s = r->study;
    struct table t = {.results = r, .section = section, .color = color};
    const char *head[COLUMNS + 1] = {"run"};
    char text[COLUMNS][STUDY_WORDS + 80];
    size_t rows = 0;
    for (size_t i = 0; i < s->entries; i++) rows += shows(&t, &s->entry[i]);
    if (rows == 0) return;
    for (size_t f = 0; f < s->figures; f++)
        if (s->figure[f].factor != 0) add_columns(&t, f);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) add_columns(&t, study_figure(s, keys[i]));
    for (size_t c = 0; c < t.columns; c++) {
        head[c + 1] = text[c];
        snprintf(text[c], sizeof text[c], "%s%s%s", s->figure[t.column[c].figure].title,
                 t.column[c].published ? ", " : "", t.column[c].published ? s->source : "");
    }
    page_table(page, head, t.columns + 1);
    write_rows(page, &t);
    page_table_end(page);
}

/* --- Charts --------------------------------------------------------------------------------------- */

/* A color for each run, the same in every chart: the one that is rarest in the sections that show the run,
 * and among those the one that is rarest in all. */
static void study_colors(const struct study *s, size_t color[STUDY_RUNS]) {
    for (size_t r = 0; r < s->runs; r++) {
        size_t weight[SVG_COLORS] = {0}, best = 0;
        for (size_t before = 0; before < r; before++) weight[color[before]]++;
        for (const struct study_entry *own = s->entry; own < s->entry + s->entries; own++)
            for (const struct study_entry *e = s->entry; own->run == r && e < s->entry + s->entries; e++)
                if (e->section == own->section && e->run < r) weight[color[e->run]] += STUDY_RUNS;
        for (size_t c = 1; c < SVG_COLORS; c++)
            if (weight[c] < weight[best]) best = c;
        color[r] = best;
    }
}

/* Accuracy and loss by epoch of a section's runs. */
static int curves_html(FILE *to, const struct study_results *r, const size_t *color, size_t section,
                       struct caelum_error *err) {
    const struct study *s = r->study;
    struct curves_run *runs = NULL;
    size_t n = 0;
    char id[128];
    CHECK(mem_alloc(&runs, s->entries, sizeof *runs, err));
    for (size_t i = 0; i < s->entries; i++) {
        const struct study_result *result = &r->result[s->entry[i].run];
        if (s->entry[i].section != section || result->trained == 0) continue;
        struct curves_run *run = &runs[n++];
        *run = (struct curves_run){.name = result->run->name, .color = color[s->entry[i].run]};
        for (size_t j = 0; j < result->seeds; j++) {
            const struct study_seed *seed = &result->seed[j];
            if (!seed->trained) continue;
            if (run->seeds == 0 || seed->epochs < run->epochs) run->epochs = seed->epochs;
            run->history[run->seeds++] = seed->history;
        }
    }
    int result = CAELUM_OK;
    fprintf(to, "<div class=\"pair\">\n");
    for (int accuracy = 1; result == 0 && accuracy >= 0; accuracy--) {
        snprintf(id, sizeof id, "%.64s-%s", s->section[section].name, accuracy ? "accuracy" : "loss");
        result = curves_write(to, NULL, runs, n, accuracy != 0, id, err);
    }
    fprintf(to, "</div>\n");
    mem_free(&runs);
    return result;
}

/* The trained runs that reconstruct and have a figure, of which there are n. */
struct points {
    size_t n, run[STUDY_RUNS];           /* positions in results->result */
    double x[STUDY_RUNS], y[STUDY_RUNS]; /* the figure; the error */
};

static struct points list_points(const struct study_results *r, size_t figure) {
    const size_t error = study_main_figure(r->study, CAELUM_RECONSTRUCT);
    struct points p = {0};
    for (size_t i = 0; i < r->study->runs; i++) {
        const struct spread *s = r->result[i].figure;
        if (r->result[i].trained == 0 || colorizes(r->result[i].run) || isnan(s[figure].mean)) continue;
        p.run[p.n] = i;
        p.x[p.n] = s[figure].mean;
        p.y[p.n++] = s[error].mean;
    }
    return p;
}

/* How size and error correlate over all networks. */
static void write_correlations(const struct page *page, const struct study_results *r) {
    char text[300], latent_text[100] = "", pca_text[40] = "";
    const struct points all = list_points(r, FIGURE_BOTTLENECK), marked = list_points(r, FIGURE_LATENT);
    const double ours = study_correlation(all.x, all.y, all.n),
                 latent = study_correlation(marked.x, marked.y, marked.n),
                 pca = study_correlation(r->pca_numbers, r->pca_mse, r->pca_count);
    if (study_notice(r) || isnan(ours)) return;
    if (!isnan(latent))
        number_print(latent_text, sizeof latent_text, "; of the layer marked as the code and error: %+.2f",
                     latent);
    if (!isnan(pca)) number_print(pca_text, sizeof pca_text, "; of PCA: %+.2f", pca);
    number_print(text, sizeof text,
                 "Correlation of the logarithms of bottleneck and error: %+.2f over %zu networks%s%s.", ours,
                 all.n, latent_text, pca_text);
    page_paragraph(page, PAGE_PLAIN, text);
}

static void latent_html(FILE *to, const struct study_results *r, const size_t *color) {
    enum { MOST = 64 }; /* points of a chart */
    const struct points all = list_points(r, FIGURE_BOTTLENECK);
    const size_t n = all.n < MOST ? all.n : MOST;
    size_t colors[MOST];
    const char *names[MOST];
    for (size_t i = 0; i < n; i++) {
        names[i] = r->result[all.run[i]].run->name;
        colors[i] = color[all.run[i]];
    }
    const struct svg_series series[] = {
        {.x = all.x, .y = all.y, .n = n, .point_names = names, .point_colors = colors},
        {.name = "PCA", .x = r->pca_numbers, .y = r->pca_mse, .n = r->pca_count, .dashed = true}};
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
    char caption[120];
    snprintf(caption, sizeof caption,
             "Test error of %s that reconstruct%s, and of PCA fitted on the training pictures.",
             n < all.n ? "the first 64 networks" : "every network", n < all.n ? "" : "s");
    if (n > 0) svg_figure_write(to, &chart, caption);
}

static int sheet_html(FILE *to, const struct study_result *run, struct caelum_error *err) {
    char alt[200], caption[300];
    if (!*run->sheet) return CAELUM_OK;
    snprintf(alt, sizeof alt, "Contact sheet of test pictures and what %s makes of them", run->run->name);
    snprintf(caption, sizeof caption,
             "Test pictures and what %s makes of them, seed %llu; they are the first of "
             "the split, not chosen.",
             run->run->name, (unsigned long long)run->seed[0].seed);
    return html_picture_file(to, run->sheet, alt, caption, err);
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
        network_write(to, run->net, title, id);
        return CAELUM_OK;
    case STUDY_CURVES:
        return curves_html(to, r, color, show->section, err);
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
            html_text(to, "", run->seed[j].command, "");
            if (!run->seed[j].trained) html_text(to, "   # ", run->seed[j].state, "");
            fputc('\n', to);
        }
    }
    if (any) fprintf(to, "</pre>\n");
}

static int write_section(const struct page *page, const struct study_results *r, const size_t *color,
                         size_t section, struct caelum_error *err) {
    const struct study *s = r->study;
    size_t judged = 0;
    page_heading(page, 2, s->section[section].name, s->section[section].title);
    if (s->section[section].about) page_paragraph(page, PAGE_ABOUT, s->section[section].about);
    for (int chroma = 0; chroma < 2; chroma++) write_table(page, r, section, chroma != 0);
    for (size_t i = 0; i < r->verdicts; i++) judged += r->verdict[i].section == section;
    if (judged > 0 && !study_notice(r)) verdicts(page, r, section, PAGE_OPEN);
    for (size_t i = 0; i < s->shows; i++) {
        if (s->show[i].section != section) continue;
        if (s->show[i].figure == STUDY_LATENT) write_correlations(page, r);
        CHECK(show_html(page->html, r, color, &s->show[i], err));
    }
    commands_html(page->html, r, section);
    return CAELUM_OK;
}

static void write_footer(FILE *html) {
    fprintf(
        html,
        "<footer><p>Test split; of each training the epoch with the lowest validation loss. MSE, PSNR and "
        "SSIM are measured on outputs clamped to [0, 1] and rounded to 8 bit. Accuracy is Keras’s: the share "
        "of pixels whose largest channel agrees, no measure of quality. ± is the population deviation over "
        "seeds. The bottleneck is the smallest count of numbers that every path through the network passes; "
        "latent is the layer marked as the code. Seconds are those of training and validation, with the "
        "threads that the command names or, side by side, one thread each.</p>"
        "<p>caelum %s</p></footer>\n",
        CAELUM_VERSION);
}

static int write_all(const struct page *page, const struct study_results *r, struct caelum_error *err) {
    size_t color[STUDY_RUNS];
    study_colors(r->study, color);
    page_begin(page, r->study->title);
    overview(page, r);
    for (size_t i = 0; i < r->study->sections; i++) CHECK(write_section(page, r, color, i, err));
    write_footer(page->html);
    page_end(page);
    return CAELUM_OK;
}

static int write_files(const struct study_results *r, const char *dir, struct file_writer *html,
                       struct file_writer *markdown, struct caelum_error *err) {
    char path[PATH_SIZE];
    CHECK(file_join(path, sizeof path, dir, "index.html", err));
    CHECK(file_begin(html, path, err));
    CHECK(file_join(path, sizeof path, dir, "study.md", err));
    CHECK(file_begin(markdown, path, err));
    CHECK(write_all(&(struct page){html->stream, markdown->stream}, r, err));
    CHECK(file_commit(html, err));
    return file_commit(markdown, err);
}

int study_page_write(const struct study_results *r, const char *dir, struct caelum_error *err) {
    struct file_writer html = {0}, markdown = {0};
    const int result = write_files(r, dir, &html, &markdown, err);
    file_abandon(&html);
    file_abandon(&markdown);
    return result;
}
