/* range_coder.c - 32 bits of range, bytes leave when it falls below 24. */
#include "code/range_coder.h"

#include "base/mem.h"

#include <string.h>

static const uint32_t least_range = 1u << 24;

void range_encoder_open(struct range_encoder *e) {
    *e = (struct range_encoder){.range = UINT32_MAX};
}

void range_encoder_close(struct range_encoder *e) {
    mem_free(&e->bytes);
}

static void put(struct range_encoder *e, uint8_t byte) {
    if (e->result != 0) return;
    if (e->size == e->capacity) {
        uint8_t *larger = NULL;
        const size_t capacity = e->capacity ? 2 * e->capacity : 256;
        e->result = mem_alloc(&larger, capacity, 1, NULL);
        if (e->result != 0) return;
        if (e->size > 0) memcpy(larger, e->bytes, e->size);
        mem_free(&e->bytes);
        e->bytes = larger;
        e->capacity = capacity;
    }
    e->bytes[e->size++] = byte;
}

/* Moves the top byte of low out. A byte of 255 waits until it is known whether a carry turns it into 0. The
 * very first byte, always 0, is put as well; range_encoder_finish drops it. */
static void shift(struct range_encoder *e) {
    if (e->low < 0xff000000u || e->low > UINT32_MAX) {
        const uint8_t carry = (uint8_t)(e->low >> 32);
        put(e, (uint8_t)(e->held + carry));
        for (; e->waiting > 0; e->waiting--) put(e, (uint8_t)(0xff + carry));
        e->held = (uint8_t)(e->low >> 24);
    } else {
        e->waiting++;
    }
    e->low = (e->low & 0x00ffffffu) << 8;
}

void range_encode(struct range_encoder *e, uint32_t start, uint32_t count) {
    const uint32_t part = e->range >> RANGE_BITS;
    e->low += (uint64_t)part * start;
    e->range = part * count;
    for (; e->range < least_range; e->range <<= 8) shift(e);
}

int range_encoder_finish(struct range_encoder *e, struct caelum_error *err) {
    /* the number in [low, low + range) that ends in the most zeros */
    uint64_t best = e->low;
    for (int bits = 32; bits > 0; bits--) {
        const uint64_t mask = ((uint64_t)1 << bits) - 1, number = (e->low + mask) & ~mask;
        if (number - e->low < e->range) {
            best = number;
            break;
        }
    }
    e->low = best;
    for (int i = 0; i < 5; i++) shift(e);
    if (e->result != 0) return caelum_fail(err, e->result, "no memory left for a picture's code");
    memmove(e->bytes, e->bytes + 1, --e->size);
    while (e->size > 0 && e->bytes[e->size - 1] == 0) e->size--;
    return CAELUM_OK;
}

static uint8_t next(struct range_decoder *d) {
    return d->at < d->size ? d->bytes[d->at++] : 0;
}

void range_decoder_open(struct range_decoder *d, const uint8_t *bytes, size_t size) {
    *d = (struct range_decoder){.bytes = bytes, .size = size, .range = UINT32_MAX};
    for (int i = 0; i < 4; i++) d->code = d->code << 8 | next(d);
}

uint32_t range_decoder_target(const struct range_decoder *d) {
    const uint32_t target = d->code / (d->range >> RANGE_BITS);
    return target < RANGE_TOTAL ? target : RANGE_TOTAL - 1;
}

void range_decoder_take(struct range_decoder *d, uint32_t start, uint32_t count) {
    const uint32_t part = d->range >> RANGE_BITS;
    d->code -= part * start;
    d->range = part * count;
    for (; d->range < least_range; d->range <<= 8) d->code = d->code << 8 | next(d);
}
