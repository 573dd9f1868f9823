/* describe.c - what `data info` prints: counts, classes, means and deviations, checksums. */
#include "data/data.h"

#include <math.h>
#include <string.h>

/* Mean and deviation of every channel, from exact integer sums. */
static void measure(const struct caelum_data *data, struct caelum_data_info *info) {
    const size_t plane = data->h * data->w;
    uint64_t sum[3] = {0}, squares[3] = {0};
    for (size_t i = 0; i < data->count; i++)
        for (size_t c = 0; c < data->c && c < 3; c++) {
            const uint8_t *p = data->pixels + (i * data->c + c) * plane;
            uint64_t s = 0, q = 0;
            for (size_t j = 0; j < plane; j++) s += p[j], q += (uint64_t)p[j] * p[j];
            sum[c] += s, squares[c] += q;
        }
    for (size_t c = 0; c < 3; c++) {
        const double n = (double)(data->count * plane), mean = (double)sum[c] / n;
        info->mean[c] = mean / 255;
        info->deviation[c] = sqrt((double)squares[c] / n - mean * mean) / 255;
    }
}

int caelum_data_describe(const caelum_data *data, struct caelum_data_info *out, struct caelum_error *err) {
    struct caelum_data_info info = {.count = data->count,
                                    .channels = data->c,
                                    .height = data->h,
                                    .width = data->w,
                                    .split_seed = data->split_seed,
                                    .photos = data->photos};
    snprintf(info.name, sizeof info.name, "%s", data->name);
    info.source = data->source;
    snprintf(info.pixels_sha256, sizeof info.pixels_sha256, "%s", data->fingerprint);
    memcpy(info.split_count, data->split_count, sizeof info.split_count);
    if (data->labels) {
        info.classes = CIFAR_CLASSES;
        for (size_t i = 0; i < CIFAR_CLASSES; i++)
            snprintf(info.class_names[i], sizeof info.class_names[i], "%s", cifar_classes[i]);
        for (size_t i = 0; i < data->count; i++) info.class_count[data->labels[i]]++;
        CHECK(cifar_checksums(data->source, &info, err));
    }
    measure(data, &info);
    *out = info;
    return CAELUM_OK;
}
