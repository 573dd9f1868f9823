/* events.h - a run as TensorBoard shows it: an event file in the run directory, to which every epoch adds its
 * figures. Steps are epochs.
 *
 * A run that is killed between its event and its checkpoint does that epoch again. So a resumed run begins a
 * new file, and each file begins with the event SessionLog START at the first epoch that it may hold: on the
 * second and every later START of a directory TensorBoard drops what it has read of that step and later ones.
 *
 * A file is a row of records (TensorFlow's TFRecord): the payload's size in 8 bytes, the masked CRC-32C of
 * these 8, the payload, the masked CRC-32C of the payload, all little-endian. Readers stop at a record that
 * is not whole, so a file is only ever added to, one write a record.
 *
 * Built without protobuf-c there are no events: events_open and what adds to a file do nothing and succeed.
 */
#ifndef CAELUM_REPORT_EVENTS_H
#define CAELUM_REPORT_EVENTS_H

#include "base/error.h"
#include "base/path.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Bytes of a record before its payload, and in all but the payload. */
enum { EVENT_HEAD = 12, EVENT_FRAME = 16 };

struct events {
    FILE *stream; /* NULL: not open */
    char path[PATH_SIZE];
    double wall_time; /* of every event, from SOURCE_DATE_EPOCH; negative: by the clock */
};

/* CRC-32C (Castagnoli), as in RFC 3720, section 12.1. */
uint32_t event_crc32c(const uint8_t *bytes, size_t size);

/* Puts the frame around the payload of `size` bytes at record + EVENT_HEAD. */
void event_frame(uint8_t *record, size_t size);

/* Makes DIR/events.out.tfevents.SECONDS.HOST.PID.0. TensorBoard reads a directory's files in the order of
 * their names, so where one of the same or a later second is there (a clock that went back, a run resumed at
 * once), the new one is named for the second after it. CAELUM_EIO. */
int events_create(struct events *events, const char *dir, long long seconds, struct caelum_error *err);

/* Begins a file in `dir` for the epochs after the first `epochs_done`. CAELUM_EIO, and CAELUM_EUSAGE if
 * SOURCE_DATE_EPOCH is set and no number of seconds. */
int events_open(struct events *events, const char *dir, size_t epochs_done, struct caelum_error *err);

/* A text at step 0, shown as it is, in type of one width. */
int events_text(struct events *events, const char *tag, const char *text, struct caelum_error *err);

/* The figures of an epoch; one that is NaN is left out. */
int events_epoch(struct events *events, const struct caelum_epoch *epoch, struct caelum_error *err);

/* The PNG file at `png_path`. CAELUM_EIO, CAELUM_EFORMAT. */
int events_image(struct events *events, const char *tag, size_t epoch, const char *png_path,
                 struct caelum_error *err);

/* Safe on zeroed events and on those that are closed. */
int events_close(struct events *events, struct caelum_error *err);

/* Removes all event files of a directory. */
int events_remove(const char *dir, struct caelum_error *err);

#endif
