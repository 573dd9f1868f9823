/* test_learning.c - the arithmetic of learning, piece by piece: losses and updates of every instruction set
 * against double precision. */
#include "testing.h"

#include "train/lr_find.h"
#include "train/optimizer.h"

#include <math.h>

/* The vector logarithm by itself, compiled here without fused multiply-add. */
#define VW 4
#define ISA here
#include "kernels/vector.h"

static const float canary = 12345.0f;

static void near(const char *what, const char *isa, double got, double want, double bound) {
    if (!(fabs(got - want) <= bound))
        fail_msg("%s, %s: got %.9g, want %.9g, allowed %.3g", what, isa, got, want, bound);
}

/* --- Losses --------------------------------------------------------------------------------------- */

static const double delta = 0.25;

/* As kernels.h writes them, in double; the clamp of BCE at the same floats as the kernel's. */
static double ref_loss(enum caelum_loss loss, double y, double t) {
    const double e = y - t, p = fmin(fmax(y, (double)1e-7f), (double)(1.0f - 1e-7f));
    switch (loss) {
    case CAELUM_BCE:
        return -(t * log(p) + (1 - t) * log1p(-p));
    case CAELUM_L1:
        return fabs(e);
    case CAELUM_HUBER:
        return fabs(e) <= delta ? e * e / 2 : delta * (fabs(e) - delta / 2);
    default:
        return e * e;
    }
}

/* Central differences of ref_loss, so that slopes are not compared with a formula written twice. */
static double ref_slope(enum caelum_loss loss, double y, double t) {
    const double h = loss == CAELUM_BCE ? 1e-4 * fmin(y, 1 - y) : 1e-5;
    return (ref_loss(loss, y + h, t) - ref_loss(loss, y - h, t)) / (2 * h);
}

/* The reference of one block: sums over lanes < live. */
static struct loss_sums ref_sums(enum caelum_loss loss, const struct tensor *y, const struct tensor *t,
                                 size_t live) {
    const size_t plane = y->h * y->w;
    struct loss_sums sums = {0};
    double py[60], pt[60];
    for (size_t lane = 0; lane < live; lane++) {
        test_lane(y, lane, py), test_lane(t, lane, pt);
        for (size_t i = 0; i < y->c * plane; i++) {
            sums.loss += ref_loss(loss, py[i], pt[i]);
            sums.squared += (py[i] - pt[i]) * (py[i] - pt[i]);
        }
        for (size_t i = 0; i < plane; i++) {
            size_t a = 0, b = 0;
            for (size_t c = 1; c < y->c; c++) {
                if (py[c * plane + i] > py[a * plane + i]) a = c;
                if (pt[c * plane + i] > pt[b * plane + i]) b = c;
            }
            sums.agree += a == b;
        }
    }
    return sums;
}

static void check_loss(const struct kernels *kernels, enum caelum_loss loss, size_t channels, size_t live) {
    struct rng rng = rng_make(6, RNG_TEST, (uint32_t)loss);
    struct tensor y = test_tensor(channels, 4, 5, 0, 0), t = test_tensor(channels, 4, 5, 0, 0),
                  dy = test_tensor(channels, 4, 5, 1, canary);
    struct loss_sums sums[MOST_LANES / SUM_LANES] = {{0}}, alone[MOST_LANES / SUM_LANES] = {{0}};
    double py[60], pt[60], pd[60];
    for (size_t i = 0; i < channels * 20 * lanes; i++) { /* within (0, 1), as BCE wants */
        y.data[i] = 0.01f + 0.98f * rng_uniform(&rng);
        t.data[i] = i % 5 ? rng_uniform(&rng) : (float)(i % 2);
    }
    struct loss_job job = {
        .loss = loss, .delta = (float)delta, .y = y, .t = t, .scale = 0.25f, .live = live, .sums = alone};
    kernels->loss(&job);
    job.dy = dy, job.sums = sums;
    kernels->loss(&job);
    assert_memory_equal(sums, alone, sizeof sums);
    assert_true(test_border(&dy, canary));
    for (size_t lane = 0; lane < lanes; lane++) {
        test_lane(&y, lane, py), test_lane(&t, lane, pt), test_lane(&dy, lane, pd);
        for (size_t i = 0; i < channels * 20; i++) {
            const double kink = loss == CAELUM_L1 ? 0 : loss == CAELUM_HUBER ? delta : 9;
            if (fabs(fabs(py[i] - pt[i]) - kink) < 1e-4) continue;
            const double want = lane < live ? 0.25 * ref_slope(loss, py[i], pt[i]) : 0;
            near("slope", kernels->name, pd[i], want, 3e-6 * (1 + fabs(want)));
        }
    }
    const struct loss_sums want = ref_sums(loss, &y, &t, live);
    near("loss", kernels->name, sums[0].loss + sums[1].loss, want.loss, 1e-6 * want.loss);
    near("squared", kernels->name, sums[0].squared + sums[1].squared, want.squared, 1e-6 * want.squared);
    assert_true(sums[0].agree + sums[1].agree == want.agree);
    test_tensor_free(&y), test_tensor_free(&t), test_tensor_free(&dy);
}

static void losses_match_reference(void **state) {
    (void)state;
    EACH_LEVEL(kernels) {
        for (int loss = 0; loss < (int)CAELUM_XENT; loss++)
            for (size_t channels = 1; channels <= 3; channels++) {
                check_loss(kernels, (enum caelum_loss)loss, channels, lanes - 3);
                check_loss(kernels, (enum caelum_loss)loss, channels, lanes);
            }
    }
}

/* Softmax cross-entropy of one pixel as its definition has it; in double, logits of +-80 do not overflow. */
static double ref_xent(const double *y, const double *t, size_t channels) {
    double powers = 0, loss = 0;
    for (size_t c = 0; c < channels; c++) powers += exp(y[c]);
    for (size_t c = 0; c < channels; c++) loss -= t[c] * log(exp(y[c]) / powers);
    return loss;
}

/* One pixel of a lane as [channel]. */
static void pixel_of(const struct tensor *t, size_t at, size_t lane, double *values) {
    for (size_t c = 0; c < t->c; c++) values[c] = (double)tensor_at(t, c, 0, (ptrdiff_t)at)[lane];
}

/* A row of pixels whose logits grow from small ones to `reach`; targets are one class, or shares of all. */
static void check_xent(const struct kernels *kernels, size_t channels, size_t live, float reach) {
    enum { N = 6, MOST = 13 };
    struct rng rng = rng_make(7, RNG_TEST, (uint32_t)channels);
    struct tensor y = test_tensor(channels, 1, N, 0, 0), t = test_tensor(channels, 1, N, 0, 0),
                  dy = test_tensor(channels, 1, N, 1, canary);
    struct loss_sums sums[MOST_LANES / SUM_LANES] = {{0}};
    double py[MOST], pt[MOST], pd[MOST], loss = 0, agree = 0, squared = 0;
    test_tensor_random(&y, &rng);
    for (size_t at = 0; at < N; at++)
        for (size_t lane = 0; lane < lanes; lane++) {
            const size_t class = rng_below(&rng, (uint32_t)channels);
            for (size_t c = 0; c < channels; c++) {
                tensor_at(&y, c, 0, (ptrdiff_t)at)[lane] *= reach * (float)(at + 1) / N;
                tensor_at(&t, c, 0, (ptrdiff_t)at)[lane] =
                    at % 2 ? c == class : ((c == class) + 1.0f) / (float)(channels + 1);
            }
        }
    kernels->loss(&(struct loss_job){
        .loss = CAELUM_XENT, .y = y, .t = t, .dy = dy, .scale = 0.25f, .live = live, .sums = sums});
    assert_true(test_border(&dy, canary));
    for (size_t at = 0; at < N; at++)
        for (size_t lane = 0; lane < lanes; lane++) {
            size_t most_y = 0, most_t = 0;
            pixel_of(&y, at, lane, py), pixel_of(&t, at, lane, pt), pixel_of(&dy, at, lane, pd);
            for (size_t c = 0; c < channels; c++) {
                double up[MOST], down[MOST];
                const double h = 1e-5;
                memcpy(up, py, sizeof up), memcpy(down, py, sizeof down);
                up[c] += h, down[c] -= h;
                const double slope = (ref_xent(up, pt, channels) - ref_xent(down, pt, channels)) / (2 * h);
                near("xent'", kernels->name, pd[c], lane < live ? 0.25 * slope : 0,
                     1e-7 + 1e-9 * (double)reach);
                most_y = py[c] > py[most_y] ? c : most_y, most_t = pt[c] > pt[most_t] ? c : most_t;
                if (lane < live) squared += (py[c] - pt[c]) * (py[c] - pt[c]);
            }
            if (lane < live) loss += ref_xent(py, pt, channels), agree += most_y == most_t;
        }
    near("xent", kernels->name, sums[0].loss + sums[1].loss, loss, 1e-6 * (1 + loss));
    near("squared", kernels->name, sums[0].squared + sums[1].squared, squared, 1e-6 * squared);
    assert_true(sums[0].agree + sums[1].agree == agree);
    test_tensor_free(&y), test_tensor_free(&t), test_tensor_free(&dy);
}

static void cross_entropy_matches_reference(void **state) {
    (void)state;
    EACH_LEVEL(kernels) {
        for (size_t channels = 1; channels <= 13; channels += 3)
            for (float reach = 1; reach <= 80; reach += 79) {
                check_xent(kernels, channels, lanes - 3, reach);
                check_xent(kernels, channels, lanes, reach);
            }
    }
}

/* By hand: two classes, logits that overflow any power, and a NaN in any channel. */
static void cross_entropy_at_its_edges(void **state) {
    (void)state;
    static const float logits[][2] = {{0, 0}, {1000, 0}, {0, 1000}, {-1e30f, -1e30f}, {NAN, 0}, {0, NAN}};
    static const double want[][2] = {{0.69314718056, -0.5}, {0, 0}, {1000, -1}, {0.69314718056, -0.5}};
    EACH_LEVEL(kernels) {
        for (size_t i = 0; i < sizeof logits / sizeof *logits; i++) {
            struct tensor y = test_tensor(2, 1, 1, 0, 0), t = test_tensor(2, 1, 1, 0, 0),
                          d = test_tensor(2, 1, 1, 0, canary);
            struct loss_sums sums[MOST_LANES / SUM_LANES];
            y.data[0] = logits[i][0], y.data[y.plane] = logits[i][1], t.data[0] = 1;
            kernels->loss(&(struct loss_job){
                .loss = CAELUM_XENT, .y = y, .t = t, .dy = d, .scale = 1, .live = 1, .sums = sums});
            if (i < sizeof want / sizeof *want) {
                near("xent", kernels->name, sums[0].loss, want[i][0], 1e-7);
                near("xent'", kernels->name, (double)d.data[0], want[i][1], 1e-7);
                near("xent' of the other", kernels->name, (double)d.data[d.plane], -want[i][1], 1e-7);
            } else {
                assert_true(isnan(sums[0].loss) && isnan(d.data[0]) && isnan(d.data[d.plane]));
            }
            test_tensor_free(&y), test_tensor_free(&t), test_tensor_free(&d);
        }
    }
}

/* Loss and gradient of one value in one lane. */
static double one_loss(const struct kernels *kernels, enum caelum_loss loss, float y, float t,
                       double *slope) {
    struct tensor ty = test_tensor(1, 1, 1, 0, y), tt = test_tensor(1, 1, 1, 0, t),
                  td = test_tensor(1, 1, 1, 0, canary);
    struct loss_sums sums[MOST_LANES / SUM_LANES];
    kernels->loss(&(struct loss_job){.loss = loss,
                                     .delta = (float)delta,
                                     .y = ty,
                                     .t = tt,
                                     .dy = td,
                                     .scale = 1,
                                     .live = 1,
                                     .sums = sums});
    *slope = (double)td.data[0];
    test_tensor_free(&ty), test_tensor_free(&tt), test_tensor_free(&td);
    return sums[0].loss;
}

/* By hand: the clamp of BCE, its dead slope beyond; the kinks; NaN must not be hidden by any loss. */
static void losses_at_their_edges(void **state) {
    (void)state;
    double slope;
    EACH_LEVEL(kernels) {
        near("bce(0, 1)", kernels->name, one_loss(kernels, CAELUM_BCE, 0, 1, &slope), 16.11809565, 2e-6);
        assert_true(slope == 0);
        near("bce(-3, 1)", kernels->name, one_loss(kernels, CAELUM_BCE, -3, 1, &slope), 16.11809565, 2e-6);
        assert_true(slope == 0);
        near("bce(1, 1)", kernels->name, one_loss(kernels, CAELUM_BCE, 1, 1, &slope), 1.1920930e-7, 1e-13);
        near("bce(2, 0)", kernels->name, one_loss(kernels, CAELUM_BCE, 2, 0, &slope), 15.942385, 2e-6);
        near("bce(1/2, 1/2)", kernels->name, one_loss(kernels, CAELUM_BCE, 0.5f, 0.5f, &slope), 0.69314718,
             1e-7);
        assert_true(slope == 0);
        near("bce(1/4, 1)", kernels->name, one_loss(kernels, CAELUM_BCE, 0.25f, 1, &slope), 1.38629436, 2e-7);
        near("bce'(1/4, 1)", kernels->name, slope, -4, 1e-6);
        assert_true(one_loss(kernels, CAELUM_L1, 0.5f, 0.5f, &slope) == 0 && slope == 0);
        assert_true(one_loss(kernels, CAELUM_L1, 0.25f, 0.5f, &slope) == 0.25 && slope == -1);
        assert_true(one_loss(kernels, CAELUM_HUBER, 0.75f, 0.5f, &slope) == 0.03125 && slope == 0.25);
        assert_true(one_loss(kernels, CAELUM_HUBER, -0.5f, 0.5f, &slope) == 0.21875 && slope == -0.25);
        assert_true(one_loss(kernels, CAELUM_MSE, -0.5f, 0.5f, &slope) == 1 && slope == -2);
        for (int loss = 0; caelum_loss_words[loss]; loss++) {
            assert_true(isnan(one_loss(kernels, (enum caelum_loss)loss, NAN, 0.5f, &slope)));
            assert_true(isnan(slope));
        }
    }
}

/* Every 101st float from the smallest normal to the largest: within 1.5 units in the last place. */
static void logarithm_is_accurate(void **state) {
    (void)state;
    double worst = 0;
    for (uint32_t bits = 0x00800000; bits < 0x7f800000; bits += 4 * 101) {
        float x[4];
        for (uint32_t i = 0; i < 4; i++) {
            const uint32_t b = bits + i * 101 < 0x7f800000 ? bits + i * 101 : 0x3f800000;
            memcpy(&x[i], &b, sizeof b);
        }
        vf v;
        memcpy(&v, x, sizeof v);
        v = vlog(v);
        for (int i = 0; i < 4; i++) {
            const double want = log((double)x[i]);
            const float near_want = (float)fabs(want);
            const double unit = (double)(nextafterf(near_want, INFINITY) - near_want);
            worst = fmax(worst, fabs((double)v[i] - want) / unit);
        }
    }
    if (!(worst <= 1.5)) fail_msg("ln is off by %g units in the last place", worst);
    assert_true(isnan(vlog(splat(NAN))[0]));
    assert_true(vlog(splat(1))[0] == 0);
}

/* --- Updates -------------------------------------------------------------------------------------- */

/* One step of each rule as its authors or PyTorch's documentation write it, in double; b is the step's
 * number, from 1. m and v start at 0. */
static double ref_update(const struct caelum_train_settings *s, int b, double lr, double p, double g,
                         double *m, double *v) {
    const bool decoupled = s->optimizer == CAELUM_ADAMW || s->optimizer == CAELUM_MUON;
    if (s->optimizer == CAELUM_MUON) lr *= 0.2; /* not of matrices */
    if (!decoupled) g += s->weight_decay * p;
    switch (s->optimizer) {
    case CAELUM_SGD:
        *m = b == 1 ? g : s->momentum * *m + g;
        return p - lr * *m;
    case CAELUM_RMSPROP:
        *v = 0.99 * *v + 0.01 * g * g;
        return p - lr * g / (sqrt(*v) + 1e-8);
    default:
        if (decoupled) p *= 1 - lr * s->weight_decay;
        *m = 0.9 * *m + 0.1 * g;
        *v = 0.999 * *v + 0.001 * g * g;
        return p - lr * (*m / (1 - pow(0.9, b))) / (sqrt(*v / (1 - pow(0.999, b))) + 1e-8);
    }
}

static void check_updates(const struct kernels *kernels, enum caelum_optimizer kind, double decay) {
    enum { N = 37 };
    struct rng rng = rng_make(7, RNG_TEST, 0);
    struct caelum_train_settings settings = caelum_train_defaults();
    struct optimizer optimizer = {0};
    float p[N], g[N];
    double rp[N], rm[N] = {0}, rv[N] = {0};
    settings.optimizer = kind;
    settings.weight_decay = decay;
    settings.momentum = 0.8;
    const struct caelum_net net = {.params = N}; /* of no layer: there is nothing for Muon's own rule */
    assert_ok(optimizer_open(&optimizer, &settings, &net, 1, err));
    for (size_t i = 0; i < N; i++) p[i] = test_random(&rng), rp[i] = (double)p[i];
    for (int step = 1; step <= 20; step++) {
        const double lr = 0.01 / step;
        for (size_t i = 0; i < N; i++) {
            g[i] = test_random(&rng);
            rp[i] = ref_update(&settings, step, lr, rp[i], (double)g[i], &rm[i], &rv[i]);
        }
        optimizer_step(&optimizer, kernels, lr, p, g);
        for (size_t i = 0; i < N; i++)
            near(caelum_optimizer_words[kind], kernels->name, (double)p[i], rp[i], 2e-6);
    }
    optimizer_close(&optimizer);
}

static void updates_match_reference(void **state) {
    (void)state;
    EACH_LEVEL(kernels) {
        for (int kind = 0; caelum_optimizer_words[kind]; kind++) {
            check_updates(kernels, (enum caelum_optimizer)kind, 0);
            check_updates(kernels, (enum caelum_optimizer)kind, 0.5);
        }
    }
}

/* --- Muon ----------------------------------------------------------------------------------------- */

/* x [rows][cols] after five Newton-Schulz iterations, straight from the words in train/muon.h, in double. The
 * iteration is the same on the matrix and on its transpose, so the side of X X^T does not matter here. */
static void ref_orthogonal(double *x, size_t rows, size_t cols) {
    static double gram[64 * 64], factor[64 * 64], y[64 * 64];
    double squares = 0;
    for (size_t i = 0; i < rows * cols; i++) squares += x[i] * x[i];
    for (size_t i = 0; i < rows * cols; i++) x[i] /= sqrt(squares) + 1e-7;
    for (int round = 0; round < 5; round++) {
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < rows; j++) {
                gram[i * rows + j] = 0;
                for (size_t k = 0; k < cols; k++) gram[i * rows + j] += x[i * cols + k] * x[j * cols + k];
            }
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < rows; j++) {
                double twice = 0;
                for (size_t k = 0; k < rows; k++) twice += gram[i * rows + k] * gram[k * rows + j];
                factor[i * rows + j] = (i == j ? 3.4445 : 0) - 4.7750 * gram[i * rows + j] + 2.0315 * twice;
            }
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < cols; j++) {
                y[i * cols + j] = 0;
                for (size_t k = 0; k < rows; k++) y[i * cols + j] += factor[i * rows + k] * x[k * cols + j];
            }
        memcpy(x, y, rows * cols * sizeof *x);
    }
}

/* Matrices that are tall, wide, square, and of sides that fill no register; with one thread and more. */
static void muon_matches_reference(void **state) {
    (void)state;
    enum { MOST = 4000 };
    const double lr = 0.01, decay = 0.3;
    EACH_LEVEL(kernels) {
        for (int threads = 1; threads <= 3; threads += 2) {
            static float p[MOST], mean[MOST], g[MOST];
            static double want[MOST], ref_mean[MOST], x[64 * 64];
            caelum_net *net = NULL;
            struct muon muon = {0};
            struct rng rng = rng_make(5, RNG_TEST, 0);
            assert_ok(caelum_net_parse(
                &net, "input 2\nconv 37 k=1\nconv 3\nconv 16 k=4\ndeconv 3\nmaxpool 4\ndense 7\n", "test", 4,
                4, err));
            assert_true(net->params <= MOST);
            assert_ok(muon_open(&muon, net, threads, err));
            assert_int_equal(muon.matrices, 5);
            for (size_t i = 0; i < net->params; i++)
                want[i] = (double)(p[i] = test_random(&rng)), mean[i] = 0, ref_mean[i] = 0;
            for (int step = 0; step < 3; step++) {
                for (size_t i = 0; i < net->params; i++) g[i] = test_random(&rng);
                muon_step(&muon, kernels, lr, decay, p, mean, g);
                for (const struct muon_matrix *m = muon.matrix; m < muon.matrix + muon.matrices; m++) {
                    const size_t n = m->rows * m->cols, longer = m->rows > m->cols ? m->rows : m->cols;
                    assert_true(n <= 64 * 64 && m->rows <= 64);
                    for (size_t i = 0; i < n; i++) {
                        const double slope = (double)g[m->at + i];
                        ref_mean[m->at + i] += 0.05 * (slope - ref_mean[m->at + i]);
                        x[i] = slope + 0.95 * (ref_mean[m->at + i] - slope);
                    }
                    ref_orthogonal(x, m->rows, m->cols);
                    for (size_t i = 0; i < n; i++)
                        want[m->at + i] -=
                            lr * decay * want[m->at + i] + lr * 0.2 * sqrt((double)longer) * x[i];
                }
            }
            for (size_t i = 0; i < net->params; i++) near("muon", kernels->name, (double)p[i], want[i], 2e-6);
            muon_close(&muon);
            caelum_net_close(&net);
        }
    }
}

/* --- Range test ----------------------------------------------------------------------------------- */

/* A loss that falls along a logistic curve around point 60: steepest there. One that only rises: nowhere. */
static void steepest_descent_is_found(void **state) {
    (void)state;
    static struct caelum_lr_point points[100];
    for (size_t i = 0; i < 100; i++) {
        points[i].lr = pow(10, -7 + (double)i / 25);
        points[i].smooth = 1 / (1 + exp(((double)i - 60) / 4));
    }
    assert_true(lr_find_steepest(points, 100) == points[60].lr);
    assert_true(lr_find_steepest(points, 60) == points[54].lr); /* the last with 5 points after it */
    assert_true(lr_find_steepest(points, 15) == 0);             /* too short to say */
    for (size_t i = 0; i < 100; i++) points[i].smooth = (double)i;
    assert_true(lr_find_steepest(points, 100) == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_match_reference),          cmocka_unit_test(losses_at_their_edges),
        cmocka_unit_test(cross_entropy_matches_reference), cmocka_unit_test(cross_entropy_at_its_edges),
        cmocka_unit_test(logarithm_is_accurate),           cmocka_unit_test(updates_match_reference),
        cmocka_unit_test(muon_matches_reference),          cmocka_unit_test(steepest_descent_is_found),
    };
    return cmocka_run_group_tests_name("learning", tests, NULL, NULL);
}
