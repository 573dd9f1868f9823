/* event_file.h - TensorBoard's event files without what is in them: a directory's files in their order, each
 * a row of records (TensorFlow's TFRecord). A record is, all little-endian: the payload's size in 8 bytes,
 * the masked CRC-32C of these 8, the payload, the masked CRC-32C of the payload. Readers stop at a record
 * that is not whole, so a file is only ever added to, one write a record. */
#ifndef CAELUM_REPORT_EVENT_FILE_H
#define CAELUM_REPORT_EVENT_FILE_H

#include "base/error.h"
#include "base/path.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Bytes of a record before its payload, and in all but the payload. */
enum { EVENT_HEAD = 12, EVENT_FRAME = 16 };

/* CRC-32C (Castagnoli), as in RFC 3720, section 12.1. */
uint32_t event_crc32c(const uint8_t *bytes, size_t size);

/* Puts the frame around a payload of `size` bytes that stands at record + EVENT_HEAD. */
void event_frame(uint8_t *record, size_t size);

struct event_file {
    FILE *stream; /* NULL: not open */
    char path[PATH_SIZE];
};

/* Makes DIR/events.out.tfevents.SECONDS.HOST.PID.0. TensorBoard reads a directory's files in the order of
 * their names, so where one of the same or a later second is there (a clock that went back, a run resumed at
 * once), the new one is named for the second after it. CAELUM_EIO. */
int event_file_open(struct event_file *file, const char *dir, long long seconds, struct caelum_error *err);

/* Frames and writes a record whose payload is in place. CAELUM_EIO: the disk is full, for example. */
int event_file_append(struct event_file *file, uint8_t *record, size_t size, struct caelum_error *err);

/* Safe on a zeroed file and on one that is closed. */
int event_file_close(struct event_file *file, struct caelum_error *err);

/* Removes all event files of a directory. */
int event_files_remove(const char *dir, struct caelum_error *err);

#endif
