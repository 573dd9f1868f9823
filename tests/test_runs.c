/* test_runs.c - whole runs through the public header: resumed ones end with the same bits whatever the
 * settings, and runs end when they should. */
#define _GNU_SOURCE
#include "testing.h"

#include "base/file.h"
#include "base/option.h"
#include "model/safetensors.h"
#include "net/net.h"
#include "train/fit.h"

#include <math.h>

static int stop_at_eight(void *cookie, const struct caelum_train_progress *progress) {
    (void)progress;
    return ++*(int *)cookie == 8;
}

static void assert_same_file(const char *a, const char *b, const char *name) {
    char one[400], other[400];
    snprintf(one, sizeof one, "%s/%s", a, name);
    snprintf(other, sizeof other, "%s/%s", b, name);
    if (!same_bytes(one, other)) fail_msg("%s and %s differ", one, other);
}

/* A run directory under the scratch directory, on 240 pictures: five batches an epoch. */
static struct caelum_train_settings run_in(const char *dir, const char *name, char out[300]) {
    struct caelum_train_settings s = caelum_train_defaults();
    snprintf(out, 300, "%s/%s", dir, name);
    s.net_path = SOURCE_DIR "/models/standard.net";
    s.data = "synthetic:300:16";
    s.epochs = 3;
    s.threads = 2;
    s.out = out;
    return s;
}

/* Settings that keep state of their own, in turn; false after the last. */
static bool choose(int i, struct caelum_train_settings *s) {
    switch (i) {
    case 0:
        return true;
    case 1:
        s->optimizer = CAELUM_ADAMW;
        s->weight_decay = 0.1;
        s->schedule = CAELUM_COSINE;
        s->warmup = 1.5;
        return true;
    case 2:
        s->optimizer = CAELUM_SGD;
        s->lr = 0.2;
        s->weight_decay = 0.001;
        s->schedule = CAELUM_ONECYCLE;
        s->clip = 0.05;
        return true;
    case 3:
        s->optimizer = CAELUM_RMSPROP;
        s->schedule = CAELUM_STEP;
        s->lr_step_epochs = 1;
        s->lr_gamma = 0.5;
        s->loss = CAELUM_BCE;
        s->flip = true;
        return true;
    case 4:
        s->ema = 0.9;
        s->flip = true;
        s->schedule = CAELUM_PLATEAU;
        s->lr = 0.03; /* so that a plateau is met */
        s->lr_patience = 0;
        s->loss = CAELUM_HUBER;
        s->huber_delta = 0.2;
        return true;
    case 5:
        s->optimizer = CAELUM_MUON;
        s->weight_decay = 0.1;
        return true;
    default:
        return false;
    }
}

/* Batch 8 is inside the second epoch. */
static void a_resumed_run_ends_with_the_same_bits(void **state) {
    (void)state;
    struct caelum_train_result result;
    char dir[256], whole[300], parts[300];
    test_directory(dir);
    for (int i = 0;; i++) {
        struct caelum_train_settings s = run_in(dir, "whole", whole);
        int batches = 0;
        if (!choose(i, &s)) break;
        s.force = true;
        assert_ok(caelum_train(&s, &result, err));
        assert_int_equal(result.epochs, 3);
        snprintf(parts, sizeof parts, "%s/parts", dir);
        s.out = parts;
        s.threads = 1;
        s.progress = stop_at_eight;
        s.cookie = &batches;
        assert_ok(caelum_train(&s, &result, err));
        assert_true(result.stopped);
        s = caelum_train_defaults(); /* everything else comes from the checkpoint */
        s.out = parts;
        s.resume = true;
        s.epochs = 0;
        assert_ok(caelum_train(&s, &result, err));
        assert_false(result.stopped);
        assert_int_equal(result.epochs, 3);
        assert_same_file(whole, parts, "last.safetensors");
        assert_same_file(whole, parts, "best.safetensors");
    }
    test_remove(dir);
}

struct copied {
    const char *out, *copy;
    size_t first; /* batch of the first report */
};

static int copy_at_three(void *cookie, const struct caelum_train_progress *p) {
    struct copied *copied = cookie;
    char from[400], to[400];
    uint8_t *bytes;
    size_t size;
    if (copied->first == 0) copied->first = p->batch;
    if (p->epoch != 1 || p->batch != 3 || !copied->copy) return 0;
    snprintf(from, sizeof from, "%s/checkpoint.safetensors", copied->out);
    snprintf(to, sizeof to, "%s/checkpoint.safetensors", copied->copy);
    assert_ok(file_read(from, 1 << 30, &bytes, &size, err));
    assert_ok(file_write(to, bytes, size, err));
    mem_free(&bytes);
    return 0;
}

/* What is there at batch 3 is of batch 3. */
static void a_run_can_be_saved_within_epochs(void **state) {
    (void)state;
    char dir[256], out[300], copy[300];
    test_directory(dir);
    struct caelum_train_settings s = run_in(dir, "run", out);
    struct copied copied = {.out = out, .copy = copy}, resumed = {0};
    snprintf(copy, sizeof copy, "%s/copy", dir);
    assert_int_equal(mkdir(copy, 0700), 0);
    s.checkpoint_minutes = 1e-9;
    s.progress = copy_at_three, s.cookie = &copied;
    assert_ok(caelum_train(&s, NULL, err));
    s = caelum_train_defaults();
    s.out = copy, s.resume = true, s.epochs = 0;
    s.progress = copy_at_three, s.cookie = &resumed;
    assert_ok(caelum_train(&s, NULL, err));
    assert_int_equal(resumed.first, 4);
    assert_same_file(out, copy, "last.safetensors");
    test_remove(dir);
}

static void an_existing_run_is_not_touched(void **state) {
    (void)state;
    char dir[256], out[300];
    test_directory(dir);
    struct caelum_train_settings s = run_in(dir, ".", out);
    assert_error(CAELUM_EIO, "exists already; resume it with --resume", caelum_train(&s, NULL, err));
    test_remove(dir);
}

/* Weights at the end of a run with these options, "name=value name=value...", to be given to mem_free. */
static float *weights_of(const char *dir, const char *options, size_t *count) {
    char out[300], text[200], path[400];
    struct caelum_train_settings s = run_in(dir, "run", out);
    struct caelum_model *model = NULL;
    float *weights = NULL;
    s.force = true;
    snprintf(text, sizeof text, "%s", options);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) {
        char *value = strchr(word, '=');
        *value++ = '\0';
        assert_ok(caelum_train_set(&s, word, value, err));
    }
    assert_ok(caelum_train(&s, NULL, err));
    snprintf(path, sizeof path, "%s/last.safetensors", out);
    assert_ok(caelum_model_load(&model, path, err));
    *count = model->net->params;
    assert_ok(mem_alloc(&weights, *count, sizeof *weights, err));
    memcpy(weights, model->params, *count * sizeof *weights);
    caelum_model_close(&model);
    return weights;
}

/* Every row of the table changes what a run ends with: the last setting of `with` does, given those of
 * `without`. */
static void every_option_has_an_effect(void **state) {
    static const struct {
        const char *name, *with, *without; /* NULL: it is tried elsewhere */
    } options[] = {
        {"epochs", "epochs=2", ""},
        {"task", NULL, NULL}, /* wants a network of its own: tests/cli/color.sh, tests/cli/classify.sh */
        {"loss", "loss=l1", ""},
        {"huber-delta", "loss=huber huber-delta=0.01", "loss=huber"},
        {"optimizer", "optimizer=muon", ""},
        {"lr", "lr=0.002", ""},
        {"schedule", "schedule=cosine", ""},
        {"warmup", "warmup=1", ""},
        {"lr-step-epochs", "schedule=step lr-step-epochs=1", "schedule=step lr-step-epochs=2"},
        {"lr-gamma", "schedule=step lr-step-epochs=1 lr-gamma=0.5", "schedule=step lr-step-epochs=1"},
        {"lr-patience", "schedule=plateau lr=0.1 lr-patience=0", "schedule=plateau lr=0.1"},
        {"clip", "clip=0.0001", ""},
        {"ema", "ema=0.9", ""},
        {"early-stop", "lr=0.1 early-stop=1", "lr=0.1"},
        {"flip", "flip=yes", ""},
        {"shift", "shift=2", ""},
        {"largest-fake", "task=restore largest-fake=0.5", "task=restore"},
        {"momentum", "optimizer=sgd momentum=0.5", "optimizer=sgd"},
        {"weight-decay", "weight-decay=0.1", ""},
        {"batch", "batch=25", ""},
        {"seed", "seed=2", ""},
        {"split-seed", "split-seed=2", ""},
        {"synthetic-seed", NULL, NULL}, /* no option of the command line */
        {"resize", NULL, NULL},         /* wants files of pictures: tests/cli/data-formats.sh */
        {"crop", NULL, NULL},           /* wants a directory of pictures: tests/cli/folder.sh */
        {"limit", "limit=200", ""},
    };
    enum { TRIED = sizeof options / sizeof *options };
    char dir[256];
    (void)state;
    test_directory(dir);
    size_t plain_count;
    float *plain = weights_of(dir, "", &plain_count);
    for (const struct caelum_option *o = caelum_train_options; o->name; o++) {
        size_t i = 0, n, m = plain_count;
        while (i < TRIED && strcmp(options[i].name, o->name) != 0) i++;
        if (i == TRIED) fail_msg("%s: say here by what its effect is seen", o->name);
        if (!options[i].with) continue;
        float *a = weights_of(dir, options[i].with, &n), *b = NULL;
        if (*options[i].without) b = weights_of(dir, options[i].without, &m);
        if (n != m || memcmp(a, b ? b : plain, n * sizeof *a) == 0)
            fail_msg("%s changes nothing", options[i].with);
        mem_free(&a), mem_free(&b);
    }
    mem_free(&plain);
    test_remove(dir);
}

/* The row of an option in the table of docs/training.md. */
static void page_row(const struct caelum_option *o, char *row, size_t size) {
    const struct caelum_train_settings usual = caelum_train_defaults();
    char text[64];
    snprintf(row, size, "| `--%s` | %s | %s |\n", o->name,
             option_print(o, (const char *)&usual + o->offset, text), o->help);
}

static void the_page_has_every_option(void **state) {
    uint8_t *bytes = NULL;
    size_t size = 0, missing = 0;
    (void)state;
    assert_ok(file_read(SOURCE_DIR "/docs/training.md", 1 << 20, &bytes, &size, err));
    for (const struct caelum_option *o = caelum_train_options; o->name; o++) {
        char row[400];
        if (!o->help) continue;
        page_row(o, row, sizeof row);
        if (memmem(bytes, size, row, strlen(row))) continue;
        print_message("%s", row);
        missing++;
    }
    if (missing > 0) fail_msg("docs/training.md lacks the rows above in its table of options");
    mem_free(&bytes);
}

static void runs_end_early_when_asked(void **state) {
    (void)state;
    char dir[256], out[300];
    struct caelum_train_result result;
    test_directory(dir);
    struct caelum_train_settings s = run_in(dir, "run", out);
    s.epochs = 60;
    s.lr = 0.03;
    s.early_stop = 2;
    assert_ok(caelum_train(&s, &result, err));
    assert_true(result.ended_early && !result.stopped);
    assert_true(result.epochs < 60);
    assert_int_equal(result.epochs, result.best_epoch + 2);
    s.resume = true; /* it stays ended */
    s.epochs = 0;
    const size_t epochs = result.epochs;
    assert_ok(caelum_train(&s, &result, err));
    assert_int_equal(result.epochs, epochs);
    test_remove(dir);
}

/* A network without activations, whose outputs nothing holds back. */
static void write_linear(const char *dir, int layers, char path[300]) {
    char text[300] = "input 3\n";
    for (int i = 1; i < layers; i++) strcat(text, "conv 8\n");
    strcat(text, "conv 3\n");
    snprintf(path, 300, "%s/linear.net", dir);
    assert_ok(file_write(path, text, strlen(text), err));
}

static void divergence_is_an_error(void **state) {
    (void)state;
    char dir[256], out[300], net[300], path[400];
    test_directory(dir);
    struct caelum_train_settings s = run_in(dir, "run", out);
    write_linear(dir, 7, net);
    s.net_path = net;
    s.optimizer = CAELUM_SGD;
    s.lr = 100;
    s.epochs = 30;
    assert_error(CAELUM_EDIVERGED, "the loss is no longer finite in epoch 1, batch",
                 caelum_train(&s, NULL, err));
    /* the run is there as it began */
    struct safetensors file = {0};
    snprintf(path, sizeof path, "%s/checkpoint.safetensors", out);
    assert_ok(safetensors_read(&file, path, err));
    safetensors_close(&file);
    test_remove(dir);
}

/* One layer, so the loss grows by a factor a step and is finite for long: the rule of fit.h must see it. */
static void an_exploding_loss_is_divergence(void **state) {
    (void)state;
    char dir[256], out[300], net[300], path[400];
    test_directory(dir);
    struct caelum_train_settings s = run_in(dir, "run", out);
    write_linear(dir, 1, net);
    s.net_path = net;
    s.optimizer = CAELUM_SGD;
    s.momentum = 0;
    s.lr = 1;
    s.warmup = 20;
    s.epochs = 40;
    assert_error(CAELUM_EDIVERGED, "the mean loss rose to", caelum_train(&s, NULL, err));
    /* what the last finished epoch left can be loaded, and is healthy */
    struct caelum_model *model = NULL;
    snprintf(path, sizeof path, "%s/last.safetensors", out);
    assert_ok(caelum_model_load(&model, path, err));
    assert_true(atof(caelum_model_metadata(model, "val_loss")) < 10);
    caelum_model_close(&model);
    test_remove(dir);
}

/* The step sizes, the smoothing and the end of the range test, from its own points; the same points on any
 * number of threads; a table a program can read, and no model. */
static void the_range_test_finds_a_step_size(void **state) {
    (void)state;
    char dir[256], out[300], net[300], path[400], line[200];
    static struct caelum_lr_find found, again;
    test_directory(dir);
    struct caelum_train_settings s = run_in(dir, "find", out);
    write_linear(dir, 1, net);
    s.net_path = net;
    s.optimizer = CAELUM_SGD;
    s.momentum = 0;
    assert_ok(caelum_lr_find(&s, &found, err));
    assert_true(found.count > 100 && found.count < CAELUM_LR_POINTS); /* a linear network explodes near 1 */
    assert_true(found.suggestion > 1e-3 && found.suggestion < found.point[found.count - 1].lr);
    double lowest = INFINITY;
    for (size_t i = 0; i < found.count; i++) {
        double sum = 0, weight = 0; /* the mean with weights 0.9^age, from its definition */
        for (size_t j = 0; j <= i; j++) {
            sum += pow(0.9, (double)(i - j)) * found.point[j].loss;
            weight += pow(0.9, (double)(i - j));
        }
        assert_true(fabs(found.point[i].smooth - sum / weight) < 1e-9 * sum / weight);
        assert_true(fabs(log10(found.point[i].lr) - (-7 + 8 * (double)i / 199)) < 1e-9);
        assert_true(found.point[i].smooth <= 4 * lowest);
        lowest = fmin(lowest, found.point[i].smooth);
    }
    assert_error(CAELUM_EIO, "exists already", caelum_lr_find(&s, &again, err));
    s.force = true;
    s.threads = 1;
    assert_ok(caelum_lr_find(&s, &again, err));
    assert_memory_equal(&found, &again, sizeof found);
    snprintf(path, sizeof path, "%s/lr_find.csv", out);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    size_t rows = 0;
    while (fgets(line, sizeof line, f)) rows++;
    fclose(f);
    assert_int_equal(rows, found.count + 1);
    struct stat st;
    snprintf(path, sizeof path, "%s/lr_find.svg", out);
    assert_true(stat(path, &st) == 0 && st.st_size > 1000);
    snprintf(path, sizeof path, "%s/checkpoint.safetensors", out);
    assert_true(stat(path, &st) != 0);
    test_remove(dir);
}

static void senseless_settings_are_refused(void **state) {
    (void)state;
    char dir[256], out[300];
    test_directory(dir);
    const struct caelum_train_settings good = run_in(dir, "run", out);
    struct caelum_train_settings s = good;
    s.lr = -1;
    assert_error(CAELUM_EUSAGE, "lr: expected a number above 0, at most 100, got -1",
                 caelum_train(&s, NULL, err));
    s = good, s.lr = NAN;
    assert_error(CAELUM_EUSAGE, "lr: expected", caelum_train(&s, NULL, err));
    s = good, s.ema = 1;
    assert_error(CAELUM_EUSAGE, "ema: expected a number from 0, at most 0.999999, got 1",
                 caelum_train(&s, NULL, err));
    s = good, s.batch = 0;
    assert_error(CAELUM_EUSAGE, "batch: expected 1 to 65536, got 0", caelum_train(&s, NULL, err));
    s = good, s.lr_step_epochs = 0;
    assert_error(CAELUM_EUSAGE, "lr_step_epochs: expected 1 to 1000000", caelum_train(&s, NULL, err));
    s = good, s.optimizer = (enum caelum_optimizer)17;
    assert_error(CAELUM_EUSAGE, "optimizer: expected one of 5 choices, got 17", caelum_train(&s, NULL, err));
    s = good, s.schedule = CAELUM_ONECYCLE, s.warmup = 1;
    assert_error(CAELUM_EUSAGE, "onecycle has a rise of its own", caelum_train(&s, NULL, err));
    s = good, s.warmup = 3;
    assert_error(CAELUM_EUSAGE, "warmup: expected less than the 3 epochs", caelum_train(&s, NULL, err));
    struct stat st;
    assert_true(stat(out, &st) != 0); /* nothing was written */
    test_remove(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_resumed_run_ends_with_the_same_bits),
        cmocka_unit_test(a_run_can_be_saved_within_epochs),
        cmocka_unit_test(an_existing_run_is_not_touched),
        cmocka_unit_test(every_option_has_an_effect),
        cmocka_unit_test(the_page_has_every_option),
        cmocka_unit_test(runs_end_early_when_asked),
        cmocka_unit_test(divergence_is_an_error),
        cmocka_unit_test(an_exploding_loss_is_divergence),
        cmocka_unit_test(the_range_test_finds_a_step_size),
        cmocka_unit_test(senseless_settings_are_refused),
    };
    return cmocka_run_group_tests_name("runs", tests, NULL, NULL);
}
