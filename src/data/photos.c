/* photos.c - a walk over directories (POSIX). */
#include "data/photos.h"

#include "base/ascii.h"
#include "base/mem.h"
#include "image/image.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_PHOTOS = 1 << 24, MOST_DEPTH = 32 };

/* Whether a file begins as a picture does. */
static bool is_picture(const char *full) {
    enum caelum_picture_format format;
    uint8_t bytes[12];
    FILE *f = fopen(full, "rb");
    if (!f) return false;
    const size_t size = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    return size == sizeof bytes && !image_foreign(bytes, size, &format);
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
    if (st) photo.identity = source_identity(st);
    CHECK(mem_strdup(&photo.path, path, err));
    photos->photo[photos->count++] = photo;
    return CAELUM_OK;
}

/* --- What is left out ----------------------------------------------------------------------------- */

/* Made by Synology's and QNAP's systems, Windows, macOS and its archives, and file systems' repair. */
static bool is_system(const char *name) {
    static const char *const names[] = {"@eaDir",
                                        "@Recycle",
                                        "@Recently-Snapshot",
                                        "#recycle",
                                        "#snapshot",
                                        "$RECYCLE.BIN",
                                        "RECYCLER",
                                        "__MACOSX",
                                        "Network Trash Folder",
                                        "lost+found",
                                        "System Volume Information",
                                        "iPod Photo Cache"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (ascii_same(name, names[i])) return true;
    return false;
}

static bool is_run(const char *directory) {
    return data_has_file(directory, "run.json") &&
           (data_has_file(directory, "metrics.csv") || data_has_file(directory, "checkpoint.safetensors"));
}

/* Whether the list has a picture at the path's first n bytes, with any ending or none. */
static bool has_picture(const struct photos *photos, const char *path, size_t n) {
    size_t low = 0, high = photos->count; /* the first that is not before "PATH" is there, */
    while (low < high) {
        const size_t middle = (low + high) / 2;
        const char *p = photos->photo[middle].path;
        const int order = strncmp(p, path, n);
        if (order < 0 || (order == 0 && p[n] != '\0' && p[n] < '.'))
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < photos->count; low++) { /* and those with an ending follow */
        const char *p = photos->photo[low].path;
        if (strncmp(p, path, n) != 0 || (p[n] != '\0' && p[n] != '.')) return false;
        if ((size_t)(path_name(p) - p) + path_stem_length(path_name(p)) == n) return true;
    }
    return false;
}

static bool is_colorized(const struct photos *photos, const char *path) {
    static const char mark[] = "-color";
    const size_t length = sizeof mark - 1, before = (size_t)(path_name(path) - path),
                 stem = path_stem_length(path + before);
    return stem > length && strncmp(path + before + stem - length, mark, length) == 0 &&
           has_picture(photos, path, before + stem - length);
}

static void leave_colorized(struct photos *photos) {
    size_t kept = 0;
    for (size_t i = 0; i < photos->count; i++)
        photos->photo[i].ours = is_colorized(photos, photos->photo[i].path);
    for (size_t i = 0; i < photos->count; i++)
        if (photos->photo[i].ours)
            mem_free(&photos->photo[i].path);
        else
            photos->photo[kept++] = photos->photo[i];
    photos->left[LEFT_COLORIZED] = photos->count - kept;
    photos->count = kept;
}

void photos_left_out(const struct photos *photos, char text[PHOTOS_LEFT_TEXT]) {
    static const char *const words[LEFT_KINDS][2] = {
        [LEFT_RUN] = {"run of caelum", "runs of caelum"},
        [LEFT_COLORIZED] = {"colorized picture", "colorized pictures"},
        [LEFT_SYSTEM] = {"folder of thumbnails or deleted files", "folders of thumbnails or deleted files"},
        [LEFT_HIDDEN] = {"hidden", "hidden"},
        [LEFT_LINK] = {"link to a folder", "links to folders"},
        [LEFT_SPECIAL] = {"that is no file", "that are no files"},
        [LEFT_UNREADABLE] = {"folder that can't be read", "folders that can't be read"}};
    size_t used = 0;
    *text = '\0';
    for (size_t i = 0; i < LEFT_KINDS; i++)
        if (photos->left[i])
            used += (size_t)snprintf(text + used, PHOTOS_LEFT_TEXT - used, "%s%zu %s", used ? ", " : "",
                                     photos->left[i], words[i][photos->left[i] > 1]);
    if (photos->unreadable)
        snprintf(text + used, PHOTOS_LEFT_TEXT - used, " (%s%s)",
                 photos->left[LEFT_UNREADABLE] > 1 ? "such as " : "", photos->unreadable);
}

/* --- The walk ------------------------------------------------------------------------------------- */

static int leave_unreadable(struct photos *photos, const char *path, struct caelum_error *err) {
    if (photos->left[LEFT_UNREADABLE]++ > 0) return CAELUM_OK;
    return mem_strdup(&photos->unreadable, path, err);
}

static int walk(struct photos *photos, const char *root, const char *below, size_t depth,
                struct caelum_error *err);

static int look_folder(struct photos *photos, const char *root, const char *path, const char *full,
                       size_t depth, struct caelum_error *err) {
    struct stat link;
    const char *name = path_name(path);
    if (*name == '.')
        photos->left[LEFT_HIDDEN]++;
    else if (is_system(name))
        photos->left[LEFT_SYSTEM]++;
    else if (lstat(full, &link) == 0 && S_ISLNK(link.st_mode))
        photos->left[LEFT_LINK]++;
    else if (is_run(full))
        photos->left[LEFT_RUN]++;
    else
        return walk(photos, root, path, depth + 1, err);
    return CAELUM_OK;
}

/* What is there under one name. */
static int look(struct photos *photos, const char *root, const char *below, const char *name, size_t depth,
                struct caelum_error *err) {
    char path[PATH_SIZE], full[PATH_SIZE];
    struct stat st;
    if (*below)
        CHECK(file_join(path, sizeof path, below, name, err));
    else
        snprintf(path, sizeof path, "%s", name);
    CHECK(file_join(full, sizeof full, root, path, err));
    const bool there = stat(full, &st) == 0;
    enum caelum_picture_format format;
    const bool named = image_format_of_name(path, &format);
    if (there && S_ISDIR(st.st_mode)) return look_folder(photos, root, path, full, depth, err);
    if (*name == '.' || (there && !S_ISREG(st.st_mode))) {
        photos->left[*name == '.' ? LEFT_HIDDEN : LEFT_SPECIAL] += named;
        return CAELUM_OK;
    }
    if (!named && !(there && is_picture(full))) return CAELUM_OK;
    return add(photos, full, path, there ? &st : NULL, err);
}

static int walk(struct photos *photos, const char *root, const char *below, size_t depth,
                struct caelum_error *err) {
    char full[PATH_SIZE];
    CHECK(file_join(full, sizeof full, root, below, err));
    if (depth > MOST_DEPTH)
        return caelum_fail(err, CAELUM_EUSAGE, "%s: more than %d directories deep; name one below %s", full,
                           MOST_DEPTH, root);
    if (depth > 0 && access(full, R_OK | X_OK) != 0 && errno == EACCES)
        return leave_unreadable(photos, below, err);
    DIR *directory = opendir(full);
    if (!directory) return caelum_fail(err, CAELUM_EIO, "%s: %s", full, strerror(errno));
    const struct dirent *entry;
    int result = CAELUM_OK;
    while (result == 0 && (errno = 0, entry = readdir(directory)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            result = look(photos, root, below, entry->d_name, depth, err);
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
    leave_colorized(&photos);
    *out = photos;
    return CAELUM_OK;
}

void photos_close(struct photos *photos) {
    for (size_t i = 0; i < photos->count; i++) mem_free(&photos->photo[i].path);
    mem_free(&photos->photo);
    mem_free(&photos->unreadable);
    *photos = (struct photos){0};
}
