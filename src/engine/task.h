/* task.h - what a network learns to do: which input it is given and which target it should answer, both
 * made of the bytes of an RGB picture. */
#ifndef CAELUM_ENGINE_TASK_H
#define CAELUM_ENGINE_TASK_H

#include "base/pictures.h"
#include "net/net.h"

/* The task of that name; CAELUM_EFORMAT for another word, with `where` before the sentence. */
int task_find(enum caelum_task *task, const char *name, const char *where, struct caelum_error *err);

/* Pictures that a network takes at this task: colorize derives its input from RGB. */
struct shape task_pictures(enum caelum_task task, const struct caelum_net *net);

/* Whether the network is shown pictures with fake defects. */
bool task_draws(enum caelum_task task);

/* Whether it is a colorizer's network that can be told the colors of some pixels: its input is then Y, U and
 * V where they are given and 0 elsewhere, and 1 where they are given. */
bool task_takes_hints(enum caelum_task task, const struct caelum_net *net);

/* Whether it is a denoiser's network that is told how strong the noise is: its input is then the noisy
 * picture and, in one channel more, the noise's standard deviation at every pixel; its output is the noise.
 */
bool task_takes_level(enum caelum_task task, const struct caelum_net *net);

/* CAELUM_EFORMAT unless input and output of the network are those of the task. */
int task_check(enum caelum_task task, const struct caelum_net *net, struct caelum_error *err);

/* CAELUM_EFORMAT unless the network has one output for each class of these pictures, and they have labels. */
int task_check_classes(const struct caelum_net *net, const struct pictures *pictures,
                       struct caelum_error *err);

/* One thread's memory beside its workspace: a colorizer's RGB block and, with `target`, its chroma; with
 * `target` a classifier's probabilities of each class, what a picture with defects should become, or the
 * noise that was added to it. */
struct task_block {
    struct tensor rgb, target; /* data NULL: none */
    float *memory;
};

/* For inputs of shape `in` in each lane. Reconstruction needs no memory: the input is the target. */
int task_block_open(struct task_block *block, enum caelum_task task, const struct caelum_net *net,
                    struct shape in, size_t lanes, bool target, struct caelum_error *err);
/* Safe on a zeroed block. */
void task_block_close(struct task_block *block);

/* With a target, a picture on which defects were drawn has 2 C + 1 channels here, as fake_draw leaves them.
 *
 * Fills `input` from the bytes of each lane, a part of a picture of shape `whole`, and the block's target if
 * it has one; hints there are none. labels: each lane's class, read only for a classifier's target: 1 there,
 * 0 elsewhere. Returns what the output is to equal: the target, or the input where nothing else was made. */
struct tensor task_load(enum caelum_task task, const struct kernels *kernels, const uint8_t *const *pictures,
                        struct shape whole, const uint16_t *labels, const struct task_block *block,
                        const struct tensor *input);

/* Gives hints to the picture in the lanes of its tiles from `lane` on: none half of the time, else the true
 * colors of 1 to 63 pixels, few more often than many; the block has its target. */
void task_hint_randomly(const struct task_block *block, const struct tensor *input, size_t lane,
                        struct tiling tiles, struct rng *rng);

/* Adds white Gaussian noise to the picture in the lanes of its tiles from `lane` on, and tells its deviation,
 * which is drawn from 0 to TASK_MOST_NOISE of 255; half of the colored pictures are made grey before. */
enum { TASK_MOST_NOISE = 55 };
void task_add_noise(const struct task_block *block, const struct tensor *input, size_t lane,
                    struct tiling tiles, struct rng *rng);

#endif
