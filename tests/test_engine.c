/* One engine for many runs and threads: the same bits, no memory but what the pictures need. */
#include "testing.h"

#include "model/pool.h"

#include <math.h>
#include <pthread.h>

enum { VALUES = 3 * 32 * 32, MOST = 20, THREADS = 4 };

static caelum_model *make(const char *name, size_t side) {
    char path[300];
    caelum_net *net = NULL;
    caelum_model *model = NULL;
    snprintf(path, sizeof path, SOURCE_DIR "/models/%s.net", name);
    assert_ok(caelum_net_load(&net, path, side, side, err));
    assert_ok(caelum_model_create(&model, net, 3, err));
    caelum_net_close(&net);
    return model;
}

static caelum_engine *open_engine(const caelum_model *model, size_t layer) {
    struct caelum_engine_settings settings = caelum_engine_defaults();
    caelum_engine *engine = NULL;
    settings.layer = layer;
    settings.threads = 1;
    assert_ok(caelum_engine_open(&engine, model, &settings, err));
    return engine;
}

static float *numbers(size_t n) {
    float *values = NULL;
    struct rng rng = rng_make(9, RNG_TEST, 0);
    assert_ok(mem_alloc(&values, n, sizeof *values, err));
    for (size_t i = 0; i < n; i++) values[i] = rng_uniform(&rng);
    return values;
}

struct runner {
    const caelum_engine *engine;
    const float *in, *wanted; /* [MOST] pictures */
    size_t wrong;
};

/* One to five pictures at a time: whole blocks and tails. */
static void *run_often(void *cookie) {
    struct runner *r = cookie;
    float *out = numbers(5 * VALUES);
    for (size_t i = 0; i < 60; i++) {
        const size_t n = i % 5 + 1, first = i * 7 % (MOST - n);
        const int code = caelum_engine_run(r->engine, r->in + first * VALUES, n, out, NULL);
        r->wrong += code != 0 || memcmp(out, r->wanted + first * VALUES, n * VALUES * sizeof *out) != 0;
    }
    mem_free(&out);
    return NULL;
}

static void threads_share_an_engine(void **state) {
    (void)state;
    caelum_model *model = make("standard", 32);
    caelum_engine *engine = open_engine(model, 0);
    float *in = numbers(MOST * VALUES), *wanted = numbers(MOST * VALUES);
    struct runner r[THREADS];
    pthread_t thread[THREADS];
    assert_ok(caelum_model_run(model, model->net->layers, in, MOST, wanted, err));
    for (size_t i = 0; i < THREADS; i++) {
        r[i] = (struct runner){engine, in, wanted, 0};
        assert_int_equal(pthread_create(&thread[i], NULL, run_often, &r[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) pthread_join(thread[i], NULL);
    for (size_t i = 0; i < THREADS; i++) assert_int_equal(r[i].wrong, 0);
    mem_free(&in), mem_free(&wanted);
    caelum_engine_close(&engine);
    caelum_model_close(&model);
}

/* Any number of pictures on any number of threads, tails as tiles and whole, against whole blocks. */
static void shipped_networks_give_the_same_bits(void **state) {
    (void)state;
    enum { ALL = 2 * MOST_LANES, FEW = 17 };
    static const char *const names[] = {"standard", "custom", "best", "colorize", "code", "classifier"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        caelum_model *model = make(names[i], 32);
        const struct caelum_net *net = model->net;
        const size_t inputs = shape_values(net->input), outputs = shape_values(net_output(net));
        float *in = numbers(ALL * inputs), *wanted = numbers(ALL * outputs), *out = numbers(FEW * outputs);
        assert_ok(caelum_model_run(model, net->layers, in, ALL, wanted, err));
        for (int threads = 1; threads <= 3; threads++) {
            struct caelum_engine_settings settings = caelum_engine_defaults();
            caelum_engine *engine = NULL;
            settings.threads = threads;
            assert_ok(caelum_engine_open(&engine, model, &settings, err));
            for (size_t n = 1; n <= FEW; n++) {
                assert_ok(caelum_engine_run(engine, in, n, out, err));
                if (memcmp(out, wanted, n * outputs * sizeof *out) != 0)
                    fail_msg("%s: %zu pictures on %d threads give other bits", names[i], n, threads);
            }
            caelum_engine_close(&engine);
        }
        mem_free(&in), mem_free(&wanted), mem_free(&out);
        caelum_model_close(&model);
    }
}

static void a_later_run_allocates_nothing(void **state) {
    (void)state;
    caelum_model *model = make("standard", 32);
    caelum_engine *engine = open_engine(model, 0);
    float *in = numbers(MOST * VALUES), *out = numbers(MOST * VALUES);
    for (size_t n = 0; n <= MOST; n++) assert_ok(caelum_engine_run(engine, in, n, out, err));
    assert_ok(caelum_model_run(model, model->net->layers, in, 1, out, err)); /* on other threads */
    const size_t before = mem_count();
    for (size_t n = 1; n <= MOST; n++) assert_ok(caelum_engine_run(engine, in, n, out, err));
    for (size_t i = 0; i < 9; i++) assert_ok(caelum_model_run(model, model->net->layers, in, 1, out, err));
    assert_int_equal(mem_count(), before);
    mem_free(&in), mem_free(&out);
    caelum_engine_close(&engine);
    caelum_model_close(&model);
}

static void weights_may_change_between_runs(void **state) {
    (void)state;
    caelum_model *model = make("standard", 32);
    caelum_engine *engine = open_engine(model, 0);
    float *in = numbers(VALUES), *before = numbers(VALUES), *after = numbers(VALUES);
    struct caelum_tensor t = {0};
    for (size_t i = 0; caelum_model_tensor(model, i, &t); i++) continue;
    const float bias[3] = {2, 2, 2};
    assert_int_equal(t.dim[0], 3);
    assert_ok(caelum_engine_run(engine, in, 1, before, err));
    assert_ok(caelum_model_set_tensor(model, t.name, bias, 3, err));
    assert_ok(caelum_engine_run(engine, in, 1, after, err));
    for (size_t i = 0; i < VALUES; i++) {
        const double x = (double)before[i];
        assert_true(fabs((double)after[i] - 1 / (1 + exp(-2 - log(x / (1 - x))))) < 1e-5);
    }
    mem_free(&in), mem_free(&before), mem_free(&after);
    caelum_engine_close(&engine);
    caelum_model_close(&model);
}

static void an_engine_stops_at_a_layer(void **state) {
    (void)state;
    caelum_model *model = make("standard", 32);
    caelum_engine *none = NULL, *engine = open_engine(model, 2);
    const struct shape shape = model->net->layer[1].out;
    float *in = numbers(VALUES), *out = numbers(shape_values(shape)), *run = numbers(shape_values(shape));
    assert_ok(caelum_engine_run(engine, in, 1, out, err));
    assert_ok(caelum_model_run(model, 2, in, 1, run, err));
    assert_memory_equal(out, run, shape_values(shape) * sizeof *out);
    const struct caelum_engine_settings wrong = {.layer = model->net->layers + 1};
    assert_error(CAELUM_EUSAGE, "no layer", caelum_engine_open(&none, model, &wrong, err));
    assert_null(none);
    mem_free(&in), mem_free(&out), mem_free(&run);
    caelum_engine_close(&engine);
    caelum_model_close(&model);
}

/* --- Memory --------------------------------------------------------------------------------------- */

static size_t floats_of(const struct tensor *t) {
    return t->c * t->plane;
}

static float *begin_of(const struct tensor *t) {
    return t->data - t->pad * (t->row + t->step);
}

/* Floats from the first to the last that tensors of a workspace have, and the most that one step works on. */
static size_t extent(const struct net_workspace *ws, size_t layers, size_t *step) {
    const float *first = NULL, *end = NULL;
    size_t before = *step = 0;
    for (size_t i = 0; i <= layers; i++) {
        const struct tensor *t = &ws->value[i];
        if (!t->data) continue;
        const float *begin = begin_of(t);
        if (!first || begin < first) first = begin;
        if (!end || begin + floats_of(t) > end) end = begin + floats_of(t);
        if (before + floats_of(t) > *step) *step = before + floats_of(t);
        before = floats_of(t);
    }
    return (size_t)(end - first);
}

static void one_large_picture_takes_its_own_memory(void **state) {
    (void)state;
    static const char *const names[] = {"standard", "custom", "deeper"}; /* no skips */
    enum { SIDE = 512 };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        caelum_model *model = make(names[i], SIDE);
        struct pooled *pooled = NULL;
        float *in = numbers(3 * SIDE * SIDE), *out = numbers(3 * SIDE * SIDE);
        size_t step;
        assert_ok(caelum_model_run(model, model->net->layers, in, 1, out, err));
        assert_ok(pool_take(&pooled, model, model->net->layers, 2, err));
        const struct engine *e = &pooled->engine;
        for (int t = 0; t < e->settings.threads; t++) assert_false(e->place[t].open);
        assert_true(e->alone[0].open && !e->alone[1].open);
        const struct net_workspace *ws = &e->alone[0].workspace; /* tiles in all lanes, from end to end */
        assert_int_equal(tiling_count(ws->tiles), e->kernels->lanes);
        for (size_t s = 0; s <= model->net->steps; s++) assert_null(ws->way[s].x.data);
        const size_t used = extent(ws, model->net->layers, &step);
        if (used > step) fail_msg("%s: %zu floats for steps of %zu", names[i], used, step);
        pool_give(&pooled);
        mem_free(&in), mem_free(&out);
        caelum_model_close(&model);
    }
}

/* Output of two blocks, the memory of all tensors with their borders spoiled before each. */
static void forward(const struct caelum_net *net, const float *params, bool gradients, float *out) {
    const struct kernels *kernels = test_kernels(cpu_detect());
    struct net_workspace ws;
    float *packed = NULL, *lane[MOST_LANES];
    const size_t size = shape_values(net_output(net)), plane = net_output(net).h * net_output(net).w;
    struct rng rng = rng_make(5, RNG_TEST, 1);
    assert_ok(net_workspace_open(&ws, net, kernels->lanes, gradients, err));
    assert_ok(mem_alloc(&packed, net->packed, sizeof(float), err));
    net_pack(net, params, packed);
    for (size_t block = 0; block < 2; block++) {
        for (size_t i = 0; !gradients && i <= net->layers; i++)
            for (size_t j = 0; ws.value[i].data && j < floats_of(&ws.value[i]); j++)
                begin_of(&ws.value[i])[j] = NAN;
        test_tensor_random(&ws.value[0], &rng);
        net_forward(net, kernels, params, packed, &ws);
        for (size_t l = 0; l < kernels->lanes; l++) lane[l] = out + (block * MOST_LANES + l) * size;
        kernels->store(&ws.value[net->layers], lane, net_output(net).w, plane, kernels->lanes);
    }
    mem_free(&packed);
    net_workspace_close(&ws);
}

static void tensors_share_memory_without_harm(void **state) {
    (void)state;
    static const char *const names[] = {"standard", "custom", "best",     "code",
                                        "denoise",  "valid",  "colorize", "classifier"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        caelum_model *model = make(names[i], 32);
        const size_t n = 2 * MOST_LANES * shape_values(net_output(model->net));
        float *apart = NULL, *shared = NULL;
        assert_ok(mem_alloc(&apart, n, sizeof *apart, err));
        assert_ok(mem_alloc(&shared, n, sizeof *shared, err));
        forward(model->net, model->params, true, apart);
        forward(model->net, model->params, false, shared);
        if (memcmp(apart, shared, n * sizeof *apart) != 0) fail_msg("%s: other bits", names[i]);
        mem_free(&apart), mem_free(&shared);
        caelum_model_close(&model);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_share_an_engine),
        cmocka_unit_test(shipped_networks_give_the_same_bits),
        cmocka_unit_test(a_later_run_allocates_nothing),
        cmocka_unit_test(weights_may_change_between_runs),
        cmocka_unit_test(an_engine_stops_at_a_layer),
        cmocka_unit_test(one_large_picture_takes_its_own_memory),
        cmocka_unit_test(tensors_share_memory_without_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
