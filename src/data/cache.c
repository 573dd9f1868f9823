/* cache.c - CIFAR-10 prepared once: labels and pixels in one file that later runs map into memory, so
 * that a start touches only the pages it needs. The file's name holds a hash of what it was made from
 * (path, size and time of change of the sources), so a changed source gets a new cache. */
#include "base/mem.h"
#include "data/data.h"

#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { VERSION = 1, HEADER = 4096, PIXELS = CIFAR_COUNT * (CIFAR_RECORD - 1), LABELS_AT = HEADER };

/* Pixels start on a page of their own. */
static const size_t pixels_at = HEADER + (CIFAR_COUNT + 4095) / 4096 * 4096;

struct header {
    char magic[16];
    uint32_t version, count, channels, height, width;
    char sha256[65];
};

static const char magic[16] = "caelum cifar-10";

static void hex(const uint8_t digest[SHA256_DIGEST_SIZE], char text[65]) {
    for (size_t i = 0; i < SHA256_DIGEST_SIZE; i++) snprintf(text + 2 * i, 3, "%02x", digest[i]);
}

static void add_identity(struct sha256_ctx *sha, const char *path) {
    struct stat st;
    char text[128] = "missing";
    if (stat(path, &st) == 0)
        snprintf(text, sizeof text, "%lld %lld.%09ld", (long long)st.st_size, (long long)st.st_mtim.tv_sec,
                 st.st_mtim.tv_nsec);
    sha256_update(sha, strlen(path), (const uint8_t *)path);
    sha256_update(sha, strlen(text), (const uint8_t *)text);
}

/* The cache file for the sources at `path`. */
static int cache_path(const struct caelum_data *data, const char *path, char *cache, size_t size,
                      struct caelum_error *err) {
    static const char *const inside[] = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                         "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"};
    struct sha256_ctx sha;
    uint8_t digest[SHA256_DIGEST_SIZE];
    char text[65], name[64], file[1300];
    char *real = realpath(path, NULL);
    sha256_init(&sha);
    add_identity(&sha, real ? real : path);
    for (size_t i = 0; i < CIFAR_FILES; i++) {
        snprintf(file, sizeof file, "%.1000s/%s", path, inside[i]);
        add_identity(&sha, file);
        snprintf(file, sizeof file, "%.1000s/cifar-10-batches-bin/%s", path, inside[i]);
        add_identity(&sha, file);
    }
    free(real);
    sha256_digest(&sha, sizeof digest, digest);
    hex(digest, text);
    snprintf(name, sizeof name, "cifar-10-%.16s.v%d", text, VERSION);
    return file_join(cache, size, data->cache_dir, name, err);
}

struct building {
    uint8_t *bytes; /* the cache file to be */
    const struct caelum_data_settings *settings;
    size_t files;
};

static int take_batch(void *cookie, size_t file, const uint8_t *bytes, struct caelum_error *err) {
    struct building *b = cookie;
    uint8_t *labels = b->bytes + LABELS_AT + file * CIFAR_RECORDS;
    uint8_t *pixels = b->bytes + pixels_at + file * CIFAR_RECORDS * (CIFAR_RECORD - 1);
    for (size_t i = 0; i < CIFAR_RECORDS; i++) {
        labels[i] = bytes[i * CIFAR_RECORD];
        memcpy(pixels + i * (CIFAR_RECORD - 1), bytes + i * CIFAR_RECORD + 1, CIFAR_RECORD - 1);
    }
    b->files++;
    if (b->settings->progress &&
        b->settings->progress(b->settings->cookie, "preparing", b->files, CIFAR_FILES) != 0)
        return caelum_fail(err, CAELUM_ESTOPPED, "stopped while the data was prepared");
    return CAELUM_OK;
}

static int build(const char *path, const char *cache, const struct caelum_data_settings *settings,
                 struct caelum_error *err) {
    struct building b = {.settings = settings};
    CHECK(mem_alloc(&b.bytes, pixels_at + PIXELS, 1, err));
    int result = cifar_read(path, take_batch, &b, err);
    if (result == 0) {
        struct header header = {
            .version = VERSION, .count = CIFAR_COUNT, .channels = 3, .height = 32, .width = 32};
        struct sha256_ctx sha;
        uint8_t digest[SHA256_DIGEST_SIZE];
        memcpy(header.magic, magic, sizeof magic);
        sha256_init(&sha);
        sha256_update(&sha, PIXELS, b.bytes + pixels_at);
        sha256_digest(&sha, sizeof digest, digest);
        hex(digest, header.sha256);
        memcpy(b.bytes, &header, sizeof header);
        result = file_write(cache, b.bytes, pixels_at + PIXELS, err);
        if (result != 0)
            caelum_fail_in(err, result,
                           "prepared data can't be kept; choose another place with CAELUM_CACHE");
    }
    mem_free(&b.bytes);
    return result;
}

/* Maps the cache; false if it is not there or not what this version writes. */
static bool map_cache(struct caelum_data *data, const char *cache) {
    struct header header;
    struct file_map map = {0};
    if (file_map_open(&map, cache, NULL) != 0) return false;
    if (map.size == pixels_at + PIXELS) {
        memcpy(&header, map.bytes, sizeof header);
        if (memcmp(header.magic, magic, sizeof magic) == 0 && header.version == VERSION &&
            header.count == CIFAR_COUNT && header.sha256[64] == '\0') {
            data->map = map;
            memcpy(data->fingerprint, header.sha256, sizeof data->fingerprint);
            return true;
        }
    }
    file_map_close(&map);
    return false;
}

int cifar_open(struct caelum_data *data, const char *path, const struct caelum_data_settings *settings,
               struct caelum_error *err) {
    char cache[1024];
    CHECK(cache_path(data, path, cache, sizeof cache, err));
    if (!map_cache(data, cache)) {
        CHECK(file_make_directory(data->cache_dir, err));
        CHECK(build(path, cache, settings, err));
        if (!map_cache(data, cache)) return caelum_fail(err, CAELUM_EIO, "%s: can't be read back", cache);
    }
    snprintf(data->name, sizeof data->name, "cifar-10");
    data->count = CIFAR_COUNT;
    data->c = 3, data->h = 32, data->w = 32;
    data->labels = data->map.bytes + LABELS_AT;
    data->pixels = data->map.bytes + pixels_at;
    return CAELUM_OK;
}
