/* study_eval.c - the test split is looked at here and nowhere else: the model is the one that validation
 * chose. eval.json holds the model's SHA-256, so that figures of an older model are noticed. */
#include "study/study_plan.h"

#include "base/file.h"
#include "base/json.h"
#include "metrics/figures.h"

#include <nettle/sha2.h>
#include <string.h>

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
    char model[PATH_SIZE], path[PATH_SIZE], sha[65];
    if (file_join(model, sizeof model, u->dir, "best.safetensors", NULL) != 0 ||
        file_join(path, sizeof path, u->dir, "eval.json", NULL) != 0 || checksum(model, sha, NULL) != 0)
        return false;
    json_t *found = json_read_file(path, NULL);
    const char *recorded = json_string_value(json_object_get(found, "model_sha256"));
    const bool current = recorded && strcmp(recorded, sha) == 0 &&
                         json_integer_value(json_object_get(found, "version")) == VERSION;
    if (current && root)
        *root = found;
    else
        json_decref(found);
    return current;
}

static json_t *baseline(enum caelum_task task, const char *name, const void *metrics) {
    json_t *object = figures_object(task, metrics);
    json_put(&object, "name", json_string(name));
    return object;
}

/* Puts figures of the model and of its baselines into *root. */
static int measure(const struct study_unit *u, const struct caelum_model *model,
                   const struct caelum_eval_settings *how, json_t **root, struct caelum_error *err) {
    const bool colorizes = u->settings.task == CAELUM_COLORIZE;
    struct caelum_metrics metrics;
    struct caelum_color_metrics color_metrics;
    struct caelum_baseline list[MOST_BASELINES];
    struct caelum_color_baseline color_list[MOST_BASELINES];
    struct caelum_net_info net;
    size_t count = MOST_BASELINES;
    caelum_net_describe(u->net, &net);
    if (colorizes) {
        CHECK(caelum_eval_color(model, u->data, how, &color_metrics, err));
        CHECK(caelum_color_baselines(u->data, NULL, color_list, &count, err));
    } else {
        CHECK(caelum_eval(model, u->data, how, &metrics, err));
        CHECK(caelum_baselines(u->data, NULL, net.bottleneck, list, &count, err));
    }
    json_t *baselines = json_array();
    for (size_t i = 0; i < count; i++)
        json_add(&baselines, colorizes ? baseline(CAELUM_COLORIZE, color_list[i].name, &color_list[i].metrics)
                                       : baseline(CAELUM_RECONSTRUCT, list[i].name, &list[i].metrics));
    json_put(root, "metrics",
             colorizes ? figures_object(CAELUM_COLORIZE, &color_metrics)
                       : figures_object(CAELUM_RECONSTRUCT, &metrics));
    json_put(root, "baselines", baselines);
    return CAELUM_OK;
}

int study_eval_write(const struct study_unit *u, int threads, struct caelum_error *err) {
    const struct caelum_eval_settings how = {.split = CAELUM_TEST, .threads = threads, .seed = 1};
    char model[PATH_SIZE], path[PATH_SIZE], sha[65];
    CHECK(file_join(model, sizeof model, u->dir, "best.safetensors", err));
    CHECK(file_join(path, sizeof path, u->dir, "eval.json", err));
    CHECK(checksum(model, sha, err));
    json_t *root = JSON({"version", json_integer(VERSION)}, {"model_sha256", json_string(sha)},
                        {"split", json_string("test")});
    struct caelum_model *best = NULL;
    int result = caelum_model_load(&best, model, err);
    if (result == 0) result = measure(u, best, &how, &root, err);
    caelum_model_close(&best);
    if (result == 0) result = json_save(&root, path, err);
    json_decref(root);
    return result;
}
