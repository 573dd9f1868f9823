/* habits.c - see habits.h. Words are told apart whatever their case; a suggestion counts only if it can be
 * read. */
#include "net/habits.h"

#include "base/ascii.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "layers/activation.h"

#include <stdio.h>
#include <string.h>

struct habit {
    const char *theirs, *ours;
};

/* The first word: layers of Keras and PyTorch. Our own are here by layers_all(). */
static const struct habit layers[] = {{"conv2d", "conv"},
                                      {"convolution2d", "conv"},
                                      {"conv2dtranspose", "deconv"},
                                      {"convtranspose2d", "deconv"},
                                      {"convtranspose", "deconv"},
                                      {"transposedconv", "deconv"},
                                      {"maxpooling2d", "maxpool"},
                                      {"maxpool2d", "maxpool"},
                                      {"maxpooling", "maxpool"},
                                      {"averagepooling2d", "avgpool"},
                                      {"averagepool", "avgpool"},
                                      {"avgpool2d", "avgpool"},
                                      {"upsampling2d", "upsample"},
                                      {"upsampling", "upsample"},
                                      {"linear", "dense"},
                                      {"fc", "dense"},
                                      {"concatenate", "concat"},
                                      {"cat", "concat"},
                                      {"gaussiannoise", "noise"},
                                      {"pixelshuffle", "depth_to_space"},
                                      {"depthtospace", "depth_to_space"},
                                      {"pixelunshuffle", "space_to_depth"},
                                      {"spacetodepth", "space_to_depth"},
                                      {"activation", "act"},
                                      {NULL, NULL}};

/* Activations, as a word of a line, or a line by itself. Our own are here by activation_words. */
static const struct habit activations[] = {
    {"leakyrelu", "leaky"}, {"leaky_relu", "leaky"},     {"swish", "silu"},          {"none", "linear"},
    {"identity", "linear"}, {"hard_swish", "hardswish"}, {"hard_silu", "hardswish"}, {NULL, NULL}};

/* Keys, with what stands for them; "" where the value stands alone. */
static const struct habit keys[] = {{"kernel", "k="},      {"kernel_size", "k="},
                                    {"kernelsize", "k="},  {"size", ""},
                                    {"ksize", "k="},       {"k", "k="},
                                    {"stride", "stride="}, {"strides", "stride="},
                                    {"s", "stride="},      {"padding", "pad="},
                                    {"pad", "pad="},       {"p", "pad="},
                                    {"init", "init="},     {"kernel_initializer", "init="},
                                    {"activation", ""},    {"act", ""},
                                    {"filters", ""},       {"channels", ""},
                                    {"out_channels", ""},  {"units", ""},
                                    {"out_features", ""},  {"pool_size", ""},
                                    {"scale_factor", ""},  {"factor", ""},
                                    {"interpolation", ""}, {"mode", ""},
                                    {"stddev", ""},        {NULL, NULL}};

/* Values of keys, and words that stand alone. */
static const struct habit values[] = {{"same", "same"},
                                      {"valid", "valid"},
                                      {"nearest", "nearest"},
                                      {"bilinear", "bilinear"},
                                      {"zero", "zero"},
                                      {"zeros", "zero"},
                                      {"klt", "klt"},
                                      {"glorot", "glorot"},
                                      {"xavier", "glorot"},
                                      {"glorot_uniform", "glorot"},
                                      {NULL, NULL}};

static bool same_word(const char *a, const char *b, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (b[i] == '\0' || ascii_to_lower(a[i]) != b[i]) return false;
    return b[length] == '\0';
}

/* Ours for a word of that length, or NULL. */
static const char *find(const struct habit *habits, const char *word, size_t length) {
    for (; habits->theirs; habits++)
        if (same_word(word, habits->theirs, length)) return habits->ours;
    return NULL;
}

static const char *find_layer(const char *word) {
    const size_t length = strlen(word);
    for (const struct layer_ops *const *ops = layers_all(); *ops; ops++)
        if (same_word(word, (*ops)->name, length)) return (*ops)->name;
    return find(layers, word, length);
}

static const char *find_activation(const char *word) {
    const size_t length = strlen(word);
    for (size_t i = 0; activation_words[i]; i++)
        if (same_word(word, activation_words[i], length)) return activation_words[i];
    return find(activations, word, length);
}

/* Appends a word. False if it has no place. */
static bool put(struct layer_line *line, const char *key, const char *value) {
    if (line->count == LAYER_WORDS) return false;
    struct layer_word *word = &line->word[line->count++];
    word->used = false;
    const int length = snprintf(word->text, sizeof word->text, "%s%s", key, value);
    return length >= 0 && (size_t)length < sizeof word->text;
}

/* "padding=same" as "pad=same". PyTorch counts the zeros: none is valid, others can only be meant as same. */
static bool put_word(struct layer_line *line, const char *word) {
    const char *equals = strchr(word, '='), *value = equals ? equals + 1 : word;
    const char *key = equals ? find(keys, word, (size_t)(equals - word)) : "";
    if (!key) return put(line, "", word);
    const char *ours = find_activation(value);
    if (!ours) ours = find(values, value, strlen(value));
    if (strcmp(key, "pad=") == 0 && ascii_digit(*value)) ours = strcmp(value, "0") == 0 ? "valid" : "same";
    return put(line, key, ours ? ours : value);
}

/* Whether a line can be read. */
static bool is_readable(struct layer_line *line) {
    for (const struct layer_ops *const *ops = layers_all(); *ops; ops++) {
        if (strcmp(line->word[0].text, (*ops)->name) != 0) continue;
        void *state = NULL;
        if (mem_alloc(&state, 1, (*ops)->state_size, NULL) != 0) return false;
        const bool good = attributes_read((*ops)->attributes, line, state, NULL) == 0;
        mem_free(&state);
        return good;
    }
    return false;
}

/* Fills text with what a line that could not be read most likely means: a line that can be read. False if
 * nothing such is known. */
static bool translate(const struct layer_line *theirs, char text[256]) {
    const char *first = theirs->word[0].text, *layer = find_layer(first),
               *activation = find_activation(first);
    struct layer_line line = *theirs;
    line.count = 0;
    bool good;
    if (activation && theirs->count == 1)
        good = put(&line, "", "act") && put(&line, "", activation);
    else
        good = layer && put(&line, "", layer);
    for (size_t i = 1; good && i < theirs->count; i++) good = put_word(&line, theirs->word[i].text);
    if (!good || !is_readable(&line)) return false;
    size_t used = 0;
    for (size_t i = 0; i < line.count && used < 256; i++)
        used += (size_t)snprintf(text + used, 256 - used, "%s%s", i ? " " : "", line.word[i].text);
    return used < 256;
}

int habits_suggest(const struct layer_line *line, int result, struct caelum_error *err) {
    char text[256], complaint[sizeof err->text];
    if (!err || result != CAELUM_EFORMAT || !translate(line, text)) return result;
    snprintf(complaint, sizeof complaint, "%s", err->text);
    return caelum_fail(err, result, "%s; did you mean '%s'?", complaint, text);
}

int habits_unknown(const struct layer_line *line, struct caelum_error *err) {
    enum { MOST = 64 };
    const char *word = line->word[0].text, *names[MOST + 1], *meant;
    char list[300] = "input, latent";
    size_t count = 0;
    for (const struct layer_ops *const *ops = layers_all(); *ops && count < MOST; ops++) {
        const size_t used = strlen(list);
        names[count++] = (*ops)->name;
        snprintf(list + used, sizeof list - used, ", %s", (*ops)->name);
    }
    names[count] = NULL;
    meant = translate(line, list) ? list : nearest(word, names);
    return line_fail(line, line->word[0].column, err,
                     meant ? "no layer is called '%s'; did you mean '%s'?"
                           : "no layer is called '%s'; there are: %s",
                     word, meant ? meant : list);
}
