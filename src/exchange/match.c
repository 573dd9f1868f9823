/* match.c - see match.h. Each step below settles what can be known for certain; whatever is left when no step
 * settles anything more is for the caller to say, and never guessed: two layers of one shape that are
 * exchanged give a model that runs, and is wrong. */
#include "exchange/match.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const size_t none = SIZE_MAX;

struct matching {
    const struct safetensor *array;
    struct caelum_tensor *tensor; /* owned, [count] */
    size_t count;
    size_t *to; /* owned: the tensor of each array, or none */
    size_t *at; /* the array of each tensor, or none */
    const struct match_evidence *evidence;
    const char *path;
};

/* An array without a tensor yet, and what tells where it stands among its like. */
struct candidate {
    const char *name;
    size_t index, word; /* in the file; of `order` that it is called by */
    bool file_order;
};

const char *match_shape_text(size_t dims, const size_t *dim, char text[96]) {
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

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Letter by letter, runs of digits by their value, however long. In *numbers_alone whether nothing else
 * differs. */
static int by_number(const char *a, const char *b, bool *numbers_alone) {
    int order = 0;
    *numbers_alone = true;
    for (;;) {
        if (is_digit(*a) && is_digit(*b)) {
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

/* Tensors without an array of the array's shape; so many arrays of it have no tensor. */
static size_t free_tensors(const struct matching *m, const struct safetensor *array) {
    size_t n = 0;
    for (size_t i = 0; i < m->count; i++) n += m->at[i] == none && fits(array, &m->tensor[i]);
    return n;
}

/* As many arrays as tensors of every shape, and so in all. */
static int check_shapes(const struct matching *m, size_t arrays, struct caelum_error *err) {
    char shape[96];
    for (size_t i = 0; i < m->count; i++) {
        const struct caelum_tensor *t = &m->tensor[i];
        size_t there = 0, wanted = 0;
        for (size_t j = 0; j < arrays; j++) there += fits(&m->array[j], t);
        for (size_t j = 0; j < m->count; j++)
            wanted += t->dims == m->tensor[j].dims && memcmp(t->dim, m->tensor[j].dim, sizeof t->dim) == 0;
        if (there < wanted)
            return caelum_fail(
                err, CAELUM_EFORMAT,
                "%s: one for %s is missing: the network has %zu tensors of shape %s, the file %zu", m->path,
                t->name, wanted, match_shape_text(t->dims, t->dim, shape), there);
    }
    for (size_t i = 0; arrays > m->count && i < arrays; i++) {
        const struct safetensor *a = &m->array[i];
        bool wanted = false;
        for (size_t j = 0; j < m->count; j++) wanted |= fits(a, &m->tensor[j]);
        if (!wanted || i + 1 == arrays)
            return caelum_fail(err, CAELUM_EFORMAT,
                               "%s: %zu tensors, the network has %zu: '%s' %s is too many", m->path, arrays,
                               m->count, a->name, match_shape_text(a->dims, a->dim, shape));
    }
    return CAELUM_OK;
}

/* --- Steps ---------------------------------------------------------------------------------------- */

static void settle(struct matching *m, size_t array, size_t tensor) {
    m->to[array] = tensor;
    m->at[tensor] = array;
}

/* The array's tensor is in the layer that the other arrays of its stem are in, if that has one place for it,
 * and no other array of the stem wants it. */
static bool settle_by_stem(struct matching *m, size_t a) {
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
    settle(m, a, place);
    return true;
}

/* Whatever has one place alone. */
static bool settle_alone(struct matching *m, size_t a) {
    if (free_tensors(m, &m->array[a]) != 1) return false;
    for (size_t t = 0; t < m->count; t++)
        if (m->at[t] == none && fits(&m->array[a], &m->tensor[t])) {
            settle(m, a, t);
            break;
        }
    return true;
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

/* Unsettled arrays of the shape of tensor t in their order; or which two have none. */
static int settle_in_order(struct matching *m, size_t t, struct candidate *c, struct caelum_error *err) {
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
                m->path, c[i - 1].name, c[i].name, match_shape_text(shape.dims, shape.dim, text));
    }
    for (size_t i = 0, to = 0; i < n; i++, to++) {
        while (m->at[to] != none || !fits(&m->array[c[i].index], &m->tensor[to])) to++;
        settle(m, c[i].index, to);
    }
    return CAELUM_OK;
}

/* What is certain first: an order is asked for only where nothing else decides. */
static int settle_all(struct matching *m, struct candidate *c, struct caelum_error *err) {
    for (;;) {
        bool more = false;
        size_t open = none;
        for (size_t i = 0; i < m->count; i++)
            if (m->to[i] == none) more |= settle_alone(m, i) || settle_by_stem(m, i);
        if (more) continue;
        for (size_t t = m->count; t-- > 0;)
            if (m->at[t] == none) open = t;
        if (open == none) return CAELUM_OK;
        CHECK(settle_in_order(m, open, c, err));
    }
}

/* --- All ------------------------------------------------------------------------------------------ */

static int match(struct matching *m, size_t arrays, struct caelum_error *err) {
    struct candidate *candidate = NULL;
    CHECK(check_shapes(m, arrays, err));
    CHECK(check_order(m, err));
    CHECK(mem_alloc(&m->to, m->count, sizeof *m->to, err));
    CHECK(mem_alloc(&candidate, m->count, sizeof *candidate, err));
    for (size_t i = 0; i < m->count; i++) m->to[i] = m->at[i] = none;
    const int result = settle_all(m, candidate, err);
    mem_free(&candidate);
    return result;
}

int match_arrays(const struct caelum_model *model, const struct safetensor *array, size_t count,
                 const struct match_evidence *evidence, const char *path, size_t *at,
                 struct caelum_error *err) {
    struct matching m = {.array = array, .at = at, .evidence = evidence, .path = path};
    struct caelum_tensor t;
    while (caelum_model_tensor(model, m.count, &t)) m.count++;
    int result = mem_alloc(&m.tensor, m.count, sizeof *m.tensor, err);
    for (size_t i = 0; result == 0 && i < m.count; i++) caelum_model_tensor(model, i, &m.tensor[i]);
    if (result == 0) result = match(&m, count, err);
    mem_free(&m.to);
    mem_free(&m.tensor);
    return result;
}
