/* code_file.c - many pictures' codes in one file. All numbers are little-endian; a varint holds seven bits a
 * byte, the lowest first, the eighth bit of all but the last set.
 *
 *   "CLMC"                       4 bytes
 *   version, 1                   1 byte
 *   fingerprint of the model     4 bytes
 *   pictures                     varint
 *   for each: width, height, bytes of the name, bytes of the code: varints; name; code
 *   CRC-32 of all that (ISO 3309, as in PNG)   4 bytes */
#include "base/file.h"
#include "base/mem.h"
#include "code/codec.h"
#include "image/image.h"

#include <string.h>
#include <zlib.h>

static const uint8_t magic[5] = {'C', 'L', 'M', 'C', 1};

/* Bytes of the largest file that is read. */
static const size_t most_bytes = (size_t)1 << 32;

/* --- Writing -------------------------------------------------------------------------------------- */

struct caelum_code_writer {
    struct file_writer file;
    const caelum_codec *codec;
    size_t most, count; /* pictures */
    uint32_t crc;       /* of what follows the number of pictures */
    size_t size;
};

/* Failed writes show when the file is committed. */
static void put(caelum_code_writer *w, const void *bytes, size_t size) {
    if (size == 0) return;
    w->crc = (uint32_t)crc32_z(w->crc, bytes, size);
    w->size += size;
    fwrite(bytes, 1, size, w->file.stream);
}

static void put_u32(uint8_t to[4], uint32_t n) {
    for (int i = 0; i < 4; i++) to[i] = (uint8_t)(n >> 8 * i);
}

static void put_varint(caelum_code_writer *w, size_t n) {
    for (; n >= 0x80; n >>= 7) put(w, &(uint8_t){(uint8_t)(n | 0x80)}, 1);
    put(w, &(uint8_t){(uint8_t)n}, 1);
}

/* What comes before the first picture; returns its size. The number of pictures takes the bytes that the
 * largest possible one does, so that it can be set when all are there. */
enum { HEADER_MOST = sizeof magic + 4 + 10 };
static size_t make_header(const caelum_code_writer *w, uint8_t header[HEADER_MOST]) {
    size_t at = sizeof magic + 4;
    memcpy(header, magic, sizeof magic);
    put_u32(header + sizeof magic, w->codec->fingerprint);
    for (size_t n = w->count, most = w->most;; n >>= 7, most >>= 7) {
        header[at++] = (uint8_t)((n & 0x7f) | (most >= 0x80 ? 0x80 : 0));
        if (most < 0x80) return at;
    }
}

int caelum_code_writer_open(caelum_code_writer **out, const char *path, const caelum_codec *codec,
                            size_t most, struct caelum_error *err) {
    caelum_code_writer *w = NULL;
    uint8_t header[HEADER_MOST];
    CHECK(mem_alloc(&w, 1, sizeof *w, err));
    const int result = file_begin(&w->file, path, err);
    if (result != 0) {
        mem_free(&w);
        return result;
    }
    w->codec = codec;
    w->most = w->count = most; /* as if all had come, which is usual */
    fwrite(header, 1, make_header(w, header), w->file.stream);
    w->count = 0;
    *out = w;
    return CAELUM_OK;
}

/* A name that makes one file in the directory it is decoded to. */
static bool is_name(const char *name, size_t size) {
    const bool dots = size <= 2 && memcmp(name, "..", size) == 0;
    return size >= 1 && size <= 255 && !dots && !memchr(name, '/', size) && !memchr(name, '\0', size);
}

int caelum_code_writer_add(caelum_code_writer *w, const struct caelum_code_entry *code,
                           struct caelum_error *err) {
    const size_t length = strnlen(code->name, sizeof code->name);
    if (!is_name(code->name, length))
        return caelum_fail(err, CAELUM_EUSAGE, "'%.256s': expected a name of 1 to 255 bytes without '/'",
                           code->name);
    if (w->count == w->most)
        return caelum_fail(err, CAELUM_EUSAGE, "more pictures than the file was opened for, %zu", w->most);
    w->count++;
    put_varint(w, code->width);
    put_varint(w, code->height);
    put_varint(w, length);
    put_varint(w, code->size);
    put(w, code->name, length);
    put(w, code->bytes, code->size);
    return CAELUM_OK;
}

int caelum_code_writer_commit(caelum_code_writer *w, struct caelum_error *err) {
    uint8_t header[HEADER_MOST], crc[4];
    const size_t size = make_header(w, header);
    FILE *stream = w->file.stream;
    put_u32(crc, (uint32_t)crc32_combine(crc32_z(0, header, size), w->crc, (z_off_t)w->size));
    fwrite(crc, 1, sizeof crc, stream);
    if (w->count < w->most) {
        if (fseek(stream, 0, SEEK_SET) != 0)
            return caelum_fail(err, CAELUM_EIO, "%s: %zu of %zu pictures: can't be noted in what is no file",
                               w->file.path, w->count, w->most);
        fwrite(header, 1, size, stream);
    }
    return file_commit(&w->file, err);
}

void caelum_code_writer_close(caelum_code_writer **writer) {
    if (!*writer) return;
    file_abandon(&(*writer)->file);
    mem_free(writer);
}

/* --- Reading -------------------------------------------------------------------------------------- */

struct caelum_code_reader {
    uint8_t *bytes;
    size_t size, at; /* of what is before the checksum */
    size_t count;
    struct caelum_code_entry *entry;
};

static uint32_t u32_at(const uint8_t *bytes) {
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* False at the end of the file, or if the number fits no size_t. */
static bool get_varint(caelum_code_reader *r, size_t *n) {
    *n = 0;
    for (unsigned shift = 0; r->at < r->size && shift < 63; shift += 7) {
        const uint8_t byte = r->bytes[r->at++];
        *n |= (size_t)(byte & 0x7f) << shift;
        if (byte < 0x80) return true;
    }
    return false;
}

static bool read_entry(caelum_code_reader *r, struct caelum_code_entry *e) {
    size_t name;
    if (!get_varint(r, &e->width) || !get_varint(r, &e->height) || !get_varint(r, &name) ||
        !get_varint(r, &e->size))
        return false;
    if (name > r->size - r->at || !is_name((const char *)r->bytes + r->at, name)) return false;
    memcpy(e->name, r->bytes + r->at, name);
    r->at += name;
    if (e->size > r->size - r->at) return false;
    e->bytes = r->bytes + r->at;
    r->at += e->size;
    return true;
}

/* Whether the bytes can hold a picture's numbers, so that a damaged file can't demand any amount of memory. A
 * number takes 3.5e-4 bits at least, for its part of the range leaves 2 of 65536 to each of 8 others at least
 * (code/prior.c), so a byte holds less than 23,000. The zeros that are left out at the end are a few bytes.
 */
static bool is_possible(const caelum_codec *codec, const struct caelum_code_entry *e) {
    enum { NUMBERS_A_BYTE = 23000, LEFT_OUT = 16 };
    const size_t places = codec_rows(codec, e->height) * codec_rows(codec, e->width);
    return places * codec->channels / NUMBERS_A_BYTE <= e->size + LEFT_OUT;
}

static int read_entries(caelum_code_reader *r, const char *path, const caelum_codec *codec,
                        struct caelum_error *err) {
    const size_t header = sizeof magic + 4;
    if (r->size < header + 4 || memcmp(r->bytes, magic, 4) != 0)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: not a file of codes as 'caelum encode' writes them",
                           path);
    if (r->bytes[4] != magic[4])
        return caelum_fail(err, CAELUM_EFORMAT, "%s: version %u of the format; this program reads version %u",
                           path, r->bytes[4], magic[4]);
    r->size -= 4;
    if ((uint32_t)crc32_z(0, r->bytes, r->size) != u32_at(r->bytes + r->size))
        return caelum_fail(err, CAELUM_EFORMAT, "%s: damaged: its checksum is not that of its content", path);
    if (u32_at(r->bytes + sizeof magic) != codec->fingerprint)
        return caelum_fail(
            err, CAELUM_EFORMAT,
            "%s: written with another model (fingerprint %08x) than %s (%08x); a code can only be "
            "read with its own",
            path, u32_at(r->bytes + sizeof magic), codec->model->net->file, codec->fingerprint);
    r->at = header;
    bool good = get_varint(r, &r->count) && r->count <= r->size / 5; /* the least an entry takes */
    if (good) CHECK(mem_alloc(&r->entry, r->count, sizeof *r->entry, err));
    for (size_t i = 0; good && i < r->count; i++) {
        good = read_entry(r, &r->entry[i]);
        if (good) CHECK(image_check_size(path, r->entry[i].width, r->entry[i].height, err));
        if (good && !is_possible(codec, &r->entry[i]))
            return caelum_fail(err, CAELUM_EFORMAT, "%s: %zu bytes can't hold %s's %zux%zu pixels", path,
                               r->entry[i].size, r->entry[i].name, r->entry[i].width, r->entry[i].height);
    }
    if (!good || r->at != r->size)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: the checksum matches but the content is invalid", path);
    return CAELUM_OK;
}

int caelum_code_reader_open(caelum_code_reader **out, const char *path, const caelum_codec *codec,
                            struct caelum_error *err) {
    caelum_code_reader *r = NULL;
    CHECK(mem_alloc(&r, 1, sizeof *r, err));
    int result = file_read(path, most_bytes, &r->bytes, &r->size, err);
    if (result == 0) result = read_entries(r, path, codec, err);
    if (result != 0)
        caelum_code_reader_close(&r);
    else
        *out = r;
    return result;
}

void caelum_code_reader_close(caelum_code_reader **reader) {
    if (!*reader) return;
    mem_free(&(*reader)->bytes);
    mem_free(&(*reader)->entry);
    mem_free(reader);
}

size_t caelum_code_reader_count(const caelum_code_reader *reader) {
    return reader->count;
}

const struct caelum_code_entry *caelum_code_reader_entry(const caelum_code_reader *reader, size_t i) {
    return &reader->entry[i];
}
