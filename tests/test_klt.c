/* test_klt.c - networks that start as the best linear code, against the one that LAPACK finds. */
#include "testing.h"

#include "data/data.h"
#include "eval/linear_code.h"
#include "train/klt.h"
#include "train/trainer.h"

#include <math.h>

static struct caelum_data *synthetic(const char *spec) {
    const struct caelum_data_settings settings = caelum_data_defaults();
    struct caelum_data *data = NULL;
    assert_ok(caelum_data_open(&data, spec, &settings, err));
    return data;
}

static void basis_is_orthonormal_and_spans_what_lapack_finds(void **state) {
    (void)state;
    struct caelum_data *data = synthetic("synthetic:150");
    const struct pictures set = data_pictures(data, CAELUM_ALL);
    enum { N = 48, KEEP = 16 };
    static double mean[N], basis[N * N];
    struct linear_code code = {0};
    assert_ok(klt_fit(&set, 4, mean, basis, err));
    assert_ok(linear_code_fit(&code, &set, 4, 4, err));
    for (size_t i = 0; i < N; i++) {
        assert_true(fabs(mean[i] - (double)code.mean[i]) < 1e-6);
        for (size_t j = 0; j <= i; j++) {
            double dot = 0;
            for (size_t k = 0; k < N; k++) dot += basis[i * N + k] * basis[j * N + k];
            assert_true(fabs(dot - (i == j ? 1 : 0)) < 1e-12);
        }
    }
    /* the first vectors span the same space: each of ours keeps its length when projected on theirs */
    for (size_t i = 0; i < KEEP; i++) {
        double length = 0;
        for (size_t j = 0; j < KEEP; j++) {
            double dot = 0;
            for (size_t k = 0; k < N; k++) dot += basis[i * N + k] * (double)code.basis[j * N + k];
            length += dot * dot;
        }
        if (fabs(length - 1) > 1e-3) fail_msg("vector %zu: %.6f of it in LAPACK's space", i, length);
    }
    linear_code_free(&code);
    caelum_data_close(&data);
}

/* Before the first step the network is the linear code, whatever its branches are. */
static void training_starts_at_the_linear_code(void **state) {
    (void)state;
    static const char *text =
        "input 3\nspace_to_depth 4\nsave picture\nconv 12 gelu\nconv 48 init=zero\nadd picture\n"
        "conv 16 k=1 init=klt\nlatent\nconv 48 k=1 init=klt\nsave linear\nconv 8 relu\n"
        "conv 48 init=zero\nadd linear\ndepth_to_space 4\n";
    struct caelum_data *data = synthetic("synthetic:100");
    const struct pictures set = data_pictures(data, CAELUM_ALL);
    struct caelum_net *net = NULL;
    struct trainer trainer = {0};
    struct linear_code code = {0};
    struct caelum_metrics want;
    struct loss_sums sums;
    struct caelum_train_settings settings = trainer_defaults(20, 1e-3, 2);
    settings.ema = 0.99;
    assert_ok(caelum_net_parse(&net, text, "klt", 32, 32, err));
    assert_ok(trainer_open(&trainer, net, &settings, set.n, err));
    trainer_measure(&trainer, &set, &sums);
    const double glorot = sums.squared;
    assert_ok(trainer_start(&trainer, &set, err));
    trainer_measure(&trainer, &set, &sums);
    assert_ok(linear_code_fit(&code, &set, 4, 4, err));
    assert_ok(linear_code_measure(&code, 16, &set, &want, err));
    /* the measured code is clamped to [0, 1], the network is not */
    const double got = sums.squared / (double)(set.n * trainer_values(&trainer));
    if (!(got >= want.mse_float * (1 - 1e-4) && got < want.mse_float * 1.05))
        fail_msg("starts at %.9g, the linear code has %.9g", got, want.mse_float);
    assert_true(glorot > 20 * sums.squared);
    linear_code_free(&code);
    trainer_close(&trainer);
    caelum_net_close(&net);
    caelum_data_close(&data);
}

static void misfits_are_named(void **state) {
    (void)state;
    struct caelum_data *data = synthetic("synthetic:10");
    const struct pictures set = data_pictures(data, CAELUM_ALL);
    struct caelum_net *net = NULL;
    float params[4000];
    assert_error(CAELUM_EFORMAT, "init=klt needs k=1 and stride=1",
                 caelum_net_parse(&net, "input 3\nconv 48 init=klt\n", "a.net", 32, 32, err));
    assert_error(CAELUM_EFORMAT, "init=klt is for conv",
                 caelum_net_parse(&net, "input 3\ndeconv 48 k=1 init=klt\n", "a.net", 32, 32, err));
    assert_ok(caelum_net_parse(&net, "input 3\nconv 50 k=1 init=klt\nconv 3\n", "a.net", 32, 32, err));
    assert_error(CAELUM_EFORMAT, "a.net:2: init=klt is for blocks of the pictures",
                 klt_start(net, &set, params, err));
    caelum_net_close(&net);
    caelum_data_close(&data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(basis_is_orthonormal_and_spans_what_lapack_finds),
        cmocka_unit_test(training_starts_at_the_linear_code),
        cmocka_unit_test(misfits_are_named),
    };
    return cmocka_run_group_tests_name("klt", tests, NULL, NULL);
}
