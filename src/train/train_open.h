/* train_open.h - data set, network and trainer of a run, opened together and checked against each other. */
#ifndef CAELUM_TRAIN_TRAIN_OPEN_H
#define CAELUM_TRAIN_TRAIN_OPEN_H

#include "data/data.h"
#include "train/trainer.h"

/* Opens *data unless s->open_data is given, which is it from now on; *net, unless it is given, as on resume;
 * and trainer. s->data_settings become those of the data. What was opened before a failure stands in the
 * three for the caller to close. */
int train_open(struct caelum_train_settings *s, struct caelum_data **data, struct caelum_net **net,
               struct trainer *trainer, struct caelum_error *err);

#endif
