/* no_cairo.c - in a build without cairo: no charts, no contact sheets. */
#include "report/chart.h"
#include "report/sheet.h"

int chart_write(const struct chart *chart, const char *path, struct caelum_error *err) {
    (void)chart;
    return caelum_fail(err, CAELUM_EUSAGE, "%s: this build draws no charts: it was made without cairo", path);
}

int sheet_write(const struct sheet *sheet, const char *path, struct caelum_error *err) {
    (void)sheet;
    return caelum_fail(err, CAELUM_EUSAGE,
                       "%s: this build draws no contact sheets: it was made without cairo", path);
}
