/* pictures.c - pictures in files as a data set: as they are, where they are small and of one size; brought to
 * one size, if that is asked for; otherwise crops of them. Where all are below folders called train, val and
 * test, these are the parts; the folders below are their classes. */
#include "base/mem.h"
#include "base/parallel.h"
#include "data/crops.h"
#include "data/formats.h"

#include <stdlib.h>
#include <string.h>

enum { WHOLE_MOST_SIDE = 128 };

/* How pictures become data: each is tried until a picture shows that it is another. */
enum way { GREY, COLOR, CROPS };

/* What comes of one file, or why nothing does. */
struct portion {
    uint8_t *pixels; /* [count][3][height][width], owned */
    size_t count, height, width;
    bool colored;
    int result;
    struct caelum_error err;
};

struct reading {
    struct source *source;
    const struct tree_file **picture; /* [count], owned: train, validation, test */
    size_t count, part[3];            /* zeros: there are no parts */
    uint16_t *label;                  /* [count], owned; NULL: there are no classes */
    enum way way, next;
    size_t share, side; /* of crops */
    struct portion *portion;
    size_t at;          /* the picture that is job 0 */
    uint64_t usable[3]; /* of each part */
};

/* --- Parts and classes ---------------------------------------------------------------------------- */

struct word {
    const char *text;
    size_t length;
};

static int by_text(const void *a, const void *b) {
    const struct word *p = a, *q = b;
    const int order = memcmp(p->text, q->text, p->length < q->length ? p->length : q->length);
    return order != 0 ? order : (p->length > q->length) - (p->length < q->length);
}

/* The folder that a path begins with; none: length 0. */
static struct word folder_of(const char *path) {
    const char *slash = strchr(path, '/');
    return (struct word){path, slash ? (size_t)(slash - path) : 0};
}

/* Bytes of the folders that all paths have in common, the slash behind them included. They are in order, so
 * that the first and the last have it if all have. */
static size_t common(const struct reading *r) {
    const char *a = r->picture[0]->path, *b = r->picture[r->count - 1]->path;
    size_t length = 0;
    for (size_t i = 0; a[i] && a[i] == b[i]; i++)
        if (a[i] == '/') length = i + 1;
    return length;
}

/* Brings train, validation and test in this order, if all pictures are in one of them. */
static int find_parts(struct reading *r, size_t above, struct caelum_error *err) {
    const struct tree_file **sorted = NULL;
    size_t part[3] = {0}, n = 0;
    for (size_t i = 0; i < r->count; i++) {
        const struct word folder = folder_of(r->picture[i]->path + above);
        const enum caelum_split p = source_part(folder.text, folder.length);
        if (p == CAELUM_ALL) return CAELUM_OK;
        part[p]++;
    }
    if (part[CAELUM_TRAIN] == 0 || part[CAELUM_TRAIN] == r->count) return CAELUM_OK;
    CHECK(mem_alloc(&sorted, r->count, sizeof *sorted, err));
    for (int p = 0; p < 3; p++)
        for (size_t i = 0; i < r->count; i++) {
            const struct word folder = folder_of(r->picture[i]->path + above);
            if (source_part(folder.text, folder.length) == (enum caelum_split)p) sorted[n++] = r->picture[i];
        }
    mem_free(&r->picture);
    r->picture = sorted;
    memcpy(r->part, part, sizeof part);
    return CAELUM_OK;
}

/* The folder that says what a picture is of. */
static struct word class_of(const struct reading *r, size_t i, size_t above) {
    const char *path = r->picture[i]->path + above;
    return folder_of(r->part[0] ? strchr(path, '/') + 1 : path);
}

/* Classes are those of the pictures to train on, in the order of their names; where a picture is of none of
 * these, nothing has a class. */
static int find_classes(struct reading *r, size_t above, struct word *class, struct caelum_error *err) {
    const size_t train = r->part[0] ? r->part[0] : r->count;
    size_t found = 0, classes = 0;
    for (size_t i = 0; i < train; i++) {
        const struct word word = class_of(r, i, above);
        if (found == 0 || by_text(&word, &class[found - 1]) != 0) class[found++] = word;
    }
    qsort(class, found, sizeof *class, by_text);
    for (size_t i = 0; i < found; i++)
        if (i == 0 || by_text(&class[i], &class[classes - 1]) != 0) class[classes++] = class[i];
    if (classes < 2 || classes > DATA_MOST_CLASSES || class[0].length == 0) return CAELUM_OK;
    CHECK(mem_alloc(&r->label, r->count, sizeof *r->label, err));
    for (size_t i = 0; i < r->count; i++) {
        const struct word word = class_of(r, i, above);
        const struct word *its = bsearch(&word, class, classes, sizeof *class, by_text);
        if (!its) return mem_free(&r->label), CAELUM_OK;
        r->label[i] = (uint16_t)(its - class);
    }
    for (size_t i = 0; i < classes; i++) source_class(r->source, class[i].text, class[i].length);
    return CAELUM_OK;
}

static int find_pictures(struct reading *r, struct caelum_error *err) {
    const struct tree *tree = r->source->tree;
    struct word *class = NULL;
    CHECK(mem_alloc(&r->picture, tree->count, sizeof *r->picture, err));
    for (size_t i = 0; i < tree->count; i++)
        if (tree->file[i].picture) r->picture[r->count++] = &tree->file[i];
    const size_t above = common(r);
    CHECK(find_parts(r, above, err));
    CHECK(mem_alloc(&class, r->count, sizeof *class, err));
    const int result = find_classes(r, above, class, err);
    mem_free(&class);
    return result;
}

static bool is_meant(const struct tree *tree) {
    for (size_t i = 0; i < tree->count; i++)
        if (tree->file[i].picture) return true;
    return false;
}

/* --- Reading them --------------------------------------------------------------------------------- */

/* The crops of a picture; where it is too small for any, what size it would have some of. */
static int cut(const struct reading *r, size_t number, const struct caelum_picture *picture,
               struct portion *portion, struct caelum_error *err) {
    const size_t side = r->side, width = picture->width, height = picture->height;
    const size_t shorter = width < height ? width : height;
    const uint64_t seed = r->source->settings->synthetic_seed;
    char advice[48] = "";
    if (shorter >= CROP_LEAST_SIDE) snprintf(advice, sizeof advice, "; --crop %zu takes it", shorter);
    if (shorter < side)
        return caelum_fail(err, CAELUM_EFORMAT, "%zux%zu pixels are too few for a crop of %zux%zu%s", width,
                           height, side, side, advice);
    portion->count = crops_count(width, height, side, r->share);
    CHECK(mem_alloc(&portion->pixels, portion->count, 3 * side * side, err));
    for (size_t i = 0; i < portion->count; i++) {
        const struct crop_window window =
            crop_window(width, height, side, seed, (uint32_t)number, (uint32_t)i);
        crop_make(picture, window, side, portion->pixels + i * 3 * side * side);
    }
    return CAELUM_OK;
}

/* The picture as a whole; nothing of one that is too large to be meant so. */
static int take_whole(const struct reading *r, const struct caelum_picture *picture, struct portion *portion,
                      struct caelum_error *err) {
    const enum caelum_resize how = r->source->settings->resize;
    portion->width = how ? r->side : picture->width, portion->height = how ? r->side : picture->height;
    if (portion->width > CROP_MOST_SIDE || portion->height > CROP_MOST_SIDE) return CAELUM_OK;
    const size_t plane = portion->width * portion->height;
    portion->count = 1;
    CHECK(mem_alloc(&portion->pixels, 3, plane, err));
    crop_whole(picture, how, portion->width, portion->height, portion->pixels);
    portion->colored = memcmp(portion->pixels, portion->pixels + plane, plane) != 0 ||
                       memcmp(portion->pixels, portion->pixels + 2 * plane, plane) != 0;
    return CAELUM_OK;
}

static void read_job(void *cookie, size_t job, int worker) {
    const struct reading *r = cookie;
    const size_t number = r->at + job;
    struct portion *p = &r->portion[job];
    struct caelum_picture picture = {0};
    (void)worker;
    *p = (struct portion){0};
    p->result = tree_picture(r->source->tree, r->picture[number], &picture, &p->err);
    if (p->result == 0)
        p->result =
            r->way == CROPS ? cut(r, number, &picture, p, &p->err) : take_whole(r, &picture, p, &p->err);
    caelum_picture_free(&picture);
}

/* Remembers why a file was left out; the sentence need not name it again. */
static void skip(struct reading *r, size_t number, const char *reason) {
    char name[PATH_SIZE];
    const size_t length = strlen(tree_name(r->source->tree, r->picture[number], name));
    if (strncmp(reason, name, length) == 0 && strncmp(reason + length, ": ", 2) == 0) reason += length + 2;
    source_skip(r->source, r->picture[number]->path, reason);
}

/* Whether a whole picture is like those before it; if not, another way is to be tried. */
static bool is_alike(struct reading *r, const struct portion *portion) {
    const struct caelum_data_settings *s = r->source->settings;
    struct prepared_header *h = &r->source->to->header;
    if (h->w == 0) h->h = portion->height, h->w = portion->width;
    if (!s->resize &&
        (h->w != portion->width || h->h != portion->height ||
         (s->crop ? h->w != s->crop || h->h != s->crop : h->w > WHOLE_MOST_SIDE || h->h > WHOLE_MOST_SIDE)))
        r->next = CROPS;
    else if (r->way == GREY && portion->colored)
        r->next = COLOR;
    return r->next == r->way;
}

static int take(struct reading *r, size_t number, const struct portion *portion, struct caelum_error *err) {
    struct source *s = r->source;
    struct prepared_header *h = &s->to->header;
    /* what is wrong with the machine now must not be remembered as wrong with the picture */
    if (portion->result == CAELUM_ERESOURCE ||
        (portion->result == CAELUM_EIO && r->picture[number]->readable))
        return caelum_fail(err, portion->result, "%.200s: %.250s", r->picture[number]->path,
                           portion->err.text);
    if (portion->result != 0) return skip(r, number, portion->err.text), CAELUM_OK;
    if (r->way != CROPS && !is_alike(r, portion)) return CAELUM_OK;
    for (size_t i = 0; r->label && i < portion->count; i++) s->labels[h->count + i] = r->label[number];
    source_put(s, portion->pixels, portion->count);
    if (r->way == CROPS) s->first[++h->photos] = (uint32_t)h->count;
    if (r->part[0]) r->usable[number < r->part[0] ? 0 : number < r->part[0] + r->part[1] ? 1 : 2]++;
    return CAELUM_OK;
}

/* In portions of a few a thread: only what comes of these is in memory, until it is written in order. */
static int read_portions(struct reading *r, struct caelum_error *err) {
    struct source *s = r->source;
    const size_t most = 4 * (size_t)s->threads;
    for (r->at = 0; r->at < r->count && r->next == r->way; r->at += most) {
        const size_t n = r->count - r->at < most ? r->count - r->at : most;
        int result = CAELUM_OK;
        parallel_for(s->threads, n, read_job, r);
        for (size_t i = 0; i < n; i++) {
            if (result == 0 && r->next == r->way) result = take(r, r->at + i, &r->portion[i], err);
            mem_free(&r->portion[i].pixels);
        }
        CHECK(result);
        if (ferror(s->to->stream)) return CAELUM_OK;
        CHECK(source_progress(s, "reading", r->at + n, r->count, err));
    }
    return CAELUM_OK;
}

static int read_this_way(struct reading *r, struct caelum_error *err) {
    struct source *s = r->source;
    struct prepared_header *h = &s->to->header;
    const uint64_t classes = h->classes;
    prepared_restart(s->to);
    rewind(s->skips);
    memset(r->usable, 0, sizeof r->usable);
    h->classes = classes;
    h->c = r->way == GREY ? 1 : 3;
    if (r->way == CROPS || s->settings->resize) h->h = h->w = r->side;
    if (r->way == CROPS) CHECK(mem_alloc(&s->first, r->count + 1, sizeof *s->first, err));
    mem_free(&s->labels);
    if (r->label)
        CHECK(mem_alloc(&s->labels, r->count * (r->way == CROPS ? r->share : 1), sizeof *s->labels, err));
    return read_portions(r, err);
}

static int read_ways(struct reading *r, struct caelum_error *err) {
    struct source *s = r->source;
    CHECK(find_pictures(r, err));
    r->share = crops_share(r->count);
    r->side = s->settings->crop ? s->settings->crop : CROP_USUAL_SIDE;
    CHECK(mem_alloc(&r->portion, 4 * (size_t)s->threads, sizeof *r->portion, err));
    do {
        r->way = r->next;
        CHECK(read_this_way(r, err));
    } while (r->next != r->way);
    if (r->part[0] && r->usable[0] == 0)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: no picture in its folder to train on can be used",
                           s->tree->root);
    memcpy(s->to->header.part, r->usable, sizeof r->usable);
    return CAELUM_OK;
}

static int read_data(struct source *source, struct caelum_error *err) {
    struct reading r = {.source = source};
    const int result = read_ways(&r, err);
    mem_free(&r.picture);
    mem_free(&r.label);
    mem_free(&r.portion);
    return result;
}

const struct data_format pictures_format = {"folder", is_meant, read_data};
