/* cmd_eval_class.c - caelum eval for a classifier, and the semantic test of a colorizer by one. */
#include "cli.h"

#include "base/json.h"
#include "base/number.h"

#include <math.h>
#include <stdio.h>

static void print_object(const struct evaluation *e, const caelum_model *model,
                         const struct caelum_class_metrics *m) {
    json_t *object = eval_object(e, m->count);
    struct caelum_net_info net;
    caelum_net_describe(caelum_model_net(model), &net);
    eval_add(&object, CAELUM_CLASSIFY, m);
    json_put(&object, "parameters", json_size(net.parameters));
    print_json(object);
}

int eval_class(const struct evaluation *e, caelum_model *model, const caelum_data *data,
               struct caelum_error *err) {
    struct caelum_class_metrics m;
    int code = caelum_eval_class(model, data, &e->how, &m, err);
    if (code == 0 && e->record) code = eval_record(e, model, CAELUM_CLASSIFY, &m, err);
    progress_clear();
    if (code != 0) return code;
    if (e->json) {
        print_object(e, model, &m);
        return 0;
    }
    printf("%s, %s split, %zu pictures of %s\n\n", e->model_path, eval_splits[e->how.split], m.count,
           e->data);
    eval_head(CAELUM_CLASSIFY, "");
    eval_row(CAELUM_CLASSIFY, "this model", "", &m);
    return 0;
}

/* --- The semantic test ---------------------------------------------------------------------------- */

int eval_semantic(const struct evaluation *e, const caelum_model *colorizer, const caelum_data *data,
                  struct caelum_semantic_metrics *metrics, struct caelum_error *err) {
    caelum_model *classifier = NULL;
    char path[PATH_SIZE];
    int code = caelum_model_load(&classifier, path_shipped(e->classifier, ".safetensors", path), err);
    if (code != 0) return code;
    const char *seed = caelum_model_metadata(classifier, "split_seed");
    uint64_t trained;
    if (number_whole(seed, 0, UINT64_MAX, &trained) && trained != e->settings.split_seed)
        warn("the classifier was trained with --split-seed %s: it has seen some of these pictures", seed);
    code = caelum_eval_semantic(colorizer, classifier, data, &e->how, metrics, err);
    caelum_model_close(&classifier);
    return code;
}

void eval_semantic_print(const struct evaluation *e, const struct caelum_semantic_metrics *m) {
    printf("\nwhat the classifier %s makes of the pictures\n\n", e->classifier);
    eval_head(CAELUM_CLASSIFY, "");
    eval_row(CAELUM_CLASSIFY, "in their colors", "", &m->color);
    eval_row(CAELUM_CLASSIFY, "in grey", "", &m->grey);
    eval_row(CAELUM_CLASSIFY, "in this model's colors", "", &m->recolored);
    if (isfinite(m->closed))
        printf("\n%.1f %% of the gap in accuracy between grey and color closed\n", 100 * m->closed);
    else
        printf("\nit is no better with colors than in grey, so it tells nothing about a colorizer\n");
}

json_t *eval_semantic_object(const struct evaluation *e, const struct caelum_semantic_metrics *m) {
    const struct caelum_class_metrics *const ways[] = {&m->color, &m->grey, &m->recolored};
    static const char *const names[] = {"color", "grey", "recolored"};
    json_t *object = json_object();
    json_put(&object, "classifier", json_bytes(e->classifier));
    for (size_t i = 0; i < 3; i++) {
        json_t *way = json_object();
        eval_add(&way, CAELUM_CLASSIFY, ways[i]);
        json_put(&object, names[i], way);
    }
    json_put(&object, "closed", json_number(m->closed));
    return object;
}
