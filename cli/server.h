/* server.h - the page from a server on this machine's loopback, which also shows the runs of a directory as
 * they are trained, and takes noise out of pictures for the page. Requests run on threads of their own. */
#ifndef CAELUM_SERVER_H
#define CAELUM_SERVER_H

#include "cli.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

struct server {
    struct MHD_Daemon *daemon;
    char runs[PATH_SIZE]; /* a directory; empty, or not there yet: there are no runs */
    unsigned port;
    char host[2][32]; /* what requests may call it: "127.0.0.1:8765", "localhost:8765" */
    char *page;       /* the file, with a policy that lets it ask this server */
    caelum_model *denoiser;
    struct client *clients;
    pthread_mutex_t lock; /* of the clients, and of the denoiser, which the first that needs it opens */
    pthread_t watch;
    atomic_bool stopping;
    atomic_int streams, uploads; /* under way */
};

/* Starts it for a directory of runs; port 0: any that is free. CAELUM_EIO if the page is not there or the
 * port is in use; CAELUM_EUSAGE in a build without libmicrohttpd. */
int server_open(struct server **server, const char *runs, unsigned port, struct caelum_error *err);
/* Starts it for the directory that a run is in, says where, and shows it in a browser, if there is a desktop.
 */
int server_show(struct server **server, const char *run, struct caelum_error *err);
/* Ends it, requests that are being answered included. Sets the pointer to NULL; accepts NULL in it. */
void server_close(struct server **server);

/* --- What it answers, in server_*.c: a response, or NULL if out of memory; *status is 200 before ------- */

/* A sentence. */
struct MHD_Response *server_text(const char *text);
/* The list of runs, and again whenever it has changed: server-sent events. */
struct MHD_Response *server_events(struct server *server, unsigned *status);
/* A file of a run, by the rest of its address: "ID/metrics.csv". */
struct MHD_Response *server_run_file(const struct server *server, const char *address, unsigned *status);
/* A picture, any file that caelum_picture_decode reads, without its noise, as PNG. */
struct MHD_Response *server_denoise(struct server *server, struct MHD_Connection *connection,
                                    const uint8_t *bytes, size_t size, unsigned *status);

/* --- Clients that are slow, in server_clients.c ------------------------------------------------------- */

enum { SERVER_HEAD = 10 }; /* seconds for the head of a request */
/* From now on a client has `seconds` to say what it is saying, INFINITY while it is answered; else its
 * connection is ended. */
void server_client_until(struct server *server, struct MHD_Connection *connection, double seconds);
/* Takes note of connections that begin and end: a callback of libmicrohttpd. */
void server_client(void *server, struct MHD_Connection *connection, void **context,
                   enum MHD_ConnectionNotificationCode code);
/* Ends connections that are late, until the server stops: a thread. */
void *server_watch(void *server);

#endif
