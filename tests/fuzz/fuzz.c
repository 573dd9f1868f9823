/* fuzz.c - the table of readers; the environment variable FUZZ_READER says which one is tried. Built with
 * -fsanitize=fuzzer it is a program of libFuzzer; elsewhere replay.c calls it for each file of the corpora.
 */
#define _GNU_SOURCE
#include "fuzz.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct reader {
    const char *name; /* and of its corpus and its dictionary */
    const char *file; /* what the bytes are called where the reader takes a path */
    fuzz_read *read;
    fuzz_mutate *mutate; /* NULL: libFuzzer's own */
} readers[] = {
    {"net", "a.net", read_net, NULL},
    {"study", "a.study", read_study, NULL},
    {"conf", "caelum.conf", read_conf, NULL},
    {"run", "run.json", read_run, NULL},
    {"eval", "eval.json", read_run, NULL},
    {"metrics", "metrics.csv", read_run, NULL},
    {"model", "a.safetensors", read_model, mutate_safetensors},
    {"anomaly", "a.safetensors", read_anomaly, mutate_safetensors},
    {"checkpoint", "checkpoint.safetensors", read_checkpoint, mutate_safetensors},
    {"weights", "a.safetensors", read_import, mutate_safetensors},
    {"npz", "a.npz", read_import, NULL},
    {"onnx", "a.onnx", read_import, mutate_protobuf},
    {"codes", "a.clmc", read_codes, NULL},
    {"idx", "train-images-idx3-ubyte", read_data, NULL},
    {"npy", "x_train.npy", read_data, NULL},
    {"pickle", "test", read_pickle, NULL},
    {"cifar", "test_batch.bin", read_data, NULL},
    {"archive", "a.tar", read_data, NULL},
    {"prepared", "a.data", read_prepared, NULL},
    {"figures", "a.json", read_figures, NULL},
    {"png", "a.png", read_picture, mutate_png},
    {"jpeg", "a.jpg", read_picture, NULL},
    {"webp", "a.webp", read_picture, NULL},
    {"tiff", "a.tif", read_picture, NULL},
};
enum { READERS = sizeof readers / sizeof *readers };

static const struct reader *reader;
static pid_t worker; /* this process, not one of its own */
static char place[] = "/tmp/caelum-fuzz-XXXXXX";

void fuzz_expect(bool so, const char *what) {
    if (so) return;
    fprintf(stderr, "%s: expected %s\n", reader->name, what);
    abort();
}

void fuzz_result(int code, bool made, const struct caelum_error *err) {
    if (getenv("FUZZ_SAY")) fprintf(stderr, "%s: %s\n", reader->name, code == 0 ? "good" : err->text);
    fuzz_expect(code == 0 ? made : *err->text && !made, "a result, or a sentence and none");
}

void fuzz_file(const char *path, const void *bytes, size_t size) {
    FILE *f = fopen(path, "wb");
    fuzz_expect(f && fwrite(bytes, 1, size, f) == size && fclose(f) == 0, "a file that can be written");
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at) {
    (void)st, (void)kind, (void)at;
    return remove(path);
}

static void leave(void) {
    if (getpid() == worker) nftw(place, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Readers that take a path get one in a directory of this process, to which it goes. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv) {
    const char *name = getenv("FUZZ_READER");
    (void)argc, (void)argv;
    for (size_t i = 0; i < READERS; i++) {
        if (!name) puts(readers[i].name);
        if (name && strcmp(name, readers[i].name) == 0) reader = &readers[i];
    }
    if (!reader) {
        if (name)
            fprintf(stderr, "FUZZ_READER: there is no '%s'; where it isn't set, all are printed\n", name);
        exit(name ? 2 : 0);
    }
    if (!mkdtemp(place) || chdir(place) != 0) abort();
    worker = getpid();
    atexit(leave);
    setenv("CAELUM_CACHE", "cache", 1);
    setenv("CAELUM_THREADS", "1", 1);
    setenv("HOME", place, 1);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    fuzz_file(reader->file, bytes, size);
    reader->read(reader->file, bytes, size);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t most, unsigned seed);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t most, unsigned seed) {
    return reader->mutate ? reader->mutate(bytes, size, most, seed) : LLVMFuzzerMutate(bytes, size, most);
}
