/* eval_data.c - which pictures a model is measured on: those that the user names, else those of its training.
 */
#include "cli.h"

#include "base/json.h"
#include "base/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Sets *value to a whole number of the model's metadata, where it has one. */
static int read_number(const struct evaluation *e, const char *key, uint64_t most, uint64_t *value,
                       struct caelum_error *err) {
    const char *text = caelum_model_metadata(e->model, key);
    if (!text || number_whole(text, 0, most, value)) return 0;
    return caelum_fail(err, CAELUM_EFORMAT, "%.400s: its metadata are damaged: '%.40s' is no such number",
                       e->model_path, key);
}

/* The split of the training, unless the user asks for another, and crops of the model's size. */
static int choose_split(struct evaluation *e, struct caelum_error *err) {
    struct caelum_data_settings *s = &e->settings;
    struct caelum_net_info net;
    uint64_t trained = s->split_seed, limit = 0;
    caelum_net_describe(caelum_model_net(e->model), &net);
    s->crop = net.height;
    CHECK(read_number(e, "split_seed", UINT64_MAX, &trained, err));
    CHECK(read_number(e, "limit", UINT32_MAX, &limit, err));
    CHECK(read_number(e, "synthetic_seed", UINT64_MAX, &s->synthetic_seed, err));
    s->limit = (size_t)limit;
    if (options_origin("split-seed") == ORIGIN_DEFAULT)
        s->split_seed = trained;
    else if (trained != s->split_seed)
        warn("the model was trained with --split-seed %llu: with another one it has seen some of these "
             "pictures",
             (unsigned long long)trained);
    return 0;
}

/* run.json in the model's directory. */
static json_t *run_beside(const char *model_path) {
    char path[PATH_SIZE];
    struct stat st;
    const char *name = path_name(model_path);
    const bool directory = stat(model_path, &st) == 0 && S_ISDIR(st.st_mode);
    const int used = directory
                         ? snprintf(path, sizeof path, "%s/run.json", model_path)
                         : snprintf(path, sizeof path, "%.*srun.json", (int)(name - model_path), model_path);
    return used > 0 && (size_t)used < sizeof path ? json_read_file(path, NULL) : NULL;
}

/* Where the run beside the model, if it is the model's, had its data from; to be freed. */
static char *data_of_run(const struct evaluation *e, const char *fingerprint) {
    json_t *root = run_beside(e->model_path), *settings = json_object_get(root, "settings");
    const char *theirs = json_string_value(json_object_get(settings, "data_fingerprint"));
    const char *spec = json_string_value(json_object_get(settings, "data_spec"));
    char *copy = spec && theirs && strcmp(theirs, fingerprint) == 0 ? strdup(spec) : NULL;
    if (copy) json_bytes_back(copy);
    json_decref(root);
    return copy;
}

/* "synthetic:400:32" out of the fingerprint "synthetic:400:32:seed1:v1"; to be freed. */
static char *data_generated(const char *fingerprint) {
    static const char begin[] = "synthetic:";
    const char *at = fingerprint + strlen(begin);
    uint64_t count, size;
    if (strncmp(fingerprint, begin, strlen(begin)) != 0) return NULL;
    if (!number_whole_at(at, &at, 0, SIZE_MAX, &count) || *at++ != ':') return NULL;
    if (!number_whole_at(at, &at, 0, SIZE_MAX, &size)) return NULL;
    return strndup(fingerprint, (size_t)(at - fingerprint));
}

/* Where nothing says which pictures they are, nothing is guessed. */
static int choose_data(struct evaluation *e, struct caelum_error *err) {
    const char *kind = caelum_model_metadata(e->model, "data");
    const char *fingerprint = caelum_model_metadata(e->model, "data_fingerprint");
    if (e->data_spec) return 0;
    if (!kind || !fingerprint)
        return caelum_fail(
            err, CAELUM_EUSAGE,
            "%.400s doesn't say which pictures it was trained on; name with --data those that it should "
            "be measured on",
            e->model_path);
    e->data_spec = e->found = data_of_run(e, fingerprint);
    if (!e->data_spec) e->data_spec = e->found = data_generated(fingerprint);
    if (e->data_spec) return 0;
    return caelum_fail(
        err, CAELUM_EUSAGE,
        "%.300s was trained on %.40s, and there is no run.json in its directory that says where that is; "
        "name the pictures by --data",
        e->model_path, strcmp(kind, "folder") == 0 ? "a folder of pictures" : kind);
}

int eval_data_open(struct evaluation *e, struct caelum_error *err) {
    const char *trained_on = caelum_model_metadata(e->model, "data_fingerprint");
    CHECK(choose_split(e, err));
    CHECK(choose_data(e, err));
    CHECK(caelum_data_open(&e->data, e->data_spec, &e->settings, err));
    if (trained_on && strcmp(trained_on, caelum_data_fingerprint(e->data)) != 0)
        warn("%s: these are not the pictures that the model was trained on", e->data_spec);
    return 0;
}
