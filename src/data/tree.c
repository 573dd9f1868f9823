/* tree.c - a walk over directories (POSIX), and files read. */
#include "data/tree.h"

#include "base/ascii.h"
#include "base/gunzip.h"
#include "base/mem.h"
#include "data/data.h"
#include "image/image.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_FILES = 1 << 24, MOST_DEPTH = 32 };

static struct source_identity identity_of(const struct stat *st) {
    return (struct source_identity){(long long)st->st_size,
                                    (long long)st->st_ino,
                                    {(long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec},
                                    {(long long)st->st_ctim.tv_sec, st->st_ctim.tv_nsec}};
}

int tree_add(struct tree *tree, const struct tree_file *file, struct caelum_error *err) {
    if (tree->count == MOST_FILES)
        return caelum_fail(err, CAELUM_EUSAGE, "%s: more than %d files are too many for one data set",
                           tree->root, MOST_FILES);
    if (tree->count == tree->capacity) {
        const size_t capacity = tree->capacity ? 2 * tree->capacity : 256;
        struct tree_file *larger = NULL;
        CHECK(mem_alloc(&larger, capacity, sizeof *larger, err));
        if (tree->count) memcpy(larger, tree->file, tree->count * sizeof *larger);
        mem_free(&tree->file);
        tree->file = larger;
        tree->capacity = capacity;
    }
    char *path = NULL;
    CHECK(mem_strdup(&path, file->path, err));
    tree->file[tree->count] = *file;
    tree->file[tree->count++].path = path;
    return CAELUM_OK;
}

size_t tree_drop(struct tree *tree) {
    size_t kept = 0;
    for (size_t i = 0; i < tree->count; i++)
        if (tree->file[i].dropped)
            mem_free(&tree->file[i].path);
        else
            tree->file[kept++] = tree->file[i];
    const size_t dropped = tree->count - kept;
    tree->count = kept;
    return dropped;
}

/* --- What a file may be ------------------------------------------------------------------------------ */

/* Files that formats are made of, by how they begin or by names that their authors have given them. */
static bool is_part(const struct tree_file *file) {
    static const char *const names[] = {"fine_label_names.txt", "class_names.txt"};
    const uint8_t *head = file->head;
    const char *name = path_name(file->path), *ending = name + path_stem_length(name);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0) return true;
    return strcmp(ending, ".bin") == 0 || strcmp(ending, ".npy") == 0 || memcmp(head, "\x93NUMPY", 6) == 0 ||
           (head[0] == 0x80 && head[1] >= 2 && head[1] <= 5) || /* Python's pickles */
           (head[0] == 0 && head[1] == 0 && head[2] >= 8 && head[2] <= 14 && head[3] >= 1 && head[3] <= 4);
}

bool tree_judge(struct tree_file *file, const uint8_t *bytes, size_t size) {
    enum caelum_picture_format format;
    const char *below = strchr(file->path, '/');
    file->picture =
        image_format_of_name(file->path, &format) || (size >= 12 && !image_foreign(bytes, size, &format));
    if (file->picture) return true;
    gunzip_head(bytes, size, file->head, TREE_HEAD);
    return (!below || !strchr(below + 1, '/')) && is_part(file);
}

/* What a file begins with: the number of bytes, 0 where it can't be read. */
static size_t read_head(const char *full, uint8_t *bytes, size_t most) {
    FILE *f = fopen(full, "rb");
    const size_t size = f ? fread(bytes, 1, most, f) : 0;
    if (f) fclose(f);
    return size;
}

/* --- What is left out ----------------------------------------------------------------------------- */

/* Made by Synology's and QNAP's systems, Windows, macOS and its archives, and file systems' repair. */
bool tree_is_system(const char *name) {
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
static bool has_picture(const struct tree *tree, const char *path, size_t n) {
    size_t low = 0, high = tree->count; /* the first that is not before "PATH" is there, */
    while (low < high) {
        const size_t middle = (low + high) / 2;
        const char *p = tree->file[middle].path;
        const int order = strncmp(p, path, n);
        if (order < 0 || (order == 0 && p[n] != '\0' && p[n] < '.'))
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < tree->count; low++) { /* and those with an ending follow */
        const char *p = tree->file[low].path;
        if (strncmp(p, path, n) != 0 || (p[n] != '\0' && p[n] != '.')) return false;
        if ((size_t)(path_name(p) - p) + path_stem_length(path_name(p)) == n) return true;
    }
    return false;
}

static bool is_colorized(const struct tree *tree, const char *path) {
    static const char mark[] = "-color";
    const size_t length = sizeof mark - 1, before = (size_t)(path_name(path) - path),
                 stem = path_stem_length(path + before);
    return stem > length && strncmp(path + before + stem - length, mark, length) == 0 &&
           has_picture(tree, path, before + stem - length);
}

static void leave_colorized(struct tree *tree) {
    for (size_t i = 0; i < tree->count; i++) tree->file[i].dropped = is_colorized(tree, tree->file[i].path);
    tree->left[LEFT_COLORIZED] = tree_drop(tree);
}

void tree_left_out(const struct tree *tree, char text[TREE_LEFT_TEXT]) {
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
        if (tree->left[i])
            used += (size_t)snprintf(text + used, TREE_LEFT_TEXT - used, "%s%zu %s", used ? ", " : "",
                                     tree->left[i], words[i][tree->left[i] > 1]);
    if (tree->unreadable)
        snprintf(text + used, TREE_LEFT_TEXT - used, " (%s%s)",
                 tree->left[LEFT_UNREADABLE] > 1 ? "such as " : "", tree->unreadable);
}

/* --- The walk ------------------------------------------------------------------------------------- */

static int leave_unreadable(struct tree *tree, const char *path, struct caelum_error *err) {
    if (tree->left[LEFT_UNREADABLE]++ > 0) return CAELUM_OK;
    return mem_strdup(&tree->unreadable, path, err);
}

static int walk(struct tree *tree, const char *below, size_t depth, struct caelum_error *err);

static int look_folder(struct tree *tree, const char *path, const char *full, size_t depth,
                       struct caelum_error *err) {
    struct stat link;
    const char *name = path_name(path);
    if (*name == '.')
        tree->left[LEFT_HIDDEN]++;
    else if (tree_is_system(name))
        tree->left[LEFT_SYSTEM]++;
    else if (lstat(full, &link) == 0 && S_ISLNK(link.st_mode))
        tree->left[LEFT_LINK]++;
    else if (is_run(full))
        tree->left[LEFT_RUN]++;
    else
        return walk(tree, path, depth + 1, err);
    return CAELUM_OK;
}

/* What is there under one name. */
static int look(struct tree *tree, const char *below, const char *name, size_t depth,
                struct caelum_error *err) {
    char path[PATH_SIZE], full[PATH_SIZE];
    struct stat st;
    if (*below)
        CHECK(file_join(path, sizeof path, below, name, err));
    else
        snprintf(path, sizeof path, "%s", name);
    CHECK(file_join(full, sizeof full, tree->root, path, err));
    const bool there = stat(full, &st) == 0;
    enum caelum_picture_format format;
    uint8_t head[GUNZIP_HEAD];
    const bool named = image_format_of_name(path, &format);
    if (there && S_ISDIR(st.st_mode)) return look_folder(tree, path, full, depth, err);
    if (*name == '.' || (there && !S_ISREG(st.st_mode))) {
        tree->left[*name == '.' ? LEFT_HIDDEN : LEFT_SPECIAL] += named;
        return CAELUM_OK;
    }
    struct tree_file file = {.path = path, .readable = access(full, R_OK) == 0};
    if (there) file.identity = identity_of(&st);
    if (!tree_judge(&file, head, there && !named ? read_head(full, head, sizeof head) : 0)) return CAELUM_OK;
    return tree_add(tree, &file, err);
}

static int walk(struct tree *tree, const char *below, size_t depth, struct caelum_error *err) {
    char full[PATH_SIZE];
    CHECK(file_join(full, sizeof full, tree->root, below, err));
    if (depth > MOST_DEPTH)
        return caelum_fail(err, CAELUM_EUSAGE, "%s: more than %d directories deep; name one below %s", full,
                           MOST_DEPTH, tree->root);
    if (depth > 0 && access(full, R_OK | X_OK) != 0 && errno == EACCES)
        return leave_unreadable(tree, below, err);
    DIR *directory = opendir(full);
    if (!directory) return caelum_fail(err, CAELUM_EIO, "%s: %s", full, strerror(errno));
    const struct dirent *entry;
    int result = CAELUM_OK;
    while (result == 0 && (errno = 0, entry = readdir(directory)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            result = look(tree, below, entry->d_name, depth, err);
    if (result == 0 && errno != 0)
        result = caelum_fail(err, CAELUM_EIO, "%s: can't be read: %s", full, strerror(errno));
    closedir(directory);
    return result;
}

static int by_path(const void *a, const void *b) {
    const struct tree_file *p = a, *q = b;
    return strcmp(p->path, q->path);
}

void tree_sort(struct tree *tree) {
    if (tree->count) qsort(tree->file, tree->count, sizeof *tree->file, by_path);
}

static int find(struct tree *tree, struct caelum_error *err) {
    struct stat st;
    if (stat(tree->root, &st) != 0)
        return caelum_fail(err, CAELUM_EIO,
                           "%s: %s; expected a directory of pictures, a file or directory of a data set, or "
                           "synthetic[:COUNT[:SIZE]]",
                           tree->root, strerror(errno));
    if (S_ISDIR(st.st_mode)) {
        CHECK(walk(tree, "", 0, err));
        tree_sort(tree);
        leave_colorized(tree);
        return CAELUM_OK;
    }
    if (!S_ISREG(st.st_mode))
        return caelum_fail(err, CAELUM_EIO, "%s: neither a directory nor a regular file", tree->root);
    uint8_t head[GUNZIP_HEAD];
    const char *name = path_name(tree->root);
    struct tree_file file = {.path = (char *)(uintptr_t)name, .readable = true, .identity = identity_of(&st)};
    tree_judge(&file, head, read_head(tree->root, head, sizeof head));
    tree->single = true;
    return tree_add(tree, &file, err);
}

int tree_find(struct tree *out, const char *root, struct caelum_error *err) {
    struct tree tree = {.root = root};
    const int result = find(&tree, err);
    if (result != 0)
        tree_close(&tree);
    else
        *out = tree;
    return result;
}

void tree_close(struct tree *tree) {
    for (size_t i = 0; i < tree->count; i++) mem_free(&tree->file[i].path);
    mem_free(&tree->file);
    mem_free(&tree->unreadable);
    file_map_close(&tree->unpacked);
    *tree = (struct tree){0};
}
