/* loaded.h - functions of libraries that are loaded when they are first needed. */
#ifndef CAELUM_BASE_LOADED_H
#define CAELUM_BASE_LOADED_H

#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>

/* Sets *function, a pointer to a function, to the one of that name; false if the library has none. POSIX
 * makes such a pointer of dlsym's in this way. */
static inline bool loaded_function(void *library, const char *name, void *function) {
    void *symbol = dlsym(library, name);
    memcpy(function, &symbol, sizeof symbol);
    return symbol != NULL;
}

#endif
