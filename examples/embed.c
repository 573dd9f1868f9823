/* embed.c - a program that carries its weights in itself: no file to install, none to lose.
 *
 *     gcc embed.c -DMODEL='"standard.safetensors"' $(pkg-config --cflags --libs caelum) -o embed
 *     ./embed PICTURE RESULT
 *
 * The model file is read by the assembler (.incbin) when this is compiled. */
#include <caelum.h>
#include <stdio.h>

#ifndef MODEL
#error "name the model: -DMODEL='\"standard.safetensors\"'"
#endif
__asm__(".section .rodata\n"
        ".balign 64\n"
        ".globl model_begin\n.globl model_end\n"
        "model_begin: .incbin "
        "\"" MODEL "\""
        "\n"
        "model_end:\n"
        ".previous\n");
extern const char model_begin[], model_end[];

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: %s PICTURE RESULT\n", argv[0]);
        return 2;
    }
    caelum_model *model = NULL;
    struct caelum_picture in = {0}, out = {0};
    struct caelum_error err;
    int code =
        caelum_model_decode(&model, model_begin, (size_t)(model_end - model_begin), "embedded model", &err);
    if (code == 0) code = caelum_picture_load(&in, argv[1], &err);
    if (code == 0) code = caelum_reconstruct(model, &in, 0, &out, &err);
    if (code == 0) code = caelum_picture_save(&out, argv[2], &err);
    if (code != 0) fprintf(stderr, "%s\n", err.text);
    caelum_picture_free(&out);
    caelum_picture_free(&in);
    caelum_model_close(&model);
    return -code;
}
