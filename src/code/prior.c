/* prior.c - the prediction of layers/quantize.c, number by number, and its Laplace distribution cut into
 * cells with whole counts. */
#include "code/prior.h"

#include "layers/quantize.h"

#include <math.h>
#include <string.h>

enum { MOST = (int)QUANTIZE_MOST };

/* w [to][from][tap] to turned [tap][from][to]; of the pixel's own tap only channels from < to are known. */
static void turn(const float *w, size_t k, float *turned) {
    for (size_t to = 0; to < k; to++)
        for (size_t from = 0; from < k; from++)
            for (size_t tap = 0; tap < QUANTIZE_TAPS; tap++)
                turned[(tap * k + from) * k + to] = w[(to * k + from) * QUANTIZE_TAPS + tap];
}

int prior_open(struct prior *p, size_t k, const float *params, struct caelum_error *err) {
    const struct quantize_params at = quantize_params(k);
    *p = (struct prior){.k = k};
    CHECK(mem_take(&p->memory, &p->mean, k * k * QUANTIZE_TAPS, sizeof(float), err));
    CHECK(mem_take(&p->memory, &p->scale, k * k * QUANTIZE_TAPS, sizeof(float), err));
    CHECK(mem_take(&p->memory, &p->mean_bias, k, sizeof(float), err));
    CHECK(mem_take(&p->memory, &p->scale_bias, k, sizeof(float), err));
    CHECK(mem_take(&p->memory, &p->means, k, sizeof(float), err));
    CHECK(mem_take(&p->memory, &p->scales, k, sizeof(float), err));
    turn(params + at.mean, k, p->mean);
    turn(params + at.scale, k, p->scale);
    memcpy(p->mean_bias, params + at.mean_bias, k * sizeof(float));
    memcpy(p->scale_bias, params + at.scale_bias, k * sizeof(float));
    return CAELUM_OK;
}

void prior_close(struct prior *p) {
    mem_end(&p->memory);
}

/* --- Prediction ----------------------------------------------------------------------------------- */

/* log2(1 + |n|), straight between powers of two, as kernels->code_size has it. */
static float size_of(int n) {
    const unsigned one = (unsigned)(n < 0 ? -n : n) + 1;
    unsigned exponent = 0;
    while (one >> (exponent + 1)) exponent++;
    return (float)exponent + ((float)one / (float)(1u << exponent) - 1.0f);
}

/* Number n of channel `from`, seen through a tap, adds to the predictions of the channels from `first` on. */
static void tell(struct prior *p, size_t tap, size_t from, int n, size_t first) {
    if (n == 0) return;
    const float *mean = p->mean + (tap * p->k + from) * p->k, *scale = p->scale + (tap * p->k + from) * p->k;
    const float value = (float)n, size = size_of(n);
    for (size_t to = first; to < p->k; to++) {
        p->means[to] += mean[to] * value;
        p->scales[to] += scale[to] * size;
    }
}

/* Predictions for pixel (i, j) from the pixels before it. */
static void look_around(struct prior *p, const int16_t *numbers, size_t w, size_t i, size_t j) {
    static const int taps[QUANTIZE_TAPS - 1][2] = {{-1, -1}, {-1, 0}, {-1, 1}, {0, -1}};
    memcpy(p->means, p->mean_bias, p->k * sizeof(float));
    memcpy(p->scales, p->scale_bias, p->k * sizeof(float));
    for (size_t tap = 0; tap < QUANTIZE_TAPS - 1; tap++) {
        if ((i == 0 && taps[tap][0] < 0) || (j == 0 && taps[tap][1] < 0) || (j + 1 == w && taps[tap][1] > 0))
            continue;
        const ptrdiff_t pixel = (ptrdiff_t)(i * w + j) + taps[tap][0] * (ptrdiff_t)w + taps[tap][1];
        for (size_t from = 0; from < p->k; from++)
            tell(p, tap, from, numbers[(size_t)pixel * p->k + from], 0);
    }
}

/* --- Distribution --------------------------------------------------------------------------------- */

/* e^x for x <= 0, to some 1e-15: x = n ln 2 + r, e^r by its Taylor series. Of sums, products and exact
 * functions alone, so the same everywhere. */
static double exponential(double x) {
    if (!(x > -700)) return 0;
    const double n = floor(x * 1.4426950408889634 + 0.5), r = x - n * 0.6931471805599453;
    double sum = 1;
    for (int i = 14; i > 0; i--) sum = 1 + sum * r / i;
    return ldexp(sum, (int)n);
}

/* Cells around the mean, each with a part of RANGE_TOTAL, and one part each for all below and all
 * above.
 */
struct cells {
    double mean, per_width; /* 1 / width */
    int first;              /* number of the first cell */
    int count;
};

static struct cells cells_of(float mean, float scale) {
    const double m = mean > -MOST ? (mean < MOST ? (double)mean : MOST) : -MOST;
    const double s = (double)(scale > RATE_LEAST ? (scale < RATE_MOST ? scale : RATE_MOST) : RATE_LEAST);
    const double width = s > 0 ? 1 / exponential(-s) : exponential(s);
    const int reach = width < 31 ? 2 + (int)ceil(8 * width) : 250;
    return (struct cells){m, 1 / width, (int)floor(m + 0.5) - reach, 2 * reach + 1};
}

/* Where part i of 0 to count + 1 begins; part 0 is below the first cell. The 2 i keeps each part at 1 at
 * least, should rounding let the distribution fall by one. */
static uint32_t begin_of(const struct cells *c, int i) {
    if (i <= 0) return 0;
    if (i >= c->count + 2) return RANGE_TOTAL;
    const double z = (c->first + i - 1.5 - c->mean) * c->per_width;
    const double below = z < 0 ? exponential(z) / 2 : 1 - exponential(-z) / 2;
    return (uint32_t)(below * (RANGE_TOTAL - 2 * (c->count + 2))) + 2 * (uint32_t)i;
}

/* --- Numbers -------------------------------------------------------------------------------------- */

static const uint32_t half = RANGE_TOTAL / 2;

static void encode_bit(struct range_encoder *e, unsigned bit) {
    range_encode(e, bit ? half : 0, half);
}

static unsigned decode_bit(struct range_decoder *d) {
    const unsigned bit = range_decoder_target(d) >= half;
    range_decoder_take(d, bit ? half : 0, half);
    return bit;
}

/* How far beyond the cells a number is, from 0, by Elias' gamma code of one more. */
static void encode_far(struct range_encoder *e, unsigned distance) {
    int bits = 0;
    while ((distance + 1) >> (bits + 1)) bits++;
    for (int i = 0; i < bits; i++) encode_bit(e, 1);
    encode_bit(e, 0);
    for (int i = bits - 1; i >= 0; i--) encode_bit(e, (distance + 1) >> i & 1);
}

static unsigned decode_far(struct range_decoder *d) {
    int bits = 0;
    while (bits < 17 && decode_bit(d)) bits++;
    unsigned number = 1;
    for (int i = 0; i < bits; i++) number = number << 1 | decode_bit(d);
    return number - 1;
}

static void encode_number(struct range_encoder *e, const struct cells *c, int n) {
    const int part = n < c->first ? 0 : n >= c->first + c->count ? c->count + 1 : n - c->first + 1;
    const uint32_t begin = begin_of(c, part);
    range_encode(e, begin, begin_of(c, part + 1) - begin);
    if (part == 0) encode_far(e, (unsigned)(c->first - 1 - n));
    if (part == c->count + 1) encode_far(e, (unsigned)(n - c->first - c->count));
}

static int decode_number(struct range_decoder *d, const struct cells *c) {
    const uint32_t target = range_decoder_target(d);
    int part = c->count / 2 + 1;
    while (begin_of(c, part) > target) part--;
    while (begin_of(c, part + 1) <= target) part++;
    const uint32_t begin = begin_of(c, part);
    range_decoder_take(d, begin, begin_of(c, part + 1) - begin);
    long n = c->first + part - 1;
    if (part == 0) n = (long)c->first - 1 - (long)decode_far(d);
    if (part == c->count + 1) n = (long)c->first + c->count + (long)decode_far(d);
    return n > MOST ? MOST : n < -MOST ? -MOST : (int)n;
}

/* Bits of a number, without those for how far beyond the cells it is. */
static double bits_of(const struct cells *c, int n) {
    const int part = n < c->first ? 0 : n >= c->first + c->count ? c->count + 1 : n - c->first + 1;
    return log2((double)RANGE_TOTAL / (begin_of(c, part + 1) - begin_of(c, part)));
}

static int choose(const struct cells *c, double value, double price) {
    value = fmax(-MOST, fmin(MOST, value)); /* NaN becomes MOST: any number will do */
    const int near = (int)lrint(value);
    const double gap = c->mean - near;
    if (fabs(gap) <= 0.5) return near;
    const int other = near + (gap > 0 ? 1 : -1);
    const double d = value - near, e = value - other;
    return d * d + price * bits_of(c, near) <= e * e + price * bits_of(c, other) ? near : other;
}

void prior_choose(struct prior *p, const float *values, double price, int16_t *numbers, size_t h, size_t w) {
    for (size_t i = 0; i < h; i++)
        for (size_t j = 0; j < w; j++) {
            const size_t at = (i * w + j) * p->k;
            look_around(p, numbers, w, i, j);
            for (size_t k = 0; k < p->k; k++) {
                const struct cells cells = cells_of(p->means[k], p->scales[k]);
                numbers[at + k] = (int16_t)choose(&cells, (double)values[at + k], price);
                tell(p, QUANTIZE_TAPS - 1, k, numbers[at + k], k + 1);
            }
        }
}

void prior_encode(struct prior *p, struct range_encoder *e, const int16_t *numbers, size_t h, size_t w) {
    for (size_t i = 0; i < h; i++)
        for (size_t j = 0; j < w; j++) {
            const int16_t *pixel = numbers + (i * w + j) * p->k;
            look_around(p, numbers, w, i, j);
            for (size_t k = 0; k < p->k; k++) {
                const struct cells cells = cells_of(p->means[k], p->scales[k]);
                encode_number(e, &cells, pixel[k]);
                tell(p, QUANTIZE_TAPS - 1, k, pixel[k], k + 1);
            }
        }
}

void prior_decode(struct prior *p, struct range_decoder *d, int16_t *numbers, size_t h, size_t w) {
    for (size_t i = 0; i < h; i++)
        for (size_t j = 0; j < w; j++) {
            int16_t *pixel = numbers + (i * w + j) * p->k;
            look_around(p, numbers, w, i, j);
            for (size_t k = 0; k < p->k; k++) {
                const struct cells cells = cells_of(p->means[k], p->scales[k]);
                pixel[k] = (int16_t)decode_number(d, &cells);
                tell(p, QUANTIZE_TAPS - 1, k, pixel[k], k + 1);
            }
        }
}
