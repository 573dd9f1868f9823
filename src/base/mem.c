/* mem.c - checked, aligned, zeroed allocation, with counters for the tests. */
#include "base/mem.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static size_t allocations;
static long fail_after = -1;

size_t mem_count(void) {
    return __atomic_load_n(&allocations, __ATOMIC_RELAXED);
}

void mem_fail_after(long n) {
    __atomic_store_n(&fail_after, n, __ATOMIC_RELAXED);
}

int size_mul(size_t a, size_t b, size_t *product, struct caelum_error *err) {
    size_t result;
    if (__builtin_mul_overflow(a, b, &result))
        return caelum_fail(err, CAELUM_ERESOURCE, "size %zu x %zu is too large for this machine", a, b);
    *product = result;
    return CAELUM_OK;
}

/* What stands just before each block: its beginning as calloc has it, and the one before it in its group. */
struct head {
    char *raw;
    void *before;
};

static struct head *head_of(void *block) {
    return (struct head *)block - 1;
}

/* The next aligned address with room for the head. What calloc takes from the system is zero already: pages
 * that nobody touches take no memory and no time. */
static void *aligned(char *raw) {
    if (!raw) return NULL;
    char *memory = raw + sizeof(struct head);
    memory += (MEM_ALIGN - (uintptr_t)memory % MEM_ALIGN) % MEM_ALIGN;
    *head_of(memory) = (struct head){.raw = raw};
    return memory;
}

int mem_alloc(void *block, size_t count, size_t size, struct caelum_error *err) {
    size_t bytes = 0;
    CHECK(size_mul(count, size, &bytes, err));
    void *memory = NULL;
    if (bytes > 0) {
        __atomic_add_fetch(&allocations, 1, __ATOMIC_RELAXED);
        const bool refuse = __atomic_load_n(&fail_after, __ATOMIC_RELAXED) >= 0 &&
                            __atomic_fetch_sub(&fail_after, 1, __ATOMIC_RELAXED) == 0;
        if (!refuse && bytes <= SIZE_MAX - 3 * MEM_ALIGN) /* whole lines may be read */
            memory = aligned(calloc(bytes / MEM_ALIGN + 3, MEM_ALIGN));
        if (!memory) return caelum_fail(err, CAELUM_ERESOURCE, "out of memory: %zu bytes asked for", bytes);
    }
    memcpy(block, &memory, sizeof memory);
    return CAELUM_OK;
}

void mem_free(void *block) {
    void *memory = NULL;
    memcpy(&memory, block, sizeof memory);
    if (memory) free(head_of(memory)->raw);
    memory = NULL;
    memcpy(block, &memory, sizeof memory);
}

int mem_take(struct mem_group *group, void *block, size_t count, size_t size, struct caelum_error *err) {
    void *memory = NULL;
    CHECK(mem_alloc(&memory, count, size, err));
    memcpy(block, &memory, sizeof memory);
    if (!memory) return CAELUM_OK;
    head_of(memory)->before = group->last;
    group->last = memory;
    return CAELUM_OK;
}

void mem_end(struct mem_group *group) {
    while (group->last) {
        void *block = group->last;
        group->last = head_of(block)->before;
        mem_free(&block);
    }
}

int mem_strdup(char **copy, const char *text, struct caelum_error *err) {
    const size_t length = strlen(text);
    char *memory = NULL;
    CHECK(mem_alloc(&memory, length + 1, 1, err));
    memcpy(memory, text, length + 1);
    *copy = memory;
    return CAELUM_OK;
}

/* Where memory for its end is missing, fclose of glibc 2.36 has no text and says nothing. */
bool mem_stream_close(FILE *stream, char *const *text) {
    if (!stream) return false;
    const bool written = !ferror(stream);
    return fclose(stream) == 0 && written && *text;
}
