/* study.c - caelum_study: runs what is missing. Trainings go side by side, one thread each: at batch 50 a
 * step has four blocks, so four threads at most have work, and they wait for each other at its end; side by
 * side nobody waits. The last one is stopped, saved and resumed, using all threads. */
#include "base/clock.h"
#include "base/mem.h"
#include "base/parallel.h"
#include "base/remaining.h"
#include "study/study_plan.h"
#include "study/study_ranks.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A training in this call. */
struct work {
    struct runner *owner;
    struct study_unit *unit;
    double size;   /* multiply-adds of all its epochs */
    double before; /* share of them done by earlier calls; negative: not known yet */
    double done;   /* share done */
    bool finished; /* trained and measured, or given up */
    struct caelum_train_result result;
    struct caelum_error err;
};

/* One call. */
struct runner {
    const struct caelum_study_settings *settings;
    struct study_plan plan;
    struct work *work; /* of units that were not finished */
    size_t wanted, count, unfinished, failed, finished_before;
    size_t shown;      /* those of which this process tells: all, or what it trains itself */
    int threads, jobs; /* of this round */
    double start;
    struct remaining remaining;
    struct file_lock directory; /* no other study works in it */
    bool stopped;               /* the caller asked to stop */
    pthread_mutex_t lock;       /* around the fields above and the caller's callback */
    pthread_mutex_t measuring;  /* one at a time */
    struct caelum_error err;    /* of the first failure */
};

struct caelum_study_settings caelum_study_defaults(void) {
    return (struct caelum_study_settings){0};
}

/* --- Progress ------------------------------------------------------------------------------------- */

/* Tells the caller; the lock is held. */
static void tell(struct runner *r, enum caelum_study_event event, const struct work *w,
                 const struct caelum_train_progress *train) {
    double all = 0, done = 0;
    for (size_t i = 0; i < r->count; i++) {
        const struct work *o = &r->work[i];
        const double before = o->before > 0 ? o->before : 0;
        all += o->size * (1 - before);
        done += o->size * (o->done - before);
    }
    const struct caelum_study_progress p = {.event = event,
                                            .run = w->unit->name,
                                            .runs = r->shown,
                                            .finished = r->shown - r->unfinished,
                                            .failed = r->failed,
                                            .part = all > 0 ? done / all : 1,
                                            .seconds_left =
                                                remaining_seconds(&r->remaining, clock_seconds(), done, all),
                                            .train = train,
                                            .result = &w->result,
                                            .error = &w->err};
    if (r->settings->progress && r->settings->progress(r->settings->cookie, &p) != 0) r->stopped = true;
}

static int on_train(void *cookie, const struct caelum_train_progress *p) {
    struct work *w = cookie;
    struct runner *r = w->owner;
    pthread_mutex_lock(&r->lock);
    w->done = ((double)(p->epoch - 1) + (double)p->batch / (double)p->batches) / (double)p->epochs;
    if (w->before < 0) w->before = w->done;
    tell(r, p->finished ? CAELUM_STUDY_EPOCH : CAELUM_STUDY_BATCH, w, p);
    /* the last of a round that had its own thread gets all of them in the next, if that is worth while */
    const bool lonely = r->jobs > 1 && r->unfinished == 1 && r->threads > 1 && p->seconds_left > 10;
    const int stop = r->stopped || lonely;
    pthread_mutex_unlock(&r->lock);
    return stop;
}

/* --- One training --------------------------------------------------------------------------------- */

static int train(struct work *w, int threads, struct caelum_error *err) {
    struct study_unit *u = w->unit;
    struct caelum_train_settings s = u->settings;
    s.threads = threads;
    s.resume = u->state == STUDY_PARTIAL;
    s.force = true; /* what is there is unfinished, or the caller's --force */
    if (s.resume) s.epochs = 0;
    s.progress = on_train;
    s.cookie = w;
    int code = caelum_train(&s, &w->result, err);
    if (code == CAELUM_EFORMAT && s.resume && w->owner->settings->force) { /* an older version's checkpoint */
        s.resume = false;
        s.epochs = u->settings.epochs;
        code = caelum_train(&s, &w->result, err);
    }
    return code;
}

/* Hours may have gone since the plan was made, and somebody may have trained this one by hand. */
static int look_again(struct work *w, struct caelum_error *err) {
    struct study_unit *u = w->unit;
    if (u->state == STUDY_TRAINED || w->owner->settings->force) return CAELUM_OK;
    CHECK(study_unit_look(u, err));
    if (u->state != STUDY_DIFFERENT) return CAELUM_OK;
    return caelum_fail(err, CAELUM_EIO, "%s holds another training by now: %s", u->dir, u->problem);
}

/* Trains and measures; the training may come back stopped, to be resumed. */
static void run(void *cookie, size_t i, int worker) {
    struct runner *r = cookie;
    struct work *w = &r->work[i];
    const int threads = r->jobs > 1 ? 1 : r->threads;
    (void)worker;
    pthread_mutex_lock(&r->lock);
    const bool skipped = r->stopped || w->finished;
    pthread_mutex_unlock(&r->lock);
    if (skipped) return;
    int code = look_again(w, &w->err);
    if (code == 0 && w->unit->state != STUDY_TRAINED) code = train(w, threads, &w->err);
    if (code == 0 && !w->result.stopped) {
        pthread_mutex_lock(&r->measuring);
        code = study_eval_write(w->unit, threads, &w->err);
        pthread_mutex_unlock(&r->measuring);
    }
    pthread_mutex_lock(&r->lock);
    if (code != 0 || !w->result.stopped) {
        w->finished = true;
        w->done = 1;
        r->unfinished--;
        r->failed += code != 0;
        if (code != 0 && r->err.code == 0)
            caelum_fail(&r->err, code, "%s: %.400s", w->unit->name, w->err.text);
        tell(r, code != 0 ? CAELUM_STUDY_FAILED : CAELUM_STUDY_FINISHED, w, NULL);
    } else {
        w->unit->state = STUDY_PARTIAL;
    }
    pthread_mutex_unlock(&r->lock);
}

/* --- All of them ---------------------------------------------------------------------------------- */

/* What is missing, as work. */
static int collect(struct runner *r, struct caelum_error *err) {
    CHECK(mem_alloc(&r->work, r->plan.units, sizeof *r->work, err));
    for (size_t i = 0; i < r->plan.units; i++) {
        struct study_unit *u = &r->plan.unit[i];
        if (!u->wanted) continue;
        r->wanted++;
        if (u->state == STUDY_DIFFERENT) {
            if (!r->settings->force)
                return caelum_fail(err, CAELUM_EIO,
                                   "%s holds another training: %s; choose another output directory, or train "
                                   "it anew by --force",
                                   u->dir, u->problem);
            u->state = STUDY_NEW;
        }
        if (u->state == STUDY_TRAINED && study_eval_current(u, NULL)) {
            r->finished_before++;
            continue;
        }
        struct caelum_net_info net;
        caelum_net_describe(u->net, &net);
        const double done = u->state == STUDY_TRAINED ? 1 : 0;
        const double size =
            (double)net.train_macs * (double)u->data->split_count[CAELUM_TRAIN] * (double)u->settings.epochs;
        r->work[r->count++] = (struct work){.owner = r,
                                            .unit = u,
                                            .size = size,
                                            .before = u->state == STUDY_PARTIAL ? -1 : done,
                                            .done = done};
    }
    r->shown = r->wanted;
    r->unfinished = r->count;
    return CAELUM_OK;
}

static int by_size(const void *a, const void *b) {
    const struct work *x = a, *y = b;
    return x->size != y->size ? (x->size < y->size ? 1 : -1) : x->unit < y->unit ? -1 : x->unit > y->unit;
}

/* Leaves this rank its own runs, the largest first. */
static int share(struct runner *r, struct caelum_error *err) {
    const struct caelum_dist *dist = r->settings->dist;
    struct mem_group memory = {0};
    double *size = NULL;
    int *owner = NULL, result = mem_take(&memory, &size, r->plan.units, sizeof *size, err);
    if (result == 0) result = mem_take(&memory, &owner, r->plan.units, sizeof *owner, err);
    result = dist_agree(dist, result, err);
    for (size_t i = 0; result == 0 && i < r->count; i++) /* what is trained is still to be measured */
        size[r->work[i].unit - r->plan.unit] = 1 + r->work[i].size * (1 - r->work[i].done);
    if (result == 0) result = study_ranks_share(dist, size, r->plan.units, owner, err);
    const size_t count = result == 0 ? r->count : 0;
    r->count = 0;
    for (size_t i = 0; i < count; i++)
        if (owner[r->work[i].unit - r->plan.unit] == dist->rank) r->work[r->count++] = r->work[i];
    if (r->count > 0) qsort(r->work, r->count, sizeof *r->work, by_size);
    r->shown = r->unfinished = r->count;
    mem_end(&memory);
    return result;
}

/* Rounds: the first takes all; what comes back stopped is resumed in the next. */
static void run_rounds(struct runner *r, int jobs) {
    while (r->unfinished > 0 && !r->stopped) {
        r->jobs = (size_t)jobs < r->unfinished ? jobs : (int)r->unfinished;
        parallel_for(r->jobs, r->count, run, r);
    }
}

/* What there is to do. The first rank alone locks the directory. */
static int begin(struct runner *r, struct caelum_error *err) {
    const struct caelum_study_settings *s = r->settings;
    r->threads = parallel_threads(s->threads);
    CHECK(study_plan_open(&r->plan, s, err));
    CHECK(file_make_directory(r->plan.out, err));
    if (s->report_only) return CAELUM_OK;
    if (caelum_dist_rank(s->dist) == 0) CHECK(file_lock(&r->directory, r->plan.out, err));
    return collect(r, err);
}

static int study(struct runner *r, struct caelum_study_result *result, struct caelum_error *err) {
    const struct caelum_study_settings *s = r->settings;
    CHECK(dist_agree(s->dist, begin(r, err), err));
    if (s->dist) CHECK(share(r, err));
    if (!s->report_only) run_rounds(r, s->jobs > 0 ? s->jobs : r->threads);
    struct study_tally tally = {.finished = r->count - r->unfinished - r->failed,
                                .failed = r->failed,
                                .stopped = r->stopped && r->unfinished > 0,
                                .err = r->err};
    CHECK(study_ranks_sum(s->dist, &tally, err));
    const bool writes = caelum_dist_rank(s->dist) == 0;
    CHECK(dist_agree(s->dist, writes ? study_report_write(&r->plan, s->quick, err) : CAELUM_OK, err));
    if (result)
        *result = (struct caelum_study_result){.runs = r->wanted,
                                               .finished_before = r->finished_before,
                                               .finished = tally.finished,
                                               .failed = tally.failed,
                                               .stopped = tally.stopped,
                                               .seconds = clock_seconds() - r->start};
    if (tally.failed == 0) return CAELUM_OK;
    if (err) *err = tally.err;
    return tally.err.code;
}

int caelum_study(const struct caelum_study_settings *settings, struct caelum_study_result *result,
                 struct caelum_error *err) {
    struct runner r = {.settings = settings, .start = clock_seconds()};
    pthread_mutex_init(&r.lock, NULL); /* can't fail on Linux */
    pthread_mutex_init(&r.measuring, NULL);
    const int status = study(&r, result, err);
    pthread_mutex_destroy(&r.lock);
    pthread_mutex_destroy(&r.measuring);
    mem_free(&r.work);
    study_plan_close(&r.plan);
    file_unlock(&r.directory);
    return status;
}
