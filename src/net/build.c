/* build.c - a network made layer by layer: of lines, or of another network's layers. */
#include "base/mem.h"
#include "base/number.h"
#include "net/habits.h"
#include "net/net.h"

#include <stdio.h>
#include <string.h>

enum { MOST_LAYERS = 512, MOST_CHANNELS = 1024 };

/* No tensor and no parameters beyond this, so that products of a few of them fit. */
static const size_t most_values = (size_t)1 << 28;

int net_begin(struct caelum_net **out, const char *file, struct shape input, struct caelum_error *err) {
    if (input.h < 1 || input.w < 1 || input.h > NET_MOST_SIDE || input.w > NET_MOST_SIDE)
        return caelum_fail(err, CAELUM_EUSAGE, "picture size %zux%zu: each side must be 1 to %d", input.w,
                           input.h, NET_MOST_SIDE);
    struct caelum_net *net = NULL;
    CHECK(mem_alloc(&net, 1, sizeof *net, err));
    net->input = input;
    int result = mem_strdup(&net->file, file, err);
    if (result != 0)
        caelum_net_close(&net);
    else
        *out = net;
    return result;
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

/* --- Layers --------------------------------------------------------------------------------------- */

/* "conv3": the layer's word and its ordinal among its kind. */
static void name_layer(const struct caelum_net *net, struct net_layer *layer) {
    size_t ordinal = 1;
    for (size_t i = 0; i < net->layers; i++) ordinal += net->layer[i].ops == layer->ops;
    snprintf(layer->name, sizeof layer->name, "%s%zu", layer->ops->name, ordinal);
}

/* Finds the saved tensor that the layer names. */
static int find_skip(const struct caelum_net *net, struct net_layer *layer, struct caelum_error *err) {
    struct saved *named = attributes_saved(layer->ops->attributes, ATTRIBUTE_SAVED, layer->state);
    if (!named) return CAELUM_OK;
    for (size_t i = 0; i < net->skips; i++)
        if (strcmp(net->skip[i].saved.name, named->name) == 0) {
            named->shape = net->skip[i].saved.shape;
            layer->skip = net->skip[i].value;
            return CAELUM_OK;
        }
    return caelum_fail(err, CAELUM_EFORMAT, "nothing was saved as '%s' above", named->name);
}

/* Remembers the layer's output under the name that its line gives. */
static int add_skip(struct caelum_net *net, struct net_layer *layer, struct caelum_error *err) {
    struct saved *name = attributes_saved(layer->ops->attributes, ATTRIBUTE_SAVES, layer->state);
    if (!name) return CAELUM_OK;
    for (size_t i = 0; i < net->skips; i++)
        if (strcmp(net->skip[i].saved.name, name->name) == 0)
            return caelum_fail(err, CAELUM_EFORMAT, "'%s' is saved already", name->name);
    if (net->skips == NET_SKIPS)
        return caelum_fail(err, CAELUM_EFORMAT, "more than %d saved tensors", NET_SKIPS);
    name->shape = layer->out;
    layer->skip = net->layers;
    net->skip[net->skips].saved = *name;
    net->skip[net->skips++].value = net->layers;
    return CAELUM_OK;
}

static int check_sizes(const struct caelum_net *net, const struct net_layer *layer,
                       struct caelum_error *err) {
    const struct shape out = layer->out;
    if (out.c > NET_MOST_SIDE || out.h > NET_MOST_SIDE || out.w > NET_MOST_SIDE ||
        out.h * out.w > most_values / out.c)
        return caelum_fail(err, CAELUM_EFORMAT, "%zux%zux%zu numbers are too many", out.c, out.h, out.w);
    if (layer->count > most_values - net->params)
        return caelum_fail(err, CAELUM_EFORMAT, "more than %zu parameters", most_values);
    return CAELUM_OK;
}

/* What the state of the layer that was appended last comes to; the name it gives its output comes last. */
static int shape_layer(struct caelum_net *net, struct net_layer *layer, struct caelum_error *err) {
    const struct layer_ops *ops = layer->ops;
    attributes_print(ops->attributes, ops->name, layer->state, layer->text);
    CHECK(find_skip(net, layer, err));
    if (ops->check) CHECK(ops->check(layer->state, err));
    layer->out = layer->in;
    layer->reach = (struct layer_reach){1, 1, 1};
    if (ops->shape) CHECK(ops->shape(layer->state, layer->in, &layer->out, &layer->reach, err));
    layer->count = layer_params(ops, layer->state, layer->in);
    CHECK(check_sizes(net, layer, err));
    if (ops->step->sizes) ops->step->sizes(layer->state, layer->in, layer->out, &layer->sizes);
    net->params += layer->count;
    return add_skip(net, layer, err);
}

static int make_room(struct caelum_net *net, struct caelum_error *err) {
    const size_t room = net->room ? 2 * net->room : 16;
    struct net_layer *larger = NULL;
    if (net->layers < net->room) return CAELUM_OK;
    CHECK(mem_alloc(&larger, room, sizeof *larger, err));
    if (net->layers) memcpy(larger, net->layer, net->layers * sizeof *larger);
    mem_free(&net->layer);
    net->layer = larger;
    net->room = room;
    return CAELUM_OK;
}

/* A layer at the end, its state still zero. */
static int new_layer(struct caelum_net *net, const struct layer_ops *ops, struct net_layer **out,
                     struct caelum_error *err) {
    if (net->layers == MOST_LAYERS)
        return caelum_fail(err, CAELUM_EFORMAT, "more than %d layers", MOST_LAYERS);
    CHECK(make_room(net, err));
    struct net_layer *layer = &net->layer[net->layers];
    *layer = (struct net_layer){
        .ops = ops, .in = net->layers ? net_output(net) : net->input, .params = net->params};
    CHECK(mem_alloc(&layer->state, 1, ops->state_size, err));
    name_layer(net, layer);
    net->layers++; /* from here on caelum_net_close frees the state */
    *out = layer;
    return CAELUM_OK;
}

void net_drop(struct caelum_net *net) {
    struct net_layer *layer = &net->layer[net->layers - 1];
    if (net->skips > 0 && net->skip[net->skips - 1].value == net->layers) net->skips--;
    net->params = layer->params;
    mem_free(&layer->state);
    net->layers--;
}

/* --- Lines ---------------------------------------------------------------------------------------- */

static int append_input(struct caelum_net *net, struct layer_line *line, struct caelum_error *err) {
    static const struct attribute attributes[] = {
        ATTRIBUTE_COUNT("C", struct shape, c, "number of channels", 1, MOST_CHANNELS), {0}};
    if (net->input.c) return line_fail(line, line->word[0].column, err, "a second 'input'");
    return attributes_read(attributes, line, &net->input, err);
}

static int append_latent(struct caelum_net *net, struct layer_line *line, struct caelum_error *err) {
    const size_t column = line->word[0].column;
    char nothing = 0;
    if (net->layers == 0) return line_fail(line, column, err, "'latent' must follow a layer");
    for (size_t i = 0; i < net->layers; i++)
        if (net->layer[i].latent) return line_fail(line, column, err, "a second 'latent'");
    net->layer[net->layers - 1].latent = true;
    return attributes_read(NULL, line, &nothing, err);
}

static int append_layer(struct caelum_net *net, struct layer_line *line, const struct layer_ops *ops,
                        struct caelum_error *err) {
    struct net_layer *layer = NULL;
    int result = new_layer(net, ops, &layer, err);
    if (result == 0) {
        layer->line = line->number;
        result = attributes_read(ops->attributes, line, layer->state, err);
        if (result != 0) {
            net_drop(net);
            return habits_suggest(line, result, err);
        }
        result = shape_layer(net, layer, err);
    }
    if (result == 0) return result;
    caelum_fail_in(err, result, "%s:%zu:%zu: %s", line->file, line->number, line->word[0].column,
                   layer ? layer->text : ops->name);
    if (layer) net_drop(net);
    return result;
}

int net_append_line(struct caelum_net *net, struct layer_line *line, struct caelum_error *err) {
    const char *word = line->word[0].text;
    if (strcmp(word, "input") == 0) return append_input(net, line, err);
    if (!net->input.c)
        return line_fail(line, line->word[0].column, err,
                         "the first line must be 'input C', the channels of a picture");
    if (strcmp(word, "latent") == 0) return append_latent(net, line, err);
    for (const struct layer_ops *const *ops = layers_all(); *ops; ops++)
        if (strcmp(word, (*ops)->name) == 0) return append_layer(net, line, *ops, err);
    return habits_unknown(line, err);
}

int net_append(struct caelum_net *net, struct caelum_error *err, const char *format, ...) {
    char text[4 * LAYER_LINE];
    struct layer_line line = {.file = net->file, .number = net->layers + 1};
    va_list list;
    va_start(list, format);
    const int length = number_vprint(text, sizeof text, format, list);
    va_end(list);
    if (length <= 0 || (size_t)length >= sizeof text)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: a line of %d letters", net->file, length);
    CHECK(line_split(&line, text, (size_t)length, err));
    return net_append_line(net, &line, err);
}

/* --- Out of other networks ------------------------------------------------------------------------ */

int net_append_layers(struct caelum_net *net, const struct caelum_net *from, size_t first, size_t end,
                      struct caelum_error *err) {
    for (size_t i = first; i < end; i++) {
        const struct net_layer *old = &from->layer[i];
        struct net_layer *layer = NULL;
        CHECK(new_layer(net, old->ops, &layer, err));
        if (old->ops->state_size > 0) memcpy(layer->state, old->state, old->ops->state_size);
        layer->line = old->line;
        layer->latent = old->latent;
        const int result = shape_layer(net, layer, err);
        if (result != 0)
            return caelum_fail_in(err, result, "%s:%zu: %s", net->file, layer->line, layer->text);
    }
    return CAELUM_OK;
}

static int derive(struct caelum_net **out, const struct caelum_net *net, struct shape input, size_t first,
                  size_t end, struct caelum_error *err) {
    struct caelum_net *made = NULL;
    CHECK(net_begin(&made, net->file, input, err));
    int result = net_append_layers(made, net, first, end, err);
    if (result == 0) result = net_finish(made, err);
    if (result != 0)
        caelum_net_close(&made);
    else
        *out = made;
    return result;
}

int net_slice(struct caelum_net **part, const struct caelum_net *net, size_t first, size_t end,
              struct caelum_error *err) {
    return derive(part, net, net->layer[first].in, first, end, err);
}

int net_at(struct caelum_net **other, const struct caelum_net *net, size_t height, size_t width,
           struct caelum_error *err) {
    return derive(other, net, (struct shape){net->input.c, height, width}, 0, net->layers, err);
}

bool net_same(const struct caelum_net *a, const struct caelum_net *b) {
    bool same = a->layers == b->layers && memcmp(&a->input, &b->input, sizeof a->input) == 0;
    for (size_t i = 0; same && i < a->layers; i++)
        same = strcmp(a->layer[i].text, b->layer[i].text) == 0 && a->layer[i].latent == b->layer[i].latent;
    return same;
}

/* --- Finishing ------------------------------------------------------------------------------------ */

static int print_text(struct caelum_net *net, struct caelum_error *err) {
    const size_t size = 32 + net->layers * (LAYER_LINE + sizeof "latent\n");
    CHECK(mem_alloc(&net->text, size, 1, err));
    size_t used = (size_t)snprintf(net->text, size, "input %zu\n", net->input.c);
    for (size_t i = 0; i < net->layers; i++)
        used += (size_t)snprintf(net->text + used, size - used, "%s\n%s", net->layer[i].text,
                                 net->layer[i].latent ? "latent\n" : "");
    return CAELUM_OK;
}

int net_finish(struct caelum_net *net, struct caelum_error *err) {
    if (net->layers == 0)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: no layers; expected 'input C' and at least one layer",
                           net->file);
    if (!net->text) CHECK(print_text(net, err));
    return net_plan(net, true, err);
}
