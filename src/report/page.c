/* page.c - every block in both forms, one below the other. */
#include "report/page.h"

#include "report/html.h"

#include <string.h>

static void element(FILE *to, const char *open, const char *text, const char *close) {
    fputs(open, to);
    html_text(to, text);
    fputs(close, to);
}

void page_heading(const struct page *p, int level, const char *id, const char *text) {
    char close[16];
    fprintf(p->html, id ? "<h%d id=\"%s\">" : "<h%d>", level, id);
    snprintf(close, sizeof close, "</h%d>\n", level);
    element(p->html, "", text, close);
    if (p->markdown) fprintf(p->markdown, "%.*s %s\n\n", level, "###", text);
}

void page_paragraph(const struct page *p, enum page_style style, const char *text) {
    static const char *const open[] = {"<p>", "<p class=\"about\">", "<p><strong>"},
                             *const close[] = {"</p>\n", "</p>\n", "</strong></p>\n"},
                             *const sign[] = {"", "*", "**"};
    element(p->html, open[style], text, close[style]);
    if (p->markdown) fprintf(p->markdown, "%s%s%s\n\n", sign[style], text, sign[style]);
}

void page_list(const struct page *p, bool begin) {
    fputs(begin ? "<ul class=\"verdicts\">\n" : "</ul>\n", p->html);
    if (p->markdown && !begin) fputc('\n', p->markdown);
}

void page_item(const struct page *p, enum page_mark mark, const char *text) {
    static const char *const class[] = {"open", "yes", "no"}, *const sign[] = {"?", "✓", "✗"};
    fprintf(p->html, "<li class=\"%s\"><span class=\"mark\">%s</span>", class[mark], sign[mark]);
    element(p->html, "", text, "</li>\n");
    if (p->markdown) fprintf(p->markdown, "- %s %s\n", sign[mark], text);
}

void page_table(const struct page *p, const char *const *heads, size_t columns) {
    fprintf(p->html, "<div class=\"scroll\"><table>\n<thead>\n<tr>");
    for (size_t i = 0; i < columns; i++) element(p->html, "<th scope=\"col\">", heads[i], "</th>");
    fprintf(p->html, "</tr>\n</thead>\n<tbody>\n");
    if (!p->markdown) return;
    fputc('|', p->markdown);
    for (size_t i = 0; i < columns; i++) fprintf(p->markdown, " %s |", heads[i]);
    fprintf(p->markdown, "\n|---|");
    for (size_t i = 1; i < columns; i++) fprintf(p->markdown, "--:|");
    fputc('\n', p->markdown);
}

static void cell(FILE *to, const char *text) {
    const char *spread = strstr(text, " ± ");
    if (spread) {
        fprintf(to, "<td>%.*s", (int)(spread - text), text);
        element(to, "<span class=\"spread\">", spread, "</span></td>");
    } else {
        element(to, "<td>", text, "</td>");
    }
}

void page_row(const struct page *p, const char *const *cells, size_t columns, bool quiet) {
    fputs(quiet ? "<tr class=\"reference\">" : "<tr>", p->html);
    element(p->html, "<th scope=\"row\">", cells[0], "</th>");
    for (size_t i = 1; i < columns; i++) cell(p->html, cells[i]);
    fputs("</tr>\n", p->html);
    if (!p->markdown) return;
    fputc('|', p->markdown);
    for (size_t i = 0; i < columns; i++) fprintf(p->markdown, " %s |", cells[i]);
    fputc('\n', p->markdown);
}

void page_table_end(const struct page *p) {
    fputs("</tbody>\n</table></div>\n", p->html);
    if (p->markdown) fputc('\n', p->markdown);
}
