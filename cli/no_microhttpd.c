/* no_microhttpd.c - in place of server*.c, in a build without libmicrohttpd. */
#include "server.h"

int server_open(struct server **server, const char *runs, unsigned port, struct caelum_error *err) {
    (void)runs, (void)port;
    *server = NULL;
    return caelum_fail(err, CAELUM_EUSAGE,
                       "this build has no server, which takes libmicrohttpd (Debian's libmicrohttpd-dev)");
}

int server_show(struct server **server, const char *run, struct caelum_error *err) {
    return server_open(server, run, 0, err);
}

void server_close(struct server **server) {
    (void)server;
}
