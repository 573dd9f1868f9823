/* wasi.h - included before every file: what WASI's headers leave out. */
#include <sys/types.h>
uid_t geteuid(void);
