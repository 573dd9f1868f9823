/* anomaly_json.c - the keys of figures of defect finders; docs/metrics.md explains them. */
#include "anomaly/anomaly_eval.h"

static json_t *figures_of(const struct anomaly_figures *f) {
    return JSON({"image_auroc", json_number(f->image.auroc)}, {"image_ap", json_number(f->image.ap)},
                {"image_f1_max", json_number(f->image.f1_max)}, {"pixel_auroc", json_number(f->pixel.auroc)},
                {"pixel_ap", json_number(f->pixel.ap)}, {"au_pro_30", json_number(f->pixel.au_pro_30)},
                {"au_pro_5", json_number(f->pixel.au_pro_5)}, {"false_alarms", json_number(f->false_alarms)},
                {"true_positives", json_number(f->true_positives)}, {"good", json_size(f->good)},
                {"bad", json_size(f->bad)});
}

/* A folder may be called anything. */
static void put_named(json_t **object, const char *bytes, json_t *value) {
    json_t *name = json_bytes(bytes);
    json_put(object, json_string_value(name), value);
    json_decref(name);
}

static json_t *result_of(const struct anomaly_eval *e, const struct anomaly_result *r) {
    const double pictures = (double)(r->all.good + r->all.bad);
    json_t *object = figures_of(&r->all), *kinds = json_object();
    for (size_t k = 1; k < e->folders->kinds; k++)
        put_named(&kinds, e->folders->kind[k], figures_of(&r->kind[k]));
    json_put(&object, "ms_per_picture", json_number(1000 * r->seconds / pictures));
    json_put(&object, "kinds", kinds);
    return object;
}

json_t *anomaly_eval_json(const struct anomaly_eval *e) {
    json_t *object = result_of(e, &e->result[0]), *baselines = json_object(), *left = json_array();
    for (size_t d = 1; d < e->detectors; d++)
        json_put(&baselines, e->detector[d].name, result_of(e, &e->result[d]));
    for (size_t i = 0; i < e->left; i++) json_add(&left, json_bytes(e->left_out[i]));
    json_put(&object, "baselines", baselines);
    json_put(&object, "left_out", left);
    return object;
}
