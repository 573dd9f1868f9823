/* keras_text.c - see keras_text.h. */
#include "exchange/keras_text.h"

#include "base/mem.h"
#include "base/number.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MOST_MAP = 1 << 24 };

/* --- Lines ---------------------------------------------------------------------------------------- */

static int append(struct reader *r, const char *format, va_list args) {
    const size_t used = strlen(r->text);
    const int more = number_vprint(r->text + used, sizeof r->text - used, format, args);
    if (more < 0 || used + (size_t)more + 2 > sizeof r->text)
        return caelum_fail(r->err, CAELUM_EFORMAT, "%s: more layers than a network can have", r->path);
    strcat(r->text, "\n");
    r->lines = true;
    return CAELUM_OK;
}

/* Parses the text so far: its last line decides the shape. */
static int measure(struct reader *r) {
    struct caelum_net *net = NULL;
    CHECK(caelum_net_parse(&net, r->text, r->path, r->height, r->width, r->err));
    const struct net_layer *last = &net->layer[net->layers - 1];
    r->ours = last->out;
    if (r->weight_count > 0) {
        struct weights *w = &r->weights[r->weight_count - 1];
        if (!*w->name) snprintf(w->name, sizeof w->name, "%s", last->name);
    }
    caelum_net_close(&net);
    return CAELUM_OK;
}

static void set_picture(struct reader *r) {
    mem_free(&r->map);
    r->dims = 3;
    r->dim[0] = r->ours.h, r->dim[1] = r->ours.w, r->dim[2] = r->ours.c;
}

int text_begin(struct reader *r) {
    r->height = r->dim[0], r->width = r->dim[1];
    r->ours = (struct shape){r->dim[2], r->dim[0], r->dim[1]};
    snprintf(r->text, sizeof r->text, "input %zu\n", r->dim[2]);
    return CAELUM_OK;
}

int text_line(struct reader *r, const char *format, ...) {
    va_list args;
    va_start(args, format);
    const int result = append(r, format, args);
    va_end(args);
    CHECK(result);
    r->open = false;
    r->dense = NULL;
    CHECK(measure(r));
    set_picture(r);
    return CAELUM_OK;
}

int text_line_on_map(struct reader *r, const char *format, ...) {
    va_list args;
    va_start(args, format);
    const int result = append(r, format, args);
    va_end(args);
    r->open = false;
    r->dense = NULL;
    return result;
}

int text_append(struct reader *r, const char *word) {
    const size_t used = strlen(r->text);
    if (used + strlen(word) + 1 > sizeof r->text)
        return caelum_fail(r->err, CAELUM_EFORMAT, "%s: more layers than a network can have", r->path);
    snprintf(r->text + used - 1, sizeof r->text - used + 1, "%s\n", word);
    r->open = false;
    return CAELUM_OK;
}

int text_latent(struct reader *r) {
    if (!r->lines || r->marked) return CAELUM_OK;
    struct weights *dense = r->dense;
    CHECK(text_line_on_map(r, "latent"));
    r->dense = dense;
    r->marked = true;
    return CAELUM_OK;
}

struct weights *text_weights(struct reader *r, size_t *columns) {
    struct weights *w = &r->weights[r->weight_count++];
    w->layer = (size_t)(r->layer - r->graph->layer);
    w->columns = columns;
    return w;
}

/* --- Maps ----------------------------------------------------------------------------------------- */

static size_t numbers(const struct reader *r) {
    size_t n = 1;
    for (size_t d = 0; d < r->dims; d++) n *= r->dim[d];
    return n;
}

/* Where number `at` of an h x w picture of c channels, channels innermost, is with channels outermost. */
static size_t outermost(size_t at, size_t h, size_t w, size_t c) {
    return at % c * h * w + at / c;
}

int text_map(struct reader *r) {
    const size_t n = numbers(r);
    if (r->map) return CAELUM_OK;
    if (n > MOST_MAP) return reader_fail(r, "%zu numbers are too many to put in another order", n);
    CHECK(mem_alloc(&r->map, n, sizeof *r->map, r->err));
    for (size_t i = 0; i < n; i++)
        r->map[i] = r->dims == 1 ? i : outermost(i, r->dim[0], r->dim[1], r->dim[2]);
    return CAELUM_OK;
}

int text_permute(struct reader *r, const size_t *from) {
    const size_t n = numbers(r);
    size_t *map, dim[READER_DIMS] = {0}, step[READER_DIMS] = {0};
    CHECK(mem_alloc(&map, n, sizeof *map, r->err));
    for (size_t d = 0; d < r->dims; d++) {
        dim[d] = r->dim[from[d]];
        step[d] = 1;
        for (size_t e = from[d] + 1; e < r->dims; e++) step[d] *= r->dim[e];
    }
    for (size_t i = 0; i < n; i++) {
        size_t rest = i, at = 0;
        for (size_t d = r->dims; d-- > 0; rest /= dim[d]) at += rest % dim[d] * step[d];
        map[i] = r->map[at];
    }
    mem_free(&r->map);
    r->map = map;
    memcpy(r->dim, dim, sizeof dim);
    return CAELUM_OK;
}

int text_rotate_channels(struct reader *r, size_t own) {
    CHECK(text_map(r));
    const size_t c = r->dim[2], pixels = r->dim[0] * r->dim[1];
    for (size_t p = 0; p < pixels; p++)
        for (size_t k = 0; k < c; k++) {
            const size_t channel = k < c - own ? own + k : k - (c - own);
            r->map[p * c + k] = channel * pixels + p;
        }
    return CAELUM_OK;
}

/* --- Lines that explain a map --------------------------------------------------------------------- */

/* Where number `at` of Keras's picture is before a line that makes that picture; n: the line's number. */
typedef size_t (*source_fn)(const struct reader *r, size_t at, size_t n);

static size_t before_reshape(const struct reader *r, size_t at, size_t n) {
    (void)n;
    return outermost(at, r->dim[0], r->dim[1], r->dim[2]);
}

static size_t before_space_to_depth(const struct reader *r, size_t at, size_t n) {
    const size_t k = at % r->dim[2], j = at / r->dim[2] % r->dim[1], i = at / r->dim[2] / r->dim[1];
    const size_t row = i * n + k / n % n, column = j * n + k % n;
    return (k / (n * n) * r->ours.h + row) * r->ours.w + column;
}

static size_t before_depth_to_space(const struct reader *r, size_t at, size_t n) {
    const size_t k = at % r->dim[2], j = at / r->dim[2] % r->dim[1], i = at / r->dim[2] / r->dim[1];
    const size_t channel = k * n * n + i % n * n + j % n;
    return (channel * r->ours.h + i / n) * r->ours.w + j / n;
}

static bool explains(const struct reader *r, source_fn source, size_t n) {
    const size_t all = numbers(r);
    for (size_t at = 0; at < all; at++)
        if (r->map[at] != source(r, at, n)) return false;
    return true;
}

int text_explain(struct reader *r) {
    const size_t h = r->dim[0], w = r->dim[1], c = r->dim[2];
    if (!r->map || r->dims != 3) return CAELUM_OK;
    const bool same = r->ours.c == c && r->ours.h == h && r->ours.w == w;
    if (explains(r, before_reshape, 0)) {
        if (!same) return text_line(r, "reshape %zu %zu %zu", c, h, w);
        mem_free(&r->map);
        return CAELUM_OK;
    }
    const size_t down = r->ours.h / h, up = h / r->ours.h;
    if (down > 1 && r->ours.h == h * down && r->ours.w == w * down && c == r->ours.c * down * down &&
        explains(r, before_space_to_depth, down))
        return text_line(r, "space_to_depth %zu", down);
    if (up > 1 && h == r->ours.h * up && w == r->ours.w * up && r->ours.c == c * up * up &&
        explains(r, before_depth_to_space, up))
        return text_line(r, "depth_to_space %zu", up);
    return CAELUM_OK;
}

/* A dense layer's outputs take the places that make the current tensor a picture. */
static int reorder_dense(struct reader *r) {
    const size_t n = numbers(r);
    struct weights *dense = r->dense;
    CHECK(mem_alloc(&dense->rows, n, sizeof *dense->rows, r->err));
    for (size_t i = 0; i < n; i++) dense->rows[r->map[i]] = outermost(i, r->dim[0], r->dim[1], r->dim[2]);
    mem_free(&r->map);
    r->dense = NULL;
    if (r->dim[0] == 1 && r->dim[1] == 1) return CAELUM_OK;
    return text_line(r, "reshape %zu %zu %zu", r->dim[2], r->dim[0], r->dim[1]);
}

int text_pixels(struct reader *r) {
    if (r->dims == 1) {
        CHECK(text_map(r));
        r->dim[2] = r->dim[0], r->dim[0] = r->dim[1] = 1;
        r->dims = 3;
    }
    CHECK(text_explain(r));
    if (!r->map) return CAELUM_OK;
    if (r->dense && r->dims == 3) return reorder_dense(r);
    return reader_fail(r,
                       "what Reshape, Permute or Concatenate have put in another order can't be said here");
}

int text_pixels_or_channels(struct reader *r, size_t **columns) {
    *columns = NULL;
    CHECK(text_explain(r));
    const size_t c = r->dim[2], pixels = r->dim[0] * r->dim[1];
    bool moved = r->map && r->dims == 3 && r->ours.c == c && r->ours.h == r->dim[0] && r->ours.w == r->dim[1];
    for (size_t i = 0; moved && i < pixels * c; i++)
        moved = r->map[i] % pixels == i / c && r->map[i] / pixels == r->map[i % c] / pixels;
    if (!moved) return text_pixels(r);
    CHECK(mem_alloc(columns, c, sizeof **columns, r->err));
    for (size_t k = 0; k < c; k++) (*columns)[k] = r->map[k] / pixels;
    mem_free(&r->map);
    return CAELUM_OK;
}

/* --- The model ------------------------------------------------------------------------------------ */

static size_t placed(const size_t *places, size_t i) {
    return places ? places[i] : i;
}

/* The weight tensor of a line, to be written. */
static float *find(struct caelum_model *model, const struct weights *w, const char *what,
                   struct caelum_tensor *t) {
    char name[64];
    snprintf(name, sizeof name, "%s.%s", w->name, what);
    for (size_t i = 0; caelum_model_tensor(model, i, t); i++)
        if (strcmp(t->name, name) == 0) return model->params + (t->data - model->params);
    return NULL;
}

/* Keras's kernels: Conv2D [K][K][in][out], Conv2DTranspose [K][K][out][in], Dense [in][out]. */
static void place_kernel(const struct weights *w, const struct caelum_tensor *t, const float *from,
                         float *to) {
    const size_t a = t->dim[0], b = t->dim[1], taps = t->dims == 4 ? t->dim[2] * t->dim[3] : 1;
    const bool deconv = w->kind == WEIGHTS_DECONV;
    for (size_t tap = 0; tap < taps; tap++)
        for (size_t i = 0; i < b; i++)
            for (size_t o = 0; o < a; o++) {
                const size_t row = deconv ? placed(w->columns, o) : placed(w->rows, o);
                const size_t column = deconv ? i : placed(w->columns, i);
                to[(row * b + column) * taps + tap] = from[(tap * b + i) * a + o];
            }
}

static int read_weights(struct reader *r, struct caelum_model *model, const struct weights *w,
                        keras_values values, void *cookie) {
    struct caelum_tensor t, bias;
    float *to = find(model, w, "weight", &t), *to_bias = find(model, w, "bias", &bias), *from;
    r->layer = &r->graph->layer[w->layer];
    if (!to || !to_bias) return reader_fail(r, "its line has no weights");
    const bool flat = w->kind == WEIGHTS_DENSE || w->kind == WEIGHTS_POINTS;
    const size_t count = t.dim[0] * t.dim[1] * (t.dims == 4 ? t.dim[2] * t.dim[3] : 1);
    const size_t square[] = {t.dim[2], t.dim[3], t.dim[1], t.dim[0]}, rectangle[] = {t.dim[1], t.dim[0]};
    CHECK(mem_alloc(&from, count, sizeof *from, r->err));
    int result = values(cookie, w->layer, true, flat ? 2 : 4, flat ? rectangle : square, from, r->err);
    if (result == 0) place_kernel(w, &t, from, to);
    const json_t *used = json_object_get(r->layer->config, "use_bias");
    if (result == 0 && !json_is_false(used)) {
        result = values(cookie, w->layer, false, 1, bias.dim, from, r->err);
        for (size_t o = 0; result == 0 && o < bias.dim[0]; o++) to_bias[placed(w->rows, o)] = from[o];
    }
    mem_free(&from);
    return result;
}

int text_model(struct reader *r, struct caelum_model **out, keras_values values, void *cookie) {
    struct caelum_model *model = NULL;
    CHECK(model_new(&model, r->text, r->path, r->height, r->width, SIZE_MAX, r->err));
    int result = CAELUM_OK;
    for (size_t i = 0; result == 0 && i < r->weight_count; i++)
        result = read_weights(r, model, &r->weights[i], values, cookie);
    if (result == 0) {
        *out = model;
        model = NULL;
    }
    caelum_model_close(&model);
    return result;
}

void text_end(struct reader *r) {
    for (size_t i = 0; i < r->weight_count; i++) {
        mem_free(&r->weights[i].columns);
        mem_free(&r->weights[i].rows);
    }
    mem_free(&r->weights);
    mem_free(&r->uses);
    mem_free(&r->saved);
    mem_free(&r->map);
}
