/* replay.c - FUZZ_READER's function called for each file of a directory, where there is no libFuzzer. A file
 * may take a second and 256 MB: more is a failure, unless the build has sanitizers, which take both. */
#define _GNU_SOURCE
#include "fuzz.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t most) {
    (void)bytes, (void)most;
    return size;
}

static void try_file(const char *path) {
    static uint8_t most[1 << 24];
    FILE *f = fopen(path, "rb");
    if (!f) perror(path), exit(1);
    const size_t size = fread(most, 1, sizeof most, f);
    fclose(f);
    uint8_t *bytes = malloc(size ? size : 1); /* of this length, so that a byte too many is seen */
    memcpy(bytes, most, size);
    const clock_t start = clock();
    LLVMFuzzerTestOneInput(bytes, size);
    const double seconds = (double)(clock() - start) / CLOCKS_PER_SEC; /* of work, on a busy machine too */
    free(bytes);
    if (!FUZZ_SANITIZED && seconds > 1)
        printf("%s: took %.1f s, a second expected\n", path, seconds), exit(1);
}

int main(int argc, char **argv) {
    struct dirent **entry = NULL;
    struct rusage used;
    char path[2 * PATH_MAX], directory[PATH_MAX];
    const int n = argc == 2 ? scandir(argv[1], &entry, NULL, alphasort) : -1;
    const bool there = n >= 0 && realpath(argv[1], directory);
    LLVMFuzzerInitialize(&argc, &argv);
    if (!there) {
        fprintf(stderr, "usage: FUZZ_READER=NAME fuzz_readers DIRECTORY\n");
        return 2;
    }
    for (int i = 0; i < n; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, entry[i]->d_name);
        if (entry[i]->d_name[0] != '.') try_file(path);
        free(entry[i]);
    }
    free(entry);
    getrusage(RUSAGE_SELF, &used);
    printf("%s: %d files, at most %ld MB\n", getenv("FUZZ_READER"), n - 2, used.ru_maxrss >> 10);
    if (FUZZ_SANITIZED || used.ru_maxrss <= 256 << 10) return 0;
    printf("256 MB expected\n");
    return 1;
}
