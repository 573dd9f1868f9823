/* fetch.c - published data sets: where they are on this machine, and how their files get there. A file grows
 * as NAME.part and gets its name when it is as published. Parts carry no record of the server that they are
 * from: the checksum of the whole decides, and where parts of several files have met, it is fetched anew. */
#include "base/nearest.h"
#include "data/prepared.h"
#include "data/sets.h"
#include "data/transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* --- Finding -------------------------------------------------------------------------------------- */

const struct data_set *data_set_find(const char *name) {
    for (const struct data_set *set = data_sets; set->name; set++)
        if (strcmp(set->name, name) == 0) return set;
    return NULL;
}

static int directory_of(const struct data_set *set, char path[PATH_SIZE], struct caelum_error *err) {
    char home[PATH_SIZE];
    CHECK(data_home("XDG_DATA_HOME", ".local/share", home, err));
    return file_join(path, PATH_SIZE, home, set->name, err);
}

int data_set_locate(const struct data_set *set, const char *directory, char path[PATH_SIZE],
                    struct caelum_error *err) {
    char own[PATH_SIZE];
    if (!directory) {
        CHECK(directory_of(set, own, err));
        directory = own;
    }
    for (const struct data_set_file *f = set->files; f->name; f++) {
        struct stat st;
        CHECK(file_join(path, PATH_SIZE, directory, f->name, err));
        if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != f->bytes)
            return caelum_fail(err, CAELUM_EIO,
                               "%s: %s of this data set is not in %s; `caelum data fetch %s` gets it",
                               set->name, f->name, directory, set->name);
    }
    if (set->files[1].name) snprintf(path, PATH_SIZE, "%s", directory);
    return CAELUM_OK;
}

/* --- Fetching ------------------------------------------------------------------------------------- */

struct fetch {
    const struct data_set *set;
    const struct caelum_fetch_settings *settings;
    const char *directory;
    const struct data_set_file *file; /* the one under way */
    struct transfer transfer;
    bool mixed; /* what is there may be of several files */
};

static int report(const struct fetch *f, const char *what, uint64_t done) {
    const struct caelum_fetch_settings *s = f->settings;
    return s->progress && s->progress(s->cookie, what, (size_t)done, (size_t)f->file->bytes) != 0;
}

/* Whether an open file is the published one; or a negative code. */
static int is_published(const struct fetch *f, int fd, const char *path, struct caelum_error *err) {
    uint8_t bytes[1 << 16];
    char key[65];
    uint64_t done = 0;
    struct sha256_ctx sha;
    sha256_init(&sha);
    while (done <= f->file->bytes) {
        const ssize_t got = pread(fd, bytes, sizeof bytes, (off_t)done);
        if (got == 0) break;
        if (got < 0) return caelum_fail(err, CAELUM_EIO, "%s: can't be read: %s", path, strerror(errno));
        sha256_update(&sha, (size_t)got, bytes);
        done += (uint64_t)got;
        if (done <= f->file->bytes && report(f, "checking", done))
            return caelum_fail(err, CAELUM_ESTOPPED, "stopped");
    }
    prepared_key(&sha, key);
    return done == f->file->bytes && strcmp(key, f->file->sha256) == 0;
}

static int begin_anew(struct fetch *f, const char *path, struct caelum_error *err) {
    f->mixed = false;
    f->transfer.have = 0;
    if (ftruncate(f->transfer.fd, 0) == 0) return CAELUM_OK;
    return caelum_fail(err, CAELUM_EIO, "%s: can't be written: %s", path, strerror(errno));
}

static int wait_a_while(const struct fetch *f, struct caelum_error *err) {
    for (int i = 0; i < 10 * data_pause; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
        if (report(f, f->transfer.what, f->transfer.have))
            return caelum_fail(err, CAELUM_ESTOPPED, "stopped");
    }
    return CAELUM_OK;
}

/* A server that has sent something is asked again, this often in a row without getting more. */
enum { MORE_TRIES = 3 };

static int ask_server(struct fetch *f, const char *url, struct caelum_error *err) {
    struct transfer *t = &f->transfer;
    bool second = false;
    for (int tries = 1;;) {
        const uint64_t before = t->have;
        f->mixed |= before > 0;
        int code = before < t->size ? transfer_rest(t, url, err) : 0;
        if (code == 0) {
            const int right = is_published(f, t->fd, t->path, err);
            if (right != 0) return right < 0 ? right : CAELUM_OK;
            const bool again = f->mixed && !second;
            CHECK(begin_anew(f, t->path, err));
            if (!again) return caelum_fail(err, CAELUM_ENET, "its bytes are not those that were published");
            second = true;
            continue;
        }
        tries = t->have > before ? MORE_TRIES : tries - 1;
        if (code != CAELUM_ENET || t->refused || tries == 0) return code;
        CHECK(wait_a_while(f, err));
    }
}

/* Asks one server after the other; those that fail are named in the end, each with the reason. */
static int ask_servers(struct fetch *f, struct caelum_error *err) {
    const char *const from[] = {f->settings->from, NULL};
    const char *const *server = *from ? from : f->set->servers;
    const struct transfer *t = &f->transfer;
    struct caelum_error why = {0};
    int code = CAELUM_ENET;
    char reasons[400] = "", kept[100] = "";
    for (; *server && code == CAELUM_ENET; server++) {
        char url[PATH_SIZE];
        /* a --from may also name the file itself */
        const bool itself = strcmp(path_name(*server), f->file->name) == 0;
        CHECK(file_join(url, sizeof url, *server, f->file->name, err));
        code = ask_server(f, itself ? *server : url, &why);
        if (code == 0) return CAELUM_OK;
        const size_t used = strlen(reasons);
        snprintf(reasons + used, sizeof reasons - used, "; %.100s: %.150s", *server, why.text);
    }
    if (t->have > 0)
        snprintf(kept, sizeof kept,
                 "; %" PRIu64 " of %" PRIu64 " bytes have come, and the same command continues from there",
                 t->have, t->size);
    if (code != CAELUM_ENET) return caelum_fail(err, code, "%s%s", why.text, kept);
    return caelum_fail(err, code, "%s: %s%s%s%s", f->file->name,
                       t->answered ? "not fetched" : "no server can be reached; is this machine offline?",
                       *from ? "" : "; --from takes it from elsewhere", kept, reasons);
}

/* Opens NAME.part. */
static int open_part(struct fetch *f, const char *path, struct caelum_error *err) {
    struct transfer *t = &f->transfer;
    struct stat st;
    t->fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
    if (t->fd < 0) return caelum_fail(err, CAELUM_EIO, "%s: can't be written: %s", path, strerror(errno));
    if (fstat(t->fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(t->fd);
        t->fd = -1; /* nor is it removed */
        return caelum_fail(err, CAELUM_EIO, "%s: not a regular file", path);
    }
    t->path = path;
    t->size = f->file->bytes;
    t->have = (uint64_t)st.st_size;
    return t->have > t->size ? begin_anew(f, path, err) : CAELUM_OK;
}

static int fetch_file(struct fetch *f, struct caelum_error *err) {
    char path[PATH_SIZE], part[PATH_SIZE], name[64], what[80];
    CHECK(file_join(path, sizeof path, f->directory, f->file->name, err));
    if (data_has_file(f->directory, f->file->name)) {
        const int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0) return caelum_fail(err, CAELUM_EIO, "%s: %s", path, strerror(errno));
        const int right = is_published(f, fd, path, err);
        close(fd);
        if (right != 0) return right < 0 ? right : CAELUM_OK;
        return caelum_fail(err, CAELUM_EIO,
                           "%s is there, but it is not the published file; move it away and fetch again",
                           path);
    }
    snprintf(name, sizeof name, "%s.part", f->file->name);
    snprintf(what, sizeof what, "fetching %s", f->file->name);
    CHECK(file_join(part, sizeof part, f->directory, name, err));
    f->transfer = (struct transfer){.what = what,
                                    .progress = f->settings->progress,
                                    .cookie = f->settings->cookie,
                                    .patience = data_patience()};
    int code = open_part(f, part, err);
    if (code == 0) code = ask_servers(f, err);
    if (code == 0 && (fsync(f->transfer.fd) != 0 || rename(part, path) != 0))
        code = caelum_fail(err, CAELUM_EIO, "%s: can't be written: %s", path, strerror(errno));
    if (f->transfer.fd >= 0) {
        close(f->transfer.fd);
        if (f->transfer.have == 0) unlink(part);
    }
    return code;
}

static int unknown_set(const char *name, struct caelum_error *err) {
    const char *names[16] = {0};
    char list[200] = "", question[NEAREST_SIZE];
    for (size_t i = 0; data_sets[i].name && i < 15; i++) {
        const size_t used = strlen(list);
        names[i] = data_sets[i].name;
        snprintf(list + used, sizeof list - used, "%s%s", i ? "|" : "", names[i]);
    }
    return caelum_fail(err, CAELUM_EUSAGE, "fetch: expected %s, got '%.100s'%s", list, name,
                       nearest_question(name, names, question));
}

int caelum_data_fetch(const char *name, const struct caelum_fetch_settings *settings, char path[4096],
                      struct caelum_error *err) {
    static const struct caelum_fetch_settings none;
    struct fetch f = {.set = data_set_find(name), .settings = settings ? settings : &none};
    const char *from = f.settings->from;
    char own[PATH_SIZE];
    if (!f.set) return unknown_set(name, err);
    if (from && !strstr(from, "://"))
        return caelum_fail(err, CAELUM_EUSAGE,
                           "from: expected http://..., https://... or file:///..., got '%.200s'", from);
    f.directory = f.settings->to ? f.settings->to : own;
    if (f.directory == own) CHECK(directory_of(f.set, own, err));
    CHECK(file_make_directory(f.directory, err));
    struct file_lock lock = {0};
    CHECK(file_lock(&lock, f.directory, err));
    int code = 0;
    for (f.file = f.set->files; f.file->name && code == 0; f.file++) code = fetch_file(&f, err);
    file_unlock(&lock);
    return code ? code : data_set_locate(f.set, f.directory, path, err);
}
