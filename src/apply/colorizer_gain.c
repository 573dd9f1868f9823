#include "apply/colorizer_gain.h"

#include "base/number.h"

static const double USUAL = 2, MOST = 10;

int colorizer_gain_check(double vivid, struct caelum_error *err) {
    if (vivid >= 0 && vivid <= 1) return CAELUM_OK;
    return caelum_fail(err, CAELUM_EUSAGE, "vivid: expected 0 to 1, got %g", vivid);
}

double colorizer_gain(const struct caelum_model *model, double vivid) {
    const char *text = caelum_model_metadata(model, COLORIZER_GAIN_KEY);
    double gain;
    if (!number_real(text, &gain) || !(gain >= 1 && gain <= MOST)) gain = USUAL;
    return 1 + vivid * (gain - 1);
}
