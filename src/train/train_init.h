/* train_init.h - training that starts from a model's weights. */
#ifndef CAELUM_TRAIN_TRAIN_INIT_H
#define CAELUM_TRAIN_TRAIN_INIT_H

#include "train/trainer.h"

/* Gives the trainer the weights of the model at `path`. What has no parameters may differ between the two
 * networks: activations, noise, the size of the pictures. Fails with CAELUM_EFORMAT, naming the first layer
 * that has others, with what loading a model fails with; the trainer is then as it was. */
int train_init(struct trainer *trainer, const char *path, struct caelum_error *err);

#endif
