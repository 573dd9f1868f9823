/* test_onnx_runtimes.c - exported ONNX files in other programs: every model that comes with caelum, every
 * network with random weights, and random networks of all layers give the numbers that caelum gives, at
 * other sizes of pictures, too, where a file leaves them open.
 *
 * The programs: tests/reference/onnx_run.py (PyTorch and onnx under /usr/bin/python3; it takes the same
 * models through python/caelum/torch.py too), and onnxruntime, if CAELUM_ONNXRUNTIME names a
 * node_modules directory with onnxruntime-node in it. */
#include "model_files.h"

#if CAELUM_WITH_ONNX

#include "exchange/onnx.h"
#include "layers/quantize.h"

#include <glob.h>
#include <math.h>

enum { PICTURES = 100, NETWORKS = 10 };
static const uint64_t first_seed = 1000;

static FILE *list;
static size_t cases;

/* Whether a value of the picture's code is so close to halfway between two steps that another program may
 * round it the other way. */
static bool has_tie(const caelum_model *model, const float *picture) {
    const struct caelum_net *net = model->net;
    bool tie = false;
    for (size_t i = 0; i < net->layers; i++) {
        if (strcmp(net->layer[i].ops->name, "quantize") != 0) continue;
        const size_t values = shape_values(net->layer[i].in);
        const double step = ((const struct quantize *)net->layer[i].state)->step;
        float *before = NULL;
        assert_ok(mem_alloc(&before, values, sizeof *before, err));
        assert_ok(caelum_model_run(model, i, picture, 1, before, err));
        for (size_t j = 0; j < values; j++) {
            const double steps = (double)before[j] / step;
            tie |= fabs(steps - floor(steps) - 0.5) < 1e-5 * (1 + fabs(steps));
        }
        mem_free(&before);
    }
    return tie;
}

/* Pictures without such values. */
static void draw(const caelum_model *model, struct rng *rng, size_t n, float *in) {
    const size_t values = shape_values(model->net->input);
    for (size_t i = 0; i < n; i++) {
        size_t tries = 0;
        do
            for (size_t j = 0; j < values; j++) in[i * values + j] = rng_uniform(rng);
        while (has_tie(model, in + i * values) && ++tries < 50);
        assert_true(tries < 50);
    }
}

static void write_file(const char *path, const char *name, const void *bytes, size_t size) {
    char full[500];
    snprintf(full, sizeof full, "%s/%s", path, name);
    assert_ok(file_write(full, bytes, size, err));
}

/* The file of `model`, and n pictures through a network of the same text and weights for h x w pixels. */
static void write_case(const char *name, const caelum_model *model, size_t n, size_t h, size_t w) {
    struct caelum_model *at = NULL;
    char path[400], file[500];
    struct rng rng = rng_make(cases, RNG_TEST, 3);
    float *in = NULL, *out = NULL;
    assert_ok(model_new(&at, model->net->text, name, h, w, model->net->params, err));
    assert_int_equal(at->net->params, model->net->params);
    memcpy(at->params, model->params, at->net->params * sizeof(float));
    const size_t inputs = shape_values(at->net->input),
                 outputs = shape_values(at->net->layer[at->net->layers - 1].out);
    assert_ok(mem_alloc(&in, n * inputs, sizeof *in, err));
    assert_ok(mem_alloc(&out, n * outputs, sizeof *out, err));
    draw(at, &rng, n, in);
    assert_ok(caelum_model_run(at, at->net->layers, in, n, out, err));
    snprintf(path, sizeof path, "%s/%zu-%s", directory, cases++, name);
    mkdir(path, 0777);
    snprintf(file, sizeof file, "%s/net.onnx", path);
    assert_ok(caelum_model_export(model, file, err));
    snprintf(file, sizeof file, "%s/net.safetensors", path);
    assert_ok(caelum_model_save(at, file, err));
    write_file(path, "in", in, n * inputs * sizeof *in);
    write_file(path, "got", out, n * outputs * sizeof *out);
    fprintf(list, "%s %zu %zu %zu %zu\n", path, n, at->net->input.c, h, w);
    mem_free(&in), mem_free(&out);
    caelum_model_close(&at);
}

static bool is_free(const caelum_model *model) {
    struct onnx_file file = {0};
    assert_ok(onnx_from_model(&file, model, err));
    const bool is = !file.graph.fixed;
    onnx_file_close(&file);
    return is;
}

/* At its own size, and at another if the file leaves that open. */
static void write_cases(const char *name, const caelum_model *model) {
    write_case(name, model, PICTURES, model->net->input.h, model->net->input.w);
    if (is_free(model)) write_case(name, model, 1, 2 * model->net->input.h, 3 * model->net->input.w);
}

/* Glorot weights and random biases. */
static void randomize(caelum_model *model, uint64_t seed) {
    struct rng rng = rng_make(seed, RNG_TEST, 4);
    struct caelum_tensor t;
    for (size_t i = 0; caelum_model_tensor(model, i, &t); i++) {
        float *values = model->params + (t.data - model->params);
        for (size_t j = 0; t.dims == 1 && j < t.dim[0]; j++) values[j] = test_random(&rng) / 4;
    }
}

static const char *word_of(const char *path) {
    return strrchr(path, '/') + 1;
}

static void write_models(void) {
    glob_t found;
    assert_int_equal(glob(SOURCE_DIR "/models/*.safetensors", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        caelum_model *model = NULL;
        assert_ok(caelum_model_load(&model, found.gl_pathv[i], err));
        write_cases(word_of(found.gl_pathv[i]), model);
        caelum_model_close(&model);
    }
    globfree(&found);
    assert_int_equal(glob(SOURCE_DIR "/models/*.net", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct caelum_net *net = NULL;
        caelum_model *model = NULL;
        assert_ok(caelum_net_load(&net, found.gl_pathv[i], 32, 32, err));
        assert_ok(caelum_model_create(&model, net, 1 + i, err));
        randomize(model, i);
        write_case(word_of(found.gl_pathv[i]), model, 7, 32, 32);
        caelum_model_close(&model);
        caelum_net_close(&net);
    }
    globfree(&found);
}

static void write_random(void) {
    for (uint64_t seed = first_seed; seed < first_seed + NETWORKS; seed++) {
        struct random_net made;
        struct caelum_net *net = NULL;
        caelum_model *model = NULL;
        char name[32];
        snprintf(name, sizeof name, "seed-%llu", (unsigned long long)seed);
        random_net(&made, seed);
        assert_ok(caelum_net_parse(&net, made.text, name, made.h, made.w, err));
        assert_ok(caelum_model_create(&model, net, seed, err));
        randomize(model, seed);
        write_case(name, model, 10, made.h, made.w);
        caelum_model_close(&model);
        caelum_net_close(&net);
    }
}

/* Each layer's own examples. */
static void write_examples(void) {
    for (const struct layer_ops *const *ops = layers_all(); *ops; ops++)
        for (size_t i = 0; (*ops)->examples[i]; i++) {
            struct caelum_net *net = NULL;
            caelum_model *model = NULL;
            char text[300];
            snprintf(text, sizeof text, "input 3\nconv 4\n%s\n", (*ops)->examples[i]);
            if (caelum_net_parse(&net, text, "example", 12, 11, NULL) != 0) continue;
            assert_ok(caelum_model_create(&model, net, 1, err));
            randomize(model, 1);
            write_case((*ops)->name, model, 4, 12, 11);
            caelum_model_close(&model);
            caelum_net_close(&net);
        }
}

/* Runs the command; every case must pass. */
static void judge(const char *command) {
    char line[600];
    size_t passed = 0;
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    while (fgets(line, sizeof line, pipe)) {
        if (strncmp(line, "PASS ", 5) == 0)
            passed++;
        else
            print_message("%s", line);
    }
    assert_int_equal(pclose(pipe), 0);
    assert_int_equal(passed, cases);
}

static void files_give_the_same_in_pytorch(void **state) {
    char command[700];
    (void)state;
    if (system("/usr/bin/python3 -c 'import numpy, onnx, torch' 2>/dev/null") != 0) {
        print_message("skipped: /usr/bin/python3 has no torch or no onnx\n");
        skip();
    }
    snprintf(command, sizeof command, "/usr/bin/python3 %s/tests/reference/onnx_run.py %s/list", SOURCE_DIR,
             directory);
    judge(command);
}

/* --- The other way -------------------------------------------------------------------------------- */

/* What PyTorch exports is imported and gives what PyTorch gives, or is refused. `words`, with | between, must
 * be in the text or, after "!|", in the error. */
static void check_import(const char *base, const size_t shape[4], char *words) {
    const struct caelum_import_settings settings = {.height = shape[2], .width = shape[3]};
    char path[500];
    caelum_model *model = NULL;
    struct caelum_error error = {0};
    snprintf(path, sizeof path, "%s.onnx", base);
    const int result = caelum_model_import(&model, path, &settings, &error);
    const bool refused = *words == '!';
    const char *said = refused ? error.text : model ? model->net->text : "";
    if ((result != 0) != refused) fail_msg("%s: %d: %s", base, result, error.text);
    for (char *word = strtok(words, "!|"); word; word = strtok(NULL, "!|"))
        if (!strstr(said, word)) fail_msg("%s: expected '%s' in:\n%s", base, word, said);
    if (refused) return;
    uint8_t *in = NULL, *want = NULL;
    float *got = NULL;
    size_t bytes;
    snprintf(path, sizeof path, "%s.in", base);
    assert_ok(file_read(path, 1 << 24, &in, &bytes, err));
    snprintf(path, sizeof path, "%s.out", base);
    assert_ok(file_read(path, 1 << 24, &want, &bytes, err));
    const size_t values = shape[0] * shape_values(model->net->layer[model->net->layers - 1].out);
    assert_int_equal(bytes, values * sizeof *got);
    assert_ok(mem_alloc(&got, values, sizeof *got, err));
    assert_ok(caelum_model_run(model, model->net->layers, (const float *)(void *)in, shape[0], got, err));
    for (size_t i = 0; i < values; i++)
        if (!(fabsf(got[i] - ((float *)(void *)want)[i]) <= 1e-5f)) /* NaN is wrong, too */
            fail_msg("%s: value %zu is %g, %g expected; text:\n%s", base, i, (double)got[i],
                     (double)((float *)(void *)want)[i], model->net->text);
    mem_free(&in), mem_free(&want), mem_free(&got);
    caelum_model_close(&model);
}

/* What the script writes; returns how many of its files are refused. */
static size_t check_script(const char *script, size_t least) {
    char command[700], line[600], base[400];
    size_t read = 0, refused = 0;
    if (system("/usr/bin/python3 -c 'import torch.onnx' 2>/dev/null") != 0) {
        print_message("skipped: /usr/bin/python3 has no torch\n");
        skip();
    }
    snprintf(command, sizeof command, "/usr/bin/python3 %s/tests/reference/%s %s > %s/torch", SOURCE_DIR,
             script, directory, directory);
    assert_int_equal(system(command), 0);
    snprintf(base, sizeof base, "%s/torch", directory);
    FILE *file = fopen(base, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        char name[64], words[200];
        size_t shape[4];
        assert_int_equal(sscanf(line, "%63s %zu %zu %zu %zu %199[^\n]", name, &shape[0], &shape[1], &shape[2],
                                &shape[3], words),
                         6);
        snprintf(base, sizeof base, "%s/%s", directory, name);
        refused += *words == '!';
        check_import(base, shape, words);
        read++;
    }
    fclose(file);
    assert_true(read >= least);
    return refused;
}

static void files_of_pytorch_are_understood(void **state) {
    (void)state;
    check_script("onnx_torch.py", 30);
}

static void models_that_people_have_are_understood(void **state) {
    (void)state;
    assert_in_range(check_script("onnx_models.py", 34), 0, 3);
}

static void files_give_the_same_in_onnxruntime(void **state) {
    char command[2000];
    const char *modules = getenv("CAELUM_ONNXRUNTIME");
    (void)state;
    if (!modules) {
        print_message("skipped: CAELUM_ONNXRUNTIME names no node_modules with onnxruntime-node\n");
        skip();
    }
    snprintf(command, sizeof command, "node %s/tests/reference/onnx_run.js '%s' %s/list", SOURCE_DIR, modules,
             directory);
    judge(command);
}

static int set_up(void **state) {
    char path[300];
    open_directory(state);
    snprintf(path, sizeof path, "%s/list", directory);
    list = fopen(path, "w");
    assert_non_null(list);
    write_models();
    write_random();
    write_examples();
    return fclose(list);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_give_the_same_in_pytorch),
        cmocka_unit_test(files_give_the_same_in_onnxruntime),
        cmocka_unit_test(files_of_pytorch_are_understood),
        cmocka_unit_test(models_that_people_have_are_understood),
    };
    return cmocka_run_group_tests_name("ONNX in other programs", tests, set_up, remove_directory);
}

#else

int main(void) {
    puts("skipped: this build leaves out ONNX");
    return 0;
}

#endif
