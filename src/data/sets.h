/* sets.h - the published data sets that caelum fetches. */
#ifndef CAELUM_DATA_SETS_H
#define CAELUM_DATA_SETS_H

#include "base/error.h"
#include "base/path.h"

#include <stdint.h>

struct data_set_file {
    const char *name; /* NULL behind the last */
    uint64_t bytes;
    const char *sha256;
};

struct data_set {
    const char *name;       /* NULL behind the last */
    const char *servers[4]; /* directories with the files under these names, asked in this order; then NULL */
    struct data_set_file files[5];
};

extern const struct data_set data_sets[];

/* Seconds that a server may be silent; those between two attempts. */
int data_patience(void);
extern const int data_pause;

/* NULL if there is none of that name. */
const struct data_set *data_set_find(const char *name);

/* Sets path to what caelum_data_open takes for a set that is in `directory`, or, where that is NULL, in the
 * user's: its only file, or the directory. CAELUM_EIO if files are missing or have another length there. */
int data_set_locate(const struct data_set *set, const char *directory, char path[PATH_SIZE],
                    struct caelum_error *err);

#endif
