/* child.c - see child.h. The child sends a head, the network's text and the weights through a pipe; here the
 * text is parsed anew, so that nothing is believed but numbers. It starts no threads, as a forked process
 * must not, and leaves by _exit: what its parent has buffered is not written twice. */
#include "exchange/child.h"

#include "base/mem.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_SECONDS = 60, MOST_TEXT = 1 << 20 };

struct head {
    struct caelum_error err; /* code 0: the rest follows */
    size_t length, height, width, params;
};

static bool send_all(int fd, const void *bytes, size_t size) {
    for (const char *at = bytes; size > 0;) {
        const ssize_t n = write(fd, at, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        at += n, size -= (size_t)n;
    }
    return true;
}

static bool receive_all(int fd, void *bytes, size_t size) {
    for (char *at = bytes; size > 0;) {
        const ssize_t n = read(fd, at, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        at += n, size -= (size_t)n;
    }
    return true;
}

static void be_child(int fd, const char *path, child_load load) {
    struct head head = {0};
    struct caelum_model *model = NULL;
    setrlimit(RLIMIT_CPU, &(struct rlimit){MOST_SECONDS, MOST_SECONDS});
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    head.err.code = load(&model, path, &head.err);
    if (head.err.code == 0) {
        const struct caelum_net *net = model->net;
        head.length = strlen(net->text), head.params = net->params;
        head.height = net->input.h, head.width = net->input.w;
    }
    const bool sent = send_all(fd, &head, sizeof head) &&
                      (head.err.code != 0 || (send_all(fd, model->net->text, head.length) &&
                                              send_all(fd, model->params, head.params * sizeof(float))));
    _exit(sent ? 0 : 1);
}

static int crashed(const char *path, struct caelum_error *err) {
    return caelum_fail(err, CAELUM_EFORMAT, "%s: damaged: the library that reads it came to grief", path);
}

static int receive(int fd, struct caelum_model **out, const char *path, struct caelum_error *err) {
    struct head head;
    struct caelum_model *model = NULL;
    char *text = NULL;
    if (!receive_all(fd, &head, sizeof head)) return crashed(path, err);
    head.err.text[sizeof head.err.text - 1] = '\0';
    if (head.err.code != 0) return caelum_fail(err, head.err.code, "%s", head.err.text);
    if (head.length > MOST_TEXT) return crashed(path, err);
    int result = mem_alloc(&text, head.length + 1, 1, err);
    if (result == 0 && !receive_all(fd, text, head.length)) result = crashed(path, err);
    if (result == 0) result = model_new(&model, text, path, head.height, head.width, head.params, err);
    if (result == 0 &&
        (model->net->params != head.params || !receive_all(fd, model->params, head.params * sizeof(float))))
        result = crashed(path, err);
    if (result == 0) {
        *out = model;
        model = NULL;
    }
    caelum_model_close(&model);
    mem_free(&text);
    return result;
}

int child_model(struct caelum_model **model, const char *path, child_load load, struct caelum_error *err) {
    int ends[2];
    if (pipe(ends) != 0)
        return caelum_fail(err, CAELUM_ERESOURCE, "%s: no pipe to a child: %s", path, strerror(errno));
    const pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        be_child(ends[1], path, load);
    }
    close(ends[1]);
    const int result =
        child > 0 ? receive(ends[0], model, path, err)
                  : caelum_fail(err, CAELUM_ERESOURCE, "%s: no child process: %s", path, strerror(errno));
    close(ends[0]);
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR) {
    }
    return result;
}
