/* study_fixture.h - study files in a scratch directory, and the results of two runs. */
#ifndef CAELUM_TESTS_STUDY_FIXTURE_H
#define CAELUM_TESTS_STUDY_FIXTURE_H

#include "testing.h"

#include "study/study_figures.h"

#include <math.h>

static char scratch[256];

static inline int setup(void **state) {
    (void)state;
    test_directory(scratch);
    return 0;
}

static inline int teardown(void **state) {
    (void)state;
    test_remove(scratch);
    return 0;
}

static inline const char *write_text(const char *name, const char *text) {
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", scratch, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    return path;
}

static inline struct study *parse(const char *text) {
    struct study *study = NULL;
    assert_ok(study_file_load(&study, write_text("a.study", text), err));
    return study;
}

/* A study of two runs, a and b, two seeds each, with these errors. */
struct fixture {
    struct study *study;
    struct study_seed seeds[2][2];
    struct study_result result[2];
    struct study_results results;
};

static inline void open_fixture(struct fixture *f, const char *lines, double a0, double a1, double b0,
                                double b1) {
    const double mse[2][2] = {{a0, a1}, {b0, b1}};
    char text[1000];
    snprintf(text, sizeof text, "source \"S\"\nsection s \"S\"\nrun a x.net\nrun b x.net\n%s", lines);
    *f = (struct fixture){.study = parse(text)};
    for (size_t r = 0; r < 2; r++) {
        for (size_t i = 0; i < 2; i++) {
            struct study_seed *s = &f->seeds[r][i];
            *s = (struct study_seed){.trained = !isnan(mse[r][i])};
            for (size_t k = 0; k < FIGURES; k++) s->value[k] = NAN;
            s->value[study_figure(f->study, "mse")] = mse[r][i];
            s->value[FIGURE_PCA] = 0.001;
        }
        f->result[r] = (struct study_result){.run = &f->study->run[r], .seed = f->seeds[r], .seeds = 2};
        for (size_t i = 0; i < 2; i++) f->result[r].trained += f->seeds[r][i].trained;
        study_spread(&f->result[r]);
    }
    f->results = (struct study_results){.study = f->study, .result = f->result};
    for (size_t k = 0; k < FIGURES; k++) f->results.grey[k] = NAN;
}

#endif
