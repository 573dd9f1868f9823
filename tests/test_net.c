/* test_net.c - the network's text, its description, its gradients against central differences of an
 * independent double-precision forward pass, the fused plan against the plain one, model files. */
#include "testing.h"

#include "base/file.h"
#include "model/half.h"
#include "model/safetensors.h"
#include "ref.h"

#include <math.h>

static struct caelum_net *parse(const char *text, size_t h, size_t w) {
    struct caelum_net *net = NULL;
    assert_ok(caelum_net_parse(&net, text, "test", h, w, err));
    return net;
}

static void complaints_name_line_and_column(void **state) {
    (void)state;
    static const struct {
        const char *text, *words;
    } bad[] = {
        {"", "no layers"},
        {"conv 8\n", "test:1:1: the first line must be 'input C'"},
        {"input 3\nconf 8\n", "test:2:1: no layer is called 'conf'; did you mean 'conv'?"},
        {"input 3\n  frobnicate\n",
         "test:2:3: no layer is called 'frobnicate'; there are: input, latent, conv"},
        {"input 3\nconv\n", "test:2:1: conv: its number of output channels is missing"},
        {"input 3\nconv 0\n", "test:2:6: number of output channels: expected a whole number from 1"},
        {"input 3\nconv 8 rleu\n", "test:2:8: 'rleu' is not understood here"},
        {"input 3\nconv 8 k=19\n", "test:2:8: k: expected a whole number from 1 to 16, got '19'"},
        {"input 3\nconv 8 k=3x\n", "test:2:8: k: expected"},
        {"input 3\nconv 8 pad=full\n", "test:2:8: pad: expected same or valid, got 'full'"},
        {"input 3\nconv 8 k=7 pad=valid\n", "test:2:1: conv 8 k=7 pad=valid: a 4x4 picture is smaller"},
        {"input 3\nmaxpool 5\n", "smaller than the 5x5 window"},
        {"input 3\ninput 3\n", "test:2:1: a second 'input'"},
        {"input 3\nlatent\n", "must follow a layer"},
        {"input 3\nconv 8\nlatent\nlatent\n", "a second 'latent'"},
        {"input 3\nupsample 64\nupsample 64\nupsample 64\n", "too many"},
        {"input 3\nconv 8 \xff\n", "not UTF-8"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct caelum_net *net = NULL;
        assert_error(CAELUM_EFORMAT, bad[i].words, caelum_net_parse(&net, bad[i].text, "test", 4, 4, err));
        assert_null(net);
    }
}

static void standard_network_is_described(void **state) {
    (void)state;
    struct caelum_net *net = NULL;
    struct caelum_net_info info;
    struct caelum_layer_info row;
    assert_ok(caelum_net_load(&net, SOURCE_DIR "/models/standard.net", 32, 32, err));
    caelum_net_describe(net, &info);
    assert_int_equal(info.parameters, 4911);
    assert_int_equal(info.macs, 1327104);
    assert_int_equal(2 * info.train_macs, 7520256);
    assert_int_equal(info.latent, 1024);
    assert_string_equal(info.formula, "((8 - 3 + 2*1)/1 + 1)^2 * 16 = 1024");
    assert_int_equal(info.bottleneck, 768);
    assert_int_equal(info.bottleneck_layer, 3);
    /* receptive fields by hand: 3, then pool +1, conv +2 * 2, pool +2, conv +2 * 4 */
    static const size_t sees[] = {3, 4, 8, 10, 18};
    for (size_t i = 0; i < 5; i++) {
        caelum_net_layer(net, i, &row);
        assert_int_equal(row.receptive, sees[i]);
    }
    caelum_net_close(&net);
}

/* --- Gradients ------------------------------------------------------------------------------------ */

/* The network once more in double, from the text's own words: conv (same, any size, relu, sigmoid or
 * linear), maxpool 2, upsample 2. Returns the loss sum(output * weight). */
static double double_forward(const struct caelum_net *net, const double *params, const double *input,
                             const double *weight) {
    static double a[2][40000];
    const double *x = input;
    for (size_t i = 0; i < net->layers; i++) {
        const struct net_layer *l = &net->layer[i];
        const size_t outputs = l->out.c * l->out.h * l->out.w;
        double *y = a[i & 1];
        if (strncmp(l->text, "conv", 4) == 0) {
            const char *k = strstr(l->text, "k=");
            const size_t kernel = k ? (size_t)(k[2] - '0') : 3;
            const long pad = (long)(kernel - 1) / 2;
            const struct ref_conv s = {l->in.c, l->in.h, l->in.w, l->out.c, l->out.h, l->out.w,
                                       kernel,  kernel,  1,       pad,      pad};
            ref_conv(&s, x, params + l->params, params + l->params + l->out.c * l->in.c * kernel * kernel, y,
                     NULL);
            for (size_t j = 0; j < outputs && strstr(l->text, "relu"); j++) y[j] = ref_relu(y[j]);
            for (size_t j = 0; j < outputs && strstr(l->text, "sigmoid"); j++) y[j] = ref_sigmoid(y[j]);
        } else if (strncmp(l->text, "maxpool", 7) == 0) {
            ref_maxpool(l->in.c, l->in.h, l->in.w, 2, x, y);
        } else {
            ref_upsample(l->in.c, l->in.h, l->in.w, 2, x, y);
        }
        x = y;
    }
    const struct shape out = net->layer[net->layers - 1].out;
    double loss = 0;
    for (size_t j = 0; j < out.c * out.h * out.w; j++) loss += weight[j] * x[j];
    return loss;
}

/* Runs forward and backward on a random block; params, packed and grads are [net->params] and so on. */
struct block {
    struct net_workspace ws;
    float *params, *packed, *grads;
};

static void block_open(struct block *b, const struct caelum_net *net, const struct kernels *kernels,
                       uint64_t seed) {
    struct rng rng = rng_make(seed, RNG_TEST, 1);
    assert_ok(net_workspace_open(&b->ws, net, lanes, true, err));
    assert_ok(mem_alloc(&b->params, net->params, sizeof(float), err));
    assert_ok(mem_alloc(&b->packed, net->packed, sizeof(float), err));
    assert_ok(mem_alloc(&b->grads, MOST_LANES / SUM_LANES * net->params, sizeof(float), err));
    for (size_t i = 0; i < net->params; i++) b->params[i] = 0.5f * test_random(&rng);
    net_pack(net, b->params, b->packed);
    test_tensor_random(&b->ws.value[0], &rng);
    net_forward(net, kernels, b->params, b->packed, &b->ws);
    test_tensor_random(&b->ws.grad[net->layers], &rng);
}

static void block_backward(const struct block *b, const struct caelum_net *net,
                           const struct kernels *kernels) {
    net_backward(net, kernels, b->params, b->packed, &b->ws, b->grads);
    test_fold(b->grads, net->params);
}

static void block_close(struct block *b) {
    net_workspace_close(&b->ws);
    mem_free(&b->params), mem_free(&b->packed), mem_free(&b->grads);
}

static void check_gradient(const struct caelum_net *net, const struct kernels *kernels, uint64_t seed) {
    struct block b = {0};
    const struct shape out = net->layer[net->layers - 1].out;
    static double input[MOST_LANES][4000], weight[MOST_LANES][4000], params[20000];
    block_open(&b, net, kernels, seed);
    for (size_t lane = 0; lane < lanes; lane++) {
        test_lane(&b.ws.value[0], lane, input[lane]);
        test_lane(&b.ws.grad[net->layers], lane, weight[lane]);
        double got[4000], loss = 0;
        for (size_t i = 0; i < net->params; i++) params[i] = (double)b.params[i];
        test_lane(&b.ws.value[net->layers], lane, got);
        for (size_t j = 0; j < out.c * out.h * out.w; j++) loss += weight[lane][j] * got[j];
        const double want = double_forward(net, params, input[lane], weight[lane]);
        if (fabs(loss - want) > 1e-4 * (1 + fabs(want))) fail_msg("forward: got %g, want %g", loss, want);
    }
    block_backward(&b, net, kernels);
    size_t checked = 0;
    const size_t some = test_cases(30, 60);
    for (size_t i = 0; i < net->params; i += 1 + net->params / some) {
        double slope[2] = {0};
        for (int wide = 0; wide < 2; wide++) {
            const double step = wide ? 2e-5 : 1e-5;
            for (size_t lane = 0; lane < lanes; lane++) {
                params[i] = (double)b.params[i] + step;
                const double above = double_forward(net, params, input[lane], weight[lane]);
                params[i] = (double)b.params[i] - step;
                slope[wide] += (above - double_forward(net, params, input[lane], weight[lane])) / (2 * step);
            }
            params[i] = (double)b.params[i];
        }
        /* two step sizes disagree where a ReLU or a pool changes its mind between them: no slope there */
        if (fabs(slope[0] - slope[1]) > 1e-5 * (1 + fabs(slope[0]))) continue;
        checked++;
        if (fabs(slope[0] - (double)b.grads[i]) > 2e-4 * (1 + fabs(slope[0])))
            fail_msg("%s: parameter %zu: gradient %g, central difference %g", net->text, i,
                     (double)b.grads[i], slope[0]);
    }
    assert_true(checked > some / 3);
    block_close(&b);
}

static void gradients_match_differences(void **state) {
    (void)state;
    static const char *const texts[] = {
        "input 2\nconv 5 relu\nmaxpool\nconv 3\nupsample\nconv 2 sigmoid\n",
        "input 3\nconv 4 k=5 relu\nconv 6 k=1 relu\nconv 3 k=4\n",
        "input 1\nmaxpool\nconv 7 k=2 relu\nupsample\nconv 3 relu\nupsample\nconv 5 k=3\n",
        ("input 3\nconv 8 relu\nmaxpool\nconv 12 relu\nmaxpool\nconv 16 relu\nlatent\nupsample\nconv 12 "
         "relu\nupsample\nconv 3 sigmoid\n"),
    };
    for (int level = 0; level <= (int)cpu_detect(); level++)
        for (size_t i = 0; i < 4; i++)
            for (int fuse = 0; fuse < 2; fuse++) {
                struct caelum_net *net = parse(texts[i], 8, 8);
                assert_ok(net_plan(net, fuse != 0, err));
                check_gradient(net, test_kernels((enum cpu_level)level), i);
                caelum_net_close(&net);
            }
}

/* Steps of the plan whose gradient is settled behind a pool. */
static size_t settled(const struct caelum_net *net) {
    size_t n = 0;
    for (size_t i = 0; i < net->steps; i++) n += net->step[i].settled;
    return n;
}

static void compare_plans(const char *text, size_t h, size_t w, size_t steps, const char *step,
                          size_t pooled) {
    const struct kernels *kernels = test_kernels(cpu_detect());
    struct caelum_net *plain = parse(text, h, w), *fast = parse(text, h, w);
    struct block a = {0}, b = {0};
    assert_ok(net_plan(plain, false, err));
    assert_int_equal(plain->steps, plain->layers);
    assert_int_equal(fast->steps, steps);
    assert_string_equal(fast->step[1].ops->name, step);
    assert_int_equal(settled(plain), 0);
    assert_int_equal(settled(fast), pooled);
    block_open(&a, plain, kernels, 3);
    block_open(&b, fast, kernels, 3);
    const struct tensor *out = &a.ws.value[plain->layers];
    float largest = 1;
    for (size_t i = 0; i < out->c * out->plane; i++) largest = fmaxf(largest, fabsf(out->data[i]));
    for (size_t i = 0; i < out->c * out->plane; i++)
        if (fabsf(out->data[i] - b.ws.value[plain->layers].data[i]) > 2e-6f * largest)
            fail_msg("output %zu: plain %g, fast %g", i, (double)out->data[i],
                     (double)b.ws.value[plain->layers].data[i]);
    block_backward(&a, plain, kernels);
    block_backward(&b, fast, kernels);
    for (size_t i = 0; i < plain->params; i++)
        if (fabsf(a.grads[i] - b.grads[i]) > 2e-4f * (1 + fabsf(a.grads[i])))
            fail_msg("parameter %zu: plain %g, fast %g", i, (double)a.grads[i], (double)b.grads[i]);
    block_close(&a);
    block_close(&b);
    caelum_net_close(&plain);
    caelum_net_close(&fast);
}

static void fast_plan_equals_plain_plan(void **state) {
    (void)state;
    compare_plans("input 3\nconv 5 relu\nupsample\nconv 7 relu\nupsample\nconv 3 sigmoid\n", 6, 9, 3,
                  "upsample+conv", 0);
    compare_plans("input 3\nconv 20 relu\nconv 28 gelu\nconv 20 pad=valid\nconv 3\n", 8, 6, 4, "winograd", 0);
    compare_plans("input 3\nconv 20 relu\nconv 28 gelu\nconv 20 relu\nconv 3\n", 8, 12, 4, "winograd4", 0);
    compare_plans("input 3\nconv 20 relu\nconv 32 relu\nmaxpool\nconv 20 relu\nmaxpool 3\nconv 2\n", 8, 14, 6,
                  "winograd", 2);
    compare_plans("input 2\nconv 3\nupsample\nconv 4 relu\nmaxpool 3\nupsample\nconv 16 leaky\nmaxpool\n", 5,
                  7, 5, "upsample+conv", 2);
    /* a mark changes nothing; a skip stands between the two */
    compare_plans("input 3\nconv 20 relu\nconv 28 relu\nlatent\nmaxpool\nconv 3 relu\nsave a\nmaxpool "
                  "1\nadd a\n",
                  8, 6, 7, "winograd", 1);
}

/* What is settled behind a pool is the same sum in another order for the bias there, and the same bits for
 * everything else: for pools of all sizes, with rows and columns left over, and all activations but those
 * that keep their input, which are not settled. */
static void pools_settle_gradients(void **state) {
    (void)state;
    static const char *const acts[] = {"linear", "relu", "leaky", "elu", "sigmoid", "tanh", "gelu", "silu"};
    static const char *const lines[] = {"conv 6", "conv 5 k=2 stride=2", "deconv 7 stride=2",
                                        "conv 6 pad=valid"};
    EACH_LEVEL(kernels)
    for (size_t n = 0; n < 4 * 8 * 4; n++) {
        const size_t act = n / 4 % 8;
        char text[200];
        snprintf(text, sizeof text, "input 2\nconv 3\n%s %s\nmaxpool %zu\nconv 2\n", lines[n / 32], acts[act],
                 1 + n % 4);
        struct caelum_net *plain = parse(text, 11, 9), *fast = parse(text, 11, 9);
        struct block a = {0}, b = {0};
        assert_ok(net_plan(plain, false, err));
        assert_int_equal(settled(plain), 0);
        assert_int_equal(settled(fast), act < 6);
        block_open(&a, plain, kernels, 3);
        block_open(&b, fast, kernels, 3);
        block_backward(&a, plain, kernels);
        block_backward(&b, fast, kernels);
        const size_t end = plain->layer[3].params, biases = plain->layer[1].out.c;
        for (size_t i = 0; i < plain->params; i++) {
            const bool bias = i < end && i + biases >= end;
            if (fabsf(a.grads[i] - b.grads[i]) > (bias ? 1e-4f * (1 + fabsf(a.grads[i])) : 0))
                fail_msg("%sparameter %zu: plain %.9g, settled %.9g", text, i, (double)a.grads[i],
                         (double)b.grads[i]);
        }
        block_close(&a);
        block_close(&b);
        caelum_net_close(&plain);
        caelum_net_close(&fast);
    }
}

/* --- Model files ---------------------------------------------------------------------------------- */

static void models_survive_the_way_through_a_file(void **state) {
    (void)state;
    char dir[256], path[300], again[300];
    struct caelum_net *net = parse("input 3\nconv 4 relu\nlatent\nconv 3\n", 8, 8);
    struct metadata metadata = {0};
    struct caelum_model *model = NULL;
    float params[300];
    uint8_t *one = NULL, *two = NULL;
    size_t size_one, size_two;
    test_directory(dir);
    snprintf(path, sizeof path, "%s/m.safetensors", dir);
    snprintf(again, sizeof again, "%s/n.safetensors", dir);
    net_init(net, 5, params);
    assert_ok(metadata_set(&metadata, "task", "reconstruct \"quoted\"", err));
    assert_ok(model_save(net, params, &metadata, path, err));
    assert_ok(caelum_model_load(&model, path, err));
    assert_memory_equal(model->params, params, net->params * sizeof(float));
    assert_string_equal(caelum_model_metadata(model, "task"), "reconstruct \"quoted\"");
    assert_ok(model_save(model->net, model->params, &metadata, again, err));
    assert_ok(file_read(path, 1 << 20, &one, &size_one, err));
    assert_ok(file_read(again, 1 << 20, &two, &size_two, err));
    assert_int_equal(size_one, size_two);
    assert_memory_equal(one, two, size_one);
    caelum_model_close(&model);
    /* cut short at every length, and with every byte of the header changed: an error or a valid load */
    for (size_t n = 0; n < size_one; n += 7) {
        assert_ok(file_write(again, one, n, err));
        struct caelum_error err;
        assert_true(caelum_model_load(&model, again, &err) != 0 && model == NULL);
    }
    for (size_t i = 0; i < size_one; i += 3) {
        struct caelum_error err;
        one[i] ^= 0x15;
        assert_int_equal(file_write(again, one, size_one, &err), 0);
        if (caelum_model_load(&model, again, &err) == 0) caelum_model_close(&model);
        assert_null(model);
        one[i] ^= 0x15;
    }
    mem_free(&one), mem_free(&two);
    metadata_clear(&metadata);
    caelum_net_close(&net);
    test_remove(dir);
}

/* Rounded once, saved as halves, and from then on the same file. */
static void models_keep_half_precision(void **state) {
    (void)state;
    char dir[256], path[300], small[300];
    struct caelum_net *net = parse("input 3\nconv 8 relu\nconv 3\n", 8, 8);
    struct metadata metadata = {0};
    struct caelum_model *model = NULL;
    float params[700];
    struct stat whole, half;
    test_directory(dir);
    snprintf(path, sizeof path, "%s/m.safetensors", dir);
    snprintf(small, sizeof small, "%s/h.safetensors", dir);
    net_init(net, 6, params);
    assert_ok(model_save(net, params, &metadata, path, err));
    assert_ok(caelum_model_load(&model, path, err));
    assert_ok(caelum_model_round_half(model, err));
    assert_ok(caelum_model_save(model, small, err));
    caelum_model_close(&model);
    for (int again = 0; again < 2; again++) {
        assert_ok(caelum_model_load(&model, small, err));
        for (size_t i = 0; i < net->params; i++)
            assert_true(model->params[i] == half_to(half_from(params[i])));
        assert_ok(caelum_model_save(model, small, err));
        caelum_model_close(&model);
        assert_int_equal(stat(path, &whole), 0);
        assert_int_equal(stat(small, &half), 0);
        assert_in_range(whole.st_size - half.st_size, (off_t)(2 * net->params - 16),
                        (off_t)(2 * net->params + 16));
    }
    caelum_net_close(&net);
    test_remove(dir);
}

static void initial_weights_are_glorot(void **state) {
    (void)state;
    struct caelum_net *net = parse("input 3\nconv 64\n", 8, 8);
    float params[64 * 27 + 64];
    double sum = 0, squares = 0;
    const double limit = sqrt(6.0 / (3 * 9 + 64 * 9));
    net_init(net, 1, params);
    for (size_t i = 0; i < 64 * 27; i++) {
        assert_true(fabs((double)params[i]) <= limit);
        sum += (double)params[i], squares += (double)params[i] * (double)params[i];
    }
    for (size_t i = 64 * 27; i < net->params; i++) assert_true(params[i] == 0);
    assert_true(fabs(sum / 1728) < 0.05 * limit);
    assert_true(fabs(squares / 1728 / (limit * limit / 3) - 1) < 0.1);
    caelum_net_close(&net);
}

/* Every allocation on the way fails in turn; nothing crashes or leaks (the sanitizers watch). */
static void parsing_survives_lack_of_memory(void **state) {
    (void)state;
    struct caelum_net *net = NULL;
    struct caelum_error err;
    for (long n = 0; net == NULL; n++) {
        mem_fail_after(n);
        const int code =
            caelum_net_parse(&net, "input 3\nconv 4 relu\nmaxpool\nupsample\nconv 3\n", "t", 8, 8, &err);
        assert_true(code == 0 || (code == CAELUM_ERESOURCE && net == NULL));
    }
    mem_fail_after(-1);
    caelum_net_close(&net);
}

/* Every half there and back; and a value between two neighbours goes to the nearer one, the middle to the
 * even one. */
static void half_precision_rounds_to_nearest(void **state) {
    (void)state;
    static const struct {
        uint16_t half;
        float value;
    } known[] = {{0x3c00, 1.0f},        {0xc000, -2.0f},    {0x7bff, 65504.0f},    {0x0400, 0x1p-14f},
                 {0x03ff, 0x3.ffp-16f}, {0x0001, 0x1p-24f}, {0x3555, 0x1.554p-2f}, {0x0000, 0.0f}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        assert_true(half_to(known[i].half) == known[i].value);
        assert_int_equal(half_from(known[i].value), known[i].half);
    }
    for (uint32_t h = 0; h < 0x7bff; h++) {
        const float low = half_to((uint16_t)h), high = half_to((uint16_t)(h + 1)), middle = (low + high) / 2;
        assert_true(low < high);
        for (uint32_t sign = 0; sign <= 0x8000; sign += 0x8000) {
            const float s = sign ? -1 : 1;
            assert_int_equal(half_from(s * low), h | sign);
            assert_int_equal(half_from(s * middle), (h + (h & 1)) | sign);
            assert_int_equal(half_from(s * nextafterf(middle, 0)), h | sign);
            assert_int_equal(half_from(s * nextafterf(middle, 1e9f)), (h + 1) | sign);
        }
    }
    assert_int_equal(half_from(65519.0f), 0x7bff);
    assert_int_equal(half_from(65520.0f), 0x7c00);
    assert_int_equal(half_from(-1e30f), 0xfc00);
    assert_true(isnan(half_to(half_from(NAN))));
    assert_true(isinf(half_to(0x7c00)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(complaints_name_line_and_column),
        cmocka_unit_test(standard_network_is_described),
        cmocka_unit_test(gradients_match_differences),
        cmocka_unit_test(fast_plan_equals_plain_plan),
        cmocka_unit_test(pools_settle_gradients),
        cmocka_unit_test(models_survive_the_way_through_a_file),
        cmocka_unit_test(models_keep_half_precision),
        cmocka_unit_test(half_precision_rounds_to_nearest),
        cmocka_unit_test(initial_weights_are_glorot),
        cmocka_unit_test(parsing_survives_lack_of_memory),
    };
    return cmocka_run_group_tests_name("net", tests, NULL, NULL);
}
