/* kind.c - see kind.h. */
#include "net/kind.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct kind {
    size_t at;
    const char *bytes;
    size_t size;
    const char *name;
};

#define KIND(at, bytes, name) \
    { at, bytes, sizeof(bytes) - 1, name }
static const struct kind kinds[] = {
    KIND(0, "\x89PNG", "a PNG picture"),
    KIND(0, "\xff\xd8\xff", "a JPEG picture"),
    KIND(8, "WEBP", "a WebP picture"),
    KIND(0, "GIF8", "a GIF picture"),
    KIND(0, "BM", "a BMP picture"),
    KIND(0, "II*\0", "a TIFF picture"),
    KIND(0, "MM\0*", "a TIFF picture"),
    KIND(4, "ftyp", "a HEIC, AVIF or video file"),
    KIND(0, "%PDF", "a PDF document"),
    KIND(0, "PK\x03\x04",
         "a zip archive, as .keras and .npz files are; 'caelum import' makes a model of those"),
    KIND(0, "\x89HDF", "an HDF5 file, as Keras writes; 'caelum import' makes a model of it"),
    KIND(0, "\x93NUMPY", "a NumPy array"),
    KIND(0, "\x1f\x8b", "compressed by gzip"),
    KIND(0, "CLMC", "a file of codes by 'caelum encode'"),
    KIND(8, "{\"", "a model (safetensors); 'caelum train NET --init MODEL' starts from one"),
    KIND(0, "\x08", "an ONNX model, it seems; 'caelum import' makes a model of it"),
    KIND(0, "\xff\xfe", "text in UTF-16; save it as UTF-8"),
    KIND(0, "\xfe\xff", "text in UTF-16; save it as UTF-8"),
    KIND(0, "{", "JSON"),
    KIND(0, "<", "HTML or XML, perhaps the page that a download led to"),
    KIND(0,
         "\x7f"
         "ELF",
         "a program"),
};

const char *kind_of_file(const char *path) {
    unsigned char head[16] = {0};
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) return NULL; /* a pipe can't be read twice */
    FILE *f = fopen(path, "rb");
    if (!f) return NULL;
    const size_t size = fread(head, 1, sizeof head, f);
    fclose(f);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const struct kind *k = &kinds[i];
        if (k->at + k->size <= size && memcmp(head + k->at, k->bytes, k->size) == 0) return k->name;
    }
    return NULL;
}
