/* prior.h - a code's whole numbers to bytes and back, by the probabilities that a quantize layer predicts. */
#ifndef CAELUM_CODE_PRIOR_H
#define CAELUM_CODE_PRIOR_H

#include "base/mem.h"
#include "code/range_coder.h"

/* The layer's parameters, reordered so that what one number adds to the predictions of all channels is
 * adjacent; and memory for one pixel's predictions. */
struct prior {
    struct mem_group memory;
    size_t k;                      /* channels */
    float *mean, *scale;           /* [tap][from][to] */
    float *mean_bias, *scale_bias; /* [k] */
    float *means, *scales;         /* [k] */
};

/* `params`: as layers/quantize.h lays them out; copied. To be closed after a failure, too. */
int prior_open(struct prior *prior, size_t k, const float *params, struct caelum_error *err);
/* Safe on a zeroed prior. */
void prior_close(struct prior *prior);

/* Chooses the numbers for values: [h][w][k], in steps. Each is the nearest whole one, or its neighbour
 * towards the prediction where that costs less: error squared, in steps, and `price` for each bit. */
void prior_choose(struct prior *prior, const float *values, double price, int16_t *numbers, size_t h,
                  size_t w);

/* numbers: [h][w][k]. All arithmetic is plain and in a fixed order, so that a file written here is read
 * anywhere: nothing depends on the machine's vectors or its mathematics library. */
void prior_encode(struct prior *prior, struct range_encoder *encoder, const int16_t *numbers, size_t h,
                  size_t w);
void prior_decode(struct prior *prior, struct range_decoder *decoder, int16_t *numbers, size_t h, size_t w);

#endif
