/* primaries.c - colors that H.273 gives numbers. */
#include "image/image.h"

const struct light light_srgb = {.x = {0.3127, 0.64, 0.30, 0.15},
                                 .y = {0.3290, 0.33, 0.60, 0.06},
                                 .transfer = {2.4, 0.055, 12.92, 0.04045}};

static const struct light primaries[] = {
    [1] = {.x = {0.3127, 0.640, 0.300, 0.150}, .y = {0.3290, 0.330, 0.600, 0.060}},
    [4] = {.x = {0.310, 0.67, 0.21, 0.14}, .y = {0.316, 0.33, 0.71, 0.08}},
    [5] = {.x = {0.3127, 0.64, 0.29, 0.15}, .y = {0.3290, 0.33, 0.60, 0.06}},
    [6] = {.x = {0.3127, 0.630, 0.310, 0.155}, .y = {0.3290, 0.340, 0.595, 0.070}},
    [7] = {.x = {0.3127, 0.630, 0.310, 0.155}, .y = {0.3290, 0.340, 0.595, 0.070}},
    [8] = {.x = {0.310, 0.681, 0.243, 0.145}, .y = {0.316, 0.319, 0.692, 0.049}},
    [9] = {.x = {0.3127, 0.708, 0.170, 0.131}, .y = {0.3290, 0.292, 0.797, 0.046}},
    [11] = {.x = {0.314, 0.680, 0.265, 0.150}, .y = {0.351, 0.320, 0.690, 0.060}},
    [12] = {.x = {0.3127, 0.680, 0.265, 0.150}, .y = {0.3290, 0.320, 0.690, 0.060}},
    [22] = {.x = {0.3127, 0.630, 0.295, 0.155}, .y = {0.3290, 0.340, 0.605, 0.077}},
};

#define TELEVISION \
    { 1 / 0.45, 0.099, 4.5, 0.081 }
static const struct transfer transfers[] = {
    [1] = TELEVISION,
    [4] = {.power = 2.2},
    [5] = {.power = 2.8},
    [6] = TELEVISION,
    [7] = {1 / 0.45, 0.1115, 4, 0.0912},
    [8] = {.power = 1},
    [13] = {2.4, 0.055, 12.92, 0.04045},
    [14] = TELEVISION,
    [15] = TELEVISION,
};

bool light_by_code(const uint8_t code[4], struct light *light) {
    const unsigned colors = code[0], transfer = code[1];
    if (code[2] != 0 || code[3] > 1 || colors >= sizeof primaries / sizeof *primaries ||
        primaries[colors].x[0] == 0 || transfer >= sizeof transfers / sizeof *transfers ||
        transfers[transfer].power == 0)
        return false;
    *light = primaries[colors];
    light->transfer = transfers[transfer];
    light->narrow = code[3] == 0;
    return true;
}
