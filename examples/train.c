/* train.c - trains a network, showing its progress, then measures it and the best linear codes.
 *
 *     gcc train.c $(pkg-config --cflags --libs caelum) -o train
 *     ./train NET DATA RUN [EPOCHS]
 *
 * for example: ./train standard.net synthetic:2000 first-run 5. Ctrl-C ends the run after the batch under
 * way; what was done so far is saved. */
#include <caelum.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number) {
    (void)number;
    interrupted = 1;
}

/* Called after every batch. A result other than 0 asks to stop. */
static int show(void *cookie, const struct caelum_train_progress *p) {
    (void)cookie;
    if (p->finished)
        printf("epoch %zu of %zu: loss %.5f, validation %.5f\n", p->finished->epoch, p->epochs,
               p->finished->loss, p->finished->val_loss);
    return interrupted;
}

/* Prints what the run's best model reaches on the test split. */
static int measure(const char *run, const char *data_spec, struct caelum_error *err) {
    char path[1024];
    caelum_model *model = NULL;
    caelum_data *data = NULL;
    struct caelum_metrics metrics;
    struct caelum_baseline list[4];
    struct caelum_net_info info;
    size_t count = 4;
    snprintf(path, sizeof path, "%s/best.safetensors", run);
    int code = caelum_model_load(&model, path, err);
    if (code == 0) code = caelum_data_open(&data, data_spec, NULL, err);
    if (code == 0) code = caelum_eval(model, data, NULL, &metrics, err);
    if (code == 0) {
        caelum_net_describe(caelum_model_net(model), &info);
        code = caelum_baselines(data, NULL, info.bottleneck, list, &count, err);
    }
    if (code == 0) printf("%-24s mse %.6f, psnr %.2f dB\n", "this network", metrics.mse, metrics.psnr);
    for (size_t i = 0; code == 0 && i < count; i++)
        printf("%-24s mse %.6f, psnr %.2f dB\n", list[i].name, list[i].metrics.mse, list[i].metrics.psnr);
    caelum_data_close(&data);
    caelum_model_close(&model);
    return code;
}

int main(int argc, char **argv) {
    if (argc < 4) {
        fprintf(stderr, "usage: %s NET DATA RUN [EPOCHS]\n", argv[0]);
        return 2;
    }
    struct caelum_train_settings settings = caelum_train_defaults();
    struct caelum_train_result result;
    struct caelum_error err;
    settings.net_path = argv[1];
    settings.data = argv[2];
    settings.out = argv[3];
    settings.epochs = argc > 4 ? strtoul(argv[4], NULL, 10) : 10;
    settings.progress = show;
    signal(SIGINT, on_interrupt);
    int code = caelum_train(&settings, &result, &err);
    if (code == 0 && result.stopped) printf("stopped in epoch %zu\n", result.epochs + 1);
    if (code == 0 && !result.stopped) code = measure(argv[3], argv[2], &err);
    if (code != 0) fprintf(stderr, "%s\n", err.text);
    return -code;
}
