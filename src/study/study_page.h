/* study_page.h - a study's results as files. */
#ifndef CAELUM_STUDY_STUDY_PAGE_H
#define CAELUM_STUDY_STUDY_PAGE_H

#include "study/study_figures.h"

/* DIR/index.html, one file that loads nothing; and DIR/study.md, the same without charts and pictures. */
int study_page_write(const struct study_results *results, const char *dir, struct caelum_error *err);

/* DIR/results.json: all of it. */
int study_json_write(const struct study_results *results, const char *dir, struct caelum_error *err);

#endif
