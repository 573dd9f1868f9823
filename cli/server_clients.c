/* server_clients.c - clients that take too long to say what they want. libmicrohttpd ends those that are
 * silent; those that send a byte now and then are ended here, by a thread that looks at them all. */
#include "server.h"

#include "base/clock.h"
#include "base/mem.h"

#include <microhttpd.h>
#include <sys/socket.h>
#include <time.h>

static const struct timespec PAUSE = {0, 200000000};

struct client {
    struct client *next;
    int socket;
    double until; /* when what it is saying must have been said */
};

void server_client_until(struct server *s, struct MHD_Connection *c, double seconds) {
    struct client *client = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    pthread_mutex_lock(&s->lock);
    if (client) client->until = clock_seconds() + seconds;
    pthread_mutex_unlock(&s->lock);
}

static void add(struct server *s, struct MHD_Connection *c, void **context) {
    struct caelum_error err;
    struct client *client;
    if (mem_alloc(&client, 1, sizeof *client, &err) != 0) return;
    *client =
        (struct client){.next = s->clients,
                        .socket = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd,
                        .until = clock_seconds() + (double)SERVER_HEAD};
    *context = s->clients = client;
}

static void drop(struct server *s, struct client *client) {
    struct client **at = &s->clients;
    while (*at && *at != client) at = &(*at)->next;
    if (*at) *at = client->next;
    mem_free(&client);
}

void server_client(void *cookie, struct MHD_Connection *c, void **context,
                   enum MHD_ConnectionNotificationCode code) {
    struct server *s = cookie;
    pthread_mutex_lock(&s->lock);
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        add(s, c, context);
    else
        drop(s, *context);
    pthread_mutex_unlock(&s->lock);
}

void *server_watch(void *cookie) {
    struct server *s = cookie;
    while (!atomic_load(&s->stopping)) {
        pthread_mutex_lock(&s->lock);
        for (struct client *client = s->clients; client; client = client->next)
            if (clock_seconds() > client->until) shutdown(client->socket, SHUT_RDWR);
        pthread_mutex_unlock(&s->lock);
        nanosleep(&PAUSE, NULL);
    }
    return NULL;
}
