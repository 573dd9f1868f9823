/* cache.c - CIFAR-10 prepared once: its six files as pixels and labels. */
#include "base/mem.h"
#include "data/prepared.h"

#include <string.h>

enum { PIXELS = CIFAR_RECORD - 1 };

struct building {
    const char *path;
    uint8_t *pixels, *labels; /* [CIFAR_COUNT][PIXELS] and [CIFAR_COUNT] */
    const struct caelum_data_settings *settings;
    size_t files;
};

static int take_batch(void *cookie, size_t file, const uint8_t *bytes, struct caelum_error *err) {
    struct building *b = cookie;
    uint8_t *labels = b->labels + file * CIFAR_RECORDS, *pixels = b->pixels + file * CIFAR_RECORDS * PIXELS;
    for (size_t i = 0; i < CIFAR_RECORDS; i++) {
        labels[i] = bytes[i * CIFAR_RECORD];
        memcpy(pixels + i * PIXELS, bytes + i * CIFAR_RECORD + 1, PIXELS);
    }
    b->files++;
    if (b->settings->progress &&
        b->settings->progress(b->settings->cookie, "preparing", b->files, CIFAR_FILES) != 0)
        return caelum_fail(err, CAELUM_ESTOPPED, "stopped while the data was prepared");
    return CAELUM_OK;
}

/* An archive may have the files in another order, so all of them are in memory first. */
static int make(void *cookie, struct prepared_writer *to, struct caelum_error *err) {
    struct building *b = cookie;
    b->files = 0;
    int result = mem_alloc(&b->pixels, CIFAR_COUNT, PIXELS, err);
    if (result == 0) result = mem_alloc(&b->labels, CIFAR_COUNT, 1, err);
    if (result == 0) result = cifar_read(b->path, take_batch, b, err);
    if (result == 0) {
        to->header.count = CIFAR_COUNT, to->header.labelled = 1;
        prepared_pixels(to, b->pixels, (size_t)CIFAR_COUNT * PIXELS);
        prepared_tables(to, NULL, b->labels, NULL);
    }
    mem_free(&b->pixels);
    mem_free(&b->labels);
    return result;
}

int cifar_open(struct caelum_data *data, const char *path, const struct caelum_data_settings *settings,
               struct caelum_error *err) {
    struct building b = {.path = path, .settings = settings};
    struct prepared what = {.kind = "cifar-10", .c = 3, .h = 32, .w = 32, .make = make, .cookie = &b};
    CHECK(cifar_key(path, what.key, err));
    snprintf(data->name, sizeof data->name, "cifar-10");
    return prepared_open(data, &what, settings, err);
}
