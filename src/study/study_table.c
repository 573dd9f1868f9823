/* study_table.c - columns that no run fills are left out; a published figure stands left of ours. */
#include "study/study_table.h"

#include "report/html.h"

#include <math.h>
#include <string.h>

static const enum figure reconstruct_columns[] = {
    FIGURE_MSE,        FIGURE_ACCURACY, FIGURE_PSNR,    FIGURE_PARAMETERS, FIGURE_LATENT,
    FIGURE_BOTTLENECK, FIGURE_PCA,      FIGURE_SECONDS, FIGURE_RATE,       FIGURES};
static const enum figure color_columns[] = {
    FIGURE_LOSS,         FIGURE_ACCURACY,   FIGURE_UV_MSE,  FIGURE_R2,   FIGURE_PSNR,
    FIGURE_COLORFULNESS, FIGURE_PARAMETERS, FIGURE_SECONDS, FIGURE_RATE, FIGURES};

static bool belongs(const struct study_results *r, const struct study_entry *e, size_t section, bool color) {
    return e->section == section && (r->study->run[e->run].settings.task == CAELUM_COLORIZE) == color;
}

static const struct study_reference *reference_of(const struct study_entry *e, enum figure figure) {
    for (size_t i = 0; i < e->references; i++)
        if (figure_find(e->reference[i].metric) == figure) return &e->reference[i];
    return NULL;
}

bool study_table_plan(const struct study_results *r, size_t section, bool color, struct study_table *table) {
    const struct study *s = r->study;
    bool any = false;
    *table = (struct study_table){.color = color};
    for (size_t i = 0; i < s->entries; i++) any |= belongs(r, &s->entry[i], section, color);
    for (const enum figure *f = color ? color_columns : reconstruct_columns; *f != FIGURES; f++) {
        bool published = false;
        for (size_t i = 0; i < s->entries; i++)
            published |=
                study_judges(r) && belongs(r, &s->entry[i], section, color) && reference_of(&s->entry[i], *f);
        if (published)
            table->column[table->columns].figure = *f, table->column[table->columns++].published = true;
        table->column[table->columns++].figure = *f;
    }
    return any;
}

const char *study_table_cell(const struct study_results *r, const struct study_entry *e,
                             const struct study_table *table, size_t column, char text[96]) {
    const enum figure figure = table->column[column].figure;
    const struct spread *ours = &r->result[e->run].figure[figure];
    if (!table->column[column].published) {
        const bool error = figure == FIGURE_MSE || figure == FIGURE_LOSS || figure == FIGURE_UV_MSE;
        char mean[48];
        if (error || figure == FIGURE_ACCURACY) return spread_text(figure, ours, text);
        return strcpy(text, figure_text(figure, ours->mean, mean));
    }
    const struct study_reference *reference = reference_of(e, figure);
    if (!reference) return strcpy(text, "");
    published_text(reference, text);
    return text;
}

/* A figure of a published and an own column spans both. */
static bool spans(const struct study_table *t, size_t column) {
    return t->column[column].published;
}

static void head_html(FILE *to, const struct study_results *r, const struct study_table *t) {
    bool two = false;
    for (size_t c = 0; c < t->columns; c++) two |= t->column[c].published;
    if (two) {
        fprintf(to, "<tr class=\"groups\"><th></th>");
        for (size_t c = 0; c < t->columns; c++) {
            if (!spans(t, c)) {
                fprintf(to, "<th></th>");
                continue;
            }
            fprintf(to, "<th colspan=\"2\" scope=\"colgroup\">%s</th>",
                    figure_kinds[t->column[c++].figure].title);
        }
        fprintf(to, "</tr>\n");
    }
    fprintf(to, "<tr><th scope=\"col\">run</th>");
    for (size_t c = 0; c < t->columns; c++) {
        const bool second = c > 0 && t->column[c - 1].published;
        fprintf(to, "<th scope=\"col\">");
        html_text(to, t->column[c].published ? r->study->source
                      : second               ? "caelum"
                                             : figure_kinds[t->column[c].figure].title);
        fprintf(to, "</th>");
    }
    fprintf(to, "</tr>\n");
}

static void grey_row_html(FILE *to, const struct study_results *r, const struct study_table *t) {
    char text[48];
    fprintf(to, "<tr class=\"reference\"><th scope=\"row\">grey picture</th>");
    for (size_t c = 0; c < t->columns; c++) {
        const double v = r->grey[t->column[c].figure];
        fprintf(to, "<td>%s</td>",
                t->column[c].published || isnan(v) ? "" : figure_text(t->column[c].figure, v, text));
    }
    fprintf(to, "</tr>\n");
}

/* "mean", then the spread a shade lighter. */
static void cell_html(FILE *to, const char *text) {
    const char *spread = strstr(text, " ± ");
    if (strcmp(text, "-") == 0)
        fprintf(to, "<td class=\"none\">–</td>");
    else if (spread)
        fprintf(to, "<td>%.*s<span class=\"spread\">%s</span></td>", (int)(spread - text), text, spread);
    else
        fprintf(to, "<td>%s</td>", text);
}

void study_table_html(FILE *to, const struct study_results *r, size_t section, const struct study_table *t) {
    const struct study *s = r->study;
    char text[96];
    fprintf(to, "<div class=\"scroll\"><table>\n<thead>\n");
    head_html(to, r, t);
    fprintf(to, "</thead>\n<tbody>\n");
    for (size_t i = 0; i < s->entries; i++) {
        if (!belongs(r, &s->entry[i], section, t->color)) continue;
        const struct study_result *result = &r->result[s->entry[i].run];
        fprintf(to, "<tr><th scope=\"row\">");
        html_text(to, result->run->name);
        if (result->trained == 0) fprintf(to, " <span class=\"none\">not run</span>");
        fprintf(to, "</th>");
        for (size_t c = 0; c < t->columns; c++) cell_html(to, study_table_cell(r, &s->entry[i], t, c, text));
        fprintf(to, "</tr>\n");
    }
    if (t->color && !isnan(r->grey[FIGURE_UV_MSE])) grey_row_html(to, r, t);
    fprintf(to, "</tbody>\n</table></div>\n");
}

void study_table_markdown(FILE *to, const struct study_results *r, size_t section,
                          const struct study_table *t) {
    const struct study *s = r->study;
    char text[96];
    fprintf(to, "| run |");
    for (size_t c = 0; c < t->columns; c++)
        fprintf(to, " %s%s%s |", figure_kinds[t->column[c].figure].title, t->column[c].published ? ", " : "",
                t->column[c].published ? s->source : "");
    fprintf(to, "\n|---|");
    for (size_t c = 0; c < t->columns; c++) fprintf(to, "--:|");
    fprintf(to, "\n");
    for (size_t i = 0; i < s->entries; i++) {
        if (!belongs(r, &s->entry[i], section, t->color)) continue;
        fprintf(to, "| %s |", r->result[s->entry[i].run].run->name);
        for (size_t c = 0; c < t->columns; c++)
            fprintf(to, " %s |", study_table_cell(r, &s->entry[i], t, c, text));
        fprintf(to, "\n");
    }
    if (t->color && !isnan(r->grey[FIGURE_UV_MSE])) {
        fprintf(to, "| grey picture |");
        for (size_t c = 0; c < t->columns; c++) {
            const double v = r->grey[t->column[c].figure];
            char grey[48];
            fprintf(to, " %s |",
                    t->column[c].published || isnan(v) ? "" : figure_text(t->column[c].figure, v, grey));
        }
        fprintf(to, "\n");
    }
    fprintf(to, "\n");
}
