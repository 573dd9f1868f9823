/* option.h - the value of an option (struct caelum_option) as text, and back: command line, files, metadata
 * and studies read and write it here. */
#ifndef CAELUM_BASE_OPTION_H
#define CAELUM_BASE_OPTION_H

#include "caelum.h"

/* Sets the value from text; false, with the value as it was, where the text is none. A string is kept, not
 * copied; CAELUM_OPTION_LIST is not read here. */
bool option_read(const struct caelum_option *option, void *value, const char *text);

/* Text that option_read takes, numbers in as few digits as name them exactly; NULL where there is none. */
const char *option_print(const struct caelum_option *option, const void *value, char text[64]);

#endif
