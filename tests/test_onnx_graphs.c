/* test_onnx_graphs.c - ONNX graphs that are made by hand: constants that are biases, nodes that do nothing,
 * and what is refused. */
#include "model_files.h"

#if CAELUM_WITH_ONNX

#include "exchange/onnx.h"

#include <math.h>

/* --- Graphs that are made by hand ----------------------------------------------------------------- */

/* A graph of one convolution 2 -> 2, "a", k=3 with pads; a test changes it, or adds to it. */
struct made {
    struct onnx_file file;
    float weight[36];
};

static void made_open(struct made *m) {
    *m = (struct made){0};
    struct onnx_graph *g = &m->file.graph;
    onnx_open(g, NULL);
    g->name = "made";
    g->input = (struct onnx_port){.name = "x", .dims = 4, .dim = {0, 2, 8, 8}};
    g->output = (struct onnx_port){.name = "a", .dims = 4, .dim = {0, 2, 8, 8}};
    for (size_t i = 0; i < 36; i++) m->weight[i] = (float)i / 36;
    onnx_add_tensor(g, &(struct onnx_tensor){.name = "w",
                                             .type = ONNX_FLOAT,
                                             .dims = 4,
                                             .dim = {2, 2, 3, 3},
                                             .values = 36,
                                             .data = m->weight});
    g->layer = "a";
    onnx_node(g, "Conv", NULL, "x", "w");
    onnx_ints(g, "pads", 4, (size_t[]){1, 1, 1, 1});
}

static int made_model(struct made *m, caelum_model **model, struct caelum_error *error) {
    const struct caelum_import_settings settings = {.height = 8, .width = 8};
    m->file.graph.output.name = m->file.graph.value;
    assert_int_equal(m->file.graph.result, 0);
    assert_ok(onnx_write(&m->file, in_directory("one.onnx"), err));
    const int result = caelum_model_import(model, in_directory("one.onnx"), &settings, error);
    if (result != 0) assert_null(*model);
    onnx_file_close(&m->file);
    return result;
}

static int made_import(struct made *m, struct caelum_error *error) {
    caelum_model *model = NULL;
    const int result = made_model(m, &model, error);
    caelum_model_close(&model);
    return result;
}

/* A constant of the layer at hand. */
static const char *constant(struct onnx_graph *g, const char *name, size_t dims, const size_t *dim,
                            const float *data) {
    struct onnx_tensor t = {.name = name, .type = ONNX_FLOAT, .dims = dims, .values = 1, .data = data};
    for (size_t d = 0; d < dims; d++) t.dim[d] = dim[d], t.values *= dim[d];
    onnx_add_tensor(g, &t);
    return name;
}

/* Adds the constant to the convolution, twice if told so, and applies relu. */
static int add_to_conv(size_t dims, const size_t *dim, const float *data, bool twice, float bias[2],
                       struct caelum_error *error) {
    struct made m;
    caelum_model *model = NULL;
    made_open(&m);
    struct onnx_graph *g = &m.file.graph;
    g->layer = "b";
    onnx_node(g, "Add", "1", constant(g, "c", dims, dim, data), "a");
    if (twice) onnx_node(g, "Add", "2", g->value, "c");
    onnx_node(g, "Relu", NULL, g->value, NULL);
    const int result = made_model(&m, &model, error);
    if (result != 0) return result;
    assert_string_equal(model->net->text, "input 2\nconv 2 relu\n");
    for (size_t i = 0; i < 36; i++) assert_true(model->params[i] == m.weight[i]);
    memcpy(bias, model->params + 36, 2 * sizeof *bias);
    caelum_model_close(&model);
    return 0;
}

static void a_constant_is_a_bias(void **state) {
    static const float two[] = {0.5f, -1}, one[] = {0.25f}, columns[8] = {1}, all[128] = {1};
    float bias[2];
    (void)state;
    assert_ok(add_to_conv(3, (size_t[]){2, 1, 1}, two, false, bias, err));
    assert_true(bias[0] == 0.5f && bias[1] == -1);
    assert_ok(add_to_conv(4, (size_t[]){1, 2, 1, 1}, two, true, bias, err));
    assert_true(bias[0] == 1 && bias[1] == -2);
    assert_ok(add_to_conv(0, NULL, one, true, bias, err));
    assert_true(bias[0] == 0.5f && bias[1] == 0.5f);
    assert_ok(add_to_conv(1, (size_t[]){1}, one, false, bias, err));
    assert_true(bias[0] == 0.25f && bias[1] == 0.25f);
    static const char words[] = "'c', a constant that is neither one number nor one for each of 2 channels";
    assert_error(CAELUM_EFORMAT, words, add_to_conv(1, (size_t[]){8}, columns, false, bias, err));
    assert_error(CAELUM_EFORMAT, words, add_to_conv(1, (size_t[]){2}, two, false, bias, err));
    assert_error(CAELUM_EFORMAT, words, add_to_conv(3, (size_t[]){2, 8, 8}, all, false, bias, err));
    assert_error(CAELUM_EFORMAT, words, add_to_conv(5, (size_t[]){1, 1, 2, 1, 1}, two, false, bias, err));

    /* MatMul [128][3] and its bias, by hand: all weights 1, the bias 10, 20, 30 */
    static float ones[128 * 3], in[128], out[3];
    static const float three[] = {10, 20, 30};
    struct made m;
    caelum_model *model = NULL;
    for (size_t i = 0; i < 128 * 3; i++) ones[i] = 1;
    for (size_t i = 0; i < 128; i++) in[i] = (float)i / 128;
    made_open(&m);
    struct onnx_graph *g = &m.file.graph;
    g->layer = "b";
    onnx_node(g, "Flatten", "row", "x", NULL);
    onnx_node(g, "MatMul", "product", g->value, constant(g, "m", 2, (size_t[]){128, 3}, ones));
    onnx_node(g, "Add", NULL, g->value, constant(g, "c", 1, (size_t[]){3}, three));
    assert_ok(made_model(&m, &model, err));
    assert_ok(caelum_model_run(model, model->net->layers, in, 1, out, err));
    for (size_t k = 0; k < 3; k++)
        assert_float_equal(out[k], 63.5f + three[k], 1e-4); /* 0 + ... + 127, / 128 */
    caelum_model_close(&model);
}

#define REFUSES(words, ...)                                        \
    do {                                                           \
        struct made m;                                             \
        made_open(&m);                                             \
        struct onnx_graph *g = &m.file.graph;                      \
        g->layer = "b";                                            \
        __VA_ARGS__;                                               \
        assert_error(CAELUM_EFORMAT, words, made_import(&m, err)); \
    } while (0)

/* Each alone leaves the text as it was. */
static void what_does_nothing_writes_nothing(void **state) {
    static const float ones[] = {1, 1}, zero[] = {0, 0}, ends[] = {-INFINITY, INFINITY, 0};
    (void)state;
    for (int i = 0; i < 14; i++) {
        struct made m;
        caelum_model *model = NULL;
        made_open(&m);
        struct onnx_graph *g = &m.file.graph;
        const size_t channels[] = {1, 2, 1, 1};
        g->layer = "b";
        const char *const one = constant(g, "ones", 4, channels, ones);
        const char *const none = constant(g, "zeros", 4, channels, zero);
        const char *const least = constant(g, "least", 0, NULL, &ends[0]);
        const char *const most = constant(g, "most", 0, NULL, &ends[1]);
        onnx_add_tensor(g,
                        &(struct onnx_tensor){
                            .name = "false", .type = ONNX_BOOL, .values = 1, .data = (const uint64_t[]){0}});
        static const char *const op[] = {"Mul",  "Mul",       "Div",    "Add",     "Add",  "Sub",  "Identity",
                                         "Cast", "Transpose", "Concat", "Dropout", "Clip", "Clip", "Resize"};
        const char *const first[] = {"a", one, "a", "a", none, "a", "a", "a", "a", "a", "a", "a", "a", "a"};
        const char *const second[] = {one,  "a",  one,  none, "a",  none,  NULL,
                                      NULL, NULL, NULL, "",   NULL, least, ""};
        onnx_node(g, op[i], NULL, first[i], second[i]);
        if (i == 7) onnx_int(g, "to", ONNX_FLOAT);
        if (i == 8) onnx_ints(g, "perm", 4, (size_t[]){0, 1, 2, 3});
        if (i == 9) onnx_int(g, "axis", 1);
        if (i == 10) onnx_input(g, "false");
        if (i == 12) onnx_input(g, most);
        if (i == 13) {
            onnx_input(g, onnx_reals(g, "scales", 2, (float[]){2, 2}));
            onnx_ints(g, "axes", 2, (size_t[]){2, 3});
            onnx_int(g, "antialias", 0);
            onnx_int(g, "exclude_outside", 0);
            onnx_word(g, "keep_aspect_ratio_policy", "stretch");
        }
        assert_ok(made_model(&m, &model, err));
        assert_string_equal(model->net->text, i == 13 ? "input 2\nconv 2\nupsample\n" : "input 2\nconv 2\n");
        caelum_model_close(&model);
    }
    REFUSES("of a constant", onnx_node(g, "Div", NULL, constant(g, "c", 0, NULL, ones), "a"));
    REFUSES("of two values that are computed", onnx_node(g, "Div", NULL, "a", "x"));
    REFUSES("Transpose", onnx_node(g, "Transpose", NULL, "a", NULL);
            onnx_ints(g, "perm", 4, (size_t[]){0, 1, 3, 2}));
    REFUSES("Cast", onnx_node(g, "Cast", NULL, "a", NULL); onnx_int(g, "to", ONNX_INT32));
}

static void what_no_text_can_say_is_refused(void **state) {
    (void)state;
    struct made fine;
    made_open(&fine);
    assert_ok(made_import(&fine, err));
    REFUSES("node 'b' (Softmax): an operator", onnx_node(g, "Softmax", NULL, "a", NULL));
    REFUSES("node 'a' (Conv): 3 groups", onnx_int(g, "group", 3));
    REFUSES("kernels of 21 x 21 pixels, holes counted", onnx_ints(g, "dilations", 2, (size_t[]){10, 2}));
    REFUSES("node 'a' (Conv): strides 1 and 2", onnx_ints(g, "strides", 2, (size_t[]){1, 2}));
    REFUSES("attribute ''", onnx_int(g, "", 2));
    REFUSES("attribute 'novel'", onnx_int(g, "novel", 2));
    REFUSES("kernel_shape 3 x 5", onnx_ints(g, "kernel_shape", 2, (size_t[]){3, 5}));
    REFUSES("strides: 1 numbers", onnx_ints(g, "strides", 1, (size_t[]){1}));
    REFUSES("group: not of the type", onnx_word(g, "group", "1"));
    REFUSES("'w', a constant", onnx_node(g, "Add", NULL, "a", "w"));
    REFUSES("'w' is a constant", onnx_node(g, "Concat", NULL, "a", "w"); onnx_int(g, "axis", 1));
    REFUSES("along axis 2", onnx_node(g, "Concat", NULL, "a", "x"); onnx_int(g, "axis", 2));
    REFUSES("windows of 3 every 2", onnx_node(g, "MaxPool", NULL, "a", NULL);
            onnx_ints(g, "kernel_shape", 2, (size_t[]){3, 3}); onnx_ints(g, "strides", 2, (size_t[]){2, 2}));
    REFUSES("node 'b.erf' (Erf)", onnx_node(g, "Mul", NULL, "a", onnx_node(g, "Erf", "erf", "a", NULL)));
    REFUSES("of two values that are computed", onnx_node(g, "Mul", NULL, "a", "x"));
    REFUSES("mode DCR", onnx_node(g, "DepthToSpace", NULL, "a", NULL); onnx_int(g, "blocksize", 2));
    REFUSES("may be negative", onnx_node(g, "MaxPool", NULL, "a", NULL);
            onnx_ints(g, "kernel_shape", 2, (size_t[]){3, 3}); onnx_ints(g, "strides", 2, (size_t[]){3, 3});
            onnx_word(g, "auto_pad", "SAME_UPPER"));
    REFUSES("an alpha other than 1/6",
            onnx_node(g, "Mul", NULL, "a", onnx_node(g, "HardSigmoid", "hard", "a", NULL)));
    REFUSES("node 'b' (Transpose; permute, Permute): to another order",
            onnx_node(g, "Transpose", NULL, "a", NULL);
            onnx_ints(g, "perm", 4, (size_t[]){0, 3, 1, 2}));
    REFUSES("mode cubic", onnx_node(g, "Resize", NULL, "a", "");
            onnx_input(g, onnx_reals(g, "scales", 4, (float[]){1, 1, 2, 2})); onnx_word(g, "mode", "cubic"));
    REFUSES("1.5 rows", onnx_node(g, "Resize", NULL, "a", "");
            onnx_input(g, onnx_reals(g, "scales", 4, (float[]){1, 1, 1.5f, 1.5f})));
    REFUSES("mode reflect", onnx_node(g, "Pad", NULL, "a", onnx_shape(g, "pads", 8, (int64_t[8]){0, 0, 1}));
            onnx_word(g, "mode", "reflect"));
    REFUSES("around rows and columns only",
            onnx_node(g, "Pad", NULL, "a", onnx_shape(g, "pads", 8, (int64_t[8]){0, 1})));
    REFUSES("does not keep", onnx_node(g, "Reshape", NULL, "a", onnx_shape(g, "to", 2, (int64_t[]){0, 7})));
    REFUSES("expected rows of numbers", onnx_node(g, "MatMul", NULL, "a", "w"));
    REFUSES("does not depend", g->value = "w");
    REFUSES("its output is its input", g->value = "x");
}

static void broken_graphs_are_refused(void **state) {
    (void)state;
    REFUSES("neither a node's output nor an initializer", onnx_node(g, "Relu", NULL, "nowhere", NULL));
    REFUSES("a cycle", onnx_node(g, "Add", NULL, "a", "b"));
    REFUSES("a cycle", onnx_node(g, "Relu", "1", "b.2", NULL); onnx_node(g, "Relu", "2", "b.1", NULL));
    REFUSES("two things are called 'a'", g->layer = "a"; onnx_node(g, "Relu", NULL, "x", NULL));
    REFUSES("two things are called 'x'", g->layer = "x"; onnx_node(g, "Relu", NULL, "a", NULL));
    REFUSES("has its attribute 'pads' twice", onnx_ints(g, "pads", 4, (size_t[]){1, 1, 1, 1}));
    REFUSES("nothing makes the output 'c'", g->value = "c");
    REFUSES("144 bytes, 160 expected", g->tensor[0].dims = 4; g->tensor[0].dim[2] = 5;
            g->tensor[0].dim[3] = 2; g->tensor[0].values = 36);
    REFUSES("numbers expected", g->tensor[0].dim[0] = (size_t)1 << 40);
    REFUSES("numbers expected", g->tensor[0].dim[0] = g->tensor[0].dim[1] = (size_t)1 << 20);
    REFUSES("of type INT64", g->tensor[0].type = ONNX_INT64; g->tensor[0].dim[0] = 1;
            g->tensor[0].values = 18);
    REFUSES("288 bytes, 72 expected", g->tensor[0].type = ONNX_FLOAT16);
    REFUSES("weights for 3 channels, 2 come in", g->tensor[0].dim[1] = 3; g->tensor[0].dim[0] = 2;
            g->tensor[0].dim[2] = g->tensor[0].dim[3] = 1; g->tensor[0].values = 6);
    REFUSES("of 3 dimensions", g->input.dims = 3);
    REFUSES("of 4 dimensions", g->input.dim[1] = 0);
}

/* What flows into the convolution, and out of it. */
static void run_made(struct made *m, const char *text, const float in[128], float *out) {
    caelum_model *model = NULL;
    assert_ok(made_model(m, &model, err));
    assert_string_equal(model->net->text, text);
    assert_ok(caelum_model_run(model, model->net->layers, in, 1, out, err));
    caelum_model_close(&model);
}

/* The input, 128 numbers x, and the convolution's output a meet again: in either order, and where each is
 * read first and last. */
static void branches_meet_in_any_order(void **state) {
    static float in[128], a[128], out[256];
    struct made m;
    (void)state;
    for (size_t i = 0; i < 128; i++) in[i] = (float)(i * 37 % 128) / 128;
    made_open(&m);
    run_made(&m, "input 2\nconv 2\n", in, a);
    for (int turned = 0; turned < 2; turned++) {
        made_open(&m);
        m.file.graph.layer = "b";
        onnx_node(&m.file.graph, "Concat", NULL, turned ? "x" : "a", turned ? "a" : "x");
        onnx_int(&m.file.graph, "axis", 1);
        run_made(&m,
                 turned ? "input 2\nsave s1\nconv 2\nsave s2\nload s1\nconcat s2\n"
                        : "input 2\nsave s1\nconv 2\nconcat s1\n",
                 in, out);
        assert_memory_equal(out + (turned ? 128 : 0), a, sizeof a);
        assert_memory_equal(out + (turned ? 0 : 128), in, sizeof in);

        made_open(&m);
        m.file.graph.layer = "b";
        onnx_node(&m.file.graph, "Sub", NULL, turned ? "x" : "a", turned ? "a" : "x");
        run_made(&m,
                 turned ? "input 2\nsave s1\nconv 2\nadd s1\n"
                        : "input 2\nsave s1\nconv 2\nsave s2\nload s1\nconv 2 k=1\nadd s2\n",
                 in, out);
        for (size_t i = 0; i < 128; i++) {
            const float want = turned ? in[i] - a[i] : a[i] - in[i];
            assert_float_equal(out[i], want, 1e-5);
        }
    }
    /* tanh of a by itself, sigmoid of x by itself, and their sum with a */
    made_open(&m);
    struct onnx_graph *g = &m.file.graph;
    g->layer = "b";
    const char *t = onnx_node(g, "Tanh", "t", "a", NULL), *s = onnx_node(g, "Sigmoid", "s", "x", NULL);
    onnx_node(g, "Add", "sum", s, t);
    onnx_node(g, "Add", NULL, "a", g->value);
    run_made(&m,
             "input 2\nsave s1\nconv 2\nsave s2\nload s1\nact sigmoid\nsave s3\nload s2\nact tanh\nadd "
             "s3\nadd s2\n",
             in, out);
    for (size_t i = 0; i < 128; i++)
        assert_float_equal(out[i], a[i] + tanhf(a[i]) + 1 / (1 + expf(-in[i])), 1e-5);
}

/* Numbers for channels: in the weights where they can be, with zeros around, which they do not change. */
static void constants_are_exact_at_the_border(void **state) {
    static const float by[] = {2, -0.5f}, plus[] = {1, 3};
    static float in[128], a[128], out[128];
    const size_t channels[] = {2, 1, 1};
    struct made m;
    (void)state;
    for (size_t i = 0; i < 128; i++) in[i] = (float)(i * 37 % 128) / 128;
    made_open(&m);
    run_made(&m, "input 2\nconv 2\n", in, a);
    made_open(&m);
    m.file.graph.layer = "b";
    onnx_node(&m.file.graph, "Mul", "1", "a", constant(&m.file.graph, "by", 3, channels, by));
    onnx_node(&m.file.graph, "Sub", NULL, constant(&m.file.graph, "plus", 3, channels, plus), "b.1");
    run_made(&m, "input 2\nconv 2\n", in, out);
    for (size_t i = 0; i < 128; i++) assert_float_equal(out[i], plus[i / 64] - by[i / 64] * a[i], 2e-5);
    made_open(&m);
    m.file.graph.layer = "b";
    onnx_node(&m.file.graph, "Relu", "r", "a", NULL);
    onnx_node(&m.file.graph, "Add", "2", constant(&m.file.graph, "plus", 3, channels, plus), "b.r");
    onnx_node(&m.file.graph, "Clip", NULL, "b.2", onnx_scalar(&m.file.graph, "least", -1));
    onnx_input(&m.file.graph, onnx_scalar(&m.file.graph, "most", 4.5f));
    run_made(&m, "input 2\nconv 2 relu\nconv 2 k=1 relu6\nconv 2 k=1\n", in, out);
    for (size_t i = 0; i < 128; i++)
        assert_float_equal(out[i], fminf(fmaxf(a[i], 0) + plus[i / 64], 4.5f), 1e-5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_constant_is_a_bias),
        cmocka_unit_test(what_does_nothing_writes_nothing),
        cmocka_unit_test(branches_meet_in_any_order),
        cmocka_unit_test(constants_are_exact_at_the_border),
        cmocka_unit_test(what_no_text_can_say_is_refused),
        cmocka_unit_test(broken_graphs_are_refused),
    };
    return cmocka_run_group_tests_name("ONNX graphs", tests, open_directory, remove_directory);
}

#else

int main(void) {
    puts("skipped: this build leaves out ONNX");
    return 0;
}

#endif
