/* lr_range.c - the learning rate range test as a person asks for it: a table and a chart. */
#include "base/mem.h"
#include "base/number.h"
#include "base/path.h"
#include "report/svg_chart.h"
#include "train/lr_find.h"
#include "train/run_directory.h"
#include "train/train_open.h"
#include "train/train_settings.h"

static int on_batch(void *cookie, size_t done) {
    const struct caelum_train_settings *s = cookie;
    return s->stage ? s->stage(s->cookie, "trying step sizes", done, CAELUM_LR_POINTS) : 0;
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

int caelum_lr_find(const struct caelum_train_settings *s, struct caelum_lr_find *found,
                   struct caelum_error *err) {
    struct caelum_data *data = NULL;
    struct caelum_net *net = NULL;
    struct trainer trainer = {0};
    struct caelum_lr_find *mine = NULL;
    struct file_lock lock = {0};
    CHECK(train_settings_check(s, err));
    int result =
        run_directory_look(&lock, s->out, s->force, "name another, or write into it by --force", err);
    if (result == 0) result = mem_alloc(&mine, 1, sizeof *mine, err);
    if (result == 0) result = train_open(s, &data, &net, &trainer, err);
    if (result == 0) {
        const struct pictures train = data_pictures(data, CAELUM_TRAIN);
        struct caelum_train_settings told = *s;
        result = lr_find_run(&trainer, &train, s->seed, on_batch, &told, mine, err);
        if (result == 0 && s->stage)
            s->stage(s->cookie, "trying step sizes", CAELUM_LR_POINTS, CAELUM_LR_POINTS);
    }
    if (result == 0) result = run_directory_take(&lock, s->out, err);
    if (result == 0) result = write_table(s->out, mine, err);
    if (result == 0) result = write_chart(s->out, mine, err);
    if (result == 0) *found = *mine;
    trainer_close(&trainer);
    caelum_net_close(&net);
    caelum_data_close(&data);
    mem_free(&mine);
    file_unlock(&lock);
    return result;
}
