/* figures_file.c - {"key": what the figures are of, "baselines": [figures]}. */
#include "eval/figures_file.h"

#include "base/json.h"
#include "base/kept.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PLAIN(name) \
    { #name, offsetof(struct caelum_metrics, name) }
#define COLOR(name) \
    { #name, offsetof(struct caelum_color_metrics, name) }

const struct figure_list figures_of_metrics = {
    {PLAIN(mse), PLAIN(mse_float), PLAIN(psnr), PLAIN(psnr_mean), PLAIN(ssim), PLAIN(mae), PLAIN(accuracy)},
    7};

const struct figure_list figures_of_color = {
    {COLOR(uv_mse), COLOR(uv_mse_float), COLOR(r2), COLOR(rgb_mse), COLOR(psnr), COLOR(psnr_mean),
     COLOR(ssim), COLOR(mae), COLOR(auc), COLOR(ciede2000), COLOR(colorfulness), COLOR(colorfulness_truth),
     COLOR(accuracy), COLOR(acc2), COLOR(acc5)},
    15};

json_t *figures_object(const struct figure_list *list, const void *metrics) {
    json_t *object = json_object();
    for (size_t i = 0; i < list->count; i++) {
        double value;
        memcpy(&value, (const char *)metrics + list->field[i].offset, sizeof value);
        json_put(&object, list->field[i].key, json_number(value));
    }
    return object;
}

bool figures_take(const struct figure_list *list, const json_t *object, void *metrics) {
    for (size_t i = 0; i < list->count; i++) {
        const json_t *found = json_object_get(object, list->field[i].key);
        const double value = json_is_null(found) ? (double)NAN : json_number_value(found);
        if (!json_is_null(found) && !json_is_number(found)) return false;
        memcpy((char *)metrics + list->field[i].offset, &value, sizeof value);
    }
    return true;
}

json_t *figures_read(const char *path, const char *key) {
    const char *why;
    const int fd = kept_open(path, &why);
    if (fd < 0) return NULL;
    json_t *root = json_read_descriptor(fd, NULL);
    close(fd);
    json_t *figures = json_object_get(root, "baselines");
    const char *found = json_string_value(json_object_get(root, "key"));
    const bool good = found && strcmp(found, key) == 0 && json_is_array(figures);
    if (good) json_incref(figures);
    json_decref(root);
    return good ? figures : NULL;
}

void figures_keep(const char *path, const char *key, json_t *figures) {
    struct file_writer writer = {0};
    json_t *root = json_object();
    char *text = NULL;
    json_put(&root, "key", json_string(key));
    json_put(&root, "baselines", figures);
    if (json_text(&root, JSON_INDENT(1) | JSON_REAL_PRECISION(17), path, &text, NULL) != 0) return;
    if (*path && kept_begin(&writer, path, NULL) == 0) {
        fputs(text, writer.stream);
        (void)file_commit(&writer, NULL);
    }
    free(text);
}
