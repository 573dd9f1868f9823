/* attribute.c - lines to states and back, by the rows of a layer's table. Words may come in any order: a bare
 * number goes to the first row without one. */
#include "layers/attribute.h"

#include "base/number.h"

#include <stdarg.h>
#include <string.h>

/* --- Lines ---------------------------------------------------------------------------------------- */

int line_split(struct layer_line *line, const char *text, size_t length, struct caelum_error *err) {
    line->count = 0;
    for (size_t i = 0; i < length && text[i] != '#';) {
        if (text[i] == ' ' || text[i] == '\t' || text[i] == '\r') {
            i++;
            continue;
        }
        size_t end = i;
        while (end < length && !strchr(" \t\r#", text[end])) end++;
        if (line->count == LAYER_WORDS)
            return line_fail(line, i + 1, err, "more than %d words in a line", LAYER_WORDS);
        struct layer_word *word = &line->word[line->count++];
        if (end - i >= sizeof word->text)
            return line_fail(line, i + 1, err, "a word of %zu letters, at most %zu expected", end - i,
                             sizeof word->text - 1);
        memcpy(word->text, text + i, end - i);
        word->text[end - i] = '\0';
        word->column = i + 1;
        word->used = false;
        i = end;
    }
    return CAELUM_OK;
}

int line_fail(const struct layer_line *line, size_t column, struct caelum_error *err, const char *format,
              ...) {
    char text[400];
    va_list list;
    va_start(list, format);
    number_vprint(text, sizeof text, format, list);
    va_end(list);
    return caelum_fail(err, CAELUM_EFORMAT, "%s:%zu:%zu: %s", line->file, line->number, column, text);
}

/* --- Reading -------------------------------------------------------------------------------------- */

/* Whether a word is meant for this row; *text is its value. */
static bool meant(const struct attribute *a, const struct layer_word *word, const char **text) {
    const size_t key = strlen(a->name);
    *text = word->text;
    switch (a->kind) {
    case ATTRIBUTE_COUNT:
        return *word->text >= '0' && *word->text <= '9';
    case ATTRIBUTE_REAL:
        return strchr("0123456789.", *word->text) != NULL;
    case ATTRIBUTE_KEY:
    case ATTRIBUTE_CHOICE:
        *text = word->text + key + 1;
        return strncmp(word->text, a->name, key) == 0 && word->text[key] == '=';
    case ATTRIBUTE_WORD:
        for (size_t i = 0; a->words[i]; i++)
            if (strcmp(word->text, a->words[i]) == 0) return true;
        return false;
    case ATTRIBUTE_SAVES:
    case ATTRIBUTE_SAVED:
        return true;
    }
    return false;
}

static int read_number(const struct attribute *a, const struct layer_line *line,
                       const struct layer_word *word, const char *text, void *to, struct caelum_error *err) {
    uint64_t whole = 0;
    double real = 0;
    if (a->kind == ATTRIBUTE_REAL) {
        if (!number_real(text, &real) || !(real >= a->least && real <= a->most))
            return line_fail(line, word->column, err, "%s: expected a number from %g to %g, got '%s'",
                             a->meaning, a->least, a->most, text);
        *(double *)to = real;
        return CAELUM_OK;
    }
    if (!number_whole(text, (uint64_t)a->least, (uint64_t)a->most, &whole))
        return line_fail(line, word->column, err, "%s: expected a whole number from %.0f to %.0f, got '%s'",
                         a->meaning, a->least, a->most, text);
    *(size_t *)to = (size_t)whole;
    return CAELUM_OK;
}

/* "same|valid" */
static void list_words(const struct attribute *a, const char *between, char *text, size_t size) {
    size_t used = 0;
    *text = '\0';
    for (size_t i = 0; a->words[i] && used < size; i++)
        used += (size_t)number_print(text + used, size - used, "%s%s", i ? between : "", a->words[i]);
}

static int read_word(const struct attribute *a, const struct layer_line *line, const struct layer_word *word,
                     const char *text, size_t *to, struct caelum_error *err) {
    char list[LAYER_USAGE];
    for (size_t i = 0; a->words[i]; i++)
        if (strcmp(text, a->words[i]) == 0) {
            *to = i;
            return CAELUM_OK;
        }
    list_words(a, " or ", list, sizeof list);
    return line_fail(line, word->column, err, "%s: expected %s, got '%s'", a->name, list, text);
}

static int read_value(const struct attribute *a, const struct layer_line *line, const struct layer_word *word,
                      const char *text, void *to, struct caelum_error *err) {
    switch (a->kind) {
    case ATTRIBUTE_COUNT:
    case ATTRIBUTE_REAL:
    case ATTRIBUTE_KEY:
        return read_number(a, line, word, text, to, err);
    case ATTRIBUTE_CHOICE:
    case ATTRIBUTE_WORD:
        return read_word(a, line, word, text, to, err);
    case ATTRIBUTE_SAVES:
    case ATTRIBUTE_SAVED:
        memcpy(((struct saved *)to)->name, text, strlen(text) + 1);
        return CAELUM_OK;
    }
    return CAELUM_OK;
}

/* The row's value out of the first unused word that is meant for it, or its default. */
static int read_row(const struct attribute *table, const struct attribute *a, struct layer_line *line,
                    void *to, struct caelum_error *err) {
    char usage[LAYER_USAGE];
    for (size_t i = 1; i < line->count; i++) {
        const char *text;
        struct layer_word *word = &line->word[i];
        if (word->used || !meant(a, word, &text)) continue;
        word->used = true;
        return read_value(a, line, word, text, to, err);
    }
    if (a->needed) {
        attributes_usage(table, line->word[0].text, usage);
        return line_fail(line, line->word[0].column, err, "%s: its %s is missing; expected: %s",
                         line->word[0].text, a->meaning, usage);
    }
    if (a->kind != ATTRIBUTE_WORD && a->kind != ATTRIBUTE_CHOICE) *(size_t *)to = (size_t)a->otherwise;
    return CAELUM_OK;
}

int attributes_read(const struct attribute *table, struct layer_line *line, void *state,
                    struct caelum_error *err) {
    char usage[LAYER_USAGE];
    for (const struct attribute *a = table; a && a->name; a++)
        CHECK(read_row(table, a, line, (char *)state + a->offset, err));
    for (size_t i = 1; i < line->count; i++)
        if (!line->word[i].used) {
            attributes_usage(table, line->word[0].text, usage);
            return line_fail(line, line->word[i].column, err, "'%s' is not understood here; expected: %s",
                             line->word[i].text, usage);
        }
    return CAELUM_OK;
}

/* --- Printing ------------------------------------------------------------------------------------- */

/* The shortest text that reads back as this number: "0.1", not "0.10000000000000001". */
static void print_real(double value, char text[32]) {
    double back = 0;
    for (int digits = 1; digits <= 17; digits++) {
        number_print(text, 32, "%.*g", digits, value);
        if (number_real(text, &back) && back == value) return;
    }
}

/* Writes " k=5", or nothing where the value is the default. */
static void print_row(const struct attribute *a, const void *at, char *text, size_t size) {
    char number[32];
    *text = '\0';
    switch (a->kind) {
    case ATTRIBUTE_REAL:
        print_real(*(const double *)at, number);
        number_print(text, size, " %s", number);
        return;
    case ATTRIBUTE_COUNT:
    case ATTRIBUTE_KEY:
        if (!a->needed && *(const size_t *)at == (size_t)a->otherwise) return;
        number_print(text, size, a->kind == ATTRIBUTE_KEY ? " %s=%zu" : "%s%zu",
                     a->kind == ATTRIBUTE_KEY ? a->name : " ", *(const size_t *)at);
        return;
    case ATTRIBUTE_CHOICE:
    case ATTRIBUTE_WORD:
        if (!a->needed && *(const size_t *)at == 0) return;
        number_print(text, size, " %s%s%s", a->name, a->kind == ATTRIBUTE_CHOICE ? "=" : "",
                     a->words[*(const size_t *)at]);
        return;
    case ATTRIBUTE_SAVES:
    case ATTRIBUTE_SAVED:
        number_print(text, size, " %s", ((const struct saved *)at)->name);
        return;
    }
}

void attributes_print(const struct attribute *table, const char *name, const void *state,
                      char text[LAYER_LINE]) {
    size_t used = (size_t)number_print(text, LAYER_LINE, "%s", name);
    for (const struct attribute *a = table; a && a->name; a++) {
        print_row(a, (const char *)state + a->offset, text + used, LAYER_LINE - used);
        used += strlen(text + used);
    }
}

static void usage_row(const struct attribute *a, char *text, size_t size) {
    char words[LAYER_USAGE] = "";
    if (a->words) list_words(a, "|", words, sizeof words);
    if (a->kind == ATTRIBUTE_KEY)
        number_print(text, size, "%s=%.0f", a->name, a->otherwise);
    else if (a->words)
        number_print(text, size, "%s%s%s", a->name, a->kind == ATTRIBUTE_CHOICE ? "=" : "", words);
    else if (!a->needed)
        number_print(text, size, "%s=%.0f", a->name, a->otherwise);
    else
        number_print(text, size, "%s", a->name);
}

void attributes_usage(const struct attribute *table, const char *name, char text[LAYER_USAGE]) {
    size_t used = (size_t)number_print(text, LAYER_USAGE, "%s", name);
    for (const struct attribute *a = table; a && a->name && used < LAYER_USAGE; a++) {
        char row[LAYER_USAGE];
        usage_row(a, row, sizeof row);
        used += (size_t)number_print(text + used, LAYER_USAGE - used, a->needed ? " %s" : " [%s]", row);
    }
}

struct saved *attributes_saved(const struct attribute *table, enum attribute_kind kind, void *state) {
    for (const struct attribute *a = table; a && a->name; a++)
        if (a->kind == kind) return (struct saved *)(void *)((char *)state + a->offset);
    return NULL;
}
