/* What is random about a training picture: where it is moved to, which hints a colorizer gets. */
#include "testing.h"

#include "data/data.h"
#include "train/augment.h"
#include "train/trainer.h"

/* 2x3, one channel, by hand. */
static void a_picture_is_moved_and_mirrored(void **state) {
    (void)state;
    const uint8_t picture[] = {1, 2, 3, 4, 5, 6};
    const uint32_t index[] = {0};
    const struct pictures p = {.pixels = picture, .index = index, .n = 1, .c = 1, .h = 2, .w = 3};
    static const struct {
        struct augment augment;
        uint8_t want[6];
    } cases[] = {
        {{false, 1, 0}, {2, 1, 2, 5, 4, 5}}, /* to the right: column -1 is column 1 */
        {{false, -1, 0}, {2, 3, 2, 5, 6, 5}}, {{false, 2, 0}, {3, 2, 1, 6, 5, 4}},
        {{false, 0, 1}, {4, 5, 6, 1, 2, 3}},  {{false, 0, -1}, {4, 5, 6, 1, 2, 3}},
        {{true, 0, 0}, {3, 2, 1, 6, 5, 4}},   {{true, 1, 0}, {2, 3, 2, 5, 6, 5}},
    };
    uint8_t room[6];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_ptr_equal(augment_picture(&cases[i].augment, picture, &p, room), room);
        assert_memory_equal(room, cases[i].want, 6);
    }
    assert_ptr_equal(augment_picture(&(struct augment){false, 0, 0}, picture, &p, room), picture);
}

static void every_move_is_drawn_equally_often(void **state) {
    (void)state;
    struct rng rng = rng_make(1, RNG_TEST, 0);
    size_t count[5][5] = {{0}};
    for (int i = 0; i < 25000; i++) {
        struct augment a = {0};
        augment_draw_move(&a, &rng, 2);
        assert_in_range(a.dx + 2, 0, 4);
        assert_in_range(a.dy + 2, 0, 4);
        count[a.dx + 2][a.dy + 2]++;
    }
    for (size_t i = 0; i < 25; i++) assert_in_range(count[i / 5][i % 5], 850, 1150); /* 4.7 sigma */
}

static const char colorizer[] = "input 4\nconv 6 relu\nconv 2\n";

/* Every hint is the truth, lanes without a picture aside; half of the pictures have none. */
static void hints_are_the_truth(void **state) {
    (void)state;
    enum { H = 8, W = 6 };
    EACH_LEVEL(kernels) {
        struct caelum_net *net = NULL;
        struct task_block block = {0};
        uint8_t bytes[3 * H * W];
        const uint8_t *pictures[MOST_LANES];
        struct rng rng = rng_make(2, RNG_TEST, 0);
        size_t without = 0, most = 0, rounds = 400;
        for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)rng_below(&rng, 256);
        for (size_t i = 0; i < MOST_LANES; i++) pictures[i] = bytes;
        assert_ok(caelum_net_parse(&net, colorizer, "colorizer", H, W, err));
        assert_ok(task_block_open(&block, CAELUM_COLORIZE, net, net->input, lanes, true, err));
        struct tensor x = test_tensor(4, H, W, 1, 9);
        for (size_t round = 0; round < rounds; round++) {
            task_load(CAELUM_COLORIZE, kernels, pictures, (struct shape){3, H, W}, NULL, &block, &x);
            for (size_t lane = 0; lane < lanes; lane++)
                task_hint_randomly(&block, &x, lane, (struct tiling){1, 1}, &rng);
            for (size_t lane = 0; lane < lanes; lane++) {
                size_t hints = 0;
                for (ptrdiff_t i = 0; i < H; i++)
                    for (ptrdiff_t j = 0; j < W; j++) {
                        const float given = tensor_at(&x, 3, i, j)[lane];
                        hints += given == 1;
                        assert_true(given == 0 || given == 1);
                        for (size_t c = 0; c < 2; c++)
                            assert_true(tensor_at(&x, 1 + c, i, j)[lane] ==
                                        given * tensor_at(&block.target, c, i, j)[lane]);
                    }
                without += hints == 0;
                if (hints > most) most = hints;
            }
        }
        const size_t all = rounds * lanes;
        assert_in_range(without, all / 2 - all / 20, all / 2 + all / 20);
        assert_in_range(most, 25, 45); /* 63 draws from 48 pixels */
        test_tensor_free(&x);
        task_block_close(&block);
        caelum_net_close(&net);
    }
}

/* In tiles a picture's pixels are in several lanes: the same hints at the same places. */
static void tiles_get_the_same_hints(void **state) {
    (void)state;
    enum { H = 8, W = 4 };
    const struct tiling tiles = {4, 2};
    test_kernels(CPU_GENERIC);
    struct tensor whole = test_tensor(4, H, W, 0, 0), parts = test_tensor(4, H / 4, W / 2, 0, 0);
    struct task_block of_whole = {.target = test_tensor(2, H, W, 0, 0)},
                      of_parts = {.target = test_tensor(2, H / 4, W / 2, 0, 0)};
    struct rng fill = rng_make(3, RNG_TEST, 0);
    for (size_t c = 0; c < 2; c++)
        for (ptrdiff_t i = 0; i < H; i++)
            for (ptrdiff_t j = 0; j < W; j++)
                tensor_at(&of_whole.target, c, i, j)[1] =
                    tensor_at(&of_parts.target, c, i % 2, j % 2)[i / 2 * 2 + j / 2] = test_random(&fill);
    struct rng a = rng_make(4, RNG_TEST, 0), b = a;
    size_t hints = 0;
    for (int round = 0; round < 8; round++) {
        task_hint_randomly(&of_whole, &whole, 1, (struct tiling){1, 1}, &a);
        task_hint_randomly(&of_parts, &parts, 0, tiles, &b);
    }
    for (size_t c = 0; c < 4; c++)
        for (ptrdiff_t i = 0; i < H; i++)
            for (ptrdiff_t j = 0; j < W; j++) {
                assert_true(tensor_at(&whole, c, i, j)[1] ==
                            tensor_at(&parts, c, i % 2, j % 2)[i / 2 * 2 + j / 2]);
                hints += c == 3 && tensor_at(&whole, c, i, j)[1] > 0;
            }
    assert_true(hints > 0);
    test_tensor_free(&whole);
    test_tensor_free(&parts);
    test_tensor_free(&of_whole.target);
    test_tensor_free(&of_parts.target);
}

/* A step's shifts and hints are drawn for each picture by its number: not by who works on it, nor with which
 * pictures beside it in a block. */
static void draws_depend_on_the_picture_alone(void **state) {
    (void)state;
    struct caelum_net *net = NULL;
    struct caelum_data *data = NULL;
    assert_ok(caelum_net_parse(&net, colorizer, "colorizer", 32, 32, err));
    assert_ok(caelum_data_open(&data, "synthetic:100", NULL, err));
    const struct pictures set = data_pictures(data, CAELUM_ALL);
    float params[2][500];
    struct loss_sums sums[3];
    uint32_t order[44]; /* blocks, and a rest that goes in tiles */
    for (uint32_t i = 0; i < 44; i++) order[i] = i;
    for (int i = 0; i < 3; i++) {
        struct caelum_train_settings settings = trainer_defaults(44, 0.001, i == 0 ? 1 : 3);
        struct trainer trainer = {0};
        settings.task = CAELUM_COLORIZE;
        settings.shift = 2;
        settings.seed = i < 2 ? 1 : 2;
        assert_ok(trainer_open(&trainer, net, &settings, 0, err));
        if (i == 2) net_init(net, 1, trainer.params), trainer_refresh(&trainer);
        trainer_step(&trainer, &set, order, 44, &sums[i]);
        if (i < 2) memcpy(params[i], trainer.params, net->params * sizeof(float));
        trainer_close(&trainer);
    }
    assert_memory_equal(&sums[0], &sums[1], sizeof sums[0]);
    assert_memory_equal(params[0], params[1], net->params * sizeof(float));
    assert_true(sums[2].loss != sums[0].loss); /* another seed, the same weights: other draws */
    caelum_data_close(&data);
    caelum_net_close(&net);
}

/* One picture 16 times: the first eight and the second eight have other shifts, and other hints. */
static void draws_differ_from_picture_to_picture(void **state) {
    (void)state;
    static const char *const nets[] = {"input 1\nconv 2\n", colorizer};
    struct caelum_data *data = NULL;
    assert_ok(caelum_data_open(&data, "synthetic:10", NULL, err));
    const struct pictures set = data_pictures(data, CAELUM_ALL);
    const uint32_t order[16] = {0};
    for (size_t i = 0; i < 2; i++) {
        struct caelum_net *net = NULL;
        struct trainer trainer = {0};
        struct loss_sums sums;
        struct caelum_train_settings settings = trainer_defaults(16, 0.001, 1);
        settings.task = CAELUM_COLORIZE;
        settings.shift = i == 0 ? 2 : 0;
        assert_ok(caelum_net_parse(&net, nets[i], "colorizer", 32, 32, err));
        assert_ok(trainer_open(&trainer, net, &settings, 0, err));
        trainer_step(&trainer, &set, order, 16, &sums);
        assert_true(trainer.sums[0].loss != trainer.sums[1].loss);
        trainer_close(&trainer);
        caelum_net_close(&net);
    }
    caelum_data_close(&data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_picture_is_moved_and_mirrored),
        cmocka_unit_test(every_move_is_drawn_equally_often),
        cmocka_unit_test(hints_are_the_truth),
        cmocka_unit_test(tiles_get_the_same_hints),
        cmocka_unit_test(draws_depend_on_the_picture_alone),
        cmocka_unit_test(draws_differ_from_picture_to_picture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
