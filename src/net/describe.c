/* describe.c - what `inspect` tells about a network: the layer table, the latent formula, and the
 * smallest cut, which is what limits it whatever the formula says. */
#include "net/net.h"

#include <stdio.h>

/* Numbers that pass on from layer i: its output, and saved tensors that a later layer still names. */
static size_t cut_after(const struct caelum_net *net, size_t i) {
    size_t numbers = shape_values(net->layer[i].out);
    for (size_t k = 0; k < net->skips; k++) {
        bool open = false;
        for (size_t j = i + 1; j < net->layers; j++) open |= net->layer[j].skip == net->skip[k].value;
        /* value i + 1 is the output itself, which counts once */
        if (open && net->skip[k].value <= i) numbers += shape_values(net->skip[k].saved.shape);
    }
    return numbers;
}

/* ((W - K + 2P) / S + 1)^2 * C, the study's formula, for a convolution on a square input. */
static void write_formula(const struct net_layer *layer, char *text, size_t size) {
    text[0] = '\0';
    if (!layer->ops->geometry || layer->in.h != layer->in.w || layer->out.h != layer->out.w) return;
    size_t k, p, s;
    layer->ops->geometry(layer->state, layer->in, &k, &p, &s);
    snprintf(text, size, "((%zu - %zu + 2*%zu)/%zu + 1)^2 * %zu = %zu", layer->in.w, k, p, s, layer->out.c,
             shape_values(layer->out));
}

void caelum_net_describe(const caelum_net *net, struct caelum_net_info *info) {
    *info = (struct caelum_net_info){.channels = net->input.c,
                                     .height = net->input.h,
                                     .width = net->input.w,
                                     .layers = net->layers,
                                     .parameters = net->params,
                                     .bottleneck = SIZE_MAX};
    bool below = false; /* a layer with parameters precedes: its gradient needs ours */
    for (size_t i = 0; i < net->layers; i++) {
        const struct net_layer *layer = &net->layer[i];
        info->macs += layer->sizes.macs;
        info->train_macs += layer->sizes.macs * (below ? 3 : 2);
        if (layer->count > 0) below = true;
        if (layer->latent) {
            info->has_latent = true;
            info->latent = shape_values(layer->out);
            write_formula(layer, info->formula, sizeof info->formula);
        }
        if (cut_after(net, i) < info->bottleneck) {
            info->bottleneck = cut_after(net, i);
            info->bottleneck_layer = i;
        }
    }
}

/* One value of tensor i spans `window` input pixels; its neighbour starts `stride` pixels further on.
 * Upsampling makes that smaller, down to a fraction, hence the spread beside it. */
static struct layer_reach seen_by(const struct caelum_net *net, size_t i) {
    if (i == 0) return (struct layer_reach){1, 1, 1};
    const struct net_layer *layer = &net->layer[i - 1];
    const struct layer_reach *s = &layer->reach;
    struct layer_reach seen = seen_by(net, s->window == 0 ? layer->skip : i - 1);
    if (s->window > 0) seen.window += ((s->window - 1) * seen.stride + seen.spread - 1) / seen.spread;
    seen.stride *= s->stride;
    seen.spread *= s->spread;
    while (seen.spread > 1 && seen.stride % 2 == 0 && seen.spread % 2 == 0)
        seen.stride /= 2, seen.spread /= 2;
    return seen;
}

void caelum_net_layer(const caelum_net *net, size_t i, struct caelum_layer_info *info) {
    const struct net_layer *layer = &net->layer[i];
    *info = (struct caelum_layer_info){.channels = layer->out.c,
                                       .height = layer->out.h,
                                       .width = layer->out.w,
                                       .parameters = layer->count,
                                       .macs = layer->sizes.macs,
                                       .cut = cut_after(net, i),
                                       .latent = layer->latent};
    snprintf(info->text, sizeof info->text, "%s", layer->text);
    const struct layer_reach seen = seen_by(net, i + 1);
    info->receptive = seen.window;
    info->jump = seen.spread > 1 ? 1 : seen.stride;
}
