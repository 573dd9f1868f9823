/* server_runs.c - the directories of runs and studies in a directory, by their inodes' numbers: no request
 * has a name that a file is opened by. */
#include "server.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/number.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Streams at a time; seconds between two looks at the directory, and after which silence is broken: that
 * shows whether somebody is still there. */
enum { STREAMS = 16 };
static const double BREAK = 10;
static const struct timespec PAUSE = {0, 300000000};

/* What a run may have, or a study, to be shown. */
static const struct {
    const char *name, *type;
} shown[] = {{"metrics.csv", "text/csv; charset=utf-8"},
             {"reconstructions.png", "image/png"},
             {"colorizations.png", "image/png"},
             {"index.html", "text/html; charset=utf-8"}};
enum { SHOWN = sizeof shown / sizeof *shown };

static int is_visible(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

/* Opens a file of a directory of the listing, if it is a regular one; else -1. */
static int open_shown(const char *directory, size_t i, struct stat *st) {
    char path[PATH_SIZE];
    if (file_join(path, sizeof path, directory, shown[i].name, NULL) != 0) return -1;
    const int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, st) == 0 && S_ISREG(st->st_mode)) return fd;
    if (fd >= 0) close(fd);
    return -1;
}

/* Its files that are there, and when the latest has changed, in seconds; NULL: it is no run. */
static json_t *describe(const char *directory, const char *name, const struct stat *st) {
    json_t *files = json_array();
    double changed = 0;
    for (size_t i = 0; i < SHOWN; i++) {
        struct stat file;
        const int fd = open_shown(directory, i, &file);
        if (fd < 0) continue;
        close(fd);
        const double at = (double)file.st_mtim.tv_sec + 1e-9 * (double)file.st_mtim.tv_nsec;
        if (at > changed) changed = at;
        json_add(&files, json_string(shown[i].name));
    }
    if (json_array_size(files) == 0) {
        json_decref(files);
        return NULL;
    }
    char id[24];
    snprintf(id, sizeof id, "%ju", (uintmax_t)st->st_ino);
    return JSON({"id", json_string(id)}, {"name", json_bytes(name)}, {"changed", json_real(changed)},
                {"files", files});
}

/* Visits the directories until one is done with, which returns true. */
typedef bool visit(void *cookie, const char *path, const char *name, const struct stat *st);
static void each_run(const struct server *s, visit *take, void *cookie) {
    struct dirent **entry = NULL;
    const int n = scandir(s->runs, &entry, is_visible, alphasort);
    bool done = false;
    for (int i = 0; i < n; i++) {
        char path[PATH_SIZE];
        struct stat st;
        if (!done && file_join(path, sizeof path, s->runs, entry[i]->d_name, NULL) == 0 &&
            stat(path, &st) == 0 && S_ISDIR(st.st_mode))
            done = take(cookie, path, entry[i]->d_name, &st);
        free(entry[i]);
    }
    free(entry);
}

static bool add_run(void *cookie, const char *path, const char *name, const struct stat *st) {
    json_t **list = cookie, *run = describe(path, name, st);
    if (run) json_add(list, run);
    return false;
}

/* --- Events --------------------------------------------------------------------------------------- */

struct stream {
    struct server *server;
    char *said;  /* the list that was sent last */
    char *event; /* being sent */
    size_t size, sent;
    double since; /* when the last one was */
};

/* The next event, if there is something to say. */
static bool next(struct stream *s) {
    struct caelum_error err;
    json_t *list = json_array();
    char *now = NULL;
    const bool quiet = clock_seconds() - s->since < BREAK;
    each_run(s->server, add_run, &list);
    if (json_text(&list, JSON_COMPACT | JSON_REAL_PRECISION(17), "the list of runs", &now, &err) != 0)
        return false;
    const bool same = s->said && strcmp(now, s->said) == 0;
    if (same && quiet) {
        free(now);
        return false;
    }
    mem_free(&s->event);
    s->size = s->sent = 0;
    if (mem_alloc(&s->event, strlen(now) + 16, 1, &err) == 0)
        s->size = (size_t)sprintf(s->event, same ? ":\n\n" : "data: %s\n\n", now);
    free(s->said);
    s->said = now;
    s->since = clock_seconds();
    return s->size > 0;
}

static ssize_t read_events(void *cookie, uint64_t position, char *to, size_t most) {
    struct stream *s = cookie;
    (void)position;
    while (s->sent == s->size && !next(s)) {
        if (atomic_load(&s->server->stopping)) return MHD_CONTENT_READER_END_OF_STREAM;
        nanosleep(&PAUSE, NULL);
    }
    const size_t left = s->size - s->sent, n = left < most ? left : most;
    memcpy(to, s->event + s->sent, n);
    s->sent += n;
    return (ssize_t)n;
}

static void end_events(void *cookie) {
    struct stream *s = cookie;
    atomic_fetch_sub(&s->server->streams, 1);
    free(s->said);
    mem_free(&s->event);
    mem_free(&s);
}

struct MHD_Response *server_events(struct server *server, unsigned *status) {
    struct caelum_error err;
    struct stream *s = NULL;
    if (atomic_fetch_add(&server->streams, 1) >= STREAMS || mem_alloc(&s, 1, sizeof *s, &err) != 0) {
        atomic_fetch_sub(&server->streams, 1);
        *status = MHD_HTTP_SERVICE_UNAVAILABLE;
        return server_text("too many pages are open\n");
    }
    *s = (struct stream){.server = server};
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, read_events, s, end_events);
    if (response)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/event-stream");
    else
        end_events(s);
    return response;
}

/* --- Files ---------------------------------------------------------------------------------------- */

struct wanted {
    uint64_t id;
    size_t file;
    int descriptor;
    struct stat stat;
};

static bool open_wanted(void *cookie, const char *path, const char *name, const struct stat *st) {
    struct wanted *w = cookie;
    (void)name;
    if (st->st_ino != w->id) return false;
    w->descriptor = open_shown(path, w->file, &w->stat);
    return true;
}

struct MHD_Response *server_run_file(const struct server *server, const char *address, unsigned *status) {
    struct wanted w = {.descriptor = -1};
    const char *at;
    if (number_whole_at(address, &at, 0, UINT64_MAX, &w.id) && *at == '/') {
        while (w.file < SHOWN && strcmp(at + 1, shown[w.file].name) != 0) w.file++;
        if (w.file < SHOWN) each_run(server, open_wanted, &w);
    }
    if (w.descriptor < 0) {
        *status = MHD_HTTP_NOT_FOUND;
        return server_text("there is no such file of a run\n");
    }
    struct MHD_Response *response = MHD_create_response_from_fd((uint64_t)w.stat.st_size, w.descriptor);
    if (!response) {
        close(w.descriptor);
        return NULL;
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, shown[w.file].type);
    MHD_add_response_header(response, "Content-Security-Policy",
                            "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:");
    return response;
}
