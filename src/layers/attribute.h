/* attribute.h - what can be said of a layer in its line, as rows of a table. Reading, printing, usage lines
 * and comparison work from the same rows, so a name, a range or a default stands in one place. */
#ifndef CAELUM_LAYERS_ATTRIBUTE_H
#define CAELUM_LAYERS_ATTRIBUTE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* Channels, rows, columns of one picture. */
struct shape {
    size_t c, h, w;
};

/* Pixels in all channels. */
static inline size_t shape_values(struct shape s) {
    return s.c * s.h * s.w;
}

enum { LAYER_NAME = 48 };

/* The name of a saved tensor, and its shape, which the network fills in. */
struct saved {
    char name[LAYER_NAME];
    struct shape shape;
};

enum attribute_kind {
    ATTRIBUTE_COUNT,  /* size_t: a bare whole number, "8" */
    ATTRIBUTE_REAL,   /* double: a bare number, "0.1" */
    ATTRIBUTE_KEY,    /* size_t: "k=3" */
    ATTRIBUTE_CHOICE, /* size_t, the index of a word: "pad=same" */
    ATTRIBUTE_WORD,   /* size_t, the index of a word: "relu" */
    ATTRIBUTE_SAVES,  /* struct saved: a new name, of the layer's output */
    ATTRIBUTE_SAVED   /* struct saved: a name given above */
};

struct attribute {
    const char *name; /* its key, or what usage calls a bare value: "C"; NULL behind the last row */
    enum attribute_kind kind;
    size_t offset;            /* in the layer's state */
    const char *meaning;      /* of a number, for complaints: "output channels" */
    double least, most;       /* of a number */
    double otherwise;         /* its default; of a word the first one is */
    const char *const *words; /* NULL at the end */
    bool needed;              /* it has no default */
};

/* Rows: COUNT, REAL and KEY have a range; OPTIONAL is a COUNT with a default. */
#define ATTRIBUTE_COUNT(symbol, type, field, what, from, to)                                       \
    {                                                                                              \
        .name = symbol, .kind = ATTRIBUTE_COUNT, .offset = offsetof(type, field), .meaning = what, \
        .least = from, .most = to, .needed = true                                                  \
    }
#define ATTRIBUTE_OPTIONAL(symbol, type, field, what, from, to, standard)                          \
    {                                                                                              \
        .name = symbol, .kind = ATTRIBUTE_COUNT, .offset = offsetof(type, field), .meaning = what, \
        .least = from, .most = to, .otherwise = standard                                           \
    }
#define ATTRIBUTE_REAL(symbol, type, field, what, from, to)                                       \
    {                                                                                             \
        .name = symbol, .kind = ATTRIBUTE_REAL, .offset = offsetof(type, field), .meaning = what, \
        .least = from, .most = to, .needed = true                                                 \
    }
#define ATTRIBUTE_KEY(key, type, field, from, to, standard)                                                 \
    {                                                                                                       \
        .name = key, .kind = ATTRIBUTE_KEY, .offset = offsetof(type, field), .meaning = key, .least = from, \
        .most = to, .otherwise = standard                                                                   \
    }
#define ATTRIBUTE_CHOICE(key, type, field, list) \
    { .name = key, .kind = ATTRIBUTE_CHOICE, .offset = offsetof(type, field), .words = list }
#define ATTRIBUTE_WORD(type, field, list) \
    { .name = "", .kind = ATTRIBUTE_WORD, .offset = offsetof(type, field), .words = list }
#define ATTRIBUTE_NAME(type, field, which) \
    { .name = "NAME", .kind = which, .meaning = "name", .offset = offsetof(type, field), .needed = true }

/* --- Lines ---------------------------------------------------------------------------------------- */

struct layer_word {
    char text[LAYER_NAME];
    size_t column; /* 1 based */
    bool used;
};

enum { LAYER_WORDS = 16, LAYER_LINE = 96, LAYER_USAGE = 256 };

/* The words of one line; the first is the layer's name. */
struct layer_line {
    const char *file; /* for complaints; borrowed */
    size_t number;    /* of the line, from 1 */
    size_t count;
    struct layer_word word[LAYER_WORDS];
};

/* Splits `length` bytes of text into words, up to a '#'. */
int line_split(struct layer_line *line, const char *text, size_t length, struct caelum_error *err);
/* CAELUM_EFORMAT with "file:line:column: " and a sentence. */
int line_fail(const struct layer_line *line, size_t column, struct caelum_error *err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Reads a line's words into a zeroed state; `table` may be NULL, for a layer without attributes. Fails with
 * CAELUM_EFORMAT for a value out of its range, one that is missing, or a word that no row takes. */
int attributes_read(const struct attribute *table, struct layer_line *line, void *state,
                    struct caelum_error *err);
/* Writes "conv 8 k=5 relu" of name and state: in the order of the table, without what is as it would be
 * anyway. Two layers are the same if these are. */
void attributes_print(const struct attribute *table, const char *name, const void *state,
                      char text[LAYER_LINE]);
/* Writes "conv C [k=3] [pad=same|valid]". */
void attributes_usage(const struct attribute *table, const char *name, char text[LAYER_USAGE]);
/* The saved tensor that a row of this kind names in the state; NULL if the table has none. */
struct saved *attributes_saved(const struct attribute *table, enum attribute_kind kind, void *state);

#endif
