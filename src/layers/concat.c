/* concat.c - appends the channels of a saved tensor with the same rows and columns. */
#include "layers/layer.h"
#include "layers/onnx.h"

struct concat {
    struct saved saved;
};

static const struct attribute attributes[] = {ATTRIBUTE_NAME(struct concat, saved, ATTRIBUTE_SAVED), {0}};

static int shape(const void *state, struct shape in, struct shape *out, struct layer_reach *reach,
                 struct caelum_error *err) {
    const struct shape saved = ((const struct concat *)state)->saved.shape;
    if (saved.h != in.h || saved.w != in.w)
        return caelum_fail(err, CAELUM_EFORMAT,
                           "%zux%zu pixels were saved, %zux%zu come in; to concatenate they must be equal",
                           saved.h, saved.w, in.h, in.w);
    (void)reach;
    out->c = in.c + saved.c;
    return CAELUM_OK;
}

/* `count` channels from `first` on. */
static struct tensor channels(const struct tensor *t, size_t first, size_t count) {
    struct tensor view = *t;
    view.data = t->data + first * t->plane;
    view.c = count;
    return view;
}

static void forward(const struct layer_io *io) {
    const struct tensor own = channels(&io->y, 0, io->x.c), other = channels(&io->y, io->x.c, io->skip.c);
    io->kernels->copy(&io->x, &own);
    io->kernels->copy(&io->skip, &other);
}

static void backward(const struct layer_io *io) {
    const struct tensor own = channels(&io->dy, 0, io->x.c), other = channels(&io->dy, io->x.c, io->skip.c);
    io->kernels->add(&io->dskip, &other, &io->dskip);
    if (io->dx.data) io->kernels->copy(&own, &io->dx);
}

static void onnx(const void *state, struct shape in, struct onnx_graph *graph) {
    (void)state, (void)in;
    onnx_node(graph, "Concat", NULL, graph->value, graph->skip);
    onnx_int(graph, "axis", 1);
}

static const char *const examples[] = {"save here\nconv 7 k=1\nconcat here", NULL};

static const struct step_ops step = {
    .name = "concat",
    .forward = forward,
    .backward = backward,
};

const struct layer_ops layer_concat = {
    .name = "concat",
    .attributes = attributes,
    .examples = examples,
    .state_size = sizeof(struct concat),
    .shape = shape,
    .onnx = onnx,
    .step = &step,
};
