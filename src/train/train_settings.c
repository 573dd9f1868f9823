/* train_settings.c - one table of settings, from which they are checked, written and read: a setting that
 * stands in it can't be forgotten in a checkpoint. */
#include "train/train_settings.h"

#include "base/number.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

const char *const caelum_loss_words[] = {[CAELUM_MSE] = "mse",     [CAELUM_BCE] = "bce",   [CAELUM_L1] = "l1",
                                         [CAELUM_HUBER] = "huber", [CAELUM_XENT] = "xent", NULL};

const char *const caelum_optimizer_words[] = {
    [CAELUM_ADAM] = "adam",       [CAELUM_ADAMW] = "adamw", [CAELUM_SGD] = "sgd",
    [CAELUM_RMSPROP] = "rmsprop", [CAELUM_MUON] = "muon",   NULL};

const char *const caelum_schedule_words[] = {
    [CAELUM_CONSTANT] = "constant", [CAELUM_STEP] = "step",       [CAELUM_COSINE] = "cosine",
    [CAELUM_ONECYCLE] = "onecycle", [CAELUM_PLATEAU] = "plateau", NULL};

enum kind { WORD, REAL, SIZE, U64, FLAG };

struct field {
    const char *key;
    enum kind kind;
    size_t offset;            /* in struct caelum_train_settings */
    const char *const *words; /* WORD: by value */
    double least, most;       /* REAL and SIZE */
    bool open;                /* REAL: `least` itself is no value */
};

#define AT(member) offsetof(struct caelum_train_settings, member)

static const struct field fields[] = {
    {"task", WORD, AT(task), caelum_task_words, 0, 0, false},
    {"loss", WORD, AT(loss), caelum_loss_words, 0, 0, false},
    {"huber_delta", REAL, AT(huber_delta), NULL, 0, 1000, true},
    {"optimizer", WORD, AT(optimizer), caelum_optimizer_words, 0, 0, false},
    {"lr", REAL, AT(lr), NULL, 0, 100, true},
    {"schedule", WORD, AT(schedule), caelum_schedule_words, 0, 0, false},
    {"warmup", REAL, AT(warmup), NULL, 0, 1000000, false},
    {"lr_step_epochs", SIZE, AT(lr_step_epochs), NULL, 1, 1000000, false},
    {"lr_gamma", REAL, AT(lr_gamma), NULL, 0, 1, true},
    {"lr_patience", SIZE, AT(lr_patience), NULL, 0, 1000000, false},
    {"clip", REAL, AT(clip), NULL, 0, 1e9, false},
    {"ema", REAL, AT(ema), NULL, 0, 0.999999, false},
    {"early_stop", SIZE, AT(early_stop), NULL, 0, 1000000, false},
    {"flip", FLAG, AT(flip), NULL, 0, 0, false},
    {"shift", SIZE, AT(shift), NULL, 0, 7, false},
    {"momentum", REAL, AT(momentum), NULL, 0, 1, false},
    {"weight_decay", REAL, AT(weight_decay), NULL, 0, 1, false},
    {"batch", SIZE, AT(batch), NULL, 1, 65536, false},
    {"seed", U64, AT(seed), NULL, 0, 0, false},
    {"split_seed", U64, AT(data_settings.split_seed), NULL, 0, 0, false},
    {"synthetic_seed", U64, AT(data_settings.synthetic_seed), NULL, 0, 0, false},
    {"crop", SIZE, AT(data_settings.crop), NULL, 8, 256, false},
    {"limit", SIZE, AT(data_settings.limit), NULL, 0, 4294967295.0, false},
};

/* Kept apart in checkpoints, since a resumed run may change it. */
static const struct field epochs_field = {"epochs", SIZE, AT(epochs), NULL, 1, 1000000, false};

enum { FIELDS = sizeof fields / sizeof *fields };

static const void *place(const struct caelum_train_settings *s, const struct field *f) {
    return (const char *)s + f->offset;
}

static int word(const void *value) {
    int i; /* enums are ints, and unsigned to some compilers: only the bytes are alike */
    memcpy(&i, value, sizeof i);
    return i;
}

static int check_field(const struct caelum_train_settings *s, const struct field *f,
                       struct caelum_error *err) {
    const void *at = place(s, f);
    int count = 0;
    switch (f->kind) {
    case WORD:
        while (f->words[count]) count++;
        if (word(at) >= 0 && word(at) < count) return CAELUM_OK;
        return caelum_fail(err, CAELUM_EUSAGE, "%s: expected one of %d choices, got %d", f->key, count,
                           word(at));
    case REAL: {
        const double value = *(const double *)at;
        if (value <= f->most && (f->open ? value > f->least : value >= f->least)) return CAELUM_OK;
        return caelum_fail(err, CAELUM_EUSAGE, "%s: expected a number %s %g, at most %g, got %g", f->key,
                           f->open ? "above" : "from", f->least, f->most, value);
    }
    case SIZE: {
        const size_t value = *(const size_t *)at;
        if ((double)value >= f->least && (double)value <= f->most) return CAELUM_OK;
        return caelum_fail(err, CAELUM_EUSAGE, "%s: expected %.0f to %.0f, got %zu", f->key, f->least,
                           f->most, value);
    }
    default:
        return CAELUM_OK;
    }
}

int train_settings_check(const struct caelum_train_settings *s, struct caelum_error *err) {
    for (size_t i = 0; i < FIELDS; i++) CHECK(check_field(s, &fields[i], err));
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

/* The number in as few digits as name it exactly, 17 at most. */
static void print_real(double value, char text[64]) {
    for (int digits = 6; digits <= 17; digits++) {
        double back;
        number_print(text, 64, "%.*g", digits, value);
        if (number_real(text, &back) && back == value) return;
    }
}

/* The value as metadata has it. text: [64]. */
static const char *print_field(const struct caelum_train_settings *s, const struct field *f, char text[64]) {
    const void *at = place(s, f);
    switch (f->kind) {
    case WORD:
        return f->words[word(at)];
    case REAL:
        print_real(*(const double *)at, text);
        break;
    case SIZE:
        snprintf(text, 64, "%zu", *(const size_t *)at);
        break;
    case U64:
        snprintf(text, 64, "%llu", (unsigned long long)*(const uint64_t *)at);
        break;
    case FLAG:
        return *(const bool *)at ? "yes" : "no";
    }
    return text;
}

int train_settings_write(const struct caelum_train_settings *s, struct metadata *m,
                         struct caelum_error *err) {
    char text[64];
    for (const struct field *f = fields; f < fields + FIELDS; f++)
        CHECK(metadata_set(m, f->key, print_field(s, f, text), err));
    return CAELUM_OK;
}

/* Whether `text` is a value of the field; then *at has it. */
static bool read_field(const struct field *f, const char *text, void *at) {
    uint64_t number;
    if (f->kind == WORD) {
        for (int i = 0; f->words[i]; i++)
            if (strcmp(text, f->words[i]) == 0) {
                memcpy(at, &i, sizeof i);
                return true;
            }
        return false;
    }
    if (f->kind == FLAG) {
        *(bool *)at = strcmp(text, "yes") == 0;
        return *(bool *)at || strcmp(text, "no") == 0;
    }
    if (f->kind == REAL) return number_real(text, (double *)at);
    if (!number_whole(text, 0, f->kind == SIZE ? SIZE_MAX : UINT64_MAX, &number)) return false;
    if (f->kind == SIZE)
        *(size_t *)at = (size_t)number;
    else
        *(uint64_t *)at = number;
    return true;
}

int train_settings_read(struct caelum_train_settings *s, const struct metadata *m, const char *path,
                        struct caelum_error *err) {
    const struct caelum_train_settings usual = caelum_train_defaults();
    char own[64];
    for (const struct field *f = fields; f < fields + FIELDS; f++) {
        const char *recorded = metadata_get(m, f->key);
        const char *text = recorded ? recorded : print_field(&usual, f, own);
        if (!read_field(f, text, (char *)s + f->offset))
            return caelum_fail(err, CAELUM_EFORMAT,
                               "%s: '%s' makes no sense in it; this is no checkpoint that can be resumed",
                               path, f->key);
    }
    return CAELUM_OK;
}

/* --- As words ------------------------------------------------------------------------------------- */

/* "split-seed" for "split_seed". */
static const char *option_name(const struct field *f, char name[40]) {
    snprintf(name, 40, "%s", f->key);
    for (char *c = name; *c; c++)
        if (*c == '_') *c = '-';
    return name;
}

/* Every field that is no seed of a single training, epochs first; NULL beyond the last. */
static const struct field *visible(size_t i) {
    if (i == 0) return &epochs_field;
    for (const struct field *f = fields; f < fields + FIELDS; f++)
        if (strcmp(f->key, "seed") != 0 && strcmp(f->key, "synthetic_seed") != 0 && --i == 0) return f;
    return NULL;
}

int train_setting_set(struct caelum_train_settings *s, const char *name, const char *value,
                      struct caelum_error *err) {
    char list[400] = "", own[40];
    const struct field *f;
    for (size_t i = 0; (f = visible(i)) != NULL; i++) {
        struct caelum_train_settings changed = *s;
        if (strcmp(option_name(f, own), name) != 0) {
            const size_t used = strlen(list);
            snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", own);
            continue;
        }
        if (*value == '-' || !read_field(f, value, (char *)&changed + f->offset))
            return caelum_fail(err, CAELUM_EFORMAT, "%s can't be '%s'", own, value);
        if (check_field(&changed, f, err) != 0) return err ? (err->code = CAELUM_EFORMAT) : CAELUM_EFORMAT;
        *s = changed;
        return CAELUM_OK;
    }
    return caelum_fail(err, CAELUM_EFORMAT, "no option of a run is called '%s'; there are: seeds, data, %s",
                       name, list);
}

bool train_settings_differ(const struct caelum_train_settings *s, const struct metadata *m, char what[160]) {
    const struct caelum_train_settings usual = caelum_train_defaults();
    const struct field *f;
    for (size_t i = 0; (f = visible(i)) != NULL; i++) {
        struct caelum_train_settings there = usual;
        const char *text = metadata_get(m, f->key);
        char name[40], a[64], b[64];
        const bool known = !text || read_field(f, text, (char *)&there + f->offset);
        const char *theirs = known ? print_field(&there, f, a) : text, *ours = print_field(s, f, b);
        if (strcmp(theirs, ours) != 0) {
            snprintf(what, 160, "%s is %.50s there, %s here", option_name(f, name), theirs, ours);
            return true;
        }
    }
    return false;
}

void train_settings_options(const struct caelum_train_settings *s, char *text, size_t size) {
    const struct caelum_train_settings usual = caelum_train_defaults();
    const struct field *f;
    text[0] = '\0';
    for (size_t i = 0; (f = visible(i)) != NULL; i++) {
        char name[40], a[64], b[64];
        const char *ours = print_field(s, f, a), *theirs = print_field(&usual, f, b);
        const size_t used = strlen(text);
        if (strcmp(ours, theirs) != 0)
            snprintf(text + used, size - used, " --%s%s%s", option_name(f, name), f->kind == FLAG ? "" : " ",
                     f->kind == FLAG ? "" : ours);
    }
}
