/* cmd_encode.c - caelum encode and caelum decode: pictures of any size to one file of codes, and back. */
#include "cli.h"

#include <stdio.h>
#include <string.h>

struct coding {
    const char *out, *model_path;
    int threads;
    bool force;
    caelum_model *model;
    caelum_codec *codec;
};

static const char default_model[] = "code.safetensors";

#define CODING_ROWS(c)                                                                           \
    {'m',           "model",                                                                     \
     OPTION_STRING, &(c)->model_path,                                                            \
     "FILE",        "model with a quantize layer; default: the one that comes with the program", \
     NULL},                                                                                      \
        {0, "force", OPTION_FLAG, &(c)->force, NULL, "write over what exists", NULL}, {          \
        't', "threads", OPTION_THREADS, &(c)->threads, "N",                                      \
            "threads, 1 to 4096; no influence on the result", NULL                               \
    }

static int open_coding(struct coding *c, struct caelum_error *err) {
    char path[1024];
    const char *model = c->model_path;
    int code = 0;
    if (!model) {
        code = path_model(default_model, path, sizeof path, err);
        model = path;
    }
    if (code == 0) code = caelum_model_load(&c->model, model, err);
    if (code == 0) code = caelum_codec_open(&c->codec, c->model, c->threads, err);
    return code;
}

static void close_coding(struct coding *c) {
    caelum_codec_close(&c->codec);
    caelum_model_close(&c->model);
}

static int encode_picture(const struct coding *c, caelum_code_writer *writer, const char *input,
                          struct caelum_error *err) {
    struct caelum_picture picture = {0};
    uint8_t *bytes = NULL;
    size_t size = 0;
    char stem[256];
    path_stem(input, stem, sizeof stem);
    int code = caelum_picture_load(&picture, input, err);
    if (code == 0) code = caelum_codec_encode(c->codec, &picture, &bytes, &size, err);
    if (code == 0)
        code = caelum_code_writer_add(writer, stem, picture.width, picture.height, bytes, size, err);
    progress_clear();
    if (code == 0 && !display.quiet)
        printf("%s  %zux%zu  %zu bytes  %.3f bits a pixel\n", input, picture.width, picture.height, size,
               8 * (double)size / (double)(picture.width * picture.height));
    caelum_codec_free(&bytes);
    caelum_picture_free(&picture);
    return code;
}

int command_encode(int argc, char **argv) {
    struct coding c = {0};
    double price = -1;
    const struct option_row rows[] = {
        {'o', "out", OPTION_STRING, &c.out, "FILE", "file of codes to write", NULL},
        CODING_ROWS(&c),
        {0, "price", OPTION_REAL, &price, "P",
         "of a bit, 0 to 1 squared steps of error: more means fewer bytes and larger errors; -1: the model's",
         NULL},
        DISPLAY_OPTIONS,
        {0, NULL, OPTION_FLAG, NULL, NULL, NULL, NULL}};
    const int n = options_read(command_find("encode"), rows, argc, argv);
    if (n < 0) return -n - 1;
    if (n < 1 || !c.out) return usage_error("encode", "expected pictures or folders, and -o FILE");
    struct caelum_error err;
    caelum_code_writer *writer = NULL;
    struct inputs inputs = {0};
    int code = inputs_open(&inputs, argv + 1, n, &err);
    if (code == 0) code = path_free(c.out, c.force, &err);
    if (code == 0) code = open_coding(&c, &err);
    if (code == 0 && price != -1) code = caelum_codec_set_price(c.codec, price, &err);
    if (code == 0) code = caelum_code_writer_open(&writer, c.out, c.codec, inputs.count, &err);
    for (size_t i = 0; code == 0 && i < inputs.count; i++) {
        if (inputs.count > 1) progress_stage(NULL, "encoding", i, inputs.count);
        code = encode_picture(&c, writer, inputs.path[i], &err);
    }
    progress_clear();
    if (code == 0) code = caelum_code_writer_commit(writer, &err);
    caelum_code_writer_close(&writer);
    close_coding(&c);
    inputs_close(&inputs);
    return code == 0 ? 0 : report(&err);
}

static int decode_entry(const struct coding *c, const struct caelum_code_entry *e, struct caelum_error *err) {
    struct caelum_picture picture = {0};
    char path[1024];
    int code = path_picture(c->out, e->name, c->force, path, sizeof path, err);
    if (code == 0)
        code = caelum_codec_decode(c->codec, e->bytes, e->size, e->width, e->height, &picture, err);
    if (code == 0) code = caelum_picture_save(&picture, path, err);
    progress_clear();
    if (code == 0 && !display.quiet) printf("%s  %zux%zu\n", path, e->width, e->height);
    caelum_picture_free(&picture);
    return code;
}

int command_decode(int argc, char **argv) {
    struct coding c = {0};
    const struct option_row rows[] = {{'o', "out", OPTION_STRING, &c.out, "DIR",
                                       "where the pictures go, as PNG; is made if it isn't there", NULL},
                                      CODING_ROWS(&c),
                                      DISPLAY_OPTIONS,
                                      {0, NULL, OPTION_FLAG, NULL, NULL, NULL, NULL}};
    const int n = options_read(command_find("decode"), rows, argc, argv);
    if (n < 0) return -n - 1;
    if (n != 1 || !c.out) return usage_error("decode", "expected FILE and -o DIR");
    struct caelum_error err;
    caelum_code_reader *reader = NULL;
    int code = open_coding(&c, &err);
    if (code == 0) code = caelum_code_reader_open(&reader, argv[1], c.codec, &err);
    if (code == 0) code = path_directory(c.out, &err);
    const size_t count = code == 0 ? caelum_code_reader_count(reader) : 0;
    for (size_t i = 0; code == 0 && i < count; i++) {
        if (count > 1) progress_stage(NULL, "decoding", i, count);
        code = decode_entry(&c, caelum_code_reader_entry(reader, i), &err);
    }
    progress_clear();
    caelum_code_reader_close(&reader);
    close_coding(&c);
    return code == 0 ? 0 : report(&err);
}
