/* checksums.c - SHA-256 of a data set's files, and whether they are those that were published. */
#include "base/mem.h"
#include "data/formats.h"
#include "data/sets.h"

#include <string.h>

/* CIFAR-10's files, which come in an archive. */
static const struct {
    const char *name, *sha256;
} published[] = {
    {"data_batch_1.bin", "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"},
    {"data_batch_2.bin", "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"},
    {"data_batch_3.bin", "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"},
    {"data_batch_4.bin", "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"},
    {"data_batch_5.bin", "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"},
    {"test_batch.bin", "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"},
};

/* As in struct caelum_data_file. Different sets have files of one name. */
static int is_known(const char *name, const char *sha256) {
    int known = -1;
    for (size_t i = 0; i < sizeof published / sizeof *published; i++)
        if (strcmp(name, published[i].name) == 0) known = strcmp(sha256, published[i].sha256) == 0;
    for (const struct data_set *set = data_sets; set->name; set++)
        for (const struct data_set_file *file = set->files; file->name && known != 1; file++)
            if (strcmp(name, file->name) == 0) known = strcmp(sha256, file->sha256) == 0;
    return known;
}

static int add(const struct tree *tree, const struct tree_file *file, struct caelum_data_info *info,
               struct caelum_error *err) {
    struct caelum_data_file *to = &info->file[info->files];
    char path[PATH_SIZE];
    struct file_map map;
    struct sha256_ctx sha;
    CHECK(file_map_open(&map, tree_name(tree, file, path), err));
    sha256_init(&sha);
    sha256_update(&sha, map.size, map.bytes);
    prepared_key(&sha, to->sha256);
    to->bytes = map.size;
    file_map_close(&map);
    snprintf(to->name, sizeof to->name, "%.63s", path_name(path));
    to->known = is_known(to->name, to->sha256);
    info->files++;
    return CAELUM_OK;
}

int checksums_of(const char *source, struct caelum_data_info *info, struct caelum_error *err) {
    enum { MOST = sizeof info->file / sizeof *info->file };
    struct tree tree = {0};
    int result = tree_find(&tree, source, err);
    for (size_t i = 0; result == 0 && i < tree.count && info->files < MOST; i++)
        if (!tree.file[i].picture) result = add(&tree, &tree.file[i], info, err);
    tree_close(&tree);
    return result;
}
