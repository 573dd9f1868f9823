/* fuzz_models.c - models of caelum and of others, and files that need one to be read. */
#include "fuzz.h"

#include "base/mem.h"
#include "code/codec.h"

#include <string.h>
#include <zlib.h>

static const char code_text[] = "input 3\nspace_to_depth 4\nconv 4 k=1\nquantize 0.05\nconv 48 k=1\n"
                                "depth_to_space 4\n";
static const char net_text[] =
    "input 3\nconv 4 relu\nmaxpool\nconv 4 relu\nlatent\nupsample\nconv 3 sigmoid\n";

/* One picture through the whole network, where that is short. */
static void run(const caelum_model *model) {
    struct caelum_net_info info;
    struct caelum_layer_info last;
    float *in = NULL, *out = NULL;
    caelum_net_describe(caelum_model_net(model), &info);
    if (info.layers == 0 || info.macs > 1 << 20) return;
    caelum_net_layer(caelum_model_net(model), info.layers - 1, &last);
    if (mem_alloc(&in, info.channels * info.height * info.width, sizeof *in, NULL) == 0 &&
        mem_alloc(&out, last.channels * last.height * last.width, sizeof *out, NULL) == 0)
        (void)caelum_model_run(model, info.layers, in, 1, out, NULL);
    mem_free(&in);
    mem_free(&out);
}

static void use(int code, caelum_model *model, const struct caelum_error *err) {
    fuzz_result(code, model != NULL, err);
    if (model) run(model);
    caelum_model_close(&model);
}

void read_model(const char *path, const uint8_t *bytes, size_t size) {
    struct caelum_error err = {0};
    caelum_model *model = NULL;
    const int code = caelum_model_decode(&model, bytes, size, path, &err);
    use(code, model, &err);
}

void read_anomaly(const char *path, const uint8_t *bytes, size_t size) {
    struct caelum_error err = {0};
    struct caelum_anomaly_info info;
    caelum_anomaly *anomaly = NULL;
    (void)bytes, (void)size;
    const int code = caelum_anomaly_load(&anomaly, path, &err);
    fuzz_result(code, anomaly != NULL, &err);
    if (code == 0) caelum_anomaly_describe(anomaly, &info);
    caelum_anomaly_close(&anomaly);
}

void read_import(const char *path, const uint8_t *bytes, size_t size) {
    struct caelum_import_settings settings = caelum_import_defaults();
    struct caelum_error err = {0};
    caelum_model *model = NULL;
    (void)bytes, (void)size;
    fuzz_file("weights.net", net_text, strlen(net_text));
    if (!strstr(path, ".onnx")) settings.net_path = "weights.net";
    const int code = caelum_model_import(&model, path, &settings, &err);
    use(code, model, &err);
}

/* The codec of a small model, which is the same each time. */
static caelum_codec *open_codec(void) {
    static caelum_model *model;
    static caelum_codec *codec;
    caelum_net *net = NULL;
    if (codec) return codec;
    fuzz_expect(caelum_net_parse(&net, code_text, "net", 16, 16, NULL) == 0, "a network");
    fuzz_expect(caelum_model_create(&model, net, 1, NULL) == 0, "a model");
    fuzz_expect(caelum_codec_open(&codec, model, 1, NULL) == 0, "a codec");
    caelum_net_close(&net);
    return codec;
}

static void put_u32(uint8_t *to, uint32_t n) {
    for (int i = 0; i < 4; i++) to[i] = (uint8_t)(n >> 8 * i);
}

/* The bytes with that model's fingerprint and a checksum that is right. */
void read_codes(const char *path, const uint8_t *bytes, size_t size) {
    enum { MOST = 20000 };
    static uint8_t own[MOST];
    caelum_codec *codec = open_codec();
    struct caelum_error err = {0};
    caelum_code_reader *reader = NULL;
    if (size < 13 || size > MOST) return;
    memcpy(own, bytes, size);
    put_u32(own + 5, codec->fingerprint);
    put_u32(own + size - 4, (uint32_t)crc32_z(0, own, size - 4));
    fuzz_file(path, own, size);
    const int code = caelum_code_reader_open(&reader, path, codec, &err);
    fuzz_result(code, reader != NULL, &err);
    for (size_t i = 0; code == 0 && i < caelum_code_reader_count(reader); i++) {
        const struct caelum_code_entry *entry = caelum_code_reader_entry(reader, i);
        struct caelum_picture picture = {0};
        if (entry->width * entry->height > 1 << 16) continue;
        fuzz_expect(caelum_codec_decode(codec, entry, &picture, &err) == 0, "a picture of any bytes");
        caelum_picture_free(&picture);
    }
    caelum_code_reader_close(&reader);
}

static int stop(void *cookie, const struct caelum_train_progress *progress) {
    (void)cookie, (void)progress;
    return 1;
}

/* A run on pictures that are those of the corpus's checkpoints, stopped after its first step. */
void read_checkpoint(const char *path, const uint8_t *bytes, size_t size) {
    struct caelum_train_settings settings = caelum_train_defaults();
    struct caelum_error err = {0};
    struct caelum_train_result result = {0};
    (void)path, (void)bytes, (void)size;
    settings.out = ".";
    settings.resume = true;
    settings.data = "synthetic:20:8";
    settings.threads = 1;
    settings.progress = stop;
    const int code = caelum_train(&settings, &result, &err);
    fuzz_result(code, code == 0, &err);
}
