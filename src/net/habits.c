/* habits.c - see habits.h. Words are told apart whatever their case; a suggestion counts only if it can be
 * read. */
#include "net/habits.h"

#include "base/ascii.h"
#include "base/mem.h"

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

/* Activations, as a word of a line, or a line by itself. */
static const struct habit activations[] = {{"relu", "relu"},        {"leakyrelu", "leaky"},
                                           {"leaky_relu", "leaky"}, {"leaky", "leaky"},
                                           {"elu", "elu"},          {"gelu", "gelu"},
                                           {"silu", "silu"},        {"swish", "silu"},
                                           {"sigmoid", "sigmoid"},  {"tanh", "tanh"},
                                           {"linear", "linear"},    {"none", "linear"},
                                           {"identity", "linear"},  {NULL, NULL}};

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

/* Appends a word. False if it has no place. */
static bool put(struct layer_args *line, const char *key, const char *value) {
    if (line->count == LAYER_WORDS) return false;
    struct layer_word *word = &line->word[line->count++];
    word->used = 0;
    const int length = snprintf(word->text, sizeof word->text, "%s%s", key, value);
    return length >= 0 && (size_t)length < sizeof word->text;
}

/* "padding=same" as "pad=same". PyTorch counts the zeros: none is valid, others can only be meant as same. */
static bool put_word(struct layer_args *line, const char *word) {
    const char *equals = strchr(word, '='), *value = equals ? equals + 1 : word;
    const char *key = equals ? find(keys, word, (size_t)(equals - word)) : "";
    if (!key) return put(line, "", word);
    const char *ours = find(activations, value, strlen(value));
    if (!ours) ours = find(values, value, strlen(value));
    if (strcmp(key, "pad=") == 0 && ascii_digit(*value)) ours = strcmp(value, "0") == 0 ? "valid" : "same";
    return put(line, key, ours ? ours : value);
}

/* Whether a line can be read. */
static bool is_readable(struct layer_args *line) {
    for (const struct layer_ops *const *ops = layers_all(); *ops; ops++) {
        if (strcmp(line->word[0].text, (*ops)->name) != 0) continue;
        void *state = NULL;
        if (mem_alloc(&state, 1, (*ops)->state_size, NULL) != 0) return false;
        const bool good = (*ops)->parse(line, state, NULL) == 0;
        mem_free(&state);
        return good;
    }
    return false;
}

bool habits_line(const struct layer_args *args, char text[256]) {
    const char *first = args->word[0].text, *layer = find_layer(first);
    const char *activation = find(activations, first, strlen(first));
    struct layer_args line = *args;
    line.count = 0;
    line.saves = NULL, line.uses = 0;
    bool good;
    if (activation && args->count == 1)
        good = put(&line, "", "act") && put(&line, "", activation);
    else
        good = layer && put(&line, "", layer);
    for (size_t i = 1; good && i < args->count; i++) good = put_word(&line, args->word[i].text);
    if (!good || !is_readable(&line)) return false;
    size_t used = 0;
    for (size_t i = 0; i < line.count && used < 256; i++)
        used += (size_t)snprintf(text + used, 256 - used, "%s%s", i ? " " : "", line.word[i].text);
    return used < 256;
}
