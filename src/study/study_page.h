/* study_page.h - a study's results as files: a page, Markdown, CSV, JSON. */
#ifndef CAELUM_STUDY_STUDY_PAGE_H
#define CAELUM_STUDY_STUDY_PAGE_H

#include "study/study_figures.h"

/* DIR/index.html: one file that loads nothing. */
int study_page_write(const struct study_results *results, const char *dir, struct caelum_error *err);

/* DIR/study.md: the tables and sentences, without figures. */
int study_markdown_write(const struct study_results *results, const char *dir, struct caelum_error *err);

/* DIR/figures.csv: a row for each training; DIR/figures.json: all of it. */
int study_figures_write(const struct study_results *results, const char *dir, struct caelum_error *err);

#endif
