/* run_files.c - metrics.csv and the training curves of a run directory. */
#include "report/run_files.h"

#include "base/file.h"
#include "base/mem.h"
#include "report/chart.h"

int run_write_metrics(const char *dir, const struct caelum_epoch *history, size_t epochs,
                      struct caelum_error *err) {
    char path[1024];
    struct file_writer w;
    CHECK(file_join(path, sizeof path, dir, "metrics.csv", err));
    CHECK(file_begin(&w, path, err));
    fprintf(
        w.stream,
        "epoch,loss,psnr,accuracy,val_loss,val_psnr,val_accuracy,best,seconds,pictures_per_second,lr\r\n");
    for (size_t i = 0; i < epochs; i++) {
        const struct caelum_epoch *e = &history[i];
        fprintf(w.stream, "%zu,%.9g,%.6f,%.6f,%.9g,%.6f,%.6f,%d,%.3f,%.0f,%.9g\r\n", e->epoch, e->loss,
                e->psnr, e->accuracy, e->val_loss, e->val_psnr, e->val_accuracy, e->best, e->seconds,
                e->pictures_per_second, e->lr);
    }
    return file_commit(&w, err);
}

int run_write_curves(const char *dir, const char *title, const char *loss, const struct caelum_epoch *history,
                     size_t epochs, struct caelum_error *err) {
    char svg[1024], png[1024];
    CHECK(file_join(svg, sizeof svg, dir, "curves.svg", err));
    CHECK(file_join(png, sizeof png, dir, "curves.png", err));
    double *values = NULL;
    CHECK(mem_alloc(&values, 3 * epochs, sizeof *values, err));
    for (size_t i = 0; i < epochs; i++) {
        values[i] = (double)history[i].epoch;
        values[epochs + i] = history[i].loss;
        values[2 * epochs + i] = history[i].val_loss;
    }
    const struct chart_series series[] = {
        {.name = "train", .x = values, .y = values + epochs, .n = epochs},
        {.name = "validation", .x = values, .y = values + 2 * epochs, .n = epochs},
    };
    const struct chart chart = {.title = title,
                                .x_label = "epoch",
                                .y_label = loss,
                                .log_y = true,
                                .series = series,
                                .series_count = 2};
    int result = chart_write(&chart, svg, err);
    if (result == 0) result = chart_write(&chart, png, err);
    mem_free(&values);
    return result;
}
