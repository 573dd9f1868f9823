/* onnx_lines.c - the steps of a graph as lines of a network's text, and the weights of their layers. The
 * network is built along, which tells the shape after each line. A value that a later step reads again is
 * saved, and loaded where it is the first that such a step reads. */
#include "base/number.h"
#include "exchange/onnx_import.h"

#include <stdio.h>
#include <string.h>

/* Numbers in weights that the file does not have: of a convolution with one number a channel, say. */
enum { MOST_SPREAD = 2048 };
/* Attributes are whole numbers within these. */
static const int64_t most_whole = 1 << 24;

/* --- The network ---------------------------------------------------------------------------------- */

static const struct net_layer *last_layer(const struct onnx_writer *w) {
    return w->net->layers > 0 ? &w->net->layer[w->net->layers - 1] : NULL;
}

/* Whether the last layer leaves nothing below 0, if it was so before. */
static bool is_positive(const struct onnx_writer *w, bool before) {
    static const char *const ends[] = {"relu", "relu6", "sigmoid", "softplus"};
    static const char *const keeps[] = {"maxpool", "avgpool", "upsample",       "reshape",
                                        "crop",    "pad",     "space_to_depth", "depth_to_space",
                                        "save",    "add",     "concat"};
    const char *text = last_layer(w)->text, *end = strrchr(text, ' ');
    for (size_t i = 0; end && i < sizeof ends / sizeof *ends; i++)
        if (strcmp(end + 1, ends[i]) == 0) return true;
    for (size_t i = 0; before && i < sizeof keeps / sizeof *keeps; i++)
        if (strcmp(last_layer(w)->ops->name, keeps[i]) == 0) return true;
    return false;
}

int onnx_say(struct onnx_writer *w, const char *format, ...) {
    char line[200];
    struct onnx_graph *graph = &w->file->graph;
    const struct onnx_node *node = w->step->node;
    va_list list;
    if (graph->result != 0) return graph->result;
    va_start(list, format);
    number_vprint(line, sizeof line, format, list);
    va_end(list);
    w->linear = w->affine = false;
    graph->result = net_append(w->net, graph->err, "%s", line);
    if (graph->result != 0)
        return caelum_fail_in(graph->err, graph->result, "%s: node '%.60s' (%.30s)", w->file->path,
                              node->name, node->op);
    w->now.shape = net_output(w->net);
    w->now.positive = is_positive(w, w->now.positive);
    return CAELUM_OK;
}

int onnx_activate(struct onnx_writer *w, const char *word) {
    char line[LAYER_LINE];
    if (!w->linear) return onnx_say(w, "act %s", word);
    memcpy(line, last_layer(w)->text, sizeof line);
    net_drop(w->net);
    return onnx_say(w, "%s %s", line, word);
}

float *onnx_weigh(struct onnx_writer *w, const char *tensor, const float *numbers, size_t values,
                  size_t inner) {
    float *data = onnx_memory(&w->file->graph, values * sizeof *data);
    if (w->weights == sizeof w->weight / sizeof *w->weight) REFUSE(w, "more than %zu tensors", w->weights);
    if (w->file->graph.result != 0) return NULL;
    struct onnx_weight *weight = &w->weight[w->weights++];
    *weight = (struct onnx_weight){.data = data, .values = values, .inner = inner};
    snprintf(weight->name, sizeof weight->name, "%s.%s", last_layer(w)->name, tensor);
    if (numbers && values > 0) memcpy(data, numbers, values * sizeof *data);
    return data;
}

size_t onnx_channels(const struct onnx_writer *w) {
    return w->now.flat ? shape_values(w->now.shape) : w->now.shape.c;
}

/* A flat value's numbers come into the order that they have in the graph. */
int onnx_say_diagonal(struct onnx_writer *w, int64_t k, int64_t stride, float number) {
    const size_t n = onnx_channels(w), area = (size_t)(k * k);
    const struct onnx_known before = w->now;
    if (n > MOST_SPREAD)
        return REFUSE(w, "for each of %zu numbers; expected at most %d, for a convolution that does it", n,
                      MOST_SPREAD);
    if (w->now.flat && w->now.shape.c != n) CHECK(onnx_say(w, "reshape %zu 1 1", n));
    char size[64] = "";
    if (k != 3) snprintf(size, sizeof size, " k=%lld", (long long)k);
    if (stride != 1) snprintf(size + strlen(size), 32, " stride=%lld", (long long)stride);
    CHECK(onnx_say(w, "conv %zu%s%s", n, size, k == 1 ? "" : " pad=valid"));
    float *weight = onnx_weigh(w, "weight", NULL, n * n * area, n * area);
    for (size_t i = 0; weight && i < n * area; i++) {
        const size_t c = i / area, to = before.flat ? onnx_place_in_row(&before, c) : c;
        weight[(to * n + c) * area + i % area] = number;
    }
    onnx_weigh(w, "bias", NULL, n, 1);
    w->linear = w->affine = true;
    if (w->now.flat) w->now.last = false;
    return w->file->graph.result;
}

int onnx_scale(struct onnx_writer *w, const float *scale, const float *offset) {
    const size_t n = onnx_channels(w);
    bool same = true;
    for (size_t i = 0; i < n; i++) same = same && (!scale || scale[i] == 1) && (!offset || offset[i] == 0);
    if (same) return w->file->graph.result;
    if (!w->affine || w->weight[w->weights - 1].values != n) CHECK(onnx_say_diagonal(w, 1, 1, 1));
    struct onnx_weight *weight = &w->weight[w->weights - 2], *bias = weight + 1;
    for (size_t i = 0; scale && i < weight->values; i++) weight->data[i] *= scale[i / weight->inner % n];
    for (size_t i = 0; i < n; i++)
        bias->data[i] = bias->data[i] * (scale ? scale[i] : 1) + (offset ? offset[i] : 0);
    w->now.positive = false;
    return w->file->graph.result;
}

int onnx_scale_all(struct onnx_writer *w, float scale, float offset) {
    const bool flat = w->now.flat;
    const size_t n = w->now.shape.c;
    float *numbers = onnx_memory(&w->file->graph, 2 * n * sizeof *numbers);
    if (!numbers) return w->file->graph.result;
    for (size_t i = 0; i < n; i++) numbers[i] = scale, numbers[n + i] = offset;
    w->now.flat = false; /* however its values are told apart */
    const int result = onnx_scale(w, numbers, numbers + n);
    w->now.flat = flat;
    return result;
}

/* The text's `pad` puts the odd row after, `crop` takes it from there: with one row a line any place can be
 * reached. First what is put around, then what is cut. */
static int64_t to_pad(int64_t before, int64_t after) {
    if (before > 0) return 2 * before + (after > before);
    return after > before;
}

int onnx_place(struct onnx_writer *w, const int64_t before[2], const int64_t after[2]) {
    int64_t b[] = {before[0], before[1]}, a[] = {after[0], after[1]};
    for (size_t i = 0; i < 2; i++)
        if (b[i] > most_whole || b[i] < -most_whole || a[i] > most_whole || a[i] < -most_whole)
            return REFUSE(w, "%lld pixels before and %lld after", (long long)b[i], (long long)a[i]);
    for (size_t lines = 0; b[0] || b[1] || a[0] || a[1]; lines++) {
        const int64_t pad[] = {to_pad(b[0], a[0]), to_pad(b[1], a[1])};
        const bool pads = pad[0] > 0 || pad[1] > 0;
        int64_t size[] = {(int64_t)w->now.shape.h, (int64_t)w->now.shape.w};
        for (size_t i = 0; i < 2; i++) {
            const int64_t change = pads ? pad[i] : -to_pad(-b[i], -a[i]);
            size[i] += change;
            b[i] -= change / 2, a[i] -= change - change / 2;
        }
        if (size[0] < 1 || size[1] < 1) return REFUSE(w, "nothing is left of the picture");
        if (lines == 8)
            return REFUSE(w, "borders so unequal that a network's text needs more than 8 lines for them");
        CHECK(onnx_say(w, "%s %lld %lld", pads ? "pad" : "crop", (long long)size[0], (long long)size[1]));
    }
    return w->file->graph.result;
}

/* --- What nodes say ------------------------------------------------------------------------------- */

/* NULL where the node has none of that name; or it is of another kind, which is refused. */
static const struct onnx_attribute *attribute(struct onnx_writer *w, const char *name, enum onnx_kind kind) {
    const struct onnx_attribute *a = onnx_attribute(w->step->node, name);
    if (a && a->kind != kind) REFUSE(w, "%s: not of the type expected", name);
    return a && a->kind == kind ? a : NULL;
}

static int64_t whole(struct onnx_writer *w, const char *name, int64_t value) {
    if (value <= most_whole && value >= -most_whole) return value;
    REFUSE(w, "%s: %lld is out of range", name, (long long)value);
    return 0;
}

int64_t onnx_int_of(struct onnx_writer *w, const char *name, int64_t standard) {
    const struct onnx_attribute *a = attribute(w, name, ONNX_INT);
    return whole(w, name, a ? a->i : standard);
}

void onnx_ints_of(struct onnx_writer *w, const char *name, size_t count, int64_t standard, int64_t *values) {
    const struct onnx_attribute *a = attribute(w, name, ONNX_INTS);
    const bool given = a && a->count == count;
    if (a && !given) REFUSE(w, "%s: %zu numbers, %zu expected", name, a->count, count);
    for (size_t i = 0; i < count; i++) values[i] = whole(w, name, given ? a->ints[i] : standard);
}

float onnx_real_of(struct onnx_writer *w, const char *name, float standard) {
    const struct onnx_attribute *a = attribute(w, name, ONNX_REAL);
    return a ? a->f : standard;
}

const char *onnx_word_of(struct onnx_writer *w, const char *name, const char *standard) {
    const struct onnx_attribute *a = attribute(w, name, ONNX_WORD);
    return a ? a->word : standard;
}

const struct onnx_tensor *onnx_reals_of(struct onnx_writer *w, size_t i) {
    const struct onnx_node *node = w->step->node;
    if (i >= node->inputs || *node->input[i] == '\0') return NULL;
    const struct onnx_tensor *t = onnx_constant(w->file, node->input[i]);
    if (!t) REFUSE(w, "'%.60s' is computed; expected constants", node->input[i]);
    if (t && t->type != ONNX_FLOAT)
        REFUSE(w, "'%.60s' is of type %s; expected FLOAT", node->input[i], onnx_type_name(t->type));
    return t && t->type == ONNX_FLOAT ? t : NULL;
}

/* --- Values that are read again ------------------------------------------------------------------- */

/* What flows into a step from the one above. */
static const char *flowing(const struct onnx_path *path, size_t step) {
    return step > 0 ? path->step[step - 1].to : path->file->graph.input.name;
}

/* The input that the step takes as it flows: in a sum any, in a difference the second. */
static size_t main_input(const struct onnx_path *path, size_t step) {
    const struct onnx_step *s = &path->step[step];
    if (s->inputs == 2 && strcmp(s->node->op, "Sub") == 0) return 1;
    for (size_t i = 0; s->rule && strcmp(s->rule->form, "Add") == 0 && i < s->inputs; i++)
        if (strcmp(s->input[i], flowing(path, step)) == 0) return i;
    return 0;
}

static bool is_read_again(const struct onnx_path *path, const char *value) {
    for (size_t i = 0; i < path->count; i++)
        for (size_t j = 0; j < path->step[i].inputs; j++)
            if (strcmp(path->step[i].input[j], value) == 0 &&
                (j != main_input(path, i) || strcmp(flowing(path, i), value) != 0))
                return true;
    return false;
}

struct onnx_known *onnx_known_of(struct onnx_writer *w, const char *value) {
    for (size_t i = 0; w->path->step + i <= w->step; i++)
        if (strcmp(flowing(w->path, i), value) == 0) return &w->known[i];
    return NULL;
}

struct onnx_list onnx_shape_of(struct onnx_writer *w, const char *value) {
    const struct onnx_known *known = onnx_known_of(w, onnx_origin(w->file, value));
    if (!known) return (struct onnx_list){0};
    const int64_t c = (int64_t)known->shape.c, y = (int64_t)known->shape.h, x = (int64_t)known->shape.w;
    struct onnx_list list = {
        .given = true, .dims = 1, .dim = {4}, .count = 4, .value = {ONNX_BATCH, c, y, x}};
    if (known->last) list.value[1] = y, list.value[2] = x, list.value[3] = c;
    if (known->flat) list.dim[0] = list.count = 2, list.value[1] = c * y * x;
    return list;
}

static int load(struct onnx_writer *w, const char *value) {
    const struct onnx_known *known = onnx_known_of(w, value);
    CHECK(onnx_say(w, "load s%zu", known->saved));
    w->now = *known;
    return CAELUM_OK;
}

int onnx_join(struct onnx_writer *w, const char *word) {
    const struct onnx_path *path = w->path;
    const size_t main = main_input(path, (size_t)(w->step - path->step));
    bool positive = w->now.positive;
    for (size_t i = 0; i < w->step->inputs; i++) {
        const struct onnx_known *known = onnx_known_of(w, w->step->input[i]);
        if (i == main) continue;
        if (known->flat != w->now.flat || known->last != w->now.last)
            return REFUSE(w, "of pictures and of what Flatten has made one row");
        CHECK(onnx_say(w, "%s s%zu", word, known->saved));
        positive = positive && known->positive;
    }
    w->now.positive = positive;
    return CAELUM_OK;
}

/* What is known of the value that flows now, the input of step i; it is saved if it is read again. */
static int know(struct onnx_writer *w, size_t i) {
    const char *value = flowing(w->path, i);
    if (is_read_again(w->path, value)) {
        if (w->saves == NET_SKIPS) return REFUSE(w, "more than %d values are read again", NET_SKIPS);
        w->now.saved = ++w->saves;
        CHECK(onnx_say(w, "save s%zu", w->saves));
    } else {
        w->now.saved = 0;
    }
    w->known[i] = w->now;
    return CAELUM_OK;
}

/* --- All ------------------------------------------------------------------------------------------ */

/* Whether a word stands in a list with blanks between. */
static bool is_listed(const char *word, const char *listed) {
    const size_t length = strlen(word);
    for (const char *at = listed; length > 0 && (at = strstr(at, word)); at++)
        if ((at == listed || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0')) return true;
    return false;
}

static int write_step(struct onnx_writer *w) {
    const struct onnx_node *node = w->step->node;
    const struct onnx_rule *rule = w->step->rule;
    const size_t i = (size_t)(w->step - w->path->step);
    if (!rule) return REFUSE(w, "an operator that a network's text has no layer for");
    if (!strchr(rule->form, '(')) {
        if (node->inputs < rule->least || node->inputs > rule->most)
            return REFUSE(w, "%zu inputs, at least %zu and at most %zu expected", node->inputs, rule->least,
                          rule->most);
        for (size_t j = 0; j < node->attributes; j++)
            if (!is_listed(node->attribute[j].name, rule->words))
                return REFUSE(w, "its attribute '%.40s' is not understood", node->attribute[j].name);
    }
    const char *first = w->step->input[main_input(w->path, i)];
    if (strcmp(first, flowing(w->path, i)) != 0) CHECK(load(w, first));
    const int result = rule->line(w);
    return result ? result : w->file->graph.result;
}

/* A row of numbers is of as many channels at the end; for rows that go in, what is as long as one of them is
 * laid out like it. */
static int finish(struct onnx_writer *w) {
    const struct shape now = w->now.shape, in = w->net->input;
    const size_t values = shape_values(now);
    const bool flat = w->now.flat;
    if (flat && onnx_is_turned(&w->now)) CHECK(onnx_say_diagonal(w, 1, 1, 1));
    if (flat && w->file->graph.input.dims == 2 && values == shape_values(in)) {
        if (memcmp(&w->now.shape, &in, sizeof in) != 0)
            CHECK(onnx_say(w, "reshape %zu %zu %zu", in.c, in.h, in.w));
    } else if (flat && w->now.shape.c != values) {
        CHECK(onnx_say(w, "reshape %zu 1 1", values));
    }
    if (!last_layer(w)) CHECK(onnx_say(w, "act linear")); /* a network has a layer */
    return net_finish(w->net, w->file->graph.err);
}

int onnx_write_lines(struct onnx_writer *w, const struct onnx_known *input) {
    struct onnx_path *path = w->path;
    if (path->count == 0) return onnx_fail(w->file, "its output is its input");
    CHECK(net_begin(&w->net, w->file->path, input->shape, w->file->graph.err));
    w->now = *input;
    for (size_t i = 0; i < path->count; i++) {
        w->step = &path->step[i];
        CHECK(know(w, i));
        CHECK(write_step(w));
        if (strcmp(w->step->to, "latent") == 0 && last_layer(w)) CHECK(onnx_say(w, "latent"));
    }
    return finish(w);
}
