/* page.h - a document that is written as a page and as Markdown at once, block by block. The page is one file
 * that loads nothing; what can't be said in Markdown, charts and pictures, is in the page alone. */
#ifndef CAELUM_REPORT_PAGE_H
#define CAELUM_REPORT_PAGE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct page {
    FILE *html, *markdown; /* the second may be NULL */
};

/* From <!doctype> to <main>, and the end. The page follows the reader's choice of light or dark, and prints.
 */
void page_begin(const struct page *page, const char *title);
void page_end(const struct page *page);

/* level 1 to 3; id: what links in the page lead to, or NULL. */
void page_heading(const struct page *page, int level, const char *id, const char *text);

enum page_style { PAGE_PLAIN, PAGE_ABOUT, PAGE_STRONG };
void page_paragraph(const struct page *page, enum page_style style, const char *text);

/* A list's item with a mark before it. */
enum page_mark { PAGE_OPEN, PAGE_YES, PAGE_NO, PAGE_MARKS };
void page_item(const struct page *page, enum page_mark mark, const char *text);
void page_list(const struct page *page, bool begin);

/* A table: its head, rows of as many cells, its end. The first cell names the row. A spread in a cell, "1 ±
 * 2", is set apart in the page. quiet: a row to compare with. */
void page_table(const struct page *page, const char *const *heads, size_t columns);
void page_row(const struct page *page, const char *const *cells, size_t columns, bool quiet);
void page_table_end(const struct page *page);

/* --- The page alone ------------------------------------------------------------------------------- */

/* BEFORE, text with & < > " escaped, AFTER; fit for content and quoted attributes, of HTML and SVG alike. */
void html_text(FILE *to, const char *before, const char *text, const char *after);

/* A picture's file and what is said of it. */
struct html_picture {
    const char *type; /* such as "image/png" */
    const uint8_t *bytes;
    size_t size;
    const char *alt, *caption; /* alt: what a reader who can't see it is told */
};
/* <figure> with the picture in it and the caption below. CAELUM_ERESOURCE. */
int html_picture(FILE *to, const struct html_picture *picture, struct caelum_error *err);
/* The same with the PNG file at `path`. CAELUM_EIO. */
int html_picture_file(FILE *to, const char *path, const char *alt, const char *caption,
                      struct caelum_error *err);

/* <style> and background of an SVG file that stands alone. */
void html_svg_style(FILE *to);
/* Writes text with the page's colors by light in place of their names, which not every viewer of SVG knows.
 */
void html_plain_colors(FILE *to, const char *text);

/* <text> of an SVG; class may be "". anchor: "start", "middle" or "end". */
void svg_text(FILE *to, double x, double y, const char *anchor, const char *class, const char *text);

#endif
