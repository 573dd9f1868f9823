/* cmd_train.c - caelum train. */
#include "server.h"

#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void print_result(const struct caelum_train_settings *s, const struct caelum_train_result *r,
                         bool json) {
    if (json) {
        char model[RUN_SIZE];
        snprintf(model, sizeof model, "%s/best.safetensors", s->out);
        print_json(JSON(
            {"out", json_bytes(s->out)}, {"model", json_bytes(model)}, {"epochs", json_size(r->epochs)},
            {"best_epoch", json_size(r->best_epoch)}, {"best_val_loss", json_number(r->best_val_loss)},
            {"best_val_accuracy", json_number(r->best_val_accuracy)}, {"seconds", json_number(r->seconds)},
            {"stopped", json_boolean(r->stopped)}, {"ended_early", json_boolean(r->ended_early)}));
        return;
    }
    if (r->stopped) {
        printf("stopped in epoch %zu; resume with: caelum train --resume %s\n", r->epochs + 1, s->out);
        return;
    }
    char quality[32];
    if (r->task == CAELUM_CLASSIFY)
        snprintf(quality, sizeof quality, "accuracy %.4f", r->best_val_accuracy);
    else
        snprintf(quality, sizeof quality, "%.2f dB", r->best_val_psnr);
    printf("%zu epochs in %.1f s; validation loss %.6f (%s) in the best epoch, %zu\n", r->epochs, r->seconds,
           r->best_val_loss, quality, r->best_epoch);
    if (r->ended_early)
        printf("ended early: no lower validation loss for %zu epochs\n", r->epochs - r->best_epoch);
    printf("model  %s/best.safetensors\ncurves %s/curves.svg\n", s->out, s->out);
    if (r->task == CAELUM_CLASSIFY) return;
    printf("sheet  %s/%s.png\n", s->out, r->task == CAELUM_COLORIZE ? "colorizations" : "reconstructions");
}

struct training {
    struct caelum_train_settings s;
    const char *resume;
    bool json, lr_find, open;
    int mpi;
    caelum_dist *dist;
    struct server *server;
};

static const struct caelum_option rows[] = {
    OPTION(STRING, struct training, 'd', "data", s.data, "SPEC",
           "directory, file or archive of pictures or of a data set, name of one that `caelum data fetch` "
           "got, or "
           "synthetic[:COUNT[:SIZE]]; default cifar-10 where it was fetched, else synthetic"),
    OPTION(STRING, struct training, 'o', "out", s.out, "DIR", "run directory to make; default runs/NET"),
    OPTION(STRING, struct training, 0, "init", s.init, "MODEL",
           "start from this model's weights instead of random ones"),
    OPTION(THREADS, struct training, 't', "threads", s.threads, "N", THREADS_HELP),
    OPTION(
        FLAG, struct training, 0, "lr-find", lr_find, NULL,
        "only try step sizes from 1e-7 to 10 and suggest one; the default of --out is then runs/NET-lr-find"),
    OPTION(STRING, struct training, 0, "resume", resume, "DIR",
           "resume a run; of the options that affect the result only --epochs can be changed; --data says "
           "where the same "
           "pictures are now"),
    OPTION(REAL, struct training, 0, "checkpoint-minutes", s.checkpoint_minutes, "N",
           "save within epochs, too, every N minutes; 0: only after each"),
    OPTION(FLAG, struct training, 0, "force", s.force, NULL, "overwrite an existing run directory"),
    OPTION(STRING, struct training, 0, "cache-dir", s.data_settings.cache_dir, "DIR", CACHE_HELP),
    CHOICE(struct training, "mpi", mpi, ranks_words, MPI_HELP),
    OPTION(FLAG, struct training, 0, "open", open, NULL, "show the run in a browser until it ends"),
    OPTION(FLAG, struct training, 0, "json", json, NULL, "print the result as JSON"),
    END_OF_OPTIONS};

/* A run that is resumed has its settings: the name of the first option on the command line that would change
 * one, or NULL. What files and the environment say is for runs that begin. */
static const char *not_on_resume(void) {
    static const char *const free_ones[] = {
        "epochs", "threads", "resume", "data", "cache-dir", "checkpoint-minutes",
        "mpi",    "open",    "json",   NULL};
    const struct caelum_option *const lists[] = {rows, caelum_train_options};
    for (size_t k = 0; k < 2; k++)
        for (const struct caelum_option *o = lists[k]; o->name; o++) {
            bool fixed = options_origin(o->name) == ORIGIN_FLAG;
            for (size_t i = 0; free_ones[i]; i++) fixed &= strcmp(o->name, free_ones[i]) != 0;
            if (fixed) return o->name;
        }
    return NULL;
}

/* Every tenth point, two and a half a decade, and the suggestion. */
static void print_found(const struct caelum_train_settings *s, const struct caelum_lr_find *f, bool json) {
    if (json) {
        json_t *points = json_array();
        for (size_t i = 0; i < f->count; i++) {
            json_add(&points,
                     JSON({"lr", json_number(f->point[i].lr)}, {"loss", json_number(f->point[i].loss)},
                          {"smoothed_loss", json_number(f->point[i].smooth)}));
        }
        print_json(JSON({"out", json_bytes(s->out)},
                        {"suggestion", f->suggestion > 0 ? json_number(f->suggestion) : json_null()},
                        {"points", points}));
        return;
    }
    printf("step size   loss      smoothed\n");
    for (size_t i = 0; i < f->count; i += 10)
        printf("%-9.2g   %.6f  %.6f\n", f->point[i].lr, f->point[i].loss, f->point[i].smooth);
    if (f->count < CAELUM_LR_POINTS) printf("above %.2g the loss explodes\n", f->point[f->count - 1].lr);
    if (f->suggestion > 0)
        printf("\nthe loss falls fastest at %.2g; train with --lr %.2g\n", f->suggestion, f->suggestion);
    else
        printf("\nthe loss falls at none of them\n");
    printf("table %s/lr_find.csv\nchart %s/lr_find.svg\n", s->out, s->out);
}

static void defaults(void *values) {
    struct training *given = values;
    given->s = caelum_train_defaults();
}

static int find_lr(const struct caelum_train_settings *s, bool json, struct caelum_error *err) {
    static struct caelum_lr_find found;
    CHECK(caelum_lr_find(s, &found, err));
    progress_clear();
    print_found(s, &found, json);
    return 0;
}

static int run(void *values, int n, char **words, struct caelum_error *err) {
    char out[RUN_SIZE], net[PATH_SIZE], init[PATH_SIZE];
    struct training *given = values;
    struct caelum_train_settings *s = &given->s;
    struct caelum_train_result result;
    const char *fixed = not_on_resume();
    s->resume = given->resume != NULL;
    if (s->resume && n != 0) return usage_error("train", "--resume takes no NET: the run knows its own");
    if (!s->resume && n != 1) return usage_error("train", "expected one NET, got %d", n);
    if (s->resume && fixed)
        return usage_error("train", "--%s can't change with --resume: the run knows its own", fixed);
    if (s->resume && options_origin("epochs") != ORIGIN_FLAG) s->epochs = 0;
    if (s->resume && options_origin("data") != ORIGIN_FLAG) s->data = NULL;
    if (s->task == CAELUM_CLASSIFY && options_origin("loss") == ORIGIN_DEFAULT) s->loss = CAELUM_XENT;
    if (s->resume)
        s->out = given->resume;
    else
        s->net_path = path_shipped(words[0], ".net", net);
    if (s->init) s->init = path_shipped(s->init, ".safetensors", init);
    if (!s->out) s->out = path_run(s->net_path, given->lr_find ? "-lr-find" : "", out);
    s->stage = progress_stage;
    s->data_settings.opened = data_opened;
    CHECK(ranks_open(&given->dist, given->mpi, err));
    signals_catch();
    if (given->lr_find && given->open)
        return usage_error("train", "--lr-find makes no run that --open could show");
    if (given->lr_find && given->dist) return usage_error("train", "--lr-find is for a single process");
    if (given->lr_find) return find_lr(s, given->json, err);
    s->dist = given->dist;
    s->command = command_line;
    s->progress = progress_train;
    if (given->open && !display.silent) CHECK(server_show(&given->server, s->out, err));
    CHECK(caelum_train(s, &result, err));
    progress_clear();
    if (!display.silent) print_result(s, &result, given->json);
    caelum_model_close(&result.model);
    return ranks_end(s->dist, result.stopped);
}

static void close_all(void *values) {
    struct training *given = values;
    server_close(&given->server);
    caelum_dist_close(&given->dist);
}

COMMAND(train, "NET", "train a network on pictures; makes a run directory",
        "caelum train models/standard.net --data synthetic --epochs 10 --out runs/first",
        .group = "train and measure", .outside = true, .rows = rows, .shared = caelum_train_options,
        .shared_at = offsetof(struct training, s), .display = true, .size = sizeof(struct training),
        .defaults = defaults, .run = run, .close = close_all);
