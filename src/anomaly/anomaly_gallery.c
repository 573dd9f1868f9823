/* anomaly_gallery.c - pictures are decoded once; their views are mapped, so memory is the system's to give
 * and to take. */
#include "anomaly/anomaly_gallery.h"

#include "base/mem.h"
#include "base/mirror.h"
#include "image/image.h"

#include <sys/mman.h>

static int no_space(struct caelum_error *err) {
    return caelum_fail(err, CAELUM_ERESOURCE,
                       "no space for the pictures that are learned from: in /tmp, in a browser its memory");
}

static int put(struct gallery *g, const struct anomaly_view *view, struct caelum_error *err) {
    const bool grey = anomaly_is_grey(&view->picture[ANOMALY_FINE]);
    for (size_t k = 0; k < ANOMALY_SCALES; k++) {
        const struct caelum_picture *p = &view->picture[k];
        const size_t values = 3 * p->width * p->height;
        g->view[g->n][k] = (struct gallery_view){p->width, p->height, g->size, grey};
        for (size_t i = 0; i < values; i += grey ? 3 : 1, g->size++) putc_unlocked(p->pixels[i], g->file);
    }
    if (ferror(g->file)) return no_space(err);
    g->grey &= grey;
    g->light[g->n++] = view->light;
    return CAELUM_OK;
}

int gallery_begin(struct gallery *g, size_t room, struct caelum_error *err) {
    *g = (struct gallery){.grey = true, .file = tmpfile()};
    if (!g->file) return no_space(err);
    CHECK(mem_alloc(&g->view, room, sizeof *g->view, err));
    return mem_alloc(&g->light, room, sizeof *g->light, err);
}

int gallery_add(struct gallery *g, const struct caelum_picture *picture, size_t size, bool grey,
                struct caelum_error *err) {
    struct anomaly_view view;
    CHECK(anomaly_view_open(&view, picture, size, grey, err));
    const int result = put(g, &view, err);
    anomaly_view_close(&view);
    return result;
}

int gallery_map(struct gallery *g, struct caelum_error *err) {
    if (fflush(g->file) != 0) return no_space(err);
    void *bytes = mmap(NULL, g->size, PROT_READ, MAP_SHARED, fileno(g->file), 0);
    if (bytes == MAP_FAILED) return no_space(err);
    g->bytes = bytes;
    return CAELUM_OK;
}

void gallery_started(const struct gallery *gallery, struct gallery_part scored,
                     const struct caelum_anomaly_settings *s) {
    const struct caelum_anomaly_start start = {gallery->n, scored.n, anomaly_needed(s->false_alarms)};
    if (s->started) s->started(s->cookie, &start);
}

void gallery_close(struct gallery *g) {
    if (g->bytes) munmap((void *)(uintptr_t)g->bytes, g->size);
    if (g->file) fclose(g->file);
    mem_free(&g->view);
    mem_free(&g->light);
    *g = (struct gallery){0};
}

void gallery_crop(const struct gallery *g, const struct gallery_view *v, size_t x0, size_t y0,
                  size_t channels, size_t side, uint8_t *crop) {
    const size_t step = v->grey ? 1 : 3;
    for (size_t c = 0; c < channels; c++)
        for (size_t y = y0; y < y0 + side; y++) {
            const uint8_t *row =
                g->bytes + v->at + mirrored(y, v->height) * v->width * step + (v->grey ? 0 : c);
            for (size_t x = x0; x < x0 + side; x++) *crop++ = row[mirrored(x, v->width) * step];
        }
}

size_t gallery_area(const struct gallery *g) {
    size_t most = 0;
    for (size_t i = 0; i < g->n; i++) {
        const size_t area = g->view[i]->width * g->view[i]->height;
        most = area > most ? area : most;
    }
    return most;
}

int gallery_take(const struct gallery *g, size_t i, struct anomaly_view *view, struct caelum_error *err) {
    *view = (struct anomaly_view){.light = g->light[i]};
    for (size_t k = 0; k < ANOMALY_SCALES; k++) {
        const struct gallery_view *v = &g->view[i][k];
        const uint8_t *from = g->bytes + v->at;
        CHECK(image_allocate(&view->picture[k], "view", v->width, v->height, err));
        for (size_t j = 0; j < 3 * v->width * v->height; j++)
            view->picture[k].pixels[j] = v->grey ? from[j / 3] : from[j];
    }
    return CAELUM_OK;
}
