/* frames.c - trains on frames in memory until validation gets worse, then scores the next ones in a second
 * thread: what the network has not seen moving like that it reconstructs badly.
 *
 *     gcc -pthread frames.c $(pkg-config --cflags --libs caelum) -lm -o frames
 *     ./frames */
#include <caelum.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>

enum { SIDE = 32, FRAME = SIDE * SIDE * 3, SEEN = 400, NEXT = 100, STRANGE = 37 };
static uint8_t frames[SEEN + NEXT][FRAME]; /* RGB, interleaved */

static const char network[] = "input 3\nconv 8 stride=2 relu\nconv 8 stride=2 relu\nlatent\n"
                              "upsample\nconv 8 relu\nupsample\nconv 3 sigmoid\n";

/* A ball on its way before the sky; once, it has corners. */
static void draw(int t, uint8_t *rgb) {
    const double x = 16 + 10 * sin(0.07 * t), y = 16 + 10 * cos(0.11 * t);
    for (int i = 0; i < SIDE * SIDE; i++, rgb += 3) {
        const double dx = fabs(i % SIDE - x), dy = fabs(i / SIDE - y);
        const int ball = t == SEEN + STRANGE ? dx < 6 && dy < 6 : dx * dx + dy * dy < 25;
        rgb[0] = (uint8_t)(ball ? 230 : 40 + i / SIDE * 3);
        rgb[1] = (uint8_t)(ball ? 120 : 90 + i / SIDE * 3);
        rgb[2] = (uint8_t)(ball ? 40 : 200);
    }
}

/* Called after every batch, and after every epoch with its figures. A result other than 0 ends the training.
 */
static int watch(void *cookie, const struct caelum_train_progress *p) {
    double *last = cookie;
    const struct caelum_epoch *e = p->finished; /* NULL after a batch */
    if (!e) return 0;
    const int rises = e->val_loss > *last;
    printf("epoch %zu: validation %.5f%s\n", e->epoch, e->val_loss, rises ? ", enough" : "");
    *last = e->val_loss;
    return rises;
}

/* The second thread: a model may be run by any number of them. */
static void *score(void *cookie) {
    const caelum_model *model = cookie;
    double worst = 0;
    int strangest = 0;
    for (int t = SEEN; t < SEEN + NEXT; t++) {
        const struct caelum_picture frame = {.width = SIDE, .height = SIDE, .pixels = frames[t]};
        struct caelum_picture out = {0};
        double error = 0;
        if (caelum_reconstruct(model, &frame, 1, &out, NULL) != 0) return NULL;
        for (int i = 0; i < FRAME; i++) error += pow(out.pixels[i] - frames[t][i], 2) / FRAME;
        caelum_picture_free(&out);
        if (error > worst) worst = error, strangest = t;
    }
    printf("the strangest of the next %d frames is number %d\n", NEXT, strangest - SEEN);
    return NULL;
}

int main(void) {
    const struct caelum_pictures seen = {frames[0], SEEN, 3, SIDE, SIDE, .stride = {FRAME, 1, SIDE * 3, 3}};
    struct caelum_train_settings settings = caelum_train_defaults();
    struct caelum_train_result result = {0};
    struct caelum_error err;
    caelum_data *data = NULL;
    caelum_net *net = NULL;
    pthread_t thread;
    double last = 1;
    for (int t = 0; t < SEEN + NEXT; t++) draw(t, frames[t]);
    int code = caelum_data_from_pictures(&data, &seen, NULL, &err);
    if (code == 0) code = caelum_net_parse(&net, network, "ball.net", SIDE, SIDE, &err);
    settings.open_data = data, settings.net = net, settings.epochs = 200, settings.lr = 0.004;
    settings.progress = watch, settings.cookie = &last;
    if (code == 0) code = caelum_train(&settings, &result, &err); /* `out` is NULL: no file is written */
    if (code == 0 && pthread_create(&thread, NULL, score, result.model) == 0) pthread_join(thread, NULL);
    if (code != 0) fprintf(stderr, "%s\n", err.text);
    caelum_model_close(&result.model);
    caelum_net_close(&net);
    caelum_data_close(&data);
    return -code;
}
