/* path.h - names of files, as text; nothing here looks at the disk. */
#ifndef CAELUM_BASE_PATH_H
#define CAELUM_BASE_PATH_H

#include <stddef.h>
#include <string.h>

/* Bytes of the longest path that the system takes, its end included (Linux's PATH_MAX): a buffer of this size
 * holds every path that can be opened, and file_join says so where one is longer. */
enum { PATH_SIZE = 4096 };

/* "photo.v2.jpg" of "some/photo.v2.jpg". Borrowed from path. */
static inline const char *path_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Bytes of "photo.v2" in "photo.v2.jpg": up to the last dot, unless the name starts with it. */
static inline size_t path_stem_length(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot && dot > name ? (size_t)(dot - name) : strlen(name);
}

#endif
