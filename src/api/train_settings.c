/* train_settings.c - one table of settings, from which they are checked, written and read: a setting that
 * stands in it can't be forgotten in a checkpoint. */
#include "api/train_settings.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

const char *const caelum_loss_words[] = {
    [CAELUM_MSE] = "mse", [CAELUM_BCE] = "bce", [CAELUM_L1] = "l1", [CAELUM_HUBER] = "huber", NULL};

const char *const caelum_optimizer_words[] = {[CAELUM_ADAM] = "adam",
                                              [CAELUM_ADAMW] = "adamw",
                                              [CAELUM_SGD] = "sgd",
                                              [CAELUM_RMSPROP] = "rmsprop",
                                              NULL};

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
    {"momentum", REAL, AT(momentum), NULL, 0, 1, false},
    {"weight_decay", REAL, AT(weight_decay), NULL, 0, 1, false},
    {"batch", SIZE, AT(batch), NULL, 1, 65536, false},
    {"seed", U64, AT(seed), NULL, 0, 0, false},
    {"split_seed", U64, AT(data_settings.split_seed), NULL, 0, 0, false},
    {"synthetic_seed", U64, AT(data_settings.synthetic_seed), NULL, 0, 0, false},
    {"limit", SIZE, AT(data_settings.limit), NULL, 0, 4294967295.0, false},
};

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
    for (const struct field *f = fields; f < fields + FIELDS; f++) {
        const void *at = place(s, f);
        switch (f->kind) {
        case WORD:
            CHECK(metadata_set(m, f->key, f->words[word(at)], err));
            break;
        case REAL: /* 17 digits name a double exactly */
            CHECK(metadata_setf(m, err, f->key, "%.17g", *(const double *)at));
            break;
        case SIZE:
            CHECK(metadata_setf(m, err, f->key, "%zu", *(const size_t *)at));
            break;
        case U64:
            CHECK(metadata_setf(m, err, f->key, "%llu", (unsigned long long)*(const uint64_t *)at));
            break;
        case FLAG:
            CHECK(metadata_set(m, f->key, *(const bool *)at ? "yes" : "no", err));
            break;
        }
    }
    return CAELUM_OK;
}

/* Whether `text` is a value of the field; then *at has it. */
static bool read_field(const struct field *f, const char *text, void *at) {
    char *end = NULL;
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
    if (f->kind == REAL) {
        *(double *)at = strtod(text, &end);
    } else {
        const unsigned long long value = strtoull(text, &end, 10);
        if (f->kind == SIZE)
            *(size_t *)at = (size_t)value;
        else
            *(uint64_t *)at = value;
    }
    return end != text && *end == '\0';
}

int train_settings_read(struct caelum_train_settings *s, const struct metadata *m, const char *path,
                        struct caelum_error *err) {
    for (const struct field *f = fields; f < fields + FIELDS; f++) {
        const char *text = metadata_get(m, f->key);
        if (!text || !read_field(f, text, (char *)s + f->offset))
            return caelum_fail(err, CAELUM_EFORMAT,
                               "%s: '%s' is missing in it or makes no sense; this is no checkpoint that can "
                               "be resumed",
                               path, f->key);
    }
    return CAELUM_OK;
}
