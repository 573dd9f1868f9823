/* study_file.c - the study's text: one statement a line, words apart by blanks, "several words" in quotes,
 * '#' starts a comment. Words are cut out of one copy of the text, and no array can need more places than
 * the text has lines, so all memory is taken at once. */
#include "study/study_file.h"

#include "base/file.h"
#include "base/number.h"
#include "base/path.h"
#include "base/utf8.h"
#include "study/study_figures.h"

#include <math.h>
#include <string.h>

enum { MOST_TEXT = 1 << 20, MOST_WORDS = 64, NAME = 63 };

struct word {
    char *text;
    size_t column;
};

/* The line under way. */
struct parser {
    struct study *study;
    size_t line, words;
    struct word word[MOST_WORDS];
    struct caelum_train_settings defaults; /* what `defaults` lines have set */
    const char *data;
    uint64_t seed[STUDY_SEEDS];
    size_t seeds;
    struct caelum_error *err;
};

#define FAIL(p, column, ...) (caelum_fail((p)->err, CAELUM_EFORMAT, __VA_ARGS__), position(p, column))

/* Puts the place before the sentence in err. */
static int position(const struct parser *p, size_t column) {
    return caelum_fail_in(p->err, CAELUM_EFORMAT, "%s:%zu:%zu", p->study->file, p->line, column);
}

/* Cuts a NUL-terminated line into words, in place. */
static int split(struct parser *p, char *line) {
    p->words = 0;
    for (char *c = line; *c && *c != '#';) {
        if (strchr(" \t\r", *c)) {
            c++;
            continue;
        }
        const size_t column = (size_t)(c - line) + 1;
        if (p->words == MOST_WORDS) return FAIL(p, column, "more than %d words in a line", MOST_WORDS);
        const bool quoted = *c == '"';
        char *start = c + quoted, *end = start + strcspn(start, quoted ? "\"" : " \t\r#");
        if (quoted && !*end) return FAIL(p, column, "the quotation mark has no partner in this line");
        p->word[p->words++] = (struct word){start, column};
        c = end + (quoted || *end == ' ' || *end == '\t' || *end == '\r');
        const bool comment = *end == '#';
        *end = '\0';
        if (comment && !quoted) break;
    }
    return CAELUM_OK;
}

static int expect(const struct parser *p, size_t least, size_t most, const char *form) {
    if (p->words > most) return FAIL(p, p->word[most].column, "too many words; expected: %s", form);
    if (p->words < least) return FAIL(p, p->word[0].column, "too few words; expected: %s", form);
    return CAELUM_OK;
}

/* Adds a word to a list of them, as far as there is room. */
static void list_word(char *list, size_t size, const char *word) {
    const size_t used = strlen(list);
    snprintf(list + used, size - used, "%s%s", used ? ", " : "", word);
}

/* --- Names ---------------------------------------------------------------------------------------- */

static int check_name(const struct parser *p, size_t i) {
    const char *name = p->word[i].text;
    const size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
    if (name[length] || length < 1 || length > NAME || *name == '.' || *name == '-')
        return FAIL(p, p->word[i].column,
                    "'%s' can't be a name: expected 1 to %d letters, digits, '.', '_' or '-', not starting "
                    "with '.' or '-'",
                    name, NAME);
    return CAELUM_OK;
}

/* The run that word i names. */
static int find_run(const struct parser *p, size_t i, size_t *run) {
    for (*run = 0; *run < p->study->runs; (*run)++)
        if (strcmp(p->study->run[*run].name, p->word[i].text) == 0) return CAELUM_OK;
    return FAIL(p, p->word[i].column, "no run above is called '%s'", p->word[i].text);
}

/* --- Options -------------------------------------------------------------------------------------- */

/* "1,2,3" or "1..3"; no more than 63 bits, since the report has them in JSON, too. */
static bool list_seeds(const char *text, uint64_t seed[STUDY_SEEDS], size_t *count) {
    size_t n = 0;
    do {
        uint64_t first, last;
        if (!number_whole_at(text, &text, 0, INT64_MAX, &first)) return false;
        last = first;
        if (strncmp(text, "..", 2) == 0 && !number_whole_at(text + 2, &text, first, INT64_MAX, &last))
            return false;
        if (last - first >= STUDY_SEEDS - n) return false;
        for (uint64_t i = 0; i <= last - first; i++) seed[n++] = first + i;
    } while (*text++ == ',');
    *count = n;
    return text[-1] == '\0';
}

static int read_seeds(const struct parser *p, size_t column, const char *text, uint64_t *seed,
                      size_t *count) {
    if (!list_seeds(text, seed, count))
        return FAIL(p, column,
                    "seeds: expected at most %d whole numbers like 1,2,3 or 1..3, none above %lld, got '%s'",
                    STUDY_SEEDS, (long long)INT64_MAX, text);
    for (size_t i = 0; i < *count; i++)
        for (size_t j = 0; j < i; j++)
            if (seed[i] == seed[j])
                return FAIL(p, column, "seed %llu stands there twice", (unsigned long long)seed[i]);
    return CAELUM_OK;
}

/* KEY=VALUE words from word `first` on. */
static int read_options(const struct parser *p, size_t first, struct caelum_train_settings *settings,
                        const char **data, uint64_t *seed, size_t *seeds) {
    for (size_t i = first; i < p->words; i++) {
        char *key = p->word[i].text, *equals = strchr(key, '=');
        if (!equals || equals == key || !equals[1])
            return FAIL(p, p->word[i].column, "expected OPTION=VALUE, got '%s'", key);
        *equals = '\0';
        const char *value = equals + 1;
        if (strcmp(key, "seed") == 0) key = "seeds";
        if (strcmp(key, "seeds") == 0)
            CHECK(read_seeds(p, p->word[i].column, value, seed, seeds));
        else if (strcmp(key, "data") == 0)
            *data = value;
        else if (caelum_train_set(settings, key, value, p->err) != 0)
            return position(p, p->word[i].column);
    }
    return CAELUM_OK;
}

/* --- Statements ----------------------------------------------------------------------------------- */

static int read_title(struct parser *p) {
    p->study->title = p->word[1].text;
    return CAELUM_OK;
}

/* What goes into every sentence about a figure is itself no longer than a sentence. */
static int check_words(const struct parser *p, size_t i) {
    const size_t length = strlen(p->word[i].text);
    if (length <= STUDY_WORDS) return CAELUM_OK;
    return FAIL(p, p->word[i].column, "expected at most %d bytes, got %zu", STUDY_WORDS, length);
}

static int read_source(struct parser *p) {
    CHECK(check_words(p, 1));
    p->study->source = p->word[1].text;
    return CAELUM_OK;
}

static int read_defaults(struct parser *p) {
    return read_options(p, 1, &p->defaults, &p->data, p->seed, &p->seeds);
}

static int read_section(struct parser *p) {
    struct study *s = p->study;
    for (size_t i = 0; i < s->sections; i++)
        if (strcmp(s->section[i].name, p->word[1].text) == 0)
            return FAIL(p, p->word[1].column, "a second section '%s'", p->word[1].text);
    s->section[s->sections++] = (struct study_section){.name = p->word[1].text, .title = p->word[2].text};
    return CAELUM_OK;
}

static int read_about(struct parser *p) {
    p->study->section[p->study->sections - 1].about = p->word[1].text;
    return CAELUM_OK;
}

static void add_entry(struct study *s, size_t run) {
    s->entry[s->entries++] = (struct study_entry){.section = s->sections - 1, .run = run};
}

static int read_run(struct parser *p) {
    struct study *s = p->study;
    struct study_run run = {.settings = p->defaults, .data = p->data, .seeds = p->seeds, .line = p->line};
    if (s->runs == STUDY_RUNS)
        return FAIL(p, p->word[0].column, "more than %d runs; expected a study file for each part of them",
                    STUDY_RUNS);
    for (size_t i = 0; i < s->runs; i++)
        if (strcmp(s->run[i].name, p->word[1].text) == 0)
            return FAIL(p, p->word[1].column,
                        "a second run '%s'; the first is in line %zu. To show it in this section: also %s",
                        p->word[1].text, s->run[i].line, p->word[1].text);
    run.name = p->word[1].text;
    run.net = p->word[2].text;
    memcpy(run.seed, p->seed, sizeof run.seed);
    CHECK(read_options(p, 3, &run.settings, &run.data, run.seed, &run.seeds));
    s->run[s->runs] = run;
    add_entry(s, s->runs++);
    return CAELUM_OK;
}

static int read_also(struct parser *p) {
    size_t run;
    CHECK(find_run(p, 1, &run));
    add_entry(p->study, run);
    return CAELUM_OK;
}

/* The figure called `key`, of word i. */
static int find_figure(const struct parser *p, size_t i, const char *key, size_t *figure) {
    char list[400] = "";
    *figure = study_figure(p->study, key);
    if (*figure < p->study->figures) return CAELUM_OK;
    for (size_t f = 0; f < p->study->figures; f++) list_word(list, sizeof list, p->study->figure[f].key);
    return FAIL(p, p->word[i].column, "no figure is called '%s'; there are: %s", key, list);
}

static int read_figure(struct parser *p) {
    struct study *s = p->study;
    struct figure_kind kind = {.format = "%.5f"};
    if (strcmp(p->word[2].text, "=") != 0 || strcmp(p->word[4].text, "*") != 0)
        return FAIL(p, p->word[2].column, "expected: figure NAME = NUMBER * METRIC");
    if (!number_real(p->word[3].text, &kind.factor) || !isfinite(kind.factor) || kind.factor == 0)
        return FAIL(p, p->word[3].column, "expected a number other than 0, got '%s'", p->word[3].text);
    CHECK(find_figure(p, 5, p->word[5].text, &kind.of));
    if (study_figure(s, p->word[1].text) < s->figures)
        return FAIL(p, p->word[1].column, "a second figure '%s'", p->word[1].text);
    if (s->figures == FIGURES) return FAIL(p, p->word[0].column, "more than %d figures", FIGURES);
    kind.key = p->word[1].text;
    kind.better = kind.factor < 0 ? -s->figure[kind.of].better : s->figure[kind.of].better;
    snprintf(kind.title, sizeof kind.title, "%s", kind.key);
    s->figure[s->figures++] = kind;
    return CAELUM_OK;
}

/* METRIC=VALUE, METRIC<=VALUE, METRIC>=VALUE */
static int read_reference(struct parser *p) {
    struct study *s = p->study;
    if (s->entries == 0 || s->entry[s->entries - 1].section != s->sections - 1)
        return FAIL(p, p->word[0].column, "'reference' must stand below a 'run' or 'also'");
    struct study_entry *e = &s->entry[s->entries - 1];
    for (size_t i = 1; i < p->words; i++) {
        char *metric = p->word[i].text, *sign = metric + strcspn(metric, "<>=");
        const char relation = *sign;
        if (e->references == STUDY_REFERENCES)
            return FAIL(p, p->word[i].column, "more than %d figures for one run", STUDY_REFERENCES);
        const size_t skip = relation == '=' ? 1 : 2;
        if (!relation || sign == metric || (skip == 2 && sign[1] != '='))
            return FAIL(p, p->word[i].column,
                        "expected METRIC=NUMBER, METRIC<=NUMBER or METRIC>=NUMBER, got '%s'", metric);
        double value;
        if (!number_real(sign + skip, &value) || !isfinite(value))
            return FAIL(p, p->word[i].column, "expected a number after '%.*s', got '%s'", (int)skip, sign,
                        sign + skip);
        *sign = '\0';
        size_t figure;
        CHECK(find_figure(p, i, metric, &figure));
        e->reference[e->references++] = (struct study_reference){figure, relation, value};
    }
    return CAELUM_OK;
}

static int read_claim(struct parser *p) {
    struct study_claim claim = {.section = p->study->sections - 1};
    CHECK(find_run(p, 1, &claim.left));
    CHECK(find_run(p, 3, &claim.right));
    claim.less = strcmp(p->word[2].text, "<") == 0;
    if (!claim.less && strcmp(p->word[2].text, ">=") != 0)
        return FAIL(p, p->word[2].column, "expected '<' or '>=', got '%s'", p->word[2].text);
    CHECK(check_words(p, 4));
    claim.words = p->word[4].text;
    p->study->claim[p->study->claims++] = claim;
    return CAELUM_OK;
}

static int read_show(struct parser *p) {
    static const char *const words[] = {[STUDY_NETWORK] = "network",
                                        [STUDY_CURVES] = "curves",
                                        [STUDY_SHEET] = "sheet",
                                        [STUDY_LATENT] = "latent"};
    struct study_show show = {.section = p->study->sections - 1};
    for (size_t i = 0; p->words > 1 && i < sizeof words / sizeof *words; i++) {
        if (strcmp(p->word[1].text, words[i]) != 0) continue;
        const bool of_run = i == STUDY_NETWORK || i == STUDY_SHEET;
        const size_t count = of_run ? 3 : 2;
        CHECK(expect(p, count, count, of_run ? "show network|sheet RUN" : "show curves|latent"));
        if (of_run) CHECK(find_run(p, 2, &show.run));
        show.figure = (enum study_figure)i;
        p->study->show[p->study->shows++] = show;
        return CAELUM_OK;
    }
    return FAIL(p, p->word[p->words > 1].column,
                "expected: show network RUN, show sheet RUN, show curves or show latent");
}

static int read_line(struct parser *p) {
    static const struct {
        const char *word, *form;
        size_t least, most; /* words */
        bool in_section, named;
        int (*read)(struct parser *p);
    } statements[] = {
        {"title", "title \"WORDS\"", 2, 2, false, false, read_title},
        {"source", "source \"WHOSE FIGURES THE REFERENCES ARE\"", 2, 2, false, false, read_source},
        {"defaults", "defaults OPTION=VALUE...", 1, MOST_WORDS, false, false, read_defaults},
        {"section", "section NAME \"TITLE\"", 3, 3, false, true, read_section},
        {"about", "about \"WORDS\"", 2, 2, true, false, read_about},
        {"run", "run NAME NET [OPTION=VALUE...]", 3, MOST_WORDS, true, true, read_run},
        {"also", "also RUN", 2, 2, true, false, read_also},
        {"reference", "reference METRIC=VALUE...", 2, MOST_WORDS, false, false, read_reference},
        {"claim", "claim RUN < RUN \"WORDS\", or with >=", 5, 5, true, false, read_claim},
        {"show", "show WHAT [RUN]", 1, 3, true, false, read_show},
        {"figure", "figure NAME = NUMBER * METRIC", 6, 6, false, true, read_figure},
    };
    char list[200] = "";
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        list_word(list, sizeof list, statements[i].word);
        if (strcmp(p->word[0].text, statements[i].word) != 0) continue;
        if (statements[i].in_section && p->study->sections == 0)
            return FAIL(p, p->word[0].column, "'%s' must stand below a 'section'", p->word[0].text);
        CHECK(expect(p, statements[i].least, statements[i].most, statements[i].form));
        if (statements[i].named) CHECK(check_name(p, 1));
        return statements[i].read(p);
    }
    return FAIL(p, p->word[0].column, "no line starts with '%s'; expected one of: %s", p->word[0].text, list);
}

static int parse(struct study *study, struct caelum_error *err) {
    struct parser p = {.study = study, .defaults = caelum_train_defaults(), .seeds = 1, .err = err};
    p.seed[0] = p.defaults.seed;
    static const char mark[] = "\xef\xbb\xbf"; /* that editors put before UTF-8 */
    const size_t start = strncmp(study->text, mark, strlen(mark)) == 0 ? strlen(mark) : 0;
    for (char *line = study->text + start, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next) *next++ = '\0';
        p.line++;
        CHECK(split(&p, line));
        if (p.words > 0) CHECK(read_line(&p));
    }
    if (study->runs == 0)
        return caelum_fail(err, CAELUM_EFORMAT,
                           "%s: no runs; expected at least a 'section' and a 'run' in it", study->file);
    return CAELUM_OK;
}

static int allocate(struct study *s, const char *path, struct caelum_error *err) {
    uint8_t *text = NULL;
    size_t size, lines = 1;
    CHECK(file_read(path, MOST_TEXT, &text, &size, err));
    s->text = (char *)text;
    if (memchr(text, 0, size) || !utf8_whole(s->text)) /* the report is UTF-8 */
        return caelum_fail(err, CAELUM_EFORMAT, "%s: not UTF-8 text", path);
    for (const char *c = s->text; *c; c++) lines += *c == '\n';
    CHECK(mem_strdup(&s->file, path, err));
    s->title = path_name(s->file);
    s->source = "the study";
    study_figures_begin(s);
    CHECK(mem_take(&s->memory, &s->run, lines, sizeof *s->run, err));
    CHECK(mem_take(&s->memory, &s->section, lines, sizeof *s->section, err));
    CHECK(mem_take(&s->memory, &s->entry, lines, sizeof *s->entry, err));
    CHECK(mem_take(&s->memory, &s->claim, lines, sizeof *s->claim, err));
    return mem_take(&s->memory, &s->show, lines, sizeof *s->show, err);
}

int study_file_load(struct study **out, const char *path, struct caelum_error *err) {
    struct study *s = NULL;
    CHECK(mem_alloc(&s, 1, sizeof *s, err));
    int result = allocate(s, path, err);
    if (result == 0) result = parse(s, err);
    if (result != 0) {
        study_file_close(&s);
        return result;
    }
    *out = s;
    return CAELUM_OK;
}

void study_file_close(struct study **study) {
    struct study *s = *study;
    if (!s) return;
    mem_end(&s->memory);
    mem_free(&s->file);
    mem_free(&s->text);
    mem_free(study);
}
