/* cmd_train.c - caelum train. */
#include "cli.h"

#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { OUT_SIZE = PATH_SIZE + 32 }; /* of a path with a folder in front, something behind */

/* "runs/standard" for models/standard.net. */
static const char *default_out(const char *net, char text[OUT_SIZE]) {
    const char *name = path_name(net);
    snprintf(text, OUT_SIZE, "runs/%.*s", (int)path_stem_length(name), name);
    return text;
}

static void print_result(const struct caelum_train_settings *s, const struct caelum_train_result *r,
                         bool json) {
    if (json) {
        char model[OUT_SIZE];
        snprintf(model, sizeof model, "%s/best.safetensors", s->out);
        json_t *o = json_object();
        json_put(&o, "out", json_bytes(s->out));
        json_put(&o, "model", json_bytes(model));
        json_put(&o, "epochs", json_size(r->epochs));
        json_put(&o, "best_epoch", json_size(r->best_epoch));
        json_put(&o, "best_val_loss", json_number(r->best_val_loss));
        json_put(&o, "best_val_accuracy", json_number(r->best_val_accuracy));
        json_put(&o, "seconds", json_number(r->seconds));
        json_put(&o, "stopped", json_boolean(r->stopped));
        json_put(&o, "ended_early", json_boolean(r->ended_early));
        print_json(o);
        return;
    }
    if (r->stopped) {
        printf("stopped in epoch %zu; go on with: caelum train --resume %s\n", r->epochs + 1, s->out);
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

/* What the options fill; --help reads the defaults here. */
static struct {
    struct caelum_train_settings s;
    int task, loss, optimizer, schedule;
    const char *resume;
    bool json, lr_find;
} given;

static const struct option_row rows[] = {
    {'d', "data", OPTION_STRING, &given.s.data, "SPEC",
     "directory of pictures, CIFAR-10 directory or .tar.gz, or synthetic[:COUNT[:SIZE]]; default synthetic",
     NULL},
    {0, "task", OPTION_CHOICE, &given.task, NULL,
     "what to learn: the pictures, chroma from luminance, clean pictures from noisy ones, or what they show",
     caelum_task_words},
    {'o', "out", OPTION_STRING, &given.s.out, "DIR", "run directory to make; default runs/NET", NULL},
    {'e', "epochs", OPTION_SIZE, &given.s.epochs, "N", "passes over the training pictures, 1 to 1,000,000",
     NULL},
    {'b', "batch", OPTION_SIZE, &given.s.batch, "N", "pictures in a minibatch, 1 to 65,536", NULL},
    {0, "loss", OPTION_CHOICE, &given.loss, NULL, "what is minimized; to classify, xent, and only then",
     caelum_loss_words},
    {0, "huber-delta", OPTION_REAL, &given.s.huber_delta, "X",
     "error beyond which huber is linear, pixels being 0 to 1", NULL},
    {0, "optimizer", OPTION_CHOICE, &given.optimizer, NULL, "how a gradient changes the weights",
     caelum_optimizer_words},
    {0, "lr", OPTION_REAL, &given.s.lr, "X", "step size, the largest of the run, above 0", NULL},
    {0, "momentum", OPTION_REAL, &given.s.momentum, "X", "share of the last step that sgd keeps, 0 to 1",
     NULL},
    {0, "weight-decay", OPTION_REAL, &given.s.weight_decay, "X",
     "pull of all parameters towards 0, 0 to 1; decoupled with adamw, else added to the gradient", NULL},
    {0, "schedule", OPTION_CHOICE, &given.schedule, NULL, "how the step size changes", caelum_schedule_words},
    {0, "warmup", OPTION_REAL, &given.s.warmup, "EPOCHS",
     "let the step size rise for so long first, in epochs, which may be broken", NULL},
    {0, "lr-step-epochs", OPTION_SIZE, &given.s.lr_step_epochs, "N", "step: epochs between drops, at least 1",
     NULL},
    {0, "lr-gamma", OPTION_REAL, &given.s.lr_gamma, "X",
     "step, plateau: factor of a drop, above 0, at most 1", NULL},
    {0, "lr-patience", OPTION_SIZE, &given.s.lr_patience, "EPOCHS",
     "plateau: epochs without a better validation loss that pass before a drop", NULL},
    {0, "clip", OPTION_REAL, &given.s.clip, "NORM",
     "scale longer gradients down to this Euclidean norm; 0 = don't", NULL},
    {0, "ema", OPTION_REAL, &given.s.ema, "DECAY",
     "validate and save a running mean of the weights, which keeps this share a step, for example 0.999; 0 = "
     "don't",
     NULL},
    {0, "early-stop", OPTION_SIZE, &given.s.early_stop, "EPOCHS",
     "end after so many epochs without a better validation loss; 0 = don't", NULL},
    {0, "flip", OPTION_FLAG, &given.s.flip, NULL, "mirror half of the pictures, other ones in every epoch",
     NULL},
    {0, "shift", OPTION_SIZE, &given.s.shift, "PIXELS",
     "move each picture by up to so many pixels each way, anew each time; 0 to 7", NULL},
    {0, "seed", OPTION_U64, &given.s.seed, "N",
     "seed of initial weights, order of the pictures, flips and shifts", NULL},
    {0, "split-seed", OPTION_U64, &given.s.data_settings.split_seed, "N",
     "seed of the shuffle that precedes the split into train, validation, test", NULL},
    {0, "limit", OPTION_SIZE, &given.s.data_settings.limit, "N",
     "use only the first N pictures of that shuffle; 0 = all", NULL},
    {0, "crop", OPTION_SIZE, &given.s.data_settings.crop, "N",
     "directory of pictures: height and width of what is cut out of them, 8 to 256 pixels", NULL},
    {0, "init", OPTION_STRING, &given.s.init, "MODEL",
     "start from this model's weights, not from random ones", NULL},
    {'t', "threads", OPTION_THREADS, &given.s.threads, "N", "threads, 1 to 4096; no influence on the result",
     NULL},
    {0, "lr-find", OPTION_FLAG, &given.lr_find, NULL,
     "only try step sizes from 1e-7 to 10 and say which to use; --out is then runs/NET-lr-find", NULL},
    {0, "resume", OPTION_STRING, &given.resume, "DIR",
     "go on with a run; of the options that shape it only --epochs may be given too", NULL},
    {0, "force", OPTION_FLAG, &given.s.force, NULL, "write over an existing run directory", NULL},
    {0, "cache-dir", OPTION_STRING, &given.s.data_settings.cache_dir, "DIR",
     "where prepared data is kept; default ~/.cache/caelum", NULL},
    {0, "json", OPTION_FLAG, &given.json, NULL, "print the result as JSON", NULL},
    DISPLAY_OPTIONS,
    {0, NULL, OPTION_FLAG, NULL, NULL, NULL, NULL}};

/* A run that goes on has its settings: the name of the first option on the command line that would change
 * one, or NULL. What files and the environment say is for runs that begin. */
static const char *not_on_resume(void) {
    static const char *const free_ones[] = {"epochs", "threads",  "resume", "cache-dir", "json",
                                            "color",  "progress", "quiet",  NULL};
    for (const struct option_row *row = rows; row->name; row++) {
        bool settled = options_origin(row->name) == ORIGIN_FLAG;
        for (size_t i = 0; free_ones[i]; i++) settled &= strcmp(row->name, free_ones[i]) != 0;
        if (settled) return row->name;
    }
    return NULL;
}

/* Every tenth point, two and a half a decade, and the suggestion. */
static void print_found(const struct caelum_train_settings *s, const struct caelum_lr_find *f, bool json) {
    if (json) {
        json_t *o = json_object(), *points = json_array();
        for (size_t i = 0; i < f->count; i++) {
            json_t *point = json_object();
            json_put(&point, "lr", json_number(f->point[i].lr));
            json_put(&point, "loss", json_number(f->point[i].loss));
            json_put(&point, "smoothed_loss", json_number(f->point[i].smooth));
            json_add(&points, point);
        }
        json_put(&o, "out", json_bytes(s->out));
        json_put(&o, "suggestion", f->suggestion > 0 ? json_number(f->suggestion) : json_null());
        json_put(&o, "points", points);
        print_json(o);
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

static int find_lr(struct caelum_train_settings *s) {
    static struct caelum_lr_find found;
    struct caelum_error err;
    char out[OUT_SIZE + 16], name[OUT_SIZE];
    if (!s->out) {
        snprintf(out, sizeof out, "%s-lr-find", default_out(s->net_path, name));
        s->out = out;
    }
    const int code = caelum_lr_find(s, &found, &err);
    progress_clear();
    if (code != 0) return report(&err);
    print_found(s, &found, given.json);
    return 0;
}

int command_train(int argc, char **argv) {
    char out[OUT_SIZE], net[PATH_SIZE], init[PATH_SIZE];
    struct caelum_train_settings *s = &given.s;
    given.s = caelum_train_defaults();
    given.task = given.loss = given.optimizer = given.schedule = 0;
    given.json = given.lr_find = false;
    given.resume = NULL;
    const int n = options_read(command_find("train"), rows, argc, argv);
    if (n < 0) return -n - 1;
    const char *settled = not_on_resume();
    s->resume = given.resume != NULL;
    if (s->resume ? n != 0 : n != 1)
        return usage_error(
            "train", s->resume ? "--resume takes no NET: the run knows its own" : "expected one NET, got %d",
            n);
    if (s->resume && settled)
        return usage_error("train", "--%s can't change with --resume: the run knows its own", settled);
    if (s->resume && options_origin("epochs") != ORIGIN_FLAG) s->epochs = 0;
    s->task = (enum caelum_task)given.task;
    s->loss = s->task == CAELUM_CLASSIFY && options_origin("loss") == ORIGIN_DEFAULT
                  ? CAELUM_XENT
                  : (enum caelum_loss)given.loss;
    s->optimizer = (enum caelum_optimizer)given.optimizer;
    s->schedule = (enum caelum_schedule)given.schedule;
    if (s->resume)
        s->out = given.resume;
    else
        s->net_path = path_shipped(argv[1], ".net", net);
    if (s->init) s->init = path_shipped(s->init, ".safetensors", init);
    s->stage = progress_stage;
    s->data_settings.opened = data_opened;
    signals_catch();
    if (given.lr_find) return find_lr(s);
    if (!s->out) s->out = default_out(s->net_path, out);
    s->command = command_line;
    s->progress = progress_train;
    struct caelum_train_result result;
    struct caelum_error err;
    const int code = caelum_train(s, &result, &err);
    progress_clear();
    if (code != 0) return report(&err);
    print_result(s, &result, given.json);
    return 0;
}
