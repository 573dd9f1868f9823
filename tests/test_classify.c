/* test_classify.c - classifying: a network learns what pictures are told to show, its figures by hand, and
 * the semantic test of colorizers whose colors are known. */
#include "testing.h"

#include "data/data.h"
#include "train/train_settings.h"
#include "train/trainer.h"

#include <math.h>

/* --- Learning ------------------------------------------------------------------------------------- */

enum { SIDE = 8, PLANE = SIDE * SIDE, CLASSES = 3, N = 91 };

/* Noise in which the class's channel is a little brighter on average, so that single pixels tell nothing. */
struct colored {
    uint8_t pixels[N][3 * PLANE];
    uint16_t labels[N];
    uint32_t index[N], order[N];
    struct pictures set;
};

static void make_colored(struct colored *c) {
    struct rng rng = rng_make(12, RNG_TEST, 0);
    for (uint32_t i = 0; i < N; i++) {
        c->labels[i] = (uint16_t)rng_below(&rng, CLASSES);
        for (size_t j = 0; j < sizeof c->pixels[i]; j++)
            c->pixels[i][j] = (uint8_t)(rng_below(&rng, 200) + (j / PLANE == c->labels[i] ? 50 : 0));
        c->index[i] = N - 1 - i; /* a set's order is not that of its pixels and labels */
        c->order[i] = i | (i % 3 == 0 ? TRAINER_FLIP : 0);
    }
    c->set = (struct pictures){.pixels = c->pixels[0],
                               .index = c->index,
                               .n = N,
                               .c = 3,
                               .h = SIDE,
                               .w = SIDE,
                               .labels = c->labels,
                               .classes = CLASSES};
}

static struct caelum_net *parse(const char *text) {
    struct caelum_net *net = NULL;
    assert_ok(caelum_net_parse(&net, text, "text", SIDE, SIDE, err));
    return net;
}

static struct caelum_train_settings to_classify(int threads) {
    struct caelum_train_settings s = trainer_defaults(N / 2, 0.02, threads);
    s.task = CAELUM_CLASSIFY;
    s.loss = CAELUM_XENT;
    s.shift = 1;
    return s;
}

static void classes_are_learnt(void **state) {
    (void)state;
    static struct colored c;
    struct caelum_net *net = parse("input 3\nconv 4 relu\navgpool 8\ndense 3\n");
    struct loss_sums sums[2], step;
    make_colored(&c);
    for (int many = 0; many < 2; many++) {
        struct trainer trainer = {0};
        const struct caelum_train_settings settings = to_classify(many ? 3 : 1);
        assert_ok(trainer_open(&trainer, net, &settings, N, err));
        assert_int_equal(trainer_values(&trainer), 3);
        assert_int_equal(trainer_terms(&trainer), 1);
        memset(trainer.params + net->params - 15, 0, 15 * sizeof(float)); /* the last layer answers 0 */
        trainer_refresh(&trainer);
        trainer_measure(&trainer, &c.set, &sums[many]);
        assert_near(sums[many].loss, N * log(3), 1e-4);
        for (int i = 0; i < 150; i++) trainer_step(&trainer, &c.set, c.order + i % 2 * (N / 2), N / 2, &step);
        trainer_measure(&trainer, &c.set, &sums[many]);
        trainer_close(&trainer);
    }
    if (!(sums[0].agree >= N - 2 && sums[0].loss < 0.5 * N * log(3)))
        fail_msg("%g of %d found, loss %g", sums[0].agree, N, sums[0].loss / N);
    assert_memory_equal(&sums[0], &sums[1], sizeof sums[0]); /* on any number of threads */
    caelum_net_close(&net);
}

/* A step along the gradient of the mean over pictures, in nats: of bias b, share predicted - share there. */
static void a_step_is_that_of_nats_a_picture(void **state) {
    (void)state;
    static struct colored c;
    struct caelum_net *net = parse("input 3\navgpool 8\ndense 3\n");
    struct trainer trainer = {0};
    struct caelum_train_settings settings = to_classify(1);
    struct loss_sums sums;
    double share[CLASSES] = {0};
    make_colored(&c);
    settings.optimizer = CAELUM_SGD;
    settings.momentum = 0;
    settings.lr = 1;
    assert_ok(trainer_open(&trainer, net, &settings, 0, err));
    memset(trainer.params, 0, net->params * sizeof(float));
    trainer_refresh(&trainer);
    for (size_t i = 0; i < N / 2; i++) share[c.labels[c.index[N / 2 + i]]] += 1.0 / (N / 2);
    trainer_step(&trainer, &c.set, c.order + N / 2, N / 2, &sums);
    for (size_t k = 0; k < CLASSES; k++)
        assert_near((double)trainer.params[net->params - CLASSES + k], share[k] - 1.0 / 3, 1e-6);
    trainer_close(&trainer);
    caelum_net_close(&net);
}

static void what_does_not_fit_is_told(void **state) {
    (void)state;
    static struct colored c;
    struct caelum_net *two = parse("input 3\navgpool 8\ndense 2\n"), *picture = parse("input 3\nconv 3\n");
    struct trainer trainer = {0};
    struct caelum_train_settings settings = to_classify(1);
    struct caelum_train_settings s = caelum_train_defaults();
    make_colored(&c);
    assert_error(CAELUM_EFORMAT, "to classify it must be one number a class",
                 trainer_open(&trainer, picture, &settings, 0, err));
    assert_error(CAELUM_EFORMAT, "the output is 2x1x1, the data has 3 classes",
                 task_check_classes(two, &c.set, err));
    c.set.labels = NULL;
    assert_error(CAELUM_EFORMAT, "the pictures have no labels", task_check_classes(two, &c.set, err));
    s.task = CAELUM_CLASSIFY;
    assert_error(CAELUM_EUSAGE, "got the loss mse and the task classify", train_settings_check(&s, err));
    s.loss = CAELUM_XENT;
    assert_ok(train_settings_check(&s, err));
    s.task = CAELUM_COLORIZE;
    assert_error(CAELUM_EUSAGE, "got the loss xent and the task colorize", train_settings_check(&s, err));
    caelum_net_close(&two);
    caelum_net_close(&picture);
}

/* --- Evaluation ----------------------------------------------------------------------------------- */

/* More than a round of pictures of one color each: six in ten are blue, class 1, the others red, class 0.
 * Luminance tells them apart, too: 0.344 and 0.159. */
enum { SMALL = 4, MANY = 2500 };
static const uint8_t color_of[2][3] = {{200, 40, 40}, {20, 20, 200}};

static void make_data(struct caelum_data *data, size_t *blue) {
    static uint8_t pixels[MANY][3 * SMALL * SMALL];
    static uint16_t labels[MANY];
    static uint32_t order[MANY];
    *blue = 0;
    for (uint32_t i = 0; i < MANY; i++) {
        labels[i] = i % 5 == 0 || i % 2 == 0;
        order[i] = MANY - 1 - i;
        for (size_t j = 0; j < sizeof pixels[i]; j++) pixels[i][j] = color_of[labels[i]][j / (SMALL * SMALL)];
        *blue += labels[i];
    }
    *data = (struct caelum_data){.count = MANY,
                                 .c = 3,
                                 .h = SMALL,
                                 .w = SMALL,
                                 .labels = labels,
                                 .classes = 10,
                                 .pixels = pixels[0],
                                 .order = order,
                                 .split_count = {0, 0, MANY}};
}

/* A model of `text` whose last parameters are these, the others 0. */
static struct caelum_model *make_model(const char *text, size_t side, const float *last, size_t n) {
    struct caelum_net *net = NULL;
    struct caelum_model *model = NULL;
    struct metadata metadata = {0};
    float *params = NULL;
    char root[256], path[300];
    test_directory(root);
    snprintf(path, sizeof path, "%s/model.safetensors", root);
    assert_ok(caelum_net_parse(&net, text, "text", side, side, err));
    assert_ok(mem_alloc(&params, net->params, sizeof *params, err));
    if (n > 0) memcpy(params + net->params - n, last, n * sizeof *params);
    assert_ok(model_save(net, params, &metadata, path, err));
    assert_ok(caelum_model_load(&model, path, err));
    caelum_net_close(&net);
    mem_free(&params);
    test_remove(root);
    return model;
}

static const char classifier_text[] = "input 3\navgpool 4\ndense 10\n";

/* Class 0 has ten times the mean of red, class 1 that of blue, the others -10. */
static struct caelum_model *make_classifier(void) {
    float params[40] = {0};
    params[0] = 10, params[3 + 2] = 10;
    for (size_t k = 2; k < 10; k++) params[30 + k] = -10;
    return make_model(classifier_text, SMALL, params, 40);
}

/* -ln of the probability of class `label` at such red and blue, 0 to 255. */
static double nats(double red, double blue, size_t label) {
    const double z[2] = {10 * red / 255, 10 * blue / 255};
    return log(exp(z[0]) + exp(z[1]) + 8 * exp(-10)) - z[label];
}

/* U = a (Y - 0.25), V = b (Y - 0.25). */
static struct caelum_model *make_colorizer(float a, float b) {
    const float params[4] = {a, b, -0.25f * a, -0.25f * b};
    return make_model("input 1\nconv 2 k=1\n", SMALL, params, 4);
}

static int stop(void *cookie, const char *what, size_t done, size_t total) {
    (void)cookie, (void)what, (void)done, (void)total;
    return 1;
}

static void classifiers_are_measured(void **state) {
    (void)state;
    struct caelum_data data;
    struct caelum_model *model = make_classifier(),
                        *large = make_model("input 3\navgpool 8\ndense 10\n", 8, NULL, 0),
                        *picture = make_model("input 3\nconv 3\n", SMALL, NULL, 0);
    struct caelum_class_metrics m[2];
    size_t blue;
    make_data(&data, &blue);
    for (int many = 0; many < 2; many++)
        assert_ok(caelum_eval_class(
            model, &data, &(struct caelum_eval_settings){.split = CAELUM_TEST, .threads = many ? 3 : 1},
            &m[many], err));
    assert_memory_equal(&m[0], &m[1], sizeof m[0]);
    assert_int_equal(m[0].count, MANY);
    assert_near(m[0].accuracy, 1, 0);
    const double share = (double)blue / MANY;
    assert_near(m[0].cross_entropy, share * nats(20, 200, 1) + (1 - share) * nats(200, 40, 0), 1e-6);
    assert_error(CAELUM_ESTOPPED, "stopped",
                 caelum_eval_class(
                     model, &data,
                     &(struct caelum_eval_settings){.split = CAELUM_TEST, .threads = 1, .progress = stop},
                     &m[0], err));
    assert_error(CAELUM_EFORMAT, "the classifier takes pictures of 3x8x8, the data has 3x4x4",
                 caelum_eval_class(large, &data,
                                   &(struct caelum_eval_settings){.split = CAELUM_TEST, .threads = 1}, &m[0],
                                   err));
    assert_error(CAELUM_EFORMAT, "the output is 3x4x4, the data has 10 classes",
                 caelum_eval_class(picture, &data,
                                   &(struct caelum_eval_settings){.split = CAELUM_TEST, .threads = 1}, &m[0],
                                   err));
    data.labels = NULL;
    assert_error(CAELUM_EFORMAT, "the pictures have no labels",
                 caelum_eval_class(model, &data,
                                   &(struct caelum_eval_settings){.split = CAELUM_TEST, .threads = 1}, &m[0],
                                   err));
    caelum_model_close(&model), caelum_model_close(&large), caelum_model_close(&picture);
}

static void semantic(const struct caelum_model *colorizer, const struct caelum_model *classifier,
                     const struct caelum_data *data, int threads, struct caelum_semantic_metrics *m) {
    struct caelum_eval_settings settings = caelum_eval_defaults();
    settings.threads = threads;
    assert_ok(caelum_eval_semantic(colorizer, classifier, data, &settings, m, err));
}

/* In grey, red and blue are equal: the first class, red. A colorizer that knows gives all back, one that
 * makes everything blue is right about the blue, one that mistakes one for the other loses what grey had. */
static void colorizers_are_tested_by_a_classifier(void **state) {
    (void)state;
    static const float all_blue[4] = {0, 0, 0.2f, -0.1f};
    struct caelum_data data;
    struct caelum_model *classifier = make_classifier(), *knows = make_colorizer(-1, 1),
                        *mistakes = make_colorizer(1, -1),
                        *blues = make_model("input 1\nconv 2 k=1\n", SMALL, all_blue, 4),
                        *blind = make_model(classifier_text, SMALL, NULL, 0);
    struct caelum_semantic_metrics m, again;
    struct caelum_eval_settings settings = caelum_eval_defaults();
    size_t blue;
    make_data(&data, &blue);
    const double share = (double)blue / MANY;
    semantic(knows, classifier, &data, 1, &m);
    assert_near(m.color.accuracy, 1, 0), assert_near(m.grey.accuracy, 1 - share, 1e-12),
        assert_near(m.recolored.accuracy, 1, 0);
    assert_near(m.closed, 1, 1e-12);
    /* Y is 87.84 and 40.52 of 255: round(Y) in grey; R = Y + V / 0.877, B = Y + U / 0.492 */
    assert_near(m.grey.cross_entropy, share * nats(41, 41, 1) + (1 - share) * nats(88, 88, 0), 1e-6);
    assert_near(m.recolored.cross_entropy, share * nats(14, 88, 1) + (1 - share) * nats(115, 39, 0), 1e-6);
    semantic(knows, classifier, &data, 3, &again);
    assert_memory_equal(&m, &again, sizeof m);
    semantic(blues, classifier, &data, 1, &m);
    assert_near(m.recolored.accuracy, share, 1e-12);
    assert_near(m.closed, (2 * share - 1) / share, 1e-12);
    semantic(mistakes, classifier, &data, 1, &m);
    assert_near(m.recolored.accuracy, 0, 0);
    assert_near(m.closed, (share - 1) / share, 1e-12);
    semantic(knows, blind, &data, 1, &m);
    assert_true(isnan(m.closed));
    settings.vivid = 2;
    assert_error(CAELUM_EUSAGE, "vivid: expected 0 to 1",
                 caelum_eval_semantic(knows, classifier, &data, &settings, &m, err));
    settings.vivid = 1;
    assert_ok(caelum_eval_semantic(knows, classifier, &data, &settings, &m, err));
    assert_near(m.recolored.cross_entropy, share * nats(0, 135, 1) + (1 - share) * nats(143, 0, 0), 1e-6);
    assert_error(CAELUM_EFORMAT, "it is no colorizer",
                 caelum_eval_semantic(classifier, classifier, &data, &settings, &m, err));
    caelum_model_close(&classifier), caelum_model_close(&knows), caelum_model_close(&mistakes);
    caelum_model_close(&blues), caelum_model_close(&blind);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_are_learnt),
        cmocka_unit_test(a_step_is_that_of_nats_a_picture),
        cmocka_unit_test(what_does_not_fit_is_told),
        cmocka_unit_test(classifiers_are_measured),
        cmocka_unit_test(colorizers_are_tested_by_a_classifier),
    };
    return cmocka_run_group_tests_name("classify", tests, NULL, NULL);
}
