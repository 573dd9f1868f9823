/* data.c - opening a data set by its spec: which source, the shuffle, the split; and describing it. */
#include "data/data.h"

#include "base/kept.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "data/crops.h"
#include "data/formats.h"
#include "data/sets.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const caelum_resize_words[] = {"no", "fit", "crop", "stretch", NULL};

struct caelum_data_settings caelum_data_defaults(void) {
    return (struct caelum_data_settings){.split_seed = 1, .synthetic_seed = 1};
}

static bool belongs_to_another(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && st.st_uid != geteuid();
}

bool data_has_file(const char *directory, const char *name) {
    char path[PATH_SIZE];
    struct stat st;
    return file_join(path, sizeof path, directory, name, NULL) == 0 && stat(path, &st) == 0 &&
           S_ISREG(st.st_mode);
}

int data_home(const char *variable, const char *usual, char dir[PATH_SIZE], struct caelum_error *err) {
    const char *xdg = getenv(variable), *home = getenv("HOME");
    char below[64];
    if (xdg && *xdg == '/' && !belongs_to_another(xdg)) return file_join(dir, PATH_SIZE, xdg, "caelum", err);
    if (!home || *home != '/' || belongs_to_another(home))
        return caelum_fail(err, CAELUM_EIO, "there is no home directory of this user; name a directory");
    snprintf(below, sizeof below, "%s/caelum", usual);
    return file_join(dir, PATH_SIZE, home, below, err);
}

/* $CAELUM_CACHE, else the user's; else one in /tmp, where anybody could have put it. */
static int choose_cache(struct caelum_data *data, const char *wanted, struct caelum_error *err) {
    char *dir = data->cache_dir;
    if (!wanted || !*wanted) wanted = getenv("CAELUM_CACHE");
    if (wanted && *wanted) return file_join(dir, PATH_SIZE, wanted, "", err);
    if (data_home("XDG_CACHE_HOME", ".cache", dir, NULL) == 0) return CAELUM_OK;
    snprintf(dir, PATH_SIZE, "/tmp/caelum-%ld", (long)geteuid());
    if (kept_directory(dir)) return CAELUM_OK;
    *dir = '\0';
    data->no_cache = "there is no home directory, and the one in /tmp is not this user's alone";
    return CAELUM_OK;
}

/* Shuffles the units of the data, pictures or photos, and divides n of them into train, validation and test:
 * by the parts that the source has, each shuffled by itself; a part that it lacks is a tenth of what would be
 * train. `unit`: those of train, then of validation, then of test. */
static int divide(struct caelum_data *data, size_t n, size_t parts[3], uint32_t **unit,
                  struct caelum_error *err) {
    const size_t all = data->photos ? data->photos : data->count;
    const size_t part[3] = {data->part[0] ? data->part[0] : all, data->part[1], data->part[2]};
    size_t from[3] = {0, part[0], part[0] + part[1]};
    uint32_t *shuffled = NULL;
    if (n > all) n = all;
    for (int s = 1; s < 3; s++) {
        parts[s] = (size_t)((double)part[s] * (double)n / (double)all);
        if (part[s] > 0 && parts[s] == 0) parts[s] = 1; /* what is there is not limited away */
    }
    const size_t train = n - parts[1] - parts[2];
    parts[0] = train;
    for (int s = 1; s < 3; s++)
        if (part[s] == 0) parts[s] = train / 10, parts[0] -= parts[s];
    if (part[1] == 0) from[1] = parts[0];
    if (part[2] == 0) from[2] = train - parts[2];
    if (n < 10)
        return caelum_fail(err, CAELUM_EUSAGE, "%zu pictures are too few to split; at least 10 are needed",
                           n);
    if (parts[1] == 0 || parts[2] == 0)
        return caelum_fail(err, CAELUM_EUSAGE,
                           "%zu pictures for training are too few to take others out of them; at least 10 "
                           "are needed",
                           train);
    CHECK(mem_alloc(unit, n, sizeof **unit, err));
    CHECK(mem_alloc(&shuffled, all, sizeof *shuffled, err));
    for (size_t i = 0; i < all; i++) shuffled[i] = (uint32_t)i;
    for (size_t s = 0, at = 0; s < 3; at += part[s++]) {
        struct rng rng = rng_make(data->settings.split_seed, RNG_SPLIT, (uint32_t)s);
        rng_shuffle(&rng, shuffled + at, part[s]);
    }
    for (size_t s = 0, at = 0; s < 3; at += parts[s++])
        memcpy(*unit + at, shuffled + from[s], parts[s] * sizeof **unit);
    mem_free(&shuffled);
    return CAELUM_OK;
}

/* Crops go with their photos, so that no photo is in two splits. Within a split, every photo's first crop
 * comes before all second ones: the first pictures of a split are different, and a limit leaves as many
 * photos as it can. `kept` has room for the number of crops of the photo of that rank. */
static int split_photos(struct caelum_data *data, size_t n, const size_t parts[3], const uint32_t *photo,
                        uint32_t *kept, struct caelum_error *err) {
    const uint32_t *first = data->first;
    const size_t photos = parts[0] + parts[1] + parts[2];
    size_t left = n, at = 0, rank = 0;
    CHECK(mem_alloc(&data->order, data->count, sizeof *data->order, err));
    for (uint32_t crop = 0; crop < CROPS_MOST; crop++)
        for (size_t r = 0; r < photos && left > 0; r++)
            if (first[photo[r]] + crop < first[photo[r] + 1]) kept[r]++, left--;
    for (int s = 0; s < 3; rank += parts[s++]) {
        const size_t start = at;
        for (uint32_t crop = 0; crop < CROPS_MOST; crop++)
            for (size_t r = rank; r < rank + parts[s]; r++)
                if (crop < kept[r]) data->order[at++] = first[photo[r]] + crop;
        data->split_count[s] = at - start;
    }
    return CAELUM_OK;
}

static int split(struct caelum_data *data, const struct caelum_data_settings *settings,
                 struct caelum_error *err) {
    size_t n = data->count, parts[3];
    if (settings->limit > 0 && settings->limit < n) n = settings->limit;
    if (data->photos == 0) return divide(data, n, data->split_count, &data->order, err);
    uint32_t *photo = NULL, *kept = NULL;
    int result = divide(data, n, parts, &photo, err);
    if (result == 0) result = mem_alloc(&kept, data->photos, sizeof *kept, err);
    if (result == 0) result = split_photos(data, n, parts, photo, kept, err);
    mem_free(&photo);
    mem_free(&kept);
    return result;
}

static int open_source(struct caelum_data *data, const struct caelum_data_settings *settings,
                       struct caelum_error *err) {
    const char *spec = data->source;
    if (settings->crop > CROP_MOST_SIDE || (settings->crop > 0 && settings->crop < CROP_LEAST_SIDE))
        return caelum_fail(err, CAELUM_EUSAGE, "crop: expected %d to %d, got %zu", CROP_LEAST_SIDE,
                           CROP_MOST_SIDE, settings->crop);
    CHECK(choose_cache(data, settings->cache_dir, err));
    /* "synthetic:6OOO" is a slip, unless there is such a thing */
    if (data_is_synthetic(spec, NULL, NULL) ||
        (strncmp(spec, "synthetic:", 10) == 0 && access(spec, F_OK) != 0))
        return synthetic_open(data, spec, settings, err);
    return formats_open(data, spec, settings, parallel_default_threads(), err);
}

/* The user's choice; else CIFAR-10 where it was fetched; else generated pictures. A published set is meant by
 * its name where there is no such file. */
static int choose_source(struct caelum_data *data, const char *spec, struct caelum_error *err) {
    char fetched[PATH_SIZE];
    if (!spec || !*spec) spec = getenv("CAELUM_DATA");
    const struct data_set *set = data_set_find(spec && *spec ? spec : "cifar-10");
    if (!spec || !*spec) {
        spec = set && data_set_locate(set, NULL, fetched, NULL) == 0 ? fetched : "synthetic";
    } else if (set && access(spec, F_OK) != 0) {
        CHECK(data_set_locate(set, NULL, fetched, err));
        spec = fetched;
    }
    return mem_strdup(&data->source, spec, err);
}

/* Opens what `spec` means, or pictures unless they are NULL. */
static int open_data(caelum_data **out, const char *spec, const struct caelum_pictures *pictures,
                     const struct caelum_data_settings *settings, struct caelum_error *err) {
    const struct caelum_data_settings defaults = caelum_data_defaults();
    if (!settings) settings = &defaults;
    struct caelum_data *data = NULL;
    CHECK(mem_alloc(&data, 1, sizeof *data, err));
    data->settings = (struct caelum_data_settings){.split_seed = settings->split_seed,
                                                   .synthetic_seed = settings->synthetic_seed,
                                                   .crop = settings->crop,
                                                   .resize = settings->resize,
                                                   .limit = settings->limit};
    int result = pictures ? memory_open(data, pictures, err) : choose_source(data, spec, err);
    if (result == 0 && !pictures) result = open_source(data, settings, err);
    if (result == 0) result = split(data, settings, err);
    if (result != 0) {
        caelum_data_close(&data);
        return result;
    }
    *out = data;
    if (settings->opened) settings->opened(settings->cookie, data);
    return CAELUM_OK;
}

int caelum_data_open(caelum_data **data, const char *spec, const struct caelum_data_settings *settings,
                     struct caelum_error *err) {
    return open_data(data, spec, NULL, settings, err);
}

int caelum_data_from_pictures(caelum_data **data, const struct caelum_pictures *pictures,
                              const struct caelum_data_settings *settings, struct caelum_error *err) {
    struct caelum_data_settings s = caelum_data_defaults(); /* of what doesn't matter here, too */
    if (settings) {
        s.split_seed = settings->split_seed;
        s.limit = settings->limit;
        s.opened = settings->opened;
        s.cookie = settings->cookie;
    }
    return open_data(data, NULL, pictures, &s, err);
}

bool data_has_spec(const struct caelum_data *data) {
    return strcmp(data->name, "memory") != 0;
}

const char *data_split_text(const struct caelum_data *data, char text[130]) {
    const size_t *n = data->split_count, *part = data->part;
    const int used = snprintf(text, 130, "%zu/%zu/%zu", n[0], n[1], n[2]);
    if (part[0] > 0) snprintf(text + used, 130 - (size_t)used, " of %zu/%zu/%zu", part[0], part[1], part[2]);
    return text;
}

void caelum_data_close(caelum_data **data) {
    if (!*data) return;
    file_map_close(&(*data)->map);
    mem_free(&(*data)->source);
    mem_free(&(*data)->memory);
    mem_free(&(*data)->order);
    mem_free(data);
}

void data_note(struct caelum_data *data, const char *format, ...) {
    va_list args;
    size_t i = 0;
    while (*data->note[i]) i++;
    va_start(args, format);
    number_vprint(data->note[i], sizeof data->note[i], format, args);
    va_end(args);
}

const char *caelum_data_note(const caelum_data *data, size_t i) {
    return i < DATA_NOTES && *data->note[i] ? data->note[i] : NULL;
}

const char *caelum_data_fingerprint(const caelum_data *data) {
    return data->fingerprint;
}

size_t caelum_data_count(const caelum_data *data, enum caelum_split split_of) {
    return split_of == CAELUM_ALL ? data->split_count[0] + data->split_count[1] + data->split_count[2]
                                  : data->split_count[split_of];
}

struct pictures data_pictures(const struct caelum_data *data, enum caelum_split split_of) {
    size_t first = 0;
    if (split_of != CAELUM_ALL)
        for (int s = 0; s < (int)split_of; s++) first += data->split_count[s];
    return (struct pictures){.pixels = data->pixels,
                             .index = data->order + first,
                             .n = caelum_data_count(data, split_of),
                             .c = data->c,
                             .h = data->h,
                             .w = data->w,
                             .labels = data->labels,
                             .classes = data->classes};
}

int caelum_data_picture(const caelum_data *data, enum caelum_split split, size_t i,
                        struct caelum_picture *picture, struct caelum_error *err) {
    const struct pictures set = data_pictures(data, split);
    const uint8_t *from = pictures_at(&set, i);
    const size_t area = set.h * set.w;
    uint8_t *pixels = NULL;
    CHECK(mem_alloc(&pixels, area, 3, err));
    for (size_t p = 0; p < area; p++)
        for (size_t c = 0; c < 3; c++) pixels[p * 3 + c] = from[(c < set.c ? c : set.c - 1) * area + p];
    *picture = (struct caelum_picture){.width = set.w, .height = set.h, .pixels = pixels};
    return CAELUM_OK;
}

/* --- What `data info` prints ---------------------------------------------------------------------- */

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
                                    .split_seed = data->settings.split_seed,
                                    .photos = data->photos};
    snprintf(info.name, sizeof info.name, "%s", data->name);
    info.source = data->source;
    snprintf(info.pixels_sha256, sizeof info.pixels_sha256, "%s", data->fingerprint);
    memcpy(info.split_count, data->split_count, sizeof info.split_count);
    info.classes = data->classes;
    if (data->map.size > 0) CHECK(checksums_of(data->source, &info, err));
    measure(data, &info);
    *out = info;
    return CAELUM_OK;
}

const char *caelum_data_class(const caelum_data *data, size_t i, size_t *count) {
    const char *name = data->class_names;
    if (i >= data->classes) return NULL;
    *count = 0;
    for (size_t p = 0; p < data->count; p++) *count += data->labels[p] == i;
    for (size_t before = 0; before < i; before++) name += strlen(name) + 1;
    return name;
}

size_t caelum_data_skipped(const caelum_data *data, size_t i, const char **path, const char **reason) {
    if (i >= data->skipped) return data->skipped;
    const char *at = data->skips;
    for (size_t j = 0; j < 2 * i; j++) at += strlen(at) + 1;
    *path = at;
    *reason = at + strlen(at) + 1;
    return data->skipped;
}
