/* anomaly_view.c - pictures made alike: cameras and days differ in light more than parts do in defects. */
#include "anomaly/anomaly_view.h"

#include "base/color.h"
#include "base/mem.h"
#include "data/crops.h"
#include "image/image.h"

#include <math.h>
#include <string.h>

/* Deviation of a view's bytes, and by how much contrast is raised at most: a picture without any stays one.
 */
static const double DEVIATION = 40, MOST_GAIN = 4;

bool anomaly_is_grey(const struct caelum_picture *p) {
    for (size_t i = 0; i < p->width * p->height; i++) {
        const uint8_t *rgb = p->pixels + 3 * i;
        if (rgb[0] != rgb[1] || rgb[1] != rgb[2]) return false;
    }
    return true;
}

static void make_grey(struct caelum_picture *p) {
    for (size_t i = 0; i < p->width * p->height; i++) {
        double yuv[3];
        color_bytes_to_yuv(p->pixels + 3 * i, 1, yuv);
        memset(p->pixels + 3 * i, color_byte(yuv[0]), 3);
    }
}

int anomaly_reduce(const struct caelum_picture *p, size_t most, size_t by, struct caelum_picture *out,
                   struct caelum_error *err) {
    const size_t longer = p->width > p->height ? p->width : p->height;
    size_t width = p->width, height = p->height;
    uint8_t *planes = NULL;
    if (longer > most) {
        width = (width * most + longer / 2) / longer, height = (height * most + longer / 2) / longer;
        width += width == 0, height += height == 0;
    }
    width = (width + by - 1) / by, height = (height + by - 1) / by;
    const size_t area = width * height;
    CHECK(image_allocate(out, "view", width, height, err));
    if (width == p->width && height == p->height) {
        memcpy(out->pixels, p->pixels, 3 * area);
        return CAELUM_OK;
    }
    CHECK(mem_alloc(&planes, area, 3, err));
    crop_whole(p, CAELUM_RESIZE_STRETCH, width, height, planes);
    for (size_t i = 0; i < area; i++)
        for (size_t c = 0; c < 3; c++) out->pixels[3 * i + c] = planes[c * area + i];
    mem_free(&planes);
    return CAELUM_OK;
}

static struct anomaly_light light_of(const struct caelum_picture *p) {
    const size_t n = 3 * p->width * p->height;
    uint64_t sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        sum += p->pixels[i];
        squares += (uint64_t)p->pixels[i] * p->pixels[i];
    }
    const double mean = (double)sum / (double)n, variance = (double)squares / (double)n - mean * mean;
    return (struct anomaly_light){mean, variance > 0 ? sqrt(variance) : 0};
}

static void normalize(struct caelum_picture *p, struct anomaly_light light) {
    const double most = DEVIATION / MOST_GAIN,
                 gain = DEVIATION / (light.deviation > most ? light.deviation : most);
    uint8_t table[256];
    for (int i = 0; i < 256; i++) {
        const double v = 128 + gain * (i - light.mean);
        table[i] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v + 0.5);
    }
    for (size_t i = 0; i < 3 * p->width * p->height; i++) p->pixels[i] = table[p->pixels[i]];
}

const struct anomaly_scale anomaly_scale[] = {{"fine", 1, 96}, {"coarse", 4, 64}};

static int open_view(struct anomaly_view *view, const struct caelum_picture *picture, size_t size, bool grey,
                     struct caelum_error *err) {
    for (size_t i = ANOMALY_SCALES; i-- > 0;) {
        struct caelum_picture *p = &view->picture[i];
        CHECK(anomaly_reduce(picture, size, anomaly_scale[i].reduce, p, err));
        if (grey) make_grey(p);
        view->light = light_of(p); /* the fine scale's is the last */
        normalize(p, view->light);
    }
    return CAELUM_OK;
}

int anomaly_view_open(struct anomaly_view *view, const struct caelum_picture *picture, size_t size, bool grey,
                      struct caelum_error *err) {
    *view = (struct anomaly_view){0};
    const int result = open_view(view, picture, size, grey, err);
    if (result != 0) anomaly_view_close(view);
    return result;
}

void anomaly_view_close(struct anomaly_view *view) {
    for (size_t i = 0; i < ANOMALY_SCALES; i++) caelum_picture_free(&view->picture[i]);
}
