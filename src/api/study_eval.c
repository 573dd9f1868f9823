/* study_eval.c - the test split is looked at here and nowhere else: the model is the one that validation
 * chose. eval.json holds the model's SHA-256, so that figures of an older model are noticed. */
#include "api/study_eval.h"

#include "api/run_sheet.h"
#include "base/mem.h"

#include <math.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_BASELINES = 8, VERSION = 1 };

static int checksum(const char *path, char text[65], struct caelum_error *err) {
    struct file_map map;
    struct sha256_ctx sha;
    uint8_t digest[SHA256_DIGEST_SIZE];
    CHECK(file_map_open(&map, path, err));
    sha256_init(&sha);
    sha256_update(&sha, map.size, map.bytes);
    sha256_digest(&sha, sizeof digest, digest);
    file_map_close(&map);
    for (size_t i = 0; i < SHA256_DIGEST_SIZE; i++) snprintf(text + 2 * i, 3, "%02x", digest[i]);
    return CAELUM_OK;
}

bool study_eval_current(const struct study_unit *u, json_t **root) {
    char model[1100], path[1100], sha[65];
    snprintf(model, sizeof model, "%s/best.safetensors", u->dir);
    snprintf(path, sizeof path, "%s/eval.json", u->dir);
    if (checksum(model, sha, NULL) != 0) return false;
    json_t *found = json_load_file(path, 0, NULL);
    const char *recorded = json_string_value(json_object_get(found, "model_sha256"));
    const bool current = recorded && strcmp(recorded, sha) == 0 &&
                         json_integer_value(json_object_get(found, "version")) == VERSION;
    if (current && root)
        *root = found;
    else
        json_decref(found);
    return current;
}

static void add(json_t *object, const char *key, double value) {
    json_object_set_new(object, key, isfinite(value) ? json_real(value) : json_null());
}

static json_t *metrics_object(const struct caelum_metrics *m) {
    json_t *object = json_object();
    json_object_set_new(object, "count", json_integer((json_int_t)m->count));
    add(object, "mse", m->mse);
    add(object, "mse_float", m->mse_float);
    add(object, "psnr", m->psnr);
    add(object, "psnr_mean", m->psnr_mean);
    add(object, "ssim", m->ssim);
    add(object, "mae", m->mae);
    add(object, "accuracy", m->accuracy);
    return object;
}

static json_t *color_object(const struct caelum_color_metrics *m) {
    json_t *object = json_object();
    json_object_set_new(object, "count", json_integer((json_int_t)m->count));
    add(object, "uv_mse", m->uv_mse);
    add(object, "uv_mse_float", m->uv_mse_float);
    add(object, "r2", m->r2);
    add(object, "rgb_mse", m->rgb_mse);
    add(object, "psnr", m->psnr);
    add(object, "psnr_mean", m->psnr_mean);
    add(object, "ssim", m->ssim);
    add(object, "mae", m->mae);
    add(object, "auc", m->auc);
    add(object, "ciede2000", m->ciede2000);
    add(object, "colorfulness", m->colorfulness);
    add(object, "colorfulness_truth", m->colorfulness_truth);
    add(object, "accuracy", m->accuracy);
    add(object, "acc2", m->acc2);
    add(object, "acc5", m->acc5);
    return object;
}

static int measure(const struct study_unit *u, const struct caelum_model *model, int threads, json_t *root,
                   struct caelum_error *err) {
    struct caelum_metrics metrics;
    struct caelum_baseline list[MOST_BASELINES];
    struct caelum_net_info net;
    size_t count = 0;
    caelum_net_describe(u->net, &net);
    CHECK(caelum_eval(model, u->data, CAELUM_TEST, threads, NULL, NULL, &metrics, err));
    CHECK(caelum_baselines(u->data, CAELUM_TEST, net.bottleneck, NULL, NULL, list, MOST_BASELINES, &count,
                           err));
    json_object_set_new(root, "metrics", metrics_object(&metrics));
    json_t *baselines = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *b = metrics_object(&list[i].metrics);
        json_object_set_new(b, "name", json_string(list[i].name));
        json_object_set_new(b, "numbers", json_integer((json_int_t)list[i].numbers));
        json_array_append_new(baselines, b);
    }
    json_object_set_new(root, "baselines", baselines);
    return CAELUM_OK;
}

/* A colorizer's figures; and its contact sheet where a version that made none has trained it. */
static int measure_color(const struct study_unit *u, const struct caelum_model *model, int threads,
                         json_t *root, struct caelum_error *err) {
    struct caelum_color_metrics metrics;
    struct caelum_color_baseline list[MOST_BASELINES];
    size_t count = 0;
    char path[1100];
    struct stat st;
    const struct caelum_color_settings settings = {.threads = threads};
    CHECK(caelum_eval_color(model, u->data, CAELUM_TEST, &settings, &metrics, err));
    CHECK(caelum_color_baselines(u->data, CAELUM_TEST, NULL, NULL, list, MOST_BASELINES, &count, err));
    snprintf(path, sizeof path, "%s/colorizations.png", u->dir);
    if (CAELUM_WITH_CAIRO && stat(path, &st) != 0) CHECK(run_sheet_write(model, u->data, path, err));
    json_object_set_new(root, "metrics", color_object(&metrics));
    json_t *baselines = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *b = color_object(&list[i].metrics);
        json_object_set_new(b, "name", json_string(list[i].name));
        json_array_append_new(baselines, b);
    }
    json_object_set_new(root, "baselines", baselines);
    return CAELUM_OK;
}

int study_eval_write(const struct study_unit *u, int threads, struct caelum_error *err) {
    char model[1100], path[1100], sha[65];
    snprintf(model, sizeof model, "%s/best.safetensors", u->dir);
    snprintf(path, sizeof path, "%s/eval.json", u->dir);
    CHECK(checksum(model, sha, err));
    json_t *root = json_pack("{s:i, s:s, s:s}", "version", VERSION, "model_sha256", sha, "split", "test");
    struct caelum_model *best = NULL;
    int result = caelum_model_load(&best, model, err);
    if (result == 0)
        result = u->settings.task == CAELUM_COLORIZE ? measure_color(u, best, threads, root, err)
                                                     : measure(u, best, threads, root, err);
    caelum_model_close(&best);
    char *text = result == 0 ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) : NULL;
    if (result == 0 && !text) result = caelum_fail(err, CAELUM_ERESOURCE, "%s: out of memory", path);
    if (result == 0) result = file_write(path, text, strlen(text), err);
    free(text);
    json_decref(root);
    return result;
}
