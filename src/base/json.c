/* json.c - see json.h. jansson knows locales with a decimal comma; it aborts where the decimal point has two
 * bytes (ps_AF), so it works in the locale "C". */
#include "base/json.h"

#include "base/file.h"
#include "base/locale.h"
#include "base/utf8.h"

#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void drop(json_t **tree) {
    json_decref(*tree);
    *tree = NULL;
}

void json_put(json_t **tree, const char *key, json_t *value) {
    if (!*tree)
        json_decref(value);
    else if (json_object_set_new(*tree, key, value) != 0) /* takes value even then */
        drop(tree);
}

json_t *json_object_of(const struct json_member *m) {
    json_t *object = json_object();
    for (; m->key; m++) json_put(&object, m->key, m->value);
    return object;
}

void json_add(json_t **tree, json_t *value) {
    if (!*tree)
        json_decref(value);
    else if (json_array_append_new(*tree, value) != 0)
        drop(tree);
}

json_t *json_number(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *json_size(size_t value) {
    return value <= INT64_MAX ? json_integer((json_int_t)value) : json_null();
}

/* --- Bytes ---------------------------------------------------------------------------------------- */

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Whether `s` starts with what stands for one byte. */
static bool is_escape(const char *s) {
    return s[0] == '\\' && s[1] == 'x' && hex_digit(s[2]) >= 0 && hex_digit(s[3]) >= 0;
}

json_t *json_bytes(const char *bytes) {
    static const char digits[] = "0123456789abcdef";
    char *text = malloc(4 * strlen(bytes) + 1), *to = text;
    if (!text) return NULL;
    while (*bytes) {
        const size_t n = is_escape(bytes) ? 0 : utf8_length(bytes);
        if (n == 0) {
            const unsigned char byte = (unsigned char)*bytes++;
            *to++ = '\\', *to++ = 'x', *to++ = digits[byte >> 4], *to++ = digits[byte & 15];
        } else {
            memcpy(to, bytes, n);
            to += n, bytes += n;
        }
    }
    *to = '\0';
    json_t *string = json_string(text);
    free(text);
    return string;
}

void json_bytes_back(char *text) {
    char *to = text;
    while (*text)
        if (is_escape(text)) {
            *to++ = (char)(hex_digit(text[2]) * 16 + hex_digit(text[3]));
            text += 4;
        } else {
            *to++ = *text++;
        }
    *to = '\0';
}

/* --- Text ----------------------------------------------------------------------------------------- */

/* Without memory jansson 2.14 crashes, trips over its own assertions, or leaves characters out of a text. So
 * its allocator does not return to it then, while this thread reads; what it had of the tree is lost. */
static _Thread_local jmp_buf *without_memory;
static json_malloc_t allocate;

static void *allocate_or_leave(size_t size) {
    void *block = allocate(size);
    if (!block && without_memory) longjmp(*without_memory, 1);
    return block;
}

static void set_allocator(void) {
    json_free_t release;
    json_get_alloc_funcs(&allocate, &release);
    json_set_alloc_funcs(allocate_or_leave, release);
}

/* From the path, else from bytes, else from the descriptor. */
static json_t *load(const char *path, const void *bytes, size_t size, int descriptor, size_t flags,
                    json_error_t *why) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    json_t *volatile root = NULL;
    jmp_buf back;
    pthread_once(&once, set_allocator);
    const locale_t before = locale_enter_plain();
    if (setjmp(back) == 0) {
        without_memory = &back;
        root = path    ? json_load_file(path, flags, why)
               : bytes ? json_loadb(bytes, size, flags, why)
                       : json_loadfd(descriptor, flags, why);
    } else if (why) {
        snprintf(why->text, sizeof why->text, "out of memory");
        why->text[sizeof why->text - 1] = json_error_out_of_memory; /* where json_error_code looks */
    }
    without_memory = NULL;
    locale_leave(before);
    return root;
}

json_t *json_read(const void *bytes, size_t size, size_t flags, json_error_t *why) {
    return load(NULL, bytes, size, -1, flags, why);
}

json_t *json_read_file(const char *path, json_error_t *why) {
    return load(path, NULL, 0, -1, 0, why);
}

json_t *json_read_descriptor(int descriptor, json_error_t *why) {
    return load(NULL, NULL, 0, descriptor, 0, why);
}

int json_fault(const json_error_t *why) {
    const enum json_error_code code = json_error_code(why);
    return code == json_error_out_of_memory      ? CAELUM_ERESOURCE
           : code == json_error_cannot_open_file ? CAELUM_EIO
                                                 : CAELUM_EFORMAT;
}

/* json_dumps leaves a key out where memory for it is gone, and says nothing (jansson 2.14); a buffer that is
 * there needs none. */
static char *dump(const json_t *tree, size_t flags) {
    const size_t size = json_dumpb(tree, NULL, 0, flags);
    char *text = size > 0 ? malloc(size + 1) : NULL;
    if (!text) return NULL;
    text[size] = '\0';
    if (json_dumpb(tree, text, size, flags) == size) return text;
    free(text);
    return NULL;
}

int json_text(json_t **tree, size_t flags, const char *what, char **text, struct caelum_error *err) {
    const bool precise = flags & JSON_REAL_PRECISION(31);
    const locale_t before = locale_enter_plain();
    char *made = *tree ? dump(*tree, precise ? flags : flags | JSON_REAL_PRECISION(9)) : NULL;
    locale_leave(before);
    drop(tree);
    if (!made) return caelum_fail(err, CAELUM_ERESOURCE, "%s: out of memory for its JSON", what);
    *text = made;
    return CAELUM_OK;
}

int json_save(json_t **tree, const char *path, struct caelum_error *err) {
    char *text = NULL;
    CHECK(json_text(tree, JSON_INDENT(2), path, &text, err));
    const int result = file_write(path, text, strlen(text), err);
    free(text);
    return result;
}
