/* file.h - whole files: written aside, synced and put in their place; read whole or mapped. */
#ifndef CAELUM_BASE_FILE_H
#define CAELUM_BASE_FILE_H

#include "base/error.h"
#include "base/path.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A file being written. Write to `stream`, then file_commit; on any failure file_abandon, which leaves
 * no trace.
 *
 * It has no name before it is whole, where the file system can do that, so a killed process leaves nothing
 * behind. What is there already keeps its permissions and, where that is allowed, its owner; a link is kept,
 * and what it leads to is replaced. Pipes, devices and /dev/stdout, /dev/stderr and /dev/fd/N can't be
 * replaced: what is written goes right into them. */
struct file_writer {
    FILE *stream;
    bool unsynced;        /* set by the caller: not worth waiting for the disk, it can be made again */
    bool direct;          /* written as it is */
    int directory;        /* a descriptor of it; not where direct */
    char path[PATH_SIZE]; /* what is written: no link */
    char temporary[32];   /* name in the directory; "": none */
};

int file_begin(struct file_writer *writer, const char *path, struct caelum_error *err);
/* Flushes, checks every write so far, syncs, renames over `path`, syncs the directory. On failure the
 * temporary file is gone. */
int file_commit(struct file_writer *writer, struct caelum_error *err);
/* Safe after file_commit and on a zeroed writer: then does nothing. */
void file_abandon(struct file_writer *writer);

/* Writes `size` bytes as one file, by the steps above. */
int file_write(const char *path, const void *bytes, size_t size, struct caelum_error *err);
/* The same for what can be made again: it doesn't wait for the disk, so a power cut within the next half
 * minute may leave an empty file. */
int file_write_unsynced(const char *path, const void *bytes, size_t size, struct caelum_error *err);

/* Removes what processes that were killed have left in a directory, as far as they could leave anything. */
void file_sweep(const char *directory);

/* Reads a regular file of at most `limit` bytes; *bytes is NUL-terminated beyond *size, freed with mem_free.
 * CAELUM_EIO for anything else by that name, without waiting: nobody may be there who writes into a pipe. */
int file_read(const char *path, size_t limit, uint8_t **bytes, size_t *size, struct caelum_error *err);

/* The same for a file that a person has named, which may also be a pipe or a device: read to its end. A
 * signal that is caught ends the waiting with CAELUM_ESTOPPED. */
int file_read_any(const char *path, size_t limit, uint8_t **bytes, size_t *size, struct caelum_error *err);
/* The same of a descriptor from where it is; `name` stands in errors. */
int file_read_descriptor(int descriptor, const char *name, size_t limit, uint8_t **bytes, size_t *size,
                         struct caelum_error *err);

/* A file mapped read-only. */
struct file_map {
    const uint8_t *bytes;
    size_t size;
};
int file_map_open(struct file_map *map, const char *path, struct caelum_error *err);
void file_map_close(struct file_map *map);

/* Syncs the directory that a path is in: a name that was given or taken survives a power cut only then. Where
 * that can't be, nothing is done. */
void file_sync_above(const char *path);

/* Makes a directory and its parents, and syncs where they are. */
int file_make_directory(const char *path, struct caelum_error *err);
/* The same, but the directory must not have been there: of all that try, one gets it. CAELUM_EIO. */
int file_make_new_directory(const char *path, struct caelum_error *err);

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
