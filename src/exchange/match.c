/* match.c - arrays of a file to tensors of a model: by the names of ours where the file has one, else by
 * shapes and what its own names tell. Each step assigns what is certain; what no step decides is for the
 * caller to say, and never guessed: two layers of one shape that are exchanged give a model that runs, and is
 * wrong. */
#include "base/ascii.h"
#include "base/mem.h"
#include "exchange/exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const size_t none = SIZE_MAX;

struct matching {
    struct caelum_model *model;
    const struct safetensor *array;
    size_t arrays, count; /* in the file; tensors in the model */
    struct mem_group memory;
    struct caelum_tensor *tensor; /* [count] */
    size_t *to;                   /* [count]: the tensor of each array, or none */
    size_t *at;                   /* [count]: the array of each tensor, or none */
    const struct match_evidence *evidence;
    const char *path;
};

/* An array without a tensor yet, and what tells its place among those of its shape. */
struct candidate {
    const char *name;
    size_t index, word; /* in the file; of `order` that it is called by */
    bool file_order;
};

static const char *shape_text(size_t dims, const size_t *dim, char text[96]) {
    size_t used = (size_t)snprintf(text, 96, "[");
    for (size_t d = 0; d < dims; d++)
        used += (size_t)snprintf(text + used, 96 - used, d ? ", %zu" : "%zu", dim[d]);
    snprintf(text + used, 96 - used, "]");
    return text;
}

/* --- Names ---------------------------------------------------------------------------------------- */

static size_t stem(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot ? (size_t)(dot - name) : strlen(name);
}
static bool same_stem(const char *a, const char *b) {
    return stem(a) == stem(b) && memcmp(a, b, stem(a)) == 0;
}

/* Letter by letter, runs of digits by their value, however long. In *numbers_alone whether nothing else
 * differs. */
static int by_number(const char *a, const char *b, bool *numbers_alone) {
    int order = 0;
    *numbers_alone = true;
    for (;;) {
        if (ascii_digit(*a) && ascii_digit(*b)) {
            a += strspn(a, "0"), b += strspn(b, "0");
            const size_t n = strspn(a, "0123456789"), m = strspn(b, "0123456789");
            const int here = n != m ? (n < m ? -1 : 1) : strncmp(a, b, n);
            if (order == 0) order = here;
            a += n, b += m;
        } else if (*a != *b) {
            *numbers_alone = false;
            return order ? order : (unsigned char)*a < (unsigned char)*b ? -1 : 1;
        } else if (*a == '\0') {
            return order;
        } else {
            a++, b++;
        }
    }
}

/* Whether `name` is the word, or goes on behind it with a dot or a slash. */
static bool is_called(const char *name, const char *word, size_t length) {
    return strncmp(name, word, length) == 0 && (name[length] == '\0' || strchr("./", name[length]));
}

/* Which word of the order calls the name: the longest that does; none if there is none. */
static size_t word_of(const char *order, const char *name) {
    size_t best = none, most = 0, n = 0;
    for (const char *word = order; word && *word; n++) {
        const size_t length = strcspn(word, ",");
        if (length > most && is_called(name, word, length)) best = n, most = length;
        word += length + (word[length] == ',');
    }
    return best;
}

static int check_order(const struct matching *m, struct caelum_error *err) {
    for (const char *word = m->evidence->order; word && *word;) {
        const size_t length = strcspn(word, ",");
        bool called = false;
        for (size_t i = 0; length > 0 && i < m->count; i++)
            called |= is_called(m->array[i].name, word, length);
        if (!called)
            return caelum_fail(err, CAELUM_EUSAGE, "%s: order '%s': no tensor is called '%.*s'", m->path,
                               m->evidence->order, (int)(length < 60 ? length : 60), word);
        word += length + (word[length] == ',');
    }
    return CAELUM_OK;
}

/* --- Shapes --------------------------------------------------------------------------------------- */

static bool fits(const struct safetensor *array, const struct caelum_tensor *tensor) {
    return array->dims == tensor->dims &&
           memcmp(array->dim, tensor->dim, array->dims * sizeof *array->dim) == 0;
}

/* As many arrays as tensors of every shape, and so in all. */
static int check_shapes(const struct matching *m, struct caelum_error *err) {
    char shape[96];
    for (size_t i = 0; i < m->count; i++) {
        const struct caelum_tensor *t = &m->tensor[i];
        size_t there = 0, wanted = 0;
        for (size_t j = 0; j < m->arrays; j++) there += fits(&m->array[j], t);
        for (size_t j = 0; j < m->count; j++)
            wanted += t->dims == m->tensor[j].dims && memcmp(t->dim, m->tensor[j].dim, sizeof t->dim) == 0;
        if (there < wanted)
            return caelum_fail(
                err, CAELUM_EFORMAT,
                "%s: one for %s is missing: the network has %zu tensors of shape %s, the file %zu", m->path,
                t->name, wanted, shape_text(t->dims, t->dim, shape), there);
    }
    for (size_t i = 0; m->arrays > m->count && i < m->arrays; i++) {
        const struct safetensor *a = &m->array[i];
        bool wanted = false;
        for (size_t j = 0; j < m->count; j++) wanted |= fits(a, &m->tensor[j]);
        if (!wanted || i + 1 == m->arrays)
            return caelum_fail(err, CAELUM_EFORMAT,
                               "%s: %zu tensors, the network has %zu: '%s' %s is too many", m->path,
                               m->arrays, m->count, a->name, shape_text(a->dims, a->dim, shape));
    }
    return CAELUM_OK;
}

/* --- Steps ---------------------------------------------------------------------------------------- */

static void assign(struct matching *m, size_t array, size_t tensor) {
    m->to[array] = tensor;
    m->at[tensor] = array;
}

/* The array's tensor is in the layer that the other arrays of its stem are in, if that has one place for it,
 * and no other array of the stem wants it. */
static bool assign_by_stem(struct matching *m, size_t a) {
    size_t layer = none, place = none, places = 0;
    for (size_t i = 0; i < m->count; i++) {
        if (i == a || !same_stem(m->array[i].name, m->array[a].name)) continue;
        if (m->to[i] != none) {
            if (layer != none && !same_stem(m->tensor[layer].name, m->tensor[m->to[i]].name)) return false;
            layer = m->to[i];
        } else if (m->array[i].dims == m->array[a].dims &&
                   memcmp(m->array[i].dim, m->array[a].dim, sizeof m->array[a].dim) == 0) {
            return false;
        }
    }
    for (size_t t = 0; layer != none && t < m->count; t++)
        if (m->at[t] == none && fits(&m->array[a], &m->tensor[t]) &&
            same_stem(m->tensor[t].name, m->tensor[layer].name))
            place = t, places++;
    if (places != 1) return false;
    assign(m, a, place);
    return true;
}

/* Only one tensor of its shape has no array yet. */
static bool assign_alone(struct matching *m, size_t a) {
    size_t place = none, places = 0;
    for (size_t t = 0; t < m->count; t++)
        if (m->at[t] == none && fits(&m->array[a], &m->tensor[t])) place = t, places++;
    if (places == 1) assign(m, a, place);
    return places == 1;
}

static int compare(const struct candidate *p, const struct candidate *q, bool *known) {
    bool numbers_alone;
    const int by_name = by_number(p->name, q->name, &numbers_alone);
    *known = p->word != q->word || p->file_order || (numbers_alone && by_name != 0);
    if (p->word != q->word) return p->word < q->word ? -1 : 1;
    return p->file_order || by_name == 0 ? (p->index > q->index) - (p->index < q->index) : by_name;
}
static int compare_candidates(const void *p, const void *q) {
    bool known;
    return compare(p, q, &known);
}

/* Unassigned arrays of the shape of tensor t in their order; or which two have none. */
static int assign_in_order(struct matching *m, size_t t, struct candidate *c, struct caelum_error *err) {
    const struct caelum_tensor shape = m->tensor[t];
    size_t n = 0;
    for (size_t i = 0; i < m->count; i++)
        if (m->to[i] == none && fits(&m->array[i], &shape))
            c[n++] = (struct candidate){m->array[i].name, i, word_of(m->evidence->order, m->array[i].name),
                                        m->evidence->file_order};
    qsort(c, n, sizeof *c, compare_candidates);
    for (size_t i = 1; i < n; i++) {
        bool known;
        char text[96];
        compare(&c[i - 1], &c[i], &known);
        if (!known)
            return caelum_fail(
                err, CAELUM_EFORMAT,
                "%s: '%s' and '%s' are both %s, and the file does not say which comes first in "
                "the network: say so by --order NAME,NAME,..., names or their beginnings",
                m->path, c[i - 1].name, c[i].name, shape_text(shape.dims, shape.dim, text));
    }
    for (size_t i = 0, to = 0; i < n; i++, to++) {
        while (m->at[to] != none || !fits(&m->array[c[i].index], &m->tensor[to])) to++;
        assign(m, c[i].index, to);
    }
    return CAELUM_OK;
}

/* What is certain first: an order is asked for only where nothing else decides. */
static int assign_all(struct matching *m, struct candidate *c, struct caelum_error *err) {
    for (;;) {
        bool more = false;
        size_t open = none;
        for (size_t i = 0; i < m->count; i++)
            if (m->to[i] == none) more |= assign_alone(m, i) || assign_by_stem(m, i);
        if (more) continue;
        for (size_t t = m->count; t-- > 0;)
            if (m->at[t] == none) open = t;
        if (open == none) return CAELUM_OK;
        CHECK(assign_in_order(m, open, c, err));
    }
}

/* --- All ------------------------------------------------------------------------------------------ */

static int match_by_shape(struct matching *m, struct caelum_error *err) {
    struct candidate *candidate = NULL;
    CHECK(check_shapes(m, err));
    CHECK(check_order(m, err));
    CHECK(mem_take(&m->memory, &candidate, m->count, sizeof *candidate, err));
    for (size_t i = 0; i < m->count; i++) m->to[i] = none;
    return assign_all(m, candidate, err);
}

static bool is_named(const struct safetensor *array, const struct caelum_tensor *tensor) {
    return strcmp(array->name, tensor->name) == 0;
}

/* Whether the names are the model's: then all must be there, and no others. */
static int check_names(struct matching *m, struct caelum_error *err) {
    char expected[96], got[96];
    size_t halves = 0;
    if (m->evidence->order)
        return caelum_fail(err, CAELUM_EUSAGE,
                           "%s: its tensors have the network's names, which decide: an order is for others",
                           m->path);
    for (size_t t = 0; t < m->count; t++) {
        const struct caelum_tensor *tensor = &m->tensor[t];
        if (m->at[t] == none)
            return caelum_fail(err, CAELUM_EFORMAT, "%s: tensor '%s' is missing", m->path, tensor->name);
        const struct safetensor *from = &m->array[m->at[t]];
        if (!fits(from, tensor))
            return caelum_fail(err, CAELUM_EFORMAT, "%s: tensor '%s' for %s: shape %s, expected %s", m->path,
                               from->name, tensor->name, shape_text(from->dims, from->dim, got),
                               shape_text(tensor->dims, tensor->dim, expected));
        halves += from->type == TENSOR_F16;
    }
    for (size_t i = 0; i < m->arrays; i++) {
        bool known = false;
        for (size_t t = 0; t < m->count; t++)
            known |= is_named(&m->array[i], &m->tensor[t]) && fits(&m->array[i], &m->tensor[t]);
        if (!known)
            return caelum_fail(err, CAELUM_EFORMAT, "%s: tensor '%s': the network has none of that name",
                               m->path, m->array[i].name);
    }
    m->model->half = halves > 0 && halves == m->count;
    return CAELUM_OK;
}

static int fill(struct matching *m, struct caelum_error *err) {
    bool ours = m->arrays == 0;
    CHECK(mem_take(&m->memory, &m->tensor, m->count, sizeof *m->tensor, err));
    CHECK(mem_take(&m->memory, &m->to, m->count, sizeof *m->to, err));
    CHECK(mem_take(&m->memory, &m->at, m->count, sizeof *m->at, err));
    for (size_t t = 0; t < m->count; t++) {
        caelum_model_tensor(m->model, t, &m->tensor[t]);
        m->at[t] = none;
        for (size_t i = m->arrays; i-- > 0;)
            if (is_named(&m->array[i], &m->tensor[t])) m->at[t] = i;
        ours |= m->at[t] != none;
    }
    CHECK(ours ? check_names(m, err) : match_by_shape(m, err));
    for (size_t t = 0; t < m->count; t++)
        safetensor_floats(&m->array[m->at[t]], m->model->params + (m->tensor[t].data - m->model->params));
    return CAELUM_OK;
}

int exchange_fill(struct caelum_model *model, const struct safetensor *array, size_t count,
                  const struct match_evidence *evidence, const char *path, struct caelum_error *err) {
    struct matching m = {.model = model, .array = array, .arrays = count, .evidence = evidence, .path = path};
    struct caelum_tensor t;
    while (caelum_model_tensor(model, m.count, &t)) m.count++;
    const int result = fill(&m, err);
    mem_end(&m.memory);
    return result;
}
