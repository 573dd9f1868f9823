/* nearest.c - see nearest.h. */
#include "base/nearest.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Letters to insert, delete or replace to turn a into b; of b the first 63 count. */
static size_t distance(const char *a, const char *b) {
    size_t row[64];
    const size_t n = strlen(b) < 63 ? strlen(b) : 63;
    for (size_t j = 0; j <= n; j++) row[j] = j;
    for (size_t i = 1; *a; i++, a++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            const size_t replace = diagonal + (*a != b[j - 1]),
                         other = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = replace < other ? replace : other;
        }
    }
    return row[n];
}

const char *nearest(const char *word, const char *const *words) {
    const char *best = NULL;
    const size_t length = strlen(word);
    size_t least = length < 3 ? length : 3; /* a word of which nothing is left is not close */
    for (; *words; words++) {
        const size_t d = distance(word, *words);
        if (d < least) least = d, best = *words;
    }
    return best;
}

const char *nearest_question(const char *word, const char *const *words, char text[NEAREST_SIZE]) {
    const char *guess = nearest(word, words);
    snprintf(text, NEAREST_SIZE, guess ? "; did you mean '%s'?" : "%s", guess ? guess : "");
    return text;
}
