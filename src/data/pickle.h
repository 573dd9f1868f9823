/* pickle.h - what Python's pickles of CIFAR hold: a dictionary of lists of whole numbers, lists of strings
 * and one array of bytes. Only the instructions that make these are known, and nothing is executed: what
 * would import or call anything but NumPy's array of bytes is refused. */
#ifndef CAELUM_DATA_PICKLE_H
#define CAELUM_DATA_PICKLE_H

#include "base/error.h"

/* A value on the stack of the machine that a pickle is a program for. */
struct pickled {
    enum pickled_kind {
        PICKLED_NONE,
        PICKLED_MARK,   /* the beginning of some values */
        PICKLED_NUMBER, /* `size` */
        PICKLED_BYTES,  /* `size` at `bytes`: a string */
        PICKLED_ITEMS,  /* a list, tuple or dictionary: `size` values from item[at] */
        PICKLED_NAME,   /* of what would be imported, "module\nname\n" at `bytes` */
        PICKLED_ARRAY,  /* of bytes, `rows` x `size` / `rows` at `bytes` */
    } kind;
    const uint8_t *bytes; /* in the file */
    size_t size, at, rows;
};

struct pickle {
    struct pickled *item; /* owned: the values of all lists, tuples and dictionaries */
    struct pickled whole; /* the dictionary */
};

/* CAELUM_EFORMAT, with `name` in front, for what is damaged or holds other things. The bytes must outlive it.
 */
int pickle_read(struct pickle *pickle, const char *name, const uint8_t *bytes, size_t size,
                struct caelum_error *err);
void pickle_close(struct pickle *pickle);
/* The value at a key of the dictionary, or NULL. */
const struct pickled *pickle_find(const struct pickle *pickle, const char *key);

#endif
