/* Colors over pictures of any size: the small picture, chroma along luminance, hints, the dial. */
#include "model/model.h"
#include "testing.h"

#include "base/color.h"
#include "image/chroma.h"
#include "image/fade.h"
#include "net/net.h"

#include <math.h>

static struct caelum_picture noise(size_t w, size_t h, uint32_t seed) {
    struct caelum_picture p = {.width = w, .height = h};
    struct rng rng = rng_make(seed, RNG_TEST, 1);
    assert_ok(mem_alloc(&p.pixels, w * h, 3, err));
    for (size_t i = 0; i < 3 * w * h; i++) p.pixels[i] = (uint8_t)rng_below(&rng, 256);
    return p;
}

static double luminance(const uint8_t *rgb) {
    return (0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]) / 255;
}

/* Length that two intervals share. */
static double overlap(double a0, double a1, double b0, double b1) {
    return fmax(0, fmin(a1, b1) - fmax(a0, b0));
}

/* Every area's mean, pixel by pixel with the share that is in it. */
static void shrinking_takes_means_of_areas(void **state) {
    (void)state;
    static const size_t sizes[][4] = {
        {7, 5, 3, 2}, {64, 48, 32, 32}, {33, 1000, 32, 7}, {9, 9, 9, 9}, {5, 3, 1, 1}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        const size_t width = sizes[s][0], height = sizes[s][1], w = sizes[s][2], h = sizes[s][3];
        const double dx = (double)width / (double)w, dy = (double)height / (double)h;
        struct caelum_picture p = noise(width, height, (uint32_t)s);
        float got[1024], one[1024];
        chroma_shrink(&p, w, h, 3, got);
        chroma_shrink(&p, w, h, 1, one);
        assert_memory_equal(got, one, w * h * sizeof *got);
        for (size_t i = 0; i < h; i++)
            for (size_t j = 0; j < w; j++) {
                double sum = 0;
                for (size_t y = 0; y < height; y++)
                    for (size_t x = 0; x < width; x++)
                        sum += luminance(p.pixels + 3 * (y * width + x)) *
                               overlap((double)y, (double)y + 1, (double)i * dy, (double)(i + 1) * dy) *
                               overlap((double)x, (double)x + 1, (double)j * dx, (double)(j + 1) * dx);
                assert_true(fabs(sum / (dx * dy) - (double)got[i * w + j]) < 1e-6);
            }
        caelum_picture_free(&p);
    }
}

/* At the picture's own size, chroma that fits is what comes out, and luminance stays. */
static void merging_keeps_luminance(void **state) {
    (void)state;
    struct caelum_picture p = noise(16, 8, 7), out = {0};
    float y[128], uv[256];
    for (size_t i = 0; i < 128; i++) {
        const double rgb[3] = {p.pixels[3 * i] / 255.0, p.pixels[3 * i + 1] / 255.0,
                               p.pixels[3 * i + 2] / 255.0};
        double yuv[3];
        color_rgb_to_yuv(rgb, yuv);
        uv[i] = (float)yuv[1], uv[128 + i] = (float)yuv[2];
    }
    chroma_shrink(&p, 16, 8, 1, y);
    assert_ok(chroma_merge(&p, y, uv, 16, 8, 2, &out, err));
    assert_memory_equal(out.pixels, p.pixels, 3 * 128); /* its own chroma: itself */
    caelum_picture_free(&out);
    for (size_t i = 0; i < 256; i++) uv[i] *= 20; /* more than any display has */
    assert_ok(chroma_merge(&p, y, uv, 16, 8, 1, &out, err));
    for (size_t i = 0; i < 128; i++)
        assert_true(fabs(luminance(out.pixels + 3 * i) - luminance(p.pixels + 3 * i)) < 0.6 / 255);
    caelum_picture_free(&out);
    caelum_picture_free(&p);
}

/* A picture whose chroma is a straight line of its luminance comes back from any size; constant chroma stays
 * constant over the noise of luminance. */
static void chroma_follows_luminance(void **state) {
    (void)state;
    enum { W = 96, H = 64, SMALL = 8 };
    struct caelum_picture p = {.width = W, .height = H}, out = {0};
    float y[SMALL * SMALL], uv[2 * SMALL * SMALL];
    assert_ok(mem_alloc(&p.pixels, W * H, 3, err));
    for (size_t i = 0; i < W * H; i++) /* an edge that cuts through small pixels, dark left and light right */
        memset(p.pixels + 3 * i, i % W + i / W / 2 < 53 ? 80 : 160, 3);
    chroma_shrink(&p, SMALL, SMALL, 1, y);
    for (size_t i = 0; i < SMALL * SMALL; i++) {
        uv[i] = 0.2f * y[i] - 0.1f;
        uv[SMALL * SMALL + i] = 0.05f;
    }
    assert_ok(chroma_merge(&p, y, uv, SMALL, SMALL, 2, &out, err));
    double worst_u = 0, worst_v = 0, sharpest = 0;
    for (size_t i = 0; i < W * H; i++) {
        const uint8_t *rgb = out.pixels + 3 * i;
        const double l = luminance(rgb), u = 0.492 * (rgb[2] / 255.0 - l), v = 0.877 * (rgb[0] / 255.0 - l);
        worst_u = fmax(worst_u, fabs(u - (0.2 * p.pixels[3 * i] / 255 - 0.1)));
        worst_v = fmax(worst_v, fabs(v - 0.05));
        if (i % W) sharpest = fmax(sharpest, fabs(u - 0.492 * (rgb[-1] / 255.0 - luminance(rgb - 3))));
    }
    assert_true(worst_v < 0.004); /* bytes: 0.002 */
    assert_true(worst_u < 0.012); /* the least contrast bends the line a little */
    assert_true(sharpest > 0.05); /* of 0.0627: the edge is an edge, not eight pixels wide */
    caelum_picture_free(&out);
    caelum_picture_free(&p);
}

/* Chroma is the hint's where there is one, and 0 elsewhere: a network by hand. */
static struct caelum_model *hinted_model(struct caelum_model *model, struct metadata *metadata, size_t side) {
    static float params[2 * 4 + 2];
    struct caelum_net *net = NULL;
    assert_ok(caelum_net_parse(&net, "input 4\nconv 2 k=1\n", "hints", side, side, err));
    memset(params, 0, sizeof params);
    params[1] = params[4 + 2] = 1; /* U from channel 1, V from channel 2 */
    *model = (struct caelum_model){.net = net, .params = params, .metadata = metadata};
    return model;
}

static void hints_reach_their_small_pixel(void **state) {
    (void)state;
    struct caelum_model model;
    struct metadata metadata = {0};
    struct caelum_picture grey = {.width = 40, .height = 20}, out = {0};
    hinted_model(&model, &metadata, 4);
    assert_ok(mem_alloc(&grey.pixels, 800, 3, err));
    memset(grey.pixels, 128, 2400);
    /* two in the small pixel of rows 5 to 9, columns 30 to 39: their mean; one in the first */
    const struct caelum_hint hints[] = {
        {31, 6, {200, 100, 100}}, {38, 9, {100, 100, 200}}, {0, 0, {90, 150, 90}}};
    struct caelum_colorize_settings s = caelum_colorize_defaults();
    s.vivid = 0;
    s.hints = hints;
    s.hint_count = 3;
    assert_ok(caelum_colorize(&model, &grey, &s, &out, err));
    const uint8_t *middle = out.pixels + 3 * (7 * 40 + 35), *first = out.pixels,
                  *far = out.pixels + 3 * (19 * 40);
    assert_in_range(middle[0], 156, 158); /* U 14.4, V 25.8 on 128 */
    assert_in_range(middle[1], 106, 108);
    assert_in_range(middle[2], 156, 158);
    assert_true(first[1] > 140 && first[0] < 120 && first[2] < 120);
    assert_true(far[0] == 128 && far[1] == 128 && far[2] == 128);
    caelum_picture_free(&out);
    /* outside, and by a model that takes none */
    const struct caelum_hint outside = {40, 0, {1, 2, 3}};
    s.hints = &outside, s.hint_count = 1;
    assert_error(CAELUM_EUSAGE, "hint at 40,0: the picture has 40x20 pixels",
                 caelum_colorize(&model, &grey, &s, &out, err));
    s.hint_count = 0, s.vivid = 1.5;
    assert_error(CAELUM_EUSAGE, "vivid: expected 0 to 1", caelum_colorize(&model, &grey, &s, &out, err));
    caelum_net_close(&model.net);
    caelum_picture_free(&grey);
}

/* How red the middle of a grey picture of 3x2 pixels becomes, above grey. */
static int redness(const struct caelum_model *model, double vivid, const struct caelum_hint *hint) {
    uint8_t pixels[18];
    const struct caelum_picture grey = {.pixels = pixels, .width = 3, .height = 2};
    struct caelum_picture out = {0};
    struct caelum_colorize_settings s = caelum_colorize_defaults();
    memset(pixels, 100, sizeof pixels);
    s.vivid = vivid, s.hints = hint, s.hint_count = hint ? 1 : 0;
    assert_ok(caelum_colorize(model, &grey, &s, &out, err));
    const int red = out.pixels[3 * 4] - 100;
    caelum_picture_free(&out);
    return red;
}

/* The dial multiplies the chroma that the network guesses, by the model's gain or 2, but not a hint's; a
 * picture smaller than the network's is extended. */
static void the_dial_multiplies_chroma(void **state) {
    (void)state;
    struct caelum_model model;
    struct metadata metadata = {0};
    const struct caelum_hint hint = {1, 1, {130, 110, 110}}; /* Y 116, R - Y 14 */
    static const struct {
        const char *gain;
        double vivid;
        int red; /* above grey */
    } cases[] = {{NULL, 0, 14}, {NULL, 1, 28},  {NULL, 0.5, 21},
                 {"3", 1, 42},  {"3", 0.5, 28}, {"nonsense", 1, 28}};
    hinted_model(&model, &metadata, 8);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        float *guess = &model.params[2 * 4 + 1]; /* the bias of V */
        if (cases[i].gain) assert_ok(metadata_set(&metadata, "vivid_gain", cases[i].gain, err));
        *guess = 0.877f * 14 / 255;
        assert_in_range(redness(&model, cases[i].vivid, NULL), cases[i].red - 1, cases[i].red + 1);
        *guess = 0;
        assert_int_equal(redness(&model, cases[i].vivid, NULL), 0);
        assert_in_range(redness(&model, cases[i].vivid, &hint), 13, 15);
    }
    metadata_clear(&metadata);
    caelum_net_close(&model.net);
}

/* U is the luminance that the network was shown, less a half: what a faded picture's network sees is known.
 */
static void faded_pictures_are_shown_whole(void **state) {
    (void)state;
    enum { SIDE = 20 };
    static float params[2 * 1 + 2] = {0.2f, 0, -0.1f, 0};
    struct caelum_net *net = NULL;
    struct metadata metadata = {0};
    struct caelum_picture in = {.width = SIDE, .height = SIDE}, out = {0}, other = {0};
    struct caelum_colorize_settings s = caelum_colorize_defaults();
    assert_ok(caelum_net_parse(&net, "input 1\nconv 2 k=1\n", "shown", SIDE, SIDE, err));
    const struct caelum_model model = {.net = net, .params = params, .metadata = &metadata};
    assert_ok(mem_alloc(&in.pixels, SIDE * SIDE, 3, err));
    s.vivid = 0;
    /* columns from 100 to 176, in steps of 4 */
    for (size_t i = 0; i < SIDE * SIDE; i++) memset(in.pixels + 3 * i, (int)(100 + i % SIDE * 4), 3);
    struct fade fade = fade_find(&in);
    assert_true(fade.faded && fabs(fade.low - 100 / 255.0) < 1e-9 && fabs(fade.high - 176 / 255.0) < 1e-9);
    assert_ok(caelum_colorize(&model, &in, &s, &out, err));
    s.restore = true;
    assert_ok(caelum_colorize(&model, &in, &s, &other, err));
    for (size_t x = 0; x < SIDE; x++) {
        const double shown = 0.1 + 0.8 * (double)x / (SIDE - 1), u = 0.2 * shown - 0.1;
        const uint8_t *a = out.pixels + 3 * x, *b = other.pixels + 3 * x;
        assert_true(fabs(luminance(a) * 255 - (double)in.pixels[3 * x]) < 1); /* its own */
        assert_true(fabs(a[2] / 255.0 - luminance(a) - u / 0.492) < 0.006);
        assert_true(fabs(luminance(b) * 255 - 255.0 * (double)x / (SIDE - 1)) < 1); /* all of the range */
        if (x > 4 && x < 15) assert_true(fabs(b[2] / 255.0 - luminance(b) - u / 0.492) < 0.006);
    }
    caelum_picture_free(&out);
    caelum_picture_free(&other);
    /* all of the range, a little of it, and dust: nothing to restore, and every bit as the network says */
    for (size_t i = 0; i < SIDE * SIDE; i++) memset(in.pixels + 3 * i, (int)(20 + i % SIDE * 11), 3);
    assert_false(fade_find(&in).faded);
    assert_true(fade_show(fade_find(&in), 0.123f) == 0.123f);
    s.restore = false;
    assert_ok(caelum_colorize(&model, &in, &s, &out, err));
    s.restore = true;
    assert_ok(caelum_colorize(&model, &in, &s, &other, err));
    assert_memory_equal(out.pixels, other.pixels, SIDE * SIDE * 3);
    memset(in.pixels, 90, SIDE * SIDE * 3);
    assert_false(fade_find(&in).faded);
    for (size_t i = 0; i < SIDE * SIDE; i++) memset(in.pixels + 3 * i, (int)(100 + i % SIDE * 4), 3);
    memset(in.pixels, 0, 3), memset(in.pixels + 3 * SIDE, 255, 3);
    fade = fade_find(&in);
    assert_true(fade.faded && fabs(fade.low - 100 / 255.0) < 1e-9 && fabs(fade.high - 176 / 255.0) < 1e-9);
    caelum_picture_free(&out);
    caelum_picture_free(&other);
    caelum_picture_free(&in);
    caelum_net_close(&net);
}

static void colorfulness_of_pictures(void **state) {
    (void)state;
    uint8_t pixels[] = {255, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0, 0}; /* half red, half black */
    const struct caelum_picture p = {.width = 2, .height = 2, .pixels = pixels};
    /* rg: 255, 255, 0, 0: mean 127.5, deviation 127.5; yb half of that */
    const double want = sqrt(127.5 * 127.5 * 1.25) + 0.3 * sqrt(127.5 * 127.5 * 1.25);
    assert_true(fabs(caelum_colorfulness(&p) - want) < 1e-9);
    memset(pixels, 77, sizeof pixels);
    assert_true(caelum_colorfulness(&p) == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shrinking_takes_means_of_areas), cmocka_unit_test(merging_keeps_luminance),
        cmocka_unit_test(chroma_follows_luminance),       cmocka_unit_test(hints_reach_their_small_pixel),
        cmocka_unit_test(the_dial_multiplies_chroma),     cmocka_unit_test(faded_pictures_are_shown_whole),
        cmocka_unit_test(colorfulness_of_pictures),
    };
    return cmocka_run_group_tests_name("colorize", tests, NULL, NULL);
}
