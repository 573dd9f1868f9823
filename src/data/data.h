/* data.h - what an open data set is to other modules. */
#ifndef CAELUM_DATA_DATA_H
#define CAELUM_DATA_DATA_H

#include "base/file.h"
#include "base/path.h"
#include "base/pictures.h"

enum {
    DATA_NOTES = 2,
    DATA_MOST_SIDE = 1 << 14, /* of a picture, pixels */
    DATA_MOST_CLASSES = 1 << 16,
};

struct caelum_data {
    char name[32];             /* "cifar-10", "folder", "synthetic", "memory", ... */
    char *source;              /* the spec it was opened by; "memory": there is none */
    char fingerprint[65];      /* identifies the pixels: their SHA-256, or how they were generated */
    char cache_dir[PATH_SIZE]; /* "": there is none, */
    const char *no_cache;      /* and why */
    struct caelum_data_settings settings; /* numbers alone: what it points to was the caller's */
    size_t count, c, h, w;
    const uint16_t *labels;  /* [count] in file order, or NULL */
    size_t classes;          /* labels are below this; 0: no labels */
    const char *class_names; /* a NUL behind each */
    const uint8_t *pixels;   /* [count][c][h][w] in file order */
    /* Pictures of train, validation and test (or photos, where these are crops), which follow each other in
     * file order; 0: the source has no such part, and it is taken out of train; all 0: out of everything. */
    size_t part[3];
    uint32_t *order; /* the shuffle: train, then validation, then test */
    size_t split_count[3];
    size_t photos;         /* whose crops the pictures are; 0: they are no crops */
    const uint32_t *first; /* [photos + 1]: the crops of photo p are pictures first[p] to first[p + 1] - 1 */
    size_t skipped;        /* files that could not be used */
    const char *skips;     /* path, NUL, reason, NUL of each */
    char note[DATA_NOTES][2 * PATH_SIZE]; /* sentences on how it was opened; "": none */
    struct file_map map;                  /* what the pointers above point into, or */
    uint8_t *memory;                      /* what pixels and class_names point into */
};

/* Adds a note, of which there are at most DATA_NOTES. */
void data_note(struct caelum_data *data, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Whether a regular file is there: nothing else is one of a data set's, and a pipe would be waited for. */
bool data_has_file(const char *directory, const char *name);

/* Sets dir to "caelum" in the directory that a variable of the XDG specification names, else in ~/USUAL.
 * Relative values are ignored, as that asks, and so are directories of other users, whose files these would
 * not be: CAELUM_EIO where none is left. */
int data_home(const char *variable, const char *usual, char dir[PATH_SIZE], struct caelum_error *err);

/* A borrowed view of a split. */
struct pictures data_pictures(const struct caelum_data *data, enum caelum_split split);
/* Whether its source is a spec that opens it again. */
bool data_has_spec(const struct caelum_data *data);
/* "48000/6000/6000", and which parts of it are the source's own: pictures, split_seed, limit and these words
 * say which picture is where. */
const char *data_split_text(const struct caelum_data *data, char text[130]);

/* Whether a spec means generated pictures, exactly "synthetic[:COUNT[:SIZE]]" with digits for the numbers;
 * all else is a path. *count and *size, which may be NULL, are set to what it asks for, whatever its size. */
bool data_is_synthetic(const char *spec, uint64_t *count, uint64_t *size);

/* Generates COUNT dead-leaves pictures of SIZE x SIZE, 6000 and 32 unless given: [count][3][size][size]. */
int synthetic_open(struct caelum_data *data, const char *spec, const struct caelum_data_settings *settings,
                   struct caelum_error *err);

/* Takes pictures that are in memory. */
int memory_open(struct caelum_data *data, const struct caelum_pictures *pictures, struct caelum_error *err);

#endif
