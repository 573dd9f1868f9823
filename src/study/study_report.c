/* study_report.c - fills struct study_results from run.json, metrics.csv and eval.json. */
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "eval/baselines.h"
#include "study/study_figures.h"
#include "study/study_plan.h"
#include "train/run_directory.h"

#include <math.h>
#include <string.h>

static void no_figures(double value[FIGURES]) {
    for (size_t f = 0; f < FIGURES; f++) value[f] = NAN;
}

/* --- One training --------------------------------------------------------------------------------- */

/* Every figure that the object has under its key. */
static void take_figures(const struct study *s, const json_t *object, double value[FIGURES]) {
    for (size_t f = 0; f < s->figures; f++) {
        const json_t *number = json_object_get(object, s->figure[f].key);
        if (json_is_number(number)) value[f] = json_number_value(number);
    }
    study_derive(s, value);
}

static void take_baselines(const struct study *s, const json_t *list, double value[FIGURES],
                           double grey[FIGURES]) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *b = json_array_get(list, i);
        const char *name = json_string_value(json_object_get(b, "name"));
        if (name && strncmp(name, "PCA ", 4) == 0)
            value[FIGURE_PCA] = json_number_value(json_object_get(b, "mse"));
        if (name && strcmp(name, "grey copy") == 0) take_figures(s, b, grey);
    }
}

/* Only what reconstructs has a code. */
static void take_network(const struct study_unit *u, double value[FIGURES]) {
    struct caelum_net_info info;
    caelum_net_describe(u->net, &info);
    value[FIGURE_PARAMETERS] = (double)info.parameters;
    if (u->settings.task == CAELUM_COLORIZE) return;
    value[FIGURE_LATENT] = info.has_latent ? (double)info.latent : NAN;
    value[FIGURE_BOTTLENECK] = (double)info.bottleneck;
}

/* Time and speed from the epochs. */
static void take_history(struct study_seed *s) {
    double seconds = 0, rate = 0;
    for (size_t i = 0; i < s->epochs; i++) {
        seconds += s->history[i].seconds;
        rate += s->history[i].pictures_per_second / (double)s->epochs;
        if (s->history[i].best) s->best_epoch = s->history[i].epoch;
    }
    s->value[FIGURE_SECONDS] = seconds;
    s->value[FIGURE_RATE] = rate;
}

/* How it was run; the first tells on what machine. */
static void take_run(const struct study_unit *u, struct study_results *r, struct study_seed *s) {
    char path[PATH_SIZE];
    if (file_join(path, sizeof path, u->dir, "run.json", NULL) != 0) return;
    json_t *root = json_read_file(path, NULL);
    const char *kernels = json_string_value(json_object_get(root, "kernels")),
               *build = json_string_value(json_object_get(root, "build"));
    s->threads = (size_t)json_integer_value(json_object_get(root, "threads"));
    if (kernels && build && !*r->machine)
        snprintf(r->machine, sizeof r->machine, "Kernels %.20s, %zu thread%s a training; %.250s", kernels,
                 s->threads, s->threads == 1 ? "" : "s", build);
    json_decref(root);
}

static void say_state(const struct study_unit *u, struct study_seed *s) {
    if (u->state == STUDY_TRAINED)
        snprintf(s->state, sizeof s->state, s->trained ? "trained" : "trained, not measured");
    else if (u->state == STUDY_DIFFERENT)
        snprintf(s->state, sizeof s->state, "not run: its directory holds another training, %.200s",
                 u->problem);
    else if (s->epochs > 0)
        snprintf(s->state, sizeof s->state, "not finished: %zu of %zu epochs", s->epochs, u->settings.epochs);
    else
        snprintf(s->state, sizeof s->state, "not run");
}

static int gather_seed(struct study_unit *u, struct study_results *r, struct study_seed *s,
                       struct caelum_error *err) {
    json_t *eval = NULL;
    s->seed = u->settings.seed;
    s->command = u->command;
    no_figures(s->value);
    take_network(u, s->value);
    CHECK(study_unit_look(u, err));
    /* a run that was stopped in its first epoch has none yet */
    if (u->state != STUDY_DIFFERENT && u->state != STUDY_NEW && study_unit_has(u, "metrics.csv"))
        CHECK(run_read_metrics(u->dir, &s->history, &s->epochs, err));
    s->trained = u->state == STUDY_TRAINED && study_eval_current(u, &eval);
    if (s->trained) {
        take_figures(r->study, json_object_get(eval, "metrics"), s->value);
        take_baselines(r->study, json_object_get(eval, "baselines"), s->value, r->grey);
        take_history(s);
        take_run(u, r, s);
    }
    json_decref(eval);
    say_state(u, s);
    return CAELUM_OK;
}

/* --- All of them ---------------------------------------------------------------------------------- */

static const char *sheet_of(const struct study_unit *u) {
    return study_unit_has(u, "colorizations.png") ? "colorizations.png" : "reconstructions.png";
}

/* The plan has units by rank, the results have seeds by run. */
static int gather_run(struct study_plan *plan, struct study_results *results, size_t run,
                      struct study_seed *seeds, struct caelum_error *err) {
    struct study_result *r = &results->result[run];
    r->run = &plan->study->run[run];
    r->seed = seeds;
    for (struct study_unit *u = plan->unit; u < plan->unit + plan->units; u++) {
        if (u->run != run) continue;
        struct study_seed *s = &seeds[r->seeds++];
        CHECK(gather_seed(u, results, s, err));
        r->trained += s->trained;
        r->net = u->net;
        r->epochs = u->settings.epochs;
        if (s->trained && u->rank == 0 && study_unit_has(u, sheet_of(u)))
            CHECK(file_join(r->sheet, sizeof r->sheet, u->dir, sheet_of(u), err));
    }
    study_spread(r);
    return CAELUM_OK;
}

/* The curve of PCA around the sizes of the networks, on the data of the first that reconstructs. */
static int gather_pca(const struct study_plan *plan, struct study_results *r, struct caelum_error *err) {
    const struct caelum_data *data = NULL;
    double low = INFINITY, high = 0;
    for (const struct study_unit *u = plan->unit; u < plan->unit + plan->units; u++) {
        const struct study_result *result = &r->result[u->run];
        const double numbers = result->figure[FIGURE_BOTTLENECK].mean;
        if (result->trained == 0 || u->settings.task == CAELUM_COLORIZE) continue;
        if (!data) data = u->data;
        low = fmin(low, numbers), high = fmax(high, numbers);
    }
    if (!data) return CAELUM_OK;
    const double most = (double)(data->c * data->h * data->w);
    size_t sizes[STUDY_PCA], count = 0;
    struct caelum_metrics metrics[STUDY_PCA];
    for (double numbers = 16; numbers < most && count < STUDY_PCA; numbers *= 2)
        if (numbers >= low / 2 && numbers <= high * 2) sizes[count++] = (size_t)numbers;
    CHECK(baselines_pca(data, CAELUM_TEST, sizes, count, metrics, err));
    for (size_t i = 0; i < count; i++) {
        r->pca_numbers[i] = (double)sizes[i];
        r->pca_mse[i] = metrics[i].mse;
    }
    r->pca_count = count;
    return CAELUM_OK;
}

static void describe_data(const struct study_plan *plan, struct study_results *r) {
    for (const struct study_unit *u = plan->unit; u < plan->unit + plan->units; u++) {
        const struct caelum_data *d = u->data;
        const size_t used = strlen(r->data);
        /* a study that names generated pictures means them */
        r->generated |= !plan->study->run[u->run].data && strcmp(d->name, "synthetic") == 0;
        if (!u->owns_data) continue;
        snprintf(r->data + used, sizeof r->data - used,
                 "%s%s, pictures of %zu × %zu, split %zu / %zu / %zu with seed %llu", used ? "; " : "",
                 d->name, d->w, d->h, d->split_count[0], d->split_count[1], d->split_count[2],
                 (unsigned long long)d->settings.split_seed);
    }
}

static int gather(struct study_plan *plan, struct study_results *r, struct study_seed *seeds,
                  struct caelum_error *err) {
    const struct study *study = plan->study;
    bool latent = false;
    no_figures(r->grey);
    CHECK(mem_alloc(&r->result, study->runs, sizeof *r->result, err));
    for (size_t i = 0; i < study->runs; i++) {
        CHECK(gather_run(plan, r, i, seeds, err));
        seeds += r->result[i].seeds;
    }
    describe_data(plan, r);
    for (size_t i = 0; i < study->shows; i++) latent |= study->show[i].figure == STUDY_LATENT;
    return latent ? gather_pca(plan, r, err) : CAELUM_OK;
}

static int write_files(const struct study_plan *plan, struct study_results *r, struct caelum_error *err) {
    char dir[PATH_SIZE];
    CHECK(study_judge(r, err));
    CHECK(file_join(dir, sizeof dir, plan->out, "report", err));
    CHECK(file_make_directory(dir, err));
    CHECK(study_page_write(r, dir, err));
    return study_json_write(r, dir, err);
}

int study_report_write(struct study_plan *plan, bool quick, struct caelum_error *err) {
    struct study_results results = {.study = plan->study, .quick = quick};
    struct study_seed *seeds = NULL;
    CHECK(mem_alloc(&seeds, plan->units, sizeof *seeds, err));
    int result = gather(plan, &results, seeds, err);
    if (result == 0) result = write_files(plan, &results, err);
    for (size_t i = 0; i < plan->units; i++) mem_free(&seeds[i].history);
    mem_free(&seeds);
    mem_free(&results.result);
    mem_free(&results.verdict);
    return result;
}
