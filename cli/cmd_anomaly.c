/* cmd_anomaly.c - caelum anomaly train, calibrate, find, eval. */
#include "cli.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct anomaly_command {
    struct caelum_anomaly_settings s;
    const char *out, *rate, *watch;
    bool force, json, no_baselines;
    caelum_anomaly *anomaly;
    struct caelum_anomaly_info info;
    struct caelum_anomaly_start start;
    struct inputs inputs;
    size_t left_out, bad; /* pictures */
};

/* --- Learning ------------------------------------------------------------------------------------- */

/* "1%" or "0.01"; 0, or exit status 2. */
static int read_rate(const char *text, double *rate) {
    const char *end;
    double value;
    const bool number = number_real_at(text, &end, &value), percent = number && *end == '%';
    if (percent) value /= 100;
    if (!number || end[percent] != '\0' || !(value > 0 && value < 1))
        return usage_error(
            "anomaly", "--false-alarms: expected a share of the good pictures, such as 1%% or 0.01, got '%s'",
            text);
    *rate = value;
    return 0;
}

static void leave_out(void *cookie, const char *path, const char *reason) {
    struct anomaly_command *a = cookie;
    a->left_out++;
    warn("%s: left out: %s", path, reason);
}

/* The share of good pictures that may be called bad, in percent: what was asked for, or what can be promised.
 */
static double promised(double false_alarms, size_t scored) {
    const double least = 1 / (double)(scored + 1);
    return 100 * (least > false_alarms ? least : false_alarms);
}

static void started(void *cookie, const struct caelum_anomaly_start *start) {
    struct anomaly_command *a = cookie;
    const bool training = start->scored < start->pictures; /* no more than half are held out */
    char have[32], needed[32];
    a->start = *start;
    if (start->scored < start->needed)
        warn("%s good picture%s can promise %.3g %% of false alarms at best; %.3g %% takes %s",
             grouped(start->pictures, have), start->pictures == 1 ? "" : "s",
             promised(a->s.false_alarms, start->scored), 100 * a->s.false_alarms,
             grouped((training ? 2 : 1) * start->needed, needed));
}

static void tell_learned(struct anomaly_command *a, const char *path, double seconds) {
    struct stat st = {0};
    char pictures[32], scored[32], bytes[32], time[32];
    const size_t size = stat(path, &st) == 0 ? (size_t)st.st_size : 0;
    caelum_anomaly_describe(a->anomaly, &a->info);
    const double rate = promised(a->info.false_alarms, a->info.good);
    progress_clear();
    if (a->json) {
        print_json(JSON({"model", json_bytes(path)}, {"bytes", json_size(size)},
                        {"seconds", json_number(seconds)}, {"pictures", json_size(a->start.pictures)},
                        {"left_out", json_size(a->left_out)}, {"scored", json_size(a->info.good)},
                        {"needed", json_size(a->start.needed)}, {"threshold", json_number(a->info.threshold)},
                        {"false_alarms", json_number(a->info.false_alarms)},
                        {"promised", json_number(rate / 100)}));
        return;
    }
    printf("%s good pictures, %zu left out, in %s\n", grouped(a->start.pictures, pictures), a->left_out,
           progress_duration(seconds, time));
    printf("threshold %.4f by the scores of %s of them: at most %.3g %% of good pictures are called bad\n",
           a->info.threshold, grouped(a->info.good, scored), rate);
    printf("model %s, %s bytes\n", path, grouped(size, bytes));
    printf("next: caelum anomaly find %s PICTURES\n", path);
}

/* Hours of training must not end at a file that can't be written. */
static int can_write(const char *path, bool force, struct caelum_error *err) {
    struct file_writer writer = {0};
    CHECK(path_free(path, force, err));
    CHECK(file_begin(&writer, path, err));
    file_abandon(&writer);
    return CAELUM_OK;
}

static int train(struct anomaly_command *a, int n, char **words, struct caelum_error *err) {
    char work[PATH_SIZE];
    const double before = clock_seconds();
    if (n != 1 || !a->out)
        return usage_error("anomaly", "train: expected a folder of good pictures, and -o FILE");
    CHECK(can_write(a->out, a->force, err));
    CHECK(path_result("", a->out, ".training", work, sizeof work, err));
    a->s.work = work, a->s.out = a->out;
    CHECK(caelum_anomaly_train(&a->anomaly, words[0], &a->s, err));
    tell_learned(a, a->out, clock_seconds() - before);
    return 0;
}

static int calibrate(struct anomaly_command *a, int n, char **words, struct caelum_error *err) {
    const double before = clock_seconds();
    if (n != 2) return usage_error("anomaly", "calibrate: expected MODEL and a folder of good pictures");
    CHECK(caelum_anomaly_load(&a->anomaly, words[0], err));
    caelum_anomaly_describe(a->anomaly, &a->info);
    if (!a->rate) a->s.false_alarms = a->info.false_alarms;
    const char *to = a->out ? a->out : words[0];
    CHECK(can_write(to, a->force || !a->out, err));
    CHECK(caelum_anomaly_calibrate(a->anomaly, words[1], &a->s, err));
    CHECK(caelum_anomaly_save(a->anomaly, to, err));
    tell_learned(a, to, clock_seconds() - before);
    return 0;
}

/* --- Finding -------------------------------------------------------------------------------------- */

static json_t *boxes(const struct caelum_anomaly_verdict *v) {
    json_t *list = json_array();
    for (const struct caelum_anomaly_box *b = v->box; b < v->box + v->boxes; b++)
        json_add(&list, JSON({"x", json_size(b->x)}, {"y", json_size(b->y)}, {"width", json_size(b->width)},
                             {"height", json_size(b->height)}, {"score", json_number(b->score)}));
    return list;
}

static void tell_verdict(const struct anomaly_command *a, const char *path,
                         const struct caelum_anomaly_verdict *v) {
    progress_clear();
    if (a->json) {
        print_json_line(JSON({"input", json_bytes(path)}, {"bad", json_boolean(v->bad)},
                             {"score", json_number(v->score)}, {"p", json_number(v->p)},
                             {"boxes", boxes(v)}));
        return;
    }
    put_plain(stdout, path);
    printf("  %s  score %.4f  p %.4f", v->bad ? "BAD " : "good", v->score, v->p);
    for (const struct caelum_anomaly_box *b = v->box; b < v->box + v->boxes; b++)
        printf("  %zux%zu+%zu+%zu", b->width, b->height, b->x, b->y);
    putchar('\n');
    fflush(stdout);
}

static int save(struct anomaly_command *a, size_t i, const char *ending, const struct caelum_picture *picture,
                struct caelum_error *err) {
    char path[PATH_SIZE], stem[NAME_SIZE];
    path_stem(a->inputs.list[i].path, stem, sizeof stem);
    CHECK(path_result(a->out, stem, ending, path, sizeof path, err));
    CHECK(inputs_claim(&a->inputs, i, path, a->force, err));
    CHECK(caelum_picture_save(picture, path, err));
    inputs_wrote(&a->inputs, i, path);
    return CAELUM_OK;
}

/* Writes the heat map, then the mask, which takes the place of the picture in memory. */
static int save_map(struct anomaly_command *a, size_t i, const float *map,
                    struct caelum_picture pictures[PICTURES], struct caelum_error *err) {
    struct caelum_picture *in = &pictures[0], *heat = &pictures[1];
    CHECK(caelum_anomaly_heat(a->anomaly, in, map, heat, err));
    CHECK(save(a, i, "-heat.png", heat, err));
    for (size_t k = 0; k < in->width * in->height; k++)
        memset(in->pixels + 3 * k, (double)map[k] >= a->info.threshold ? 255 : 0, 3);
    return save(a, i, "-mask.png", in, err);
}

static int one_picture(void *cookie, size_t i, struct caelum_picture pictures[PICTURES],
                       struct caelum_error *err) {
    struct anomaly_command *a = cookie;
    struct caelum_anomaly_verdict verdict;
    float *map = NULL;
    CHECK(input_load(&a->inputs.list[i], &pictures[0], err));
    if (a->out) CHECK(mem_alloc(&map, pictures[0].width * pictures[0].height, sizeof *map, err));
    int code = caelum_anomaly_score(a->anomaly, &pictures[0], a->s.threads, map, &verdict, err);
    if (code == 0 && a->out) code = save_map(a, i, map, pictures, err);
    mem_free(&map);
    if (code != 0) return code;
    a->bad += verdict.bad;
    tell_verdict(a, a->inputs.list[i].path, &verdict);
    return CAELUM_OK;
}

static int one_watched(void *cookie, const char *path, struct caelum_error *err) {
    struct anomaly_command *a = cookie;
    char copy[PATH_SIZE];
    struct input input = {.path = strcpy(copy, path)};
    a->inputs = (struct inputs){&input, 1};
    return each_one(one_picture, a, 0, err);
}

/* Results would be taken for pictures. */
static int check_watched(const struct anomaly_command *a, struct caelum_error *err) {
    struct stat watched, out;
    if (a->watch && a->out && stat(a->watch, &watched) == 0 && stat(a->out, &out) == 0 &&
        watched.st_dev == out.st_dev && watched.st_ino == out.st_ino)
        return caelum_fail(err, CAELUM_EUSAGE, "%.300s is watched; name another folder for the results by -o",
                           a->out);
    return CAELUM_OK;
}

/* Exit statuses: 10 where a picture is bad, 3 where one has no verdict. */
enum { SOME_BAD = 10, SOME_FAILED = -CAELUM_EFORMAT };

static int find(struct anomaly_command *a, int n, char **words, struct caelum_error *err) {
    if (n < 1 || (n < 2 && !a->watch))
        return usage_error("anomaly", "find: expected MODEL and pictures, folders or -, or --watch DIR");
    CHECK(caelum_anomaly_load(&a->anomaly, words[0], err));
    caelum_anomaly_describe(a->anomaly, &a->info);
    if (n > 1) CHECK(inputs_open(&a->inputs, words + 1, n - 1, NULL, err));
    if (a->out) CHECK(file_make_directory(a->out, err));
    CHECK(check_watched(a, err));
    const int failed = each("judging", "judged", a->inputs.count, one_picture, a);
    if (a->watch) CHECK(watch_folder(a->watch, one_watched, a, err));
    if (failed) return failed == -CAELUM_ERESOURCE ? failed : SOME_FAILED;
    return a->bad ? SOME_BAD : 0;
}

/* --- Measuring ------------------------------------------------------------------------------------ */

static void print_figure(const json_t *figures, const char *key) {
    const json_t *value = json_object_get(figures, key);
    if (json_is_number(value))
        printf("  %11.4f", json_number_value(value));
    else
        printf("  %11s", "-");
}

static void print_row(const char *name, const json_t *figures, int width) {
    static const char *const keys[] = {"image_auroc", "image_ap",  "image_f1_max",  "pixel_auroc",
                                       "pixel_ap",    "au_pro_30", "true_positives"};
    printf("%-*s  %5lld", width, name, (long long)json_integer_value(json_object_get(figures, "bad")));
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) print_figure(figures, keys[i]);
    putchar('\n');
}

static void print_rows(json_t *object, int width) {
    const char *name;
    json_t *figures;
    json_object_foreach(object, name, figures) print_row(name, figures, width);
}

static void print_table(const struct anomaly_command *a, json_t *figures) {
    json_t *left = json_object_get(figures, "left_out");
    int width = 14;
    const char *name;
    json_t *of;
    json_object_foreach(json_object_get(figures, "kinds"), name, of) if ((int)strlen(name) > width) width =
        (int)strlen(name);
    printf("%-*s  %5s  %11s  %11s  %11s  %11s  %11s  %11s  %11s\n", width, "", "bad", "image AUROC", "AP",
           "F1 max", "pixel AUROC", "AP", "AU-PRO 30%", "found");
    print_row("all", figures, width);
    print_rows(json_object_get(figures, "kinds"), width);
    print_rows(json_object_get(figures, "baselines"), width);
    printf("\n%.3g %% of %lld good pictures are called bad (%.3g %% was asked for); %.1f ms a picture\n",
           100 * json_number_value(json_object_get(figures, "false_alarms")),
           (long long)json_integer_value(json_object_get(figures, "good")), 100 * a->info.false_alarms,
           json_number_value(json_object_get(figures, "ms_per_picture")));
    for (size_t i = 0; i < json_array_size(left); i++) warn("%s", json_string_value(json_array_get(left, i)));
}

static int evaluate(struct anomaly_command *a, int n, char **words, struct caelum_error *err) {
    const struct caelum_anomaly_eval_settings how = {
        .no_baselines = a->no_baselines, .page = a->out, .threads = a->s.threads, .progress = progress_stage};
    char *text = NULL;
    if (n != 2) return usage_error("anomaly", "eval: expected MODEL and a folder with test/good, test/KIND");
    if (a->out) CHECK(can_write(a->out, a->force, err));
    CHECK(caelum_anomaly_load(&a->anomaly, words[0], err));
    caelum_anomaly_describe(a->anomaly, &a->info);
    CHECK(caelum_anomaly_eval(a->anomaly, words[1], &how, &text, err));
    json_t *figures = json_read(text, strlen(text), 0, NULL);
    caelum_anomaly_figures_free(&text);
    progress_clear();
    if (a->json) return print_json(figures), 0;
    if (!figures) return caelum_fail(err, CAELUM_ERESOURCE, "out of memory for the figures");
    print_table(a, figures);
    json_decref(figures);
    return 0;
}

/* --- The command ---------------------------------------------------------------------------------- */

static const struct caelum_option rows[] = {
    OPTION(STRING, struct anomaly_command, 'o', "out", out, "PATH",
           "train: the model; calibrate: the model, default: in place; find: directory for a heat map and a "
           "mask of each picture; eval: a page of figures, in HTML"),
    OPTION(STRING, struct anomaly_command, 0, "false-alarms", rate, "RATE",
           "train, calibrate: how many good pictures may be called bad, such as 0.5% or 0.005; default 1%, "
           "calibrate: as before"),
    OPTION(SIZE, struct anomaly_command, 0, "size", s.size, "N",
           "train: reduce pictures whose longer side has more pixels, 64 to 8192"),
    OPTION(SIZE, struct anomaly_command, 0, "steps", s.steps, "N",
           "train: steps of each of the two networks"),
    OPTION(U64, struct anomaly_command, 0, "seed", s.seed, "N", "train: of all that is random"),
    OPTION(STRING, struct anomaly_command, 0, "watch", watch, "DIR",
           "find: also judge each picture that is put into this folder, until Ctrl-C"),
    OPTION(FLAG, struct anomaly_command, 0, "no-baselines", no_baselines, NULL,
           "eval: leave out the finders that only know patches of DIR/train/good"),
    OPTION(FLAG, struct anomaly_command, 0, "force", force, NULL, "overwrite existing files"),
    OPTION(THREADS, struct anomaly_command, 't', "threads", s.threads, "N", THREADS_HELP),
    OPTION(FLAG, struct anomaly_command, 0, "json", json, NULL,
           "print results as JSON; find: an object a line for each picture"),
    END_OF_OPTIONS};

static void defaults(void *values) {
    struct anomaly_command *a = values;
    a->s = caelum_anomaly_defaults();
    a->s.progress = progress_stage;
    a->s.left_out = leave_out;
    a->s.started = started;
    a->s.cookie = a;
}

static int run(void *values, int n, char **words, struct caelum_error *err) {
    static const struct {
        const char *name;
        int (*run)(struct anomaly_command *a, int n, char **words, struct caelum_error *err);
    } verbs[] = {{"train", train}, {"calibrate", calibrate}, {"find", find}, {"eval", evaluate}};
    struct anomaly_command *a = values;
    a->s.command = command_line;
    if (a->rate) CHECK(read_rate(a->rate, &a->s.false_alarms));
    signals_catch();
    for (size_t i = 0; n > 0 && i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(words[0], verbs[i].name) == 0) return verbs[i].run(a, n - 1, words + 1, err);
    return usage_error("anomaly", "expected 'train GOOD -o MODEL', 'calibrate MODEL GOOD', "
                                  "'find MODEL PICTURES' or 'eval MODEL DIR'");
}

static void close_anomaly(void *values) {
    caelum_anomaly_close(&((struct anomaly_command *)values)->anomaly);
}

COMMAND(anomaly, "train|calibrate|find|eval ARGUMENT...",
        "find defects in pictures, from good pictures alone",
        "caelum anomaly train good/ -o part.safetensors", .rows = rows, .display = true,
        .size = sizeof(struct anomaly_command), .defaults = defaults, .run = run, .close = close_anomaly);
