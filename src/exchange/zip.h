/* zip.h - zip archives, over libarchive: what .npz files are. */
#ifndef CAELUM_EXCHANGE_ZIP_H
#define CAELUM_EXCHANGE_ZIP_H

#include "base/error.h"

enum { ZIP_MOST_FILES = 4096 };

/* Gives all files of the archive at `path` to `take`, checksums included; the bytes are there until it
 * returns, and what it returns other than 0 ends the reading. Fails with CAELUM_EIO; CAELUM_EFORMAT, naming
 * path, if the archive is damaged, has more than ZIP_MOST_FILES files, or more in them than 64 MiB and 16
 * times its own size, or than 4 GiB. */
int zip_read(const char *path,
             int (*take)(void *cookie, const char *name, const uint8_t *bytes, size_t size,
                         struct caelum_error *err),
             void *cookie, struct caelum_error *err);

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
