/* kept.h - files that are kept only to save time later, in a directory that others may be able to write to.
 * What is in such a file is believed only where nobody else can have written it. */
#ifndef CAELUM_BASE_KEPT_H
#define CAELUM_BASE_KEPT_H

#include "base/file.h"

/* Opens a kept file for reading: a regular file, no symbolic link, of this process's user, which nobody else
 * may write to. Returns a descriptor to be closed, or -1 with the reason in *why, which is static. */
int kept_open(const char *path, const char **why);

/* As file_begin, for a file that only its owner may read and write. */
int kept_begin(struct file_writer *writer, const char *path, struct caelum_error *err);

/* Makes this directory, whose parent anybody may write to, for this user alone; true if it is there and is
 * such a one. */
bool kept_directory(const char *path);

#endif
