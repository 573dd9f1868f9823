/* memory.c - pictures that a program has in memory as a data set. */
#include "base/mem.h"
#include "data/data.h"
#include "data/prepared.h"

#include <limits.h>
#include <string.h>

static bool is_planes(const struct caelum_pictures *p) {
    const ptrdiff_t *s = p->stride, row = (ptrdiff_t)p->width, plane = row * (ptrdiff_t)p->height,
                    picture = plane * (ptrdiff_t)p->channels;
    const bool unsaid = s[0] == 0 && s[1] == 0 && s[2] == 0 && s[3] == 0;
    return unsaid || (s[0] == picture && (p->channels == 1 || s[1] == plane) &&
                      (p->height == 1 || s[2] == row) && (p->width == 1 || s[3] == 1));
}

/* Copies a picture to planes. */
static void copy(const struct caelum_pictures *p, const uint8_t *from, uint8_t *to) {
    for (size_t c = 0; c < p->channels; c++)
        for (size_t y = 0; y < p->height; y++) {
            const uint8_t *row = from + (ptrdiff_t)c * p->stride[1] + (ptrdiff_t)y * p->stride[2];
            for (size_t x = 0; x < p->width; x++) *to++ = row[(ptrdiff_t)x * p->stride[3]];
        }
}

static int check(const struct caelum_pictures *p, size_t *size, struct caelum_error *err) {
    const size_t *part = p->split, n = p->count;
    const bool split = part[0] > 0 || part[1] > 0 || part[2] > 0; /* no sums: they may wrap around */
    const bool whole = part[0] <= n && part[1] <= n - part[0] && part[2] == n - part[0] - part[1];
    size_t bytes;
    if (!p->pixels) return caelum_fail(err, CAELUM_EUSAGE, "pictures: no pixels were given");
    if (p->channels != 1 && p->channels != 3)
        return caelum_fail(err, CAELUM_EUSAGE, "pictures: expected 1 channel or 3, got %zu", p->channels);
    if (p->height < 1 || p->width < 1 || p->height > DATA_MOST_SIDE || p->width > DATA_MOST_SIDE)
        return caelum_fail(err, CAELUM_EUSAGE, "pictures: expected 1 to %d pixels a side, got %zux%zu",
                           DATA_MOST_SIDE, p->height, p->width);
    if (p->count > INT_MAX)
        return caelum_fail(err, CAELUM_EUSAGE, "pictures: at most %d, got %zu", INT_MAX, p->count);
    if (split && (!whole || part[CAELUM_TRAIN] == 0))
        return caelum_fail(err, CAELUM_EUSAGE,
                           "pictures: expected a split of all %zu, some of them to train on, got %zu/%zu/%zu",
                           n, part[0], part[1], part[2]);
    *size = p->channels * p->height * p->width;
    return size_mul(p->count, *size, &bytes, err);
}

/* Room for "65535" and its end. */
enum { NAME = 6 };

/* Classes are called by their numbers. */
static void name_classes(struct caelum_data *data, char *names) {
    data->class_names = names;
    for (size_t i = 0; i < data->classes; i++)
        names += snprintf(names, NAME, "%u", (unsigned)(uint16_t)i) + 1;
}

int memory_open(struct caelum_data *data, const struct caelum_pictures *p, struct caelum_error *err) {
    struct sha256_ctx sha;
    size_t size = 0;
    CHECK(check(p, &size, err));
    CHECK(mem_strdup(&data->source, "memory", err));
    for (size_t i = 0; p->labels && i < p->count; i++)
        if (p->labels[i] >= data->classes) data->classes = (size_t)p->labels[i] + 1;
    const size_t copied = is_planes(p) ? 0 : p->count * size;
    CHECK(mem_alloc(&data->memory, copied + data->classes * NAME, 1, err));
    for (size_t i = 0; copied > 0 && i < p->count; i++)
        copy(p, p->pixels + (ptrdiff_t)i * p->stride[0], data->memory + i * size);
    name_classes(data, (char *)data->memory + copied);
    data->pixels = copied > 0 ? data->memory : p->pixels;
    data->labels = p->labels;
    data->count = p->count;
    data->c = p->channels, data->h = p->height, data->w = p->width;
    memcpy(data->part, p->split, sizeof data->part);
    snprintf(data->name, sizeof data->name, "memory");
    sha256_init(&sha);
    sha256_update(&sha, p->count * size, data->pixels);
    prepared_key(&sha, data->fingerprint);
    return CAELUM_OK;
}
