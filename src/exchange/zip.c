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

enum { MOST_ENTRIES = 4096, FIRST_ROOM = 1 << 16 };
static const size_t most_file = (size_t)1 << 32;

/* What may come out of an archive of `size` bytes. Weights hardly shrink; those that are zero do, to a
 * thousandth. */
static size_t most_content(size_t size) {
    static const size_t always = (size_t)1 << 26, times = 16;
    const size_t most = size < most_file / times ? times * size : most_file;
    return most > always ? most : always;
}

/* --- Reading -------------------------------------------------------------------------------------- */

static int too_much(const char *path, size_t most, struct caelum_error *err) {
    return caelum_fail(err, CAELUM_EFORMAT, "%s: expected no more than %zu MiB in an archive of its size",
                       path, most >> 20);
}

/* The content of the entry at hand; grows as data comes, for the size that an archive claims proves nothing.
 */
static int read_entry(struct archive *archive, struct zip_entry *entry, const char *path, size_t total,
                      size_t most, struct caelum_error *err) {
    size_t room = 0;
    for (;;) {
        if (entry->size == room) {
            uint8_t *grown;
            const size_t more = room ? 2 * room : FIRST_ROOM;
            CHECK(mem_alloc(&grown, more + 1, 1, err));
            if (room) memcpy(grown, entry->bytes, entry->size);
            mem_free(&entry->bytes);
            entry->bytes = grown;
            room = more;
        }
        const la_ssize_t got = archive_read_data(archive, entry->bytes + entry->size, room - entry->size);
        if (got == 0) break;
        if (got < 0)
            return caelum_fail(err, CAELUM_EFORMAT, "%s: '%s' is damaged: %s", path, entry->name,
                               archive_error_string(archive));
        entry->size += (size_t)got;
        if (entry->size > most - total) return too_much(path, most, err);
    }
    memset(entry->bytes + entry->size, 0, 1);
    return CAELUM_OK;
}

static int read_entries(struct archive *archive, struct zip *zip, const char *path, size_t most,
                        struct caelum_error *err) {
    struct archive_entry *header;
    size_t total = 0;
    int status;
    while ((status = archive_read_next_header(archive, &header)) == ARCHIVE_OK) {
        const char *name = archive_entry_pathname(header);
        if (archive_entry_filetype(header) != AE_IFREG) continue;
        struct zip_entry *entry = &zip->entry[zip->count];
        if (zip->count == MOST_ENTRIES || !name || strlen(name) >= sizeof entry->name)
            return caelum_fail(err, CAELUM_EFORMAT,
                               "%s: more than %d files in it, or one with a name of over %zu bytes", path,
                               MOST_ENTRIES, sizeof entry->name - 1);
        snprintf(entry->name, sizeof entry->name, "%s", name);
        zip->count++;
        const la_int64_t claimed = archive_entry_size_is_set(header) ? archive_entry_size(header) : 0;
        if (claimed < 0 || (size_t)claimed > most - total) return too_much(path, most, err);
        CHECK(read_entry(archive, entry, path, total, most, err));
        total += entry->size;
    }
    if (status == ARCHIVE_EOF) return CAELUM_OK;
    const char *why = archive_error_string(archive);
    return caelum_fail(err, CAELUM_EFORMAT, "%s: a damaged zip archive: %s", path,
                       why ? why : "no reason given");
}

int zip_read(struct zip *out, const char *path, struct caelum_error *err) {
    uint8_t *bytes = NULL;
    size_t size = 0;
    struct zip zip = {0};
    CHECK(file_read(path, most_file, &bytes, &size, err));
    const locale_t before = locale_enter_utf8(); /* libarchive converts names to the locale's */
    struct archive *archive = archive_read_new();
    int result = mem_alloc(&zip.entry, MOST_ENTRIES, sizeof *zip.entry, err);
    if (result == 0 && !archive) result = caelum_fail(err, CAELUM_ERESOURCE, "%s: out of memory", path);
    if (result == 0) {
        archive_read_support_format_zip_seekable(archive);
        if (archive_read_open_memory(archive, bytes, size) != ARCHIVE_OK)
            result = caelum_fail(err, CAELUM_EFORMAT, "%s: not a zip archive, or cut short; it is %s", path,
                                 magic_name(bytes, size));
    }
    if (result == 0) result = read_entries(archive, &zip, path, most_content(size), err);
    archive_read_free(archive);
    locale_leave(before);
    mem_free(&bytes);
    if (result != 0)
        zip_close(&zip);
    else
        *out = zip;
    return result;
}

const struct zip_entry *zip_find(const struct zip *zip, const char *name) {
    for (size_t i = 0; i < zip->count; i++)
        if (strcmp(zip->entry[i].name, name) == 0) return &zip->entry[i];
    return NULL;
}

void zip_close(struct zip *zip) {
    for (size_t i = 0; i < zip->count; i++) mem_free(&zip->entry[i].bytes);
    mem_free(&zip->entry);
    zip->count = 0;
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
