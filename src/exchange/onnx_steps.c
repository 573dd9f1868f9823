/* onnx_steps.c - a graph as a row of steps, from the output back to the input: each node that is on the way,
 * or several that a rule knows by their form, below those that make what it reads. */
#include "base/number.h"
#include "exchange/onnx_import.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

/* --- Looking at a graph --------------------------------------------------------------------------- */

const struct onnx_attribute *onnx_attribute(const struct onnx_node *node, const char *name) {
    for (size_t i = 0; i < node->attributes; i++)
        if (strcmp(node->attribute[i].name, name) == 0) return &node->attribute[i];
    return NULL;
}

const struct onnx_node *onnx_maker(const struct onnx_file *file, const char *value, const char *op) {
    const struct onnx_source *source = onnx_find(file, onnx_origin(file, value));
    const struct onnx_node *node = source ? source->node : NULL;
    return node && strcmp(node->op, op) == 0 && strcmp(node->output[0], source->name) == 0 && node->inputs > 0
               ? node
               : NULL;
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
    if (node->inputs > 1)
        return strcmp(node->op, "Dropout") == 0 && node->inputs <= 3 &&
               (node->inputs < 3 || is_false(file, node->input[2]));
    if (strcmp(node->op, "Identity") == 0) return !node->doc || strncmp(node->doc, "noise ", 6) != 0;
    if (strcmp(node->op, "Cast") == 0) return to && to->kind == ONNX_INT && onnx_is_real(to->i);
    if (strcmp(node->op, "Transpose") == 0) return keeps_places(node);
    return strcmp(node->op, "Concat") == 0 || strcmp(node->op, "Dropout") == 0;
}

const char *onnx_origin(const struct onnx_file *file, const char *value) {
    for (;;) {
        const struct onnx_source *source = onnx_find(file, value);
        if (!source || !source->node || source->node->inputs == 0 || !changes_nothing(file, source->node) ||
            strcmp(source->node->output[0], value) != 0)
            return value;
        value = source->node->input[0];
    }
}

const struct onnx_tensor *onnx_constant(const struct onnx_file *file, const char *value) {
    const struct onnx_source *source = onnx_find(file, onnx_origin(file, value));
    return source ? source->tensor : NULL;
}

/* What those who export know an operator as, where that is not its name. */
static const char *known_as(const char *op) {
    static const char *const names[][2] = {{"Clip", "clamp, ReLU6"},
                                           {"ConvTranspose", "ConvTranspose2d, Conv2DTranspose"},
                                           {"Gather", "indexing"},
                                           {"Gemm", "Linear, Dense"},
                                           {"InstanceNormalization", "InstanceNorm2d, GroupNorm"},
                                           {"MatMul", "Linear, Dense, matmul"},
                                           {"Mul", "*, Multiply"},
                                           {"Pad", "pad, padding_mode, ZeroPadding2D"},
                                           {"ReduceMean", "mean, GlobalAveragePooling2D"},
                                           {"Reshape", "view, reshape, Reshape"},
                                           {"Resize", "Upsample, interpolate, UpSampling2D"},
                                           {"Slice", "slicing, Cropping2D"},
                                           {"Transpose", "permute, Permute"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i][0], op) == 0) return names[i][1];
    return "";
}

int onnx_refuse(struct onnx_path *path, const struct onnx_node *node, const char *format, ...) {
    char sentence[300];
    va_list list;
    const char *known = known_as(node->op);
    va_start(list, format);
    number_vprint(sentence, sizeof sentence, format, list);
    va_end(list);
    return onnx_fail(path->file, "node '%.60s' (%.30s%s%s): %s", node->name, node->op, *known ? "; " : "",
                     known, sentence);
}

/* --- Forms ---------------------------------------------------------------------------------------- */

/* Behind one part of a form, and the blank after it. */
static const char *next_part(const char *form) {
    int depth = 0;
    for (; depth > 0 || (*form != ' ' && *form != ')'); form++) depth += (*form == '(') - (*form == ')');
    return form + (*form == ' ');
}

static bool is_form(const struct onnx_file *file, const char *form, const char *value,
                    struct onnx_step *step);

static bool has_parts(const struct onnx_file *file, const char *form, const struct onnx_node *node,
                      bool turned, struct onnx_step *step) {
    size_t i = 0;
    for (; *form != ')'; form = next_part(form), i++)
        if (i == node->inputs || !is_form(file, form, node->input[turned ? 1 - i : i], step)) return false;
    return i == node->inputs;
}

static bool is_number(const struct onnx_tensor *t, double number) {
    return fabs((double)*(const float *)t->data - number) <= 1e-6 * fabs(number);
}

/* Whether the value is of the form, whose x and numbers are then in the step. */
static bool is_form(const struct onnx_file *file, const char *form, const char *value,
                    struct onnx_step *step) {
    const struct onnx_tensor *t = onnx_constant(file, value);
    const char *origin = onnx_origin(file, value), *end;
    const size_t length = strcspn(form, "( )");
    double number;
    char op[32];
    if (*form == '*') return true;
    if (*form == 'x') {
        if (step->inputs > 0) return strcmp(step->input[0], origin) == 0;
        step->input[step->inputs++] = origin;
        return !t;
    }
    if (form[length] != '(') {
        if (!t || t->type != ONNX_FLOAT || t->values != 1) return false;
        if (*form == 'a' || *form == 'b') step->number[*form - 'a'] = *(const float *)t->data;
        return *form == 'a' || *form == 'b' || (number_real_at(form, &end, &number) && is_number(t, number));
    }
    snprintf(op, sizeof op, "%.*s", (int)length, form);
    const struct onnx_node *node = onnx_maker(file, value, op);
    const bool commutes = strcmp(op, "Add") == 0 || strcmp(op, "Mul") == 0;
    const struct onnx_step before = *step;
    if (!node) return false;
    if (has_parts(file, form + length + 1, node, false, step)) return true;
    *step = before;
    return commutes && node->inputs == 2 && has_parts(file, form + length + 1, node, true, step);
}

bool onnx_has_form(const struct onnx_file *file, const char *form, struct onnx_step *step) {
    struct onnx_step found = *step;
    const bool has = is_form(file, form, step->to, &found);
    if (has) *step = found;
    return has;
}

/* --- The way -------------------------------------------------------------------------------------- */

/* What flows into a step that is one node. */
static int take_inputs(struct onnx_path *path, struct onnx_step *step) {
    const struct onnx_node *node = step->node;
    const bool joins = step->rule && step->rule->joins;
    if (node->inputs == 0 || node->inputs > 2 * ONNX_MOST_INPUTS)
        return onnx_refuse(path, node, "%zu inputs", node->inputs);
    for (size_t i = 0; i < (joins ? node->inputs : 1); i++)
        if (joins && node->inputs == 2 && onnx_constant(path->file, node->input[i]) &&
            !onnx_constant(path->file, node->input[1 - i]))
            step->constant = node->input[i];
        else if (step->inputs == ONNX_MOST_INPUTS)
            return onnx_refuse(path, node, "%zu inputs", node->inputs);
        else
            step->input[step->inputs++] = onnx_origin(path->file, node->input[i]);
    return CAELUM_OK;
}

/* Appends the step that makes a value, and above it those that it needs. */
static int visit(struct onnx_path *path, const char *value, size_t depth) {
    struct onnx_step step = {.to = value};
    const struct onnx_source *source = onnx_find(path->file, value);
    if (strcmp(value, path->file->graph.input.name) == 0) return CAELUM_OK;
    for (size_t i = 0; i < path->count; i++)
        if (strcmp(path->step[i].to, value) == 0) return CAELUM_OK;
    if (!source || !source->node) return onnx_fail(path->file, "'%.60s' does not depend on the input", value);
    step.node = source->node;
    if (strcmp(source->node->output[0], value) != 0)
        return onnx_refuse(path, step.node, "only its first output is understood");
    onnx_find_rule(path->file, &step);
    if (step.inputs == 0) CHECK(take_inputs(path, &step));
    for (size_t i = 0; i < step.inputs; i++)
        if (depth < ONNX_MOST_STEPS) CHECK(visit(path, step.input[i], depth + 1));
    if (path->count == ONNX_MOST_STEPS || depth == ONNX_MOST_STEPS)
        return onnx_fail(path->file, "more than %d layers", ONNX_MOST_STEPS);
    path->step[path->count++] = step;
    return CAELUM_OK;
}

int onnx_find_path(struct onnx_path *path) {
    return visit(path, onnx_origin(path->file, path->file->graph.output.name), 0);
}
