/* train.c - a training run as a person knows it: a data set, a network, a run directory that tells the
 * whole story and can be resumed. The mathematics is in trainer.c. */
#include "apply/model_sheet.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/remaining.h"
#include "report/events.h"
#include "train/fit.h"
#include "train/resume.h"
#include "train/run_directory.h"
#include "train/train_open.h"
#include "train/train_settings.h"

#include <errno.h>
#include <libgen.h>
#include <math.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Everything of one call. */
struct run {
    struct caelum_train_settings settings;
    char *name;           /* of the network: its file's, without directory and ending */
    const char *init;     /* file name of the model that it started from; NULL: none */
    char init_sha256[65]; /* of that model's weights */
    struct file_lock lock;
    struct caelum_data *opened; /* NULL: data is the caller's */
    const struct caelum_data *data;
    struct caelum_net *net;
    struct trainer trainer;
    struct fit fit;
    bool stopped;   /* by the caller */
    uint8_t *bytes; /* [size]: the checkpoint of the run that is resumed, until it is read */
    size_t size;
    struct safetensors checkpoint;
    struct metadata metadata; /* of the models: what decides the result, and nothing else */
    struct metadata resume;   /* of the checkpoint: what resuming needs besides */
    struct events events;
    struct remaining remaining;
    double saved; /* when the last checkpoint was */
    float *best;  /* [net->params]: what the best epoch left, where no directory keeps it */
};

/* Whether this process writes the files. */
static bool is_first(const struct run *run) {
    return caelum_dist_rank(run->settings.dist) == 0;
}

static int path_in(const struct run *run, const char *name, char path[PATH_SIZE], struct caelum_error *err) {
    return file_join(path, PATH_SIZE, run->settings.out, name, err);
}

/* --- Metadata ------------------------------------------------------------------------------------- */

/* Whether the number of epochs decides what each of them makes of the weights. */
static bool epochs_matter(const struct caelum_train_settings *s) {
    return s->schedule == CAELUM_COSINE || s->schedule == CAELUM_ONECYCLE;
}

/* The command whose last.safetensors is the model that the run has after `epoch` epochs. Files are named
 * without their directory, which is nothing of the result's: the same files elsewhere make the same model. */
static int describe_command(struct run *run, size_t epoch, struct caelum_error *err) {
    if (!data_has_spec(run->data) || run->settings.feed) return CAELUM_OK; /* no command has the pictures */
    struct caelum_train_settings s = run->settings;
    char net[PATH_SIZE], data[PATH_SIZE], *command = NULL;
    snprintf(net, sizeof net, "%.255s.net", run->name);
    snprintf(data, sizeof data, "%s", run->data->source);
    s.net_path = net, s.init = run->init, s.out = NULL;
    s.data = data_is_synthetic(data, NULL, NULL) ? data : basename(data);
    /* a warm-up must be shorter than the run */
    if (!epochs_matter(&s) && s.warmup < (double)epoch) s.epochs = epoch;
    CHECK(train_settings_command(&s, &command, err));
    const int result = metadata_set(&run->metadata, "command", command, err);
    free(command);
    return result;
}

/* Only what decides the bits of the result: the same run on other threads or under another name leaves
 * the same file. */
static int describe_model(struct run *run, struct caelum_error *err) {
    struct metadata *m = &run->metadata;
    char split[130];
    CHECK(metadata_set(m, "name", run->name, err));
    CHECK(metadata_set(m, "data", run->data->name, err));
    CHECK(metadata_set(m, "data_fingerprint", run->data->fingerprint, err));
    CHECK(metadata_set(m, "split", data_split_text(run->data, split), err));
    if (run->settings.feed) CHECK(metadata_set(m, "fed", "yes", err));
    if (run->init) CHECK(metadata_set(m, "init", run->init, err));
    if (run->init) CHECK(metadata_set(m, "init_sha256", run->init_sha256, err));
    CHECK(train_settings_write(&run->settings, m, err));
    if (epochs_matter(&run->settings)) CHECK(metadata_setf(m, err, "epochs", "%zu", run->settings.epochs));
    CHECK(describe_command(run, run->settings.epochs, err));
    return metadata_set(m, "caelum", CAELUM_VERSION, err);
}

/* By what the data are opened again, from any directory; pictures in memory are not. */
static int describe_spec(struct run *run, struct caelum_error *err) {
    const char *spec = run->data->source;
    if (!data_has_spec(run->data)) return CAELUM_OK;
    char *real = data_is_synthetic(spec, NULL, NULL) ? NULL : realpath(spec, NULL);
    const int result = metadata_set(&run->resume, "data_spec", real ? real : spec, err);
    free(real);
    return result;
}

/* What resuming the run takes. */
static int describe_checkpoint(struct run *run, struct caelum_error *err) {
    const struct caelum_train_settings *s = &run->settings;
    struct metadata *m = &run->resume;
    const char *begun_by = s->resume ? metadata_get(&run->checkpoint.metadata, "begun_by") : s->command;
    CHECK(metadata_set(m, "format", resume_format, err));
    CHECK(metadata_set(m, "network", run->net->text, err));
    CHECK(metadata_setf(m, err, "height", "%zu", run->net->input.h));
    CHECK(metadata_setf(m, err, "width", "%zu", run->net->input.w));
    CHECK(describe_spec(run, err));
    CHECK(metadata_setf(m, err, "epochs", "%zu", s->epochs));
    if (begun_by) CHECK(metadata_set(m, "begun_by", begun_by, err));
    for (size_t i = 0; i < run->metadata.count; i++)
        CHECK(metadata_set(m, run->metadata.entry[i].key, run->metadata.entry[i].value, err));
    return CAELUM_OK;
}

/* --- Files of the run ----------------------------------------------------------------------------- */

static json_t *settings_json(const struct metadata *m) {
    json_t *entries = json_object();
    for (size_t i = 0; i < m->count; i++)
        if (strcmp(m->entry[i].key, "begun_by") != 0)
            json_put(&entries, m->entry[i].key, json_bytes(m->entry[i].value));
    return entries;
}

static int write_run_json(const struct run *run, struct caelum_error *err) {
    const struct fit *fit = &run->fit;
    const char *command = metadata_get(&run->resume, "begun_by");
    char path[PATH_SIZE];
    double seconds = 0;
    CHECK(path_in(run, "run.json", path, err));
    for (size_t i = 0; i < fit->epochs_done; i++) seconds += fit->history[i].seconds;
    json_t *root =
        JSON({"version", json_integer(1)}, {"command", json_bytes(command ? command : "")},
             {"settings", settings_json(&run->resume)}, {"parameters", json_size(run->net->params)},
             {"build", json_string(caelum_build_info())},
             {"kernels", json_string(run->trainer.engine.kernels->name)},
             {"threads", json_integer(run->trainer.settings.threads)},
             {"epochs_done", json_size(fit->epochs_done)});
    if (fit->best_epoch > 0) {
        json_put(&root, "best_epoch", json_size(fit->best_epoch));
        json_put(&root, "best_val_loss", json_number(fit->history[fit->best_epoch - 1].val_loss));
    }
    json_put(&root, "training_seconds", json_number(seconds));
    return json_save(&root, path, err);
}

/* In a model's metadata, which epoch it is of. */
static int describe_epoch(struct run *run, const struct caelum_epoch *e, struct caelum_error *err) {
    char loss[32];
    CHECK(metadata_setf(&run->metadata, err, "epoch", "%zu", e->epoch));
    number_print(loss, sizeof loss, "%.9g", e->val_loss);
    CHECK(metadata_set(&run->metadata, "val_loss", loss, err));
    return describe_command(run, e->epoch, err);
}

static int save_model(struct run *run, const char *name, struct caelum_error *err) {
    char path[PATH_SIZE];
    CHECK(path_in(run, name, path, err));
    CHECK(describe_epoch(run, &run->fit.history[run->fit.epochs_done - 1], err));
    return model_save(run->net, trainer_result(&run->trainer), &run->metadata, path, err);
}

static int save_checkpoint(struct run *run, struct caelum_error *err) {
    char path[PATH_SIZE];
    CHECK(path_in(run, "checkpoint.safetensors", path, err));
    run->saved = clock_seconds();
    return checkpoint_save(&run->fit, &run->resume, path, err);
}

/* The checkpoint comes last: if we are killed before it, the epoch is done again and writes the same. */
static int save_epoch(struct run *run, struct caelum_error *err) {
    const struct fit *fit = &run->fit;
    const struct caelum_epoch *e = &fit->history[fit->epochs_done - 1];
    if (!run->settings.out) {
        if (e->best) memcpy(run->best, trainer_result(&run->trainer), run->net->params * sizeof(float));
        return CAELUM_OK;
    }
    if (e->best) CHECK(save_model(run, "best.safetensors", err));
    CHECK(save_model(run, "last.safetensors", err));
    CHECK(run_write_metrics(run->settings.out, fit->history, fit->epochs_done, err));
    CHECK(events_epoch(&run->events, e, err));
    return save_checkpoint(run, err);
}

/* Tells the caller of the last batch, or of the epoch that is done; returns whether it asks to stop. */
static bool tell(struct run *run, const struct caelum_epoch *done) {
    const struct caelum_train_settings *s = &run->settings;
    const struct fit *fit = &run->fit;
    if (!s->progress) return false;
    struct caelum_train_progress progress = {
        .epochs = fit->trainer->settings.epochs,
        .batches = fit->batches,
        .ranks = (size_t)caelum_dist_ranks(s->dist),
        .parts = trainer_jobs(fit->trainer, fit->train.n < s->batch ? fit->train.n : s->batch),
        .finished = done};
    if (done) {
        progress.epoch = done->epoch, progress.batch = fit->batches;
        progress.loss = done->loss, progress.last_val_loss = done->val_loss;
        progress.pictures_per_second = done->pictures_per_second;
    } else {
        const size_t before = fit->epochs_done * fit->batches, n = fit_pictures(fit);
        progress.epoch = fit->epochs_done + 1, progress.batch = fit->batches_done;
        progress.loss = fit->sums.loss / (double)(n * trainer_terms(fit->trainer));
        progress.last_val_loss = fit->epochs_done > 0 ? fit->history[fit->epochs_done - 1].val_loss : NAN;
        progress.pictures_per_second = (double)n / fit->train_seconds;
        progress.seconds_left =
            remaining_seconds(&run->remaining, clock_seconds(), (double)(before + fit->batches_done),
                              (double)(progress.epochs * fit->batches));
    }
    return s->progress(s->cookie, &progress) != 0;
}

static int batch(struct run *run, struct caelum_error *err) {
    const double minutes = run->settings.checkpoint_minutes;
    CHECK(fit_batch(&run->fit, err));
    const bool due = run->settings.out && minutes > 0 && clock_seconds() - run->saved >= 60 * minutes;
    return due ? save_checkpoint(run, err) : CAELUM_OK;
}

/* Tells, unless `code` is a failure; returns it, or CAELUM_ESTOPPED where the caller of any rank asks to
 * stop. All ranks return the same. */
static int tell_all(struct run *run, int code, const struct caelum_epoch *done, struct caelum_error *err) {
    if (code == 0 && tell(run, done)) code = caelum_fail(err, CAELUM_ESTOPPED, "stopped");
    return dist_agree(run->settings.dist, code, err);
}

static int run_epochs(struct run *run, struct caelum_error *err) {
    struct fit *fit = &run->fit;
    const struct caelum_dist *dist = run->settings.dist;
    int code = CAELUM_OK;
    while (code == 0 && !fit_ended(fit)) {
        fit_begin_epoch(fit);
        while (code == 0 && fit->batches_done < fit->batches)
            code = tell_all(run, batch(run, err), NULL, err);
        if (code != 0) break;
        CHECK(fit_finish_epoch(fit, err));
        CHECK(dist_agree(dist, save_epoch(run, err), err));
        code = tell_all(run, CAELUM_OK, &fit->history[fit->epochs_done - 1], err);
    }
    if (code != CAELUM_ESTOPPED) return code;
    run->stopped = !fit_ended(fit);
    return dist_agree(dist, run->settings.out ? save_checkpoint(run, err) : CAELUM_OK, err);
}

/* --- The run -------------------------------------------------------------------------------------- */

static int look(struct run *run, struct caelum_error *err) {
    const struct caelum_train_settings *s = &run->settings;
    char advice[PATH_SIZE + 80];
    if (s->resume ? s->epochs > RESUME_MOST_EPOCHS : s->epochs < 1 || s->epochs > RESUME_MOST_EPOCHS)
        return caelum_fail(err, CAELUM_EUSAGE, "epochs: expected 1 to %d, got %zu", RESUME_MOST_EPOCHS,
                           s->epochs);
    if (!(s->checkpoint_minutes >= 0))
        return caelum_fail(err, CAELUM_EUSAGE, "checkpoint_minutes: expected 0 or more, got %g",
                           s->checkpoint_minutes);
    if (s->resume && !s->out) return caelum_fail(err, CAELUM_EUSAGE, "no run directory to resume was named");
    if (s->feed && s->dist)
        return caelum_fail(err, CAELUM_EUSAGE, "feed: pictures are fed to a process that trains alone");
    if (!s->resume) CHECK(train_settings_check(s, err));
    if (!s->out || !is_first(run)) return CAELUM_OK;
    if (s->resume) return resume_open(&run->lock, s->out, &run->bytes, &run->size, err);
    snprintf(advice, sizeof advice, "resume it with --resume %.*s, or overwrite it with --force", PATH_SIZE,
             s->out);
    return run_directory_look(&run->lock, s->out, s->force, advice, err);
}

/* "standard" for models/standard.net; a resumed run's checkpoint remembers it. */
static int name_network(struct run *run, struct caelum_error *err) {
    const char *known = metadata_get(&run->checkpoint.metadata, "name");
    if (run->settings.resume) return mem_strdup(&run->name, known ? known : "", err);
    CHECK(mem_strdup(&run->name, path_name(run->net->file), err));
    run->name[path_stem_length(run->name)] = '\0';
    return CAELUM_OK;
}

/* What the weights started from, before training changes them; a resumed run's checkpoint remembers it. */
static void name_start(struct run *run) {
    const struct metadata *m = &run->checkpoint.metadata;
    const char *path = run->settings.init, *sha256 = metadata_get(m, "init_sha256");
    if (run->settings.resume) {
        run->init = metadata_get(m, "init");
        snprintf(run->init_sha256, sizeof run->init_sha256, "%s", sha256 ? sha256 : "");
    } else if (path) {
        struct sha256_ctx sha;
        uint8_t digest[SHA256_DIGEST_SIZE];
        sha256_init(&sha);
        sha256_update(&sha, run->net->params * sizeof(float), (const uint8_t *)run->trainer.params);
        sha256_digest(&sha, sizeof digest, digest);
        for (size_t i = 0; i < sizeof digest; i++) snprintf(run->init_sha256 + 2 * i, 3, "%02x", digest[i]);
        run->init = path_name(path);
    }
}

/* A run is continued on the pictures that it was begun with, wherever they are now; split_seed is its own. */
static int check_data(const struct run *run, uint64_t split_seed, struct caelum_error *err) {
    const struct metadata *m = &run->checkpoint.metadata;
    const char *split = metadata_get(m, "split"), *pixels = metadata_get(m, "data_fingerprint");
    const bool same = pixels && strcmp(pixels, run->data->fingerprint) == 0;
    const unsigned long long seed = run->data->settings.split_seed, theirs = split_seed;
    char ours[130];
    if ((metadata_get(m, "fed") != NULL) != (run->settings.feed != NULL))
        return caelum_fail(err, CAELUM_EUSAGE, "the run that is resumed was %s by a program",
                           run->settings.feed ? "not fed" : "fed its pictures");
    data_split_text(run->data, ours);
    if (!split || strcmp(split, ours) != 0 || seed != theirs)
        return caelum_fail(
            err, CAELUM_EFORMAT,
            "%.200s: the data are not those that the run was started with: %s pictures, but "
            "divided into %s (train/validation/test) by seed %llu, the run's into %.80s by seed %llu",
            run->data->source, same ? "the same" : "other", ours, seed, split ? split : "what it doesn't say",
            theirs);
    if (same) return CAELUM_OK;
    return caelum_fail(err, CAELUM_EFORMAT,
                       "%.200s: the data are not those that the run was started with: as many pictures, but "
                       "other pixels: %.64s, the run's %.64s",
                       run->data->source, run->data->fingerprint, pixels ? pixels : "are not known");
}

/* Network, data, trainer and fit; nothing is written before all of it is known to be good. */
static int open_all(struct run *run, struct caelum_error *err) {
    struct caelum_train_settings *s = &run->settings;
    char path[PATH_SIZE];
    if (s->resume) CHECK(path_in(run, "checkpoint.safetensors", path, err));
    if (s->resume) CHECK(resume_read(s, run->bytes, run->size, path, &run->checkpoint, &run->net, err));
    mem_free(&run->bytes);
    const uint64_t split_seed = s->data_settings.split_seed;
    CHECK(train_open(s, &run->opened, &run->net, &run->trainer, err));
    run->data = s->open_data;
    if (s->resume) CHECK(check_data(run, split_seed, err));
    if (!is_first(run)) s->out = NULL;
    if (!s->out) CHECK(mem_alloc(&run->best, run->net->params, sizeof *run->best, err));
    CHECK(fit_open(&run->fit, &run->trainer, run->data, err));
    CHECK(name_network(run, err));
    name_start(run);
    CHECK(describe_model(run, err));
    CHECK(describe_checkpoint(run, err));
    return s->resume ? checkpoint_restore(&run->fit, &run->checkpoint, path, err) : CAELUM_OK;
}

/* The same on all ranks: the first has the checkpoint, each its own data. */
static int prepare(struct run *run, struct caelum_error *err) {
    const struct caelum_dist *dist = run->settings.dist;
    CHECK(dist_agree(dist, look(run, err), err));
    if (run->settings.resume) CHECK(dist_spread(dist, &run->bytes, &run->size, err));
    CHECK(dist_agree(dist, open_all(run, err), err));
    return resume_compare(dist, &run->resume, run->trainer.engine.kernels->name, err);
}

static const char *const loss_labels[] = {[CAELUM_MSE] = "mean squared error, pixels in [0, 1]",
                                          [CAELUM_BCE] = "binary cross-entropy, nats a value",
                                          [CAELUM_L1] = "mean absolute error, pixels in [0, 1]",
                                          [CAELUM_HUBER] = "Huber loss, pixels in [0, 1]",
                                          [CAELUM_XENT] = "cross-entropy, nats a picture"};

static int draw_sheet(struct run *run, struct caelum_error *err) {
    const struct caelum_train_settings *s = &run->settings;
    const char *sheet = s->task == CAELUM_COLORIZE ? "colorizations" : "reconstructions";
    char name[32], path[PATH_SIZE], model[PATH_SIZE];
    if (!CAELUM_WITH_CAIRO || s->task == CAELUM_CLASSIFY || task_draws(s->task) ||
        task_takes_level(s->task, run->net))
        return CAELUM_OK; /* there is no sheet of them */
    snprintf(name, sizeof name, "%s.png", sheet);
    CHECK(path_in(run, name, path, err));
    CHECK(path_in(run, "best.safetensors", model, err));
    struct caelum_model *best = NULL;
    CHECK(caelum_model_load(&best, model, err));
    int result = model_sheet_run(best, run->data, path, err);
    caelum_model_close(&best);
    if (result == 0) result = events_image(&run->events, sheet, run->fit.epochs_done, path, err);
    return result;
}

/* The pictures a person looks at, after the last epoch. The curves come last: a study takes a run that has
 * them for finished. */
static int illustrate(struct run *run, struct caelum_error *err) {
    const struct caelum_train_settings *s = &run->settings;
    const struct fit *fit = &run->fit;
    char title[400];
    CHECK(draw_sheet(run, err));
    number_print(title, sizeof title, "%.255s, %zu parameters, on %.31s: batch %zu, seed %llu", run->name,
                 run->net->params, run->data->name, s->batch, (unsigned long long)s->seed);
    return run_write_curves(s->out, title, loss_labels[s->loss], fit->history, fit->epochs_done, err);
}

/* A resumed run's first file has told the network and the command already. */
static int begin_events(struct run *run, struct caelum_error *err) {
    const struct caelum_train_settings *s = &run->settings;
    CHECK(events_open(&run->events, s->out, run->fit.epochs_done, err));
    if (s->resume) return CAELUM_OK;
    const char *command = metadata_get(&run->resume, s->command ? "begun_by" : "command");
    if (command) CHECK(events_text(&run->events, "command", command, err));
    return events_text(&run->events, "network", run->net->text, err);
}

/* The model of a run that writes no files: of its best epoch or, if none was finished, as it was left. */
static int hand_over(struct run *run, struct caelum_model **model, struct caelum_error *err) {
    const struct fit *fit = &run->fit;
    const float *weights = fit->best_epoch > 0 ? run->best : trainer_result(&run->trainer);
    struct caelum_model *made = NULL;
    if (fit->best_epoch > 0) CHECK(describe_epoch(run, &fit->history[fit->best_epoch - 1], err));
    CHECK(caelum_model_create(&made, run->net, 0, err));
    memcpy(made->params, weights, run->net->params * sizeof *weights);
    const int result = model_strings(run->net, &run->metadata, made->metadata, err);
    if (result == 0)
        *model = made;
    else
        caelum_model_close(&made);
    return result;
}

static int begin_files(struct run *run, struct caelum_error *err) {
    const struct caelum_train_settings *s = &run->settings;
    if (!s->out) return CAELUM_OK;
    CHECK(run_directory_take(&run->lock, s->out, err));
    if (!s->resume) CHECK(run_directory_clear(s->out, err));
    CHECK(write_run_json(run, err));
    CHECK(begin_events(run, err));
    /* so that there is something to go back to whatever becomes of the first epoch */
    run->saved = clock_seconds();
    return s->resume ? CAELUM_OK : save_checkpoint(run, err);
}

static int end_files(struct run *run, struct caelum_model **model, struct caelum_error *err) {
    if (!run->settings.out) return hand_over(run, model, err);
    CHECK(write_run_json(run, err));
    if (!run->stopped) CHECK(illustrate(run, err));
    return events_close(&run->events, err);
}

static int train(struct run *run, struct caelum_model **model, struct caelum_error *err) {
    const struct caelum_dist *dist = run->settings.dist;
    CHECK(prepare(run, err));
    CHECK(dist_agree(dist, begin_files(run, err), err));
    CHECK(run_epochs(run, err));
    return dist_agree(dist, end_files(run, model, err), err);
}

int caelum_train(const struct caelum_train_settings *settings, struct caelum_train_result *result,
                 struct caelum_error *err) {
    struct run *run = NULL;
    struct caelum_model *model = NULL;
    const double start = clock_seconds();
    if (!settings->out && !result)
        return caelum_fail(err, CAELUM_EUSAGE,
                           "neither a run directory nor a result was given: the model would be lost");
    CHECK(mem_alloc(&run, 1, sizeof *run, err));
    run->settings = *settings;
    const int status = train(run, &model, err);
    if (status == 0 && result) {
        const struct fit *fit = &run->fit;
        *result = (struct caelum_train_result){
            .task = run->settings.task,
            .epochs = fit->epochs_done,
            .best_epoch = fit->best_epoch,
            .best_val_loss = fit->best_epoch ? fit->history[fit->best_epoch - 1].val_loss : NAN,
            .best_val_psnr = fit->best_epoch ? fit->history[fit->best_epoch - 1].val_psnr : NAN,
            .best_val_accuracy = fit->best_epoch ? fit->history[fit->best_epoch - 1].val_accuracy : NAN,
            .seconds = clock_seconds() - start,
            .stopped = run->stopped,
            .ended_early = !run->stopped && fit->epochs_done < fit->trainer->settings.epochs,
            .model = model};
    } else {
        caelum_model_close(&model);
    }
    events_close(&run->events, NULL);
    fit_close(&run->fit);
    trainer_close(&run->trainer);
    safetensors_close(&run->checkpoint);
    metadata_clear(&run->metadata);
    metadata_clear(&run->resume);
    caelum_net_close(&run->net);
    caelum_data_close(&run->opened);
    mem_free(&run->bytes);
    mem_free(&run->best);
    mem_free(&run->name);
    file_unlock(&run->lock);
    mem_free(&run);
    return status;
}
