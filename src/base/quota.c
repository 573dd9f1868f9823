/* quota.c - cgroup(7), versions 1 and 2. A line of /proc/self/cgroup is NUMBER:CONTROLLERS:PATH; version 2
 * has no controllers. In a container, the path is often that of the machine, while the mount shows the
 * container's own group: what is not there is left out, and the mount's root is always looked at. */
#include "base/quota.h"

#include "base/number.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { PATH = 4096, LINE = 64 };

static bool read_line(const char *directory, const char *name, char line[LINE]) {
    char path[PATH + LINE];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *f = fopen(path, "r");
    if (!f) return false;
    const bool read = fgets(line, LINE, f) != NULL;
    fclose(f);
    return read;
}

static bool read_number(const char **at, uint64_t *value) {
    return number_whole_at(*at, at, 1, UINT32_MAX, value);
}

/* Version 2 has "QUOTA PERIOD" or "max PERIOD" in one file, version 1 has two, with -1 for none: 150000 in
 * 100000 microseconds grant 2 processors. */
static int quota_of(const char *directory) {
    char line[LINE], other[LINE];
    const char *at = line, *period_at = other;
    uint64_t quota, period;
    if (read_line(directory, "cpu.max", line)) {
        if (!read_number(&at, &quota) || *at++ != ' ' || !read_number(&at, &period)) return 0;
    } else if (!read_line(directory, "cpu.cfs_quota_us", line) || !read_number(&at, &quota) ||
               !read_line(directory, "cpu.cfs_period_us", other) || !read_number(&period_at, &period)) {
        return 0;
    }
    return (int)((quota + period - 1) / period);
}

static int smaller(int a, int b) {
    return a == 0 || (b != 0 && b < a) ? b : a;
}

/* The smallest quota from the group at `path` up to the mount's root. */
static int walk(const char *mount, const char *path) {
    char directory[PATH];
    const size_t root = strlen(mount);
    int least = 0;
    if (snprintf(directory, sizeof directory, "%s%s", mount, path) >= (int)sizeof directory) return 0;
    for (;;) {
        least = smaller(least, quota_of(directory));
        char *end = strrchr(directory, '/');
        if (strlen(directory) <= root || !end) return least;
        *end = 0;
    }
}

/* Whether "cpu" is among the controllers, as in "cpu,cpuacct". */
static bool has_cpu(const char *controllers) {
    for (const char *at = controllers; *at; at += strcspn(at, ","), at += *at == ',')
        if (strncmp(at, "cpu", 3) == 0 && (at[3] == ',' || !at[3])) return true;
    return false;
}

static int quota_of_line(const char *root, char *line) {
    char mount[PATH];
    char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!path) return 0;
    *controllers++ = 0, *path++ = 0;
    path[strcspn(path, "\n")] = 0;
    if (*controllers && !has_cpu(controllers)) return 0;
    /* both versions at once: the second is one directory below */
    const char *const mounts[] = {*controllers ? "/cpu" : "", *controllers ? "/cpu,cpuacct" : "/unified"};
    int least = 0;
    for (int i = 0; i < 2; i++) {
        if (snprintf(mount, sizeof mount, "%s/sys/fs/cgroup%s", root, mounts[i]) < (int)sizeof mount)
            least = smaller(least, walk(mount, path));
    }
    return least;
}

int quota_processors(const char *root) {
    char path[PATH], line[PATH];
    int least = 0;
    if (snprintf(path, sizeof path, "%s/proc/self/cgroup", root) >= (int)sizeof path) return 0;
    FILE *f = fopen(path, "r");
    if (!f) return 0;
    while (fgets(line, sizeof line, f)) least = smaller(least, quota_of_line(root, line));
    fclose(f);
    return least;
}
