/* sheet.h - contact sheets: small pictures enlarged pixel by pixel, in bands of rows, as one PNG. */
#ifndef CAELUM_REPORT_SHEET_H
#define CAELUM_REPORT_SHEET_H

#include "base/error.h"

/* `count` columns of `rows` pictures each, h x w pixels, cut into bands of `columns`. */
struct sheet {
    const char *title, *subtitle;
    const char *const *row_names; /* [rows] */
    size_t rows, count, columns;
    size_t c, h, w; /* c: 1, grey, or 3 */
    /* [count][rows] pictures of [c][h][w] bytes; borrowed until return */
    const uint8_t *pixels;
    const char (*captions)[24]; /* [count], under each column; may be NULL */
};

/* Writes the sheet; whole or not at all. */
int sheet_write(const struct sheet *sheet, const char *path, struct caelum_error *err);

#endif
