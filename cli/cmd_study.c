/* cmd_study.c - caelum study: a study file's runs, those that are missing. */
#include "base/json.h"
#include "cli.h"

#include <stdio.h>

static void finished_line(const struct caelum_study_progress *p) {
    const struct caelum_train_result *r = p->result;
    char took[32];
    if (r->epochs > 0)
        progress_print("%zu/%zu  %s: %zu epochs in %s, validation loss %.6f in the best epoch, %zu\n",
                       p->finished, p->runs, p->run, r->epochs, progress_duration(r->seconds, took),
                       r->best_val_loss, r->best_epoch);
    else
        progress_print("%zu/%zu  %s: measured\n", p->finished, p->runs, p->run);
}

static void epoch_line(const struct caelum_study_progress *p) {
    const struct caelum_epoch *e = p->train->finished;
    progress_print("%s  epoch %3zu/%zu  loss %.6f  val %.6f  acc %.4f  %.1f s\n", p->run, e->epoch,
                   p->train->epochs, e->loss, e->val_loss, e->val_accuracy, e->seconds);
}

static void state_line(const struct caelum_study_progress *p) {
    char line[300], meter[25], left[32];
    progress_bar(meter, 24, p->part);
    snprintf(line, sizeof line, "%zu/%zu runs [%s] %.1f %%  %s left  %s epoch %zu/%zu", p->finished, p->runs,
             meter, 100 * p->part, progress_duration(p->seconds_left, left), p->run, p->train->epoch,
             p->train->epochs);
    progress_show(line);
}

struct study {
    struct caelum_study_settings s;
    bool json, verbose, quiet;
    int mpi;
    caelum_dist *dist;
};

/* Each rank tells what has become of its runs, and the first draws the line that is redrawn. */
static int progress_study(void *cookie, const struct caelum_study_progress *p) {
    const struct study *study = cookie;
    if (p->event == CAELUM_STUDY_FAILED) {
        const bool silent = display.silent;
        struct caelum_error err = *p->error;
        caelum_fail_in(&err, err.code, "%.100s", p->run);
        display.silent = false;
        report(&err);
        display.silent = silent;
    } else if (p->event == CAELUM_STUDY_FINISHED && !study->quiet) {
        finished_line(p);
    } else if (p->event == CAELUM_STUDY_EPOCH && study->verbose && !study->quiet) {
        epoch_line(p);
    } else if (progress_due()) {
        state_line(p);
    }
    return signals_caught() != 0;
}

static void print_result(const struct caelum_study_settings *s, const struct caelum_study_result *r,
                         bool json) {
    char took[32];
    if (json) {
        print_json(JSON({"out", json_bytes(s->out)}, {"runs", json_size(r->runs)},
                        {"finished_before", json_size(r->finished_before)},
                        {"finished", json_size(r->finished)}, {"failed", json_size(r->failed)},
                        {"stopped", json_boolean(r->stopped)}, {"seconds", json_number(r->seconds)}));
        return;
    }
    if (!s->report_only)
        printf("%zu of %zu runs finished, %zu of them now in %s; they are in %s/runs\n",
               r->finished_before + r->finished, r->runs, r->finished, progress_duration(r->seconds, took),
               s->out);
    if (r->stopped) printf("stopped; the same command resumes\n");
    printf("report %s/report/index.html\n", s->out);
}

static const struct caelum_option rows[] = {
    OPTION(STRING, struct study, 'd', "data", s.data, "SPEC", "data of runs that name none, as for train"),
    OPTION(STRING, struct study, 'o', "out", s.out, "DIR", "directory of the study; default runs/FILE"),
    OPTION(THREADS, struct study, 'j', "jobs", s.jobs, "N",
           "runs side by side, one thread each; 1: one after the other on all threads; default: threads"),
    OPTION(THREADS, struct study, 't', "threads", s.threads, "N",
           "threads, 1 to 4096; no influence on the results"),
    OPTION(FLAG, struct study, 0, "quick", s.quick, NULL,
           "2 epochs of each first seed on 2,000 pictures, to see that everything works"),
    OPTION(FLAG, struct study, 0, "report", s.report_only, NULL,
           "run nothing, only write the report of existing runs"),
    OPTION(FLAG, struct study, 0, "force", s.force, NULL,
           "train again where a directory has a different training"),
    OPTION(STRING, struct study, 0, "cache-dir", s.cache_dir, "DIR", CACHE_HELP),
    CHOICE(struct study, "mpi", mpi, ranks_words, MPI_HELP),
    OPTION(FLAG, struct study, 0, "json", json, NULL, "print the result as JSON"),
    OPTION(FLAG, struct study, 'v', "verbose", verbose, NULL, "print a line after every epoch"),
    END_OF_OPTIONS};

static void defaults(void *values) {
    struct study *study = values;
    study->s = caelum_study_defaults();
}

static int run(void *values, int n, char **words, struct caelum_error *err) {
    char out[RUN_SIZE], models[PATH_SIZE], path[PATH_SIZE];
    struct study *study = values;
    struct caelum_study_settings *s = &study->s;
    if (n == 0 && !path_program("studies/assignment.study", path))
        return usage_error("study", "expected a study FILE");
    s->path = n > 0 ? words[0] : path;
    if (n > 1) s->only = (const char *const *)(words + 1), s->only_count = (size_t)n - 1;
    if (!s->out) s->out = path_run(s->path, s->quick ? "-quick" : "", out);
    if (path_program("models", models)) s->models = models;
    s->progress = progress_study;
    s->stage = progress_stage;
    s->opened = data_opened;
    s->cookie = study;
    study->quiet = display.quiet;
    CHECK(ranks_open(&study->dist, study->mpi, err));
    s->dist = study->dist;
    signals_catch();
    struct caelum_study_result result = {0};
    const int code = caelum_study(s, &result, err);
    progress_clear();
    if ((code == 0 || result.runs > 0) && !display.silent) print_result(s, &result, study->json);
    return code == 0 ? ranks_end(s->dist, result.stopped) : code;
}

static void close_ranks(void *values) {
    struct study *study = values;
    caelum_dist_close(&study->dist);
}

COMMAND(study, "[FILE [RUN...]]", "run the trainings of a study file, as many as are missing",
        "caelum study studies/assignment.study --data synthetic --quick", .outside = true, .rows = rows,
        .display = true, .size = sizeof(struct study), .defaults = defaults, .run = run,
        .close = close_ranks);
