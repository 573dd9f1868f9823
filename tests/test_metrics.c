/* test_metrics.c - the metrics by hand and against a naive SSIM over two-dimensional windows; the linear
 * codes against a direct eigen-decomposition of the mirrored covariance. */
#include "testing.h"

#include "data/data.h"
#include "eval/linear_code.h"
#include "metrics/metrics.h"

#include <lapacke.h>
#include <math.h>

static void figures_by_hand(void **state) {
    (void)state;
    /* two pixels of three channels; planes R, G, B */
    const uint8_t truth[6] = {255, 0, 0, 51, 0, 102};
    const float output[6] = {1.5f, 0.2f, 0.0f, 0.2f, 0.0f, 0.1f};
    double scratch[14];
    struct picture_error e;
    struct caelum_metrics m;
    assert_int_equal(metrics_scratch(1, 2), 14);
    metrics_picture(truth, output, 3, 1, 2, scratch, &e);
    metrics_total(&e, 1, 3, 1, 2, &m);
    /* differences after clamping and rounding: 0, .2 | 0, 0 | 0, .4 - 26/255 */
    const double d = 0.4 - 26.0 / 255;
    assert_near(m.mse, (0.04 + d * d) / 6, 1e-9);
    assert_near(m.mae, (0.2 + d) / 6, 1e-9);
    assert_near(m.mse_float, (0.25 + 0.04 + 0.09) / 6, 1e-7);
    assert_near(m.psnr, -10 * log10((0.04 + d * d) / 6), 1e-6);
    assert_near(m.psnr_mean, m.psnr, 1e-12);
    assert_near(m.accuracy, 0.5, 0); /* R and R; B against R, the first of two equal ones */
    assert_true(isnan(m.ssim));
    metrics_picture(truth, (const float[6]){1, 0, 0, 0.2f, 0, 0.4f}, 3, 1, 2, scratch, &e);
    metrics_total(&e, 1, 3, 1, 2, &m);
    assert_near(m.mse, 0, 0);
    assert_near(m.psnr_mean, 100, 0); /* cut off */
}

/* Straight from the paper: each window by itself, weighted moments about the weighted means. */
static double naive_ssim(const uint8_t *x, const float *y, size_t h, size_t w) {
    double sum = 0, norm = 0, g[11][11];
    size_t n = 0;
    for (int i = 0; i < 11; i++)
        for (int j = 0; j < 11; j++) norm += g[i][j] = exp(-((i - 5) * (i - 5) + (j - 5) * (j - 5)) / 4.5);
    for (size_t r = 0; r + 11 <= h; r++)
        for (size_t c = 0; c + 11 <= w; c++, n++) {
            double mx = 0, my = 0, vx = 0, vy = 0, vxy = 0;
            for (size_t k = 0; k < 121; k++) {
                const size_t at = (r + k / 11) * w + c + k % 11;
                mx += g[k / 11][k % 11] / norm * x[at] / 255;
                my += g[k / 11][k % 11] / norm * round((double)y[at] * 255) / 255;
            }
            for (size_t k = 0; k < 121; k++) {
                const size_t at = (r + k / 11) * w + c + k % 11;
                const double a = x[at] / 255.0 - mx, b = round((double)y[at] * 255) / 255 - my,
                             q = g[k / 11][k % 11] / norm;
                vx += q * a * a, vy += q * b * b, vxy += q * a * b;
            }
            sum += (2 * mx * my + 1e-4) * (2 * vxy + 9e-4) / ((mx * mx + my * my + 1e-4) * (vx + vy + 9e-4));
        }
    return sum / (double)n;
}

static void ssim_matches_naive_windows(void **state) {
    (void)state;
    enum { H = 17, W = 14 };
    struct rng rng = rng_make(1, RNG_TEST, 0);
    uint8_t truth[3 * H * W];
    float output[3 * H * W];
    double scratch[H * W * 7], want = 0;
    struct picture_error e;
    for (size_t i = 0; i < sizeof truth; i++) {
        truth[i] = (uint8_t)(128 + 100 * sin((double)i * 0.3) + rng_below(&rng, 20));
        output[i] = (float)truth[i] / 255 * 0.8f + 0.2f * rng_uniform(&rng);
    }
    for (size_t c = 0; c < 3; c++) want += naive_ssim(truth + c * H * W, output + c * H * W, H, W) / 3;
    metrics_picture(truth, output, 3, H, W, scratch, &e);
    assert_near(e.ssim, want, 1e-12);
    assert_true(want > 0.3 && want < 0.99);
}

/* --- Linear codes --------------------------------------------------------------------------------- */

enum { N = 3 * 4 * 5, PICTURES = 200 };

/* Error that PCA leaves by its eigenvalues: the covariance of all pictures and their mirror images, built
 * without any trick. Returns the sum of the eigenvalues beyond the first `keep`, a picture. */
static double direct_pca_error(const struct pictures *p, size_t keep) {
    static double cov[N * N], mean[N], values[N], x[2 * PICTURES][N];
    for (size_t i = 0; i < PICTURES; i++)
        for (size_t j = 0; j < N; j++) {
            const size_t row = j / 5, column = j % 5;
            x[2 * i][j] = pictures_at(p, i)[j] / 255.0;
            x[2 * i + 1][row * 5 + 4 - column] = pictures_at(p, i)[j] / 255.0;
        }
    memset(mean, 0, sizeof mean), memset(cov, 0, sizeof cov);
    for (size_t i = 0; i < 2 * PICTURES; i++)
        for (size_t j = 0; j < N; j++) mean[j] += x[i][j] / (2 * PICTURES);
    for (size_t i = 0; i < 2 * PICTURES; i++)
        for (size_t j = 0; j < N; j++)
            for (size_t k = 0; k < N; k++)
                cov[j * N + k] += (x[i][j] - mean[j]) * (x[i][k] - mean[k]) / (2 * PICTURES);
    assert_int_equal(LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', N, cov, N, values), 0);
    double rest = 0;
    for (size_t i = 0; i < N - keep; i++) rest += values[i]; /* ascending */
    return rest;
}

static void pca_leaves_the_small_eigenvalues(void **state) {
    (void)state;
    static uint8_t pixels[PICTURES * N];
    static uint32_t index[PICTURES];
    struct rng rng = rng_make(2, RNG_TEST, 0);
    for (size_t i = 0; i < PICTURES; i++) {
        index[i] = (uint32_t)i;
        const double a = (double)test_random(&rng), b = (double)test_random(&rng);
        for (size_t j = 0; j < N; j++)
            pixels[i * N + j] = (uint8_t)(128 + 50 * a * sin((double)j) + 40 * b * cos(0.3 * (double)j) +
                                          20 * (double)test_random(&rng));
    }
    const struct pictures set = {.pixels = pixels, .index = index, .n = PICTURES, .c = 3, .h = 4, .w = 5};
    struct linear_code code = {0};
    struct caelum_metrics m;
    double last = 1;
    assert_ok(linear_code_fit(&code, &set, 4, 5, err));
    for (size_t keep = 0; keep <= N; keep += 6) {
        assert_ok(linear_code_measure(&code, keep, &set, &m, err));
        /* the set is not its own mirror image, but a mirrored basis leaves both the same error */
        assert_near(m.mse_float, direct_pca_error(&set, keep) / N, 0.01 * m.mse_float + 1e-9);
        assert_true(m.mse_float <= last);
        last = m.mse_float;
    }
    assert_near(last, 0, 1e-10);
    linear_code_free(&code);
}

/* With every coefficient kept a block transform gives the picture back; with fewer, mean error falls to
 * what an orthonormal basis must leave. */
static void block_transform_is_orthonormal(void **state) {
    (void)state;
    struct caelum_data *data = NULL;
    struct linear_code code = {0};
    struct caelum_metrics all, some, none;
    assert_ok(caelum_data_open(&data, "synthetic:100", NULL, err));
    const struct pictures set = data_pictures(data, CAELUM_TRAIN);
    assert_ok(linear_code_fit(&code, &set, 4, 4, err));
    for (size_t i = 0; i < 48; i++)
        for (size_t j = 0; j <= i; j++) {
            double dot = 0;
            for (size_t k = 0; k < 48; k++)
                dot += (double)code.basis[i * 48 + k] * (double)code.basis[j * 48 + k];
            assert_near(dot, i == j, 1e-5);
        }
    assert_ok(linear_code_measure(&code, 48, &set, &all, err));
    assert_ok(linear_code_measure(&code, 12, &set, &some, err));
    assert_ok(linear_code_measure(&code, 0, &set, &none, err));
    assert_near(all.mse, 0, 0);
    assert_true(all.accuracy > 0.99); /* rounding tells equal channels apart */
    assert_true(some.mse < 0.1 * none.mse);
    linear_code_free(&code);
    caelum_data_close(&data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_by_hand),
        cmocka_unit_test(ssim_matches_naive_windows),
        cmocka_unit_test(pca_leaves_the_small_eigenvalues),
        cmocka_unit_test(block_transform_is_orthonormal),
    };
    return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
