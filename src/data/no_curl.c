/* no_curl.c - in a build without libcurl: nothing is fetched. */
#include "data/transfer.h"

int transfer_rest(struct transfer *t, const char *url, struct caelum_error *err) {
    (void)t;
    return caelum_fail(err, CAELUM_EUSAGE,
                       "this build fetches no data: it was made without libcurl; get %s by other means", url);
}
