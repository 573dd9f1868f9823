/* args.c - the words of a network line, for the layers' parse functions. Every complaint carries file,
 * line and column. */
#include "layers/layer.h"

#include "base/number.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int args_fail(const struct layer_args *args, size_t column, struct caelum_error *err, const char *format,
              ...) {
    char text[400];
    va_list list;
    va_start(list, format);
    number_vprint(text, sizeof text, format, list);
    va_end(list);
    return caelum_fail(err, CAELUM_EFORMAT, "%s:%zu:%zu: %s", args->file, args->line, column, text);
}

static int number(const struct layer_args *args, const struct layer_word *word, const char *text,
                  const char *what, size_t least, size_t most, size_t *value, struct caelum_error *err) {
    uint64_t n;
    if (!number_whole(text, least, most, &n))
        return args_fail(args, word->column, err, "%s: expected a whole number from %zu to %zu, got '%s'",
                         what, least, most, text);
    *value = (size_t)n;
    return CAELUM_OK;
}

int args_optional(struct layer_args *args, const char *what, size_t most, size_t *value,
                  struct caelum_error *err) {
    for (size_t i = 1; i < args->count; i++) {
        struct layer_word *word = &args->word[i];
        if (word->used || word->text[0] < '0' || word->text[0] > '9') continue;
        word->used = 1;
        return number(args, word, word->text, what, 1, most, value, err);
    }
    return CAELUM_OK;
}

int args_number(struct layer_args *args, const char *what, size_t most, size_t *value,
                struct caelum_error *err) {
    size_t found = 0;
    CHECK(args_optional(args, what, most, &found, err));
    if (found == 0)
        return args_fail(args, args->word[0].column, err, "%s: number of %s is missing", args->word[0].text,
                         what);
    *value = found;
    return CAELUM_OK;
}

/* The value of "key=value", or NULL. */
static const char *find_key(struct layer_args *args, const char *key, struct layer_word **found) {
    const size_t length = strlen(key);
    for (size_t i = 1; i < args->count; i++) {
        struct layer_word *word = &args->word[i];
        if (word->used || strncmp(word->text, key, length) != 0 || word->text[length] != '=') continue;
        word->used = 1;
        *found = word;
        return word->text + length + 1;
    }
    return NULL;
}

int args_key(struct layer_args *args, const char *key, size_t least, size_t most, size_t *value,
             struct caelum_error *err) {
    struct layer_word *word = NULL;
    const char *text = find_key(args, key, &word);
    return text ? number(args, word, text, key, least, most, value, err) : CAELUM_OK;
}

int args_choice(struct layer_args *args, const char *key, const char *const *choices, size_t *choice,
                struct caelum_error *err) {
    struct layer_word *word = NULL;
    const char *text = find_key(args, key, &word);
    if (!text) return CAELUM_OK;
    char list[128] = "";
    for (size_t i = 0; choices[i]; i++) {
        if (strcmp(text, choices[i]) == 0) {
            *choice = i;
            return CAELUM_OK;
        }
        const size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", i ? " or " : "", choices[i]);
    }
    return args_fail(args, word->column, err, "%s: expected %s, got '%s'", key, list, text);
}

void args_word(struct layer_args *args, const char *const *choices, size_t *choice) {
    for (size_t i = 1; i < args->count; i++)
        for (size_t k = 0; choices[k]; k++)
            if (!args->word[i].used && strcmp(args->word[i].text, choices[k]) == 0) {
                args->word[i].used = 1;
                *choice = k;
                return;
            }
}

int args_real(struct layer_args *args, const char *what, double most, double *value,
              struct caelum_error *err) {
    for (size_t i = 1; i < args->count; i++) {
        struct layer_word *word = &args->word[i];
        if (word->used || !strchr("0123456789.", word->text[0])) continue;
        double x;
        if (!number_real(word->text, &x) || !(x >= 0 && x <= most))
            return args_fail(args, word->column, err, "%s: expected a number from 0 to %g, got '%s'", what,
                             most, word->text);
        word->used = 1;
        *value = x;
        return CAELUM_OK;
    }
    return args_fail(args, args->word[0].column, err, "%s: its %s is missing", args->word[0].text, what);
}

/* The only word after the layer's own. */
static int args_name(struct layer_args *args, const char **name, struct caelum_error *err) {
    if (args->count != 2)
        return args_fail(args, args->word[0].column, err, "%s: expected one name", args->word[0].text);
    args->word[1].used = 1;
    *name = args->word[1].text;
    return CAELUM_OK;
}

int args_save(struct layer_args *args, struct caelum_error *err) {
    const char *name = NULL;
    CHECK(args_name(args, &name, err));
    for (size_t i = 0; i < args->skips; i++)
        if (strcmp(args->skip[i].name, name) == 0)
            return args_fail(args, args->word[1].column, err, "'%s' is saved already", name);
    args->saves = name;
    return CAELUM_OK;
}

int args_saved(struct layer_args *args, struct shape *shape, struct caelum_error *err) {
    const char *name = NULL;
    CHECK(args_name(args, &name, err));
    for (size_t i = 0; i < args->skips; i++)
        if (strcmp(args->skip[i].name, name) == 0) {
            args->uses = i + 1;
            *shape = args->skip[i].shape;
            return CAELUM_OK;
        }
    return args_fail(args, args->word[1].column, err, "nothing was saved as '%s' above", name);
}

int args_end(const struct layer_args *args, const char *usage, struct caelum_error *err) {
    for (size_t i = 1; i < args->count; i++)
        if (!args->word[i].used)
            return args_fail(args, args->word[i].column, err, "'%s' is not understood here; expected: %s",
                             args->word[i].text, usage);
    return CAELUM_OK;
}
