/* Models by their parts: tensors, arrays up to a layer, bytes in memory. */
#include "testing.h"

#include "base/file.h"

#include <math.h>

static const char text[] = "input 2\nconv 3 k=3 relu\nmaxpool\nsave s\nconv 3\nadd s\nlatent\ndense 5\n";

static caelum_model *make(void) {
    caelum_net *net = NULL;
    caelum_model *model = NULL;
    assert_ok(caelum_net_parse(&net, text, "text", 6, 4, err));
    assert_ok(caelum_model_create(&model, net, 7, err));
    caelum_net_close(&net);
    return model;
}

static void tensors_have_names_and_values(void **state) {
    (void)state;
    static const struct {
        const char *name;
        size_t dims, dim[4];
    } wanted[] = {{"conv1.weight", 4, {3, 2, 3, 3}}, {"conv1.bias", 1, {3}},
                  {"conv2.weight", 4, {3, 3, 3, 3}}, {"conv2.bias", 1, {3}},
                  {"dense1.weight", 2, {5, 18}},     {"dense1.bias", 1, {5}}};
    struct caelum_tensor t, again;
    caelum_model *model = make();
    const float *next = NULL;
    for (size_t i = 0; i < 6; i++) {
        assert_true(caelum_model_tensor(model, i, &t));
        assert_string_equal(t.name, wanted[i].name);
        assert_int_equal(t.dims, wanted[i].dims);
        assert_memory_equal(t.dim, wanted[i].dim, t.dims * sizeof *t.dim);
        assert_true(i == 0 || t.data == next);
        next = t.data;
        for (size_t d = 0, n = 1; d < t.dims; d++, next = t.data + n) n *= t.dim[d];
    }
    assert_false(caelum_model_tensor(model, 6, &t));
    const float bias[3] = {1, -2, 3};
    assert_ok(caelum_model_set_tensor(model, "conv2.bias", bias, 3, err));
    assert_true(caelum_model_tensor(model, 3, &again));
    assert_memory_equal(again.data, bias, sizeof bias);
    assert_error(CAELUM_EUSAGE, "", caelum_model_set_tensor(model, "conv2.bias", bias, 2, err));
    assert_error(CAELUM_EUSAGE, "", caelum_model_set_tensor(model, "conv9.bias", bias, 3, err));
    caelum_model_close(&model);
}

/* conv1 of one picture in double precision, for 3x3 kernels and zeros around. */
static double conv_at(const struct caelum_tensor *w, const float *bias, const float *x, size_t k, int i,
                      int j) {
    double sum = (double)bias[k];
    for (size_t c = 0; c < 2; c++)
        for (int u = 0; u < 3; u++)
            for (int v = 0; v < 3; v++) {
                const int y = i + u - 1, z = j + v - 1;
                if (y < 0 || z < 0 || y >= 6 || z >= 4) continue;
                sum += (double)w->data[((k * 2 + c) * 3 + (size_t)u) * 3 + (size_t)v] *
                       (double)x[(c * 6 + (size_t)y) * 4 + (size_t)z];
            }
    return sum;
}

static void arrays_go_up_to_any_layer(void **state) {
    (void)state;
    enum { N = 21 };
    static float in[N * 2 * 24], first[N * 3 * 24], pooled[N * 3 * 6], code[N * 3 * 6], out[N * 5],
        copy[N * 2 * 24];
    struct caelum_tensor w, b;
    caelum_model *model = make();
    for (size_t i = 0; i < N * 2 * 24; i++) in[i] = (float)(i * 37 % 101) / 100 - 0.5f;
    assert_ok(caelum_model_run(model, 0, in, N, copy, err));
    assert_memory_equal(copy, in, sizeof in);
    assert_ok(caelum_model_run(model, 1, in, N, first, err));
    assert_true(caelum_model_tensor(model, 0, &w) && caelum_model_tensor(model, 1, &b));
    for (size_t p = 0; p < N; p++)
        for (size_t k = 0; k < 3; k++)
            for (int i = 0; i < 6; i++)
                for (int j = 0; j < 4; j++) {
                    const double y = conv_at(&w, b.data, in + p * 48, k, i, j);
                    assert_true(
                        fabs((double)first[(p * 3 + k) * 24 + (size_t)(i * 4 + j)] - (y > 0 ? y : 0)) < 1e-6);
                }
    assert_ok(caelum_model_run(model, 2, in, N, pooled, err));
    assert_true(pooled[0] >= first[0] && pooled[0] >= first[5]);
    assert_ok(caelum_model_run(model, 5, in, N, code, err));
    assert_ok(caelum_model_run(model, 6, in, N, out, err));
    assert_true(caelum_model_tensor(model, 4, &w) && caelum_model_tensor(model, 5, &b));
    for (size_t p = 0; p < N; p++)
        for (size_t k = 0; k < 5; k++) {
            double sum = (double)b.data[k];
            for (size_t i = 0; i < 18; i++) sum += (double)w.data[k * 18 + i] * (double)code[p * 18 + i];
            assert_true(fabs((double)out[p * 5 + k] - sum) < 1e-5);
        }
    assert_error(CAELUM_EUSAGE, "", caelum_model_run(model, 7, in, N, out, err));
    caelum_model_close(&model);
}

static void a_model_comes_from_bytes_in_memory(void **state) {
    (void)state;
    caelum_model *model = make(), *read = NULL;
    char dir[256], path[300];
    test_directory(dir);
    snprintf(path, sizeof path, "%s/model.safetensors", dir);
    assert_ok(caelum_model_save(model, path, err));
    uint8_t *bytes = NULL;
    size_t size;
    assert_ok(file_read(path, 1 << 20, &bytes, &size, err));
    assert_ok(caelum_model_decode(&read, bytes, size, "bytes", err));
    struct caelum_tensor a, b;
    for (size_t i = 0; caelum_model_tensor(model, i, &a); i++) {
        assert_true(caelum_model_tensor(read, i, &b));
        size_t n = sizeof(float);
        for (size_t d = 0; d < a.dims; d++) n *= a.dim[d];
        assert_memory_equal(a.data, b.data, n);
    }
    caelum_model_close(&read);
    assert_error(CAELUM_EFORMAT, "bytes: ", caelum_model_decode(&read, bytes, size - 1, "bytes", err));
    assert_null(read);
    assert_error(CAELUM_EFORMAT, "", caelum_model_decode(&read, bytes, 0, "bytes", err));
    mem_free(&bytes);
    test_remove(dir);
    caelum_model_close(&model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensors_have_names_and_values),
        cmocka_unit_test(arrays_go_up_to_any_layer),
        cmocka_unit_test(a_model_comes_from_bytes_in_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
