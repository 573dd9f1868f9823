/* events.h - a run as TensorBoard shows it: an event file in the run directory, to which every epoch adds its
 * figures. Steps are epochs.
 *
 * A run that is killed between its event and its checkpoint does that epoch again. So a resumed run begins a
 * new file, and each file begins with the event SessionLog START at the first epoch that it may hold: on the
 * second and every later START of a directory TensorBoard drops what it has read of that step and later ones.
 *
 * Built without protobuf-c there are no events: all of this does nothing and succeeds. */
#ifndef CAELUM_REPORT_EVENTS_H
#define CAELUM_REPORT_EVENTS_H

#include "report/event_file.h"

struct events {
    struct event_file file;
    double wall_time; /* of every event, from SOURCE_DATE_EPOCH; negative: by the clock */
};

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

#endif
