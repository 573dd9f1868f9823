/* study_eval.h - a finished training measured once: eval.json in its run directory. */
#ifndef CAELUM_STUDY_STUDY_EVAL_H
#define CAELUM_STUDY_STUDY_EVAL_H

#include "study/study_plan.h"

#include <jansson.h>

/* Whether DIR/eval.json is there and was made from the best.safetensors of the same directory. If so and
 * root is not NULL, *root is its content, to be given to json_decref. */
bool study_eval_current(const struct study_unit *unit, json_t **root);

/* Measures DIR/best.safetensors on the test split, beside the linear codes of the bottleneck's size - or, for
 * a colorizer, beside grey and other simple ones - and writes eval.json. `threads` run the model. Call it
 * from one thread at a time: the linear codes are kept in files that all trainings share. */
int study_eval_write(const struct study_unit *unit, int threads, struct caelum_error *err);

#endif
