/* study_prose.h - what a section's figures say, in words. Every word is chosen by the figures. */
#ifndef CAELUM_STUDY_STUDY_PROSE_H
#define CAELUM_STUDY_STUDY_PROSE_H

#include "study/study_figures.h"

enum { STUDY_PROSE = 1 << 16 }; /* bytes that a paragraph may need */

/* One paragraph, of whole sentences; "" while nothing has been run, or nothing can be told by such figures.
 */
void study_prose(const struct study_results *results, size_t section, char *text, size_t size);

/* Pearson's correlation of log x and log y; NaN for less than 3 points or where one of them is constant. */
double study_correlation(const double *x, const double *y, size_t n);

/* The trained runs that reconstruct: positions in results->result, at most `most`. Returns their number. */
size_t study_reconstructing(const struct study_results *results, size_t *list, size_t most);

/* Why nothing is judged, where that is so (study_judges); else "". */
const char *study_notice(const struct study_results *results);

/* Of all published figures and claims: how many are reproduced, not reproduced, open. */
void study_count(const struct study_results *results, size_t count[3]);

#endif
