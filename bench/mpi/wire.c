/* wire.c DELAY RATE NAMESPACE... - a network between network namespaces: DELAY microseconds from each to each
 * other, RATE bits/s out of each. Each namespace gets an interface "wire"; the one at place i is 10.77.0.i,
 * counted from 1. It is there when the program says "ready", and ends with it. Kernels without netem have no
 * other delay. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { MOST_HOSTS = 64, MOST_PACKET = 65536, LAST_BYTE_OF_DESTINATION = 19 };

struct packet {
    struct packet *next;
    int64_t at; /* when it is there, ns */
    int to;
    ssize_t size;
    uint8_t bytes[];
};

struct host {
    int tun;
    int64_t free; /* when its line has sent what it has */
    struct packet *first, **last;
};

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void die(const char *what) {
    perror(what);
    exit(1);
}

static int open_tun(const char *namespace) {
    char path[256];
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI, .ifr_name = "wire"};
    snprintf(path, sizeof path, "/var/run/netns/%s", namespace);
    const int in = open(path, O_RDONLY);
    if (in < 0 || setns(in, CLONE_NEWNET) != 0) die(path);
    close(in);
    const int tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
    if (tun < 0 || ioctl(tun, TUNSETIFF, &request) != 0) die("/dev/net/tun");
    return tun;
}

/* Puts what a host has sent on its line. */
static void take(struct host *h, int hosts, int64_t delay, double rate) {
    static uint8_t bytes[MOST_PACKET];
    for (ssize_t size; (size = read(h->tun, bytes, sizeof bytes)) > LAST_BYTE_OF_DESTINATION;) {
        const int to = bytes[LAST_BYTE_OF_DESTINATION] - 1;
        if (bytes[0] >> 4 != 4 || to < 0 || to >= hosts) continue; /* IPv6's greetings */
        struct packet *p = malloc(sizeof *p + (size_t)size);
        if (!p) die("a packet");
        const int64_t start = h->free > now() ? h->free : now();
        h->free = start + (int64_t)((double)size * 8e9 / rate);
        *p = (struct packet){.at = h->free + delay, .to = to, .size = size};
        memcpy(p->bytes, bytes, (size_t)size);
        *h->last = p;
        h->last = &p->next;
    }
}

/* Hands over what is due; returns when the next is. */
static int64_t give(struct host *host, struct host *h) {
    while (h->first && h->first->at <= now()) {
        struct packet *p = h->first;
        if (write(host[p->to].tun, p->bytes, (size_t)p->size) < 0) fputs("a packet was lost\n", stderr);
        h->first = p->next;
        if (!h->first) h->last = &h->first;
        free(p);
    }
    return h->first ? h->first->at : INT64_MAX;
}

int main(int n, char **words) {
    static struct host host[MOST_HOSTS];
    struct pollfd wait[MOST_HOSTS];
    const int hosts = n - 3;
    if (hosts < 2 || hosts > MOST_HOSTS) return 2;
    const int64_t delay = (int64_t)(1000 * atof(words[1]));
    const double rate = atof(words[2]);
    for (int i = 0; i < hosts; i++) {
        host[i].tun = open_tun(words[3 + i]);
        host[i].last = &host[i].first;
        wait[i] = (struct pollfd){.fd = host[i].tun, .events = POLLIN};
    }
    prctl(PR_SET_TIMERSLACK, 1000);
    puts("ready");
    fflush(stdout);
    for (;;) {
        int64_t next = INT64_MAX;
        for (int i = 0; i < hosts; i++) {
            take(&host[i], hosts, delay, rate);
            const int64_t due = give(host, &host[i]);
            next = due < next ? due : next;
        }
        const int64_t left = next == INT64_MAX ? INT64_C(1000000000) : next - now();
        const struct timespec t = {left > 0 ? left / 1000000000 : 0, left > 0 ? left % 1000000000 : 0};
        ppoll(wait, (nfds_t)hosts, &t, NULL);
    }
}
