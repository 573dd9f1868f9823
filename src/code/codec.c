/* codec.c - the halves as networks of their own, and the windows that go over a picture. */
#include "code/codec.h"

#include "base/mem.h"
#include "base/number.h"
#include "image/image.h"
#include "layers/quantize.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* --- Halves --------------------------------------------------------------------------------------- */

/* The index of the one quantize layer that all goes through. */
static int find_quantize(const caelum_model *model, size_t *found, struct caelum_error *err) {
    const struct caelum_net *net = model->net;
    size_t count = 0;
    for (size_t i = 0; i < net->layers; i++)
        if (net->layer[i].ops == &layer_quantize) *found = i, count++;
    if (count != 1)
        return caelum_fail(err, CAELUM_EFORMAT,
                           "%s: to encode pictures a network needs one quantize layer, this one has %zu",
                           net->file, count);
    if (*found == 0)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: nothing stands before the quantize layer", net->file);
    struct caelum_layer_info info;
    caelum_net_layer(net, *found, &info);
    if (info.cut != shape_values(net->layer[*found].out))
        return caelum_fail(err, CAELUM_EFORMAT,
                           "%s:%zu: a saved tensor goes past the code: it can't be decoded", net->file,
                           net->layer[*found].line);
    return CAELUM_OK;
}

static uint32_t fingerprint(const struct caelum_net *net, const float *params) {
    uLong crc = crc32_z(0, (const Bytef *)net->text, strlen(net->text));
    for (size_t i = 0; i < net->params; i++) {
        uint32_t bits;
        memcpy(&bits, &params[i], sizeof bits);
        const Bytef bytes[4] = {(Bytef)bits, (Bytef)(bits >> 8), (Bytef)(bits >> 16), (Bytef)(bits >> 24)};
        crc = crc32_z(crc, bytes, 4);
    }
    return (uint32_t)crc;
}

static int open_halves(struct caelum_codec *c, size_t quantize, struct caelum_error *err) {
    const struct caelum_net *net = c->model->net;
    const struct net_layer *layer = &net->layer[quantize];
    const struct shape out = net->layer[net->layers - 1].out;
    c->channels = layer->out.c;
    c->block = net->input.h / layer->out.h;
    c->step = (float)((const struct quantize *)layer->state)->step;
    c->decoder_params = quantize + 1 < net->layers ? net->layer[quantize + 1].params : net->params;
    c->fingerprint = fingerprint(net, c->model->params);
    if (net->input.c != 3 || out.c != 3 || out.h != net->input.h || out.w != net->input.w)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: the model does not reconstruct pictures", net->file);
    if (layer->out.h * c->block != net->input.h || layer->out.w * c->block != net->input.w ||
        CODEC_MARGIN % c->block != 0)
        return caelum_fail(
            err, CAELUM_EFORMAT,
            "%s: the code of a %zux%zu picture is %zux%zu; expected one place for each block of "
            "1, 2, 4, 8 or 16 pixels a side",
            net->file, net->input.h, net->input.w, layer->out.h, layer->out.w);
    CHECK(net_slice(&c->analysis, net, 0, quantize, err));
    CHECK(net_slice(&c->synthesis, net, quantize + 1, net->layers, err));
    return prior_open(&c->prior, c->channels, c->model->params + layer->params, err);
}

int caelum_codec_set_price(caelum_codec *codec, double price, struct caelum_error *err) {
    if (!(price >= 0 && price <= CODEC_MOST_PRICE))
        return caelum_fail(err, CAELUM_EUSAGE, "a bit's price is %g, expected 0 to %g", price,
                           CODEC_MOST_PRICE);
    codec->price = price;
    return CAELUM_OK;
}

double caelum_codec_price(const caelum_codec *codec) {
    return codec->price;
}

/* The price that the model was given; 0 if none. */
static int model_price(struct caelum_codec *c, struct caelum_error *err) {
    const char *text = caelum_model_metadata(c->model, "price");
    double price;
    if (!text) return CAELUM_OK;
    if (!number_real(text, &price) || caelum_codec_set_price(c, price, NULL) != 0)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: its metadata's \"price\" is '%s', expected 0 to %g",
                           c->model->net->file, text, CODEC_MOST_PRICE);
    return CAELUM_OK;
}

int caelum_codec_open(caelum_codec **out, const caelum_model *model, int threads, struct caelum_error *err) {
    caelum_codec *c = NULL;
    size_t quantize = 0;
    CHECK(find_quantize(model, &quantize, err));
    CHECK(mem_alloc(&c, 1, sizeof *c, err));
    c->model = model;
    c->threads = threads;
    int result = open_halves(c, quantize, err);
    if (result == 0) result = model_price(c, err);
    if (result != 0)
        caelum_codec_close(&c);
    else
        *out = c;
    return result;
}

static void close_window(struct caelum_codec *c) {
    engine_close(&c->encode);
    engine_close(&c->decode);
    c->encode = c->decode = (struct engine){0};
    caelum_net_close(&c->encoder);
    caelum_net_close(&c->decoder);
    c->height = c->width = 0;
}

void caelum_codec_close(caelum_codec **codec) {
    if (!*codec) return;
    close_window(*codec);
    prior_close(&(*codec)->prior);
    caelum_net_close(&(*codec)->analysis);
    caelum_net_close(&(*codec)->synthesis);
    mem_free(codec);
}

/* A half of the network at another size, at work with the model's parameters from `params` on. */
static int open_half(const struct caelum_codec *c, const caelum_net *half, size_t height, size_t width,
                     size_t params, caelum_net **net, struct engine *engine, struct caelum_error *err) {
    const struct caelum_net *whole = c->model->net;
    const struct engine_settings settings = {.threads = c->threads};
    struct caelum_error why = {0};
    const int result = net_at(net, half, height, width, &why);
    if (result == CAELUM_EFORMAT || (result == 0 && (*net)->params != half->params))
        return caelum_fail(err, CAELUM_EFORMAT, "%s: the network is made for pictures of %zux%zu only",
                           whole->file, whole->input.w, whole->input.h);
    if (result != 0) return caelum_fail(err, result, "%s", why.text);
    CHECK(engine_open(engine, *net, &settings, err));
    engine_pack(engine, c->model->params + params);
    return CAELUM_OK;
}

/* Makes the halves for windows of this size, unless they are there. Until both are, the size stays 0. */
static int open_window(struct caelum_codec *c, size_t height, size_t width, struct caelum_error *err) {
    const size_t rows = height / c->block, columns = width / c->block;
    if (c->height == height && c->width == width) return CAELUM_OK;
    close_window(c);
    CHECK(open_half(c, c->analysis, height, width, 0, &c->encoder, &c->encode, err));
    CHECK(open_half(c, c->synthesis, rows, columns, c->decoder_params, &c->decoder, &c->decode, err));
    const struct shape code = net_output(c->encoder), back = net_output(c->decoder);
    if (code.h != rows || code.w != columns || back.h != height || back.w != width)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: its code has other sizes for pictures of %zux%zu",
                           c->model->net->file, width, height);
    c->height = height, c->width = width;
    return CAELUM_OK;
}

/* --- Windows -------------------------------------------------------------------------------------- */

/* Windows along one side of a picture, in pixels. */
struct axis {
    size_t pixels, padded; /* of the picture, and up to whole blocks */
    size_t window, count;
};

static struct axis axis_of(const struct caelum_codec *c, size_t pixels) {
    struct axis a = {.pixels = pixels, .padded = codec_rows(c, pixels) * c->block};
    a.window = a.padded < CODEC_WINDOW ? a.padded : CODEC_WINDOW;
    a.count = a.padded <= CODEC_WINDOW ? 1 : (a.padded + CODEC_CORE - 1) / CODEC_CORE;
    return a;
}

/* Where window i begins, and the part [first, end) that counts. */
struct span {
    size_t begin, first, end;
};

static struct span span_of(const struct axis *a, size_t i) {
    if (a->count == 1) return (struct span){0, 0, a->padded};
    const size_t first = i * CODEC_CORE,
                 end = first + CODEC_CORE < a->padded ? first + CODEC_CORE : a->padded;
    const size_t wanted = first > CODEC_MARGIN ? first - CODEC_MARGIN : 0, last = a->padded - a->window;
    return (struct span){wanted < last ? wanted : last, first, end};
}

/* Windows at a time. */
enum { ROUND = 64 };

struct job {
    struct caelum_codec *codec;
    const struct caelum_picture *in;
    struct caelum_picture *out;
    const int16_t *code;
    float *measured; /* [rows][columns][channels], in steps */
    struct axis y, x;
    size_t first;   /* window of this round */
    uint8_t *bytes; /* [ROUND][3][window][window] */
    float *values;  /* [ROUND][channels][window / block][window / block] */
};

static void spans(const struct job *job, size_t i, struct span *y, struct span *x) {
    *y = span_of(&job->y, (job->first + i) / job->x.count);
    *x = span_of(&job->x, (job->first + i) % job->x.count);
}

static size_t held(size_t at, size_t count) {
    return at < count ? at : count - 1;
}

static const uint8_t *cut_pixels(void *cookie, size_t i, int worker) {
    const struct job *job = cookie;
    const struct caelum_picture *in = job->in;
    uint8_t *bytes = job->bytes + i * 3 * job->y.window * job->x.window, *to = bytes;
    struct span y, x;
    (void)worker;
    spans(job, i, &y, &x);
    for (size_t c = 0; c < 3; c++)
        for (size_t r = 0; r < job->y.window; r++) {
            const uint8_t *row = in->pixels + held(y.begin + r, in->height) * in->width * 3 + c;
            for (size_t k = 0; k < job->x.window; k++) *to++ = row[held(x.begin + k, in->width) * 3];
        }
    return bytes;
}

static void keep_values(void *cookie, size_t i, const float *values, int worker) {
    const struct job *job = cookie;
    const struct caelum_codec *codec = job->codec;
    const size_t b = codec->block, columns = job->x.padded / b, width = job->x.window / b;
    const size_t plane = width * (job->y.window / b);
    struct span y, x;
    (void)worker;
    spans(job, i, &y, &x);
    for (size_t r = y.first / b; r < y.end / b; r++)
        for (size_t k = x.first / b; k < x.end / b; k++)
            for (size_t c = 0; c < codec->channels; c++)
                job->measured[(r * columns + k) * codec->channels + c] =
                    values[c * plane + (r - y.begin / b) * width + k - x.begin / b] / codec->step;
}

static void cut_numbers(const struct job *job, size_t i) {
    const struct caelum_codec *codec = job->codec;
    const size_t b = codec->block, columns = job->x.padded / b, width = job->x.window / b;
    const size_t height = job->y.window / b;
    float *to = job->values + i * codec->channels * height * width;
    struct span y, x;
    spans(job, i, &y, &x);
    for (size_t c = 0; c < codec->channels; c++)
        for (size_t r = y.begin / b; r < y.begin / b + height; r++)
            for (size_t k = x.begin / b; k < x.begin / b + width; k++)
                *to++ = (float)job->code[(r * columns + k) * codec->channels + c] * codec->step;
}

static void keep_pixels(void *cookie, size_t i, const float *values, int worker) {
    const struct job *job = cookie;
    struct caelum_picture *out = job->out;
    const size_t plane = job->y.window * job->x.window;
    struct span y, x;
    (void)worker;
    spans(job, i, &y, &x);
    for (size_t r = y.first; r < y.end && r < out->height; r++)
        for (size_t k = x.first; k < x.end && k < out->width; k++)
            for (size_t c = 0; c < 3; c++) {
                const float v = values[c * plane + (r - y.begin) * job->x.window + k - x.begin];
                out->pixels[(r * out->width + k) * 3 + c] =
                    v > 0 ? (v < 1 ? (uint8_t)(v * 255 + 0.5f) : 255) : 0;
            }
}

/* All windows of a picture through one half. */
static int run_windows(struct job *job, bool encode, size_t height, size_t width, struct caelum_error *err) {
    struct caelum_codec *codec = job->codec;
    job->y = axis_of(codec, height), job->x = axis_of(codec, width);
    const size_t total = job->y.count * job->x.count, most = total < ROUND ? total : ROUND;
    const size_t area = job->y.window * job->x.window, places = area / (codec->block * codec->block);
    CHECK(open_window(codec, job->y.window, job->x.window, err));
    int result = encode ? mem_alloc(&job->bytes, most, 3 * area, err)
                        : mem_alloc(&job->values, most, codec->channels * places * sizeof(float), err);
    for (; result == 0 && job->first < total; job->first += ROUND) {
        const struct engine_job round = {.n = total - job->first < ROUND ? total - job->first : ROUND,
                                         .in = job->values,
                                         .input = cut_pixels,
                                         .output = encode ? keep_values : keep_pixels,
                                         .cookie = job};
        for (size_t i = 0; !encode && i < round.n; i++) cut_numbers(job, i);
        result = engine_run(encode ? &codec->encode : &codec->decode, &round, err);
    }
    mem_free(&job->bytes);
    mem_free(&job->values);
    return result;
}

int codec_analyse(struct caelum_codec *codec, const struct caelum_picture *picture, int16_t *numbers,
                  struct caelum_error *err) {
    const size_t h = codec_rows(codec, picture->height), w = codec_rows(codec, picture->width);
    struct job job = {.codec = codec, .in = picture};
    CHECK(mem_alloc(&job.measured, h * w, codec->channels * sizeof *job.measured, err));
    const int result = run_windows(&job, true, picture->height, picture->width, err);
    if (result == 0) prior_choose(&codec->prior, job.measured, codec->price, numbers, h, w);
    mem_free(&job.measured);
    return result;
}

int codec_synthesize(struct caelum_codec *codec, const int16_t *numbers, struct caelum_picture *picture,
                     struct caelum_error *err) {
    struct job job = {.codec = codec, .out = picture, .code = numbers};
    return run_windows(&job, false, picture->height, picture->width, err);
}

/* --- Bytes ---------------------------------------------------------------------------------------- */

int caelum_codec_encode(caelum_codec *codec, const struct caelum_picture *picture, uint8_t **bytes,
                        size_t *size, struct caelum_error *err) {
    const size_t h = codec_rows(codec, picture->height), w = codec_rows(codec, picture->width);
    int16_t *numbers = NULL;
    struct range_encoder encoder = {0};
    CHECK(image_check_size("the picture", picture->width, picture->height, err));
    CHECK(mem_alloc(&numbers, h * w, codec->channels * sizeof *numbers, err));
    int result = codec_analyse(codec, picture, numbers, err);
    if (result == 0) {
        range_encoder_open(&encoder);
        prior_encode(&codec->prior, &encoder, numbers, h, w);
        result = range_encoder_finish(&encoder, err);
    }
    if (result == 0) {
        *bytes = encoder.bytes, *size = encoder.size;
        encoder.bytes = NULL;
    }
    range_encoder_close(&encoder);
    mem_free(&numbers);
    return result;
}

void caelum_codec_free(uint8_t **bytes) {
    mem_free(bytes);
}

int caelum_codec_decode(caelum_codec *codec, const struct caelum_code_entry *code,
                        struct caelum_picture *picture, struct caelum_error *err) {
    const size_t h = codec_rows(codec, code->height), w = codec_rows(codec, code->width);
    struct caelum_picture made = {0};
    struct range_decoder decoder;
    int16_t *numbers = NULL;
    CHECK(image_allocate(&made, "the picture", code->width, code->height, err));
    int result = mem_alloc(&numbers, h * w, codec->channels * sizeof *numbers, err);
    if (result == 0) {
        range_decoder_open(&decoder, code->bytes, code->size);
        prior_decode(&codec->prior, &decoder, numbers, h, w);
        result = codec_synthesize(codec, numbers, &made, err);
    }
    mem_free(&numbers);
    if (result == 0)
        *picture = made;
    else
        caelum_picture_free(&made);
    return result;
}
