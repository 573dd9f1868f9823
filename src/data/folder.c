/* folder.c - a directory of photos as a data set: crops of them, made once into a file that later runs map
 * into memory. The file's name holds a hash of all that decides what is in it (paths below the directory,
 * sizes and times of change of the photos, size and seed of the crops), so that changed photos get a new one.
 *
 *   header         one page
 *   pixels         [count][3][side][side]
 *   first          [photos + 1] 32-bit numbers, on a multiple of four bytes
 *   skips          path, NUL, reason, NUL of each file that could not be used */
#include "base/file.h"
#include "base/mem.h"
#include "base/parallel.h"
#include "data/crops.h"
#include "data/data.h"
#include "data/photos.h"

#include <nettle/sha2.h>
#include <string.h>

enum { VERSION = 1, HEADER = 4096, LEAST_PHOTOS = 10 };

struct header {
    char magic[16];
    uint64_t version, side, count, photos, skipped, skips_size;
    char sha256[65];
};

static const char magic[16] = "caelum folder";

static void finish_hash(struct sha256_ctx *sha, char hex[65]) {
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_digest(sha, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++) snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

static int cache_path(const struct caelum_data *data, const struct photos *photos,
                      const struct caelum_data_settings *settings, char cache[1024],
                      struct caelum_error *err) {
    struct sha256_ctx sha;
    char text[128], hex[65], name[64];
    sha256_init(&sha);
    snprintf(text, sizeof text, "%zu %llu", settings->crop, (unsigned long long)settings->synthetic_seed);
    sha256_update(&sha, strlen(text) + 1, (const uint8_t *)text);
    for (const struct photo *p = photos->photo; p < photos->photo + photos->count; p++) {
        snprintf(text, sizeof text, "%lld %lld.%09lld %d", p->bytes, p->seconds, p->nanoseconds, p->readable);
        sha256_update(&sha, strlen(p->path) + 1, (const uint8_t *)p->path);
        sha256_update(&sha, strlen(text) + 1, (const uint8_t *)text);
    }
    finish_hash(&sha, hex);
    snprintf(name, sizeof name, "folder-%.16s.v%d", hex, VERSION);
    return file_join(cache, 1024, data->cache_dir, name, err);
}

/* --- Making it ------------------------------------------------------------------------------------ */

/* The crops of one photo, or why there are none. */
struct portion {
    uint8_t *pixels; /* [count][3][side][side], owned */
    size_t count;
    int result;
    struct caelum_error err;
};

struct building {
    const char *directory;
    const struct photos *photos;
    const struct caelum_data_settings *settings;
    size_t share, at; /* at: the photo that is job 0 */
    struct portion *portion;
    struct file_writer writer;
    struct sha256_ctx sha;
    struct header header;
    uint32_t *first; /* [photos + 1] */
    char *skips;
    size_t skips_capacity;
};

static int cut(const struct building *b, size_t number, struct portion *portion, struct caelum_error *err) {
    const size_t side = b->settings->crop;
    struct caelum_picture picture = {0};
    char path[1024];
    CHECK(file_join(path, sizeof path, b->directory, b->photos->photo[number].path, err));
    CHECK(caelum_picture_load(&picture, path, err));
    int result = CAELUM_OK;
    if (picture.width < side || picture.height < side)
        result = caelum_fail(err, CAELUM_EFORMAT, "%zux%zu pixels are too few for a crop of %zux%zu",
                             picture.width, picture.height, side, side);
    if (result == 0) {
        portion->count = crops_count(picture.width, picture.height, side, b->share);
        result = mem_alloc(&portion->pixels, portion->count, 3 * side * side, err);
    }
    for (size_t i = 0; result == 0 && i < portion->count; i++) {
        const struct crop_window window = crop_window(
            picture.width, picture.height, side, b->settings->synthetic_seed, (uint32_t)number, (uint32_t)i);
        crop_make(&picture, window, side, portion->pixels + i * 3 * side * side);
    }
    caelum_picture_free(&picture);
    return result;
}

static void cut_job(void *cookie, size_t job, int worker) {
    const struct building *b = cookie;
    struct portion *portion = &b->portion[job];
    (void)worker;
    *portion = (struct portion){0};
    portion->result = cut(b, b->at + job, portion, &portion->err);
}

/* Remembers why a file was left out; the sentence need not name it again. */
static int skip(struct building *b, const char *path, const char *reason, struct caelum_error *err) {
    char full[1024];
    CHECK(file_join(full, sizeof full, b->directory, path, err));
    if (strncmp(reason, full, strlen(full)) == 0 && strncmp(reason + strlen(full), ": ", 2) == 0)
        reason += strlen(full) + 2;
    const size_t p = strlen(path) + 1, r = strlen(reason) + 1, used = (size_t)b->header.skips_size;
    if (used + p + r > b->skips_capacity) {
        const size_t capacity = 2 * (used + p + r);
        char *larger = NULL;
        CHECK(mem_alloc(&larger, capacity, 1, err));
        if (used) memcpy(larger, b->skips, used);
        mem_free(&b->skips);
        b->skips = larger;
        b->skips_capacity = capacity;
    }
    memcpy(b->skips + used, path, p);
    memcpy(b->skips + used + p, reason, r);
    b->header.skips_size += p + r;
    b->header.skipped++;
    return CAELUM_OK;
}

static int take(struct building *b, size_t number, const struct portion *portion, struct caelum_error *err) {
    const char *path = b->photos->photo[number].path;
    const size_t size = portion->count * 3 * b->settings->crop * b->settings->crop;
    /* what is wrong with the machine now must not be remembered as wrong with the photo */
    if (portion->result == CAELUM_ERESOURCE)
        return caelum_fail(err, portion->result, "%.200s: %.250s", path, portion->err.text);
    if (portion->result != 0) return skip(b, path, portion->err.text, err);
    fwrite(portion->pixels, 1, size, b->writer.stream);
    sha256_update(&b->sha, size, portion->pixels);
    b->header.count += portion->count;
    b->first[++b->header.photos] = (uint32_t)b->header.count;
    return CAELUM_OK;
}

/* Photos in portions of a few a thread: only their crops are in memory, until they are written in order. */
static int read_photos(struct building *b, int threads, struct caelum_error *err) {
    const struct caelum_data_settings *s = b->settings;
    const size_t all = b->photos->count, most = 4 * (size_t)threads;
    CHECK(mem_alloc(&b->portion, most, sizeof *b->portion, err));
    for (b->at = 0; b->at < all; b->at += most) {
        const size_t n = all - b->at < most ? all - b->at : most;
        int result = CAELUM_OK;
        parallel_for(threads, n, cut_job, b);
        for (size_t i = 0; i < n; i++) {
            if (result == 0) result = take(b, b->at + i, &b->portion[i], err);
            mem_free(&b->portion[i].pixels);
        }
        CHECK(result);
        if (ferror(b->writer.stream)) return CAELUM_OK; /* file_commit will say so */
        if (s->progress && s->progress(s->cookie, "reading", b->at + n, all) != 0)
            return caelum_fail(err, CAELUM_ESTOPPED, "stopped while the pictures were read");
    }
    return CAELUM_OK;
}

static int too_few(const struct building *b, struct caelum_error *err) {
    const size_t usable = (size_t)b->header.photos, skipped = (size_t)b->header.skipped;
    if (skipped == 0)
        return caelum_fail(err, CAELUM_EUSAGE,
                           "%.200s: %zu pictures are too few to split; at least %d are needed", b->directory,
                           usable, LEAST_PHOTOS);
    return caelum_fail(err, CAELUM_EFORMAT,
                       "%.150s: %zu pictures can be used, at least %d are needed; files skipped: %zu, the "
                       "first of them %.100s: %.120s",
                       b->directory, usable, LEAST_PHOTOS, skipped, b->skips,
                       b->skips + strlen(b->skips) + 1);
}

static int fill(struct building *b, int threads, struct caelum_error *err) {
    static const uint8_t page[HEADER];
    struct header *h = &b->header;
    FILE *to = b->writer.stream;
    memcpy(h->magic, magic, sizeof magic);
    h->version = VERSION, h->side = b->settings->crop;
    fwrite(page, 1, sizeof page, to);
    CHECK(read_photos(b, threads, err));
    if (h->photos < LEAST_PHOTOS && !ferror(to)) return too_few(b, err);
    finish_hash(&b->sha, h->sha256);
    const size_t pixels = (size_t)(h->count * 3 * h->side * h->side);
    fwrite(page, 1, (4 - pixels % 4) % 4, to);
    fwrite(b->first, sizeof *b->first, (size_t)h->photos + 1, to);
    fwrite(b->skips ? b->skips : "", 1, (size_t)h->skips_size, to);
    if (fseek(to, 0, SEEK_SET) == 0) fwrite(h, sizeof *h, 1, to);
    const int result = file_commit(&b->writer, err);
    if (result == 0) return result;
    return caelum_fail_in(err, result, "prepared data can't be kept; choose another place with CAELUM_CACHE");
}

static int build(const char *directory, const struct photos *photos, const char *cache,
                 const struct caelum_data_settings *settings, int threads, struct caelum_error *err) {
    struct building *b = NULL;
    CHECK(mem_alloc(&b, 1, sizeof *b, err));
    b->directory = directory, b->photos = photos, b->settings = settings;
    b->share = crops_share(photos->count);
    sha256_init(&b->sha);
    int result = mem_alloc(&b->first, photos->count + 1, sizeof *b->first, err);
    if (result == 0) result = file_begin(&b->writer, cache, err);
    if (result == 0) result = fill(b, threads, err);
    file_abandon(&b->writer);
    mem_free(&b->portion);
    mem_free(&b->first);
    mem_free(&b->skips);
    mem_free(&b);
    return result;
}

/* --- Using it ------------------------------------------------------------------------------------- */

/* Whether the tables behind the pixels are what `h` says. */
static bool tables_fit(const struct header *h, const uint32_t *first, const char *skips) {
    uint64_t ends = 0;
    if (first[0] != 0 || first[h->photos] != h->count) return false;
    for (uint64_t p = 0; p < h->photos; p++)
        if (first[p] >= first[p + 1] || first[p + 1] - first[p] > CROPS_MOST) return false;
    for (uint64_t i = 0; i < h->skips_size; i++) ends += skips[i] == '\0';
    return ends == 2 * h->skipped && (h->skips_size == 0 || skips[h->skips_size - 1] == '\0');
}

/* Maps the cache; false if it is not there or not what this version writes. */
static bool map_cache(struct caelum_data *data, const char *cache, size_t side) {
    struct header h;
    struct file_map map = {0};
    if (file_map_open(&map, cache, NULL) != 0) return false;
    bool good = map.size > HEADER;
    if (good) memcpy(&h, map.bytes, sizeof h);
    /* each number is below the file's size, so no product or sum of them runs over */
    good = good && memcmp(h.magic, magic, sizeof magic) == 0 && h.version == VERSION && h.side == side &&
           h.count <= map.size / (3 * side * side) && h.photos >= LEAST_PHOTOS && h.photos <= map.size / 4 &&
           h.skips_size <= map.size && h.sha256[64] == '\0';
    const size_t pixels = good ? (size_t)h.count * 3 * side * side : 0,
                 tables = HEADER + (pixels + 3) / 4 * 4;
    const size_t skips = tables + (good ? ((size_t)h.photos + 1) * 4 : 0);
    good = good && map.size == skips + h.skips_size;
    if (!good || !tables_fit(&h, (const uint32_t *)(const void *)(map.bytes + tables),
                             (const char *)map.bytes + skips)) {
        file_map_close(&map);
        return false;
    }
    data->map = map;
    memcpy(data->fingerprint, h.sha256, sizeof data->fingerprint);
    data->count = (size_t)h.count, data->photos = (size_t)h.photos, data->skipped = (size_t)h.skipped;
    data->pixels = map.bytes + HEADER;
    data->first = (const uint32_t *)(const void *)(map.bytes + tables);
    data->skips = (const char *)map.bytes + skips;
    return true;
}

static int open_photos(struct caelum_data *data, const char *path, const struct photos *photos,
                       const struct caelum_data_settings *settings, int threads, struct caelum_error *err) {
    char cache[1024];
    if (photos->count == 0)
        return caelum_fail(err, CAELUM_EIO,
                           "%s: neither data_batch_1.bin and the other five batches of the CIFAR-10 binary "
                           "version are in it, nor pictures: PNG, JPEG, WebP or TIFF files",
                           path);
    CHECK(cache_path(data, photos, settings, cache, err));
    if (!map_cache(data, cache, settings->crop)) {
        CHECK(file_make_directory(data->cache_dir, err));
        CHECK(build(path, photos, cache, settings, threads, err));
        if (!map_cache(data, cache, settings->crop))
            return caelum_fail(err, CAELUM_EIO, "%s: can't be read back", cache);
    }
    snprintf(data->name, sizeof data->name, "folder");
    data->c = 3, data->h = data->w = settings->crop;
    return CAELUM_OK;
}

int folder_open(struct caelum_data *data, const char *path, const struct caelum_data_settings *settings,
                int threads, struct caelum_error *err) {
    struct photos photos = {0};
    if (settings->crop < CROP_LEAST_SIDE || settings->crop > CROP_MOST_SIDE)
        return caelum_fail(err, CAELUM_EUSAGE, "crop: expected %d to %d, got %zu", CROP_LEAST_SIDE,
                           CROP_MOST_SIDE, settings->crop);
    CHECK(photos_find(&photos, path, err));
    const int result = open_photos(data, path, &photos, settings, threads, err);
    photos_close(&photos);
    return result;
}

size_t caelum_data_skipped(const caelum_data *data, size_t i, const char **path, const char **reason) {
    if (i >= data->skipped) return data->skipped;
    const char *at = data->skips;
    for (size_t j = 0; j < 2 * i; j++) at += strlen(at) + 1;
    *path = at;
    *reason = at + strlen(at) + 1;
    return data->skipped;
}
