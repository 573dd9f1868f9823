/* figures.h - the table of figures (caelum_figures) at work: metrics structs as JSON and back. */
#ifndef CAELUM_METRICS_FIGURES_H
#define CAELUM_METRICS_FIGURES_H

#include "base/json.h"

/* {"mse": ..., "count": ...} of the metrics struct of a task; what is no number is null. NULL if out of
 * memory. */
json_t *figures_object(enum caelum_task task, const void *metrics);

/* The way back: null is NaN. False if the object lacks one of them. */
bool figures_take(enum caelum_task task, const json_t *object, void *metrics);

#endif
