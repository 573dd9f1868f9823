/* reconstruct.c - runs a picture of any size through a model.
 *
 *     gcc reconstruct.c $(pkg-config --cflags --libs caelum) -o reconstruct
 *     ./reconstruct MODEL PICTURE RESULT
 *
 * for example: ./reconstruct best.safetensors photo.jpg photo.png */
#include <caelum.h>
#include <stdio.h>

/* Mean squared error of two pictures of one size, pixels in [0, 1]. */
static double error_between(const struct caelum_picture *a, const struct caelum_picture *b) {
    const size_t values = a->width * a->height * 3;
    double sum = 0;
    for (size_t i = 0; i < values; i++) {
        const double d = (a->pixels[i] - b->pixels[i]) / 255.0;
        sum += d * d;
    }
    return sum / (double)values;
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: %s MODEL PICTURE RESULT\n", argv[0]);
        return 2;
    }
    caelum_model *model = NULL;
    struct caelum_picture in = {0}, out = {0};
    struct caelum_error err;
    int code = caelum_model_load(&model, argv[1], &err);
    if (code == 0) code = caelum_picture_load(&in, argv[2], &err);
    if (code == 0) code = caelum_reconstruct(model, &in, 0, &out, &err);
    if (code == 0) code = caelum_picture_save(&out, argv[3], &err);
    if (code == 0)
        printf("%zux%zu pixels, mean squared error %.6f\n", in.width, in.height, error_between(&in, &out));
    else
        fprintf(stderr, "%s\n", err.text);
    caelum_picture_free(&out);
    caelum_picture_free(&in);
    caelum_model_close(&model);
    return -code;
}
