/* upsample.c - nearest-neighbour upsampling: every pixel becomes FACTOR x FACTOR equal ones. */
#include "layers/layer.h"

struct upsample {
    size_t factor;
};

static const char usage[] = "upsample [FACTOR=2]";

static int parse(struct layer_args *args, void *state, struct caelum_error *err) {
    struct upsample *s = state;
    s->factor = 2;
    CHECK(args_optional(args, "pixels across", 64, &s->factor, err));
    return args_end(args, usage, err);
}

static int shape(const void *state, struct shape in, struct shape *out, struct layer_sizes *sizes,
                 struct caelum_error *err) {
    const struct upsample *s = state;
    (void)err;
    *out = (struct shape){in.c, in.h * s->factor, in.w * s->factor};
    *sizes = (struct layer_sizes){.window = 1, .stride = 1, .spread = s->factor};
    return CAELUM_OK;
}

static void forward(const struct layer_io *io) {
    const struct upsample *s = io->state;
    io->kernels->upsample(&io->x, &io->y, s->factor);
}

static void backward(const struct layer_io *io) {
    const struct upsample *s = io->state;
    if (io->dx.data) io->kernels->upsample_grad(&io->dy, &io->dx, s->factor);
}

static const char *const examples[] = {"upsample", "upsample 3", NULL};

const struct layer_ops layer_upsample = {
    .name = "upsample",
    .usage = usage,
    .examples = examples,
    .state_size = sizeof(struct upsample),
    .parse = parse,
    .shape = shape,
    .forward = forward,
    .backward = backward,
};
