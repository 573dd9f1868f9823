/* test_tiles.c - tiles that must give back what they were cut from; sheets and charts. */
#include "testing.h"

#include "base/file.h"
#include "base/mem.h"
#include "image/tiles.h"
#include "report/sheet.h"
#include "report/svg_chart.h"

#include <math.h>

/* Tiles whose result is what was cut give back the picture, whatever its size. */
static void tiles_give_back_the_picture(void **state) {
    (void)state;
    static const size_t sizes[][2] = {{1, 1}, {5, 3}, {31, 33}, {32, 32}, {33, 200}, {100, 100}, {64, 1}};
    struct rng rng = rng_make(2, RNG_TEST, 0);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        const size_t w = sizes[s][0], h = sizes[s][1];
        const struct tiles t = tiles_plan(w, h, 32, 32, 4);
        static uint8_t in[200 * 100 * 3], back[200 * 100 * 3], tile[3 * 32 * 32];
        static float result[3 * 32 * 32], sum[200 * 100 * 3], weight[200 * 100];
        memset(sum, 0, sizeof sum), memset(weight, 0, sizeof weight);
        for (size_t i = 0; i < w * h * 3; i++) in[i] = (uint8_t)rng_below(&rng, 256);
        if (w == 32 && h == 32) assert_int_equal(tiles_count(&t), 1);
        for (size_t i = 0; i < tiles_count(&t); i++) {
            tiles_cut(&t, &(struct caelum_picture){.width = w, .height = h, .pixels = in}, i, tile);
            for (size_t j = 0; j < sizeof tile; j++) result[j] = (float)tile[j] / 255;
            tiles_add(&t, i, result, 3, sum, weight);
        }
        tiles_finish(&t, sum, weight, back);
        assert_memory_equal(in, back, w * h * 3);
    }
}

/* Beyond its edge a picture goes on mirrored, the edge itself not repeated. */
static void tiles_mirror_what_is_missing(void **state) {
    (void)state;
    uint8_t in[9] = {10, 0, 0, 20, 0, 0, 30, 0, 0}, tile[3 * 8 * 8];
    const struct tiles t = tiles_plan(3, 1, 8, 8, 4);
    tiles_cut(&t, &(struct caelum_picture){.width = 3, .height = 1, .pixels = in}, 0, tile);
    for (size_t row = 0; row < 8; row++)
        assert_memory_equal(tile + row * 8, ((const uint8_t[]){10, 20, 30, 20, 10, 20, 30, 20}), 8);
}

static void sheets_show_the_pixels(void **state) {
    (void)state;
    static uint8_t pixels[3 * 2 * 3 * 32 * 32];
    struct caelum_picture p = {0};
    const char *names[] = {"one", "two"};
    for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(i * 7);
    const struct sheet sheet = {.title = "t",
                                .subtitle = "s",
                                .row_names = names,
                                .rows = 2,
                                .count = 3,
                                .columns = 2,
                                .h = 32,
                                .w = 32,
                                .pixels = pixels};
    assert_ok(sheet_write(&sheet, test_path("picture.png"), err));
    assert_ok(caelum_picture_load(&p, test_path("picture.png"), err));
    /* the first pixel of the first picture stands somewhere, three pixels wide */
    size_t found = 0;
    for (size_t i = 0; i + 9 <= p.width * p.height * 3; i += 3) {
        const uint8_t *q = p.pixels + i;
        found +=
            q[0] == pixels[0] && q[1] == pixels[1024] && q[2] == pixels[2048] && memcmp(q, q + 3, 6) == 0;
    }
    assert_true(found >= 3);
    caelum_picture_free(&p);
    assert_error(CAELUM_EIO, "can't be written", sheet_write(&sheet, "/nowhere/sheet.png", err));
}

/* Whatever the numbers, all that is drawn has a place. */
static void charts_of_any_numbers(void **state) {
    (void)state;
    static const double x[] = {1, 2, 3, 4}, ys[][4] = {{1, 2, 3, 4},
                                                       {5, 5, 5, 5},
                                                       {NAN, 1, NAN, 2},
                                                       {0, -1, 1e-30, 1e30},
                                                       {NAN, NAN, NAN, NAN}};
    for (size_t i = 0; i < 5; i++)
        for (int log_y = 0; log_y < 2; log_y++)
            for (size_t n = 0; n <= 4; n++) {
                const struct svg_series series[] = {
                    {.name = "s", .x = x, .y = ys[i], .n = n},
                    {.name = "PCA", .x = x, .y = ys[0], .n = n, .dashed = true}};
                const struct svg_chart chart = {.title = "t<",
                                                .description = "d",
                                                .x_label = "x",
                                                .y_label = "y",
                                                .log_y = log_y != 0,
                                                .series = series,
                                                .count = 2,
                                                .id = "c"};
                uint8_t *text = NULL;
                size_t size;
                assert_ok(svg_chart_write(&chart, test_path("chart.svg"), err));
                assert_ok(file_read(test_path("chart.svg"), 1 << 20, &text, &size, err));
                assert_non_null(strstr((char *)text, "t&lt;"));
                assert_null(strstr((char *)text, "var("));
                assert_null(strstr((char *)text, "nan"));
                assert_null(strstr((char *)text, "inf"));
                assert_string_equal((char *)text + size - strlen("</svg>\n"), "</svg>\n");
                mem_free(&text);
            }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiles_give_back_the_picture),
        cmocka_unit_test(tiles_mirror_what_is_missing),
        cmocka_unit_test(sheets_show_the_pixels),
        cmocka_unit_test(charts_of_any_numbers),
    };
    return cmocka_run_group_tests_name("tiles", tests, test_open_root, test_close_root);
}
