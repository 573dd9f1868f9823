/* train_command.c - see train_command.h. */
#define _GNU_SOURCE /* open_memstream */
#include "train/train_command.h"

#include "base/number.h"
#include "train/train_settings.h"

#include <stdlib.h>
#include <string.h>

bool train_epochs_matter(const struct caelum_train_settings *s) {
    return s->schedule == CAELUM_COSINE || s->schedule == CAELUM_ONECYCLE;
}

void train_put_word(FILE *to, const char *word, size_t length) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,:/@%";
    if (length > 0 && strspn(word, plain) >= length) {
        fwrite(word, 1, length, to);
        return;
    }
    fputc('\'', to);
    for (size_t i = 0; i < length; i++)
        if (word[i] == '\'')
            fputs("'\\''", to);
        else
            fputc(word[i], to);
    fputc('\'', to);
}

static void put_data(FILE *to, const struct caelum_data *data) {
    const char *source = data->source;
    size_t end = strlen(source), start;
    while (end > 1 && source[end - 1] == '/') end--;
    for (start = end; start > 0 && source[start - 1] != '/'; start--) continue;
    if (strcmp(data->name, "synthetic") == 0) start = 0;
    fputs(" --data ", to);
    train_put_word(to, source + start, end - start);
}

int train_command(const struct caelum_train_settings *s, const char *name, const char *init,
                  const struct caelum_data *data, size_t epoch, char **command, struct caelum_error *err) {
    struct caelum_train_settings short_run = *s;
    char options[1024], *text = NULL;
    size_t size;
    /* a warm-up must be shorter than the run */
    if (!train_epochs_matter(s) && s->warmup < (double)epoch) short_run.epochs = epoch;
    train_settings_options(&short_run, options, sizeof options);
    FILE *to = open_memstream(&text, &size);
    if (!to) return caelum_fail(err, CAELUM_ERESOURCE, "out of memory for the run's command");
    fputs("caelum train ", to);
    train_put_word(to, name, strlen(name));
    fputs(".net", to);
    if (init) fputs(" --init ", to);
    if (init) train_put_word(to, init, strlen(init));
    put_data(to, data);
    number_write(to, "%s --seed %llu", options, (unsigned long long)s->seed);
    const bool good = !ferror(to);
    if (fclose(to) != 0 || !good || !text) {
        free(text);
        return caelum_fail(err, CAELUM_ERESOURCE, "out of memory for the run's command");
    }
    *command = text;
    return CAELUM_OK;
}
