/* net.h - a network: a list of layers with their attributes and shapes, the plan of steps that compute them,
 * and a workspace in which blocks run forward and backward.
 *
 * Reading a text makes one, a line at a time, and so does appending lines or layers; others are derived
 * from it, a part or the same layers for another picture size. A struct caelum_net is read-only once it is
 * finished. Parameters live outside it, in one array of net->params floats (so a checkpoint is one write),
 * gradients likewise. Each thread has a workspace with the tensors of one block; nothing is allocated once
 * that is made. */
#ifndef CAELUM_NET_NET_H
#define CAELUM_NET_NET_H

#include "layers/layer.h"

enum { NET_SKIPS = 64 };

struct net_layer {
    const struct layer_ops *ops;
    void *state; /* what its attributes say; owned */
    struct shape in, out;
    struct layer_reach reach;
    struct step_sizes sizes; /* of its plain step */
    size_t params, count;    /* its parameters: offset into the array of all layers', and their number */
    char name[40];           /* "conv1": unique, for model files */
    char text[LAYER_LINE];   /* its line, as attributes_print has it */
    size_t line;             /* of the text that it was read from, from 1 */
    bool latent;             /* the `latent` mark follows */
    size_t skip;             /* index of the saved tensor that it makes or names; 0: none */
};

/* One step of the plan: a layer, or several in one. */
struct net_step {
    const struct step_ops *ops;
    size_t first, last; /* layers that it does; state and parameters are those of the last */
    struct step_sizes sizes;
    size_t packed; /* offset */
    size_t saved;  /* offset of what it keeps from forward to backward */
    bool settled;  /* the step behind it selects: its gradient is settled there (step_ops.settle) */
};

struct caelum_net {
    char *text; /* as it was read, or as net_finish has printed it */
    char *file; /* name used in messages */
    struct shape input;
    size_t layers, room; /* room: for as many there is memory */
    struct net_layer *layer;
    size_t params;         /* floats of all layers */
    struct net_step *step; /* the plan */
    bool fused;            /* made with fused steps */
    size_t steps;
    /* floats that the plan needs: derived weights, and what steps keep of a picture */
    size_t packed, saved;
    struct {
        struct saved saved;
        size_t value;  /* index of the tensor in the network */
    } skip[NET_SKIPS]; /* tensors with a name */
    size_t skips;
};

/* --- Making a network ----------------------------------------------------------------------------- */

/* No side and no channel count beyond this. */
enum { NET_MOST_SIDE = 65536 };

/* A network without layers for pictures of this shape, c = 0 where the channels come later; `file` is copied,
 * for complaints. CAELUM_EUSAGE for a side that is 0 or too large, CAELUM_ERESOURCE. */
int net_begin(struct caelum_net **net, const char *file, struct shape input, struct caelum_error *err);
/* Appends the layer of a line whose words are split; its shape is known then: the last layer's `out`. Fails
 * with CAELUM_EFORMAT, naming the line, after which the network is as it was. */
int net_append_line(struct caelum_net *net, struct layer_line *line, struct caelum_error *err);
/* The same of a formatted text, "conv %zu relu". */
int net_append(struct caelum_net *net, struct caelum_error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Appends copies of layers first to end - 1 of another network, which find their shapes anew. Fails where
 * they don't fit, or name a tensor that was saved before them. */
int net_append_layers(struct caelum_net *net, const struct caelum_net *from, size_t first, size_t end,
                      struct caelum_error *err);
/* Takes the last layer away again. */
void net_drop(struct caelum_net *net);
/* Plans the steps, and prints the text of a network that was read from none. */
int net_finish(struct caelum_net *net, struct caelum_error *err);

/* Layers first to end - 1 as a network of their own, for the input of the first of them. Its parameters are a
 * part of the whole network's, from net->layer[first].params on. */
int net_slice(struct caelum_net **part, const struct caelum_net *net, size_t first, size_t end,
              struct caelum_error *err);
/* The same layers for pictures of another size. CAELUM_EFORMAT if one does not fit them. */
int net_at(struct caelum_net **other, const struct caelum_net *net, size_t height, size_t width,
           struct caelum_error *err);
/* Whether both have the same layers with the same attributes, for pictures of the same shape. */
bool net_same(const struct caelum_net *a, const struct caelum_net *b);

/* Shape of the output. */
static inline struct shape net_output(const struct caelum_net *net) {
    return net->layer[net->layers - 1].out;
}

/* --- Planning ------------------------------------------------------------------------------------- */

/* Makes the plan: one step a layer, or with `fuse`, which is what net_finish does, fused and faster steps
 * where layers offer them, and gradients settled behind pools. Results of the two agree to rounding. */
int net_plan(struct caelum_net *net, bool fuse, struct caelum_error *err);

/* The network for tiles of its pictures, cut as `tiles` says: the same layers and parameters at a fraction of
 * the size, with the same steps. *tile is NULL if the network can't work on them: if a layer's windows would
 * be cut, or it needs whole pictures, or draws random numbers. */
int net_tile(caelum_net **tile, const struct caelum_net *net, struct tiling tiles, struct caelum_error *err);
/* The same for `count` tiles to a picture (a power of two), cut so that the border of a tile is shortest;
 * *tiles says how. */
int net_tiles(caelum_net **tile, struct tiling *tiles, const struct caelum_net *net, size_t count,
              struct caelum_error *err);

/* --- One picture ------------------------------------------------------------------------------------ */

/* How one picture lies in the lanes at a step. */
struct net_way {
    struct tiling tiles;
    struct step_sizes sizes; /* that the step has there: of a tile, or of a lane of channels */
    /* The step's own input and saved tensor, where those of the workspace lie another way; data NULL
     * elsewhere. */
    struct tensor x, skip;
};

/* What of this shape is in one lane: a tile, or `lanes` channels a plane. */
struct shape net_lying(struct shape whole, struct tiling tiles, size_t lanes);
/* Whether a step does on a tile what it does on the picture, and what it needs for that. */
bool net_step_fits(const struct caelum_net *net, const struct net_step *step, struct tiling tiles,
                   struct step_sizes *sizes);
/* Chooses how one picture lies: at the input; at each step, way[steps], and then at the output, in tiles
 * again. *cost is about how many operations with registers that is. */
int net_arrange(const struct caelum_net *net, size_t lanes, struct tiling *input, struct net_way *way,
                double *cost, struct caelum_error *err);
/* How many pictures are faster one by one than as a block; at least 1. */
int net_one_by_one(const struct caelum_net *net, size_t lanes, size_t *most, struct caelum_error *err);

/* Initial parameters: a function of the seed alone. params: [net->params], overwritten. */
void net_init(const struct caelum_net *net, uint64_t seed, float *params);
/* The derived form of the parameters that forward and backward read; packed: [net->packed]. Called once
 * after every change of params. */
void net_pack(const struct caelum_net *net, const float *params, float *packed);
/* What step s reads of it. */
void net_pack_step(const struct caelum_net *net, size_t s, const float *params, float *packed);

/* Makes of it, in the place of what backward reads, what steps read whose lanes are channels. */
void net_pack_by_channels(const struct caelum_net *net, size_t s, float *packed);

/* The tensors of one block: value[i] is the input of layer i, value[layers] the output; grad[i] the
 * gradient of value[i]; skip_grad[i], where value[i] is a saved tensor, what comes back along its skips.
 * What a fused step keeps to itself has no memory. Without gradients (inference) grad and skip_grad are
 * NULL. A tensor is there until its last reader has run, the output of inference until the next block. */
struct net_workspace {
    struct tensor *value, *grad, *skip_grad;
    size_t lanes;        /* of a block */
    struct tiling tiles; /* of a picture, at the input */
    struct net_way
        *way;       /* [steps + 1] of a workspace for one picture; NULL: everything lies like the input */
    size_t members; /* threads that share a block, at most */
    float *scratch, *saved;
    float *memory;
    struct layer_noise noise; /* off until the caller turns it on */
};

/* For blocks of `lanes` pictures. grad[0] is left out: nobody needs the gradient of the pictures. */
int net_workspace_open(struct net_workspace *ws, const struct caelum_net *net, size_t lanes, bool gradients,
                       struct caelum_error *err);
/* The same, for a team of up to `members` threads (base/team.h). */
int net_workspace_open_shared(struct net_workspace *ws, const struct caelum_net *net, size_t lanes,
                              bool gradients, size_t members, struct caelum_error *err);
/* For one picture, without gradients. */
int net_workspace_open_one(struct net_workspace *ws, const struct caelum_net *net, size_t lanes,
                           size_t members, struct caelum_error *err);
void net_workspace_close(struct net_workspace *ws);
/* The output, and how it lies. */
static inline const struct tensor *net_result(const struct caelum_net *net, const struct net_workspace *ws) {
    const bool moved = ws->way && ws->way[net->steps].x.data;
    return moved ? &ws->way[net->steps].x : &ws->value[net->layers];
}
static inline struct tiling net_result_tiles(const struct caelum_net *net, const struct net_workspace *ws) {
    return ws->way ? ws->way[net->steps].tiles : ws->tiles;
}
/* Whether a block has work enough for a team of threads. */
bool net_shares(const struct caelum_net *net, const struct net_workspace *ws);
/* Says that the next block has something in its first `live` <= lanes lanes only. */
void net_workspace_live(struct net_workspace *ws, const struct caelum_net *net, size_t live);

/* value[0] -> value[layers]. */
void net_forward(const struct caelum_net *net, const struct kernels *kernels, const float *params,
                 const float *packed, const struct net_workspace *ws);
/* grad[layers] -> grads [lanes / SUM_LANES][net->params], added to. Destroys the gradients of the
 * activations. */
void net_backward(const struct caelum_net *net, const struct kernels *kernels, const float *params,
                  const float *packed, const struct net_workspace *ws, float *grads);

/* One step of the plan at a time, for measurements. Below the first step with parameters no gradient is
 * wanted. */
size_t net_lowest_step(const struct caelum_net *net);
void net_forward_step(const struct caelum_net *net, size_t s, const struct kernels *kernels,
                      const float *params, const float *packed, const struct net_workspace *ws);
void net_backward_step(const struct caelum_net *net, size_t s, const struct kernels *kernels,
                       const float *params, const float *packed, const struct net_workspace *ws,
                       float *grads);

#endif
