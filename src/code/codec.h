/* codec.h - a model in two halves around its quantize layer: pictures of any size to whole numbers, and back.
 *
 * A picture is extended to whole blocks by repeating its last row and column. The halves know pictures of one
 * size; where a picture is larger than WINDOW pixels, windows of that size go over it in steps of CORE, and
 * of each only the middle counts, so that no seam shows: pixels MARGIN from a window's edge hardly depend on
 * those beyond it. */
#ifndef CAELUM_CODE_CODEC_H
#define CAELUM_CODE_CODEC_H

#include "code/prior.h"
#include "engine/engine.h"
#include "model/model.h"

enum { CODEC_CORE = 64, CODEC_MARGIN = 16, CODEC_WINDOW = CODEC_CORE + 2 * CODEC_MARGIN };

static const double CODEC_MOST_PRICE = 1;

struct caelum_codec {
    const caelum_model *model;        /* borrowed until close */
    caelum_net *analysis, *synthesis; /* the halves at the size that the model was trained on */
    size_t decoder_params;            /* offset of the second one's parameters */
    size_t block;                     /* pixels a side of what one place of the code stands for */
    size_t channels;                  /* of the code */
    float step;
    double price;         /* of a bit, in squared steps of error */
    uint32_t fingerprint; /* of network and parameters */
    int threads;
    struct prior prior;
    /* the halves for windows of height x width pixels; 0 x 0: none yet */
    size_t height, width;
    caelum_net *encoder, *decoder;
    struct engine encode, decode;
};

/* The rows and columns of a picture's code. */
static inline size_t codec_rows(const struct caelum_codec *codec, size_t pixels) {
    return (pixels + codec->block - 1) / codec->block;
}

/* numbers: [rows][columns][channels], overwritten; chosen by the codec's price. */
int codec_analyse(struct caelum_codec *codec, const struct caelum_picture *picture, int16_t *numbers,
                  struct caelum_error *err);
/* picture: its pixels are overwritten. */
int codec_synthesize(struct caelum_codec *codec, const int16_t *numbers, struct caelum_picture *picture,
                     struct caelum_error *err);

#endif
