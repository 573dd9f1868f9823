/* test_sums.c - the sum of a minibatch's gradients: a balanced tree over its eights, whatever computes them.
 */
#include "testing.h"

#include "base/mem.h"
#include "data/data.h"
#include "train/trainer.h"

#include <string.h>

enum { PICTURES = 1024, EIGHTS = PICTURES / SUM_LANES };

static uint32_t order[PICTURES];

static struct trainer open_trainer(const struct caelum_net *net, size_t batch, int threads) {
    const struct caelum_train_settings settings = trainer_defaults(batch, 0, threads);
    struct trainer t = {0};
    assert_ok(trainer_open(&t, net, &settings, 0, err));
    return t;
}

/* The gradient of `eights` eights by pairs, pairs of pairs and so on, into the first, from the gradient of
 * each by itself: what is learnt from eight pictures alone, whose mean has `all` in place of eight. */
static void add_pairs(float *gradient, size_t params, size_t eights) {
    for (size_t step = 1; step < eights; step *= 2)
        for (size_t e = 0; e + step < eights; e += 2 * step)
            for (size_t i = 0; i < params; i++) gradient[e * params + i] += gradient[(e + step) * params + i];
}

/* The loss is a mean, so a gradient of 1,024 pictures has 1/128 of the terms that one of eight has: a power
 * of two, and the bits must be equal. Adding one eight after the other would end in others. */
static void sums_are_a_balanced_tree(void **state) {
    (void)state;
    struct caelum_net *net = NULL;
    struct caelum_data *data = NULL;
    struct loss_sums sums;
    float *each = NULL;
    assert_ok(caelum_net_parse(&net, "input 3\nconv 6 relu\nmaxpool\nlatent\nupsample\nconv 3 sigmoid\n",
                               "tree", 8, 8, err));
    assert_ok(caelum_data_open(&data, "synthetic:2000:8", NULL, err));
    const struct pictures set = data_pictures(data, CAELUM_ALL);
    const size_t params = net->params;
    assert_ok(mem_alloc(&each, EIGHTS * params, sizeof *each, err));
    for (uint32_t i = 0; i < PICTURES; i++) order[i] = i * 7 % PICTURES;
    struct trainer small = open_trainer(net, SUM_LANES, 1);
    for (size_t e = 0; e < EIGHTS; e++) {
        trainer_step(&small, &set, order + e * SUM_LANES, SUM_LANES, &sums);
        for (size_t i = 0; i < params; i++) each[e * params + i] = small.gradient[i] / EIGHTS;
    }
    trainer_close(&small);
    add_pairs(each, params, EIGHTS);
    for (int threads = 1; threads <= 3; threads++) {
        struct trainer t = open_trainer(net, PICTURES, threads);
        trainer_step(&t, &set, order, PICTURES, &sums);
        assert_memory_equal(t.gradient, each, params * sizeof *each);
        trainer_close(&t);
    }
    mem_free(&each);
    caelum_net_close(&net), caelum_data_close(&data);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(sums_are_a_balanced_tree)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
