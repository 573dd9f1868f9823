/* server_pictures.c - pictures that the page sends, which the program is faster with. */
#include "server.h"

#include "base/number.h"

#include <stdint.h>

static void end_bytes(void *bytes) {
    uint8_t *all = bytes;
    caelum_picture_bytes_free(&all);
}

/* An argument that is a number; false: it is something else. Without it, the value stays. */
static bool argument(struct MHD_Connection *c, const char *name, double *value) {
    const char *text = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, name);
    return !text || number_real(text, value);
}

static int open_denoiser(struct server *s, struct caelum_error *err) {
    pthread_mutex_lock(&s->lock);
    const int result = s->denoiser ? 0 : model_open(&s->denoiser, NULL, "denoiser.safetensors", err);
    pthread_mutex_unlock(&s->lock);
    return result;
}

static int denoise(struct server *s, struct MHD_Connection *c, const uint8_t *bytes, size_t size,
                   struct caelum_picture *in, struct caelum_picture *out, double *sigma,
                   struct caelum_error *err) {
    struct caelum_denoise_settings settings = caelum_denoise_defaults();
    if (!argument(c, "sigma", &settings.sigma) || !argument(c, "strength", &settings.strength))
        return caelum_fail(err, CAELUM_EUSAGE, "sigma, strength: expected numbers");
    CHECK(open_denoiser(s, err));
    CHECK(caelum_picture_decode(in, bytes, size, "the picture", err));
    return caelum_denoise(s->denoiser, in, &settings, out, sigma, err);
}

struct MHD_Response *server_denoise(struct server *s, struct MHD_Connection *c, const uint8_t *bytes,
                                    size_t size, unsigned *status) {
    struct caelum_picture in = {0}, out = {0};
    struct caelum_error err;
    struct MHD_Response *response = NULL;
    uint8_t *file = NULL;
    size_t file_size = 0;
    double sigma = 0;
    int result = denoise(s, c, bytes, size, &in, &out, &sigma, &err);
    if (result == 0) result = caelum_picture_encode(&out, CAELUM_PNG, &file, &file_size, &err);
    if (result == 0) {
        char level[32];
        number_print(level, sizeof level, "%.17g", sigma);
        response = MHD_create_response_from_buffer_with_free_callback(file_size, file, end_bytes);
        if (!response) caelum_picture_bytes_free(&file);
        if (response) MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "image/png");
        if (response) MHD_add_response_header(response, "Noise-Level", level);
    } else {
        *status = result == CAELUM_ERESOURCE || result == CAELUM_EIO ? MHD_HTTP_INTERNAL_SERVER_ERROR
                                                                     : MHD_HTTP_BAD_REQUEST;
        response = server_text(err.text);
    }
    caelum_picture_free(&in);
    caelum_picture_free(&out);
    return response;
}
