/* file.h - whole files: written under a temporary name, synced and renamed; read whole or mapped. */
#ifndef CAELUM_BASE_FILE_H
#define CAELUM_BASE_FILE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A file on its way. Write to `stream`, then file_commit; on any failure file_abandon, which leaves
 * no trace. */
struct file_writer {
    FILE *stream;
    char path[1024];
    char temporary[1072]; /* in the same directory */
};

int file_begin(struct file_writer *writer, const char *path, struct caelum_error *err);
/* Flushes, checks every write so far, syncs, renames over `path`, syncs the directory. On failure the
 * temporary file is gone. */
int file_commit(struct file_writer *writer, struct caelum_error *err);
/* Safe after file_commit and on a zeroed writer: then does nothing. */
void file_abandon(struct file_writer *writer);

/* Writes `size` bytes as one file, by the steps above. */
int file_write(const char *path, const void *bytes, size_t size, struct caelum_error *err);

/* Reads a file of at most `limit` bytes; *bytes is NUL-terminated beyond *size, freed with mem_free. */
int file_read(const char *path, size_t limit, uint8_t **bytes, size_t *size, struct caelum_error *err);

/* A file mapped read-only. */
struct file_map {
    const uint8_t *bytes;
    size_t size;
};
int file_map_open(struct file_map *map, const char *path, struct caelum_error *err);
void file_map_close(struct file_map *map);

/* Makes a directory and its parents. */
int file_make_directory(const char *path, struct caelum_error *err);

/* A directory that only one process at a time works in. The lock ends with the process at the latest. */
struct file_lock {
    bool held;
    int descriptor;
};
/* CAELUM_EIO if another process, or this one, holds the lock. The directory must be there. */
int file_lock(struct file_lock *lock, const char *directory, struct caelum_error *err);
/* Safe on a zeroed lock. */
void file_unlock(struct file_lock *lock);

/* Joins directory and name into path; CAELUM_EUSAGE if that is longer than size. */
int file_join(char *path, size_t size, const char *directory, const char *name, struct caelum_error *err);

#endif
