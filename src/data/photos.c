/* photos.c - a walk over directories (POSIX). */
#include "data/photos.h"

#include "base/file.h"
#include "base/mem.h"
#include "image/image.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_PHOTOS = 1 << 24, MOST_DEPTH = 32 };

static bool is_picture(const char *path, const char *full, bool there) {
    enum caelum_picture_format format;
    uint8_t bytes[12];
    if (image_format_of_name(path, &format)) return true;
    FILE *f = there ? fopen(full, "rb") : NULL;
    if (!f) return false;
    const size_t size = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    return size == sizeof bytes && image_format_of_bytes(bytes, size, &format);
}

static int add(struct photos *photos, const char *full, const char *path, const struct stat *st,
               struct caelum_error *err) {
    if (photos->count == MOST_PHOTOS)
        return caelum_fail(err, CAELUM_EUSAGE, "%s: more than %d pictures are too many for one data set",
                           full, MOST_PHOTOS);
    if (photos->count == photos->capacity) {
        const size_t capacity = photos->capacity ? 2 * photos->capacity : 256;
        struct photo *larger = NULL;
        CHECK(mem_alloc(&larger, capacity, sizeof *larger, err));
        if (photos->count) memcpy(larger, photos->photo, photos->count * sizeof *larger);
        mem_free(&photos->photo);
        photos->photo = larger;
        photos->capacity = capacity;
    }
    struct photo photo = {.readable = access(full, R_OK) == 0};
    if (st) {
        photo.bytes = (long long)st->st_size;
        photo.seconds = (long long)st->st_mtim.tv_sec;
        photo.nanoseconds = st->st_mtim.tv_nsec;
    }
    CHECK(mem_strdup(&photo.path, path, err));
    photos->photo[photos->count++] = photo;
    return CAELUM_OK;
}

static int walk(struct photos *photos, const char *root, const char *below, size_t depth,
                struct caelum_error *err);

/* What is there under one name. */
static int look(struct photos *photos, const char *root, const char *below, const char *name, size_t depth,
                struct caelum_error *err) {
    char path[PATH_SIZE], full[PATH_SIZE];
    struct stat st, link;
    if (*below)
        CHECK(file_join(path, sizeof path, below, name, err));
    else
        snprintf(path, sizeof path, "%s", name);
    CHECK(file_join(full, sizeof full, root, path, err));
    const bool there = stat(full, &st) == 0;
    if (there && S_ISDIR(st.st_mode)) {
        if (lstat(full, &link) == 0 && S_ISLNK(link.st_mode)) return CAELUM_OK;
        return walk(photos, root, path, depth + 1, err);
    }
    if (there && !S_ISREG(st.st_mode)) return CAELUM_OK;
    if (!is_picture(path, full, there)) return CAELUM_OK;
    return add(photos, full, path, there ? &st : NULL, err);
}

static int walk(struct photos *photos, const char *root, const char *below, size_t depth,
                struct caelum_error *err) {
    char full[PATH_SIZE];
    CHECK(file_join(full, sizeof full, root, below, err));
    if (depth > MOST_DEPTH)
        return caelum_fail(err, CAELUM_EUSAGE, "%s: lies in more than %d directories; name one below %s",
                           full, MOST_DEPTH, root);
    DIR *directory = opendir(full);
    if (!directory)
        return caelum_fail(err, CAELUM_EIO, "%s: %s; the pictures of all directories in %s are wanted", full,
                           strerror(errno), root);
    const struct dirent *entry;
    int result = CAELUM_OK;
    while (result == 0 && (errno = 0, entry = readdir(directory)) != NULL)
        if (entry->d_name[0] != '.') result = look(photos, root, below, entry->d_name, depth, err);
    if (result == 0 && errno != 0)
        result = caelum_fail(err, CAELUM_EIO, "%s: can't be read: %s", full, strerror(errno));
    closedir(directory);
    return result;
}

static int by_path(const void *a, const void *b) {
    const struct photo *p = a, *q = b;
    return strcmp(p->path, q->path);
}

int photos_find(struct photos *out, const char *directory, struct caelum_error *err) {
    struct photos photos = {0};
    const int result = walk(&photos, directory, "", 0, err);
    if (result != 0) {
        photos_close(&photos);
        return result;
    }
    if (photos.count) qsort(photos.photo, photos.count, sizeof *photos.photo, by_path);
    *out = photos;
    return CAELUM_OK;
}

void photos_close(struct photos *photos) {
    for (size_t i = 0; i < photos->count; i++) mem_free(&photos->photo[i].path);
    mem_free(&photos->photo);
    *photos = (struct photos){0};
}
