/* little.h - the order of bytes: files of models have the lowest byte of a value first, as most machines do.
 */
#ifndef CAELUM_BASE_LITTLE_H
#define CAELUM_BASE_LITTLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool little_machine(void) {
    return *(const uint8_t *)&(const uint16_t){1} == 1;
}

/* Turns values of `size` bytes from the machine's order to that of files, or back. */
static inline void little_turn(void *values, size_t count, size_t size) {
    uint8_t *v = values;
    for (size_t i = 0; !little_machine() && i < count; i++, v += size)
        for (size_t b = 0; b < size / 2; b++) {
            const uint8_t byte = v[b];
            v[b] = v[size - 1 - b];
            v[size - 1 - b] = byte;
        }
}

#endif
