/* folder.c - a directory of photos as a data set: crops of them. What decides them is the photos, by their
 * paths below the directory and the identities of their files, and the size and seed of the crops. */
#include "base/mem.h"
#include "base/parallel.h"
#include "data/crops.h"
#include "data/photos.h"
#include "data/prepared.h"

#include <stdlib.h>
#include <string.h>

enum { LEAST_PHOTOS = 10 };

static void folder_key(const struct photos *photos, const struct caelum_data_settings *settings,
                       char key[65]) {
    struct sha256_ctx sha;
    char text[64];
    sha256_init(&sha);
    snprintf(text, sizeof text, "%zu %llu", settings->crop, (unsigned long long)settings->synthetic_seed);
    sha256_update(&sha, strlen(text) + 1, (const uint8_t *)text);
    for (const struct photo *p = photos->photo; p < photos->photo + photos->count; p++) {
        const uint8_t readable = p->readable;
        sha256_update(&sha, strlen(p->path) + 1, (const uint8_t *)p->path);
        sha256_update(&sha, sizeof p->identity, (const uint8_t *)&p->identity);
        sha256_update(&sha, 1, &readable);
    }
    prepared_key(&sha, key);
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
    int threads;
    struct prepared_writer *to;
    size_t share, at; /* at: the photo that is job 0 */
    struct portion *portion;
    uint32_t *first;   /* [photos + 1] */
    FILE *skips;       /* into memory: path, NUL, reason, NUL of each file that was left out */
    char *skips_text;  /* its bytes, once it is closed, */
    size_t skips_size; /* and how many they are */
};

/* The crops of a picture; where it is too small for any, what size it would have some of. */
static int cut(const struct building *b, size_t number, const struct caelum_picture *picture,
               struct portion *portion, struct caelum_error *err) {
    const size_t side = b->settings->crop, width = picture->width, height = picture->height;
    const size_t shorter = width < height ? width : height;
    char advice[48] = "";
    if (shorter >= CROP_LEAST_SIDE) snprintf(advice, sizeof advice, "; --crop %zu takes it", shorter);
    if (shorter < side)
        return caelum_fail(err, CAELUM_EFORMAT, "%zux%zu pixels are too few for a crop of %zux%zu%s", width,
                           height, side, side, advice);
    portion->count = crops_count(width, height, side, b->share);
    CHECK(mem_alloc(&portion->pixels, portion->count, 3 * side * side, err));
    for (size_t i = 0; i < portion->count; i++) {
        const struct crop_window window =
            crop_window(width, height, side, b->settings->synthetic_seed, (uint32_t)number, (uint32_t)i);
        crop_make(picture, window, side, portion->pixels + i * 3 * side * side);
    }
    return CAELUM_OK;
}

static void cut_job(void *cookie, size_t job, int worker) {
    const struct building *b = cookie;
    const size_t number = b->at + job;
    struct portion *p = &b->portion[job];
    struct caelum_picture picture = {0};
    char path[PATH_SIZE];
    (void)worker;
    *p = (struct portion){0};
    p->result = file_join(path, sizeof path, b->directory, b->photos->photo[number].path, &p->err);
    if (p->result == 0) p->result = caelum_picture_load(&picture, path, &p->err);
    if (p->result == 0) p->result = cut(b, number, &picture, p, &p->err);
    caelum_picture_free(&picture);
}

/* Remembers why a file was left out; the sentence need not name it again. */
static int skip(struct building *b, const char *path, const char *reason, struct caelum_error *err) {
    char full[PATH_SIZE];
    CHECK(file_join(full, sizeof full, b->directory, path, err));
    const size_t length = strlen(full);
    if (strncmp(reason, full, length) == 0 && strncmp(reason + length, ": ", 2) == 0) reason += length + 2;
    fprintf(b->skips, "%s%c%s%c", path, '\0', reason, '\0');
    b->to->header.skipped++;
    return CAELUM_OK;
}

static int take(struct building *b, size_t number, const struct portion *portion, struct caelum_error *err) {
    const char *path = b->photos->photo[number].path;
    const size_t size = portion->count * 3 * b->settings->crop * b->settings->crop;
    /* what is wrong with the machine now must not be remembered as wrong with the photo */
    if (portion->result == CAELUM_ERESOURCE)
        return caelum_fail(err, portion->result, "%.200s: %.250s", path, portion->err.text);
    if (portion->result != 0) return skip(b, path, portion->err.text, err);
    prepared_pixels(b->to, portion->pixels, size);
    b->to->header.count += portion->count;
    b->first[++b->to->header.photos] = (uint32_t)b->to->header.count;
    return CAELUM_OK;
}

/* Photos in portions of a few a thread: only their crops are in memory, until they are written in order. */
static int read_photos(struct building *b, struct caelum_error *err) {
    const struct caelum_data_settings *s = b->settings;
    const size_t all = b->photos->count, most = 4 * (size_t)b->threads;
    CHECK(mem_alloc(&b->portion, most, sizeof *b->portion, err));
    for (b->at = 0; b->at < all; b->at += most) {
        const size_t n = all - b->at < most ? all - b->at : most;
        int result = CAELUM_OK;
        parallel_for(b->threads, n, cut_job, b);
        for (size_t i = 0; i < n; i++) {
            if (result == 0) result = take(b, b->at + i, &b->portion[i], err);
            mem_free(&b->portion[i].pixels);
        }
        CHECK(result);
        if (ferror(b->to->stream)) return CAELUM_OK;
        if (s->progress && s->progress(s->cookie, "reading", b->at + n, all) != 0)
            return caelum_fail(err, CAELUM_ESTOPPED, "stopped while the pictures were read");
    }
    return CAELUM_OK;
}

static int too_few(const struct building *b, struct caelum_error *err) {
    const size_t usable = (size_t)b->to->header.photos, skipped = (size_t)b->to->header.skipped;
    if (skipped == 0)
        return caelum_fail(err, CAELUM_EUSAGE,
                           "%.200s: %zu pictures are too few to split; at least %d are needed", b->directory,
                           usable, LEAST_PHOTOS);
    return caelum_fail(err, CAELUM_EFORMAT,
                       "%.150s: %zu pictures can be used, at least %d are needed; files skipped: %zu, the "
                       "first of them %.100s: %.120s",
                       b->directory, usable, LEAST_PHOTOS, skipped, b->skips_text,
                       b->skips_text + strlen(b->skips_text) + 1);
}

static int make_of_photos(struct building *b, struct caelum_error *err) {
    struct prepared_header *h = &b->to->header;
    CHECK(mem_alloc(&b->first, b->photos->count + 1, sizeof *b->first, err));
    b->skips = open_memstream(&b->skips_text, &b->skips_size);
    if (!b->skips) return caelum_fail(err, CAELUM_ERESOURCE, "out of memory for a list of files");
    int result = read_photos(b, err);
    const bool failed = ferror(b->skips);
    if ((fclose(b->skips) != 0 || failed) && result == 0)
        result = caelum_fail(err, CAELUM_ERESOURCE, "out of memory for a list of files");
    CHECK(result);
    if (ferror(b->to->stream)) return CAELUM_OK;
    if (h->photos < LEAST_PHOTOS) return too_few(b, err);
    h->c = 3, h->h = b->settings->crop, h->w = b->settings->crop;
    h->skips_size = b->skips_size;
    snprintf(h->name, sizeof h->name, "folder");
    prepared_tables(b->to, b->first, NULL, NULL, b->skips_text);
    return CAELUM_OK;
}

static int make(void *cookie, struct prepared_writer *to, struct caelum_error *err) {
    struct building b = *(const struct building *)cookie;
    b.to = to;
    const int result = make_of_photos(&b, err);
    mem_free(&b.portion);
    mem_free(&b.first);
    free(b.skips_text);
    return result;
}

static int no_pictures(const char *path, const char *left_out, struct caelum_error *err) {
    return caelum_fail(err, CAELUM_EIO,
                       "%.100s: neither data_batch_1.bin and the other five batches of the CIFAR-10 binary "
                       "version are in it, nor pictures: PNG, JPEG, WebP or TIFF files%s%.60s",
                       path, *left_out ? "; left out: " : "", left_out);
}

static int open_photos(struct caelum_data *data, const char *path, const struct photos *photos,
                       const struct caelum_data_settings *settings, int threads, struct caelum_error *err) {
    struct building b = {.directory = path,
                         .photos = photos,
                         .settings = settings,
                         .threads = threads,
                         .share = crops_share(photos->count ? photos->count : 1)};
    struct prepared what = {.make = make, .cookie = &b};
    char left_out[PHOTOS_LEFT_TEXT];
    photos_left_out(photos, left_out);
    if (photos->count == 0) return no_pictures(path, left_out, err);
    if (*left_out) data_note(data, "%s: left out: %s", path, left_out);
    folder_key(photos, settings, what.key);
    return prepared_open(data, &what, settings, err);
}

int folder_open(struct caelum_data *data, const char *path, const struct caelum_data_settings *settings,
                int threads, struct caelum_error *err) {
    struct photos photos = {0};
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
