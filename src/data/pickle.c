/* pickle.c - see pickle.h. The instructions are those of Python's pickletools; protocols 2 to 4. */
#include "data/pickle.h"

#include "base/mem.h"

#include <string.h>

/* Values one behind the other. */
struct values {
    struct pickled *item; /* owned */
    size_t count, room;
};

struct machine {
    const uint8_t *at, *end;
    struct values stack, memo, pool; /* pool: what is in lists, tuples and dictionaries */
    struct caelum_error *err;
};

enum { MOST_VALUES = 1 << 22 };

static bool push(struct machine *m, struct values *v, struct pickled value) {
    if (v->count == v->room) {
        struct pickled *larger;
        const size_t room = v->room ? 2 * v->room : 256;
        if (room > MOST_VALUES || mem_alloc(&larger, room, sizeof *larger, m->err) != 0) return false;
        if (v->count) memcpy(larger, v->item, v->count * sizeof *larger);
        mem_free(&v->item);
        v->item = larger;
        v->room = room;
    }
    v->item[v->count++] = value;
    return true;
}

static bool pop(struct machine *m, struct pickled *value) {
    if (m->stack.count == 0) return false;
    *value = m->stack.item[--m->stack.count];
    return true;
}

/* An argument of n bytes, the lowest first. */
static bool number(struct machine *m, size_t n, size_t *value) {
    *value = 0;
    if ((size_t)(m->end - m->at) < n) return false;
    for (size_t b = 0; b < n; b++) *value |= (size_t)*m->at++ << (8 * b);
    return true;
}

static bool push_number(struct machine *m, size_t n) {
    struct pickled value = {.kind = PICKLED_NUMBER};
    return number(m, n, &value.size) && push(m, &m->stack, value);
}

/* A string behind its length of n bytes. */
static bool push_bytes(struct machine *m, size_t n) {
    struct pickled value = {.kind = PICKLED_BYTES};
    if (!number(m, n, &value.size) || value.size > (size_t)(m->end - m->at)) return false;
    value.bytes = m->at;
    m->at += value.size;
    return push(m, &m->stack, value);
}

static bool push_name(struct machine *m) {
    struct pickled value = {.kind = PICKLED_NAME, .bytes = m->at};
    for (int line = 0; line < 2; m->at++) {
        if (m->at == m->end) return false;
        line += *m->at == '\n';
    }
    value.size = (size_t)(m->at - value.bytes);
    return push(m, &m->stack, value);
}

static bool is_name(const struct pickled *v, const char *name) {
    return v->kind == PICKLED_NAME && v->size == strlen(name) && memcmp(v->bytes, name, v->size) == 0;
}

static bool is_text(const struct pickled *v, const char *text) {
    return v->kind == PICKLED_BYTES && v->size == strlen(text) && memcmp(v->bytes, text, v->size) == 0;
}

/* The last n values become a tuple. */
static bool make_tuple(struct machine *m, size_t n) {
    struct pickled tuple = {.kind = PICKLED_ITEMS, .size = n, .at = m->pool.count};
    if (m->stack.count < n) return false;
    m->stack.count -= n;
    for (size_t i = 0; i < n; i++)
        if (!push(m, &m->pool, m->stack.item[m->stack.count + i])) return false;
    return push(m, &m->stack, tuple);
}

/* How many values are above the last mark, which goes away. */
static bool since_mark(struct machine *m, size_t *n) {
    for (*n = 0; *n < m->stack.count; ++*n)
        if (m->stack.item[m->stack.count - 1 - *n].kind == PICKLED_MARK) {
            struct pickled *mark = &m->stack.item[m->stack.count - 1 - *n];
            memmove(mark, mark + 1, *n * sizeof *mark);
            m->stack.count--;
            return true;
        }
    return false;
}

/* The last n values go to the end of the list or dictionary below them, whose others came just before. */
static bool append(struct machine *m, size_t n) {
    if (m->stack.count < n + 1) return false;
    m->stack.count -= n;
    struct pickled *list = &m->stack.item[m->stack.count - 1];
    if (list->size == 0) list->at = m->pool.count;
    if (list->kind != PICKLED_ITEMS || list->at + list->size != m->pool.count) return false;
    for (size_t i = 0; i < n; i++)
        if (!push(m, &m->pool, m->stack.item[m->stack.count + i])) return false;
    list->size += n;
    return true;
}

/* Only the two functions by which NumPy makes arrays and their types are known, and bytes the only type. */
static bool call(struct machine *m) {
    struct pickled arguments, name, made = {0};
    if (!pop(m, &arguments) || !pop(m, &name) || arguments.kind != PICKLED_ITEMS || arguments.size == 0)
        return false;
    if (is_name(&name, "numpy.core.multiarray\n_reconstruct\n") ||
        is_name(&name, "numpy._core.multiarray\n_reconstruct\n"))
        made.kind = PICKLED_ARRAY;
    else if (is_name(&name, "numpy\ndtype\n") && is_text(&m->pool.item[arguments.at], "u1"))
        made = name;
    else
        return false;
    return push(m, &m->stack, made);
}

/* An array's content: version, shape, type, whether the first index is the fastest, bytes. */
static bool build(struct machine *m) {
    struct pickled state, made;
    if (!pop(m, &state) || !pop(m, &made) || state.kind != PICKLED_ITEMS) return false;
    if (made.kind != PICKLED_ARRAY) return is_name(&made, "numpy\ndtype\n") && push(m, &m->stack, made);
    const struct pickled *part = &m->pool.item[state.at];
    if (state.size != 5 || part[1].kind != PICKLED_ITEMS || part[1].size != 2 ||
        !is_name(&part[2], "numpy\ndtype\n") || part[3].kind != PICKLED_NUMBER || part[3].size != 0 ||
        part[4].kind != PICKLED_BYTES)
        return false;
    const struct pickled *shape = &m->pool.item[part[1].at];
    size_t size;
    if (shape[0].kind != PICKLED_NUMBER || shape[1].kind != PICKLED_NUMBER ||
        size_mul(shape[0].size, shape[1].size, &size, NULL) != 0 || size != part[4].size)
        return false;
    made.bytes = part[4].bytes, made.size = size, made.rows = shape[0].size;
    return push(m, &m->stack, made);
}

static bool remember(struct machine *m, size_t at) {
    if (m->stack.count == 0 || at >= MOST_VALUES) return false;
    while (m->memo.count <= at)
        if (!push(m, &m->memo, (struct pickled){0})) return false;
    m->memo.item[at] = m->stack.item[m->stack.count - 1];
    return true;
}

/* A list may have got more values since it was remembered: it is not used twice. */
static bool recall(struct machine *m, size_t at) {
    return at < m->memo.count && m->memo.item[at].kind != PICKLED_ITEMS &&
           push(m, &m->stack, m->memo.item[at]);
}

/* Two strings become a name, as "module\nname\n" can't be where they are: only those that are known. */
static bool join_name(struct machine *m) {
    static const char *const known[][3] = {
        {"numpy", "dtype", "numpy\ndtype\n"},
        {"numpy", "ndarray", "numpy\nndarray\n"},
        {"numpy.core.multiarray", "_reconstruct", "numpy.core.multiarray\n_reconstruct\n"},
        {"numpy._core.multiarray", "_reconstruct", "numpy._core.multiarray\n_reconstruct\n"}};
    struct pickled name, module;
    if (!pop(m, &name) || !pop(m, &module)) return false;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (is_text(&module, known[i][0]) && is_text(&name, known[i][1]))
            return push(m, &m->stack,
                        (struct pickled){.kind = PICKLED_NAME,
                                         .bytes = (const uint8_t *)known[i][2],
                                         .size = strlen(known[i][2])});
    return false;
}

static bool collect(struct machine *m, uint8_t instruction) {
    size_t n = 0;
    switch (instruction) {
    case '(':
        return push(m, &m->stack, (struct pickled){.kind = PICKLED_MARK});
    case ']': /* a list, a dictionary, a tuple, all empty */
    case '}':
    case ')':
        return make_tuple(m, 0);
    case 0x85:
    case 0x86:
    case 0x87:
        return make_tuple(m, instruction - 0x84u);
    case 't':
        return since_mark(m, &n) && make_tuple(m, n);
    case 'a':
        return append(m, 1);
    case 's':
        return append(m, 2);
    case 'e':
    case 'u':
        return since_mark(m, &n) && append(m, n);
    default:
        return false;
    }
}

static bool step(struct machine *m, uint8_t instruction) {
    size_t n;
    switch (instruction) {
    case 0x80: /* protocol */
        return number(m, 1, &n) && n >= 2 && n <= 4;
    case 0x95: /* frame */
        return number(m, 8, &n);
    case 'K':
        return push_number(m, 1);
    case 'M':
        return push_number(m, 2);
    case 'J':
        return push_number(m, 4);
    case 0x88:
    case 0x89:
        return push(m, &m->stack, (struct pickled){.kind = PICKLED_NUMBER, .size = instruction == 0x88});
    case 'N':
        return push(m, &m->stack, (struct pickled){0});
    case 'U':
    case 'C':
    case 0x8c:
        return push_bytes(m, 1);
    case 'T':
    case 'X':
    case 'B':
        return push_bytes(m, 4);
    case 'q':
        return number(m, 1, &n) && remember(m, n);
    case 'r':
        return number(m, 4, &n) && remember(m, n);
    case 0x94:
        return remember(m, m->memo.count);
    case 'h':
        return number(m, 1, &n) && recall(m, n);
    case 'j':
        return number(m, 4, &n) && recall(m, n);
    case 'c':
        return push_name(m);
    case 0x93:
        return join_name(m);
    case 'R':
        return call(m);
    case 'b':
        return build(m);
    default:
        return collect(m, instruction);
    }
}

int pickle_read(struct pickle *pickle, const char *name, const uint8_t *bytes, size_t size,
                struct caelum_error *err) {
    struct caelum_error problem = {0};
    struct machine m = {.at = bytes, .end = bytes + size, .err = &problem};
    bool good = true;
    while (good && m.at < m.end && *m.at != '.') good = step(&m, *m.at++);
    good = good && m.at < m.end && m.stack.count == 1 && m.stack.item[0].kind == PICKLED_ITEMS;
    if (good) *pickle = (struct pickle){m.pool.item, m.stack.item[0]};
    mem_free(&m.stack.item);
    mem_free(&m.memo.item);
    if (good) return CAELUM_OK;
    mem_free(&m.pool.item);
    if (problem.code != 0) return caelum_fail(err, problem.code, "%s: %s", name, problem.text);
    return caelum_fail(
        err, CAELUM_EFORMAT,
        "%s: no pickle as CIFAR's, or a damaged one, at byte %zu; nothing else is unpickled: get "
        "the binary version, or save the arrays by numpy.savez",
        name, (size_t)(m.at - bytes));
}

void pickle_close(struct pickle *pickle) {
    mem_free(&pickle->item);
}

const struct pickled *pickle_find(const struct pickle *pickle, const char *key) {
    const size_t from = pickle->whole.at, end = from + pickle->whole.size; /* of nothing where it is empty */
    for (size_t i = from; i + 1 < end; i += 2)
        if (is_text(&pickle->item[i], key)) return &pickle->item[i + 1];
    return NULL;
}
