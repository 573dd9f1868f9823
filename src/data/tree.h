/* tree.h - the files that a data set may be made of: those of a directory and all below it, those of an
 * archive, or one. */
#ifndef CAELUM_DATA_TREE_H
#define CAELUM_DATA_TREE_H

#include "base/file.h"

#include <sys/stat.h>

/* Identifies a file's content without reading it. Time and size can be equal by chance or set by hand;
 * the time of the last change of the inode can't, and the number of the inode tells apart what changed at
 * once. */
struct source_identity {
    long long bytes, inode, modified[2], changed[2]; /* times: seconds, nanoseconds */
};

enum { TREE_HEAD = 16 };

struct tree_file {
    char *path;                      /* below the directory, in the archive, or the file's name */
    struct source_identity identity; /* zeros if there is nothing at the path, and in archives */
    bool readable, dropped;          /* dropped: to be taken out of the list by tree_drop */
    bool picture;                    /* by its name or its first bytes; other files may be part of a format */
    uint8_t head[TREE_HEAD];         /* of other files, what they begin with, decompressed */
    size_t at, size;                 /* in an archive: where its bytes are among all that was unpacked */
};

/* Why something in a directory is left out. */
enum tree_left {
    LEFT_RUN,        /* run directories: with run.json, and metrics.csv or a checkpoint */
    LEFT_COLORIZED,  /* NAME-color.png, or with another ending, if its directory has a picture NAME */
    LEFT_SYSTEM,     /* folders of thumbnails, deleted files and the like, by their names */
    LEFT_HIDDEN,     /* folders and pictures whose names start with a dot */
    LEFT_LINK,       /* symbolic links to folders */
    LEFT_SPECIAL,    /* pipes, sockets and devices with the names of pictures */
    LEFT_UNREADABLE, /* folders that this user may not read */
    LEFT_KINDS
};

struct tree {
    const char *root; /* the directory or file; borrowed */
    bool single;      /* a file: `file` is it, or what is in it, once it was unpacked */
    bool archive;
    size_t count, capacity;
    struct tree_file *file; /* by path, byte by byte */
    size_t left[LEFT_KINDS];
    char *unreadable; /* the first of them, below the directory; NULL: none */
    struct file_map unpacked;
};

/* A directory: every file in it and below whose name has a picture's ending or whose first bytes are a
 * picture's, except those left out; and, in it and in its directories, what may be part of another format.
 * The directory itself is always read. Otherwise the file. Fails with CAELUM_EIO if there is nothing, or it
 * or another directory can't be read for a reason that is no lack of permission, with CAELUM_EUSAGE for paths
 * or trees that are too deep, CAELUM_ERESOURCE. */
int tree_find(struct tree *tree, const char *root, struct caelum_error *err);
/* Safe on a zeroed tree. */
void tree_close(struct tree *tree);

/* Where the file is a tar, compressed or not, or a zip, the tree becomes what is in it. Its bytes are in a
 * file without a name in `directory` (or, where that can't be, in /tmp), at most 128 MiB and 16 times those
 * of the archive. Can be called again, and does nothing then. */
int tree_unpack(struct tree *tree, const char *directory, struct caelum_error *err);

/* All of a file, decompressed if it is by gzip; CAELUM_EFORMAT if that is more than `most` bytes, or,
 * compressed, than the above. */
int tree_read(const struct tree *tree, const struct tree_file *file, size_t most, uint8_t **bytes,
              size_t *size, struct caelum_error *err);
/* Decodes a picture. */
int tree_picture(const struct tree *tree, const struct tree_file *file, struct caelum_picture *picture,
                 struct caelum_error *err);
/* The file that is called so, in whatever directory; NULL if there is none. */
const struct tree_file *tree_named(const struct tree *tree, const char *name);
/* What a file is called where it is complained of. */
const char *tree_name(const struct tree *tree, const struct tree_file *file, char name[PATH_SIZE]);

enum { TREE_LEFT_TEXT = 512 + PATH_SIZE };
/* "1 run of caelum, 2 hidden", or "" where nothing is left out. */
void tree_left_out(const struct tree *tree, char text[TREE_LEFT_TEXT]);

/* For tree.c and unpack.c. */
int tree_add(struct tree *tree, const struct tree_file *file, struct caelum_error *err); /* path is copied */
void tree_sort(struct tree *tree);
size_t tree_drop(struct tree *tree); /* how many those are that it takes out */
bool tree_is_system(const char *name);
/* Sets head and picture by the file's path and first bytes; false: it is neither that nor part of a format.
 */
bool tree_judge(struct tree_file *file, const uint8_t *bytes, size_t size);

#endif
