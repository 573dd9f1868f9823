/* rng.h - random numbers that are a pure function of (seed, stream, position): Philox4x32-10
 * (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC11). Nothing to save, nothing to
 * share: any thread computes any number at any time, and a resumed run draws the same ones. */
#ifndef CAELUM_BASE_RNG_H
#define CAELUM_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

/* What the numbers are for; keeps uses apart that share one seed. */
enum rng_stream {
    RNG_SPLIT = 1,     /* order of the data before it is divided */
    RNG_WEIGHTS = 2,   /* initial weights; index = number of the parameter tensor */
    RNG_ORDER = 3,     /* order of the train split; index = epoch */
    RNG_SYNTHETIC = 4, /* generated pictures; index = picture */
    RNG_SAMPLES = 5,   /* choice of pictures to show */
    RNG_AUGMENT = 6,   /* flips; index = epoch */
    RNG_TEST = 7,      /* tests */
    RNG_NOISE = 8,     /* noise layers; index = step */
    RNG_SHIFT = 9,     /* shifts; index = step, counter[1] = picture of the minibatch */
    RNG_HINTS = 10,    /* hints to a colorizer; likewise */
    RNG_CROPS = 11,    /* places of crops; index = photo and crop */
    RNG_FAKES = 12,    /* defects drawn on pictures; index = step, counter[1] = picture of the minibatch */
    RNG_PATCHES = 13,  /* places of patches of good pictures; index = picture */
    RNG_GOOD = 14,     /* crops of good pictures; index = step, counter[1] = picture of the minibatch */
    RNG_LEVEL = 15,    /* noise of a level that the network is told; likewise */
};

/* One sequence of random numbers; copy it freely. */
struct rng {
    uint32_t key[2];
    uint32_t counter[4]; /* position, then stream and index */
    uint32_t block[4];
    unsigned used; /* words of `block` given out already */
};

/* The raw function: 128 bits of counter and 64 of key to 128 random bits. */
void rng_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

struct rng rng_make(uint64_t seed, enum rng_stream stream, uint32_t index);
uint32_t rng_u32(struct rng *rng);
/* Uniform in [0, 1), multiples of 2^-24: exact in float. */
float rng_uniform(struct rng *rng);
/* Nearly normal, of mean 0 and variance 1, never beyond 4.9: the sum of eight uniform 16-bit numbers. From
 * four words, and from the next four. */
static inline float rng_nearly_normal(const uint32_t word[4]) {
    int32_t sum = -4 * 65535;
    for (int i = 0; i < 4; i++) sum += (int32_t)((word[i] & 0xFFFFu) + (word[i] >> 16));
    return (float)sum * (1.0f / (65536.0f * 0.81649658f));
}
static inline float rng_normal(struct rng *rng) {
    uint32_t word[4];
    for (int i = 0; i < 4; i++) word[i] = rng_u32(rng);
    return rng_nearly_normal(word);
}
/* Uniform in [0, n), n > 0, without bias (Lemire 2019). */
uint32_t rng_below(struct rng *rng, uint32_t n);
/* Fisher-Yates over n < 2^32 numbers. */
void rng_shuffle(struct rng *rng, uint32_t *values, size_t n);

#endif
