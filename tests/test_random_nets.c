/* test_random_nets.c - 200 random networks against PyTorch in double precision: output and gradients, with
 * the fused and the plain plan, every tenth on every instruction set; and as many out of whatever layers
 * there are, the two plans against each other.
 *
 * Network i is a function of the seed first_seed + i; CAELUM_SEED=n runs the one of seed n alone. A failure
 * that rounding may explain (tests/reference/torch_net.py says when) is tried again: the same text, other
 * numbers. Where PyTorch is missing, a few true numbers recorded for the first networks stand in;
 * CAELUM_RECORD=1 writes them anew.
 *
 * The same networks show that idle lanes don't matter. */
#include "random_net.h"

#include <math.h>

enum {
    NETWORKS = 200,
    ANY = 200,
    RECORDED = 30,
    PICTURES = 16,
    ATTEMPTS = 4,
    MOST_KINKS = NETWORKS / 10,
    SAMPLES = 8
};
static const uint64_t first_seed = 1000;

#define RECORD SOURCE_DIR "/tests/reference/random_nets.txt"

/* Those of makers first, then those of any layers. */
static void make(struct random_net *n, uint64_t seed) {
    if (seed < first_seed + NETWORKS)
        random_net(n, seed);
    else
        random_any_net(n, seed);
}

/* A network with numbers: parameters uniform within sqrt(6 / fan in) and biases within 0.5, so that signals
 * neither die nor grow, but before relu6 weights six times as large, so that its upper end is reached; inputs
 * and the output's gradient uniform in [-1, 1). */
struct trial {
    struct random_net made;
    struct caelum_net *net;
    struct rng rng;
    float *params, *input, *dy; /* the latter two [picture][c][h][w] */
    size_t inputs, outputs;     /* of one picture */
};

static size_t values(struct shape s) {
    return s.c * s.h * s.w;
}

static void fill_params(struct trial *t) {
    for (size_t i = 0; i < t->net->layers; i++) {
        const struct net_layer *layer = &t->net->layer[i];
        float *p = t->params + layer->params;
        struct layer_tensor tensor;
        for (size_t j = 0; layer->ops->tensor && layer->ops->tensor(layer->state, layer->in, j, &tensor);
             j++) {
            size_t n = 1;
            for (size_t d = 0; d < tensor.dims; d++) n *= tensor.dim[d];
            const size_t outputs = strcmp(layer->ops->name, "deconv") == 0 ? tensor.dim[1] : tensor.dim[0];
            const float by = strstr(layer->text, "relu6") ? 6 : 1;
            const float limit = tensor.dims == 1 ? 0.5f : by * (float)sqrt(6.0 / (double)(n / outputs));
            while (n-- > 0) *p++ = limit * test_random(&t->rng);
        }
    }
}

static void trial_open(struct trial *t, uint64_t seed, uint32_t attempt) {
    *t = (struct trial){.rng = rng_make(seed, RNG_TEST, 1 + attempt)};
    make(&t->made, seed);
    assert_ok(caelum_net_parse(&t->net, t->made.text, "random", t->made.h, t->made.w, err));
    t->inputs = values(t->net->input), t->outputs = values(t->net->layer[t->net->layers - 1].out);
    assert_ok(mem_alloc(&t->params, t->net->params, sizeof(float), err));
    assert_ok(mem_alloc(&t->input, PICTURES * t->inputs, sizeof(float), err));
    assert_ok(mem_alloc(&t->dy, PICTURES * t->outputs, sizeof(float), err));
    fill_params(t);
    for (size_t i = 0; i < PICTURES * t->inputs; i++) t->input[i] = test_random(&t->rng);
    for (size_t i = 0; i < PICTURES * t->outputs; i++) t->dy[i] = test_random(&t->rng);
}

static void trial_close(struct trial *t) {
    caelum_net_close(&t->net);
    mem_free(&t->params), mem_free(&t->input), mem_free(&t->dy);
}

/* [lane][c][h][w] into a block. */
static void fill_block(const struct tensor *t, const float *from) {
    for (size_t lane = 0; lane < t->step; lane++)
        for (size_t c = 0; c < t->c; c++)
            for (size_t i = 0; i < t->h; i++)
                for (size_t j = 0; j < t->w; j++) tensor_at(t, c, (ptrdiff_t)i, (ptrdiff_t)j)[lane] = *from++;
}

static void fill_constant(const struct tensor *t, float value) {
    for (size_t c = 0; c < t->c; c++)
        for (size_t i = 0; i < t->h; i++)
            for (size_t j = 0; j < t->w * t->step; j++) tensor_at(t, c, (ptrdiff_t)i, 0)[j] = value;
}

/* NaN into everything that a pass must write before it reads: all but the borders. */
static void spoil(const struct caelum_net *net, const struct net_workspace *ws) {
    for (size_t i = 1; i <= net->layers; i++) {
        const struct tensor *const tensors[] = {&ws->value[i], &ws->grad[i], &ws->skip_grad[i]};
        for (size_t j = 0; j < 3; j++)
            if (tensors[j]->data) fill_constant(tensors[j], NAN);
    }
    for (float *f = ws->scratch; f < ws->saved; f++) *f = NAN;
    for (size_t i = 0; i < net->saved * ws->lanes; i++) ws->saved[i] = NAN;
}

/* caelum's output [picture][k][h][w], then its gradient, into `got`. Only the first `live` pictures are
 * there; what full blocks have left behind is in the idle lanes of the last one. */
static void run(const struct trial *t, const struct kernels *kernels, size_t live, float *got) {
    struct net_workspace ws;
    float *packed = NULL, *grads = NULL, *total = got + PICTURES * t->outputs;
    const size_t last = t->net->layers, n = t->net->params;
    lanes = kernels->lanes;
    assert_ok(net_workspace_open(&ws, t->net, lanes, true, err));
    assert_ok(mem_alloc(&packed, t->net->packed, sizeof(float), err));
    assert_ok(mem_alloc(&grads, MOST_LANES / SUM_LANES * n, sizeof(float), err));
    net_pack(t->net, t->params, packed);
    spoil(t->net, &ws);
    memset(total, 0, n * sizeof *total);
    for (size_t first = 0; first < live; first += lanes) {
        const size_t here = live - first < lanes ? live - first : lanes;
        float *pictures[MOST_LANES];
        for (size_t i = 0; i < lanes; i++) pictures[i] = got + (first + i) * t->outputs;
        for (int pass = here == lanes; pass < 2; pass++) {
            struct rng rng = rng_make(t->made.seed, RNG_TEST, 100);
            fill_block(&ws.value[0], t->input + first * t->inputs);
            fill_block(&ws.grad[last], t->dy + first * t->outputs);
            if (pass == 0) test_tensor_random(&ws.value[0], &rng), test_tensor_random(&ws.grad[last], &rng);
            if (pass == 1) net_workspace_live(&ws, t->net, here);
            memset(grads, 0, MOST_LANES / SUM_LANES * n * sizeof *grads);
            net_forward(t->net, kernels, t->params, packed, &ws);
            kernels->store(&ws.value[last], pictures, ws.value[last].w, ws.value[last].h * ws.value[last].w,
                           lanes);
            net_backward(t->net, kernels, t->params, packed, &ws, grads);
        }
        for (size_t i = 0; i < lanes / SUM_LANES * n; i++) total[i % n] += grads[i];
    }
    mem_free(&packed), mem_free(&grads);
    net_workspace_close(&ws);
}

static size_t got_size(const struct trial *t) {
    return PICTURES * t->outputs + t->net->params;
}

/* --- Case directories ----------------------------------------------------------------------------- */

static void write_bytes(const char *directory, const char *name, const void *bytes, size_t size) {
    char path[400];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void write_case(const char *directory, uint64_t seed, uint32_t attempt, bool all_levels) {
    struct trial t;
    char text[2100], name[64];
    float *got = NULL;
    trial_open(&t, seed, attempt);
    mkdir(directory, 0777);
    const int size = snprintf(text, sizeof text, "# %zu %zu\n%s", t.made.h, t.made.w, t.made.text);
    write_bytes(directory, "net.txt", text, (size_t)size);
    write_bytes(directory, "params", t.params, t.net->params * sizeof(float));
    write_bytes(directory, "input", t.input, PICTURES * t.inputs * sizeof(float));
    write_bytes(directory, "dy", t.dy, PICTURES * t.outputs * sizeof(float));
    assert_ok(mem_alloc(&got, got_size(&t), sizeof(float), err));
    for (int level = all_levels ? 0 : (int)cpu_detect(); level <= (int)cpu_detect(); level++)
        for (int fuse = 0; fuse < 2; fuse++) {
            assert_ok(net_plan(t.net, fuse != 0, err));
            run(&t, kernels_get((enum cpu_level)level), PICTURES, got);
            snprintf(name, sizeof name, "got-%s-%s", cpu_name((enum cpu_level)level),
                     fuse ? "fused" : "plain");
            write_bytes(directory, name, got, got_size(&t) * sizeof(float));
        }
    mem_free(&got);
    trial_close(&t);
}

static void print_network(uint64_t seed) {
    struct random_net n;
    make(&n, seed);
    print_message("CAELUM_SEED=%llu, %zux%zu:\n%s", (unsigned long long)seed, n.w, n.h, n.text);
}

/* --- Against PyTorch ------------------------------------------------------------------------------ */

static bool have_torch(void) {
    return system("/usr/bin/python3 -c 'import torch, numpy' 2>/dev/null") == 0;
}

/* Has the cases judged; verdict[i] becomes 'P', 'F' or 'K' for every i of `pending`, in order. */
static void judge(const char *directory, const size_t *pending, size_t n, char *verdict, bool record) {
    char path[400], command[1200], word[16], line[600];
    snprintf(path, sizeof path, "%s/list", directory);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (size_t i = 0; i < n; i++) fprintf(file, "%s/%zu\n", directory, pending[i]);
    assert_int_equal(fclose(file), 0);
    snprintf(command, sizeof command, "/usr/bin/python3 -W ignore '%s/tests/reference/torch_net.py' '%s' %s",
             SOURCE_DIR, path, record ? "'" RECORD "'" : "");
    FILE *answers = popen(command, "r");
    assert_non_null(answers);
    for (size_t i = 0; i < n; i++) {
        if (!fgets(line, sizeof line, answers) || sscanf(line, "%15s", word) != 1)
            fail_msg("torch_net.py stopped at network %zu", pending[i]);
        verdict[pending[i]] = word[0];
        if (word[0] != 'P') print_message("%s", line);
    }
    assert_int_equal(pclose(answers), 0);
}

static void networks_equal_pytorch(void **state) {
    (void)state;
    static size_t pending[NETWORKS];
    static char verdict[NETWORKS], directory[256], path[300];
    const char *only = getenv("CAELUM_SEED");
    const uint64_t first = only ? strtoull(only, NULL, 10) : first_seed;
    size_t n = only ? 1 : NETWORKS, kinks = 0, failures = 0;
    if (!have_torch()) {
        print_message("skipped: no python3-torch here\n");
        skip();
    }
    if (only) print_network(first);
    test_directory(directory);
    for (size_t i = 0; i < n; i++) pending[i] = i;
    for (uint32_t attempt = 0; n > 0 && attempt < ATTEMPTS; attempt++) {
        for (size_t i = 0; i < n; i++) {
            snprintf(path, sizeof path, "%s/%zu", directory, pending[i]);
            write_case(path, first + pending[i], attempt, only || pending[i] % 10 == 0);
        }
        judge(directory, pending, n, verdict, false);
        size_t left = 0;
        for (size_t i = 0; i < n; i++) {
            if (verdict[pending[i]] == 'K') pending[left++] = pending[i];
            if (verdict[pending[i]] != 'F') continue;
            print_network(first + pending[i]);
            failures++;
        }
        n = left, kinks += left;
    }
    for (size_t i = 0; i < n; i++) print_network(first + pending[i]);
    print_message("%zu times a kink was too near, and other numbers were tried\n", kinks);
    test_remove(directory);
    if (failures > 0 || n > 0) fail_msg("%zu networks differ, %zu stayed at kinks", failures, n);
    assert_true(kinks <= MOST_KINKS);
}

/* --- Against the record --------------------------------------------------------------------------- */

/* Largest size, norm and samples of n numbers, as torch_net.py records them. */
static void summarize(const float *x, size_t n, double out[2 + SAMPLES]) {
    double most = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        most = fmax(most, fabs((double)x[i]));
        squares += (double)x[i] * (double)x[i];
    }
    out[0] = most, out[1] = sqrt(squares);
    for (size_t i = 0; i < SAMPLES; i++) out[2 + i] = (double)x[i * (n - 1) / (SAMPLES - 1)];
}

static void compare_summary(const char *what, uint64_t seed, const float *x, size_t n, FILE *file) {
    double got[2 + SAMPLES], want;
    summarize(x, n, got);
    const double most = got[0];
    for (size_t i = 0; i < 2 + SAMPLES; i++) {
        assert_int_equal(fscanf(file, "%lf", &want), 1);
        const double scale = i == 1 ? want : most;
        if (!(fabs(got[i] - want) <= 1e-4 * scale)) {
            print_network(seed);
            fail_msg("%s, number %zu: got %.9g, recorded %.9g", what, i, got[i], want);
        }
    }
}

static void write_record(void) {
    static size_t pending[RECORDED];
    static char verdict[RECORDED], directory[256], path[300];
    if (!have_torch()) fail_msg("CAELUM_RECORD needs python3-torch");
    test_directory(directory);
    for (size_t i = 0; i < RECORDED; i++) {
        pending[i] = i;
        snprintf(path, sizeof path, "%s/%zu", directory, i);
        write_case(path, first_seed + i, 0, false);
    }
    judge(directory, pending, RECORDED, verdict, true);
    test_remove(directory);
}

static void networks_equal_the_record(void **state) {
    (void)state;
    if (getenv("CAELUM_RECORD")) write_record();
    FILE *file = fopen(RECORD, "r");
    assert_non_null(file);
    size_t i, networks = 0;
    char text[2100];
    for (; fscanf(file, "%zu ", &i) == 1; networks++) {
        struct trial t;
        float *got = NULL;
        trial_open(&t, first_seed + i, 0);
        assert_non_null(fgets(text, sizeof text, file));
        for (char *c = t.made.text; *c; c++)
            if (*c == '\n' && c[1]) *c = ';';
        if (strcmp(text, t.made.text) != 0)
            fail_msg("network %zu is another one than in the record; CAELUM_RECORD=1 writes it anew", i);
        assert_ok(mem_alloc(&got, got_size(&t), sizeof(float), err));
        run(&t, kernels_get(cpu_detect()), PICTURES, got);
        compare_summary("output", first_seed + i, got, PICTURES * t.outputs, file);
        compare_summary("gradient", first_seed + i, got + PICTURES * t.outputs, t.net->params, file);
        mem_free(&got);
        trial_close(&t);
    }
    assert_true(feof(file) && networks > RECORDED - 5);
    fclose(file);
}

/* --- Blocks that are not full --------------------------------------------------------------------- */

/* With no gradient in the last lanes, it makes no difference whether they are declared idle. */
static void idle_lanes_change_nothing(void **state) {
    (void)state;
    for (uint64_t seed = first_seed; seed < first_seed + NETWORKS + ANY; seed += 2)
        for (int level = 0; level <= (int)cpu_detect(); level++) {
            struct trial t;
            float *full = NULL, *partial = NULL;
            trial_open(&t, seed, 0);
            const size_t live = 1 + rng_below(&t.rng, PICTURES - 1), lived = live * t.outputs;
            for (size_t i = lived; i < PICTURES * t.outputs; i++) t.dy[i] = 0;
            assert_ok(mem_alloc(&full, got_size(&t), sizeof(float), err));
            assert_ok(mem_alloc(&partial, got_size(&t), sizeof(float), err));
            run(&t, kernels_get((enum cpu_level)level), PICTURES, full);
            run(&t, kernels_get((enum cpu_level)level), live, partial);
            for (size_t i = 0; i < got_size(&t); i++)
                if ((i < lived || i >= PICTURES * t.outputs) && full[i] != partial[i]) {
                    print_network(seed);
                    fail_msg("%zu live lanes, %s %zu: %.9g, with all lanes %.9g", live,
                             i < lived ? "output" : "gradient", i < lived ? i : i - PICTURES * t.outputs,
                             (double)partial[i], (double)full[i]);
                }
            mem_free(&full), mem_free(&partial);
            trial_close(&t);
        }
}

/* --- Networks out of any layers ------------------------------------------------------------------- */

/* The scale of the numbers at which the plans may differ by rounding. */
static float scale_of(const float *x, size_t n) {
    float most = 1e-6f;
    for (size_t i = 0; i < n; i++) most = fmaxf(most, fabsf(x[i]));
    return most;
}

static bool near(const float *a, const float *b, size_t n) {
    const float bound = 1e-3f * scale_of(b, n);
    for (size_t i = 0; i < n; i++)
        if (!(fabsf(a[i] - b[i]) <= bound)) return false;
    return true;
}

static void plans_agree(void **state) {
    (void)state;
    for (uint64_t seed = first_seed + NETWORKS; seed < first_seed + NETWORKS + ANY; seed++) {
        struct trial t;
        float *fused = NULL, *plain = NULL;
        trial_open(&t, seed, 0);
        const size_t outputs = PICTURES * t.outputs;
        assert_ok(mem_alloc(&fused, got_size(&t), sizeof(float), err));
        assert_ok(mem_alloc(&plain, got_size(&t), sizeof(float), err));
        run(&t, kernels_get(cpu_detect()), PICTURES, fused);
        assert_ok(net_plan(t.net, false, err));
        run(&t, kernels_get(cpu_detect()), PICTURES, plain);
        if (!near(fused, plain, outputs) || !near(fused + outputs, plain + outputs, t.net->params)) {
            print_network(seed);
            fail_msg("the fused and the plain plan differ");
        }
        mem_free(&fused), mem_free(&plain);
        trial_close(&t);
    }
}

/* Every layer stands in some networks of any. */
static void networks_cover_every_layer(void **state) {
    (void)state;
    static struct random_net n[ANY];
    for (size_t i = 0; i < ANY; i++) random_any_net(&n[i], first_seed + NETWORKS + i);
    for (const struct layer_ops *const *ops = layers_all(); *ops; ops++) {
        char line[64];
        size_t found = 0;
        snprintf(line, sizeof line, "\n%s", (*ops)->name);
        for (size_t i = 0; i < ANY; i++) {
            const char *at = strstr(n[i].text, line);
            found += at && strchr(" \n", at[strlen(line)]);
        }
        if (found == 0) fail_msg("%s: in none of %d networks", (*ops)->name, ANY);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_cover_every_layer),
        cmocka_unit_test(networks_equal_pytorch),
        cmocka_unit_test(networks_equal_the_record),
        cmocka_unit_test(idle_lanes_change_nothing),
        cmocka_unit_test(plans_agree),
    };
    return cmocka_run_group_tests_name("random networks", tests, NULL, NULL);
}
