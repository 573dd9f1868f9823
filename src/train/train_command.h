/* train_command.h - the command that trains a model again. */
#ifndef CAELUM_TRAIN_TRAIN_COMMAND_H
#define CAELUM_TRAIN_TRAIN_COMMAND_H

#include "data/data.h"

#include <stdio.h>

/* Whether the number of epochs decides what each of them makes of the weights. */
bool train_epochs_matter(const struct caelum_train_settings *s);

/* Writes a word as a shell takes it: in quotes where it needs some. */
void train_put_word(FILE *to, const char *word, size_t length);

/* The command whose last.safetensors is the model that the run has after `epoch` epochs, given the files that
 * it names: the network NAME.net, the data, and `init` unless that is NULL. They are named without their
 * directory, which is nothing of the result's: the same files elsewhere make the same model. *command is to
 * be freed with free. CAELUM_ERESOURCE. */
int train_command(const struct caelum_train_settings *s, const char *name, const char *init,
                  const struct caelum_data *data, size_t epoch, char **command, struct caelum_error *err);

#endif
