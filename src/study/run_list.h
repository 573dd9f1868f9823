/* run_list.h - which run directories a few names stand for. */
#ifndef CAELUM_STUDY_RUN_LIST_H
#define CAELUM_STUDY_RUN_LIST_H

#include "base/error.h"

#include <stddef.h>

struct run_list {
    char **path; /* without slashes at the end */
    size_t count, room;
};

/* Lists those of `dirs` that are run directories, which have a run.json, and of each that is none all that
 * are below it, in the order of their names; hidden directories and links are left out. CAELUM_EIO where
 * there is none or a directory can't be read, CAELUM_EUSAGE where there are more than `most`,
 * CAELUM_ERESOURCE. */
int run_list_open(struct run_list *list, const char *const *dirs, size_t count, size_t most,
                  struct caelum_error *err);
/* Safe on a zeroed list, and needed after a failure. */
void run_list_close(struct run_list *list);

#endif
