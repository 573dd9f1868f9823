/* figures.c - a figure is a member of its struct, the computation that fills it, and its row here. */
#include "metrics/figures.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#define PLAIN(name) #name, offsetof(struct caelum_metrics, name)
#define COLOR(name) #name, offsetof(struct caelum_color_metrics, name)
#define CLASS(name) #name, offsetof(struct caelum_class_metrics, name)

/* key and place, title, unit, format, which way is better, a column in tables */
static const struct caelum_figure plain[] = {{PLAIN(mse), "MSE", "", "%.6f", -1, true},
                                             {PLAIN(mse_float), "MSE before rounding", "", "%.6f", -1, true},
                                             {PLAIN(psnr), "PSNR", "dB", "%.2f", 1, true},
                                             {PLAIN(psnr_mean), "mean PSNR", "dB", "%.2f", 1, true},
                                             {PLAIN(ssim), "SSIM", "", "%.4f", 1, true},
                                             {PLAIN(mae), "MAE", "", "%.4f", -1, true},
                                             {PLAIN(accuracy), "accuracy", "", "%.4f", 1, true},
                                             {0}};

static const struct caelum_figure color[] = {
    {COLOR(uv_mse), "UV MSE", "", "%.6f", -1, true},
    {COLOR(uv_mse_float), "UV MSE before rounding", "", "%.6f", -1, false},
    {COLOR(r2), "R²", "", "%.3f", 1, true},
    {COLOR(rgb_mse), "RGB MSE", "", "%.6f", -1, true},
    {COLOR(psnr), "PSNR", "dB", "%.2f", 1, true},
    {COLOR(psnr_mean), "mean PSNR", "dB", "%.2f", 1, true},
    {COLOR(ssim), "SSIM", "", "%.4f", 1, true},
    {COLOR(mae), "MAE", "", "%.4f", -1, true},
    {COLOR(auc), "AuC", "", "%.4f", 1, true},
    {COLOR(ciede2000), "CIEDE2000", "", "%.2f", -1, true},
    {COLOR(colorfulness), "colorfulness", "", "%.1f", 1, true},
    {COLOR(colorfulness_truth), "colorfulness of the truth", "", "%.1f", 0, false},
    {COLOR(accuracy), "accuracy", "", "%.4f", 1, true},
    {COLOR(acc2), "within 2 of L*", "", "%.4f", 1, false},
    {COLOR(acc5), "within 5 of L*", "", "%.4f", 1, false},
    {0}};

static const struct caelum_figure classes[] = {
    {CLASS(accuracy), "accuracy", "", "%.4f", 1, true},
    {CLASS(cross_entropy), "cross-entropy", "nats", "%.4f", -1, true},
    {0}};

const struct caelum_figure *caelum_figures(enum caelum_task task) {
    return task == CAELUM_COLORIZE ? color : task == CAELUM_CLASSIFY ? classes : plain;
}

double caelum_figure_value(const struct caelum_figure *figure, const void *metrics) {
    double value;
    memcpy(&value, (const char *)metrics + figure->offset, sizeof value);
    return value;
}

/* Every metrics struct begins with the count of pictures. */
json_t *figures_object(enum caelum_task task, const void *metrics) {
    json_t *object = json_object();
    size_t count;
    memcpy(&count, metrics, sizeof count);
    for (const struct caelum_figure *f = caelum_figures(task); f->key; f++)
        json_put(&object, f->key, json_number(caelum_figure_value(f, metrics)));
    json_put(&object, "count", json_size(count));
    return object;
}

bool figures_take(enum caelum_task task, const json_t *object, void *metrics) {
    const size_t count = (size_t)json_integer_value(json_object_get(object, "count"));
    if (count == 0) return false;
    memcpy(metrics, &count, sizeof count);
    for (const struct caelum_figure *f = caelum_figures(task); f->key; f++) {
        const json_t *found = json_object_get(object, f->key);
        const double value = json_is_null(found) ? (double)NAN : json_number_value(found);
        if (!json_is_null(found) && !json_is_number(found)) return false;
        memcpy((char *)metrics + f->offset, &value, sizeof value);
    }
    return true;
}
