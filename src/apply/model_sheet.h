/* model_sheet.h - contact sheets: pictures and what a model makes of them, as one PNG. */
#ifndef CAELUM_APPLY_MODEL_SHEET_H
#define CAELUM_APPLY_MODEL_SHEET_H

#include "data/data.h"
#include "model/model.h"

/* A run's sheet: 20 pictures of the test split, the first of its shuffled order, above their reconstructions,
 * with the PSNR of each; for a colorizer as below. */
int model_sheet_run(const struct caelum_model *model, const struct caelum_data *data, const char *path,
                    struct caelum_error *err);

/* A colorizer's sheet of all these pictures: in grey; colorized at vivid 0 and at 1, merged with their own
 * luminance; and as they are. Below each are the UV MSE at vivid 0 and grey's. */
int model_sheet_color(const struct caelum_model *model, const struct pictures *pictures, const char *title,
                      const char *path, struct caelum_error *err);

#endif
