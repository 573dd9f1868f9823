/* test_study_page.c - the report of a study: what its page, its charts and its other files say. */
#include "study_fixture.h"

#include "base/file.h"
#include "report/svg_chart.h"

#include <locale.h>

static char *read_text(const char *name) {
    char path[512];
    uint8_t *bytes = NULL;
    size_t size;
    snprintf(path, sizeof path, "%s/%s", scratch, name);
    assert_ok(file_read(path, 1 << 20, &bytes, &size, err));
    return (char *)bytes;
}

/* The report of two runs that two sections and the chart of all runs show. */
static void write_report(bool quick, bool generated) {
    static struct caelum_epoch history[] = {{.epoch = 1, .val_loss = 0.01, .val_accuracy = 0.5},
                                            {.epoch = 2, .val_loss = 0.001, .val_accuracy = 0.6}};
    struct fixture f;
    open_fixture(&f,
                 "reference mse=0.004\nclaim a < b \"w\"\nshow curves\nsection t \"T\"\nalso b\nalso a\n"
                 "show curves\nsection u \"U\"\nshow latent\n",
                 0.002, 0.0021, 0.010, 0.011);
    for (size_t i = 0; i < 4; i++) {
        struct study_seed *s = &f.seeds[i / 2][i % 2];
        s->value[FIGURE_BOTTLENECK] = 768;
        s->history = history, s->epochs = 2;
        s->command = "caelum train";
    }
    for (size_t i = 0; i < 2; i++) study_spread(&f.result[i]);
    f.results.quick = quick, f.results.generated = generated;
    assert_ok(study_judge(&f.results, err));
    assert_ok(study_page_write(&f.results, scratch, err));
    assert_ok(study_json_write(&f.results, scratch, err));
    mem_free(&f.results.verdict);
    study_file_close(&f.study);
}

static size_t count(const char *text, const char *words) {
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, words)) != NULL; at += strlen(words)) n++;
    return n;
}

static void print_rules_come_last(void **state) {
    (void)state;
    write_report(false, false);
    char *page = read_text("index.html"), *style_end = strstr(page, "</style>"),
         *print = strstr(page, "@media print");
    assert_true(print && print < style_end);
    assert_null(strstr(print + 1, "@media"));
    int depth = 0; /* nothing between the block's end and the style sheet's */
    for (; print < style_end; print++) {
        depth += *print == '{';
        if (*print == '}' && --depth == 0) break;
    }
    assert_memory_equal(print, "}\n</style>", 10);
    mem_free(&page);
}

/* In six charts (two of two sections, each wide and narrow, and none of another color) and their lists. */
static void a_run_has_one_color(void **state) {
    (void)state;
    write_report(false, false);
    char *page = read_text("index.html");
    assert_int_equal(count(page, "fill:var(--c0)\">a</text>"), 4);
    assert_int_equal(count(page, "fill:var(--c1)\">b</text>"), 4);
    assert_int_equal(count(page, "<li style=\"color:var(--c0)\">a</li>"), 5);
    assert_int_equal(count(page, "<li style=\"color:var(--c1)\">b</li>"), 5);
    assert_int_equal(count(page, "<li style=\"color:var(--"), 11); /* and PCA */
    assert_int_equal(count(page, "r=\"4\" fill=\"var(--c0)\""), 2);
    assert_int_equal(count(page, "r=\"4\" fill=\"var(--c1)\""), 2);
    mem_free(&page);
}

static void a_logarithmic_axis_says_so(void **state) {
    (void)state;
    write_report(false, false);
    char *page = read_text("index.html");
    assert_int_equal(count(page, ">loss, logarithmic<"), 4);
    assert_int_equal(count(page, ">numbers at the bottleneck, logarithmic<"), 2);
    assert_int_equal(count(page, ">test MSE, logarithmic<"), 2);
    assert_int_equal(count(page, "agrees, logarithmic<"), 0);
    mem_free(&page);
}

static void quick_and_generated_figures_judge_nothing(void **state) {
    static const char *const files[] = {"index.html", "study.md", "results.json"}, *const verdicts[] = {
                                                                                       "eproduced",
                                                                                       "urpassed", "so here",
                                                                                       "S has 0.004. ",
                                                                                       ">0.004<"};
    (void)state;
    for (int how = 0; how < 3; how++) {
        write_report(how == 1, how == 2);
        for (size_t i = 0; i < 3; i++) {
            char *text = read_text(files[i]);
            size_t found = 0;
            for (size_t v = 0; v < sizeof verdicts / sizeof *verdicts; v++) found += count(text, verdicts[v]);
            if ((found > 0) != (how == 0)) fail_msg("%s judges %zu times, way %d", files[i], found, how);
            mem_free(&text);
        }
    }
}

/* Every coordinate has a point in the locale of a program around the library, too. */
static void charts_are_the_same_in_every_locale(void **state) {
    (void)state;
    write_report(false, false);
    char *before = read_text("index.html"), *json = read_text("results.json");
    char command[600];
    snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 >/dev/null 2>&1", scratch);
    if (system(command) == 0) setenv("LOCPATH", scratch, 1);
    if (!setlocale(LC_ALL, "de_DE.UTF-8")) {
        print_message("the locale de_DE.UTF-8 is not there and can't be made: skipped\n");
    } else {
        write_report(false, false);
        setlocale(LC_ALL, "C");
        char *after = read_text("index.html"), *json_after = read_text("results.json");
        assert_string_equal(before, after);
        assert_string_equal(json, json_after);
        mem_free(&after), mem_free(&json_after);
    }
    mem_free(&before), mem_free(&json);
}

/* Places of the numbers of points in a chart that ends at `end`; returns how many there are. */
static size_t find_numbers(const char *from, const char *end, double x[64], double y[64]) {
    size_t n = 0;
    for (const char *at = from; (at = strstr(at, "<text")) != NULL && at < end; at++) {
        const char *close = strchr(at, '>');
        if (strncmp(close - 12, "strong halo\"", 12) != 0 || n == 64) continue;
        assert_int_equal(sscanf(at, "<text x=\"%lf\" y=\"%lf\"", &x[n], &y[n]), 2);
        n++;
    }
    return n;
}

/* Numbers of points at nearly one place are apart from each other and in the frame, in the wide chart and in
 * the narrow one. */
static void numbers_do_not_collide(void **state) {
    enum { N = 12 };
    double x[N], y[N], tx[64], ty[64];
    const char *names[N];
    size_t colors[N] = {0};
    (void)state;
    for (size_t i = 0; i < N; i++)
        x[i] = 1000 + 10 * (double)(i % 3), y[i] = 0.9, names[i] = "a-long-name", colors[i] = i % SVG_COLORS;
    const struct svg_series all[] = {
        {.x = x, .y = y, .n = N, .point_names = names, .point_colors = colors},
        {.name = "r", .x = (const double[]){10, 2000}, .y = (const double[]){1, 0.49}, .n = 2}};
    const struct svg_chart chart = {.title = "t",
                                    .description = "d",
                                    .x_label = "x",
                                    .y_label = "y",
                                    .series = all,
                                    .count = 2,
                                    .id = "i"};
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    assert_non_null(to);
    svg_figure_write(to, &chart, NULL);
    fclose(to);
    const char *at = text;
    for (int chart_number = 0; chart_number < 2; chart_number++) {
        const char *end = strstr(at, "</svg>");
        assert_int_equal(find_numbers(at, end, tx, ty), N);
        for (size_t i = 0; i < N; i++) {
            assert_true(ty[i] >= 40 && ty[i] <= 360 - 48 + 6);
            for (size_t j = 0; j < i; j++) assert_true(fabs(tx[i] - tx[j]) > 16 || fabs(ty[i] - ty[j]) > 13);
        }
        at = end + 1;
    }
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(print_rules_come_last),
        cmocka_unit_test(a_run_has_one_color),
        cmocka_unit_test(a_logarithmic_axis_says_so),
        cmocka_unit_test(quick_and_generated_figures_judge_nothing),
        cmocka_unit_test(charts_are_the_same_in_every_locale),
        cmocka_unit_test(numbers_do_not_collide),
    };
    return cmocka_run_group_tests_name("study_page", tests, setup, teardown);
}
