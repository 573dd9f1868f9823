/* transfer.h - a file of known length on its way from a server. */
#ifndef CAELUM_DATA_TRANSFER_H
#define CAELUM_DATA_TRANSFER_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct transfer {
    int fd;           /* the file as far as it has come */
    const char *path; /* its name, for errors */
    uint64_t have, size;
    const char *what; /* for progress, which may be NULL */
    caelum_progress progress;
    void *cookie;
    int patience;  /* seconds without a byte after which a server is given up */
    bool answered; /* set: some server has answered */
    bool refused;  /* set: the last one doesn't have this file; asking again is of no use */
};

/* Asks a URL for the bytes that are missing, and adds them to the file as they come. A server that sends all
 * of the file is taken, too: what is there is passed over. CAELUM_ENET, with the reason, where the file is
 * not whole then; CAELUM_EIO where it can't be written; CAELUM_ESTOPPED; CAELUM_EUSAGE where there is no
 * libcurl. */
int transfer_rest(struct transfer *t, const char *url, struct caelum_error *err);

#endif
