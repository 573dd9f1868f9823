/* photos.h - the picture files of a directory. */
#ifndef CAELUM_DATA_PHOTOS_H
#define CAELUM_DATA_PHOTOS_H

#include "base/error.h"

struct photo {
    char *path;                            /* below the directory */
    long long bytes, seconds, nanoseconds; /* size and time of change; 0 if there is nothing at the path */
    bool readable;
};

struct photos {
    size_t count, capacity;
    struct photo *photo; /* by path, byte by byte */
};

/* Finds every file in `directory` and below whose name ends as pictures' names do, whatever is in it, or that
 * begins as a PNG, JPEG, WebP or TIFF does. Names that start with a dot are left out, and so are symbolic
 * links to directories. Fails with CAELUM_EIO if a directory can't be read, so that nothing is missing
 * unnoticed, with CAELUM_EUSAGE for paths or trees that are too deep, CAELUM_ERESOURCE. */
int photos_find(struct photos *photos, const char *directory, struct caelum_error *err);
/* Safe on a zeroed list. */
void photos_close(struct photos *photos);

#endif
