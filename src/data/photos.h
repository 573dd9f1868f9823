/* photos.h - the picture files of a directory that belong to a data set. */
#ifndef CAELUM_DATA_PHOTOS_H
#define CAELUM_DATA_PHOTOS_H

#include "base/path.h"
#include "data/prepared.h"

struct photo {
    char *path;                      /* below the directory */
    struct source_identity identity; /* zeros if there is nothing at the path */
    bool readable, ours;             /* ours: a result of colorize, on its way out of the list */
};

/* Why something is left out. */
enum photos_left {
    LEFT_RUN,        /* run directories: with run.json, and metrics.csv or a checkpoint */
    LEFT_COLORIZED,  /* NAME-color.png, or with another ending, if its directory has a picture NAME */
    LEFT_SYSTEM,     /* folders of thumbnails, deleted files and the like, by their names */
    LEFT_HIDDEN,     /* folders and pictures whose names start with a dot */
    LEFT_LINK,       /* symbolic links to folders */
    LEFT_SPECIAL,    /* pipes, sockets and devices with the names of pictures */
    LEFT_UNREADABLE, /* folders that this user may not read */
    LEFT_KINDS
};

struct photos {
    size_t count, capacity;
    struct photo *photo; /* by path, byte by byte */
    size_t left[LEFT_KINDS];
    char *unreadable; /* the first of them, below the directory; NULL: none */
};

/* Finds every file in `directory` and below whose name has a picture's ending or whose first bytes are a
 * picture's, except those left out. The directory itself is always read. Fails
 * with CAELUM_EIO if it can't be read, or another one for a reason that is no lack of permission, with
 * CAELUM_EUSAGE for paths or trees that are too deep, CAELUM_ERESOURCE. */
int photos_find(struct photos *photos, const char *directory, struct caelum_error *err);
/* Safe on a zeroed list. */
void photos_close(struct photos *photos);

enum { PHOTOS_LEFT_TEXT = 512 + PATH_SIZE };
/* "1 run of caelum, 2 hidden", or "" where nothing is left out. */
void photos_left_out(const struct photos *photos, char text[PHOTOS_LEFT_TEXT]);

#endif
