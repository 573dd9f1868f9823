/* cifar.c - the CIFAR-10 binary version (Krizhevsky 2009): six files of 10,000 records of 3073 bytes,
 * from a directory or straight out of the .tar.gz as it is downloaded. Nothing is believed unchecked. */
#include "base/mem.h"
#include "base/path.h"
#include "data/prepared.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static const char classes[] = "airplane\0automobile\0bird\0cat\0deer\0dog\0frog\0horse\0ship\0truck";

static const struct {
    const char *name, *sha256;
} batches[CIFAR_FILES] = {
    {"data_batch_1.bin", "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"},
    {"data_batch_2.bin", "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"},
    {"data_batch_3.bin", "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"},
    {"data_batch_4.bin", "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"},
    {"data_batch_5.bin", "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"},
    {"test_batch.bin", "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"},
};

/* The archive as published, 170,052,171 bytes. */
static const char archive_sha256[] = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd";

enum { PIXELS = CIFAR_RECORD - 1 };

/* The six files on their way into memory: all of them, for an archive may have them in another order. */
struct reading {
    const char *path;
    const struct caelum_data_settings *settings;
    uint8_t *pixels;  /* [CIFAR_COUNT][PIXELS] */
    uint16_t *labels; /* [CIFAR_COUNT] */
    size_t files;
    bool seen[CIFAR_FILES];
    struct archive *archive;
    uint8_t *bytes; /* of a file */
};

static int take_batch(struct reading *r, const char *where, size_t file, const uint8_t *bytes, size_t size,
                      struct caelum_error *err) {
    const struct caelum_data_settings *s = r->settings;
    const char *name = batches[file].name;
    if (size != CIFAR_BYTES)
        return caelum_fail(err, CAELUM_EFORMAT,
                           "%s: %s: %d bytes expected (10000 records of 3073), got %zu: it ends in record "
                           "%zu; get the file again",
                           where, name, CIFAR_BYTES, size, size / CIFAR_RECORD + 1);
    for (size_t i = 0; i < CIFAR_RECORDS; i++, bytes += CIFAR_RECORD) {
        const size_t at = file * CIFAR_RECORDS + i;
        if (*bytes >= CIFAR_CLASSES)
            return caelum_fail(err, CAELUM_EFORMAT,
                               "%s: %s: record %zu has label %u, expected 0 to 9; get the file again", where,
                               name, i + 1, *bytes);
        r->labels[at] = *bytes;
        memcpy(r->pixels + at * PIXELS, bytes + 1, PIXELS);
    }
    if (s->progress && s->progress(s->cookie, "preparing", ++r->files, CIFAR_FILES) != 0)
        return caelum_fail(err, CAELUM_ESTOPPED, "stopped while the data was prepared");
    return CAELUM_OK;
}

/* `path` itself or the folder inside it that the archive unpacks to. */
static int find_directory(const char *path, char directory[PATH_SIZE], struct caelum_error *err) {
    CHECK(file_join(directory, PATH_SIZE, path, "cifar-10-batches-bin", err));
    struct stat st;
    if (data_has_file(path, batches[0].name) || stat(directory, &st) != 0 || !S_ISDIR(st.st_mode))
        snprintf(directory, PATH_SIZE, "%s", path);
    return CAELUM_OK;
}

bool cifar_is_meant(const char *path) {
    char directory[PATH_SIZE];
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) return true;
    bool any = find_directory(path, directory, NULL) == 0 && strcmp(path, directory) != 0;
    for (size_t i = 0; i < CIFAR_FILES; i++) any |= data_has_file(path, batches[i].name);
    return any;
}

static void add_identity(struct sha256_ctx *sha, const char *path) {
    struct stat st;
    struct source_identity identity = {0};
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) identity = source_identity(&st);
    sha256_update(sha, sizeof identity, (const uint8_t *)&identity);
}

/* The identities of the files of `path` change with their content. */
static int cifar_key(const char *path, char key[65], struct caelum_error *err) {
    char directory[PATH_SIZE], file[PATH_SIZE];
    struct sha256_ctx sha;
    sha256_init(&sha);
    add_identity(&sha, path);
    CHECK(find_directory(path, directory, err));
    for (size_t i = 0; i < CIFAR_FILES; i++) {
        CHECK(file_join(file, sizeof file, directory, batches[i].name, err));
        add_identity(&sha, file);
    }
    prepared_key(&sha, key);
    return CAELUM_OK;
}

static int read_directory(struct reading *r, struct caelum_error *err) {
    char directory[PATH_SIZE], file[PATH_SIZE];
    CHECK(find_directory(r->path, directory, err));
    for (size_t i = 0; i < CIFAR_FILES; i++)
        if (!data_has_file(directory, batches[i].name))
            return caelum_fail(
                err, CAELUM_EIO,
                "%s: %s is missing; expected the six batches of the CIFAR-10 binary version there", directory,
                batches[i].name);
    for (size_t i = 0; i < CIFAR_FILES; i++) {
        size_t size;
        CHECK(file_join(file, sizeof file, directory, batches[i].name, err));
        CHECK(file_read(file, (size_t)1 << 30, &r->bytes, &size, err));
        CHECK(take_batch(r, directory, i, r->bytes, size, err));
        mem_free(&r->bytes);
    }
    return CAELUM_OK;
}

/* Which batch an archive entry is, or CIFAR_FILES. */
static size_t which_batch(struct archive_entry *entry) {
    const char *name = archive_entry_pathname(entry);
    size_t i = 0;
    if (!name || archive_entry_filetype(entry) != AE_IFREG) return CIFAR_FILES;
    while (i < CIFAR_FILES && strcmp(path_name(name), batches[i].name) != 0) i++;
    return i;
}

static int read_entry(struct reading *r, size_t i, struct caelum_error *err) {
    size_t size = 0;
    la_ssize_t got;
    if (r->seen[i])
        return caelum_fail(err, CAELUM_EFORMAT, "%s: %s is in it twice", r->path, batches[i].name);
    r->seen[i] = true;
    /* one byte more than a batch has, so that a longer one is noticed */
    while ((got = archive_read_data(r->archive, r->bytes + size, CIFAR_BYTES + 1 - size)) > 0)
        size += (size_t)got;
    if (got < 0)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: %s: damaged or cut short after record %zu: %s", r->path,
                           batches[i].name, size / CIFAR_RECORD, archive_error_string(r->archive));
    return take_batch(r, r->path, i, r->bytes, size, err);
}

/* Small archives can unpack to anything: what is no batch is passed over up to here, and no further. */
enum { MOST_OTHERS = 1000 };

static int read_archive(struct reading *r, struct caelum_error *err) {
    struct archive_entry *entry;
    long long others = 0, bytes_of_others = 0;
    int status;
    CHECK(mem_alloc(&r->bytes, CIFAR_BYTES + 1, 1, err));
    r->archive = archive_read_new();
    if (!r->archive) return caelum_fail(err, CAELUM_ERESOURCE, "%s: out of memory", r->path);
    archive_read_support_filter_gzip(r->archive);
    archive_read_support_format_tar(r->archive);
    if (archive_read_open_filename(r->archive, r->path, 1 << 16) != ARCHIVE_OK)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: not a .tar.gz: %s", r->path,
                           archive_error_string(r->archive));
    while ((status = archive_read_next_header(r->archive, &entry)) == ARCHIVE_OK || status == ARCHIVE_WARN) {
        const size_t i = which_batch(entry);
        if (i < CIFAR_FILES) {
            CHECK(read_entry(r, i, err));
            continue;
        }
        bytes_of_others += archive_entry_size(entry);
        if (++others > MOST_OTHERS || bytes_of_others > CIFAR_BYTES)
            return caelum_fail(err, CAELUM_EFORMAT,
                               "%s: too much that is no batch is in it; is it the CIFAR-10 binary version?",
                               r->path);
    }
    if (status != ARCHIVE_EOF)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: not a .tar.gz, or damaged: %s", r->path,
                           archive_error_string(r->archive));
    for (size_t i = 0; i < CIFAR_FILES; i++)
        if (!r->seen[i])
            return caelum_fail(err, CAELUM_EFORMAT, "%s: %s is not in it; is it the CIFAR-10 binary version?",
                               r->path, batches[i].name);
    return CAELUM_OK;
}

static int read_files(struct reading *r, struct caelum_error *err) {
    struct stat st;
    if (stat(r->path, &st) != 0)
        return caelum_fail(err, CAELUM_EIO,
                           "%s: %s; expected a directory with the CIFAR-10 batches, its .tar.gz, a directory "
                           "of pictures, or synthetic[:COUNT[:SIZE]]",
                           r->path, strerror(errno));
    if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
        return caelum_fail(err, CAELUM_EIO, "%s: neither a directory nor a regular file", r->path);
    CHECK(mem_alloc(&r->pixels, CIFAR_COUNT, PIXELS, err));
    CHECK(mem_alloc(&r->labels, CIFAR_COUNT, sizeof *r->labels, err));
    return S_ISDIR(st.st_mode) ? read_directory(r, err) : read_archive(r, err);
}

static int make(void *cookie, struct prepared_writer *to, struct caelum_error *err) {
    struct reading r = *(const struct reading *)cookie;
    const int result = read_files(&r, err);
    if (result == 0) {
        struct prepared_header *h = &to->header;
        h->count = CIFAR_COUNT, h->c = 3, h->h = 32, h->w = 32;
        h->classes = CIFAR_CLASSES, h->names_size = sizeof classes;
        snprintf(h->name, sizeof h->name, "cifar-10");
        prepared_pixels(to, r.pixels, (size_t)CIFAR_COUNT * PIXELS);
        prepared_tables(to, NULL, r.labels, classes, NULL);
    }
    archive_read_free(r.archive);
    mem_free(&r.bytes);
    mem_free(&r.pixels);
    mem_free(&r.labels);
    return result;
}

int cifar_open(struct caelum_data *data, const char *path, const struct caelum_data_settings *settings,
               struct caelum_error *err) {
    struct reading r = {.path = path, .settings = settings};
    struct prepared what = {.make = make, .cookie = &r};
    CHECK(cifar_key(path, what.key, err));
    return prepared_open(data, &what, settings, err);
}

/* --- Checksums ------------------------------------------------------------------------------------ */

static int add_checksum(const char *path, const char *name, const char *known, struct caelum_data_info *info,
                        struct caelum_error *err) {
    struct file_map map;
    CHECK(file_map_open(&map, path, err));
    struct sha256_ctx sha;
    sha256_init(&sha);
    sha256_update(&sha, map.size, map.bytes);
    struct caelum_data_file *file = &info->file[info->files++];
    file->bytes = map.size;
    file_map_close(&map);
    snprintf(file->name, sizeof file->name, "%.63s", name);
    prepared_key(&sha, file->sha256);
    file->known = strcmp(file->sha256, known) == 0;
    return CAELUM_OK;
}

int cifar_checksums(const char *path, struct caelum_data_info *info, struct caelum_error *err) {
    struct stat st;
    if (stat(path, &st) != 0) return caelum_fail(err, CAELUM_EIO, "%s: %s", path, strerror(errno));
    if (!S_ISDIR(st.st_mode)) return add_checksum(path, path_name(path), archive_sha256, info, err);
    char directory[PATH_SIZE], file[PATH_SIZE];
    CHECK(find_directory(path, directory, err));
    for (size_t i = 0; i < CIFAR_FILES; i++) {
        CHECK(file_join(file, sizeof file, directory, batches[i].name, err));
        CHECK(add_checksum(file, batches[i].name, batches[i].sha256, info, err));
    }
    return CAELUM_OK;
}
