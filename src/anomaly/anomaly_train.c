/* anomaly_train.c - a finder of defects from a directory of good pictures, its checkpoints, and its file. */
#include "anomaly/anomaly_gallery.h"
#include "data/tree.h"
#include "image/image.h"
#include "train/run_directory.h"

#include <unistd.h>

static int add_file(struct gallery *g, const struct tree *tree, const struct tree_file *file, bool grey,
                    const struct caelum_anomaly_settings *s, struct caelum_error *err) {
    struct caelum_picture picture = {0};
    struct caelum_error why;
    char name[PATH_SIZE];
    int result = tree_picture(tree, file, &picture, &why);
    if (result == CAELUM_ERESOURCE) return caelum_fail(err, result, "%s", why.text);
    if (result != 0) {
        if (s->left_out) s->left_out(s->cookie, tree_name(tree, file, name), why.text);
        return CAELUM_OK;
    }
    result = gallery_add(g, &picture, s->size, grey, err);
    caelum_picture_free(&picture);
    return result;
}

static int add_files(struct gallery *g, const struct tree *tree, bool grey,
                     const struct caelum_anomaly_settings *s, struct caelum_error *err) {
    size_t pictures = 0;
    for (size_t i = 0; i < tree->count; i++) pictures += tree->file[i].picture;
    CHECK(gallery_begin(g, pictures, err));
    for (size_t i = 0, done = 0; i < tree->count; i++) {
        if (!tree->file[i].picture) continue;
        CHECK(add_file(g, tree, &tree->file[i], grey, s, err));
        if (s->progress && s->progress(s->cookie, "reading", ++done, pictures))
            return caelum_fail(err, CAELUM_ESTOPPED, "stopped");
    }
    return CAELUM_OK;
}

int gallery_open(struct gallery *out, const char *directory, size_t least, bool grey,
                 const struct caelum_anomaly_settings *s, struct caelum_error *err) {
    struct gallery g = {0};
    struct tree tree = {0};
    int result = tree_find(&tree, directory, err);
    if (result == 0) result = add_files(&g, &tree, grey, s, err);
    if (result == 0 && g.n < least)
        result = caelum_fail(err, CAELUM_EFORMAT,
                             "%s: expected %zu good pictures or more (50 make a good beginning), found %zu",
                             directory, least, g.n);
    if (result == 0) result = gallery_map(&g, err);
    tree_close(&tree);
    if (result == 0)
        *out = g;
    else
        gallery_close(&g);
    return result;
}

/* Where the training of a network is kept; its name tells what decides the result. */
static int work_path(const struct caelum_anomaly_settings *s, size_t scale, char path[PATH_SIZE],
                     struct caelum_error *err) {
    char full[96];
    snprintf(full, sizeof full, "%s-%zu-%zu-%llu", anomaly_scale[scale].name, s->size, s->steps,
             (unsigned long long)s->seed);
    return file_join(path, PATH_SIZE, s->work, full, err);
}

int anomaly_network(const struct caelum_anomaly_settings *s, size_t scale,
                    struct caelum_train_settings *training, caelum_model **model, struct caelum_error *err) {
    char work[PATH_SIZE], checkpoint[PATH_SIZE + 32];
    struct caelum_train_result result = {0};
    if (s->work) {
        CHECK(work_path(s, scale, work, err));
        snprintf(checkpoint, sizeof checkpoint, "%s/checkpoint.safetensors", work);
        training->out = work, training->resume = access(checkpoint, F_OK) == 0;
        training->force = !training->resume;
        if (training->resume) training->epochs = 0;
    }
    CHECK(caelum_train(training, &result, err));
    *model = result.model;
    if (result.stopped && s->work)
        return caelum_fail(err, CAELUM_ESTOPPED, "stopped; the same command resumes it from %s", s->work);
    if (result.stopped) return caelum_fail(err, CAELUM_ESTOPPED, "stopped");
    return *model ? CAELUM_OK : caelum_model_load(model, work, err);
}

/* Removes what was kept while it was trained. */
static int tidy(const struct caelum_anomaly_settings *s, struct caelum_error *err) {
    char path[PATH_SIZE];
    if (!s->work) return CAELUM_OK;
    for (size_t scale = 0; scale < ANOMALY_SCALES; scale++) {
        CHECK(work_path(s, scale, path, err));
        CHECK(run_directory_clear(path, err));
        rmdir(path);
    }
    rmdir(s->work); /* stays if somebody has put something else there */
    return CAELUM_OK;
}

int caelum_anomaly_train(caelum_anomaly **anomaly, const char *directory,
                         const struct caelum_anomaly_settings *s, struct caelum_error *err) {
    struct gallery gallery = {0};
    caelum_anomaly *a = NULL;
    CHECK(anomaly_check(s, err));
    CHECK(gallery_open(&gallery, directory, 2, false, s, err));
    int result = anomaly_learn(&a, &gallery, s, err);
    gallery_close(&gallery);
    if (result == 0 && s->out) result = caelum_anomaly_save(a, s->out, err);
    if (result == 0) result = tidy(s, err);
    if (result == 0)
        *anomaly = a;
    else
        caelum_anomaly_close(&a);
    return result;
}
