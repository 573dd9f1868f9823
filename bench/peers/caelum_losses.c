/* caelum_losses.c - losses of ten steps from what pytorch.py --dump has left, for comparison with the peers.
 * usage: caelum_losses DIR NET...; writes DIR/NETWORK.losses.caelum. Reads the library's inside: the program
 * starts trainings at weights of its own only. */
#include "train/trainer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 50, PICTURES = 2 * BATCH, STEPS = 10 };

/* Exactly `size` bytes of DIR/NETWORK.WHAT. */
static int read_exactly(const char *base, const char *what, void *bytes, size_t size,
                        struct caelum_error *err) {
    char path[512];
    snprintf(path, sizeof path, "%s.%s", base, what);
    FILE *file = fopen(path, "rb");
    if (!file) return caelum_fail(err, CAELUM_EIO, "%s: can't be read", path);
    const size_t got = fread(bytes, 1, size, file);
    const int next = getc(file);
    fclose(file);
    if (got != size || next != EOF)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: expected %zu bytes", path, size);
    return CAELUM_OK;
}

static int write_losses(const char *base, struct trainer *trainer, const struct pictures *set,
                        struct caelum_error *err) {
    char path[512];
    uint32_t order[PICTURES];
    for (uint32_t i = 0; i < PICTURES; i++) order[i] = i;
    snprintf(path, sizeof path, "%s.losses.caelum", base);
    FILE *file = fopen(path, "w");
    if (!file) return caelum_fail(err, CAELUM_EIO, "%s: can't be written", path);
    for (size_t step = 0; step < STEPS; step++) {
        struct loss_sums sums;
        trainer_step(trainer, set, order + step * BATCH % PICTURES, BATCH, &sums);
        fprintf(file, "%.9g\n", sums.squared / (double)(BATCH * trainer_values(trainer)));
    }
    return fclose(file) == 0 ? CAELUM_OK : caelum_fail(err, CAELUM_EIO, "%s: can't be written", path);
}

static int train(const char *base, struct trainer *trainer, struct caelum_error *err) {
    static uint8_t pixels[PICTURES * 3 * 32 * 32];
    static uint32_t index[PICTURES];
    for (uint32_t i = 0; i < PICTURES; i++) index[i] = i;
    const struct pictures set = {.pixels = pixels, .index = index, .n = PICTURES, .c = 3, .h = 32, .w = 32};
    CHECK(read_exactly(base, "pictures.u8", pixels, sizeof pixels, err));
    CHECK(
        read_exactly(base, "weights.f32", trainer->params, trainer->engine.net->params * sizeof(float), err));
    trainer_refresh(trainer);
    return write_losses(base, trainer, &set, err);
}

static int losses(const char *directory, const char *path, struct caelum_error *err) {
    char base[400];
    struct caelum_net *net = NULL;
    struct trainer trainer = {0};
    struct caelum_train_settings settings = trainer_defaults(BATCH, 0.001, 2);
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    CHECK(caelum_net_load(&net, path, 32, 32, err));
    settings.task = net->input.c == 1 ? CAELUM_COLORIZE : CAELUM_RECONSTRUCT;
    snprintf(base, sizeof base, "%s/%.*s", directory, (int)strcspn(name, "."), name);
    int result = trainer_open(&trainer, net, &settings, 0, err);
    if (result == 0) result = train(base, &trainer, err);
    trainer_close(&trainer);
    caelum_net_close(&net);
    return result;
}

int main(int argc, char **argv) {
    struct caelum_error err;
    for (int i = 2; i < argc; i++)
        if (losses(argv[1], argv[i], &err) != 0) {
            fprintf(stderr, "caelum_losses: %s\n", err.text);
            return 1;
        }
    return argc < 3;
}
