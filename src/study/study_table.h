/* study_table.h - a section's table: which columns its runs call for, and the text of each cell; the page
 * and the Markdown file print the same cells. */
#ifndef CAELUM_STUDY_STUDY_TABLE_H
#define CAELUM_STUDY_STUDY_TABLE_H

#include "study/study_figures.h"

#include <stdio.h>

enum { TABLE_COLUMNS = 24 };

struct study_table {
    struct {
        enum figure figure;
        bool published; /* the references' column, left of ours */
    } column[TABLE_COLUMNS];
    size_t columns;
    bool color; /* runs that colorize; a section of both kinds has two tables */
};

/* The columns for the entries of a section whose runs colorize, or do not. False: there is no such run. */
bool study_table_plan(const struct study_results *results, size_t section, bool color,
                      struct study_table *table);
/* The cell of an entry; text: [96]. "" where a reference is not there. */
const char *study_table_cell(const struct study_results *results, const struct study_entry *entry,
                             const struct study_table *table, size_t column, char text[96]);

void study_table_html(FILE *to, const struct study_results *results, size_t section,
                      const struct study_table *table);
void study_table_markdown(FILE *to, const struct study_results *results, size_t section,
                          const struct study_table *table);

#endif
