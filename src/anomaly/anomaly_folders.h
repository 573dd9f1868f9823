/* anomaly_folders.h - the pictures that a finder of defects is tested on, as MVTec AD lays them out:
 *
 *     DIR/test/good/NAME.png            DIR/test/KIND/NAME.png
 *                                       DIR/ground_truth/KIND/NAME_mask.png
 *
 * DIR may be the test folder itself, with ground_truth in it or next to it; or have good/ and bad/ and no
 * masks. A mask may have another ending, or its picture's own name. */
#ifndef CAELUM_ANOMALY_ANOMALY_FOLDERS_H
#define CAELUM_ANOMALY_ANOMALY_FOLDERS_H

#include "base/mem.h"
#include "data/tree.h"

struct anomaly_picture {
    const struct tree_file *file, *mask; /* mask: NULL for good pictures, and where there are no masks */
    size_t kind;                         /* 0: good */
};

struct anomaly_folders {
    char test[PATH_SIZE], truth[PATH_SIZE]; /* truth: "" where there are no masks */
    struct tree pictures, masks;
    struct anomaly_picture *picture; /* by path */
    size_t count;
    char **kind; /* names of their folders; kind[0] is "good" */
    size_t kinds;
    struct mem_group memory;
};

/* Finds the pictures; `folders` must not move until it is closed. Fails with CAELUM_EUSAGE where there are no
 * good pictures or no bad ones, or a picture is in no folder of its kind; with CAELUM_EFORMAT where some bad
 * picture has no mask though others have: figures of pixels would be wrong without it. As tree_find. */
int anomaly_folders_open(struct anomaly_folders *folders, const char *directory, struct caelum_error *err);
/* Safe on a zeroed struct. */
void anomaly_folders_close(struct anomaly_folders *folders);

/* The mask of the picture of that number, which has one, as bytes [height][width]; all but 0 is bad. To be
 * freed with mem_free. CAELUM_EFORMAT where its size is not the picture's: then all masks are most likely
 * those of other pictures, or of the pictures before someone made them smaller. */
int anomaly_mask_read(const struct anomaly_folders *folders, size_t number,
                      const struct caelum_picture *picture, uint8_t **mask, struct caelum_error *err);

#endif
