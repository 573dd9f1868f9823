/* test_every_layer.c - what every layer of layers.def has to do, found by its own examples and attributes; no
 * list names any. A layer of the tests' own passes here, too: test_sham_every_layer is this program with a
 * longer list. */
#include "model_files.h"

#include "train/trainer.h"

#include <math.h>

enum { SIDE_H = 12, SIDE_W = 11, TEXT = 400 };

/* Calls `check` with a network around each example of each layer. */
static void each_example(void (*check)(const struct layer_ops *ops, const char *text)) {
    for (const struct layer_ops *const *ops = layers_all(); *ops; ops++) {
        assert_non_null((*ops)->examples);
        assert_non_null((*ops)->examples[0]);
        for (const char *const *line = (*ops)->examples; *line; line++) {
            char text[TEXT];
            snprintf(text, sizeof text, "input 3\nconv 4\n%s\n", *line);
            check(*ops, text);
        }
    }
}

static struct caelum_net *parse(const char *text) {
    struct caelum_net *net = NULL;
    assert_ok(caelum_net_parse(&net, text, "test", SIDE_H, SIDE_W, err));
    return net;
}

/* --- Language ------------------------------------------------------------------------------------- */

/* What is printed reads back as the same; a part has the shapes and parameters of the whole; so has the same
 * network carried to its own size. */
static void check_text(const struct layer_ops *ops, const char *text) {
    struct caelum_net *net = parse(text), *again = NULL, *part = NULL, *same = NULL;
    char printed[TEXT] = "input 3\n", usage[LAYER_USAGE];
    for (size_t i = 0; i < net->layers; i++) strcat(strcat(printed, net->layer[i].text), "\n");
    assert_ok(caelum_net_parse(&again, printed, "printed", SIDE_H, SIDE_W, err));
    assert_true(net_same(net, again) && net->params == again->params);
    assert_ok(net_slice(&part, net, 1, net->layers, err));
    assert_memory_equal(&net->layer[net->layers - 1].out, &part->layer[part->layers - 1].out,
                        sizeof(struct shape));
    assert_int_equal(part->params, net->params - net->layer[1].params);
    assert_ok(net_at(&same, net, SIDE_H, SIDE_W, err));
    assert_true(net_same(net, same));
    attributes_usage(ops->attributes, ops->name, usage);
    assert_memory_equal(usage, ops->name, strlen(ops->name));
    caelum_net_close(&net), caelum_net_close(&again), caelum_net_close(&part), caelum_net_close(&same);
}

static void lines_are_read_and_printed(void **state) {
    (void)state;
    each_example(check_text);
}

/* A value for a row, right or wrong, out of all that could be there. */
static void say_value(struct rng *rng, const struct attribute *a, char *text, size_t size) {
    static const char *const odd[] = {"0", "-1", "99999999999999999999", "1e9", "x", "nan", "=", ".5", "3"};
    const char *key = a->kind == ATTRIBUTE_KEY || a->kind == ATTRIBUTE_CHOICE ? a->name : "";
    char value[LAYER_NAME];
    size_t words = 0;
    while (a->words && a->words[words]) words++;
    if (rng_below(rng, 4) == 0)
        snprintf(value, sizeof value, "%s", odd[rng_below(rng, sizeof odd / sizeof *odd)]);
    else if (words)
        snprintf(value, sizeof value, "%s", a->words[rng_below(rng, (uint32_t)words)]);
    else
        snprintf(value, sizeof value, "%.0f", a->least + rng_below(rng, 9));
    snprintf(text, size, " %s%s%s", key, *key ? "=" : "", value);
}

/* Random values for every attribute: what is taken comes back from its own print, what is not names its line.
 */
static void any_line_is_taken_or_explained(void **state) {
    (void)state;
    struct rng rng = rng_make(1, RNG_TEST, 7);
    size_t taken = 0;
    for (const struct layer_ops *const *ops = layers_all(); *ops; ops++)
        for (int n = 0; n < 300; n++) {
            char text[TEXT], row[100];
            struct caelum_net *net = NULL;
            struct caelum_error err = {0};
            snprintf(text, sizeof text, "input 3\nconv 4\nsave 3\n%s", (*ops)->name);
            for (const struct attribute *a = (*ops)->attributes; a && a->name; a++)
                if (a->needed ? rng_below(&rng, 20) : rng_below(&rng, 2))
                    say_value(&rng, a, row, sizeof row), strcat(text, row);
            const int code = caelum_net_parse(&net, text, "fuzz", SIDE_H, SIDE_W, &err);
            if (code == 0) {
                check_text(*ops, text);
                taken++;
            } else if (code != CAELUM_EFORMAT || strncmp(err.text, "fuzz:4:", 7) != 0) {
                fail_msg("%s: %d: %s", text, code, err.text);
            }
            caelum_net_close(&net);
        }
    print_message("%zu random lines were taken\n", taken);
    assert_true(taken > 500);
}

/* --- Arithmetic ----------------------------------------------------------------------------------- */

struct work {
    struct net_workspace ws;
    struct tensor weight; /* the gradient of the output: the loss is the sum of weight times output */
    float *params, *packed, *grads;
};

static void work_open(struct work *w, const struct caelum_net *net) {
    struct rng rng = rng_make(3, RNG_TEST, 1);
    const struct shape out = net_output(net);
    assert_ok(net_workspace_open(&w->ws, net, lanes, true, err));
    assert_ok(mem_alloc(&w->params, net->params, sizeof(float), err));
    assert_ok(mem_alloc(&w->packed, net->packed, sizeof(float), err));
    assert_ok(mem_alloc(&w->grads, MOST_LANES / SUM_LANES * net->params, sizeof(float), err));
    net_init(net, 5, w->params);
    for (size_t i = 0; i < net->params; i++) w->params[i] += 0.2f * test_random(&rng);
    w->weight = test_tensor(out.c, out.h, out.w, 0, 0);
    test_tensor_random(&w->ws.value[0], &rng);
    test_tensor_random(&w->weight, &rng);
}

static void work_close(struct work *w) {
    net_workspace_close(&w->ws);
    test_tensor_free(&w->weight);
    mem_free(&w->params), mem_free(&w->packed), mem_free(&w->grads);
}

static double loss_of(const struct work *w, const struct caelum_net *net, const struct kernels *kernels) {
    double loss = 0;
    net_pack(net, w->params, w->packed);
    net_forward(net, kernels, w->params, w->packed, &w->ws);
    const struct tensor *y = &w->ws.value[net->layers];
    for (size_t c = 0; c < y->c; c++)
        for (size_t i = 0; i < y->h; i++) {
            const float *a = tensor_at(y, c, (ptrdiff_t)i, 0), *b = tensor_at(&w->weight, c, (ptrdiff_t)i, 0);
            for (size_t j = 0; j < y->w * lanes; j++) loss += (double)a[j] * (double)b[j];
        }
    return loss;
}

/* The slope by central differences. */
static double slope_of(struct work *w, const struct caelum_net *net, const struct kernels *kernels,
                       size_t i) {
    const float at = w->params[i], step = 5e-4f;
    w->params[i] = at + step;
    const double above = loss_of(w, net, kernels);
    w->params[i] = at - step;
    const double below = loss_of(w, net, kernels);
    w->params[i] = at;
    return (above - below) / (2 * (double)step);
}

/* In single precision and over many pixels, some of them at kinks, differences are good to some hundredths of
 * the gradient: they show a term that is wrong or missing, and test_random_nets shows the last digits. */
static void check_slopes(const struct layer_ops *ops, const char *text) {
    const struct kernels *kernels = test_kernels(cpu_detect());
    struct caelum_net *net = parse(text);
    struct work w = {0};
    double gradient = 0, error = 0;
    work_open(&w, net);
    loss_of(&w, net, kernels);
    kernels->copy(&w.weight, &w.ws.grad[net->layers]);
    net_backward(net, kernels, w.params, w.packed, &w.ws, w.grads);
    test_fold(w.grads, net->params);
    for (size_t i = 0; i <= net->layers; i++) assert_true(test_border(&w.ws.value[i], 0));
    for (size_t l = 0; l < net->layers; l++) { /* each layer's own: a small one must not hide behind others */
        const struct net_layer *layer = &net->layer[l];
        const bool costs = (layer->ops->step->traits | ops->step->traits) & STEP_COSTS;
        for (size_t i = 0; i < layer->count && !costs; i += 1 + layer->count / 60) {
            const double g = (double)w.grads[layer->params + i];
            const double d = g - slope_of(&w, net, kernels, layer->params + i);
            gradient += g * g, error += d * d;
        }
        if (layer->count > 0 && !costs && !(sqrt(error) < 0.06 * sqrt(gradient)))
            fail_msg("%s: %s: gradients of %g are %g away from differences", text, layer->text,
                     sqrt(gradient), sqrt(error));
        gradient = error = 0;
    }
    work_close(&w);
    caelum_net_close(&net);
}

static void gradients_match_differences(void **state) {
    (void)state;
    each_example(check_slopes);
}

/* The same network with an output of the input's shape. */
static void close_text(const char *text, char closed[TEXT]) {
    struct caelum_net *net = parse(text);
    const struct shape out = net_output(net);
    const int used = snprintf(closed, TEXT, "%s", text);
    if (out.c != 3 || out.h != SIDE_H || out.w != SIDE_W)
        snprintf(closed + used, TEXT - (size_t)used, "dense %d\nreshape 3 %d %d\n", 3 * SIDE_H * SIDE_W,
                 SIDE_H, SIDE_W);
    caelum_net_close(&net);
}

/* 37 pictures, three steps, on one thread and on three: the same bits, and a lower loss than before. */
static void check_training(const struct layer_ops *ops, const char *text) {
    enum { N = 37 };
    static uint8_t pixels[N * 3 * SIDE_H * SIDE_W];
    static uint32_t index[N];
    struct rng rng = rng_make(9, RNG_TEST, 2);
    char closed[TEXT];
    struct loss_sums sums[8];
    float *params[2] = {NULL};
    close_text(text, closed);
    struct caelum_net *net = parse(closed);
    for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)rng_below(&rng, 256);
    for (uint32_t i = 0; i < N; i++) index[i] = i;
    const struct pictures set = {.pixels = pixels, .index = index, .n = N, .c = 3, .h = SIDE_H, .w = SIDE_W};
    for (int run = 0; run < 2; run++) {
        struct trainer trainer;
        const struct caelum_train_settings settings = trainer_defaults(N, 0.0003, run ? 3 : 1);
        assert_ok(trainer_open(&trainer, net, &settings, N, err));
        for (size_t step = 0; step < 8; step++) trainer_step(&trainer, &set, index, N, &sums[step]);
        assert_ok(mem_alloc(&params[run], net->params, sizeof(float), err));
        memcpy(params[run], trainer.params, net->params * sizeof(float));
        trainer_close(&trainer);
    }
    if (memcmp(params[0], params[1], net->params * sizeof(float)) != 0) fail_msg("%s: threads matter", text);
    if (!(ops->step->traits & (STEP_COSTS | STEP_RANDOM)) && !(sums[7].squared < sums[0].squared))
        fail_msg("%s: the error went from %g to %g", text, sums[0].squared, sums[7].squared);
    mem_free(&params[0]), mem_free(&params[1]);
    caelum_net_close(&net);
}

static void every_layer_learns(void **state) {
    (void)state;
    each_example(check_training);
}

/* --- Files ---------------------------------------------------------------------------------------- */

static void check_files(const struct layer_ops *ops, const char *text) {
    caelum_model *model = model_of(text, SIDE_H, SIDE_W, 1, 0.3f), *back = NULL;
    const size_t in = shape_values(model->net->input), out = shape_values(net_output(model->net));
    float *x = NULL, *y = NULL;
    struct rng rng = rng_make(4, RNG_TEST, 3);
    assert_ok(mem_alloc(&x, in, sizeof *x, err));
    assert_ok(mem_alloc(&y, 2 * out, sizeof *y, err));
    for (size_t i = 0; i < in; i++) x[i] = test_random(&rng);
    assert_ok(caelum_model_save(model, in_directory("m.safetensors"), err));
    assert_ok(caelum_model_load(&back, in_directory("m.safetensors"), err));
    assert_ok(caelum_model_run(model, model->net->layers, x, 1, y, err));
    assert_ok(caelum_model_run(back, back->net->layers, x, 1, y + out, err));
    assert_memory_equal(y, y + out, out * sizeof *y);
    if (CAELUM_WITH_ONNX && ops->onnx) assert_ok(caelum_model_export(model, in_directory("m.onnx"), err));
    mem_free(&x), mem_free(&y);
    caelum_model_close(&model), caelum_model_close(&back);
}

static void models_come_back(void **state) {
    (void)state;
    each_example(check_files);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_read_and_printed),
        cmocka_unit_test(any_line_is_taken_or_explained),
        cmocka_unit_test(gradients_match_differences),
        cmocka_unit_test(every_layer_learns),
        cmocka_unit_test(models_come_back),
    };
    return cmocka_run_group_tests(tests, open_directory, remove_directory);
}
