/* train_open.h - data set, network and trainer of a run, opened together and checked against each other. */
#ifndef CAELUM_TRAIN_TRAIN_OPEN_H
#define CAELUM_TRAIN_TRAIN_OPEN_H

#include "data/data.h"
#include "train/trainer.h"

/* Opens *data, *net (from s->net_path, unless it is given, as on resume) and trainer. What was opened before
 * a failure stands in the three for the caller to close. */
int train_open(const struct caelum_train_settings *s, struct caelum_data **data, struct caelum_net **net,
               struct trainer *trainer, struct caelum_error *err);

#endif
