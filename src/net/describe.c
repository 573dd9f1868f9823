/* describe.c - what `inspect` tells about a network: the layer table, the latent formula, and the
 * smallest cut, which is what limits it whatever the formula says. */
#include "net/net.h"

#include <stdio.h>

static size_t values(struct shape s) {
    return s.c * s.h * s.w;
}

/* ((W - K + 2P) / S + 1)^2 * C, the study's formula, for a convolution on a square input. */
static void write_formula(const struct net_layer *layer, char *text, size_t size) {
    text[0] = '\0';
    if (!layer->ops->geometry || layer->in.h != layer->in.w || layer->out.h != layer->out.w) return;
    size_t k, p, s;
    layer->ops->geometry(layer->state, &k, &p, &s);
    snprintf(text, size, "((%zu - %zu + 2*%zu)/%zu + 1)^2 * %zu = %zu", layer->in.w, k, p, s, layer->out.c,
             values(layer->out));
}

void caelum_net_describe(const caelum_net *net, struct caelum_net_info *info) {
    *info = (struct caelum_net_info){.channels = net->input.c,
                                     .height = net->input.h,
                                     .width = net->input.w,
                                     .layers = net->layers,
                                     .parameters = net->params,
                                     .bottleneck = SIZE_MAX};
    bool below = false; /* a layer with parameters lies below: its gradient needs ours */
    for (size_t i = 0; i < net->layers; i++) {
        const struct net_layer *layer = &net->layer[i];
        info->macs += layer->sizes.macs;
        info->train_macs += layer->sizes.macs * (below ? 3 : 2);
        if (layer->sizes.params > 0) below = true;
        if (layer->latent) {
            info->has_latent = true;
            info->latent = values(layer->out);
            write_formula(layer, info->formula, sizeof info->formula);
        }
        if (values(layer->out) < info->bottleneck) {
            info->bottleneck = values(layer->out);
            info->bottleneck_layer = i;
        }
    }
}

void caelum_net_layer(const caelum_net *net, size_t i, struct caelum_layer_info *info) {
    const struct net_layer *layer = &net->layer[i];
    *info = (struct caelum_layer_info){.channels = layer->out.c,
                                       .height = layer->out.h,
                                       .width = layer->out.w,
                                       .parameters = layer->sizes.params,
                                       .macs = layer->sizes.macs,
                                       .cut = values(layer->out),
                                       .latent = layer->latent};
    snprintf(info->text, sizeof info->text, "%s", layer->text);
    /* One output spans `field` input pixels; its neighbour starts `step` pixels further on. Upsampling
     * makes the step smaller, down to a fraction, hence the spread beside it. */
    size_t field = 1, step = 1, spread = 1;
    for (size_t j = 0; j <= i; j++) {
        const struct layer_sizes *s = &net->layer[j].sizes;
        field += ((s->window - 1) * step + spread - 1) / spread;
        step *= s->stride;
        spread *= s->spread;
        while (spread > 1 && step % 2 == 0 && spread % 2 == 0) step /= 2, spread /= 2;
    }
    info->receptive = field;
    info->jump = spread > 1 ? 1 : step;
}
