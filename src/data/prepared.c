/* prepared.c - writing, checking and mapping prepared data sets. */
#define _GNU_SOURCE /* memfd_create */
#include "data/prepared.h"

#include "base/kept.h"
#include "base/path.h"
#include "data/crops.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

enum { HEADER = 4096, PORTION = 1 << 26 };

static const char magic[16] = "caelum data 2";

struct source_identity source_identity(const struct stat *st) {
    return (struct source_identity){(long long)st->st_size,
                                    (long long)st->st_ino,
                                    {(long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec},
                                    {(long long)st->st_ctim.tv_sec, st->st_ctim.tv_nsec}};
}

void prepared_key(struct sha256_ctx *sha, char key[65]) {
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_digest(sha, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++) snprintf(key + 2 * i, 3, "%02x", digest[i]);
}

static uint32_t add_sum(uint32_t sum, const void *bytes, size_t size) {
    return (uint32_t)crc32_z(sum, bytes, size);
}

/* --- Making it ------------------------------------------------------------------------------------ */

static void put(struct prepared_writer *to, const void *bytes, size_t size) {
    if (size == 0) return;
    fwrite(bytes, 1, size, to->stream);
    to->sum = add_sum(to->sum, bytes, size);
}

void prepared_pixels(struct prepared_writer *to, const uint8_t *pixels, size_t size) {
    put(to, pixels, size);
    sha256_update(&to->pixels, size, pixels);
}

/* Bytes from the pixels' end to the next multiple of four. */
static size_t padding(const struct prepared_header *h) {
    return (size_t)((4 - h->count * h->c * h->h * h->w % 4) % 4);
}

void prepared_tables(struct prepared_writer *to, const uint32_t *first, const uint8_t *labels,
                     const char *skips) {
    const struct prepared_header *h = &to->header;
    put(to, "\0\0\0", padding(h));
    if (h->photos) put(to, first, ((size_t)h->photos + 1) * sizeof *first);
    if (h->labelled) put(to, labels, (size_t)h->count);
    put(to, skips, (size_t)h->skips_size);
}

static int write_all(const struct prepared *what, FILE *stream, struct caelum_error *err) {
    static const uint8_t page[HEADER];
    struct prepared_writer to = {.stream = stream, .header = {.c = what->c, .h = what->h, .w = what->w}};
    struct prepared_header *h = &to.header;
    memcpy(h->magic, magic, sizeof magic);
    memcpy(h->key, what->key, sizeof what->key);
    sha256_init(&to.pixels);
    fwrite(page, 1, sizeof page, stream);
    CHECK(what->make(what->cookie, &to, err));
    prepared_key(&to.pixels, h->sha256);
    h->sum = add_sum(to.sum, h, sizeof *h);
    if (fseek(stream, 0, SEEK_SET) == 0) fwrite(h, sizeof *h, 1, stream);
    return CAELUM_OK;
}

/* --- Checking it ---------------------------------------------------------------------------------- */

/* Where things are in the file. */
struct layout {
    size_t first, labels, skips, end;
};

/* False where the header is none, or of another file. Each number is below the file's size, so no product or
 * sum of them runs over. */
static bool lay_out(const struct prepared_header *h, const struct prepared *what, size_t size,
                    struct layout *at) {
    const size_t picture = what->c * what->h * what->w;
    if (memcmp(h->magic, magic, sizeof magic) != 0 || memcmp(h->key, what->key, sizeof what->key) != 0 ||
        h->c != what->c || h->h != what->h || h->w != what->w || h->count > size / picture ||
        h->labelled > 1 || h->photos > size / 4 || h->skips_size > size || h->sha256[64] != '\0')
        return false;
    at->first = HEADER + (size_t)h->count * picture + padding(h);
    at->labels = at->first + (h->photos ? ((size_t)h->photos + 1) * 4 : 0);
    at->skips = at->labels + (h->labelled ? (size_t)h->count : 0);
    at->end = at->skips + (size_t)h->skips_size;
    return at->end == size;
}

/* Whether all bytes are those that were written. */
static int check_sum(const struct file_map *map, const struct caelum_data_settings *s, bool *good,
                     struct caelum_error *err) {
    struct prepared_header h;
    uint32_t sum = 0;
    for (size_t at = HEADER; at < map->size; at += PORTION) {
        const size_t n = map->size - at < PORTION ? map->size - at : PORTION;
        sum = add_sum(sum, map->bytes + at, n);
        if (n == PORTION && s->progress && s->progress(s->cookie, "checking", at, map->size) != 0)
            return caelum_fail(err, CAELUM_ESTOPPED, "stopped while prepared data was checked");
    }
    memcpy(&h, map->bytes, sizeof h);
    const uint32_t written = h.sum;
    h.sum = 0;
    *good = add_sum(sum, &h, sizeof h) == written;
    return CAELUM_OK;
}

static bool first_fits(const struct prepared_header *h, const uint32_t *first) {
    if (first[0] != 0 || first[h->photos] != h->count) return false;
    for (uint64_t p = 0; p < h->photos; p++)
        if (first[p] >= first[p + 1] || first[p + 1] - first[p] > CROPS_MOST) return false;
    return true;
}

static bool labels_fit(const uint8_t *labels, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (labels[i] >= CIFAR_CLASSES) return false;
    return true;
}

static bool skips_fit(const struct prepared_header *h, const char *skips) {
    uint64_t ends = 0;
    for (uint64_t i = 0; i < h->skips_size; i++) ends += skips[i] == '\0';
    return ends == 2 * h->skipped && (h->skips_size == 0 || skips[h->skips_size - 1] == '\0');
}

/* Data are the file that is mapped, if all of it is good. */
static int take_map(struct caelum_data *data, const struct prepared *what, const struct file_map *map,
                    const struct caelum_data_settings *settings, bool *good, struct caelum_error *err) {
    struct prepared_header h;
    struct layout at;
    if (map->size <= HEADER) return CAELUM_OK;
    memcpy(&h, map->bytes, sizeof h);
    if (!lay_out(&h, what, map->size, &at)) return CAELUM_OK;
    bool same = false;
    CHECK(check_sum(map, settings, &same, err));
    const uint32_t *first = (const uint32_t *)(const void *)(map->bytes + at.first);
    const uint8_t *labels = map->bytes + at.labels;
    const char *skips = (const char *)map->bytes + at.skips;
    if (!same || (h.photos && !first_fits(&h, first)) ||
        (h.labelled && !labels_fit(labels, (size_t)h.count)) || !skips_fit(&h, skips))
        return CAELUM_OK;
    data->map = *map;
    memcpy(data->fingerprint, h.sha256, sizeof data->fingerprint);
    data->count = (size_t)h.count, data->photos = (size_t)h.photos, data->skipped = (size_t)h.skipped;
    data->c = what->c, data->h = what->h, data->w = what->w;
    data->pixels = map->bytes + HEADER;
    data->first = h.photos ? first : NULL;
    data->labels = h.labelled ? labels : NULL;
    data->skips = skips;
    *good = true;
    return CAELUM_OK;
}

static int read_back(struct caelum_data *data, const struct prepared *what, int fd,
                     const struct caelum_data_settings *settings, bool *good, struct caelum_error *err) {
    struct stat st;
    *good = false;
    if (fstat(fd, &st) != 0 || st.st_size <= 0) return CAELUM_OK;
    void *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED) return CAELUM_OK;
    struct file_map map = {.bytes = bytes, .size = (size_t)st.st_size};
    const int result = take_map(data, what, &map, settings, good, err);
    if (!*good) file_map_close(&map);
    return result;
}

/* --- Keeping it ----------------------------------------------------------------------------------- */

/* The kept file, if there is a good one; else *why says what is wrong. */
static int open_kept(struct caelum_data *data, const struct prepared *what, const char *path,
                     const struct caelum_data_settings *settings, bool *good, const char **why,
                     struct caelum_error *err) {
    *good = false;
    const int fd = kept_open(path, why);
    if (fd < 0) return CAELUM_OK;
    const int result = read_back(data, what, fd, settings, good, err);
    *why = "it can't be read back as it was written";
    close(fd);
    return result;
}

/* Makes and opens the kept file; where that can't be, *good stays false and `problem` says why. */
static int keep(struct caelum_data *data, const struct prepared *what, const char *path,
                const struct caelum_data_settings *settings, bool *good, struct caelum_error *problem,
                struct caelum_error *err) {
    struct file_writer writer = {0};
    const char *why;
    *good = false;
    if (file_make_directory(data->cache_dir, problem) != 0 || kept_begin(&writer, path, problem) != 0)
        return CAELUM_OK;
    const int result = write_all(what, writer.stream, err);
    if (result != 0) {
        file_abandon(&writer);
        return result;
    }
    if (file_commit(&writer, problem) != 0) return CAELUM_OK;
    CHECK(open_kept(data, what, path, settings, good, &why, err));
    if (!*good) caelum_fail(problem, CAELUM_EIO, "%.150s: %s", path, why);
    return CAELUM_OK;
}

static FILE *in_memory(void) {
    const int fd = memfd_create("caelum", MFD_CLOEXEC);
    FILE *stream = fd >= 0 ? fdopen(fd, "w+b") : NULL;
    if (!stream && fd >= 0) close(fd);
    return stream;
}

/* Makes it for this once: in a file without a name, or in memory where there is no place for one. */
static int make_unnamed(struct caelum_data *data, const struct prepared *what,
                        const struct caelum_data_settings *settings, const struct caelum_error *problem,
                        struct caelum_error *err) {
    for (int memory = 0; memory < 2; memory++) {
        FILE *stream = memory ? in_memory() : tmpfile();
        bool good = false;
        if (!stream) continue;
        int result = write_all(what, stream, err);
        if (result == 0 && fflush(stream) == 0 && !ferror(stream))
            result = read_back(data, what, fileno(stream), settings, &good, err);
        fclose(stream);
        if (good)
            return data_note(data, err,
                             "prepared data is not kept for the next time: %s; name another "
                             "directory by CAELUM_CACHE",
                             problem->text);
        CHECK(result);
    }
    return caelum_fail(err, CAELUM_ERESOURCE, "no space for prepared data, nor in /tmp: %.150s",
                       problem->text);
}

int prepared_open(struct caelum_data *data, const struct prepared *what,
                  const struct caelum_data_settings *settings, struct caelum_error *err) {
    struct caelum_error problem = {0};
    char name[80], path[PATH_SIZE];
    const char *why;
    bool good = false;
    if (*data->cache_dir) {
        snprintf(name, sizeof name, "%.16s-%.16s-%lu.v2", what->kind, what->key, (unsigned long)geteuid());
        CHECK(file_join(path, sizeof path, data->cache_dir, name, err));
        CHECK(open_kept(data, what, path, settings, &good, &why, err));
        if (!good) CHECK(keep(data, what, path, settings, &good, &problem, err));
        if (good) return CAELUM_OK;
    } else {
        caelum_fail(&problem, CAELUM_EIO, "%s", data->no_cache);
    }
    return make_unnamed(data, what, settings, &problem, err);
}
