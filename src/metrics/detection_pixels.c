/* detection_pixels.c - scores of pixels, of which there are too many to keep and sort: they are counted by
 * the first 24 bits of an integer that is in the order of the floats. What ends up in one bin counts as
 * equal. The figures are then off by about half over the number of bins between the smallest score and the
 * largest: by less than 2e-5 where one is twice the other. */
#include "metrics/detection.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

enum { PAGES = 1 << 12, BINS = 1 << 12, LEFT_OUT = 8 };

struct detection_bin {
    uint64_t good, bad;
    double share; /* of defects: a pixel of one of n pixels has 1 / n */
};

static uint32_t key_of(float score) {
    uint32_t bits;
    score += 0.0f; /* -0 is 0 */
    memcpy(&bits, &score, sizeof bits);
    return (bits & 0x80000000u ? ~bits : bits | 0x80000000u) >> LEFT_OUT;
}

static float score_of(uint32_t key) {
    const uint32_t image = key << LEFT_OUT, bits = image & 0x80000000u ? image & 0x7fffffffu : ~image;
    float score;
    memcpy(&score, &bits, sizeof score);
    return score;
}

static int page_at(struct detection_pixels *p, size_t page, struct caelum_error *err) {
    return p->page[page] ? CAELUM_OK : mem_alloc(&p->page[page], BINS, sizeof **p->page, err);
}

static struct detection_bin *bin_at(const struct detection_pixels *p, float score) {
    const uint32_t key = key_of(score);
    return &p->page[key / BINS][key % BINS];
}

/* Every pixel, by its score and its kind. */
static int count(struct detection_pixels *p, const float *map, const uint8_t *mask, size_t n,
                 struct caelum_error *err) {
    for (size_t i = 0; i < n; i++) {
        if (isnan(map[i])) return caelum_fail(err, CAELUM_EFAIL, "the score of pixel %zu is not a number", i);
        CHECK(page_at(p, key_of(map[i]) / BINS, err));
        struct detection_bin *bin = bin_at(p, map[i]);
        const bool bad = mask && mask[i];
        bin->good += !bad, bin->bad += bad;
        p->good += !bad, p->bad += bad;
    }
    return CAELUM_OK;
}

/* The pixels of `left` that are connected with one of them, which are then 0 there. Returns their number. */
static size_t take_region(uint8_t *left, uint32_t first, size_t height, size_t width, uint32_t *region) {
    size_t n = 1;
    left[first] = 0;
    region[0] = first;
    for (size_t i = 0; i < n; i++) {
        const size_t y = region[i] / width, x = region[i] % width;
        for (size_t v = y > 0 ? y - 1 : y; v <= y + 1 && v < height; v++)
            for (size_t u = x > 0 ? x - 1 : x; u <= x + 1 && u < width; u++) {
                if (!left[v * width + u]) continue;
                left[v * width + u] = 0;
                region[n++] = (uint32_t)(v * width + u);
            }
    }
    return n;
}

static int add_regions(struct detection_pixels *p, const float *map, const uint8_t *mask, size_t height,
                       size_t width, struct caelum_error *err) {
    struct mem_group group = {0};
    uint8_t *left = NULL;
    uint32_t *region = NULL;
    int result = mem_take(&group, &left, height, width, err);
    if (result == 0) result = mem_take(&group, &region, height * width, sizeof *region, err);
    if (result == 0) memcpy(left, mask, height * width);
    for (size_t i = 0; result == 0 && i < height * width; i++) {
        if (!left[i]) continue;
        const size_t n = take_region(left, (uint32_t)i, height, width, region);
        for (size_t j = 0; j < n; j++) bin_at(p, map[region[j]])->share += 1 / (double)n;
        p->regions++;
    }
    mem_end(&group);
    return result;
}

int detection_add(struct detection_pixels *p, const float *map, const uint8_t *mask, size_t height,
                  size_t width, struct caelum_error *err) {
    CHECK(count(p, map, mask, height * width, err));
    return mask ? add_regions(p, map, mask, height, width, err) : CAELUM_OK;
}

int detection_merge(struct detection_pixels *p, const struct detection_pixels *other,
                    struct caelum_error *err) {
    for (size_t page = 0; page < PAGES; page++) {
        if (!other->page[page]) continue;
        CHECK(page_at(p, page, err));
        for (size_t i = 0; i < BINS; i++) {
            const struct detection_bin *from = &other->page[page][i];
            struct detection_bin *to = &p->page[page][i];
            to->good += from->good, to->bad += from->bad, to->share += from->share;
        }
    }
    p->good += other->good, p->bad += other->bad, p->regions += other->regions;
    return CAELUM_OK;
}

void detection_free(struct detection_pixels *p) {
    for (size_t page = 0; page < PAGES; page++) mem_free(&p->page[page]);
    *p = (struct detection_pixels){0};
}

double detection_quantile(const struct detection_pixels *p, double share) {
    const double most = share * (double)p->good;
    uint64_t below = 0;
    for (size_t page = 0; page < PAGES; page++)
        for (size_t i = 0; p->page[page] && i < BINS; i++) {
            below += p->page[page][i].good;
            if (below > 0 && (double)below >= most) return (double)score_of((uint32_t)(page * BINS + i));
        }
    return NAN;
}

/* The area of a trapezoid from x0 to x1, cut off at the limit. */
static double area(double x0, double y0, double x1, double y1, double limit) {
    if (x0 >= limit || x1 <= x0) return 0;
    const double end = x1 < limit ? x1 : limit, y = y0 + (y1 - y0) * (end - x0) / (x1 - x0);
    return (end - x0) * (y0 + y) / 2;
}

/* Where the walk is: what the scores so far call bad. */
struct walk {
    double alarms, found, share;
    struct detection_pixel_figures sum;
};

static void step(struct walk *w, const struct detection_pixels *p, const struct detection_bin *bin) {
    const double good = (double)p->good, regions = (double)p->regions, before = w->found;
    const double x0 = w->alarms / good, y0 = w->share / regions;
    w->alarms += (double)bin->good, w->found += (double)bin->bad, w->share += bin->share;
    const double x1 = w->alarms / good, y1 = w->share / regions;
    w->sum.auroc += (double)bin->good * (before + w->found) / 2;
    w->sum.ap += (double)bin->bad * w->found / (w->found + w->alarms);
    w->sum.au_pro_30 += area(x0, y0, x1, y1, 0.30);
    w->sum.au_pro_5 += area(x0, y0, x1, y1, 0.05);
}

struct detection_pixel_figures detection_pixel_figures(const struct detection_pixels *p) {
    const double good = (double)p->good, bad = (double)p->bad;
    struct walk w = {0};
    if (p->good == 0 || p->bad == 0) return (struct detection_pixel_figures){NAN, NAN, NAN, NAN};
    for (size_t page = PAGES; page-- > 0;)
        for (size_t i = p->page[page] ? BINS : 0; i-- > 0;)
            if (p->page[page][i].good + p->page[page][i].bad > 0) step(&w, p, &p->page[page][i]);
    return (struct detection_pixel_figures){w.sum.auroc / good / bad, w.sum.ap / bad, w.sum.au_pro_30 / 0.30,
                                            w.sum.au_pro_5 / 0.05};
}
