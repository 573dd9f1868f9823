/* colorize.c - colors a grey picture, with a hint where one is given.
 *
 *     gcc colorize.c $(pkg-config --cflags --libs caelum) -o colorize
 *     ./colorize MODEL PICTURE RESULT [X Y RED GREEN BLUE]
 *
 * for example: ./colorize colorize.safetensors old.jpg colored.png 200 100 192 48 32 */
#include <caelum.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    if (argc != 4 && argc != 9) {
        fprintf(stderr, "usage: %s MODEL PICTURE RESULT [X Y RED GREEN BLUE]\n", argv[0]);
        return 2;
    }
    struct caelum_colorize_settings settings = caelum_colorize_defaults();
    struct caelum_hint hint;
    if (argc == 9) {
        hint.x = strtoul(argv[4], NULL, 10);
        hint.y = strtoul(argv[5], NULL, 10);
        for (int c = 0; c < 3; c++) hint.rgb[c] = (uint8_t)atoi(argv[6 + c]);
        settings.hints = &hint;
        settings.hint_count = 1;
    }
    caelum_model *model = NULL;
    struct caelum_picture grey = {0}, colored = {0};
    struct caelum_error err;
    int code = caelum_model_load(&model, argv[1], &err);
    if (code == 0) code = caelum_picture_load(&grey, argv[2], &err);
    if (code == 0) code = caelum_colorize(model, &grey, &settings, &colored, &err);
    if (code == 0) code = caelum_picture_save(&colored, argv[3], &err);
    if (code == 0)
        printf("%zux%zu pixels, colorfulness %.1f\n", colored.width, colored.height,
               caelum_colorfulness(&colored));
    else
        fprintf(stderr, "%s\n", err.text);
    caelum_picture_free(&colored);
    caelum_picture_free(&grey);
    caelum_model_close(&model);
    return -code;
}
