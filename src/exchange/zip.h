/* zip.h - zip archives in memory, over libarchive: what .npz and .keras files are. */
#ifndef CAELUM_EXCHANGE_ZIP_H
#define CAELUM_EXCHANGE_ZIP_H

#include "base/error.h"

struct archive;

struct zip_entry {
    char name[160];
    uint8_t *bytes; /* followed by a NUL */
    size_t size;
};
struct zip {
    struct zip_entry *entry; /* owned */
    size_t count;
};

/* Reads all files of the archive at `path`, checksums included. Fails with CAELUM_EIO; CAELUM_EFORMAT, naming
 * path, if it is damaged, has more than 4096 files, a name of over 159 bytes, or more in them than 64 MiB
 * and 16 times its own size, or than 4 GiB. */
int zip_read(struct zip *zip, const char *path, struct caelum_error *err);
/* The file of that name, or NULL. */
const struct zip_entry *zip_find(const struct zip *zip, const char *name);
/* Safe on a zeroed zip. */
void zip_close(struct zip *zip);

/* An archive on its way to a file. A failure is remembered, and zip_commit returns it. No time is noted, so
 * the same files are the same bytes. */
struct zip_writer;
int zip_begin(struct zip_writer **writer, const char *path, struct caelum_error *err);
/* One file, stored: a head and a body, one after the other. */
void zip_add(struct zip_writer *writer, const char *name, const void *head, size_t head_size,
             const void *body, size_t body_size);
/* Writes the file whole or not at all; ends the writer either way. */
int zip_commit(struct zip_writer **writer, struct caelum_error *err);
/* Leaves no trace; accepts a pointer to NULL. */
void zip_abandon(struct zip_writer **writer);

#endif
