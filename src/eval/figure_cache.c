/* figure_cache.c - {"key": what the figures are of, "figures": {name: figures}}, in a file that a hash of the
 * key names. */
#include "eval/figure_cache.h"

#include "base/kept.h"
#include "metrics/figures.h"

#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { VERSION = 2 };

/* The file in the data's cache directory, which is made; "" where it can't be. */
static int find_file(struct figure_cache *c, const struct caelum_data *data, const char *kind,
                     struct caelum_error *err) {
    char name[96];
    struct sha256_ctx sha;
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_init(&sha);
    sha256_update(&sha, strlen(c->key), (const uint8_t *)c->key);
    sha256_digest(&sha, sizeof digest, digest);
    snprintf(name, sizeof name, "%.64s-%02x%02x%02x%02x%02x%02x.json", kind, digest[0], digest[1], digest[2],
             digest[3], digest[4], digest[5]);
    *c->path = '\0';
    if (!*data->cache_dir || file_make_directory(data->cache_dir, NULL) != 0) return CAELUM_OK;
    return file_join(c->path, sizeof c->path, data->cache_dir, name, err);
}

int figure_cache_open(struct figure_cache *c, const struct caelum_data *data, enum caelum_split split,
                      const char *kind, enum caelum_task task, struct caelum_error *err) {
    *c = (struct figure_cache){.task = task};
    snprintf(c->key, sizeof c->key, "v%d data=%s split_seed=%llu train=%zu split=%d of %zu", VERSION,
             data->fingerprint, (unsigned long long)data->settings.split_seed,
             caelum_data_count(data, CAELUM_TRAIN), (int)split, caelum_data_count(data, split));
    CHECK(find_file(c, data, kind, err));
    const char *why;
    const int fd = kept_open(c->path, &why);
    json_t *root = fd < 0 ? NULL : json_read_descriptor(fd, NULL);
    if (fd >= 0) close(fd);
    const char *found = json_string_value(json_object_get(root, "key"));
    if (found && strcmp(found, c->key) == 0) c->figures = json_incref(json_object_get(root, "figures"));
    json_decref(root);
    return CAELUM_OK;
}

bool figure_cache_find(const struct figure_cache *c, const char *name, void *metrics) {
    return figures_take(c->task, json_object_get(c->figures, name), metrics);
}

static void keep(const struct figure_cache *c) {
    struct file_writer writer = {0};
    json_t *root = json_object();
    char *text = NULL;
    json_put(&root, "key", json_string(c->key));
    json_put(&root, "figures", json_incref(c->figures));
    if (json_text(&root, JSON_INDENT(1) | JSON_REAL_PRECISION(17), c->path, &text, NULL) != 0) return;
    if (*c->path && kept_begin(&writer, c->path, NULL) == 0) {
        fputs(text, writer.stream);
        (void)file_commit(&writer, NULL);
    }
    free(text);
}

void figure_cache_add(struct figure_cache *c, const char *name, const void *metrics) {
    if (!json_is_object(c->figures)) {
        json_decref(c->figures);
        c->figures = json_object();
    }
    json_put(&c->figures, name, figures_object(c->task, metrics));
    if (c->figures) keep(c);
}

void figure_cache_close(struct figure_cache *c) {
    json_decref(c->figures);
    c->figures = NULL;
}
