/* beside.c - children that count, stopped and continued by signals. */
#define _GNU_SOURCE
#include "bench/beside.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void be_busy(pid_t parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(0);
    raise(SIGSTOP);
    for (volatile unsigned long count = 0;; count++) continue;
}

static void send(const struct beside *b, int signal) {
    for (int i = 0; i < b->n; i++) kill(b->process[i], signal);
}

/* Until all are stopped, or gone. */
static void wait_stopped(const struct beside *b) {
    for (int i = 0; i < b->n; i++)
        while (waitpid(b->process[i], NULL, WUNTRACED) < 0 && errno == EINTR) continue;
}

int beside_open(struct beside *b, int n, struct caelum_error *err) {
    const pid_t parent = getpid();
    *b = (struct beside){0};
    for (int i = 0; i < n; i++) {
        const pid_t child = fork();
        if (child < 0) {
            const int error = errno;
            beside_close(b);
            return caelum_fail(err, CAELUM_ERESOURCE, "can't start a process: %s", strerror(error));
        }
        if (child == 0) be_busy(parent);
        b->process[b->n++] = child;
    }
    wait_stopped(b);
    return CAELUM_OK;
}

void beside_go(const struct beside *b) {
    send(b, SIGCONT);
}

void beside_stop(const struct beside *b) {
    send(b, SIGSTOP);
    wait_stopped(b);
}

void beside_close(struct beside *b) {
    send(b, SIGKILL);
    for (int i = 0; i < b->n; i++)
        while (waitpid(b->process[i], NULL, 0) < 0 && errno == EINTR) continue;
    b->n = 0;
}
