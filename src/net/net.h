/* net.h - a network: text -> layers with shapes -> a workspace in which blocks run forward and backward.
 *
 * A struct caelum_net is read-only once parsed. Parameters live outside it, in one array of
 * net->params floats (so a checkpoint is one write), gradients likewise. Each thread has a workspace with
 * the tensors of one block; nothing is allocated once that is made. */
#ifndef CAELUM_NET_NET_H
#define CAELUM_NET_NET_H

#include "layers/layer.h"

struct net_layer {
    const struct layer_ops *ops;
    void *state; /* owned */
    struct shape in, out;
    struct layer_sizes sizes;
    size_t params; /* offset into the array of all layers' parameters */
    char name[40]; /* "conv1": unique, for model files */
    char text[96]; /* its line, one blank between words */
    size_t line;
    bool latent; /* the `latent` mark follows */
    size_t skip; /* index of the saved tensor that it makes or names; 0: none */
};

/* One step of the plan: a layer, or a fused form of several. */
struct net_step {
    const struct layer_ops *ops;
    size_t first, last; /* layers that it does; state and parameters are those of the last */
    struct layer_sizes sizes;
    size_t packed; /* offset */
    size_t saved;  /* offset of what it keeps from forward to backward */
    bool settled;  /* the step behind it selects: its gradient is settled there (layer_ops.settle) */
};

struct caelum_net {
    char *text;
    char *file; /* name used in messages */
    struct shape input;
    size_t layers;
    struct net_layer *layer;
    size_t params;         /* floats of all layers */
    struct net_step *step; /* the plan */
    bool fused;            /* made with fused steps */
    size_t steps;
    /* floats that the plan needs: derived weights, one thread's scratch, and what steps keep of a picture */
    size_t packed, scratch, saved;
    struct layer_skip skip[LAYER_SKIPS]; /* tensors with a name */
    size_t skips;
};

/* Makes the plan: one step a layer, or with `fuse`, which is what parsing does, fused and faster steps
 * where layers offer them, and gradients settled behind pools. Results of the two agree to rounding. */
int net_plan(struct caelum_net *net, bool fuse, struct caelum_error *err);

/* The network for strips of its pictures, `strips` to a picture (2, 4 or 8): the same layers and parameters
 * at a fraction of the height. *strip is NULL if the network can't work on strips: if a layer's windows would
 * lie across two of them, or needs whole pictures, or draws random numbers. */
int net_strips(caelum_net **strip, const struct caelum_net *net, size_t strips, struct caelum_error *err);

/* Whether a block of this network has work enough for a team of threads. */
bool net_shares(const struct caelum_net *net);

/* Initial parameters: a function of the seed alone. params: [net->params], overwritten. */
void net_init(const struct caelum_net *net, uint64_t seed, float *params);
/* The derived form of the parameters that forward and backward read; packed: [net->packed]. Called once
 * after every change of params. */
void net_pack(const struct caelum_net *net, const float *params, float *packed);

/* The tensors of one block: value[i] is the input of layer i, value[layers] the output; grad[i] the
 * gradient of value[i]; skip_grad[i], where value[i] is a saved tensor, what comes back along its skips.
 * What a fused step keeps to itself has no memory. Without gradients (inference) grad and skip_grad are
 * NULL. */
struct net_workspace {
    struct tensor *value, *grad, *skip_grad;
    size_t lanes;   /* of a block */
    size_t strips;  /* to a picture; 1: a lane is a picture */
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
void net_workspace_close(struct net_workspace *ws);
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

/* --- Models --------------------------------------------------------------------------------------- */

/* A network with parameters, and what is known about how it came to be. */
struct caelum_model {
    struct caelum_net *net; /* owned */
    float *params;          /* [net->params], owned */
    bool half;              /* they are in half precision in its file */
    struct metadata *metadata;
};

/* Key-value pairs of strings in the order in which they were set. */
struct metadata_entry {
    char *key, *value;
};
struct metadata {
    size_t count, room;
    struct metadata_entry *entry; /* owned */
};
/* Copies key and value; an existing key gets the new value. CAELUM_EFORMAT beyond 1024 entries. */
int metadata_set(struct metadata *metadata, const char *key, const char *value, struct caelum_error *err);
int metadata_setf(struct metadata *metadata, struct caelum_error *err, const char *key, const char *format,
                  ...) __attribute__((format(printf, 4, 5)));
/* NULL if there is no such key. */
const char *metadata_get(const struct metadata *metadata, const char *key);
void metadata_clear(struct metadata *metadata);
/* Files keep metadata as UTF-8, and names of files in them are any bytes: json_bytes (base/json.h) of all
 * keys and values, added to `to`, which is to be cleared, also after a failure; and in place what they were.
 */
int metadata_escape(struct metadata *to, const struct metadata *from, struct caelum_error *err);
void metadata_unescape(struct metadata *metadata);

/* A model of the network that `text` describes, all parameters zero; `name` stands before line and column in
 * errors. CAELUM_EFORMAT, before memory is taken for them, if there are more than 2^24 parameters and more
 * than `most`, which the file has that they are to come from. */
int model_new(struct caelum_model **model, const char *text, const char *name, size_t height, size_t width,
              size_t most, struct caelum_error *err);
/* CAELUM_EFORMAT, naming `what`, the tensor and the value, if a parameter is not finite, or with `half` would
 * not be in half precision. */
int model_check(const struct caelum_net *net, const float *params, bool half, const char *what,
                struct caelum_error *err);
/* What a model's file says besides its weights: "format", "network", "height" and "width", then the model's
 * metadata. `all` is to be cleared, also after a failure. */
int model_strings(const struct caelum_net *net, const struct metadata *metadata, struct metadata *all,
                  struct caelum_error *err);
/* A model, all parameters zero, of what model_strings has given; `strings` become its metadata and are left
 * empty. CAELUM_EFORMAT, naming path, if they are not a model's, or `most` is too small (model_new). */
int model_from_strings(struct caelum_model **model, struct metadata *strings, const char *path, size_t most,
                       struct caelum_error *err);
/* Where the values of the tensor of that name and shape lie in the model, to be written; NULL if it has none.
 */
float *model_values(struct caelum_model *model, const char *name, size_t dims, const size_t *dim);

/* Writes parameters and network as a safetensors file. The keys "format", "network", "height" and
 * "width" are added to the metadata. */
int model_save(const struct caelum_net *net, const float *params, const struct metadata *metadata,
               const char *path, struct caelum_error *err);

#endif
