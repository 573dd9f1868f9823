/* train_settings.c - one table of settings, from which they are checked, written and read: a setting that
 * stands in it can't be forgotten in a checkpoint. */
#define _GNU_SOURCE /* open_memstream */
#include "train/train_settings.h"

#include "base/mem.h"
#include "base/option.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const caelum_loss_words[] = {[CAELUM_MSE] = "mse",     [CAELUM_BCE] = "bce",   [CAELUM_L1] = "l1",
                                         [CAELUM_HUBER] = "huber", [CAELUM_XENT] = "xent", NULL};

const char *const caelum_optimizer_words[] = {
    [CAELUM_ADAM] = "adam",       [CAELUM_ADAMW] = "adamw", [CAELUM_SGD] = "sgd",
    [CAELUM_RMSPROP] = "rmsprop", [CAELUM_MUON] = "muon",   NULL};

const char *const caelum_schedule_words[] = {
    [CAELUM_CONSTANT] = "constant", [CAELUM_STEP] = "step",       [CAELUM_COSINE] = "cosine",
    [CAELUM_ONECYCLE] = "onecycle", [CAELUM_PLATEAU] = "plateau", NULL};

struct caelum_train_settings caelum_train_defaults(void) {
    return (struct caelum_train_settings){.data_settings = caelum_data_defaults(),
                                          .epochs = 50,
                                          .batch = 50,
                                          .lr = 0.001,
                                          .huber_delta = 0.1,
                                          .momentum = 0.9,
                                          .largest_fake = 0.25,
                                          .lr_step_epochs = 20,
                                          .lr_gamma = 0.1,
                                          .lr_patience = 5,
                                          .seed = 1};
}

/* A row's first three: what it is, its name, its place. */
#define ROW(KIND, called, member) \
    .name = called, .kind = CAELUM_OPTION_##KIND, .offset = offsetof(struct caelum_train_settings, member)

/* epochs stand first: in checkpoints they are kept apart, since a resumed run may change them. */
const struct caelum_option caelum_train_options[] = {
    {ROW(SIZE, "epochs", epochs), .letter = 'e', .least = 1, .most = 1000000, .value = "N",
     .help = "passes over the training pictures, 1 to 1,000,000"},
    {ROW(WORD, "task", task), .words = caelum_task_words,
     .help = "what to learn: the pictures, chroma from luminance, clean pictures from noisy ones, their "
             "classes, pictures without the defects that are drawn on them, or where these are"},
    {ROW(WORD, "loss", loss), .words = caelum_loss_words,
     .help = "what is minimized; xent is for classify, and only for it"},
    {ROW(REAL, "huber-delta", huber_delta), .most = 1000, .above = true, .value = "X",
     .help = "error beyond which huber is linear, pixels being 0 to 1"},
    {ROW(WORD, "optimizer", optimizer), .words = caelum_optimizer_words,
     .help = "how a gradient changes the weights"},
    {ROW(REAL, "lr", lr), .most = 100, .above = true, .value = "X",
     .help = "step size, the largest of the run, above 0"},
    {ROW(WORD, "schedule", schedule), .words = caelum_schedule_words, .help = "how the step size changes"},
    {ROW(REAL, "warmup", warmup), .most = 1000000, .value = "EPOCHS",
     .help = "epochs in which the step size rises to its schedule (fractions allowed)"},
    {ROW(SIZE, "lr-step-epochs", lr_step_epochs), .least = 1, .most = 1000000, .value = "N",
     .help = "step: epochs between drops, at least 1"},
    {ROW(REAL, "lr-gamma", lr_gamma), .most = 1, .above = true, .value = "X",
     .help = "step, plateau: factor of a drop, above 0, at most 1"},
    {ROW(SIZE, "lr-patience", lr_patience), .most = 1000000, .value = "EPOCHS",
     .help = "plateau: epochs without a better validation loss before a drop"},
    {ROW(REAL, "clip", clip), .most = 1e9, .value = "NORM",
     .help = "scale longer gradients down to this Euclidean norm; 0 = off"},
    {ROW(REAL, "ema", ema), .most = 0.999999, .value = "DECAY",
     .help = "validate and save a running mean of the weights, of which this share is kept in each step, for "
             "example 0.999; 0 = off"},
    {ROW(SIZE, "early-stop", early_stop), .most = 1000000, .value = "EPOCHS",
     .help = "end after N epochs without a better validation loss; 0 = never"},
    {ROW(FLAG, "flip", flip), .help = "mirror a random half of the pictures in every epoch"},
    {ROW(SIZE, "shift", shift), .most = 7, .value = "PIXELS",
     .help = "move each picture at random by up to N pixels each way in each step; 0 to 7"},
    {ROW(REAL, "largest-fake", largest_fake), .most = 1, .above = true, .value = "X",
     .help = "restore, detect: half length of the largest fake defect, as a share of the picture's side"},
    {ROW(REAL, "momentum", momentum), .most = 1, .value = "X",
     .help = "share of the last step that sgd keeps, 0 to 1"},
    {ROW(REAL, "weight-decay", weight_decay), .most = 1, .value = "X",
     .help = "pull of all parameters towards 0, 0 to 1; decoupled with adamw, else added to the gradient"},
    {ROW(SIZE, "batch", batch), .letter = 'b', .least = 1, .most = 65536, .value = "N",
     .help = "pictures in a minibatch, 1 to 65,536"},
    {ROW(U64, "seed", seed), .value = "N",
     .help = "seed of initial weights, order of the pictures, flips and shifts"},
    {ROW(U64, "split-seed", data_settings.split_seed), .value = "N",
     .help = "seed of the shuffle that precedes the split into train, validation, test"},
    {ROW(U64, "synthetic-seed", data_settings.synthetic_seed)},
    {ROW(SIZE, "crop", data_settings.crop), .most = 256, .value = "N",
     .help =
         "for pictures in files: cut squares of N x N pixels, 8 to 256, out of them; 0 = take small pictures "
         "of one size whole, cut 32 x 32 out of others"},
    {ROW(WORD, "resize", data_settings.resize), .words = caelum_resize_words,
     .help =
         "for pictures in files: bring each to one size, --crop, instead: all of it between black bars, the "
         "square in its middle, or stretched"},
    {ROW(SIZE, "limit", data_settings.limit), .most = 4294967295.0, .value = "N",
     .help = "use only the first N pictures of that shuffle; 0 = all"},
    {.name = NULL}};

static const struct caelum_option *const recorded = caelum_train_options + 1;

static const void *place(const struct caelum_train_settings *s, const struct caelum_option *o) {
    return (const char *)s + o->offset;
}

/* "split_seed", as metadata and complaints have it, for "split-seed". */
static const char *key_of(const struct caelum_option *o, char key[40]) {
    snprintf(key, 40, "%s", o->name);
    for (char *c = key; *c; c++)
        if (*c == '-') *c = '_';
    return key;
}

static int check_word(const struct caelum_option *o, const void *at, struct caelum_error *err) {
    int value, count = 0;
    memcpy(&value, at, sizeof value);
    while (o->words[count]) count++;
    if (value >= 0 && value < count) return CAELUM_OK;
    return caelum_fail(err, CAELUM_EUSAGE, "%s: expected one of %d choices, got %d", o->name, count, value);
}

static int check_option(const struct caelum_train_settings *s, const struct caelum_option *o,
                        struct caelum_error *err) {
    const void *at = place(s, o);
    char key[40];
    if (o->kind == CAELUM_OPTION_WORD) return check_word(o, at, err);
    if (o->kind == CAELUM_OPTION_REAL) {
        const double value = *(const double *)at;
        if (value <= o->most && (o->above ? value > o->least : value >= o->least)) return CAELUM_OK;
        return caelum_fail(err, CAELUM_EUSAGE, "%s: expected a number %s %g, at most %g, got %g",
                           key_of(o, key), o->above ? "above" : "from", o->least, o->most, value);
    }
    if (o->kind == CAELUM_OPTION_SIZE) {
        const size_t value = *(const size_t *)at;
        if ((double)value >= o->least && (double)value <= o->most) return CAELUM_OK;
        return caelum_fail(err, CAELUM_EUSAGE, "%s: expected %.0f to %.0f, got %zu", key_of(o, key), o->least,
                           o->most, value);
    }
    return CAELUM_OK;
}

int train_settings_check(const struct caelum_train_settings *s, struct caelum_error *err) {
    for (const struct caelum_option *o = caelum_train_options; o->name; o++) CHECK(check_option(s, o, err));
    if (s->loss == CAELUM_BCE && s->task == CAELUM_COLORIZE)
        return caelum_fail(err, CAELUM_EUSAGE,
                           "loss: bce needs targets in [0, 1], and the chroma that colorize learns is also "
                           "negative; use mse, l1 or huber");
    if ((s->loss == CAELUM_XENT) != (s->task == CAELUM_CLASSIFY))
        return caelum_fail(err, CAELUM_EUSAGE,
                           "loss: xent and the task classify need each other, got the loss %s and the task "
                           "%s; expected xent with classify, and mse, bce, l1 or huber with other tasks",
                           caelum_loss_words[s->loss], caelum_task_words[s->task]);
    if (s->schedule == CAELUM_ONECYCLE && s->warmup > 0)
        return caelum_fail(err, CAELUM_EUSAGE, "warmup: onecycle has a rise of its own; expected 0, got %g",
                           s->warmup);
    if (s->warmup >= (double)s->epochs)
        return caelum_fail(err, CAELUM_EUSAGE, "warmup: expected less than the %zu epochs of the run, got %g",
                           s->epochs, s->warmup);
    return CAELUM_OK;
}

int train_settings_write(const struct caelum_train_settings *s, struct metadata *m,
                         struct caelum_error *err) {
    char key[40], text[64];
    for (const struct caelum_option *o = recorded; o->name; o++)
        CHECK(metadata_set(m, key_of(o, key), option_print(o, place(s, o), text), err));
    return CAELUM_OK;
}

/* Sets an option from what metadata have of it, or to its default; *text is what they have, or NULL. */
static bool read_recorded(struct caelum_train_settings *s, const struct caelum_option *o,
                          const struct metadata *m, const char **text) {
    const struct caelum_train_settings usual = caelum_train_defaults();
    char key[40], own[64];
    *text = metadata_get(m, key_of(o, key));
    return option_read(o, (char *)s + o->offset, *text ? *text : option_print(o, place(&usual, o), own));
}

int train_settings_read(struct caelum_train_settings *s, const struct metadata *m, const char *path,
                        struct caelum_error *err) {
    const char *text;
    char key[40];
    for (const struct caelum_option *o = recorded; o->name; o++)
        if (!read_recorded(s, o, m, &text))
            return caelum_fail(err, CAELUM_EFORMAT, "%s: '%s' is invalid: cannot resume from this checkpoint",
                               path, key_of(o, key));
    return CAELUM_OK;
}

/* --- As words ------------------------------------------------------------------------------------- */

int caelum_train_set(struct caelum_train_settings *s, const char *name, const char *text,
                     struct caelum_error *err) {
    char list[400] = "";
    for (const struct caelum_option *o = caelum_train_options; o->name; o++) {
        struct caelum_train_settings changed = *s;
        const size_t used = strlen(list);
        if (!o->help) continue;
        snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", o->name);
        if (strcmp(o->name, name) != 0) continue;
        if (*text == '-' || !option_read(o, (char *)&changed + o->offset, text))
            return caelum_fail(err, CAELUM_EUSAGE, "%s can't be '%s'", name, text);
        CHECK(check_option(&changed, o, err));
        *s = changed;
        return CAELUM_OK;
    }
    return caelum_fail(err, CAELUM_EUSAGE, "no option of a run is called '%s'; there are: data, %s", name,
                       list);
}

/* Seeds of a single training and of generated pictures make no other experiment. */
static bool is_seed(const struct caelum_option *o) {
    return strcmp(o->name, "seed") == 0 || strcmp(o->name, "synthetic-seed") == 0;
}

bool train_settings_differ(const struct caelum_train_settings *s, const struct metadata *m, char what[160]) {
    for (const struct caelum_option *o = caelum_train_options; o->name; o++) {
        struct caelum_train_settings there;
        char a[64], b[64];
        const char *text;
        const bool known = read_recorded(&there, o, m, &text);
        const char *theirs = known ? option_print(o, place(&there, o), a) : text,
                   *ours = option_print(o, place(s, o), b);
        if (is_seed(o) || strcmp(theirs, ours) == 0) continue;
        snprintf(what, 160, "%s is %.50s there, %s here", o->name, theirs, ours);
        return true;
    }
    return false;
}

/* --- As a command --------------------------------------------------------------------------------- */

/* An option and a word as a shell takes it: in quotes where it needs some. No word: nothing. */
static void put_word(FILE *to, const char *option, const char *word) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,:/@%";
    if (!word) return;
    const bool quoted = !*word || word[strspn(word, plain)];
    fprintf(to, "%s%s", option, quoted ? "'" : "");
    for (; *word; word++)
        if (*word == '\'')
            fputs("'\\''", to);
        else
            fputc(*word, to);
    if (quoted) fputc('\'', to);
}

/* Options that are not at their defaults. */
static void put_options(FILE *to, const struct caelum_train_settings *s) {
    const struct caelum_train_settings usual = caelum_train_defaults();
    for (const struct caelum_option *o = caelum_train_options; o->name; o++) {
        char a[64], b[64];
        const char *ours = option_print(o, place(s, o), a);
        if (is_seed(o) || strcmp(ours, option_print(o, place(&usual, o), b)) == 0) continue;
        fprintf(to, " --%s", o->name);
        if (o->kind != CAELUM_OPTION_FLAG) fprintf(to, " %s", ours);
    }
}

int train_settings_command(const struct caelum_train_settings *s, char **command, struct caelum_error *err) {
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    if (to) {
        put_word(to, "caelum train ", s->net_path);
        put_word(to, " --init ", s->init);
        put_word(to, " --data ", s->data);
        put_options(to, s);
        fprintf(to, " --seed %llu", (unsigned long long)s->seed);
        put_word(to, " --out ", s->out);
    }
    if (!mem_stream_close(to, &text)) {
        free(text);
        return caelum_fail(err, CAELUM_ERESOURCE, "out of memory for the command of a run");
    }
    *command = text;
    return CAELUM_OK;
}
