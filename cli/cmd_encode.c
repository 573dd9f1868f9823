/* cmd_encode.c - caelum encode and caelum decode: pictures of any size to one file of codes, and back. */
#include "cli.h"

#include <stdio.h>
#include <string.h>

struct coding {
    const char *out, *model_path;
    double price; /* to encode; -1: the model's */
    int threads;
    bool force;
    caelum_model *model;
    caelum_codec *codec;
    caelum_code_writer *writer;
    caelum_code_reader *reader;
    struct inputs inputs;
    uint8_t *bytes; /* the last picture's code */
};

static const struct caelum_option coding_rows[] = {
    OPTION(STRING, struct coding, 'm', "model", model_path, "FILE",
           "model with a quantize layer; default: the one that comes with the program"),
    OPTION(FLAG, struct coding, 0, "force", force, NULL, "overwrite existing files"),
    OPTION(THREADS, struct coding, 't', "threads", threads, "N", THREADS_HELP), END_OF_OPTIONS};

static int open_coding(struct coding *c, struct caelum_error *err) {
    CHECK(model_open(&c->model, c->model_path, "code.safetensors", err));
    return caelum_codec_open(&c->codec, c->model, c->threads, err);
}

/* The name that picture i is decoded to, as NAME.png: one that fits, and no other's. */
static int choose_name(const struct coding *c, size_t i, char name[NAME_SIZE], struct caelum_error *err) {
    char other[NAME_SIZE], path[PATH_SIZE];
    const struct input *list = c->inputs.list;
    path_stem(list[i].path, name, NAME_SIZE);
    for (size_t k = 0; k < i; k++) {
        path_stem(list[k].path, other, sizeof other);
        if (!list[k].done || strcmp(name, other) != 0) continue;
        return caelum_fail(
            err, CAELUM_EUSAGE,
            "%.150s: it would be decoded to the name of %.150s, %.100s; encode it into another file",
            list[i].path, list[k].path, name);
    }
    return path_result("", name, ".png", path, sizeof path, err);
}

static int encode_picture(void *cookie, size_t i, struct caelum_picture *picture, struct caelum_error *err) {
    struct coding *c = cookie;
    struct input *input = &c->inputs.list[i];
    struct caelum_code_entry entry;
    CHECK(choose_name(c, i, entry.name, err));
    CHECK(input_load(input, picture, err));
    caelum_codec_free(&c->bytes);
    CHECK(caelum_codec_encode(c->codec, picture, &c->bytes, &entry.size, err));
    entry.width = picture->width, entry.height = picture->height, entry.bytes = c->bytes;
    CHECK(caelum_code_writer_add(c->writer, &entry, err));
    input->done = true;
    progress_clear();
    if (!display.quiet)
        printf("%s  %zux%zu  %zu bytes  %.3f bits a pixel\n", input->path, entry.width, entry.height,
               entry.size, 8 * (double)entry.size / (double)(entry.width * entry.height));
    return 0;
}

static const struct caelum_option encode_rows[] = {
    OPTION(STRING, struct coding, 'o', "out", out, "FILE", "file of codes to write"),
    OPTION(REAL, struct coding, 0, "price", price, "P",
           "price of a bit in squared steps of error, 0 to 1: more means fewer bytes and larger errors; -1: "
           "the model's"),
    END_OF_OPTIONS};

static void encode_defaults(void *values) {
    struct coding *c = values;
    c->price = -1;
}

static int run_encode(void *values, int n, char **words, struct caelum_error *err) {
    struct coding *c = values;
    if (n < 1 || !c->out) return usage_error("encode", "expected pictures or folders, and -o FILE");
    CHECK(inputs_open(&c->inputs, words, n, NULL, err));
    CHECK(path_free(c->out, c->force, err));
    CHECK(open_coding(c, err));
    if (c->price != -1) CHECK(caelum_codec_set_price(c->codec, c->price, err));
    CHECK(caelum_code_writer_open(&c->writer, c->out, c->codec, c->inputs.count, err));
    const int status = each("encoding", "encoded", c->inputs.count, encode_picture, c);
    bool any = false; /* nothing is written where no picture could be read */
    for (size_t i = 0; i < c->inputs.count; i++) any |= c->inputs.list[i].done;
    if (any) CHECK(caelum_code_writer_commit(c->writer, err));
    return status;
}

/* A file that is not whole is taken away. */
static void close_encode(void *values) {
    struct coding *c = values;
    caelum_code_writer_close(&c->writer);
}

COMMAND(encode, "PICTURE...", "write pictures of any size into one small file of codes",
        "caelum encode photo.jpg -o photo.clmc", .rows = encode_rows, .shared = coding_rows, .display = true,
        .size = sizeof(struct coding), .defaults = encode_defaults, .run = run_encode, .close = close_encode);

static int decode_entry(void *cookie, size_t i, struct caelum_picture *picture, struct caelum_error *err) {
    const struct coding *c = cookie;
    const struct caelum_code_entry *e = caelum_code_reader_entry(c->reader, i);
    char path[PATH_SIZE];
    CHECK(path_picture(c->out, e->name, c->force, path, sizeof path, err));
    CHECK(caelum_codec_decode(c->codec, e, picture, err));
    CHECK(caelum_picture_save(picture, path, err));
    progress_clear();
    if (!display.quiet) printf("%s  %zux%zu\n", path, e->width, e->height);
    return 0;
}

static const struct caelum_option decode_rows[] = {
    OPTION(STRING, struct coding, 'o', "out", out, "DIR",
           "directory for the pictures, as PNG; made if missing"),
    END_OF_OPTIONS};

static int run_decode(void *values, int n, char **words, struct caelum_error *err) {
    struct coding *c = values;
    if (n != 1 || !c->out) return usage_error("decode", "expected FILE and -o DIR");
    CHECK(open_coding(c, err));
    CHECK(caelum_code_reader_open(&c->reader, words[0], c->codec, err));
    CHECK(file_make_directory(c->out, err));
    return each("decoding", "decoded", caelum_code_reader_count(c->reader), decode_entry, c);
}

COMMAND(decode, "FILE", "extract the pictures from a file of codes", "caelum decode photo.clmc -o out",
        .rows = decode_rows, .shared = coding_rows, .display = true, .size = sizeof(struct coding),
        .run = run_decode);
