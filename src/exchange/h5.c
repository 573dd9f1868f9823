/* h5.c - see h5.h. Files are images in memory: reading touches nothing else, and what is written can go into
 * an archive or be renamed into place. Object times are left out, so that equal models are equal bytes. */
#include "exchange/h5.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

enum { MOST_TEXT = 1 << 26, MOST_NAME = 1024, MOST_NAMES = 65536, MOST_HEADER = 65000 };

static int fail(const struct h5 *h5, struct caelum_error *err, const char *object, const char *why) {
    return caelum_fail(err, CAELUM_EFORMAT, "%s: '%.200s' %s", h5->path, object, why);
}
static int failed_write(const struct h5 *h5, struct caelum_error *err, const char *object) {
    return caelum_fail(err, CAELUM_ERESOURCE, "%s: '%.200s' can't be written (out of memory?)", h5->path,
                       object);
}

/* --- Files ---------------------------------------------------------------------------------------- */

static int open_image(struct h5 *h5, const char *path, const uint8_t *bytes, size_t size,
                      struct caelum_error *err) {
    enum { GROW = 1 << 20 };
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    bool good = access >= 0 && H5Pset_fapl_core(access, GROW, 0) >= 0;
    if (good && bytes) good = H5Pset_file_image(access, (void *)(uintptr_t)bytes, size) >= 0;
    *h5 = (struct h5){.file = H5I_INVALID_HID, .path = path};
    if (good)
        h5->file = bytes ? H5Fopen("image", H5F_ACC_RDONLY, access)
                         : H5Fcreate("image", H5F_ACC_TRUNC, H5P_DEFAULT, access);
    H5Pclose(access);
    if (h5->file >= 0) return CAELUM_OK;
    return caelum_fail(err, bytes ? CAELUM_EFORMAT : CAELUM_ERESOURCE,
                       bytes ? "%s: not an HDF5 file, or damaged" : "%s: HDF5 refuses to begin a file", path);
}

int h5_open(struct h5 *h5, const char *path, const uint8_t *bytes, size_t size, struct caelum_error *err) {
    return open_image(h5, path, bytes, size, err);
}
int h5_create(struct h5 *h5, const char *path, struct caelum_error *err) {
    return open_image(h5, path, NULL, 0, err);
}

int h5_image(const struct h5 *h5, uint8_t **bytes, size_t *size, struct caelum_error *err) {
    uint8_t *to;
    const bool flushed = H5Fflush(h5->file, H5F_SCOPE_GLOBAL) >= 0;
    const ssize_t length = flushed ? H5Fget_file_image(h5->file, NULL, 0) : -1;
    if (length <= 0) return failed_write(h5, err, "/");
    CHECK(mem_alloc(&to, (size_t)length, 1, err));
    if (H5Fget_file_image(h5->file, to, (size_t)length) != length) {
        mem_free(&to);
        return failed_write(h5, err, "/");
    }
    *bytes = to;
    *size = (size_t)length;
    return CAELUM_OK;
}

void h5_close(struct h5 *h5) {
    if (h5->file >= 0) H5Fclose(h5->file);
    h5->file = H5I_INVALID_HID;
}

/* --- Writing -------------------------------------------------------------------------------------- */

/* Properties of a link whose groups on the way are made. */
static hid_t deep_link(void) {
    const hid_t link = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(link, 1);
    return link;
}

int h5_add_group(const struct h5 *h5, const char *object, struct caelum_error *err) {
    if (h5_has(h5, object)) return CAELUM_OK;
    const hid_t link = deep_link(), group = H5Gcreate2(h5->file, object, link, H5P_DEFAULT, H5P_DEFAULT);
    const bool good = group >= 0 && H5Gclose(group) >= 0;
    H5Pclose(link);
    return good ? CAELUM_OK : failed_write(h5, err, object);
}

int h5_add_floats(const struct h5 *h5, const char *object, size_t dims, const size_t *dim,
                  const float *values, struct caelum_error *err) {
    hsize_t size[4] = {0};
    for (size_t d = 0; d < dims; d++) size[d] = dim[d];
    const hid_t space = H5Screate_simple((int)dims, size, NULL), link = deep_link();
    const hid_t create = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_obj_track_times(create, 0);
    const hid_t set = H5Dcreate2(h5->file, object, H5T_IEEE_F32LE, space, link, create, H5P_DEFAULT);
    bool good = set >= 0 && H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0;
    good = (set < 0 || H5Dclose(set) >= 0) && good;
    H5Pclose(create);
    H5Pclose(link);
    H5Sclose(space);
    return good ? CAELUM_OK : failed_write(h5, err, object);
}

static int add_attribute(const struct h5 *h5, const char *object, const char *name, hid_t type, hid_t space,
                         const void *value, struct caelum_error *err) {
    const hid_t at =
        H5Acreate_by_name(h5->file, object, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    bool good = at >= 0 && (!value || H5Awrite(at, type, value) >= 0);
    good = (at < 0 || H5Aclose(at) >= 0) && good;
    H5Sclose(space);
    H5Tclose(type);
    return good ? CAELUM_OK : failed_write(h5, err, object);
}

static hid_t string_type(size_t size) {
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, size);
    return type;
}

/* Long texts as variable strings, which lie outside of the object's header and its 64 KiB; as h5py does. */
int h5_add_text(const struct h5 *h5, const char *object, const char *name, const char *text,
                struct caelum_error *err) {
    const hid_t type = string_type(H5T_VARIABLE);
    H5Tset_cset(type, H5T_CSET_UTF8);
    return add_attribute(h5, object, name, type, H5Screate(H5S_SCALAR), &text, err);
}

int h5_add_names(const struct h5 *h5, const char *object, const char *name, const char *names, size_t count,
                 struct caelum_error *err) {
    const hsize_t n = count;
    if (count == 0)
        return add_attribute(h5, object, name, H5Tcopy(H5T_IEEE_F64LE), H5Screate_simple(1, &n, NULL), NULL,
                             err);
    size_t longest = 1;
    const char *from = names;
    for (size_t i = 0; i < count; i++, from += strlen(from) + 1)
        longest = strlen(from) > longest ? strlen(from) : longest;
    char *table; /* one beside the other, filled up with zeros */
    CHECK(mem_alloc(&table, count, longest, err));
    from = names;
    for (size_t i = 0; i < count; i++, from += strlen(from) + 1)
        memcpy(table + i * longest, from, strlen(from));
    const hid_t type = string_type(longest);
    H5Tset_strpad(type, H5T_STR_NULLPAD);
    int result = count * longest > MOST_HEADER
                     ? caelum_fail(err, CAELUM_EFORMAT, "%s: too many layers for the names' list", h5->path)
                     : add_attribute(h5, object, name, type, H5Screate_simple(1, &n, NULL), table, err);
    mem_free(&table);
    return result;
}

/* --- Reading -------------------------------------------------------------------------------------- */

/* H5Lexists wants every part of the way to be there. */
bool h5_has(const struct h5 *h5, const char *object) {
    char way[MOST_NAME];
    if (strlen(object) >= sizeof way) return false;
    for (size_t i = 1; object[i - 1]; i++) {
        if (object[i] != '/' && object[i] != '\0') continue;
        memcpy(way, object, i);
        way[i] = '\0';
        if (strcmp(way, "/") != 0 && H5Lexists(h5->file, way, H5P_DEFAULT) <= 0) return false;
    }
    return H5Oexists_by_name(h5->file, object, H5P_DEFAULT) > 0;
}

/* Reads all values of a string attribute: *chars is the room of each, with a NUL behind; fixed or variable.
 */
static bool read_strings(hid_t at, char **strings, size_t *chars, size_t *count) {
    const hid_t type = H5Aget_type(at), space = H5Aget_space(at);
    const hssize_t n = H5Sget_simple_extent_npoints(space);
    const size_t size = H5Tget_size(type);
    bool good = H5Tget_class(type) == H5T_STRING && n >= 1 && n <= MOST_NAMES;
    struct caelum_error none;
    if (good && H5Tis_variable_str(type) > 0) {
        char **texts = NULL;
        const hid_t memory = H5Tcopy(type);
        good = mem_alloc(&texts, (size_t)n, sizeof *texts, &none) == 0 && H5Aread(at, memory, texts) >= 0;
        size_t longest = 0;
        for (hssize_t i = 0; good && i < n; i++)
            longest = texts[i] && strlen(texts[i]) > longest ? strlen(texts[i]) : longest;
        *chars = longest + 1;
        const bool read = good;
        good = good && longest < MOST_TEXT && *chars * (size_t)n <= MOST_TEXT &&
               mem_alloc(strings, (size_t)n, *chars, &none) == 0;
        for (hssize_t i = 0; good && i < n; i++)
            if (texts[i]) memcpy(*strings + (size_t)i * *chars, texts[i], strlen(texts[i]));
        if (read) H5Dvlen_reclaim(memory, space, H5P_DEFAULT, texts);
        mem_free(&texts);
        H5Tclose(memory);
    } else if (good) {
        char *raw = NULL;
        good = size > 0 && size <= MOST_TEXT / (size_t)n && mem_alloc(&raw, (size_t)n, size, &none) == 0 &&
               H5Aread(at, type, raw) >= 0;
        *chars = size + 1;
        good = good && mem_alloc(strings, (size_t)n, *chars, &none) == 0;
        for (hssize_t i = 0; good && i < n; i++)
            memcpy(*strings + (size_t)i * *chars, raw + (size_t)i * size, size);
        mem_free(&raw);
    }
    *count = (size_t)n;
    H5Sclose(space);
    H5Tclose(type);
    return good;
}

/* Of an object's attribute. */
static bool attribute_strings(const struct h5 *h5, const char *object, const char *name, char **strings,
                              size_t *chars, size_t *count) {
    if (H5Aexists_by_name(h5->file, object, name, H5P_DEFAULT) <= 0) return false;
    const hid_t at = H5Aopen_by_name(h5->file, object, name, H5P_DEFAULT, H5P_DEFAULT);
    if (at < 0) return false;
    const bool good = read_strings(at, strings, chars, count);
    H5Aclose(at);
    return good;
}

int h5_text(const struct h5 *h5, const char *object, const char *name, char **text,
            struct caelum_error *err) {
    char *strings = NULL;
    size_t chars, count;
    if (!attribute_strings(h5, object, name, &strings, &chars, &count) || count != 1) {
        mem_free(&strings);
        return caelum_fail(err, CAELUM_EFORMAT, "%s: attribute '%s' of '%s' is missing or no string",
                           h5->path, name, object);
    }
    *text = strings;
    return CAELUM_OK;
}

bool h5_name(const struct h5 *h5, const char *object, const char *name, size_t i, char *text, size_t size) {
    char *strings = NULL;
    size_t chars, count;
    const bool good = attribute_strings(h5, object, name, &strings, &chars, &count) && i < count;
    if (good) snprintf(text, size, "%s", strings + i * chars);
    mem_free(&strings);
    return good;
}

/* "(3, 3, 8, 16)" */
static void shape_text(int dims, const hsize_t *dim, char text[128]) {
    int used = snprintf(text, 128, "(");
    for (int d = 0; d < dims && used < 100; d++)
        used +=
            snprintf(text + used, (size_t)(128 - used), d ? ", %llu" : "%llu", (unsigned long long)dim[d]);
    snprintf(text + used, (size_t)(128 - used), ")");
}

static int check_shape(const struct h5 *h5, const char *object, hid_t set, size_t dims, const size_t *dim,
                       struct caelum_error *err) {
    hsize_t got[H5S_MAX_RANK] = {0}, expected[4] = {0};
    char got_text[128], expected_text[128];
    const hid_t space = H5Dget_space(set), type = H5Dget_type(set);
    const int rank = H5Sget_simple_extent_dims(space, got, NULL);
    const bool floats = H5Tget_class(type) == H5T_FLOAT && H5Tget_size(type) <= 8;
    H5Sclose(space);
    H5Tclose(type);
    bool same = rank == (int)dims;
    for (size_t d = 0; d < dims; d++) {
        expected[d] = dim[d];
        same = same && got[d] == dim[d];
    }
    if (!floats) return fail(h5, err, object, "is no array of 16, 32 or 64 bit floats");
    if (same) return CAELUM_OK;
    shape_text(rank, got, got_text);
    shape_text((int)dims, expected, expected_text);
    return caelum_fail(err, CAELUM_EFORMAT, "%s: '%.200s' has shape %s, expected %s", h5->path, object,
                       got_text, expected_text);
}

int h5_floats(const struct h5 *h5, const char *object, size_t dims, const size_t *dim, float *to,
              struct caelum_error *err) {
    if (!h5_has(h5, object)) return fail(h5, err, object, "is missing");
    const hid_t set = H5Dopen2(h5->file, object, H5P_DEFAULT);
    if (set < 0) return fail(h5, err, object, "is no array");
    int result = check_shape(h5, object, set, dims, dim, err);
    if (result == 0 && H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, to) < 0)
        result = fail(h5, err, object, "is damaged");
    H5Dclose(set);
    return result;
}
