/* fuzz_data.c - data sets, what is kept of them, and pictures. */
#include "fuzz.h"

#include "data/prepared.h"
#include "eval/figure_cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

/* All pictures of data that are open. */
static void use(int code, caelum_data *data, const struct caelum_error *err) {
    fuzz_result(code, data != NULL, err);
    unsigned sum = 0;
    for (size_t i = 0; data && i < data->count; i++)
        sum += data->pixels[i * data->c * data->h * data->w] + (data->labels ? data->labels[i] : 0u);
    if (data) fuzz_expect(sum < UINT32_MAX, "few pictures");
    caelum_data_close(&data);
}

/* Prepared data is not kept: `cache` is a file. */
void read_data(const char *path, const uint8_t *bytes, size_t size) {
    struct caelum_data_settings settings = caelum_data_defaults();
    struct caelum_error err = {0};
    caelum_data *data = NULL;
    (void)bytes, (void)size;
    fuzz_file("cache", "", 0);
    settings.crop = 8;
    const int code = caelum_data_open(&data, path, &settings, &err);
    use(code, data, &err);
}

/* Both files of CIFAR-100's Python version. */
void read_pickle(const char *path, const uint8_t *bytes, size_t size) {
    mkdir("cifar", 0700);
    fuzz_file("cifar/train", bytes, size);
    fuzz_expect(rename(path, "cifar/test") == 0, "a file in its place");
    read_data("cifar", bytes, size);
}

/* --- What is kept ------------------------------------------------------------------------------------- */

/* The only file in a directory. */
static void find_kept(const char *directory, char path[PATH_SIZE]) {
    DIR *all = opendir(directory);
    for (struct dirent *entry; all && (entry = readdir(all));)
        if (entry->d_name[0] != '.') snprintf(path, PATH_SIZE, "%s/%s", directory, entry->d_name);
    if (all) closedir(all);
}

/* The bytes in the place of what was prepared of a data set, with its key and a checksum that is right. */
void read_prepared(const char *path, const uint8_t *bytes, size_t size) {
    static const uint8_t set[16 + 12 * 16] = {0, 0, 8, 3, 0, 0, 0, 12, 0, 0, 0, 4, 0, 0, 0, 4};
    static struct prepared_header own;
    static char kept[PATH_SIZE];
    struct caelum_error err = {0};
    caelum_data *data = NULL;
    if (!*kept) {
        fuzz_file("set", set, sizeof set);
        fuzz_expect(caelum_data_open(&data, "set", NULL, &err) == 0, "data");
        memcpy(&own, data->map.bytes, sizeof own);
        caelum_data_close(&data);
        find_kept("cache", kept);
    }
    struct prepared_header h = {0};
    memcpy(&h, bytes, size < sizeof h ? size : sizeof h);
    memcpy(h.magic, own.magic, sizeof h.magic);
    memcpy(h.key, own.key, sizeof h.key);
    h.sum = 0;
    const uLong behind = size > 4096 ? crc32_z(0, bytes + 4096, size - 4096) : 0;
    h.sum = (uint32_t)crc32_z(behind, (const uint8_t *)&h, sizeof h);
    const int fd = open(path, O_WRONLY);
    fuzz_expect(pwrite(fd, &h, sizeof h, 0) == sizeof h && close(fd) == 0, "a file that can be written");
    fuzz_expect(rename(path, kept) == 0 && chmod(kept, 0600) == 0, "a file in its place");
    const int code = caelum_data_open(&data, "set", NULL, &err);
    fuzz_expect(code == 0, "data, whatever is kept of it");
    use(code, data, &err);
}

void read_figures(const char *path, const uint8_t *bytes, size_t size) {
    static caelum_data *data;
    struct caelum_error err = {0};
    struct caelum_metrics metrics;
    struct figure_cache cache;
    (void)bytes, (void)size;
    fuzz_expect(data || caelum_data_open(&data, "synthetic:10:8", NULL, &err) == 0, "data");
    fuzz_expect(figure_cache_open(&cache, data, CAELUM_TEST, "fuzz", CAELUM_RECONSTRUCT, &err) == 0,
                "a cache");
    figure_cache_close(&cache);
    fuzz_expect(rename(path, cache.path) == 0 && chmod(cache.path, 0600) == 0, "a file in its place");
    fuzz_expect(figure_cache_open(&cache, data, CAELUM_TEST, "fuzz", CAELUM_RECONSTRUCT, &err) == 0,
                "a cache");
    (void)figure_cache_find(&cache, "PCA", &metrics);
    figure_cache_add(&cache, "PCA", &metrics);
    figure_cache_close(&cache);
}

/* --- Pictures ----------------------------------------------------------------------------------------- */

void read_picture(const char *path, const uint8_t *bytes, size_t size) {
    struct caelum_error err = {0};
    struct caelum_picture picture = {0};
    const int code = caelum_picture_decode(&picture, bytes, size, path, &err);
    fuzz_result(code, picture.pixels != NULL, &err);
    caelum_picture_free(&picture);
}
