/* kept.h - files that are kept only to save time later, in a directory that others may be able to write to.
 * Such a file is trusted only if no other user can have written it. */
#ifndef CAELUM_BASE_KEPT_H
#define CAELUM_BASE_KEPT_H

#include "base/file.h"

/* Opens a kept file for reading: a regular file, no symbolic link, of this process's user, which no other
 * user may write to. Returns a descriptor to be closed, or -1 with the reason in *why, which is static. */
int kept_open(const char *path, const char **why);

/* As file_begin, for a file that only its owner may read and write. */
int kept_begin(struct file_writer *writer, const char *path, struct caelum_error *err);

/* Makes this directory, whose parent may be writable for all, for this user alone; true if it exists and is
 * such a one. */
bool kept_directory(const char *path);

#endif
