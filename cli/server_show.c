/* server_show.c - the page in a browser, while a run is trained. */
#include "server.h"

#include <fcntl.h>
#include <libgen.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>

extern char **environ;

/* By what desktops have for it. What it says is of no use to anybody. */
static void browse(char *address) {
    char program[] = "xdg-open";
    char *words[] = {program, address, NULL};
    posix_spawn_file_actions_t actions;
    pid_t process;
    if (!getenv("DISPLAY") && !getenv("WAYLAND_DISPLAY")) return;
    if (posix_spawn_file_actions_init(&actions) != 0) return;
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    posix_spawnp(&process, program, &actions, NULL, words, environ);
    posix_spawn_file_actions_destroy(&actions);
}

int server_show(struct server **server, const char *run, struct caelum_error *err) {
    char path[PATH_SIZE], address[64];
    CHECK(file_join(path, sizeof path, run, "", err));
    CHECK(server_open(server, dirname(path), 0, err));
    snprintf(address, sizeof address, "http://%s/#runs", (*server)->host[0]);
    if (!display.quiet) fprintf(stderr, "%s shows the run until it ends\n", address);
    browse(address);
    return CAELUM_OK;
}
