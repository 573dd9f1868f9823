/* cmd_eval.c - caelum eval: the model's figures above those of what needs no training by gradient: the best
 * linear codes, or for a colorizer colorizers that are no networks. */
#include "cli.h"

#include "base/dist.h"
#include "base/json.h"
#include "base/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_BASELINES = 8, MOST_PRICES = 5 };

/* Of a bit, beside the model's own: for the curve of errors by bits. */
static const double prices[MOST_PRICES] = {-1, 0, 0.05, 0.1, 0.2};

const char *const eval_splits[] = {"train", "validation", "test", NULL};

/* What the figures are of, by task. */
static const char *const measured_on[] = {
    [CAELUM_RECONSTRUCT] = "outputs clamped to [0, 1] and rounded to 8 bit, except mse_float and accuracy, "
                           "which are of the outputs as they are",
    [CAELUM_COLORIZE] = "U and V merged with the true Y, clamped and rounded to 8 bit, except uv_mse_float "
                        "and accuracy",
    [CAELUM_DENOISE] = "outputs clamped to [0, 1] and rounded to 8 bit, except mse_float and accuracy",
    [CAELUM_CLASSIFY] = NULL};

/* What is measured, by what. */
struct evaluation {
    const char *model_path, *data_spec;
    struct caelum_eval_settings how;
    bool json, no_baselines, record;
    const char *classifier; /* that tests a colorizer; NULL: none */
    struct caelum_data_settings settings;
    int mpi;
    caelum_dist *dist;
    caelum_model *model, *judge; /* judge: the classifier */
    caelum_data *data;
};

/* A line of the table. */
struct row {
    const char *name;
    size_t numbers;      /* of a code */
    const void *metrics; /* NULL: the head */
};

/* As bytes, at a price. */
struct coded {
    double price;
    struct caelum_code_metrics metrics;
};

/* What was measured: row[0] is the model's, the others are baselines. */
struct result {
    enum caelum_task task;
    struct caelum_net_info net;
    struct row row[1 + MOST_BASELINES];
    size_t rows;
    struct caelum_metrics plain;
    struct caelum_baseline codes[MOST_BASELINES];
    struct coded coded[MOST_PRICES]; /* the first at the model's own price */
    size_t prices;                   /* 0: it has no quantize layer */
    struct caelum_color_metrics color;
    struct caelum_color_baseline colorizers[MOST_BASELINES]; /* the first is grey */
    struct caelum_semantic_metrics semantic;                 /* by the classifier, if one is named */
    struct caelum_class_metrics classes;
};

static size_t count_of(const void *metrics) {
    size_t count; /* every metrics struct begins with it */
    memcpy(&count, metrics, sizeof count);
    return count;
}

/* --- Data ----------------------------------------------------------------------------------------- */

/* Data as in the model's training, but for the split where the user asks for another. */
static int choose_split(struct evaluation *e, struct caelum_error *err) {
    struct caelum_data_settings *s = &e->settings;
    const uint64_t wanted = s->split_seed;
    CHECK(caelum_model_data_settings(e->model, s, err));
    if (options_origin("split-seed") == ORIGIN_DEFAULT || wanted == s->split_seed) return 0;
    warn("the model was trained with --split-seed %llu: with another one it has seen some of these "
         "pictures",
         (unsigned long long)s->split_seed);
    s->split_seed = wanted;
    return 0;
}

/* run.json in the model's directory. */
static json_t *run_beside(const char *model_path) {
    char path[PATH_SIZE];
    struct stat st;
    const char *name = path_name(model_path);
    const bool directory = stat(model_path, &st) == 0 && S_ISDIR(st.st_mode);
    const int used = directory
                         ? snprintf(path, sizeof path, "%s/run.json", model_path)
                         : snprintf(path, sizeof path, "%.*srun.json", (int)(name - model_path), model_path);
    return used > 0 && (size_t)used < sizeof path ? json_read_file(path, NULL) : NULL;
}

/* Where the run beside the model, if it is the model's, had its data from. */
static char *data_of_run(const struct evaluation *e, const char *fingerprint) {
    json_t *root = run_beside(e->model_path), *settings = json_object_get(root, "settings");
    const char *theirs = json_string_value(json_object_get(settings, "data_fingerprint"));
    const char *spec = json_string_value(json_object_get(settings, "data_spec"));
    char *copy = spec && theirs && strcmp(theirs, fingerprint) == 0 ? strdup(spec) : NULL;
    if (copy) json_bytes_back(copy);
    json_decref(root);
    return copy;
}

/* "synthetic:400:32" out of the fingerprint "synthetic:400:32:seed1:v1". */
static char *data_generated(const char *fingerprint) {
    static const char begin[] = "synthetic:";
    const char *at = fingerprint + strlen(begin);
    uint64_t count, size;
    if (strncmp(fingerprint, begin, strlen(begin)) != 0) return NULL;
    if (!number_whole_at(at, &at, 0, SIZE_MAX, &count) || *at++ != ':') return NULL;
    if (!number_whole_at(at, &at, 0, SIZE_MAX, &size)) return NULL;
    return strndup(fingerprint, (size_t)(at - fingerprint));
}

/* Where nothing says which pictures they are, nothing is guessed. */
static int choose_data(struct evaluation *e, struct caelum_error *err) {
    const char *kind = caelum_model_metadata(e->model, "data");
    const char *fingerprint = caelum_model_metadata(e->model, "data_fingerprint");
    if (e->data_spec) return 0;
    if (!kind || !fingerprint)
        return caelum_fail(
            err, CAELUM_EUSAGE,
            "%.400s doesn't say which pictures it was trained on; name with --data those that it should "
            "be measured on",
            e->model_path);
    e->data_spec = data_of_run(e, fingerprint);
    if (!e->data_spec) e->data_spec = data_generated(fingerprint);
    if (e->data_spec) return 0;
    return caelum_fail(
        err, CAELUM_EUSAGE,
        "%.300s was trained on %.40s, and there is no run.json in its directory that says where that is; "
        "name the pictures by --data",
        e->model_path, strcmp(kind, "folder") == 0 ? "a folder of pictures" : kind);
}

static int open_data(struct evaluation *e, struct caelum_error *err) {
    const char *trained_on = caelum_model_metadata(e->model, "data_fingerprint");
    CHECK(choose_split(e, err));
    CHECK(choose_data(e, err));
    CHECK(caelum_data_open(&e->data, e->data_spec, &e->settings, err));
    if (trained_on && strcmp(trained_on, caelum_data_fingerprint(e->data)) != 0)
        warn("%s: these are not the pictures that the model was trained on", e->data_spec);
    return 0;
}

/* --- As text -------------------------------------------------------------------------------------- */

/* Columns are as wide as their head, and as a number below zero. */
static void print_row(enum caelum_task task, const struct row *row) {
    printf("%-28s", row->name);
    if (task == CAELUM_RECONSTRUCT && row->metrics) printf(" %7zu", row->numbers);
    if (task == CAELUM_RECONSTRUCT && !row->metrics) printf(" numbers");
    for (const struct caelum_figure *f = caelum_figures(task); f->key; f++) {
        char head[64], number[32];
        if (!f->column) continue;
        const int width = number_print(number, sizeof number, f->format, -0.5),
                  length = snprintf(head, sizeof head, "%s%s%s", f->key, *f->unit ? " " : "", f->unit);
        if (row->metrics)
            number_print(number, sizeof number, f->format, caelum_figure_value(f, row->metrics));
        printf("  %*s", width > length ? width : length, row->metrics ? number : head);
    }
    printf("\n");
}

static void print_rows(enum caelum_task task, const struct row *rows, size_t count) {
    const struct row head = {.name = ""};
    print_row(task, &head);
    for (size_t i = 0; i < count; i++) print_row(task, &rows[i]);
}

static const char *verdict(const struct result *r) {
    return caelum_color_learned(&r->color, &r->colorizers[0].metrics) ? "color learned" : "no color learned";
}

static void print_color(const struct evaluation *e, const struct result *r) {
    const struct caelum_color_metrics *m = &r->color;
    /* a dial that is turned up gives accuracy away on purpose */
    if (e->how.vivid > 0)
        printf("\ncolorfulness %.2f of the truth's %.2f, uv_mse %.3f of grey's\n", m->colorfulness,
               m->colorfulness_truth, 1 - m->r2);
    else
        printf("\n%s: colorfulness %.2f of the truth's %.2f, r2 %.3f, %+.2f dB against grey; at least 5, "
               "0.05 and 0.3 dB are asked for\n",
               verdict(r), m->colorfulness, m->colorfulness_truth, m->r2,
               m->psnr - r->colorizers[0].metrics.psnr);
}

static void print_semantic(const struct evaluation *e, const struct caelum_semantic_metrics *m) {
    const struct row ways[] = {{"in their colors", 0, &m->color},
                               {"in grey", 0, &m->grey},
                               {"in this model's colors", 0, &m->recolored}};
    printf("\nwhat the classifier %s makes of the pictures\n\n", e->classifier);
    print_rows(CAELUM_CLASSIFY, ways, 3);
    if (isfinite(m->closed))
        printf("\n%.1f %% of the gap in accuracy between grey and color closed\n", 100 * m->closed);
    else
        printf("\nit is no better with colors than in grey, so it tells nothing about a colorizer\n");
}

static void print_coded(const struct result *r) {
    printf("\nas bytes, by caelum encode; headers are not counted\n\n");
    for (size_t i = 0; i < r->prices; i++) {
        char name[64];
        const struct row rows[] = {{.name = ""}, {name, r->net.bottleneck, &r->coded[i].metrics.decoded}};
        number_print(name, sizeof name, "price %g: %.1f bits", r->coded[i].price, r->coded[i].metrics.bits);
        if (i == 0) print_row(CAELUM_RECONSTRUCT, rows);
        print_row(CAELUM_RECONSTRUCT, rows + 1);
    }
}

static void print_table(const struct evaluation *e, const struct result *r) {
    const bool color = r->task == CAELUM_COLORIZE;
    const char *what = measured_on[r->task];
    printf("%s, %s split, %zu pictures of %s%s%s\n", e->model_path, eval_splits[e->how.split],
           count_of(r->row[0].metrics), e->data_spec, what ? "; " : "", what ? what : "");
    if (r->task == CAELUM_DENOISE)
        printf("with noise of deviation %g of 255, which the model is told\n", e->how.noise);
    if (color && e->how.vivid > 0) printf("vivid %g\n", e->how.vivid);
    if (color && e->how.hints > 0)
        printf("told the true colors of %zu random pixels of each picture\n", e->how.hints);
    printf("\n");
    print_rows(r->task, r->row, r->rows);
    if (r->task == CAELUM_RECONSTRUCT && r->rows > 1)
        printf("\nPCA and KLT: the best linear codes with as many numbers, fitted on the train split.\n");
    if (r->prices > 0) print_coded(r);
    if (color) print_color(e, r);
    if (color && e->classifier) print_semantic(e, &r->semantic);
}

/* --- As JSON -------------------------------------------------------------------------------------- */

/* Sets all figures of a task, null where one is no number. */
static void put_figures(json_t **object, enum caelum_task task, const void *metrics) {
    for (const struct caelum_figure *f = caelum_figures(task); f->key; f++)
        json_put(object, f->key, json_number(caelum_figure_value(f, metrics)));
}

static json_t *semantic_object(const struct evaluation *e, const struct caelum_semantic_metrics *m) {
    const struct row ways[] = {
        {"color", 0, &m->color}, {"grey", 0, &m->grey}, {"recolored", 0, &m->recolored}};
    json_t *object = json_object();
    json_put(&object, "classifier", json_bytes(e->classifier));
    for (size_t i = 0; i < 3; i++) {
        json_t *way = json_object();
        put_figures(&way, CAELUM_CLASSIFY, ways[i].metrics);
        json_put(&object, ways[i].name, way);
    }
    json_put(&object, "closed", json_number(m->closed));
    return object;
}

static json_t *coded_array(const struct result *r) {
    json_t *array = json_array();
    for (const struct coded *c = r->coded; c < r->coded + r->prices; c++) {
        json_t *o = JSON({"price", json_number(c->price)}, {"bits", json_number(c->metrics.bits)});
        put_figures(&o, CAELUM_RECONSTRUCT, &c->metrics.decoded);
        json_add(&array, o);
    }
    return array;
}

static json_t *baselines_array(const struct result *r) {
    json_t *baselines = json_array();
    for (const struct row *row = r->row + 1; row < r->row + r->rows; row++) {
        json_t *b = json_object();
        json_put(&b, "name", json_string(row->name));
        if (r->task == CAELUM_RECONSTRUCT) json_put(&b, "numbers", json_size(row->numbers));
        put_figures(&b, r->task, row->metrics);
        json_add(&baselines, b);
    }
    return baselines;
}

static void print_object(const struct evaluation *e, const struct result *r) {
    const struct caelum_net_info *net = &r->net;
    json_t *o = JSON({"model", json_bytes(e->model_path)}, {"data", json_bytes(e->data_spec)},
                     {"split", json_string(eval_splits[e->how.split])},
                     {"split_seed", json_integer((json_int_t)e->settings.split_seed)},
                     {"count", json_size(count_of(r->row[0].metrics))});
    if (measured_on[r->task]) json_put(&o, "measured_on", json_string(measured_on[r->task]));
    put_figures(&o, r->task, r->row[0].metrics);
    if (r->task == CAELUM_COLORIZE) {
        json_put(&o, "vivid", json_number(e->how.vivid));
        json_put(&o, "hints", json_size(e->how.hints));
        json_put(&o, "verdict", e->how.vivid > 0 ? json_null() : json_string(verdict(r)));
        if (e->classifier) json_put(&o, "semantic", semantic_object(e, &r->semantic));
    }
    if (r->task == CAELUM_DENOISE) json_put(&o, "noise", json_number(e->how.noise));
    json_put(&o, "parameters", json_size(net->parameters));
    if (r->task == CAELUM_RECONSTRUCT) {
        json_put(&o, "latent", net->has_latent ? json_size(net->latent) : json_null());
        json_put(&o, "bottleneck", json_size(net->bottleneck));
        if (r->prices > 0) json_put(&o, "coded", coded_array(r));
    }
    if (r->task != CAELUM_CLASSIFY) json_put(&o, "baselines", baselines_array(r));
    print_json(o);
}

/* --- Measuring ------------------------------------------------------------------------------------ */

/* Writes figures into the model's metadata, behind what `text` begins with. */
static int record_figures(const struct evaluation *e, const char *key, enum caelum_task task,
                          const void *metrics, const char *begin, struct caelum_error *err) {
    char text[512];
    int used = snprintf(text, sizeof text, "%s", begin);
    for (const struct caelum_figure *f = caelum_figures(task); f->key; f++)
        if (f->column)
            used += number_print(text + used, sizeof text - (size_t)used, "%s=%.6g ", f->key,
                                 caelum_figure_value(f, metrics));
    snprintf(text + used, sizeof text - (size_t)used, "pictures=%zu", count_of(metrics));
    return caelum_model_set_metadata(e->model, key, text, err);
}

/* Under the split's name, those of its bytes under NAME_bytes. */
static int record(const struct evaluation *e, const struct result *r, struct caelum_error *err) {
    char key[64], bits[64];
    int used = snprintf(key, sizeof key, "%s", eval_splits[e->how.split]);
    if (r->task == CAELUM_COLORIZE && e->how.vivid > 0)
        used += number_print(key + used, sizeof key - (size_t)used, "_vivid_%g", e->how.vivid);
    if (r->task == CAELUM_COLORIZE && e->how.hints > 0)
        snprintf(key + used, sizeof key - (size_t)used, "_hints_%zu", e->how.hints);
    CHECK(record_figures(e, key, r->task, r->row[0].metrics, "", err));
    if (r->prices > 0) {
        snprintf(key, sizeof key, "%s_bytes", eval_splits[e->how.split]);
        number_print(bits, sizeof bits, "price=%g bits=%.6g ", r->coded->price, r->coded->metrics.bits);
        CHECK(record_figures(e, key, r->task, &r->coded->metrics.decoded, bits, err));
    }
    return caelum_model_save(e->model, e->model_path, err);
}

static void add_row(struct result *r, const char *name, size_t numbers, const void *metrics) {
    r->row[r->rows++] = (struct row){name, numbers, metrics};
}

/* All prices of the curve, if the model can encode; one that says at what price is meant to. */
static int measure_bytes(const struct evaluation *e, struct result *r, struct caelum_error *err) {
    caelum_codec *codec = NULL;
    struct caelum_error why;
    int result = caelum_codec_open(&codec, e->model, e->how.threads, &why);
    if (result == CAELUM_EFORMAT && !caelum_model_metadata(e->model, "price")) return 0;
    if (result != 0) return caelum_fail(err, result, "%s", why.text);
    const double own = caelum_codec_price(codec);
    for (size_t i = 0; result == 0 && i < MOST_PRICES; i++) {
        struct coded *c = &r->coded[r->prices];
        if (prices[i] == own) continue;
        c->price = prices[i] < 0 ? own : prices[i];
        result = caelum_codec_set_price(codec, c->price, err);
        if (result == 0) result = caelum_eval_code(codec, e->data, &e->how, &c->metrics, err);
        r->prices += result == 0;
    }
    caelum_codec_close(&codec);
    return result;
}

static int measure_code(const struct evaluation *e, struct result *r, struct caelum_error *err) {
    const bool alone = e->no_baselines || display.silent || r->task == CAELUM_DENOISE;
    size_t count = alone ? 0 : MOST_BASELINES;
    CHECK(caelum_eval(e->model, e->data, &e->how, &r->plain, err));
    if (count > 0) CHECK(caelum_baselines(e->data, &e->how, r->net.bottleneck, r->codes, &count, err));
    add_row(r, "this model", r->net.bottleneck, &r->plain);
    for (size_t i = 0; i < count; i++)
        add_row(r, r->codes[i].name, r->codes[i].numbers, &r->codes[i].metrics);
    return measure_bytes(e, r, err);
}

/* The semantic test of a colorizer by a classifier. */
static int measure_semantic(struct evaluation *e, struct result *r, struct caelum_error *err) {
    uint64_t trained;
    const char *seed = caelum_model_metadata(e->judge, "split_seed");
    if (number_whole(seed, 0, UINT64_MAX, &trained) && trained != e->settings.split_seed)
        warn("the classifier was trained with --split-seed %s: it has seen some of these pictures", seed);
    return caelum_eval_semantic(e->model, e->judge, e->data, &e->how, &r->semantic, err);
}

static int measure_color(struct evaluation *e, struct result *r, struct caelum_error *err) {
    size_t count = e->no_baselines ? 1 : MOST_BASELINES;
    if (e->record && e->how.split == CAELUM_VALIDATION)
        CHECK(caelum_color_calibrate(e->model, e->data, &e->how, err));
    if (e->classifier) CHECK(measure_semantic(e, r, err));
    CHECK(caelum_eval_color(e->model, e->data, &e->how, &r->color, err));
    if (display.silent) return 0;
    CHECK(caelum_color_baselines(e->data, &e->how, r->colorizers, &count, err));
    add_row(r, "this model", 0, &r->color);
    for (size_t i = 0; i < count; i++) add_row(r, r->colorizers[i].name, 0, &r->colorizers[i].metrics);
    return 0;
}

static int measure_classes(const struct evaluation *e, struct result *r, struct caelum_error *err) {
    add_row(r, "this model", 0, &r->classes);
    return caelum_eval_class(e->model, e->data, &e->how, &r->classes, err);
}

static const struct caelum_option rows[] = {
    OPTION(STRING, struct evaluation, 'd', "data", data_spec, "SPEC",
           "as for train; default: the data of the model's training"),
    CHOICE(struct evaluation, "split", how.split, eval_splits, "which part of the data"),
    OPTION(U64, struct evaluation, 0, "split-seed", settings.split_seed, "N",
           "seed of the shuffle that precedes the split; default: that of the model's training"),
    OPTION(FLAG, struct evaluation, 0, "no-baselines", no_baselines, NULL,
           "leave out the baselines: PCA and KLT, or for a colorizer all but grey"),
    OPTION(REAL, struct evaluation, 0, "noise", how.noise, "X",
           "of a denoiser: standard deviation of the noise in its pictures, of 255, 0 to 55"),
    OPTION(REAL, struct evaluation, 0, "vivid", how.vivid, "X", "of a colorizer, 0 to 1, as for colorize"),
    OPTION(SIZE, struct evaluation, 0, "hints", how.hints, "N",
           "give a colorizer the true colors of N random pixels of each picture"),
    OPTION(STRING, struct evaluation, 0, "sheets", how.sheets, "DIR",
           "write contact sheets of a colorizer: random pictures, the best and the worst"),
    OPTION(STRING, struct evaluation, 0, "classifier", classifier, "MODEL",
           "also measure this classifier on the pictures in their own colors, in grey and in the "
           "colorizer's, and how much of its loss in grey the colorizer recovers"),
    OPTION(FLAG, struct evaluation, 0, "record", record, NULL,
           "also write the figures into the model's metadata, where inspect shows them; on the validation "
           "split also fit the gain of --vivid 1"),
    OPTION(THREADS, struct evaluation, 't', "threads", how.threads, "N", THREADS_HELP),
    OPTION(STRING, struct evaluation, 0, "cache-dir", settings.cache_dir, "DIR", CACHE_HELP),
    CHOICE(struct evaluation, "mpi", mpi, ranks_words, MPI_HELP),
    OPTION(FLAG, struct evaluation, 0, "json", json, NULL, "print the figures as JSON"),
    END_OF_OPTIONS};

static void defaults(void *values) {
    struct evaluation *e = values;
    *e = (struct evaluation){.how = caelum_eval_defaults(), .settings = caelum_data_defaults()};
    e->how.progress = e->settings.progress = progress_stage;
    e->settings.opened = data_opened;
}

static int open_all(struct evaluation *e, struct caelum_error *err) {
    CHECK(caelum_model_load(&e->model, e->model_path, err));
    if (e->classifier) CHECK(model_open(&e->judge, e->classifier, NULL, err));
    return open_data(e, err);
}

static void print_all(const struct evaluation *e, const struct result *r) {
    progress_clear();
    if (e->json)
        print_object(e, r);
    else
        print_table(e, r);
}

static int run(void *values, int n, char **words, struct caelum_error *err) {
    struct evaluation *e = values;
    struct result r = {0};
    char shipped[PATH_SIZE];
    if (n != 1) return usage_error("eval", "expected one MODEL, got %d", n);
    e->model_path = path_shipped(words[0], ".safetensors", shipped);
    if (e->record && e->model_path == shipped)
        return usage_error("eval", "--record writes into the model, and %s came with the program; copy it",
                           words[0]);
    CHECK(ranks_open(&e->dist, e->mpi, err));
    if (!e->dist) confine(); /* ranks make connections as they need them */
    signals_catch();
    e->how.dist = e->dist;
    CHECK(dist_agree(e->dist, open_all(e, err), err));
    caelum_net_describe(caelum_model_net(e->model), &r.net);
    r.task = caelum_net_task(caelum_model_net(e->model));
    if (r.task != CAELUM_COLORIZE && (e->how.vivid > 0 || e->how.hints > 0 || e->how.sheets || e->classifier))
        warn(
            "--vivid, --hints, --sheets and --classifier are for colorizers: nothing is different with them");
    CHECK(r.task == CAELUM_COLORIZE   ? measure_color(e, &r, err)
          : r.task == CAELUM_CLASSIFY ? measure_classes(e, &r, err)
                                      : measure_code(e, &r, err));
    if (e->record && !display.silent) CHECK(record(e, &r, err));
    if (!display.silent) print_all(e, &r);
    return 0;
}

static void close_all(void *values) {
    caelum_dist_close(&((struct evaluation *)values)->dist);
}

COMMAND(eval, "MODEL", "measure a model and the best linear codes of its size",
        "caelum eval runs/first/best.safetensors --data synthetic", .rows = rows, .display = true,
        .outside = true, .size = sizeof(struct evaluation), .defaults = defaults, .run = run,
        .close = close_all);
