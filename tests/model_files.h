/* model_files.h - what tests of model files share: a scratch directory for the whole group, and a model. */
#ifndef CAELUM_TESTS_MODEL_FILES_H
#define CAELUM_TESTS_MODEL_FILES_H

#include "random_net.h"

#include "base/file.h"
#include "exchange/exchange.h"

static char directory[256];

/* For cmocka_run_group_tests. */
static inline int open_directory(void **state) {
    (void)state;
    test_directory(directory);
    return 0;
}
static inline int remove_directory(void **state) {
    (void)state;
    test_remove(directory);
    return 0;
}

/* DIRECTORY/NAME, until the next call. */
static inline const char *in_directory(const char *name) {
    static char path[300];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

/* A model of the text, weights and biases uniform in [-most, most). */
static inline caelum_model *model_of(const char *text, size_t h, size_t w, uint64_t seed, float most) {
    caelum_net *net = NULL;
    caelum_model *model = NULL;
    struct rng rng = rng_make(seed, RNG_TEST, 1);
    assert_ok(caelum_net_parse(&net, text, "test", h, w, err));
    assert_ok(caelum_model_create(&model, net, seed, err));
    caelum_net_close(&net);
    for (size_t i = 0; i < model->net->params; i++) model->params[i] = most * test_random(&rng);
    return model;
}

#endif
