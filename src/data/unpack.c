/* unpack.c - the files of a tree, read from where they are: a directory, or an archive, all of which is
 * decompressed once into a file without a name, for a tar can only be read in its order. */
#include "data/tree.h"

#include "base/gunzip.h"
#include "base/kept.h"
#include "base/locale.h"
#include "base/mem.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>
#include <sys/mman.h>

/* What may come out of `size` bytes that are compressed. */
static size_t most_content(size_t size) {
    static const size_t always = (size_t)1 << 27, times = 16;
    return size < SIZE_MAX / 2 / times ? always + times * size : SIZE_MAX / 2;
}

/* Where the bytes go. */
struct spool {
    struct file_writer writer;
    FILE *stream, *elsewhere; /* elsewhere: in /tmp */
    size_t size, most;
};

/* Whether somebody who packs a folder means this file of it. */
static bool is_meant(const char *path) {
    for (const char *at = path; at; at = strchr(at, '/')) {
        char name[256];
        at += *at == '/';
        snprintf(name, sizeof name, "%.*s", (int)strcspn(at, "/"), at);
        if (*name == '.' || tree_is_system(name)) return false;
    }
    return true;
}

static int take_entry(struct tree *tree, struct archive *archive, const char *path, struct spool *to,
                      struct caelum_error *err) {
    struct tree_file file = {.path = (char *)(uintptr_t)path, .readable = true, .at = to->size};
    char bytes[1 << 14];
    la_ssize_t got;
    while ((got = archive_read_data(archive, bytes, sizeof bytes)) > 0) {
        fwrite(bytes, 1, (size_t)got, to->stream);
        to->size += (size_t)got;
        if (to->size > to->most)
            return caelum_fail(err, CAELUM_EFORMAT,
                               "%s: expected no more than %zu MiB in an archive of its size", tree->root,
                               to->most >> 20);
        if (ferror(to->stream))
            return caelum_fail(err, CAELUM_ERESOURCE,
                               "%s: no space to unpack it; name a directory with more by CAELUM_CACHE",
                               tree->root);
    }
    file.size = to->size - file.at;
    if (got < 0)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: %s: damaged or cut short after %zu bytes: %s",
                           tree->root, path, file.size, archive_error_string(archive));
    return tree_add(tree, &file, err);
}

static int take_entries(struct tree *tree, struct archive *archive, struct archive_entry *entry,
                        struct spool *to, struct caelum_error *err) {
    int status;
    do {
        const char *path = archive_entry_pathname(entry);
        if (path && strncmp(path, "./", 2) == 0) path += 2;
        if (path && archive_entry_filetype(entry) == AE_IFREG && is_meant(path))
            CHECK(take_entry(tree, archive, path, to, err));
        status = archive_read_next_header(archive, &entry);
    } while (status == ARCHIVE_OK || status == ARCHIVE_WARN);
    if (status != ARCHIVE_EOF)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: damaged or cut short: %s", tree->root,
                           archive_error_string(archive));
    return CAELUM_OK;
}

/* The files by their order, without those that nothing can be made of. */
static int sort_out(struct tree *tree, struct caelum_error *err) {
    tree_sort(tree);
    for (size_t i = 0; i < tree->count; i++) {
        struct tree_file *file = &tree->file[i];
        if (i + 1 < tree->count && strcmp(file->path, file[1].path) == 0)
            return caelum_fail(err, CAELUM_EFORMAT, "%s: %s is in it twice", tree->root, file->path);
        file->dropped = !tree_judge(file, tree->unpacked.bytes + file->at, file->size);
    }
    tree_drop(tree);
    return CAELUM_OK;
}

static int spool_open(struct spool *spool, const char *directory, struct caelum_error *err) {
    char path[PATH_SIZE];
    if (*directory && file_make_directory(directory, NULL) == 0 &&
        file_join(path, sizeof path, directory, "unpacked", NULL) == 0 &&
        kept_begin(&spool->writer, path, NULL) == 0)
        spool->stream = spool->writer.stream;
    else
        spool->stream = spool->elsewhere = tmpfile();
    if (!spool->stream) return caelum_fail(err, CAELUM_EIO, "no place to unpack an archive, nor in /tmp");
    return CAELUM_OK;
}

static int unpack(struct tree *tree, struct archive *archive, struct archive_entry *entry,
                  const char *directory, struct caelum_error *err) {
    struct spool spool = {.most = most_content((size_t)tree->file[0].identity.bytes)};
    int result = spool_open(&spool, directory, err);
    if (result != 0) return result;
    mem_free(&tree->file[0].path);
    tree->count = 0;
    tree->unpacked = (struct file_map){.bytes = (const uint8_t *)"", .size = 0}; /* of empty files alone */
    result = take_entries(tree, archive, entry, &spool, err);
    if (result == 0 && spool.size > 0) {
        void *bytes = fflush(spool.stream) == 0
                          ? mmap(NULL, spool.size, PROT_READ, MAP_PRIVATE, fileno(spool.stream), 0)
                          : MAP_FAILED;
        if (bytes == MAP_FAILED)
            result = caelum_fail(err, CAELUM_ERESOURCE, "%s: no space to unpack it", tree->root);
        else
            tree->unpacked = (struct file_map){bytes, spool.size};
    }
    if (result == 0) result = sort_out(tree, err);
    if (spool.elsewhere)
        fclose(spool.elsewhere);
    else
        file_abandon(&spool.writer);
    return result;
}

int tree_unpack(struct tree *tree, const char *directory, struct caelum_error *err) {
    struct archive_entry *entry;
    if (!tree->single || tree->archive || tree->file[0].picture) return CAELUM_OK;
    const locale_t before = locale_enter_utf8(); /* libarchive converts names to the locale's */
    struct archive *archive = archive_read_new();
    int result = archive ? CAELUM_OK : caelum_fail(err, CAELUM_ERESOURCE, "%s: out of memory", tree->root);
    if (result == 0) {
        archive_read_support_filter_gzip(archive);
        archive_read_support_filter_bzip2(archive);
        archive_read_support_filter_xz(archive);
        archive_read_support_format_tar(archive);
        archive_read_support_format_zip(archive);
        const int status = archive_read_open_filename(archive, tree->root, 1 << 16) == ARCHIVE_OK
                               ? archive_read_next_header(archive, &entry)
                               : ARCHIVE_FATAL;
        tree->archive = status == ARCHIVE_OK || status == ARCHIVE_WARN;
        if (tree->archive) result = unpack(tree, archive, entry, directory, err);
    }
    archive_read_free(archive);
    locale_leave(before);
    return result;
}

/* --- Reading -------------------------------------------------------------------------------------- */

const char *tree_name(const struct tree *tree, const struct tree_file *file, char name[PATH_SIZE]) {
    if (tree->single && !tree->archive)
        snprintf(name, PATH_SIZE, "%s", tree->root);
    else if (tree->archive)
        snprintf(name, PATH_SIZE, "%.2000s: %.2000s", tree->root, file->path);
    else if (file_join(name, PATH_SIZE, tree->root, file->path, NULL) != 0)
        snprintf(name, PATH_SIZE, "%.2000s", file->path);
    return name;
}

int tree_read(const struct tree *tree, const struct tree_file *file, size_t most, uint8_t **bytes,
              size_t *size, struct caelum_error *err) {
    char name[PATH_SIZE];
    uint8_t *read = NULL;
    size_t length = file->size;
    tree_name(tree, file, name);
    if (!tree->archive) {
        CHECK(file_read(name, most, &read, &length, err));
    } else if (length > most) {
        return caelum_fail(err, CAELUM_EFORMAT, "%s: %zu bytes, at most %zu expected", name, length, most);
    } else {
        CHECK(mem_alloc(&read, length + 1, 1, err));
        memcpy(read, tree->unpacked.bytes + file->at, length);
    }
    const size_t content = most_content(length);
    const int result = gunzip(&read, &length, name, content < most ? content : most, err);
    if (result != 0) {
        mem_free(&read);
        return result;
    }
    *bytes = read;
    *size = length;
    return CAELUM_OK;
}

int tree_picture(const struct tree *tree, const struct tree_file *file, struct caelum_picture *picture,
                 struct caelum_error *err) {
    char name[PATH_SIZE];
    tree_name(tree, file, name);
    return tree->archive
               ? caelum_picture_decode(picture, tree->unpacked.bytes + file->at, file->size, name, err)
               : caelum_picture_load(picture, name, err);
}

const struct tree_file *tree_named(const struct tree *tree, const char *name) {
    for (size_t i = 0; i < tree->count; i++)
        if (strcmp(path_name(tree->file[i].path), name) == 0) return &tree->file[i];
    return NULL;
}
