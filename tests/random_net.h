/* random_net.h - random valid networks, a pure function of a seed, out of every layer and option.
 *
 * random_net has makers, which append a line or two that fit the shape so far, or nothing where they have no
 * business; a line that is refused although it is valid fails the test. random_any_net knows no layer by
 * name: it draws from layers_all() and fills in attributes at random. An expression draws one number at most:
 * C leaves it to the compiler which argument comes first. */
#ifndef CAELUM_TESTS_RANDOM_NET_H
#define CAELUM_TESTS_RANDOM_NET_H

#include "testing.h"

#include "net/net.h"

#include <math.h>

enum { RANDOM_SAVES = 4, RANDOM_SIDE = 24, RANDOM_CHANNELS = 24, RANDOM_VALUES = 4000 };

struct random_net {
    uint64_t seed;
    size_t h, w; /* of the input */
    char text[2000];
    /* while it is made */
    struct rng rng;
    struct caelum_net *net;
    struct shape now;
    size_t saves;
    struct shape saved[RANDOM_SAVES];
    bool latent;
};

/* least ... most */
static inline size_t random_from(struct random_net *n, size_t least, size_t most) {
    return least + rng_below(&n->rng, (uint32_t)(most - least + 1));
}
static inline bool random_chance(struct random_net *n, uint32_t percent) {
    return rng_below(&n->rng, 100) < percent;
}
static inline size_t random_less(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Appends a line to network and text and finds out the shape that it leads to; false if it is refused. */
static inline bool random_try(struct random_net *n, const char *line, struct caelum_error *err) {
    if (net_append(n->net, err, "%s", line) != 0) return false;
    if (n->net->layers > 0) n->now = net_output(n->net);
    strcat(strcat(n->text, line), "\n");
    return true;
}
static inline void random_line(struct random_net *n, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static inline void random_line(struct random_net *n, const char *format, ...) {
    char line[LAYER_LINE];
    struct caelum_error err;
    va_list list;
    va_start(list, format);
    vsnprintf(line, sizeof line, format, list);
    va_end(list);
    if (!random_try(n, line, &err))
        fail_msg("seed %llu, %zux%zu: %s\n%s", (unsigned long long)n->seed, n->w, n->h, err.text, n->text);
}

static inline const char *random_act(struct random_net *n) {
    static const char *const names[] = {
        "",
        " relu",
#define ACTIVATION(name, truth, keeps, forward, backward, onnx) " " #name,
#include "kernels/activations.def"
#undef ACTIVATION
    };
    return names[rng_below(&n->rng, sizeof names / sizeof *names)];
}

/* --- Makers --------------------------------------------------------------------------------------- */

/* Sizes that keep the tensor small. */
static inline size_t random_channels(struct random_net *n, size_t h, size_t w) {
    const size_t fit = RANDOM_VALUES / (h * w);
    return random_from(n, 1, fit < 1 ? 1 : random_less(fit, 9));
}

static inline void random_conv_line(struct random_net *n, size_t channels, const char *options) {
    random_line(n, "conv %zu%s%s", channels, options, random_act(n));
}

static inline void random_conv(struct random_net *n) {
    const size_t side = random_less(n->now.h, n->now.w),
                 stride = random_chance(n, 60) ? 1 : random_from(n, 2, 3);
    const bool valid = random_chance(n, 25);
    const size_t k = random_chance(n, 50) ? 3 : random_from(n, 1, 7);
    char options[40] = "";
    if (k != 3 || random_chance(n, 10)) snprintf(options, sizeof options, " k=%zu", k);
    if (valid && k > side) return;
    if (stride > 1) snprintf(options + strlen(options), 20, " stride=%zu", stride);
    if (valid) strcat(options, " pad=valid");
    random_conv_line(n, random_channels(n, n->now.h, n->now.w), options);
}

static inline void random_deconv(struct random_net *n) {
    const size_t stride = random_chance(n, 30) ? 1 : random_from(n, 2, 3), k = random_from(n, 1, 7);
    const bool valid = random_chance(n, 30);
    const size_t more = valid && k > stride ? k - stride : 0;
    const size_t h = n->now.h * stride + more, w = n->now.w * stride + more;
    if (h > RANDOM_SIDE || w > RANDOM_SIDE) return;
    const size_t c = random_channels(n, h, w);
    random_line(n, "deconv %zu k=%zu stride=%zu%s%s", c, k, stride, valid ? " pad=valid" : "", random_act(n));
}

static inline void random_pool(struct random_net *n, const char *name) {
    const size_t side = random_less(n->now.h, n->now.w);
    if (side >= 2 && random_chance(n, 60))
        random_line(n, "%s", name);
    else
        random_line(n, "%s %zu", name, random_from(n, 1, random_less(side, 4)));
}
static inline void random_maxpool(struct random_net *n) {
    random_pool(n, "maxpool");
}
static inline void random_avgpool(struct random_net *n) {
    random_pool(n, "avgpool");
}

/* Half of them with the convolution that the plan fuses. */
static inline void random_upsample(struct random_net *n) {
    const size_t factor = random_chance(n, 70) ? 2 : random_from(n, 1, 3);
    const size_t h = n->now.h * factor, w = n->now.w * factor;
    if (h > RANDOM_SIDE || w > RANDOM_SIDE || n->now.c * h * w > RANDOM_VALUES) return;
    random_line(n, "upsample %zu%s", factor,
                random_chance(n, 40)   ? " bilinear"
                : random_chance(n, 20) ? " nearest"
                                       : "");
    if (random_chance(n, 50)) random_conv_line(n, random_channels(n, h, w), "");
}

static inline void random_dense(struct random_net *n) {
    const size_t c = random_from(n, 1, 4), h = random_from(n, 1, 6), w = random_from(n, 1, 6);
    if (n->now.c * n->now.h * n->now.w * c * h * w > 40000) return;
    random_line(n, "dense %zu%s", c * h * w, random_act(n));
    if (random_chance(n, 80)) random_line(n, "reshape %zu %zu %zu", c, h, w);
}

/* A divisor of `of`, at most `most`. */
static inline size_t random_divisor(struct random_net *n, size_t of, size_t most) {
    size_t divisor = random_from(n, 1, random_less(of, most));
    while (of % divisor != 0) divisor--;
    return divisor;
}
static inline void random_reshape(struct random_net *n) {
    const size_t all = n->now.c * n->now.h * n->now.w;
    const size_t h = random_divisor(n, all, RANDOM_SIDE), w = random_divisor(n, all / h, RANDOM_SIDE);
    if (all / h / w <= RANDOM_CHANNELS) random_line(n, "reshape %zu %zu %zu", all / h / w, h, w);
}

static inline void random_noise(struct random_net *n) {
    random_line(n, "noise 0.%zu", random_from(n, 1, 9));
}

static inline void random_quantize(struct random_net *n) {
    random_line(n, "quantize 0.%zu", random_from(n, 2, 9));
}

static inline void random_activation(struct random_net *n) {
    const char *act = random_act(n);
    if (*act) random_line(n, "act%s", act);
}

static inline void random_space_to_depth(struct random_net *n) {
    const size_t size = random_chance(n, 70) ? 2 : 3;
    if (n->now.h % size || n->now.w % size || n->now.c * size * size > 2 * RANDOM_CHANNELS) return;
    if (size == 2 && random_chance(n, 50))
        random_line(n, "space_to_depth");
    else
        random_line(n, "space_to_depth %zu", size);
}

/* Where the channels don't divide, a convolution first. */
static inline void random_depth_to_space(struct random_net *n) {
    const size_t size = random_chance(n, 70) ? 2 : 3;
    if (n->now.h * size > RANDOM_SIDE || n->now.w * size > RANDOM_SIDE) return;
    if (n->now.c % (size * size)) random_line(n, "conv %zu k=1", size * size * random_from(n, 1, 2));
    if (size == 2 && random_chance(n, 50))
        random_line(n, "depth_to_space");
    else
        random_line(n, "depth_to_space %zu", size);
}

static inline void random_crop(struct random_net *n) {
    const size_t h = random_from(n, (n->now.h + 1) / 2, n->now.h),
                 w = random_from(n, (n->now.w + 1) / 2, n->now.w);
    random_line(n, "crop %zu %zu", h, w);
}

static inline void random_pad(struct random_net *n) {
    const size_t h = n->now.h + random_from(n, 0, 3), w = n->now.w + random_from(n, 0, 3);
    if (n->now.c * h * w <= RANDOM_VALUES) random_line(n, "pad %zu %zu", h, w);
}

static inline void random_save(struct random_net *n) {
    if (n->saves == RANDOM_SAVES) return;
    n->saved[n->saves] = n->now;
    random_line(n, "save s%zu", n->saves++);
}

/* What flowed is left behind, unless it was saved. */
static inline void random_load(struct random_net *n) {
    if (n->saves > 0) random_line(n, "load s%zu", random_from(n, 0, n->saves - 1));
}

/* Brings the tensor to the height and width of a saved one, and for `add` to its channels. */
static inline void random_join(struct random_net *n) {
    if (n->saves == 0) return;
    const size_t i = random_from(n, 0, n->saves - 1);
    const struct shape to = n->saved[i];
    const bool concat = n->now.c + to.c <= RANDOM_CHANNELS && random_chance(n, 50);
    const size_t h = random_less(n->now.h, to.h), w = random_less(n->now.w, to.w);
    if (h < n->now.h || w < n->now.w) random_line(n, "crop %zu %zu", h, w);
    if (h < to.h || w < to.w) random_line(n, "pad %zu %zu", to.h, to.w);
    if (!concat && n->now.c != to.c) random_conv_line(n, to.c, "");
    random_line(n, "%s s%zu", concat ? "concat" : "add", i);
}

static inline void random_latent(struct random_net *n) {
    const bool after_a_layer = strchr(n->text, '\n')[1] != '\0';
    if (after_a_layer && !n->latent) {
        n->latent = true;
        random_line(n, "latent");
    }
}

/* --- The network ---------------------------------------------------------------------------------- */

/* Each as often as it stands here. */
static void (*const random_makers[])(struct random_net *) = {
    random_conv,    random_conv,     random_conv,       random_conv,           random_conv,
    random_conv,    random_conv,     random_conv,       random_deconv,         random_deconv,
    random_deconv,  random_deconv,   random_maxpool,    random_maxpool,        random_avgpool,
    random_avgpool, random_upsample, random_upsample,   random_upsample,       random_dense,
    random_reshape, random_noise,    random_activation, random_activation,     random_save,
    random_save,    random_save,     random_join,       random_join,           random_join,
    random_join,    random_crop,     random_pad,        random_space_to_depth, random_depth_to_space,
    random_latent,  random_quantize, random_load,       random_load,           random_load,
};

static inline void random_begin(struct random_net *n, uint64_t seed, uint32_t stream) {
    *n = (struct random_net){.seed = seed, .rng = rng_make(seed, RNG_TEST, stream)};
    n->h = random_from(n, 8, 20), n->w = random_from(n, 8, 20);
    n->now = (struct shape){random_from(n, 1, 9), n->h, n->w};
    assert_ok(net_begin(&n->net, "random", (struct shape){0, n->h, n->w}, err));
    random_line(n, "input %zu", n->now.c);
    /* gradients of the inputs of all layers but the first are needed then */
    if (random_chance(n, 75)) random_conv_line(n, random_from(n, 1, 9), " k=1");
}

/* A network of about 2 to 10 layers, at least one of them with parameters. */
static inline void random_net(struct random_net *n, uint64_t seed) {
    random_begin(n, seed, 0);
    for (size_t tries = random_from(n, 2, 10); tries > 0; tries--)
        random_makers[rng_below(&n->rng, sizeof random_makers / sizeof *random_makers)](n);
    if (!strstr(n->text, "conv ") && !strstr(n->text, "dense ")) random_line(n, "conv 3");
    caelum_net_close(&n->net);
}

/* --- Any layer ------------------------------------------------------------------------------------ */

/* A small value for a row of a layer's attributes. */
static inline void random_value(struct random_net *n, const struct attribute *a, char *text, size_t size) {
    const char *key = a->kind == ATTRIBUTE_KEY || a->kind == ATTRIBUTE_CHOICE ? a->name : "";
    const int used = snprintf(text, size, " %s%s", key, *key ? "=" : "");
    text += used, size -= (size_t)used;
    size_t words = 0;
    while (a->words && a->words[words]) words++;
    if (a->kind == ATTRIBUTE_SAVES)
        snprintf(text, size, "s%zu", n->saves++);
    else if (a->kind == ATTRIBUTE_SAVED)
        snprintf(text, size, "s%u", rng_below(&n->rng, (uint32_t)n->saves + 1));
    else if (words > 0)
        snprintf(text, size, "%s", a->words[rng_below(&n->rng, (uint32_t)words)]);
    else if (a->kind == ATTRIBUTE_REAL)
        snprintf(text, size, "0.%u", 1 + rng_below(&n->rng, 9));
    else if (random_chance(n, 50)) /* what has to do with the shape is rarely met by chance */
        snprintf(text, size, "%zu", ((size_t[]){n->now.c, n->now.h, n->now.w})[rng_below(&n->rng, 3)]);
    else
        snprintf(text, size, "%.0f", fmin(a->least + rng_below(&n->rng, 9), a->most));
}

/* Appends a line of a layer, if the network takes it and stays small. */
static inline void random_any(struct random_net *n, const struct layer_ops *ops) {
    const size_t used = strlen(n->text), saves = n->saves;
    const struct shape before = n->now;
    char line[LAYER_LINE], value[LAYER_NAME];
    struct caelum_error err;
    snprintf(line, sizeof line, "%s", ops->name);
    for (const struct attribute *a = ops->attributes; a && a->name; a++) {
        if (!a->needed && random_chance(n, 50)) continue;
        random_value(n, a, value, sizeof value);
        strncat(line, value, sizeof line - strlen(line) - 1);
    }
    const bool taken = random_try(n, line, &err);
    if (taken && n->now.h <= RANDOM_SIDE && n->now.w <= RANDOM_SIDE && n->net->params <= 10 * RANDOM_VALUES &&
        shape_values(n->now) <= RANDOM_VALUES)
        return;
    if (taken) net_drop(n->net);
    n->text[used] = '\0', n->now = before, n->saves = saves;
}

/* A network out of any layers, at least one of them with parameters. */
static inline void random_any_net(struct random_net *n, uint64_t seed) {
    size_t layers = 0;
    while (layers_all()[layers]) layers++;
    random_begin(n, seed, 1);
    for (size_t tries = random_from(n, 4, 24); tries > 0; tries--)
        random_any(n, layers_all()[rng_below(&n->rng, (uint32_t)layers)]);
    if (n->net->params == 0) random_line(n, "conv 3");
    caelum_net_close(&n->net);
}

#endif
