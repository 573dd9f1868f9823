/* cmd_train.c - caelum train. */
#include "cli.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* "runs/standard" for models/standard.net. */
static const char *default_out(const char *net, char text[512]) {
    const char *slash = strrchr(net, '/'), *name = slash ? slash + 1 : net, *dot = strrchr(name, '.');
    snprintf(text, 512, "runs/%.*s", dot && dot > name ? (int)(dot - name) : (int)strlen(name), name);
    return text;
}

static void print_result(const struct caelum_train_settings *s, const struct caelum_train_result *r,
                         bool json) {
    if (json) {
        char model[1024];
        snprintf(model, sizeof model, "%s/best.safetensors", s->out);
        print_json(json_pack("{s:s, s:s, s:I, s:I, s:o, s:f, s:b}", "out", s->out, "model", model, "epochs",
                             (json_int_t)r->epochs, "best_epoch", (json_int_t)r->best_epoch, "best_val_loss",
                             isfinite(r->best_val_loss) ? json_real(r->best_val_loss) : json_null(),
                             "seconds", r->seconds, "stopped", r->stopped));
        return;
    }
    if (r->stopped) {
        printf("stopped in epoch %zu; go on with: caelum train --resume %s\n", r->epochs + 1, s->out);
        return;
    }
    printf("%zu epochs in %.1f s; lowest validation loss %.6f (%.2f dB) in epoch %zu\n", r->epochs,
           r->seconds, r->best_val_loss, r->best_val_psnr, r->best_epoch);
    printf("model  %s/best.safetensors\ncurves %s/curves.png\n", s->out, s->out);
    if (r->task == CAELUM_RECONSTRUCT) printf("sheet  %s/reconstructions.png\n", s->out);
}

int command_train(int argc, char **argv) {
    struct caelum_train_settings s = caelum_train_defaults();
    const char *resume = NULL;
    char out[512];
    bool json = false, epochs_given = false;
    size_t epochs = s.epochs;
    int task = (int)s.task, loss = (int)s.loss, optimizer = (int)s.optimizer;
    const struct option_row rows[] = {
        {'d', "data", OPTION_STRING, &s.data, "SPEC",
         "CIFAR-10 directory or .tar.gz, or synthetic[:COUNT[:SIZE]]; default $CAELUM_DATA, else synthetic",
         NULL},
        {0, "task", OPTION_CHOICE, &task, "reconstruct|colorize",
         "what to learn: the pictures themselves, or chroma from luminance", caelum_task_words},
        {'o', "out", OPTION_STRING, &s.out, "DIR", "run directory to make; default runs/NET", NULL},
        {'e', "epochs", OPTION_SIZE, &epochs, "N", "passes over the training pictures", NULL},
        {'b', "batch", OPTION_SIZE, &s.batch, "N", "pictures in a minibatch", NULL},
        {0, "lr", OPTION_REAL, &s.lr, "X", "step size", NULL},
        {0, "optimizer", OPTION_CHOICE, &optimizer, "adam|adamw|sgd|rmsprop",
         "how a gradient changes the weights", caelum_optimizer_words},
        {0, "momentum", OPTION_REAL, &s.momentum, "X", "share of the last step that sgd keeps", NULL},
        {0, "weight-decay", OPTION_REAL, &s.weight_decay, "X",
         "pull of all parameters towards 0; decoupled with adamw, else added to the gradient", NULL},
        {0, "loss", OPTION_CHOICE, &loss, "mse|bce|l1|huber", "what is minimized", caelum_loss_words},
        {0, "huber-delta", OPTION_REAL, &s.huber_delta, "X", "error beyond which huber is linear", NULL},
        {0, "seed", OPTION_U64, &s.seed, "N", "initial weights and order of the pictures", NULL},
        {0, "split-seed", OPTION_U64, &s.data_settings.split_seed, "N",
         "shuffle that precedes the split into train, validation, test", NULL},
        {0, "limit", OPTION_SIZE, &s.data_settings.limit, "N",
         "use only the first N pictures of that shuffle; 0 = all", NULL},
        {'t', "threads", OPTION_THREADS, &s.threads, "N", "threads; no influence on the result", NULL},
        {0, "resume", OPTION_STRING, &resume, "DIR",
         "go on with a run; only --epochs and --threads may be given too", NULL},
        {0, "force", OPTION_FLAG, &s.force, NULL, "write over an existing run directory", NULL},
        {0, "cache-dir", OPTION_STRING, &s.data_settings.cache_dir, "DIR",
         "where prepared data is kept; default ~/.cache/caelum", NULL},
        {0, "json", OPTION_FLAG, &json, NULL, "print the result as JSON", NULL},
        DISPLAY_OPTIONS,
        {0, NULL, OPTION_FLAG, NULL, NULL, NULL, NULL}};
    const struct command *command = command_find("train");
    for (int i = 1; i < argc; i++)
        epochs_given |= strncmp(argv[i], "--epochs", 8) == 0 || strncmp(argv[i], "-e", 2) == 0;
    const int n = options_read(command, rows, argc, argv);
    if (n < 0) return -n - 1;
    if (resume ? n != 0 : n != 1)
        return usage_error(
            "train", resume ? "--resume takes no NET: the run knows its own" : "expected one NET, got %d", n);
    s.epochs = resume && !epochs_given ? 0 : epochs;
    s.resume = resume != NULL;
    s.task = (enum caelum_task)task;
    s.loss = (enum caelum_loss)loss;
    s.optimizer = (enum caelum_optimizer)optimizer;
    if (resume)
        s.out = resume;
    else
        s.net_path = argv[1];
    if (!s.out) s.out = default_out(s.net_path, out);
    s.command = command_line;
    s.progress = progress_train;
    s.stage = progress_stage;
    signals_catch();
    struct caelum_train_result result;
    struct caelum_error err;
    const int code = caelum_train(&s, &result, &err);
    progress_clear();
    if (code != 0) return report(&err);
    print_result(&s, &result, json);
    return 0;
}
