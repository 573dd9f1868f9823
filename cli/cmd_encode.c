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
    caelum_code_writer *writer;
    caelum_code_reader *reader;
    struct inputs inputs;
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
    char path[PATH_SIZE];
    int code = c->model_path ? 0 : path_model(default_model, path, err);
    const char *model = c->model_path ? path_shipped(c->model_path, ".safetensors", path) : path;
    if (code == 0) code = caelum_model_load(&c->model, model, err);
    if (code == 0) code = caelum_codec_open(&c->codec, c->model, c->threads, err);
    return code;
}

static void close_coding(struct coding *c) {
    caelum_code_writer_close(&c->writer);
    caelum_code_reader_close(&c->reader);
    caelum_codec_close(&c->codec);
    caelum_model_close(&c->model);
    inputs_close(&c->inputs);
}

/* The name that picture i is decoded to, as NAME.png: one that fits, and no other's. */
static int choose_name(const struct coding *c, size_t i, char name[NAME_SIZE], struct caelum_error *err) {
    char other[NAME_SIZE], path[PATH_SIZE];
    const struct input *list = c->inputs.list;
    path_stem(list[i].path, name, NAME_SIZE);
    for (size_t k = 0; k < i; k++) {
        path_stem(list[k].path, other, sizeof other);
        if (!list[k].done || strcmp(name, other) != 0) continue;
        err->code = CAELUM_EUSAGE;
        snprintf(err->text, sizeof err->text,
                 "%.150s: it would be decoded to the name of %.150s, %.100s; encode it into another file",
                 list[i].path, list[k].path, name);
        return err->code;
    }
    return path_result("", name, ".png", path, sizeof path, err);
}

static int encode_picture(void *cookie, size_t i, struct caelum_error *err) {
    struct coding *c = cookie;
    struct input *input = &c->inputs.list[i];
    struct caelum_picture picture = {0};
    uint8_t *bytes = NULL;
    size_t size = 0;
    char name[NAME_SIZE];
    int code = choose_name(c, i, name, err);
    if (code == 0) code = input_load(input, &picture, err);
    if (code == 0) code = caelum_codec_encode(c->codec, &picture, &bytes, &size, err);
    if (code == 0)
        code = caelum_code_writer_add(c->writer, name, picture.width, picture.height, bytes, size, err);
    progress_clear();
    if (code == 0) input->done = true;
    if (code == 0 && !display.quiet)
        printf("%s  %zux%zu  %zu bytes  %.3f bits a pixel\n", input->path, picture.width, picture.height,
               size, 8 * (double)size / (double)(picture.width * picture.height));
    caelum_codec_free(&bytes);
    caelum_picture_free(&picture);
    return code;
}

/* The exit status. Nothing is written where no picture could be read. */
static int encode_all(struct coding *c) {
    struct caelum_error err;
    bool any = false;
    const int status = each("encoding", "encoded", c->inputs.count, encode_picture, c);
    for (size_t i = 0; i < c->inputs.count; i++) any |= c->inputs.list[i].done;
    return any && caelum_code_writer_commit(c->writer, &err) != 0 ? report(&err) : status;
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
    int code = inputs_open(&c.inputs, argv + 1, n, NULL, &err);
    if (code == 0) code = path_free(c.out, c.force, &err);
    if (code == 0) code = open_coding(&c, &err);
    if (code == 0 && price != -1) code = caelum_codec_set_price(c.codec, price, &err);
    if (code == 0) code = caelum_code_writer_open(&c.writer, c.out, c.codec, c.inputs.count, &err);
    const int status = code == 0 ? encode_all(&c) : report(&err);
    close_coding(&c);
    return status;
}

static int decode_entry(void *cookie, size_t i, struct caelum_error *err) {
    const struct coding *c = cookie;
    const struct caelum_code_entry *e = caelum_code_reader_entry(c->reader, i);
    struct caelum_picture picture = {0};
    char path[PATH_SIZE];
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
    int code = open_coding(&c, &err);
    if (code == 0) code = caelum_code_reader_open(&c.reader, argv[1], c.codec, &err);
    if (code == 0) code = path_directory(c.out, &err);
    const int status = code == 0
                           ? each("decoding", "decoded", caelum_code_reader_count(c.reader), decode_entry, &c)
                           : report(&err);
    close_coding(&c);
    return status;
}
