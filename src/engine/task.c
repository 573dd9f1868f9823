/* task.c - input and target of each task. A network sees only its own input tensor; what is between the
 * bytes and it is decided here, for training and inference alike. */
#include "engine/task.h"

#include "base/mem.h"

#include <string.h>

const char *const caelum_task_words[] = {[CAELUM_RECONSTRUCT] = "reconstruct",
                                         [CAELUM_COLORIZE] = "colorize",
                                         [CAELUM_DENOISE] = "denoise",
                                         [CAELUM_CLASSIFY] = "classify",
                                         [CAELUM_RESTORE] = "restore",
                                         [CAELUM_DETECT] = "detect",
                                         NULL};

int task_find(enum caelum_task *task, const char *name, const char *where, struct caelum_error *err) {
    for (size_t i = 0; caelum_task_words[i]; i++)
        if (strcmp(name, caelum_task_words[i]) == 0) {
            *task = (enum caelum_task)i;
            return CAELUM_OK;
        }
    return caelum_fail(
        err, CAELUM_EFORMAT,
        "%s: expected the task reconstruct, colorize, denoise, classify, restore or detect, got '%s'", where,
        name);
}

enum caelum_task caelum_net_task(const caelum_net *net) {
    const struct shape in = net->input, out = net_output(net);
    if ((in.c == 1 || in.c == 4) && out.c == 2) return CAELUM_COLORIZE;
    if ((in.c == 2 || in.c == 4) && out.c + 1 == in.c) return CAELUM_DENOISE;
    return in.h * in.w > 1 && out.h * out.w == 1 ? CAELUM_CLASSIFY : CAELUM_RECONSTRUCT;
}

bool task_draws(enum caelum_task task) {
    return task == CAELUM_RESTORE || task == CAELUM_DETECT;
}

bool task_takes_hints(enum caelum_task task, const struct caelum_net *net) {
    return task == CAELUM_COLORIZE && net->input.c == 4;
}

bool task_takes_level(enum caelum_task task, const struct caelum_net *net) {
    return task == CAELUM_DENOISE && (net->input.c == 2 || net->input.c == 4);
}

struct shape task_pictures(enum caelum_task task, const struct caelum_net *net) {
    struct shape pictures = net->input;
    if (task == CAELUM_COLORIZE) pictures.c = 3;
    if (task_takes_level(task, net)) pictures.c--;
    return pictures;
}

int task_check(enum caelum_task task, const struct caelum_net *net, struct caelum_error *err) {
    const struct shape in = net->input, out = net->layer[net->layers - 1].out;
    bool random = false;
    for (size_t i = 0; i < net->layers; i++) random |= net->layer[i].ops->step->traits & STEP_RANDOM;
    if (task_takes_level(task, net)) {
        if (out.c + 1 == in.c && out.h == in.h && out.w == in.w) return CAELUM_OK;
        return caelum_fail(err, CAELUM_EFORMAT,
                           "%s: turns %zux%zux%zu into %zux%zux%zu; to denoise it must turn a picture and a "
                           "channel with the level of its noise into the noise, %zux%zux%zu",
                           net->file, in.c, in.h, in.w, out.c, out.h, out.w, in.c - 1, in.h, in.w);
    }
    if (task == CAELUM_DENOISE && !random)
        return caelum_fail(err, CAELUM_EFORMAT,
                           "%s: adds no noise; to denoise, put a line 'noise SIGMA' after 'input', or begin "
                           "with 'input 2' (grey) or 'input 4', of which the last channel is its level",
                           net->file);
    if (task == CAELUM_CLASSIFY && (out.h != 1 || out.w != 1))
        return caelum_fail(err, CAELUM_EFORMAT,
                           "%s: the output is %zux%zux%zu; to classify it must be one number a class, Kx1x1: "
                           "end with a line 'dense K'",
                           net->file, out.c, out.h, out.w);
    if (task_draws(task) && in.c != 1 && in.c != 3)
        return caelum_fail(err, CAELUM_EFORMAT,
                           "%s: takes pictures of %zu channels; defects are drawn on grey or colored ones: "
                           "begin with 'input 1' or 'input 3'",
                           net->file, in.c);
    if (task == CAELUM_DETECT && (out.c != 1 || out.h != in.h || out.w != in.w))
        return caelum_fail(
            err, CAELUM_EFORMAT,
            "%s: the output is %zux%zux%zu; to detect it must be one number a pixel, 1x%zux%zu", net->file,
            out.c, out.h, out.w, in.h, in.w);
    if (task != CAELUM_COLORIZE && task != CAELUM_CLASSIFY && task != CAELUM_DETECT &&
        (out.c != in.c || out.h != in.h || out.w != in.w))
        return caelum_fail(
            err, CAELUM_EFORMAT,
            "%s: the output is %zux%zux%zu, the pictures are %zux%zux%zu; to reconstruct they must be equal",
            net->file, out.c, out.h, out.w, in.c, in.h, in.w);
    if (task == CAELUM_COLORIZE && ((in.c != 1 && in.c != 4) || out.c != 2 || out.h != in.h || out.w != in.w))
        return caelum_fail(err, CAELUM_EFORMAT,
                           "%s: turns %zux%zux%zu into %zux%zux%zu; to colorize it must turn luminance, "
                           "1x%zux%zu (or 4x%zux%zu, with hints), into chroma, 2x%zux%zu",
                           net->file, in.c, in.h, in.w, out.c, out.h, out.w, in.h, in.w, in.h, in.w, in.h,
                           in.w);
    return CAELUM_OK;
}

int task_check_classes(const struct caelum_net *net, const struct pictures *pictures,
                       struct caelum_error *err) {
    const struct shape out = net->layer[net->layers - 1].out;
    if (!pictures->labels)
        return caelum_fail(
            err, CAELUM_EFORMAT,
            "the pictures have no labels, which a classifier needs; name by --data such as have "
            "some: CIFAR-10, MNIST, a folder for each class");
    if (out.c != pictures->classes || out.h != 1 || out.w != 1)
        return caelum_fail(err, CAELUM_EFORMAT,
                           "%s: the output is %zux%zux%zu, the data has %zu classes; to classify it must be "
                           "%zux1x1: end with a line 'dense %zu'",
                           net->file, out.c, out.h, out.w, pictures->classes, pictures->classes,
                           pictures->classes);
    return CAELUM_OK;
}

/* A tensor without border. */
static struct tensor plain(float *data, size_t c, struct shape size, size_t lanes) {
    return (struct tensor){.data = data,
                           .c = c,
                           .h = size.h,
                           .w = size.w,
                           .step = lanes,
                           .row = size.w * lanes,
                           .plane = size.h * size.w * lanes};
}

int task_block_open(struct task_block *block, enum caelum_task task, const struct caelum_net *net,
                    struct shape in, size_t lanes, bool target, struct caelum_error *err) {
    *block = (struct task_block){0};
    if ((task == CAELUM_CLASSIFY || task_draws(task) || task_takes_level(task, net)) && target) {
        const struct shape out = net->layer[net->layers - 1].out;
        CHECK(mem_alloc(&block->memory, shape_values(out) * lanes, sizeof(float), err));
        block->target = plain(block->memory, out.c, out, lanes);
    }
    if (task != CAELUM_COLORIZE) return CAELUM_OK;
    const size_t plane = in.h * in.w * lanes;
    CHECK(mem_alloc(&block->memory, plane * (target ? 5 : 3), sizeof(float), err));
    block->rgb = plain(block->memory, 3, in, lanes);
    if (target) block->target = plain(block->memory + 3 * plane, 2, in, lanes);
    return CAELUM_OK;
}

void task_block_close(struct task_block *block) {
    mem_free(&block->memory);
}

struct tensor task_load(enum caelum_task task, const struct kernels *kernels, const uint8_t *const *pictures,
                        struct shape whole, const uint16_t *labels, const struct task_block *block,
                        const struct tensor *input) {
    if (task_draws(task) && block->target.data) {
        const uint8_t *wanted[MOST_LANES];
        const size_t behind = (task == CAELUM_DETECT ? 2 : 1) * input->c * whole.h * whole.w;
        for (size_t lane = 0; lane < input->step; lane++) wanted[lane] = pictures[lane] + behind;
        kernels->load(pictures, whole.w, whole.h * whole.w, input);
        kernels->load(wanted, whole.w, whole.h * whole.w, &block->target);
        return block->target;
    }
    if (task == CAELUM_DENOISE && input->c % 2 == 0) {
        struct tensor clean = *input, level = *input;
        clean.c--;
        level.data += clean.c * input->plane;
        level.c = 1;
        kernels->load(pictures, whole.w, whole.h * whole.w, &clean);
        kernels->clear(&level);
        return block->target.data ? block->target : *input;
    }
    if (task != CAELUM_COLORIZE) {
        const struct tensor *target = &block->target;
        kernels->load(pictures, whole.w, whole.h * whole.w, input);
        for (size_t c = 0; target->data && c < target->c; c++)
            for (size_t lane = 0; lane < target->step; lane++)
                tensor_at(target, c, 0, 0)[lane] = labels[lane] == c;
        return target->data ? *target : *input;
    }
    kernels->load(pictures, whole.w, whole.h * whole.w, &block->rgb);
    kernels->to_yuv(&block->rgb, input, &block->target);
    if (input->c > 1) {
        struct tensor hints = *input;
        hints.data += hints.plane;
        hints.c--;
        kernels->clear(&hints);
    }
    return block->target.data ? block->target : *input;
}

void task_hint_randomly(const struct task_block *block, const struct tensor *input, size_t lane,
                        struct tiling tiles, struct rng *rng) {
    enum { DOUBLINGS = 6 };
    const struct tensor *truth = &block->target;
    if (rng_u32(rng) & 1) return;
    const uint32_t least = 1u << rng_below(rng, DOUBLINGS);
    const size_t count = least + rng_below(rng, least);
    for (size_t i = 0; i < count; i++) {
        const size_t row = rng_below(rng, (uint32_t)(tiles.down * truth->h));
        const size_t col = rng_below(rng, (uint32_t)(tiles.across * truth->w));
        const ptrdiff_t y = (ptrdiff_t)(row % truth->h), x = (ptrdiff_t)(col % truth->w);
        const size_t at = lane + row / truth->h * tiles.across + col / truth->w;
        for (size_t c = 0; c < 2; c++) tensor_at(input, 1 + c, y, x)[at] = tensor_at(truth, c, y, x)[at];
        tensor_at(input, 3, y, x)[at] = 1;
    }
}

void task_add_noise(const struct task_block *block, const struct tensor *input, size_t lane,
                    struct tiling tiles, struct rng *rng) {
    const struct tensor *noise = &block->target;
    const float level = rng_uniform(rng) * (float)TASK_MOST_NOISE / 255;
    const bool grey = noise->c == 3 && rng_u32(rng) & 1;
    for (size_t row = 0; row < tiles.down * noise->h; row++)
        for (size_t col = 0; col < tiles.across * noise->w; col++) {
            const ptrdiff_t y = (ptrdiff_t)(row % noise->h), x = (ptrdiff_t)(col % noise->w);
            float *p = tensor_at(input, 0, y, x) + lane + row / noise->h * tiles.across + col / noise->w;
            float *n = tensor_at(noise, 0, y, x) + lane + row / noise->h * tiles.across + col / noise->w;
            if (grey)
                p[0] = p[input->plane] = p[2 * input->plane] =
                    0.299f * p[0] + 0.587f * p[input->plane] + 0.114f * p[2 * input->plane];
            for (size_t c = 0; c < noise->c; c++) {
                n[c * noise->plane] = grey && c > 0 ? n[0] : level * rng_normal(rng);
                p[c * input->plane] += n[c * noise->plane];
            }
            p[noise->c * input->plane] = level;
        }
}
