/* run_sheet.h - a run's contact sheet: test pictures and what the model makes of them. */
#ifndef CAELUM_API_RUN_SHEET_H
#define CAELUM_API_RUN_SHEET_H

#include "data/data.h"
#include "net/net.h"

/* Writes 20 pictures of the test split, the first of its shuffled order, each with its PSNR: above their
 * reconstructions, or, for a colorizer (1 channel in, 2 out, fitting the data), in grey, colorized with their
 * own luminance, and as they are. */
int run_sheet_write(const struct caelum_model *model, const struct caelum_data *data, const char *path,
                    struct caelum_error *err);

#endif
