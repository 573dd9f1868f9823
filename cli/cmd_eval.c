/* cmd_eval.c - caelum eval: the model's figures above those of the best linear codes. cmd_eval_color.c does
 * the same for colorizers, cmd_eval_class.c for classifiers. */
#include "cli.h"

#include "base/json.h"
#include "base/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BASELINES = 8 };

const char *const eval_splits[] = {"train", "validation", "test", NULL};

void eval_add(json_t **object, enum caelum_task task, const void *metrics) {
    for (const struct caelum_figure *f = caelum_figures(task); f->key; f++)
        json_put(object, f->key, json_number(caelum_figure_value(f, metrics)));
}

/* As wide as its head, and as a number below zero. */
static int head_of(const struct caelum_figure *f, char head[64]) {
    char number[32];
    const int width = number_print(number, sizeof number, f->format, -0.5),
              length = snprintf(head, 64, "%s%s%s", f->key, *f->unit ? " " : "", f->unit);
    return width > length ? width : length;
}

void eval_head(enum caelum_task task, const char *first) {
    char head[64];
    printf("%-28s%s", "", first);
    for (const struct caelum_figure *f = caelum_figures(task); f->key; f++)
        if (f->column) {
            const int width = head_of(f, head);
            printf("  %*s", width, head);
        }
    printf("\n");
}

void eval_row(enum caelum_task task, const char *name, const char *first, const void *metrics) {
    char head[64], number[32];
    printf("%-28s%s", name, first);
    for (const struct caelum_figure *f = caelum_figures(task); f->key; f++)
        if (f->column) {
            number_print(number, sizeof number, f->format, caelum_figure_value(f, metrics));
            printf("  %*s", head_of(f, head), number);
        }
    printf("\n");
}

static void print_row(const char *name, size_t numbers, const struct caelum_metrics *m) {
    char text[32];
    snprintf(text, sizeof text, " %7zu", numbers);
    eval_row(CAELUM_RECONSTRUCT, name, text, m);
}

static void print_table(const struct evaluation *e, const struct caelum_net_info *net,
                        const struct caelum_metrics *m, const struct caelum_baseline *list, size_t count) {
    printf("%s, %s split, %zu pictures of %s; outputs clamped to [0, 1] and rounded to 8 bit, but for "
           "mse_float and accuracy\n\n",
           e->model_path, eval_splits[e->how.split], m->count, e->data);
    eval_head(CAELUM_RECONSTRUCT, " numbers");
    print_row("this model", net->bottleneck, m);
    for (size_t i = 0; i < count; i++) print_row(list[i].name, list[i].numbers, &list[i].metrics);
    if (count > 0)
        printf("\nPCA and KLT: the best linear codes with as many numbers, fitted on the train split.\n");
}

json_t *eval_object(const struct evaluation *e, size_t count) {
    json_t *object = json_object();
    json_put(&object, "model", json_bytes(e->model_path));
    json_put(&object, "data", json_bytes(e->data));
    json_put(&object, "split", json_string(eval_splits[e->how.split]));
    json_put(&object, "split_seed", json_integer((json_int_t)e->settings.split_seed));
    json_put(&object, "count", json_size(count));
    return object;
}

static json_t *baselines_array(const struct caelum_baseline *list, size_t count) {
    json_t *baselines = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *b = json_object();
        json_put(&b, "name", json_string(list[i].name));
        json_put(&b, "numbers", json_size(list[i].numbers));
        eval_add(&b, CAELUM_RECONSTRUCT, &list[i].metrics);
        json_add(&baselines, b);
    }
    return baselines;
}

static void print_object(const struct evaluation *e, const struct caelum_net_info *net,
                         const struct caelum_metrics *m, const struct caelum_baseline *list, size_t count) {
    json_t *object = eval_object(e, m->count);
    json_put(
        &object, "measured_on",
        json_string("outputs clamped to [0, 1] and rounded to 8 bit, except mse_float and accuracy, which "
                    "are of the outputs as they are"));
    eval_add(&object, CAELUM_RECONSTRUCT, m);
    json_put(&object, "parameters", json_size(net->parameters));
    json_put(&object, "latent", net->has_latent ? json_size(net->latent) : json_null());
    json_put(&object, "bottleneck", json_size(net->bottleneck));
    json_put(&object, "baselines", baselines_array(list, count));
    print_json(object);
}

int eval_record(const struct evaluation *e, caelum_model *model, enum caelum_task task, const void *metrics,
                struct caelum_error *err) {
    char key[64], text[512];
    size_t count;
    int used = snprintf(key, sizeof key, "%s", eval_splits[e->how.split]);
    if (task == CAELUM_COLORIZE && e->how.vivid > 0)
        used += number_print(key + used, sizeof key - (size_t)used, "_vivid_%g", e->how.vivid);
    if (task == CAELUM_COLORIZE && e->how.hints > 0)
        snprintf(key + used, sizeof key - (size_t)used, "_hints_%zu", e->how.hints);
    used = 0;
    for (const struct caelum_figure *f = caelum_figures(task); f->key; f++)
        if (f->column)
            used += number_print(text + used, sizeof text - (size_t)used, "%s=%.6g ", f->key,
                                 caelum_figure_value(f, metrics));
    memcpy(&count, metrics, sizeof count);
    snprintf(text + used, sizeof text - (size_t)used, "pictures=%zu", count);
    const int code = caelum_model_set_metadata(model, key, text, err);
    return code ? code : caelum_model_save(model, e->model_path, err);
}

static int eval_reconstruction(const struct evaluation *e, caelum_model *model, const caelum_data *data,
                               struct caelum_error *err) {
    struct caelum_metrics metrics;
    struct caelum_baseline list[MOST_BASELINES];
    struct caelum_net_info net;
    size_t count = e->no_baselines ? 0 : MOST_BASELINES;
    caelum_net_describe(caelum_model_net(model), &net);
    int code = caelum_eval(model, data, &e->how, &metrics, err);
    if (code == 0 && count > 0) code = caelum_baselines(data, &e->how, net.bottleneck, list, &count, err);
    if (code == 0 && e->record) code = eval_record(e, model, CAELUM_RECONSTRUCT, &metrics, err);
    progress_clear();
    if (code != 0) return code;
    if (e->json)
        print_object(e, &net, &metrics, list, count);
    else
        print_table(e, &net, &metrics, list, count);
    return 0;
}

static const struct caelum_option rows[] = {
    OPTION(STRING, struct evaluation, 'd', "data", data, "SPEC",
           "as for train; default: the data of the model's training"),
    CHOICE(struct evaluation, "split", how.split, eval_splits, "which part of the data"),
    OPTION(U64, struct evaluation, 0, "split-seed", settings.split_seed, "N",
           "seed of the shuffle that precedes the split; default: that of the model's training"),
    OPTION(FLAG, struct evaluation, 0, "no-baselines", no_baselines, NULL,
           "leave out the baselines: PCA and KLT, or for a colorizer all but grey"),
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
    OPTION(THREADS, struct evaluation, 't', "threads", how.threads, "N",
           "threads, 1 to 4096; no influence on the result"),
    OPTION(STRING, struct evaluation, 0, "cache-dir", settings.cache_dir, "DIR",
           "directory of prepared data; default ~/.cache/caelum"),
    OPTION(FLAG, struct evaluation, 0, "json", json, NULL, "print the figures as JSON"),
    END_OF_OPTIONS};

static void defaults(void *values) {
    struct evaluation *e = values;
    *e = (struct evaluation){.how = caelum_eval_defaults(), .settings = caelum_data_defaults()};
    e->how.progress = e->settings.progress = progress_stage;
    e->settings.opened = data_opened;
}

static int run(void *values, int n, char **words) {
    struct evaluation *e = values;
    if (n != 1) return usage_error("eval", "expected one MODEL, got %d", n);
    char shipped[PATH_SIZE];
    e->model_path = path_shipped(words[0], ".safetensors", shipped);
    if (e->record && e->model_path == shipped)
        return usage_error("eval", "--record writes into the model, and %s came with the program; copy it",
                           words[0]);
    signals_catch();
    struct caelum_error err;
    caelum_model *model = NULL;
    caelum_data *data = NULL;
    int code = caelum_model_load(&model, e->model_path, &err);
    if (code == 0) code = eval_data_open(e, model, &data, &err);
    if (code == 0) {
        const enum caelum_task task = caelum_net_task(caelum_model_net(model));
        const bool color = task == CAELUM_COLORIZE;
        if (!color && (e->how.vivid > 0 || e->how.hints > 0 || e->how.sheets || e->classifier))
            warn("--vivid, --hints, --sheets and --classifier are for colorizers: nothing is different with "
                 "them");
        if (color)
            code = eval_color(e, model, data, &err);
        else if (task == CAELUM_CLASSIFY)
            code = eval_class(e, model, data, &err);
        else
            code = eval_reconstruction(e, model, data, &err);
    }
    caelum_data_close(&data);
    caelum_model_close(&model);
    free(e->found);
    return code != 0 ? report(&err) : 0;
}

const struct command command_eval = {.name = "eval",
                                     .arguments = "MODEL",
                                     .summary = "measure a model and the best linear codes of its size",
                                     .example = "caelum eval runs/first/best.safetensors --data synthetic",
                                     .rows = rows,
                                     .display = true,
                                     .size = sizeof(struct evaluation),
                                     .defaults = defaults,
                                     .run = run};
