/* study_plan.c - from a study file to the trainings it asks for. A training is known by its directory:
 * what run.json recorded there is compared with what the study says now, so that nothing is trained twice
 * and nothing is taken for what it is not. */
#include "study/study_plan.h"

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/number.h"
#include "engine/task.h"
#include "train/train_settings.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What --quick makes of a run: enough to see that everything works, in minutes. */
enum { QUICK_EPOCHS = 2, QUICK_PICTURES = 2000 };

/* --- Where things are ----------------------------------------------------------------------------- */

/* "models/a.net" for "studies/../models/a.net", if that is the same file: studies may be a link. */
static void shorten(char path[PATH_SIZE]) {
    char shorter[PATH_SIZE];
    struct stat a, b;
    char *up = strstr(path, "/../");
    if (!up || up == path) return;
    size_t start = (size_t)(up - path);
    while (start > 0 && path[start - 1] != '/') start--;
    if (path[start] == '.') return;
    snprintf(shorter, sizeof shorter, "%.*s%s", (int)start, path, up + 4);
    if (stat(path, &a) == 0 && stat(shorter, &b) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev)
        memcpy(path, shorter, sizeof shorter);
}

/* A path of the study file: relative to the file's directory, or else to the networks that come with the
 * program. */
static int resolve(const struct study *study, const char *fallback, const char *word, char path[PATH_SIZE],
                   struct caelum_error *err) {
    char dir[PATH_SIZE], other[PATH_SIZE];
    struct stat st;
    snprintf(dir, sizeof dir, "%.*s", (int)(path_name(study->file) - study->file), study->file);
    if (strlen(word) >= PATH_SIZE)
        return caelum_fail(err, CAELUM_EUSAGE, "%.200s...: the path is too long", word);
    if (*word == '/' || !*dir)
        strcpy(path, word);
    else
        CHECK(file_join(path, PATH_SIZE, dir, word, err));
    if (*word != '/' && fallback && stat(path, &st) != 0 &&
        file_join(other, sizeof other, fallback, word, NULL) == 0 && stat(other, &st) == 0)
        strcpy(path, other);
    shorten(path);
    return CAELUM_OK;
}

/* --- What a directory holds ----------------------------------------------------------------------- */

bool study_unit_has(const struct study_unit *u, const char *name) {
    char path[PATH_SIZE];
    return file_join(path, sizeof path, u->dir, name, NULL) == 0 && access(path, F_OK) == 0;
}

/* The same layers, whatever the comments between them. */
static bool same_network(const struct caelum_net *net, const char *text) {
    struct caelum_net *other = NULL;
    if (!text || caelum_net_parse(&other, text, "", net->input.h, net->input.w, NULL) != 0) return false;
    const bool same = net_same(net, other);
    caelum_net_close(&other);
    return same;
}

/* The object "settings" of a run.json as it was before. */
static int take_metadata(json_t *recorded, struct metadata *m, struct caelum_error *err) {
    const char *key;
    json_t *value;
    json_object_foreach(recorded, key, value) if (json_is_string(value))
        CHECK(metadata_set(m, key, json_string_value(value), err));
    metadata_unescape(m);
    return CAELUM_OK;
}

/* Whether the recorded training is another one; if so, u->problem says how. */
static bool differs(struct study_unit *u, const struct metadata *m) {
    const char *fingerprint = metadata_get(m, "data_fingerprint"), *seed = metadata_get(m, "seed"),
               *init = metadata_get(m, "init");
    uint64_t there;
    if (!same_network(u->net, metadata_get(m, "network")))
        snprintf(u->problem, sizeof u->problem, "its network is another one");
    else if (!fingerprint || strcmp(fingerprint, u->data->fingerprint) != 0)
        snprintf(u->problem, sizeof u->problem, "its data are others");
    else if (!number_whole(seed, 0, UINT64_MAX, &there) || there != u->settings.seed)
        snprintf(u->problem, sizeof u->problem, "its seed is %.30s", seed ? seed : "unknown");
    else if (init)
        snprintf(u->problem, sizeof u->problem, "it started from %.100s", init);
    else
        return train_settings_differ(&u->settings, m, u->problem);
    return true;
}

/* All epochs, or as many as early_stop lets it have. */
static bool has_ended(const struct study_unit *u, const json_t *root) {
    const json_int_t done = json_integer_value(json_object_get(root, "epochs_done")),
                     best = json_integer_value(json_object_get(root, "best_epoch")),
                     patience = (json_int_t)u->settings.early_stop;
    return done >= (json_int_t)u->settings.epochs || (patience > 0 && best > 0 && done - best >= patience);
}

/* What a run.json makes of the unit. */
static int judge_record(struct study_unit *u, const json_t *root, struct caelum_error *err) {
    static const char *const files[] = {"best.safetensors", "last.safetensors", "metrics.csv", "curves.svg"};
    struct metadata recorded = {0};
    const int result = take_metadata(json_object_get(root, "settings"), &recorded, err);
    if (result == 0 && differs(u, &recorded)) {
        u->state = STUDY_DIFFERENT;
    } else {
        u->state = has_ended(u, root) ? STUDY_TRAINED : STUDY_PARTIAL;
        for (size_t i = 0; i < sizeof files / sizeof *files; i++)
            if (!study_unit_has(u, files[i])) u->state = STUDY_PARTIAL;
        if (u->state == STUDY_PARTIAL && !study_unit_has(u, "checkpoint.safetensors")) u->state = STUDY_NEW;
    }
    metadata_clear(&recorded);
    return result;
}

int study_unit_look(struct study_unit *u, struct caelum_error *err) {
    char path[PATH_SIZE];
    json_error_t problem;
    u->state = STUDY_NEW;
    CHECK(file_join(path, sizeof path, u->dir, "run.json", err));
    if (access(path, F_OK) != 0) return CAELUM_OK;
    json_t *root = json_read_file(path, &problem);
    if (!root) return caelum_fail(err, json_fault(&problem), "%s: %s", path, problem.text);
    const int result = judge_record(u, root, err);
    json_decref(root);
    return result;
}

/* --- The plan ------------------------------------------------------------------------------------- */

static bool same_data(const struct caelum_train_settings *a, const struct caelum_train_settings *b) {
    const struct caelum_data_settings *x = &a->data_settings, *y = &b->data_settings;
    return strcmp(a->data ? a->data : "", b->data ? b->data : "") == 0 && x->split_seed == y->split_seed &&
           x->crop == y->crop && x->resize == y->resize && x->limit == y->limit;
}

/* Every data set is opened at its first use, of whose progress the caller is told; trainings side by side
 * tell theirs otherwise. */
static int find_data(const struct study_plan *plan, const struct caelum_study_settings *settings,
                     struct study_unit *u, struct caelum_error *err) {
    struct caelum_data_settings how = u->settings.data_settings;
    for (const struct study_unit *known = plan->unit; known < u; known++)
        if (same_data(&known->settings, &u->settings)) {
            u->data = known->data;
            return CAELUM_OK;
        }
    u->owns_data = true;
    how.progress = settings->stage;
    how.opened = settings->opened;
    how.cookie = settings->cookie;
    return caelum_data_open(&u->data, u->settings.data, &how, err);
}

static void quicken(struct caelum_train_settings *s) {
    if (s->epochs > QUICK_EPOCHS) s->epochs = QUICK_EPOCHS;
    if (s->data_settings.limit == 0 || s->data_settings.limit > QUICK_PICTURES)
        s->data_settings.limit = QUICK_PICTURES;
}

static int choose_data(struct study_unit *u, const struct study *study, const struct study_run *run,
                       const char *whole, struct caelum_error *err) {
    char path[PATH_SIZE];
    const char *spec = run->data ? run->data : whole;
    if (run->data && !data_is_synthetic(run->data, NULL, NULL)) {
        CHECK(resolve(study, NULL, run->data, path, err));
        spec = path;
    }
    if (spec) CHECK(mem_strdup(&u->data_spec, spec, err));
    u->settings.data = u->data_spec;
    return CAELUM_OK;
}

static int name_unit(const struct study_plan *plan, struct study_unit *u, const char *models,
                     struct caelum_error *err) {
    const struct study_run *run = &plan->study->run[u->run];
    char runs[PATH_SIZE], path[PATH_SIZE];
    snprintf(u->name, sizeof u->name, "%s-s%llu", run->name, (unsigned long long)u->settings.seed);
    CHECK(file_join(runs, sizeof runs, plan->out, "runs", err));
    CHECK(file_join(path, sizeof path, runs, u->name, err));
    CHECK(mem_strdup(&u->dir, path, err));
    CHECK(resolve(plan->study, models, run->net, path, err));
    CHECK(mem_strdup(&u->net_path, path, err));
    u->settings.out = u->dir;
    u->settings.net_path = u->net_path;
    return CAELUM_OK;
}

static int check_unit(const struct study_unit *u, struct caelum_error *err) {
    if (u->settings.task == CAELUM_CLASSIFY)
        return caelum_fail(err, CAELUM_EFORMAT,
                           "a study compares pictures, and classify makes none; expected the task "
                           "reconstruct, colorize or denoise; train a classifier by itself");
    CHECK(task_check(u->settings.task, u->net, err));
    if (task_takes_level(u->settings.task, u->net))
        return caelum_fail(
            err, CAELUM_EFORMAT,
            "%s: a denoiser that is told the level of the noise can't be part of a study, which "
            "measures pictures without noise; train it by itself",
            u->net_path);
    return train_settings_check(&u->settings, err);
}

static int open_unit(struct study_plan *plan, const struct caelum_study_settings *settings,
                     struct study_unit *u, struct caelum_error *err) {
    const struct study *study = plan->study;
    const struct study_run *run = &study->run[u->run];
    u->settings = run->settings;
    u->settings.seed = run->seed[u->rank];
    u->settings.data_settings.cache_dir = settings->cache_dir;
    if (settings->quick) quicken(&u->settings);
    CHECK(name_unit(plan, u, settings->models, err));
    CHECK(choose_data(u, study, run, settings->data, err));
    CHECK(train_settings_command(&u->settings, &u->command, err));
    u->settings.command = u->command;
    int result = find_data(plan, settings, u, err);
    if (result == 0) result = caelum_net_load(&u->net, u->net_path, u->data->h, u->data->w, err);
    if (result == 0) result = check_unit(u, err);
    if (result != 0) return caelum_fail_in(err, result, "%s:%zu: run %s", study->file, run->line, run->name);
    return study_unit_look(u, err);
}

/* Whether the caller wants this run. */
static bool wanted(const struct caelum_study_settings *settings, const char *name) {
    for (size_t i = 0; i < settings->only_count; i++)
        if (strcmp(settings->only[i], name) == 0) return true;
    return settings->only_count == 0;
}

static int check_only(const struct study *study, const struct caelum_study_settings *settings,
                      struct caelum_error *err) {
    for (size_t i = 0; i < settings->only_count; i++) {
        size_t run = 0;
        while (run < study->runs && strcmp(study->run[run].name, settings->only[i]) != 0) run++;
        if (run == study->runs)
            return caelum_fail(err, CAELUM_EUSAGE, "%s: there is no run '%s' in it", study->file,
                               settings->only[i]);
    }
    return CAELUM_OK;
}

static int fill(struct study_plan *plan, const struct caelum_study_settings *settings,
                struct caelum_error *err) {
    CHECK(study_file_load(&plan->study, settings->path, err));
    const struct study *study = plan->study;
    size_t most = 0, seeds = 0;
    CHECK(check_only(study, settings, err));
    for (size_t r = 0; r < study->runs; r++) {
        most += study->run[r].seeds;
        if (study->run[r].seeds > seeds) seeds = study->run[r].seeds;
    }
    if (settings->quick) seeds = 1;
    CHECK(mem_alloc(&plan->unit, most, sizeof *plan->unit, err));
    for (size_t rank = 0; rank < seeds; rank++)
        for (size_t r = 0; r < study->runs; r++) {
            if (rank >= study->run[r].seeds) continue;
            struct study_unit *u = &plan->unit[plan->units++];
            u->run = r, u->rank = rank;
            u->wanted = wanted(settings, study->run[r].name);
            CHECK(open_unit(plan, settings, u, err));
        }
    return CAELUM_OK;
}

int study_plan_open(struct study_plan *plan, const struct caelum_study_settings *settings,
                    struct caelum_error *err) {
    if (!settings->path || !settings->out)
        return caelum_fail(err, CAELUM_EUSAGE, "a study needs a file and an output directory");
    CHECK(file_join(plan->out, sizeof plan->out, settings->out, "", err));
    plan->out[strlen(plan->out) - 1] = '\0';
    return fill(plan, settings, err);
}

void study_plan_close(struct study_plan *plan) {
    for (size_t i = 0; i < plan->units; i++) {
        struct study_unit *u = &plan->unit[i];
        if (u->owns_data) caelum_data_close(&u->data);
        caelum_net_close(&u->net);
        mem_free(&u->dir);
        mem_free(&u->net_path);
        mem_free(&u->data_spec);
        free(u->command);
    }
    mem_free(&plan->unit);
    study_file_close(&plan->study);
}
