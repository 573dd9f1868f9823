/* prepared.c - writing, checking and mapping prepared data sets. */
#define _GNU_SOURCE /* memfd_create */
#include "data/prepared.h"

#include "base/kept.h"
#include "base/path.h"
#include "data/crops.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

enum { HEADER = 4096, PORTION = 1 << 26 };

static const char magic[16] = "caelum data 3";

void prepared_key(struct sha256_ctx *sha, char key[65]) {
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_digest(sha, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++) snprintf(key + 2 * i, 3, "%02x", digest[i]);
}

/* --- Making it ------------------------------------------------------------------------------------ */

static void put(struct prepared_writer *to, const void *bytes, size_t size) {
    if (size == 0) return;
    fwrite(bytes, 1, size, to->stream);
    to->sum = (uint32_t)crc32_z(to->sum, bytes, size);
}

void prepared_pixels(struct prepared_writer *to, const uint8_t *pixels, size_t size) {
    put(to, pixels, size);
    sha256_update(&to->pixels, size, pixels);
}

void prepared_restart(struct prepared_writer *to) {
    struct prepared_header fresh = {0};
    memcpy(fresh.magic, magic, sizeof magic);
    memcpy(fresh.key, to->header.key, sizeof fresh.key);
    to->header = fresh;
    to->sum = 0;
    sha256_init(&to->pixels);
    if (fflush(to->stream) == 0 && ftruncate(fileno(to->stream), HEADER) == 0)
        fseek(to->stream, HEADER, SEEK_SET);
}

/* Bytes from the pixels' end to the next multiple of four. */
static size_t padding(const struct prepared_header *h) {
    return (size_t)((4 - h->count * h->c * h->h * h->w % 4) % 4);
}

void prepared_tables(struct prepared_writer *to, const uint32_t *first, const uint16_t *labels,
                     const char *names, const char *skips) {
    const struct prepared_header *h = &to->header;
    put(to, "\0\0\0", padding(h));
    if (h->photos) put(to, first, ((size_t)h->photos + 1) * sizeof *first);
    if (h->classes) put(to, labels, (size_t)h->count * sizeof *labels);
    put(to, names, (size_t)h->names_size);
    put(to, skips, (size_t)h->skips_size);
}

/* The data of a set being opened. */
struct opening {
    struct caelum_data *data;
    const struct prepared *what;
    const struct caelum_data_settings *settings;
    struct caelum_error *err;
    int failure;                 /* which err describes: nothing else is tried after it */
    struct caelum_error problem; /* why the data can't be kept */
};

static void write_all(struct opening *o, FILE *stream) {
    static const uint8_t page[HEADER];
    const struct prepared *what = o->what;
    struct prepared_writer to = {.stream = stream};
    struct prepared_header *h = &to.header;
    memcpy(h->key, what->key, sizeof what->key);
    fwrite(page, 1, sizeof page, stream);
    prepared_restart(&to);
    o->failure = what->make(what->cookie, &to, o->err);
    prepared_key(&to.pixels, h->sha256);
    h->sum = (uint32_t)crc32_z(to.sum, (const uint8_t *)h, sizeof *h);
    if (fseek(stream, 0, SEEK_SET) == 0) fwrite(h, sizeof *h, 1, stream);
}

/* --- Checking it ---------------------------------------------------------------------------------- */

/* Where things are in the file. */
struct layout {
    size_t first, labels, names, skips, end;
};

/* False where the header is none, or of another file. Each number is below the file's size or another limit,
 * so no product or sum of them runs over. */
static bool lay_out(const struct prepared_header *h, const struct prepared *what, size_t size,
                    struct layout *at) {
    const size_t most = DATA_MOST_SIDE;
    if (memcmp(h->magic, magic, sizeof magic) != 0 || memcmp(h->key, what->key, sizeof what->key) != 0 ||
        h->c - 1 >= 3 || h->h - 1 >= most || h->w - 1 >= most || h->count > size / (h->c * h->h * h->w) ||
        h->classes > DATA_MOST_CLASSES || h->photos > size / 4 || h->names_size > size ||
        h->skips_size > size || h->sha256[64] != '\0' || h->name[sizeof h->name - 1] != '\0')
        return false;
    at->first = HEADER + (size_t)(h->count * h->c * h->h * h->w) + padding(h);
    at->labels = at->first + (h->photos ? ((size_t)h->photos + 1) * 4 : 0);
    at->names = at->labels + (h->classes ? 2 * (size_t)h->count : 0);
    at->skips = at->names + (size_t)h->names_size;
    at->end = at->skips + (size_t)h->skips_size;
    return at->end == size;
}

/* Whether all bytes are those that were written. */
static bool check_sum(struct opening *o, const struct file_map *map, struct prepared_header h) {
    const struct caelum_data_settings *s = o->settings;
    const uint32_t written = h.sum;
    uLong sum = 0;
    for (size_t at = HEADER; at < map->size; at += PORTION) {
        const size_t n = map->size - at < PORTION ? map->size - at : PORTION;
        sum = crc32_z(sum, map->bytes + at, n);
        if (n < PORTION || !s->progress || s->progress(s->cookie, "checking", at, map->size) == 0) continue;
        o->failure = caelum_fail(o->err, CAELUM_ESTOPPED, "stopped while prepared data was checked");
        return false;
    }
    h.sum = 0;
    return crc32_z(sum, (const uint8_t *)&h, sizeof h) == written;
}

static bool first_fits(const struct prepared_header *h, const uint32_t *first) {
    if (first[0] != 0 || first[h->photos] != h->count) return false;
    for (uint64_t p = 0; p < h->photos; p++)
        if (first[p] >= first[p + 1] || first[p + 1] - first[p] > CROPS_MOST) return false;
    return true;
}

static bool labels_fit(const struct prepared_header *h, const uint16_t *labels) {
    for (uint64_t i = 0; h->classes && i < h->count; i++)
        if (labels[i] >= h->classes) return false;
    return true;
}

/* Whether these are that many strings, each with its end. */
static bool strings_fit(uint64_t count, const char *strings, uint64_t size) {
    uint64_t ends = 0;
    for (uint64_t i = 0; i < size; i++) ends += strings[i] == '\0';
    return ends == count && (size == 0 || strings[size - 1] == '\0');
}

static bool parts_fit(const struct prepared_header *h) {
    const uint64_t all = h->photos ? h->photos : h->count;
    for (int s = 0; s < 3; s++)
        if (h->part[s] > all) return false;
    const uint64_t sum = h->part[0] + h->part[1] + h->part[2];
    return sum == 0 || (sum == all && h->part[0] > 0);
}

/* Data are the file that is mapped, if all of it is good. */
static bool take_map(struct opening *o, const struct file_map *map) {
    struct caelum_data *data = o->data;
    struct prepared_header h;
    struct layout at;
    if (map->size <= HEADER) return false;
    memcpy(&h, map->bytes, sizeof h);
    if (!lay_out(&h, o->what, map->size, &at) || !check_sum(o, map, h)) return false;
    const uint32_t *first = (const uint32_t *)(const void *)(map->bytes + at.first);
    const uint16_t *labels = (const uint16_t *)(const void *)(map->bytes + at.labels);
    const char *names = (const char *)map->bytes + at.names, *skips = (const char *)map->bytes + at.skips;
    if ((h.photos && !first_fits(&h, first)) || !labels_fit(&h, labels) || !parts_fit(&h) ||
        !strings_fit(h.classes, names, h.names_size) || !strings_fit(2 * h.skipped, skips, h.skips_size))
        return false;
    data->map = *map;
    memcpy(data->fingerprint, h.sha256, sizeof data->fingerprint);
    data->count = (size_t)h.count, data->photos = (size_t)h.photos, data->skipped = (size_t)h.skipped;
    data->c = (size_t)h.c, data->h = (size_t)h.h, data->w = (size_t)h.w;
    for (int s = 0; s < 3; s++) data->part[s] = (size_t)h.part[s];
    data->pixels = map->bytes + HEADER;
    data->first = h.photos ? first : NULL;
    data->classes = (size_t)h.classes;
    data->class_names = names;
    data->labels = h.classes ? labels : NULL;
    data->skips = skips;
    memcpy(data->name, h.name, sizeof data->name);
    return true;
}

static bool read_back(struct opening *o, int fd) {
    struct stat st;
    if (fstat(fd, &st) != 0 || st.st_size <= 0) return false;
    void *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED) return false;
    struct file_map map = {.bytes = bytes, .size = (size_t)st.st_size};
    const bool good = take_map(o, &map);
    if (!good) file_map_close(&map);
    return good;
}

/* --- Keeping it ----------------------------------------------------------------------------------- */

/* Opens the kept file, if there is a good one. */
static bool open_kept(struct opening *o, const char *path) {
    const char *why;
    const int fd = kept_open(path, &why);
    const bool good = fd >= 0 && read_back(o, fd);
    if (!good)
        caelum_fail(&o->problem, CAELUM_EIO, "%.150s: %s", path,
                    fd >= 0 ? "it can't be read back as it was written" : why);
    if (fd >= 0) close(fd);
    return good;
}

/* Waits while another process prepares data in this directory: they may be the same, as they are for ranks on
 * one host. Returns whether it has waited. */
static bool wait_turn(struct opening *o, int directory) {
    const struct caelum_data_settings *s = o->settings;
    const struct timespec pause = {0, 50000000};
    bool waited = false;
    while (flock(directory, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        waited = true;
        if (s->progress && s->progress(s->cookie, "waiting for another caelum to read", 0, 1) != 0) {
            o->failure = caelum_fail(o->err, CAELUM_ESTOPPED, "stopped while another caelum prepared data");
            break;
        }
        nanosleep(&pause, NULL);
    }
    return waited;
}

/* Makes and opens the kept file. */
static bool make_kept(struct opening *o, const char *path) {
    struct file_writer writer = {0};
    if (kept_begin(&writer, path, &o->problem) != 0) return false;
    write_all(o, writer.stream);
    if (o->failure == 0 && file_commit(&writer, &o->problem) == 0) return open_kept(o, path);
    file_abandon(&writer);
    return false;
}

/* The same, unless another process does. */
static bool keep(struct opening *o, const char *path) {
    if (file_make_directory(o->data->cache_dir, &o->problem) != 0) return false;
    const int directory = open(o->data->cache_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = wait_turn(o, directory) && o->failure == 0 && open_kept(o, path);
    if (!good && o->failure == 0) good = make_kept(o, path);
    if (directory >= 0) close(directory);
    return good;
}

/* A file in memory, where there is no place for one on a disk. */
static FILE *in_memory(void) {
    const int fd = memfd_create("caelum", MFD_CLOEXEC);
    FILE *stream = fd >= 0 ? fdopen(fd, "w+b") : NULL;
    if (!stream && fd >= 0) close(fd);
    return stream;
}

/* Makes it for this once, in a file without a name. */
static bool make_unnamed(struct opening *o, FILE *stream) {
    if (!stream) return false;
    write_all(o, stream);
    const bool good =
        o->failure == 0 && fflush(stream) == 0 && !ferror(stream) && read_back(o, fileno(stream));
    fclose(stream);
    return good;
}

int prepared_open(struct caelum_data *data, const struct prepared *what,
                  const struct caelum_data_settings *settings, struct caelum_error *err) {
    struct opening o = {.data = data, .what = what, .settings = settings, .err = err};
    char name[80], path[PATH_SIZE];
    if (*data->cache_dir) {
        snprintf(name, sizeof name, "data-%.16s-%lu.v3", what->key, (unsigned long)geteuid());
        CHECK(file_join(path, sizeof path, data->cache_dir, name, err));
        if (open_kept(&o, path) || (o.failure == 0 && keep(&o, path))) return CAELUM_OK;
    } else {
        caelum_fail(&o.problem, CAELUM_EIO, "%s", data->no_cache);
    }
    if ((o.failure == 0 && make_unnamed(&o, tmpfile())) ||
        (o.failure == 0 && make_unnamed(&o, in_memory()))) {
        data_note(data,
                  "prepared data is not kept for the next time: %s; name another directory by CAELUM_CACHE",
                  o.problem.text);
        return CAELUM_OK;
    }
    if (o.failure != 0) return o.failure;
    return caelum_fail(err, CAELUM_ERESOURCE, "no space for prepared data, nor in /tmp: %.150s",
                       o.problem.text);
}
