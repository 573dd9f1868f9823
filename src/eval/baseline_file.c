/* baseline_file.c - one file for each data set, split and kind of figures, named by a hash of the key. */
#include "eval/baseline_file.h"

#include <nettle/sha2.h>
#include <string.h>

int baseline_file(const struct caelum_data *data, enum caelum_split split, const char *kind,
                  char path[PATH_SIZE], char key[256], struct caelum_error *err) {
    char name[96];
    struct sha256_ctx sha;
    uint8_t digest[SHA256_DIGEST_SIZE];
    snprintf(key, 256, "data=%s split_seed=%llu train=%zu split=%d of %zu", data->fingerprint,
             (unsigned long long)data->split_seed, caelum_data_count(data, CAELUM_TRAIN), (int)split,
             caelum_data_count(data, split));
    sha256_init(&sha);
    sha256_update(&sha, strlen(key), (const uint8_t *)key);
    sha256_digest(&sha, sizeof digest, digest);
    snprintf(name, sizeof name, "%.64s-%02x%02x%02x%02x%02x%02x.json", kind, digest[0], digest[1], digest[2],
             digest[3], digest[4], digest[5]);
    *path = '\0';
    if (!*data->cache_dir || file_make_directory(data->cache_dir, NULL) != 0) return CAELUM_OK;
    return file_join(path, PATH_SIZE, data->cache_dir, name, err);
}
