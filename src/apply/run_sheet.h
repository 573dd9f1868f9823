/* run_sheet.h - a run's contact sheet: test pictures and what the model makes of them. */
#ifndef CAELUM_APPLY_RUN_SHEET_H
#define CAELUM_APPLY_RUN_SHEET_H

#include "data/data.h"
#include "model/model.h"

/* Writes 20 pictures of the test split, the first of its shuffled order: above their reconstructions, with
 * the PSNR of each; for a colorizer as color_sheet.h has it. */
int run_sheet_write(const struct caelum_model *model, const struct caelum_data *data, const char *path,
                    struct caelum_error *err);

#endif
