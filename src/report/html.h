/* html.h - the small things of a self-contained page: escaped text, pictures as data, a style sheet. */
#ifndef CAELUM_REPORT_HTML_H
#define CAELUM_REPORT_HTML_H

#include "base/error.h"

#include <stdio.h>

/* Text with & < > " escaped; fit for content and quoted attributes, of HTML and SVG alike. */
void html_text(FILE *to, const char *text);

/* From <!doctype> to <main>. The page follows the reader's choice of light or dark, and prints. */
void html_begin(FILE *to, const char *title);
void html_end(FILE *to);

/* <style> and background of an SVG file that stands alone. */
void html_svg_style(FILE *to);
/* Writes text with the page's colors by light in place of their names, which not every viewer of SVG knows.
 */
void html_plain_colors(FILE *to, const char *text);

/* <figure> with the PNG file at `path` in it and a caption; alt describes it. CAELUM_EIO. */
int html_picture(FILE *to, const char *path, const char *alt, const char *caption, struct caelum_error *err);

#endif
