/* no_cairo.c - in a build without cairo: no contact sheets. */
#include "report/sheet.h"

int sheet_write(const struct sheet *sheet, const char *path, struct caelum_error *err) {
    (void)sheet;
    return caelum_fail(err, CAELUM_EUSAGE,
                       "%s: this build draws no contact sheets: it was made without cairo", path);
}
