/* transfer.c - see transfer.h. libcurl is loaded when it is first needed: with its thirty libraries the
 * program would take twice the time to start. Proxies are those of the environment, as libcurl reads it. */
#include "data/transfer.h"

#include "base/clock.h"
#include "base/loaded.h"

#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

struct curl {
    __typeof__(curl_easy_init) *init;
    __typeof__(curl_easy_setopt) *set;
    __typeof__(curl_easy_perform) *perform;
    __typeof__(curl_easy_getinfo) *info;
    __typeof__(curl_easy_strerror) *words;
    __typeof__(curl_easy_cleanup) *end;
};

/* The functions stay until the process ends. */
static int load(struct curl *curl, struct caelum_error *err) {
    static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        void *library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
        if (!library) continue;
        const bool whole = loaded_function(library, "curl_easy_init", &curl->init) &&
                           loaded_function(library, "curl_easy_setopt", &curl->set) &&
                           loaded_function(library, "curl_easy_perform", &curl->perform) &&
                           loaded_function(library, "curl_easy_getinfo", &curl->info) &&
                           loaded_function(library, "curl_easy_strerror", &curl->words) &&
                           loaded_function(library, "curl_easy_cleanup", &curl->end);
        dlclose(library);
        if (whole) return CAELUM_OK;
    }
    return caelum_fail(err, CAELUM_EUSAGE,
                       "fetching needs libcurl, and %s can't be loaded (Debian's package is libcurl4)",
                       names[0]);
}

struct request {
    struct transfer *transfer;
    struct curl curl;
    CURL *handle;
    bool begun;         /* the first bytes have come */
    uint64_t pass_over; /* bytes that will come and are there already */
    curl_off_t came;    /* bytes so far */
    double when;        /* seconds: when the last of them came */
    char reason[CURL_ERROR_SIZE];
    int code; /* why a callback has ended it, or 0 */
    struct caelum_error *err;
};

/* Before its first bytes: whether this can be what is missing, as far as headers tell. */
static int look(struct request *r) {
    struct transfer *t = r->transfer;
    long status = 0;
    curl_off_t length = -1;
    r->curl.info(r->handle, CURLINFO_RESPONSE_CODE, &status);
    r->curl.info(r->handle, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    if (status == 200) r->pass_over = t->have; /* all of it, whatever was asked for */
    const uint64_t before = status == 200 ? 0 : t->have;
    if (length < 0 || before + (uint64_t)length == t->size) return CAELUM_OK;
    t->refused = true;
    return caelum_fail(r->err, CAELUM_ENET, "it has %" PRIu64 " bytes there, %" PRIu64 " expected",
                       before + (uint64_t)length, t->size);
}

static int write_all(struct request *r, const char *bytes, size_t n) {
    struct transfer *t = r->transfer;
    while (n > 0) {
        const ssize_t wrote = pwrite(t->fd, bytes, n, (off_t)t->have);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0)
            return caelum_fail(r->err, CAELUM_EIO, "%s: can't be written: %s; it will have %" PRIu64 " bytes",
                               t->path, strerror(errno), t->size);
        bytes += wrote, n -= (size_t)wrote, t->have += (uint64_t)wrote;
    }
    return CAELUM_OK;
}

/* libcurl's callback for what comes: the number of bytes taken, less than `n` to end it. */
static size_t take(char *bytes, size_t one, size_t n, void *cookie) {
    struct request *r = cookie;
    struct transfer *t = r->transfer;
    (void)one;
    if (!r->begun) r->code = look(r);
    r->begun = true;
    if (r->code != 0) return 0;
    const size_t passed = n < r->pass_over ? n : (size_t)r->pass_over;
    r->pass_over -= passed;
    if (n - passed > t->size - t->have) {
        t->refused = true;
        r->code = caelum_fail(r->err, CAELUM_ENET, "it has more than %" PRIu64 " bytes there", t->size);
    } else {
        r->code = write_all(r, bytes + passed, n - passed);
    }
    return r->code == 0 ? n : 0;
}

/* Called once a second at least. */
static int watch(void *cookie, curl_off_t total, curl_off_t came, curl_off_t to_send, curl_off_t sent) {
    struct request *r = cookie;
    struct transfer *t = r->transfer;
    (void)total, (void)to_send, (void)sent;
    if (came != r->came) r->came = came, r->when = clock_seconds();
    if (t->progress && t->progress(t->cookie, t->what, (size_t)t->have, (size_t)t->size) != 0)
        r->code = caelum_fail(r->err, CAELUM_ESTOPPED, "stopped");
    else if (clock_seconds() - r->when > t->patience)
        r->code = caelum_fail(r->err, CAELUM_ENET, "silent for %d s", t->patience);
    return r->code != 0;
}

static void set_options(struct request *r, const char *url) {
    const struct curl *c = &r->curl;
    char range[32];
    snprintf(range, sizeof range, "%" PRIu64 "-", r->transfer->have);
    if (r->transfer->have > 0) c->set(r->handle, CURLOPT_RANGE, range);
    c->set(r->handle, CURLOPT_URL, url);
    c->set(r->handle, CURLOPT_PROTOCOLS_STR, "http,https,file");
    c->set(r->handle, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    c->set(r->handle, CURLOPT_FOLLOWLOCATION, 1L);
    c->set(r->handle, CURLOPT_MAXREDIRS, 10L);
    c->set(r->handle, CURLOPT_FAILONERROR, 1L);
    c->set(r->handle, CURLOPT_USERAGENT, "caelum/" CAELUM_VERSION);
    c->set(r->handle, CURLOPT_NOSIGNAL, 1L);
    c->set(r->handle, CURLOPT_NOPROGRESS, 0L);
    c->set(r->handle, CURLOPT_XFERINFOFUNCTION, watch);
    c->set(r->handle, CURLOPT_XFERINFODATA, r);
    c->set(r->handle, CURLOPT_WRITEFUNCTION, take);
    c->set(r->handle, CURLOPT_WRITEDATA, r);
    c->set(r->handle, CURLOPT_ERRORBUFFER, r->reason);
}

/* What came belongs to another file. */
static int take_back(struct transfer *t, uint64_t before, struct caelum_error *err) {
    t->have = before;
    if (ftruncate(t->fd, (off_t)before) == 0) return CAELUM_OK;
    return caelum_fail(err, CAELUM_EIO, "%s: can't be written: %s", t->path, strerror(errno));
}

int transfer_rest(struct transfer *t, const char *url, struct caelum_error *err) {
    struct request r = {.transfer = t, .when = clock_seconds(), .err = err};
    const uint64_t before = t->have;
    long status = 0;
    t->refused = false;
    CHECK(load(&r.curl, err));
    r.handle = r.curl.init();
    if (!r.handle) return caelum_fail(err, CAELUM_ERESOURCE, "libcurl can't start: out of memory");
    set_options(&r, url);
    const CURLcode result = r.curl.perform(r.handle);
    r.curl.info(r.handle, CURLINFO_RESPONSE_CODE, &status);
    r.curl.end(r.handle);
    t->answered |= status > 0 || r.begun;
    if (r.code == 0 && t->have == t->size) return CAELUM_OK;
    t->refused |= r.code == 0 && (result == CURLE_OK || result == CURLE_HTTP_RETURNED_ERROR);
    if (t->refused) CHECK(take_back(t, before, err));
    if (r.code != 0) return r.code;
    if (result == CURLE_OK)
        return caelum_fail(err, CAELUM_ENET, "it has fewer than %" PRIu64 " bytes there", t->size);
    return caelum_fail(err, CAELUM_ENET, "%s", *r.reason ? r.reason : r.curl.words(result));
}
