/* train.c - a training run as a person knows it: a data set, a network, a run directory that tells the
 * whole story and can be resumed. The mathematics is in src/train. */
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "net/safetensors.h"
#include "report/events.h"
#include "report/run_files.h"
#include "train/fit.h"
#include "train/train_settings.h"

#include "api/run_sheet.h"
#include "api/train_open.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char format_name[] = "caelum checkpoint 2";

/* Everything of one call. */
struct run {
    struct caelum_train_settings settings;
    char data_spec[512];  /* of a resumed run; settings point here */
    char name[64];        /* of the network: its file's, without directory and ending */
    char init[256];       /* file name of the model that it started from; "": none */
    char init_sha256[65]; /* of that model's weights */
    struct file_lock lock;
    struct caelum_data *data;
    struct caelum_net *net;
    struct trainer trainer;
    struct fit fit;
    struct safetensors checkpoint; /* of the run that is resumed */
    struct metadata metadata;      /* of the models: what decides the result, and nothing else */
    struct metadata resume;        /* of the checkpoint: what resuming needs besides */
    struct events events;
    double start;
    size_t batches_before; /* done by earlier calls */
};

struct caelum_train_settings caelum_train_defaults(void) {
    return (struct caelum_train_settings){.data_settings = caelum_data_defaults(),
                                          .epochs = 50,
                                          .batch = 50,
                                          .lr = 0.001,
                                          .huber_delta = 0.1,
                                          .momentum = 0.9,
                                          .lr_step_epochs = 20,
                                          .lr_gamma = 0.1,
                                          .lr_patience = 5,
                                          .seed = 1};
}

static int path_in(const struct run *run, const char *name, char path[1024], struct caelum_error *err) {
    return file_join(path, 1024, run->settings.out, name, err);
}

/* --- Settings out of a checkpoint ----------------------------------------------------------------- */

static int missing(const char *path, const char *key, struct caelum_error *err) {
    return caelum_fail(err, CAELUM_EFORMAT,
                       "%s: '%s' is missing in it; this is no checkpoint that can be resumed", path, key);
}

static int read_number(const struct metadata *m, const char *path, const char *key, uint64_t *value,
                       struct caelum_error *err) {
    const char *text = metadata_get(m, key);
    char *end;
    if (!text) return missing(path, key, err);
    *value = strtoull(text, &end, 10);
    return *end || end == text ? missing(path, key, err) : CAELUM_OK;
}

/* Reads OUT/checkpoint.safetensors and takes the settings from it. */
static int read_checkpoint(struct run *run, struct caelum_error *err) {
    struct caelum_train_settings *s = &run->settings;
    char path[1024];
    uint64_t epochs = 0, height = 0, width = 0;
    CHECK(path_in(run, "checkpoint.safetensors", path, err));
    const int result = safetensors_read(&run->checkpoint, path, err);
    if (result != 0) return caelum_fail_in(err, result, "no run to resume");
    const struct metadata *m = &run->checkpoint.metadata;
    const char *format = metadata_get(m, "format"), *text = metadata_get(m, "network"),
               *spec = metadata_get(m, "data_spec");
    if (!format || strcmp(format, format_name) != 0)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: expected a '%s', got '%s'; start the run anew", path,
                           format_name, format ? format : "");
    if (!text || !spec) return missing(path, "network or data_spec", err);
    CHECK(read_number(m, path, "epochs", &epochs, err));
    CHECK(read_number(m, path, "height", &height, err));
    CHECK(read_number(m, path, "width", &width, err));
    CHECK(train_settings_read(s, m, path, err));
    if (s->epochs == 0) s->epochs = (size_t)epochs;
    snprintf(run->data_spec, sizeof run->data_spec, "%s", spec);
    s->data = run->data_spec;
    return caelum_net_parse(&run->net, text, path, (size_t)height, (size_t)width, err);
}

/* --- Metadata ------------------------------------------------------------------------------------- */

/* The command that trains this model, given the network and the data. The number of epochs is left out where
 * it does not matter for what the epochs so far have made. */
static int describe_command(struct run *run, bool with_epochs, struct caelum_error *err) {
    struct caelum_train_settings s = run->settings;
    char options[900];
    if (!with_epochs) s.epochs = caelum_train_defaults().epochs;
    train_settings_options(&s, options, sizeof options);
    return metadata_setf(&run->metadata, err, "command", "caelum train %s.net%s%s%s --seed %llu", run->name,
                         *run->init ? " --init " : "", run->init, options, (unsigned long long)s.seed);
}

/* Only what decides the bits of the result: the same run on other threads or under another name leaves
 * the same file. */
static int describe_model(struct run *run, struct caelum_error *err) {
    struct metadata *m = &run->metadata;
    CHECK(metadata_set(m, "name", run->name, err));
    CHECK(metadata_set(m, "data", run->data->name, err));
    CHECK(metadata_set(m, "data_fingerprint", run->data->fingerprint, err));
    CHECK(metadata_setf(m, err, "split", "%zu/%zu/%zu", run->data->split_count[0], run->data->split_count[1],
                        run->data->split_count[2]));
    if (*run->init) CHECK(metadata_set(m, "init", run->init, err));
    if (*run->init) CHECK(metadata_set(m, "init_sha256", run->init_sha256, err));
    CHECK(train_settings_write(&run->settings, m, err));
    const bool epochs_matter =
        run->settings.schedule == CAELUM_COSINE || run->settings.schedule == CAELUM_ONECYCLE;
    if (epochs_matter) CHECK(metadata_setf(m, err, "epochs", "%zu", run->settings.epochs));
    CHECK(describe_command(run, epochs_matter, err));
    return metadata_set(m, "caelum", CAELUM_VERSION, err);
}

static int describe_checkpoint(struct run *run, struct caelum_error *err) {
    const struct caelum_train_settings *s = &run->settings;
    struct metadata *m = &run->resume;
    char *real = data_is_synthetic(run->data->source, NULL, NULL) ? NULL : realpath(run->data->source, NULL);
    int result = metadata_set(m, "format", format_name, err);
    if (result == 0) result = metadata_set(m, "network", run->net->text, err);
    if (result == 0) result = metadata_setf(m, err, "height", "%zu", run->net->input.h);
    if (result == 0) result = metadata_setf(m, err, "width", "%zu", run->net->input.w);
    if (result == 0) result = metadata_set(m, "data_spec", real ? real : run->data->source, err);
    if (result == 0) result = metadata_setf(m, err, "epochs", "%zu", s->epochs);
    free(real);
    for (size_t i = 0; result == 0 && i < run->metadata.count; i++)
        result = metadata_set(m, run->metadata.entry[i].key, run->metadata.entry[i].value, err);
    return result;
}

/* --- Files of the run ----------------------------------------------------------------------------- */

static int write_run_json(const struct run *run, struct caelum_error *err) {
    const struct caelum_train_settings *s = &run->settings;
    const struct fit *fit = &run->fit;
    char path[1024];
    CHECK(path_in(run, "run.json", path, err));
    json_t *root = json_object(), *entries = json_object();
    for (size_t i = 0; i < run->resume.count; i++)
        json_object_set_new(entries, run->resume.entry[i].key, json_string(run->resume.entry[i].value));
    json_object_set_new(root, "version", json_integer(1));
    json_object_set_new(root, "command", json_string(s->command ? s->command : ""));
    json_object_set_new(root, "settings", entries);
    json_object_set_new(root, "parameters", json_integer((json_int_t)run->net->params));
    json_object_set_new(root, "build", json_string(caelum_build_info()));
    json_object_set_new(root, "kernels", json_string(run->trainer.engine.kernels->name));
    json_object_set_new(root, "threads", json_integer(run->trainer.settings.threads));
    json_object_set_new(root, "epochs_done", json_integer((json_int_t)fit->epochs_done));
    if (fit->best_epoch > 0) {
        json_object_set_new(root, "best_epoch", json_integer((json_int_t)fit->best_epoch));
        json_object_set_new(root, "best_val_loss", json_real(fit->history[fit->best_epoch - 1].val_loss));
    }
    double seconds = 0;
    for (size_t i = 0; i < fit->epochs_done; i++) seconds += fit->history[i].seconds;
    json_object_set_new(root, "training_seconds", json_real(seconds));
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    json_decref(root);
    if (!text) return caelum_fail(err, CAELUM_ERESOURCE, "%s: out of memory", path);
    const int result = file_write(path, text, strlen(text), err);
    free(text);
    return result;
}

static int save_model(struct run *run, const char *name, struct caelum_error *err) {
    const struct fit *fit = &run->fit;
    const struct caelum_epoch *e = &fit->history[fit->epochs_done - 1];
    char path[1024];
    CHECK(path_in(run, name, path, err));
    CHECK(metadata_setf(&run->metadata, err, "epoch", "%zu", e->epoch));
    CHECK(metadata_setf(&run->metadata, err, "val_loss", "%.9g", e->val_loss));
    return model_save(run->net, trainer_result(&run->trainer), &run->metadata, path, err);
}

static int save_checkpoint(const struct run *run, struct caelum_error *err) {
    char path[1024];
    CHECK(path_in(run, "checkpoint.safetensors", path, err));
    return checkpoint_save(&run->fit, &run->resume, path, err);
}

/* The checkpoint comes last: if we are killed before it, the epoch is done again and writes the same. */
static int on_epoch(void *cookie, const struct fit *fit, struct caelum_error *err) {
    struct run *run = cookie;
    const struct caelum_epoch *e = &fit->history[fit->epochs_done - 1];
    if (e->best) CHECK(save_model(run, "best.safetensors", err));
    CHECK(save_model(run, "last.safetensors", err));
    CHECK(run_write_metrics(run->settings.out, fit->history, fit->epochs_done, err));
    CHECK(events_epoch(&run->events, e, err));
    CHECK(save_checkpoint(run, err));
    if (run->settings.progress) {
        const struct caelum_train_progress progress = {.epoch = e->epoch,
                                                       .epochs = fit->settings.epochs,
                                                       .batch = fit->batches,
                                                       .batches = fit->batches,
                                                       .loss = e->loss,
                                                       .last_val_loss = e->val_loss,
                                                       .pictures_per_second = e->pictures_per_second,
                                                       .finished = e};
        run->settings.progress(run->settings.cookie, &progress);
    }
    return CAELUM_OK;
}

static int on_batch(void *cookie, const struct fit *fit) {
    struct run *run = cookie;
    const struct caelum_train_settings *s = &run->settings;
    if (!s->progress) return 0;
    const size_t done = fit->epochs_done * fit->batches + fit->batches_done - run->batches_before;
    const size_t all = fit->settings.epochs * fit->batches - run->batches_before, n = fit_pictures(fit);
    const struct caelum_train_progress progress = {
        .epoch = fit->epochs_done + 1,
        .epochs = fit->settings.epochs,
        .batch = fit->batches_done,
        .batches = fit->batches,
        .loss = fit->sums.loss / (double)(n * trainer_terms(fit->trainer)),
        .last_val_loss = fit->epochs_done > 0 ? fit->history[fit->epochs_done - 1].val_loss : NAN,
        .pictures_per_second = (double)n / fit->train_seconds,
        .seconds_left = (clock_seconds() - run->start) / (double)done * (double)(all - done)};
    return s->progress(s->cookie, &progress);
}

/* --- The run -------------------------------------------------------------------------------------- */

static int check_settings(const struct caelum_train_settings *s, struct caelum_error *err) {
    if (!s->out || !*s->out) return caelum_fail(err, CAELUM_EUSAGE, "no run directory was named");
    if (!s->resume && (s->epochs < 1 || s->epochs > 1000000))
        return caelum_fail(err, CAELUM_EUSAGE, "epochs: expected 1 to 1000000, got %zu", s->epochs);
    if (!s->resume) CHECK(train_settings_check(s, err));
    struct stat st;
    if (!s->resume && !s->force && stat(s->out, &st) == 0)
        return caelum_fail(err, CAELUM_EIO,
                           "%s exists already; go on with it by --resume %s, or write over it by --force",
                           s->out, s->out);
    return CAELUM_OK;
}

/* "standard" for models/standard.net; a resumed run's checkpoint remembers it. */
static void name_network(struct run *run) {
    const char *known = metadata_get(&run->checkpoint.metadata, "name"), *path = run->settings.net_path;
    const char *slash = path ? strrchr(path, '/') : NULL, *base = slash ? slash + 1 : path;
    if (run->settings.resume)
        snprintf(run->name, sizeof run->name, "%s", known ? known : "");
    else
        snprintf(run->name, sizeof run->name, "%.*s", (int)strcspn(base, "."), base);
}

/* What the weights started from, before training changes them; a resumed run's checkpoint remembers it. */
static void name_start(struct run *run) {
    const struct metadata *m = &run->checkpoint.metadata;
    const char *path = run->settings.init, *name = metadata_get(m, "init"),
               *sha256 = metadata_get(m, "init_sha256");
    if (run->settings.resume) {
        snprintf(run->init, sizeof run->init, "%s", name ? name : "");
        snprintf(run->init_sha256, sizeof run->init_sha256, "%s", sha256 ? sha256 : "");
    } else if (path) {
        const char *slash = strrchr(path, '/');
        struct sha256_ctx sha;
        uint8_t digest[SHA256_DIGEST_SIZE];
        sha256_init(&sha);
        sha256_update(&sha, run->net->params * sizeof(float), (const uint8_t *)run->trainer.params);
        sha256_digest(&sha, sizeof digest, digest);
        for (size_t i = 0; i < sizeof digest; i++) snprintf(run->init_sha256 + 2 * i, 3, "%02x", digest[i]);
        snprintf(run->init, sizeof run->init, "%s", slash ? slash + 1 : path);
    }
}

/* Opens network, data, trainer and fit; nothing is written before all of it is known to be good. */
static int prepare(struct run *run, struct caelum_error *err) {
    const struct caelum_train_settings *s = &run->settings;
    CHECK(check_settings(s, err));
    if (s->resume) {
        CHECK(read_checkpoint(run, err));
        CHECK(file_lock(&run->lock, s->out, err));
    }
    CHECK(train_open(s, &run->data, &run->net, &run->trainer, err));
    const char *fingerprint = metadata_get(&run->checkpoint.metadata, "data_fingerprint");
    if (s->resume && (!fingerprint || strcmp(fingerprint, run->data->fingerprint) != 0))
        return caelum_fail(err, CAELUM_EFORMAT, "%s: the data are not those that the run was started with",
                           run->data->source);
    const struct pictures train = data_pictures(run->data, CAELUM_TRAIN),
                          val = data_pictures(run->data, CAELUM_VALIDATION);
    const struct schedule schedule = {.kind = s->schedule,
                                      .lr = s->lr,
                                      .batches = (train.n + s->batch - 1) / s->batch,
                                      .epochs = s->epochs,
                                      .warmup = s->warmup,
                                      .step_epochs = s->lr_step_epochs,
                                      .gamma = s->lr_gamma,
                                      .patience = s->lr_patience};
    const struct fit_settings fit = {.epochs = s->epochs,
                                     .seed = s->seed,
                                     .schedule = schedule,
                                     .early_stop = s->early_stop,
                                     .flip = s->flip,
                                     .train = train,
                                     .validation = val,
                                     .on_batch = on_batch,
                                     .on_epoch = on_epoch,
                                     .cookie = run};
    CHECK(fit_open(&run->fit, &fit, &run->trainer, err));
    name_network(run);
    name_start(run);
    CHECK(describe_model(run, err));
    CHECK(describe_checkpoint(run, err));
    if (!s->resume) return CAELUM_OK;
    char path[1024];
    CHECK(path_in(run, "checkpoint.safetensors", path, err));
    return checkpoint_restore(&run->fit, &run->checkpoint, path, err);
}

static const char *const loss_labels[] = {[CAELUM_MSE] = "mean squared error, pixels in [0, 1]",
                                          [CAELUM_BCE] = "binary cross-entropy, nats a value",
                                          [CAELUM_L1] = "mean absolute error, pixels in [0, 1]",
                                          [CAELUM_HUBER] = "Huber loss, pixels in [0, 1]",
                                          [CAELUM_XENT] = "cross-entropy, nats a picture"};

/* The pictures a person looks at, after the last epoch. */
static int illustrate(struct run *run, struct caelum_error *err) {
    const struct caelum_train_settings *s = &run->settings;
    const struct fit *fit = &run->fit;
    const char *sheet = s->task == CAELUM_COLORIZE ? "colorizations" : "reconstructions";
    char title[160], name[32], path[1024], model[1024];
    if (!CAELUM_WITH_CAIRO) return CAELUM_OK;
    snprintf(title, sizeof title, "%s, %zu parameters, on %s: batch %zu, seed %llu", run->name,
             run->net->params, run->data->name, s->batch, (unsigned long long)s->seed);
    CHECK(run_write_curves(s->out, title, loss_labels[s->loss], fit->history, fit->epochs_done, err));
    if (s->task == CAELUM_CLASSIFY) return CAELUM_OK; /* it makes no pictures */
    snprintf(name, sizeof name, "%s.png", sheet);
    CHECK(path_in(run, name, path, err));
    CHECK(path_in(run, "best.safetensors", model, err));
    struct caelum_model *best = NULL;
    CHECK(caelum_model_load(&best, model, err));
    int result = run_sheet_write(best, run->data, path, err);
    caelum_model_close(&best);
    if (result == 0) result = events_image(&run->events, sheet, fit->epochs_done, path, err);
    return result;
}

/* A run written over another must not leave that one's results beside its own, should it end before it has
 * any. */
static int remove_old(const struct run *run, struct caelum_error *err) {
    static const char *const names[] = {"best.safetensors", "last.safetensors", "metrics.csv",
                                        "curves.svg",       "curves.png",       "reconstructions.png",
                                        "colorizations.png"};
    char path[1024];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        CHECK(path_in(run, names[i], path, err));
        if (unlink(path) != 0 && errno != ENOENT)
            return caelum_fail(err, CAELUM_EIO, "%s: can't be removed: %s", path, strerror(errno));
    }
    return event_files_remove(run->settings.out, err);
}

/* A resumed run's first file has told the network and the command already. */
static int begin_events(struct run *run, struct caelum_error *err) {
    const struct caelum_train_settings *s = &run->settings;
    CHECK(events_open(&run->events, s->out, run->fit.epochs_done, err));
    if (s->resume) return CAELUM_OK;
    const char *command = s->command ? s->command : metadata_get(&run->metadata, "command");
    CHECK(events_text(&run->events, "command", command, err));
    return events_text(&run->events, "network", run->net->text, err);
}

static int train(struct run *run, struct caelum_error *err) {
    CHECK(prepare(run, err));
    CHECK(file_make_directory(run->settings.out, err));
    if (!run->settings.resume) CHECK(file_lock(&run->lock, run->settings.out, err));
    CHECK(write_run_json(run, err));
    if (!run->settings.resume) CHECK(remove_old(run, err));
    CHECK(begin_events(run, err));
    /* so that there is something to go back to whatever becomes of the first epoch */
    if (!run->settings.resume) CHECK(save_checkpoint(run, err));
    run->start = clock_seconds();
    run->batches_before = run->fit.epochs_done * run->fit.batches + run->fit.batches_done;
    CHECK(fit_run(&run->fit, err));
    if (run->fit.stopped) CHECK(save_checkpoint(run, err));
    CHECK(write_run_json(run, err));
    if (!run->fit.stopped) CHECK(illustrate(run, err));
    return events_close(&run->events, err);
}

int caelum_train(const struct caelum_train_settings *settings, struct caelum_train_result *result,
                 struct caelum_error *err) {
    struct run *run = NULL;
    const double start = clock_seconds();
    CHECK(mem_alloc(&run, 1, sizeof *run, err));
    run->settings = *settings;
    const int status = train(run, err);
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
            .stopped = fit->stopped,
            .ended_early = !fit->stopped && fit->epochs_done < fit->settings.epochs};
    }
    events_close(&run->events, NULL);
    fit_close(&run->fit);
    trainer_close(&run->trainer);
    safetensors_close(&run->checkpoint);
    metadata_clear(&run->metadata);
    metadata_clear(&run->resume);
    caelum_net_close(&run->net);
    caelum_data_close(&run->data);
    file_unlock(&run->lock);
    mem_free(&run);
    return status;
}
