/* cmd_serve.c - caelum serve: the page from this machine, with the runs of a directory. */
#include "server.h"

#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

struct serve {
    size_t port;
    struct server *server;
};

static void defaults(void *values) {
    ((struct serve *)values)->port = 8765;
}

static const struct caelum_option rows[] = {
    OPTION(SIZE, struct serve, 0, "port", port, "N", "where on this machine; 0: any port that is free"),
    END_OF_OPTIONS};

static int run(void *values, int n, char **words, struct caelum_error *err) {
    struct serve *s = values;
    const struct timespec pause = {0, 200000000};
    struct stat st;
    if (n > 1) return usage_error("serve", "expected one directory of runs, got %d", n);
    if (s->port > 65535) return usage_error("serve", "--port: expected 0 to 65535, got %zu", s->port);
    if (n == 1 && (stat(words[0], &st) != 0 || !S_ISDIR(st.st_mode)))
        return caelum_fail(err, CAELUM_EIO, "%s: is no directory; expected one that has directories of runs",
                           words[0]);
    CHECK(server_open(&s->server, n == 1 ? words[0] : "runs", (unsigned)s->port, err));
    printf("http://%s/ until Ctrl+C\n", s->server->host[0]);
    fflush(stdout);
    signals_catch();
    while (!signals_caught()) nanosleep(&pause, NULL);
    signals_forget();
    return 0;
}

static void close_server(void *values) {
    server_close(&((struct serve *)values)->server);
}

COMMAND(serve, "[RUNS]", "show the page and the runs of a directory in a browser", "caelum serve runs",
        .outside = true, .rows = rows, .size = sizeof(struct serve), .defaults = defaults, .run = run,
        .close = close_server);
