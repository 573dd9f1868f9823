/* wasi.h - included before every file: what WASI's headers leave out. */
#include <stdio.h>
#include <sys/types.h>
uid_t geteuid(void);
FILE *page_tmpfile(void);
#define tmpfile page_tmpfile
