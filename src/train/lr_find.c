/* lr_find.c - the learning rate range test (Smith, "Cyclical learning rates for training neural networks",
 * WACV 2017): one short run whose step size grows from batch to batch; where the loss falls fastest and where
 * it explodes, as a table and a chart. */
#include "train/lr_find.h"

#include "base/mem.h"
#include "base/number.h"
#include "report/svg_chart.h"
#include "train/run_directory.h"
#include "train/train_open.h"
#include "train/train_settings.h"

#include <math.h>

static const double first_lr = 1e-7, last_lr = 10, decay = 0.9, explosion = 4;
enum { EARLIEST = 10, SPAN = 5 };

double lr_find_steepest(const struct caelum_lr_point *points, size_t count) {
    double steepest = 0, lr = 0;
    for (size_t i = EARLIEST; i + SPAN < count; i++) {
        const double rise = points[i + SPAN].smooth - points[i - SPAN].smooth;
        if (rise < steepest) steepest = rise, lr = points[i].lr;
    }
    return lr;
}

static void shuffle(uint32_t *order, size_t n, uint64_t seed, uint32_t epoch) {
    struct rng rng = rng_make(seed, RNG_ORDER, epoch);
    for (size_t i = 0; i < n; i++) order[i] = (uint32_t)i;
    rng_shuffle(&rng, order, n);
}

/* Everything of one call. */
struct test {
    struct caelum_train_settings settings;
    struct file_lock lock;
    struct caelum_data *data;
    struct caelum_net *net;
    struct trainer trainer;
    uint32_t *order; /* [pictures of the train split] */
    struct caelum_lr_find found;
};

/* Up to CAELUM_LR_POINTS minibatches of the train split, in the order that epochs of a run with this seed
 * take. The step size grows by one factor a batch from 1e-7 to 10. The loss is smoothed by a running mean of
 * decay 0.9, divided by 1 - 0.9^batches, so that it starts unbiased; when it is above 4 times its lowest, or
 * not finite, the test is over. */
static int run_test(struct test *test, struct caelum_error *err) {
    const struct caelum_train_settings *s = &test->settings;
    const struct pictures train = data_pictures(s->open_data, CAELUM_TRAIN);
    struct trainer *t = &test->trainer;
    const size_t n = train.n, batch = s->batch < n ? s->batch : n;
    double running = 0, lowest = INFINITY;
    uint32_t epoch = 0;
    CHECK(mem_alloc(&test->order, n, sizeof *test->order, err));
    for (size_t i = 0, at = n; i < CAELUM_LR_POINTS; i++, at += batch) {
        struct caelum_lr_point *p = &test->found.point[i];
        struct loss_sums sums;
        if (at + batch > n) {
            shuffle(test->order, n, s->seed, epoch++);
            at = 0;
        }
        p->lr = t->lr = first_lr * pow(last_lr / first_lr, (double)i / (CAELUM_LR_POINTS - 1));
        trainer_step(t, &train, test->order + at, batch, &sums);
        p->loss = sums.loss / (double)(batch * trainer_terms(t));
        running = decay * running + (1 - decay) * p->loss;
        p->smooth = running / (1 - pow(decay, (double)i + 1));
        if (!isfinite(p->smooth) || p->smooth > explosion * lowest) break;
        test->found.count = i + 1;
        lowest = fmin(lowest, p->smooth);
        if (s->stage && s->stage(s->cookie, "trying step sizes", i + 1, CAELUM_LR_POINTS) != 0)
            return caelum_fail(err, CAELUM_ESTOPPED, "stopped in the range test");
    }
    test->found.suggestion = lr_find_steepest(test->found.point, test->found.count);
    if (s->stage) s->stage(s->cookie, "trying step sizes", CAELUM_LR_POINTS, CAELUM_LR_POINTS);
    return CAELUM_OK;
}

static int write_table(const char *dir, const struct caelum_lr_find *found, struct caelum_error *err) {
    char path[PATH_SIZE];
    struct file_writer w;
    CHECK(file_join(path, sizeof path, dir, "lr_find.csv", err));
    CHECK(file_begin(&w, path, err));
    number_write(w.stream, "lr,loss,smoothed_loss\r\n");
    for (const struct caelum_lr_point *p = found->point; p < found->point + found->count; p++)
        number_write(w.stream, "%.9g,%.9g,%.9g\r\n", p->lr, p->loss, p->smooth);
    return file_commit(&w, err);
}

static int write_chart(const char *dir, const struct caelum_lr_find *found, struct caelum_error *err) {
    char path[PATH_SIZE], title[96] = "Loss against step size; it falls nowhere";
    double *values = NULL;
    const size_t n = found->count;
    CHECK(file_join(path, sizeof path, dir, "lr_find.svg", err));
    CHECK(mem_alloc(&values, 3 * n, sizeof *values, err));
    for (size_t i = 0; i < n; i++) {
        values[i] = found->point[i].lr;
        values[n + i] = found->point[i].loss;
        values[2 * n + i] = found->point[i].smooth;
    }
    if (found->suggestion > 0)
        number_print(title, sizeof title, "Loss against step size; it falls fastest at %.2g",
                     found->suggestion);
    const struct svg_series series[] = {
        {.name = "loss", .x = values, .y = values + n, .n = n},
        {.name = "smoothed", .x = values, .y = values + 2 * n, .n = n, .color = 1},
    };
    const struct svg_chart chart = {.title = title,
                                    .description = "Loss of each minibatch, and its smoothed course.",
                                    .x_label = "step size",
                                    .y_label = "loss of a minibatch",
                                    .log_x = true,
                                    .log_y = true,
                                    .series = series,
                                    .count = 2,
                                    .id = "lr-find"};
    const int result = svg_chart_write(&chart, path, err);
    mem_free(&values);
    return result;
}

static int find(struct test *test, struct caelum_error *err) {
    struct caelum_train_settings *s = &test->settings;
    CHECK(train_settings_check(s, err));
    if (s->feed)
        return caelum_fail(err, CAELUM_EUSAGE, "feed: the range test takes the pictures of the data alone");
    CHECK(
        run_directory_look(&test->lock, s->out, s->force, "name another, or write into it by --force", err));
    CHECK(train_open(s, &test->data, &test->net, &test->trainer, err));
    CHECK(run_test(test, err));
    CHECK(run_directory_take(&test->lock, s->out, err));
    CHECK(write_table(s->out, &test->found, err));
    return write_chart(s->out, &test->found, err);
}

int caelum_lr_find(const struct caelum_train_settings *settings, struct caelum_lr_find *found,
                   struct caelum_error *err) {
    struct test *test = NULL;
    CHECK(mem_alloc(&test, 1, sizeof *test, err));
    test->settings = *settings;
    const int result = find(test, err);
    if (result == 0) *found = test->found;
    trainer_close(&test->trainer);
    caelum_net_close(&test->net);
    caelum_data_close(&test->data);
    mem_free(&test->order);
    file_unlock(&test->lock);
    mem_free(&test);
    return result;
}
