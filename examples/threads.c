/* threads.c - two threads run one model, each one picture after another.
 *
 *     gcc -pthread threads.c $(pkg-config --cflags --libs caelum) -o threads
 *     ./threads MODEL [SECONDS] */
#include <caelum.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct work {
    const caelum_engine *engine;
    size_t in, out; /* numbers of a picture and of a result */
    double seconds, rate;
    struct caelum_error err;
};

static double now(void) {
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void *work(void *cookie) {
    struct work *w = cookie;
    float *picture = calloc(w->in, sizeof *picture), *result = calloc(w->out, sizeof *result);
    const double start = now();
    size_t runs = 0;
    while (w->err.code == 0 && now() - start < w->seconds)
        runs += caelum_engine_run(w->engine, picture, 1, result, &w->err) == 0;
    w->rate = (double)runs / (now() - start);
    free(picture);
    free(result);
    return NULL;
}

int main(int argc, char **argv) {
    struct work w[2] = {{.seconds = argc > 2 ? atof(argv[2]) : 1}};
    struct caelum_engine_settings settings = caelum_engine_defaults();
    struct caelum_net_info in;
    struct caelum_layer_info out;
    caelum_model *model = NULL;
    caelum_engine *engine = NULL;
    pthread_t other;
    settings.threads = 1; /* of each run */
    if (argc < 2 || caelum_model_load(&model, argv[1], &w[0].err) != 0 ||
        caelum_engine_open(&engine, model, &settings, &w[0].err) != 0)
        return fprintf(stderr, "%s\n", argc < 2 ? "usage: threads MODEL [SECONDS]" : w[0].err.text), 2;
    caelum_net_describe(caelum_model_net(model), &in);
    caelum_net_layer(caelum_model_net(model), in.layers - 1, &out);
    w[0].engine = engine;
    w[0].in = in.channels * in.height * in.width;
    w[0].out = out.channels * out.height * out.width;
    w[1] = w[0];
    if (pthread_create(&other, NULL, work, &w[1]) != 0) return 7;
    work(&w[0]);
    pthread_join(other, NULL);
    for (int i = 0; i < 2; i++)
        if (w[i].err.code != 0) fprintf(stderr, "%s\n", w[i].err.text);
    printf("%.0f pictures a second\n", w[0].rate + w[1].rate);
    caelum_engine_close(&engine);
    caelum_model_close(&model);
    return -(w[0].err.code ? w[0].err.code : w[1].err.code);
}
