/* parse.c - the network's text: one layer a line, '#' starts a comment. The first line is `input C`;
 * `latent` marks the code. Every error names file, line and column. */
#include "net/net.h"

#include "base/file.h"
#include "base/mem.h"
#include "net/habits.h"
#include "net/kind.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { MOST_LAYERS = 512, MOST_TEXT = 1 << 20 };

/* No side, channel count or tensor beyond these, so that products of a few of them fit. */
static const size_t most_side = 65536, most_values = (size_t)1 << 28;

/* Splits a line, without its comment, into args->word. */
static int split(const char *line, size_t length, struct layer_args *args, struct caelum_error *err) {
    args->count = 0;
    for (size_t i = 0; i < length && line[i] != '#';) {
        if (line[i] == ' ' || line[i] == '\t' || line[i] == '\r') {
            i++;
            continue;
        }
        size_t end = i;
        while (end < length && !strchr(" \t\r#", line[end])) end++;
        if (args->count == LAYER_WORDS)
            return args_fail(args, i + 1, err, "more than %d words in a line", LAYER_WORDS);
        struct layer_word *word = &args->word[args->count++];
        if (end - i >= sizeof word->text)
            return args_fail(args, i + 1, err, "a word of %zu letters, at most %zu expected", end - i,
                             sizeof word->text - 1);
        memcpy(word->text, line + i, end - i);
        word->text[end - i] = '\0';
        word->column = i + 1;
        word->used = 0;
        i = end;
    }
    return CAELUM_OK;
}

/* Letters to insert, delete or replace to turn a into b (Levenshtein); words are short. */
static size_t distance(const char *a, const char *b) {
    size_t row[64];
    const size_t n = strlen(b) < 63 ? strlen(b) : 63;
    for (size_t j = 0; j <= n; j++) row[j] = j;
    for (size_t i = 1; *a; i++, a++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            const size_t replace = diagonal + (*a != b[j - 1]);
            diagonal = row[j];
            size_t least = row[j] + 1 < row[j - 1] + 1 ? row[j] + 1 : row[j - 1] + 1;
            if (replace < least) least = replace;
            row[j] = least;
        }
    }
    return row[n];
}

static int unknown_layer(const struct layer_args *args, struct caelum_error *err) {
    const char *word = args->word[0].text, *nearest = NULL;
    size_t least = 3;
    char list[300] = "input, latent";
    for (const struct layer_ops *const *ops = layers_all(); *ops; ops++) {
        const size_t d = distance(word, (*ops)->name), used = strlen(list);
        if (d < least) least = d, nearest = (*ops)->name;
        snprintf(list + used, sizeof list - used, ", %s", (*ops)->name);
    }
    if (habits_line(args, list))
        return args_fail(args, args->word[0].column, err, "no layer is called '%s'; did you mean '%s'?", word,
                         list);
    if (nearest)
        return args_fail(args, args->word[0].column, err, "no layer is called '%s'; did you mean '%s'?", word,
                         nearest);
    return args_fail(args, args->word[0].column, err, "no layer is called '%s'; there are: %s", word, list);
}

static void join_words(const struct layer_args *args, char *text, size_t size) {
    text[0] = '\0';
    for (size_t i = 0; i < args->count; i++) {
        const size_t used = strlen(text);
        snprintf(text + used, size - used, "%s%s", i ? " " : "", args->word[i].text);
    }
}

/* "conv3": the layer's word and its ordinal among its kind. */
static void name_layer(const struct caelum_net *net, struct net_layer *layer) {
    size_t ordinal = 1;
    for (size_t i = 0; i < net->layers; i++) ordinal += net->layer[i].ops == layer->ops;
    snprintf(layer->name, sizeof layer->name, "%s%zu", layer->ops->name, ordinal);
}

/* Puts what was probably meant behind a complaint about a line. */
static int suggest(const struct layer_args *args, int result, struct caelum_error *err) {
    char line[256], complaint[sizeof err->text];
    if (!err || result != CAELUM_EFORMAT || !habits_line(args, line)) return result;
    snprintf(complaint, sizeof complaint, "%s", err->text);
    return caelum_fail(err, result, "%s; did you mean '%s'?", complaint, line);
}

/* Remembers the layer's output under the name that its line gives. */
static int add_skip(struct caelum_net *net, const struct layer_args *args, struct net_layer *layer,
                    struct caelum_error *err) {
    if (net->skips == LAYER_SKIPS)
        return args_fail(args, args->word[0].column, err, "more than %d saved tensors", LAYER_SKIPS);
    struct layer_skip *skip = &net->skip[net->skips++];
    snprintf(skip->name, sizeof skip->name, "%s", args->saves);
    skip->shape = layer->out;
    layer->skip = skip->value = net->layers;
    return CAELUM_OK;
}

static int add_layer(struct caelum_net *net, struct layer_args *args, const struct layer_ops *ops,
                     struct caelum_error *err) {
    if (net->layers == MOST_LAYERS) return args_fail(args, 1, err, "more than %d layers", MOST_LAYERS);
    struct net_layer *layer = &net->layer[net->layers];
    *layer = (struct net_layer){.ops = ops, .line = args->line, .params = net->params};
    layer->in = net->layers ? net->layer[net->layers - 1].out : net->input;
    CHECK(mem_alloc(&layer->state, 1, ops->state_size, err));
    join_words(args, layer->text, sizeof layer->text);
    name_layer(net, layer);
    net->layers++; /* from here on caelum_net_close frees the state */
    int result = ops->parse(args, layer->state, err);
    if (result != 0) return suggest(args, result, err);
    if (args->uses > 0) layer->skip = net->skip[args->uses - 1].value;
    result = ops->shape(layer->state, layer->in, &layer->out, &layer->sizes, err);
    if (result != 0)
        return caelum_fail_in(err, result, "%s:%zu:%zu: %s", args->file, args->line, args->word[0].column,
                              layer->text);
    const struct shape out = layer->out;
    if (out.c > most_side || out.h > most_side || out.w > most_side || out.h * out.w > most_values / out.c)
        return args_fail(args, args->word[0].column, err, "%s: %zux%zux%zu numbers are too many", layer->text,
                         out.c, out.h, out.w);
    if (args->saves) CHECK(add_skip(net, args, layer, err));
    net->params += layer->sizes.params;
    if (net->params > most_values)
        return args_fail(args, args->word[0].column, err, "%s: more than %zu parameters", layer->text,
                         most_values);
    return CAELUM_OK;
}

static int parse_line(struct caelum_net *net, struct layer_args *args, struct caelum_error *err) {
    const char *word = args->word[0].text;
    const size_t column = args->word[0].column;
    args->skip = net->skip, args->skips = net->skips;
    args->saves = NULL, args->uses = 0;
    if (strcmp(word, "input") == 0) {
        if (net->input.c) return args_fail(args, column, err, "a second 'input'");
        CHECK(args_number(args, "channels", 1024, &net->input.c, err));
        return args_end(args, "input C", err);
    }
    if (!net->input.c)
        return args_fail(args, column, err, "the first line must be 'input C', the channels of a picture");
    if (strcmp(word, "latent") == 0) {
        if (net->layers == 0) return args_fail(args, column, err, "'latent' must follow a layer");
        for (size_t i = 0; i < net->layers; i++)
            if (net->layer[i].latent) return args_fail(args, column, err, "a second 'latent'");
        net->layer[net->layers - 1].latent = true;
        return args_end(args, "latent", err);
    }
    for (const struct layer_ops *const *ops = layers_all(); *ops; ops++)
        if (strcmp(word, (*ops)->name) == 0) return add_layer(net, args, *ops, err);
    return unknown_layer(args, err);
}

static int parse_text(struct caelum_net *net, struct caelum_error *err) {
    struct layer_args args = {.file = net->file};
    for (const char *line = net->text; *line;) {
        const size_t length = strcspn(line, "\n");
        args.line++;
        CHECK(split(line, length, &args, err));
        if (args.count > 0) CHECK(parse_line(net, &args, err));
        line += length + (line[length] == '\n');
    }
    if (net->layers == 0)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: no layers; expected 'input C' and at least one layer",
                           net->file);
    return CAELUM_OK;
}

int caelum_net_parse(caelum_net **out, const char *text, const char *name, size_t height, size_t width,
                     struct caelum_error *err) {
    if (height < 1 || width < 1 || height > most_side || width > most_side)
        return caelum_fail(err, CAELUM_EUSAGE, "picture size %zux%zu: each side must be 1 to %zu", width,
                           height, most_side);
    static const char mark[] = "\xef\xbb\xbf"; /* which editors put before UTF-8 */
    if (strncmp(text, mark, strlen(mark)) == 0) text += strlen(mark);
    json_t *utf8 = json_string(text); /* model files keep the text as JSON */
    if (!utf8) return caelum_fail(err, CAELUM_EFORMAT, "%s: not UTF-8 text", name);
    json_decref(utf8);
    struct caelum_net *net = NULL;
    CHECK(mem_alloc(&net, 1, sizeof *net, err));
    net->input = (struct shape){0, height, width};
    int result = mem_strdup(&net->text, text, err);
    if (result == 0) result = mem_strdup(&net->file, name, err);
    if (result == 0) result = mem_alloc(&net->layer, MOST_LAYERS, sizeof *net->layer, err);
    if (result == 0) result = parse_text(net, err);
    if (result == 0) result = net_plan(net, true, err);
    if (result != 0) {
        caelum_net_close(&net);
        return result;
    }
    *out = net;
    return CAELUM_OK;
}

int caelum_net_load(caelum_net **net, const char *path, size_t height, size_t width,
                    struct caelum_error *err) {
    uint8_t *text = NULL;
    size_t size = 0;
    int result = file_read(path, MOST_TEXT, &text, &size, err);
    if (result == 0 && memchr(text, 0, size))
        result = caelum_fail(err, CAELUM_EFORMAT, "%s: not a text", path);
    else if (result == 0)
        result = caelum_net_parse(net, (const char *)text, path, height, width, err);
    mem_free(&text);
    const char *kind = result == CAELUM_EFORMAT ? kind_of_file(path) : NULL;
    return kind ? caelum_fail(err, result, "%s: %s; expected the text of a network, see docs/network.md",
                              path, kind)
                : result;
}

void caelum_net_close(caelum_net **net) {
    if (!*net) return;
    for (size_t i = 0; i < (*net)->layers; i++) mem_free(&(*net)->layer[i].state);
    mem_free(&(*net)->layer);
    mem_free(&(*net)->step);
    mem_free(&(*net)->file);
    mem_free(&(*net)->text);
    mem_free(net);
}

const char *caelum_net_text(const caelum_net *net) {
    return net->text;
}
