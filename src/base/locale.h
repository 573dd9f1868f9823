/* locale.h - the calling thread's locale for a while: for work by libraries that print, read or convert text
 * in the locale that a program around us may have set with setlocale. */
#ifndef CAELUM_BASE_LOCALE_H
#define CAELUM_BASE_LOCALE_H

#include <locale.h>

/* Both return what locale_leave takes. Numbers as in "C"; the second takes file names for UTF-8, too (where
 * the system has no "C.UTF-8", it is the first). The thread's own locale stays where memory is out. */
locale_t locale_enter_plain(void);
locale_t locale_enter_utf8(void);
void locale_leave(locale_t before);

#endif
