/* json.h - JSON trees that are complete or absent. json_put and json_add take away the tree when one
 * of their calls fails, and do nothing to a tree that is gone; so building needs no checks in between, and
 * the one at the end, json_text, sees every failure.
 *
 * JSON is Unicode and file names are bytes. json_bytes writes a byte that is not part of UTF-8 as \xHH (four
 * characters, hexadecimal), and so does it with a backslash that stands before x and two hexadecimal digits;
 * all else stays as it is. json_bytes_back undoes it, so every name comes back as it was. */
#ifndef CAELUM_BASE_JSON_H
#define CAELUM_BASE_JSON_H

#include "base/error.h"

#include <jansson.h>

/* Sets key of the object *tree to value, which it owns from then on; NULL is a failure. */
void json_put(json_t **tree, const char *key, json_t *value);

/* An object as a literal, JSON({"epochs", json_size(n)}, {"loss", json_number(loss)}), which owns its values;
 * NULL if one of them is. */
struct json_member {
    const char *key; /* NULL at the end */
    json_t *value;
};
json_t *json_object_of(const struct json_member *members);
#define JSON(...) json_object_of((const struct json_member[]){__VA_ARGS__, {NULL, NULL}})

/* Appends value, which it owns from then on, to the array *tree; NULL is a failure. */
void json_add(json_t **tree, json_t *value);

/* A number, or null if it is infinite or NaN, which JSON can't express. */
json_t *json_number(double value);

/* A size, or null where it is beyond JSON's 63 bits. */
json_t *json_size(size_t value);

/* A string of any bytes, as above; NULL if out of memory. */
json_t *json_bytes(const char *bytes);

/* The bytes that such a string encodes, in place. */
void json_bytes_back(char *text);

/* Reads JSON as jansson does, in every locale; NULL, and *why, where it is none. why may be NULL. */
json_t *json_read(const void *bytes, size_t size, size_t flags, json_error_t *why);
json_t *json_read_file(const char *path, json_error_t *why);
json_t *json_read_descriptor(int descriptor, json_error_t *why);

/* The error code for what these say of a tree that they could not read. */
int json_fault(const json_error_t *why);

/* The tree as text, freed with free; *tree is taken. CAELUM_ERESOURCE, naming `what`, where the tree or the
 * memory for the text is gone. flags: jansson's. Reals have nine digits unless flags say
 * otherwise, in every locale. */
int json_text(json_t **tree, size_t flags, const char *what, char **text, struct caelum_error *err);

/* The tree as a file; *tree is taken. As json_text and file_write. */
int json_save(json_t **tree, const char *path, struct caelum_error *err);

#endif
