/* server.c - what every request must be, and who answers it. A web page from elsewhere that the user's
 * browser has open can send requests here, too: those name another host, or another origin. */
#include "server.h"

#include "base/mem.h"
#include "base/number.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <string.h>
#include <strings.h>

/* Of a picture; of the page's file; connections and pictures at a time; seconds that a client may be silent,
 * and that a picture may take to arrive. */
enum {
    MOST_UPLOAD = 64 << 20,
    MOST_PAGE = 1 << 26,
    CONNECTIONS = 256,
    UPLOADS = 4,
    SILENCE = 20,
    LONGEST = 120
};

struct upload {
    uint8_t *bytes;
    size_t size, got;
};

struct MHD_Response *server_text(const char *text) {
    return MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);
}

/* Takes the response. */
static enum MHD_Result answer(struct MHD_Connection *c, unsigned status, struct MHD_Response *response) {
    if (!response) return MHD_NO;
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Cross-Origin-Resource-Policy", "same-origin");
    MHD_add_response_header(response, "Cache-Control", "no-store");
    if (!MHD_get_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE))
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; charset=utf-8");
    const enum MHD_Result result = MHD_queue_response(c, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result refuse(struct MHD_Connection *c, unsigned status, const char *why) {
    return answer(c, status, server_text(why));
}

static const char *header(struct MHD_Connection *c, const char *name) {
    const char *value = MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
    return value ? value : "";
}

static bool is_host(const struct server *s, const char *name) {
    return strcasecmp(name, s->host[0]) == 0 || strcasecmp(name, s->host[1]) == 0;
}

/* --- Pictures that are sent ----------------------------------------------------------------------- */

/* Takes a place among the uploads, where there is one. */
static bool place(struct server *s) {
    if (atomic_fetch_add(&s->uploads, 1) < UPLOADS) return true;
    atomic_fetch_sub(&s->uploads, 1);
    return false;
}

static enum MHD_Result begin_upload(struct server *s, struct MHD_Connection *c, const char *url,
                                    void **state) {
    static const char scheme[] = "http://";
    const char *origin = header(c, "Origin"), *length = header(c, "Content-Length");
    struct caelum_error err;
    struct upload *u = NULL;
    uint64_t size;
    if (strncmp(origin, scheme, sizeof scheme - 1) != 0 || !is_host(s, origin + sizeof scheme - 1))
        return refuse(c, MHD_HTTP_FORBIDDEN, "this is only for the page that this server has sent\n");
    if (strcmp(url, "/denoise") != 0) return refuse(c, MHD_HTTP_NOT_FOUND, "there is nothing here\n");
    if (!number_whole(length, 1, SIZE_MAX, &size))
        return refuse(c, MHD_HTTP_LENGTH_REQUIRED, "expected a picture and its Content-Length\n");
    if (size > MOST_UPLOAD)
        return refuse(c, MHD_HTTP_CONTENT_TOO_LARGE, "expected a file of at most 64 MiB\n");
    if (!place(s)) return refuse(c, MHD_HTTP_SERVICE_UNAVAILABLE, "busy with other pictures; try again\n");
    if (mem_alloc(&u, 1, sizeof *u, &err) != 0 || mem_alloc(&u->bytes, size, 1, &err) != 0) {
        mem_free(&u);
        atomic_fetch_sub(&s->uploads, 1);
        return refuse(c, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory\n");
    }
    u->size = size;
    *state = u;
    server_client_until(s, c, LONGEST);
    return MHD_YES;
}

static enum MHD_Result go_on(struct server *s, struct MHD_Connection *c, struct upload *u, const char *data,
                             size_t *size) {
    unsigned status = MHD_HTTP_OK;
    if (*size > u->size - u->got) return MHD_NO; /* more than was said */
    if (*size > 0) {
        memcpy(u->bytes + u->got, data, *size);
        u->got += *size, *size = 0;
        return MHD_YES;
    }
    server_client_until(s, c, INFINITY);
    struct MHD_Response *response = server_denoise(s, c, u->bytes, u->got, &status);
    return answer(c, status, response);
}

static void end(void *cookie, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode why) {
    struct server *s = cookie;
    struct upload *u = *state;
    (void)why;
    server_client_until(s, c, SERVER_HEAD); /* the next request */
    if (!u) return;
    mem_free(&u->bytes);
    mem_free(&u);
    atomic_fetch_sub(&s->uploads, 1);
}

/* --- Requests ------------------------------------------------------------------------------------- */

static struct MHD_Response *page(const struct server *s) {
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(s->page), s->page, MHD_RESPMEM_PERSISTENT);
    if (!response) return NULL;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/html; charset=utf-8");
    MHD_add_response_header(response, "Content-Security-Policy", "frame-ancestors 'none'");
    return response;
}

static enum MHD_Result get(struct server *s, struct MHD_Connection *c, const char *url) {
    static const char runs[] = "/runs/";
    unsigned status = MHD_HTTP_OK;
    struct MHD_Response *response;
    if (strcmp(url, "/") == 0)
        response = page(s);
    else if (strcmp(url, "/events") == 0)
        response = server_events(s, &status);
    else if (strncmp(url, runs, sizeof runs - 1) == 0)
        response = server_run_file(s, url + sizeof runs - 1, &status);
    else
        return refuse(c, MHD_HTTP_NOT_FOUND, "there is nothing here\n");
    return answer(c, status, response);
}

static enum MHD_Result request(void *cookie, struct MHD_Connection *c, const char *url, const char *method,
                               const char *version, const char *data, size_t *size, void **state) {
    struct server *s = cookie;
    (void)version;
    if (*state) return go_on(s, c, *state, data, size);
    server_client_until(s, c, INFINITY);
    if (!is_host(s, header(c, "Host")))
        return refuse(c, MHD_HTTP_MISDIRECTED_REQUEST, "this server is not the one that the request names\n");
    if (strcmp(method, "POST") == 0) return begin_upload(s, c, url, state);
    if (strcmp(method, "GET") == 0) return get(s, c, url);
    return refuse(c, MHD_HTTP_METHOD_NOT_ALLOWED, "expected GET or POST\n");
}

/* --- From start to end ---------------------------------------------------------------------------- */

/* Reads the page's file; its policy, which forbids all requests, then allows those to this server. */
static int read_page(struct server *s, struct caelum_error *err) {
    static const char mark[] = "Content-Security-Policy\" content=\"";
    static const char more[] = "connect-src 'self'; ";
    char path[PATH_SIZE];
    uint8_t *bytes = NULL;
    size_t size;
    CHECK(page_path(path, err));
    CHECK(file_read(path, MOST_PAGE, &bytes, &size, err));
    char *text = (char *)bytes, *at = strstr(text, mark);
    int result = at ? mem_alloc(&s->page, size + sizeof more, 1, err)
                    : caelum_fail(err, CAELUM_EFORMAT, "%s: has no %s", path, mark);
    if (result == 0) {
        const size_t before = (size_t)(at - text) + sizeof mark - 1;
        memcpy(s->page, text, before);
        strcpy(s->page + before, more);
        strcat(s->page + before, text + before);
    }
    mem_free(&bytes);
    return result;
}

static int start(struct server *s, unsigned port, struct caelum_error *err) {
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    errno = 0;
    s->daemon = MHD_start_daemon(
        MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION, (uint16_t)port, NULL,
        NULL, request, s, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SILENCE, MHD_OPTION_NOTIFY_COMPLETED, end, s,
        MHD_OPTION_NOTIFY_CONNECTION, server_client, s, MHD_OPTION_END);
    if (!s->daemon && errno == EADDRINUSE)
        return caelum_fail(err, CAELUM_EIO, "port %u is in use; --port 0 takes one that is free", port);
    if (!s->daemon)
        return caelum_fail(err, CAELUM_EIO, "port %u: can't be served: %s", port, strerror(errno));
    s->port = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    snprintf(s->host[0], sizeof s->host[0], "127.0.0.1:%u", s->port);
    snprintf(s->host[1], sizeof s->host[1], "localhost:%u", s->port);
    if (pthread_create(&s->watch, NULL, server_watch, s) == 0) return CAELUM_OK;
    MHD_stop_daemon(s->daemon);
    s->daemon = NULL;
    return caelum_fail(err, CAELUM_ERESOURCE, "out of threads for the server");
}

int server_open(struct server **server, const char *runs, unsigned port, struct caelum_error *err) {
    struct server *s = NULL;
    CHECK(mem_alloc(&s, 1, sizeof *s, err));
    *s = (struct server){.port = port};
    pthread_mutex_init(&s->lock, NULL);
    int result = file_join(s->runs, sizeof s->runs, runs, "", err);
    if (result == 0) result = read_page(s, err);
    if (result == 0) result = start(s, port, err);
    if (result != 0) server_close(&s);
    *server = s;
    return result;
}

void server_close(struct server **server) {
    struct server *s = *server;
    if (!s) return;
    atomic_store(&s->stopping, true);
    if (s->daemon) {
        MHD_stop_daemon(s->daemon);
        pthread_join(s->watch, NULL);
    }
    caelum_model_close(&s->denoiser);
    pthread_mutex_destroy(&s->lock);
    mem_free(&s->page);
    mem_free(server);
}
