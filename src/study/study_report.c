/* study_report.c - fills struct study_results from run.json, metrics.csv and eval.json. */
#include "study/study_report.h"

#include "base/json.h"
#include "base/mem.h"
#include "eval/baselines.h"
#include "study/study_eval.h"
#include "study/study_page.h"
#include "train/run_files.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_PCA = 32 };

/* The results, and the memory that they point into. */
struct gathering {
    struct study_results results;
    struct study_seed *seeds;  /* [plan->units] */
    char (*states)[300];       /* [plan->units] */
    char (*sheets)[PATH_SIZE]; /* [runs] */
    char data[4 * PATH_SIZE], machine[400];
};

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

static void take_run(const struct study_unit *u, struct gathering *g, struct study_seed *s) {
    char path[PATH_SIZE];
    if (file_join(path, sizeof path, u->dir, "run.json", NULL) != 0) return;
    json_t *root = json_read_file(path, NULL);
    const char *kernels = json_string_value(json_object_get(root, "kernels")),
               *build = json_string_value(json_object_get(root, "build"));
    s->threads = (size_t)json_integer_value(json_object_get(root, "threads"));
    if (kernels && build && !*g->machine)
        snprintf(g->machine, sizeof g->machine, "Kernels %.20s, %zu thread%s a training; %.250s", kernels,
                 s->threads, s->threads == 1 ? "" : "s", build);
    json_decref(root);
}

static int gather_seed(struct study_unit *u, struct gathering *g, struct study_seed *s, char state[300],
                       struct caelum_error *err) {
    json_t *eval = NULL;
    *s =
        (struct study_seed){.seed = u->settings.seed, .name = u->name, .command = u->command, .state = state};
    no_figures(s->value);
    take_network(u, s->value);
    CHECK(study_unit_look(u, err));
    char metrics[PATH_SIZE];
    struct stat st;
    CHECK(file_join(metrics, sizeof metrics, u->dir, "metrics.csv", err));
    /* a run that was stopped in its first epoch has none yet */
    if (u->state != STUDY_DIFFERENT && u->state != STUDY_NEW && stat(metrics, &st) == 0)
        CHECK(run_read_metrics(u->dir, &s->history, &s->epochs, err));
    s->trained = u->state == STUDY_TRAINED && study_eval_current(u, &eval);
    if (s->trained) {
        take_figures(g->results.study, json_object_get(eval, "metrics"), s->value);
        take_baselines(g->results.study, json_object_get(eval, "baselines"), s->value, g->results.grey);
        take_history(s);
        take_run(u, g, s);
    }
    json_decref(eval);
    if (s->trained)
        snprintf(state, 300, "trained");
    else if (u->state == STUDY_TRAINED)
        snprintf(state, 300, "trained, not measured");
    else if (u->state == STUDY_DIFFERENT)
        snprintf(state, 300, "not run: its directory holds another training, %.200s", u->problem);
    else if (s->epochs > 0)
        snprintf(state, 300, "not finished: %zu of %zu epochs", s->epochs, u->settings.epochs);
    else
        snprintf(state, 300, "not run");
    return CAELUM_OK;
}

/* --- All of them ---------------------------------------------------------------------------------- */

/* Seeds lie in the plan by rank, in the results by run. */
static int gather_run(struct study_plan *plan, struct gathering *g, size_t run, struct study_seed *seeds,
                      struct caelum_error *err) {
    static const char *const sheets[] = {"colorizations.png", "reconstructions.png"};
    struct study_result *r = &g->results.result[run];
    *r = (struct study_result){.run = &plan->study->run[run], .seed = seeds};
    for (size_t i = 0; i < plan->units; i++) {
        struct study_unit *u = &plan->unit[i];
        struct stat st;
        if (u->run != run) continue;
        struct study_seed *s = &seeds[r->seeds++];
        CHECK(gather_seed(u, g, s, g->states[i], err));
        r->trained += s->trained;
        r->net = u->net;
        r->epochs = u->settings.epochs;
        for (size_t f = 0; f < 2 && s->trained && u->rank == 0; f++) {
            snprintf(g->sheets[run], sizeof g->sheets[run], "%s/%s", u->dir, sheets[f]);
            if (!r->sheet && stat(g->sheets[run], &st) == 0) {
                r->sheet = g->sheets[run];
                break;
            }
        }
    }
    study_spread(r);
    return CAELUM_OK;
}

/* The curve of PCA around the sizes of the networks, on the data of the first that reconstructs. */
static int gather_pca(const struct study_plan *plan, struct gathering *g, struct caelum_error *err) {
    struct study_results *r = &g->results;
    const struct caelum_data *data = NULL;
    double low = INFINITY, high = 0;
    for (size_t i = 0; i < plan->units; i++) {
        const struct study_result *result = &r->result[plan->unit[i].run];
        const double numbers = result->figure[FIGURE_BOTTLENECK].mean;
        if (result->trained == 0 || plan->unit[i].settings.task == CAELUM_COLORIZE) continue;
        if (!data) data = plan->unit[i].data;
        low = fmin(low, numbers), high = fmax(high, numbers);
    }
    if (!data) return CAELUM_OK;
    const double most = (double)(data->c * data->h * data->w);
    size_t sizes[MOST_PCA];
    struct caelum_metrics metrics[MOST_PCA];
    CHECK(mem_alloc(&r->pca, MOST_PCA, sizeof *r->pca, err));
    for (double numbers = 16; numbers < most && r->pca_count < MOST_PCA; numbers *= 2)
        if (numbers >= low / 2 && numbers <= high * 2) sizes[r->pca_count++] = (size_t)numbers;
    CHECK(baselines_pca(data, CAELUM_TEST, sizes, r->pca_count, metrics, err));
    for (size_t i = 0; i < r->pca_count; i++)
        r->pca[i] = (struct study_pca){(double)sizes[i], metrics[i].mse};
    return CAELUM_OK;
}

static void describe_data(const struct study_plan *plan, struct gathering *g) {
    for (size_t i = 0; i < plan->datas; i++) {
        const struct caelum_data *d = plan->data[i].data;
        const size_t used = strlen(g->data);
        snprintf(g->data + used, sizeof g->data - used,
                 "%s%s, pictures of %zu × %zu, split %zu / %zu / %zu with seed %llu", used ? "; " : "",
                 d->name, d->w, d->h, d->split_count[0], d->split_count[1], d->split_count[2],
                 (unsigned long long)d->split_seed);
    }
}

static int gather(struct study_plan *plan, struct gathering *g, struct caelum_error *err) {
    struct study_results *r = &g->results;
    const size_t runs = plan->study->runs;
    size_t used = 0;
    bool latent = false;
    no_figures(r->grey);
    CHECK(mem_alloc(&r->result, runs, sizeof *r->result, err));
    CHECK(mem_alloc(&g->seeds, plan->units, sizeof *g->seeds, err));
    CHECK(mem_alloc(&g->states, plan->units, sizeof *g->states, err));
    CHECK(mem_alloc(&g->sheets, runs, sizeof *g->sheets, err));
    for (size_t i = 0; i < runs; i++) {
        CHECK(gather_run(plan, g, i, g->seeds + used, err));
        used += r->result[i].seeds;
    }
    describe_data(plan, g);
    for (size_t i = 0; i < plan->units; i++) /* a study that names generated pictures means them */
        r->generated |=
            !plan->study->run[plan->unit[i].run].data && strcmp(plan->unit[i].data->name, "synthetic") == 0;
    for (size_t i = 0; i < plan->study->shows; i++) latent |= plan->study->show[i].figure == STUDY_LATENT;
    return latent ? gather_pca(plan, g, err) : CAELUM_OK;
}

int study_report_write(struct study_plan *plan, bool quick, struct caelum_error *err) {
    struct gathering g = {.results = {.study = plan->study, .quick = quick}};
    char dir[PATH_SIZE];
    g.results.data = g.data, g.results.machine = g.machine;
    CHECK(file_join(dir, sizeof dir, plan->out, "report", err));
    int result = gather(plan, &g, err);
    if (result == 0) result = study_judge(&g.results, err);
    if (result == 0) result = file_make_directory(dir, err);
    if (result == 0) result = study_page_write(&g.results, dir, err);
    if (result == 0) result = study_json_write(&g.results, dir, err);
    for (size_t i = 0; g.seeds && i < plan->units; i++) mem_free(&g.seeds[i].history);
    study_verdicts_free(&g.results);
    mem_free(&g.results.result);
    mem_free(&g.results.pca);
    mem_free(&g.seeds);
    mem_free(&g.states);
    mem_free(&g.sheets);
    return result;
}
