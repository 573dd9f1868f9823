/* loop.c - one picture after another through a model: its engine is opened once, and a run allocates nothing.
 *
 *     gcc loop.c $(pkg-config --cflags --libs caelum) -o loop
 *     ./loop MODEL [SECONDS] */
#include <caelum.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int main(int argc, char **argv) {
    const double seconds = argc > 2 ? atof(argv[2]) : 1;
    struct caelum_engine_settings settings = caelum_engine_defaults();
    struct caelum_net_info in;
    struct caelum_layer_info out;
    struct caelum_error err = {0};
    caelum_model *model = NULL;
    caelum_engine *engine = NULL;
    settings.threads = 1;
    if (argc < 2 || caelum_model_load(&model, argv[1], &err) != 0 ||
        caelum_engine_open(&engine, model, &settings, &err) != 0)
        return fprintf(stderr, "%s\n", argc < 2 ? "usage: loop MODEL [SECONDS]" : err.text), 2;
    caelum_net_describe(caelum_model_net(model), &in);
    caelum_net_layer(caelum_model_net(model), in.layers - 1, &out);
    float *picture = calloc(in.channels * in.height * in.width, sizeof *picture);
    float *result = calloc(out.channels * out.height * out.width, sizeof *result);
    const double start = now();
    size_t runs = 0;
    while (err.code == 0 && now() - start < seconds)
        runs += caelum_engine_run(engine, picture, 1, result, &err) == 0;
    printf("%.0f pictures a second\n", (double)runs / (now() - start));
    if (err.code != 0) fprintf(stderr, "%s\n", err.text);
    free(picture);
    free(result);
    caelum_engine_close(&engine);
    caelum_model_close(&model);
    return -err.code;
}
