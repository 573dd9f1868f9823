/* onnx_path.c - the path through a graph that a network's text can express: one chain of layers from input to
 * output, where some read a value further up the chain a second time (`save`, `add`, `concat`).
 *
 * It is found backwards from the output. Of a sum's terms the chain continues with the one that has more
 * nodes above it; the others must be on it. */
#include "exchange/onnx_import.h"

#include "base/mem.h"
#include "base/number.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* --- Looking at a graph --------------------------------------------------------------------------- */

const struct onnx_attribute *onnx_attribute(const struct onnx_node *node, const char *name) {
    for (size_t i = 0; i < node->attributes; i++)
        if (strcmp(node->attribute[i].name, name) == 0) return &node->attribute[i];
    return NULL;
}

const struct onnx_node *onnx_maker(const struct onnx_file *file, const char *value, const char *op) {
    const struct onnx_source *source = onnx_find(file, onnx_origin(file, value));
    if (!source || !source->node || strcmp(source->node->op, op) != 0) return NULL;
    return strcmp(source->node->output[0], source->name) == 0 && source->node->inputs > 0 ? source->node
                                                                                          : NULL;
}

static bool is_noise(const struct onnx_node *node) {
    return node->doc && strncmp(node->doc, "noise ", 6) == 0;
}

/* Dropout's third input, since opset 12, is whether it is for training: false, or left out. */
static bool is_false(const struct onnx_file *file, const char *value) {
    const struct onnx_source *source = onnx_find(file, value);
    const struct onnx_tensor *t = *value && source ? source->tensor : NULL;
    return !*value || (t && t->type == ONNX_BOOL && t->data && *(const uint8_t *)t->data == 0);
}

static bool keeps_places(const struct onnx_node *transpose) {
    const struct onnx_attribute *perm = onnx_attribute(transpose, "perm");
    bool kept = perm && perm->kind == ONNX_INTS;
    for (size_t i = 0; kept && i < perm->count; i++) kept = perm->ints[i] == (int64_t)i;
    return kept;
}

/* Whether the node's first output is its first input. What flows is floats: a Cast to them does nothing. */
static bool changes_nothing(const struct onnx_file *file, const struct onnx_node *node) {
    const struct onnx_attribute *to = onnx_attribute(node, "to");
    if (strcmp(node->op, "Identity") == 0) return node->inputs == 1 && !is_noise(node);
    if (strcmp(node->op, "Cast") == 0)
        return node->inputs == 1 && to && to->kind == ONNX_INT && to->i == ONNX_FLOAT;
    if (strcmp(node->op, "Transpose") == 0) return node->inputs == 1 && keeps_places(node);
    if (strcmp(node->op, "Concat") == 0) return node->inputs == 1;
    return strcmp(node->op, "Dropout") == 0 && node->inputs >= 1 && node->inputs <= 3 &&
           (node->inputs < 3 || is_false(file, node->input[2]));
}

const char *onnx_origin(const struct onnx_file *file, const char *value) {
    for (;;) {
        const struct onnx_source *source = onnx_find(file, value);
        if (!source || !source->node || !changes_nothing(file, source->node) ||
            strcmp(source->node->output[0], value) != 0)
            return value;
        value = source->node->input[0];
    }
}

const struct onnx_tensor *onnx_constant(const struct onnx_file *file, const char *value) {
    const struct onnx_source *source = onnx_find(file, onnx_origin(file, value));
    return source ? source->tensor : NULL;
}

int onnx_refuse(const struct onnx_path *path, const struct onnx_node *node, struct caelum_error *err,
                const char *format, ...) {
    char sentence[300];
    va_list list;
    va_start(list, format);
    number_vprint(sentence, sizeof sentence, format, list);
    va_end(list);
    return caelum_fail(err, CAELUM_EFORMAT, "%s: node '%.60s' (%.30s): %s", path->path, node->name, node->op,
                       sentence);
}

static bool same(const struct onnx_file *file, const char *a, const char *b) {
    return strcmp(onnx_origin(file, a), onnx_origin(file, b)) == 0;
}

/* --- Layers of several nodes ---------------------------------------------------------------------- */

static bool is_number(const struct onnx_tensor *t, float number) {
    return t && t->type == ONNX_FLOAT && t->values == 1 &&
           fabsf(*(const float *)t->data - number) <= 1e-6f * number;
}

/* If value = op(number, y) or op(y, number): y. */
static const char *beside_number(const struct onnx_file *file, const char *value, const char *op,
                                 float number) {
    const struct onnx_node *node = value ? onnx_maker(file, value, op) : NULL;
    if (!node || node->inputs != 2) return NULL;
    if (is_number(onnx_constant(file, node->input[0]), number)) return node->input[1];
    return is_number(onnx_constant(file, node->input[1]), number) ? node->input[0] : NULL;
}

/* If value = op(x, y) or op(y, x): y. */
static const char *beside(const struct onnx_file *file, const char *value, const char *op, const char *x) {
    const struct onnx_node *node = value ? onnx_maker(file, value, op) : NULL;
    if (!node || node->inputs != 2) return NULL;
    if (same(file, node->input[0], x)) return node->input[1];
    return same(file, node->input[1], x) ? node->input[0] : NULL;
}

/* If value = op(x): x. */
static const char *under(const struct onnx_file *file, const char *value, const char *op) {
    const struct onnx_node *node = value ? onnx_maker(file, value, op) : NULL;
    return node ? node->input[0] : NULL;
}

/* Whether it is x / 6 + 1/2, held within 0 and 1. */
static bool is_sixth(const struct onnx_file *file, const char *value) {
    const struct onnx_node *node = onnx_maker(file, value, "HardSigmoid");
    const struct onnx_attribute *alpha = node ? onnx_attribute(node, "alpha") : NULL,
                                *beta = node ? onnx_attribute(node, "beta") : NULL;
    return alpha && alpha->kind == ONNX_REAL && fabsf(alpha->f - 1.0f / 6) < 1e-6f &&
           (!beta || (beta->kind == ONNX_REAL && beta->f == 0.5f));
}

/* x times its own sigmoid, or the hard one. */
static bool find_silu(const struct onnx_file *file, struct onnx_step *step) {
    for (size_t i = 0; i < 2; i++) {
        const char *x = under(file, step->node->input[i], "Sigmoid");
        step->word = x ? "silu" : "hardswish";
        if (!x && is_sixth(file, step->node->input[i])) x = under(file, step->node->input[i], "HardSigmoid");
        if (x && same(file, x, step->node->input[1 - i])) {
            step->kind = ONNX_STEP_ACTIVATE, step->from = x;
            return true;
        }
    }
    return false;
}

/* 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) as activation.c and PyTorch 1.13 write it. */
static bool find_gelu(const struct onnx_file *file, struct onnx_step *step) {
    const char *twice = beside_number(file, step->to, "Mul", 0.5f);
    const struct onnx_node *product = twice ? onnx_maker(file, twice, "Mul") : NULL;
    for (size_t i = 0; product && product->inputs == 2 && i < 2; i++) {
        const char *x = product->input[i];
        const char *tanh = under(file, beside_number(file, product->input[1 - i], "Add", 1), "Tanh");
        const char *sum = beside_number(file, tanh, "Mul", 0.797884560803f);
        const char *cube = beside_number(file, beside(file, sum, "Add", x), "Mul", 0.044715f);
        const char *square = beside(file, cube, "Mul", x), *again = beside(file, square, "Mul", x);
        if (again && same(file, again, x)) {
            step->kind = ONNX_STEP_ACTIVATE, step->word = "gelu", step->from = x;
            return true;
        }
    }
    return false;
}

static bool find_quantize(const struct onnx_file *file, struct onnx_step *step) {
    for (size_t i = 0; i < 2; i++) {
        const struct onnx_tensor *number = onnx_constant(file, step->node->input[i]);
        const char *steps = under(file, step->node->input[1 - i], "Round");
        if (!steps || !number || number->type != ONNX_FLOAT || number->values != 1) continue;
        step->number = *(const float *)number->data;
        step->from = beside_number(file, steps, "Mul", 1 / step->number);
        step->kind = ONNX_STEP_QUANTIZE;
        if (step->from) return true;
    }
    return false;
}

/* GELU by the error function, to say so. */
static bool has_erf(const struct onnx_file *file, const char *value, size_t levels) {
    const struct onnx_source *source = onnx_find(file, value);
    if (levels == 0 || !source || !source->node) return false;
    if (strcmp(source->node->op, "Erf") == 0) return true;
    for (size_t i = 0; i < source->node->inputs && i < 2; i++)
        if (has_erf(file, source->node->input[i], levels - 1)) return true;
    return false;
}

/* If one of the node's two inputs is a constant, the path continues with the other. */
static bool beside_constant(const struct onnx_file *file, struct onnx_step *step) {
    const struct onnx_node *node = step->node;
    if (node->inputs != 2) return false;
    for (size_t i = 0; i < 2; i++)
        if (onnx_constant(file, node->input[i]) && !onnx_constant(file, node->input[1 - i])) {
            step->from = node->input[1 - i], step->constant = node->input[i];
            return true;
        }
    return false;
}

static int find_product(const struct onnx_path *path, struct onnx_step *step, struct caelum_error *err) {
    const struct onnx_file *file = path->file;
    if (step->node->inputs == 2 &&
        (find_silu(file, step) || find_gelu(file, step) || find_quantize(file, step)))
        return CAELUM_OK;
    if (has_erf(file, step->to, 4))
        return onnx_refuse(path, step->node, err,
                           "GELU by erf; a network's text has its tanh form alone, which differs by up to "
                           "0.0005: train and export with approximate='tanh'");
    if (beside_constant(file, step)) return CAELUM_OK;
    return onnx_refuse(path, step->node, err,
                       "a product that is neither SiLU, nor GELU in its tanh form, nor rounding to steps");
}

/* What is inside such a step is looked at again when its line is written. */
static void find_shuffle(const struct onnx_file *file, struct onnx_step *step) {
    const char *turned = strcmp(step->node->op, "Reshape") == 0 ? step->node->input[0] : NULL;
    const char *cut = under(file, turned, "Transpose"), *x = under(file, cut, "Reshape");
    if (x) step->kind = ONNX_STEP_SHUFFLE, step->from = x;
    const char *squares = strcmp(step->node->op, "Gather") == 0 ? step->node->input[0] : NULL;
    x = under(file, squares, "SpaceToDepth");
    if (x) step->kind = ONNX_STEP_UNSHUFFLE, step->from = x;
}

/* Groups of channels, each laid out as one, normalized, and laid out as they were. */
static void find_normal(const struct onnx_file *file, struct onnx_step *step) {
    if (strcmp(step->node->op, "Reshape") != 0) return;
    const struct onnx_node *normal = onnx_maker(file, step->node->input[0], "InstanceNormalization");
    const char *x = normal ? under(file, normal->input[0], "Reshape") : NULL;
    if (x) step->kind = ONNX_STEP_NORMALIZE, step->from = x;
}

/* --- The way -------------------------------------------------------------------------------------- */

/* depth[i]: the most nodes on a way from the input to node i's output. */
static void measure(const struct onnx_file *file, size_t *depth) {
    for (size_t i = 0; i < file->graph.nodes; i++) {
        const struct onnx_node *node = &file->graph.node[i];
        for (size_t j = 0; j < node->inputs; j++) {
            const struct onnx_source *source = onnx_find(file, node->input[j]);
            const size_t above = source && source->node ? depth[source->node - file->graph.node] : 0;
            if (above >= depth[i]) depth[i] = above + 1;
        }
    }
}

/* The terms of a sum, or the parts of a concatenation. */
static int split(const struct onnx_path *path, struct onnx_step *step, const size_t *depth,
                 struct caelum_error *err) {
    const struct onnx_node *node = step->node;
    const bool sum = strcmp(node->op, "Add") == 0;
    size_t deepest = 0, most = 0;
    if (sum && beside_constant(path->file, step)) return CAELUM_OK;
    if (node->inputs < 1 || node->inputs > ONNX_MOST_SKIPS || (sum && node->inputs != 2))
        return onnx_refuse(path, node, err, "%zu inputs", node->inputs);
    for (size_t i = 0; i < node->inputs; i++) {
        const struct onnx_source *source = onnx_find(path->file, onnx_origin(path->file, node->input[i]));
        if (!source || source->tensor)
            return onnx_refuse(path, node, err,
                               "'%.60s' is a constant; a network's text appends only what it made",
                               node->input[i]);
        const size_t d = source->node ? depth[source->node - path->file->graph.node] : 0;
        if (i == 0 || d > most) deepest = i, most = d;
    }
    if (!sum && deepest != 0)
        return onnx_refuse(path, node, err,
                           "'%.60s', which is made last, must come first; a network's text appends what was "
                           "saved",
                           node->input[deepest]);
    step->from = node->input[deepest];
    for (size_t i = 0; i < node->inputs; i++)
        if (i != deepest) step->skip[step->skips++] = onnx_origin(path->file, node->input[i]);
    return CAELUM_OK;
}

static int find_step(const struct onnx_path *path, struct onnx_step *step, const char *value,
                     const size_t *depth, struct caelum_error *err) {
    const struct onnx_source *source = onnx_find(path->file, value);
    if (!source || !source->node)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: the output does not depend on the input", path->path);
    *step = (struct onnx_step){.node = source->node, .to = value};
    if (strcmp(source->node->output[0], value) != 0)
        return onnx_refuse(path, step->node, err, "only its first output is understood");
    if (step->node->inputs == 0)
        return onnx_refuse(path, step->node, err, "the output does not depend on the input");
    step->from = step->node->input[0];
    const char *op = step->node->op;
    if (strcmp(op, "Mul") == 0) return find_product(path, step, err);
    if (strcmp(op, "Add") == 0 || strcmp(op, "Concat") == 0) return split(path, step, depth, err);
    if ((strcmp(op, "Sub") == 0 || strcmp(op, "Div") == 0) && !beside_constant(path->file, step))
        return onnx_refuse(path, step->node, err, "of what is computed; expected a constant");
    find_shuffle(path->file, step);
    find_normal(path->file, step);
    return CAELUM_OK;
}

static bool is_above(const struct onnx_path *path, size_t step, const char *value) {
    for (size_t i = 0; i <= step; i++)
        if (strcmp(path->step[i].from, value) == 0) return true;
    return false;
}

static int check_skips(const struct onnx_path *path, struct caelum_error *err) {
    for (size_t i = 0; i < path->count; i++)
        for (size_t j = 0; j < path->step[i].skips; j++)
            if (!is_above(path, i, path->step[i].skip[j]))
                return onnx_refuse(path, path->step[i].node, err,
                                   "'%.60s' comes from a branch of its own; in a network's text layers stand "
                                   "in one row, and a skip reads what a layer of that row has made",
                                   path->step[i].skip[j]);
    return CAELUM_OK;
}

static int walk(struct onnx_path *path, const size_t *depth, struct caelum_error *err) {
    const char *value = onnx_origin(path->file, path->file->graph.output.name);
    size_t first = ONNX_MOST_STEPS;
    while (strcmp(value, path->file->graph.input.name) != 0) {
        if (first == 0)
            return caelum_fail(err, CAELUM_EFORMAT, "%s: more than %d layers", path->path, ONNX_MOST_STEPS);
        struct onnx_step *step = &path->step[--first];
        CHECK(find_step(path, step, value, depth, err));
        value = step->from = onnx_origin(path->file, step->from);
    }
    path->count = ONNX_MOST_STEPS - first;
    memmove(path->step, path->step + first, path->count * sizeof *path->step);
    return check_skips(path, err);
}

int onnx_find_path(struct onnx_path *path, struct caelum_error *err) {
    size_t *depth = NULL;
    CHECK(mem_alloc(&depth, path->file->graph.nodes + 1, sizeof *depth, err));
    measure(path->file, depth);
    const int result = walk(path, depth, err);
    mem_free(&depth);
    return result;
}
