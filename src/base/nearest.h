/* nearest.h - the word that somebody who mistyped one most likely meant. */
#ifndef CAELUM_BASE_NEAREST_H
#define CAELUM_BASE_NEAREST_H

enum { NEAREST_SIZE = 96 };

/* The entry of a NULL-ended list with the fewest letters to insert, delete or replace (Levenshtein): at most
 * two, and fewer than the word has. NULL if none is that close. */
const char *nearest(const char *word, const char *const *words);

/* "; did you mean 'WORD'?", or "" if none is close. */
const char *nearest_question(const char *word, const char *const *words, char text[NEAREST_SIZE]);

#endif
