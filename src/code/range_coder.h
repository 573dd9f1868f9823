/* range_coder.h - symbols of known probability to bytes and back, as few as possible: the range coder of G.
 * N. N. Martin (1979), with the carry of Schindler and of LZMA. */
#ifndef CAELUM_CODE_RANGE_CODER_H
#define CAELUM_CODE_RANGE_CODER_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* A symbol is a part of RANGE_TOTAL: `count` of it from `start` on, count at least 1. */
enum { RANGE_BITS = 16, RANGE_TOTAL = 1 << RANGE_BITS };

struct range_encoder {
    uint8_t *bytes; /* owned */
    size_t size, capacity;
    uint64_t low;
    uint32_t range;
    uint8_t held;   /* the last byte, should a carry come */
    size_t waiting; /* bytes of 255 behind it */
    int result;     /* CAELUM_ERESOURCE once memory has run out; what follows is lost */
};

void range_encoder_open(struct range_encoder *encoder);
void range_encode(struct range_encoder *encoder, uint32_t start, uint32_t count);
/* Ends the message with as few bytes as distinguish it from others; zeros at its end are left out. The bytes
 * stay the encoder's. */
int range_encoder_finish(struct range_encoder *encoder, struct caelum_error *err);
/* Safe on a zeroed encoder. */
void range_encoder_close(struct range_encoder *encoder);

/* Reads beyond the end of its bytes are zeros, so no message is too short to be read. */
struct range_decoder {
    const uint8_t *bytes; /* borrowed */
    size_t size, at;
    uint32_t code, range;
};

void range_decoder_open(struct range_decoder *decoder, const uint8_t *bytes, size_t size);
/* The place of the next symbol in RANGE_TOTAL; then the symbol found there is removed. */
uint32_t range_decoder_target(const struct range_decoder *decoder);
void range_decoder_take(struct range_decoder *decoder, uint32_t start, uint32_t count);

#endif
