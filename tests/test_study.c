/* test_study.c - study files: what they mean, where mistakes are said to be; and the arithmetic of the
 * report. */
#include "study_fixture.h"

#include "train/run_directory.h"
#include "train/train_settings.h"

#include <math.h>

static void a_file_is_understood(void **state) {
    (void)state;
    struct study *s =
        parse("\xef\xbb\xbf" /* the mark that editors put before UTF-8 */
              "title \"A \t#title\" # comment\n"
              "source \"them\"\n"
              "\n"
              "defaults epochs=7 lr=0.01 seeds=2..4\r\n"
              "section one \"One & two\"\n"
              "about \"why\"\n"
              "run a x.net\n"
              "  reference mse=0.5 accuracy>=0.25 seconds<=1e3\n"
              "run b y.net batch=9 task=colorize split-seed=18446744073709551615 data=synthetic seeds=8,1#c\n"
              "section two \"Two\"\n"
              "also a\n"
              "  reference mse=0.25\n"
              "claim a >= b \"said\"\n"
              "show sheet b\n"
              "show latent");
    assert_string_equal(s->title, "A \t#title");
    assert_string_equal(s->source, "them");
    assert_int_equal(s->runs, 2);
    assert_int_equal(s->sections, 2);
    assert_int_equal(s->entries, 3);
    assert_string_equal(s->section[0].title, "One & two");
    assert_string_equal(s->section[0].about, "why");
    assert_null(s->section[1].about);
    assert_int_equal(s->run[0].settings.epochs, 7);
    assert_int_equal(s->run[0].settings.batch, 50);
    assert_true(s->run[0].settings.lr == 0.01);
    assert_int_equal(s->run[0].seeds, 3);
    assert_int_equal(s->run[0].seed[2], 4);
    assert_null(s->run[0].data);
    assert_int_equal(s->run[1].settings.batch, 9);
    assert_int_equal(s->run[1].settings.task, CAELUM_COLORIZE);
    assert_true(s->run[1].settings.data_settings.split_seed == UINT64_MAX);
    assert_string_equal(s->run[1].data, "synthetic");
    assert_int_equal(s->run[1].seeds, 2);
    assert_int_equal(s->run[1].seed[0], 8);
    assert_int_equal(s->entry[0].references, 3);
    assert_int_equal(s->entry[0].reference[1].relation, '>');
    assert_true(s->entry[0].reference[2].value == 1000);
    assert_int_equal(s->entry[2].run, 0);
    assert_int_equal(s->entry[2].section, 1);
    assert_true(s->entry[2].reference[0].value == 0.25);
    assert_int_equal(s->claims, 1);
    assert_false(s->claim[0].less);
    assert_int_equal(s->claim[0].right, 1);
    assert_int_equal(s->shows, 2);
    assert_int_equal(s->show[0].figure, STUDY_SHEET);
    assert_int_equal(s->show[0].run, 1);
    assert_int_equal(s->show[1].figure, STUDY_LATENT);
    study_file_close(&s);
    assert_null(s);
}

/* Each text, what must be said of it, and where. */
static const struct {
    const char *text, *says;
} mistakes[] = {
    {"", "a.study: no runs"},
    {"section s \"S\"\n", "a.study: no runs"},
    {"run a x.net\n", "a.study:1:1: 'run' must stand below a 'section'"},
    {"sektion s \"S\"\n", "a.study:1:1: no line starts with 'sektion'"},
    {"section s \"S\n", "a.study:1:11: the quotation mark has no partner"},
    {"section s\n", "a.study:1:1: too few words"},
    {"section s \"S\" x\n", "a.study:1:15: too many words"},
    {"section s \"S\"\nsection s \"S\"\n", "a.study:2:9: a second section 's'"},
    {"section s \"S\"\nrun a/b x.net\n", "a.study:2:5: 'a/b' can't be a name"},
    {"section s \"S\"\nrun .. x.net\n", "a.study:2:5: '..' can't be a name"},
    {"section s \"S\"\nrun a\n", "a.study:2:1: too few words"},
    {"section s \"S\"\nrun a x.net\n\nrun a x.net\n",
     "a.study:4:5: a second run 'a'; the first is in line 2"},
    {"section s \"S\"\nrun a x.net batch\n", "a.study:2:13: expected OPTION=VALUE, got 'batch'"},
    {"section s \"S\"\nrun a x.net batch=\n", "a.study:2:13: expected OPTION=VALUE"},
    {"section s \"S\"\nrun a x.net batch=0\n", "a.study:2:13: batch: expected 1 to 65536, got 0"},
    {"section s \"S\"\nrun a x.net batch=1.5\n", "a.study:2:13: batch can't be '1.5'"},
    {"section s \"S\"\nrun a x.net batch=99999999999999999999\n", "a.study:2:13: batch"},
    {"section s \"S\"\nrun a x.net lr=nan\n", "a.study:2:13: lr can't be 'nan'"},
    {"section s \"S\"\nrun a x.net lr=0\n", "a.study:2:13: lr: expected a number above"},
    {"section s \"S\"\nrun a x.net task=paint\n", "a.study:2:13: task can't be 'paint'"},
    {"section s \"S\"\nrun a x.net width=2\n",
     "a.study:2:13: no option of a run is called 'width'; there are:"},
    {"defaults seeds=1,,2\n", "a.study:1:10: seeds: expected"},
    {"defaults seeds=3..1\n", "a.study:1:10: seeds: expected"},
    {"defaults seeds=1..99\n", "a.study:1:10: seeds: expected at most 32"},
    {"defaults seeds=1,2,1\n", "a.study:1:10: seed 1 stands there twice"},
    {"defaults seeds=1,\n", "a.study:1:10: seeds: expected"},
    {"defaults seeds=1..\n", "a.study:1:10: seeds: expected"},
    {"defaults seeds=1...3\n", "a.study:1:10: seeds: expected"},
    {"defaults seeds=+1\n", "a.study:1:10: seeds: expected"},
    {"defaults seeds=18446744073709551615\n", "a.study:1:10: seeds: expected at most 32 whole numbers"},
    {"defaults seeds=18446744073709551600..18446744073709551615\n", "none above 9223372036854775807"},
    {"defaults seeds=18446744073709551617\n", "a.study:1:10: seeds: expected"},
    {"defaults seeds=0..18446744073709551615\n", "a.study:1:10: seeds: expected"},
    {"section s \"S\"\nalso a\n", "a.study:2:6: no run above is called 'a'"},
    {"section s \"S\"\nreference mse=1\n", "a.study:2:1: 'reference' must stand below"},
    {"section s \"S\"\nrun a x.net\nsection t \"T\"\nreference mse=1\n",
     "a.study:4:1: 'reference' must stand"},
    {"section s \"S\"\nrun a x.net\nreference mse\n", "a.study:3:11: expected METRIC=NUMBER"},
    {"section s \"S\"\nrun a x.net\nreference mse<1\n", "a.study:3:11: expected METRIC=NUMBER"},
    {"section s \"S\"\nrun a x.net\nreference mse=1x\n", "a.study:3:11: expected a number after '='"},
    {"section s \"S\"\nrun a x.net\nreference colour=1\n",
     "a.study:3:11: no figure is called 'colour'; there are: parameters"},
    {"figure f = 2 * uv\n", "a.study:1:16: no figure is called 'uv'; there are: parameters"},
    {"figure f = x * mse\n", "a.study:1:12: expected a number other than 0, got 'x'"},
    {"figure f = 0 * mse\n", "a.study:1:12: expected a number other than 0"},
    {"figure f is 2 * mse\n", "a.study:1:10: expected: figure NAME = NUMBER * METRIC"},
    {"figure f = 2 mse\n", "a.study:1:1: too few words"},
    {"figure mse = 2 * psnr\n", "a.study:1:8: a second figure 'mse'"},
    {"section s \"S\"\nrun a x.net\nclaim a > a \"w\"\n", "a.study:3:9: expected '<' or '>='"},
    {"section s \"S\"\nrun a x.net\nshow\n", "a.study:3:1: expected: show network RUN"},
    {"section s \"S\"\nrun a x.net\nshow sheet\n", "a.study:3:1: too few words"},
    {"section s \"S\"\nrun a x.net\nshow film a\n", "a.study:3:6: expected: show network RUN"},
};

static void mistakes_have_a_place(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        struct study *study = NULL;
        assert_error(CAELUM_EFORMAT, mistakes[i].says,
                     study_file_load(&study, write_text("a.study", mistakes[i].text), err));
        assert_null(study);
    }
    struct study *study = NULL;
    assert_error(CAELUM_EIO, "No such file", study_file_load(&study, "nothing.study", err));
    assert_error(CAELUM_EFORMAT, "not UTF-8",
                 study_file_load(&study, write_text("a.study", "title \"\xff\"\n"), err));
}

/* The largest seeds there can be, as many as there can be, behind the mark of some editors. */
static void seeds_go_to_the_largest(void **state) {
    (void)state;
    struct study *s = parse("\xef\xbb\xbf"
                            "section s \"S\"\n"
                            "run a x.net seeds=9223372036854775776..9223372036854775806,9223372036854775807\n"
                            "run b x.net seed=9223372036854775807\n");
    assert_int_equal(s->run[0].seeds, STUDY_SEEDS);
    for (size_t i = 0; i < STUDY_SEEDS; i++) assert_true(s->run[0].seed[i] == (uint64_t)INT64_MAX - 31 + i);
    assert_int_equal(s->run[1].seeds, 1);
    assert_true(s->run[1].seed[0] == INT64_MAX);
    study_file_close(&s);
}

static void runs_have_a_limit(void **state) {
    char text[STUDY_RUNS * 20 + 100] = "section s \"S\"\n";
    struct study *s;
    (void)state;
    for (int i = 0; i < STUDY_RUNS; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "run r%d x.net\n", i);
    s = parse(text);
    assert_int_equal(s->runs, STUDY_RUNS);
    study_file_close(&s);
    strcat(text, "run last x.net\n");
    assert_error(CAELUM_EFORMAT, "a.study:258:1: more than 256 runs",
                 study_file_load(&s, write_text("a.study", text), err));
}

static void recorded_settings_are_compared(void **state) {
    struct caelum_train_settings s = caelum_train_defaults();
    struct metadata m = {0};
    char what[160], *command = NULL;
    (void)state;
    assert_ok(metadata_set(&m, "batch", "50", err)); /* as an older version recorded it: not all there is */
    assert_ok(metadata_set(&m, "lr", "0.0010000000000000000208", err));
    assert_ok(metadata_set(&m, "epochs", "50", err));
    assert_false(train_settings_differ(&s, &m, what)); /* what is not recorded had its default */
    assert_ok(train_settings_command(&s, &command, err));
    assert_string_equal(command, " --seed 1");
    free(command);
    assert_ok(caelum_train_set(&s, "lr", "0.01", err));
    assert_true(train_settings_differ(&s, &m, what));
    assert_string_equal(what, "lr is 0.001 there, 0.01 here");
    s.lr = 0.001;
    assert_ok(caelum_train_set(&s, "flip", "yes", err));
    assert_true(train_settings_differ(&s, &m, what));
    assert_string_equal(what, "flip is no there, yes here");
    assert_ok(metadata_set(&m, "flip", "yes", err));
    assert_false(train_settings_differ(&s, &m, what));
    assert_ok(caelum_train_set(&s, "split-seed", "3", err));
    assert_true(train_settings_differ(&s, &m, what));
    assert_string_equal(what, "split-seed is 1 there, 3 here");
    assert_ok(metadata_set(&m, "split_seed", "3", err));
    assert_ok(metadata_set(&m, "seed", "77", err));
    assert_false(train_settings_differ(&s, &m, what));
    assert_ok(metadata_set(&m, "schedule", "zigzag", err));
    assert_true(train_settings_differ(&s, &m, what));
    assert_string_equal(what, "schedule is zigzag there, constant here");
    assert_ok(caelum_train_set(&s, "task", "colorize", err));
    s.net_path = "it's a.net";
    s.data = "photos";
    s.out = "run";
    assert_ok(train_settings_command(&s, &command, err));
    assert_string_equal(command, "caelum train 'it'\\''s a.net' --data photos --task colorize --flip "
                                 "--split-seed 3 --seed 1 --out run");
    free(command);
    metadata_clear(&m);
}

/* --- Figures -------------------------------------------------------------------------------------- */

static void spreads_are_population_deviations(void **state) {
    struct fixture f;
    char text[96];
    (void)state;
    open_fixture(&f, "", 0.002, 0.004, 0.005, NAN);
    const size_t mse = study_figure(f.study, "mse"), psnr = study_figure(f.study, "psnr");
    const struct figure_kind *k = f.study->figure;
    assert_true(f.result[0].figure[mse].n == 2);
    assert_true(fabs(f.result[0].figure[mse].mean - 0.003) < 1e-15);
    assert_true(fabs(f.result[0].figure[mse].deviation - 0.001) < 1e-15);
    assert_string_equal(spread_text(&k[mse], &f.result[0].figure[mse], text), "0.003000 ± 0.001000");
    assert_string_equal(spread_text(&k[mse], &f.result[1].figure[mse], text), "0.005000");
    assert_string_equal(spread_text(&k[psnr], &f.result[1].figure[psnr], text), "–");
    assert_string_equal(spread_text(&k[psnr], &(struct spread){24.5, 1, 2}, text), "24.50");
    assert_string_equal(figure_text(&k[FIGURE_PARAMETERS], 1234567, text), "1,234,567");
    assert_string_equal(figure_text(&k[FIGURE_PARAMETERS], 999, text), "999");
    study_file_close(&f.study);
}

/* Every metric of both tasks has its row, and one derived from another its value. */
static void figures_are_those_of_the_tables(void **state) {
    (void)state;
    struct study *s =
        parse("figure loss = 8 * uv_mse_float\nfigure less = -1 * loss\nsection s \"S\"\nrun a x.net\n"
              "reference loss=0.25\n");
    double value[FIGURES];
    for (size_t i = 0; i < FIGURES; i++) value[i] = NAN;
    for (int task = CAELUM_RECONSTRUCT; task <= CAELUM_COLORIZE; task++)
        for (const struct caelum_figure *f = caelum_figures((enum caelum_task)task); f->key; f++) {
            const size_t i = study_figure(s, f->key);
            assert_true(i < s->figures);
            assert_string_equal(s->figure[i].format, f->format);
            assert_int_equal(s->figure[i].better, f->better);
        }
    const size_t loss = study_figure(s, "loss"), less = study_figure(s, "less");
    assert_int_equal(s->run[0].settings.task, CAELUM_RECONSTRUCT);
    assert_int_equal(study_main_figure(s, CAELUM_RECONSTRUCT), study_figure(s, "mse"));
    assert_int_equal(s->entry[0].reference[0].figure, loss);
    assert_int_equal(s->figure[loss].better, -1);
    assert_int_equal(s->figure[less].better, 1);
    study_derive(s, value);
    assert_true(isnan(value[loss]));
    value[study_figure(s, "uv_mse_float")] = 0.5;
    study_derive(s, value);
    assert_true(value[loss] == 4 && value[less] == -4);
    study_file_close(&s);
}

/* The fixture's only verdict; closes the fixture. */
static enum page_mark judge_one(struct fixture *f, const char *says) {
    assert_ok(study_judge(&f->results, err));
    assert_int_equal(f->results.verdicts, 1);
    const struct study_verdict v = f->results.verdict[0];
    if (!strstr(v.text, says)) fail_msg("'%s' lacks '%s'", v.text, says);
    mem_free(&f->results.verdict);
    study_file_close(&f->study);
    return v.mark;
}

static enum page_mark judge(double ours, const char *reference, const char *says) {
    struct fixture f;
    char lines[200];
    snprintf(lines, sizeof lines, "also a\nreference %s\n", reference);
    open_fixture(&f, lines, ours, ours, 1, 1);
    return judge_one(&f, says);
}

static void references_are_judged(void **state) {
    (void)state;
    assert_int_equal(
        judge(0.0040, "mse=0.0039", "0.004000 ± 0.000000 here (2 seeds); S has 0.0039. Reproduced: 2.6"),
        PAGE_YES);
    assert_int_equal(judge(0.0030, "mse=0.0039", "Surpassed: 23"), PAGE_YES);
    assert_int_equal(judge(0.0042, "mse=0.0039", "Not reproduced: 7.7"), PAGE_NO);
    assert_int_equal(judge(0.0200, "mse=0.0039", "5.1 times as high"), PAGE_NO);
    assert_int_equal(judge(0.0300, "mse>=0.02", "≥ 0.02. Reproduced"), PAGE_YES);
    assert_int_equal(judge(0.0100, "mse>=0.02", "Not so here"), PAGE_NO);
    assert_int_equal(judge(0.0100, "mse<=0.02", "≤ 0.02. Reproduced"), PAGE_YES);
    assert_int_equal(judge(0.0100, "accuracy=0.8", "not measured here"), PAGE_OPEN);
    assert_int_equal(judge(NAN, "mse=0.02", "not run here yet"), PAGE_OPEN);
}

static enum page_mark judge_claim(double a0, double a1, double b0, double b1, const char *sign,
                                  const char *says) {
    struct fixture f;
    char lines[200];
    snprintf(lines, sizeof lines, "claim a %s b \"w\"\n", sign);
    open_fixture(&f, lines, a0, a1, b0, b1);
    return judge_one(&f, says);
}

static void claims_are_judged(void **state) {
    (void)state;
    assert_int_equal(judge_claim(1, 1.1, 2, 2.1, "<", "so here too"), PAGE_YES);
    assert_int_equal(judge_claim(2, 2.1, 1, 1.1, "<", "not so here"), PAGE_NO);
    assert_int_equal(judge_claim(2, 2.1, 1, 1.1, ">=", "so here too"), PAGE_YES);
    assert_int_equal(judge_claim(1, 2, 1.5, 2.4, "<", "can’t be told"),
                     PAGE_OPEN); /* 1.5 +- .5, 1.95 +- .45 */
    assert_int_equal(judge_claim(1, 1, 2, NAN, "<", "too few seeds"), PAGE_YES);
    assert_int_equal(judge_claim(1, 1, NAN, NAN, "<", "b is not run yet"), PAGE_OPEN);
}

static void all_is_judged(void **state) {
    struct fixture f;
    (void)state;
    open_fixture(&f, "claim a < b \"w\"\nalso a\nreference mse=9 accuracy=1\n", 0.002, 0.002, 0.010, 0.010);
    assert_ok(study_judge(&f.results, err));
    assert_int_equal(f.results.verdicts, 3);
    assert_int_equal(f.results.verdict[0].mark, PAGE_YES);
    assert_int_equal(f.results.verdict[1].mark, PAGE_OPEN);
    assert_int_equal(f.results.verdict[2].mark, PAGE_YES);
    assert_ptr_equal(f.results.verdict[2].claim, f.study->claim);
    mem_free(&f.results.verdict);
    study_file_close(&f.study);
}

static void correlation_of_power_laws(void **state) {
    const double x[] = {1, 2, 4, 8}, down[] = {8, 4, 2, 1}, mixed[] = {1, 2, 2, 1}, flat[] = {3, 3, 3, 3};
    (void)state;
    assert_true(fabs(study_correlation(x, down, 4) + 1) < 1e-12);
    assert_true(fabs(study_correlation(x, mixed, 4)) < 1e-12);
    assert_true(isnan(study_correlation(x, flat, 4)));
    assert_true(isnan(study_correlation(x, down, 2)));
}

static void metrics_csv_is_read_by_column_names(void **state) {
    struct caelum_epoch *history = NULL;
    size_t epochs = 0;
    const struct caelum_epoch wrote[2] = {{1, 0.5, 3, 0.25, 0.75, 1.25, 0.125, 2.5, 1000, true, 0.5},
                                          {2, 0.25, 6, 0.5, 0.875, 1, 0.25, 1.5, 2000, false, 0.25}};
    (void)state;
    assert_ok(run_write_metrics(scratch, wrote, 2, err));
    assert_ok(run_read_metrics(scratch, &history, &epochs, err));
    assert_int_equal(epochs, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(history[i].epoch, wrote[i].epoch);
        assert_true(
            history[i].loss == wrote[i].loss && history[i].psnr == wrote[i].psnr &&
            history[i].accuracy == wrote[i].accuracy && history[i].val_loss == wrote[i].val_loss &&
            history[i].val_psnr == wrote[i].val_psnr && history[i].val_accuracy == wrote[i].val_accuracy &&
            history[i].seconds == wrote[i].seconds && history[i].best == wrote[i].best &&
            history[i].lr == wrote[i].lr && history[i].pictures_per_second == wrote[i].pictures_per_second);
    }
    mem_free(&history);
    write_text("metrics.csv", "epoch,lr,val_loss,best\n1,9,0.5,1\n");
    assert_ok(run_read_metrics(scratch, &history, &epochs, err));
    assert_int_equal(epochs, 1);
    assert_true(history[0].val_loss == 0.5 && history[0].best);
    mem_free(&history);
    write_text("metrics.csv", "epoch,loss\n1\n");
    assert_error(CAELUM_EFORMAT, "row 1 has other fields", run_read_metrics(scratch, &history, &epochs, err));
    write_text("metrics.csv", "");
    assert_error(CAELUM_EFORMAT, "expected a header", run_read_metrics(scratch, &history, &epochs, err));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_understood),
        cmocka_unit_test(mistakes_have_a_place),
        cmocka_unit_test(seeds_go_to_the_largest),
        cmocka_unit_test(runs_have_a_limit),
        cmocka_unit_test(recorded_settings_are_compared),
        cmocka_unit_test(spreads_are_population_deviations),
        cmocka_unit_test(figures_are_those_of_the_tables),
        cmocka_unit_test(references_are_judged),
        cmocka_unit_test(claims_are_judged),
        cmocka_unit_test(all_is_judged),
        cmocka_unit_test(correlation_of_power_laws),
        cmocka_unit_test(metrics_csv_is_read_by_column_names),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
