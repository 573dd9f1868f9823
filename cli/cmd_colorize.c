/* cmd_colorize.c - caelum colorize: grey pictures of any size in color. */
#include "cli.h"

#include "base/json.h"
#include "base/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct job {
    const char *model_path, *hint_picture;
    struct option_words hint_words;
    struct caelum_hint hint[OPTION_WORDS_MOST];
    struct caelum_colorize_settings settings;
    struct results results;
    caelum_model *model;
    struct caelum_hint *all_hints; /* with those of the hint picture */
};

/* Below this a picture hardly looks colored; caelum_color_learned has the same. */
static const double NEARLY_GREY = 5;

/* Reads "#RRGGBB", all of the text. */
static bool read_color(const char *text, uint8_t rgb[3]) {
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    if (*text != '#' || strlen(text) != 7) return false;
    for (size_t i = 0; i < 6; i++) {
        const char *digit = strchr(digits, text[1 + i]);
        if (!digit) return false;
        rgb[i / 2] = (uint8_t)((i % 2 ? 16 * rgb[i / 2] : 0) + (digit - digits) % 16);
    }
    return true;
}

/* "X,Y,#RRGGBB"; 0, or exit status 2. */
static int read_hint(const char *word, struct caelum_hint *hint) {
    uint64_t x, y;
    const char *at;
    if (!number_whole_at(word, &at, 0, SIZE_MAX, &x) || *at != ',' ||
        !number_whole_at(at + 1, &at, 0, SIZE_MAX, &y) || *at != ',' || !read_color(at + 1, hint->rgb))
        return usage_error("colorize", "--hint: expected X,Y,#RRGGBB, such as 120,80,#c03020, got '%s'",
                           word);
    hint->x = (size_t)x, hint->y = (size_t)y;
    return 0;
}

/* A pixel that somebody has painted: a JPEG's grey ones have a little color, too. */
static bool is_painted(const uint8_t *p) {
    const int most = p[0] > p[1] ? (p[0] > p[2] ? p[0] : p[2]) : (p[1] > p[2] ? p[1] : p[2]),
              least = p[0] < p[1] ? (p[0] < p[2] ? p[0] : p[2]) : (p[1] < p[2] ? p[1] : p[2]);
    return most - least >= CAELUM_HINT_CHROMA;
}

static void tell_hints(const char *path, size_t count) {
    progress_clear();
    if (count == 0)
        warn("%s: no hints: none of its pixels has a chroma of %d or more", path, CAELUM_HINT_CHROMA);
    else if (!display.quiet)
        fprintf(stderr, "%s: %zu hint%s\n", path, count, count == 1 ? "" : "s");
}

/* Adds the painted pixels of a hint picture to the hints of the command line. */
static int picture_hints(struct job *job, const struct caelum_picture *in, struct caelum_picture *painted,
                         struct caelum_colorize_settings *s, struct caelum_error *err) {
    CHECK(caelum_picture_load(painted, job->hint_picture, err));
    const size_t pixels = painted->width * painted->height;
    if (painted->width != in->width || painted->height != in->height)
        return caelum_fail(err, CAELUM_EUSAGE,
                           "%.300s has %zux%zu pixels, the picture %zux%zu; expected the same",
                           job->hint_picture, painted->width, painted->height, in->width, in->height);
    size_t n = s->hint_count;
    for (size_t i = 0; i < pixels; i++) n += is_painted(painted->pixels + 3 * i);
    struct caelum_hint *all = realloc(job->all_hints, (n + 1) * sizeof *all);
    if (!all)
        return caelum_fail(err, CAELUM_ERESOURCE, "%.300s: out of memory for its hints", job->hint_picture);
    s->hints = job->all_hints = all;
    memcpy(all, job->hint, s->hint_count * sizeof *all);
    for (size_t i = 0; i < pixels; i++) {
        const uint8_t *p = painted->pixels + 3 * i;
        if (is_painted(p))
            all[s->hint_count++] = (struct caelum_hint){i % in->width, i / in->width, {p[0], p[1], p[2]}};
    }
    tell_hints(job->hint_picture, n - job->settings.hint_count);
    return 0;
}

static void tell(const struct job *job, const char *input, const char *path,
                 const struct caelum_picture *out) {
    const double colorfulness = caelum_colorfulness(out);
    progress_clear();
    if (job->results.json) {
        print_json(JSON({"input", json_bytes(input)}, {"output", json_bytes(path)},
                        {"width", json_size(out->width)}, {"height", json_size(out->height)},
                        {"colorfulness", json_number(colorfulness)},
                        {"nearly_grey", json_boolean(colorfulness < NEARLY_GREY)}));
    } else if (!display.quiet && strcmp(path, "-") != 0) {
        printf("%s  %zux%zu  colorfulness %.1f\n", path, out->width, out->height, colorfulness);
    }
    if (colorfulness < NEARLY_GREY)
        warn("%s: the result is nearly grey (colorfulness %.1f); try --vivid 1, or tell it colors by --hint",
             input, colorfulness);
}

static int one_picture(void *cookie, size_t i, struct caelum_picture pictures[PICTURES],
                       struct caelum_error *err) {
    struct job *job = cookie;
    struct caelum_picture *in = &pictures[0], *out = &pictures[1];
    struct caelum_colorize_settings s = job->settings;
    const struct input *input = &job->results.inputs.list[i];
    char path[PATH_SIZE];
    CHECK(result_path(&job->results, i, path, err));
    CHECK(input_load(input, in, err));
    if (job->hint_picture) CHECK(picture_hints(job, in, &pictures[2], &s, err));
    CHECK(caelum_colorize(job->model, in, &s, out, err));
    CHECK(result_write(&job->results, i, path, out, err));
    tell(job, input->path, path, out);
    return 0;
}

static const struct caelum_option rows[] = {
    OPTION(STRING, struct job, 'o', "out", results.out, "DIR",
           "directory for the results, made if missing; default: that of each picture, as NAME-color"),
    OPTION(STRING, struct job, 'm', "model", model_path, "FILE",
           "colorizer; default: the one that comes with the program"),
    OPTION(REAL, struct job, 0, "vivid", settings.vivid, "X",
           "from 0, the mean of the likely colors, which is pale, to 1, as colorful as true pictures"),
    OPTION(LIST, struct job, 0, "hint", hint_words, "X,Y,#RRGGBB",
           "the color at column X, row Y of the picture, in pixels from the top left; can be repeated"),
    OPTION(STRING, struct job, 0, "hint-picture", hint_picture, "FILE",
           "a picture of the same size: each pixel with a chroma of 12 of 255 or more is a hint"),
    OPTION(FLAG, struct job, 0, "restore", settings.restore, NULL,
           "restore a faded picture's blacks and whites, too"),
    RESULT_OPTIONS(struct job),
    END_OF_OPTIONS};

static void defaults(void *values) {
    struct job *job = values;
    job->settings = caelum_colorize_defaults();
}

static int run(void *values, int n, char **words, struct caelum_error *err) {
    struct job *job = values;
    if (n < 1) return usage_error("colorize", "expected pictures, folders or - for standard input");
    for (size_t i = 0; i < job->hint_words.count; i++)
        CHECK(read_hint(job->hint_words.word[i], &job->hint[i]));
    job->settings.hints = job->hint;
    job->settings.hint_count = job->hint_words.count;
    signals_catch();
    CHECK(results_open(&job->results, words, n, "-color", err));
    CHECK(model_open(&job->model, job->model_path, "colorize.safetensors", err));
    CHECK(results_begin(&job->results, err));
    return each("coloring", "colored", job->results.inputs.count, one_picture, job);
}

COMMAND(colorize, "PICTURE...", "color grey pictures of any size", "caelum colorize old.jpg",
        .group = "run models on pictures", .rows = rows, .display = true, .size = sizeof(struct job),
        .defaults = defaults, .run = run);
