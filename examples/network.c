/* network.c - a network of one's own, written as a text in the program: its layers, its weights, arrays
 * through it.
 *
 *     gcc network.c $(pkg-config --cflags --libs caelum) -o network
 *     ./network RESULT.safetensors
 *
 * Layers are part of the library, not of its interface: they would have to keep its promises on bits and
 * memory. A network is composed of those that docs/network.md lists. */
#include <caelum.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char text[] = "# an autoencoder for pictures of 16 x 16\n"
                           "input 3\n"
                           "conv 8 relu\n"
                           "maxpool\n"
                           "conv 4\n"
                           "latent\n"
                           "upsample\n"
                           "conv 3 sigmoid\n";
enum { SIDE = 16, PICTURES = 5, VALUES = 3 * SIDE * SIDE };

static void print_layers(const caelum_net *net) {
    struct caelum_net_info info;
    caelum_net_describe(net, &info);
    for (size_t i = 0; i < info.layers; i++) {
        struct caelum_layer_info layer;
        caelum_net_layer(net, i, &layer);
        printf("%-16s %zu x %zu x %zu, %zu parameters\n", layer.text, layer.channels, layer.height,
               layer.width, layer.parameters);
    }
    printf("%zu parameters, %zu numbers at the bottleneck\n", info.parameters, info.bottleneck);
}

/* Makes the last convolution answer 0.25 everywhere: zero weights, and a bias whose sigmoid is that. */
static int set_weights(caelum_model *model, struct caelum_error *err) {
    const float bias = logf(0.25f / 0.75f), biases[3] = {bias, bias, bias};
    struct caelum_tensor t;
    int code = caelum_model_set_tensor(model, "conv3.bias", biases, 3, err);
    for (size_t i = 0; code == 0 && caelum_model_tensor(model, i, &t); i++) {
        size_t values = 1;
        for (size_t d = 0; d < t.dims; d++) values *= t.dim[d];
        printf("%-16s %zu values, the first %g\n", t.name, values, (double)t.data[0]);
    }
    float *zeros = calloc(3 * 4 * 9, sizeof *zeros);
    if (code == 0) code = caelum_model_set_tensor(model, "conv3.weight", zeros, 3 * 4 * 9, err);
    free(zeros);
    return code;
}

/* Pictures through the network, to its code and to its end. */
static int run(const caelum_model *model, struct caelum_error *err) {
    static float in[PICTURES * VALUES], out[PICTURES * VALUES], code[PICTURES * 4 * 8 * 8];
    for (size_t i = 0; i < PICTURES * VALUES; i++) in[i] = (float)(i % 97) / 96;
    int status = caelum_model_run(model, 3, in, PICTURES, code, err);
    if (status == 0) status = caelum_model_run(model, 5, in, PICTURES, out, err);
    if (status == 0) printf("code starts with %g, output with %g\n", (double)code[0], (double)out[0]);
    return status;
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: %s RESULT.safetensors\n", argv[0]);
        return 2;
    }
    caelum_net *net = NULL;
    caelum_model *model = NULL;
    struct caelum_error err;
    int code = caelum_net_parse(&net, text, "text", SIDE, SIDE, &err);
    if (code == 0) print_layers(net);
    if (code == 0) code = caelum_model_create(&model, net, 1, &err);
    if (code == 0) code = set_weights(model, &err);
    if (code == 0) code = run(model, &err);
    if (code == 0) code = caelum_model_save(model, argv[1], &err);
    if (code != 0) fprintf(stderr, "%s\n", err.text);
    caelum_model_close(&model);
    caelum_net_close(&net);
    return -code;
}
