/* denoise.c - noise out of a picture of any size. It is cut into tiles, each with a margin of its neighbours'
 * pixels, of which nothing is kept, so that what a network does at an edge is seen nowhere. Each pixel is one
 * tile's, so tiles write their results where they belong, from any thread. */
#include "apply/denoise.h"

#include "base/mem.h"
#include "base/mirror.h"
#include "image/image.h"
#include "metrics/noise_level.h"
#include "model/model.h"

#include <stdlib.h>

/* Pixels of a tile's margin; of its inside, at most; what that is a multiple of, so that the pixels of all
 * tiles are at the same places of the network's strides; tiles in a round. */
enum { MARGIN = 24, MOST_INSIDE = 144, GRAIN = 16, ROUND = 32 };

struct caelum_denoise_settings caelum_denoise_defaults(void) {
    return (struct caelum_denoise_settings){.sigma = -1, .strength = 1};
}

static struct denoise_axis cut(size_t length) {
    struct denoise_axis a = {.length = length, .tiles = (length + MOST_INSIDE - 1) / MOST_INSIDE};
    a.inside = ((length + a.tiles - 1) / a.tiles + GRAIN - 1) / GRAIN * GRAIN;
    a.side = a.inside + 2 * MARGIN;
    return a;
}

/* Pixel `at` of tile `tile`, which begins MARGIN before its inside; beyond its ends the picture is mirrored.
 */
static size_t place(const struct denoise_axis *a, size_t tile, size_t at) {
    const ptrdiff_t i = (ptrdiff_t)(tile * a->inside + at) - MARGIN;
    return mirrored((size_t)llabs(i), a->length);
}

static void load_tile(const struct denoise *job, size_t i) {
    const size_t plane = job->x.side * job->y.side, n = job->first + i;
    float *to = job->tile + i * 4 * plane;
    for (size_t y = 0; y < job->y.side; y++)
        for (size_t x = 0; x < job->x.side; x++, to++) {
            const size_t at =
                place(&job->y, n / job->x.tiles, y) * job->x.length + place(&job->x, n % job->x.tiles, x);
            for (size_t c = 0; c < 3; c++) to[c * plane] = sample_at(&job->in, 3 * at + c);
            to[3 * plane] = job->level;
        }
}

static void store(const struct denoise *job, size_t at, float noise) {
    const float v = sample_at(&job->in, at) - job->strength * noise;
    if (job->values) {
        job->values[at] = v;
        return;
    }
    const float most = job->out.wide ? 65535 : 255;
    const uint16_t whole = (uint16_t)(v > 0 ? v < 1 ? v * most + 0.5f : most : 0);
    job->out.pixels[at] = job->out.wide ? image_narrow(whole) : (uint8_t)whole;
    if (job->out.wide) job->out.wide[at] = whole;
}

static void store_tile(void *cookie, size_t i, const float *noise, int worker) {
    const struct denoise *job = cookie;
    const size_t plane = job->x.side * job->y.side, n = job->first + i;
    const size_t y0 = n / job->x.tiles * job->y.inside, x0 = n % job->x.tiles * job->x.inside;
    (void)worker;
    for (size_t y = 0; y < job->y.inside && y0 + y < job->y.length; y++)
        for (size_t x = 0; x < job->x.inside && x0 + x < job->x.length; x++)
            for (size_t c = 0; c < 3; c++) {
                const float *z = noise + (y + MARGIN) * job->x.side + x + MARGIN;
                store(job, 3 * ((y0 + y) * job->x.length + x0 + x) + c,
                      job->grey ? (z[0] + z[plane] + z[2 * plane]) / 3 : z[c * plane]);
            }
}

static bool is_grey(const struct samples *s) {
    const size_t n = s->width * s->height * 3;
    for (size_t i = 0; i < n; i += 3)
        if (sample_at(s, i) != sample_at(s, i + 1) || sample_at(s, i) != sample_at(s, i + 2)) return false;
    return true;
}

/* Checks the settings and finds the level of the noise. */
static int prepare(const caelum_model *model, struct denoise *job, const struct caelum_denoise_settings *s,
                   struct caelum_error *err) {
    const struct shape in = model->net->input, out = net_output(model->net);
    double level = s->sigma / 255;
    if (in.c != 4 || out.c != 3 || out.h != in.h || out.w != in.w)
        return caelum_fail(err, CAELUM_EFORMAT,
                           "the model turns %zux%zux%zu into %zux%zux%zu; a denoiser turns a picture and the "
                           "level of its noise, 4 channels, into the noise, 3 channels",
                           in.c, in.h, in.w, out.c, out.h, out.w);
    if (!(s->sigma <= CAELUM_MOST_NOISE))
        return caelum_fail(err, CAELUM_EUSAGE, "sigma: expected 0 to %g of 255, got %g", CAELUM_MOST_NOISE,
                           s->sigma);
    if (!(s->strength >= 0 && s->strength <= 1))
        return caelum_fail(err, CAELUM_EUSAGE, "strength: expected 0 to 1, got %g", s->strength);
    if (s->sigma < 0) CHECK(noise_level(&job->in, &level, err));
    if (level > CAELUM_MOST_NOISE / 255) level = CAELUM_MOST_NOISE / 255;
    job->grey = is_grey(&job->in);
    job->level = (float)level, job->strength = (float)s->strength;
    return CAELUM_OK;
}

int denoise_begin(struct denoise *job, const caelum_model *model, const struct caelum_denoise_settings *s,
                  struct caelum_error *err) {
    job->x = cut(job->in.width), job->y = cut(job->in.height);
    const size_t total = job->x.tiles * job->y.tiles, plane = job->x.side * job->y.side;
    CHECK(prepare(model, job, s, err));
    CHECK(net_at(&job->net, model->net, job->y.side, job->x.side, err));
    CHECK(engine_open(&job->engine, job->net,
                      &(struct engine_settings){.task = CAELUM_RECONSTRUCT, .threads = s->threads}, err));
    engine_pack(&job->engine, model->params);
    return mem_alloc(&job->tile, (total < ROUND ? total : ROUND) * 4, plane * sizeof(float), err);
}

int denoise_round(struct denoise *job, size_t *rows, struct caelum_error *err) {
    const size_t left = job->x.tiles * job->y.tiles - job->first, n = left < ROUND ? left : ROUND;
    for (size_t i = 0; i < n; i++) load_tile(job, i);
    CHECK(engine_run(&job->engine,
                     &(struct engine_job){.n = n, .in = job->tile, .output = store_tile, .cookie = job},
                     err));
    job->first += n;
    *rows = n == left ? job->y.length : job->first / job->x.tiles * job->y.inside;
    return CAELUM_OK;
}

void denoise_end(struct denoise *job) {
    mem_free(&job->tile);
    engine_close(&job->engine);
    caelum_net_close(&job->net);
}

static int run(const caelum_model *model, struct denoise *job, const struct caelum_denoise_settings *s,
               double *sigma, struct caelum_error *err) {
    int result = denoise_begin(job, model, s, err);
    for (size_t rows = 0; result == 0 && rows < job->y.length;) result = denoise_round(job, &rows, err);
    denoise_end(job);
    if (result == 0 && sigma) *sigma = (double)job->level * 255;
    return result;
}

int caelum_denoise_values(const caelum_model *model, const float *in, size_t width, size_t height,
                          const struct caelum_denoise_settings *settings, float *out, double *sigma,
                          struct caelum_error *err) {
    struct denoise job = {.in = {.width = width, .height = height, .values = in}, .values = out};
    CHECK(image_check_size("the picture", width, height, err));
    return run(model, &job, settings, sigma, err);
}

int caelum_denoise(const caelum_model *model, const struct caelum_picture *in,
                   const struct caelum_denoise_settings *settings, struct caelum_picture *out, double *sigma,
                   struct caelum_error *err) {
    struct denoise job = {.in = samples_of(in)};
    CHECK(image_allocate_like(&job.out, in, err));
    int result = CAELUM_OK;
    if (in->wide) result = mem_alloc(&job.out.wide, in->width * in->height, 3 * sizeof *job.out.wide, err);
    if (result == 0) result = run(model, &job, settings, sigma, err);
    if (result == 0)
        *out = job.out;
    else
        caelum_picture_free(&job.out);
    return result;
}

int caelum_noise(const struct caelum_picture *picture, double *sigma, struct caelum_error *err) {
    const struct samples samples = samples_of(picture);
    double deviation;
    CHECK(noise_level(&samples, &deviation, err));
    *sigma = 255 * deviation;
    return CAELUM_OK;
}
