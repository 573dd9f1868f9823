/* zip.c - see zip.h. Archives are read through their directory at the end, so one that is cut short is seen
 * to be. */
#include "exchange/zip.h"

#include "base/file.h"
#include "base/locale.h"
#include "base/magic.h"
#include "base/mem.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

enum { FIRST_ROOM = 1 << 16 };
static const size_t most_file = (size_t)1 << 32;

/* What may come out of an archive of `size` bytes. Weights hardly shrink; those that are zero do, to a
 * thousandth. */
static size_t most_content(size_t size) {
    static const size_t always = (size_t)1 << 26, times = 16;
    const size_t most = size < most_file / times ? times * size : most_file;
    return most > always ? most : always;
}

/* --- Reading -------------------------------------------------------------------------------------- */

struct zip_reader {
    const char *path;
    struct archive *archive;
    uint8_t *bytes; /* owned: the file at hand */
    size_t size, room;
    size_t most, all; /* bytes that may come out, and that did */
};

/* The content of the file at hand; grows as data comes, for the size that an archive claims proves nothing.
 */
static int read_file(struct zip_reader *r, const char *name, struct caelum_error *err) {
    for (r->size = 0;;) {
        if (r->size == r->room) {
            uint8_t *grown;
            const size_t room = r->room ? 2 * r->room : FIRST_ROOM;
            CHECK(mem_alloc(&grown, room, 1, err));
            if (r->size > 0) memcpy(grown, r->bytes, r->size);
            mem_free(&r->bytes);
            r->bytes = grown, r->room = room;
        }
        const la_ssize_t got = archive_read_data(r->archive, r->bytes + r->size, r->room - r->size);
        if (got < 0)
            return caelum_fail(err, CAELUM_EFORMAT, "%s: '%s' is damaged: %s", r->path, name,
                               archive_error_string(r->archive));
        if (got == 0) return CAELUM_OK;
        r->size += (size_t)got, r->all += (size_t)got;
        if (r->all > r->most)
            return caelum_fail(err, CAELUM_EFORMAT,
                               "%s: expected no more than %zu MiB in an archive of its size", r->path,
                               r->most >> 20);
    }
}

static int read_files(struct zip_reader *r,
                      int (*take)(void *cookie, const char *name, const uint8_t *bytes, size_t size,
                                  struct caelum_error *err),
                      void *cookie, struct caelum_error *err) {
    struct archive_entry *header;
    int status;
    for (size_t count = 0; (status = archive_read_next_header(r->archive, &header)) == ARCHIVE_OK;) {
        const char *name = archive_entry_pathname(header);
        if (archive_entry_filetype(header) != AE_IFREG) continue;
        if (count++ == ZIP_MOST_FILES || !name)
            return caelum_fail(err, CAELUM_EFORMAT, "%s: more than %d files in it, or one without a name",
                               r->path, ZIP_MOST_FILES);
        CHECK(read_file(r, name, err));
        CHECK(take(cookie, name, r->bytes, r->size, err));
    }
    const char *why = archive_error_string(r->archive);
    return status == ARCHIVE_EOF ? CAELUM_OK
                                 : caelum_fail(err, CAELUM_EFORMAT, "%s: a damaged zip archive: %s", r->path,
                                               why ? why : "no reason given");
}

int zip_read(const char *path,
             int (*take)(void *cookie, const char *name, const uint8_t *bytes, size_t size,
                         struct caelum_error *err),
             void *cookie, struct caelum_error *err) {
    uint8_t *bytes = NULL;
    size_t size = 0;
    CHECK(file_read(path, most_file, &bytes, &size, err));
    const locale_t before = locale_enter_utf8(); /* libarchive converts names to the locale's */
    struct zip_reader r = {.path = path, .archive = archive_read_new(), .most = most_content(size)};
    int result = r.archive ? CAELUM_OK : caelum_fail(err, CAELUM_ERESOURCE, "%s: out of memory", path);
    if (result == 0) {
        archive_read_support_format_zip_seekable(r.archive);
        if (archive_read_open_memory(r.archive, bytes, size) != ARCHIVE_OK)
            result = caelum_fail(err, CAELUM_EFORMAT, "%s: not a zip archive, or cut short; it is %s", path,
                                 magic_name(bytes, size));
    }
    if (result == 0) result = read_files(&r, take, cookie, err);
    archive_read_free(r.archive);
    locale_leave(before);
    mem_free(&r.bytes);
    mem_free(&bytes);
    return result;
}

/* --- Writing -------------------------------------------------------------------------------------- */

struct zip_writer {
    struct file_writer file;
    struct archive *archive;
    bool failed;
};

int zip_begin(struct zip_writer **out, const char *path, struct caelum_error *err) {
    struct zip_writer *writer = NULL;
    CHECK(mem_alloc(&writer, 1, sizeof *writer, err));
    int result = file_begin(&writer->file, path, err);
    if (result == 0 && !(writer->archive = archive_write_new()))
        result = caelum_fail(err, CAELUM_ERESOURCE, "%s: out of memory", path);
    if (result == 0) {
        struct archive *a = writer->archive;
        writer->failed = archive_write_set_format_zip(a) != ARCHIVE_OK ||
                         archive_write_zip_set_compression_store(a) != ARCHIVE_OK ||
                         archive_write_set_bytes_in_last_block(a, 1) != ARCHIVE_OK ||
                         archive_write_open_FILE(a, writer->file.stream) != ARCHIVE_OK;
        *out = writer;
        return CAELUM_OK;
    }
    zip_abandon(&writer);
    return result;
}

static bool write_all(struct archive *archive, const void *bytes, size_t size) {
    return size == 0 || archive_write_data(archive, bytes, size) == (la_ssize_t)size;
}

void zip_add(struct zip_writer *writer, const char *name, const void *head, size_t head_size,
             const void *body, size_t body_size) {
    struct archive_entry *entry = archive_entry_new();
    if (!entry) {
        writer->failed = true;
        return;
    }
    const locale_t before = locale_enter_utf8();
    archive_entry_set_pathname(entry, name);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, (la_int64_t)(head_size + body_size));
    writer->failed = writer->failed || archive_write_header(writer->archive, entry) != ARCHIVE_OK ||
                     !write_all(writer->archive, head, head_size) ||
                     !write_all(writer->archive, body, body_size);
    archive_entry_free(entry);
    locale_leave(before);
}

int zip_commit(struct zip_writer **writer, struct caelum_error *err) {
    struct zip_writer *w = *writer;
    int result = CAELUM_OK;
    if (archive_write_close(w->archive) != ARCHIVE_OK || w->failed)
        result = caelum_fail(err, CAELUM_EIO, "%s: not written: %s", w->file.path,
                             archive_error_string(w->archive) ? archive_error_string(w->archive)
                                                              : "the archive could not be made");
    if (result == 0) result = file_commit(&w->file, err);
    zip_abandon(writer);
    return result;
}

void zip_abandon(struct zip_writer **writer) {
    if (!*writer) return;
    archive_write_free((*writer)->archive);
    file_abandon(&(*writer)->file);
    mem_free(writer);
}
