/* anomaly_folders.c - see anomaly_folders.h. Both directories are listed once; masks are found by their
 * stems. */
#include "anomaly/anomaly_folders.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static const char good[] = "good", truth[] = "ground_truth";

static bool is_directory(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int find_trees(struct anomaly_folders *f, const char *directory, struct caelum_error *err) {
    char above[PATH_SIZE];
    CHECK(file_join(f->test, sizeof f->test, directory, "test", err));
    CHECK(file_join(f->truth, sizeof f->truth, directory, truth, err));
    if (!is_directory(f->test)) {
        snprintf(f->test, sizeof f->test, "%s", directory);
        CHECK(file_join(above, sizeof above, directory, "..", err));
        if (!is_directory(f->truth)) CHECK(file_join(f->truth, sizeof f->truth, above, truth, err));
    }
    CHECK(tree_find(&f->pictures, f->test, err));
    if (is_directory(f->truth)) return tree_find(&f->masks, f->truth, err);
    *f->truth = '\0';
    return CAELUM_OK;
}

/* --- Kinds ------------------------------------------------------------------------------------------ */

/* Bytes of the name of a picture's folder; 0: none. */
static size_t folder_length(const char *path) {
    const char *slash = strchr(path, '/');
    return slash ? (size_t)(slash - path) : 0;
}

static bool is_in(const char *path, const char *folder) {
    const size_t length = strlen(folder);
    return folder_length(path) == length && memcmp(path, folder, length) == 0;
}

static bool is_tested(const struct tree_file *file) {
    return file->picture && !is_in(file->path, truth);
}

static int add_kind(struct anomaly_folders *f, const char *path, struct caelum_error *err) {
    const size_t length = folder_length(path);
    CHECK(mem_take(&f->memory, &f->kind[f->kinds], length + 1, 1, err));
    memcpy(f->kind[f->kinds++], path, length);
    return CAELUM_OK;
}

/* Paths are in order, so the pictures of a folder follow each other. */
static int sort_pictures(struct anomaly_folders *f, struct caelum_error *err) {
    const struct tree *tree = &f->pictures;
    size_t n = 0;
    CHECK(mem_take(&f->memory, &f->picture, tree->count, sizeof *f->picture, err));
    CHECK(mem_take(&f->memory, &f->kind, tree->count + 1, sizeof *f->kind, err));
    CHECK(add_kind(f, "good/", err));
    for (size_t i = 0; i < tree->count; i++) {
        const char *path = tree->file[i].path;
        if (!is_tested(&tree->file[i])) continue;
        if (folder_length(path) == 0)
            return caelum_fail(
                err, CAELUM_EUSAGE,
                "%s/%s: is in no folder that says its kind; expected good/ and one for each kind of "
                "defect",
                f->test, path);
        const bool is_good = is_in(path, good);
        if (!is_good && !is_in(path, f->kind[f->kinds - 1])) CHECK(add_kind(f, path, err));
        f->picture[f->count++] = (struct anomaly_picture){&tree->file[i], NULL, is_good ? 0 : f->kinds - 1};
        n += is_good;
    }
    if (n == 0)
        return caelum_fail(err, CAELUM_EUSAGE,
                           "%s: no good pictures; expected them in good/, and defects in folders next to it, "
                           "there or in test/",
                           f->test);
    if (n == f->count)
        return caelum_fail(
            err, CAELUM_EUSAGE,
            "%s: no pictures with defects; expected them in folders next to good/, such as bad/", f->test);
    return CAELUM_OK;
}

/* --- Masks ------------------------------------------------------------------------------------------ */

static size_t stem_length(const char *path) {
    const char *name = path_name(path);
    return (size_t)(name - path) + path_stem_length(name);
}

static int by_stem(const void *a, const void *b) {
    const char *p = ((const struct tree_file *)a)->path, *q = ((const struct tree_file *)b)->path;
    const size_t m = stem_length(p), n = stem_length(q);
    const int order = memcmp(p, q, m < n ? m : n);
    return order != 0 ? order : (m > n) - (m < n);
}

static const struct tree_file *mask_called(const struct tree *masks, const char *path, const char *mark) {
    char wanted[PATH_SIZE + 16];
    snprintf(wanted, sizeof wanted, "%.*s%s.png", (int)stem_length(path), path, mark);
    const struct tree_file key = {.path = wanted};
    return masks->count > 0 ? bsearch(&key, masks->file, masks->count, sizeof key, by_stem) : NULL;
}

static int find_masks(struct anomaly_folders *f, struct caelum_error *err) {
    struct tree *masks = &f->masks;
    for (size_t i = 0; i < masks->count; i++) masks->file[i].dropped = !masks->file[i].picture;
    tree_drop(masks);
    if (masks->count > 0) qsort(masks->file, masks->count, sizeof *masks->file, by_stem);
    for (struct anomaly_picture *p = f->picture; p < f->picture + f->count; p++) {
        const char *path = p->file->path;
        if (p->kind == 0) continue;
        p->mask = mask_called(masks, path, "_mask");
        if (!p->mask) p->mask = mask_called(masks, path, "");
        if (!p->mask)
            return caelum_fail(
                err, CAELUM_EFORMAT,
                "%s/%s: no mask %s/%.*s_mask.png; add it, or move %s away to test without masks", f->test,
                path, f->truth, (int)stem_length(path), path, f->truth);
    }
    return CAELUM_OK;
}

int anomaly_mask_read(const struct anomaly_folders *f, size_t number, const struct caelum_picture *picture,
                      uint8_t **mask, struct caelum_error *err) {
    struct caelum_picture read = {0};
    char name[PATH_SIZE];
    const struct tree_file *file = f->picture[number].mask;
    CHECK(tree_picture(&f->masks, file, &read, err));
    int result = CAELUM_OK;
    if (read.width != picture->width || read.height != picture->height)
        result = caelum_fail(err, CAELUM_EFORMAT,
                             "%s: a mask of %zux%zu pixels for a picture of %zux%zu; expected the same size",
                             tree_name(&f->masks, file, name), read.width, read.height, picture->width,
                             picture->height);
    if (result == 0) result = mem_alloc(mask, read.height, read.width, err);
    for (size_t i = 0; result == 0 && i < read.height * read.width; i++)
        (*mask)[i] = read.pixels[3 * i] | read.pixels[3 * i + 1] | read.pixels[3 * i + 2];
    caelum_picture_free(&read);
    return result;
}

/* --- Opening ---------------------------------------------------------------------------------------- */

static int open_folders(struct anomaly_folders *f, const char *directory, struct caelum_error *err) {
    CHECK(find_trees(f, directory, err));
    CHECK(sort_pictures(f, err));
    return *f->truth ? find_masks(f, err) : CAELUM_OK;
}

int anomaly_folders_open(struct anomaly_folders *f, const char *directory, struct caelum_error *err) {
    *f = (struct anomaly_folders){0};
    const int result = open_folders(f, directory, err);
    if (result != 0) anomaly_folders_close(f);
    return result;
}

void anomaly_folders_close(struct anomaly_folders *f) {
    tree_close(&f->pictures);
    tree_close(&f->masks);
    mem_end(&f->memory);
    *f = (struct anomaly_folders){0};
}
