/* cmd_eval_color.c - caelum eval for a colorizer: its figures above those of colorizers that are no networks,
 * and whether it does more than copy grey. */
#include "cli.h"

#include "base/json.h"
#include "base/number.h"

#include <stdio.h>

enum { MOST_BASELINES = 8 };

static const char *verdict(const struct caelum_color_metrics *m, const struct caelum_color_metrics *grey) {
    return caelum_color_learned(m, grey) ? "color learned" : "no color learned";
}

/* list[0] is grey. */
static void print_table(const struct evaluation *e, const struct caelum_color_metrics *m,
                        const struct caelum_color_baseline *list, size_t count) {
    const struct caelum_color_metrics *grey = &list[0].metrics;
    printf("%s, %s split, %zu pictures of %s; U and V merged with the true Y, clamped and rounded to 8 bit\n",
           e->model_path, eval_splits[e->how.split], m->count, e->data);
    if (e->how.vivid > 0) printf("vivid %g\n", e->how.vivid);
    if (e->how.hints > 0) printf("told the true colors of %zu random pixels of each picture\n", e->how.hints);
    printf("\n");
    eval_head(CAELUM_COLORIZE, "");
    eval_row(CAELUM_COLORIZE, "this model", "", m);
    for (size_t i = 0; i < count; i++) eval_row(CAELUM_COLORIZE, list[i].name, "", &list[i].metrics);
    /* a dial that is turned up gives accuracy away on purpose */
    if (e->how.vivid > 0)
        printf("\ncolorfulness %.2f of the truth's %.2f, uv_mse %.3f of grey's\n", m->colorfulness,
               m->colorfulness_truth, 1 - m->r2);
    else
        printf("\n%s: colorfulness %.2f of the truth's %.2f, r2 %.3f, %+.2f dB against grey; at least 5, "
               "0.05 and "
               "0.3 dB are asked for\n",
               verdict(m, grey), m->colorfulness, m->colorfulness_truth, m->r2, m->psnr - grey->psnr);
}

static void print_object(const struct evaluation *e, const struct caelum_net_info *net,
                         const struct caelum_color_metrics *m, const struct caelum_color_baseline *list,
                         size_t count, const struct caelum_semantic_metrics *semantic) {
    json_t *object = eval_object(e, m->count), *baselines = json_array();
    json_put(&object, "measured_on",
             json_string("U and V merged with the true Y, clamped and rounded to 8 bit, except "
                         "uv_mse_float and accuracy"));
    eval_add(&object, CAELUM_COLORIZE, m);
    json_put(&object, "vivid", json_number(e->how.vivid));
    json_put(&object, "hints", json_size(e->how.hints));
    json_put(&object, "verdict", e->how.vivid > 0 ? json_null() : json_string(verdict(m, &list[0].metrics)));
    if (e->classifier) json_put(&object, "semantic", eval_semantic_object(e, semantic));
    json_put(&object, "parameters", json_size(net->parameters));
    for (size_t i = 0; i < count; i++) {
        json_t *b = json_object();
        json_put(&b, "name", json_string(list[i].name));
        eval_add(&b, CAELUM_COLORIZE, &list[i].metrics);
        json_add(&baselines, b);
    }
    json_put(&object, "baselines", baselines);
    print_json(object);
}

int eval_color(const struct evaluation *e, caelum_model *model, const caelum_data *data,
               struct caelum_error *err) {
    struct caelum_color_metrics metrics;
    struct caelum_color_baseline list[MOST_BASELINES];
    struct caelum_semantic_metrics semantic;
    struct caelum_net_info net;
    size_t count = e->no_baselines ? 1 : MOST_BASELINES;
    caelum_net_describe(caelum_model_net(model), &net);
    int code = e->record && e->how.split == CAELUM_VALIDATION
                   ? caelum_color_calibrate(model, data, &e->how, err)
                   : 0;
    if (code == 0 && e->classifier) code = eval_semantic(e, model, data, &semantic, err);
    if (code == 0) code = caelum_eval_color(model, data, &e->how, &metrics, err);
    if (code == 0) code = caelum_color_baselines(data, &e->how, list, &count, err);
    if (code == 0 && e->record) code = eval_record(e, model, CAELUM_COLORIZE, &metrics, err);
    progress_clear();
    if (code != 0) return code;
    if (e->json)
        print_object(e, &net, &metrics, list, count, &semantic);
    else
        print_table(e, &metrics, list, count);
    if (!e->json && e->classifier) eval_semantic_print(e, &semantic);
    return 0;
}
