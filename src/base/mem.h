/* mem.h - the only way to memory: sizes multiply checked, blocks are zeroed and aligned for vectors. */
#ifndef CAELUM_BASE_MEM_H
#define CAELUM_BASE_MEM_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Alignment of every block: one cache line, one 512-bit vector. */
#define MEM_ALIGN 64

/* *product = a * b, or CAELUM_ERESOURCE if that does not fit. */
int size_mul(size_t a, size_t b, size_t *product, struct caelum_error *err);

/* Sets *block to count * size zeroed bytes, to be freed with mem_free; NULL where count or size is 0. */
int mem_alloc(void *block, size_t count, size_t size, struct caelum_error *err);

/* Frees memory of mem_alloc; takes the address of the pointer, sets it to NULL, accepts NULL in it. */
void mem_free(void *block);

/* Blocks that end together. Zeroed, there are none. */
struct mem_group {
    void *last;
};
/* As mem_alloc; the block is the group's, and not to be given to mem_free. */
int mem_take(struct mem_group *group, void *block, size_t count, size_t size, struct caelum_error *err);
/* Frees them all. */
void mem_end(struct mem_group *group);

/* A copy of a string, freed with mem_free. */
int mem_strdup(char **copy, const char *text, struct caelum_error *err);

/* Test hooks. mem_count counts the allocations so far; after mem_fail_after(n) the n+1-th next one
 * fails (n < 0: none). They are per process; trainings that run side by side count together. */
size_t mem_count(void);
void mem_fail_after(long n);

/* Closes a stream of open_memstream, or NULL; whether all that was written is in *text, which the caller
 * frees in any case. */
bool mem_stream_close(FILE *stream, char *const *text);

#endif
