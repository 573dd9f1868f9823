/* resume.c - a checkpoint's metadata checked, and compared between ranks. */
#include "train/resume.h"

#include "base/mem.h"
#include "base/number.h"
#include "net/net.h"
#include "train/train_settings.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

const char resume_format[] = "caelum checkpoint 2";

static int missing(const char *path, const char *key, struct caelum_error *err) {
    return caelum_fail(err, CAELUM_EFORMAT,
                       "%s: '%s' is missing in it; this is no checkpoint that can be resumed", path, key);
}

static int read_number(const struct metadata *m, const char *path, const char *key, size_t most,
                       size_t *value, struct caelum_error *err) {
    uint64_t number;
    if (!number_whole(metadata_get(m, key), 1, most, &number)) return missing(path, key, err);
    *value = (size_t)number;
    return CAELUM_OK;
}

/* Takes the settings from OUT/checkpoint.safetensors, which anybody may have written. */
static int read_settings(struct caelum_train_settings *s, const struct metadata *m, const char *path,
                         struct caelum_error *err) {
    const size_t wanted = s->epochs;
    const char *elsewhere = s->data;
    CHECK(read_number(m, path, "epochs", RESUME_MOST_EPOCHS, &s->epochs, err));
    CHECK(train_settings_read(s, m, path, err));
    if (train_settings_check(s, err) != 0) {
        caelum_fail_in(err, CAELUM_EFORMAT, "%s: it is damaged", path);
        return err ? (err->code = CAELUM_EFORMAT) : CAELUM_EFORMAT;
    }
    s->data = elsewhere ? elsewhere : metadata_get(m, "data_spec");
    if (!s->data && !s->open_data)
        return caelum_fail(err, CAELUM_EUSAGE,
                           "%s: the run is on pictures that a program had in memory; it can be resumed by a "
                           "program that gives them as open_data",
                           path);
    if (wanted == 0) return CAELUM_OK;
    s->epochs = wanted;
    return train_settings_check(s, err);
}

int resume_open(struct file_lock *lock, const char *out, uint8_t **bytes, size_t *size,
                struct caelum_error *err) {
    char path[PATH_SIZE];
    CHECK(file_join(path, sizeof path, out, "checkpoint.safetensors", err));
    int result = access(path, F_OK) == 0 ? file_lock(lock, out, err)
                                         : caelum_fail(err, CAELUM_EIO, "%s: %s", path, strerror(errno));
    if (result == 0) result = file_read(path, SAFETENSORS_MOST, bytes, size, err);
    return result == 0 ? result : caelum_fail_in(err, result, "no run to resume");
}

int resume_read(struct caelum_train_settings *settings, const uint8_t *bytes, size_t bytes_size,
                const char *path, struct safetensors *checkpoint, struct caelum_net **net,
                struct caelum_error *err) {
    enum { MOST_SIDE = 1 << 20 };
    size_t height = 0, width = 0;
    const int result = safetensors_decode(checkpoint, bytes, bytes_size, path, err);
    if (result != 0) return caelum_fail_in(err, result, "no run to resume");
    const struct metadata *m = &checkpoint->metadata;
    const char *format = metadata_get(m, "format"), *text = metadata_get(m, "network");
    if (!format || strcmp(format, resume_format) != 0)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: expected a '%s', got '%.40s'; start the run anew", path,
                           resume_format, format ? format : "");
    if (!text) return missing(path, "network", err);
    CHECK(read_number(m, path, "height", MOST_SIDE, &height, err));
    CHECK(read_number(m, path, "width", MOST_SIDE, &width, err));
    CHECK(read_settings(settings, m, path, err));
    return caelum_net_parse(net, text, path, height, width, err);
}

/* --- Ranks ---------------------------------------------------------------------------------------- */

/* What may differ: where things are, and how the run was called. */
static bool is_local(const char *key) {
    static const char *const keys[] = {"data_spec", "begun_by", "command"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(key, keys[i]) == 0) return true;
    return false;
}

/* The kernels' name, then keys and values by turns, each with its end, as one block. */
static int write_entries(const struct metadata *m, const char *kernels, char **block, size_t *size,
                         struct caelum_error *err) {
    *size = strlen(kernels) + 1;
    for (size_t i = 0; i < m->count; i++) *size += strlen(m->entry[i].key) + strlen(m->entry[i].value) + 2;
    CHECK(mem_alloc(block, *size, 1, err));
    char *at = stpcpy(*block, kernels) + 1;
    for (size_t i = 0; i < m->count; i++) {
        at = stpcpy(at, m->entry[i].key) + 1;
        at = stpcpy(at, m->entry[i].value) + 1;
    }
    return CAELUM_OK;
}

/* The first of rank 0's entries that differ here. */
static int compare(const struct metadata *m, const char *kernels, const char *block, size_t size,
                   struct caelum_error *err) {
    if (strcmp(kernels, block) != 0)
        return caelum_fail(err, CAELUM_EUSAGE,
                           "its kernels are for %s, those of rank 0 for %s; CAELUM_CPU=%s on all hosts makes "
                           "them equal",
                           kernels, block, strcmp(block, "generic") == 0 ? block : "avx2");
    for (const char *at = block + strlen(block) + 1; at < block + size;) {
        const char *key = at, *theirs = key + strlen(key) + 1, *mine = metadata_get(m, key);
        at = theirs + strlen(theirs) + 1;
        if (is_local(key) || (mine && strcmp(mine, theirs) == 0)) continue;
        return caelum_fail(err, CAELUM_EUSAGE,
                           "its '%.30s' is '%.100s', that of rank 0 '%.100s'; all ranks need the same data, "
                           "network, options and version of caelum",
                           key, mine ? mine : "not there", theirs);
    }
    return CAELUM_OK;
}

int resume_compare(const struct caelum_dist *dist, const struct metadata *m, const char *kernels,
                   struct caelum_error *err) {
    char *block = NULL;
    size_t size = 0;
    if (!dist) return CAELUM_OK;
    int result = dist->rank == 0 ? write_entries(m, kernels, &block, &size, err) : CAELUM_OK;
    result = dist_agree(dist, result, err);
    if (result == 0) result = dist_spread(dist, &block, &size, err);
    if (result == 0) result = dist_agree(dist, compare(m, kernels, block, size, err), err);
    mem_free(&block);
    return result;
}
