/* formats.h - formats of data sets: how each is known, and read into a prepared one. A format is a file of
 * its own and a row in formats.c. */
#ifndef CAELUM_DATA_FORMATS_H
#define CAELUM_DATA_FORMATS_H

#include "data/prepared.h"
#include "data/tree.h"

/* A data set on its way from its files to `to`. */
struct source {
    struct tree *tree;
    const struct caelum_data_settings *settings;
    int threads;           /* no influence on the result */
    const char *unpack_in; /* directory for what archives hold */
    struct prepared_writer *to;
    uint16_t *labels; /* [count], owned; set by the format where the header has classes */
    uint32_t *first;  /* [photos + 1], owned; likewise where it has photos */
    FILE *names, *skips;
    char *names_text, *skips_text; /* what was written into the two, once they are closed */
    size_t names_size, skips_size;
};

struct data_format {
    const char *name; /* of such a data set */
    bool (*is_meant)(const struct tree *tree);
    /* Writes the pixels, and sets labels, first, and of to->header c, h, w, part and photos. */
    int (*read)(struct source *source, struct caelum_error *err);
};

extern const struct data_format cifar10_format, cifar100_format, cifar10_python_format,
    cifar100_python_format, stl_format, idx_format, numpy_format, pictures_format;

/* --- For formats ---------------------------------------------------------------------------------- */

/* Adds n pictures of header.c x h x w. */
void source_put(struct source *source, const uint8_t *pixels, size_t n);
/* Adds a class. */
void source_class(struct source *source, const char *name, size_t length);
/* Adds n classes that are called by their numbers. */
void source_numbers(struct source *source, size_t n);
/* Adds n classes by a text with a name a line; the number of those in it, if there are fewer. */
size_t source_lines(struct source *source, const char *text, size_t n);
/* The same of a file of the tree; by number, where there is none. CAELUM_EFORMAT if there are fewer. */
int source_names(struct source *source, const char *file, size_t n, struct caelum_error *err);
/* Adds a file that could not be used; a reason need not name it. */
void source_skip(struct source *source, const char *path, const char *reason);
/* CAELUM_ESTOPPED if the caller asks for it. */
int source_progress(const struct source *source, const char *what, size_t done, size_t total,
                    struct caelum_error *err);
/* Which of the words, with NULL behind the last, is the first in a name, in upper or lower case; words of a
 * name are its letters and digits between other characters. SIZE_MAX: none. */
size_t source_word(const char *name, size_t length, const char *const *words);
/* Which part of the data a name says it is: CAELUM_TRAIN, CAELUM_VALIDATION or CAELUM_TEST by a word in it;
 * CAELUM_ALL: none. */
enum caelum_split source_part(const char *name, size_t length);

/* Opens what is at `path`, by way of prepared data. */
int formats_open(struct caelum_data *data, const char *path, const struct caelum_data_settings *settings,
                 int threads, struct caelum_error *err);
/* The first files of what is at `path`, pictures apart, and whether they are the published ones. */
int checksums_of(const char *path, struct caelum_data_info *info, struct caelum_error *err);

#endif
