/* sheet.c - contact sheets on cairo. Pictures are enlarged by a whole factor without smoothing, so that
 * what is seen are the pixels themselves. */
#include "report/sheet.h"

#include "base/file.h"

#include <cairo.h>
#include <string.h>

enum { MARGIN = 28, NAMES = 132, HEAD = 78, GAP = 8, BAND = 22, CAPTION = 20, TARGET = 96 };

static size_t zoom_of(const struct sheet *s) {
    const size_t side = s->h > s->w ? s->h : s->w;
    return side >= TARGET ? 1 : TARGET / side;
}

/* Places in pixels. */
struct layout {
    size_t zoom, cell_w, cell_h, bands, band_h, width, height;
};

static struct layout lay_out(const struct sheet *s) {
    struct layout l = {.zoom = zoom_of(s)};
    l.cell_w = s->w * l.zoom + GAP;
    l.cell_h = s->h * l.zoom + GAP;
    l.bands = (s->count + s->columns - 1) / s->columns;
    l.band_h = s->rows * l.cell_h + (s->captions ? CAPTION : 0) + BAND;
    l.width = 2 * MARGIN + NAMES + s->columns * l.cell_w - GAP;
    l.height = MARGIN + HEAD + l.bands * l.band_h - BAND + MARGIN;
    return l;
}

static void words(cairo_t *cr, double x, double y, double size, bool bold, double grey, const char *string) {
    cairo_select_font_face(cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                           bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(cr, size);
    cairo_set_source_rgb(cr, grey, grey, grey);
    cairo_move_to(cr, x, y);
    cairo_show_text(cr, string);
}

/* One picture, straight into the surface's memory: 32 bits a pixel, 0x00RRGGBB. */
static void put(uint8_t *memory, size_t stride, size_t x0, size_t y0, const struct sheet *s, size_t zoom,
                const uint8_t *chw) {
    const size_t plane = s->c == 3 ? s->h * s->w : 0;
    for (size_t y = 0; y < s->h * zoom; y++)
        for (size_t x = 0; x < s->w * zoom; x++) {
            const uint8_t *p = chw + y / zoom * s->w + x / zoom;
            const uint32_t rgb = (uint32_t)p[0] << 16 | (uint32_t)p[plane] << 8 | p[2 * plane];
            memcpy(memory + (y0 + y) * stride + (x0 + x) * 4, &rgb, 4);
        }
}

/* Without memory cairo would paint nothing, and not say so. */
static void draw_paper(cairo_surface_t *surface, const struct layout *l) {
    static const uint32_t paper = 0xf7f6f4;
    cairo_surface_flush(surface);
    uint8_t *memory = cairo_image_surface_get_data(surface);
    const size_t stride = (size_t)cairo_image_surface_get_stride(surface);
    for (size_t y = 0; y < l->height; y++)
        for (size_t x = 0; x < l->width; x++) memcpy(memory + y * stride + x * 4, &paper, 4);
    cairo_surface_mark_dirty(surface);
}

static void draw_words(cairo_t *cr, const struct sheet *s, const struct layout *l) {
    words(cr, MARGIN, MARGIN + 20, 21, true, 0.12, s->title);
    words(cr, MARGIN, MARGIN + 46, 14, false, 0.40, s->subtitle);
    for (size_t b = 0; b < l->bands; b++) {
        const double y = (double)(MARGIN + HEAD + b * l->band_h);
        for (size_t r = 0; r < s->rows; r++)
            words(cr, MARGIN, y + (double)(r * l->cell_h + (l->cell_h - GAP) / 2) + 5, 14, true, 0.30,
                  s->row_names[r]);
        for (size_t i = b * s->columns; s->captions && i < (b + 1) * s->columns && i < s->count; i++)
            words(cr, (double)(MARGIN + NAMES + i % s->columns * l->cell_w),
                  y + (double)(s->rows * l->cell_h) + 8, 12, false, 0.40, s->captions[i]);
    }
}

static void draw_pictures(cairo_surface_t *surface, const struct sheet *s, const struct layout *l) {
    cairo_surface_flush(surface);
    uint8_t *memory = cairo_image_surface_get_data(surface);
    const size_t stride = (size_t)cairo_image_surface_get_stride(surface);
    for (size_t i = 0; i < s->count; i++)
        for (size_t r = 0; r < s->rows; r++)
            put(memory, stride, MARGIN + NAMES + i % s->columns * l->cell_w,
                MARGIN + HEAD + i / s->columns * l->band_h + r * l->cell_h, s, l->zoom,
                s->pixels + (i * s->rows + r) * s->c * s->h * s->w);
    cairo_surface_mark_dirty(surface);
}

static cairo_status_t write_bytes(void *closure, const unsigned char *bytes, unsigned int size) {
    struct file_writer *w = closure;
    return fwrite(bytes, 1, size, w->stream) == size ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

int sheet_write(const struct sheet *s, const char *path, struct caelum_error *err) {
    const struct layout l = lay_out(s);
    if (l.width > 32767 || l.height > 32767)
        return caelum_fail(err, CAELUM_EUSAGE, "%s: a contact sheet of %zux%zu pixels is too large", path,
                           l.width, l.height);
    struct file_writer w;
    CHECK(file_begin(&w, path, err));
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)l.width, (int)l.height);
    cairo_t *cr = cairo_create(surface);
    cairo_status_t status = cairo_status(cr);
    if (status == CAIRO_STATUS_SUCCESS) {
        draw_paper(surface, &l);
        draw_words(cr, s, &l);
        status = cairo_status(cr);
    }
    if (status == CAIRO_STATUS_SUCCESS) {
        draw_pictures(surface, s, &l);
        status = cairo_surface_write_to_png_stream(surface, write_bytes, &w);
    }
    cairo_destroy(cr);
    cairo_surface_destroy(surface);
    if (status != CAIRO_STATUS_SUCCESS) {
        file_abandon(&w);
        return caelum_fail(err, status == CAIRO_STATUS_WRITE_ERROR ? CAELUM_EIO : CAELUM_ERESOURCE,
                           "%s: not written: %s", path, cairo_status_to_string(status));
    }
    return file_commit(&w, err);
}
