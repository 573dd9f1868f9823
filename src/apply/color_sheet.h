/* color_sheet.h - a colorizer's contact sheet. */
#ifndef CAELUM_APPLY_COLOR_SHEET_H
#define CAELUM_APPLY_COLOR_SHEET_H

#include "base/pictures.h"
#include "model/model.h"

/* Writes all the pictures, in columns: in grey; colorized at vivid 0 and at 1, merged with their own
 * luminance; and as they are. Below each stands the UV MSE at vivid 0 and grey's. */
int color_sheet_write(const struct caelum_model *model, const struct pictures *pictures, const char *title,
                      const char *path, struct caelum_error *err);

#endif
