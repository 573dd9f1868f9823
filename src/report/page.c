/* page.c - one file that loads nothing: the style sheet is in it, pictures are base64. Colors are variables,
 * so that dark mode is one block and charts follow it. Wide things scroll in boxes of their own. */
#include "report/page.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/number.h"

#include <nettle/base64.h>
#include <string.h>

/* Colors, for light and dark. */
static const char colors[] =
    ":root{color-scheme:light dark;--paper:#fff;--ink:#1b1d20;--soft:#5d636b;--rule:#dfe2e6;--wash:#f5f6f7;"
    "--accent:#b34700;--good:#00694a;--bad:#a33000;"
    "--c0:#0072b2;--c1:#c75200;--c2:#00795a;--c3:#a84a86;--c4:#8f6a00;--c5:#2d84ba;--c6:#4a4f57;--c7:#6d6500}"
    "\n"
    "@media screen and "
    "(prefers-color-scheme:dark){:root{--paper:#15171a;--ink:#e6e8ea;--soft:#9ba2ab;--rule:#33373d;"
    "--wash:#1e2125;--accent:#ff9d57;--good:#4fc79b;--bad:#ff9168;"
    "--c0:#5db3e6;--c1:#ff9350;--c2:#43c59e;--c3:#e194c3;--c4:#e9b93a;--c5:#8fd0f5;--c6:#b9bec6;--c7:#d2c955}"
    "}\n";

/* Charts and drawings. */
static const char svg_style[] =
    "svg text{font-family:inherit;fill:var(--soft);font-size:12px;font-variant-numeric:tabular-nums}"
    "svg .strong{fill:var(--ink);font-weight:600}svg .title{fill:var(--ink);font-weight:600;font-size:14px}"
    "svg .grid{stroke:var(--rule);stroke-width:1}svg .axis{stroke:var(--soft);stroke-width:1}"
    "svg .line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}"
    "svg .dashed{stroke:var(--soft);stroke-dasharray:5 4}svg .halo{stroke:var(--paper);stroke-width:3px;"
    "paint-order:stroke}svg .box{fill:var(--wash);stroke:var(--soft);stroke-width:1}"
    "svg .narrow{fill:var(--accent);stroke:var(--accent)}svg .accent{fill:var(--accent);font-weight:600}\n";

static const char page_style[] =
    "*{box-sizing:border-box}html{background:var(--paper);-webkit-text-size-adjust:100%}"
    "body{margin:0;color:var(--ink);background:var(--paper);"
    "font:16px/1.55 system-ui,-apple-system,\"Segoe UI\",Roboto,\"Helvetica Neue\",\"DejaVu "
    "Sans\",sans-serif}"
    "main{max-width:70rem;margin:0 auto;padding:2.5rem 1.25rem 4rem}\n"
    "h1{font-size:1.9rem;line-height:1.2;margin:0 0 .4rem;letter-spacing:-.01em}"
    "h2{font-size:1.3rem;margin:3.2rem 0 .5rem;padding-top:1.1rem;border-top:1px solid var(--rule)}"
    "h3{font-size:1rem;margin:1.6rem 0 .4rem}p{max-width:44rem;margin:.6rem 0}"
    ".about{color:var(--soft);font-style:italic}"
    "nav{margin:1.2rem 0;line-height:2}nav a{margin-right:1.1rem;white-space:nowrap}a{color:var(--c0)}\n"
    ".scroll{overflow-x:auto;margin:1rem 0}"
    "table{border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums}"
    "th,td{padding:.42rem .4rem;text-align:right;white-space:nowrap;vertical-align:baseline}"
    "th:first-child,td:first-child{text-align:left;padding-left:0}"
    "thead th{font-weight:600;color:var(--soft);border-bottom:1px solid var(--ink);vertical-align:bottom;"
    "white-space:normal;line-height:1.25}"
    "tbody tr+tr td,tbody tr+tr th{border-top:1px solid var(--rule)}tbody th{font-weight:600}"
    ".spread{color:var(--soft);display:block;font-size:.85em}"
    "tr.reference td,tr.reference th{color:var(--soft);font-weight:400}\n"
    "figure{margin:1.5rem 0}figcaption{color:var(--soft);font-size:.875rem;max-width:44rem;margin-top:.4rem}"
    "figure img{display:block;max-width:100%;height:auto;border-radius:3px}"
    ".pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,29rem),1fr));gap:0 2rem}"
    ".pair figure{min-width:0}svg{display:block;width:100%;height:auto}.scroll svg{min-width:34rem}"
    "figure.points{max-width:46rem}"
    ".legend{display:none;columns:9rem;font-size:.875rem;font-weight:600;margin:.4rem 0;padding-left:1.8rem}"
    ".points .legend{display:block}svg.narrow{display:none}"
    "@media screen and (max-width:40rem){svg.wide{display:none}svg.narrow,.legend{display:block}}"
    ".verdicts{list-style:none;padding:0;margin:.8rem 0;max-width:52rem}.verdicts li{margin:.35rem 0;"
    "padding-left:1.5rem;text-indent:-1.5rem}.mark{display:inline-block;width:1.5rem;text-indent:0;"
    "font-weight:700}.yes .mark{color:var(--good)}.no .mark{color:var(--bad)}.open .mark{color:var(--soft)}"
    "pre{background:var(--wash);padding:.8rem 1rem;font:.8rem/1.6 ui-monospace,Menlo,Consolas,"
    "\"DejaVu Sans Mono\",monospace;overflow-x:auto;border-radius:3px}\n"
    "footer{margin-top:3.5rem;padding-top:1rem;border-top:1px solid var(--rule);color:var(--soft);"
    "font-size:.875rem}\n";

/* Last in the page, so that it overrides what is before it. */
static const char print_style[] =
    "@media print{:root{--paper:#fff;--ink:#000;--soft:#444;--rule:#bbb;--wash:#fff}body{font-size:10pt}"
    "main{max-width:none;padding:0}figure,tr,.verdicts li{break-inside:avoid}h2,h3{break-after:avoid}"
    ".scroll{overflow:visible}nav{display:none}pre{white-space:pre-wrap}.scroll svg{min-width:0!important}"
    ".pair{grid-template-columns:1fr 1fr}h2{margin-top:1.6rem}table{font-size:.72em}th,td{padding:.3em "
    ".5em}}\n";

/* --- The page alone ------------------------------------------------------------------------------- */

void html_text(FILE *to, const char *before, const char *text, const char *after) {
    fputs(before, to);
    for (; *text; text++) {
        const char *name = *text == '&' ? "amp" : *text == '<' ? "lt" : *text == '>' ? "gt" : "quot";
        if (strchr("&<>\"", *text))
            fprintf(to, "&%s;", name);
        else
            fputc(*text, to);
    }
    fputs(after, to);
}

void html_svg_style(FILE *to) {
    fprintf(to,
            "<style>\n%ssvg{font-family:system-ui,sans-serif}\n</style>\n"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"var(--paper)\"/>\n",
            svg_style);
}

void html_plain_colors(FILE *to, const char *text) {
    for (const char *at; (at = strstr(text, "var(--")) != NULL;) {
        const char *name = at + strlen("var("), *color = colors;
        const size_t length = strcspn(name, ")");
        while ((color = strstr(color, "--")) && (strncmp(color, name, length) != 0 || color[length] != ':'))
            color++;
        fwrite(text, 1, (size_t)(at - text), to);
        if (color) fprintf(to, "%.*s", (int)strcspn(color + length + 1, ";"), color + length + 1);
        text = name + length + 1;
    }
    fputs(text, to);
}

void svg_text(FILE *to, double x, double y, const char *anchor, const char *class, const char *text) {
    number_write(to, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\"%s%s%s", x, y, anchor,
                 *class ? " class=\"" : "", class, *class ? "\"" : "");
    html_text(to, ">", text, "</text>\n");
}

int html_picture(FILE *to, const struct html_picture *p, struct caelum_error *err) {
    char *text = NULL;
    CHECK(mem_alloc(&text, BASE64_ENCODE_RAW_LENGTH(p->size), 1, err));
    base64_encode_raw(text, p->size, p->bytes);
    html_text(to, "<figure>\n<img alt=\"", p->alt, "\" src=\"data:");
    fprintf(to, "%s;base64,", p->type);
    fwrite(text, 1, BASE64_ENCODE_RAW_LENGTH(p->size), to);
    html_text(to, "\">\n<figcaption>", p->caption, "</figcaption>\n</figure>\n");
    mem_free(&text);
    return CAELUM_OK;
}

int html_picture_file(FILE *to, const char *path, const char *alt, const char *caption,
                      struct caelum_error *err) {
    enum { MOST = 1 << 26 };
    uint8_t *bytes = NULL;
    size_t size;
    CHECK(file_read(path, MOST, &bytes, &size, err));
    const int result = html_picture(to, &(struct html_picture){"image/png", bytes, size, alt, caption}, err);
    mem_free(&bytes);
    return result;
}

/* --- Blocks in both forms ------------------------------------------------------------------------- */

void page_begin(const struct page *p, const char *title) {
    html_text(p->html,
              "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
              "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>",
              title, "</title>\n<style>\n");
    fprintf(p->html, "%s%s%s%s</style>\n</head>\n<body>\n<main>\n", colors, page_style, svg_style,
            print_style);
}

void page_end(const struct page *p) {
    fprintf(p->html, "</main>\n</body>\n</html>\n");
}

void page_heading(const struct page *p, int level, const char *id, const char *text) {
    fprintf(p->html, id ? "<h%d id=\"%s\">" : "<h%d>", level, id);
    html_text(p->html, "", text, "");
    fprintf(p->html, "</h%d>\n", level);
    if (p->markdown) fprintf(p->markdown, "%.*s %s\n\n", level, "###", text);
}

void page_paragraph(const struct page *p, enum page_style style, const char *text) {
    static const char *const open[] = {"<p>", "<p class=\"about\">", "<p><strong>"},
                             *const close[] = {"</p>\n", "</p>\n", "</strong></p>\n"},
                             *const sign[] = {"", "*", "**"};
    html_text(p->html, open[style], text, close[style]);
    if (p->markdown) fprintf(p->markdown, "%s%s%s\n\n", sign[style], text, sign[style]);
}

void page_list(const struct page *p, bool begin) {
    fputs(begin ? "<ul class=\"verdicts\">\n" : "</ul>\n", p->html);
    if (p->markdown && !begin) fputc('\n', p->markdown);
}

void page_item(const struct page *p, enum page_mark mark, const char *text) {
    static const char *const class[] = {"open", "yes", "no"}, *const sign[] = {"?", "✓", "✗"};
    fprintf(p->html, "<li class=\"%s\"><span class=\"mark\">%s</span>", class[mark], sign[mark]);
    html_text(p->html, "", text, "</li>\n");
    if (p->markdown) fprintf(p->markdown, "- %s %s\n", sign[mark], text);
}

static void markdown_row(FILE *to, const char *const *cells, size_t columns) {
    fputc('|', to);
    for (size_t i = 0; i < columns; i++) fprintf(to, " %s |", cells[i]);
    fputc('\n', to);
}

void page_table(const struct page *p, const char *const *heads, size_t columns) {
    fprintf(p->html, "<div class=\"scroll\"><table>\n<thead>\n<tr>");
    for (size_t i = 0; i < columns; i++) html_text(p->html, "<th scope=\"col\">", heads[i], "</th>");
    fprintf(p->html, "</tr>\n</thead>\n<tbody>\n");
    if (!p->markdown) return;
    markdown_row(p->markdown, heads, columns);
    fprintf(p->markdown, "|---|");
    for (size_t i = 1; i < columns; i++) fprintf(p->markdown, "--:|");
    fputc('\n', p->markdown);
}

static void cell(FILE *to, const char *text) {
    const char *spread = strstr(text, " ± ");
    if (spread) {
        fprintf(to, "<td>%.*s", (int)(spread - text), text);
        html_text(to, "<span class=\"spread\">", spread, "</span></td>");
    } else {
        html_text(to, "<td>", text, "</td>");
    }
}

void page_row(const struct page *p, const char *const *cells, size_t columns, bool quiet) {
    fputs(quiet ? "<tr class=\"reference\">" : "<tr>", p->html);
    html_text(p->html, "<th scope=\"row\">", cells[0], "</th>");
    for (size_t i = 1; i < columns; i++) cell(p->html, cells[i]);
    fputs("</tr>\n", p->html);
    if (p->markdown) markdown_row(p->markdown, cells, columns);
}

void page_table_end(const struct page *p) {
    fputs("</tbody>\n</table></div>\n", p->html);
    if (p->markdown) fputc('\n', p->markdown);
}
