/* anomaly_regions.c - connected parts by a stack of pixels. */
#include "anomaly/anomaly_regions.h"

#include "base/mem.h"

struct flood {
    const float *map;
    size_t width, height, pixels; /* pixels: on the stack */
    float threshold;
    uint8_t *seen;   /* [height][width] */
    uint32_t *stack; /* [height][width] */
};

static void push(struct flood *f, size_t at) {
    if (f->seen[at] || f->map[at] < f->threshold) return;
    f->seen[at] = 1;
    f->stack[f->pixels++] = (uint32_t)at;
}

/* The box of what is connected to a pixel that is on the stack. */
static struct caelum_anomaly_box region(struct flood *f) {
    size_t left = f->width, right = 0, top = f->height, low = 0;
    float score = 0;
    while (f->pixels > 0) {
        const size_t at = f->stack[--f->pixels], x = at % f->width, y = at / f->width;
        left = x < left ? x : left, right = x > right ? x : right;
        top = y < top ? y : top, low = y > low ? y : low;
        score = f->map[at] > score ? f->map[at] : score;
        for (size_t i = y - (y > 0); i <= y + (y + 1 < f->height); i++)
            for (size_t j = x - (x > 0); j <= x + (x + 1 < f->width); j++) push(f, i * f->width + j);
    }
    return (struct caelum_anomaly_box){left, top, right + 1 - left, low + 1 - top, (double)score};
}

/* Keeps a box if it is among the highest. */
static void keep(struct caelum_anomaly_verdict *v, struct caelum_anomaly_box box) {
    size_t at = v->boxes;
    if (at == CAELUM_ANOMALY_BOXES) {
        if (v->box[--at].score >= box.score) return;
    } else {
        v->boxes++;
    }
    for (; at > 0 && v->box[at - 1].score < box.score; at--) v->box[at] = v->box[at - 1];
    v->box[at] = box;
}

int anomaly_regions(const float *map, size_t width, size_t height, float threshold,
                    struct caelum_anomaly_verdict *verdict, struct caelum_error *err) {
    struct flood f = {.map = map, .width = width, .height = height, .threshold = threshold};
    int result = mem_alloc(&f.seen, width * height, sizeof *f.seen, err);
    if (result == 0) result = mem_alloc(&f.stack, width * height, sizeof *f.stack, err);
    verdict->boxes = 0;
    for (size_t i = 0; result == 0 && i < width * height; i++) {
        push(&f, i);
        if (f.pixels > 0) keep(verdict, region(&f));
    }
    mem_free(&f.stack);
    mem_free(&f.seen);
    return result;
}
