/* replay.c - FUZZ_READER's function called for each file of a directory, where there is no libFuzzer; or for
 * N files made of them, each in a process of its own. A file may take a second and 256 MB: more is a failure,
 * unless the build has sanitizers, which take both. */
#define _GNU_SOURCE
#include "fuzz.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t most, unsigned change);

enum { MOST_FILE = 1 << 24, MOST_MADE = 20000, MOST_KB = 256 << 10 };
static uint8_t file[MOST_FILE];
static unsigned seed = 1;

static size_t file_load(const char *path) {
    FILE *f = fopen(path, "rb");
    if (!f) perror(path), exit(1);
    const size_t size = fread(file, 1, sizeof file, f);
    fclose(f);
    return size;
}

/* --- The files as they are ----------------------------------------------------------------------------- */

static void try_file(const char *path) {
    const size_t size = file_load(path);
    uint8_t *bytes = malloc(size ? size : 1); /* of this length, so that a byte too many is seen */
    memcpy(bytes, file, size);
    const clock_t start = clock();
    LLVMFuzzerTestOneInput(bytes, size);
    const double seconds = (double)(clock() - start) / CLOCKS_PER_SEC; /* of work, on a busy machine too */
    free(bytes);
    if (!FUZZ_SANITIZED && seconds > 1)
        printf("%s: took %.1f s, a second expected\n", path, seconds), exit(1);
}

/* --- Files made of them -------------------------------------------------------------------------------- */

/* One thing in a few bytes is changed: a bit, a byte, a size, what follows is cut off, a part is doubled. */
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t most) {
    static const uint32_t sizes[] = {0, 1, 255, 65535, INT32_MAX, (uint32_t)INT32_MAX + 1, UINT32_MAX};
    if (size < 8) return size;
    const size_t at = (size_t)rand_r(&seed) % (size - 4), rest = size - at;
    const uint32_t number = sizes[(size_t)rand_r(&seed) % (sizeof sizes / sizeof *sizes)];
    switch (rand_r(&seed) % 8) {
    case 0:
        bytes[at] ^= (uint8_t)(1 << rand_r(&seed) % 8);
        return size;
    case 1:
        bytes[at] = (uint8_t)rand_r(&seed);
        return size;
    case 2:
        return at;
    case 3:
    case 4:
        memcpy(bytes + at, &number, 4);
        return size;
    case 5:
        memcpy(bytes + at, (uint32_t[]){htonl(number)}, 4);
        return size;
    }
    const size_t part = rest < most - size ? rest : most - size, n = part ? (size_t)rand_r(&seed) % part : 0;
    memmove(bytes + at + n, bytes + at, rest);
    return size + n;
}

/* The file of a directory that is made next, in `file`: one of the corpus, changed once to four times. */
static size_t make_file(const char *path) {
    size_t size = file_load(path);
    for (int times = 1 + rand_r(&seed) % 4; size <= MOST_MADE && times > 0; times--)
        size = LLVMFuzzerCustomMutator(file, size, MOST_MADE, (unsigned)rand_r(&seed));
    return size;
}

static void keep_file(const char *name, size_t size) {
    FILE *f = fopen(name, "wb");
    if (!f || fwrite(file, 1, size, f) != size || fclose(f) != 0) perror(name), exit(1);
}

/* Seconds of processor time and kilobytes that reading it takes, whether it does so without a fault. */
static bool try_apart(size_t size, double *seconds, long *kb) {
    struct rusage used;
    int status;
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_CPU, &(struct rlimit){20, 20});
        LLVMFuzzerTestOneInput(file, size);
        exit(0);
    }
    if (child < 0 || wait4(child, &status, 0, &used) != child) perror("a process for each file"), exit(1);
    *seconds = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
               1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
    *kb = used.ru_maxrss;
    return status == 0 && (FUZZ_SANITIZED || (*seconds <= 1 && *kb <= MOST_KB));
}

/* How many of `n` files break the promise; these are kept as OUT-NUMBER. */
static int try_made(const char *directory, struct dirent **entry, int entries, int n, const char *out) {
    char path[2 * PATH_MAX];
    double seconds, slowest = 0;
    long kb, largest = 0;
    int bad = 0;
    for (int i = 0; i < n; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, entry[i % entries]->d_name);
        const size_t size = make_file(path);
        const bool good = try_apart(size, &seconds, &kb);
        if (seconds > slowest) slowest = seconds;
        if (kb > largest) largest = kb;
        if (good) continue;
        snprintf(path, sizeof path, "%s-%d", out, i);
        keep_file(path, size);
        printf("%s, made of %s: %.2f s, %ld MB\n", path, entry[i % entries]->d_name, seconds, kb >> 10);
        bad++;
    }
    printf("%s: %d files, at most %.2f s, %ld MB\n", getenv("FUZZ_READER"), n, slowest, largest >> 10);
    return bad;
}

static int is_shown(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv) {
    struct dirent **entry = NULL;
    struct rusage used;
    char path[2 * PATH_MAX], directory[PATH_MAX];
    const int n = argc == 2 || argc == 4 ? scandir(argv[1], &entry, is_shown, alphasort) : -1;
    const bool there = n > 0 && realpath(argv[1], directory);
    LLVMFuzzerInitialize(&argc, &argv);
    if (!there) {
        fprintf(stderr, "usage: FUZZ_READER=NAME fuzz_readers DIRECTORY [N /PATH/TO/FINDING]\n");
        return 2;
    }
    if (argc == 4) return try_made(directory, entry, n, atoi(argv[2]), argv[3]) > 0;
    for (int i = 0; i < n; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, entry[i]->d_name);
        try_file(path);
        free(entry[i]);
    }
    free(entry);
    getrusage(RUSAGE_SELF, &used);
    printf("%s: %d files, at most %ld MB\n", getenv("FUZZ_READER"), n, used.ru_maxrss >> 10);
    if (FUZZ_SANITIZED || used.ru_maxrss <= MOST_KB) return 0;
    printf("256 MB expected\n");
    return 1;
}
