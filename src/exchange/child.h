/* child.h - a model read in a process of its own, for libraries that a damaged file can bring down. */
#ifndef CAELUM_EXCHANGE_CHILD_H
#define CAELUM_EXCHANGE_CHILD_H

#include "model/model.h"

typedef int (*child_load)(struct caelum_model **model, const char *path, struct caelum_error *err);

/* Calls load(path) in a child, at most a minute of processor time, and makes the same model here, without its
 * metadata. Fails as `load` does; with CAELUM_EFORMAT, naming path, if the child crashes; CAELUM_ERESOURCE.
 */
int child_model(struct caelum_model **model, const char *path, child_load load, struct caelum_error *err);

#endif
