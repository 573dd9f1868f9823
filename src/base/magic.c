/* magic.c - see magic.h. */
#include "base/magic.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const struct {
    size_t at, size;
    const char *bytes, *name;
} kinds[] = {
    {0, 8, "\x89PNG\r\n\x1a\n", "a PNG picture"},
    {0, 3, "\xff\xd8\xff", "a JPEG picture"},
    {8, 4, "WEBP", "a WebP picture"},
    {0, 4, "GIF8", "a GIF picture"},
    {0, 4, "II*\0", "a TIFF picture"},
    {0, 4, "MM\0*", "a TIFF picture"},
    {4, 4, "ftyp", "a HEIC or AVIF picture, or a film"},
    {0, 5, "%PDF-", "a PDF document"},
    {0, 8, "\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras's: python3 -m caelum.keras converts it"},
    {0, 6, "\x93NUMPY", "one array of NumPy (.npy): expected several, as numpy.savez writes them"},
    {0, 4, "CLMC", "a file of codes: caelum decode reads it"},
    {4, 4, "TFL3", "a TensorFlow Lite model: expected it as ONNX"},
    {0, 4, "GGUF", "a GGUF model"},
    {0, 2, "\x1f\x8b", "compressed by gzip"},
    {0, 2, "\xff\xfe", "text in UTF-16: save it as UTF-8"},
    {0, 2, "\xfe\xff", "text in UTF-16: save it as UTF-8"},
    {0, 4, "\x7f\x45LF", "a program"},
    {0, 2, "\x80\x02", "a pickle of Python, as PyTorch's .pt: save the state_dict as .npz or .safetensors"},
    {0, 2, "\x80\x03", "a pickle of Python: save the weights as .npz or .safetensors"},
    {0, 2, "\x80\x04", "a pickle of Python: save the weights as .npz or .safetensors"},
    {0, 2, "\x80\x05", "a pickle of Python: save the weights as .npz or .safetensors"},
    {8, 1, "{", "a safetensors file, or a damaged one"},
};

static bool starts(const uint8_t *bytes, size_t size, size_t at, const char *with, size_t length) {
    return size >= length && at <= size - length && memcmp(bytes + at, with, length) == 0;
}

/* By the name of the first file in it: PyTorch begins with a directory's pickle. */
static const char *zip_name(const uint8_t *bytes, size_t size) {
    enum { NAME = 30 };
    char name[100] = "";
    size_t length = size > NAME ? bytes[26] | (size_t)bytes[27] << 8 : 0;
    if (length >= sizeof name) length = sizeof name - 1;
    if (length > 0 && length <= size - NAME) memcpy(name, bytes + NAME, length);
    if (strstr(name, "data.pkl") || strstr(name, ".format_version"))
        return "a file of PyTorch (.pt): save the state_dict as .npz or .safetensors";
    if (strstr(name, ".npy")) return "an archive of NumPy: import it under a name that ends in .npz";
    if (strcmp(name, "metadata.json") == 0 || strcmp(name, "config.json") == 0)
        return "a Keras model: python3 -m caelum.keras converts it";
    return "a zip archive";
}

/* IR version, then the producer's name or another field of a model, by their numbers. */
static bool is_onnx(const uint8_t *bytes, size_t size) {
    return size > 3 && bytes[0] == 0x08 && bytes[1] >= 1 && bytes[1] <= 32 &&
           (bytes[2] == 0x12 || bytes[2] == 0x1a || bytes[2] == 0x22 || bytes[2] == 0x3a || bytes[2] == 0x42);
}

static const char plain_text[] = "a text", unknown[] = "of a kind that is not known";
static const char network_text[] = "a network's text, which has no weights: caelum train makes a model of it";

static const char *text_name(const uint8_t *bytes, size_t size) {
    const size_t most = size < 1000 ? size : 1000;
    for (size_t i = 0; i < most; i++)
        if (bytes[i] == 127 || (bytes[i] < ' ' && !strchr("\t\n\r", bytes[i])) || bytes[i] == 0)
            return unknown;
    size_t at = starts(bytes, size, 0, "\xef\xbb\xbf", 3) ? 3 : 0;
    while (at < most && strchr(" \t\r\n", bytes[at])) at++;
    if (starts(bytes, size, at, "{", 1)) return "JSON";
    if (starts(bytes, size, at, "<", 1)) return "HTML or XML, perhaps the page that a download led to";
    return starts(bytes, size, at, "input ", 6) || starts(bytes, size, at, "#", 1) ? network_text
                                                                                   : plain_text;
}

const char *magic_name(const uint8_t *bytes, size_t size) {
    if (size == 0) return "an empty file";
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (starts(bytes, size, kinds[i].at, kinds[i].bytes, kinds[i].size)) return kinds[i].name;
    if (starts(bytes, size, 0, "PK\3\4", 4)) return zip_name(bytes, size);
    if (is_onnx(bytes, size)) return "an ONNX model: import it under a name that ends in .onnx";
    return text_name(bytes, size);
}

const char *magic_of_file(const char *path) {
    uint8_t head[1000];
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) return NULL; /* a pipe can't be read twice */
    FILE *f = fopen(path, "rb");
    if (!f) return NULL;
    const size_t size = fread(head, 1, sizeof head, f);
    fclose(f);
    const char *name = size > 0 ? magic_name(head, size) : NULL;
    return name == plain_text || name == network_text || name == unknown ? NULL : name;
}
