/* cmd_colorize.c - caelum colorize: grey pictures of any size in color. */
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char default_model[] = "colorize.safetensors";

/* Words by enum caelum_picture_format, and what files are called. */
static const char *const formats[] = {"png", "jpg", "webp", NULL};

struct job {
    const char *model_path, *out, *hint_picture;
    struct option_words hint_words;
    struct caelum_hint hint[OPTION_WORDS_MOST];
    struct caelum_colorize_settings settings;
    int format;
    bool force, json;
    caelum_model *model;
};

/* Below this a picture hardly looks colored; caelum_color_learned has the same. */
static const double NEARLY_GREY = 5;

static int bad_hint(const char *word) {
    return usage_error("colorize", "--hint: expected X,Y,#RRGGBB, such as 120,80,#c03020, got '%s'", word);
}

/* "X,Y,#RRGGBB"; 0, or exit status 2. */
static int read_hint(const char *word, struct caelum_hint *hint) {
    unsigned long long x, y;
    unsigned color;
    int used = 0;
    if (*word < '0' || *word > '9' || sscanf(word, "%llu,%llu,#%6x%n", &x, &y, &color, &used) != 3 ||
        word[used] != '\0' || strlen(strchr(word, '#')) != 7 || strchr(word, '-') || strchr(word, '+'))
        return bad_hint(word);
    *hint = (struct caelum_hint){
        (size_t)x, (size_t)y, {(uint8_t)(color >> 16), (uint8_t)(color >> 8 & 255), (uint8_t)(color & 255)}};
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

/* The painted pixels of a hint picture, beside the hints of the command line. *list is to be freed. */
static int picture_hints(const struct job *job, const struct caelum_picture *in, struct caelum_hint **list,
                         size_t *count, struct caelum_error *err) {
    struct caelum_picture hints = {0};
    int code = caelum_picture_load(&hints, job->hint_picture, err);
    if (code != 0) return code;
    const size_t pixels = hints.width * hints.height;
    size_t n = job->settings.hint_count;
    if (hints.width != in->width || hints.height != in->height) {
        err->code = code = CAELUM_EUSAGE;
        snprintf(err->text, sizeof err->text,
                 "%.300s has %zux%zu pixels, the picture %zux%zu; expected the same", job->hint_picture,
                 hints.width, hints.height, in->width, in->height);
    }
    for (size_t i = 0; code == 0 && i < pixels; i++) n += is_painted(hints.pixels + 3 * i);
    struct caelum_hint *all = code == 0 ? malloc((n + 1) * sizeof *all) : NULL;
    if (code == 0 && !all) {
        err->code = code = CAELUM_ERESOURCE;
        snprintf(err->text, sizeof err->text, "%.300s: out of memory for its hints", job->hint_picture);
    }
    if (code == 0) {
        memcpy(all, job->hint, job->settings.hint_count * sizeof *all);
        *count = job->settings.hint_count;
        for (size_t i = 0; i < pixels; i++) {
            const uint8_t *p = hints.pixels + 3 * i;
            if (is_painted(p))
                all[(*count)++] = (struct caelum_hint){i % in->width, i / in->width, {p[0], p[1], p[2]}};
        }
        *list = all;
        tell_hints(job->hint_picture, n - job->settings.hint_count);
    }
    caelum_picture_free(&hints);
    return code;
}

static int colorize(const struct job *job, const struct caelum_picture *in, struct caelum_picture *out,
                    struct caelum_error *err) {
    struct caelum_colorize_settings s = job->settings;
    struct caelum_hint *list = NULL;
    int code = job->hint_picture ? picture_hints(job, in, &list, &s.hint_count, err) : 0;
    if (list) s.hints = list;
    if (code == 0) code = caelum_colorize(job->model, in, &s, out, err);
    free(list);
    return code;
}

/* Whether two paths lead to one file. */
static bool same_file(const char *a, const char *b) {
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Where a picture's colors go: DIR/STEM.FORMAT, without DIR STEM-color.FORMAT beside it. */
static int output_path(const struct job *job, const char *input, char path[1024], struct caelum_error *err) {
    char stem[256];
    const char *slash = strrchr(input, '/');
    int used;
    path_stem(input, stem, sizeof stem);
    if (job->out)
        used = snprintf(path, 1024, "%s/%s.%s", job->out, stem, formats[job->format]);
    else
        used = snprintf(path, 1024, "%.*s%s-color.%s", slash ? (int)(slash - input + 1) : 0, input, stem,
                        formats[job->format]);
    const bool fits = used > 0 && used < 1024;
    if (fits && !same_file(path, input)) return path_free(path, job->force, err);
    err->code = CAELUM_EUSAGE;
    snprintf(err->text, sizeof err->text, "%.300s: %s", input,
             fits ? "its result would replace it; name another directory by -o"
                  : "the path of its result is too long");
    return err->code;
}

static void tell(const struct job *job, const char *input, const char *path,
                 const struct caelum_picture *out) {
    const double colorfulness = caelum_colorfulness(out);
    progress_clear();
    if (job->json)
        print_json(json_pack("{s:s, s:s, s:I, s:I, s:f, s:b}", "input", input, "output", path, "width",
                             (json_int_t)out->width, "height", (json_int_t)out->height, "colorfulness",
                             colorfulness, "nearly_grey", colorfulness < NEARLY_GREY));
    else if (!display.quiet && strcmp(path, "-") != 0)
        printf("%s  %zux%zu  colorfulness %.1f\n", path, out->width, out->height, colorfulness);
    if (colorfulness < NEARLY_GREY)
        warn("%s: the result is nearly grey (colorfulness %.1f); try --vivid 1, or tell it colors by --hint",
             input, colorfulness);
}

static int load(const char *input, struct caelum_picture *picture, struct caelum_error *err) {
    if (strcmp(input, "-") != 0) return caelum_picture_load(picture, input, err);
    uint8_t *bytes = NULL;
    size_t size = 0;
    int code = stdin_read(&bytes, &size, err);
    if (code == 0) code = caelum_picture_decode(picture, bytes, size, "standard input", err);
    free(bytes);
    return code;
}

static int save(const struct job *job, const char *path, const struct caelum_picture *picture,
                struct caelum_error *err) {
    if (strcmp(path, "-") != 0) return caelum_picture_save(picture, path, err);
    uint8_t *bytes = NULL;
    size_t size = 0;
    int code = caelum_picture_encode(picture, (enum caelum_picture_format)job->format, &bytes, &size, err);
    if (code == 0 && (fwrite(bytes, 1, size, stdout) != size || fflush(stdout) != 0)) {
        err->code = code = CAELUM_EIO;
        snprintf(err->text, sizeof err->text, "standard output: the picture can't be written");
    }
    caelum_picture_bytes_free(&bytes);
    return code;
}

static int one_picture(const struct job *job, const char *input, struct caelum_error *err) {
    struct caelum_picture in = {0}, out = {0};
    char path[1024] = "-";
    int code = strcmp(input, "-") != 0 ? output_path(job, input, path, err) : 0;
    if (code == 0) code = load(input, &in, err);
    if (code == 0) code = colorize(job, &in, &out, err);
    caelum_picture_free(&in);
    if (code == 0) code = save(job, path, &out, err);
    if (code == 0) tell(job, input, path, &out);
    caelum_picture_free(&out);
    return code;
}

static int open_model(struct job *job, struct caelum_error *err) {
    char path[1024];
    const int code = job->model_path ? 0 : path_model(default_model, path, sizeof path, err);
    return code ? code : caelum_model_load(&job->model, job->model_path ? job->model_path : path, err);
}

/* Nobody can read a picture's bytes on a terminal, and some of them would change how it works. */
static int check_terminal(const struct job *job, const struct inputs *inputs, struct caelum_error *err) {
    for (size_t i = 0; i < inputs->count; i++) {
        if (strcmp(inputs->path[i], "-") != 0 || job->force || !isatty(1)) continue;
        err->code = CAELUM_EUSAGE;
        snprintf(
            err->text, sizeof err->text,
            "the picture would go to the terminal; send it into a file by '> FILE', or insist by --force");
        return err->code;
    }
    return 0;
}

/* Status of the first picture that failed; the others are done all the same. */
static int all_pictures(const struct job *job, const struct inputs *inputs) {
    struct caelum_error err;
    int status = 0;
    size_t failed = 0;
    for (size_t i = 0; i < inputs->count && !signals_caught(); i++) {
        if (inputs->count > 1) progress_stage(NULL, "coloring", i, inputs->count);
        if (one_picture(job, inputs->path[i], &err) == 0) continue;
        const int code = report(&err);
        if (status == 0) status = code;
        failed++;
    }
    progress_clear();
    if (failed > 0 && inputs->count > 1) warn("%zu of %zu files were not colored", failed, inputs->count);
    return status;
}

int command_colorize(int argc, char **argv) {
    struct job job = {.settings = caelum_colorize_defaults()};
    const struct option_row rows[] = {
        {'o', "out", OPTION_STRING, &job.out, "DIR",
         "where the pictures go; is made if it isn't there; default: beside each, as NAME-color", NULL},
        {'m', "model", OPTION_STRING, &job.model_path, "FILE",
         "colorizer; default: the one that comes with the program", NULL},
        {0, "vivid", OPTION_REAL, &job.settings.vivid, "X",
         "from 0, the likeliest colors on average, which are pale, to 1, as colorful as true pictures", NULL},
        {0, "hint", OPTION_WORDS, &job.hint_words, "X,Y,#RRGGBB",
         "the color at column X, row Y of the picture, in pixels from the top left; can be repeated", NULL},
        {0, "hint-picture", OPTION_STRING, &job.hint_picture, "FILE",
         "a picture of the same size: each pixel with a chroma of 12 of 255 or more is a hint", NULL},
        {0, "restore", OPTION_FLAG, &job.settings.restore, NULL,
         "give a faded picture its blacks and whites back, too", NULL},
        {0, "format", OPTION_CHOICE, &job.format, NULL, "format of the pictures written", formats},
        {0, "force", OPTION_FLAG, &job.force, NULL, "write over what exists; with -, write to a terminal too",
         NULL},
        {'t', "threads", OPTION_THREADS, &job.settings.threads, "N",
         "threads, 1 to 4096; no influence on the result", NULL},
        {0, "json", OPTION_FLAG, &job.json, NULL, "print a JSON object for each picture", NULL},
        DISPLAY_OPTIONS,
        {0, NULL, OPTION_FLAG, NULL, NULL, NULL, NULL}};
    const int n = options_read(command_find("colorize"), rows, argc, argv);
    if (n < 0) return -n - 1;
    if (n < 1) return usage_error("colorize", "expected pictures, folders or - for standard input");
    for (size_t i = 0; i < job.hint_words.count; i++)
        if (read_hint(job.hint_words.word[i], &job.hint[i]) != 0) return 2;
    job.settings.hints = job.hint;
    job.settings.hint_count = job.hint_words.count;
    struct caelum_error err;
    struct inputs inputs = {0};
    signals_catch();
    int code = inputs_open(&inputs, argv + 1, n, &err);
    if (code == 0) code = check_terminal(&job, &inputs, &err);
    if (code == 0) code = open_model(&job, &err);
    if (code == 0 && job.out) code = path_directory(job.out, &err);
    const int status = code == 0 ? all_pictures(&job, &inputs) : report(&err);
    caelum_model_close(&job.model);
    inputs_close(&inputs);
    return status;
}
