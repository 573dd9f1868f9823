/* kind.h - what a file is that was taken for a network's text. */
#ifndef CAELUM_NET_KIND_H
#define CAELUM_NET_KIND_H

/* "a PNG picture", by the file's first bytes; NULL where they are those of none that is known. */
const char *kind_of_file(const char *path);

#endif
